//! `msrv`: the library compiles with the oldest compilers to be had, and clippy knows of nothing newer than
//! `rust-version`.
//!
//! A rustup toolchain of `rust-version` itself is taken when there is one. Otherwise Debian's oldest compilers that are
//! not older, of the suites that carry one: they catch new syntax and inference, clippy's `incompatible_msrv` the library
//! items between them and `rust-version`.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::cargo::{cache, cargo, each, lock, output, root, run, target_dir, Result};
use crate::debian::{create, write, Apt};

/// A compiler among Debian's packages.
struct Packaged {
    /// Where it and its libraries are, the compiler's suite last.
    suites: &'static [&'static str],
    release: &'static str,
    /// The compiler's own packages, all of one version.
    compiler: &'static [&'static str],
    /// Shared libraries it needs and a bare system lacks.
    libraries: &'static [&'static str],
    /// Whether the C library is among them: the system's own may be too old for the compiler.
    libc: bool,
}

/// Oldest first.
const PACKAGED: &[Packaged] = &[
    Packaged {
        suites: &["bookworm", "bullseye"],
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
        libc: false,
    },
    Packaged {
        suites: &["trixie"],
        release: "1.85",
        compiler: &["rustc", "libstd-rust-1.85", "libstd-rust-dev"],
        libraries: &[
            "libc6",
            "libgcc-s1",
            "libstdc++6",
            "libllvm19",
            "libedit2",
            "libxml2",
            "libz3-4",
            "libffi8",
            "libbsd0",
            "libmd0",
            "libicu76",
            "liblzma5",
            "libtinfo6",
            "libzstd1",
            "zlib1g",
        ],
        libc: true,
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
    let compile = compilers().and_then(|compilers| {
        let builds = compilers.iter().flat_map(|rustc| {
            ["--all-features", "--no-default-features"].map(|features| (rustc, features))
        });
        each(builds, |(rustc, features)| {
            run(cargo(&["build", "--package", "mio", "--lib", features])
                .env("RUSTC", rustc)
                .env("CARGO_TARGET_DIR", target_dir("msrv")))
        })
    });
    each([lint, compile], |result| result)
}

/// The oldest compilers to be had, each behind a script that today's cargo can call.
fn compilers() -> Result<Vec<PathBuf>> {
    let declared = rust_version()?;
    let cache = cache()?.join("msrv");
    create(&cache)?;
    if let Some(rustc) = toolchain(&declared)? {
        println!("rustc {declared}, from its own toolchain");
        let script = cache.join(format!("rustc-{declared}"));
        return Ok(vec![shim(&script, &format!("'{}'", rustc.display()))?]);
    }
    let mut compilers = Vec::new();
    let mut refusals = Vec::new();
    for packaged in PACKAGED {
        match unpacked(packaged, &cache) {
            Ok(rustc) => {
                print!("{}", output(Command::new(&rustc).arg("--version"))?);
                compilers.push(rustc);
            }
            // A mirror drops a suite one day. The others are as good as before then.
            Err(message) => {
                println!("no rustc {}: {message}", packaged.release);
                refusals.push(message);
            }
        }
    }
    match compilers.is_empty() {
        true => Err(refusals.join("\n")),
        false => Ok(compilers),
    }
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
        let apt = Apt::open(packaged.suites)?;
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
    let libraries = libraries.display();
    let rustc = dir.join("usr/bin/rustc");
    let rustc = rustc.display();
    // The linker that the compiler starts belongs to the system, and must not meet another C library in its environment.
    let call = match packaged.libc {
        true => format!(
            "'{libraries}/{LOADER}' --library-path '{libraries}' --argv0 '{rustc}' '{rustc}'"
        ),
        false => format!("env LD_LIBRARY_PATH='{libraries}' '{rustc}'"),
    };
    shim(&script, &call)
}

/// The program that starts programs with shared libraries.
const LOADER: &str = match cfg!(target_arch = "aarch64") {
    true => "ld-linux-aarch64.so.1",
    false => "ld-linux-x86-64.so.2",
};

/// Writes a script that calls a compiler without the option `--check-cfg`, which today's cargo always passes and which
/// compilers before 1.80 refuse.
fn shim(script: &Path, rustc: &str) -> Result<PathBuf> {
    let text = format!(
        "#!/bin/sh\nleft=$#\nwhile [ $left -gt 0 ]; do\n  arg=$1; shift; left=$((left - 1))\n  \
         if [ \"$arg\" = --check-cfg ]; then shift; left=$((left - 1)); else set -- \"$@\" \"$arg\"; fi\ndone\n\
         exec {rustc} \"$@\"\n"
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
