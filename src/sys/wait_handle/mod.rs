//! The inside of a waitable handle: waits that leave packets in the port of a queue.
//!
//! A wait is begun when a registration wants to know, and answered once. `packet.rs` and `pool.rs` are the two ways to
//! wait; the system has the first, or the second is taken. Invariants:
//!
//! - A packet that is announced keeps the [`Wait`] alive with a reference of its own.
//! - The handle is used under the lock, while there is a registration. The source ends that before it closes the handle.
//! - What a wait has taken from its object is handed out once: `state.rs` has the rules.

mod calls;
mod packet;
mod pool;
mod state;

use std::fmt;
use std::io;
use std::mem;
use std::os::windows::io::{AsRawHandle, BorrowedHandle, RawHandle};
use std::panic::{RefUnwindSafe, UnwindSafe};
use std::ptr::NonNull;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

pub(crate) use self::calls::duplicate;
use self::packet::Packet;
use self::pool::Pool;
use self::state::{Before, Mistake, Order, Outcome, State};
use super::queue::afd::operation::{Answer, Operation, Operations, Owner};
use super::queue::afd::{Event, Flags};
use super::selector::Wanted;

/// What the kernel and the user of a handle share.
#[repr(C)]
pub(crate) struct Wait {
    _operation: Operation,
    inner: Mutex<Inner>,
}

#[derive(Debug)]
struct Inner {
    state: State,
    /// While there is a registration.
    handle: Option<RawHandle>,
    /// Made for the first wait.
    means: Option<Means>,
}

/// How the system waits.
#[derive(Debug)]
enum Means {
    Packet(Packet),
    Pool(Pool),
}

// SAFETY: The handle is a number that the system understands on every thread. The memory of the operation is used by nobody
// here: it is its address that packets have.
unsafe impl Send for Wait {}
// SAFETY: As above. The rest is behind a lock.
unsafe impl Sync for Wait {}
// Nothing is left half changed where a panic could come between.
impl UnwindSafe for Wait {}
impl RefUnwindSafe for Wait {}

static OWNER: Owner = Owner { take, cancel };

impl Wait {
    pub(crate) fn new() -> Arc<Wait> {
        Wait::with(false)
    }

    fn with(kept: bool) -> Arc<Wait> {
        Arc::new(Wait {
            _operation: Operation::new(&OWNER),
            inner: Mutex::new(Inner {
                state: State::new(kept),
                handle: None,
                means: None,
            }),
        })
    }

    /// One for another queue, if a packet of this one is still on its way to the last one.
    pub(crate) fn for_another_queue(&self) -> Option<Arc<Wait>> {
        let mut inner = self.lock();
        if !inner.state.is_void() {
            return None;
        }
        Some(Wait::with(inner.state.take_kept()))
    }

    pub(crate) fn register(
        self: &Arc<Wait>,
        handle: BorrowedHandle<'_>,
        queue: Operations<'_>,
        wanted: Wanted,
    ) -> io::Result<()> {
        let mut inner = self.lock();
        inner.prepare(handle)?;
        let (before, order) = inner.state.register(wanted).map_err(error)?;
        inner.handle = Some(handle.as_raw_handle());
        queue.join();
        let result = self.change(&mut inner, queue, before, order);
        if result.is_err() {
            queue.part();
            inner.handle = None;
        }
        result
    }

    pub(crate) fn reregister(
        self: &Arc<Wait>,
        queue: Operations<'_>,
        wanted: Wanted,
    ) -> io::Result<()> {
        let mut inner = self.lock();
        let (before, order) = inner.state.reregister(wanted).map_err(error)?;
        self.change(&mut inner, queue, before, order)
    }

    pub(crate) fn deregister(self: &Arc<Wait>, queue: Operations<'_>) -> io::Result<()> {
        let mut inner = self.lock();
        let order = inner.state.deregister().map_err(error)?;
        inner.handle = None;
        queue.part();
        if order == Order::Cancel {
            let in_time = inner.means.as_mut().is_some_and(Means::cancel);
            inner.state.cancelled(in_time);
            if in_time {
                queue.end();
                // SAFETY: The reference of the packet that will not come, once. The caller has another one.
                unsafe { Arc::decrement_strong_count(Arc::as_ptr(self)) };
            }
        }
        Ok(())
    }

