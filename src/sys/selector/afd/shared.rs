//! What of a queue its sources keep alive: they use it when an operation would block, and when they are closed.

use std::io;
use std::os::windows::io::{AsRawSocket, BorrowedSocket, OwnedHandle};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Instant;

use windows_sys::Win32::Networking::WinSock::SOCKET as RawSocket;

use super::due::{Chain, Due};
use super::group::synchronous;
use super::operation::{self, Left, Next, OPERATION};
use super::pool::Pool;
use super::port::{Packet, Port, Wait};
use super::socket::{Answer, Inner, Socket};
use super::wakers::Wakers;
use super::{already_registered, lock, not_registered, Event, Flags, Order, Outcome};
use super::{SOCKET, WAKER};
use crate::sys::selector::{Direction, Wanted};

#[derive(Debug)]
pub(super) struct Shared {
    pub(super) port: Port,
    due: Due<Socket>,
    /// How many polls of the queue there have been.
    turns: AtomicUsize,
    /// How many packets of sockets will come.
    pub(super) in_flight: AtomicUsize,
    closed: AtomicBool,
    pub(super) wakers: Wakers,
    /// For looking at states that may be over; opened when it is needed first.
    prober: Mutex<Option<OwnedHandle>>,
    /// Locked before a socket, not while one is locked.
    pool: Mutex<Pool>,
    /// Bare sockets some of whose directions are not asked for just now.
    paused: Mutex<Vec<Arc<Socket>>>,
    /// Whether there are any.
    are_paused: AtomicBool,
    /// Operations whose owners have gone without them.
    pub(super) left: Mutex<Vec<Left>>,
    /// Operations of which the next poll posts packets.
    pub(super) next: Mutex<Next>,
    /// Whether there are any.
    pub(super) has_next: AtomicBool,
}

impl Shared {
    pub(super) fn open() -> io::Result<Shared> {
        Ok(Shared {
            port: Port::new()?,
            due: Due::new(),
            turns: AtomicUsize::new(0),
            in_flight: AtomicUsize::new(0),
            closed: AtomicBool::new(false),
            wakers: Wakers::default(),
            prober: Mutex::default(),
            pool: Mutex::default(),
            paused: Mutex::default(),
            are_paused: AtomicBool::new(false),
            left: Mutex::default(),
            next: Mutex::default(),
            has_next: AtomicBool::new(false),
        })
    }

