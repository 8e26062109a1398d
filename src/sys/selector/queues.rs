//! The queues of a process that have to learn of operations on their sources.
//!
//! A source knows its descriptor and not its queue. So when an operation on it would have blocked, or it is about to be
//! closed, all queues of the kind are asked, and each looks the descriptor up in its own table.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, PoisonError, RwLock};

/// Every queue of one kind that is open. Meant for a `static`.
#[derive(Debug)]
pub(super) struct Queues<Q> {
    open: RwLock<Vec<Arc<Q>>>,
    /// The length of `open`, for those who only ask whether there is any.
    number: AtomicUsize,
}

impl<Q> Queues<Q> {
    pub(super) const fn new() -> Queues<Q> {
        Queues {
            open: RwLock::new(Vec::new()),
            number: AtomicUsize::new(0),
        }
    }

    pub(super) fn add(&self, queue: Arc<Q>) {
        let mut open = self.open.write().unwrap_or_else(PoisonError::into_inner);
        open.push(queue);
        self.number.store(open.len(), Ordering::Relaxed);
    }

    /// Removes a queue. Nobody visits it any more when this returns.
    pub(super) fn remove(&self, queue: &Arc<Q>) {
        let mut open = self.open.write().unwrap_or_else(PoisonError::into_inner);
        open.retain(|other| !Arc::ptr_eq(other, queue));
        self.number.store(open.len(), Ordering::Relaxed);
    }

    /// Whether there is a queue. One that the caller's source is registered with is never overlooked: whoever
    /// registered the source has seen the queue being opened, and whoever uses the source has got it from them. That is
    /// why a relaxed load is enough.
    #[inline]
    pub(super) fn any(&self) -> bool {
        self.number.load(Ordering::Relaxed) != 0
    }

    pub(super) fn for_each(&self, visit: impl Fn(&Q)) {
        let open = self.open.read().unwrap_or_else(PoisonError::into_inner);
        for queue in open.iter() {
            visit(queue);
        }
    }
}
