//! [`IoSource`]: a handle together with what a queue has to know of it.

use std::fmt;
use std::io;
use std::mem::ManuallyDrop;
use std::ops::{Deref, DerefMut};
use std::ptr;
#[cfg(debug_assertions)]
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::event::Source;
#[cfg(debug_assertions)]
use crate::queue::Queue;
use crate::sys::selector::{Direction, Selector as _, Target};
use crate::sys::{AsHandle, Selector, SourceState};
use crate::{explained, Interest, Registry, Token};

/// What an [`IoSource`] can hold: a handle that the system can watch.
///
/// On Unix this is everything that implements [`AsFd`](std::os::fd::AsFd). It is implemented for all of these, and
/// there is nothing to implement by hand.
///
/// # Examples
///
/// ```
/// use mio::{IoSource, Pollable};
///
/// /// A connection over whatever the system can watch.
/// struct Connection<T: Pollable> {
///     source: IoSource<T>,
///     received: Vec<u8>,
/// }
///
/// impl<T: Pollable> Connection<T> {
///     fn over(handle: T) -> Connection<T> {
///         Connection { source: IoSource::new(handle), received: Vec::new() }
///     }
/// }
/// ```
pub trait Pollable: AsHandle {}

impl<T: AsHandle> Pollable for T {}

/// Makes a [`Source`] of any handle that the system can watch.
///
/// All sources of this crate are built on it. It knows when an operation on the handle would have blocked, if the
/// operation goes through [`do_io`](IoSource::do_io), [`do_read`](IoSource::do_read) or
/// [`do_write`](IoSource::do_write). Some backends (`poll(2)`, event ports, and AFD on Windows) report an edge only after
/// that; on epoll and kqueue it costs nothing. Whether a read or write that succeeds has left something to do is not
/// known here: the [streams](crate::guide::edges#short-reads) of this crate see that, a closure does not tell.
///
/// The handle must be in non-blocking mode, or an operation on it may block the whole loop.
///
/// It should own its handle. Dropping it ends the registration of a handle that is closed with it; of one that is only
/// borrowed, the registration is left to the backend: epoll and kqueue keep it, `poll(2)` and event ports do not.
///
/// As long as nothing was registered, an `IoSource` is not tied to any queue. It can be registered with one
/// [`Poll`](crate::Poll) at a time; debug builds report the error of trying a second one.
///
/// In a release build on Unix it is as large as what it holds.
///
/// # Examples
///
/// A source for something that this crate has no type for:
///
/// ```
/// # #[cfg(unix)]
/// # fn main() -> std::io::Result<()> {
/// use mio::{Events, Interest, IoSource, Poll, Token};
/// use std::io::{Read, Write};
/// use std::os::unix::net::UnixStream;
///
/// let (mut peer, stream) = UnixStream::pair()?;
/// stream.set_nonblocking(true)?;
/// let mut source = IoSource::new(stream);
///
/// let mut poll = Poll::new()?;
/// let mut events = Events::with_capacity(8);
/// poll.registry().register(&mut source, Token(3), Interest::READABLE)?;
///
/// peer.write_all(b"hello")?;
/// poll.poll(&mut events, None)?;
/// assert_eq!(events.iter().next().unwrap().token(), Token(3));
///
/// let mut buffer = [0; 16];
/// let n = source.do_read(|mut stream| stream.read(&mut buffer))?;
/// assert_eq!(&buffer[..n], b"hello");
/// # Ok(())
/// # }
/// # #[cfg(not(unix))]
/// # fn main() {}
/// ```
pub struct IoSource<T: Pollable> {
    inner: T,
    state: SourceState,
    #[cfg(debug_assertions)]
    owner: Owner,
}

impl<T: Pollable> IoSource<T> {
    /// Wraps a handle, which must be in non-blocking mode.
    ///
    /// # Examples
    ///
    /// ```
    /// # #[cfg(unix)]
    /// # fn main() -> std::io::Result<()> {
    /// use mio::IoSource;
    /// use std::os::unix::net::UnixDatagram;
    ///
    /// let socket = UnixDatagram::unbound()?;
    /// socket.set_nonblocking(true)?;
    /// let source = IoSource::new(socket);
    /// # drop(source);
    /// # Ok(())
    /// # }
    /// # #[cfg(not(unix))]
    /// # fn main() {}
    /// ```
    #[inline]
    pub fn new(inner: T) -> IoSource<T> {
        IoSource {
            inner,
            state: SourceState::default(),
            #[cfg(debug_assertions)]
            owner: Owner::default(),
        }
    }

