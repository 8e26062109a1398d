//! Running cargo and other programs from the root of the repository, and counting the tests they report.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Write};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::sync::OnceLock;
use std::thread;
use std::time::{Duration, Instant};

use rustix::fs::{fcntl_lock, FlockOperation};

use crate::failures;

/// A failure is one message for a person to read.
pub(crate) type Result<T = ()> = std::result::Result<T, String>;

static PASSED: AtomicU64 = AtomicU64::new(0);
static FAILED: AtomicU64 = AtomicU64::new(0);

/// The root of the repository.
pub(crate) fn root() -> &'static Path {
    static ROOT: OnceLock<PathBuf> = OnceLock::new();
    ROOT.get_or_init(|| {
        // Cargo says it at run time, too. What it said at compile time may be another checkout with the same build folder.
        let xtask =
            std::env::var_os("CARGO_MANIFEST_DIR").unwrap_or(env!("CARGO_MANIFEST_DIR").into());
        let root = Path::new(&xtask).parent();
        root.expect("xtask lies in the repository").to_owned()
    })
}

/// `cargo ARGS`, to be run in the root of the repository.
pub(crate) fn cargo(args: &[&str]) -> Command {
    let mut command = Command::new("cargo");
    command.args(args).current_dir(root());
    command
}

/// Runs `command` with its output shown.
pub(crate) fn run(command: &mut Command) -> Result {
    announce(command);
    let start = Instant::now();
    let status = command
        .stdin(Stdio::null())
        .status()
        .map_err(|error| refused(command, &error))?;
    println!("  ({:.1} s)", start.elapsed().as_secs_f64());
    if status.success() {
        Ok(())
    } else {
        Err(format!("`{}` failed", line(command)))
    }
}

/// Runs `command` and returns what it prints to standard output.
pub(crate) fn output(command: &mut Command) -> Result<String> {
    let output = command
        .stdin(Stdio::null())
        .stderr(Stdio::inherit())
        .output()
        .map_err(|error| refused(command, &error))?;
    if !output.status.success() {
        return Err(format!("`{}` failed", line(command)));
    }
    String::from_utf8(output.stdout).map_err(|_| format!("`{}` printed no UTF-8", line(command)))
}

/// How long a `cargo test` may take in CI, its compilation included.
const LIMIT: Duration = Duration::from_secs(600);

/// What has the tests fail where a backend of the build does not open. By themselves they skip it: a sandbox may deny one.
/// But whoever asks for a check wants to know that nothing was left out.
pub(crate) const ALL_BACKENDS: (&str, &str) = ("MIO_REQUIRE_BACKENDS", "all");

/// Runs a `cargo test`, shows its output and adds its tests to the [tally].
pub(crate) fn test(command: &mut Command) -> Result {
    command.env(ALL_BACKENDS.0, ALL_BACKENDS.1);
    // A person interrupts a test that hangs. In CI nobody would, so there it has its own process group to be killed.
    let limited = std::env::var_os("CI").is_some();
    if limited {
        command.process_group(0);
    }
    announce(command);
    let start = Instant::now();
    let mut child = command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .spawn()
        .map_err(|error| refused(command, &error))?;
    let output = child.stdout.take().expect("piped");
    let group = child.id();
    let (done, waiting) = mpsc::channel::<()>();
    let guard = thread::spawn(move || {
        let late = limited && waiting.recv_timeout(LIMIT) == Err(RecvTimeoutError::Timeout);
        if late {
            // The shell's own `kill`: a bare system has no other.
            let kill = format!("kill -KILL -- -{group}");
            let _ = Command::new("sh").args(["-c", &kill]).status();
        }
        late
    });
    let mut failures = failures::Reader::default();
    for bytes in BufReader::new(output).split(b'\n') {
        let bytes = bytes.map_err(|error| refused(command, &error))?;
        let text = String::from_utf8_lossy(&bytes);
        count(&text);
        failures.line(&text);
        println!("{text}");
    }
    let status = child.wait().map_err(|error| refused(command, &error))?;
    drop(done);
    println!("  ({:.1} s)", start.elapsed().as_secs_f64());
    match (guard.join(), status.success()) {
        (Ok(true), _) => Err(format!(
            "`{}` hung: killed after {} s",
            line(command),
            LIMIT.as_secs()
        )),
        (_, true) => Ok(()),
        (_, false) => Err(format!("`{}` failed", line(command))),
    }
}

