//! Operations on other handles than sockets: their packets come to the queue, which hands them to whoever has started
//! the operation.
//!
//! An operation keeps its own memory alive, with a reference that its packet gives back. So a packet always points to
//! something, whatever was dropped meanwhile. Who starts operations holds the queue. So once the queue is closed, those
//! that are left are of nobody: they were asked to end, and closing waits for it.
//!
//! An operation is known by its address, which is that of its owner. Pointers to it are made of the owner's own, never of
//! a reference to the [`Operation`] alone: whoever gets one back with a packet reads the owner through it.

use std::cell::UnsafeCell;
use std::fmt;
use std::io;
use std::os::windows::io::BorrowedHandle;
use std::ptr::NonNull;
use std::sync::atomic::Ordering;

use windows_sys::Win32::System::IO::OVERLAPPED;

use super::port::Packet;
use super::shared::Shared;
use super::{lock, Afd, Event};

/// The key of their packets.
pub(crate) const OPERATION: usize = 2;

/// The memory of one operation, at the beginning of that of its owner.
#[repr(C)]
pub(crate) struct Operation {
    /// What the system is given, and what it fills in: by the address, which is that of the whole.
    _overlapped: UnsafeCell<OVERLAPPED>,
    owner: &'static Owner,
}

/// What the owner of an operation does with it.
pub(crate) struct Owner {
    /// Takes the packet, with the reference that the operation was given.
    ///
    /// # Safety
    ///
    /// Once for each packet that was announced with [`Operations::begin`].
    pub(crate) take: unsafe fn(NonNull<Operation>, Answer, Operations<'_>) -> Option<Event>,
    /// Asks that the operation ends soon.
    ///
    /// # Safety
    ///
    /// Its packet was not taken.
    pub(crate) cancel: unsafe fn(NonNull<Operation>),
}

/// How an operation has ended.
#[derive(Copy, Clone, Debug)]
pub(crate) struct Answer {
    /// The status of the kernel.
    pub(crate) status: i32,
    pub(crate) bytes: u32,
}

impl Operation {
    pub(crate) fn new(owner: &'static Owner) -> Operation {
        Operation {
            _overlapped: UnsafeCell::default(),
            owner,
        }
    }
}

impl fmt::Debug for Operation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Operation").finish_non_exhaustive()
    }
}

/// What a queue is for those who start operations.
#[derive(Copy, Clone)]
pub(crate) struct Operations<'a>(&'a Shared);

impl Afd {
    pub(crate) fn operations(&self) -> Operations<'_> {
        Operations(&self.shared)
    }
}

impl<'a> Operations<'a> {
    /// Has the packets of the operations on `handle` come here, for good.
    pub(crate) fn attach(self, handle: BorrowedHandle<'_>) -> io::Result<()> {
        self.0.port.attach(handle, OPERATION)
    }

    /// Announces a packet. Called before the operation begins.
    pub(crate) fn begin(self) {
        self.0.in_flight.fetch_add(1, Ordering::AcqRel);
    }

    /// There will be no packet after all.
    pub(crate) fn end(self) {
        self.0.in_flight.fetch_sub(1, Ordering::AcqRel);
    }

    /// Leaves a packet of `operation`, which was announced.
    pub(crate) fn post(self, operation: NonNull<Operation>) -> io::Result<()> {
        self.0.port.post(OPERATION, operation.as_ptr().cast())
    }

    /// Where packets go, for whom the kernel or another thread is to leave one, with the key [`OPERATION`].
    pub(crate) fn port(self) -> BorrowedHandle<'a> {
        self.0.port.handle()
    }

    /// Leaves a packet of `operation`, which was announced, when the next poll begins.
    pub(crate) fn post_next(self, operation: NonNull<Operation>) {
        lock(&self.0.next).waiting.push(Left(operation));
        self.0.has_next.store(true, Ordering::Relaxed);
    }

    /// Makes room for one more that may use [`post_next`](Operations::post_next), so that polling does not.
    pub(crate) fn join(self) {
        let mut next = lock(&self.0.next);
        next.users += 1;
        let more = next.users.saturating_sub(next.waiting.len());
        next.waiting.reserve(more);
    }

    /// The reverse of [`join`](Operations::join).
    pub(crate) fn part(self) {
        lock(&self.0.next).users -= 1;
    }

    /// Closing the queue is to cancel `operation`, whose packet was announced, though nobody is there any more to wait
    /// for it.
    pub(crate) fn leave(self, operation: NonNull<Operation>) {
        lock(&self.0.left).push(Left(operation));
    }

    /// The packet of an operation has come that was [left](Operations::leave).
    pub(crate) fn forget(self, operation: NonNull<Operation>) {
        lock(&self.0.left).retain(|left| left.0 != operation);
    }
}

/// The operations of which the next poll posts packets.
#[derive(Debug, Default)]
pub(super) struct Next {
    waiting: Vec<Left>,
    /// How many there may be.
    users: usize,
}

/// An operation that only its packet keeps alive.
#[derive(Debug, PartialEq)]
pub(super) struct Left(NonNull<Operation>);

// SAFETY: Operations are started and taken by any thread.
unsafe impl Send for Left {}

