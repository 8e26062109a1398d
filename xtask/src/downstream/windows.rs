//! `downstream --windows`: a suite as Windows programs, under Wine, once on this crate and once on the published mio.
//!
//! Wine is not Windows, and fails tests of its own. So what counts is the difference: a test that passes on the published
//! mio and fails on this crate fails the suite.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use super::crates::Crate;
use super::libtest::{listed, outcomes};
use super::{at, base, write, Mio, Suite};
use crate::cargo::Result;
use crate::windows::for_windows;
use crate::windows::wine::Wine;

/// A program that takes longer hangs. Then, or if it crashes, each test that it owes is run by itself. The slowest one of
/// tokio takes two minutes by itself on a busy machine.
const LIMIT: Duration = Duration::from_secs(240);

/// How often a test that only fails here is run by itself, on each of both: Wine is not the same each time.
const AGAIN: usize = 3;

/// The tests of one program, or of all of them, and whether each passed.
type Tests = BTreeMap<String, bool>;

/// Runs the suites of `crates`: the programs whose names contain one of `filters`.
pub(super) fn run(crates: &[&'static Crate], filters: &[&str]) -> Result {
    let wine = Wine::open()?;
    let mut worse = Vec::new();
    for krate in crates {
        let builds = [Mio::This, Mio::Published]
            .into_iter()
            .map(|mio| Build::of(krate, mio, filters))
            .collect::<Result<Vec<_>>>()?;
        let [this, published] = &builds[..] else {
            unreachable!("there are two");
        };
        wine.boot()?;
        worse.extend(compare(&wine, krate, this, published)?);
    }
    match worse.is_empty() {
        true => Ok(()),
        false => Err(worse.join("\n")),
    }
}

/// Runs every program on both. The result are the tests that only fail on this crate.
fn compare(wine: &Wine, krate: &Crate, this: &Build, published: &Build) -> Result<Vec<String>> {
    println!(
        "\n{:<42} {:>17} {:>17}",
        krate.name, "this crate", "published mio"
    );
    let start = Instant::now();
    let (mut both, mut worse, mut unsteady) = (0, Vec::new(), Vec::new());
    let (mut neither, mut better) = (Vec::new(), Vec::new());
    for program in this.programs.keys() {
        let here = this.run(wine, program)?;
        let there = published.run(wine, program)?;
        println!("{program:<42} {} {}", summary(&here), summary(&there));
        let names: BTreeSet<&String> = here.keys().chain(there.keys()).collect();
        for test in names {
            let line = format!("{program}: {test}");
            match (here.get(test), there.get(test)) {
                (Some(true), Some(true)) => both += 1,
                (Some(true), _) => better.push(line),
                (_, Some(true)) if this.fails_again(wine, program, test, published)? => {
                    worse.push(format!(
                        "{} {line}: passes on the published mio",
                        krate.name
                    ));
                }
                (_, Some(true)) => unsteady.push(line),
                _ => neither.push(line),
            }
        }
    }
    println!(
        "\n{} {} under Wine, {:.0} s: {both} tests pass on both",
        krate.name,
        krate.version,
        start.elapsed().as_secs_f64()
    );
    for (what, lines) in [
        ("fail on both", &neither),
        ("fail on the published mio only", &better),
        ("failed on this crate, and not again", &unsteady),
        ("fail on this crate only", &worse),
    ] {
        println!("{} {what}", lines.len());
        for line in lines {
            println!("  {line}");
        }
    }
    if both == 0 {
        worse.push(format!("no test of {} has passed", krate.name));
    }
    Ok(worse)
}

/// A suite, built for Windows.
struct Build {
    suite: Suite,
    /// The paths of its programs by their names.
    programs: BTreeMap<String, PathBuf>,
}

impl Build {
    fn of(krate: &'static Crate, mio: Mio, filters: &[&str]) -> Result<Build> {
        let suite = Suite::new(krate, mio, base().join("build-windows"));
        suite.prepare()?;
        let mut cargo = suite.cargo("test");
        for_windows(&mut cargo)?
            .env("CARGO_INCREMENTAL", "0")
            .env("CARGO_PROFILE_DEV_DEBUG", "0");
        let programs = suite.programs(filters, &mut cargo)?;
        let programs = programs
            .into_iter()
            .map(|(name, path)| (name, PathBuf::from(path)))
            .collect();
        Ok(Build { suite, programs })
    }

    /// Runs a program, and what it has not come to, test by test.
    fn run(&self, wine: &Wine, name: &str) -> Result<Tests> {
        let Some(path) = self.programs.get(name) else {
            return Ok(Tests::new());
        };
        let (tests, ended) = self.start(wine, path, name, &[])?;
        let mut tests: Tests = outcomes(&tests).collect();
        if ended {
            return Ok(tests);
        }
        let (list, _) = self.start(wine, path, name, &["--list"])?;
        for test in listed(&list) {
            if !tests.contains_key(test) {
                let passed = self.passes(wine, name, test)?;
                tests.insert(test.to_owned(), passed);
            }
        }
        Ok(tests)
    }

    /// Whether a test passes if it runs by itself.
    fn passes(&self, wine: &Wine, name: &str, test: &str) -> Result<bool> {
        let Some(path) = self.programs.get(name) else {
            return Ok(false);
        };
        let args = ["--exact", test];
        let (text, ended) = self.start(wine, path, name, &args)?;
        // An ignored one has no outcome, and has not failed.
        let failed = outcomes(&text).any(|(_, passed)| !passed);
        Ok(ended && !failed)
    }

    /// Whether a test that has failed here fails once more, while it passes on `other` each time.
    fn fails_again(&self, wine: &Wine, name: &str, test: &str, other: &Build) -> Result<bool> {
        let mut failed = false;
        for _ in 0..AGAIN {
            if !other.passes(wine, name, test)? {
                return Ok(false);
            }
            failed |= !self.passes(wine, name, test)?;
        }
        Ok(failed)
    }

    /// Runs a program: what it has printed, and whether it ended by itself after its last test.
    fn start(&self, wine: &Wine, path: &Path, name: &str, args: &[&str]) -> Result<(String, bool)> {
        let log = self.suite.folder.join("log-windows").join(name);
        let log = log.with_extension("log");
        write(&log, "")?;
        let file = File::create(&log).map_err(|error| at(&log, &error))?;
        let errors = file.try_clone().map_err(|error| at(&log, &error))?;
        let mut child = wine
            .command(path)
            .args(args)
            .current_dir(self.suite.package())
            .stdout(file)
            .stderr(errors)
            .spawn()
            .map_err(|error| at(path, &error))?;
        let ended = wine.wait(&mut child, LIMIT)?;
        if ended.is_none() {
            // Everything was ended with it.
            wine.boot()?;
        }
        let bytes = fs::read(&log).map_err(|error| at(&log, &error))?;
        let text = String::from_utf8_lossy(&bytes).into_owned();
        let complete = ended == Some(true) || text.contains("\ntest result: ");
        Ok((text, ended.is_some() && complete))
    }
}

fn summary(tests: &Tests) -> String {
    let passed = tests.values().filter(|passed| **passed).count();
    format!("{passed:>4} ok {:>3} failed", tests.len() - passed)
}
