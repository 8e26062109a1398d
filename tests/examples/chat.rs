//! `chat`.

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::SocketAddr;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::sync::mpsc;
use std::thread;

use socket2::{Domain, SockAddr, Socket, Type};
use tempfile::TempDir;

use crate::client::{connect, connect_small};
use crate::program::{refuses, Program, PATIENCE};

/// A chat room and the folder of its socket file.
struct Room {
    program: Program,
    tcp: SocketAddr,
    unix: PathBuf,
    folder: TempDir,
}

impl Room {
    fn new() -> Room {
        Room::within(tempfile::tempdir().expect("a folder"))
    }

    fn within(folder: TempDir) -> Room {
        let unix = folder.path().join("chat");
        let mut program = start(&unix);
        let tcp = program.address();
        assert_eq!(Path::new(&program.listening_on()), unix);
        Room {
            program,
            tcp,
            unix,
            folder,
        }
    }

    fn over_tcp(&self, name: &str) -> Guest {
        let stream = connect(self.tcp);
        Guest::new(stream.try_clone().expect("clone"), stream, name)
    }

    fn over_unix(&self, name: &str) -> Guest {
        let stream = UnixStream::connect(&self.unix).expect("connect");
        stream.set_read_timeout(Some(PATIENCE)).expect("timeout");
        stream.set_write_timeout(Some(PATIENCE)).expect("timeout");
        Guest::new(stream.try_clone().expect("clone"), stream, name)
    }
}

fn start(unix: &Path) -> Program {
    Program::start(
        "chat",
        &["127.0.0.1:0", unix.to_str().expect("a path of this test")],
    )
}

struct Guest {
    lines: BufReader<Box<dyn Read + Send>>,
    stream: Box<dyn Write + Send>,
}

impl Guest {
    /// One that has given its name, and has been let in.
    fn new(
        lines: impl Read + Send + 'static,
        stream: impl Write + Send + 'static,
        name: &str,
    ) -> Guest {
        let mut guest = Guest {
            lines: BufReader::new(Box::new(lines)),
            stream: Box::new(stream),
        };
        guest.hears("* Your name, please.");
        guest.says(name);
        let line = guest.line();
        assert!(line.starts_with(&format!("* Welcome, {name}.")), "{line}");
        guest
    }

    fn says(&mut self, line: &str) {
        self.stream
            .write_all(format!("{line}\n").as_bytes())
            .expect("write");
    }

    fn line(&mut self) -> String {
        let mut line = String::new();
        self.lines.read_line(&mut line).expect("read");
        line.strip_suffix('\n').expect("a whole line").to_owned()
    }

    fn hears(&mut self, expected: &str) {
        assert_eq!(self.line(), expected);
    }
}

#[test]
fn command_line() {
    refuses("chat", &[&["nonsense"], &["127.0.0.1:0", "path", "more"]]);
}

#[test]
fn everybody_hears_the_others() {
    let room = Room::new();
    let mut ann = room.over_tcp("ann");
    let mut bob = room.over_unix("bob");
    ann.hears("* bob has come.");
    let mut eve = room.over_unix("eve");
    ann.hears("* eve has come.");
    bob.hears("* eve has come.");

    ann.says("hello");
    bob.hears("ann: hello");
    eve.hears("ann: hello");
    bob.says("grüß \u{1b}[31mdich\r");
    ann.hears("bob: grüß [31mdich");
    eve.hears("bob: grüß [31mdich");

    drop(eve);
    ann.hears("* eve has left.");
    bob.hears("* eve has left.");
    drop(ann);
    bob.hears("* ann has left.");
}

#[test]
fn tcp_alone() {
    let mut program = Program::start("chat", &["127.0.0.1:0"]);
    let address = program.address();
    let [mut ann, mut bob] = ["ann", "bob"].map(|name| {
        let stream = connect(address);
        Guest::new(stream.try_clone().expect("clone"), stream, name)
    });
    ann.hears("* bob has come.");
    bob.says("hello");
    ann.hears("bob: hello");
}

#[test]
fn names_have_to_be_good() {
    let room = Room::new();
    let mut ann = room.over_tcp("ann");
    let mut bob = room.over_unix("robert");
    let stream = connect(room.tcp);
    let mut other = Guest {
        lines: BufReader::new(Box::new(stream.try_clone().expect("clone"))),
        stream: Box::new(stream),
    };
    other.hears("* Your name, please.");
    for name in [
        "",
        " \u{7}",
        "ann",
        "robert",
        "somebody with a very long name",
    ] {
        other.says(name);
        other.hears("* Another name, please: shorter, or not taken yet.");
    }
    // Who has no name hears nothing yet.
    ann.hears("* robert has come.");
    ann.says("is there anybody?");
    bob.hears("ann: is there anybody?");
    other.says("eve");
    other.hears("* Welcome, eve. Others here: 2.");
    ann.hears("* eve has come.");
}

#[test]
fn lines_in_pieces_and_several_at_once() {
    let room = Room::new();
    let mut ann = room.over_tcp("ann");
    let mut bob = room.over_tcp("bob");
    ann.hears("* bob has come.");
    for byte in b"one\ntwo\n" {
        ann.stream
            .write_all(std::slice::from_ref(byte))
            .expect("write");
    }
    ann.stream.write_all(b"three\n\n\nfour\nfi").expect("write");
    ann.stream.write_all(b"ve\n").expect("write");
    for word in ["one", "two", "three", "four", "five"] {
        bob.hears(&format!("ann: {word}"));
    }
}

