//! `TcpStream`: reading, writing, ending, options.

use std::io::{self, ErrorKind, IoSlice, IoSliceMut, Read, Write};
use std::net::{self, Shutdown};

use mio::event::Event;
use mio::net::TcpStream;
use mio::Interest;

use crate::facts::tells_ends_of_streams;
use crate::util::{
    any_v4, each_family, on_each_backend, refused, shut_down, would_block, Loop, BOTH, TELLS_ERRORS,
};

/// A connected stream and its peer, which blocks.
fn pair() -> (TcpStream, net::TcpStream) {
    pair_on(any_v4())
}

fn pair_on(address: net::SocketAddr) -> (TcpStream, net::TcpStream) {
    let listener = net::TcpListener::bind(address).unwrap();
    let peer = net::TcpStream::connect(listener.local_addr().unwrap()).unwrap();
    let (near, _) = listener.accept().unwrap();
    near.set_nonblocking(true).unwrap();
    (TcpStream::from_std(near), peer)
}

/// A connected stream that is registered under token 1, and its peer.
fn registered(queue: &Loop, interest: Interest) -> (TcpStream, net::TcpStream) {
    let (mut stream, peer) = pair();
    queue.register(&mut stream, 1, interest);
    (stream, peer)
}

#[test]
fn reads_and_writes() {
    on_each_backend(|queue| {
        for address in each_family() {
            let (mut stream, mut peer) = pair_on(address);
            queue.register(&mut stream, 1, BOTH);
            let mut buffer = [0; 16];
            would_block(stream.read(&mut buffer));
            peer.write_all(b"ping").unwrap();
            assert_eq!(queue.finish(|| stream.read(&mut buffer)).unwrap(), 4);
            assert_eq!(&buffer[..4], b"ping");
            assert_eq!(queue.finish(|| stream.write(b"pong")).unwrap(), 4);
            stream.flush().unwrap();
            peer.read_exact(&mut buffer[..4]).unwrap();
            assert_eq!(&buffer[..4], b"pong");
        }
    });
}

/// As with the standard library's, one half of a program can read while the other writes.
#[test]
fn reads_and_writes_through_a_shared_reference() {
    let (stream, mut peer) = pair();
    let mut writer = &stream;
    writer.write_all(b"ping").unwrap();
    let sent = writer.write_vectored(&[IoSlice::new(b"po"), IoSlice::new(b"ng")]);
    assert_eq!(sent.unwrap(), 4);
    writer.flush().unwrap();
    let mut buffer = [0; 8];
    peer.read_exact(&mut buffer).unwrap();
    assert_eq!(&buffer, b"pingpong");

    drop(peer);
    on_each_backend(|queue| {
        let (stream, mut peer) = registered(queue, Interest::READABLE);
        peer.write_all(&buffer).unwrap();
        drop(peer);
        let mut all = Vec::new();
        let read = queue.finish(|| (&stream).read_to_end(&mut all));
        read.unwrap();
        assert_eq!(all, b"pingpong");
    });
}

/// More than fits into the buffers of both ends: every write that would block is followed by an event.
#[test]
fn a_million_bytes() {
    on_each_backend(|queue| {
        let (mut stream, mut peer) = registered(queue, BOTH);
        let echo = std::thread::spawn(move || {
            let mut all = Vec::new();
            peer.read_to_end(&mut all).unwrap();
            peer.write_all(&all).unwrap();
            all.len()
        });
        let sent: Vec<u8> = (0..1_000_003_u32).map(|n| (n % 251) as u8).collect();
        let mut rest = &sent[..];
        while !rest.is_empty() {
            let n = queue.finish(|| stream.write(rest)).unwrap();
            rest = &rest[n..];
        }
        stream.shutdown(Shutdown::Write).unwrap();
        let mut received = Vec::new();
        let mut buffer = [0; 9000];
        loop {
            match queue.finish(|| stream.read(&mut buffer)).unwrap() {
                0 => break,
                n => received.extend_from_slice(&buffer[..n]),
            }
        }
        assert_eq!(echo.join().unwrap(), sent.len());
        assert!(received == sent, "the bytes have changed");
    });
}

