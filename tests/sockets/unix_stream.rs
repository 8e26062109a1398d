//! `UnixListener` and `UnixStream`.

use std::io::{ErrorKind, IoSlice, IoSliceMut, Read, Write};
use std::net::Shutdown;
use std::os::unix::net as std_net;

use mio::event::Event;
use mio::net::{UnixListener, UnixStream};
use mio::Interest;
use tempfile::tempdir;

use crate::facts::tells_ends_of_streams;
use crate::util::{on_each_backend, refused, would_block, Loop, BOTH};

/// Connected streams, the first of which is registered under token 1.
fn registered(queue: &Loop, interest: Interest) -> (UnixStream, UnixStream) {
    let (mut near, far) = UnixStream::pair().unwrap();
    queue.register(&mut near, 1, interest);
    (near, far)
}

#[test]
fn from_bind_to_echo() {
    on_each_backend(|queue| {
        let folder = tempdir().unwrap();
        let path = folder.path().join("socket");
        let mut listener = UnixListener::bind(&path).unwrap();
        queue.register(&mut listener, 1, Interest::READABLE);
        would_block(listener.accept());

        let mut client = UnixStream::connect(&path).unwrap();
        queue.register(&mut client, 2, BOTH);
        let (mut server, from) = queue.finish(|| listener.accept()).unwrap();
        assert!(from.is_unnamed());
        queue.register(&mut server, 3, BOTH);

        let mut buffer = [0; 16];
        would_block(server.read(&mut buffer));
        client.write_all(b"ping").unwrap();
        assert_eq!(queue.finish(|| server.read(&mut buffer)).unwrap(), 4);
        let sent = server.write_vectored(&[IoSlice::new(b"po"), IoSlice::new(b"ng")]);
        assert_eq!(sent.unwrap(), 4);
        server.flush().unwrap();
        let (left, right) = buffer.split_at_mut(1);
        let mut halves = [IoSliceMut::new(left), IoSliceMut::new(right)];
        let read = queue.finish(|| client.read_vectored(&mut halves)).unwrap();
        assert_eq!((read, &buffer[..4]), (4, &b"pong"[..]));
        would_block(listener.accept());
    });
}

#[test]
fn through_a_shared_reference() {
    let (near, far) = UnixStream::pair().unwrap();
    (&near).write_all(b"pi").unwrap();
    let sent = (&near).write_vectored(&[IoSlice::new(b"ng")]);
    assert_eq!(sent.unwrap(), 2);
    (&near).flush().unwrap();
    let mut buffer = [0; 8];
    assert_eq!((&far).read(&mut buffer).unwrap(), 4);
    assert_eq!(&buffer[..4], b"ping");
    would_block((&far).read_vectored(&mut [IoSliceMut::new(&mut buffer)]));
}

#[test]
fn a_million_bytes() {
    on_each_backend(|queue| {
        let (near, mut far) = registered(queue, Interest::WRITABLE);
        queue.register(&mut far, 2, Interest::READABLE);
        let (mut sent, mut received) = (0, 0);
        let bytes = [5; 7001];
        let mut buffer = [0; 9000];
        while received < 1_000_000 {
            // As far as it goes, one after the other: each waits for what the other does.
            loop {
                match (&near).write(&bytes) {
                    Ok(n) => sent += n,
                    Err(error) => break assert_eq!(error.kind(), ErrorKind::WouldBlock),
                }
            }
            queue.expect(2, |event| event.is_readable());
            loop {
                match far.read(&mut buffer) {
                    Ok(n) => received += n,
                    Err(error) => break assert_eq!(error.kind(), ErrorKind::WouldBlock),
                }
            }
            assert_eq!(sent, received);
            queue.expect(1, |event| event.is_writable());
        }
    });
}