#[test]
fn an_overlong_line_is_not_passed_on() {
    let room = Room::new();
    let mut ann = room.over_tcp("ann");
    let mut bob = room.over_unix("bob");
    ann.hears("* bob has come.");
    for length in [1025, 5000, 100_000] {
        bob.says(&"x".repeat(length));
        bob.says("short");
        bob.hears("* Shorter lines, please: that one was not passed on.");
        ann.hears("bob: short");
    }
    // One that becomes too long after a pause. Bob has heard Ann when his own words have been heard.
    let half = "x".repeat(700);
    bob.stream.write_all(half.as_bytes()).expect("write");
    ann.says("go on");
    bob.hears("ann: go on");
    bob.says(&half);
    bob.hears("* Shorter lines, please: that one was not passed on.");

    let longest = "x".repeat(1023);
    bob.says(&longest);
    ann.hears(&format!("bob: {longest}"));
}

#[test]
fn a_slow_guest_is_disconnected() {
    let room = Room::new();
    let mut ann = room.over_tcp("ann");
    let mut bob = room.over_unix("bob");
    ann.hears("* bob has come.");
    let stream = connect_small(room.tcp);
    let mut slow = Guest::new(stream.try_clone().expect("clone"), stream, "slow");
    ann.hears("* slow has come.");
    bob.hears("* slow has come.");
    let before = room.program.peak_memory();

    // Bob reads all the time, and tells when he has heard enough for Ann to go on.
    let (heard, listens) = mpsc::channel();
    let bob = thread::spawn(move || loop {
        let line = bob.line();
        let over = line == "* slow was too slow.";
        if over || line == "ann: enough" {
            heard.send(over).expect("Ann waits");
        }
        if over {
            return bob;
        }
    });
    let speech = format!("{}\n", "x".repeat(1000)).repeat(32) + "enough\n";
    let mut said = 0;
    loop {
        ann.stream.write_all(speech.as_bytes()).expect("write");
        said += speech.len();
        if listens.recv_timeout(PATIENCE).expect("Bob listens") {
            break;
        }
        assert!(
            said < 1 << 30,
            "so much was queued for one who does not read"
        );
    }
    ann.hears("* slow was too slow.");
    if let (Some(before), Some(after)) = (before, room.program.peak_memory()) {
        assert!(after - before < 2 * 1024 * 1024, "{}", after - before);
    }

    // What had left before is still there, then comes the end.
    let mut rest = Vec::new();
    let _ = slow.lines.read_to_end(&mut rest);
    let mut bob = bob.join().expect("Bob");
    bob.says("finally");
    ann.hears("bob: finally");
}

#[test]
fn a_stale_socket_file_is_replaced() {
    let folder = tempfile::tempdir().expect("a folder");
    // Nobody has ever listened on it: of one who has, a process that another test has started may have a copy.
    let stale = Socket::new(Domain::UNIX, Type::STREAM, None).expect("socket");
    let path = SockAddr::unix(folder.path().join("chat")).expect("an address");
    stale.bind(&path).expect("bind");
    drop(stale);
    let room = Room::within(folder);
    room.over_unix("ann");

    // The room's own, after it was killed.
    let Room {
        program, folder, ..
    } = room;
    program.kill();
    assert!(folder.path().join("chat").exists());
    Room::within(folder).over_unix("bob");
}

#[test]
fn what_is_in_use_is_left_alone() {
    let room = Room::new();
    let mut ann = room.over_unix("ann");
    let file = room.folder.path().join("file");
    fs::write(&file, "precious").expect("write");
    for path in [&room.unix, &file] {
        let (stdout, stderr, status) = start(path).end();
        assert_eq!(status.code(), Some(1));
        assert_eq!(stdout, [""; 0]);
        let start = format!("chat: {}: ", path.display());
        assert!(stderr[0].starts_with(&start), "{stderr:?}");
    }
    assert_eq!(fs::read_to_string(&file).expect("read"), "precious");
    let _bob = room.over_unix("bob");
    ann.hears("* bob has come.");
}

#[test]
fn more_guests_than_descriptors() {
    let folder = tempfile::tempdir().expect("a folder");
    let unix = folder.path().join("chat");
    let path = unix.to_str().expect("a path of this test");
    let mut program = Program::start_limited("chat", &["127.0.0.1:0", path], 24);
    let tcp = program.address();
    program.listening_on();
    // At least the standard ones, the queue and a listener of each kind.
    let own = program.descriptors().unwrap_or(6);
    let mut inside: Vec<Guest> = (own..24)
        .map(|index| {
            let stream = connect(tcp);
            let name = format!("guest {index}");
            Guest::new(stream.try_clone().expect("clone"), stream, &name)
        })
        .collect();
    let stream = connect(tcp);
    let line = program.error_line();
    assert!(line.starts_with("chat: cannot accept for now: "), "{line}");
    drop(inside.pop());
    let mut late = Guest::new(stream.try_clone().expect("clone"), stream, "late");
    late.says("here I am");
    while inside[0].line() != "late: here I am" {}
}
