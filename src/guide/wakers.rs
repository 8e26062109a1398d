//! # Wakers and work across threads
//!
//! One thread polls. Others have something for it: a task, a connection, the news that it should end. They put it where
//! the polling thread finds it, and then end its poll with a [`Waker`](crate::Waker).
//!
//! # The pattern
//!
//! Put the work down, *then* wake. On the event, take *everything*.
//!
//! ```
//! # fn main() -> std::io::Result<()> {
//! use mio::{Events, Poll, Token, Waker};
//! use std::sync::{mpsc, Arc};
//! use std::thread;
//!
//! const WORK: Token = Token(0);
//!
//! let mut poll = Poll::new()?;
//! let mut events = Events::with_capacity(64);
//! let waker = Arc::new(Waker::new(poll.registry(), WORK)?);
//! let (sender, work) = mpsc::channel();
//!
//! let threads: Vec<_> = (0..4)
//!     .map(|id| {
//!         let (sender, waker) = (sender.clone(), Arc::clone(&waker));
//!         thread::spawn(move || {
//!             for n in 0..100 {
//!                 sender.send(id * 100 + n).unwrap();
//!                 waker.wake().unwrap();
//!             }
//!         })
//!     })
//!     .collect();
//!
//! let mut done = 0;
//! while done < 400 {
//!     poll.poll_until(&mut events, None)?;
//!     for event in &events {
//!         if event.token() == WORK {
//!             // Any number of wakes may be in this one event, so any number of items.
//!             done += work.try_iter().count();
//!         }
//!     }
//! }
//! # for thread in threads {
//! #     thread.join().unwrap();
//! # }
//! # Ok(())
//! # }
//! ```
//!
//! Three rules are in it:
//!
//! - **A wake is not a count.** A thousand wakes before a poll are one event. Taking one item per event strands the
//!   others.
//! - **A wake is not lost.** One that comes while nobody polls ends the next poll at once. So does one that comes while
//!   the events of the last poll, its own among them, are still being worked on.
//! - **A wake may find nothing.** The item it announces may have been taken along with an earlier event.
//!
//! # What is visible
//!
//! What a thread has written before it called [`wake`](crate::Waker::wake) is visible to the polling thread when it has
//! an event of that waker: the call releases, the poll acquires. A relaxed atomic flag or a plain field behind an
//! unlocked `UnsafeCell` is covered, too. That holds for the threads whose wake was merged with another one's.
//!
//! # What it costs
//!
//! The first wake after a poll that returned events makes a system call. The others until the next such poll make none:
//! they are one read-modify-write each on an atomic that the wakers of the queue share, and one on an atomic of their
//! own. So there is no need to guard `wake` with a flag of one's own.
//!
//! The first wake reaches the kernel even if the polling thread is known to be awake. An outer event loop may be
//! watching the queue's descriptor, and it must see the wake. It has to poll the queue then: what comes before such a poll
//! is merged with what it has seen.
//!
//! A merged wake relies on the one that it was merged with. Should the scheduler stop that thread just before its system
//! call, the poll ends when it goes on. That matters where threads have fixed priorities: give those that wake the same
//! queue a waker each.
//!
//! # Several wakers
//!
//! A queue may have any number of wakers. Their tokens tell *why* the poll ended, without a look into each queue of
//! work:
//!
//! ```
//! # fn main() -> std::io::Result<()> {
//! use mio::{Events, Poll, Token, Waker};
//!
//! const TASKS: Token = Token(0);
//! const SHUTDOWN: Token = Token(1);
//!
//! let mut poll = Poll::new()?;
//! let mut events = Events::with_capacity(64);
//! let tasks = Waker::new(poll.registry(), TASKS)?;
//! let shutdown = Waker::new(poll.registry(), SHUTDOWN)?;
//! # let stopper = std::thread::spawn(move || {
//! #     shutdown.wake().unwrap();
//! #     shutdown
//! # });
//!
//! 'running: loop {
//!     poll.poll_until(&mut events, None)?;
//!     for event in &events {
//!         match event.token() {
//!             TASKS => { /* take everything from the queue of tasks */ }
//!             SHUTDOWN => break 'running,
//!             _source => { /* … */ }
//!         }
//!     }
//! }
//! # stopper.join().unwrap();
//! # drop(tasks);
//! # Ok(())
//! # }
//! ```
//!
//! Each is coalesced by itself. On Linux with epoll each is an open file (`eventfd(2)`), with
//! [`Backend::Poll`](crate::Backend::Poll) all of a queue share one. With kqueue it takes none on Apple systems, FreeBSD
//! and DragonFly, and a pipe on NetBSD and OpenBSD; with event ports and AFD it takes none.
//!
//! A waker may have the token of a source, or of another waker. Its events are readable.
//!
//! # Dropping
//!
//! A waker that is dropped takes its pending wake with it. A thread that wakes and then drops the last handle may so
//! undo its own wake. Keep one handle, as a rule beside the `Poll`, for as long as wakes matter.
//!
//! A waker also keeps the queue open. Waking a queue whose `Poll` is gone is no error, and nobody hears it.
//!
//! # In a signal handler
//!
//! [`wake`](crate::Waker::wake) does not block, and on epoll, kqueue and event ports it takes no lock and does not allocate.
//! So a signal handler can call it on a waker in a `static`. The signal itself also ends a poll of the thread on which the handler
//! ran, with [`Interrupted`](std::io::ErrorKind::Interrupted); a wake reaches the right thread in any case.
//!
//! An event port that is full takes a second call to wake, `port_alert`, whose manual does not say that a signal handler may
//! make it. Until there are tens of thousands of sources in one queue that does not happen.
//!
//! # After a fork
//!
//! A waker in a forked child and its original in the parent share the kernel's side, but not what merges wakes: of the
//! child's, one reaches the parent at most, and none if the parent was woken and has not polled when it forked. Do not use
//! it there: see [closing](super::closing#fork).