    /// Runs an operation that may read or write, and notes if it would have blocked.
    ///
    /// Where the direction is known, [`do_read`](IoSource::do_read) and [`do_write`](IoSource::do_write) cause fewer
    /// extra events on the backends that need to know.
    ///
    /// # Errors
    ///
    /// Those of `operation`.
    ///
    /// # Examples
    ///
    /// ```
    /// # #[cfg(unix)]
    /// # fn main() -> std::io::Result<()> {
    /// use mio::IoSource;
    /// use std::io::{self, Write};
    /// use std::os::unix::net::UnixStream;
    ///
    /// /// Whether it reads or writes, only the caller knows.
    /// fn attempt<R>(
    ///     source: &IoSource<UnixStream>,
    ///     operation: impl FnOnce(&UnixStream) -> io::Result<R>,
    /// ) -> io::Result<R> {
    ///     source.do_io(operation)
    /// }
    ///
    /// let (stream, _peer) = UnixStream::pair()?;
    /// stream.set_nonblocking(true)?;
    /// let source = IoSource::new(stream);
    /// assert_eq!(attempt(&source, |mut stream| stream.write(b"hello"))?, 5);
    /// # Ok(())
    /// # }
    /// # #[cfg(not(unix))]
    /// # fn main() {}
    /// ```
    #[inline(always)]
    pub fn do_io<F, R>(&self, operation: F) -> io::Result<R>
    where
        F: FnOnce(&T) -> io::Result<R>,
    {
        self.watch(Direction::Unknown, operation)
    }

    /// Runs an operation that reads (or accepts, or receives), and notes if it would have blocked.
    ///
    /// # Errors
    ///
    /// Those of `operation`.
    ///
    /// # Examples
    ///
    /// ```
    /// # #[cfg(unix)]
    /// # fn main() -> std::io::Result<()> {
    /// use mio::IoSource;
    /// use std::io::ErrorKind;
    /// use std::os::unix::net::UnixDatagram;
    ///
    /// let (left, right) = UnixDatagram::pair()?;
    /// right.set_nonblocking(true)?;
    /// let right = IoSource::new(right);
    ///
    /// let mut buffer = [0; 16];
    /// let nothing = right.do_read(|socket| socket.recv(&mut buffer));
    /// assert_eq!(nothing.unwrap_err().kind(), ErrorKind::WouldBlock);
    /// // From now on the queue reports what arrives.
    /// left.send(b"hello")?;
    /// assert_eq!(right.do_read(|socket| socket.recv(&mut buffer))?, 5);
    /// # Ok(())
    /// # }
    /// # #[cfg(not(unix))]
    /// # fn main() {}
    /// ```
    #[inline(always)]
    pub fn do_read<F, R>(&self, operation: F) -> io::Result<R>
    where
        F: FnOnce(&T) -> io::Result<R>,
    {
        self.watch(Direction::Read, operation)
    }

    /// Runs an operation that writes (or sends), and notes if it would have blocked.
    ///
    /// # Errors
    ///
    /// Those of `operation`.
    ///
    /// # Examples
    ///
    /// ```
    /// # #[cfg(unix)]
    /// # fn main() -> std::io::Result<()> {
    /// use mio::IoSource;
    /// use std::io::{ErrorKind, Write};
    /// use std::os::unix::net::UnixStream;
    ///
    /// let (left, right) = UnixStream::pair()?;
    /// left.set_nonblocking(true)?;
    /// let left = IoSource::new(left);
    ///
    /// let full = loop {
    ///     match left.do_write(|mut stream| stream.write(&[0; 4096])) {
    ///         Ok(_) => {}
    ///         Err(error) => break error,
    ///     }
    /// };
    /// // From now on the queue reports when there is room again.
    /// assert_eq!(full.kind(), ErrorKind::WouldBlock);
    /// # drop(right);
    /// # Ok(())
    /// # }
    /// # #[cfg(not(unix))]
    /// # fn main() {}
    /// ```
    #[inline(always)]
    pub fn do_write<F, R>(&self, operation: F) -> io::Result<R>
    where
        F: FnOnce(&T) -> io::Result<R>,
    {
        self.watch(Direction::Write, operation)
    }

