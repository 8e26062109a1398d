//! [`Registry`]: the handle through which sources enter and leave a queue.

use std::fmt;
use std::io;
use std::sync::Arc;

use crate::event::Source;
use crate::logging;
use crate::queue::Queue;
use crate::sys::selector::{Selector as _, Target, Wanted};
use crate::sys::SourceState;
use crate::{Interest, Token, Trigger};

/// Registers sources with a [`Poll`](crate::Poll).
///
/// Obtained from [`Poll::registry`](crate::Poll::registry). It can be cloned and used on any thread, also while another
/// thread waits in [`Poll::poll`](crate::Poll::poll): what it does takes effect at once. It keeps the queue open after
/// the `Poll` is gone, though nothing can be polled any more.
///
/// A registry also carries the [`Trigger`] of the registrations that are made through it:
/// [`with_trigger`](Registry::with_trigger).
///
/// # Examples
///
/// ```
/// # #[cfg(feature = "net")]
/// # fn main() -> std::io::Result<()> {
/// use mio::{net::TcpListener, Interest, Poll, Token};
///
/// let poll = Poll::new()?;
/// let registry = poll.registry().try_clone()?;
///
/// let listener = std::thread::spawn(move || -> std::io::Result<TcpListener> {
///     let mut listener = TcpListener::bind("127.0.0.1:0".parse().unwrap())?;
///     registry.register(&mut listener, Token(0), Interest::READABLE)?;
///     Ok(listener)
/// });
/// # listener.join().unwrap()?;
/// # Ok(())
/// # }
/// # #[cfg(not(feature = "net"))]
/// # fn main() {}
/// ```
pub struct Registry {
    queue: Arc<Queue>,
    trigger: Trigger,
}

impl Registry {
    pub(crate) fn new(queue: Queue) -> Registry {
        Registry {
            queue: Arc::new(queue),
            trigger: Trigger::Edge,
        }
    }

    #[inline]
    pub(crate) fn queue(&self) -> &Arc<Queue> {
        &self.queue
    }

    /// Starts to report the readiness of `source` under `token`, beginning with what it is ready for already.
    ///
    /// Every token value is allowed, and so is the same token for several sources. The source must not be moved to
    /// another `Poll`, and a descriptor can be registered once: to change token, interests or trigger, use
    /// [`reregister`](Registry::reregister).
    ///
    /// # Errors
    ///
    /// In debug builds those of a mistake have a text that says what to do, and the system's error as their source. Those of
    /// a [`SourceFd`](crate::unix::SourceFd) are always the system's own.
    ///
    /// | kind | when |
    /// | --- | --- |
    /// | [`AlreadyExists`](io::ErrorKind::AlreadyExists) | the source is registered already; with kqueue in debug builds only, and not for a [`SourceFd`](crate::unix::SourceFd): else the new registration takes the old one's place |
    /// | [`PermissionDenied`](io::ErrorKind::PermissionDenied) | epoll: a regular file or a directory, which are always ready |
    /// | OS error `EBADF` | the descriptor is not open |
    /// | OS error `ENOSPC`, `ENOMEM` | the system's limit of registrations is reached, or memory is short |
    ///
    /// # Examples
    ///
    /// ```
    /// # #[cfg(feature = "net")]
    /// # fn main() -> std::io::Result<()> {
    /// use mio::{net::UdpSocket, Interest, Poll, Token};
    ///
    /// let poll = Poll::new()?;
    /// let mut socket = UdpSocket::bind("127.0.0.1:0".parse().unwrap())?;
    /// poll.registry().register(&mut socket, Token(0), Interest::READABLE | Interest::WRITABLE)?;
    ///
    /// # if poll.backend() != mio::Backend::Kqueue {
    /// let error = poll.registry().register(&mut socket, Token(0), Interest::READABLE).unwrap_err();
    /// assert_eq!(error.kind(), std::io::ErrorKind::AlreadyExists);
    /// # }
    /// # Ok(())
    /// # }
    /// # #[cfg(not(feature = "net"))]
    /// # fn main() {}
    /// ```
    #[inline(always)]
    pub fn register<S>(&self, source: &mut S, token: Token, interests: Interest) -> io::Result<()>
    where
        S: Source + ?Sized,
    {
        logging::registration("register", token, interests, self.trigger);
        source.register(self, token, interests)
    }

    /// Replaces token, interests and trigger of a registration.
    ///
    /// Nothing is left of the old ones. What the source is ready for is reported again, also if it was reported before
    /// under the old registration, and a one-shot registration that has fallen silent reports again.
    ///
    /// # Errors
    ///
    /// [`NotFound`](io::ErrorKind::NotFound) if the source is not registered. With kqueue it is registered then.
    ///
    /// # Examples
    ///
    /// ```
    /// # #[cfg(feature = "net")]
    /// # fn main() -> std::io::Result<()> {
    /// use mio::{net::UdpSocket, Interest, Poll, Token};
    ///
    /// let poll = Poll::new()?;
    /// let mut socket = UdpSocket::bind("127.0.0.1:0".parse().unwrap())?;
    /// poll.registry().register(&mut socket, Token(0), Interest::READABLE)?;
    /// poll.registry().reregister(&mut socket, Token(1), Interest::WRITABLE)?;
    /// # Ok(())
    /// # }
    /// # #[cfg(not(feature = "net"))]
    /// # fn main() {}
    /// ```
    #[inline(always)]
    pub fn reregister<S>(&self, source: &mut S, token: Token, interests: Interest) -> io::Result<()>
    where
        S: Source + ?Sized,
    {
        logging::registration("reregister", token, interests, self.trigger);
        source.reregister(self, token, interests)
    }

