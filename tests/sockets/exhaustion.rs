//! No descriptors left: an error each time, nothing lost, and life goes on when there are some again.

use std::fs::File;
use std::io;
use std::net;
use std::os::fd::AsRawFd;

use mio::net::{TcpListener, TcpStream, UdpSocket, UnixDatagram, UnixListener, UnixStream};
use mio::{Backend, Interest, Poll, Token, Trigger, Waker};
use rustix::io::Errno;
use rustix::process::{getrlimit, setrlimit, Resource, Rlimit};

use crate::own_process::in_own_process;
use crate::util::{any_v4, on_each_backend, os_error};

/// Lets this process open `more` further descriptors, and returns the limit before.
fn leave(more: usize) -> Rlimit {
    let old = getrlimit(Resource::Nofile);
    // The kernel gives out the lowest number that is free; from here on there are no gaps.
    let held: Vec<File> = (0..=more)
        .map(|_| File::open("/dev/null").unwrap())
        .collect();
    let first_too_many = held.iter().map(AsRawFd::as_raw_fd).max().unwrap();
    drop(held);
    let new = Rlimit {
        current: Some(first_too_many as u64),
        maximum: old.maximum,
    };
    setrlimit(Resource::Nofile, new).unwrap();
    old
}

#[track_caller]
fn too_many<T>(result: io::Result<T>) {
    os_error(result, Errno::MFILE);
}

#[test]
fn while_accepting() {
    in_own_process("exhaustion::while_accepting", || {
        on_each_backend(|queue| {
            let mut listener = TcpListener::bind(any_v4()).unwrap();
            let address = listener.local_addr().unwrap();
            queue
                .registry()
                .with_trigger(Trigger::Level)
                .register(&mut listener, Token(1), Interest::READABLE)
                .unwrap();
            let clients: Vec<_> = (0..3)
                .map(|_| net::TcpStream::connect(address).unwrap())
                .collect();

            let old = leave(0);
            for _ in 0..3 {
                // The loop goes on, and the connections wait.
                queue.expect(1, |event| event.is_readable());
                too_many(listener.accept());
            }
            setrlimit(Resource::Nofile, old).unwrap();
            for _ in &clients {
                queue.expect(1, |event| event.is_readable());
                listener.accept().unwrap();
            }
        });
    });
}

/// With the default trigger there is no second event for connections that were not taken; they are there all the same.
#[test]
fn while_accepting_on_edges() {
    in_own_process("exhaustion::while_accepting_on_edges", || {
        on_each_backend(|queue| {
            let folder = tempfile::tempdir().unwrap();
            let path = folder.path().join("socket");
            let mut tcp = TcpListener::bind(any_v4()).unwrap();
            let mut unix = UnixListener::bind(&path).unwrap();
            queue.register(&mut tcp, 1, Interest::READABLE);
            queue.register(&mut unix, 2, Interest::READABLE);
            let _client = net::TcpStream::connect(tcp.local_addr().unwrap()).unwrap();
            let _other = UnixStream::connect(&path).unwrap();
            let old = leave(0);
            for _ in 0..2 {
                too_many(tcp.accept());
                too_many(unix.accept());
            }
            setrlimit(Resource::Nofile, old).unwrap();
            tcp.accept().unwrap();
            unix.accept().unwrap();
        });
    });
}

#[test]
fn while_making_anything() {
    in_own_process("exhaustion::while_making_anything", || {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("socket");
        let _receiver = UnixListener::bind(&path).unwrap();
        let address = net::TcpListener::bind(any_v4()).unwrap();
        let address = address.local_addr().unwrap();
        let poll = Poll::new().unwrap();

        let old = leave(0);
        too_many(TcpListener::bind(any_v4()));
        too_many(TcpStream::connect(address));
        too_many(UdpSocket::bind(any_v4()));
        too_many(UnixListener::bind(folder.path().join("other")));
        too_many(UnixStream::connect(&path));
        too_many(UnixStream::pair());
        too_many(UnixDatagram::bind(folder.path().join("other")));
        too_many(UnixDatagram::unbound());
        too_many(UnixDatagram::pair());
        #[cfg(feature = "os-ext")]
        too_many(mio::unix::pipe::new());
        for backend in Backend::available() {
            too_many(Poll::builder().backend(backend).build());
        }
        if poll.backend() == Backend::Epoll {
            too_many(Waker::new(poll.registry(), Token(0)));
        }
        assert!(!folder.path().join("other").exists());
        setrlimit(Resource::Nofile, old).unwrap();
    });
}

/// What fails half-way leaves nothing open: the one descriptor that is left can be had again and again.
#[test]
fn half_way() {
    in_own_process("exhaustion::half_way", || {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("taken");
        let _listener = UnixListener::bind(&path).unwrap();
        let taken = net::TcpListener::bind(any_v4()).unwrap();
        let taken = taken.local_addr().unwrap();
        let _holder = net::TcpListener::bind(taken);
        let old = leave(1);
        for _ in 0..5 {
            too_many(UnixStream::pair());
            too_many(UnixDatagram::pair());
            #[cfg(feature = "os-ext")]
            too_many(mio::unix::pipe::new());
            UnixListener::bind(&path).unwrap_err();
            UnixDatagram::bind(&path).unwrap_err();
            UnixStream::connect(folder.path().join("nobody")).unwrap_err();
            TcpListener::bind("198.51.100.1:0".parse().unwrap()).unwrap_err();
            TcpStream::connect("255.255.255.255:9".parse().unwrap()).unwrap_err();
            UdpSocket::bind("198.51.100.1:0".parse().unwrap()).unwrap_err();
            UdpSocket::bind(any_v4()).unwrap();
        }
        setrlimit(Resource::Nofile, old).unwrap();
    });
}
