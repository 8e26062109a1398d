//! `child_output`.

use std::io::Write;
use std::process::{Command, Stdio};

use crate::program::{example, refuses, Program};
use crate::runner;

fn run(script: &str) -> (Vec<String>, Vec<String>, Option<i32>) {
    let (stdout, stderr, status) = Program::start("child_output", &["sh", "-c", script]).end();
    (stdout, stderr, status.code())
}

/// What one of the outputs was, without its marks.
fn only<'a>(lines: &'a [String], prefix: &str) -> Vec<&'a str> {
    lines
        .iter()
        .filter_map(|line| line.strip_prefix(prefix))
        .collect()
}

#[test]
fn command_line() {
    refuses("child_output", &[&[]]);
}

#[test]
fn shows_both_outputs_and_ends_as_the_command_did() {
    let (lines, errors, code) = run("echo one; echo two >&2; printf three; exit 3");
    assert_eq!(only(&lines, "out| "), ["one", "three"]);
    assert_eq!(only(&lines, "err| "), ["two"]);
    assert_eq!(errors, [""; 0]);
    assert_eq!(code, Some(3));
}

#[test]
fn much_of_both_at_once_keeps_the_order_of_each() {
    let (lines, _, code) = run(
        "i=0; while [ $i -lt 20000 ]; do echo \"this is line $i\"; echo \"and this is error $i\" >&2; i=$((i+1)); done",
    );
    assert_eq!(lines.len(), 40_000);
    for (index, line) in only(&lines, "out| ").iter().enumerate() {
        assert_eq!(*line, format!("this is line {index}"));
    }
    for (index, line) in only(&lines, "err| ").iter().enumerate() {
        assert_eq!(*line, format!("and this is error {index}"));
    }
    assert_eq!(code, Some(0));
}

#[test]
fn an_endless_line_comes_in_pieces() {
    let (lines, _, _) = run("head -c 300000 /dev/zero | tr '\\0' x; echo; echo next");
    let lines = only(&lines, "out| ");
    let (last, pieces) = lines.split_last().expect("lines");
    assert_eq!(*last, "next");
    assert!(pieces.len() > 2, "{}", pieces.len());
    assert_eq!(pieces.concat(), "x".repeat(300_000));
}

#[test]
fn waits_for_what_the_command_has_left_running() {
    // The one in the background outlives the shell, and speaks only when it is told to.
    let mut program =
        with_stdin("exec 3<&0; (read x <&3; echo late $x; echo too >&2) & echo first; exit 5");
    assert_eq!(program.line(), "out| first");
    program.stdin().write_all(b"hello\n").expect("write");
    let (lines, _, status) = program.end();
    assert_eq!(only(&lines, "out| "), ["late hello"]);
    assert_eq!(only(&lines, "err| "), ["too"]);
    assert_eq!(status.code(), Some(5));
}

#[test]
fn one_output_may_end_before_the_other() {
    for (closed, open) in [(2, "1"), (1, "2")] {
        let mark = ["", "out| ", "err| "][3 - closed];
        let mut program = with_stdin(&format!(
            "exec {closed}>&-; while read x; do echo $x >&{open}; done; exit 4"
        ));
        let mut stdin = program.stdin();
        for word in ["one", "two", "three"] {
            writeln!(stdin, "{word}").expect("write");
            assert_eq!(program.line(), format!("{mark}{word}"));
        }
        drop(stdin);
        let (lines, _, status) = program.end();
        assert_eq!(lines, [""; 0]);
        assert_eq!(status.code(), Some(4));
    }
}

/// A shell that can be told something.
fn with_stdin(script: &str) -> Program {
    let mut command = runner::command(example("child_output"));
    Program::spawn(command.args(["sh", "-c", script]).stdin(Stdio::piped()))
}

#[test]
fn a_signal_shows_in_the_status() {
    let (_, _, code) = run("kill -9 $$");
    assert_eq!(code, Some(128 + 9));
}

#[test]
fn a_command_that_is_missing_is_an_error() {
    let (lines, errors, status) = Program::start("child_output", &["/no/such/command"]).end();
    assert_eq!(status.code(), Some(127));
    assert_eq!(lines, [""; 0]);
    assert_eq!(errors.len(), 1, "{errors:?}");
    assert!(
        errors[0].starts_with("child_output: /no/such/command: "),
        "{errors:?}"
    );

    let (_, errors, status) = Program::start("child_output", &["/"]).end();
    assert_eq!(status.code(), Some(126), "{errors:?}");
}

#[test]
fn ends_when_nobody_reads() {
    // Its standard output goes through `head`, which leaves after a line; the command itself would never end.
    let mut command = Command::new("sh");
    command
        .args(["-c", "\"$0\" \"$@\" yes | head -n 1"])
        .args(runner::words(example("child_output")))
        .stdin(Stdio::null());
    let (lines, _, _) = Program::spawn(&mut command).end();
    assert_eq!(lines, ["out| y"]);
}
