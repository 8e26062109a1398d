//! Descriptors in and out: every type lends its own, gives it away, and takes one over.

use std::fmt::Debug;
use std::io::{self, Read, Write};
use std::os::fd::{AsFd, AsRawFd, FromRawFd, IntoRawFd, OwnedFd};

use mio::event::Source;
use mio::net::{TcpListener, TcpStream, UdpSocket, UnixDatagram, UnixListener, UnixStream};
use mio::{Interest, Poll, Waker};
use rustix::io::Errno;

use crate::raw::convert;
use crate::util::{any_v4, on_each_backend, Loop};

/// Through each conversion and back; the open file is the same all the time.
fn round_trip<T>(source: T) -> T
where
    T: AsFd + AsRawFd + IntoRawFd + FromRawFd + From<OwnedFd> + Into<OwnedFd>,
{
    // Systems differ in the type of the number.
    let inode = |source: &T| rustix::fs::fstat(source).unwrap().st_ino;

    let number = source.as_raw_fd();
    let before = inode(&source);
    assert_eq!(source.as_fd().as_raw_fd(), number);

    let fd: OwnedFd = source.into();
    assert_eq!(fd.as_raw_fd(), number);
    let source = T::from(fd);
    assert_eq!(source.as_raw_fd(), number);
    assert_eq!(inode(&source), before);

    let fd: OwnedFd = convert(source);
    assert_eq!(fd.as_raw_fd(), number);
    let source: T = convert(fd);
    assert_eq!(source.as_raw_fd(), number);
    assert_eq!(inode(&source), before);
    source
}

#[test]
fn of_tcp() {
    let listener = round_trip(TcpListener::bind(any_v4()).unwrap());
    let address = listener.local_addr().unwrap();
    let stream = round_trip(TcpStream::connect(address).unwrap());
    // The connection may still be under way: that is the socket's affair.
    drop(stream);
}

#[test]
fn of_udp() {
    let socket = round_trip(UdpSocket::bind(any_v4()).unwrap());
    socket.send_to(b"x", socket.local_addr().unwrap()).unwrap();
    assert_eq!(socket.recv(&mut [0; 4]).unwrap(), 1);
}

#[test]
fn of_unix_sockets() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("socket");
    let listener = round_trip(UnixListener::bind(&path).unwrap());
    let mut client = round_trip(UnixStream::connect(&path).unwrap());
    let (server, _) = listener.accept().unwrap();
    let mut server = round_trip(server);
    client.write_all(b"x").unwrap();
    server.read_exact(&mut [0]).unwrap();

    let (left, right) = UnixDatagram::pair().unwrap();
    let (left, right) = (round_trip(left), round_trip(right));
    left.send(b"x").unwrap();
    assert_eq!(right.recv(&mut [0; 4]).unwrap(), 1);
}

#[cfg(feature = "os-ext")]
#[test]
fn of_pipes() {
    let (sender, receiver) = mio::unix::pipe::new().unwrap();
    let (mut sender, mut receiver) = (round_trip(sender), round_trip(receiver));
    sender.write_all(b"x").unwrap();
    receiver.read_exact(&mut [0]).unwrap();
}

#[test]
fn of_queues() {
    let poll = Poll::new().unwrap();
    let number = poll.as_raw_fd();
    assert_eq!(poll.as_fd().as_raw_fd(), number);
    assert_eq!(poll.registry().as_raw_fd(), number);
    assert_eq!(poll.registry().as_fd().as_raw_fd(), number);
    assert_eq!(poll.registry().try_clone().unwrap().as_raw_fd(), number);
}

