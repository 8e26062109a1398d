//! `UnixDatagram`.

use std::io::{self, ErrorKind};
use std::net::Shutdown;
use std::os::unix::net as std_net;

use mio::net::UnixDatagram;
use mio::Interest;
use tempfile::tempdir;

use crate::facts::FULL_RECEIVERS_BLOCK;
use crate::util::{on_each_backend, os_error, refused, undisturbed, would_block, Code, Loop, BOTH};

/// Connected sockets, the first of which is registered under token 1.
fn registered(queue: &Loop, interest: Interest) -> (UnixDatagram, UnixDatagram) {
    let (mut near, far) = UnixDatagram::pair().unwrap();
    queue.register(&mut near, 1, interest);
    (near, far)
}

#[test]
fn by_path() {
    on_each_backend(|queue| {
        let folder = tempdir().unwrap();
        let (here, there) = (folder.path().join("here"), folder.path().join("there"));
        let mut receiver = UnixDatagram::bind(&here).unwrap();
        let local = receiver.local_addr().unwrap();
        assert_eq!(local.as_pathname(), Some(here.as_path()));
        queue.register(&mut receiver, 1, Interest::READABLE);
        let mut buffer = [0; 16];
        would_block(receiver.recv_from(&mut buffer));

        let named = UnixDatagram::bind(&there).unwrap();
        let unnamed = UnixDatagram::unbound().unwrap();
        assert!(unnamed.local_addr().unwrap().is_unnamed());
        for _ in 0..2 {
            assert_eq!(named.send_to(b"named", &here).unwrap(), 5);
            let (n, from) = queue.finish(|| receiver.recv_from(&mut buffer)).unwrap();
            assert_eq!(&buffer[..n], b"named");
            assert_eq!(from.as_pathname(), Some(there.as_path()));

            assert_eq!(unnamed.send_to(b"unnamed", &here).unwrap(), 7);
            let (n, from) = queue.finish(|| receiver.recv_from(&mut buffer)).unwrap();
            assert_eq!(&buffer[..n], b"unnamed");
            assert!(from.is_unnamed());
            would_block(receiver.recv_from(&mut buffer));
        }
    });
}

#[test]
fn by_address() {
    let folder = tempdir().unwrap();
    let path = folder.path().join("socket");
    let address = std_net::SocketAddr::from_pathname(&path).unwrap();
    let receiver = UnixDatagram::bind_addr(&address).unwrap();
    let sender = UnixDatagram::unbound().unwrap();
    sender.send_to(b"x", &path).unwrap();
    assert_eq!(receiver.recv(&mut [0; 4]).unwrap(), 1);
    refused(UnixDatagram::bind_addr(&address), ErrorKind::AddrInUse);
}

#[test]
fn connected() {
    undisturbed("unix_datagram::connected", || {
        on_each_backend(|queue| {
            let folder = tempdir().unwrap();
            let path = folder.path().join("socket");
            let mut receiver = UnixDatagram::bind(&path).unwrap();
            queue.register(&mut receiver, 1, Interest::READABLE);
            let sender = UnixDatagram::unbound().unwrap();
            refused(sender.peer_addr(), ErrorKind::NotConnected);
            refused(sender.send(b"x"), ErrorKind::NotConnected);
            sender.connect(&path).unwrap();
            let peer = sender.peer_addr().unwrap();
            assert_eq!(peer.as_pathname(), Some(path.as_path()));
            assert_eq!(sender.send(b"hello").unwrap(), 5);
            assert_eq!(queue.finish(|| receiver.recv(&mut [0; 8])).unwrap(), 5);

            drop(receiver);
            refused(sender.send(b"x"), ErrorKind::ConnectionRefused);
        });
    });
}

#[test]
fn what_does_not_fit_is_lost() {
    on_each_backend(|queue| {
        let (near, far) = registered(queue, Interest::READABLE);
        far.send(b"hello").unwrap();
        far.send(b"world").unwrap();
        let mut small = [0; 3];
        assert_eq!(queue.finish(|| near.recv(&mut small)).unwrap(), 3);
        assert_eq!(&small, b"hel");
        let (n, from) = near.recv_from(&mut small).unwrap();
        assert_eq!((n, &small), (3, b"wor"));
        assert!(from.is_unnamed());
        would_block(near.recv(&mut small));
    });
}

