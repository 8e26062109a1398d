//! Readiness through event ports: illumos and Solaris.
//!
//! Rests on these promises of the manuals port_create(3C), port_associate(3C), port_get(3C), port_send(3C) and
//! port_alert(3C):
//!
//! - A descriptor that is ready when it is associated makes an event at once; otherwise it makes one when it first is.
//! - An event ends its association. Whoever wants another associates again; so there are levels and no edges.
//! - Associating what is associated replaces what was asked and the value that comes back with the event.
//! - Only the process that has made an association can end it, and so can the port.
//! - An event that was sent by `port_send` comes like any other, in its turn.
//! - A port in alert mode ends all waits, now and later, until it is taken out of it.
//!
//! That an association ends when its descriptor is closed no manual says, and nothing here but what becomes of a bare
//! descriptor that is closed while it is registered depends on it.
//!
//! What is associated, and what has to be again, is in [`sources`]; edges are made of levels in
//! [`table`](super::table); what threads share without the lock is in [`alert`] and [`watched`]; the
//! system calls are behind [`port`](super::port), which a model of them can stand in for.
//!
//! Invariants:
//!
//! - The lock of [`State`] is held from a change of the registrations to the call that tells the kernel, and while events
//!   that were fetched are sorted. It is not held during a wait.
//! - A source leaves the registrations, and the port, before it is closed.
//! - Nothing is in the port more than once of a waker, so a port cannot be filled by waking.

mod alert;
mod watched;

use std::fmt;
use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, RawFd};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use rustix::event::PollFlags;
use rustix::io::Errno;

use self::alert::Way;
use self::watched::Watched;
use super::port::Port;
use super::port_event::{self, Event, Fetched, Source};
use super::queues::Queues;
use super::sources::{Ask, Sources};
use super::table::Plan;
use crate::sys::selector::{unsupported, Direction, Selector, Target, Wanted};
use crate::{Backend, Token};

/// What a wait is cut into: systems may refuse or misread what is much longer.
const LONGEST: Duration = Duration::from_secs(365 * 24 * 60 * 60);

/// What [`Shared::knock`] sends. Wakers have other numbers.
const KNOCK: usize = 0;

/// An event port.
pub(crate) struct EventPorts {
    shared: Arc<Shared>,
}

/// The part of a queue that sources find when they would block or close, whoever owns the queue.
#[derive(Debug)]
struct Shared {
    port: Port,
    state: Mutex<State>,
    watched: Watched,
}

#[derive(Debug, Default)]
struct State {
    sources: Sources,
    wakers: Vec<Arc<Waker>>,
    last_waker: usize,
    /// [`KNOCK`] is in the port.
    knocked: bool,
    /// A thread waits for what it has found associated.
    waiting: bool,
}

/// One waker.
#[derive(Debug)]
pub(crate) struct Waker {
    token: Token,
    number: usize,
    way: Way,
}

/// Every queue of this kind, for sources that would block or close.
static QUEUES: Queues<Shared> = Queues::new();

impl Selector for EventPorts {
    const DEFAULT: Backend = Backend::EventPorts;

    type Event = Event;
    type State = ();
    type Signal = Arc<Waker>;

    fn supports(backend: Backend) -> bool {
        backend == Backend::EventPorts
    }

    fn open(backend: Backend) -> io::Result<EventPorts> {
        if backend != Backend::EventPorts {
            return Err(unsupported(backend));
        }
        Ok(EventPorts::on(Port::create().map_err(said_of_opening)?))
    }

    fn backend(&self) -> Backend {
        Backend::EventPorts
    }

    fn select(&self, events: &mut Vec<Event>, timeout: Option<Duration>) -> io::Result<()> {
        let mut now = Instant::now();
        // A deadline that the clock cannot express is never reached.
        let deadline = timeout.and_then(|timeout| now.checked_add(timeout));
        loop {
            let mut wait = self.shared.begin_wait(now, deadline);
            loop {
                let (fetched, result) = port_event::fetch(&self.shared.port, events, wait);
                now = Instant::now();
                let emptied = self.shared.sort(events, fetched, now)?;
                match result {
                    // There is nobody to tell that events came with an error.
                    Err(errno) if errno != Errno::TIME && events.is_empty() => {
                        self.shared.end_poll(false, now);
                        return Err(errno.into());
                    }
                    _ if emptied || events.len() == events.capacity() => break,
                    // What was dropped has taken the place of events that are there already.
                    _ => wait = Some(Duration::ZERO),
                }
            }
            // The wait may have ended early, and for nothing.
            if !events.is_empty() || deadline.is_some_and(|deadline| now >= deadline) {
                self.shared.end_poll(!events.is_empty(), now);
                return Ok(());
            }
        }
    }