    /// Begins a poll of the queue: asks for everything that is due.
    pub(super) fn begin(&self) -> Turn<'_> {
        let number = self.turns.fetch_add(1, Ordering::Relaxed).wrapping_add(1);
        if self.has_next.load(Ordering::Relaxed) {
            operation::post_next(self);
        }
        let mut due = self.due.begin();
        let mut turn = Turn {
            shared: self,
            number,
            left: Chain::new(),
        };
        turn.resume();
        // SAFETY: Sockets live as long as the queue.
        while let Some(socket) = unsafe { due.pop() } {
            let mut inner = socket.lock();
            inner.queued = false;
            let order = inner.state.pursue();
            self.insist(socket, &mut inner, order);
        }
        turn
    }

    pub(super) fn register(
        &self,
        handle: BorrowedSocket<'_>,
        wanted: Wanted,
        bare: bool,
    ) -> io::Result<Arc<Socket>> {
        let socket = lock(&self.pool).take(&self.port)?;
        let mut inner = socket.lock();
        inner.bare = bare.then(|| number(handle));
        let registered = Socket::aim(&mut inner, handle).and_then(|()| {
            let order = inner.state.register(wanted, bare);
            self.obey(&socket, &mut inner, order)
        });
        if registered.is_err() {
            // The kernel knows nothing of it, so this releases it.
            let _ = inner.state.deregister(true);
        }
        drop(inner);
        match registered {
            Ok(()) => Ok(socket),
            Err(error) => {
                lock(&self.pool).give(&socket);
                Err(error)
            }
        }
    }

    pub(super) fn reregister(&self, socket: &Socket, wanted: Wanted) -> io::Result<()> {
        let mut inner = socket.lock();
        let bare = inner.bare.is_some();
        let order = inner.state.reregister(wanted, bare, socket.is_answered());
        self.obey(socket, &mut inner, order)
    }

    pub(super) fn deregister(&self, socket: &Socket) {
        let mut inner = socket.lock();
        let order = inner.state.deregister(socket.is_answered());
        if order == Order::Cancel {
            socket.cancel();
        }
        drop(inner);
        if order == Order::Release {
            lock(&self.pool).give(socket);
        }
    }

    pub(super) fn register_bare(
        &self,
        handle: BorrowedSocket<'_>,
        wanted: Wanted,
    ) -> io::Result<()> {
        if lock(&self.pool).bare().contains_key(&number(handle)) {
            return Err(already_registered());
        }
        let socket = self.register(handle, wanted, true)?;
        let mut pool = lock(&self.pool);
        let replaced = pool.bare().insert(number(handle), socket);
        let count = pool.bare().len();
        drop(pool);
        // Not while polling.
        lock(&self.paused).reserve(count);
        if let Some(other) = replaced {
            // Two threads at once: one of the registrations it is.
            self.deregister(&other);
        }
        Ok(())
    }

    pub(super) fn reregister_bare(
        &self,
        handle: BorrowedSocket<'_>,
        wanted: Wanted,
    ) -> io::Result<()> {
        let socket = lock(&self.pool).bare().get(&number(handle)).cloned();
        let socket = socket.ok_or_else(not_registered)?;
        self.reregister(&socket, wanted)
    }

    pub(super) fn deregister_bare(&self, handle: BorrowedSocket<'_>) -> io::Result<()> {
        let socket = lock(&self.pool).bare().remove(&number(handle));
        let socket = socket.ok_or_else(not_registered)?;
        self.deregister(&socket);
        Ok(())
    }

    /// An operation would have blocked, or has moved less than it was asked for.
    pub(super) fn rearm(&self, socket: &Socket, direction: Direction) {
        let mut inner = socket.lock();
        inner.state.rearm(direction);
        if !inner.state.is_due() || inner.queued {
            return;
        }
        inner.queued = self.due.push(socket);
        if !inner.queued {
            let order = inner.state.pursue();
            self.insist(socket, &mut inner, order);
        }
    }

    /// No fewer than there are packets in the port now.
    pub(super) fn most_packets(&self) -> usize {
        // Of each waker there is one at most, also when it has gone.
        self.in_flight.load(Ordering::Acquire) + self.wakers.made()
    }

    pub(super) fn is_closed(&self) -> bool {
        self.closed.load(Ordering::Acquire)
    }

    /// Nobody will poll any more: ends every registration, and waits until the kernel knows of none.
    pub(super) fn close(&self) {
        self.closed.store(true, Ordering::Release);
        for socket in lock(&self.pool).all() {
            let mut inner = socket.lock();
            if inner.state.deregister(socket.is_answered()) == Order::Cancel {
                socket.cancel();
            }
        }
        operation::cancel_left(self);
        operation::take_next(self);
        let mut events = Vec::with_capacity(64);
        let mut turn = self.begin();
        while self.in_flight.load(Ordering::Acquire) != 0 {
            events.clear();
            if turn.fetch(&mut events, Wait::FOREVER).is_err() {
                // Not to be expected of a port that is open. The memory stays, for the kernel may still write to it.
                std::mem::forget(lock(&self.pool).all().to_vec());
                return;
            }
        }
    }

    /// Does what `order` says to the kernel.
    fn obey(&self, socket: &Socket, inner: &mut Inner, order: Order) -> io::Result<()> {
        match order {
            Order::Nothing | Order::Release => {}
            Order::Cancel => socket.cancel(),
            Order::Submit(flags) => {
                inner.asked_in = self.turns.load(Ordering::Relaxed);
                self.in_flight.fetch_add(1, Ordering::AcqRel);
                if let Err(error) = socket.submit(inner, flags) {
                    self.in_flight.fetch_sub(1, Ordering::AcqRel);
                    inner.state.refused();
                    return Err(error);
                }
            }
        }
        Ok(())
    }

    /// As [`obey`](Shared::obey), where nobody could be told of an error: it becomes an answer.
    fn insist(&self, socket: &Socket, inner: &mut Inner, order: Order) {
        if self.obey(socket, inner, order).is_err() {
            self.in_flight.fetch_add(1, Ordering::AcqRel);
            if self.port.post(SOCKET, socket.pointer()).is_ok() {
                inner.state.answered_by_refusal();
            } else {
                // Not even that. The next operation that would block tries again.
                self.in_flight.fetch_sub(1, Ordering::AcqRel);
            }
        }
    }

    /// What `flags` are true now.
    fn probe(&self, base: RawSocket, flags: Flags) -> Flags {
        let mut prober = lock(&self.prober);
        if prober.is_none() {
            *prober = synchronous().ok();
        }
        // Without the means to look, the answer that came is believed.
        let afd = prober.as_ref();
        afd.map_or(flags, |afd| Socket::probe(base, afd, flags))
    }

    /// The edges of a bare socket were reported: to be asked for again, and when is up to [`State`](super::State).
    #[cold]
    fn pause(&self, socket: &Socket) {
        let socket = Arc::clone(&lock(&self.pool).all()[socket.position]);
        lock(&self.paused).push(socket);
        self.are_paused.store(true, Ordering::Relaxed);
    }

    /// A bare socket was closed without a word.
    fn forget(&self, socket: &Socket) {
        let mut pool = lock(&self.pool);
        let inner = socket.lock();
        // It may have been registered anew since, for this number or for another one.
        let bare = inner.bare.filter(|_| inner.state.is_closed());
        drop(inner);
        let is_this = |other: &Arc<Socket>| std::ptr::eq(&**other, socket);
        let Some(handle) = bare.filter(|handle| pool.bare().get(handle).is_some_and(is_this))
        else {
            return;
        };
        pool.bare().remove(&handle);
        drop(pool);
        self.deregister(socket);
    }
}

