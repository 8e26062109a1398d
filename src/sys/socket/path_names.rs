//! Names of Unix sockets where each is a path.

use std::io;
use std::os::unix::net::SocketAddr;

use rustix::net::SocketAddrUnix;

#[cold]
pub(super) fn no_path() -> io::Result<SocketAddrUnix> {
    Err(io::Error::new(
        io::ErrorKind::InvalidInput,
        "the path of a Unix socket must not be empty on this system",
    ))
}

/// The name in an address that has no path: there is none.
pub(super) fn address(_: &SocketAddr) -> io::Result<SocketAddrUnix> {
    no_path()
}

/// The address that the kernel reported with a zero byte in place of a path: a socket without a name.
pub(super) fn std_address(_: &[u8]) -> io::Result<SocketAddr> {
    SocketAddr::from_pathname("")
}
