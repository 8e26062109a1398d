//! The sockets for which the kernel has to be asked again, at the start of the next poll.
//!
//! While nobody polls there is no hurry. A socket whose reading and whose writing would have blocked is asked about once,
//! for both; one that is closed meanwhile, not at all. But while a thread is polling, nobody would come by: then whoever
//! wants something asks the kernel himself.
//!
//! It is a list through the sockets themselves, so it never allocates, and is emptied as a whole, so it needs no lock. The
//! head also says whether somebody polls, so there is no moment in between. A socket is in the list at most once: see
//! [`Inner::queued`](super::socket::Inner).

use std::ptr::{self, NonNull};
use std::sync::atomic::{AtomicPtr, Ordering};

use super::socket::Socket;

#[derive(Debug)]
pub(super) struct Due(AtomicPtr<Socket>);

/// The head while somebody polls. Never followed.
fn polling() -> *mut Socket {
    NonNull::dangling().as_ptr()
}

impl Due {
    pub(super) fn new() -> Due {
        Due(AtomicPtr::new(ptr::null_mut()))
    }

    /// Adds a socket that is not in the list. `false` if somebody polls, and nothing was added.
    pub(super) fn push(&self, socket: &Socket) -> bool {
        let mut head = self.0.load(Ordering::Acquire);
        loop {
            if head == polling() {
                return false;
            }
            socket.next.store(head, Ordering::Relaxed);
            let this: *const Socket = socket;
            match self.0.compare_exchange_weak(
                head,
                this.cast_mut(),
                Ordering::Release,
                Ordering::Acquire,
            ) {
                Ok(_) => return true,
                Err(now) => head = now,
            }
        }
    }

    /// A poll begins: takes the whole list.
    pub(super) fn begin(&self) -> Chain {
        Chain(self.0.swap(polling(), Ordering::AcqRel))
    }

    /// The poll is over: what it has left to do is the list.
    pub(super) fn end(&self, chain: Chain) {
        self.0.store(chain.0, Ordering::Release);
    }
}

/// A list that belongs to one thread.
#[derive(Debug)]
pub(super) struct Chain(*mut Socket);

impl Chain {
    pub(super) fn new() -> Chain {
        Chain(ptr::null_mut())
    }

    /// Adds a socket that is in no list.
    pub(super) fn push(&mut self, socket: &Socket) {
        socket.next.store(self.0, Ordering::Relaxed);
        let this: *const Socket = socket;
        self.0 = this.cast_mut();
    }

    /// Takes the first socket.
    ///
    /// # Safety
    ///
    /// The sockets live.
    pub(super) unsafe fn pop<'a>(&mut self) -> Option<&'a Socket> {
        // SAFETY: A chain has only sockets in it, and the caller vouches for them.
        let socket = unsafe { self.0.as_ref() }?;
        self.0 = socket.next.load(Ordering::Relaxed);
        Some(socket)
    }
}
