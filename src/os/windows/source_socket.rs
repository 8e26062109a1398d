//! [`SourceSocket`].

use std::io;
use std::os::windows::io::{BorrowedSocket, RawSocket};

use windows_sys::Win32::Networking::WinSock::{INVALID_SOCKET, WSAENOTSOCK};

use crate::event::Source;
use crate::sys::selector::Target;
use crate::sys::SourceState;
use crate::{Interest, Registry, Token};

/// Makes a source of any socket, without owning it: the counterpart of `SourceFd` on Unix.
///
/// For sockets that this crate has no type for, such as one of another crate. The socket should be in non-blocking mode.
/// To own a socket, use [`IoSource`](crate::IoSource) instead, which also has exact edges.
///
/// The value is needed for the three registration calls only; it can be made anew for each.
///
/// | the number is | registering it |
/// | --- | --- |
/// | a socket | reports it |
/// | another handle, not open, or `INVALID_SOCKET` | error: OS error 10038 (`WSAENOTSOCK`) |
///
/// # Closing
///
/// Deregister the socket before closing it. One that was closed without that falls silent. But its registration is only
/// forgotten when the queue is polled, or, of a one-shot that has reported, not at all: until then a new socket that has
/// its number cannot be registered.
///
/// # Edges
///
/// Nobody tells this crate of reads and writes on a bare socket. So an edge-triggered socket that stays ready is reported
/// again, after pauses that grow up to 4 ms. No edge is missed. Level and one-shot triggers are exact.
///
/// # Examples
///
/// ```
/// # #[cfg(windows)]
/// # fn main() -> std::io::Result<()> {
/// use mio::{windows::SourceSocket, Events, Interest, Poll, Token};
/// use std::net::UdpSocket;
/// use std::os::windows::io::AsRawSocket;
///
/// let socket = UdpSocket::bind("127.0.0.1:0")?;
/// socket.set_nonblocking(true)?;
/// let raw = socket.as_raw_socket();
///
/// let mut poll = Poll::new()?;
/// let mut events = Events::with_capacity(8);
/// poll.registry().register(&mut SourceSocket(&raw), Token(0), Interest::READABLE)?;
///
/// socket.send_to(b"hello", socket.local_addr()?)?;
/// poll.poll(&mut events, None)?;
/// assert!(events.iter().any(|event| event.token() == Token(0) && event.is_readable()));
///
/// poll.registry().deregister(&mut SourceSocket(&raw))?;
/// # Ok(())
/// # }
/// # #[cfg(not(windows))]
/// # fn main() {}
/// ```
#[derive(Debug)]
pub struct SourceSocket<'a>(
    /// The socket.
    pub &'a RawSocket,
);

impl SourceSocket<'_> {
    fn target(&self) -> io::Result<Target<'_, SourceState>> {
        let socket = *self.0;
        // The two types of this number differ, their size does not.
        if socket == INVALID_SOCKET as RawSocket {
            // Not a value that `BorrowedSocket` may have.
            return Err(io::Error::from_raw_os_error(WSAENOTSOCK));
        }
        // SAFETY: The number is given to the system for the length of one call, which checks whether it is a socket. A poll
        // that outlives the call ends with the socket.
        let handle = unsafe { BorrowedSocket::borrow_raw(socket) };
        Ok(Target {
            handle,
            state: None,
        })
    }
}

impl Source for SourceSocket<'_> {
    fn register(
        &mut self,
        registry: &Registry,
        token: Token,
        interests: Interest,
    ) -> io::Result<()> {
        registry.add(self.target()?, token, interests)
    }

    fn reregister(
        &mut self,
        registry: &Registry,
        token: Token,
        interests: Interest,
    ) -> io::Result<()> {
        registry.modify(self.target()?, token, interests)
    }

    fn deregister(&mut self, registry: &Registry) -> io::Result<()> {
        registry.remove(self.target()?)
    }
}
