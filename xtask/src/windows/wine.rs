//! Wine: a prefix that Rust programs run in, and running them there.
//!
//! A prefix is made once and kept in the user's cache folder. It is keyed by the version of Wine and by what is put into
//! it. Whoever uses it holds a lock: ending a program that hangs means ending everything in the prefix.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use crate::cargo::{cache, lock, output, run, Result};
use crate::debian::{create, install, write};

/// Commands of Debian's packages, and the packages. The wrappers named `wine` insist on a 32-bit half.
const TOOLS: &[(&str, &str)] = &[
    (COMPILER, "gcc-mingw-w64-x86-64-win32"),
    (WINE, "wine64"),
    (SERVER, "wine64"),
];
const COMPILER: &str = "/usr/bin/x86_64-w64-mingw32-gcc";
const WINE: &str = "/usr/lib/wine/wine64";
const SERVER: &str = "/usr/lib/wine/wineserver64";

/// The library that Wine 8 lacks. Without it every Rust program ends with status 53 and without a word.
const SHIM: &str = include_str!("bcryptprimitives.c");
const SHIM_NAME: &str = "bcryptprimitives.dll";

/// Raise it when the way in which a prefix is made changes.
const RECIPE: u32 = 1;

/// A prefix that is nobody else's while this lives.
pub(crate) struct Wine {
    prefix: PathBuf,
    _lock: File,
}

impl Wine {
    /// Installs and makes what is missing, and waits until nobody else uses the prefix.
    pub(crate) fn open() -> Result<Wine> {
        install_tools()?;
        let version = output(Command::new(WINE).arg("--version"))?;
        // "wine-8.0 (Debian 8.0~repack-4)"
        let version = version.split_whitespace().next().unwrap_or("wine");
        let name = format!("{version}-{RECIPE}-{:08x}", hash(SHIM));
        let wine = Wine {
            _lock: lock(&name)?,
            prefix: cache()?.join(name),
        };
        if !wine.prefix.join("complete").exists() {
            wine.make()?;
        }
        Ok(wine)
    }

    /// Sets what `command` needs to start Windows programs.
    pub(crate) fn env<'a>(&self, command: &'a mut Command) -> &'a mut Command {
        command
            .env("WINEPREFIX", &self.prefix)
            .env("WINEDEBUG", "-all")
            // Neither a browser engine nor .NET is wanted, and each would ask to be downloaded.
            .env("WINEDLLOVERRIDES", "mscoree,mshtml=")
            .env("CARGO_TARGET_X86_64_PC_WINDOWS_GNU_RUNNER", WINE)
    }

    /// `program`, to be run.
    pub(crate) fn command(&self, program: &Path) -> Command {
        let mut command = Command::new(WINE);
        self.env(&mut command)
            .arg(program)
            .stdin(Stdio::null())
            .stderr(Stdio::null());
        command
    }

    /// Waits for `child`, and ends everything in the prefix once `limit` is over. `None` says that it was ended.
    pub(crate) fn wait(&self, child: &mut Child, limit: Duration) -> Result<Option<bool>> {
        let deadline = Instant::now() + limit;
        loop {
            match child.try_wait() {
                Err(error) => return Err(error.to_string()),
                Ok(Some(status)) => return Ok(Some(status.success())),
                Ok(None) if Instant::now() >= deadline => {
                    self.end();
                    let _ = child.kill();
                    let _ = child.wait();
                    return Ok(None);
                }
                Ok(None) => thread::sleep(Duration::from_millis(20)),
            }
        }
    }

    /// Starts what Windows runs in the background. A program that finds nothing running would start it, and lend it its
    /// standard output for ever.
    pub(crate) fn boot(&self) -> Result {
        self.start(&["wineboot", "--init"])
    }

    /// Ends everything in the prefix.
    fn end(&self) {
        let mut command = Command::new(SERVER);
        let _ = self
            .env(&mut command)
            .arg("--kill")
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .status();
        let mut command = Command::new(SERVER);
        let _ = self.env(&mut command).arg("--wait").status();
    }

    fn make(&self) -> Result {
        let _ = fs::remove_dir_all(&self.prefix);
        create(&self.prefix)?;
        self.start(&["wineboot", "--init"])?;
        let source = self.prefix.join("shim.c");
        write(&source, SHIM)?;
        let library = self.prefix.join("drive_c/windows/system32").join(SHIM_NAME);
        // A Wine that has its own is left alone.
        if !library.exists() {
            run(Command::new(COMPILER)
                .args(["-shared", "-Os", "-s", "-o"])
                .arg(&library)
                .arg(&source)
                .arg("-ladvapi32"))?;
        }
        // What it writes to its registry is on the disk once its server has ended.
        self.end();
        write(&self.prefix.join("complete"), "")
    }

    fn start(&self, args: &[&str]) -> Result {
        let mut command = Command::new(WINE);
        let mut child = self
            .env(&mut command)
            .args(args)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .map_err(|error| format!("{WINE}: {error}"))?;
        match self.wait(&mut child, Duration::from_secs(180))? {
            Some(true) => Ok(()),
            Some(false) => Err(format!("`{WINE} {}` failed", args.join(" "))),
            None => Err(format!("`{WINE} {}` hung", args.join(" "))),
        }
    }
}

impl Drop for Wine {
    fn drop(&mut self) {
        self.end();
    }
}

/// Installs the packages of the tools that are missing.
fn install_tools() -> Result {
    let missing = || TOOLS.iter().filter(|(path, _)| !Path::new(path).exists());
    let mut packages: Vec<&str> = missing().map(|&(_, package)| package).collect();
    packages.dedup();
    install(&packages)?;
    match missing().next() {
        None => Ok(()),
        Some((path, package)) => Err(format!(
            "Debian 12's {package} has {path}; this one has not"
        )),
    }
}

/// FNV-1a: a key of a text, the same in every build.
fn hash(text: &str) -> u32 {
    text.bytes().fold(0x811c_9dc5, |hash, byte| {
        (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193)
    })
}

#[cfg(test)]
mod tests {
    use super::hash;

    #[test]
    fn the_key_is_fnv_1a() {
        assert_eq!(hash(""), 0x811c_9dc5);
        assert_eq!(hash("a"), 0xe40c_292c);
    }
}
