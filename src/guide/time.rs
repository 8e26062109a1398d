//! # Timeouts and deadlines
//!
//! | | [`poll`](crate::Poll::poll) | [`poll_until`](crate::Poll::poll_until) |
//! | --- | --- | --- |
//! | takes | a timeout: a `Duration` from now on | a deadline: an `Instant` |
//! | waits without limit | `None` | `None` |
//! | does not wait | `Some(Duration::ZERO)` | a deadline in the past |
//! | a signal handler ran | returns [`Interrupted`](std::io::ErrorKind::Interrupted) | goes on |
//! | ended by time | `Ok`, and no events | `Ok`, and no events |
//!
//! Neither of them ends early. Registrations and deregistrations by other threads neither prolong nor shorten the wait.
//! With an [`Events`](crate::Events) of capacity zero both return at once, because nothing could be returned.
//!
//! # Which one
//!
//! A loop with timers takes `poll_until`. It has the time of its next timer anyway, and whatever happens in between,
//! that time stays the same:
//!
//! ```
//! # fn main() -> std::io::Result<()> {
//! use mio::{Events, Poll};
//! use std::cmp::Reverse;
//! use std::collections::BinaryHeap;
//! use std::time::{Duration, Instant};
//!
//! let mut poll = Poll::new()?;
//! let mut events = Events::with_capacity(64);
//!
//! // The earliest timer is on top.
//! let start = Instant::now();
//! let mut timers = BinaryHeap::new();
//! timers.push(Reverse((start + Duration::from_millis(2), "second")));
//! timers.push(Reverse((start + Duration::from_millis(1), "first")));
//!
//! let mut fired = Vec::new();
//! while let Some(Reverse((next, _))) = timers.peek() {
//!     poll.poll_until(&mut events, *next)?;
//!     // … serve the events
//!     let now = Instant::now();
//!     while let Some(Reverse((time, _))) = timers.peek() {
//!         if *time > now {
//!             break;
//!         }
//!         fired.extend(timers.pop().map(|Reverse((_, name))| name));
//!     }
//! }
//! assert_eq!(fired, ["first", "second"]);
//! # Ok(())
//! # }
//! ```
//!
//! (A server without timers at the moment passes `None`: `timers.peek().map(|Reverse((next, _))| *next)` is either.)
//!
//! `poll` is for loops that want to know of signals, and for those that poll without waiting. A runtime that handles
//! `Interrupted` itself loses nothing with it. A program that repeats an interrupted `poll` *with the same timeout*
//! starts the time anew with each signal; that is the mistake which `poll_until` is there to prevent.
//!
//! Look at the events even if the deadline has passed. A poll that returned events says nothing about the time.
//!
//! # Precision
//!
//! A timeout counts in nanoseconds, and is given to the kernel as it is, where the kernel has them:
//!
//! | backend, timeout | system call |
//! | --- | --- |
//! | epoll; none, zero, or whole milliseconds of less than 24 days | `epoll_wait` on x86-64, `epoll_pwait` elsewhere |
//! | epoll; others | `epoll_pwait2`, since Linux 5.11 |
//! | epoll; others, on an older kernel or on Android | `ppoll` on the queue's descriptor, then epoll without waiting |
//! | `poll(2)` | `ppoll` on Linux, Android, Fuchsia, Haiku and the Hurd; elsewhere `poll`, with milliseconds, rounded up |
//! | kqueue | `kevent`; more than a day in waits of a day each, since OpenBSD takes no more and Apple systems refuse some |
//! | event ports | `port_getn` |
//! | AFD | `NtRemoveIoCompletionEx`, in units of 100 ns, rounded up |
//! | WASI preview 1 | `poll_oneoff` |
//!
//! On Windows a wait ends with a tick of the system's clock, up to 15.6 ms late unless that was changed
//! (`timeBeginPeriod`).
//!
//! On Linux all of them are exact to the kernel's timer. What is added is the *timer slack* of the thread, by which the kernel
//! may delay a wake-up to join it with others (50 µs unless changed: `prctl(2)`, `PR_SET_TIMERSLACK`), and the time
//! until the scheduler runs the thread. So a wait that is shorter than the slack takes about as long as the slack.
//! Lower the slack of the polling thread, or poll with zero for the last stretch, where that matters.
//!
//! `Duration::MAX` and other times beyond what the kernel can express mean "for ever" for practical purposes: the
//! longest timeout that is passed on is 292 billion years.
//!
//! # Signals
//!
//! A signal handler that runs on the polling thread interrupts the wait even if it was installed with `SA_RESTART`.
//! `poll` then returns `Interrupted`, and has filled in no events; none are lost. A program without signal handlers of
//! its own sees this, too, for instance when it was stopped and continued, or under a debugger. So either handle it or
//! use `poll_until`.
