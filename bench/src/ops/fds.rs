//! Descriptors that the subjects share, and the same bare calls on them for everybody.

use std::cell::RefCell;
use std::io;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::rc::{Rc, Weak};

use crate::subject::bare::{Calls, Inline};

/// A descriptor to read from, and one to write to.
pub(crate) type Pair = (OwnedFd, OwnedFd);

thread_local! {
    static EVENTFDS: RefCell<Weak<Vec<OwnedFd>>> = const { RefCell::new(Weak::new()) };
    static PAIRS: RefCell<Weak<Vec<Pair>>> = const { RefCell::new(Weak::new()) };
}

/// So many eventfds that do not block.
pub(crate) fn eventfds(count: usize) -> Rc<Vec<OwnedFd>> {
    EVENTFDS.with(|shared| {
        share(shared, count, || {
            // SAFETY: No pointers.
            let fd = unsafe { libc::eventfd(0, libc::EFD_CLOEXEC | libc::EFD_NONBLOCK) };
            assert!(fd >= 0, "{}", io::Error::last_os_error());
            // SAFETY: It is new, so nobody else owns it.
            unsafe { OwnedFd::from_raw_fd(fd) }
        })
    })
}

/// So many pairs of sockets that do not block.
pub(crate) fn pairs(count: usize) -> Rc<Vec<Pair>> {
    PAIRS.with(|shared| {
        share(shared, count, || {
            let (reader, writer) = UnixStream::pair().unwrap();
            reader.set_nonblocking(true).unwrap();
            writer.set_nonblocking(true).unwrap();
            (reader.into(), writer.into())
        })
    })
}

/// What is there already, if somebody still uses it and it is as many.
fn share<T>(shared: &RefCell<Weak<Vec<T>>>, count: usize, make: impl Fn() -> T) -> Rc<Vec<T>> {
    let known = shared.borrow().upgrade();
    known
        .filter(|known| known.len() == count)
        .unwrap_or_else(|| {
            let new = Rc::new((0..count).map(|_| make()).collect());
            *shared.borrow_mut() = Rc::downgrade(&new);
            new
        })
}

/// Writes all of it.
#[inline(always)]
pub(crate) fn write(fd: &OwnedFd, bytes: &[u8]) {
    // SAFETY: The slice's own length.
    let written = unsafe { Inline::write(fd.as_raw_fd(), bytes.as_ptr(), bytes.len()) };
    assert_eq!(written.unwrap(), bytes.len());
}

/// Whether there was something to read.
#[inline(always)]
pub(crate) fn read(fd: &OwnedFd, buffer: &mut [u8]) -> bool {
    // SAFETY: The buffer's own length.
    match unsafe { Inline::read(fd.as_raw_fd(), buffer.as_mut_ptr(), buffer.len()) } {
        Ok(_) => true,
        Err(error) if error.kind() == io::ErrorKind::WouldBlock => false,
        Err(error) => panic!("{error}"),
    }
}
