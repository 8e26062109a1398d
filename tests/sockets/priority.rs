//! TCP's out-of-band byte, which `Interest::PRIORITY` tells of.

use std::io::{self, Read, Write};
use std::net;
use std::os::fd::AsFd;

use mio::net::TcpStream;
use mio::{Interest, Token, Trigger};
use rustix::net::{recv, send, RecvFlags, SendFlags};

use crate::util::{any_v4, on_each_backend, would_block, Loop};

fn connected() -> (TcpStream, net::TcpStream) {
    let listener = net::TcpListener::bind(any_v4()).unwrap();
    let peer = net::TcpStream::connect(listener.local_addr().unwrap()).unwrap();
    let (near, _) = listener.accept().unwrap();
    near.set_nonblocking(true).unwrap();
    (TcpStream::from_std(near), peer)
}

fn send_urgent(peer: &net::TcpStream) {
    assert_eq!(send(peer, b"!", SendFlags::OOB).unwrap(), 1);
}

fn take_urgent(stream: &TcpStream) -> io::Result<u8> {
    let mut byte = [0];
    stream.try_io(|| Ok(recv(stream.as_fd(), &mut byte[..], RecvFlags::OOB)?))?;
    Ok(byte[0])
}

fn register(queue: &Loop, stream: &mut TcpStream, interest: Interest, trigger: Trigger) {
    queue
        .registry()
        .with_trigger(trigger)
        .register(stream, Token(1), interest)
        .unwrap();
}

#[test]
fn the_urgent_byte_is_an_event() {
    on_each_backend(|queue| {
        for trigger in [Trigger::Edge, Trigger::Level, Trigger::Oneshot] {
            let (mut stream, peer) = connected();
            let interest = Interest::READABLE | Interest::PRIORITY;
            register(queue, &mut stream, interest, trigger);
            assert!(!queue.has_now(1, |_| true));
            send_urgent(&peer);
            // Priority data is something to read, as in mio 1.2.
            queue.expect(1, |event| event.is_priority() && event.is_readable());
            assert_eq!(take_urgent(&stream).unwrap(), b'!');
        }
    });
}

#[test]
fn alone() {
    on_each_backend(|queue| {
        let (mut stream, mut peer) = connected();
        register(queue, &mut stream, Interest::PRIORITY, Trigger::Edge);
        // Nobody asked for ordinary bytes.
        peer.write_all(b"ordinary").unwrap();
        assert!(!queue.has_now(1, |_| true));
        send_urgent(&peer);
        queue.expect(1, |event| event.is_priority());
    });
}

#[test]
fn without_the_interest_there_is_no_event() {
    on_each_backend(|queue| {
        let (mut stream, peer) = connected();
        register(queue, &mut stream, Interest::READABLE, Trigger::Edge);
        would_block(stream.read(&mut [0]));
        send_urgent(&peer);
        assert!(!queue.has_now(1, |event| event.is_priority()));
    });
}

/// The second one is a second edge. On `poll(2)` an operation that would block says that the first is done with.
#[test]
fn again_and_again() {
    on_each_backend(|queue| {
        let (mut stream, mut peer) = connected();
        let interest = Interest::READABLE | Interest::PRIORITY;
        register(queue, &mut stream, interest, Trigger::Edge);
        for _ in 0..3 {
            peer.write_all(b"before").unwrap();
            send_urgent(&peer);
            queue.expect(1, |event| event.is_priority());
            assert_eq!(take_urgent(&stream).unwrap(), b'!');
            let mut buffer = [0; 6];
            // The urgent byte is not in the stream.
            queue
                .finish(|| stream.read(&mut buffer))
                .map(|n| assert_eq!(n, 6))
                .unwrap();
            would_block(stream.read(&mut buffer));
        }
    });
}
