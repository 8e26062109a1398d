//! Whether anybody was given the port's descriptor, and might watch it.
//!
//! A poller that hides something from the port shows it only to those who watch. Whoever begins to watch shows what is
//! hidden already. Both take the lock of the state for that, so one of them comes first: if it is the poller, the watcher
//! shows what it has hidden; if it is the watcher, the poller has seen the flag, which was set before.
//!
//! The tests below run on a model checker: `cargo xtask loom`.

#[cfg(loom)]
use loom::sync::atomic::{AtomicBool, Ordering};
#[cfg(not(loom))]
use std::sync::atomic::{AtomicBool, Ordering};

/// Never taken back: what was done with the descriptor is not known.
#[derive(Debug)]
pub(super) struct Watched(AtomicBool);

impl Watched {
    pub(super) fn new() -> Watched {
        Watched(AtomicBool::new(false))
    }

    /// Relaxed: the lock that was held while something was hidden orders it.
    #[inline]
    pub(super) fn is_set(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }

    /// Somebody gets the descriptor. Runs `show`, which takes the lock, if that is the first time as far as this thread
    /// knows.
    #[inline]
    pub(super) fn begin(&self, show: impl FnOnce()) {
        if !self.is_set() {
            self.0.store(true, Ordering::Relaxed);
            show();
        }
    }
}

#[cfg(all(test, loom))]
mod tests {
    use super::*;
    use loom::sync::{Arc, Mutex};
    use loom::thread;

    /// Whether something is hidden, under the lock of the state.
    struct Model {
        watched: Watched,
        hidden: Mutex<bool>,
    }

    impl Model {
        fn new() -> Arc<Model> {
            Arc::new(Model {
                watched: Watched::new(),
                hidden: Mutex::new(false),
            })
        }

        /// A poll that returns events, as in `select`.
        fn poll(&self) {
            *self.hidden.lock().unwrap() = true;
            if self.watched.is_set() {
                self.show();
            }
        }

        fn show(&self) {
            *self.hidden.lock().unwrap() = false;
        }
    }

    #[test]
    fn nothing_stays_hidden() {
        loom::model(|| {
            let model = Model::new();
            let watcher = {
                let model = Arc::clone(&model);
                thread::spawn(move || model.watched.begin(|| model.show()))
            };
            model.poll();
            watcher.join().unwrap();
            assert!(!*model.hidden.lock().unwrap(), "would not be seen");
        });
    }

    #[test]
    fn two_begin_to_watch() {
        loom::model(|| {
            let model = Model::new();
            let watchers = [(); 2].map(|()| {
                let model = Arc::clone(&model);
                thread::spawn(move || model.watched.begin(|| model.show()))
            });
            model.poll();
            for watcher in watchers {
                watcher.join().unwrap();
            }
            assert!(!*model.hidden.lock().unwrap(), "would not be seen");
        });
    }
}