/// Adds what a line of a test program's output says to the [tally], and returns it: how many tests have passed and failed.
pub(crate) fn count(line: &str) -> Option<(u64, u64)> {
    let (passed, failed) = test_result(line)?;
    add_to_tally(passed, failed);
    Some((passed, failed))
}

/// Adds tests to the [tally] that were counted elsewhere.
pub(crate) fn add_to_tally(passed: u64, failed: u64) {
    PASSED.fetch_add(passed, Ordering::Relaxed);
    FAILED.fetch_add(failed, Ordering::Relaxed);
}

/// The programs that a `cargo test --no-run` builds. What the compiler has to say is shown.
pub(crate) fn test_programs(command: &mut Command) -> Result<Vec<PathBuf>> {
    let messages =
        output(command.args(["--no-run", "--message-format", "json-render-diagnostics"]))?;
    let programs: Vec<PathBuf> = messages.lines().filter_map(test_program).collect();
    match programs.is_empty() {
        true => Err("cargo built no test".to_owned()),
        false => Ok(programs),
    }
}

fn test_program(message: &str) -> Option<PathBuf> {
    test_executable(message).map(PathBuf::from)
}

/// The path of the program that one of cargo's messages announces, if it is one of tests.
pub(crate) fn test_executable(message: &str) -> Option<&str> {
    if !message.contains("\"test\":true}") {
        return None;
    }
    let path = message.split_once("\"executable\":\"")?.1;
    path.split('"').next()
}

/// How many tests have passed and failed so far in this process's test runs.
pub(crate) fn tally() -> (u64, u64) {
    (
        PASSED.load(Ordering::Relaxed),
        FAILED.load(Ordering::Relaxed),
    )
}

/// Runs `check` for each item, the rest too after a failure, and joins the failures.
pub(crate) fn each<T>(items: impl IntoIterator<Item = T>, check: impl Fn(T) -> Result) -> Result {
    let failures: Vec<String> = items
        .into_iter()
        .filter_map(|item| check(item).err())
        .collect();
    if failures.is_empty() {
        Ok(())
    } else {
        Err(failures.join("\n"))
    }
}

/// Whether cargo knows the subcommand `name`.
pub(crate) fn has_subcommand(name: &str) -> bool {
    Command::new("cargo")
        .args([name, "--version"])
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .is_ok_and(|status| status.success())
}

/// Installs the program of a cargo subcommand unless it is there.
///
/// Built without optimisation: the checks take seconds either way, the optimised build many minutes.
pub(crate) fn install(subcommand: &str, package: &str) -> Result {
    if has_subcommand(subcommand) {
        return Ok(());
    }
    // The subcommand's own dependencies do not belong among this crate's build output.
    run(cargo(&["install", "--locked", package])
        .env("CARGO_PROFILE_RELEASE_OPT_LEVEL", "0")
        .env("CARGO_PROFILE_RELEASE_DEBUG", "0")
        .env("CARGO_PROFILE_RELEASE_LTO", "off")
        .env("CARGO_PROFILE_RELEASE_CODEGEN_UNITS", "256")
        .env_remove("CARGO_TARGET_DIR"))
}

/// A build folder of its own for a check whose compiler or flags differ: in a shared one, each would make the other's
/// work stale.
pub(crate) fn target_dir(name: &str) -> PathBuf {
    let base =
        std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root().join("target"), PathBuf::from);
    base.join(name)
}

/// Where this crate's checks keep what is slow to make: a folder of its own in the user's cache folder.
pub(crate) fn cache() -> Result<PathBuf> {
    let base = std::env::var_os("XDG_CACHE_HOME")
        .filter(|value| Path::new(value).is_absolute())
        .map(PathBuf::from)
        .or_else(|| std::env::var_os("HOME").map(|home| Path::new(&home).join(".cache")))
        .ok_or("neither XDG_CACHE_HOME nor HOME is set")?;
    let path = base.join("mio-xtask");
    std::fs::create_dir_all(&path).map_err(|error| format!("{}: {error}", path.display()))?;
    Ok(path)
}

/// Waits until no other process holds this lock of the cache. It goes with the file that is returned, and with the process.
pub(crate) fn lock(name: &str) -> Result<File> {
    locked(&cache()?.join(format!("{name}.lock")))
}