#[test]
fn more_buffers_than_the_kernel_takes() {
    on_each_backend(|queue| {
        let (mut near, mut far) = registered(queue, BOTH);
        let byte = [7];
        let sent = near
            .write_vectored(&vec![IoSlice::new(&byte); 1500])
            .unwrap();
        assert!((1..=1500).contains(&sent), "{sent}");
        let mut bytes = [0; 1500];
        let mut buffers: Vec<_> = bytes.chunks_mut(1).map(IoSliceMut::new).collect();
        let read = far.read_vectored(&mut buffers).unwrap();
        assert!((1..=sent).contains(&read), "{read}");
        assert!(bytes[..read].iter().all(|byte| *byte == 7));
    });
}

#[test]
fn nothing_to_read_into_or_to_write() {
    on_each_backend(|queue| {
        let (mut near, mut far) = registered(queue, Interest::READABLE);
        assert_eq!(near.write(&[]).unwrap(), 0);
        assert_eq!(near.write_vectored(&[]).unwrap(), 0);
        assert_eq!(near.write_vectored(&[IoSlice::new(&[])]).unwrap(), 0);
        would_block(far.read(&mut [0]));
        far.write_all(b"x").unwrap();
        queue.expect(1, |event| event.is_readable());
        assert_eq!(near.read(&mut []).unwrap(), 0);
        assert_eq!(near.read_vectored(&mut []).unwrap(), 0);
        assert_eq!(near.read(&mut [0; 2]).unwrap(), 1);
    });
}

#[test]
fn the_peer_closes() {
    on_each_backend(|queue| {
        let (mut near, mut far) = registered(queue, BOTH);
        far.write_all(b"last").unwrap();
        drop(far);
        queue.expect_each(1, &[Event::is_read_closed, Event::is_write_closed]);
        let mut buffer = [0; 8];
        assert_eq!(near.read(&mut buffer).unwrap(), 4);
        assert_eq!(near.read(&mut buffer).unwrap(), 0);
        refused(near.write(b"x"), ErrorKind::BrokenPipe);
        refused(
            near.write_vectored(&[IoSlice::new(b"x")]),
            ErrorKind::BrokenPipe,
        );
    });
}

/// Bytes that nobody will read any more: the peer's end is an error, not an end.
#[cfg(any(target_os = "linux", target_os = "android"))]
#[test]
fn the_peer_closes_without_reading() {
    on_each_backend(|queue| {
        let (mut near, far) = registered(queue, Interest::READABLE);
        near.write_all(b"unread").unwrap();
        drop(far);
        queue.expect(1, |event| event.is_read_closed());
        let error = near.take_error().unwrap().unwrap();
        assert_eq!(error.kind(), ErrorKind::ConnectionReset);
        assert!(near.take_error().unwrap().is_none());
        assert_eq!(near.read(&mut [0]).unwrap(), 0);
    });
}

#[test]
fn ending_one_direction() {
    on_each_backend(|queue| {
        let (mut near, mut far) = registered(queue, BOTH);
        queue.register(&mut far, 2, Interest::READABLE);
        would_block(far.read(&mut [0]));
        near.shutdown(Shutdown::Write).unwrap();
        let told = tells_ends_of_streams(queue.poll.backend());
        queue.expect(2, |event| {
            event.is_readable() && event.is_read_closed() == told
        });
        assert_eq!(far.read(&mut [0]).unwrap(), 0);
        refused(near.write(b"x"), ErrorKind::BrokenPipe);

        far.write_all(b"y").unwrap();
        assert_eq!(queue.finish(|| near.read(&mut [0; 4])).unwrap(), 1);
        near.shutdown(Shutdown::Read).unwrap();
        assert_eq!(near.read(&mut [0]).unwrap(), 0);
        refused(far.write(b"x"), ErrorKind::BrokenPipe);
    });
}

#[test]
fn unnamed_addresses() {
    let (near, far) = UnixStream::pair().unwrap();
    for address in [
        near.local_addr(),
        near.peer_addr(),
        far.local_addr(),
        far.peer_addr(),
    ] {
        assert!(address.unwrap().is_unnamed());
    }
    assert!(near.take_error().unwrap().is_none());
}

