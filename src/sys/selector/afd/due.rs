//! The sockets for which the kernel has to be asked again, at the start of the next poll.
//!
//! While nobody polls there is no hurry. A socket whose reading and whose writing would have blocked is asked about once,
//! for both; one that is closed meanwhile, not at all. But while a thread is polling, nobody would come by: then whoever
//! wants something asks the kernel himself.
//!
//! It is a list through the sockets themselves, so it never allocates, and is emptied as a whole, so it needs no lock. The
//! head also says whether somebody polls, so there is no moment in between. A socket is in the list at most once, which its
//! owner sees to.
//!
//! The tests below run on a model checker: `cargo xtask loom`.

use std::ptr::{self, NonNull};

#[cfg(loom)]
pub(super) use loom::sync::atomic::AtomicPtr;
#[cfg(loom)]
use loom::sync::atomic::Ordering;
#[cfg(not(loom))]
pub(super) use std::sync::atomic::AtomicPtr;
#[cfg(not(loom))]
use std::sync::atomic::Ordering;

/// What can be in the list.
pub(super) trait Linked: Sized {
    /// The place for the next one.
    fn next(&self) -> &AtomicPtr<Self>;
}

#[derive(Debug)]
pub(super) struct Due<T>(AtomicPtr<T>);

/// The head while somebody polls. Never followed.
fn polling<T>() -> *mut T {
    NonNull::dangling().as_ptr()
}

impl<T: Linked> Due<T> {
    pub(super) fn new() -> Due<T> {
        Due(AtomicPtr::new(ptr::null_mut()))
    }

    /// Adds a socket that is not in the list. `false` if somebody polls, and nothing was added.
    pub(super) fn push(&self, socket: &T) -> bool {
        let mut head = self.0.load(Ordering::Acquire);
        loop {
            if head == polling() {
                return false;
            }
            socket.next().store(head, Ordering::Relaxed);
            let this: *const T = socket;
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
    pub(super) fn begin(&self) -> Chain<T> {
        Chain(self.0.swap(polling(), Ordering::AcqRel))
    }

    /// The poll is over: what it has left to do is the list.
    pub(super) fn end(&self, chain: Chain<T>) {
        self.0.store(chain.0, Ordering::Release);
    }
}

/// A list that belongs to one thread.
#[derive(Debug)]
pub(super) struct Chain<T>(*mut T);

impl<T: Linked> Chain<T> {
    pub(super) fn new() -> Chain<T> {
        Chain(ptr::null_mut())
    }

    /// Adds a socket that is in no list.
    pub(super) fn push(&mut self, socket: &T) {
        socket.next().store(self.0, Ordering::Relaxed);
        let this: *const T = socket;
        self.0 = this.cast_mut();
    }

    /// Takes the first socket.
    ///
    /// # Safety
    ///
    /// The sockets live.
    pub(super) unsafe fn pop<'a>(&mut self) -> Option<&'a T> {
        // SAFETY: A chain has only sockets in it, and the caller vouches for them.
        let socket = unsafe { self.0.as_ref() }?;
        self.0 = socket.next().load(Ordering::Relaxed);
        Some(socket)
    }
}

#[cfg(all(test, loom))]
mod tests {
    use super::*;
    use loom::sync::{Arc, Mutex};
    use loom::thread;

    /// What `shared.rs` does with a socket, without the kernel.
    struct Node {
        next: AtomicPtr<Node>,
        inner: Mutex<Inner>,
    }

    #[derive(Default)]
    struct Inner {
        queued: bool,
        /// An operation would have blocked, and the kernel was not asked since.
        wanted: bool,
        asked: usize,
    }

    impl Linked for Node {
        fn next(&self) -> &AtomicPtr<Node> {
            &self.next
        }
    }

    impl Node {
        fn new() -> Node {
            Node {
                next: AtomicPtr::new(ptr::null_mut()),
                inner: Mutex::default(),
            }
        }
    }

    impl Inner {
        fn ask(&mut self) {
            assert!(self.wanted, "asked without need");
            self.wanted = false;
            self.asked += 1;
        }
    }

    struct Model {
        due: Due<Node>,
        nodes: [Node; 2],
    }

    impl Model {
        fn new() -> Arc<Model> {
            Arc::new(Model {
                due: Due::new(),
                nodes: [Node::new(), Node::new()],
            })
        }

        /// An operation would have blocked.
        fn rearm(&self, node: usize) {
            let node = &self.nodes[node];
            let mut inner = node.inner.lock().unwrap();
            inner.wanted = true;
            if inner.queued {
                return;
            }
            inner.queued = self.due.push(node);
            if !inner.queued {
                inner.ask();
            }
        }

        /// A poll begins.
        fn begin(&self) {
            let mut chain = self.due.begin();
            // SAFETY: The nodes live as long as the model.
            while let Some(node) = unsafe { chain.pop() } {
                let mut inner = node.inner.lock().unwrap();
                assert!(inner.queued, "in the list without knowing");
                inner.queued = false;
                inner.ask();
            }
        }

        /// A poll is over, and leaves the first node to the next one.
        fn end_with_something_left(&self) {
            let node = &self.nodes[0];
            let mut left = Chain::new();
            let mut inner = node.inner.lock().unwrap();
            if !inner.queued {
                inner.wanted = true;
                inner.queued = true;
                left.push(node);
            }
            drop(inner);
            self.due.end(left);
        }

        fn asked(&self, node: usize) -> usize {
            let inner = self.nodes[node].inner.lock().unwrap();
            assert!(!inner.wanted && !inner.queued, "nobody will ask");
            inner.asked
        }
    }

    /// While a poll waits, whoever needs the kernel has asked it; between two polls, the next one does.
    #[test]
    fn nobody_is_forgotten() {
        loom::model(|| {
            let model = Model::new();
            let threads = [0, 1].map(|node| {
                let model = Arc::clone(&model);
                thread::spawn(move || model.rearm(node))
            });
            model.begin();
            model.due.end(Chain::new());
            model.begin();
            for thread in threads {
                thread.join().unwrap();
            }
            assert_eq!([model.asked(0), model.asked(1)], [1, 1]);
        });
    }

    /// The same node from two threads is in the list once.
    #[test]
    fn twice_is_once() {
        loom::model(|| {
            let model = Model::new();
            let threads = [(); 2].map(|()| {
                let model = Arc::clone(&model);
                thread::spawn(move || model.rearm(0))
            });
            model.begin();
            for thread in threads {
                thread.join().unwrap();
            }
            assert!((1..=2).contains(&model.asked(0)));
        });
    }

    /// What a poll leaves to the next one is joined by what comes in between.
    #[test]
    fn what_is_left_is_kept() {
        loom::model(|| {
            let model = Model::new();
            model.begin();
            let thread = {
                let model = Arc::clone(&model);
                thread::spawn(move || model.rearm(1))
            };
            model.end_with_something_left();
            model.begin();
            thread.join().unwrap();
            assert_eq!([model.asked(0), model.asked(1)], [1, 1]);
        });
    }
}
