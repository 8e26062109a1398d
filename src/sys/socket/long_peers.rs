//! The names of the peers of Unix sockets, where they may be longer than `sun_path`.
//!
//! The kernels of the BSDs and of Apple systems count the length of an address in a byte (`sa_len`), and let a path be
//! longer than the structure in the header file has room for. Apple's tells the length of the whole then, whatever it had
//! room to write (`accept(2)` and `recvfrom(2)`, where POSIX says that the stored part counts). Rustix takes such a length
//! for a promise and panics, and so would the standard library. A peer must not have that in its hands.

use std::io;
use std::mem::size_of;
use std::os::fd::{AsRawFd, OwnedFd};
use std::ptr;

use libc::{sockaddr, socklen_t};

use crate::sys::{create, Handle};

/// As long as an address can be.
const ROOM: usize = u8::MAX as usize + 1;

pub(super) struct Name {
    address: Address,
    len: usize,
}

#[repr(C, align(8))]
struct Address([u8; ROOM]);

/// The peer is asked for its name afterwards. One that is gone by then has none.
pub(super) fn accept(listener: Handle<'_>) -> io::Result<(OwnedFd, Name)> {
    let socket = create::accept_only(listener)?;
    let fd = socket.as_raw_fd();
    // SAFETY: The descriptor is open, and the pointers are those that the call wants, to memory that outlives it.
    let ask = |address, len| unsafe { libc::getpeername(fd, address, len) } as isize;
    let name = Name::written_by(ask).map_or(Name::NONE, |(_, name)| name);
    Ok((socket, name))
}

pub(super) fn recv_from(socket: Handle<'_>, buffer: &mut [u8]) -> io::Result<(usize, Name)> {
    let (fd, start, room) = (socket.as_raw_fd(), buffer.as_mut_ptr(), buffer.len());
    Name::written_by(|address, len| {
        // SAFETY: The descriptor is open, the buffer is `room` bytes long and borrowed for the call, and the pointers are
        // those that the call wants, to memory that outlives it.
        unsafe { libc::recvfrom(fd, start.cast(), room, 0, address, len) }
    })
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
}
