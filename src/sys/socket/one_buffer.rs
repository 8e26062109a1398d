//! Several buffers where a call takes one: streams go through the first one that is not empty, datagrams through memory
//! that is allocated for each.

use std::io::{self, IoSlice, IoSliceMut};
use std::net::SocketAddr;

use rustix::net::{self, RecvFlags};

use crate::sys::plain_calls::{address_of, swapped};
use crate::sys::socket::{recv, send};
use crate::sys::{sigpipe, Handle};

pub(crate) fn recv_vectored(
    socket: Handle<'_>,
    buffers: &mut [IoSliceMut<'_>],
) -> io::Result<usize> {
    match buffers.iter_mut().find(|buffer| !buffer.is_empty()) {
        Some(buffer) => recv(socket, buffer),
        None => recv(socket, &mut []),
    }
}

pub(crate) fn send_vectored(socket: Handle<'_>, buffers: &[IoSlice<'_>]) -> io::Result<usize> {
    let first = buffers.iter().find(|buffer| !buffer.is_empty());
    send(socket, first.map_or(&[], |buffer| buffer))
}

/// Sends a datagram that stands in several buffers.
pub(crate) fn send_datagram(
    socket: Handle<'_>,
    buffers: &[IoSlice<'_>],
    address: Option<SocketAddr>,
) -> io::Result<usize> {
    let joined;
    let whole = match buffers {
        [buffer] => &buffer[..],
        buffers => {
            let bytes = buffers.iter().flat_map(|buffer| buffer.iter());
            joined = bytes.copied().collect::<Vec<u8>>();
            &joined
        }
    };
    match address {
        Some(address) => Ok(net::sendto(
            socket,
            whole,
            sigpipe::SEND,
            &swapped(address),
        )?),
        None => send(socket, whole),
    }
}

/// Receives a datagram, and tells its length, its sender, and whether it was longer: a byte more than there is room for
/// shows it.
pub(crate) fn recv_datagram(
    socket: Handle<'_>,
    buffer: &mut IoSliceMut<'_>,
) -> io::Result<(usize, SocketAddr, bool)> {
    let mut whole = vec![0; buffer.len() + 1];
    let (n, _, address) = net::recvfrom(socket, &mut whole[..], RecvFlags::empty())?;
    let kept = n.min(buffer.len());
    buffer[..kept].copy_from_slice(&whole[..kept]);
    Ok((kept, address_of(address)?, n > kept))
}
