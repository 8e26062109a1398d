//! [`Events`]: the memory that a poll fills.

use std::fmt;
use std::iter::FusedIterator;
use std::slice;

use crate::event::Event;
use crate::sys::selector::Selector as _;
use crate::sys::{RawEvent, Selector};

/// The events of one [`Poll::poll`](crate::Poll::poll).
///
/// Make it once, outside the loop, and reuse it: polling then never allocates. Its capacity is the number of events that
/// one poll returns at most; the rest comes with the next one, so none is lost with a small capacity. A few hundred to a
/// thousand suits a busy server; each takes 12 to 16 bytes on 64-bit Linux, and 32 to 64 with kqueue.
///
/// # Examples
///
/// ```
/// # fn main() -> std::io::Result<()> {
/// use mio::{Events, Poll};
/// use std::time::Duration;
///
/// let mut poll = Poll::new()?;
/// let mut events = Events::with_capacity(1024);
///
/// poll.poll(&mut events, Some(Duration::from_millis(1)))?;
/// for event in &events {
///     println!("{event:?}");
/// }
/// # Ok(())
/// # }
/// ```
pub struct Events {
    inner: Vec<RawEvent>,
}

/// More events than this have no place in any memory.
const ADDRESSABLE: usize = isize::MAX as usize / std::mem::size_of::<RawEvent>();

/// How many events there is room for if `capacity` is asked for. Polls rely on it, and do not compare.
fn room(capacity: usize) -> usize {
    assert!(
        capacity <= ADDRESSABLE,
        "no memory has room for {capacity} events"
    );
    capacity.min(Selector::MOST_EVENTS)
}

impl Events {
    /// Memory for `capacity` events per poll.
    ///
    /// There is room for no more than the system takes at once, even if more is asked for: 178 million events on Linux, 2
    /// billion elsewhere.
    ///
    /// With a capacity of zero no poll can return anything: it ends at once, whatever its timeout.
    ///
    /// # Panics
    ///
    /// If so much memory cannot be addressed.
    ///
    /// # Examples
    ///
    /// ```
    /// use mio::Events;
    ///
    /// let events = Events::with_capacity(1024);
    /// assert!(events.is_empty() && events.capacity() >= 1024);
    /// ```
    #[must_use]
    pub fn with_capacity(capacity: usize) -> Events {
        Events {
            inner: Vec::with_capacity(room(capacity)),
        }
    }

    /// How many events one poll returns at most.
    ///
    /// # Examples
    ///
    /// ```
    /// use mio::{Events, Poll};
    /// use std::time::Duration;
    ///
    /// let mut poll = Poll::new()?;
    /// let mut events = Events::with_capacity(64);
    /// poll.poll(&mut events, Some(Duration::ZERO))?;
    /// if events.len() == events.capacity() {
    ///     // There may be more: it pays to make the next one larger.
    ///     events = Events::with_capacity(2 * events.capacity());
    /// }
    /// # let _ = events;
    /// # Ok::<(), std::io::Error>(())
    /// ```
    #[inline]
    #[must_use]
    pub fn capacity(&self) -> usize {
        self.inner.capacity()
    }

    /// How many events the last poll returned.
    ///
    /// # Examples
    ///
    /// ```
    /// # #[cfg(not(target_os = "wasi"))]
    /// # fn main() -> std::io::Result<()> {
    /// use mio::{Events, Poll, Token, Waker};
    ///
    /// let mut poll = Poll::new()?;
    /// let mut events = Events::with_capacity(8);
    /// let waker = Waker::new(poll.registry(), Token(0))?;
    ///
    /// waker.wake()?;
    /// poll.poll(&mut events, None)?;
    /// assert_eq!(events.len(), 1);
    /// # Ok(())
    /// # }
    /// # #[cfg(target_os = "wasi")]
    /// # fn main() {}
    /// ```
    #[inline]
    #[must_use]
    pub fn len(&self) -> usize {
        self.inner.len()
    }

