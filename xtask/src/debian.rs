//! Packages of other Debian suites, unpacked into a folder: nothing is installed, the system's own lists stay as they are.
//!
//! The mirror and its key are those of the system's own sources, which also serve the other suites.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::cargo::{output, run, Result};

/// An apt configuration of its own, in a scratch folder that goes with it.
pub(crate) struct Apt {
    dir: PathBuf,
}

impl Apt {
    /// Fetches the package lists of `suites`.
    pub(crate) fn open(suites: &[&str]) -> Result<Apt> {
        let mirror = mirror()?;
        let dir = std::env::temp_dir().join(format!("mio-xtask-apt-{}", std::process::id()));
        let apt = Apt { dir };
        for folder in ["lists/partial", "cache/archives/partial", "debs"] {
            create(&apt.dir.join(folder))?;
        }
        let lines: String = suites
            .iter()
            .map(|suite| {
                format!(
                    "deb [signed-by={}] {} {suite} main\n",
                    mirror.key, mirror.uri
                )
            })
            .collect();
        write(&apt.dir.join("sources.list"), &lines)?;
        run(apt
            .command("apt-get")
            .args(["--quiet", "--error-on=any", "update"]))?;
        Ok(apt)
    }

    /// The versions of `package` that these suites hold, newest first.
    pub(crate) fn versions(&self, package: &str) -> Result<Vec<String>> {
        let table = output(self.command("apt-cache").args(["madison", package]))?;
        Ok(table
            .lines()
            .filter_map(|line| Some(line.split('|').nth(1)?.trim().to_owned()))
            .collect())
    }

    /// Unpacks `packages`, each `name` or `name=version`, below `into`.
    pub(crate) fn unpack(&self, packages: &[String], into: &Path) -> Result {
        let debs = self.dir.join("debs");
        run(self
            .command("apt-get")
            .args(["--quiet", "download"])
            .args(packages)
            .current_dir(&debs))?;
        for entry in fs::read_dir(&debs).map_err(|error| error.to_string())? {
            let deb = entry.map_err(|error| error.to_string())?.path();
            output(Command::new("dpkg-deb").arg("-x").arg(&deb).arg(into))?;
            fs::remove_file(&deb).map_err(|error| error.to_string())?;
        }
        Ok(())
    }

    fn command(&self, program: &str) -> Command {
        let mut command = Command::new(program);
        for (key, value) in [
            ("Dir::Etc::sourcelist", self.dir.join("sources.list")),
            ("Dir::Etc::sourceparts", PathBuf::from("/dev/null")),
            ("Dir::State::lists", self.dir.join("lists")),
            ("Dir::Cache", self.dir.join("cache")),
        ] {
            command.arg("-o").arg(format!("{key}={}", value.display()));
        }
        // As root, apt would drop to a user who may not write into the scratch folder.
        command.args(["-o", "APT::Sandbox::User=root", "-o", "Acquire::Retries=3"]);
        command
    }
}

impl Drop for Apt {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.dir);
    }
}

#[derive(Debug, PartialEq)]
struct Mirror {
    uri: String,
    key: String,
}

/// The mirror of the system's own release.
fn mirror() -> Result<Mirror> {
    let release = fs::read_to_string("/etc/os-release").unwrap_or_default();
    let suite = release
        .lines()
        .find_map(|line| line.strip_prefix("VERSION_CODENAME="))
        .filter(|_| release.lines().any(|line| line == "ID=debian"))
        .ok_or("this needs Debian's packages, and this system is no Debian")?;
    let mut files = vec![PathBuf::from("/etc/apt/sources.list")];
    if let Ok(entries) = fs::read_dir("/etc/apt/sources.list.d") {
        files.extend(entries.flatten().map(|entry| entry.path()));
    }
    files
        .iter()
        .filter_map(|file| {
            let text = fs::read_to_string(file).ok()?;
            match file.extension()?.to_str()? {
                "sources" => stanza_mirror(&text, suite),
                "list" => line_mirror(&text, suite),
                _ => None,
            }
        })
        .next()
        .ok_or_else(|| format!("no apt source names the suite {suite}"))
}

const KEY: &str = "/usr/share/keyrings/debian-archive-keyring.gpg";

