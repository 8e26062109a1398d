//! [`Poll`]: the readiness queue.

use std::fmt;
use std::io;
use std::time::{Duration, Instant};

use crate::queue::Queue;
use crate::sys::return_stack;
use crate::sys::selector::Selector as _;
use crate::{Backend, Events, Registry};

/// A readiness queue: tells which of many sources can be read or written without blocking.
///
/// A program registers its sources, each under a [`Token`](crate::Token), and then loops: wait for events, do what can
/// be done for the sources that they name, wait again. One thread can serve tens of thousands of connections so.
///
/// # The rules
///
/// - An event is a hint. The operation it hints at may still block, and then returns
///   [`WouldBlock`](io::ErrorKind::WouldBlock): go on with the next one.
/// - By default readiness is reported when it *begins* (edge-triggered): read, write or accept until `WouldBlock`, or
///   remember that there is more. Other [`Trigger`](crate::Trigger)s can be chosen for each registration.
/// - Sources may be registered, deregistered and dropped on any thread at any time. After a deregistration no later
///   poll yields the token.
/// - Other threads interrupt a poll with a [`Waker`](crate::Waker).
///
/// The [guide](crate::guide) says more about all of this.
///
/// # Examples
///
/// A client that connects, says hello, and reads the answer:
///
/// ```
/// # #[cfg(feature = "net")]
/// # fn main() -> std::io::Result<()> {
/// use mio::{net::TcpStream, Events, Interest, Poll, Token};
/// use std::io::{ErrorKind, Read, Write};
///
/// # let listener = std::net::TcpListener::bind("127.0.0.1:0")?;
/// # let address = listener.local_addr()?;
/// # let server = std::thread::spawn(move || {
/// #     let (mut peer, _) = listener.accept().unwrap();
/// #     let mut word = [0; 5];
/// #     peer.read_exact(&mut word).unwrap();
/// #     peer.write_all(&word).unwrap();
/// # });
/// let mut poll = Poll::new()?;
/// let mut events = Events::with_capacity(128);
///
/// // This only starts to connect. The stream becomes writable when the attempt has ended.
/// let mut stream = TcpStream::connect(address)?;
/// poll.registry().register(&mut stream, Token(0), Interest::READABLE | Interest::WRITABLE)?;
///
/// let (mut greeted, mut answer) = (false, Vec::new());
/// while answer.len() < 5 {
///     poll.poll(&mut events, None)?;
///     for event in &events {
///         if event.is_writable() && !greeted {
///             if let Some(error) = stream.take_error()? {
///                 return Err(error);
///             }
///             stream.write_all(b"hello")?; // so little fits into an empty send buffer
///             greeted = true;
///         }
///         if event.is_readable() {
///             match stream.read_to_end(&mut answer) {
///                 Ok(_) => {}
///                 Err(error) if error.kind() == ErrorKind::WouldBlock => {}
///                 Err(error) => return Err(error),
///             }
///         }
///     }
/// }
/// assert_eq!(answer, b"hello");
/// # server.join().unwrap();
/// # Ok(())
/// # }
/// # #[cfg(not(feature = "net"))]
/// # fn main() {}
/// ```
///
/// # The queue as a descriptor
///
/// On Unix a `Poll` is itself a descriptor that becomes readable when `poll` would return an event, so one event loop
/// can watch another ([`AsFd`](std::os::fd::AsFd)). With [`Backend::Poll`] it only shows wakes, for the system has
/// nothing that shows more.
pub struct Poll {
    registry: Registry,
}

impl Poll {
    /// Opens a queue with the system's best backend.
    ///
    /// # Errors
    ///
    /// The system's, above all for too many open files. Where it, or a sandbox, does not allow the backend at all, the
    /// error names the backend, has the kind [`PermissionDenied`](io::ErrorKind::PermissionDenied) or
    /// [`Unsupported`](io::ErrorKind::Unsupported), and the system's error as its source.
    ///
    /// # Examples
    ///
    /// ```
    /// use mio::{Events, Poll};
    ///
    /// let mut poll = Poll::new()?;
    /// let mut events = Events::with_capacity(1024);
    /// # let _ = (&mut poll, &mut events);
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn new() -> io::Result<Poll> {
        Poll::builder().build()
    }

