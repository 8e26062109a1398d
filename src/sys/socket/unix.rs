//! Sockets of Unix systems: creating, accepting, connecting, and what they carry.
//!
//! Everything here is made close-on-exec and non-blocking by the call that makes it, so no `fork` can come in between, and
//! nothing raises `SIGPIPE`. The functions are inlined up to the user's loop: see "No `ret` after the kernel" in
//! ARCHITECTURE.md.
//!
//! Addresses of Unix sockets need care. The kernel accepts a path of 108 bytes, the whole of `sun_path`, and reports it
//! with a length that is longer than `struct sockaddr_un`; and an empty path means "no name", not an abstract name of no
//! bytes.

use std::io::{self, IoSlice, IoSliceMut};
use std::net::SocketAddr;
use std::os::fd::OwnedFd;

use rustix::io::{readv, Errno};
use rustix::net::{
    self, AddressFamily, RecvFlags, SendAncillaryBuffer, SendFlags, SocketAddrAny, SocketFlags,
    SocketType,
};

use super::{Handle, BACKLOG};

/// `accept4(2)`, `socket(2)` and `socketpair(2)` take them.
const FLAGS: SocketFlags = SocketFlags::CLOEXEC.union(SocketFlags::NONBLOCK);

/// The kernel takes no more buffers than this at a time.
const IOV_MAX: usize = 1024;

#[inline]
fn socket(family: AddressFamily, kind: SocketType) -> io::Result<OwnedFd> {
    Ok(net::socket_with(family, kind, FLAGS, None)?)
}

#[inline]
fn family_of(address: &SocketAddr) -> AddressFamily {
    match address {
        SocketAddr::V4(_) => AddressFamily::INET,
        SocketAddr::V6(_) => AddressFamily::INET6,
    }
}

#[inline]
pub(crate) fn tcp_connect(address: SocketAddr) -> io::Result<OwnedFd> {
    let socket = socket(family_of(&address), SocketType::STREAM)?;
    match net::connect(&socket, &address) {
        Ok(()) | Err(Errno::INPROGRESS) => Ok(socket),
        Err(errno) => Err(errno.into()),
    }
}

pub(crate) fn tcp_listen(address: SocketAddr) -> io::Result<OwnedFd> {
    let socket = socket(family_of(&address), SocketType::STREAM)?;
    net::sockopt::set_socket_reuseaddr(&socket, true)?;
    net::bind(&socket, &address)?;
    net::listen(&socket, BACKLOG)?;
    Ok(socket)
}

#[inline]
pub(crate) fn tcp_accept(listener: Handle<'_>) -> io::Result<(OwnedFd, SocketAddr)> {
    let (socket, address) = net::acceptfrom_with(listener, FLAGS)?;
    Ok((socket, internet_address(address)?))
}

pub(crate) fn udp_bind(address: SocketAddr) -> io::Result<OwnedFd> {
    let socket = socket(family_of(&address), SocketType::DGRAM)?;
    net::bind(&socket, &address)?;
    Ok(socket)
}

pub(crate) fn udp_connect(socket: Handle<'_>, address: SocketAddr) -> io::Result<()> {
    Ok(net::connect(socket, &address)?)
}

#[inline]
pub(crate) fn recv(socket: Handle<'_>, buffer: &mut [u8]) -> io::Result<usize> {
    let (n, _) = net::recv(socket, buffer, RecvFlags::empty())?;
    Ok(n)
}

#[inline]
pub(crate) fn peek(socket: Handle<'_>, buffer: &mut [u8]) -> io::Result<usize> {
    let (n, _) = net::recv(socket, buffer, RecvFlags::PEEK)?;
    Ok(n)
}

#[inline]
pub(crate) fn recv_vectored(
    socket: Handle<'_>,
    buffers: &mut [IoSliceMut<'_>],
) -> io::Result<usize> {
    let count = buffers.len().min(IOV_MAX);
    Ok(readv(socket, &mut buffers[..count])?)
}

#[inline]
pub(crate) fn send(socket: Handle<'_>, bytes: &[u8]) -> io::Result<usize> {
    Ok(net::send(socket, bytes, SendFlags::NOSIGNAL)?)
}

#[inline]
pub(crate) fn send_vectored(socket: Handle<'_>, buffers: &[IoSlice<'_>]) -> io::Result<usize> {
    let count = buffers.len().min(IOV_MAX);
    let mut control = SendAncillaryBuffer::default();
    Ok(net::sendmsg(
        socket,
        &buffers[..count],
        &mut control,
        SendFlags::NOSIGNAL,
    )?)
}

#[inline]
pub(crate) fn recv_from(socket: Handle<'_>, buffer: &mut [u8]) -> io::Result<(usize, SocketAddr)> {
    let (n, _, address) = net::recvfrom(socket, buffer, RecvFlags::empty())?;
    Ok((n, internet_address(address)?))
}

#[inline]
pub(crate) fn peek_from(socket: Handle<'_>, buffer: &mut [u8]) -> io::Result<(usize, SocketAddr)> {
    let (n, _, address) = net::recvfrom(socket, buffer, RecvFlags::PEEK)?;
    Ok((n, internet_address(address)?))
}

#[inline]
pub(crate) fn send_to(socket: Handle<'_>, bytes: &[u8], address: SocketAddr) -> io::Result<usize> {
    Ok(net::sendto(socket, bytes, SendFlags::NOSIGNAL, &address)?)
}

pub(crate) fn only_v6(socket: Handle<'_>) -> io::Result<bool> {
    Ok(net::sockopt::ipv6_v6only(socket)?)
}

