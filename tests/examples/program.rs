//! Starting an example, watching it and ending it.

use std::ffi::OsStr;
use std::io::{BufRead, BufReader, Read};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
#[cfg(unix)]
use std::process::ChildStdin;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{self, Receiver};
use std::sync::OnceLock;
use std::time::{Duration, Instant, SystemTime};
use std::{env, fs, thread};

use crate::runner;

/// How long anything may take on a machine that is busy with something else.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

/// A running example, killed when it is dropped.
pub(crate) struct Program {
    child: Child,
    stdout: Receiver<String>,
    stderr: Receiver<String>,
}

impl Program {
    pub(crate) fn start<S: AsRef<OsStr>>(name: &str, arguments: &[S]) -> Program {
        let mut command = runner::command(example(name));
        Program::spawn(command.args(arguments).stdin(Stdio::null()))
    }

    /// As [`start`](Program::start), with so many descriptors at most.
    #[cfg(unix)]
    pub(crate) fn start_limited(name: &str, arguments: &[&str], descriptors: u32) -> Program {
        let mut command = Command::new("sh");
        command
            .arg("-c")
            .arg(format!("ulimit -S -n {descriptors} && exec \"$0\" \"$@\""))
            .args(runner::words(example(name)))
            .args(arguments);
        Program::spawn(command.stdin(Stdio::null()))
    }

    pub(crate) fn spawn(command: &mut Command) -> Program {
        let mut child = command
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap_or_else(|error| panic!("{command:?}: {error}"));
        let stdout = lines(child.stdout.take().expect("piped"));
        let stderr = lines(child.stderr.take().expect("piped"));
        Program {
            child,
            stdout,
            stderr,
        }
    }

    /// The next line on standard output.
    pub(crate) fn line(&mut self) -> String {
        match self.stdout.recv_timeout(PATIENCE) {
            Ok(line) => line,
            Err(_) => panic!(
                "no line; errors: {:?}",
                self.stderr.try_iter().collect::<Vec<_>>()
            ),
        }
    }

    /// What stands behind `listening on ` in the next line.
    pub(crate) fn listening_on(&mut self) -> String {
        let line = self.line();
        line.strip_prefix("listening on ")
            .unwrap_or_else(|| panic!("unexpected line: {line}"))
            .to_owned()
    }

    pub(crate) fn address(&mut self) -> SocketAddr {
        self.listening_on().parse().expect("an address")
    }

    /// The next line on standard error.
    pub(crate) fn error_line(&self) -> String {
        self.stderr
            .recv_timeout(PATIENCE)
            .expect("a line of errors")
    }

    /// The rest of both outputs and the status, when it ends by itself.
    pub(crate) fn end(mut self) -> (Vec<String>, Vec<String>, ExitStatus) {
        let stdout = rest(&self.stdout);
        let stderr = rest(&self.stderr);
        // Both outputs have ended, so the process has, or is about to.
        let status = self.child.wait().expect("its own child");
        (stdout, stderr, status)
    }

    #[cfg(unix)]
    pub(crate) fn stdin(&mut self) -> ChildStdin {
        self.child.stdin.take().expect("piped")
    }

    /// Kills it as `kill -9` does.
    #[cfg(unix)]
    pub(crate) fn kill(mut self) {
        self.child.kill().expect("running");
        self.child.wait().expect("its own child");
    }

    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    /// How many descriptors it has open, where `/proc` tells. It may have inherited some.
    #[cfg(unix)]
    pub(crate) fn descriptors(&self) -> Option<usize> {
        let folder = fs::read_dir(format!("/proc/{}/fd", self.id())).ok()?;
        Some(folder.count())
    }

    /// How much time it has used of a processor, where `/proc` tells.
    #[cfg(unix)]
    pub(crate) fn cpu_time(&self) -> Option<Duration> {
        let stat = fs::read_to_string(format!("/proc/{}/stat", self.id())).ok()?;
        // The second field is a name in parentheses, which may contain anything. User and system time are the 14th and 15th.
        let (_, fields) = stat.rsplit_once(") ")?;
        let ticks = fields.split(' ').skip(11).take(2);
        let ticks: u64 = ticks.map(|field| field.parse().unwrap_or(0)).sum();
        // Counted in hundredths of a second, whatever the kernel's own clock.
        Some(Duration::from_millis(ticks * 10))
    }