/// The kernel refuses more than 1024 buffers at a time; a caller who has more gets as far as it goes.
#[test]
fn more_buffers_than_the_kernel_takes() {
    on_each_backend(|queue| {
        let (mut stream, mut peer) = registered(queue, BOTH);
        let byte = [7];
        let buffers = vec![IoSlice::new(&byte); 1500];
        let sent = queue.finish(|| stream.write_vectored(&buffers)).unwrap();
        assert!((1..=1500).contains(&sent), "{sent}");
        let mut received = vec![0; sent];
        peer.read_exact(&mut received).unwrap();
        assert!(received.iter().all(|byte| *byte == 7));

        peer.write_all(&[8; 1500]).unwrap();
        let mut bytes = [0; 1500];
        let mut buffers: Vec<_> = bytes.chunks_mut(1).map(IoSliceMut::new).collect();
        let read = queue.finish(|| stream.read_vectored(&mut buffers)).unwrap();
        assert!((1..=1500).contains(&read), "{read}");
        assert!(bytes[..read].iter().all(|byte| *byte == 8));
        assert!(bytes[read..].iter().all(|byte| *byte == 0));
    });
}

#[test]
fn nothing_to_read_into_or_to_write() {
    on_each_backend(|queue| {
        let (mut stream, mut peer) = registered(queue, BOTH);
        assert_eq!(stream.write(&[]).unwrap(), 0);
        assert_eq!(stream.write_vectored(&[]).unwrap(), 0);
        let empty = [IoSlice::new(&[]), IoSlice::new(&[])];
        assert_eq!(stream.write_vectored(&empty).unwrap(), 0);
        // The peer has seen none of it, the stream goes on.
        stream.write_all(b"x").unwrap();
        peer.read_exact(&mut [0]).unwrap();

        peer.write_all(b"y").unwrap();
        queue.expect(1, |event| event.is_readable());
        assert_eq!(stream.read(&mut []).unwrap(), 0);
        assert_eq!(stream.read_vectored(&mut []).unwrap(), 0);
        let mut nothing = [IoSliceMut::new(&mut [])];
        assert_eq!(stream.read_vectored(&mut nothing).unwrap(), 0);
        assert_eq!(stream.read(&mut [0; 4]).unwrap(), 1);
    });
}

/// Buffers that are empty among others that are not.
#[test]
fn vectored_in_order() {
    let (mut stream, mut peer) = pair();
    let words = [&b""[..], b"he", b"", b"llo", b""].map(IoSlice::new);
    assert_eq!(stream.write_vectored(&words).unwrap(), 5);
    let mut hello = [0; 5];
    peer.read_exact(&mut hello).unwrap();
    assert_eq!(&hello, b"hello");

    on_each_backend(|queue| {
        let (mut stream, mut peer) = registered(queue, Interest::READABLE);
        peer.write_all(&hello).unwrap();
        let (mut first, mut none, mut last) = ([0; 2], [], [0; 8]);
        let mut buffers = [
            IoSliceMut::new(&mut first),
            IoSliceMut::new(&mut none),
            IoSliceMut::new(&mut last),
        ];
        let read = queue.finish(|| stream.read_vectored(&mut buffers)).unwrap();
        assert_eq!(read, 5);
        assert_eq!((&first, &last[..3]), (b"he", &b"llo"[..]));
    });
}

#[test]
fn peeking_takes_nothing() {
    on_each_backend(|queue| {
        let (mut stream, mut peer) = registered(queue, Interest::READABLE);
        let mut buffer = [0; 8];
        would_block(stream.peek(&mut buffer));
        // A peek that would block asks for an event as a read does.
        peer.write_all(b"hello").unwrap();
        queue.expect(1, |event| event.is_readable());
        for _ in 0..2 {
            assert_eq!(stream.peek(&mut buffer).unwrap(), 5);
            assert_eq!(stream.peek(&mut buffer[..2]).unwrap(), 2);
        }
        assert_eq!(stream.read(&mut buffer).unwrap(), 5);
        would_block(stream.peek(&mut buffer));
        drop(peer);
        assert_eq!(queue.finish(|| stream.peek(&mut buffer)).unwrap(), 0);
        assert_eq!(stream.read(&mut buffer).unwrap(), 0);
    });
}

