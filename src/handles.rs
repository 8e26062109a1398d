//! Conversions from and to the handles of the operating system, for every public type that has one.

#[cfg(unix)]
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, RawFd};

#[cfg(unix)]
macro_rules! queue_handle {
    ($queue:ty, |$this:ident| $selector:expr) => {
        impl AsFd for $queue {
            /// The descriptor of the queue, which is readable when a poll would return an event: see
            /// [`Poll`](crate::Poll#the-queue-as-a-descriptor).
            #[inline]
            fn as_fd(&self) -> BorrowedFd<'_> {
                let $this = self;
                $selector.as_fd()
            }
        }

        impl AsRawFd for $queue {
            /// The descriptor of the queue: as [`as_fd`](AsFd::as_fd).
            #[inline]
            fn as_raw_fd(&self) -> RawFd {
                self.as_fd().as_raw_fd()
            }
        }
    };
}

#[cfg(unix)]
queue_handle!(crate::Poll, |poll| poll.registry());
#[cfg(unix)]
queue_handle!(crate::Registry, |registry| registry.queue().selector);

/// The handle traits of a type with an `inner: IoSource<OwnedFd>` and nothing else.
#[cfg(any(all(unix, feature = "os-ext"), all(not(windows), feature = "net")))]
macro_rules! fd_handles {
    ($source:ident) => {
        impl ::std::os::fd::AsFd for $source {
            #[inline]
            fn as_fd(&self) -> ::std::os::fd::BorrowedFd<'_> {
                ::std::os::fd::AsFd::as_fd(&*self.inner)
            }
        }

        impl ::std::os::fd::AsRawFd for $source {
            #[inline]
            fn as_raw_fd(&self) -> ::std::os::fd::RawFd {
                ::std::os::fd::AsRawFd::as_raw_fd(&::std::os::fd::AsFd::as_fd(self))
            }
        }

        /// A registration is not ended by this: deregister first.
        impl ::std::os::fd::IntoRawFd for $source {
            fn into_raw_fd(self) -> ::std::os::fd::RawFd {
                ::std::os::fd::IntoRawFd::into_raw_fd(::std::os::fd::OwnedFd::from(self))
            }
        }

        impl ::std::os::fd::FromRawFd for $source {
            /// Takes over a descriptor, which must be in non-blocking mode already.
            ///
            /// # Safety
            ///
            /// As for [`OwnedFd`](std::os::fd::OwnedFd): the descriptor is open, and belongs to the caller.
            unsafe fn from_raw_fd(fd: ::std::os::fd::RawFd) -> $source {
                // SAFETY: The caller keeps the contract, which is the same.
                let fd = unsafe {
                    <::std::os::fd::OwnedFd as ::std::os::fd::FromRawFd>::from_raw_fd(fd)
                };
                $source::from(fd)
            }
        }

        /// The descriptor must be in non-blocking mode already.
        impl From<::std::os::fd::OwnedFd> for $source {
            fn from(fd: ::std::os::fd::OwnedFd) -> $source {
                $source {
                    inner: $crate::IoSource::new(fd.into()),
                }
            }
        }

        /// A registration is not ended by this: deregister first.
        impl From<$source> for ::std::os::fd::OwnedFd {
            fn from(source: $source) -> ::std::os::fd::OwnedFd {
                source.inner.into_inner().into()
            }
        }
    };
}
#[cfg(any(all(unix, feature = "os-ext"), all(not(windows), feature = "net")))]
pub(crate) use fd_handles;

/// The handle traits of a type with an `inner: IoSource<OwnedSocket>` and nothing else.
#[cfg(all(windows, feature = "net"))]
macro_rules! winsock_handles {
    ($source:ident) => {
        impl ::std::os::windows::io::AsSocket for $source {
            #[inline]
            fn as_socket(&self) -> ::std::os::windows::io::BorrowedSocket<'_> {
                ::std::os::windows::io::AsSocket::as_socket(&*self.inner)
            }
        }

        impl ::std::os::windows::io::AsRawSocket for $source {
            #[inline]
            fn as_raw_socket(&self) -> ::std::os::windows::io::RawSocket {
                ::std::os::windows::io::AsRawSocket::as_raw_socket(&*self.inner)
            }
        }

        /// Ends the registration.
        impl ::std::os::windows::io::IntoRawSocket for $source {
            fn into_raw_socket(self) -> ::std::os::windows::io::RawSocket {
                ::std::os::windows::io::IntoRawSocket::into_raw_socket(self.inner.into_inner())
            }
        }

        impl ::std::os::windows::io::FromRawSocket for $source {
            /// Takes over a socket, which must be in non-blocking mode already.
            ///
            /// # Safety
            ///
            /// As for [`OwnedSocket`](std::os::windows::io::OwnedSocket): the socket is open, and belongs to the caller.
            unsafe fn from_raw_socket(socket: ::std::os::windows::io::RawSocket) -> $source {
                // SAFETY: The caller keeps the contract, which is the same.
                let socket = unsafe {
                    <::std::os::windows::io::OwnedSocket as ::std::os::windows::io::FromRawSocket>::from_raw_socket(
                        socket,
                    )
                };
                $source::from(socket)
            }
        }

        /// The socket must be in non-blocking mode already.
        impl From<::std::os::windows::io::OwnedSocket> for $source {
            fn from(socket: ::std::os::windows::io::OwnedSocket) -> $source {
                $source {
                    inner: $crate::IoSource::new(socket),
                }
            }
        }

        /// Ends the registration.
        impl From<$source> for ::std::os::windows::io::OwnedSocket {
            fn from(source: $source) -> ::std::os::windows::io::OwnedSocket {
                source.inner.into_inner()
            }
        }
    };
}
#[cfg(all(windows, feature = "net"))]
pub(crate) use winsock_handles;

/// The handle traits of a socket, and the conversion to the standard library's type.
#[cfg(feature = "net")]
macro_rules! socket_handles {
    ($source:ident, $inner:ty) => {
        #[cfg(not(windows))]
        $crate::handles::fd_handles!($source);
        #[cfg(windows)]
        $crate::handles::winsock_handles!($source);

        /// The socket stays in non-blocking mode. A registration is not ended by this: deregister first.
        impl From<$source> for $inner {
            fn from(source: $source) -> $inner {
                source.inner.into_inner().into()
            }
        }
    };
}
#[cfg(feature = "net")]
pub(crate) use socket_handles;