    fn register(&self, target: Target<'_, ()>, wanted: Wanted) -> io::Result<()> {
        let bare = target.state.is_none();
        let result = self.shared.change(|sources, port| {
            sources.insert(fd_of(target), wanted, bare, |ask| associate(port, ask))
        });
        result.map_err(said_of_a_registration)
    }

    fn reregister(&self, target: Target<'_, ()>, wanted: Wanted) -> io::Result<()> {
        let bare = target.state.is_none();
        let result = self.shared.change(|sources, port| {
            sources.replace(fd_of(target), wanted, bare, |ask| associate(port, ask))
        });
        result.map_err(said_of_a_registration)
    }

    fn deregister(&self, target: Target<'_, ()>) -> io::Result<()> {
        Ok(self.shared.remove(fd_of(target))?)
    }

    #[inline]
    fn tracks_sources() -> bool {
        QUEUES.any()
    }

    fn rearm(target: Target<'_, ()>, direction: Direction) {
        let fd = fd_of(target);
        QUEUES.for_each(|queue| queue.rearm(fd, direction));
    }

    fn closing(target: Target<'_, ()>) {
        let fd = fd_of(target);
        QUEUES.for_each(|queue| {
            // Not registered here, or registered by the process that this one was forked from.
            let _ = queue.remove(fd);
        });
    }

    fn signal(&self, token: Token) -> io::Result<Arc<Waker>> {
        let mut state = lock(&self.shared.state);
        state.last_waker += 1;
        let waker = Arc::new(Waker {
            token,
            number: state.last_waker,
            way: Way::new(),
        });
        state.wakers.push(Arc::clone(&waker));
        Ok(waker)
    }

    #[inline]
    fn raise(&self, waker: &Arc<Waker>) -> io::Result<()> {
        let port = &self.shared.port;
        let send = || match port.send(waker.number) {
            Ok(()) => Ok(true),
            Err(Errno::AGAIN | Errno::NOMEM) => Ok(false),
            Err(errno) => Err(errno),
        };
        Ok(waker.way.raise(send, || port.alert(true))?)
    }

    fn retire(&self, waker: &Arc<Waker>) {
        // What is in the port of it cannot be withdrawn. It will find nobody.
        lock(&self.shared.state)
            .wakers
            .retain(|other| !Arc::ptr_eq(other, waker));
    }
}

impl EventPorts {
    fn on(port: Port) -> EventPorts {
        let shared = Arc::new(Shared {
            port,
            state: Mutex::default(),
            watched: Watched::new(),
        });
        QUEUES.add(Arc::clone(&shared));
        EventPorts { shared }
    }
}

impl Drop for EventPorts {
    fn drop(&mut self) {
        QUEUES.remove(&self.shared);
    }
}

/// Readable when there is an event. Who has it may be an outer loop, so from now on sources that are due show, too.
impl AsFd for EventPorts {
    #[inline]
    fn as_fd(&self) -> BorrowedFd<'_> {
        let shared = &self.shared;
        shared.watched.begin(|| shared.show_at_once());
        shared.port.as_fd()
    }
}

impl fmt::Debug for EventPorts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EventPorts")
            .field("port", &self.shared.port)
            .finish_non_exhaustive()
    }
}

impl Shared {
    /// Associates what is due, and says how long to wait.
    #[inline]
    fn begin_wait(&self, now: Instant, deadline: Option<Instant>) -> Option<Duration> {
        let mut state = lock(&self.state);
        state.waiting = true;
        let plan = if state.sources.any_due() {
            state
                .sources
                .associate_due(now, |ask| associate(&self.port, ask))
        } else {
            Plan::default()
        };
        if plan.impatient {
            return Some(Duration::ZERO);
        }
        let until = match (deadline, plan.until) {
            (Some(deadline), Some(until)) => Some(deadline.min(until)),
            (deadline, until) => deadline.or(until),
        };
        until.map(|until| until.saturating_duration_since(now).min(LONGEST))
    }

    /// Turns what was fetched into events for the user, and drops the rest. Says whether the port was seen empty.
    fn sort(&self, events: &mut Vec<Event>, fetched: Fetched, now: Instant) -> io::Result<bool> {
        let mut state = lock(&self.state);
        state.waiting = false;
        let mut alert = false;
        let mut end = fetched.start;
        for index in fetched.start..events.len() {
            let event = &mut events[index];
            let reports = match event.source() {
                Source::Descriptor { fd, ticket, flags } => {
                    let sources = &mut state.sources;
                    let said = sources.answer((fd, ticket), flags, now, port_event::look);
                    said.is_some_and(|(token, flags)| event.report(token, flags))
                }
                Source::User(KNOCK) => {
                    state.knocked = false;
                    false
                }
                Source::User(number) => {
                    let waker = state.wakers.iter().find(|waker| waker.number == number);
                    waker.is_some_and(|waker| {
                        waker.way.fetched() && event.report(waker.token, PollFlags::IN)
                    })
                }
                Source::Alert => {
                    alert = true;
                    false
                }
                Source::Unknown => false,
            };
            if reports {
                events.swap(end, index);
                end += 1;
            }
        }
        events.truncate(end);
        if alert {
            self.end_alert(&mut state, events)?;
        } else if fetched.emptied {
            state.sources.port_is_empty(now);
        }
        Ok(fetched.emptied && !alert)
    }