/// A wake shows on the queue's descriptor, so that an outer loop can wait for it.
#[test]
fn of_queues_are_readable_after_a_wake() {
    use rustix::event::{poll, PollFd, PollFlags, Timespec};

    const NOW: Timespec = Timespec {
        tv_sec: 0,
        tv_nsec: 0,
    };

    on_each_backend(|queue| {
        let waker = Waker::new(queue.registry(), mio::Token(1)).unwrap();
        let shows = |queue: &Loop| {
            let mut fds = [PollFd::new(&queue.poll, PollFlags::IN)];
            poll(&mut fds, Some(&NOW)).unwrap() == 1
        };
        for _ in 0..2 {
            assert!(!shows(queue));
            waker.wake().unwrap();
            assert!(shows(queue));
            queue.expect(1, |event| event.is_readable());
        }
    });
}

/// Giving the descriptor away ends no registration: the open file is still there.
fn registration_survives<T, U>(queue: &mut Loop, mut source: T)
where
    T: Source + Into<U>,
    U: AsRawFd + IntoRawFd,
    T: FromRawFd,
{
    queue.register(&mut source, 9, Interest::WRITABLE);
    let given: U = source.into();
    queue.expect(9, |event| event.is_writable());
    let mut source: T = convert(given);
    queue
        .registry()
        .reregister(&mut source, mio::Token(10), Interest::WRITABLE)
        .unwrap();
    queue.expect(10, |event| event.is_writable());
    queue.registry().deregister(&mut source).unwrap();
    assert!(!queue.has_now(10, |_| true));
}

#[test]
fn given_away_while_registered() {
    on_each_backend(|queue| {
        let udp = || UdpSocket::bind(any_v4()).unwrap();
        registration_survives::<_, OwnedFd>(queue, udp());
        registration_survives::<_, std::net::UdpSocket>(queue, udp());
        let stream = || UnixStream::pair().unwrap();
        let (near, _far) = stream();
        registration_survives::<_, OwnedFd>(queue, near);
        let (near, _far) = stream();
        registration_survives::<_, std::os::unix::net::UnixStream>(queue, near);
        #[cfg(feature = "os-ext")]
        {
            let (sender, _receiver) = mio::unix::pipe::new().unwrap();
            registration_survives::<_, OwnedFd>(queue, sender);
        }
    });
}

/// A socket in a type of another family moves bytes as ever. What needs an address is an error, and nothing is kept.
#[test]
fn of_another_family() {
    fn refused<A: Debug>(address: io::Result<A>) {
        let error = address.unwrap_err();
        let expected = [io::ErrorKind::InvalidInput, io::ErrorKind::Unsupported];
        let code = error.raw_os_error() == Some(Errno::AFNOSUPPORT.raw_os_error());
        assert!(code || expected.contains(&error.kind()), "{error:?}");
    }

    let (unix, mut peer) = UnixStream::pair().unwrap();
    let mut stream = TcpStream::from(OwnedFd::from(unix));
    stream.write_all(b"bytes").unwrap();
    let mut buffer = [0; 8];
    assert_eq!(peer.read(&mut buffer).unwrap(), 5);
    refused(stream.local_addr());
    refused(stream.peer_addr());

    let (near, far) = UnixDatagram::pair().unwrap();
    let udp = UdpSocket::from(OwnedFd::from(near));
    refused(udp.local_addr());
    far.send(b"one").unwrap();
    far.send(b"two").unwrap();
    refused(udp.peek_from(&mut buffer));
    refused(udp.recv_from(&mut buffer));
    assert_eq!(udp.recv(&mut buffer).unwrap(), 3);
    assert_eq!(&buffer[..3], b"two");

    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("socket");
    let listener = TcpListener::from(OwnedFd::from(UnixListener::bind(&path).unwrap()));
    let mut client = std::os::unix::net::UnixStream::connect(&path).unwrap();
    refused(listener.accept().map(|(_, address)| address));
    // The connection whose address was refused is closed.
    assert_eq!(client.read(&mut buffer).unwrap(), 0);

    let internet = std::net::UdpSocket::bind(any_v4()).unwrap();
    let unix = UnixDatagram::from(OwnedFd::from(internet));
    refused(unix.local_addr());
}
