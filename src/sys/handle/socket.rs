//! Handles of Windows: sockets.

#[cfg(feature = "net")]
use std::os::windows::io::{AsRawSocket, FromRawSocket};
use std::os::windows::io::{AsSocket, BorrowedSocket};

#[cfg(feature = "net")]
use super::lent::Lent;

/// A borrowed handle of something that the system can watch.
pub(crate) type Handle<'a> = BorrowedSocket<'a>;

/// What sockets own. Not the standard library's types for them: this is what all of them are made of.
#[cfg(feature = "net")]
pub(crate) type OwnedHandle = std::os::windows::io::OwnedSocket;

/// What [`Pollable`](crate::Pollable) stands for on this system.
pub trait AsHandle {
    #[doc(hidden)]
    fn as_handle(&self) -> BorrowedSocket<'_>;
}

impl<T: AsSocket> AsHandle for T {
    #[inline]
    fn as_handle(&self) -> BorrowedSocket<'_> {
        self.as_socket()
    }
}

/// Whether operations on the handle wait, as far as that can be told: Windows has no way to ask a socket.
#[cfg(feature = "log")]
pub(crate) fn is_blocking(_: Handle<'_>) -> bool {
    false
}

/// Lends a handle to a type of the standard library, for the operations that it has already.
#[cfg(feature = "net")]
pub(crate) fn lend<T: FromRawSocket>(handle: Handle<'_>) -> Lent<'_, T> {
    // SAFETY: The socket is open for as long as the borrow lasts, and `Lent` does not let the value close it.
    let value = unsafe { T::from_raw_socket(handle.as_raw_socket()) };
    Lent::new(value, handle)
}