#[test]
fn a_datagram_may_be_empty() {
    on_each_backend(|queue| {
        let (near, far) = registered(queue, Interest::READABLE);
        assert_eq!(far.send(&[]).unwrap(), 0);
        let mut buffer = [7; 4];
        assert_eq!(queue.finish(|| near.recv(&mut buffer)).unwrap(), 0);
        assert_eq!(buffer, [7; 4]);
        would_block(near.recv(&mut buffer));

        far.send(b"gone").unwrap();
        assert_eq!(queue.finish(|| near.recv(&mut [])).unwrap(), 0);
        would_block(near.recv(&mut buffer));
    });
}

/// What somebody hears who sends to a full socket.
#[track_caller]
fn is_full<T>(result: io::Result<T>) {
    match FULL_RECEIVERS_BLOCK {
        true => would_block(result),
        false => os_error(result, Code::NOBUFS),
    }
}

/// Nothing is lost: who sends too much is told, and is writable when there is room.
#[test]
fn a_full_receiver() {
    on_each_backend(|queue| {
        let (near, far) = registered(queue, BOTH);
        let mut sent = 0_u32;
        loop {
            match near.send(&sent.to_ne_bytes()) {
                Ok(n) => assert_eq!(n, 4),
                full => break is_full(full),
            }
            sent += 1;
        }
        is_full(near.send(b"more"));
        let mut received = 0;
        let mut buffer = [0; 4];
        while far.recv(&mut buffer).is_ok() {
            assert_eq!(buffer, u32::to_ne_bytes(received));
            received += 1;
        }
        assert_eq!(received, sent);
        queue.expect(1, |event| event.is_writable());
        assert_eq!(near.send(b"more").unwrap(), 4);
    });
}

#[test]
fn a_full_receiver_by_path() {
    let folder = tempdir().unwrap();
    let path = folder.path().join("socket");
    let _receiver = UnixDatagram::bind(&path).unwrap();
    let sender = UnixDatagram::unbound().unwrap();
    loop {
        match sender.send_to(b"x", &path) {
            Ok(n) => assert_eq!(n, 1),
            full => break is_full(full),
        }
    }
}

#[test]
fn ending_one_direction() {
    let (near, far) = UnixDatagram::pair().unwrap();
    near.shutdown(Shutdown::Write).unwrap();
    refused(near.send(b"x"), ErrorKind::BrokenPipe);
    far.send(b"x").unwrap();
    assert_eq!(near.recv(&mut [0; 4]).unwrap(), 1);
    near.shutdown(Shutdown::Read).unwrap();
    refused(far.send(b"x"), ErrorKind::BrokenPipe);
}

#[test]
fn the_peer_closes() {
    undisturbed("unix_datagram::the_peer_closes", || {
        on_each_backend(|queue| {
            let (near, far) = registered(queue, BOTH);
            far.send(b"last").unwrap();
            drop(far);
            assert_eq!(queue.finish(|| near.recv(&mut [0; 8])).unwrap(), 4);
            refused(near.send(b"x"), ErrorKind::ConnectionRefused);
            assert!(near.take_error().unwrap().is_none());
        });
    });
}

#[test]
fn try_io() {
    use std::os::fd::AsFd;

    on_each_backend(|queue| {
        let (near, far) = registered(queue, BOTH);
        let mut buffer = [0; 8];
        for _ in 0..3 {
            let mut receive = || Ok(rustix::io::read(near.as_fd(), &mut buffer)?);
            would_block(near.try_io(&mut receive));
            far.send(b"abc").unwrap();
            assert_eq!(queue.finish(|| near.try_io(&mut receive)).unwrap(), 3);
        }
    });
}

#[test]
fn shown() {
    let folder = tempdir().unwrap();
    let socket = UnixDatagram::bind(folder.path().join("name")).unwrap();
    let shown = format!("{socket:?}");
    assert!(shown.starts_with("UnixDatagram"), "{shown}");
    assert!(shown.contains("name"), "{shown}");
}

#[test]
fn from_and_into_the_standard_library_s() {
    let (near, far) = UnixDatagram::pair().unwrap();
    let near = std_net::UnixDatagram::from(near);
    would_block(near.recv(&mut [0]));
    let near = UnixDatagram::from_std(near);
    far.send(b"x").unwrap();
    assert_eq!(near.recv(&mut [0; 4]).unwrap(), 1);
}
