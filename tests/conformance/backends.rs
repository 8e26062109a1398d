//! What backends differ in, where the documentation lets them.

use mio::Backend;

/// Whether an edge comes only after an operation in its direction would have blocked. With the others a short read or
/// write is enough.
pub(crate) fn rearms_on_wouldblock(backend: Backend) -> bool {
    backend == Backend::Poll
}

/// Whether an edge-triggered bare descriptor that stays ready is reported again from time to time.
pub(crate) fn repeats_bare_edges(backend: Backend) -> bool {
    backend == Backend::Poll
}

/// Whether closing a descriptor leaves its registration alive as long as a duplicate is open.
pub(crate) fn duplicates_keep_registrations(backend: Backend) -> bool {
    backend == Backend::Epoll
}
