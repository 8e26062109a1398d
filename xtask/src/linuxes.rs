//! `linuxes`: the test suite on Linuxes that this machine is not, natively where its processor and kernel can, under qemu
//! elsewhere.
//!
//! The standard library is built along, from its source, and stays in the cache folder with the other dependencies. Cross
//! compilers, libraries and qemu are packages of Debian.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::cargo::{cache, cargo, compiler, each, run as run_command, test, Result};
use crate::debian::{self, create, write};
use crate::left_out::{self, LeftOut};
use crate::sysroot;

struct Linux {
    target: &'static str,
    /// Of Debian 12.
    packages: &'static [&'static str],
    linker: &'static str,
    how: How,
    /// The test programs that CI runs; none: it leaves the target out.
    in_ci: &'static [&'static str],
}

#[derive(Clone, Copy)]
enum How {
    /// This processor runs it, with the loader and the libraries of another folder.
    Loader {
        root: &'static str,
        loader: &'static str,
    },
    /// Linked statically, it runs as it is.
    Musl,
    /// qemu's emulator of a process, with the libraries of another folder.
    Qemu {
        emulator: &'static str,
        root: &'static str,
    },
}
use How::{Loader, Musl, Qemu};

/// Test programs that say something about a system.
const ALL: &[&str] = &[
    "alloc",
    "bad_input",
    "conformance",
    "differential",
    "examples",
    "log",
    "no_features",
    "sizes",
    "sockets",
    "stress",
];

/// What CI runs natively. The examples look at the system through the library alone.
const NATIVE: &[&str] = &[
    "alloc",
    "bad_input",
    "conformance",
    "differential",
    "log",
    "sizes",
    "sockets",
    "stress",
];

/// What CI runs under emulation, ten times as slow.
const EMULATED: &[&str] = &["alloc", "conformance", "sockets"];

const LINUXES: &[Linux] = &[
    Linux {
        target: "i686-unknown-linux-gnu",
        packages: &["gcc-i686-linux-gnu", "libc6-dev-i386-cross"],
        linker: "i686-linux-gnu-gcc",
        how: Loader {
            root: "/usr/i686-linux-gnu",
            loader: "ld-linux.so.2",
        },
        in_ci: NATIVE,
    },
    Linux {
        target: "x86_64-unknown-linux-musl",
        packages: &["musl-tools", "libunwind-14-dev", "binutils"],
        linker: "musl-gcc",
        how: Musl,
        in_ci: NATIVE,
    },
    Linux {
        target: "aarch64-unknown-linux-gnu",
        packages: &[
            "gcc-aarch64-linux-gnu",
            "libc6-dev-arm64-cross",
            "qemu-user",
        ],
        linker: "aarch64-linux-gnu-gcc",
        how: Qemu {
            emulator: "qemu-aarch64",
            root: "/usr/aarch64-linux-gnu",
        },
        in_ci: EMULATED,
    },
    Linux {
        target: "armv7-unknown-linux-gnueabihf",
        packages: &[
            "gcc-arm-linux-gnueabihf",
            "libc6-dev-armhf-cross",
            "qemu-user",
        ],
        linker: "arm-linux-gnueabihf-gcc",
        how: Qemu {
            emulator: "qemu-arm",
            root: "/usr/arm-linux-gnueabihf",
        },
        in_ci: &[],
    },
    Linux {
        target: "riscv64gc-unknown-linux-gnu",
        packages: &[
            "gcc-riscv64-linux-gnu",
            "libc6-dev-riscv64-cross",
            "qemu-user",
        ],
        linker: "riscv64-linux-gnu-gcc",
        how: Qemu {
            emulator: "qemu-riscv64",
            root: "/usr/riscv64-linux-gnu",
        },
        in_ci: &[],
    },
];

