//! What cargo and libtest say of test programs.

use crate::cargo::test_executable;

/// The name and the path of the program that one of cargo's messages announces, if it is one of tests.
pub(super) fn test_program(message: &str) -> Option<(&str, &str)> {
    let program = test_executable(message)?;
    let target = message.split_once("\"target\":{")?.1;
    let name = target.split_once("\"name\":\"")?.1.split('"').next()?;
    let name = match target.starts_with("\"kind\":[\"test\"]") {
        true => name,
        false => "lib",
    };
    Some((name, program))
}

/// How many tests passed and were ignored, by libtest's closing lines.
pub(super) fn counts(text: &str) -> (u64, u64) {
    let mut sums = (0, 0);
    for line in text
        .lines()
        .filter(|line| line.starts_with("test result: "))
    {
        let count = |word: &str| -> Option<u64> {
            line[..line.find(word)?].rsplit(' ').next()?.parse().ok()
        };
        sums.0 += count(" passed").unwrap_or(0);
        sums.1 += count(" ignored").unwrap_or(0);
    }
    sums
}

/// The tests in libtest's closing lists of failures.
pub(super) fn failures(text: &str) -> Vec<&str> {
    let mut names = Vec::new();
    let mut before = 0;
    let mut list = false;
    for line in text.lines() {
        match line.strip_prefix("    ") {
            Some(name) if list => names.push(name),
            _ if line == "failures:" => {
                // Twice: the first one heads what the tests printed, only the second one their names.
                names.truncate(before);
                list = true;
            }
            _ if line.starts_with("test result: ") => {
                before = names.len();
                list = false;
            }
            _ => {}
        }
    }
    names
}

/// The tests that have passed or failed, by libtest's lines as they end. What a test prints itself may stand around them.
pub(super) fn outcomes(text: &str) -> impl Iterator<Item = (String, bool)> + '_ {
    text.lines().filter_map(|line| {
        let (name, outcome) = line.strip_prefix("test ")?.split_once(" ... ")?;
        let passed = match outcome {
            "ok" => true,
            _ if outcome.starts_with("FAILED") => false,
            _ => return None,
        };
        Some((plain(name).to_owned(), passed))
    })
}

/// The tests that libtest lists.
pub(super) fn listed(text: &str) -> impl Iterator<Item = &str> {
    text.lines().filter_map(|line| line.strip_suffix(": test"))
}

/// The name without what libtest adds to those that are to panic.
fn plain(name: &str) -> &str {
    name.split(" - should panic").next().unwrap_or(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_test_programs_and_their_names() {
        let test = r#"{"reason":"compiler-artifact","target":{"kind":["test"],"name":"udp"},"profile":{"test":true},"executable":"/t/udp-1"}"#;
        assert_eq!(test_program(test), Some(("udp", "/t/udp-1")));
        let unit = test.replace(r#"["test"]"#, r#"["lib"]"#);
        assert_eq!(test_program(&unit), Some(("lib", "/t/udp-1")));
        assert_eq!(test_program(&test.replace("true}", "false}")), None);
    }

    #[test]
    fn reads_each_outcome() {
        let text =
            "test a::b ... ok\r\ntest c - should panic ... FAILED\ntest d ... ignored\ntest e ... ";
        let seen: Vec<_> = outcomes(text).collect();
        assert_eq!(seen, [("a::b".to_owned(), true), ("c".to_owned(), false)]);
        let list = "a::b: test\nc: test\n\n2 tests, 0 benchmarks\n";
        assert_eq!(listed(list).collect::<Vec<_>>(), ["a::b", "c"]);
    }

    #[test]
    fn reads_libtest() {
        let text = "test a ... ok\ntest b ... FAILED\n\nfailures:\n\n---- b stdout ----\n    indented\n\n\n\
            failures:\n    b\n    c::d\n\n\
            test result: FAILED. 3 passed; 2 failed; 1 ignored; 0 measured; 0 filtered out; finished in 0.1s\n\
            \nfailures:\n\nfailures:\n    e\n\n\
            test result: FAILED. 1 passed; 1 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.1s\n\
            \nall doctests ran in 0.1s\n    not a test\n";
        assert_eq!(counts(text), (4, 1));
        assert_eq!(failures(text), ["b", "c::d", "e"]);
    }
}
