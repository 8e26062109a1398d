//! Waiting on epoll for a time that is no whole number of milliseconds: with `ppoll(2)`.
//!
//! `ppoll` counts nanoseconds on every kernel. An epoll descriptor is readable when there is an event to fetch, and
//! looking fetches none, so waiting with `ppoll` and then asking without waiting is exact; it costs a second system
//! call.

use std::io;
use std::os::fd::AsFd;
use std::time::{Duration, Instant};

use rustix::event::{poll, PollFd, PollFlags};

use super::epoll::{Epoll, Event};
use crate::sys::selector::timespec;

pub(super) fn wait(epoll: &Epoll, events: &mut Vec<Event>, timeout: Duration) -> io::Result<()> {
    let deadline = Instant::now().checked_add(timeout);
    let mut remaining = timeout;
    loop {
        let queue = PollFd::from_borrowed_fd(epoll.as_fd(), PollFlags::IN);
        if poll(&mut [queue], Some(&timespec(remaining)))? == 0 {
            return Ok(());
        }
        epoll.wait(events, 0)?;
        if !events.is_empty() {
            return Ok(());
        }
        // The event was gone by then, its source closed or read elsewhere.
        if let Some(deadline) = deadline {
            remaining = deadline.saturating_duration_since(Instant::now());
        }
    }
}
