//! Connecting without waiting, through wasi-libc: the standard library waits, and rustix has no sockets for WASI.

use std::io;
use std::mem::size_of;
use std::net::SocketAddr;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};

use libc::{c_int, sockaddr, socklen_t};

pub(crate) fn tcp_connect(address: SocketAddr) -> io::Result<OwnedFd> {
    match address {
        SocketAddr::V4(address) => {
            let name = libc::sockaddr_in {
                sin_family: libc::AF_INET as libc::sa_family_t,
                sin_port: address.port().to_be(),
                sin_addr: libc::in_addr {
                    s_addr: u32::from_ne_bytes(address.ip().octets()),
                },
            };
            connect(libc::AF_INET, &name)
        }
        SocketAddr::V6(address) => {
            let name = libc::sockaddr_in6 {
                sin6_family: libc::AF_INET6 as libc::sa_family_t,
                sin6_port: address.port().to_be(),
                sin6_flowinfo: address.flowinfo(),
                sin6_addr: libc::in6_addr {
                    s6_addr: address.ip().octets(),
                },
                sin6_scope_id: address.scope_id(),
            };
            connect(libc::AF_INET6, &name)
        }
    }
}

/// Connects a new socket of `family` to `name`, which is that family's `struct sockaddr`.
fn connect<T>(family: c_int, name: &T) -> io::Result<OwnedFd> {
    // SAFETY: It takes any numbers.
    let fd = unsafe { libc::socket(family, libc::SOCK_STREAM | libc::SOCK_NONBLOCK, 0) };
    if fd < 0 {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: The descriptor is new, so it belongs to nobody else.
    let socket = unsafe { OwnedFd::from_raw_fd(fd) };
    let name: *const sockaddr = (name as *const T).cast();
    // SAFETY: The socket is open, and the address as long as it is said to be.
    let result = unsafe { libc::connect(socket.as_raw_fd(), name, size_of::<T>() as socklen_t) };
    if result == 0 {
        return Ok(socket);
    }
    match io::Error::last_os_error() {
        error if error.raw_os_error() == Some(libc::EINPROGRESS) => Ok(socket),
        error => Err(error),
    }
}
