//! What a loop does with sockets, through rustix.

use std::io;
use std::net::{SocketAddr, SocketAddrV6};
use std::os::fd::OwnedFd;

use rustix::io::Errno;
use rustix::net::{self, RecvFlags, SocketAddrAny};

use crate::sys::{create, sigpipe, Handle};

#[inline(always)]
pub(crate) fn accept(listener: Handle<'_>) -> io::Result<(OwnedFd, SocketAddr)> {
    match create::accept(listener)? {
        (socket, Some(address)) => Ok((socket, address_of(Some(address))?)),
        // On Apple systems: the peer was gone before it was accepted.
        (_, None) => Err(Errno::CONNABORTED.into()),
    }
}

#[inline(always)]
pub(crate) fn recv_with_flags(
    socket: Handle<'_>,
    buffer: &mut [u8],
    flags: RecvFlags,
) -> io::Result<usize> {
    let (n, _) = net::recv(socket, buffer, flags)?;
    Ok(n)
}

#[inline(always)]
pub(crate) fn send(socket: Handle<'_>, bytes: &[u8]) -> io::Result<usize> {
    Ok(net::send(socket, bytes, sigpipe::SEND)?)
}

#[inline(always)]
pub(crate) fn recv_with_address(
    socket: Handle<'_>,
    buffer: &mut [u8],
    flags: RecvFlags,
) -> io::Result<(usize, SocketAddr)> {
    let (n, _, address) = net::recvfrom(socket, buffer, flags)?;
    Ok((n, address_of(address)?))
}

#[inline(always)]
pub(crate) fn send_to(socket: Handle<'_>, bytes: &[u8], address: SocketAddr) -> io::Result<usize> {
    // Which family it is decided here, or the two calls together would be too much code to be inlined.
    Ok(match address {
        SocketAddr::V4(address) => net::sendto(socket, bytes, sigpipe::SEND, &address)?,
        SocketAddr::V6(address) => net::sendto(socket, bytes, sigpipe::SEND, &swapped_v6(address))?,
    })
}

/// An address as rustix takes it, or what rustix gives back. The standard library has the flow information of IPv6 in the
/// order of the wire, as `struct sockaddr_in6` has it; rustix swaps its bytes on the way there and back.
#[inline]
pub(super) fn swapped(address: SocketAddr) -> SocketAddr {
    match address {
        SocketAddr::V6(address) => SocketAddr::V6(swapped_v6(address)),
        v4 => v4,
    }
}

#[inline]
fn swapped_v6(mut address: SocketAddrV6) -> SocketAddrV6 {
    address.set_flowinfo(address.flowinfo().to_be());
    address
}

#[inline(always)]
pub(super) fn address_of(address: Option<SocketAddrAny>) -> io::Result<SocketAddr> {
    match address {
        Some(address) => Ok(swapped(address.try_into()?)),
        None => Err(Errno::AFNOSUPPORT.into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// That what goes there is right can only be seen on the kernel's side: `tests/sockets/udp.rs`.
    #[test]
    fn an_address_comes_back_as_it_went() {
        let ip = std::net::Ipv6Addr::LOCALHOST;
        let v6 = SocketAddrV6::new(ip, 1, u32::from_ne_bytes([0x0a, 0xb0, 0, 0]), 2);
        for address in [v6.into(), "127.0.0.1:3".parse().unwrap()] {
            let there = match swapped(address) {
                SocketAddr::V4(v4) => SocketAddrAny::from(v4),
                SocketAddr::V6(v6) => SocketAddrAny::from(v6),
            };
            assert_eq!(address_of(Some(there)).unwrap(), address);
        }
    }
}