    /// Chooses more than the defaults of [`new`](Poll::new).
    ///
    /// # Examples
    ///
    /// ```
    /// use mio::{Backend, Poll};
    ///
    /// let poll = Poll::builder().backend(Backend::default()).build()?;
    /// assert_eq!(poll.backend(), Backend::default());
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn builder() -> Builder {
        Builder {
            backend: Backend::default(),
        }
    }

    /// The handle through which sources are registered.
    ///
    /// # Examples
    ///
    /// ```
    /// # #[cfg(not(target_os = "wasi"))]
    /// # fn main() -> std::io::Result<()> {
    /// use mio::{Poll, Token, Waker};
    ///
    /// let poll = Poll::new()?;
    /// let waker = Waker::new(poll.registry(), Token(0))?;
    /// let registry = poll.registry().try_clone()?; // for another thread
    /// # drop((waker, registry));
    /// # Ok(())
    /// # }
    /// # #[cfg(target_os = "wasi")]
    /// # fn main() {}
    /// ```
    #[inline]
    #[must_use]
    pub fn registry(&self) -> &Registry {
        &self.registry
    }

    /// The backend of this queue.
    ///
    /// # Examples
    ///
    /// ```
    /// use mio::Poll;
    ///
    /// println!("polling with {}", Poll::new()?.backend()); // "polling with epoll", on Linux
    /// # Ok::<(), std::io::Error>(())
    /// ```
    #[must_use]
    pub fn backend(&self) -> Backend {
        self.registry.queue().selector.backend()
    }

    /// Waits until there are events, or `timeout` has passed, and fills `events`.
    ///
    /// What `events` held before is gone. Afterwards it holds at least one event, or none if the time has passed. At most
    /// its capacity is filled; more comes with the next call.
    ///
    /// `None` waits without limit. `Some(Duration::ZERO)` does not wait. A timeout never ends early, whatever other
    /// threads do with the registry meanwhile; it may end a little late:
    ///
    /// | backend | resolution |
    /// | --- | --- |
    /// | epoll, poll | nanoseconds, plus the timer slack of the thread (50 µs unless changed: `PR_SET_TIMERSLACK`) |
    /// | kqueue | nanoseconds are asked for; what each system makes of them was not measured |
    /// | event ports | the same |
    /// | AFD | the tick of the system's clock (up to 15.6 ms unless changed: `timeBeginPeriod`) |
    ///
    /// # Errors
    ///
    /// [`Interrupted`](io::ErrorKind::Interrupted) when a signal handler ran on this thread.
    /// [`poll_until`](Poll::poll_until) goes on in that case. In ordinary operation there are no other errors.
    ///
    /// # Examples
    ///
    /// ```
    /// # fn main() -> std::io::Result<()> {
    /// use mio::{Events, Poll};
    /// use std::io::ErrorKind;
    /// use std::time::Duration;
    ///
    /// let mut poll = Poll::new()?;
    /// let mut events = Events::with_capacity(128);
    ///
    /// match poll.poll(&mut events, Some(Duration::from_micros(250))) {
    ///     Ok(()) => assert!(events.is_empty(), "nothing is registered"),
    ///     Err(error) if error.kind() == ErrorKind::Interrupted => { /* see to the signal */ }
    ///     Err(error) => return Err(error),
    /// }
    /// # Ok(())
    /// # }
    /// ```
    #[inline(always)]
    pub fn poll(&mut self, events: &mut Events, timeout: Option<Duration>) -> io::Result<()> {
        events.clear();
        let raw = events.as_raw();
        if raw.capacity() == 0 {
            // Nothing could be returned, and systems refuse to be asked for nothing.
            return Ok(());
        }
        let queue = self.registry.queue();
        queue.selector.select(raw, timeout)?;
        if !raw.is_empty() {
            return_stack::cover();
            // Wakers have to reach the kernel again from now on.
            queue.epoch.advance();
        }
        Ok(())
    }

