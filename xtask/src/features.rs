//! `features`: every combination of the library's features lints, some run their tests.
//!
//! The names are read from Cargo.toml, so that a new feature is covered by being declared.

use crate::cargo::{cargo, each, root, run, test, Result};

/// Combinations whose tests run too, beside the default: nothing, each family alone, and what tokio asks for.
const TESTED: &[&str] = &["", "net", "os-ext", "net,os-ext,os-poll"];

/// Lints each combination, then tests [TESTED].
pub(crate) fn check() -> Result {
    let features = read()?;
    let lint = each(combinations(&features.names), |features| {
        // Clippy is a compiler with more lints: a separate `cargo check` would find nothing that this does not.
        run(&mut cargo(&[
            "clippy",
            "--package",
            "mio",
            "--lib",
            "--no-default-features",
            "--features",
            &features,
            "--",
            "-D",
            "warnings",
        ]))
    });
    let tests = each(TESTED, |features| {
        test(&mut cargo(&[
            "test",
            "--no-fail-fast",
            "--no-default-features",
            "--features",
            features,
        ]))
    });
    each([lint, tests], |result| result)
}

/// Whether the default features are all there are.
pub(crate) fn default_is_all() -> Result<bool> {
    let features = read()?;
    Ok(features
        .names
        .iter()
        .all(|name| features.default.contains(name)))
}

/// What Cargo.toml's `[features]` declares.
struct Features {
    names: Vec<String>,
    default: Vec<String>,
}

fn read() -> Result<Features> {
    let path = root().join("Cargo.toml");
    let text =
        std::fs::read_to_string(&path).map_err(|error| format!("{}: {error}", path.display()))?;
    parse(&text)
}

/// Reads the section `[features]`, one feature a line.
fn parse(manifest: &str) -> Result<Features> {
    let section = manifest
        .lines()
        .skip_while(|line| line.trim() != "[features]")
        .skip(1)
        .take_while(|line| !line.starts_with('['));
    let mut features = Features {
        names: Vec::new(),
        default: Vec::new(),
    };
    for line in section
        .map(str::trim)
        .filter(|line| !line.is_empty() && !line.starts_with('#'))
    {
        let (name, list) = line
            .split_once('=')
            .filter(|(_, list)| list.contains(']'))
            .ok_or_else(|| {
                format!("Cargo.toml: a feature with its whole list on one line, not `{line}`")
            })?;
        match name.trim() {
            "default" => {
                features.default = list
                    .split('"')
                    .skip(1)
                    .step_by(2)
                    .map(str::to_owned)
                    .collect()
            }
            name => features.names.push(name.to_owned()),
        }
    }
    match features.names.len() {
        0 => Err("Cargo.toml declares no features".to_owned()),
        1..=7 => Ok(features),
        // Past that the combinations take longer than everything else together: choose some then.
        n => Err(format!("{n} features make {} combinations", 1_u64 << n)),
    }
}

/// Every subset, as cargo's `--features` takes it.
fn combinations(names: &[String]) -> Vec<String> {
    (0_u32..1 << names.len())
        .map(|bits| {
            let chosen = names
                .iter()
                .enumerate()
                .filter(|(i, _)| bits & (1 << i) != 0);
            chosen
                .map(|(_, name)| name.as_str())
                .collect::<Vec<_>>()
                .join(",")
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_the_features_section_alone() {
        let features = parse(
            "[package]\nname = \"x\"\n\n[features]\n# why\ndefault = [\"a\", \"b\"]\na = [\"dep/a\"]\nb = []\nc = []\n\n\
             [dependencies]\nlog = \"0.4\"\n",
        )
        .unwrap();
        assert_eq!(features.names, ["a", "b", "c"]);
        assert_eq!(features.default, ["a", "b"]);
        assert!(parse("[features]\na = [\n  \"b\",\n]\n").is_err());
        assert!(parse("[package]\n").is_err());
    }

    #[test]
    fn combines_every_subset_once() {
        let names = ["a".to_owned(), "b".to_owned()];
        assert_eq!(combinations(&names), ["", "a", "b", "a,b"]);
    }

    #[test]
    fn the_tested_combinations_exist() {
        let names = read().unwrap().names;
        for feature in TESTED
            .iter()
            .flat_map(|list| list.split(','))
            .filter(|name| !name.is_empty())
        {
            assert!(names.iter().any(|name| name == feature), "{feature}");
        }
    }
}