#[inline]
fn internet_address(address: Option<SocketAddrAny>) -> io::Result<SocketAddr> {
    match address {
        Some(address) => Ok(address.try_into()?),
        None => Err(Errno::AFNOSUPPORT.into()),
    }
}

/// Sockets of the Unix domain.
pub(crate) mod local {
    use std::ffi::OsStr;
    use std::io;
    use std::mem::size_of;
    use std::os::fd::OwnedFd;
    use std::os::unix::ffi::OsStrExt;
    use std::os::unix::net::SocketAddr;
    use std::path::Path;

    use rustix::io::Errno;
    use rustix::net::{
        self, AddressFamily, RecvFlags, SendFlags, SocketAddrAny, SocketAddrUnix, SocketType,
    };

    use super::super::SocketAddrExt;
    use super::{socket, Handle, BACKLOG, FLAGS};

    /// The address of a path, as `bind` and `connect` take it.
    pub(crate) fn path_address(path: &Path) -> io::Result<SocketAddrUnix> {
        let bytes = path.as_os_str().as_bytes();
        if bytes.is_empty() {
            return Ok(SocketAddrUnix::new_unnamed());
        }
        SocketAddrUnix::new(bytes).map_err(bad_path)
    }

    #[cold]
    fn bad_path(errno: Errno) -> io::Error {
        let problem = match errno {
            Errno::NAMETOOLONG => "the path of a Unix socket may have 108 bytes at most",
            Errno::INVAL => "the path of a Unix socket must not contain a zero byte",
            _ => return errno.into(),
        };
        io::Error::new(io::ErrorKind::InvalidInput, problem)
    }

    /// The same for an address that the user made.
    pub(crate) fn address(address: &SocketAddr) -> io::Result<SocketAddrUnix> {
        if let Some(path) = address.as_pathname() {
            return path_address(path);
        }
        match address.as_abstract_name() {
            Some(name) => Ok(SocketAddrUnix::new_abstract_name(name)?),
            None => Ok(SocketAddrUnix::new_unnamed()),
        }
    }

    pub(crate) fn stream_connect(address: &SocketAddrUnix) -> io::Result<OwnedFd> {
        let socket = socket(AddressFamily::UNIX, SocketType::STREAM)?;
        match net::connect(&socket, address) {
            // `EAGAIN` is an error here: the backlog is full, and no attempt is under way.
            Ok(()) | Err(Errno::INPROGRESS) => Ok(socket),
            Err(errno) => Err(errno.into()),
        }
    }

    pub(crate) fn listen(address: &SocketAddrUnix) -> io::Result<OwnedFd> {
        let socket = socket(AddressFamily::UNIX, SocketType::STREAM)?;
        net::bind(&socket, address)?;
        net::listen(&socket, BACKLOG)?;
        Ok(socket)
    }

    #[inline]
    pub(crate) fn accept(listener: Handle<'_>) -> io::Result<(OwnedFd, SocketAddr)> {
        let (socket, address) = net::acceptfrom_with(listener, FLAGS)?;
        Ok((socket, std_address(address)?))
    }

    pub(crate) fn datagram(address: Option<&SocketAddrUnix>) -> io::Result<OwnedFd> {
        let socket = socket(AddressFamily::UNIX, SocketType::DGRAM)?;
        if let Some(address) = address {
            net::bind(&socket, address)?;
        }
        Ok(socket)
    }

    pub(crate) fn stream_pair() -> io::Result<(OwnedFd, OwnedFd)> {
        pair(SocketType::STREAM)
    }

    pub(crate) fn datagram_pair() -> io::Result<(OwnedFd, OwnedFd)> {
        pair(SocketType::DGRAM)
    }

    fn pair(kind: SocketType) -> io::Result<(OwnedFd, OwnedFd)> {
        Ok(net::socketpair(AddressFamily::UNIX, kind, FLAGS, None)?)
    }

    pub(crate) fn connect(socket: Handle<'_>, address: &SocketAddrUnix) -> io::Result<()> {
        Ok(net::connect(socket, address)?)
    }

    #[inline]
    pub(crate) fn recv_from(
        socket: Handle<'_>,
        buffer: &mut [u8],
    ) -> io::Result<(usize, SocketAddr)> {
        let (n, _, address) = net::recvfrom(socket, buffer, RecvFlags::empty())?;
        Ok((n, std_address(address)?))
    }

    #[inline]
    pub(crate) fn send_to(
        socket: Handle<'_>,
        bytes: &[u8],
        address: &SocketAddrUnix,
    ) -> io::Result<usize> {
        Ok(net::sendto(socket, bytes, SendFlags::NOSIGNAL, address)?)
    }

    /// What the kernel reported, as the standard library's address.
    fn std_address(address: Option<SocketAddrAny>) -> io::Result<SocketAddr> {
        let unnamed = || SocketAddr::from_pathname("");
        // Where the name starts. Rustix would make of no name an abstract one of no bytes.
        const EMPTY: usize = size_of::<u16>();
        // A path without room for its zero byte: no type has a place for it, and rustix would panic.
        const LONGEST: usize = EMPTY + 108;

        match address {
            Some(address) if (EMPTY + 1..=LONGEST).contains(&(address.addr_len() as usize)) => {
                let address = SocketAddrUnix::try_from(address)?;
                if let Some(path) = address.path_bytes() {
                    // Of a path of 107 bytes, which fills the room, rustix leaves the zero byte on.
                    let path = path.strip_suffix(b"\0").unwrap_or(path);
                    SocketAddr::from_pathname(OsStr::from_bytes(path))
                } else if let Some(name) = address.abstract_name() {
                    SocketAddr::from_abstract_name(name)
                } else {
                    unnamed()
                }
            }
            _ => unnamed(),
        }
    }
}