#[test]
fn named_addresses() {
    let folder = tempdir().unwrap();
    let path = folder.path().join("socket");
    let listener = UnixListener::bind(&path).unwrap();
    let local = listener.local_addr().unwrap();
    assert_eq!(local.as_pathname(), Some(path.as_path()));
    assert!(listener.take_error().unwrap().is_none());

    let client = UnixStream::connect(&path).unwrap();
    assert!(client.local_addr().unwrap().is_unnamed());
    let peer = client.peer_addr().unwrap();
    assert_eq!(peer.as_pathname(), Some(path.as_path()));
    let (server, _) = listener.accept().unwrap();
    let local = server.local_addr().unwrap();
    assert_eq!(local.as_pathname(), Some(path.as_path()));
    assert!(server.peer_addr().unwrap().is_unnamed());
}

#[test]
fn an_address_of_the_standard_library() {
    let folder = tempdir().unwrap();
    let address = std_net::SocketAddr::from_pathname(folder.path().join("socket")).unwrap();
    let listener = UnixListener::bind_addr(&address).unwrap();
    let _client = UnixStream::connect_addr(&address).unwrap();
    listener.accept().unwrap();
}

#[test]
fn not_connected() {
    let socket = socket2::Socket::new(socket2::Domain::UNIX, socket2::Type::STREAM, None).unwrap();
    socket.set_nonblocking(true).unwrap();
    let stream = UnixStream::from_std(socket.into());
    refused(stream.peer_addr(), ErrorKind::NotConnected);
}

/// There is no attempt that could be waited for, so there is no stream.
#[cfg(any(target_os = "linux", target_os = "android"))]
#[test]
fn connecting_while_the_backlog_is_full() {
    let folder = tempdir().unwrap();
    let path = folder.path().join("socket");
    let socket = socket2::Socket::new(socket2::Domain::UNIX, socket2::Type::STREAM, None).unwrap();
    socket
        .bind(&socket2::SockAddr::unix(&path).unwrap())
        .unwrap();
    socket.listen(0).unwrap();
    let listener = std_net::UnixListener::from(socket);

    // The kernel takes one more than it was told.
    let _waiting = UnixStream::connect(&path).unwrap();
    for _ in 0..3 {
        would_block(UnixStream::connect(&path));
    }
    listener.accept().unwrap();
    UnixStream::connect(&path).unwrap();
}

#[test]
fn try_io() {
    use std::os::fd::AsFd;

    on_each_backend(|queue| {
        let (near, mut far) = registered(queue, BOTH);
        let mut buffer = [0; 8];
        for _ in 0..3 {
            let mut receive = || Ok(rustix::io::read(near.as_fd(), &mut buffer)?);
            would_block(near.try_io(&mut receive));
            far.write_all(b"abc").unwrap();
            assert_eq!(queue.finish(|| near.try_io(&mut receive)).unwrap(), 3);
        }
    });
}

#[test]
fn shown() {
    let folder = tempdir().unwrap();
    let path = folder.path().join("socket");
    let listener = UnixListener::bind(&path).unwrap();
    let shown = format!("{listener:?}");
    assert!(shown.starts_with("UnixListener"), "{shown}");
    assert!(shown.contains("socket"), "{shown}");
    let client = UnixStream::connect(&path).unwrap();
    let shown = format!("{client:?}");
    assert!(shown.starts_with("UnixStream"), "{shown}");
    assert!(shown.contains("socket"), "{shown}");
}

#[test]
fn from_and_into_the_standard_library_s() {
    let folder = tempdir().unwrap();
    let path = folder.path().join("socket");
    let listener = std_net::UnixListener::bind(&path).unwrap();
    listener.set_nonblocking(true).unwrap();
    let listener = UnixListener::from_std(listener);
    would_block(listener.accept());

    let mut client = std_net::UnixStream::from(UnixStream::connect(&path).unwrap());
    would_block(client.read(&mut [0]));
    let (server, _) = listener.accept().unwrap();
    let mut client = UnixStream::from_std(client);
    (&server).write_all(b"x").unwrap();
    assert_eq!(client.read(&mut [0; 2]).unwrap(), 1);

    let listener = std_net::UnixListener::from(listener);
    would_block(listener.accept());
}
