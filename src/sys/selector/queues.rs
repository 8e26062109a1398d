//! The queues of a process that have to learn of operations on their sources.
//!
//! A source knows its descriptor and not its queue. So when an operation on it would have blocked, or it is about to be
//! closed, all queues of the kind are asked, and each looks the descriptor up in its own table.
//!
//! The tests below run on a model checker: `cargo xtask loom`.

use std::sync::{Arc, PoisonError};

#[cfg(loom)]
use loom::sync::atomic::{AtomicUsize, Ordering};
#[cfg(loom)]
use loom::sync::RwLock;
#[cfg(not(loom))]
use std::sync::atomic::{AtomicUsize, Ordering};
#[cfg(not(loom))]
use std::sync::RwLock;

/// Every queue of one kind that is open. Meant for a `static`.
#[derive(Debug)]
pub(super) struct Queues<Q> {
    open: RwLock<Vec<Arc<Q>>>,
    /// The length of `open`, for those who only ask whether there is any.
    number: AtomicUsize,
}

impl<Q> Queues<Q> {
    #[cfg(not(loom))]
    pub(super) const fn new() -> Queues<Q> {
        Queues {
            open: RwLock::new(Vec::new()),
            number: AtomicUsize::new(0),
        }
    }

    /// What the model checker follows is no constant.
    #[cfg(loom)]
    pub(super) fn new() -> Queues<Q> {
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

#[cfg(all(test, loom))]
mod tests {
    use super::*;
    use loom::thread;

    type Model = loom::sync::Arc<Queues<AtomicUsize>>;

    fn queue() -> Arc<AtomicUsize> {
        Arc::new(AtomicUsize::new(0))
    }

    /// An operation on a source that is registered with `queue` would have blocked.
    fn rearm(model: &Model, queue: &AtomicUsize) {
        assert!(model.any(), "its queue is overlooked");
        model.for_each(|queue| {
            queue.fetch_add(1, Ordering::Relaxed);
        });
        assert_ne!(queue.load(Ordering::Relaxed), 0);
    }

    /// Queues come and go while somebody uses a source of one that stays.
    #[test]
    fn the_queue_of_a_source_is_never_overlooked() {
        loom::model(|| {
            let model = Model::new(Queues::new());
            let other = queue();
            model.add(Arc::clone(&other));
            let closing = {
                let model = Model::clone(&model);
                thread::spawn(move || model.remove(&other))
            };
            let stays = queue();
            model.add(Arc::clone(&stays));
            // The thread that opens the queue uses a source, and so does one that gets a source from it.
            let using = {
                let (model, stays) = (Model::clone(&model), Arc::clone(&stays));
                thread::spawn(move || rearm(&model, &stays))
            };
            rearm(&model, &stays);
            closing.join().unwrap();
            using.join().unwrap();
            assert!(model.any());
        });
    }

    #[test]
    fn nobody_visits_a_queue_that_was_removed() {
        loom::model(|| {
            let model = Model::new(Queues::new());
            let gone = queue();
            model.add(Arc::clone(&gone));
            let visiting = {
                let model = Model::clone(&model);
                thread::spawn(move || {
                    model.for_each(|queue| {
                        queue.fetch_add(1, Ordering::Relaxed);
                    })
                })
            };
            model.remove(&gone);
            assert!(!model.any());
            let visits = gone.load(Ordering::Relaxed);
            visiting.join().unwrap();
            assert_eq!(gone.load(Ordering::Relaxed), visits);
        });
    }
}
