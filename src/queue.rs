//! [`Queue`]: what a `Poll`, its registries and its wakers share.

use std::io;
use std::sync::atomic::AtomicUsize;
#[cfg(debug_assertions)]
use std::sync::atomic::Ordering;

use crate::sys::selector::Selector as _;
use crate::sys::Selector;
use crate::Backend;

#[derive(Debug)]
pub(crate) struct Queue {
    pub(crate) selector: Selector,
    /// Counts the polls that returned events; see `waker.rs`.
    pub(crate) epoch: AtomicUsize,
    #[cfg(debug_assertions)]
    pub(crate) id: usize,
}

impl Queue {
    pub(crate) fn open(backend: Backend) -> io::Result<Queue> {
        #[cfg(debug_assertions)]
        static NEXT_ID: AtomicUsize = AtomicUsize::new(1);

        Ok(Queue {
            selector: Selector::open(backend)?,
            epoch: AtomicUsize::new(0),
            #[cfg(debug_assertions)]
            id: NEXT_ID.fetch_add(1, Ordering::Relaxed),
        })
    }
}