    /// The most memory that it has had at a time, in bytes, where `/proc` tells.
    pub(crate) fn peak_memory(&self) -> Option<u64> {
        let status = fs::read_to_string(format!("/proc/{}/status", self.id())).ok()?;
        let line = status
            .lines()
            .find_map(|line| line.strip_prefix("VmHWM:"))?;
        let kibibytes: u64 = line.trim().trim_end_matches(" kB").parse().ok()?;
        Some(kibibytes * 1024)
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn lines(output: impl Read + Send + 'static) -> Receiver<String> {
    let (sender, receiver) = mpsc::channel();
    thread::spawn(move || {
        for line in BufReader::new(output).split(b'\n') {
            let Ok(line) = line else { break };
            // With nobody to listen any more, the program is to see that its pipe is closed.
            if sender
                .send(String::from_utf8_lossy(&line).into_owned())
                .is_err()
            {
                break;
            }
        }
    });
    receiver
}

fn rest(lines: &Receiver<String>) -> Vec<String> {
    let deadline = Instant::now() + PATIENCE;
    let mut rest = Vec::new();
    loop {
        match lines.recv_timeout(deadline.saturating_duration_since(Instant::now())) {
            Ok(line) => rest.push(line),
            Err(mpsc::RecvTimeoutError::Disconnected) => return rest,
            Err(mpsc::RecvTimeoutError::Timeout) => panic!("does not end; so far: {rest:?}"),
        }
    }
}

/// Tries each of these command lines, which make no sense to the example.
pub(crate) fn refuses(name: &str, command_lines: &[&[&str]]) {
    for arguments in command_lines {
        let (stdout, stderr, status) = Program::start(name, arguments).end();
        assert_eq!(status.code(), Some(2), "{arguments:?}");
        assert_eq!(stdout, [""; 0]);
        assert_eq!(stderr.len(), 1, "{stderr:?}");
        assert!(
            stderr[0].starts_with(&format!("usage: {name} ")),
            "{stderr:?}"
        );
    }
}

/// The program of an example.
///
/// `cargo test` builds the examples along with the tests. `cargo test --test examples` does not: they may be missing then,
/// or older than their sources.
pub(crate) fn example(name: &str) -> PathBuf {
    static FOLDER: OnceLock<PathBuf> = OnceLock::new();
    let folder = FOLDER.get_or_init(|| {
        let test = env::current_exe().expect("a test has a path");
        // From `<profile>/deps/examples-0123` to `<profile>/examples`.
        let profile = test.ancestors().nth(2).expect("in a folder of cargo's");
        let built = profile.join("examples");
        if is_fresh(&built) {
            built
        } else {
            build(profile)
        }
    });
    folder.join(file(name))
}

/// The name of a program's file.
fn file(name: &str) -> String {
    format!("{name}{}", env::consts::EXE_SUFFIX)
}

/// Whether each example is there, and not older than any source. Where there are no sources, the programs have been carried
/// to another machine, and nothing is newer.
fn is_fresh(built: &Path) -> bool {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let changed = ["Cargo.toml", "src", "examples"].map(|path| newest(&root.join(path)));
    let changed = changed.into_iter().max().unwrap_or(SystemTime::UNIX_EPOCH);
    let names = [
        "chat",
        "child_output",
        "http_hello",
        "proxy",
        "tcp_echo",
        "udp_echo",
    ];
    names
        .iter()
        .all(|name| modified(&built.join(file(name))).is_some_and(|built| built >= changed))
}

fn newest(path: &Path) -> SystemTime {
    let below = fs::read_dir(path).into_iter().flatten().flatten();
    let below = below.map(|entry| newest(&entry.path())).max();
    below.max(modified(path)).unwrap_or(SystemTime::UNIX_EPOCH)
}

fn modified(path: &Path) -> Option<SystemTime> {
    fs::metadata(path)
        .and_then(|metadata| metadata.modified())
        .ok()
}

/// Whether cargo has marked the folder as its own.
fn is_tagged(folder: &Path) -> bool {
    folder.join("CACHEDIR.TAG").exists()
}

/// Whether this is a target's name, such as `i686-unknown-linux-gnu`.
fn is_triple(name: &str) -> bool {
    name.matches('-').count() >= 2
}

/// Has cargo build the examples as it has built this test, and returns the folder.
fn build(profile: &Path) -> PathBuf {
    let features = [
        ("log", cfg!(feature = "log")),
        ("net", cfg!(feature = "net")),
        ("os-ext", cfg!(feature = "os-ext")),
        ("os-poll", cfg!(feature = "os-poll")),
        ("poll-backend", cfg!(feature = "poll-backend")),
    ];
    let features: Vec<_> = features
        .iter()
        .filter(|(_, on)| *on)
        .map(|(name, _)| *name)
        .collect();
    let cargo = env::var_os("CARGO").unwrap_or_else(|| env!("CARGO").into());
    let mut command = Command::new(&cargo);
    command
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .args([
            "build",
            "--examples",
            "--message-format",
            "json-render-diagnostics",
        ])
        .args(["--no-default-features", "--features", &features.join(",")]);
    let name = |path: &Path| {
        path.file_name()
            .and_then(OsStr::to_str)
            .unwrap_or("")
            .to_owned()
    };
    match &*name(profile) {
        "debug" => {}
        other => drop(command.args(["--profile", other])),
    }
    // A folder for another target is named for it. Cargo marks it, and its own folder above.
    if let Some(target) = profile.parent() {
        match target.parent() {
            Some(above) if is_triple(&name(target)) && is_tagged(above) => {
                command.arg("--target-dir").arg(above);
                command.arg("--target").arg(name(target));
            }
            _ if is_tagged(target) => drop(command.arg("--target-dir").arg(target)),
            _ => {}
        }
    }
    let output = command
        .stderr(Stdio::inherit())
        .output()
        .unwrap_or_else(|error| {
            panic!("the examples are not built, and neither can they be: {error}")
        });
    assert!(output.status.success(), "the examples do not compile");
    let messages = String::from_utf8_lossy(&output.stdout);
    let (_, path) = messages
        .split_once("\"executable\":\"")
        .expect("cargo names the programs");
    let path = path.split('"').next().unwrap_or(path);
    Path::new(path).parent().expect("in a folder").to_owned()
}
