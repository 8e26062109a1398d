//! Handles of Unix systems: file descriptors.

use std::os::fd::{AsFd, BorrowedFd};
#[cfg(feature = "net")]
use std::os::fd::{AsRawFd, FromRawFd};

#[cfg(feature = "net")]
use super::lent::Lent;

/// A borrowed handle of something that the system can watch.
pub(crate) type Handle<'a> = BorrowedFd<'a>;

/// What sockets and pipes own. Not the standard library's types for them: getting at the descriptor of those is a call,
/// of this one it is a load.
#[cfg(any(feature = "net", feature = "os-ext"))]
pub(crate) type OwnedHandle = std::os::fd::OwnedFd;

/// What [`Pollable`](crate::Pollable) stands for on this system.
pub trait AsHandle {
    #[doc(hidden)]
    fn as_handle(&self) -> BorrowedFd<'_>;
}

impl<T: AsFd> AsHandle for T {
    #[inline]
    fn as_handle(&self) -> BorrowedFd<'_> {
        self.as_fd()
    }
}

/// Whether operations on the handle wait, as far as that can be told.
#[cfg(feature = "log")]
pub(crate) fn is_blocking(handle: Handle<'_>) -> bool {
    use rustix::fs::{fcntl_getfl, OFlags};

    fcntl_getfl(handle).is_ok_and(|flags| !flags.contains(OFlags::NONBLOCK))
}

/// Lends a handle to a type of the standard library, for the operations that it has already.
#[cfg(feature = "net")]
pub(crate) fn lend<T: FromRawFd>(handle: Handle<'_>) -> Lent<'_, T> {
    // SAFETY: The descriptor is open for as long as the borrow lasts, and `Lent` does not let the value close it.
    let value = unsafe { T::from_raw_fd(handle.as_raw_fd()) };
    Lent::new(value, handle)
}
