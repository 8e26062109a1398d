//! Sockets of the Unix domain.
//!
//! Their addresses need care. A path may fill `sun_path` to its last byte, without a zero byte behind it; the kernel may
//! report it with a length that is longer than `struct sockaddr_un`, and with any number of zero bytes behind it, if that
//! is how it was bound; and an empty path means "no name", not an abstract name of no bytes. `peers` has the bytes.

use std::ffi::OsStr;
use std::fmt;
use std::io;
use std::os::fd::{AsRawFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::net::SocketAddr;
use std::path::Path;

use rustix::io::Errno;
use rustix::net::{self, AddressFamily, SocketAddrUnix, SocketType};

use crate::sys::return_stack::covered;
use crate::sys::{create, names, peers, sigpipe, Handle, BACKLOG, SUN_PATH};

/// The address of a path, as `bind` and `connect` take it.
pub(crate) fn path_address(path: &Path) -> io::Result<SocketAddrUnix> {
    let bytes = path.as_os_str().as_bytes();
    if bytes.is_empty() {
        return names::no_path();
    }
    SocketAddrUnix::new(bytes).map_err(bad_path)
}

#[cold]
fn bad_path(errno: Errno) -> io::Error {
    let problem = match errno {
        Errno::NAMETOOLONG => {
            format!("the path of a Unix socket may have {SUN_PATH} bytes at most")
        }
        Errno::INVAL => "the path of a Unix socket must not contain a zero byte".to_owned(),
        _ => return errno.into(),
    };
    io::Error::new(io::ErrorKind::InvalidInput, problem)
}

/// The same for an address that the user made.
pub(crate) fn address(address: &SocketAddr) -> io::Result<SocketAddrUnix> {
    match address.as_pathname() {
        Some(path) => path_address(path),
        None => names::address(address),
    }
}

pub(crate) fn stream_connect(address: &SocketAddrUnix) -> io::Result<OwnedFd> {
    let socket = create::socket(AddressFamily::UNIX, SocketType::STREAM)?;
    match net::connect(&socket, address) {
        // `EAGAIN` is an error here: the backlog is full, and no attempt is under way.
        Ok(()) | Err(Errno::INPROGRESS) => Ok(socket),
        Err(errno) => Err(errno.into()),
    }
}

pub(crate) fn listen(address: &SocketAddrUnix) -> io::Result<OwnedFd> {
    let socket = create::socket(AddressFamily::UNIX, SocketType::STREAM)?;
    net::bind(&socket, address)?;
    net::listen(&socket, BACKLOG)?;
    Ok(socket)
}

#[inline]
pub(crate) fn accept(listener: Handle<'_>) -> io::Result<(OwnedFd, SocketAddr)> {
    let (socket, name) = peers::accept(listener)?;
    Ok((socket, std_address(name.bytes())?))
}

pub(crate) fn datagram(address: Option<&SocketAddrUnix>) -> io::Result<OwnedFd> {
    let socket = create::socket(AddressFamily::UNIX, SocketType::DGRAM)?;
    if let Some(address) = address {
        net::bind(&socket, address)?;
    }
    Ok(socket)
}

pub(crate) fn stream_pair() -> io::Result<(OwnedFd, OwnedFd)> {
    create::socket_pair(SocketType::STREAM)
}

pub(crate) fn datagram_pair() -> io::Result<(OwnedFd, OwnedFd)> {
    create::socket_pair(SocketType::DGRAM)
}

pub(crate) fn connect(socket: Handle<'_>, address: &SocketAddrUnix) -> io::Result<()> {
    Ok(net::connect(socket, address)?)
}

pub(crate) fn local_addr(socket: Handle<'_>) -> io::Result<SocketAddr> {
    peers::local_addr(socket)
}

pub(crate) fn peer_addr(socket: Handle<'_>) -> io::Result<SocketAddr> {
    peers::peer_addr(socket)
}

/// What the standard library shows of a socket, with names that it might panic at.
pub(crate) fn show(kind: &str, socket: Handle<'_>, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    let mut shown = f.debug_struct(kind);
    shown.field("fd", &socket.as_raw_fd());
    if let Ok(address) = local_addr(socket) {
        shown.field("local", &address);
    }
    if let Ok(address) = peer_addr(socket) {
        shown.field("peer", &address);
    }
    shown.finish()
}

#[inline(always)]
pub(crate) fn recv_from(socket: Handle<'_>, buffer: &mut [u8]) -> io::Result<(usize, SocketAddr)> {
    let (n, name) = peers::recv_from(socket, buffer)?;
    Ok((n, std_address(name.bytes())?))
}

#[inline]
pub(crate) fn send_to(
    socket: Handle<'_>,
    bytes: &[u8],
    address: &SocketAddrUnix,
) -> io::Result<usize> {
    Ok(covered(net::sendto(socket, bytes, sigpipe::SEND, address))?)
}

/// What the kernel reported, as the standard library's address.
#[inline(never)]
pub(in crate::sys) fn std_address(name: &[u8]) -> io::Result<SocketAddr> {
    match name {
        [] => SocketAddr::from_pathname(""),
        [0, name @ ..] => names::std_address(name),
        path => {
            let end = path.iter().position(|byte| *byte == 0);
            let path = &path[..end.unwrap_or(path.len())];
            // The standard library has no place for a path without room for its zero byte.
            SocketAddr::from_pathname(OsStr::from_bytes(path))
                .or_else(|_| SocketAddr::from_pathname(""))
        }
    }
}
