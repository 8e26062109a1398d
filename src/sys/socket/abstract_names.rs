//! Names of Unix sockets that are no paths, which Linux has (`unix(7)`): no name at all, and abstract names.

use std::io;
use std::os::unix::net::SocketAddr;

use rustix::net::SocketAddrUnix;

use crate::sys::SocketAddrExt;

/// Binding to it makes the kernel pick a name.
pub(super) fn no_path() -> io::Result<SocketAddrUnix> {
    Ok(SocketAddrUnix::new_unnamed())
}

/// The name in an address that has no path.
pub(super) fn address(address: &SocketAddr) -> io::Result<SocketAddrUnix> {
    match address.as_abstract_name() {
        Some(name) => Ok(SocketAddrUnix::new_abstract_name(name)?),
        None => no_path(),
    }
}

/// The address that the kernel reported with a zero byte before `name`.
pub(super) fn std_address(name: &[u8]) -> io::Result<SocketAddr> {
    SocketAddr::from_abstract_name(name)
}
