//! The names of Unix sockets and of their peers, as the kernel reports them.

use std::io;
use std::mem::size_of;
use std::os::fd::OwnedFd;
use std::os::unix::net::{SocketAddr, UnixStream};
use std::slice;

use rustix::net::{self, RecvFlags, SocketAddrAny};

use crate::sys::handle::lend;
use crate::sys::return_stack::covered;
use crate::sys::{create, Handle};

pub(super) struct Name(Option<SocketAddrAny>);

#[inline(always)]
pub(super) fn accept(listener: Handle<'_>) -> io::Result<(OwnedFd, Name)> {
    let (socket, address) = create::accept(listener)?;
    Ok((socket, Name(address)))
}

#[inline(always)]
pub(super) fn recv_from(socket: Handle<'_>, buffer: &mut [u8]) -> io::Result<(usize, Name)> {
    let (n, _, address) = covered(net::recvfrom(socket, buffer, RecvFlags::empty()))?;
    Ok((n, Name(address)))
}

/// The standard library asks every kind of Unix socket in the same way.
pub(super) fn local_addr(socket: Handle<'_>) -> io::Result<SocketAddr> {
    lend::<UnixStream>(socket).local_addr()
}

pub(super) fn peer_addr(socket: Handle<'_>) -> io::Result<SocketAddr> {
    lend::<UnixStream>(socket).peer_addr()
}

impl Name {
    /// What stands behind the family in the address. Rustix reads it too, but rejects what lacks its zero byte, and panics
    /// where the length is longer than the structure.
    #[inline]
    pub(super) fn bytes(&self) -> &[u8] {
        // The family, with the length before it on some systems: two bytes everywhere.
        const START: usize = size_of::<u16>();
        let Some(address) = &self.0 else { return &[] };
        // SAFETY: So many bytes of the address are initialised and belong to it, as that type promises.
        let bytes = unsafe {
            slice::from_raw_parts(address.as_ptr().cast::<u8>(), address.addr_len() as usize)
        };
        bytes.get(START..).unwrap_or_default()
    }
}
