//! Readiness through `poll(2)`: for systems that have nothing better, and beside epoll on request.
//!
//! Rests on POSIX `poll`: `POLLERR`, `POLLHUP` and `POLLNVAL` are reported unasked, everything else as long as it holds.
//! The sources and the emulation of edges are in [`table`](super::table); this file does the waiting.
//!
//! Invariants:
//!
//! - The lock of [`State`] is never held during `poll(2)`. Whoever changes the state meanwhile interrupts the poller (see
//!   [`handshake`]), which asks anew and waits for what is left of its time.
//! - A descriptor is closed after it left the table, and a poller that holds it is interrupted: a running `poll(2)`
//!   keeps the file open, and the peer of a socket would not see it closed.
//! - The poller lowers `notify` before it looks at what was noted. Who else lowers it has found it full, and raises it
//!   again at once.

mod handshake;

use std::fmt;
use std::io;
use std::marker::PhantomData;
use std::mem;
#[cfg(unix)]
use std::os::fd::AsFd;
use std::os::fd::{AsRawFd, BorrowedFd, RawFd};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use rustix::event::PollFlags;
use rustix::io::Errno;

use self::handshake::{Handshake, Pending};
use super::queues::Queues;
use super::table::{Plan, Question, Table};
use crate::sys::selector::timespec;
use crate::sys::selector::{unsupported, Direction, RawEvent, Selector, Target, Wanted};
use crate::sys::signal::Signal;
use crate::sys::{poll, PollFd, POLL};
use crate::{Backend, Token};

/// A queue that keeps its sources itself. `E` is the event that it makes of what `poll(2)` said.
pub(crate) struct Poll<E> {
    shared: Arc<Shared>,
    /// Memory that only the polling thread uses; the lock is never contended.
    scratch: Mutex<Scratch>,
    event: PhantomData<fn() -> E>,
}

/// The part of a queue that sources find when they would block or close, whoever owns the queue.
#[derive(Debug)]
struct Shared {
    state: Mutex<State>,
    notify: Signal,
}

#[derive(Debug, Default)]
struct State {
    table: Table,
    wakers: Vec<Arc<Waker>>,
    /// Wakers and sources take turns at being served first.
    wakers_first: bool,
    /// A waker is pending, and `notify` does not say so.
    owing: bool,
    handshake: Handshake,
}

/// One waker: pending until its event was delivered.
#[derive(Debug)]
pub(crate) struct Waker {
    token: Token,
    pending: Pending,
}

#[derive(Debug, Default)]
struct Scratch {
    questions: Vec<Question>,
    /// What the kernel reads and writes: `notify`, if it is a descriptor, then one for each question.
    fds: Vec<PollFd<'static>>,
}

/// Where there is no `ppoll(2)`, the time is a 32-bit number of milliseconds. A longer wait takes several calls.
const LONGEST: Duration = Duration::from_secs(24 * 60 * 60);

