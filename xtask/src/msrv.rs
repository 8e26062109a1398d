//! `msrv`: the library compiles with the oldest compiler to be had, and clippy knows of nothing newer than
//! `rust-version`.
//!
//! A rustup toolchain of `rust-version` itself is taken when there is one. Otherwise Debian's oldest compiler that is not
//! older: it catches new syntax and inference, clippy's `incompatible_msrv` the library items between the two.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::cargo::{cache, cargo, each, lock, output, root, run, target_dir, Result};
use crate::debian::{create, write, Apt};

/// A compiler among Debian's packages.
struct Packaged {
    suite: &'static str,
    release: &'static str,
    /// The compiler's own packages, all of one version.
    compiler: &'static [&'static str],
    /// Shared libraries it needs and a bare system lacks, from the system's own suite.
    libraries: &'static [&'static str],
}

/// Oldest first. The second is there for the day when mirrors no longer carry the first one's suite.
const PACKAGED: &[Packaged] = &[
    Packaged {
        suite: "bullseye",
        release: "1.78",
        compiler: &["rustc-web", "libstd-rust-web-1.78", "libstd-rust-web-dev"],
        libraries: &[
            "libllvm16",
            "libedit2",
            "libxml2",
            "libz3-4",
            "libffi8",
            "libbsd0",
            "libmd0",
            "libicu72",
        ],
    },
    Packaged {
        suite: "bookworm",
        release: "1.85",
        compiler: &["rustc-web", "libstd-rust-web-1.85", "libstd-rust-web-dev"],
        libraries: &[
            "libllvm19",
            "libedit2",
            "libxml2",
            "libz3-4",
            "libffi8",
            "libbsd0",
            "libmd0",
            "libicu72",
        ],
    },
];

/// Both halves of the check.
pub(crate) fn check() -> Result {
    let lint = run(&mut cargo(&[
        "clippy",
        "--package",
        "mio",
        "--lib",
        "--all-features",
        "--",
        "-D",
        "clippy::incompatible_msrv",
    ]));
    let compile = compiler().and_then(|rustc| {
        each(["--all-features", "--no-default-features"], |features| {
            run(cargo(&["check", "--package", "mio", "--lib", features])
                .env("RUSTC", &rustc)
                .env("CARGO_TARGET_DIR", target_dir("msrv")))
        })
    });
    each([lint, compile], |result| result)
}

/// The oldest compiler to be had, behind a script that today's cargo can call.
fn compiler() -> Result<PathBuf> {
    let declared = rust_version()?;
    let cache = cache()?.join("msrv");
    create(&cache)?;
    if let Some(rustc) = toolchain(&declared)? {
        println!("rustc {declared}, from its own toolchain");
        return shim(&cache.join(format!("rustc-{declared}")), &rustc, None);
    }
    let mut refusals = Vec::new();
    for packaged in PACKAGED {
        match unpacked(packaged, &cache) {
            Ok(rustc) => {
                println!(
                    "rustc {}, the oldest to be had for {declared}",
                    packaged.release
                );
                return Ok(rustc);
            }
            Err(message) => refusals.push(message),
        }
    }
    Err(refusals.join("\n"))
}

/// The compiler of the installed toolchain `version`, if there is one.
fn toolchain(version: &str) -> Result<Option<PathBuf>> {
    let Ok(list) = output(Command::new("rustup").args(["toolchain", "list"])) else {
        return Ok(None);
    };
    let Some(name) = list.split_whitespace().find(|name| {
        name.strip_prefix(version)
            .is_some_and(|rest| rest.starts_with(['.', '-']))
    }) else {
        return Ok(None);
    };
    let path = output(Command::new("rustup").args(["which", "--toolchain", name, "rustc"]))?;
    Ok(Some(PathBuf::from(path.trim())))
}

/// Debian's compiler, from the cache or freshly unpacked there.
fn unpacked(packaged: &Packaged, cache: &Path) -> Result<PathBuf> {
    let dir = cache.join(packaged.release);
    let script = cache.join(format!("rustc-{}", packaged.release));
    let _lock = lock("msrv")?;
    if !dir.exists() {
        let fresh = cache.join(format!("{}.new", packaged.release));
        let _ = fs::remove_dir_all(&fresh);
        let _ = fs::remove_dir_all(&dir);
        create(&fresh)?;
        let apt = Apt::open(&["bookworm", packaged.suite])?;
        let version = apt
            .versions(packaged.compiler[0])?
            .into_iter()
            .find(|version| version.starts_with(&format!("{}.", packaged.release)))
            .ok_or_else(|| format!("no {} {}", packaged.compiler[0], packaged.release))?;
        let mut packages: Vec<String> = packaged
            .compiler
            .iter()
            .map(|name| format!("{name}={version}"))
            .collect();
        packages.extend(packaged.libraries.iter().map(|&name| name.to_owned()));
        apt.unpack(&packages, &fresh)?;
        fs::rename(&fresh, &dir).map_err(|error| error.to_string())?;
    }
    let libraries = dir
        .join("usr/lib")
        .join(format!("{}-linux-gnu", std::env::consts::ARCH));
    shim(&script, &dir.join("usr/bin/rustc"), Some(&libraries))
}

/// Writes a script that calls `rustc` without the option `--check-cfg`, which today's cargo always passes and which
/// compilers before 1.80 refuse.
fn shim(script: &Path, rustc: &Path, libraries: Option<&Path>) -> Result<PathBuf> {
    let environment = match libraries {
        Some(path) => format!("LD_LIBRARY_PATH='{}' ", path.display()),
        None => String::new(),
    };
    let text = format!(
        "#!/bin/sh\nleft=$#\nwhile [ $left -gt 0 ]; do\n  arg=$1; shift; left=$((left - 1))\n  \
         if [ \"$arg\" = --check-cfg ]; then shift; left=$((left - 1)); else set -- \"$@\" \"$arg\"; fi\ndone\n\
         {environment}exec '{}' \"$@\"\n",
        rustc.display()
    );
    write(script, &text)?;
    fs::set_permissions(script, fs::Permissions::from_mode(0o755))
        .map_err(|error| error.to_string())?;
    Ok(script.to_owned())
}

/// `rust-version` as Cargo.toml declares it.
fn rust_version() -> Result<String> {
    let text = fs::read_to_string(root().join("Cargo.toml")).map_err(|error| error.to_string())?;
    text.lines()
        .find_map(|line| {
            line.strip_prefix("rust-version")?
                .split('"')
                .nth(1)
                .map(str::to_owned)
        })
        .ok_or_else(|| "Cargo.toml declares no rust-version".to_owned())
}
