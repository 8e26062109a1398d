//! [`Interest`]: which kinds of readiness a registration asks for.

use std::fmt;
use std::num::NonZeroU8;
use std::ops;

/// The kinds of readiness that a registration asks for.
///
/// An interest is never empty, so `Option<Interest>` is as small as `Interest`: one byte.
///
/// Whatever was asked for, a queue may also report errors and hang-ups: see
/// [`Event::is_error`](crate::event::Event::is_error) and its neighbours.
///
/// # Examples
///
/// ```
/// use mio::Interest;
///
/// let both = Interest::READABLE | Interest::WRITABLE;
/// assert!(both.is_readable() && both.is_writable());
/// assert_eq!(both.remove(Interest::WRITABLE), Some(Interest::READABLE));
/// assert_eq!(both.remove(both), None);
/// ```
#[derive(Copy, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Interest(NonZeroU8);

const READABLE: u8 = 0b0_0001;
const WRITABLE: u8 = 0b0_0010;
const AIO: u8 = 0b0_0100;
const LIO: u8 = 0b0_1000;
const PRIORITY: u8 = 0b1_0000;

#[inline]
const fn interest(bits: u8) -> Interest {
    match NonZeroU8::new(bits) {
        Some(bits) => Interest(bits),
        None => panic!("an interest is never empty"),
    }
}

impl Interest {
    /// Asks for events when there is something to read: data, a connection to accept, or the end of the
    /// stream.
    ///
    /// # Examples
    ///
    /// ```
    /// use mio::Interest;
    ///
    /// // A listener, or a connection that has nothing to send.
    /// let reading = Interest::READABLE;
    /// assert!(reading.is_readable() && !reading.is_writable());
    /// ```
    pub const READABLE: Interest = interest(READABLE);

    /// Asks for events when there is room to write, or when a connection attempt has ended.
    ///
    /// # Examples
    ///
    /// ```
    /// use mio::Interest;
    ///
    /// let mut interest = Interest::READABLE;
    /// interest |= Interest::WRITABLE; // now there is something to send
    /// assert!(interest.is_readable() && interest.is_writable());
    /// ```
    pub const WRITABLE: Interest = interest(WRITABLE);

    /// Both interests together. The `const` counterpart of `|`.
    ///
    /// ```
    /// use mio::Interest;
    ///
    /// const BOTH: Interest = Interest::READABLE.add(Interest::WRITABLE);
    /// assert_eq!(BOTH, Interest::READABLE | Interest::WRITABLE);
    /// ```
    #[allow(clippy::should_implement_trait)] // `const`, and named so in mio 1.2
    #[must_use = "this returns the sum, it does not change its argument"]
    #[inline]
    pub const fn add(self, other: Interest) -> Interest {
        interest(self.0.get() | other.0.get())
    }

    /// `self` without `other`, or `None` if nothing is left.
    ///
    /// ```
    /// use mio::Interest;
    ///
    /// assert_eq!(Interest::READABLE.remove(Interest::READABLE), None);
    /// assert_eq!(Interest::READABLE.remove(Interest::WRITABLE), Some(Interest::READABLE));
    /// ```
    #[must_use = "this returns the difference, it does not change its argument"]
    #[inline]
    pub fn remove(self, other: Interest) -> Option<Interest> {
        NonZeroU8::new(self.0.get() & !other.0.get()).map(Interest)
    }

    /// Whether readable events are asked for.
    ///
    /// # Examples
    ///
    /// ```
    /// use mio::Interest;
    ///
    /// assert!(Interest::READABLE.is_readable());
    /// assert!(!Interest::WRITABLE.is_readable());
    /// ```
    #[must_use]
    #[inline]
    pub const fn is_readable(self) -> bool {
        self.0.get() & READABLE != 0
    }

    /// Whether writable events are asked for.
    ///
    /// # Examples
    ///
    /// ```
    /// use mio::Interest;
    ///
    /// assert!(Interest::WRITABLE.is_writable());
    /// assert!(!Interest::READABLE.is_writable());
    /// ```
    #[must_use]
    #[inline]
    pub const fn is_writable(self) -> bool {
        self.0.get() & WRITABLE != 0
    }

    /// Whether completions of POSIX asynchronous I/O are asked for (FreeBSD, DragonFly and Apple systems;
    /// elsewhere always `false`).
    ///
    /// # Examples
    ///
    /// ```
    /// use mio::Interest;
    ///
    /// #[cfg(any(target_os = "freebsd", target_os = "macos"))]
    /// assert!(Interest::AIO.is_aio());
    /// assert!(!Interest::READABLE.is_aio());
    /// ```
    #[must_use]
    #[inline]
    pub const fn is_aio(self) -> bool {
        self.0.get() & AIO != 0
    }

    /// Whether completions of `lio_listio` are asked for (FreeBSD; elsewhere always `false`).
    ///
    /// # Examples
    ///
    /// ```
    /// use mio::Interest;
    ///
    /// #[cfg(target_os = "freebsd")]
    /// assert!(Interest::LIO.is_lio());
    /// assert!(!Interest::READABLE.is_lio());
    /// ```
    #[must_use]
    #[inline]
    pub const fn is_lio(self) -> bool {
        self.0.get() & LIO != 0
    }

    /// Whether priority events, such as out-of-band data, are asked for (Linux and Android; elsewhere
    /// always `false`).
    ///
    /// # Examples
    ///
    /// ```
    /// use mio::Interest;
    ///
    /// #[cfg(any(target_os = "linux", target_os = "android"))]
    /// assert!(Interest::PRIORITY.is_priority());
    /// assert!(!Interest::READABLE.is_priority());
    /// ```
    #[must_use]
    #[inline]
    pub const fn is_priority(self) -> bool {
        self.0.get() & PRIORITY != 0
    }
}

// The interests that only some systems have are made public by `sys/mod.rs`, which knows the systems.
#[allow(dead_code)] // each is used on some systems and on none everywhere
pub(crate) mod of_some_systems {
    use super::{interest, Interest};

    pub(crate) const AIO: Interest = interest(super::AIO);
    pub(crate) const LIO: Interest = interest(super::LIO);
    pub(crate) const PRIORITY: Interest = interest(super::PRIORITY);
}

impl ops::BitOr for Interest {
    type Output = Interest;

    #[inline]
    fn bitor(self, other: Self) -> Self {
        self.add(other)
    }
}

impl ops::BitOrAssign for Interest {
    #[inline]
    fn bitor_assign(&mut self, other: Self) {
        *self = *self | other;
    }
}

impl fmt::Debug for Interest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names = [
            (self.is_readable(), "READABLE"),
            (self.is_writable(), "WRITABLE"),
            (self.is_priority(), "PRIORITY"),
            (self.is_aio(), "AIO"),
            (self.is_lio(), "LIO"),
        ];
        let mut separator = "";
        for (_, name) in names.iter().filter(|(set, _)| *set) {
            write!(f, "{separator}{name}")?;
            separator = " | ";
        }
        Ok(())
    }
}
