//! Tests that stay away from where they would fail through no fault of theirs.

use std::process::Command;

/// Why, in which program, and their names; none: all of them.
pub(crate) type LeftOut = (&'static str, &'static str, &'static [&'static str]);

/// These test programs, but for those that stay away whole.
pub(crate) fn programs<'a>(
    programs: impl IntoIterator<Item = &'a str>,
    left_out: &[LeftOut],
) -> Vec<&'a str> {
    let mut programs: Vec<&str> = programs.into_iter().collect();
    for (reason, program, names) in left_out {
        if names.is_empty() && programs.contains(program) {
            println!("skipped: {program}: {reason}");
            programs.retain(|name| name != program);
        }
    }
    programs
}

/// Tells these programs, of which `command` gives the arguments, which of their tests to leave out.
pub(crate) fn skip(command: &mut Command, programs: &[&str], left_out: &[LeftOut]) {
    for (reason, program, names) in left_out {
        if programs.contains(program) {
            for name in *names {
                println!("skipped: {name}: {reason}");
                command.args(["--skip", name]);
            }
        }
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use std::fs;

    use super::*;
    use crate::cargo::root;

    /// Nothing stays away in vain.
    pub(crate) fn all_exist(left_out: &[LeftOut]) {
        for (reason, program, names) in left_out {
            assert!(!reason.is_empty() && exists(program, ""), "{program}");
            for name in *names {
                assert!(exists(program, name), "{name}");
            }
        }
    }

    #[test]
    fn what_does_not_exist_is_noticed() {
        assert!(exists(
            "sockets",
            "udp_batch::delivery::segments_of_one_byte"
        ));
        assert!(!exists("sockets", "multicast::no_such_test"));
        assert!(exists("sizes", ""));
        assert!(!exists("no_such_program", ""));
    }

    /// Whether the sources of `program` have a test whose name ends like this.
    fn exists(program: &str, name: &str) -> bool {
        let test = match name.rsplit("::").next() {
            None | Some("") => "#[test]".to_owned(),
            Some(last) => format!("fn {last}("),
        };
        let tests = root().join("tests");
        let mut paths = vec![tests.join(format!("{program}.rs")), tests.join(program)];
        while let Some(path) = paths.pop() {
            if let Ok(folder) = fs::read_dir(&path) {
                paths.extend(folder.map(|entry| entry.unwrap().path()));
            } else if fs::read_to_string(path).unwrap_or_default().contains(&test) {
                return true;
            }
        }
        false
    }
}
