//! `stress`: the test suite many times over while every core is busy, to bring out what depends on timing.
//!
//! What keeps the cores busy are several runs of the suite side by side. They disturb each other in more ways than a loop
//! would that does nothing, and all of the time counts.

use std::collections::BTreeMap;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::Mutex;
use std::thread;
use std::time::{Duration, Instant};

use crate::cargo::{cargo, root, test as run_tests, test_programs, Result, ALL_BACKENDS};

/// A test file that takes longer hangs.
const LIMIT: Duration = Duration::from_secs(600);

/// How many runs of the suite there are side by side, for each core.
const AT_ONCE: usize = 3;

/// `stress [N]`.
pub(crate) fn run(args: &[&str]) -> Result {
    let rounds: u32 = match args {
        [] => 50,
        [n] => n
            .parse()
            .map_err(|_| format!("`{n}` is no number of rounds"))?,
        _ => return Err("one number of rounds, please".to_owned()),
    };
    // What takes a million rounds takes them on a machine that is not busy.
    run_tests(
        cargo(&["test", "--all-features", "--release", "--test", "stress"]).args([
            "--",
            "--ignored",
            "--exact",
            "--nocapture",
            "wakers::a_million_are_answered",
        ]),
    )?;
    let binaries = test_programs(&mut cargo(&["test", "--all-features"]))?;
    let failures = rounds_of(rounds, &binaries);
    if failures.is_empty() {
        println!(
            "{rounds} rounds of {} test files without a failure",
            binaries.len()
        );
        return Ok(());
    }
    let lines: Vec<String> = failures
        .iter()
        .map(|(name, times)| format!("{name}: {times} of {rounds} rounds failed"))
        .collect();
    Err(lines.join("\n"))
}

/// How often each program failed.
fn rounds_of(rounds: u32, binaries: &[PathBuf]) -> BTreeMap<String, u32> {
    let failures = Mutex::new(BTreeMap::new());
    let begun = AtomicU32::new(0);
    let cores = thread::available_parallelism().map_or(1, usize::from);
    thread::scope(|scope| {
        for _ in 0..AT_ONCE * cores {
            scope.spawn(|| loop {
                let round = begun.fetch_add(1, Ordering::Relaxed) + 1;
                if round > rounds {
                    return;
                }
                let start = Instant::now();
                for binary in binaries {
                    let name = name_of(binary);
                    if let Err(output) = once(binary) {
                        println!("==> {name} failed in round {round}:\n{output}");
                        *failures.lock().expect("no panic").entry(name).or_insert(0) += 1;
                    }
                }
                let seconds = start.elapsed().as_secs_f64();
                println!("round {round} of {rounds}: {seconds:.1} s");
            });
        }
    });
    failures.into_inner().expect("no panic")
}

fn name_of(binary: &Path) -> String {
    binary
        .file_name()
        .unwrap_or_default()
        .to_string_lossy()
        .into_owned()
}

/// Runs a test program; a failure is what it printed.
fn once(binary: &Path) -> Result {
    let mut child = Command::new(binary)
        .current_dir(root())
        .env(ALL_BACKENDS.0, ALL_BACKENDS.1)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(|error| format!("{}: {error}", binary.display()))?;
    // Pipes are small: both have to be read while the program runs.
    let stdout = collect(child.stdout.take().expect("piped"));
    let stderr = collect(child.stderr.take().expect("piped"));
    let start = Instant::now();
    let verdict = loop {
        match child.try_wait() {
            Ok(Some(status)) if status.success() => break None,
            Ok(Some(status)) => break Some(status.to_string()),
            Ok(None) if start.elapsed() > LIMIT => {
                let _ = child.kill();
                let _ = child.wait();
                break Some(format!("killed after {} s", LIMIT.as_secs()));
            }
            Ok(None) => thread::sleep(Duration::from_millis(5)),
            Err(error) => break Some(error.to_string()),
        }
    };
    let text = |reader: thread::JoinHandle<Vec<u8>>| {
        String::from_utf8_lossy(&reader.join().unwrap_or_default()).into_owned()
    };
    let (stdout, stderr) = (text(stdout), text(stderr));
    match verdict {
        None => Ok(()),
        Some(verdict) => Err(format!("{stdout}{stderr}{verdict}")),
    }
}

fn collect(mut pipe: impl Read + Send + 'static) -> thread::JoinHandle<Vec<u8>> {
    thread::spawn(move || {
        let mut bytes = Vec::new();
        let _ = pipe.read_to_end(&mut bytes);
        bytes
    })
}
