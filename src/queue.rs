//! [`Queue`]: what a `Poll`, its registries and its wakers share.

use std::io;
#[cfg(debug_assertions)]
use std::sync::atomic::{AtomicUsize, Ordering};
#[cfg(debug_assertions)]
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::coalesce::Epoch;
use crate::sys::selector::Selector as _;
use crate::sys::Selector;
use crate::Backend;

#[derive(Debug)]
pub(crate) struct Queue {
    pub(crate) selector: Selector,
    pub(crate) epoch: Epoch,
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

        let queue = Queue {
            selector: Selector::open(backend)?,
            epoch: Epoch::new(),
            #[cfg(debug_assertions)]
            id: NEXT_ID.fetch_add(1, Ordering::Relaxed),
        };
        #[cfg(debug_assertions)]
        open_queues().push(queue.id);
        Ok(queue)
    }

    /// Whether the queue of this number is still there.
    #[cfg(debug_assertions)]
    pub(crate) fn is_open(id: usize) -> bool {
        open_queues().contains(&id)
    }
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
