//! `targets`: the library, its tests and its examples lint for systems that this machine is not, and the documentation is
//! clean as each of them sees it.

use std::collections::BTreeMap;
use std::process::Stdio;

use crate::cargo::{cache, cargo, compiler, run as run_cargo, Result};
use crate::sysroot::Sysroot;

/// How much a failure counts.
#[derive(Clone, Copy, PartialEq)]
enum Tier {
    /// Must pass, tests and examples included.
    Must,
    /// The library must pass. Tests and examples do not compile there, or what they depend on does not.
    Library,
    /// The library must pass without the feature `log`, for which rustix does not compile there.
    WithoutLog,
    /// Waits for its backend, or for its standard library: reported, no failure.
    Later,
}
use Tier::{Later, Library, Must, WithoutLog};

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
    ("i686-pc-windows-msvc", Must),
    ("wasm32-wasip1", Library),
    ("wasm32-wasip2", Must),
    ("x86_64-pc-cygwin", Must),
    ("x86_64-unknown-haiku", Must),
    ("x86_64-unknown-fuchsia", Must),
    ("x86_64-unknown-redox", Must),
    ("x86_64-unknown-hermit", Later),
    ("riscv32imc-esp-espidf", Library),
    ("armv6k-nintendo-3ds", Library),
    ("armv7-sony-vita-newlibeabihf", WithoutLog),
    ("x86_64-pc-nto-qnx710", Must),
    ("x86_64-unknown-hurd-gnu", Must),
];

/// What is asked of each target.
struct Check {
    name: &'static str,
    args: &'static [&'static str],
    /// The tiers that have to pass it, or are to.
    of: &'static [Tier],
}

const ALL: &[Tier] = &[Must, Library, WithoutLog, Later];
const WITH_LOG: &[Tier] = &[Must, Library, Later];

/// The feature `poll-backend` adds a backend: with and without it the library is two different programs.
const CHECKS: &[Check] = &[
    Check {
        name: "no feature",
        args: &["clippy", "--lib", "--no-default-features"],
        of: ALL,
    },
    Check {
        name: "net",
        args: &[
            "clippy",
            "--lib",
            "--no-default-features",
            "--features",
            "net",
        ],
        of: ALL,
    },
    Check {
        name: "os-ext",
        args: &[
            "clippy",
            "--lib",
            "--no-default-features",
            "--features",
            "os-ext",
        ],
        of: ALL,
    },
    Check {
        name: "net, os-ext, poll-backend",
        args: &[
            "clippy",
            "--lib",
            "--no-default-features",
            "--features",
            "net,os-ext,poll-backend",
        ],
        of: &[WithoutLog],
    },
    Check {
        name: "net, os-ext, log",
        args: &[
            "clippy",
            "--lib",
            "--no-default-features",
            "--features",
            "net,os-ext,log",
        ],
        of: WITH_LOG,
    },
    Check {
        name: "all features",
        args: &["clippy", "--lib", "--all-features"],
        of: WITH_LOG,
    },
    Check {
        name: "tests and examples",
        args: &["clippy", "--all-features", "--all-targets"],
        of: &[Must, Later],
    },
    Check {
        name: "documentation",
        args: &["doc", "--all-features", "--no-deps"],
        of: WITH_LOG,
    },
];

/// The targets that must pass.
pub(crate) fn must() -> Result {
    let targets: Vec<_> = TARGETS
        .iter()
        .copied()
        .filter(|&(_, tier)| tier != Later)
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
                let word = match tier {
                    Must => "must",
                    Library => "library",
                    WithoutLog => "no log",
                    Later => "later",
                };
                println!("{word:<8} {target}");
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
            let named = TARGETS.iter().filter(|(target, _)| names.contains(target));
            // Who names a target wants to hear of its failure.
            let asked = named.map(|&(target, tier)| match tier {
                WithoutLog => (target, tier),
                _ => (target, Must),
            });
            check(&asked.collect::<Vec<_>>())
        }
    }
}