    /// Waits until there are events, or `deadline` has come, and fills `events`.
    ///
    /// As [`poll`](Poll::poll), with two differences: signals do not end it, and neither they nor the number of calls
    /// make a loop drift, because the time is absolute. `None` waits without limit; a deadline in the past does not wait.
    ///
    /// # Errors
    ///
    /// None in ordinary operation.
    ///
    /// # Examples
    ///
    /// A loop that does something a thousand times a second, and serves its sources in between:
    ///
    /// ```
    /// # fn main() -> std::io::Result<()> {
    /// use mio::{Events, Poll};
    /// use std::time::{Duration, Instant};
    ///
    /// let mut poll = Poll::new()?;
    /// let mut events = Events::with_capacity(128);
    /// let mut next = Instant::now();
    ///
    /// for _tick in 0..3 {
    ///     next += Duration::from_millis(1);
    ///     loop {
    ///         poll.poll_until(&mut events, next)?;
    ///         if events.is_empty() {
    ///             break; // it is time for the next tick
    ///         }
    ///         // … serve the events
    ///     }
    ///     assert!(Instant::now() >= next);
    /// }
    /// # Ok(())
    /// # }
    /// ```
    #[inline]
    pub fn poll_until<D>(&mut self, events: &mut Events, deadline: D) -> io::Result<()>
    where
        D: Into<Option<Instant>>,
    {
        let deadline = deadline.into();
        loop {
            let timeout =
                deadline.map(|deadline| deadline.saturating_duration_since(Instant::now()));
            match self.poll(events, timeout) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                result => return result,
            }
        }
    }
}

impl Drop for Poll {
    fn drop(&mut self) {
        self.registry.queue().abandon();
    }
}

impl fmt::Debug for Poll {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Poll")
            .field("selector", &self.registry.queue().selector)
            .finish()
    }
}

/// Configures a [`Poll`] before it is opened. Made by [`Poll::builder`].
///
/// # Examples
///
/// ```
/// # fn main() -> std::io::Result<()> {
/// use mio::{Backend, Poll};
///
/// // In a sandbox that knows `poll(2)` only.
/// # if Backend::Poll.is_available() {
/// let poll = Poll::builder().backend(Backend::Poll).build()?;
/// # assert_eq!(poll.backend(), Backend::Poll);
/// # }
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
#[must_use = "a builder does nothing until `build` is called"]
pub struct Builder {
    backend: Backend,
}

impl Builder {
    /// Asks for a backend instead of the default one.
    ///
    /// # Examples
    ///
    /// ```
    /// use mio::{Backend, Poll};
    ///
    /// let builder = Poll::builder();
    /// let builder = if Backend::Poll.is_available() { builder.backend(Backend::Poll) } else { builder };
    /// let poll = builder.build()?;
    /// # drop(poll);
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn backend(mut self, backend: Backend) -> Builder {
        self.backend = backend;
        self
    }

    /// Opens the queue.
    ///
    /// # Errors
    ///
    /// [`Unsupported`](io::ErrorKind::Unsupported) for a backend that this build does not have. As
    /// [`Poll::new`] where the system refuses: there is no silent change to another backend.
    ///
    /// # Examples
    ///
    /// ```
    /// use mio::{Backend, Poll};
    /// use std::io::ErrorKind;
    ///
    /// # fn first() -> std::io::Result<Poll> {
    /// // The first backend that the system allows.
    /// for backend in Backend::available() {
    ///     match Poll::builder().backend(backend).build() {
    ///         Err(error) if matches!(error.kind(), ErrorKind::PermissionDenied | ErrorKind::Unsupported) => {
    ///             eprintln!("{error}");
    ///         }
    ///         result => return result,
    ///     }
    /// }
    /// Err(ErrorKind::Unsupported.into())
    /// # }
    /// # first().unwrap();
    /// ```
    pub fn build(self) -> io::Result<Poll> {
        Queue::open(self.backend).map(|queue| Poll {
            registry: Registry::new(queue),
        })
    }
}
