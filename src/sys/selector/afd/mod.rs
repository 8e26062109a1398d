//! Readiness through AFD, the driver beneath Windows Sockets, whose answers come through an I/O completion port.
//!
//! Rests on `IOCTL_AFD_POLL`. Microsoft does not document it, but everything that waits for sockets on Windows comes down
//! to it, `select` included. A poll of AFD names a socket and flags, and is answered once, at once or later. This makes
//! levels, edges and one-shots alike; [`state`](self::state) has the rules.
//!
//! | file | is |
//! | --- | --- |
//! | `flags.rs` | what AFD is asked for, and what its answers mean |
//! | `state.rs` | the phases of a socket, and what leads from one to the next |
//! | `socket.rs` | a socket's poll: its memory, submitting and cancelling it |
//! | `due.rs` | the sockets to be asked about in the next poll |
//! | `group.rs` | handles of the driver |
//! | `operation.rs` | operations on other handles, whose packets come here |
//! | `port.rs` | the completion port |
//! | `wakers.rs` | packets that are posted, and whose they are |
//! | `pool.rs` | the sockets of a queue, those in use and those to be used again |
//! | `shared.rs` | what of a queue its sources keep alive, and what the packets mean |
//!
//! Invariants:
//!
//! - No lock is held while waiting for packets.
//! - A registration ends under the lock of its socket, and an event is made under the same lock. So after it has ended,
//!   its token does not come any more.

mod due;
mod flags;
pub(crate) mod group;
#[allow(dead_code)] // only what the feature `os-ext` adds starts operations
pub(crate) mod operation;
mod pool;
mod port;
mod shared;
mod socket;
mod state;
mod wakers;

use std::fmt;
use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use windows_sys::Win32::System::IO::OVERLAPPED_ENTRY;

pub(crate) use self::flags::Flags;
use self::port::Deadline;
use self::shared::Shared;
use self::socket::Socket;
use self::state::{Order, Outcome, State};
use self::wakers::Signal;
use crate::sys::selector::{unsupported, Direction, RawEvent, Readiness, Selector, Target, Wanted};
use crate::{Backend, Token};

/// The key of packets that answer the poll of a socket.
const SOCKET: usize = 0;
/// The key of packets of wakers.
const WAKER: usize = 1;

/// How often a poll whose time is up still goes through what may be in the port, while that comes to no event. Packets
/// come in order. So the first round passes everything that was there when time was up, and the second one the answers to
/// what the first one has asked anew. More would be of others that keep asking, and who polls would not come back.
const ROUNDS: usize = 2;

/// A queue.
pub(crate) struct Afd {
    shared: Arc<Shared>,
}

/// An event, in the memory of the packet that has brought it: the kernel writes packets where events go.
#[derive(Clone)]
#[repr(transparent)]
pub(crate) struct Event(OVERLAPPED_ENTRY);

// SAFETY: The pointer of a packet is followed by the polling thread alone, and before the packet becomes an event.
unsafe impl Send for Event {}
// SAFETY: As above.
unsafe impl Sync for Event {}

/// What an [`IoSource`](crate::IoSource) knows of its registration.
#[derive(Debug, Default)]
pub(crate) struct SourceState(Mutex<Option<Registered>>);

#[derive(Debug)]
struct Registered {
    shared: Arc<Shared>,
    socket: Arc<Socket>,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // No invariant is broken where a panic could happen under a lock.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Selector for Afd {
    const DEFAULT: Backend = Backend::Afd;

    type Event = Event;
    type State = SourceState;
    type Signal = Arc<Signal>;

    fn supports(backend: Backend) -> bool {
        backend == Backend::Afd
    }

    fn open(backend: Backend) -> io::Result<Self> {
        if backend != Backend::Afd {
            return Err(unsupported(backend));
        }
        Ok(Afd {
            shared: Arc::new(Shared::open()?),
        })
    }

    fn backend(&self) -> Backend {
        Backend::Afd
    }

    fn select(&self, events: &mut Vec<Event>, timeout: Option<Duration>) -> io::Result<()> {
        let deadline = Deadline::after(timeout);
        let mut turn = self.shared.begin();
        // Once time is up: what is left of a round, and how many more rounds there are.
        let (mut ahead, mut rounds) = (0_usize, ROUNDS);
        loop {
            let pause = turn.resume();
            let left = deadline.left();
            let fetched = turn.fetch(events, left.or_until(pause))?;
            if !events.is_empty() {
                return Ok(());
            }
            if !left.is_none() {
                continue;
            }
            ahead = ahead.saturating_sub(fetched);
            if fetched == 0 || (ahead == 0 && rounds == 0) {
                return Ok(());
            }
            if ahead == 0 {
                (ahead, rounds) = (self.shared.most_packets(), rounds - 1);
            }
        }
    }

