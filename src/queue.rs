//! [`Queue`]: what a `Poll`, its registries and its wakers share.

use std::io;
#[cfg(debug_assertions)]
use std::sync::atomic::{AtomicUsize, Ordering};

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

impl Queue {
    pub(crate) fn open(backend: Backend) -> io::Result<Queue> {
        #[cfg(debug_assertions)]
        static NEXT_ID: AtomicUsize = AtomicUsize::new(1);

        Ok(Queue {
            selector: Selector::open(backend)?,
            epoch: Epoch::new(),
            #[cfg(debug_assertions)]
            id: NEXT_ID.fetch_add(1, Ordering::Relaxed),
        })
    }
}
