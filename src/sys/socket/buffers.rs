//! Several buffers in one call: `readv(2)`, `sendmsg(2)`, and what only `recvmsg(2)` tells.

use std::io::{self, IoSlice, IoSliceMut};
use std::net::SocketAddr;

use rustix::io::readv;
use rustix::net::{self, RecvAncillaryBuffer, RecvFlags, ReturnFlags, SendAncillaryBuffer};

use crate::sys::plain_calls::{address_of, swapped};
use crate::sys::return_stack::covered;
use crate::sys::{sigpipe, Handle, IOV_MAX};

#[inline]
pub(crate) fn recv_vectored(
    socket: Handle<'_>,
    buffers: &mut [IoSliceMut<'_>],
) -> io::Result<usize> {
    let count = buffers.len().min(IOV_MAX);
    Ok(covered(readv(socket, &mut buffers[..count]))?)
}

#[inline]
pub(crate) fn send_vectored(socket: Handle<'_>, buffers: &[IoSlice<'_>]) -> io::Result<usize> {
    let count = buffers.len().min(IOV_MAX);
    let mut control = SendAncillaryBuffer::default();
    Ok(covered(net::sendmsg(
        socket,
        &buffers[..count],
        &mut control,
        sigpipe::SEND,
    ))?)
}

/// Sends a datagram that stands in several buffers.
#[inline]
pub(crate) fn send_datagram(
    socket: Handle<'_>,
    buffers: &[IoSlice<'_>],
    address: Option<SocketAddr>,
) -> io::Result<usize> {
    let mut control = SendAncillaryBuffer::default();
    let flags = sigpipe::SEND;
    Ok(match address {
        Some(address) => {
            net::sendmsg_addr(socket, &swapped(address), buffers, &mut control, flags)?
        }
        None => net::sendmsg(socket, buffers, &mut control, flags)?,
    })
}

/// Receives a datagram, and tells its length, its sender, and whether it was longer.
#[inline]
pub(crate) fn recv_datagram(
    socket: Handle<'_>,
    buffer: &mut IoSliceMut<'_>,
) -> io::Result<(usize, SocketAddr, bool)> {
    let mut control = RecvAncillaryBuffer::default();
    let buffers = &mut [IoSliceMut::new(buffer)];
    let message = net::recvmsg(socket, buffers, &mut control, RecvFlags::empty())?;
    let truncated = message.flags.contains(ReturnFlags::TRUNC);
    Ok((message.bytes, address_of(message.address)?, truncated))
}
