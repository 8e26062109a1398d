//! [`SourceFd`].

use std::io;
use std::os::fd::{BorrowedFd, RawFd};

use crate::event::Source;
use crate::registry::note;
use crate::sys::selector::Target;
use crate::sys::SourceState;
use crate::{Interest, Registry, Token};

/// Makes a source of any file descriptor, without owning it.
///
/// For descriptors that this crate has no type for: terminals, `timerfd`, `inotify`, a socket of another crate. The
/// descriptor should be in non-blocking mode. To own a handle, use [`IoSource`](crate::IoSource) instead.
///
/// The value is needed for the three registration calls only; it can be made anew for each.
///
/// | the descriptor is | epoll | kqueue | poll, event ports |
/// | --- | --- | --- | --- |
/// | a socket, pipe, terminal, `eventfd`, … | reported | reported | reported |
/// | a regular file, a directory | error: OS error `EPERM` | readable while it is not at its end; writing: the system's answer | always ready |
/// | `/dev/null`, `/dev/zero` | error: OS error `EPERM` | the system's answer | always ready |
/// | not open, or negative | error: OS error `EBADF` | error: OS error `EBADF` | error: OS error `EBADF` |
///
/// # Closing
///
/// Deregister the descriptor before closing it. The system may do it by itself, but epoll not while a duplicate of the
/// descriptor is open: then the old token keeps coming, and cannot be deregistered any more. With
/// [`Backend::Poll`](crate::Backend::Poll), a number that is reused before the next poll inherits the registration. With
/// [`Backend::EventPorts`](crate::Backend::EventPorts) it counts as registered until it is deregistered.
///
/// # Edges with `Backend::Poll` and `Backend::EventPorts`
///
/// `poll(2)` knows no edges, and nobody tells this crate of reads and writes on a bare descriptor. So an edge-triggered
/// descriptor that stays ready is reported again, after pauses that grow up to 4 ms. No edge is missed.
///
/// # Examples
///
/// ```
/// # fn main() -> std::io::Result<()> {
/// use mio::{unix::SourceFd, Events, Interest, Poll, Token};
/// use std::io::Write;
/// use std::os::fd::AsRawFd;
/// use std::os::unix::net::UnixStream;
///
/// let (mut left, right) = UnixStream::pair()?;
/// right.set_nonblocking(true)?;
///
/// let mut poll = Poll::new()?;
/// let mut events = Events::with_capacity(8);
/// let fd = right.as_raw_fd();
/// poll.registry().register(&mut SourceFd(&fd), Token(0), Interest::READABLE)?;
///
/// left.write_all(b"x")?;
/// poll.poll(&mut events, None)?;
/// assert!(events.iter().any(|event| event.token() == Token(0) && event.is_readable()));
///
/// poll.registry().deregister(&mut SourceFd(&fd))?;
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct SourceFd<'a>(
    /// The descriptor.
    pub &'a RawFd,
);

// Its errors are the system's, without a word of explanation, in debug builds, too: whoever has a bare descriptor compares
// numbers (`EPERM` says that a file needs no queue), and an error has either a number or a text. The log has the hints.
impl SourceFd<'_> {
    #[inline]
    fn target(&self, change: &str) -> io::Result<Target<'_, SourceState>> {
        let fd = *self.0;
        if fd < 0 {
            // Not a descriptor, and not a value that `BorrowedFd` may have.
            return note(change, Err(rustix::io::Errno::BADF.into()));
        }
        // SAFETY: The number is given to the system for the length of one call, which checks whether it is open.
        let handle = unsafe { BorrowedFd::borrow_raw(fd) };
        Ok(Target {
            handle,
            state: None,
        })
    }
}

impl Source for SourceFd<'_> {
    #[inline]
    fn register(
        &mut self,
        registry: &Registry,
        token: Token,
        interests: Interest,
    ) -> io::Result<()> {
        registry.add(self.target("register")?, token, interests)
    }

    #[inline]
    fn reregister(
        &mut self,
        registry: &Registry,
        token: Token,
        interests: Interest,
    ) -> io::Result<()> {
        registry.modify(self.target("reregister")?, token, interests)
    }

    #[inline]
    fn deregister(&mut self, registry: &Registry) -> io::Result<()> {
        registry.remove(self.target("deregister")?)
    }
}
