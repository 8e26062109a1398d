//! `downstream`: the test suites of published crates that stand on mio, run on this crate.
//!
//! A crate's archive is unpacked into a workspace of its own below `target/downstream`, where a `[patch]` puts this
//! repository in place of mio. Everything else stays at the versions of the `Cargo.lock` in the archive, which are
//! those that its authors tested it with. The same suite runs on the published mio, too, to tell a fault of this
//! crate from one of the machine.

mod crates;
mod libtest;
mod lock;
mod windows;

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use self::crates::{Crate, CRATES};
use self::libtest::{counts, failures, test_program};
use self::lock::{are_compatible, from_registry};
use crate::cargo::{add_to_tally, cache, compiler, lock, output, root, Result};

/// A test program that takes longer hangs. The slowest one of tokio takes forty seconds on two cores with eight times as
/// much to do.
const LIMIT: Duration = Duration::from_secs(300);

/// The same for the examples in a crate's documentation, each of which is compiled first.
const DOC_LIMIT: Duration = Duration::from_secs(3600);

/// The mio below the crate.
#[derive(Clone, Copy, PartialEq)]
enum Mio {
    /// This repository.
    This,
    /// This repository, and the crate's queues are `Backend::Poll`.
    Poll,
    /// What the registry has.
    Published,
}

/// The suite that is part of CI.
const IN_CI: &str = "tokio";

/// `downstream [CRATE]… [--poll | --published | --windows] [--no-docs] [--filter TEXT]…`.
pub(crate) fn run(args: &[&str]) -> Result {
    let mut names = Vec::new();
    let mut mio = Mio::This;
    let mut docs = Docs::Too;
    let mut on_windows = false;
    let mut filters = Vec::new();
    let mut args = args.iter().copied();
    while let Some(arg) = args.next() {
        match arg {
            "--poll" => mio = Mio::Poll,
            "--published" => mio = Mio::Published,
            "--no-docs" => docs = Docs::Left,
            "--windows" => on_windows = true,
            "--filter" => filters.push(args.next().ok_or("--filter: part of a name, please")?),
            name => names.push(name),
        }
    }
    let there = |krate: &&Crate| mio != Mio::Poll || !krate.on_poll.is_empty();
    let all: Vec<&Crate> = CRATES.iter().filter(there).collect();
    let mut chosen = all.clone();
    if !names.is_empty() {
        chosen.retain(|krate| names.contains(&krate.name));
    }
    let missing = names
        .iter()
        .any(|name| !all.iter().any(|krate| krate.name == *name));
    if missing {
        let names: Vec<&str> = all.iter().map(|krate| krate.name).collect();
        return Err(format!("no such suite; there are {}", names.join(", ")));
    }
    if on_windows {
        return windows::run(&chosen, &filters);
    }

    let build = match std::env::var_os("CARGO_TARGET_DIR") {
        Some(folder) => root().join(folder),
        // The dependencies are the same for each mio.
        None => base().join("build"),
    };
    let mut rows = Vec::new();
    for krate in chosen {
        let start = Instant::now();
        let suite = Suite::new(krate, mio, build.clone());
        // One that does not build keeps nobody from running the others.
        let outcome = suite
            .prepare()
            .and_then(|()| suite.run(&filters, docs))
            .unwrap_or_else(|message| suite.failure(message));
        if filters.is_empty() {
            suite.clean()?;
        }
        if filters.is_empty() || !outcome.is_empty() {
            rows.push((krate, outcome, start.elapsed()));
        }
    }
    report(&rows)
}

