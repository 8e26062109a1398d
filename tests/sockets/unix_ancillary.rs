//! What comes beside the bytes of Unix sockets: descriptors and credentials. This crate has no types for them, leaves them
//! as they are, and lets others at them.

use std::io::{self, ErrorKind, IoSlice, IoSliceMut, Read, Write};
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use mio::event::Source;
use mio::net::{UnixDatagram, UnixStream};
use mio::Interest;
use rustix::net::{
    recvmsg, sendmsg, RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, SendAncillaryBuffer,
    SendAncillaryMessage, SendFlags,
};

use crate::util::{on_each_backend, would_block};

/// Sends a descriptor beside some bytes.
fn send(socket: impl AsFd, bytes: &[u8], descriptor: BorrowedFd<'_>) {
    let descriptors = [descriptor];
    let mut room = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
    let mut beside = SendAncillaryBuffer::new(&mut room);
    assert!(beside.push(SendAncillaryMessage::ScmRights(&descriptors)));
    let sent = sendmsg(
        socket,
        &[IoSlice::new(bytes)],
        &mut beside,
        SendFlags::empty(),
    );
    assert_eq!(sent.unwrap(), bytes.len());
}

/// Bytes, and the descriptors beside them.
type Received = (Vec<u8>, Vec<OwnedFd>);

/// Receives both.
fn receive(socket: impl AsFd) -> io::Result<Received> {
    let mut room = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(4))];
    let mut beside = RecvAncillaryBuffer::new(&mut room);
    let mut bytes = [0; 64];
    let buffers = &mut [IoSliceMut::new(&mut bytes)];
    let received = recvmsg(socket, buffers, &mut beside, RecvFlags::CMSG_CLOEXEC)?;
    let mut descriptors = Vec::new();
    for message in beside.drain() {
        if let RecvAncillaryMessage::ScmRights(some) = message {
            descriptors.extend(some);
        }
    }
    Ok((bytes[..received.bytes].to_vec(), descriptors))
}

/// What was sent to `reader` arrives, or the end.
fn arrives(reader: &OwnedFd) -> Option<u8> {
    let mut byte = [0];
    let read = rustix::io::read(reader, &mut byte).unwrap();
    (read == 1).then_some(byte[0])
}

/// Something to be sent, the second one, and what tells whether it is open. Children of other tests inherit neither.
fn pipe() -> (OwnedFd, OwnedFd) {
    let (reader, writer) = std::os::unix::net::UnixStream::pair().unwrap();
    (reader.into(), writer.into())
}

/// Sends descriptors from one end to the other, where `take` waits for them.
fn descriptors_arrive<T: Source + AsFd>(
    ends: fn() -> io::Result<(T, T)>,
    take: fn(&T) -> io::Result<Received>,
) {
    on_each_backend(|queue| {
        let (mut near, far) = ends().unwrap();
        queue.register(&mut near, 1, Interest::READABLE);
        for byte in 1..4 {
            let (reader, writer) = pipe();
            would_block(take(&near));
            send(&far, b"take this", writer.as_fd());
            drop(writer);
            queue.expect(1, |event| event.is_readable());
            let (bytes, mut descriptors) = take(&near).unwrap();
            assert_eq!(bytes, b"take this");
            let writer = descriptors.pop().unwrap();
            assert_eq!(descriptors.len(), 0);
            rustix::io::write(&writer, &[byte]).unwrap();
            assert_eq!(arrives(&reader), Some(byte));
        }
    });
}

#[test]
fn descriptors_arrive_on_streams() {
    descriptors_arrive(UnixStream::pair, |near| near.try_io(|| receive(near)));
}

#[test]
fn descriptors_arrive_on_datagrams() {
    descriptors_arrive(UnixDatagram::pair, |near| near.try_io(|| receive(near)));
}

/// Who reads without asking for descriptors gets the bytes. The system closes the rest: nothing is left open.
#[test]
fn nobody_has_to_take_them() {
    let (mut near, far) = UnixStream::pair().unwrap();
    let (reader, writer) = pipe();
    send(&far, b"bytes", writer.as_fd());
    drop(writer);
    let mut buffer = [0; 16];
    assert_eq!(near.read(&mut buffer).unwrap(), 5);
    assert_eq!(&buffer[..5], b"bytes");
    assert_eq!(arrives(&reader), None);

    let (near, far) = UnixDatagram::pair().unwrap();
    let (reader, writer) = pipe();
    send(&far, b"bytes", writer.as_fd());
    drop(writer);
    assert_eq!(near.recv(&mut buffer).unwrap(), 5);
    assert_eq!(arrives(&reader), None);
}

/// Bytes from before and after a descriptor stay in order, whoever reads them.
#[test]
fn bytes_around_them_stay_in_order() {
    let (near, far) = UnixStream::pair().unwrap();
    let (_reader, writer) = pipe();
    (&far).write_all(b"one").unwrap();
    send(&far, b"two", writer.as_fd());
    (&far).write_all(b"three").unwrap();
    let mut all: Vec<u8> = Vec::new();
    loop {
        let mut buffer = [0; 2];
        match (&near).read(&mut buffer) {
            Ok(n) => all.extend(&buffer[..n]),
            Err(error) => break assert_eq!(error.kind(), ErrorKind::WouldBlock),
        }
    }
    assert_eq!(all, b"onetwothree");
}

/// Whose process is at the other end, as the system knows it.
#[test]
fn credentials_of_the_peer() {
    use mio::net::UnixListener;
    use rustix::net::sockopt::socket_peercred;

    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("socket");
    let listener = UnixListener::bind(&path).unwrap();
    let client = UnixStream::connect(&path).unwrap();
    let (server, _) = listener.accept().unwrap();
    let (near, far) = UnixStream::pair().unwrap();
    for stream in [client, server, near, far] {
        let peer = socket_peercred(&stream).unwrap();
        assert_eq!(peer.pid, rustix::process::getpid());
        assert_eq!(peer.uid, rustix::process::getuid());
        assert_eq!(peer.gid, rustix::process::getgid());
    }
}
