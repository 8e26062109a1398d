//! [`Source`]: what can be registered with a queue.

use std::io;

use crate::{Interest, Registry, Token};

/// Something whose readiness a [`Poll`](crate::Poll) can report.
///
/// The methods are called by the [`Registry`] methods of the same names; call those, not these.
///
/// # Implementing it
///
/// Forward to a source that you hold: a socket of [`mio::net`](crate::net), an
/// [`IoSource`](crate::IoSource) around a handle of your own, or, on Unix, a
/// [`SourceFd`](crate::unix::SourceFd) around a descriptor that somebody else owns. Pass the registry on as it
/// is: it carries the [`Trigger`](crate::Trigger).
///
/// ```
/// # #[cfg(feature = "net")]
/// # {
/// use mio::event::Source;
/// use mio::net::UdpSocket;
/// use mio::{Interest, Registry, Token};
/// use std::io;
///
/// struct Resolver {
///     socket: UdpSocket,
///     // …
/// }
///
/// impl Source for Resolver {
///     fn register(&mut self, registry: &Registry, token: Token, interests: Interest) -> io::Result<()> {
///         self.socket.register(registry, token, interests)
///     }
///
///     fn reregister(&mut self, registry: &Registry, token: Token, interests: Interest) -> io::Result<()> {
///         self.socket.reregister(registry, token, interests)
///     }
///
///     fn deregister(&mut self, registry: &Registry) -> io::Result<()> {
///         self.socket.deregister(registry)
///     }
/// }
/// # }
/// ```
///
/// # Dropping
///
/// Dropping a source of this crate ends its registration. A source over a descriptor that was duplicated
/// (`dup(2)`, `try_clone`, `fork(2)`) is the exception: epoll keeps the registration until the last
/// duplicate is closed, so deregister such a source first.
pub trait Source {
    /// Registers the source with `registry` under `token`, for `interests`.
    ///
    /// # Errors
    ///
    /// Those of [`Registry::register`].
    ///
    /// # Examples
    ///
    /// The one of the [trait](Source#implementing-it) has all three methods.
    fn register(
        &mut self,
        registry: &Registry,
        token: Token,
        interests: Interest,
    ) -> io::Result<()>;

    /// Replaces token, interests and trigger of the registration.
    ///
    /// # Errors
    ///
    /// Those of [`Registry::reregister`].
    ///
    /// # Examples
    ///
    /// As for [`register`](Source::register).
    fn reregister(
        &mut self,
        registry: &Registry,
        token: Token,
        interests: Interest,
    ) -> io::Result<()>;

    /// Ends the registration.
    ///
    /// # Errors
    ///
    /// Those of [`Registry::deregister`].
    ///
    /// # Examples
    ///
    /// As for [`register`](Source::register).
    fn deregister(&mut self, registry: &Registry) -> io::Result<()>;
}

impl<T: Source + ?Sized> Source for Box<T> {
    fn register(
        &mut self,
        registry: &Registry,
        token: Token,
        interests: Interest,
    ) -> io::Result<()> {
        (**self).register(registry, token, interests)
    }

    fn reregister(
        &mut self,
        registry: &Registry,
        token: Token,
        interests: Interest,
    ) -> io::Result<()> {
        (**self).reregister(registry, token, interests)
    }

    fn deregister(&mut self, registry: &Registry) -> io::Result<()> {
        (**self).deregister(registry)
    }
}

/// `Source` for a type with an `inner` that is one.
#[allow(unused_macros)] // each use stands behind a feature
macro_rules! forward_source {
    ($source:ty) => {
        impl $crate::event::Source for $source {
            #[inline(always)]
            fn register(
                &mut self,
                registry: &$crate::Registry,
                token: $crate::Token,
                interests: $crate::Interest,
            ) -> ::std::io::Result<()> {
                self.inner.register(registry, token, interests)
            }

            #[inline(always)]
            fn reregister(
                &mut self,
                registry: &$crate::Registry,
                token: $crate::Token,
                interests: $crate::Interest,
            ) -> ::std::io::Result<()> {
                self.inner.reregister(registry, token, interests)
            }

            #[inline(always)]
            fn deregister(&mut self, registry: &$crate::Registry) -> ::std::io::Result<()> {
                self.inner.deregister(registry)
            }
        }
    };
}
#[allow(unused_imports)] // as above
pub(crate) use forward_source;
