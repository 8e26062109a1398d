//! `windows`: the test suite as Windows programs, under Wine.
//!
//! The standard library is built along, from its source. Every test program runs by itself and has a limit of time. Its
//! output goes to a file: programs that Windows keeps running in the background would hold a pipe open.

mod echo;
pub(crate) mod wine;

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use crate::cargo::{
    cargo, count, output, root, run as run_command, target_dir, test_executable, Result,
};
use crate::debian::create;
use crate::failures;
use crate::sysroot;
use wine::Wine;

pub(crate) const TARGET: &str = "x86_64-pc-windows-gnu";

/// A program that takes longer hangs.
const LIMIT: Duration = Duration::from_secs(150);

/// Tests that are not run here, and why.
const LEFT_OUT: &[(&str, &str)] = &[("house", "reads the source tree")];

/// Everything.
pub(crate) fn check() -> Result {
    run(&[])
}

/// `windows [PROGRAM…] [-- TEST-ARGS…]`.
pub(crate) fn run(args: &[&str]) -> Result {
    let (names, test_args) = match args.iter().position(|arg| *arg == "--") {
        Some(at) => (&args[..at], &args[at + 1..]),
        None => (args, &[][..]),
    };
    let wine = Wine::open()?;
    let mut programs = build()?;
    programs.retain(|program| LEFT_OUT.iter().all(|(name, _)| program.name != *name));
    if !names.is_empty() {
        for name in names {
            if programs.iter().all(|program| program.name != *name) {
                return Err(format!("there is no test program `{name}`"));
            }
        }
        programs.retain(|program| names.contains(&program.name.as_str()));
    }
    wine.boot()?;

    let mut failures = Vec::new();
    for program in &programs {
        if let Err(message) = program.run(&wine, test_args) {
            failures.push(message);
        }
    }
    if names.is_empty() || names.contains(&"echo") {
        failures.extend(echo::check(&wine, &example("tcp_echo")).err());
    }
    if names.is_empty() {
        failures.extend(doctests(&wine).err());
    }
    if failures.is_empty() {
        Ok(())
    } else {
        Err(failures.join("\n"))
    }
}

/// A test program.
#[derive(Debug, PartialEq)]
struct Program {
    name: String,
    path: PathBuf,
}

impl Program {
    /// Runs it, says in a line how it went, and shows its output if it went wrong.
    fn run(&self, wine: &Wine, args: &[&str]) -> Result {
        let logs = target_dir("windows").join("logs");
        create(&logs)?;
        let log = logs.join(format!("{}.txt", self.name));
        let file = File::create(&log).map_err(|error| format!("{}: {error}", log.display()))?;
        let errors = file
            .try_clone()
            .map_err(|error| format!("{}: {error}", log.display()))?;
        let start = Instant::now();
        let mut child = wine
            .command(&self.path)
            .args(args)
            .current_dir(root())
            .stdout(file)
            .stderr(errors)
            .spawn()
            .map_err(|error| format!("{}: {error}", self.name))?;
        let outcome = wine.wait(&mut child, LIMIT)?;
        let text = fs::read(&log).map_err(|error| format!("{}: {error}", log.display()))?;
        let text = String::from_utf8_lossy(&text);
        let (passed, failed) = text
            .lines()
            .filter_map(count)
            .fold((0, 0), |sum, (passed, failed)| {
                (sum.0 + passed, sum.1 + failed)
            });
        let seconds = start.elapsed().as_secs_f64();
        // A program that crashes may end with success all the same: Wine's debugger takes it over.
        let outcome = match outcome {
            Some(true) if !text.contains("\ntest result: ") => Some(false),
            outcome => outcome,
        };
        let word = match outcome {
            Some(true) => "ok",
            Some(false) => "FAILED",
            None => "HUNG",
        };
        println!(
            "{:<14} {passed:>4} passed {failed:>3} failed {seconds:>7.1} s  {word}",
            self.name
        );
        if outcome == Some(true) {
            return Ok(());
        }
        println!("{text}");
        let mut failures = failures::Reader::default();
        text.lines().for_each(|line| failures.line(line));
        match outcome {
            None => Err(format!(
                "{} hung: ended after {} s",
                self.name,
                LIMIT.as_secs()
            )),
            _ if failed == 0 => Err(format!("{}: crashed under Wine", self.name)),
            _ => Err(format!("{}: {failed} tests failed under Wine", self.name)),
        }
    }
}

/// Builds library, tests and examples, and returns the test programs.
fn build() -> Result<Vec<Program>> {
    let mut command = windows_cargo(&["test", "--no-run", "--all-features"])?;
    run_command(command.arg("--quiet"))?;
    // A second time for the names, now that there is nothing to compile and to warn of.
    let mut command = windows_cargo(&["test", "--no-run", "--all-features"])?;
    let messages = output(command.args(["--quiet", "--message-format", "json"]))?;
    let mut seen = BTreeSet::new();
    let programs: Vec<Program> = messages
        .lines()
        .filter_map(program)
        .filter(|program| seen.insert(program.name.clone()))
        .collect();
    match programs.is_empty() {
        true => Err("cargo built no test".to_owned()),
        false => Ok(programs),
    }
}

/// The documentation of what only Windows has. That of everything else runs on the host.
fn doctests(wine: &Wine) -> Result {
    let mut command = windows_cargo(&["test", "--doc", "--all-features"])?;
    wine.env(&mut command).args(["--", "windows"]);
    crate::cargo::test(&mut command)
}

/// `cargo ARGS` with the standard library for Windows, in a build folder of its own.
fn windows_cargo(args: &[&str]) -> Result<Command> {
    let mut command = cargo(args);
    for_windows(&mut command)?
        .env("CARGO_TARGET_DIR", target_dir("windows"))
        // Half of what is built otherwise, and nobody debugs it here.
        .env("CARGO_PROFILE_DEV_DEBUG", "line-tables-only");
    Ok(command)
}

/// Has cargo build for Windows, the standard library along with the rest.
pub(crate) fn for_windows(cargo: &mut Command) -> Result<&mut Command> {
    Ok(cargo
        .args(["-Zbuild-std=std,panic_unwind", "--target", TARGET])
        .env("RUSTC_BOOTSTRAP", "1")
        .env("__CARGO_TESTS_ONLY_SRC_ROOT", sysroot::library()?))
}

/// Where cargo puts an example.
fn example(name: &str) -> PathBuf {
    target_dir("windows")
        .join(TARGET)
        .join("debug/examples")
        .join(format!("{name}.exe"))
}

/// The program that one of cargo's messages announces, if it is one of tests.
fn program(message: &str) -> Option<Program> {
    let path = Path::new(test_executable(message)?);
    // "conformance-0123456789abcdef.exe"
    let (name, _) = path.file_stem()?.to_str()?.rsplit_once('-')?;
    Some(Program {
        name: name.to_owned(),
        path: path.to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn programs_are_named_by_their_files() {
        let message = |path: &str, test: bool| {
            format!(r#"{{"profile":{{"test":{test}}},"executable":"{path}","fresh":true}}"#)
        };
        assert_eq!(
            program(&message("/t/deps/bad_input-0123.exe", true)),
            Some(Program {
                name: "bad_input".to_owned(),
                path: PathBuf::from("/t/deps/bad_input-0123.exe"),
            })
        );
        assert_eq!(program(&message("/t/examples/chat.exe", false)), None);
    }
}
