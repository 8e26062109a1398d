//! [`Backend`]: which of the system's mechanisms a queue is built on.

use std::fmt;

use crate::sys::selector::Selector as _;
use crate::sys::Selector;

/// The mechanism of the operating system that a [`Poll`](crate::Poll) is built on.
///
/// The names exist on every system; [`is_available`](Backend::is_available) says which of them this build can
/// open. Every backend keeps the same contract; where one cannot, `PLATFORMS.md` says so.
///
/// # Examples
///
/// ```
/// use mio::{Backend, Poll};
///
/// # fn main() -> std::io::Result<()> {
/// // What `Poll::new` uses on this system.
/// assert_eq!(Poll::new()?.backend(), Backend::default());
///
/// // Another one, where there is a choice.
/// if Backend::Poll.is_available() {
///     let poll = Poll::builder().backend(Backend::Poll).build()?;
///     assert_eq!(poll.backend(), Backend::Poll);
/// }
/// # Ok(())
/// # }
/// ```
#[derive(Copy, Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Backend {
    /// `epoll(7)`: Linux and Android.
    Epoll,
    /// `kqueue(2)`: Apple systems and the BSDs.
    Kqueue,
    /// Event ports, `port_create(3C)`: Solaris and illumos.
    EventPorts,
    /// `poll(2)`: any Unix. Beside another backend it needs the crate feature `poll-backend`.
    Poll,
    /// Polls of the Ancillary Function Driver that complete on an I/O completion port: Windows.
    Afd,
    /// `poll_oneoff`: WASI preview 1. (Preview 2 has [`Poll`](Backend::Poll).)
    Wasi,
}

impl Backend {
    const ALL: [Backend; 6] = [
        Backend::Epoll,
        Backend::Kqueue,
        Backend::EventPorts,
        Backend::Poll,
        Backend::Afd,
        Backend::Wasi,
    ];

    /// Whether this build can open the backend. The running system may still refuse it: then
    /// [`Builder::build`](crate::Builder::build) returns the system's error.
    ///
    /// # Examples
    ///
    /// ```
    /// use mio::Backend;
    ///
    /// assert!(Backend::default().is_available());
    /// if Backend::Poll.is_available() {
    ///     println!("this build can do without {}", Backend::default());
    /// }
    /// ```
    #[must_use]
    pub fn is_available(self) -> bool {
        Selector::supports(self)
    }

    /// The backends that this build can open, in the order of their declaration.
    ///
    /// ```
    /// use mio::Backend;
    ///
    /// assert!(Backend::available().any(|backend| backend == Backend::default()));
    /// ```
    pub fn available() -> impl Iterator<Item = Backend> {
        Backend::ALL
            .into_iter()
            .filter(|backend| backend.is_available())
    }
}

/// The backend of [`Poll::new`](crate::Poll::new).
impl Default for Backend {
    fn default() -> Backend {
        Selector::DEFAULT
    }
}

/// The name of the mechanism, as the system's manual spells it.
impl fmt::Display for Backend {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Backend::Epoll => "epoll",
            Backend::Kqueue => "kqueue",
            Backend::EventPorts => "event ports",
            Backend::Poll => "poll",
            Backend::Afd => "AFD",
            Backend::Wasi => "poll_oneoff",
        })
    }
}
