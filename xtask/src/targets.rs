//! `targets`: the library, its tests and its examples lint for systems that this machine is not.

use crate::cargo::{cargo, each, run as run_cargo, Result};
use crate::sysroot::Sysroot;

/// How much a failure counts.
#[derive(Clone, Copy, PartialEq)]
enum Tier {
    /// Has a backend: must lint, tests and examples included.
    Must,
    /// Waits for its backend, or for its standard library: reported, no failure.
    Later,
}
use Tier::{Later, Must};

/// Every target that is checked. A new one is a line here.
const TARGETS: &[(&str, Tier)] = &[
    ("aarch64-unknown-linux-gnu", Must),
    ("armv7-unknown-linux-gnueabihf", Must),
    ("i686-unknown-linux-gnu", Must),
    ("riscv64gc-unknown-linux-gnu", Must),
    ("x86_64-unknown-linux-musl", Must),
    ("aarch64-linux-android", Must),
    ("x86_64-linux-android", Must),
    ("aarch64-apple-darwin", Must),
    ("x86_64-apple-darwin", Must),
    ("aarch64-apple-ios", Must),
    ("aarch64-apple-tvos", Must),
    ("aarch64-apple-visionos", Must),
    ("aarch64-apple-watchos", Must),
    ("x86_64-unknown-freebsd", Must),
    ("x86_64-unknown-netbsd", Must),
    ("x86_64-unknown-openbsd", Must),
    ("x86_64-unknown-dragonfly", Must),
    ("x86_64-unknown-illumos", Must),
    ("x86_64-pc-solaris", Must),
    ("x86_64-pc-windows-gnu", Must),
    ("x86_64-pc-windows-msvc", Must),
    ("aarch64-pc-windows-msvc", Must),
    ("i686-pc-windows-gnu", Must),
    ("wasm32-wasip1", Later),
    ("wasm32-wasip2", Later),
    ("x86_64-pc-cygwin", Must),
    ("x86_64-unknown-haiku", Must),
    ("x86_64-unknown-fuchsia", Must),
    ("x86_64-unknown-redox", Must),
    ("x86_64-unknown-hermit", Later),
    ("riscv32imc-esp-espidf", Later),
    ("armv6k-nintendo-3ds", Later),
    ("armv7-sony-vita-newlibeabihf", Later),
    ("x86_64-pc-nto-qnx710", Must),
    ("x86_64-unknown-hurd-gnu", Must),
];

/// What is linted for each target: everything, and the smallest library.
const CHECKS: &[&[&str]] = &[
    &["--all-targets", "--all-features"],
    &["--lib", "--no-default-features"],
];

/// The targets that must pass.
pub(crate) fn must() -> Result {
    let targets: Vec<_> = TARGETS
        .iter()
        .copied()
        .filter(|&(_, tier)| tier == Must)
        .collect();
    check(&targets)
}

/// `targets [--all] [--list] [TARGET…]`.
pub(crate) fn run(args: &[&str]) -> Result {
    match args {
        [] => must(),
        ["--all"] => check(TARGETS),
        ["--list"] => {
            for (target, tier) in TARGETS {
                println!(
                    "{}  {target}",
                    if *tier == Must { "must " } else { "later" }
                );
            }
            Ok(())
        }
        names => {
            if let Some(unknown) = names
                .iter()
                .find(|name| TARGETS.iter().all(|(target, _)| target != *name))
            {
                return Err(format!(
                    "`{unknown}` is not among `cargo xtask targets --list`"
                ));
            }
            // Who names a target wants to hear of its failure.
            check(&names.iter().map(|&name| (name, Must)).collect::<Vec<_>>())
        }
    }
}

/// Lints each target, then says how each fared.
fn check(targets: &[(&str, Tier)]) -> Result {
    let names: Vec<&str> = targets.iter().map(|&(name, _)| name).collect();
    let sysroot = Sysroot::with(&names)?;
    let outcomes: Vec<(&str, Tier, Result)> = targets
        .iter()
        .map(|&(name, tier)| (name, tier, lint(name, &sysroot)))
        .collect();

    println!();
    for (name, tier, outcome) in &outcomes {
        let word = match (outcome, tier) {
            (Ok(()), _) => "ok",
            (Err(_), Must) => "FAILED",
            (Err(_), Later) => "not yet",
        };
        println!("{name:<34} {word}");
    }
    let failures: Vec<String> = outcomes
        .into_iter()
        .filter(|(_, tier, _)| *tier == Must)
        .filter_map(|(name, _, outcome)| {
            Some(format!("{name}: {}", outcome.err()?.replace('\n', ", ")))
        })
        .collect();
    if failures.is_empty() {
        Ok(())
    } else {
        Err(failures.join("\n"))
    }
}

/// Runs [CHECKS] for one target.
fn lint(target: &str, sysroot: &Sysroot) -> Result {
    if !sysroot.has(target) {
        return Err("its standard library does not compile".to_owned());
    }
    each(CHECKS, |check| {
        run_cargo(
            cargo(&["clippy", "--quiet", "--package", "mio", "--target", target])
                .args(*check)
                .args(["--", "-D", "warnings"])
                // With `--target` given, these are not for build scripts and procedural macros.
                .env(
                    "RUSTFLAGS",
                    format!("--sysroot {}", sysroot.path().display()),
                ),
        )
        .map_err(|_| format!("clippy {}", check.join(" ")))
    })
}