    /// Waits for no time.
    pub(crate) fn try_wait(
        self: &Arc<Wait>,
        handle: BorrowedHandle<'_>,
        queue: Option<Operations<'_>>,
    ) -> io::Result<()> {
        let mut inner = self.lock();
        if inner.state.take_kept() {
            return Ok(());
        }
        if inner.means.is_none() {
            refuse_mutex(handle)?;
        }
        if calls::look(handle)? {
            return Ok(());
        }
        if let Some(queue) = queue {
            if inner.state.rearm() {
                self.begin(&mut inner, queue)?;
            }
        }
        Err(io::ErrorKind::WouldBlock.into())
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        // Nothing under the lock leaves a state half changed where it could panic.
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Does what a new registration asks for, or leaves the one before.
    fn change(
        self: &Arc<Wait>,
        inner: &mut Inner,
        queue: Operations<'_>,
        before: Before,
        order: Order,
    ) -> io::Result<()> {
        let result = match order {
            Order::Look => match calls::look(inner.handle()) {
                Ok(true) => self.post(inner, queue),
                Ok(false) => self.begin(inner, queue),
                Err(error) => Err(error),
            },
            Order::Post => self.post(inner, queue),
            Order::Nothing | Order::Cancel => Ok(()),
        };
        if result.is_err() {
            inner.state.restore(before);
        }
        result
    }

    /// Hands a success to the next poll.
    fn post(self: &Arc<Wait>, inner: &mut Inner, queue: Operations<'_>) -> io::Result<()> {
        let reference = self.announce(queue);
        match queue.post(self.pointer()) {
            Ok(()) => {
                mem::forget(reference);
                inner.state.posted();
                Ok(())
            }
            Err(error) => {
                queue.end();
                inner.state.keep();
                Err(error)
            }
        }
    }

    /// Begins to wait.
    fn begin(self: &Arc<Wait>, inner: &mut Inner, queue: Operations<'_>) -> io::Result<()> {
        let reference = self.announce(queue);
        let handle = inner.handle();
        let begun = match &mut inner.means {
            Some(Means::Packet(packet)) => packet.begin(handle, queue, self.pointer()),
            Some(Means::Pool(pool)) => pool.begin(handle, queue, self.pointer()),
            None => unreachable!("a registration has made them"),
        };
        match begun {
            Ok(()) => {
                mem::forget(reference);
                inner.state.waits();
            }
            Err(_) => queue.end(),
        }
        begun
    }

    /// The operation, as a pointer that a reference can be made of again.
    fn pointer(self: &Arc<Wait>) -> NonNull<Operation> {
        let this = Arc::as_ptr(self).cast_mut();
        NonNull::new(this).expect("an `Arc` has an address").cast()
    }

    /// A reference for a packet, which gives it back.
    fn announce(self: &Arc<Wait>, queue: Operations<'_>) -> Arc<Wait> {
        queue.begin();
        Arc::clone(self)
    }

    /// Takes a packet.
    fn taken(self: &Arc<Wait>, queue: Operations<'_>) -> Option<Event> {
        let mut inner = self.lock();
        match inner.state.answered() {
            Outcome::Nothing => None,
            Outcome::Event => self.report(&mut inner, queue),
            Outcome::Look => match calls::look(inner.handle()) {
                Ok(true) => self.report(&mut inner, queue),
                Ok(false) => {
                    if self.begin(&mut inner, queue).is_err() {
                        self.refuse(&mut inner, queue);
                    }
                    None
                }
                Err(_) => {
                    self.refuse(&mut inner, queue);
                    None
                }
            },
            Outcome::Refused(wanted) => Some(Event::new(wanted.token, Flags::ABORT)),
        }
    }

    /// Makes an event of a success.
    fn report(self: &Arc<Wait>, inner: &mut Inner, queue: Operations<'_>) -> Option<Event> {
        let (wanted, again) = inner.state.report()?;
        if again {
            mem::forget(self.announce(queue));
            queue.post_next(self.pointer());
        }
        Some(Event::new(wanted.token, Flags::RECEIVE))
    }

    /// The system refuses to wait, and nobody is there to be told: the next packet does.
    fn refuse(self: &Arc<Wait>, inner: &mut Inner, queue: Operations<'_>) {
        if self.post(inner, queue).is_ok() {
            inner.state.refused();
        } else {
            // Not even that.
            inner.state.take_kept();
        }
    }
}

impl Inner {
    fn handle<'a>(&self) -> BorrowedHandle<'a> {
        let handle = self
            .handle
            .expect("a handle is waited for while it is registered");
        // SAFETY: While it is here, the handle is open: whoever closes it takes it out before, under the lock, which is
        // held for as long as the result is used.
        unsafe { BorrowedHandle::borrow_raw(handle) }
    }

    /// Gets the means to wait.
    fn prepare(&mut self, handle: BorrowedHandle<'_>) -> io::Result<()> {
        if self.means.is_none() {
            refuse_mutex(handle)?;
            self.means = Some(match Packet::new() {
                Some(packet) => Means::Packet(packet?),
                None => Means::Pool(Pool::new()?),
            });
        }
        Ok(())
    }
}

impl Means {
    fn cancel(&mut self) -> bool {
        match self {
            Means::Packet(packet) => packet.cancel(),
            Means::Pool(pool) => pool.cancel(),
        }
    }
}

/// See [`Owner::take`].
unsafe fn take(operation: NonNull<Operation>, _: Answer, queue: Operations<'_>) -> Option<Event> {
    // SAFETY: The pointer of this owner, and the reference that was forgotten when the packet was announced: this is the one
    // time.
    let wait = unsafe { Arc::from_raw(operation.cast::<Wait>().as_ptr()) };
    wait.taken(queue)
}

/// See [`Owner::cancel`].
unsafe fn cancel(_: NonNull<Operation>) {
    // No wait is left to a queue: a source that is registered holds it.
}

fn refuse_mutex(handle: BorrowedHandle<'_>) -> io::Result<()> {
    if calls::is_mutex(handle) {
        return Err(io::Error::new(
            io::ErrorKind::Unsupported,
            "a mutex belongs to the thread that waits for it, so a queue cannot",
        ));
    }
    Ok(())
}

#[cold]
fn error(mistake: Mistake) -> io::Error {
    match mistake {
        Mistake::AlreadyRegistered => io::ErrorKind::AlreadyExists.into(),
        Mistake::NotRegistered => io::ErrorKind::NotFound.into(),
    }
}

impl fmt::Debug for Wait {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Wait").finish_non_exhaustive()
    }
}

#[cfg(test)]
#[path = "means_tests.rs"]
mod tests;