    /// The handle. A registration is not ended by this: deregister first if the handle will be closed elsewhere.
    ///
    /// # Examples
    ///
    /// ```
    /// # #[cfg(unix)]
    /// # fn main() -> std::io::Result<()> {
    /// use mio::{Interest, IoSource, Poll, Token};
    /// use std::os::unix::net::UnixStream;
    ///
    /// let (stream, _peer) = UnixStream::pair()?;
    /// stream.set_nonblocking(true)?;
    /// let mut source = IoSource::new(stream);
    /// let poll = Poll::new()?;
    /// poll.registry().register(&mut source, Token(0), Interest::READABLE)?;
    ///
    /// poll.registry().deregister(&mut source)?;
    /// let stream: UnixStream = source.into_inner();
    /// stream.set_nonblocking(false)?;
    /// # Ok(())
    /// # }
    /// # #[cfg(not(unix))]
    /// # fn main() {}
    /// ```
    pub fn into_inner(self) -> T {
        let mut this = ManuallyDrop::new(self);
        // SAFETY: `this` is neither dropped nor used again, so this is the one time that the state is dropped.
        unsafe { ptr::drop_in_place(&mut this.state) };
        // SAFETY: As above: the one time that the handle is moved out.
        unsafe { ptr::read(&this.inner) }
    }

    #[inline(always)]
    fn watch<F, R>(&self, direction: Direction, operation: F) -> io::Result<R>
    where
        F: FnOnce(&T) -> io::Result<R>,
    {
        self.watched(direction, operation(&self.inner))
    }

    /// As [`do_read`](IoSource::do_read), for an operation with too much code to be inlined as a closure: what came of it.
    #[allow(dead_code)] // sockets call it
    #[inline(always)]
    pub(crate) fn after_read<R>(&self, result: io::Result<R>) -> io::Result<R> {
        self.watched(Direction::Read, result)
    }

    /// The same for writing.
    #[allow(dead_code)] // as above
    #[inline(always)]
    pub(crate) fn after_write<R>(&self, result: io::Result<R>) -> io::Result<R> {
        self.watched(Direction::Write, result)
    }

    /// What came of reading from a stream, of which `asked` bytes were asked for.
    ///
    /// A stream that gave less is drained, so that arms, too: whoever leaves it at that need not ask once more, for the
    /// system to say that it would block. Nothing at all is the end, which does not change any more.
    #[allow(dead_code)] // streams call it
    #[inline(always)]
    pub(crate) fn after_stream_read(
        &self,
        result: io::Result<usize>,
        asked: usize,
    ) -> io::Result<usize> {
        self.watched_stream(Direction::Read, result, |n| n != asked, || asked)
    }

    /// The same for writing: a stream that took less than there was is full.
    #[allow(dead_code)] // as above
    #[inline(always)]
    pub(crate) fn after_stream_write(
        &self,
        result: io::Result<usize>,
        asked: usize,
    ) -> io::Result<usize> {
        self.watched_stream(Direction::Write, result, |n| n != asked, || asked)
    }

    /// As [`after_stream_read`](IoSource::after_stream_read), with several buffers. They are counted only if somebody wants
    /// to know.
    #[allow(dead_code)] // as above
    #[inline(always)]
    pub(crate) fn after_vectored_read<B: Deref<Target = [u8]>>(
        &self,
        result: io::Result<usize>,
        buffers: &[B],
    ) -> io::Result<usize> {
        self.watched_stream(Direction::Read, result, |_| true, || total(buffers))
    }

    /// The same for writing.
    #[allow(dead_code)] // as above
    #[inline(always)]
    pub(crate) fn after_vectored_write<B: Deref<Target = [u8]>>(
        &self,
        result: io::Result<usize>,
        buffers: &[B],
    ) -> io::Result<usize> {
        self.watched_stream(Direction::Write, result, |_| true, || total(buffers))
    }

    #[inline(always)]
    fn watched_stream(
        &self,
        direction: Direction,
        result: io::Result<usize>,
        may_be_short: impl FnOnce(usize) -> bool,
        asked: impl FnOnce() -> usize,
    ) -> io::Result<usize> {
        match result {
            Ok(n) => {
                // The first question mostly is the caller's own, so it costs nothing.
                if may_be_short(n) && Selector::tracks_sources() {
                    self.rearm_if_short(direction, n, asked);
                }
                Ok(n)
            }
            error => self.watched(direction, error),
        }
    }

    #[cold]
    #[inline(never)]
    fn rearm_if_short(&self, direction: Direction, n: usize, asked: impl FnOnce() -> usize) {
        // Several buffers are added up here, out of the caller's way.
        if (1..asked()).contains(&n) {
            Selector::rearm(self.target(), direction);
        }
    }

    #[inline(always)]
    fn watched<R>(&self, direction: Direction, result: io::Result<R>) -> io::Result<R> {
        // The error is looked at alone: a reference to the whole would have the value in memory, to be copied from there.
        match result {
            Ok(value) => Ok(value),
            Err(error) => {
                // Looking into the error costs more than asking whether anybody wants to know.
                if Selector::tracks_sources() {
                    self.rearm_if_blocked(&error, direction);
                }
                Err(error)
            }
        }
    }