#[test]
fn the_peer_ends_writing() {
    on_each_backend(|queue| {
        let (mut stream, mut peer) = registered(queue, Interest::READABLE);
        peer.write_all(b"last").unwrap();
        peer.shutdown(Shutdown::Write).unwrap();
        // What was sent before comes first.
        let mut buffer = [0; 8];
        assert_eq!(queue.finish(|| stream.read(&mut buffer)).unwrap(), 4);
        assert_eq!(queue.finish(|| stream.read(&mut buffer)).unwrap(), 0);
        // The other direction is open.
        stream.write_all(b"still here").unwrap();
        peer.read_exact(&mut [0; 10]).unwrap();
    });
}

#[test]
fn the_end_of_the_stream_is_an_event() {
    on_each_backend(|queue| {
        let (mut stream, peer) = registered(queue, Interest::READABLE);
        would_block(stream.read(&mut [0]));
        peer.shutdown(Shutdown::Write).unwrap();
        let told = tells_ends_of_streams(queue.poll.backend());
        queue.expect(1, |event| {
            event.is_readable() && event.is_read_closed() == told
        });
        assert!(!queue.events.iter().any(|event| event.is_write_closed()));
    });
}

#[test]
fn ending_one_direction() {
    on_each_backend(|queue| {
        let (mut stream, mut peer) = registered(queue, BOTH);
        stream.shutdown(Shutdown::Write).unwrap();
        assert_eq!(peer.read(&mut [0]).unwrap(), 0);
        shut_down(stream.write(b"x"));
        shut_down(stream.write_vectored(&[IoSlice::new(b"x")]));
        // Reading goes on.
        peer.write_all(b"y").unwrap();
        assert_eq!(queue.finish(|| stream.read(&mut [0; 4])).unwrap(), 1);

        would_block(stream.read(&mut [0]));
        stream.shutdown(Shutdown::Read).unwrap();
        // Windows tells nobody of what he does himself, and refuses to read then.
        if cfg!(unix) {
            queue.expect(1, |event| event.is_read_closed());
            assert_eq!(stream.read(&mut [0]).unwrap(), 0);
        }
    });
}

#[test]
fn ending_both_directions() {
    on_each_backend(|queue| {
        let (mut stream, mut peer) = registered(queue, BOTH);
        stream.shutdown(Shutdown::Both).unwrap();
        if cfg!(unix) {
            queue.expect_each(1, &[Event::is_read_closed, Event::is_write_closed]);
            assert_eq!(stream.read(&mut [0]).unwrap(), 0);
        }
        shut_down(stream.write(b"x"));
        assert_eq!(peer.read(&mut [0]).unwrap(), 0);
    });
}

#[test]
fn ending_what_was_never_connected() {
    let socket = socket2::Socket::new(socket2::Domain::IPV4, socket2::Type::STREAM, None).unwrap();
    socket.set_nonblocking(true).unwrap();
    let stream = TcpStream::from_std(socket.into());
    for how in [Shutdown::Read, Shutdown::Write, Shutdown::Both] {
        refused(stream.shutdown(how), ErrorKind::NotConnected);
    }
    refused(stream.peer_addr(), ErrorKind::NotConnected);
    assert!(stream.take_error().unwrap().is_none());
}

/// A peer that closes with data unread, or asks for it, breaks the connection.
#[test]
fn a_reset_connection() {
    on_each_backend(|queue| {
        let (mut stream, peer) = registered(queue, BOTH);
        socket2::SockRef::from(&peer)
            .set_linger(Some(std::time::Duration::ZERO))
            .unwrap();
        would_block(stream.read(&mut [0]));
        drop(peer);
        let told: &[fn(&Event) -> bool] = match TELLS_ERRORS {
            true => &[
                Event::is_error,
                Event::is_read_closed,
                Event::is_write_closed,
            ],
            false => &[Event::is_readable, Event::is_writable],
        };
        queue.expect_each(1, told);
        match stream.read(&mut [0]) {
            // Wine takes the error when it reports it.
            Ok(0) if cfg!(windows) => {}
            result => refused(result, ErrorKind::ConnectionReset),
        }
        // It is told once. (By Windows each time, and to who it was connected is known still.)
        if cfg!(unix) {
            assert!(stream.take_error().unwrap().is_none());
            assert_eq!(stream.read(&mut [0]).unwrap(), 0);
            refused(stream.write(b"x"), ErrorKind::BrokenPipe);
            refused(stream.peer_addr(), ErrorKind::NotConnected);
        }
    });
}