/// Every queue of this kind, for sources that would block or close.
#[cfg(not(loom))]
static QUEUES: Queues<Shared> = Queues::new();
#[cfg(loom)]
loom::lazy_static! {
    static ref QUEUES: Queues<Shared> = Queues::new();
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // No invariant is broken where a panic could happen under a lock.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl<E> Selector for Poll<E>
where
    E: RawEvent + From<(Token, PollFlags)> + 'static,
{
    const DEFAULT: Backend = POLL;

    type Event = E;
    type State = ();
    type Signal = Arc<Waker>;

    fn supports(backend: Backend) -> bool {
        backend == POLL
    }

    fn open(backend: Backend) -> io::Result<Self> {
        if backend != POLL {
            return Err(unsupported(backend));
        }
        let shared = Arc::new(Shared {
            state: Mutex::default(),
            notify: Signal::new()?,
        });
        QUEUES.add(Arc::clone(&shared));
        Ok(Poll {
            shared,
            scratch: Mutex::default(),
            event: PhantomData,
        })
    }

    fn backend(&self) -> Backend {
        POLL
    }

    #[cold]
    #[inline(never)]
    fn select(&self, events: &mut Vec<E>, timeout: Option<Duration>) -> io::Result<()> {
        let mut now = Instant::now();
        // A deadline that the clock cannot express is never reached.
        let deadline = timeout.and_then(|timeout| now.checked_add(timeout));
        let mut scratch = lock(&self.scratch);
        loop {
            let plan = scratch.ask(&self.shared, now);
            let until = match (deadline, plan.until) {
                (Some(deadline), Some(until)) => Some(deadline.min(until)),
                (deadline, until) => deadline.or(until),
            };
            let wait = if plan.impatient {
                Some(Duration::ZERO)
            } else {
                until.map(|until| until.saturating_duration_since(now).min(LONGEST))
            };
            let asked = poll(&mut scratch.fds, wait.map(timespec).as_ref());
            now = Instant::now();
            scratch.take_answers(&self.shared, events, now, asked.is_ok())?;
            asked.map_err(said_of_waiting)?;
            if !events.is_empty() || deadline.is_some_and(|deadline| now >= deadline) {
                return Ok(());
            }
        }
    }

    #[cold]
    fn register(&self, target: Target<'_, ()>, wanted: Wanted) -> io::Result<()> {
        if target.state.is_none() {
            // A bare descriptor may be no descriptor at all, and `poll(2)` will not say so to whom it concerns.
            rustix::io::fcntl_getfd(target.handle)?;
        }
        let fd = fd_of(target);
        self.shared.change(fd, Before::Absent, |table| {
            table.insert(fd, wanted, target.state.is_none())
        })
    }

    #[cold]
    fn reregister(&self, target: Target<'_, ()>, wanted: Wanted) -> io::Result<()> {
        let fd = fd_of(target);
        self.shared.change(fd, Before::Registered, |table| {
            table.replace(fd, wanted, target.state.is_none())
        })
    }

    #[cold]
    fn deregister(&self, target: Target<'_, ()>) -> io::Result<()> {
        let fd = fd_of(target);
        self.shared
            .change(fd, Before::Registered, |table| table.remove(fd))
    }

    #[inline]
    fn tracks_sources() -> bool {
        QUEUES.any()
    }

    #[cold]
    fn rearm(target: Target<'_, ()>, direction: Direction) {
        let fd = fd_of(target);
        QUEUES.for_each(|queue| queue.change_if(|table| table.rearm(fd, direction)));
    }

    #[cold]
    fn closing(target: Target<'_, ()>) {
        let fd = fd_of(target);
        QUEUES.for_each(|queue| queue.change_if(|table| table.remove(fd)));
    }

    fn signal(&self, token: Token) -> io::Result<Arc<Waker>> {
        if !Signal::WAKES {
            return Err(io::Error::new(
                io::ErrorKind::Unsupported,
                "this system has nothing that could wake a queue",
            ));
        }
        let waker = Arc::new(Waker {
            token,
            pending: Pending::new(),
        });
        lock(&self.shared.state).wakers.push(Arc::clone(&waker));
        Ok(waker)
    }

    #[cold]
    fn raise(&self, waker: &Arc<Waker>) -> io::Result<()> {
        waker.pending.set();
        self.shared.notify.raise()
    }

    fn retire(&self, waker: &Arc<Waker>) {
        lock(&self.shared.state)
            .wakers
            .retain(|other| !Arc::ptr_eq(other, waker));
    }
}

impl<E> Drop for Poll<E> {
    fn drop(&mut self) {
        QUEUES.remove(&self.shared);
    }
}

/// Readable when a waker was used. Not when a source is ready: `poll(2)` has nothing that could be watched for that.
#[cfg(unix)]
impl<E> AsFd for Poll<E> {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.shared.notify.as_fd()
    }
}

impl<E> fmt::Debug for Poll<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Poll")
            .field("notify", &self.shared.notify)
            .finish_non_exhaustive()
    }
}

impl Shared {
    /// Changes the registration of a descriptor, and lets a running `poll(2)` know. After an error all is as it was.
    fn change(
        &self,
        fd: RawFd,
        before: Before,
        change: impl FnOnce(&mut Table) -> bool,
    ) -> io::Result<()> {
        let mut state = lock(&self.state);
        match (before, state.table.contains(fd)) {
            (Before::Absent, true) => return Err(Errno::EXIST.into()),
            (Before::Registered, false) => return Err(Errno::NOENT.into()),
            _ => {}
        }
        // First what can fail. The poller looks at the table when we have given the lock back.
        state.handshake.change(|| self.notify.raise())?;
        let changed = change(&mut state.table);
        debug_assert!(changed);
        Ok(())
    }

    /// Changes the table, perhaps, for callers that have nobody to tell of an error.
    fn change_if(&self, change: impl FnOnce(&mut Table) -> bool) {
        let mut state = lock(&self.state);
        if change(&mut state.table) {
            // `notify` is a descriptor of our own, always open and never blocking: writing to it does not fail.
            let _ = state.handshake.change(|| self.notify.raise());
        }
    }
}

