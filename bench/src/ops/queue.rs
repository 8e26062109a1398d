//! The queue by itself: what is read and written goes through the standard library, the same for everybody.

use std::io::{Read, Write};
use std::net::{TcpStream, UdpSocket};
use std::os::fd::AsRawFd;
use std::os::unix::net::UnixStream;
use std::time::Duration;

use super::sockets::{tcp_pair, udp_pair};
use crate::harness::Task;
use crate::subject::{Source, Subject, Want};

const CAPACITY: usize = 64;

pub(crate) fn empty_poll<S: Subject>() -> impl Task {
    let mut queue = S::open(CAPACITY);
    move |times: u64| {
        for _ in 0..times {
            assert_eq!(queue.poll(Some(Duration::ZERO)), 0);
        }
    }
}

pub(crate) fn pipe<S: Subject>() -> impl Task {
    let (reader, writer) = std::io::pipe().unwrap();
    one_event::<S, _, _>(
        writer,
        reader,
        |mut writer, bytes| writer.write(bytes),
        |mut reader, buffer| reader.read(buffer),
    )
}

pub(crate) fn unix<S: Subject>() -> impl Task {
    let (writer, reader) = UnixStream::pair().unwrap();
    one_event::<S, _, _>(
        writer,
        reader,
        |mut writer, bytes| writer.write(bytes),
        |mut reader, buffer| reader.read(buffer),
    )
}

pub(crate) fn udp<S: Subject>() -> impl Task {
    let (writer, reader) = udp_pair();
    one_event::<S, _, _>(writer, reader, UdpSocket::send, UdpSocket::recv)
}

pub(crate) fn tcp<S: Subject>() -> impl Task {
    let (writer, reader) = tcp_pair();
    one_event::<S, _, _>(
        writer,
        reader,
        |mut writer: &TcpStream, bytes| writer.write(bytes),
        |mut reader, buffer| reader.read(buffer),
    )
}

/// Write, poll, read, with the standard library's own methods.
fn one_event<S: Subject, W, R: AsRawFd>(
    writer: W,
    reader: R,
    write: impl Fn(&W, &[u8]) -> std::io::Result<usize>,
    read: impl Fn(&R, &mut [u8]) -> std::io::Result<usize>,
) -> impl Task {
    let mut queue = S::open(CAPACITY);
    S::fd(reader.as_raw_fd()).register(&queue, 1, Want::Read);
    move |times: u64| {
        let mut buffer = [0; 64];
        for _ in 0..times {
            assert_eq!(write(&writer, &[1; 64]).unwrap(), 64);
            assert_eq!(queue.poll(None), 1);
            let mut key = 0;
            queue.readable(|readable| key = readable);
            assert_eq!(key, 1);
            assert_eq!(read(&reader, &mut buffer).unwrap(), 64);
        }
    }
}

pub(crate) fn register<S: Subject>() -> impl Task {
    let queue = S::open(CAPACITY);
    let (stream, peer) = tcp_pair();
    let mut stream = S::tcp(stream);
    move |times: u64| {
        let _ = &peer;
        for _ in 0..times {
            stream.register(&queue, 1, Want::Read);
            stream.deregister(&queue);
        }
    }
}

pub(crate) fn reregister<S: Subject>() -> impl Task {
    let queue = S::open(CAPACITY);
    let (stream, peer) = tcp_pair();
    let mut stream = S::tcp(stream);
    stream.register(&queue, 1, Want::Read);
    move |times: u64| {
        let _ = &peer;
        for _ in 0..times {
            stream.reregister(&queue, 1, Want::Read);
        }
    }
}

pub(crate) fn toggle<S: Subject>() -> impl Task {
    let queue = S::open(CAPACITY);
    let (stream, peer) = tcp_pair();
    let mut stream = S::tcp(stream);
    stream.register(&queue, 1, Want::Read);
    move |times: u64| {
        let _ = &peer;
        for _ in 0..times {
            stream.reregister(&queue, 1, Want::ReadWrite);
            stream.reregister(&queue, 1, Want::Read);
        }
    }
}
