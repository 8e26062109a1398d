//! `minimal`: the library compiles with the oldest dependencies that Cargo.toml allows.
//!
//! Cargo resolves for every system at once, so the check goes through systems whose dependencies differ, with the standard
//! libraries of `targets`. It is made on a copy of the manifest without what only tests need: their dependencies would
//! raise the versions of those that count.

use std::fs;
use std::path::{Path, PathBuf};

use crate::cargo::{cache, cargo, compiler, each, root, run, target_dir, Result};
use crate::debian::{create, write};
use crate::sysroot::Sysroot;

/// One of each family of dependencies.
const TARGETS: &[&str] = &[
    "x86_64-unknown-linux-musl",
    "aarch64-apple-darwin",
    "x86_64-unknown-freebsd",
    "x86_64-unknown-illumos",
    "x86_64-pc-windows-gnu",
];

/// What Cargo.toml asks for is what is resolved; then, also what its dependencies ask for.
const RESOLUTIONS: &[&str] = &["-Zdirect-minimal-versions", "-Zminimal-versions"];

/// The check.
pub(crate) fn check() -> Result {
    let sysroot = Sysroot::with(TARGETS)?;
    let folder = copy()?;
    let (_, key) = compiler()?;
    let build = cache()?.join(format!("targets-{key}"));
    let cargo = |args: &[&str]| {
        let mut command = cargo(args);
        command
            .arg("--manifest-path")
            .arg(folder.join("Cargo.toml"))
            // For the options that begin with `-Z`.
            .env("RUSTC_BOOTSTRAP", "1");
        command
    };
    each(RESOLUTIONS, |resolution| {
        let _ = fs::remove_file(folder.join("Cargo.lock"));
        run(&mut cargo(&["generate-lockfile", "--quiet", resolution]))?;
        let mut check = cargo(&["check", "--locked", "--quiet", "--lib", "--all-features"]);
        check
            .args(TARGETS.iter().flat_map(|target| ["--target", target]))
            .env(
                "RUSTFLAGS",
                format!("--sysroot {}", sysroot.path().display()),
            )
            .env("CARGO_TARGET_DIR", &build);
        run(&mut check)
    })
}

/// A folder with the library's sources and the manifest without what only tests need.
fn copy() -> Result<PathBuf> {
    let folder = target_dir("minimal");
    create(&folder)?;
    let manifest = root().join("Cargo.toml");
    let text = fs::read_to_string(&manifest).map_err(|error| error.to_string())?;
    write(&folder.join("Cargo.toml"), &without_tests(&text))?;
    let sources = folder.join("src");
    if fs::read_link(&sources).ok() != Some(root().join("src")) {
        let _ = fs::remove_file(&sources);
        link(&root().join("src"), &sources)?;
    }
    Ok(folder)
}

fn link(original: &Path, link: &Path) -> Result {
    std::os::unix::fs::symlink(original, link)
        .map_err(|error| format!("{}: {error}", link.display()))
}

/// The manifest without dependencies of tests, without examples, and without other members of the workspace.
fn without_tests(manifest: &str) -> String {
    let mut left_out = false;
    let lines = manifest.lines().filter(|line| {
        if line.starts_with('[') {
            left_out = line.contains("dev-dependencies") || line.starts_with("[[");
        }
        !left_out && !line.starts_with("members =") && !line.starts_with("default-members =")
    });
    lines.flat_map(|line| [line, "\n"]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn leaves_out_what_only_tests_need() {
        let manifest = "[package]\na = 1\n[workspace]\nmembers = [\".\"]\nresolver = \"2\"\n[dev-dependencies]\nb = 2\n\
                        [target.x.dev-dependencies]\nc = 3\n[[example]]\nd = 4\n[lints]\ne = 5\n";
        assert_eq!(
            without_tests(manifest),
            "[package]\na = 1\n[workspace]\nresolver = \"2\"\n[lints]\ne = 5\n"
        );
    }
}