/// `tokio`: the suite of tokio, but for the examples in its documentation: they take longer to compile than all the rest,
/// and test the documentation.
///
/// The dependencies of its tests are kept in the cache, built.
pub(crate) fn ci() -> Result {
    let krate = CRATES.iter().find(|krate| krate.name == IN_CI);
    let krate = krate.expect("the suite has an entry");
    let (_, compiler) = compiler()?;
    let build = cache()?.join(format!("downstream-{compiler}"));
    let _lock = lock("downstream")?;
    let start = Instant::now();
    let suite = Suite::new(krate, Mio::This, build);
    suite.prepare()?;
    let outcome = suite.run(&[], Docs::Left)?;
    suite.clean()?;
    add_to_tally(outcome.passed, outcome.failed.len() as u64);
    report(&[(krate, outcome, start.elapsed())])
}

/// What becomes of the examples in a crate's documentation.
#[derive(Clone, Copy, PartialEq)]
enum Docs {
    Too,
    Left,
}

/// A crate, unpacked and patched.
struct Suite {
    krate: &'static Crate,
    mio: Mio,
    /// The workspace. The crate is the folder of its name in there.
    folder: PathBuf,
    /// Cargo's build folder.
    build: PathBuf,
}

impl Suite {
    fn new(krate: &'static Crate, mio: Mio, build: PathBuf) -> Suite {
        let kind = match mio {
            Mio::This => "this",
            Mio::Poll => "poll",
            Mio::Published => "published",
        };
        let folder = base()
            .join(kind)
            .join(format!("{}-{}", krate.name, krate.version));
        println!("\n==> {} {} ({kind})", krate.name, krate.version);
        Suite {
            krate,
            mio,
            folder,
            build,
        }
    }

    /// Unpacks the crate unless that was done before, and sees that its mio is the one asked for.
    fn prepare(&self) -> Result {
        if !self.folder.join("Cargo.lock").exists() {
            self.unpack()?;
            self.lock()?;
        }
        self.check_mio()
    }

    /// Makes the workspace from the crate's archive, as cargo hands it out.
    fn unpack(&self) -> Result {
        let Crate { name, version, .. } = self.krate;
        if self.folder.exists() {
            fs::remove_dir_all(&self.folder).map_err(|error| at(&self.folder, &error))?;
        }
        // `cargo vendor` unpacks what a package depends on, here this one crate (and what that needs without features).
        let fetch = self.folder.join("fetch");
        write(
            &fetch.join("Cargo.toml"),
            &format!(
                "[package]\nname = \"fetch\"\nedition = \"2021\"\n\n\
                 [dependencies]\n{name} = \"={version}\"\n\n[workspace]\n"
            ),
        )?;
        write(&fetch.join("src").join("lib.rs"), "")?;
        output(
            Command::new("cargo")
                .args(["vendor", "--quiet", "--versioned-dirs", "vendor"])
                .current_dir(&fetch),
        )?;
        let archive = fetch.join("vendor").join(format!("{name}-{version}"));
        let package = self.folder.join(name);
        fs::rename(&archive, &package).map_err(|error| at(&archive, &error))?;
        fs::remove_dir_all(&fetch).map_err(|error| at(&fetch, &error))?;

        if self.mio == Mio::Poll {
            for (file, from, to) in self.krate.on_poll {
                replace(&package.join(file), from, to)?;
            }
        }
        // What helps to test the crate depends on it: that has to be the crate under test, not one more copy.
        let patch = match self.mio {
            Mio::This | Mio::Poll => "mio = { path = \"../../../..\" }\n",
            Mio::Published => "",
        };
        write(
            &self.folder.join("Cargo.toml"),
            &format!(
                "[workspace]\nmembers = [\"{name}\"]\nresolver = \"2\"\n\n\
                 [patch.crates-io]\n{name} = {{ path = \"{name}\" }}\n{patch}"
            ),
        )
    }

    /// Takes over the crate's `Cargo.lock`, but for the patched packages: a patch does not move a version that is
    /// locked, and the published package would stay.
    fn lock(&self) -> Result {
        let lock = self.folder.join("Cargo.lock");
        let from = self.package().join("Cargo.lock");
        // An older cargo has packed it without one, or with one that holds to a package which this mio does not go with.
        if !from.exists() || self.lock_as(&lock, &from).is_err() {
            let _ = fs::remove_file(&lock);
            println!("its Cargo.lock does not do: what is newest, then");
            output(&mut self.cargo("generate-lockfile"))?;
        }
        Ok(())
    }