/// Hands out a packet whose key says that it is of an operation.
///
/// # Safety
///
/// The packet was fetched, and is handed out once.
pub(super) unsafe fn take(packet: &Packet, shared: &Shared) -> Option<Event> {
    let operation = NonNull::new(packet.lpOverlapped.cast::<Operation>())?;
    shared.in_flight.fetch_sub(1, Ordering::AcqRel);
    // SAFETY: The packet was announced, so the operation lives until it is taken.
    let owner = unsafe { operation.as_ref() }.owner;
    let answer = Answer {
        // Statuses have 32 bits.
        status: packet.Internal as i32,
        bytes: packet.dwNumberOfBytesTransferred,
    };
    // SAFETY: The caller says that this is the one time.
    unsafe { (owner.take)(operation, answer, Operations(shared)) }
}

/// A poll begins: posts the packets that were left for it.
#[cold]
pub(super) fn post_next(shared: &Shared) {
    let mut next = lock(&shared.next);
    // What the system refuses stays for the poll after this one.
    next.waiting
        .retain(|left| shared.port.post(OPERATION, left.0.as_ptr().cast()).is_err());
    shared
        .has_next
        .store(!next.waiting.is_empty(), Ordering::Relaxed);
}

/// The queue is being closed: hands out the packets that the next poll would have posted.
pub(super) fn take_next(shared: &Shared) {
    let all = std::mem::take(&mut lock(&shared.next).waiting);
    for left in all {
        let packet = Packet {
            lpOverlapped: left.0.as_ptr().cast(),
            ..Packet::default()
        };
        // SAFETY: It was announced, and is handed out this once.
        unsafe { take(&packet, shared) };
    }
}

/// Cancels everything that was left behind.
pub(super) fn cancel_left(shared: &Shared) {
    let all = std::mem::take(&mut *lock(&shared.left));
    for left in all {
        // SAFETY: It was in the list, so it lives.
        let owner = unsafe { left.0.as_ref() }.owner;
        // SAFETY: Nobody takes packets while the queue is being closed, but who closes it: later.
        unsafe { (owner.cancel)(left.0) };
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::AtomicUsize;
    use std::time::{Duration, Instant};

    use super::*;
    use crate::sys::queue::afd::Flags;
    use crate::sys::selector::{RawEvent as _, Selector as _};
    use crate::{Backend, Token};

    /// What takes so many packets to make an event.
    #[repr(C)]
    struct Slow {
        _operation: Operation,
        packets: AtomicUsize,
    }

    static OWNER: Owner = Owner { take, cancel };

    /// See [`Owner::take`].
    unsafe fn take(
        operation: NonNull<Operation>,
        _: Answer,
        queue: Operations<'_>,
    ) -> Option<Event> {
        // SAFETY: A test keeps it until its queue is closed.
        let packets = unsafe { &operation.cast::<Slow>().as_ref().packets };
        let left = packets.load(Ordering::Relaxed);
        if left <= 1 {
            return Some(Event::new(Token(7), Flags::RECEIVE));
        }
        packets.store(left - 1, Ordering::Relaxed);
        queue.begin();
        queue.post(operation).unwrap();
        None
    }

    /// See [`Owner::cancel`].
    unsafe fn cancel(_: NonNull<Operation>) {}

    impl Slow {
        fn new(packets: usize) -> Slow {
            Slow {
                _operation: Operation::new(&OWNER),
                packets: AtomicUsize::new(packets),
            }
        }

        fn post(&self, queue: &Afd) {
            queue.operations().begin();
            queue.operations().post(NonNull::from(self).cast()).unwrap();
        }
    }

    fn tokens(queue: &Afd, timeout: Duration) -> Vec<Token> {
        // As little room as there may be.
        let mut events = Vec::with_capacity(1);
        queue.select(&mut events, Some(timeout)).unwrap();
        events.iter().map(|event| event.token()).collect()
    }

    #[test]
    fn a_poll_ends_though_packets_keep_coming() {
        const MANY: usize = 300_000;
        let slow = Slow::new(MANY);
        let queue = Afd::open(Backend::Afd).unwrap();
        slow.post(&queue);
        assert!(tokens(&queue, Duration::ZERO).is_empty());
        let few = MANY - slow.packets.load(Ordering::Relaxed);
        assert!(few < 10, "{few}");

        let time = Duration::from_millis(20);
        let start = Instant::now();
        assert!(tokens(&queue, time).is_empty());
        assert!(start.elapsed() >= time);
        assert!(slow.packets.load(Ordering::Relaxed) > 1);
        slow.packets.store(0, Ordering::Relaxed);
    }

    #[test]
    fn what_is_behind_packets_that_are_no_events_is_found_without_time() {
        let slow = Slow::new(1);
        let others: Vec<Slow> = (0..20).map(|_| Slow::new(10_000)).collect();
        let queue = Afd::open(Backend::Afd).unwrap();
        let gone: Vec<_> = (0..20).map(|_| queue.signal(Token(1)).unwrap()).collect();
        for signal in &gone {
            queue.raise(signal).unwrap();
            queue.retire(signal);
        }
        others.iter().for_each(|other| other.post(&queue));
        slow.post(&queue);
        for packets in [2, 1] {
            // Either its packet is one of an event, or it leads to one that is.
            slow.packets.store(packets, Ordering::Relaxed);
            assert_eq!(tokens(&queue, Duration::ZERO), [Token(7)]);
            slow.post(&queue);
        }
        for slow in &others {
            slow.packets.store(0, Ordering::Relaxed);
        }
    }
}
