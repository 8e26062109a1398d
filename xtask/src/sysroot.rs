//! Standard libraries of other targets, for compilers that carry only their own: metadata alone, which is all that
//! checking and linting read.
//!
//! They are built once from the standard library's source and kept in the user's cache folder, keyed by the compiler's
//! version. The source is the toolchain's own component `rust-src` or else Debian's package of that name, whose backports
//! hold several versions side by side.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::cargo::{cache, compiler, lock, output, root, run, Result};
use crate::debian::{create, write, Apt};

/// So many targets are built together: enough to keep a machine busy, few enough to lose little when it is interrupted.
const GROUP: usize = 6;

/// The folder for `--sysroot`, with the standard library of each target that has one to be had.
pub(crate) struct Sysroot {
    path: PathBuf,
}

impl Sysroot {
    /// Builds what is missing for `targets`. A target whose standard library does not compile is left out.
    pub(crate) fn with(targets: &[&str]) -> Result<Sysroot> {
        let (release, key) = compiler()?;
        let base = cache()?.join(format!("std-{key}"));
        let sysroot = Sysroot {
            path: base.join("sysroot"),
        };
        create(&sysroot.path)?;
        if targets.iter().all(|target| sysroot.has(target)) {
            return Ok(sysroot);
        }
        let library = source(&release, &base)?;
        let _lock = lock("std")?;
        let missing: Vec<&str> = targets
            .iter()
            .copied()
            .filter(|target| !sysroot.has(target))
            .collect();
        // Fresh each time, also after a build that was interrupted, so that every crate in it has one metadata file.
        let build = base.join("build");
        for group in missing.chunks(GROUP) {
            let _ = fs::remove_dir_all(&build);
            let built = sysroot.build(&library, group, &build);
            let _ = fs::remove_dir_all(&build);
            built?;
        }
        Ok(sysroot)
    }

    /// Where it lies.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Whether the standard library of `target` is complete.
    pub(crate) fn has(&self, target: &str) -> bool {
        self.stamp(target).exists()
    }

    fn stamp(&self, target: &str) -> PathBuf {
        self.path.join(format!("{target}.complete"))
    }

    fn build(&self, library: &Path, targets: &[&str], build: &Path) -> Result {
        let mut command = Command::new("cargo");
        command
            .args([
                "check",
                "--quiet",
                "--locked",
                "--keep-going",
                "--manifest-path",
            ])
            .arg(library.join("sysroot/Cargo.toml"))
            .args(["--features", "backtrace,panic-unwind", "--target-dir"])
            .arg(build)
            .args(targets.iter().flat_map(|target| ["--target", target]))
            .env("RUSTC_BOOTSTRAP", "1")
            .env("RUSTFLAGS", "-Zforce-unstable-if-unmarked -Awarnings")
            .env("CARGO_INCREMENTAL", "0")
            .env("CARGO_PROFILE_DEV_DEBUG", "0")
            // What the standard library's own build sets, so that its crates are not mistaken for a user's.
            .env("__CARGO_DEFAULT_LIB_METADATA", "x")
            .current_dir(root());
        // One target that does not compile fails the whole call: what counts is what each of them has left behind.
        let result = run(&mut command);
        for target in targets {
            let crates = metadata(&build.join(target).join("debug/deps"));
            // `sysroot` depends on all the others, so it is the last.
            if !crates
                .iter()
                .any(|path| name(path).starts_with("libsysroot-"))
            {
                println!("the standard library does not compile for {target}");
                continue;
            }
            let lib = self.path.join("lib/rustlib").join(target).join("lib");
            let _ = fs::remove_dir_all(&lib);
            create(&lib)?;
            for path in crates {
                fs::rename(&path, lib.join(name(&path))).map_err(|error| error.to_string())?;
            }
            write(&self.stamp(target), "")?;
        }
        // Without a single one it was no matter of targets.
        match GROUP > targets.len() || targets.iter().any(|target| self.has(target)) {
            true => Ok(()),
            false => result,
        }
    }
}

/// The standard library's source, for a build of one's own.
pub(crate) fn library() -> Result<PathBuf> {
    let (release, key) = compiler()?;
    source(&release, &cache()?.join(format!("std-{key}")))
}

/// The standard library's source for the compiler `release`.
fn source(release: &str, base: &Path) -> Result<PathBuf> {
    let toolchain = output(
        Command::new("rustc")
            .args(["--print", "sysroot"])
            .current_dir(root()),
    )?;
    let component = Path::new(toolchain.trim()).join("lib/rustlib/src/rust/library");
    if component.join("sysroot/Cargo.toml").exists() {
        return Ok(component);
    }
    let unpacked = base.join("source");
    let library = unpacked.join(format!("usr/src/rustc-{release}/library"));
    create(base)?;
    let _lock = lock("source")?;
    if !library.join("sysroot/Cargo.toml").exists() {
        let apt = Apt::open(&["trixie-backports", "trixie"])?;
        let version = apt
            .versions("rust-src")?
            .into_iter()
            .find(|version| version.starts_with(&format!("{release}+")))
            .ok_or_else(|| {
                format!("no rust-src {release} among Debian's packages; `rustup component add rust-src` does as well")
            })?;
        // Half of it, from a process that was interrupted, must not pass for the whole.
        let fresh = base.join("source.new");
        let _ = fs::remove_dir_all(&fresh);
        let _ = fs::remove_dir_all(&unpacked);
        create(&fresh)?;
        apt.unpack(&[format!("rust-src={version}")], &fresh)?;
        fs::rename(&fresh, &unpacked).map_err(|error| error.to_string())?;
    }
    Ok(library)
}

/// The metadata files in a folder.
fn metadata(dir: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(dir).into_iter().flatten().flatten();
    entries
        .map(|entry| entry.path())
        .filter(|path| path.extension().is_some_and(|e| e == "rmeta"))
        .collect()
}

fn name(path: &Path) -> &str {
    path.file_name()
        .and_then(|name| name.to_str())
        .unwrap_or_default()
}