    /// The user gets what there is, and `reports` says whether that is anything.
    #[inline]
    fn end_poll(&self, reports: bool, now: Instant) {
        if self.watched.is_set() {
            self.show(&mut lock(&self.state), reports, now);
        }
    }

    /// Takes the port out of alert mode, and serves the wakers that have put it there.
    #[cold]
    fn end_alert(&self, state: &mut State, events: &mut Vec<Event>) -> io::Result<()> {
        let room = events.capacity() - events.len();
        alert::end(
            &mut state.wakers,
            |waker| &waker.way,
            room,
            |on| self.port.alert(on),
            |waker| events.push(Event::from((waker.token, PollFlags::IN))),
        )?;
        Ok(())
    }

    /// Changes the registrations, and the kernel's view of them.
    fn change<C>(&self, change: C) -> Result<(), Errno>
    where
        C: FnOnce(&mut Sources, &Port) -> Result<(), Errno>,
    {
        let mut state = lock(&self.state);
        let result = change(&mut state.sources, &self.port);
        self.knock_for_what_is_put_off(&mut state);
        result
    }

    fn knock_for_what_is_put_off(&self, state: &mut State) {
        if state.sources.has_put_off() {
            // Who waits now does not know that there is something to be tried again.
            self.knock(state);
        }
    }

    /// Arms a direction of a source, if it is one of this queue.
    fn rearm(&self, fd: RawFd, direction: Direction) {
        let mut state = lock(&self.state);
        // Who waits does not look at what is due before the next wait, nor does who watches the port.
        let urgent = state.waiting || self.watched.is_set();
        // There is nobody to tell of an error, and no need to: what was put off is tried again by the poller.
        let _ = state
            .sources
            .rearm(fd, direction, urgent, |ask| associate(&self.port, ask));
        self.knock_for_what_is_put_off(&mut state);
    }

    fn remove(&self, fd: RawFd) -> Result<(), Errno> {
        let mut state = lock(&self.state);
        state.sources.remove(fd, || {
            self.port.dissociate(fd).map_err(said_of_a_descriptor)
        })
    }

    #[cold]
    fn show_at_once(&self) {
        self.show(&mut lock(&self.state), true, Instant::now());
    }

    /// Makes sources that are due show in the port.
    ///
    /// Edges are associated now and not before the next wait. The others would be queued for what their user has not yet
    /// had a chance to take; who watches the port is told to look instead.
    #[cold]
    fn show(&self, state: &mut State, reports: bool, now: Instant) {
        let sources = &mut state.sources;
        sources.associate_edges(now, |ask| associate(&self.port, ask));
        if sources.any_hidden(reports) {
            self.knock(state);
        }
    }

    /// Ends the running wait, or the next one.
    fn knock(&self, state: &mut State) {
        if state.knocked {
            return;
        }
        match self.port.send(KNOCK) {
            Ok(()) => state.knocked = true,
            // A port that is full. An alert that nobody has asked for does no harm.
            Err(_) => drop(self.port.alert(true)),
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // No invariant is broken where a panic could happen under a lock.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[inline]
fn fd_of(target: Target<'_, ()>) -> RawFd {
    target.handle.as_raw_fd()
}

fn associate(port: &Port, ask: &Ask) -> Result<(), Errno> {
    port.associate(ask.fd, ask.flags, ask.ticket)
        .map_err(said_of_a_descriptor)
}

/// A number that is no descriptor has an error of its own here. Ours is that of all other systems.
fn said_of_a_descriptor(errno: Errno) -> Errno {
    match errno {
        Errno::BADFD => Errno::BADF,
        errno => errno,
    }
}

#[cold]
fn said_of_opening(error: io::Error) -> io::Error {
    match error.kind() {
        // `EAGAIN`, see below.
        io::ErrorKind::WouldBlock => io::Error::new(
            io::ErrorKind::Other,
            "too many event ports: see the resource control project.max-port-ids",
        ),
        _ => error,
    }
}

#[cold]
fn said_of_a_registration(errno: Errno) -> io::Error {
    match errno {
        // As it is, this would mean that the caller should try again soon.
        Errno::AGAIN => io::Error::new(
            io::ErrorKind::Other,
            "the event port is full: see the resource control process.max-port-events",
        ),
        errno => errno.into(),
    }
}

#[cfg(all(test, mio_model = "event_ports"))]
#[path = "tests.rs"]
mod tests;