/// What a change expects to find.
#[derive(Copy, Clone)]
enum Before {
    Absent,
    Registered,
}

impl Scratch {
    /// Collects what to ask the system. From here on, changes to the table raise `notify`.
    fn ask(&mut self, shared: &Shared, now: Instant) -> Plan {
        let mut state = lock(&shared.state);
        state.handshake.ask();
        self.questions.clear();
        let mut plan = state.table.questions(now, &mut self.questions);
        plan.impatient |= mem::take(&mut state.owing);
        self.fds.clear();
        let watched = shared.notify.watched();
        self.fds
            .extend(watched.map(|fd| question(fd.as_raw_fd(), PollFlags::IN)));
        self.fds.extend(
            self.questions
                .iter()
                .map(|asked| question(asked.fd, asked.asked)),
        );
        plan
    }

    /// Turns the answers into events. Without `answered` (the system call failed) there are none.
    fn take_answers<E: From<(Token, PollFlags)>>(
        &self,
        shared: &Shared,
        events: &mut Vec<E>,
        now: Instant,
        answered: bool,
    ) -> io::Result<()> {
        let mut state = lock(&shared.state);
        let notify = &self.fds[..self.fds.len() - self.questions.len()];
        let raised = answered && notify.iter().any(|fd| !fd.revents().is_empty());
        state.handshake.answer(raised, || shared.notify.lower())?;
        if !answered {
            return Ok(());
        }
        state.wakers_first = !state.wakers_first;
        if state.wakers_first {
            state.take_wakes(events);
            self.take_sources(&mut state.table, events, now);
        } else {
            self.take_sources(&mut state.table, events, now);
            state.take_wakes(events);
        }
        if state.wakers.iter().any(|waker| waker.pending.is_set()) {
            // There was no room, or it was used just now: the next poll returns at once, and so says our descriptor. If
            // that cannot be, no event is lost for it.
            state.owing = shared.notify.raise().is_err();
        }
        Ok(())
    }

    fn take_sources<E: From<(Token, PollFlags)>>(
        &self,
        table: &mut Table,
        events: &mut Vec<E>,
        now: Instant,
    ) {
        let answers = &self.fds[self.fds.len() - self.questions.len()..];
        for (question, fd) in self.questions.iter().zip(answers) {
            if events.len() == events.capacity() {
                return table.start_with(question);
            }
            if let Some((wanted, flags)) = table.answer(question, fd.revents(), now) {
                events.push(E::from((wanted.token, flags)));
            }
        }
    }
}

impl State {
    fn take_wakes<E: From<(Token, PollFlags)>>(&mut self, events: &mut Vec<E>) {
        for (served, waker) in self.wakers.iter().enumerate() {
            if events.len() == events.capacity() {
                return self.wakers.rotate_left(served);
            }
            if waker.pending.take() {
                events.push(E::from((waker.token, PollFlags::IN)));
            }
        }
    }
}

/// Where the kernel allocates for each call, it says `EAGAIN` if there is no memory: illumos, Solaris. As it is, this would
/// mean that the caller has not waited.
#[cold]
fn said_of_waiting(errno: Errno) -> io::Error {
    match errno {
        Errno::AGAIN => io::Error::new(
            io::ErrorKind::OutOfMemory,
            "the system has no memory to wait with poll(2)",
        ),
        errno => errno.into(),
    }
}

#[inline]
fn fd_of(target: Target<'_, ()>) -> RawFd {
    target.handle.as_raw_fd()
}

fn question(fd: RawFd, asked: PollFlags) -> PollFd<'static> {
    // SAFETY: The number goes to `poll(2)` and nowhere else. It was open when it was registered; should it have been
    // closed since without a word to us, the system says `POLLNVAL`, or speaks of the file that has the number now.
    let fd = unsafe { BorrowedFd::borrow_raw(fd) };
    PollFd::from_borrowed_fd(fd, asked)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A wait that fails is not one that would block, which callers take for "nothing yet".
    #[test]
    fn a_kernel_without_memory_says_so_in_words() {
        let refused = said_of_waiting(Errno::AGAIN);
        assert_eq!(refused.kind(), io::ErrorKind::OutOfMemory);
        assert!(refused.to_string().contains("no memory"), "{refused}");
        for other in [Errno::INTR, Errno::INVAL, Errno::NOMEM] {
            assert_eq!(
                said_of_waiting(other).raw_os_error(),
                Some(other.raw_os_error())
            );
        }
    }
}
