//! Sockets of WASI, through the standard library.
//!
//! WASI preview 1 has no call that makes a socket: they come from outside, as preopened descriptors, and what can be done
//! with them is to accept, read, write and shut down. The rest is `ErrorKind::Unsupported`. Preview 2 has all of TCP and
//! UDP. There are no signals and no other programs.

use std::io::{self, ErrorKind, IoSlice, IoSliceMut, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream, UdpSocket};
use std::os::fd::OwnedFd;

pub(crate) use crate::sys::connect::tcp_connect;
use crate::sys::{lend, Handle};

/// More than the longest datagram.
const LONGEST: usize = 1 << 16;

pub(crate) fn tcp_listen(address: SocketAddr) -> io::Result<OwnedFd> {
    let listener = TcpListener::bind(address)?;
    listener.set_nonblocking(true)?;
    Ok(listener.into())
}

pub(crate) fn tcp_accept(listener: Handle<'_>) -> io::Result<(OwnedFd, SocketAddr)> {
    let (stream, address) = lend::<TcpListener>(listener).accept()?;
    stream.set_nonblocking(true)?;
    Ok((stream.into(), address))
}

pub(crate) fn udp_bind(address: SocketAddr) -> io::Result<OwnedFd> {
    let socket = UdpSocket::bind(address)?;
    socket.set_nonblocking(true)?;
    Ok(socket.into())
}

pub(crate) fn udp_connect(socket: Handle<'_>, address: SocketAddr) -> io::Result<()> {
    lend::<UdpSocket>(socket).connect(address)
}

/// Streams and datagrams are received alike.
pub(crate) fn recv(socket: Handle<'_>, buffer: &mut [u8]) -> io::Result<usize> {
    (&*lend::<TcpStream>(socket)).read(buffer)
}

pub(crate) fn peek(socket: Handle<'_>, buffer: &mut [u8]) -> io::Result<usize> {
    lend::<TcpStream>(socket).peek(buffer)
}

pub(crate) fn recv_vectored(
    socket: Handle<'_>,
    buffers: &mut [IoSliceMut<'_>],
) -> io::Result<usize> {
    (&*lend::<TcpStream>(socket)).read_vectored(buffers)
}

pub(crate) fn send(socket: Handle<'_>, bytes: &[u8]) -> io::Result<usize> {
    (&*lend::<TcpStream>(socket)).write(bytes)
}

pub(crate) fn send_vectored(socket: Handle<'_>, buffers: &[IoSlice<'_>]) -> io::Result<usize> {
    (&*lend::<TcpStream>(socket)).write_vectored(buffers)
}

pub(crate) fn recv_from(socket: Handle<'_>, buffer: &mut [u8]) -> io::Result<(usize, SocketAddr)> {
    lend::<UdpSocket>(socket).recv_from(buffer)
}

pub(crate) fn peek_from(socket: Handle<'_>, buffer: &mut [u8]) -> io::Result<(usize, SocketAddr)> {
    lend::<UdpSocket>(socket).peek_from(buffer)
}

pub(crate) fn send_to(socket: Handle<'_>, bytes: &[u8], address: SocketAddr) -> io::Result<usize> {
    lend::<UdpSocket>(socket).send_to(bytes, address)
}

/// Sends a datagram that stands in several buffers: they are brought together first.
pub(crate) fn send_datagram(
    socket: Handle<'_>,
    buffers: &[IoSlice<'_>],
    address: Option<SocketAddr>,
) -> io::Result<usize> {
    let mut whole = [0; LONGEST];
    let mut length = 0;
    for buffer in buffers {
        let room = whole
            .get_mut(length..length + buffer.len())
            .ok_or_else(too_long)?;
        room.copy_from_slice(buffer);
        length += buffer.len();
    }
    let socket = lend::<UdpSocket>(socket);
    match address {
        Some(address) => socket.send_to(&whole[..length], address),
        None => socket.send(&whole[..length]),
    }
}

#[cold]
fn too_long() -> io::Error {
    io::Error::new(
        ErrorKind::InvalidInput,
        "a datagram is longer than any network carries",
    )
}

/// Receives a datagram, and tells its length, its sender, and whether it was longer. The last is not told by the system,
/// so it is received whole.
pub(crate) fn recv_datagram(
    socket: Handle<'_>,
    buffer: &mut IoSliceMut<'_>,
) -> io::Result<(usize, SocketAddr, bool)> {
    let mut whole = [0; LONGEST];
    let (length, source) = lend::<UdpSocket>(socket).recv_from(&mut whole)?;
    let kept = length.min(buffer.len());
    buffer[..kept].copy_from_slice(&whole[..kept]);
    Ok((kept, source, length > kept))
}

/// The standard library has no such question for sockets of this kind.
pub(crate) fn only_v6(_: Handle<'_>) -> io::Result<bool> {
    Err(ErrorKind::Unsupported.into())
}