/// Reads the format of `*.sources`: stanzas of fields.
fn stanza_mirror(text: &str, suite: &str) -> Option<Mirror> {
    text.split("\n\n").find_map(|stanza| {
        let field = |name: &str| {
            stanza
                .lines()
                .find_map(|line| line.strip_prefix(name))
                .map(str::trim)
        };
        let suites = field("Suites:")?;
        if !suites.split_whitespace().any(|word| word == suite) {
            return None;
        }
        let uri = field("URIs:")?.split_whitespace().next()?;
        let key = field("Signed-By:")
            .filter(|key| key.starts_with('/'))
            .unwrap_or(KEY);
        Some(Mirror {
            uri: uri.to_owned(),
            key: key.to_owned(),
        })
    })
}

/// Reads the format of `*.list`: `deb [options] uri suite component…`.
fn line_mirror(text: &str, suite: &str) -> Option<Mirror> {
    text.lines().find_map(|line| {
        let rest = line.trim().strip_prefix("deb ")?.trim();
        let (options, rest) = match rest.strip_prefix('[') {
            Some(rest) => rest.split_once(']')?,
            None => ("", rest),
        };
        let mut words = rest.split_whitespace();
        let uri = words.next()?;
        if words.next() != Some(suite) {
            return None;
        }
        let key = options
            .split_whitespace()
            .find_map(|option| option.strip_prefix("signed-by="))
            .unwrap_or(KEY);
        Some(Mirror {
            uri: uri.to_owned(),
            key: key.to_owned(),
        })
    })
}

/// Installs a package of the system unless its program is there.
pub(crate) fn provide(program: &str, package: &str) -> Result {
    let present = Command::new(program)
        .arg("--version")
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .is_ok_and(|status| status.success());
    match present {
        true => Ok(()),
        false => install(&[package]),
    }
}

/// Installs those of the system's own packages that are missing.
pub(crate) fn install(packages: &[&str]) -> Result {
    let missing: Vec<&str> = packages
        .iter()
        .copied()
        .filter(|package| !installed(package))
        .collect();
    if missing.is_empty() {
        return Ok(());
    }
    let list = missing.join(" ");
    println!("missing packages: {list}");
    let mut install = Command::new("apt-get");
    install
        .args(["install", "--yes", "--quiet", "--no-install-recommends"])
        .args(missing)
        .env("DEBIAN_FRONTEND", "noninteractive");
    // The lists may be missing, or older than what the mirror holds.
    run(&mut install)
        .or_else(|_| {
            run(Command::new("apt-get").args(["update", "--quiet"]))?;
            run(&mut install)
        })
        .map_err(|message| {
            format!("{message}: this needs Debian's packages {list}, installed by root")
        })
}

/// Whether a package of the system is installed.
fn installed(package: &str) -> bool {
    let mut query = Command::new("dpkg-query");
    query.args(["--show", "--showformat=${db:Status-Status}", package]);
    query
        .stderr(Stdio::null())
        .output()
        .is_ok_and(|output| output.stdout == b"installed")
}

/// Creates a folder and those above it.
pub(crate) fn create(path: &Path) -> Result {
    fs::create_dir_all(path).map_err(|error| format!("{}: {error}", path.display()))
}

/// Writes a whole file.
pub(crate) fn write(path: &Path, text: &str) -> Result {
    fs::write(path, text).map_err(|error| format!("{}: {error}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mirror(uri: &str, key: &str) -> Option<Mirror> {
        Some(Mirror {
            uri: uri.to_owned(),
            key: key.to_owned(),
        })
    }

    #[test]
    fn reads_both_formats_of_sources() {
        let stanzas = "Types: deb\nURIs: http://other.example/x\nSuites: nodistro\n\n\
                       Types: deb\nURIs: http://mirror.example/debian\nSuites: bookworm bookworm-updates\nSigned-By: /k\n";
        assert_eq!(
            stanza_mirror(stanzas, "bookworm"),
            mirror("http://mirror.example/debian", "/k")
        );
        assert_eq!(stanza_mirror(stanzas, "trixie"), None);

        let lines =
            "# deb http://no.example bookworm main\ndeb http://s.example bookworm-security main\n\
                     deb [arch=amd64 signed-by=/k] http://mirror.example/debian bookworm main\n";
        assert_eq!(
            line_mirror(lines, "bookworm"),
            mirror("http://mirror.example/debian", "/k")
        );
        assert_eq!(
            line_mirror("deb http://m.example bookworm main", "bookworm"),
            mirror("http://m.example", KEY)
        );
        assert_eq!(line_mirror(lines, "trixie"), None);
    }
}
