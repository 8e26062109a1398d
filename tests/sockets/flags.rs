//! Everything that is made here is closed on `exec`, and every socket and pipe is non-blocking, from its first moment on.
//!
//! From the first moment: that there is no gap for a `fork` to fall into is tested in `exec_race`.

use std::os::fd::AsFd;

use mio::net::{TcpListener, TcpStream, UdpSocket, UnixDatagram, UnixListener, UnixStream};
use mio::{Backend, Poll};
use rustix::fs::{fcntl_getfl, OFlags};
use rustix::io::{fcntl_getfd, FdFlags};

use crate::util::{any_v4, each_family};

#[track_caller]
fn closed_on_exec(what: &str, fd: &impl AsFd) {
    let flags = fcntl_getfd(fd).unwrap();
    assert!(flags.contains(FdFlags::CLOEXEC), "{what}: {flags:?}");
}

#[track_caller]
fn well_made(what: &str, fd: &impl AsFd) {
    closed_on_exec(what, fd);
    let flags = fcntl_getfl(fd).unwrap();
    assert!(flags.contains(OFlags::NONBLOCK), "{what}: {flags:?}");
}

#[test]
fn of_tcp_and_udp() {
    for any in each_family() {
        let listener = TcpListener::bind(any).unwrap();
        well_made("TcpListener::bind", &listener);
        let stream = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        well_made("TcpStream::connect", &stream);
        let _client = std::net::TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        let (stream, _) = listener.accept().unwrap();
        well_made("TcpListener::accept", &stream);
        well_made("UdpSocket::bind", &UdpSocket::bind(any).unwrap());
    }
}

#[test]
fn of_unix_sockets() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("stream");
    let listener = UnixListener::bind(&path).unwrap();
    well_made("UnixListener::bind", &listener);
    let stream = UnixStream::connect(&path).unwrap();
    well_made("UnixStream::connect", &stream);
    let (stream, _) = listener.accept().unwrap();
    well_made("UnixListener::accept", &stream);
    let address = listener.local_addr().unwrap();
    well_made(
        "UnixStream::connect_addr",
        &UnixStream::connect_addr(&address).unwrap(),
    );
    let (left, right) = UnixStream::pair().unwrap();
    well_made("UnixStream::pair", &left);
    well_made("UnixStream::pair", &right);

    let socket = UnixDatagram::bind(folder.path().join("datagram")).unwrap();
    well_made("UnixDatagram::bind", &socket);
    let unbound = UnixDatagram::unbound().unwrap();
    well_made("UnixDatagram::unbound", &unbound);
    let (left, right) = UnixDatagram::pair().unwrap();
    well_made("UnixDatagram::pair", &left);
    well_made("UnixDatagram::pair", &right);

    let path = std::os::unix::net::SocketAddr::from_pathname(folder.path().join("other")).unwrap();
    well_made(
        "UnixListener::bind_addr",
        &UnixListener::bind_addr(&path).unwrap(),
    );
    let path = std::os::unix::net::SocketAddr::from_pathname(folder.path().join("third")).unwrap();
    well_made(
        "UnixDatagram::bind_addr",
        &UnixDatagram::bind_addr(&path).unwrap(),
    );
}

#[cfg(feature = "os-ext")]
#[test]
fn of_pipes() {
    let (sender, receiver) = mio::unix::pipe::new().unwrap();
    well_made("pipe::new", &sender);
    well_made("pipe::new", &receiver);
}

#[test]
fn of_queues() {
    for backend in Backend::available() {
        let poll = Poll::builder().backend(backend).build().unwrap();
        closed_on_exec("Poll", &poll);
        closed_on_exec("Registry", poll.registry());
    }
}

/// A waker shows its descriptor to nobody, so look at what the process has open. Where it is a pipe, it is one as users
/// make them.
#[cfg(all(target_os = "linux", not(mio_unsupported_force_waker_pipe)))]
#[test]
fn of_wakers() {
    use std::fs;

    let queues: Vec<Poll> = Backend::available()
        .map(|backend| Poll::builder().backend(backend).build().unwrap())
        .collect();
    let wakers: Vec<_> = queues
        .iter()
        .map(|poll| mio::Waker::new(poll.registry(), mio::Token(0)).unwrap())
        .collect();

    let mut seen = 0;
    for entry in fs::read_dir("/proc/self/fd").unwrap() {
        let entry = entry.unwrap();
        // Descriptors of other tests come and go. All eventfds of this program are wakers.
        let Ok(target) = fs::read_link(entry.path()) else {
            continue;
        };
        if target.as_os_str() != "anon_inode:[eventfd]" {
            continue;
        }
        let info = format!("/proc/self/fdinfo/{}", entry.file_name().to_string_lossy());
        let Ok(info) = fs::read_to_string(info) else {
            continue;
        };
        let flags = info
            .lines()
            .find_map(|line| line.strip_prefix("flags:"))
            .map(|octal| u32::from_str_radix(octal.trim(), 8).unwrap());
        let flags = OFlags::from_bits_retain(flags.unwrap());
        assert!(flags.contains(OFlags::NONBLOCK | OFlags::CLOEXEC), "{info}");
        seen += 1;
    }
    assert!(seen >= wakers.len(), "{seen} of {}", wakers.len());
}

/// What others made stays as they made it.
#[test]
fn of_what_is_taken_over() {
    let blocking = std::net::UdpSocket::bind(any_v4()).unwrap();
    let socket = UdpSocket::from_std(blocking);
    let flags = fcntl_getfl(&socket).unwrap();
    assert!(!flags.contains(OFlags::NONBLOCK), "{flags:?}");
}
