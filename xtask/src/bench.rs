//! `bench`, `counts`: this crate beside the published mio, polling and bare system calls.
//!
//! The program is a workspace of its own below `bench/`, with its own lock file, so nobody who works on the library
//! builds what it needs.

use std::path::PathBuf;
use std::process::{Command, Stdio};

use crate::cargo::{cargo, root, run, target_dir, test as run_tests, Result};

/// Where the records are.
const RECORDS: &str = "bench/records";

/// `bench [--quick]` measures everything and writes the record of the day. `bench [--quick] WORD…` measures some
/// operations, `bench servers`, `bench udp`, `bench return-stack` what they say.
pub(crate) fn bench(args: &[&str]) -> Result {
    let (flags, words): (Vec<&str>, Vec<&str>) =
        args.iter().copied().partition(|arg| arg.starts_with('-'));
    let (program, words) = match words[..] {
        ["udp"] => ("udp_batch", vec![]),
        [] => ("mio-bench", vec!["record", RECORDS]),
        _ => ("mio-bench", words),
    };
    let program = build(program)?;
    if matches!(words[..], ["record", _] | ["servers"]) {
        for server in ["published", "this"] {
            run(&mut release(&format!("bench/tokio/{server}")))?;
        }
    }
    run(Command::new(program)
        .args(words)
        .args(flags)
        .current_dir(root()))
}

/// `counts`: instructions, system calls and allocations of each operation are within their limits. And the program lints,
/// and passes its own tests.
pub(crate) fn counts() -> Result {
    if !cfg!(all(target_os = "linux", target_arch = "x86_64")) {
        println!("skipped: the limits are those of x86-64 Linux");
        return Ok(());
    }
    let missing: Vec<&str> = ["valgrind", "strace"]
        .into_iter()
        .filter(|tool| !is_installed(tool))
        .collect();
    if !missing.is_empty() && std::env::var_os("CI").is_none() {
        println!("skipped: this takes {}", missing.join(" and "));
        return Ok(());
    }
    let folder = root().join("bench");
    let own = |args: &[&str]| {
        let mut command = cargo(args);
        command
            .current_dir(&folder)
            .env("CARGO_TARGET_DIR", target_dir("bench"));
        command
    };
    run(&mut own(&["fmt", "--check"]))?;
    run(&mut own(&[
        "clippy",
        "--all-targets",
        "--",
        "-D",
        "warnings",
    ]))?;
    run_tests(&mut own(&["test"]))?;
    run(Command::new(build("mio-bench")?).arg("counts"))
}

fn is_installed(tool: &str) -> bool {
    Command::new(tool)
        .arg("--version")
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .is_ok()
}

/// Builds the programs.
fn build(program: &str) -> Result<PathBuf> {
    run(&mut release("bench"))?;
    Ok(target_dir("bench").join("release").join(program))
}

/// Builds a workspace as a user would: the default release profile, and no flags.
pub(crate) fn release(folder: &str) -> Command {
    let mut command = cargo(&["build", "--release"]);
    command
        .current_dir(root().join(folder))
        .env_remove("RUSTFLAGS")
        .env("CARGO_TARGET_DIR", target_dir("bench"));
    command
}
