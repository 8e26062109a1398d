//! [`Trigger`]: when, and how often, a registration reports that a source is ready.

/// When a registration reports readiness, and how often.
///
/// Registrations made through [`Poll::registry`](crate::Poll::registry) are [`Edge`](Trigger::Edge)
/// triggered; [`Registry::with_trigger`](crate::Registry::with_trigger) gives a handle for the others. The
/// meaning is the same on every system:
///
/// | trigger | reports | after an event |
/// | --- | --- | --- |
/// | `Edge` | when the source *becomes* ready | the next one comes after the source was drained |
/// | `Level` | in each poll, *while* the source is ready | nothing to do |
/// | `Oneshot` | once, while the source is ready | silent in both directions until reregistered |
/// | `EdgeOneshot` | once, when the source becomes ready | silent in both directions until reregistered |
///
/// With the two edge triggers, read or write until the call would block
/// ([`WouldBlock`](std::io::ErrorKind::WouldBlock)), or remember that there is more to do: the queue does not
/// say it again. Extra events are possible with every trigger but the one-shot ones, so treat an event as a
/// hint to try.
///
/// # Examples
///
/// ```
/// # #[cfg(feature = "net")]
/// # fn main() -> std::io::Result<()> {
/// use mio::{net::UdpSocket, Events, Interest, Poll, Token, Trigger};
/// use std::time::Duration;
///
/// let mut poll = Poll::new()?;
/// let mut events = Events::with_capacity(8);
/// let mut socket = UdpSocket::bind("127.0.0.1:0".parse().unwrap())?;
///
/// let level = poll.registry().with_trigger(Trigger::Level);
/// level.register(&mut socket, Token(0), Interest::WRITABLE)?;
///
/// // An edge would be reported once; a level is reported for as long as it lasts.
/// for _ in 0..3 {
///     poll.poll(&mut events, Some(Duration::from_secs(5)))?;
///     assert_eq!(events.len(), 1);
/// }
/// # Ok(())
/// # }
/// # #[cfg(not(feature = "net"))]
/// # fn main() {}
/// ```
#[derive(Copy, Clone, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
#[repr(u8)]
pub enum Trigger {
    /// Report when the source becomes ready. The default.
    #[default]
    Edge = EDGE,
    /// Report in each poll, for as long as the source is ready.
    Level = 0,
    /// Report once while the source is ready, then be silent until reregistered.
    Oneshot = ONESHOT,
    /// Report once when the source becomes ready, then be silent until reregistered.
    EdgeOneshot = EDGE | ONESHOT,
}

// The properties as bits of the discriminant, so that asking for one is no branch.
// In this order they are `EPOLLONESHOT` and `EPOLLET`, 30 bits lower.
const ONESHOT: u8 = 1;
const EDGE: u8 = 1 << 1;

impl Trigger {
    /// Whether the registration reports changes (edges) rather than states (levels).
    ///
    /// # Examples
    ///
    /// ```
    /// use mio::Trigger;
    ///
    /// assert!(Trigger::Edge.is_edge() && Trigger::EdgeOneshot.is_edge());
    /// assert!(!Trigger::Level.is_edge() && !Trigger::Oneshot.is_edge());
    /// ```
    #[inline]
    #[must_use]
    pub const fn is_edge(self) -> bool {
        self as u8 & EDGE != 0
    }

    /// Whether the registration falls silent after one event.
    ///
    /// # Examples
    ///
    /// ```
    /// use mio::Trigger;
    ///
    /// assert!(Trigger::Oneshot.is_oneshot() && Trigger::EdgeOneshot.is_oneshot());
    /// assert!(!Trigger::Edge.is_oneshot() && !Trigger::Level.is_oneshot());
    /// ```
    #[inline]
    #[must_use]
    pub const fn is_oneshot(self) -> bool {
        self as u8 & ONESHOT != 0
    }
}