/// A poll of the queue, while it lasts.
#[derive(Debug)]
pub(super) struct Turn<'a> {
    shared: &'a Shared,
    number: usize,
    /// What the next poll has to ask for.
    left: Chain<Socket>,
}

impl Turn<'_> {
    /// Waits for packets, for as long as `wait` says, and makes events of them. Returns the number of packets.
    pub(super) fn fetch(&mut self, events: &mut Vec<Event>, wait: Wait) -> io::Result<usize> {
        let room = events.capacity();
        // SAFETY: An event is a packet, in memory that the vector has to spare.
        let fetched = unsafe {
            self.shared
                .port
                .fetch(events.as_mut_ptr().cast::<Packet>(), room, wait)
        }?;
        // SAFETY: So many were written.
        unsafe { events.set_len(fetched) };
        events.retain_mut(|event| match self.take(event.0) {
            Some(made) => {
                *event = made;
                true
            }
            None => false,
        });
        Ok(fetched)
    }

    /// Asks anew for edges of bare sockets whose pauses have ended, and tells when the next one ends.
    pub(super) fn resume(&mut self) -> Option<Instant> {
        let shared = self.shared;
        if !shared.are_paused.load(Ordering::Relaxed) {
            return None;
        }
        let now = Instant::now();
        let mut first = None;
        let mut paused = lock(&shared.paused);
        paused.retain(|socket| {
            let mut guard = socket.lock();
            let inner = &mut *guard;
            let (state, base) = (&mut inner.state, inner.base);
            state.resume(now, |flags| shared.probe(base, flags));
            let order = state.pursue();
            shared.insist(socket, inner, order);
            let ends = inner.state.pause_ends(now);
            inner.paused = ends.is_some();
            first = first.into_iter().chain(ends).min();
            inner.paused
        });
        shared
            .are_paused
            .store(!paused.is_empty(), Ordering::Relaxed);
        first
    }

    fn take(&mut self, packet: Packet) -> Option<Event> {
        match packet.lpCompletionKey {
            SOCKET => {
                let socket: *const Socket = packet.lpOverlapped.cast();
                // SAFETY: Polls are submitted with the address of a socket, and sockets live as long as the queue.
                self.answered(unsafe { &*socket })
            }
            WAKER => {
                let token = self.shared.wakers.take(packet.lpOverlapped as usize)?;
                Some(Event::new(token, Flags::WAKE))
            }
            // SAFETY: It was fetched, and is handed out this once.
            OPERATION => unsafe { operation::take(&packet, self.shared) },
            _ => None,
        }
    }

    /// The packet of a socket's poll was fetched.
    fn answered(&mut self, socket: &Socket) -> Option<Event> {
        let shared = self.shared;
        shared.in_flight.fetch_sub(1, Ordering::AcqRel);
        let mut inner = socket.lock();
        let answer = match socket.answer() {
            // A socket that was closed is gone for good, and its number may be another one's by now.
            Answer::Flags(flags)
                if !flags.intersects(Flags::LOCAL_CLOSE)
                    && inner.state.is_doubtful(inner.asked_in != self.number) =>
            {
                Answer::Flags(shared.probe(inner.base, flags))
            }
            answer => answer,
        };
        let outcome = match answer {
            Answer::Flags(flags) => inner.state.answer(flags),
            Answer::Failed => inner.state.fail(),
        };
        match outcome {
            Outcome::Internal(order) => {
                shared.insist(socket, &mut inner, order);
                drop(inner);
                if order == Order::Release {
                    lock(&shared.pool).give(socket);
                }
                None
            }
            Outcome::Closed => {
                drop(inner);
                shared.forget(socket);
                None
            }
            Outcome::Event {
                token,
                flags,
                again,
            } => {
                if again && !inner.queued {
                    inner.queued = true;
                    self.left.push(socket);
                }
                let pauses = inner.bare.is_some()
                    && inner.state.pause(flags, Instant::now())
                    && !inner.paused;
                inner.paused |= pauses;
                drop(inner);
                if pauses {
                    shared.pause(socket);
                }
                Some(Event::new(token, flags))
            }
        }
    }
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        self.shared
            .due
            .end(std::mem::replace(&mut self.left, Chain::new()));
    }
}

/// The handle as the system's functions take it.
fn number(handle: BorrowedSocket<'_>) -> RawSocket {
    // The two types of this number differ, their size does not.
    handle.as_raw_socket() as RawSocket
}