    fn lock_as(&self, lock: &Path, from: &Path) -> Result {
        let text = fs::read_to_string(from).map_err(|error| at(from, &error))?;
        let update = |name: &str, old: &str, new: &str| {
            let spec = format!("{name}@{old}");
            output(
                self.cargo("update")
                    .args(["--quiet", &spec, "--precise", new]),
            )
        };
        write(lock, &text)?;
        for (name, version) in from_registry(&text) {
            if name == self.krate.name && are_compatible(version, self.krate.version) {
                update(name, version, self.krate.version)?;
            } else if name == "mio" && version.starts_with("1.") && self.mio != Mio::Published {
                update(name, version, &own_version()?)?;
            }
        }
        Ok(())
    }

    /// Has cargo say which mio the crate gets.
    fn check_mio(&self) -> Result {
        let tree = output(
            self.cargo("tree")
                .args(self.features())
                .args(["--invert", "mio@1", "--depth", "1"]),
        )?;
        print!("{tree}");
        let here = format!("({})", root().display());
        let patched = tree.lines().next().is_some_and(|mio| mio.contains(&here));
        if patched == (self.mio != Mio::Published) {
            Ok(())
        } else {
            Err(format!(
                "that is the wrong mio; remove {} and try again",
                self.folder.display()
            ))
        }
    }

    /// Builds the test programs whose names contain one of `filters`, and runs them one after the other.
    fn run(&self, filters: &[&str], docs: Docs) -> Result<Outcome> {
        let mut outcome = Outcome::default();
        for (name, program) in self.programs(filters, &mut self.cargo("test"))? {
            let mut built = self.krate.built.iter();
            if let Some((_, reason)) = built.find(|(built, _)| *built == name) {
                println!("{name:<50} built, not run: {reason}");
                continue;
            }
            let mut command = Command::new(program);
            command.current_dir(self.package());
            command.args(self.krate.absent.iter().flat_map(|part| ["--skip", part]));
            outcome.add(self.program(&name, &mut command, LIMIT)?);
        }
        if docs == Docs::Too && is_wanted("doc", filters) {
            let mut command = self.cargo("test");
            command.args(["--quiet", "--doc"]).args(self.features());
            outcome.add(self.program("doc", &mut command, DOC_LIMIT)?);
        }
        Ok(outcome)
    }

    /// Builds the test programs whose names contain one of `filters`, by `cargo`: their names and paths.
    fn programs(&self, filters: &[&str], cargo: &mut Command) -> Result<Vec<(String, String)>> {
        let targets = match filters {
            [] => vec!["--lib".to_owned(), "--tests".to_owned()],
            _ => self.targets(filters)?,
        };
        if targets.is_empty() {
            return Ok(Vec::new());
        }
        let start = Instant::now();
        println!("building the tests");
        let messages = output(
            cargo
                .args([
                    "--quiet",
                    "--no-run",
                    "--message-format",
                    "json-render-diagnostics",
                ])
                .args(self.features())
                .args(&targets),
        )?;
        println!("  ({:.1} s)", start.elapsed().as_secs_f64());
        let mut programs: Vec<_> = messages
            .lines()
            .filter_map(test_program)
            .map(|(name, path)| (name.to_owned(), path.to_owned()))
            .collect();
        programs.sort();
        Ok(programs)
    }

    /// The arguments that make cargo build only what the `filters` let through.
    fn targets(&self, filters: &[&str]) -> Result<Vec<String>> {
        let mut targets = Vec::new();
        if is_wanted("lib", filters) {
            targets.push("--lib".to_owned());
        }
        let tests = self.package().join("tests");
        if !tests.exists() {
            return Ok(targets);
        }
        for entry in fs::read_dir(&tests).map_err(|error| at(&tests, &error))? {
            let path = entry.map_err(|error| at(&tests, &error))?.path();
            let name = path.file_stem().unwrap_or_default().to_string_lossy();
            if path.extension().is_some_and(|extension| extension == "rs")
                && is_wanted(&name, filters)
            {
                targets.extend(["--test".to_owned(), name.into_owned()]);
            }
        }
        Ok(targets)
    }

