//! Sockets of the Unix domain, which Windows has since version 10 (1803): streams, with names that are paths.
//!
//! Rests on `afunix.h`. Addresses are paths in UTF-8, of 108 bytes with the zero byte at their end.

use std::io;
use std::os::windows::io::OwnedSocket;
use std::path::Path;

use windows_sys::Win32::Networking::WinSock::{
    getpeername, getsockname, AF_UNIX, SOCK_STREAM, WSAEAFNOSUPPORT,
};

use super::address::Address;
use super::{accept_from, bind_to, check, raw, socket, start_connecting, start_listening};
use crate::sys::Handle;

/// The room for a path in an address, its zero byte included.
pub(crate) const SUN_PATH: usize = 108;

/// A path, as the system has it: without its zero byte, and empty if there is no name.
#[derive(Copy, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Name {
    bytes: [u8; SUN_PATH],
    length: u8,
}

impl Name {
    pub(crate) fn of(path: &Path) -> io::Result<Name> {
        let problem = match path.to_str().map(str::as_bytes) {
            None => "the path of a Unix socket has to be Unicode",
            Some([]) => "the path of a Unix socket must not be empty",
            Some(bytes) if bytes.contains(&0) => {
                "the path of a Unix socket must not contain a zero byte"
            }
            Some(bytes) if bytes.len() >= SUN_PATH => {
                "the path of a Unix socket may have 107 bytes at most"
            }
            Some(bytes) => return Ok(Name::from_bytes(bytes)),
        };
        Err(io::Error::new(io::ErrorKind::InvalidInput, problem))
    }

    /// What is too long is cut off.
    fn from_bytes(path: &[u8]) -> Name {
        let length = path.len().min(SUN_PATH);
        let mut bytes = [0; SUN_PATH];
        bytes[..length].copy_from_slice(&path[..length]);
        Name {
            bytes,
            // At most 108.
            length: length as u8,
        }
    }

    pub(crate) fn as_bytes(&self) -> &[u8] {
        &self.bytes[..usize::from(self.length)]
    }

    fn address(&self) -> Address {
        Address::with(AF_UNIX, &self.bytes)
    }

    fn from_address(address: &Address) -> Name {
        let path = address.rest();
        let end = path.iter().position(|byte| *byte == 0);
        Name::from_bytes(&path[..end.unwrap_or(path.len())])
    }
}

fn stream() -> io::Result<OwnedSocket> {
    socket(AF_UNIX, SOCK_STREAM).map_err(|error| match error.raw_os_error() {
        Some(WSAEAFNOSUPPORT) => io::Error::new(
            io::ErrorKind::Unsupported,
            "this system has no Unix sockets (Windows has since version 10, build 17134)",
        ),
        _ => error,
    })
}

pub(crate) fn connect(name: &Name) -> io::Result<OwnedSocket> {
    let socket = stream()?;
    start_connecting(&socket, &name.address())?;
    Ok(socket)
}

pub(crate) fn listen(name: &Name) -> io::Result<OwnedSocket> {
    let socket = stream()?;
    bind_to(&socket, &name.address())?;
    start_listening(&socket)?;
    Ok(socket)
}

pub(crate) fn accept(listener: Handle<'_>) -> io::Result<(OwnedSocket, Name)> {
    let (socket, address) = accept_from(listener)?;
    Ok((socket, Name::from_address(&address)))
}

pub(crate) fn local_name(socket: Handle<'_>) -> io::Result<Name> {
    let mut address = Address::empty();
    let (memory, length) = address.as_mut_parts();
    // SAFETY: The socket is open, and there is room for an address of the length that goes with it.
    check(unsafe { getsockname(raw(&socket), memory, length) })?;
    Ok(Name::from_address(&address))
}

pub(crate) fn peer_name(socket: Handle<'_>) -> io::Result<Name> {
    let mut address = Address::empty();
    let (memory, length) = address.as_mut_parts();
    // SAFETY: As above.
    check(unsafe { getpeername(raw(&socket), memory, length) })?;
    Ok(Name::from_address(&address))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_come_back() {
        for path in [r"C:\temp\socket", "s", "grüß.sock", &"x".repeat(107)] {
            let name = Name::of(Path::new(path)).unwrap();
            assert_eq!(name.as_bytes(), path.as_bytes());
            assert_eq!(
                Name::from_address(&name.address()).as_bytes(),
                path.as_bytes()
            );
        }
        let unnamed = Address::with(AF_UNIX, &[]);
        assert_eq!(Name::from_address(&unnamed).as_bytes(), b"");
    }

    #[test]
    fn paths_that_are_none() {
        for path in ["", "a\0b", &"x".repeat(108)] {
            let error = Name::of(Path::new(path)).err().unwrap();
            assert_eq!(error.kind(), io::ErrorKind::InvalidInput, "{path:?}");
        }
    }
}
