//! [`Queue`]: what a `Poll`, its registries and its wakers share.

use std::io;
#[cfg(debug_assertions)]
use std::sync::atomic::AtomicUsize;
use std::sync::atomic::{AtomicBool, Ordering};
#[cfg(debug_assertions)]
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::coalesce::Epoch;
use crate::sys::selector::Selector as _;
use crate::sys::{return_stack, Selector};
use crate::{explained, logging, Backend};

#[derive(Debug)]
pub(crate) struct Queue {
    pub(crate) selector: Selector,
    pub(crate) epoch: Epoch,
    /// Nobody can poll any more.
    abandoned: AtomicBool,
    #[cfg(debug_assertions)]
    pub(crate) id: usize,
}

/// The queues that are open, by their number.
#[cfg(debug_assertions)]
static OPEN: Mutex<Vec<usize>> = Mutex::new(Vec::new());

impl Queue {
    pub(crate) fn open(backend: Backend) -> io::Result<Queue> {
        #[cfg(debug_assertions)]
        static NEXT_ID: AtomicUsize = AtomicUsize::new(1);

        return_stack::look();
        let queue = Queue {
            selector: open_selector(backend)?,
            epoch: Epoch::new(),
            abandoned: AtomicBool::new(false),
            #[cfg(debug_assertions)]
            id: NEXT_ID.fetch_add(1, Ordering::Relaxed),
        };
        #[cfg(debug_assertions)]
        open_queues().push(queue.id);
        Ok(queue)
    }

    /// The `Poll` is gone. Registries and wakers may still be there.
    pub(crate) fn abandon(&self) {
        self.abandoned.store(true, Ordering::Relaxed);
    }

    #[cfg(any(feature = "log", all(windows, feature = "os-ext")))]
    pub(crate) fn is_abandoned(&self) -> bool {
        self.abandoned.load(Ordering::Relaxed)
    }

    /// Whether the queue of this number is still there.
    #[cfg(debug_assertions)]
    pub(crate) fn is_open(id: usize) -> bool {
        open_queues().contains(&id)
    }
}

fn open_selector(backend: Backend) -> io::Result<Selector> {
    Selector::open(backend).map_err(|error| {
        logging::not_opened(backend, &error);
        explained::not_opened(backend, error)
    })
}

#[cfg(debug_assertions)]
impl Drop for Queue {
    fn drop(&mut self) {
        open_queues().retain(|id| *id != self.id);
    }
}

#[cfg(debug_assertions)]
fn open_queues() -> MutexGuard<'static, Vec<usize>> {
    OPEN.lock().unwrap_or_else(PoisonError::into_inner)
}