    /// Runs one test program, and shows what it printed if something failed.
    fn program(&self, name: &str, command: &mut Command, limit: Duration) -> Result<Outcome> {
        let path = self.folder.join("log").join(name).with_extension("log");
        write(&path, "")?;
        // One file for both streams, so that they stay in order, and no pipe that a stray child may keep open.
        let log = File::create(&path).map_err(|error| at(&path, &error))?;
        let stderr = log.try_clone().map_err(|error| at(&path, &error))?;
        command.stdin(Stdio::null()).stdout(log).stderr(stderr);
        let start = Instant::now();
        let status = wait(command, limit).map_err(|error| at(&path, &error))?;
        let time = start.elapsed().as_secs_f64();

        let bytes = fs::read(&path).map_err(|error| at(&path, &error))?;
        let text = String::from_utf8_lossy(&bytes);
        let outcome = self.outcome(name, &text, status);
        println!(
            "{name:<50} {:>4} passed {:>3} failed {time:>6.1} s",
            outcome.passed,
            outcome.failed.len() + outcome.known.len()
        );
        if !outcome.failed.is_empty() {
            println!("{text}");
        }
        Ok(outcome)
    }

    /// What a program's output and its end amount to. No status means that it had to be killed.
    fn outcome(&self, name: &str, text: &str, status: Option<ExitStatus>) -> Outcome {
        let (passed, ignored) = counts(text);
        let mut outcome = Outcome {
            passed,
            ignored,
            ..Outcome::default()
        };
        for test in failures(text) {
            let line = format!("{} {name}: {test}", self.krate.name);
            let mut known = self.krate.known.iter();
            match known.find(|known| known.program == name && known.test == test) {
                Some(known) => outcome.known.push(format!("{line} ({})", known.reason)),
                None => outcome.failed.push(line),
            }
        }
        let end = match status {
            None => Some("hung and was killed".to_owned()),
            // A program that crashed has named no failures.
            Some(status) if !status.success() && outcome.failures() == 0 => {
                Some(status.to_string())
            }
            Some(_) => None,
        };
        if let Some(end) = end {
            outcome
                .failed
                .push(format!("{} {name}: {end}", self.krate.name));
        }
        outcome
    }

    /// What there is to say when the suite could not be run.
    fn failure(&self, message: String) -> Outcome {
        let mut outcome = Outcome::default();
        outcome
            .failed
            .push(format!("{}: {message}", self.krate.name));
        outcome
    }

    /// Removes what was built of the crate itself, hundreds of programs for some. The dependencies stay for the next run.
    fn clean(&self) -> Result {
        output(
            self.cargo("clean")
                .args(["--quiet", "--package", self.krate.name]),
        )
        .map(drop)
    }

    fn package(&self) -> PathBuf {
        self.folder.join(self.krate.name)
    }

    /// The features that the tests want.
    fn features(&self) -> Vec<&'static str> {
        let mut args = vec!["--features", self.krate.features];
        if !self.krate.default {
            args.push("--no-default-features");
        }
        args
    }

    /// `cargo SUBCOMMAND` for this workspace.
    fn cargo(&self, subcommand: &str) -> Command {
        let mut command = Command::new("cargo");
        command.arg(subcommand).current_dir(self.package());
        // Hundreds of programs: all that anyone reads of their debug information are the lines in a backtrace.
        command.env("CARGO_PROFILE_DEV_DEBUG", "line-tables-only");
        command.env("CARGO_TARGET_DIR", &self.build);
        // Nothing is built twice here.
        command.env("CARGO_INCREMENTAL", "0");
        command
    }
}

