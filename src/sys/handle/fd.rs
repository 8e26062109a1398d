//! Handles of Unix systems and of WASI: file descriptors.

#[cfg(any(feature = "net", all(unix, feature = "os-ext")))]
use std::mem::ManuallyDrop;
#[cfg(feature = "net")]
use std::net;
#[cfg(feature = "net")]
use std::os::fd::FromRawFd;
use std::os::fd::{AsFd, BorrowedFd};
#[cfg(any(feature = "net", all(unix, feature = "os-ext")))]
use std::os::fd::{AsRawFd, OwnedFd};
#[cfg(all(unix, feature = "net"))]
use std::os::unix::net::{UnixDatagram, UnixListener, UnixStream};

#[cfg(feature = "net")]
use super::lent::Lent;

/// A borrowed handle of something that the system can watch.
pub(crate) type Handle<'a> = BorrowedFd<'a>;

/// A handle that closes itself: an [`OwnedFd`] whose `close` is part of the caller's own code, as the other system calls
/// are. That of the standard library is a function of libc.
#[cfg(any(feature = "net", all(unix, feature = "os-ext")))]
pub(crate) struct OwnedHandle(ManuallyDrop<OwnedFd>);

#[cfg(any(feature = "net", all(unix, feature = "os-ext")))]
impl From<OwnedFd> for OwnedHandle {
    #[inline]
    fn from(fd: OwnedFd) -> OwnedHandle {
        OwnedHandle(ManuallyDrop::new(fd))
    }
}

#[cfg(any(feature = "net", all(unix, feature = "os-ext")))]
impl From<OwnedHandle> for OwnedFd {
    #[inline]
    fn from(handle: OwnedHandle) -> OwnedFd {
        let mut handle = ManuallyDrop::new(handle);
        // SAFETY: `handle` is neither dropped nor used again, so this is the one time that the descriptor is taken.
        unsafe { ManuallyDrop::take(&mut handle.0) }
    }
}

/// Conversions to and from the standard library's sockets, by way of `OwnedFd`.
#[cfg(feature = "net")]
macro_rules! std_sockets {
    ($($socket:ty),*) => {
        $(
            impl From<$socket> for OwnedHandle {
                #[inline]
                fn from(socket: $socket) -> OwnedHandle {
                    OwnedFd::from(socket).into()
                }
            }

            impl From<OwnedHandle> for $socket {
                #[inline]
                fn from(handle: OwnedHandle) -> $socket {
                    OwnedFd::from(handle).into()
                }
            }
        )*
    };
}
#[cfg(feature = "net")]
std_sockets!(net::TcpListener, net::TcpStream, net::UdpSocket);
#[cfg(all(unix, feature = "net"))]
std_sockets!(UnixDatagram, UnixListener, UnixStream);

#[cfg(any(feature = "net", all(unix, feature = "os-ext")))]
impl Drop for OwnedHandle {
    #[inline]
    fn drop(&mut self) {
        // SAFETY: The descriptor is ours, and nobody uses it after this.
        unsafe { rustix::io::close(self.0.as_raw_fd()) };
    }
}

#[cfg(any(feature = "net", all(unix, feature = "os-ext")))]
impl AsFd for OwnedHandle {
    #[inline]
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}

#[cfg(any(feature = "net", all(unix, feature = "os-ext")))]
impl std::fmt::Debug for OwnedHandle {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.fmt(f)
    }
}

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