/// On Windows only operations tell.
#[cfg(unix)]
#[test]
fn a_reset_is_taken_by_take_error_too() {
    on_each_backend(|queue| {
        let (stream, peer) = registered(queue, BOTH);
        socket2::SockRef::from(&peer)
            .set_linger(Some(std::time::Duration::ZERO))
            .unwrap();
        drop(peer);
        queue.expect(1, |event| match TELLS_ERRORS {
            true => event.is_error(),
            false => event.is_readable(),
        });
        let error = stream.take_error().unwrap().unwrap();
        assert_eq!(error.kind(), ErrorKind::ConnectionReset);
        assert!(stream.take_error().unwrap().is_none());
    });
}

#[test]
fn options() {
    for address in each_family() {
        let (stream, _peer) = pair_on(address);
        for nodelay in [true, false, true] {
            stream.set_nodelay(nodelay).unwrap();
            assert_eq!(stream.nodelay().unwrap(), nodelay);
        }
        for ttl in [1, 64, 255] {
            stream.set_ttl(ttl).unwrap();
            assert_eq!(stream.ttl().unwrap(), ttl);
        }
        for wrong in [0, 256, u32::MAX - 1] {
            refused(stream.set_ttl(wrong), ErrorKind::InvalidInput);
        }
    }
}

/// Before the connection is there: a client that wants `TCP_NODELAY` from the first byte on.
#[test]
fn options_while_connecting() {
    let listener = net::TcpListener::bind(any_v4()).unwrap();
    let stream = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
    stream.set_nodelay(true).unwrap();
    stream.set_ttl(9).unwrap();
    assert!(stream.nodelay().unwrap());
    assert_eq!(stream.ttl().unwrap(), 9);
}

#[test]
fn addresses() {
    for address in each_family() {
        let (stream, peer) = pair_on(address);
        assert_eq!(stream.local_addr().unwrap(), peer.peer_addr().unwrap());
        assert_eq!(stream.peer_addr().unwrap(), peer.local_addr().unwrap());
    }
}

#[test]
fn shows_both_addresses() {
    let (stream, peer) = pair();
    let shown = format!("{stream:?}");
    assert!(shown.starts_with("TcpStream"), "{shown}");
    for address in [peer.local_addr(), peer.peer_addr()] {
        assert!(shown.contains(&address.unwrap().to_string()), "{shown}");
    }
}

/// Operations of the user's own that would block are noted as the built-in ones are.
#[test]
fn try_io() {
    use socket2::SockRef;

    on_each_backend(|queue| {
        let (stream, mut peer) = registered(queue, BOTH);
        let mut buffer = [0; 8];
        for _ in 0..3 {
            let mut receive = || (&*SockRef::from(&stream)).read(&mut buffer);
            would_block(stream.try_io(&mut receive));
            peer.write_all(b"abc").unwrap();
            let read = queue.finish(|| stream.try_io(&mut receive)).unwrap();
            assert_eq!(read, 3);
        }
        assert_eq!(stream.try_io(|| Ok("anything")).unwrap(), "anything");
        let other = || Err::<(), _>(io::Error::from(ErrorKind::TimedOut));
        refused(stream.try_io(other), ErrorKind::TimedOut);
    });
}

#[test]
fn from_and_into_the_standard_library_s() {
    let (stream, mut peer) = pair();
    let address = stream.local_addr().unwrap();
    let mut stream = net::TcpStream::from(stream);
    assert_eq!(stream.local_addr().unwrap(), address);
    // Still non-blocking.
    would_block(stream.read(&mut [0]));
    let mut stream = TcpStream::from_std(stream);
    stream.write_all(b"x").unwrap();
    peer.read_exact(&mut [0]).unwrap();
}