fn locked(path: &Path) -> Result<File> {
    let failed = |error: io::Error| format!("{}: {error}", path.display());
    let file = File::create(path).map_err(failed)?;
    // By `fcntl(2)`: older compilers have no locks of files, and Solaris no `flock`.
    if fcntl_lock(&file, FlockOperation::NonBlockingLockExclusive).is_err() {
        println!("waiting for the process that holds {}", path.display());
        fcntl_lock(&file, FlockOperation::LockExclusive).map_err(|errno| failed(errno.into()))?;
    }
    Ok(file)
}

/// The compiler's release and commit, for instance `1.95.0-59807616e`: what is cached for one compiler is no use to
/// another.
pub(crate) fn compiler() -> Result<(String, String)> {
    let text = output(Command::new("rustc").arg("-vV").current_dir(root()))?;
    let field = |name: &str| {
        text.lines()
            .find_map(|line| line.strip_prefix(name))
            .map(str::trim)
            .ok_or_else(|| format!("`rustc -vV` names no {name}"))
    };
    let release = field("release:")?;
    let commit = field("commit-hash:")?;
    Ok((
        release.to_owned(),
        format!("{release}-{}", commit.get(..9).unwrap_or(commit)),
    ))
}

fn announce(command: &Command) {
    println!("$ {}", line(command));
    // Programs run here write to the same place past this process's buffer.
    let _ = std::io::stdout().flush();
}

/// The command as a person would type it, with the variables set for it.
fn line(command: &Command) -> String {
    let envs = command.get_envs().filter_map(|(name, value)| {
        Some(format!(
            "{}={:?}",
            name.to_string_lossy(),
            value?.to_string_lossy()
        ))
    });
    let words = std::iter::once(command.get_program()).chain(command.get_args());
    envs.chain(words.map(|word| word.to_string_lossy().into_owned()))
        .collect::<Vec<_>>()
        .join(" ")
}

fn refused(command: &Command, error: &std::io::Error) -> String {
    format!("`{}`: {error}", line(command))
}

/// The counts in libtest's closing line, `test result: ok. 3 passed; 0 failed; …`.
fn test_result(line: &str) -> Option<(u64, u64)> {
    let rest = line.strip_prefix("test result: ")?;
    let count = |word: &str| {
        rest[..rest.find(word)?]
            .rsplit([' ', '.'])
            .find(|s| !s.is_empty())?
            .parse()
            .ok()
    };
    Some((count(" passed")?, count(" failed")?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_the_closing_line_of_libtest() {
        let ok = "test result: ok. 12 passed; 0 failed; 1 ignored; 0 measured; 0 filtered out; finished in 0.10s";
        assert_eq!(test_result(ok), Some((12, 0)));
        let failed =
            "test result: FAILED. 3 passed; 2 failed; 0 ignored; 0 measured; 0 filtered out";
        assert_eq!(test_result(failed), Some((3, 2)));
        assert_eq!(test_result("test a::b ... ok"), None);
    }

    #[test]
    fn finds_test_programs_among_cargos_messages() {
        let test = r#"{"reason":"compiler-artifact","profile":{"opt_level":"0","test":true},"executable":"/t/a-1","fresh":true}"#;
        assert_eq!(test_program(test), Some(PathBuf::from("/t/a-1")));
        assert_eq!(test_program(&test.replace("true}", "false}")), None);
        assert_eq!(test_program(&test.replace("\"/t/a-1\"", "null")), None);
    }

    #[test]
    fn each_runs_everything_and_names_every_failure() {
        let run = std::cell::Cell::new(0);
        let result = each([1, 2, 3], |n| {
            run.set(run.get() + 1);
            if n == 2 {
                Ok(())
            } else {
                Err(format!("no {n}"))
            }
        });
        assert_eq!(run.get(), 3);
        assert_eq!(result, Err("no 1\nno 3".to_owned()));
    }

    /// The file to lock, in the child of this test.
    const LOCKED: &str = "XTASK_TEST_LOCKED";

    #[test]
    fn who_finds_a_lock_taken_says_so_and_waits() {
        if let Some(path) = std::env::var_os(LOCKED) {
            locked(Path::new(&path)).unwrap();
            return;
        }
        let path = std::env::temp_dir().join(format!("xtask-lock-{}", std::process::id()));
        let held = locked(&path).unwrap();
        let name = "cargo::tests::who_finds_a_lock_taken_says_so_and_waits";
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", name, "--nocapture"])
            .env(LOCKED, &path)
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        assert!(lines.any(|line| line.unwrap().contains("waiting for the process")));
        assert_eq!(child.try_wait().unwrap(), None);
        drop(held);
        assert!(child.wait().unwrap().success());
        std::fs::remove_file(&path).unwrap();
    }
}
