//! `wasi`: a program for WASI preview 1, run by Node.js, whose `poll_oneoff` is libuv's.
//!
//! The standard library is built along, from its source. The C library is a package of Debian, unpacked into the cache.

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::cargo::{cache, output, root, run as run_command, target_dir, Result};
use crate::debian::Apt;
use crate::sysroot;

const TARGET: &str = "wasm32-wasip1";

/// The suite whose C library is new enough for the standard library.
const SUITE: &str = "trixie";

pub(crate) fn run() -> Result {
    let folder = root().join("xtask/wasi");
    output(Command::new("node").arg("--version"))
        .map_err(|error| format!("this needs Node.js 20 or later: {error}"))?;
    let libc = c_library()?.join("usr/lib/wasm32-wasi");
    let flags = format!(
        "-Clink-self-contained=no -Clinker=rust-lld -Clink-arg={} -Clink-arg=-L{} -Clink-arg=-lc",
        libc.join("crt1-command.o").display(),
        libc.display()
    );
    let build = target_dir("wasi");
    run_command(
        Command::new("cargo")
            .args(["build", "--quiet", "--target", TARGET])
            .arg("-Zbuild-std=std,panic_abort")
            .current_dir(&folder)
            .env("RUSTC_BOOTSTRAP", "1")
            .env("__CARGO_TESTS_ONLY_SRC_ROOT", sysroot::library()?)
            .env("RUSTFLAGS", flags)
            .env("CARGO_TARGET_DIR", &build),
    )?;
    let program = build.join(TARGET).join("debug/wasi.wasm");
    talk(
        Command::new("node")
            .arg("--no-warnings")
            .arg(folder.join("run.mjs"))
            .arg(&program),
    )
}

/// Runs the program, shows what it says, and gives it what it asks for.
fn talk(command: &mut Command) -> Result {
    let text = |error: std::io::Error| error.to_string();
    let mut program = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .map_err(text)?;
    let said = BufReader::new(program.stdout.take().ok_or("no output")?);
    let mut input = program.stdin.take();
    let mut write = |bytes: &[u8]| {
        input
            .as_mut()
            .map_or(Ok(()), |input| input.write_all(bytes))
    };
    let mut written = write(b"one");
    for line in said.lines() {
        let line = line.map_err(text)?;
        println!("{line}");
        match line.as_str() {
            "next" => written = written.and(write(b"two")),
            "the end" => break,
            _ => {}
        }
    }
    drop(input);
    let status = program.wait().map_err(text)?;
    if status.success() {
        written.map_err(text)
    } else {
        Err(format!("the program: {status}"))
    }
}

/// The folder with the C library.
fn c_library() -> Result<PathBuf> {
    let finished = cache()?.join(format!("wasi-libc-{SUITE}"));
    if finished.exists() {
        return Ok(finished);
    }
    // Two processes may be here at once: each has a folder of its own up to the last step.
    let ours = finished.with_extension(std::process::id().to_string());
    Apt::open(&[SUITE])?.unpack(&["wasi-libc".to_owned()], &ours)?;
    settle(&ours, &finished)?;
    Ok(finished)
}

fn settle(ours: &Path, finished: &Path) -> Result {
    match fs::rename(ours, finished) {
        // Somebody else was faster.
        Err(_) if finished.exists() => fs::remove_dir_all(ours),
        result => result,
    }
    .map_err(|error| format!("{}: {error}", finished.display()))
}
