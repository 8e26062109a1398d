//! `udp_blast`.

use crate::program::{refuses, Program};

#[test]
fn command_line() {
    refuses(
        "udp_blast",
        &[
            &["nonsense"],
            &["--size"],
            &["--size", "31"],
            &["--size", "65508"],
            &["--seconds", "soon"],
            &["send"],
            &["send", "nobody"],
            &["receive", "127.0.0.1"],
        ],
    );
}

/// The number behind `before` in a line that begins with it.
fn number(lines: &[String], before: &str) -> f64 {
    let line = lines
        .iter()
        .find_map(|line| line.strip_prefix(before))
        .unwrap_or_else(|| panic!("no `{before}`: {lines:?}"));
    let word = line.split_whitespace().next().expect("a number");
    word.parse().expect("a number")
}

fn to_itself(options: &[&str]) -> Vec<String> {
    let arguments = [&["--seconds", "1"], options].concat();
    let (lines, errors, status) = Program::start("udp_blast", &arguments).end();
    assert!(status.success(), "{errors:?}");
    let sent = number(&lines, "sent ");
    let received = number(&lines, "received ");
    let lost = number(&lines, "lost ");
    assert!(sent > 0.0 && received > 0.0, "{lines:?}");
    assert_eq!(sent, received + lost, "{lines:?}");
    lines
}

#[test]
fn everything_is_counted() {
    for options in [&[][..], &["--size", "32"], &["--size", "65507"]] {
        to_itself(options);
    }
}

#[test]
fn what_is_in_force_is_told() {
    let lines = to_itself(&["--portable"]);
    for line in [
        "sending: up to 1 for each system call, of up to 1 segments; ECN marks: no",
        "receiving: up to 1 for each system call, of up to 1 put together; ECN marks: no",
    ] {
        assert!(lines.iter().any(|other| other == line), "{lines:?}");
    }
}

#[test]
fn from_one_program_to_another() {
    let mut receiver = Program::start("udp_blast", &["receive", "127.0.0.1:0"]);
    let address = receiver.listening_on();
    assert!(receiver.line().starts_with("receiving: "));
    // One after the other is counted by itself.
    for _ in 0..2 {
        let arguments = ["--seconds", "1", "send", &address];
        let (lines, errors, status) = Program::start("udp_blast", &arguments).end();
        assert!(status.success(), "{errors:?}");
        let sent = number(&lines, "sent ");
        let lines = [receiver.line(), receiver.line()];
        let counted = number(&lines, "received ") + number(&lines, "lost ");
        assert_eq!(counted, sent, "{lines:?}");
    }
}

#[test]
fn nobody_receives() {
    // Connected to itself, so it does not take what others send, and keeps its port from those who would.
    let deaf = std::net::UdpSocket::bind("127.0.0.1:0").expect("bind");
    let address = deaf.local_addr().expect("an address");
    deaf.connect(address).expect("connect");
    let address = address.to_string();
    let arguments = ["--seconds", "0", "send", &address];
    let (_, errors, status) = Program::start("udp_blast", &arguments).end();
    assert!(!status.success());
    assert!(errors[0].contains("does not answer"), "{errors:?}");
}
