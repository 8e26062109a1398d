//! `sanitize`: the tests under AddressSanitizer, MemorySanitizer or ThreadSanitizer.
//!
//! A sanitizer knows what the kernel reads, writes and orders from the functions of libc that it replaces, so system calls
//! go through libc here. AddressSanitizer does with the standard library as it is. ThreadSanitizer would report every
//! lock in it that it has not seen being compiled, and MemorySanitizer all memory that it writes: they get their own, from
//! source.

use std::fs;
use std::process::Command;

use crate::cargo::{cargo, output, root, target_dir, test, Result};
use crate::left_out::{self, LeftOut};
use crate::sysroot;

/// Tests that stay away from every sanitizer.
const LEFT_OUT: &[LeftOut] = &[
    (
        "counts calls of the allocator, which is another one here",
        "alloc",
        &[],
    ),
    (
        "measures the memory of the programs that it starts",
        "examples",
        &[],
    ),
    ("reads the source tree", "house", &[]),
    ("looks at types only", "sizes", &[]),
];

/// Tests that stay away from MemorySanitizer, too.
const LEFT_OUT_OF_MEMORY: &[LeftOut] = &[
    (
        "asks for more memory than there is, all of which would be marked as never written",
        "bad_input",
        &[],
    ),
    (
        "MemorySanitizer does not know that `fstat` writes",
        "sockets",
        &[
            "handles::of_pipes",
            "handles::of_tcp",
            "handles::of_udp",
            "handles::of_unix_sockets",
        ],
    ),
];

#[derive(PartialEq)]
enum Sanitizer {
    Address,
    Memory,
    Thread,
}

/// `sanitize address|memory|thread [TEST-ARGS…]`.
pub(crate) fn run(args: &[&str]) -> Result {
    let (sanitizer, args) = match args {
        ["address", rest @ ..] => (Sanitizer::Address, rest),
        ["memory", rest @ ..] => (Sanitizer::Memory, rest),
        ["thread", rest @ ..] => (Sanitizer::Thread, rest),
        _ => return Err("sanitize address, memory, or thread".to_owned()),
    };
    let name = match sanitizer {
        Sanitizer::Address => "address",
        Sanitizer::Memory => "memory",
        Sanitizer::Thread => "thread",
    };
    let mut command = cargo(&["test", "--no-fail-fast", "--all-features"]);
    // With a target given, the flags are not for build scripts and procedural macros, which run in the compiler.
    command.args(["--target", &host()?, "--lib"]);
    let mut left_out = LEFT_OUT.to_vec();
    if sanitizer == Sanitizer::Memory {
        left_out.extend(LEFT_OUT_OF_MEMORY);
    }
    let tests = tests()?;
    let tests = left_out::programs(tests.iter().map(String::as_str), &left_out);
    command.args(tests.iter().flat_map(|name| ["--test", name]));
    command
        .env("RUSTC_BOOTSTRAP", "1")
        .env(
            "RUSTFLAGS",
            format!("-Zsanitizer={name} --cfg rustix_use_libc"),
        )
        .env("CARGO_TARGET_DIR", target_dir(&format!("sanitize-{name}")));
    if sanitizer != Sanitizer::Address {
        command
            .arg("-Zbuild-std")
            .env("__CARGO_TESTS_ONLY_SRC_ROOT", sysroot::library()?);
    }
    command.arg("--").args(args);
    left_out::skip(&mut command, &tests, &left_out);
    test(&mut command)
}

/// The target of this machine.
fn host() -> Result<String> {
    let text = output(Command::new("rustc").arg("-vV").current_dir(root()))?;
    text.lines()
        .find_map(|line| line.strip_prefix("host: "))
        .map(str::to_owned)
        .ok_or_else(|| "`rustc -vV` names no host".to_owned())
}

/// The names of the test programs.
fn tests() -> Result<Vec<String>> {
    let folder = root().join("tests");
    let entries =
        fs::read_dir(&folder).map_err(|error| format!("{}: {error}", folder.display()))?;
    let mut names: Vec<String> = entries
        .flatten()
        .map(|entry| entry.path())
        .filter(|path| {
            path.extension().is_some_and(|extension| extension == "rs")
                || path.join("main.rs").exists()
        })
        .filter_map(|path| Some(path.file_stem()?.to_str()?.to_owned()))
        .collect();
    names.sort();
    Ok(names)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_left_out_exists() {
        left_out::tests::all_exist(LEFT_OUT);
        left_out::tests::all_exist(LEFT_OUT_OF_MEMORY);
    }
}