/// Tests that fail under qemu.
const NOT_EMULATED: &[LeftOut] = &[
    (
        "its scripts have limits of time, which an emulator on a busy machine exceeds",
        "differential",
        &[],
    ),
    (
        "qemu does not know SO_TIMESTAMPNS",
        "sockets",
        &[
            "udp_batch::marks::a_timestamp_leaves_the_rest_alone",
            "udp_batch::marks::too_much_beside_a_datagram_is_reported",
        ],
    ),
    (
        "qemu does not know IPV6_FLOWINFO_SEND",
        "sockets",
        &["udp::flow_information_keeps_the_order_of_its_bytes"],
    ),
    (
        "qemu does not know IP_MULTICAST_IF",
        "sockets",
        &["multicast::joining_and_leaving_a_group"],
    ),
    (
        "an emulated thread wakes up too slowly for 3 ms",
        "conformance",
        &["time::events_end_a_wait"],
    ),
    (
        "qemu's vfork is a fork: the reason why exec failed is lost",
        "examples",
        &["child_output::a_command_that_is_missing_is_an_error"],
    ),
    (
        "measures the memory of a program: here that of qemu, too",
        "examples",
        &[
            "chat::a_slow_guest_is_disconnected",
            "http_hello::many_pipelined_requests_while_nobody_reads",
        ],
    ),
];

/// So many scripts of the differential test: it takes as many as elsewhere only if it is told to, by this very variable.
const SCRIPTS: (&str, &str) = ("PROPTEST_CASES", "600");

/// What CI runs.
pub(crate) fn check() -> Result {
    let chosen = LINUXES.iter().filter(|linux| !linux.in_ci.is_empty());
    each(chosen, |linux| linux.test(linux.in_ci, &[]))
}

/// `linuxes [--list | --packages | --all | TARGET…] [-- TEST-ARGS…]`.
pub(crate) fn run(args: &[&str]) -> Result {
    let (names, test_args) = match args.iter().position(|arg| *arg == "--") {
        Some(at) => (&args[..at], &args[at + 1..]),
        None => (args, &[][..]),
    };
    match names {
        [] if test_args.is_empty() => check(),
        ["--list"] => {
            for linux in LINUXES {
                let ci = if linux.in_ci.is_empty() { "" } else { "in CI" };
                println!("{:<30} {:<16} {ci}", linux.target, linux.means());
            }
            Ok(())
        }
        ["--packages"] => {
            let packages = LINUXES.iter().flat_map(|linux| linux.packages);
            for package in packages.collect::<BTreeSet<_>>() {
                println!("{package}");
            }
            Ok(())
        }
        [] | ["--all"] => each(LINUXES, |linux| linux.test(ALL, test_args)),
        names => {
            let find = |name: &&str| {
                let found = LINUXES.iter().find(|linux| linux.target == *name);
                found.ok_or_else(|| format!("`{name}` is not among `cargo xtask linuxes --list`"))
            };
            let chosen: Vec<&Linux> = names.iter().map(find).collect::<Result<_>>()?;
            each(chosen, |linux| linux.test(ALL, test_args))
        }
    }
}

