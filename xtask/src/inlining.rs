//! `inlining`: the operations of a hot loop hold their system call themselves.
//!
//! A return right after a system call is mispredicted, so a call that could have been inlined costs more than it seems
//! (see "No `ret` after the kernel" in ARCHITECTURE.md). Here a user's crate is built with a user's settings, and the
//! machine code of each of its functions is searched for the `syscall` instruction.

use std::collections::BTreeMap;
use std::process::Command;

use crate::cargo::{cargo, output, root, run, target_dir, Result};

/// The least number of functions that the probe has; fewer would mean that something was not looked at.
const PROBES: usize = 20;

/// Builds the probe and looks into it. Elsewhere than on x86-64 the instruction has another name.
pub(crate) fn check() -> Result {
    if !cfg!(all(target_os = "linux", target_arch = "x86_64")) {
        println!("skipped: this reads the machine code of x86-64 Linux");
        return Ok(());
    }
    let build = target_dir("inlining");
    run(cargo(&["build", "--release"])
        .current_dir(root().join("xtask/probe"))
        .env_remove("RUSTFLAGS")
        .env("CARGO_TARGET_DIR", &build))?;
    let program = build.join("release/probe");

    // Functions of the same code share an address, and the disassembly names only one of them.
    let symbols = output(Command::new("nm").arg(&program))?;
    let listing = output(
        Command::new("objdump")
            .args(["-d", "--no-show-raw-insn"])
            .arg(&program),
    )?;
    let with_syscall = addresses_with_syscall(&listing);
    let probes = probes(&symbols);
    if probes.len() < PROBES {
        return Err(format!("only {} probes found: {probes:?}", probes.len()));
    }
    let missing: Vec<&str> = probes
        .iter()
        .filter(|(_, address)| !with_syscall.contains(address))
        .map(|(name, _)| name.as_str())
        .collect();
    if missing.is_empty() {
        println!(
            "{} operations are inlined down to their system call",
            probes.len()
        );
        Ok(())
    } else {
        Err(format!("not both system calls in: {}", missing.join(", ")))
    }
}

/// The probes and their addresses, from the output of `nm`.
fn probes(symbols: &str) -> BTreeMap<String, u64> {
    symbols
        .lines()
        .filter_map(|line| {
            let mut words = line.split_whitespace();
            let address = u64::from_str_radix(words.next()?, 16).ok()?;
            let name = words.nth(1)?;
            name.starts_with("probe_")
                .then(|| (name.to_owned(), address))
        })
        .collect()
}

/// The addresses of the functions that hold two system calls, from the output of `objdump`.
fn addresses_with_syscall(listing: &str) -> Vec<u64> {
    let mut found = BTreeMap::new();
    let mut function = None;
    for line in listing.lines() {
        if line.ends_with(">:") {
            let address = line.split_whitespace().next().unwrap_or("");
            function = u64::from_str_radix(address, 16).ok();
        } else if line.split_whitespace().any(|word| word == "syscall") {
            if let Some(function) = function {
                *found.entry(function).or_insert(0) += 1;
            }
        }
    }
    found
        .into_iter()
        .filter(|(_, count)| *count >= 2)
        .map(|(function, _)| function)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_symbols_and_listing() {
        let symbols = "\
0000000000001000 T probe_one
0000000000001000 T probe_same
0000000000002000 T probe_two
0000000000003000 t other
                 U write";
        let listing = "
0000000000001000 <probe_one>:
    1000:\tmov    $0x1,%eax
    1005:\tsyscall
    1007:\tsyscall

0000000000002000 <probe_two>:
    2000:\tcall   3000 <other>
    2005:\tsyscall
    2007:\tret";
        let with_syscall = addresses_with_syscall(listing);
        let with: Vec<String> = probes(symbols)
            .into_iter()
            .filter(|(_, address)| with_syscall.contains(address))
            .map(|(name, _)| name)
            .collect();
        assert_eq!(with, ["probe_one", "probe_same"]);
    }
}