    /// Whether the last poll returned no event: it timed out.
    ///
    /// # Examples
    ///
    /// ```
    /// use mio::{Events, Poll};
    /// use std::time::Duration;
    ///
    /// let mut poll = Poll::new()?;
    /// let mut events = Events::with_capacity(8);
    /// poll.poll(&mut events, Some(Duration::from_millis(1)))?;
    /// if events.is_empty() {
    ///     println!("a millisecond has passed");
    /// }
    /// # Ok::<(), std::io::Error>(())
    /// ```
    #[inline]
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.inner.is_empty()
    }

    /// The event at `index`, in the order of [`iter`](Events::iter).
    ///
    /// For code that has to call methods with `&mut self` between events.
    ///
    /// ```
    /// # fn main() -> std::io::Result<()> {
    /// # let mut poll = mio::Poll::new()?;
    /// # let mut events = mio::Events::with_capacity(8);
    /// # poll.poll(&mut events, Some(std::time::Duration::ZERO))?;
    /// for index in 0..events.len() {
    ///     let token = events.get(index).unwrap().token();
    ///     // … here `events` is not borrowed.
    /// #   let _ = token;
    /// }
    /// # Ok(())
    /// # }
    /// ```
    #[inline]
    #[must_use]
    pub fn get(&self, index: usize) -> Option<&Event> {
        self.inner.get(index).map(Event::from_raw)
    }

    /// The events of the last poll.
    ///
    /// # Examples
    ///
    /// ```
    /// # #[cfg(not(target_os = "wasi"))]
    /// # fn main() -> std::io::Result<()> {
    /// use mio::{Events, Poll, Token, Waker};
    ///
    /// let mut poll = Poll::new()?;
    /// let mut events = Events::with_capacity(8);
    /// let waker = Waker::new(poll.registry(), Token(7))?;
    ///
    /// waker.wake()?;
    /// poll.poll(&mut events, None)?;
    /// let tokens: Vec<Token> = events.iter().map(|event| event.token()).collect();
    /// assert_eq!(tokens, [Token(7)]);
    /// # Ok(())
    /// # }
    /// # #[cfg(target_os = "wasi")]
    /// # fn main() {}
    /// ```
    #[inline]
    #[must_use]
    pub fn iter(&self) -> Iter<'_> {
        Iter {
            inner: self.inner.iter(),
        }
    }

    /// Forgets the events. Polling does this first by itself.
    ///
    /// # Examples
    ///
    /// ```
    /// # #[cfg(not(target_os = "wasi"))]
    /// # fn main() -> std::io::Result<()> {
    /// use mio::{Events, Poll, Token, Waker};
    ///
    /// let mut poll = Poll::new()?;
    /// let mut events = Events::with_capacity(8);
    /// let waker = Waker::new(poll.registry(), Token(0))?;
    ///
    /// waker.wake()?;
    /// poll.poll(&mut events, None)?;
    /// events.clear();
    /// assert!(events.is_empty() && events.capacity() >= 8);
    /// # Ok(())
    /// # }
    /// # #[cfg(target_os = "wasi")]
    /// # fn main() {}
    /// ```
    #[inline]
    pub fn clear(&mut self) {
        self.inner.clear();
    }

    #[inline]
    pub(crate) fn as_raw(&mut self) -> &mut Vec<RawEvent> {
        &mut self.inner
    }
}

impl<'a> IntoIterator for &'a Events {
    type Item = &'a Event;
    type IntoIter = Iter<'a>;

    #[inline]
    fn into_iter(self) -> Iter<'a> {
        self.iter()
    }
}

impl fmt::Debug for Events {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self).finish()
    }
}

/// Iterates over [`Events`].
///
/// # Examples
///
/// ```
/// # fn main() -> std::io::Result<()> {
/// # let mut poll = mio::Poll::new()?;
/// # let mut events = mio::Events::with_capacity(8);
/// # poll.poll(&mut events, Some(std::time::Duration::ZERO))?;
/// let mut iter = events.iter();
/// assert_eq!(iter.len(), events.len());
/// while let Some(event) = iter.next() {
///     println!("{:?}, and {} more", event.token(), iter.len());
/// }
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct Iter<'a> {
    inner: slice::Iter<'a, RawEvent>,
}

impl<'a> Iterator for Iter<'a> {
    type Item = &'a Event;

    #[inline]
    fn next(&mut self) -> Option<&'a Event> {
        self.inner.next().map(Event::from_raw)
    }

    #[inline]
    fn size_hint(&self) -> (usize, Option<usize>) {
        self.inner.size_hint()
    }

    #[inline]
    fn count(self) -> usize {
        self.inner.len()
    }

    #[inline]
    fn nth(&mut self, n: usize) -> Option<&'a Event> {
        self.inner.nth(n).map(Event::from_raw)
    }
}

impl DoubleEndedIterator for Iter<'_> {
    #[inline]
    fn next_back(&mut self) -> Option<Self::Item> {
        self.inner.next_back().map(Event::from_raw)
    }
}

impl ExactSizeIterator for Iter<'_> {}

impl FusedIterator for Iter<'_> {}

impl fmt::Debug for Iter<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.clone()).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn as_much_room_as_the_system_takes() {
        let most = Selector::MOST_EVENTS;
        for (asked, given) in [(0, 0), (1024, 1024), (most, most), (most + 1, most)] {
            if asked <= ADDRESSABLE {
                assert_eq!(room(asked), given);
            }
        }
    }
}