impl Linux {
    fn means(&self) -> &'static str {
        match self.how {
            Loader { .. } | Musl => "natively",
            Qemu { .. } => "under qemu-user",
        }
    }

    /// Runs the unit tests and these test programs.
    fn test(&self, programs: &[&str], test_args: &[&str]) -> Result {
        println!("\n{}, {}", self.target, self.means());
        debian::install(self.packages)?;
        let (_, key) = compiler()?;
        let folder = cache()?.join(format!("linuxes-{key}"));

        let away = match self.how {
            Qemu { .. } => NOT_EMULATED,
            Loader { .. } | Musl => &[],
        };
        let programs = left_out::programs(programs.iter().copied(), away);
        // By itself, so that the limit of time is for the tests alone.
        run_command(
            self.cargo(&programs, &folder)?
                .args(["--quiet", "--no-run"]),
        )
        .map_err(|message| format!("{}: {message}", self.target))?;
        let mut command = self.cargo(&programs, &folder)?;
        command.arg("--").args(test_args);
        left_out::skip(&mut command, &programs, away);
        test(&mut command).map_err(|message| format!("{}: {message}", self.target))
    }

    /// `cargo test`, with the variables with which it, and the cargo that a test may start, build and run programs of
    /// this target.
    fn cargo(&self, programs: &[&str], folder: &Path) -> Result<Command> {
        let mut command = cargo(&["test", "--no-fail-fast", "--all-features", "--lib"]);
        command.args(["--target", self.target]);
        command.args(programs.iter().flat_map(|name| ["--test", name]));
        let mut flags = format!("-Clinker={}", self.linker);
        match self.how {
            Loader { root, loader } => {
                flags += &format!(" -Clink-arg=-Wl,--dynamic-linker={root}/lib/{loader}");
                flags += &format!(" -Clink-arg=-Wl,-rpath={root}/lib");
            }
            Musl => {
                let unwinder = unwinder(&cache()?.join("musl"))?;
                flags += " -Clink-self-contained=no -Crelocation-model=static";
                flags += &format!(
                    " -Ctarget-feature=+crt-static -Lnative={}",
                    unwinder.display()
                );
            }
            Qemu { emulator, root } => {
                let runner = format!("{emulator} -L {root}");
                let triple = self.target.to_uppercase().replace('-', "_");
                command
                    .env(format!("CARGO_TARGET_{triple}_RUNNER"), &runner)
                    .env("MIO_TEST_RUNNER", runner);
            }
        }
        if std::env::var_os(SCRIPTS.0).is_none() {
            command.env(SCRIPTS.0, SCRIPTS.1);
        }
        command
            .env("RUSTC_BOOTSTRAP", "1")
            .env("__CARGO_TESTS_ONLY_SRC_ROOT", sysroot::library()?)
            .env("CARGO_UNSTABLE_BUILD_STD", "std,panic_unwind")
            // With a target given, the flags are not for build scripts and procedural macros.
            .env("RUSTFLAGS", flags)
            .env("CARGO_TARGET_DIR", folder)
            .env("CARGO_PROFILE_DEV_DEBUG", "0")
            .env("CARGO_INCREMENTAL", "0");
        Ok(command)
    }
}

/// What LLVM's unwinder was compiled against, and musl lacks.
const SHIM: &str = "\
#include <stdarg.h>
#include <stdio.h>

int __fprintf_chk(FILE *file, int flag, const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    int written = vfprintf(file, format, arguments);
    va_end(arguments);
    return written;
}

int __vfprintf_chk(FILE *file, int flag, const char *format, va_list arguments) {
    return vfprintf(file, format, arguments);
}
";

/// The folder with a `libunwind.a` for musl. gcc's own unwinder is of no use: it asks glibc for its tables.
fn unwinder(folder: &Path) -> Result<PathBuf> {
    let finished = folder.join("libunwind.a");
    if finished.exists() {
        return Ok(folder.to_owned());
    }
    create(folder)?;
    // Two processes may be here at once: each has files of its own up to the last step.
    let ours = |name: &str| folder.join(format!("{}-{name}", std::process::id()));
    let (source, object, archive) = (ours("shim.c"), ours("shim.o"), ours("libunwind.a"));
    write(&source, SHIM)?;
    run_command(
        Command::new("musl-gcc")
            .args(["-O2", "-c", "-o"])
            .args([&object, &source]),
    )?;
    let packaged = "/usr/lib/llvm-14/lib/libunwind.a";
    fs::copy(packaged, &archive).map_err(|error| format!("{packaged}: {error}"))?;
    run_command(Command::new("ar").arg("r").args([&archive, &object]))?;
    fs::rename(&archive, &finished).map_err(|error| error.to_string())?;
    for file in [source, object] {
        let _ = fs::remove_file(file);
    }
    Ok(folder.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_skipped_exists() {
        left_out::tests::all_exist(NOT_EMULATED);
        assert!(NOT_EMULATED.iter().all(|(_, name, _)| ALL.contains(name)));
    }
}
