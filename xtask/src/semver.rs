//! `semver`: cargo-semver-checks compares the public items with those of the version this crate stands in for.

use crate::cargo::{cargo, each, install, run, Result};

/// The version whose every public item this crate has.
const BASELINE: &str = "1.2.5";

/// Compares with all features and with the default ones.
pub(crate) fn check() -> Result {
    install("semver-checks", "cargo-semver-checks")?;
    each(["--all-features", "--default-features"], |features| {
        run(&mut cargo(&[
            "semver-checks",
            "check-release",
            "--package",
            "mio",
            "--baseline-version",
            BASELINE,
            features,
        ]))
    })
}