    #[cold]
    fn rearm_if_blocked(&self, error: &io::Error, direction: Direction) {
        if error.kind() == io::ErrorKind::WouldBlock {
            Selector::rearm(self.target(), direction);
        }
    }

    #[inline]
    fn target(&self) -> Target<'_, SourceState> {
        Target {
            handle: self.inner.as_handle(),
            state: Some(&self.state),
        }
    }
}

impl<T: Pollable> Drop for IoSource<T> {
    #[inline]
    fn drop(&mut self) {
        if Selector::tracks_sources() {
            Selector::closing(self.target());
        }
    }
}

/// How many bytes a call with several buffers asks for.
#[allow(dead_code)] // streams ask
fn total<B: Deref<Target = [u8]>>(buffers: &[B]) -> usize {
    let lengths = buffers.iter().map(|buffer| buffer.len());
    // Buffers that are written may be the same memory many times over.
    lengths.fold(0, usize::saturating_add)
}

/// Access to the handle. Operations made this way are not noted; see [`do_io`](IoSource::do_io).
impl<T: Pollable> Deref for IoSource<T> {
    type Target = T;

    #[inline]
    fn deref(&self) -> &T {
        &self.inner
    }
}

/// Access to the handle. Operations made this way are not noted; see [`do_io`](IoSource::do_io).
impl<T: Pollable> DerefMut for IoSource<T> {
    #[inline]
    fn deref_mut(&mut self) -> &mut T {
        &mut self.inner
    }
}

impl<T: Pollable + fmt::Debug> fmt::Debug for IoSource<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.inner.fmt(f)
    }
}

impl<T: Pollable> Source for IoSource<T> {
    #[inline(always)]
    fn register(
        &mut self,
        registry: &Registry,
        token: Token,
        interests: Interest,
    ) -> io::Result<()> {
        #[cfg(debug_assertions)]
        self.owner.may_register(registry)?;
        explained::change(registry.add(self.target(), token, interests))?;
        #[cfg(debug_assertions)]
        self.owner.set(Some(registry));
        Ok(())
    }

    #[inline(always)]
    fn reregister(
        &mut self,
        registry: &Registry,
        token: Token,
        interests: Interest,
    ) -> io::Result<()> {
        #[cfg(debug_assertions)]
        self.owner.may_change(registry)?;
        explained::change(registry.modify(self.target(), token, interests))?;
        #[cfg(debug_assertions)]
        self.owner.set(Some(registry));
        Ok(())
    }

    #[inline(always)]
    fn deregister(&mut self, registry: &Registry) -> io::Result<()> {
        #[cfg(debug_assertions)]
        self.owner.may_change(registry)?;
        explained::change(registry.remove(self.target()))?;
        #[cfg(debug_assertions)]
        self.owner.set(None);
        Ok(())
    }
}

/// The queue with which a source is registered, for the mistakes that a release build leaves to the system.
#[cfg(debug_assertions)]
#[derive(Default)]
struct Owner(AtomicUsize);

#[cfg(debug_assertions)]
impl Owner {
    const NONE: usize = 0;

    fn set(&self, registry: Option<&Registry>) {
        self.0.store(
            registry.map_or(Owner::NONE, Registry::id),
            Ordering::Relaxed,
        );
    }

    fn may_register(&self, registry: &Registry) -> io::Result<()> {
        match self.0.load(Ordering::Relaxed) {
            Owner::NONE => Ok(()),
            // The system knows, and says so. Or it does not.
            id if id == registry.id() && Selector::KNOWS_HANDLES => Ok(()),
            id if id == registry.id() => Err(io::Error::new(
                io::ErrorKind::AlreadyExists,
                "the source is registered already: use `reregister` to change that",
            )),
            id if !Queue::is_open(id) => Ok(()), // the registration went with its queue
            _ => Err(io::Error::new(
                io::ErrorKind::AlreadyExists,
                "the source is registered with another `Poll`: deregister it there first",
            )),
        }
    }

    fn may_change(&self, registry: &Registry) -> io::Result<()> {
        match self.0.load(Ordering::Relaxed) {
            Owner::NONE => Ok(()), // the system knows, and says so
            id if id == registry.id() || !Queue::is_open(id) => Ok(()),
            _ => Err(io::Error::new(
                io::ErrorKind::NotFound,
                "the source is registered with another `Poll`, not with this one",
            )),
        }
    }
}