    fn register(&self, target: Target<'_, SourceState>, wanted: Wanted) -> io::Result<()> {
        let Some(state) = target.state else {
            return self.shared.register_bare(target.handle, wanted);
        };
        let mut registered = lock(&state.0);
        if matches!(&*registered, Some(other) if !other.shared.is_closed()) {
            return Err(already_registered());
        }
        let socket = self.shared.register(target.handle, wanted, false)?;
        *registered = Some(Registered {
            shared: Arc::clone(&self.shared),
            socket,
        });
        Ok(())
    }

    fn reregister(&self, target: Target<'_, SourceState>, wanted: Wanted) -> io::Result<()> {
        let Some(state) = target.state else {
            return self.shared.reregister_bare(target.handle, wanted);
        };
        match &*lock(&state.0) {
            Some(registered) if registered.is_with(self) => {
                self.shared.reregister(&registered.socket, wanted)
            }
            _ => Err(not_registered()),
        }
    }

    fn deregister(&self, target: Target<'_, SourceState>) -> io::Result<()> {
        let Some(state) = target.state else {
            return self.shared.deregister_bare(target.handle);
        };
        let mut registered = lock(&state.0);
        if !matches!(&*registered, Some(it) if it.is_with(self)) {
            return Err(not_registered());
        }
        if let Some(registered) = registered.take() {
            registered.end();
        }
        Ok(())
    }

    #[inline]
    fn tracks_sources() -> bool {
        true
    }

    fn rearm(target: Target<'_, SourceState>, direction: Direction) {
        let Some(state) = target.state else {
            return;
        };
        if let Some(Registered { shared, socket }) = &*lock(&state.0) {
            shared.rearm(socket, direction);
        }
    }

    #[inline]
    fn closing(target: Target<'_, SourceState>) {
        if let Some(state) = target.state {
            state.end();
        }
    }

    fn signal(&self, token: Token) -> io::Result<Arc<Signal>> {
        Ok(self.shared.wakers.add(token))
    }

    #[inline]
    fn raise(&self, signal: &Arc<Signal>) -> io::Result<()> {
        signal.raise(&self.shared.port)
    }

    fn retire(&self, signal: &Arc<Signal>) {
        self.shared.wakers.remove(signal);
    }
}

impl Drop for Afd {
    fn drop(&mut self) {
        self.shared.close();
    }
}

impl fmt::Debug for Afd {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Afd")
            .field("port", &self.shared.port)
            .finish_non_exhaustive()
    }
}

impl SourceState {
    fn end(&self) {
        if let Some(registered) = lock(&self.0).take() {
            registered.end();
        }
    }
}

impl Drop for SourceState {
    /// The handle may live on, but what it does is not known any more.
    fn drop(&mut self) {
        self.end();
    }
}

impl Registered {
    fn is_with(&self, queue: &Afd) -> bool {
        Arc::ptr_eq(&self.shared, &queue.shared)
    }

    fn end(self) {
        self.shared.deregister(&self.socket);
    }
}

impl Event {
    pub(crate) fn new(token: Token, flags: Flags) -> Event {
        Event(OVERLAPPED_ENTRY {
            lpCompletionKey: token.0,
            Internal: flags.bits() as usize,
            ..OVERLAPPED_ENTRY::default()
        })
    }

    fn flags(&self) -> Flags {
        // Made of 32 bits.
        Flags::from_bits(self.0.Internal as u32)
    }
}

impl RawEvent for Event {
    #[inline]
    fn token(&self) -> Token {
        Token(self.0.lpCompletionKey)
    }

    #[inline]
    fn readiness(&self) -> Readiness {
        self.flags().readiness()
    }

    fn fmt_flags(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.flags(), f)
    }
}

#[cold]
fn already_registered() -> io::Error {
    // Without a text, for which there would have to be memory.
    io::ErrorKind::AlreadyExists.into()
}

#[cold]
fn not_registered() -> io::Error {
    io::ErrorKind::NotFound.into()
}