/// What a suite, or one program of it, came to. A failure is one line for a person to read.
#[derive(Default)]
struct Outcome {
    passed: u64,
    ignored: u64,
    failed: Vec<String>,
    known: Vec<String>,
}

impl Outcome {
    fn add(&mut self, other: Outcome) {
        self.passed += other.passed;
        self.ignored += other.ignored;
        self.failed.extend(other.failed);
        self.known.extend(other.known);
    }

    fn is_empty(&self) -> bool {
        self.passed == 0 && self.ignored == 0 && self.failures() == 0
    }

    fn failures(&self) -> usize {
        self.failed.len() + self.known.len()
    }
}

/// Prints the table, and fails if a test did that should not.
fn report(rows: &[(&Crate, Outcome, Duration)]) -> Result {
    println!(
        "\n{:<16} {:<8} {:>6} {:>6} {:>6} {:>7} {:>7}",
        "crate", "version", "passed", "failed", "known", "ignored", "seconds"
    );
    for (krate, outcome, time) in rows {
        println!(
            "{:<16} {:<8} {:>6} {:>6} {:>6} {:>7} {:>7.1}",
            krate.name,
            krate.version,
            outcome.passed,
            outcome.failed.len(),
            outcome.known.len(),
            outcome.ignored,
            time.as_secs_f64()
        );
    }
    for line in rows.iter().flat_map(|(_, outcome, _)| &outcome.known) {
        println!("known: {line}");
    }
    let failed: Vec<&str> = rows
        .iter()
        .flat_map(|(_, outcome, _)| &outcome.failed)
        .map(String::as_str)
        .collect();
    if !failed.is_empty() {
        return Err(failed.join("\n"));
    }
    // An archive without tests must not look like a success, nor a filter that matches nothing.
    match rows.iter().find(|(_, outcome, _)| outcome.is_empty()) {
        Some((krate, ..)) => Err(format!("no test of {} was run", krate.name)),
        None if rows.is_empty() => Err("no test has such a name".to_owned()),
        None => Ok(()),
    }
}

fn is_wanted(name: &str, filters: &[&str]) -> bool {
    filters.is_empty() || filters.iter().any(|text| name.contains(text))
}

/// Where everything of this command lies.
fn base() -> PathBuf {
    root().join("target").join("downstream")
}

/// The version in this crate's manifest.
fn own_version() -> Result<String> {
    let id = output(Command::new("cargo").arg("pkgid").current_dir(root()))?;
    id.trim()
        .rsplit(['#', '@'])
        .next()
        .map(str::to_owned)
        .ok_or_else(|| format!("no version in `{id}`"))
}

/// Runs `command`; kills it after `limit`, and returns `None` then.
fn wait(command: &mut Command, limit: Duration) -> std::io::Result<Option<ExitStatus>> {
    let mut child = command.spawn()?;
    let start = Instant::now();
    loop {
        if let Some(status) = child.try_wait()? {
            return Ok(Some(status));
        }
        if start.elapsed() > limit {
            child.kill()?;
            child.wait()?;
            return Ok(None);
        }
        thread::sleep(Duration::from_millis(5));
    }
}

/// Replaces the one place in the file where `from` stands.
fn replace(path: &Path, from: &str, to: &str) -> Result {
    let text = fs::read_to_string(path).map_err(|error| at(path, &error))?;
    match text.matches(from).count() {
        1 => write(path, &text.replacen(from, to, 1)),
        n => Err(format!("{}: {n} times `{}`", path.display(), from.trim())),
    }
}

/// Writes a file and the folders that lead to it.
fn write(path: &Path, text: &str) -> Result {
    let folder = path.parent().expect("a file in a folder");
    fs::create_dir_all(folder).map_err(|error| at(folder, &error))?;
    fs::write(path, text).map_err(|error| at(path, &error))
}

fn at(path: &Path, error: &std::io::Error) -> String {
    format!("{}: {error}", path.display())
}
