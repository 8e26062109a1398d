//! Programs that are started while another thread makes sockets inherit none of them.
//!
//! A socket that is made first and marked "close on exec" afterwards passes every other test. Here children are started
//! all the time, and each tells what it has open.

use std::collections::BTreeSet;
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use mio::net::{TcpListener, TcpStream, UdpSocket, UnixDatagram, UnixListener, UnixStream};
use mio::{Backend, Poll, Token, Waker};

use crate::own_process::in_own_process;
use crate::util::any_v4;

const CHILDREN: usize = 300;

/// What a new child has open, by the names in `/proc`, which are unique for each socket and pipe.
fn open_in_a_child() -> BTreeSet<String> {
    let output = Command::new("ls")
        .args(["-l", "/proc/self/fd"])
        .stdin(Stdio::null())
        .stderr(Stdio::null())
        .output()
        .unwrap();
    let listing = String::from_utf8(output.stdout).unwrap();
    let targets = listing.lines().filter_map(|line| line.split_once(" -> "));
    let targets: BTreeSet<String> = targets.map(|(_, target)| target.to_owned()).collect();
    assert!(targets.contains("/dev/null"), "{listing}");
    targets
}

/// Makes one of everything, each kind of descriptor in each way.
fn make_everything() {
    let listener = TcpListener::bind(any_v4()).unwrap();
    let _client = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
    let _server = listener.accept();
    let _udp = UdpSocket::bind(any_v4()).unwrap();

    let unix = UnixListener::bind("").unwrap();
    let _client = UnixStream::connect_addr(&unix.local_addr().unwrap()).unwrap();
    let _server = unix.accept().unwrap();
    let _pair = UnixStream::pair().unwrap();
    let _pair = UnixDatagram::pair().unwrap();
    let _socket = UnixDatagram::unbound().unwrap();
    let _socket = UnixDatagram::bind("").unwrap();
    #[cfg(feature = "os-ext")]
    let _pipe = mio::unix::pipe::new().unwrap();

    for backend in Backend::available() {
        let poll = Poll::builder().backend(backend).build().unwrap();
        let _waker = Waker::new(poll.registry(), Token(0)).unwrap();
    }
}

#[test]
fn children_inherit_nothing() {
    in_own_process("exec_race::children_inherit_nothing", || {
        // What this process was itself started with is not ours.
        let before = open_in_a_child();
        let stop = AtomicBool::new(false);
        thread::scope(|scope| {
            scope.spawn(|| {
                while !stop.load(Ordering::Relaxed) {
                    make_everything();
                }
            });
            for _ in 0..CHILDREN {
                let leaked: Vec<String> = open_in_a_child()
                    .difference(&before)
                    .filter(|target| {
                        // Each child has a pipe of its own for its output.
                        target.starts_with("socket:") || target.starts_with("anon_inode:")
                    })
                    .cloned()
                    .collect();
                if !leaked.is_empty() {
                    stop.store(true, Ordering::Relaxed);
                    panic!("a child has {leaked:?}");
                }
            }
            stop.store(true, Ordering::Relaxed);
        });
    });
}

/// Pipes cannot be told from those of `Command` by their names, so count: input, output, errors, and the folder itself.
#[cfg(feature = "os-ext")]
#[test]
fn children_inherit_no_pipe() {
    in_own_process("exec_race::children_inherit_no_pipe", || {
        let pipes = |open: &BTreeSet<String>| {
            let pipes = open.iter().filter(|target| target.starts_with("pipe:"));
            pipes.count()
        };
        let before = pipes(&open_in_a_child());
        let stop = AtomicBool::new(false);
        thread::scope(|scope| {
            scope.spawn(|| {
                while !stop.load(Ordering::Relaxed) {
                    mio::unix::pipe::new().unwrap();
                }
            });
            let most = (0..CHILDREN).map(|_| pipes(&open_in_a_child())).max();
            stop.store(true, Ordering::Relaxed);
            assert_eq!(most, Some(before));
        });
    });
}
