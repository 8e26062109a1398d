//! The names of Unix sockets and of their peers, where they may be longer than `sun_path`.
//!
//! The kernels of the BSDs and of Apple systems count the length of an address in a byte (`sa_len`), and let a path be
//! longer than the structure in the header file has room for. Apple's tells the length of the whole then, whatever it had
//! room to write (`accept(2)` and `recvfrom(2)`, where POSIX says that the stored part counts). Rustix takes such a length
//! for a promise and panics, and so does the standard library, as soon as the address is looked at. A peer must not have
//! that in its hands.
//!
//! A name also need not end in a zero byte: C's `SUN_LEN` counts none there, and the kernel says what it was told. The
//! standard library takes the last byte for that zero, and loses the end of the path.

use std::io;
use std::mem::size_of;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd, RawFd};
use std::os::unix::net::SocketAddr;
use std::ptr;

use libc::{sockaddr, socklen_t};

use crate::sys::socket::local::std_address;
use crate::sys::{accepting, create, Handle, ADDRESS_HAS_LENGTH};

/// As long as an address can be.
const ROOM: usize = u8::MAX as usize + 1;

pub(super) struct Name {
    address: Address,
    len: usize,
}

#[repr(C, align(8))]
struct Address([u8; ROOM]);

pub(super) fn accept(listener: Handle<'_>) -> io::Result<(OwnedFd, Name)> {
    let fd = listener.as_raw_fd();
    // SAFETY: The descriptor is open, and the pointers are those that the call wants, to memory that outlives it.
    let accept = |address, len| unsafe { accepting::accept(fd, address, len) } as isize;
    let (socket, name) = Name::written_by(accept)?;
    // SAFETY: The descriptor is new, and nobody else's.
    let socket = unsafe { OwnedFd::from_raw_fd(socket as RawFd) };
    Ok((create::accepted(socket)?, name))
}

pub(super) fn recv_from(socket: Handle<'_>, buffer: &mut [u8]) -> io::Result<(usize, Name)> {
    let (fd, start, room) = (socket.as_raw_fd(), buffer.as_mut_ptr(), buffer.len());
    Name::written_by(|address, len| {
        // SAFETY: The descriptor is open, the buffer is `room` bytes long and borrowed for the call, and the pointers are
        // those that the call wants, to memory that outlives it.
        unsafe { libc::recvfrom(fd, start.cast(), room, 0, address, len) }
    })
}

pub(super) fn local_addr(socket: Handle<'_>) -> io::Result<SocketAddr> {
    let fd = socket.as_raw_fd();
    // SAFETY: The descriptor is open, and the pointers are those that the call wants, to memory that outlives it.
    let ask = |address, len| unsafe { libc::getsockname(fd, address, len) } as isize;
    Name::written_by(ask)?.1.address()
}

pub(super) fn peer_addr(socket: Handle<'_>) -> io::Result<SocketAddr> {
    let fd = socket.as_raw_fd();
    // SAFETY: The descriptor is open, and the pointers are those that the call wants, to memory that outlives it.
    let ask = |address, len| unsafe { libc::getpeername(fd, address, len) } as isize;
    Name::written_by(ask)?.1.address()
}

impl Name {
    const NONE: Name = Name {
        address: Address([0; ROOM]),
        len: 0,
    };

    /// The name that a call writes, and what else it returns.
    fn written_by(
        call: impl FnOnce(*mut sockaddr, *mut socklen_t) -> isize,
    ) -> io::Result<(usize, Name)> {
        let mut name = Name::NONE;
        let mut len = ROOM as socklen_t;
        let result = call(ptr::addr_of_mut!(name.address).cast(), &mut len);
        let result = usize::try_from(result).map_err(|_| io::Error::last_os_error())?;
        name.len = (len as usize).min(ROOM);
        Ok((result, name))
    }

    /// What stands behind length and family in the address.
    pub(super) fn bytes(&self) -> &[u8] {
        const START: usize = size_of::<u16>();
        self.address.0[..self.len].get(START..).unwrap_or_default()
    }

    /// The standard library's address. Like there, a socket of another family is an error.
    fn address(&self) -> io::Result<SocketAddr> {
        let family = match self.address.0 {
            [_, family, ..] if ADDRESS_HAS_LENGTH => family.into(),
            [first, second, ..] => u16::from_ne_bytes([first, second]),
        };
        if self.len != 0 && i32::from(family) != libc::AF_UNIX {
            return Err(io::Error::new(
                io::ErrorKind::InvalidInput,
                "the descriptor is not that of a Unix socket",
            ));
        }
        std_address(self.bytes())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    use std::path::Path;

    /// What a call says that writes a name of these bytes, and tells a length.
    fn named(family: i32, path: &[u8], told: usize) -> Name {
        let mut bytes = match ADDRESS_HAS_LENGTH {
            true => vec![told as u8, family as u8],
            false => (family as u16).to_ne_bytes().to_vec(),
        };
        bytes.extend(path);
        let call = |address: *mut sockaddr, len: *mut socklen_t| {
            // SAFETY: The memory is `ROOM` bytes long, and there are fewer here.
            unsafe { ptr::copy_nonoverlapping(bytes.as_ptr(), address.cast(), bytes.len()) };
            // SAFETY: It is a pointer to a variable of the caller's.
            unsafe { *len = told as socklen_t };
            0
        };
        Name::written_by(call).unwrap().1
    }

    #[test]
    fn a_path_is_whole_with_or_without_its_zero_byte() {
        for path in [&b"/tmp/a"[..], b"/tmp/a\0", b"/tmp/a\0\0\0"] {
            let name = named(libc::AF_UNIX, path, 2 + path.len());
            let address = name.address().unwrap();
            assert_eq!(address.as_pathname(), Some(Path::new("/tmp/a")));
        }
    }

    #[test]
    fn a_path_that_is_too_long_is_none() {
        for length in [120, 253] {
            let path = vec![b'x'; length];
            let name = named(libc::AF_UNIX, &path, 2 + length);
            assert_eq!(name.bytes(), path);
            assert!(name.address().unwrap().is_unnamed());
        }
    }

    #[test]
    fn a_length_beyond_what_was_written_is_not_believed() {
        let name = named(libc::AF_UNIX, b"/tmp/a", 10_000);
        assert_eq!(
            name.address().unwrap().as_pathname(),
            Some(Path::new("/tmp/a"))
        );
    }

    #[test]
    fn nothing_is_unnamed_and_another_family_an_error() {
        // With zeros for a path, a name on Linux is an abstract one.
        let unnamed: &[usize] = if ADDRESS_HAS_LENGTH {
            &[0, 2, 16]
        } else {
            &[0, 2]
        };
        for &told in unnamed {
            let name = named(libc::AF_UNIX, &[0; 14], told);
            assert!(name.address().unwrap().is_unnamed(), "{told}");
        }
        let error = named(libc::AF_INET, &[0; 14], 16).address().unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::InvalidInput);
    }
}
