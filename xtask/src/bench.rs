//! `bench`: this crate beside the published mio, polling and bare system calls.
//!
//! The program is a workspace of its own below `bench/`, with its own lock file, so nobody who works on the library
//! builds what it needs.

use std::path::PathBuf;
use std::process::Command;

use crate::cargo::{cargo, root, run, target_dir, Result};

/// `bench [--quick] [OPERATION…]`, or `bench udp [--quick]`.
pub(crate) fn bench(args: &[&str]) -> Result {
    let (program, args) = match args {
        ["udp", rest @ ..] => ("udp_batch", rest),
        args => ("mio-bench", args),
    };
    run(Command::new(build(program)?).args(args).current_dir(root()))
}

/// Builds the programs as a user would build one: the default release profile, and no flags.
fn build(program: &str) -> Result<PathBuf> {
    let build = target_dir("bench");
    run(cargo(&["build", "--release"])
        .current_dir(root().join("bench"))
        .env_remove("RUSTFLAGS")
        .env("CARGO_TARGET_DIR", &build))?;
    Ok(build.join("release").join(program))
}
