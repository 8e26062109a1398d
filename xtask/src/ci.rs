//! `ci`: the steps in order, all of them even after a failure, and a table of the results.

use std::time::{Duration, Instant};

use crate::cargo::{tally, Result};
use crate::{
    bench, checks, downstream, failures, features, inlining, linuxes, minimal, models, msrv,
    semver, targets, windows,
};

type Step = fn() -> Result;

/// Quick ones first: who broke the formatting should not wait for the rest.
const STEPS: &[(&str, Step)] = &[
    ("fmt", checks::fmt),
    ("lint", checks::lint),
    ("test", checks::test),
    ("loom", checks::loom),
    ("models", models::check),
    ("inlining", inlining::check),
    ("counts", bench::counts),
    ("libc", checks::libc),
    ("posix", checks::posix),
    ("features", features::check),
    ("docs", checks::docs),
    ("msrv", msrv::check),
    ("targets", targets::must),
    ("linuxes", linuxes::check),
    ("windows", windows::check),
    ("minimal", minimal::check),
    ("tokio", downstream::ci),
    ("semver", semver::check),
    ("package", checks::package),
];

/// The step of this name.
pub(crate) fn step(name: &str) -> Option<Step> {
    STEPS
        .iter()
        .find(|(known, _)| *known == name)
        .map(|&(_, step)| step)
}

/// Runs every step, and fails if one did.
pub(crate) fn run() -> Result {
    let mut results: Vec<(&str, Duration, Result)> = Vec::new();
    let mut reports: Vec<(&str, Vec<String>)> = Vec::new();
    for &(name, step) in STEPS {
        println!("\n==> {name}");
        let start = Instant::now();
        let result = step();
        if let Err(message) = &result {
            println!("\n==> {name} failed:\n{message}");
        }
        results.push((name, start.elapsed(), result));
        reports.push((name, failures::take()));
    }

    println!("\n{:<10} {:>7}  result", "step", "seconds");
    for (name, time, result) in &results {
        let result = if result.is_ok() { "ok" } else { "FAILED" };
        println!("{name:<10} {:>7.1}  {result}", time.as_secs_f64());
    }
    for (name, _, result) in &results {
        if let Err(message) = result {
            println!("\n{name}: {message}");
        }
    }
    for (name, reports) in &reports {
        for report in reports {
            println!("\n{name}: what the tests said that failed:\n{report}");
        }
    }
    let failures = results
        .iter()
        .filter(|(_, _, result)| result.is_err())
        .count();
    let total: Duration = results.iter().map(|(_, time, _)| *time).sum();
    println!(
        "\n{} of {} steps failed, {:.0} s",
        failures,
        results.len(),
        total.as_secs_f64()
    );
    let (passed, failed) = tally();
    println!("{passed} passed, {failed} failed");
    if failures == 0 {
        Ok(())
    } else {
        Err("not everything passed; see the table above".to_owned())
    }
}