/// Asks everything of each target, then says how each fared.
fn check(targets: &[(&str, Tier)]) -> Result {
    let names: Vec<&str> = targets.iter().map(|&(name, _)| name).collect();
    let sysroot = Sysroot::with(&names)?;
    let mut failures: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for name in &names {
        if !sysroot.has(name) {
            let failed = failures.entry(name).or_default();
            failed.push("its standard library does not compile");
        }
    }
    for check in CHECKS {
        let asked: Vec<(&str, Tier)> = targets
            .iter()
            .copied()
            .filter(|(name, tier)| sysroot.has(name) && check.of.contains(tier))
            .collect();
        for name in check.failing(&asked, &sysroot)? {
            failures.entry(name).or_default().push(check.name);
        }
    }

    println!();
    let mut counted = Vec::new();
    for (name, tier) in targets {
        let failed = failures.get(name).map(|failed| failed.join("; "));
        let word = match (&failed, tier) {
            (None, Library) => "ok, the library",
            (None, WithoutLog) => "ok, without log",
            (None, _) => "ok",
            (Some(_), Later) => "not yet",
            (Some(_), _) => "FAILED",
        };
        let failed = failed.unwrap_or_default();
        println!("{name:<34} {word:<16} {failed}");
        if word == "FAILED" {
            counted.push(format!("{name}: {failed}"));
        }
    }
    match counted.is_empty() {
        true => Ok(()),
        false => Err(counted.join("\n")),
    }
}

impl Check {
    /// The targets that fail. All together keep every core busy; but cargo's messages do not say for which target they
    /// are. So after a failure each is asked by itself, which costs little for those that have passed.
    fn failing<'a>(&self, targets: &[(&'a str, Tier)], sysroot: &Sysroot) -> Result<Vec<&'a str>> {
        let (must, later): (Vec<_>, Vec<_>) = targets.iter().partition(|(_, tier)| *tier != Later);
        let names = |targets: Vec<&(&'a str, Tier)>| -> Vec<&'a str> {
            targets.iter().map(|(name, _)| *name).collect()
        };
        let (must, later) = (names(must), names(later));
        let mut single = later;
        if must.len() < 2 || self.run(&must, sysroot, Stdio::null())?.is_err() {
            single.splice(0..0, must);
        }
        let mut failing = Vec::new();
        for name in single {
            if self.run(&[name], sysroot, Stdio::inherit())?.is_err() {
                failing.push(name);
            }
        }
        Ok(failing)
    }

    fn run(&self, targets: &[&str], sysroot: &Sysroot, errors: Stdio) -> Result<Result> {
        let (_, key) = compiler()?;
        let sysroot = format!("--sysroot {}", sysroot.path().display());
        // The guide points to what some systems have. On the others that link is plain text.
        let rustdoc = "-D warnings -A rustdoc::broken_intra_doc_links";
        let mut command = cargo(self.args);
        command.args(["--quiet", "--package", "mio", "--keep-going"]);
        command.args(targets.iter().flat_map(|target| ["--target", target]));
        if self.args[0] == "clippy" {
            command.args(["--", "-D", "warnings"]);
        }
        command
            .env("RUSTDOCFLAGS", format!("{sysroot} {rustdoc}"))
            // With a target given, these are not for build scripts and procedural macros.
            .env("RUSTFLAGS", sysroot)
            // The dependencies are the same for every state of this crate, and they are many.
            .env("CARGO_TARGET_DIR", cache()?.join(format!("targets-{key}")))
            .env("CARGO_INCREMENTAL", "0")
            .stderr(errors);
        Ok(run_cargo(&mut command))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cargo::root;

    #[test]
    fn what_docs_rs_shows_is_checked() {
        let manifest = std::fs::read_to_string(root().join("Cargo.toml")).unwrap();
        let section = manifest.split("[package.metadata.docs.rs]").nth(1).unwrap();
        let targets = section.split("\ntargets = [").nth(1).unwrap();
        let targets: Vec<&str> = targets.split(']').next().unwrap().split('"').collect();
        let targets = targets.iter().skip(1).step_by(2);
        // The documentation of this one is checked by `docs`.
        for target in targets.filter(|target| **target != "x86_64-unknown-linux-gnu") {
            assert!(
                TARGETS
                    .iter()
                    .any(|(name, tier)| name == target && *tier != Later),
                "{target}"
            );
        }
    }
}