    /// Ends a registration.
    ///
    /// Once this has returned, no later poll yields the token for this source, on whichever thread. Events that were
    /// polled before are still in their [`Events`](crate::Events).
    ///
    /// # Errors
    ///
    /// [`NotFound`](io::ErrorKind::NotFound) if the source is not registered.
    ///
    /// # Examples
    ///
    /// ```
    /// # #[cfg(feature = "net")]
    /// # fn main() -> std::io::Result<()> {
    /// use mio::{net::UdpSocket, Events, Interest, Poll, Token};
    /// use std::time::Duration;
    ///
    /// let mut poll = Poll::new()?;
    /// let mut events = Events::with_capacity(8);
    /// let mut socket = UdpSocket::bind("127.0.0.1:0".parse().unwrap())?;
    /// poll.registry().register(&mut socket, Token(0), Interest::WRITABLE)?;
    /// poll.registry().deregister(&mut socket)?;
    ///
    /// poll.poll(&mut events, Some(Duration::ZERO))?;
    /// assert!(events.is_empty());
    /// # Ok(())
    /// # }
    /// # #[cfg(not(feature = "net"))]
    /// # fn main() {}
    /// ```
    #[inline(always)]
    pub fn deregister<S>(&self, source: &mut S) -> io::Result<()>
    where
        S: Source + ?Sized,
    {
        logging::deregistration();
        source.deregister(self)
    }

    /// Another handle to the same queue, with the same trigger.
    ///
    /// # Errors
    ///
    /// None today; the signature allows for systems on which this needs a resource.
    ///
    /// # Examples
    ///
    /// ```
    /// use mio::{Poll, Trigger};
    ///
    /// let poll = Poll::new()?;
    /// let registry = poll.registry().with_trigger(Trigger::Level).try_clone()?;
    /// assert_eq!(registry.trigger(), Trigger::Level);
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn try_clone(&self) -> io::Result<Registry> {
        Ok(self.with_trigger(self.trigger))
    }

    /// A handle to the same queue whose registrations use `trigger`.
    ///
    /// Since every [`Source`] is handed the registry, this works for the sources of any crate. It neither allocates nor
    /// makes a system call.
    ///
    /// # Examples
    ///
    /// ```
    /// # #[cfg(feature = "net")]
    /// # fn main() -> std::io::Result<()> {
    /// use mio::{net::TcpListener, Interest, Poll, Token, Trigger};
    ///
    /// let poll = Poll::new()?;
    /// let mut listener = TcpListener::bind("127.0.0.1:0".parse().unwrap())?;
    ///
    /// // Accept one connection per event, without draining the backlog.
    /// let level = poll.registry().with_trigger(Trigger::Level);
    /// level.register(&mut listener, Token(0), Interest::READABLE)?;
    /// # Ok(())
    /// # }
    /// # #[cfg(not(feature = "net"))]
    /// # fn main() {}
    /// ```
    #[inline]
    #[must_use = "the trigger is that of the returned registry"]
    pub fn with_trigger(&self, trigger: Trigger) -> Registry {
        Registry {
            queue: Arc::clone(&self.queue),
            trigger,
        }
    }

    /// The trigger of registrations that are made through this handle.
    ///
    /// # Examples
    ///
    /// ```
    /// use mio::{Poll, Trigger};
    ///
    /// let poll = Poll::new()?;
    /// assert_eq!(poll.registry().trigger(), Trigger::Edge);
    /// assert_eq!(poll.registry().with_trigger(Trigger::Oneshot).trigger(), Trigger::Oneshot);
    /// # Ok::<(), std::io::Error>(())
    /// ```
    #[inline]
    #[must_use]
    pub fn trigger(&self) -> Trigger {
        self.trigger
    }

    #[inline(always)]
    pub(crate) fn add(
        &self,
        target: Target<'_, SourceState>,
        token: Token,
        interest: Interest,
    ) -> io::Result<()> {
        let wanted = self.wanted(token, interest);
        note("register", self.queue.selector.register(target, wanted))?;
        logging::doubts(&self.queue, target.handle, token);
        Ok(())
    }

    #[inline(always)]
    pub(crate) fn modify(
        &self,
        target: Target<'_, SourceState>,
        token: Token,
        interest: Interest,
    ) -> io::Result<()> {
        let wanted = self.wanted(token, interest);
        let result = self.queue.selector.reregister(target, wanted);
        note("reregister", result)
    }

    #[inline(always)]
    pub(crate) fn remove(&self, target: Target<'_, SourceState>) -> io::Result<()> {
        note("deregister", self.queue.selector.deregister(target))
    }

    #[inline]
    fn wanted(&self, token: Token, interest: Interest) -> Wanted {
        Wanted {
            token,
            interest,
            trigger: self.trigger,
        }
    }

    /// A number of the queue that no other queue of this process has, at no time.
    #[cfg(debug_assertions)]
    pub(crate) fn id(&self) -> usize {
        self.queue.id
    }
}

/// The result as it is. What was refused is logged.
#[inline(always)]
pub(crate) fn note<T>(change: &str, result: io::Result<T>) -> io::Result<T> {
    if let Err(error) = &result {
        logging::refused(change, error);
    }
    result
}

impl fmt::Debug for Registry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Registry")
            .field("selector", &self.queue.selector)
            .field("trigger", &self.trigger)
            .finish()
    }
}
