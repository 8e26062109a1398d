//! What backends differ in, where the documentation lets them.

use mio::Backend;

/// Whether an edge comes only after something has shown that its direction is drained: an operation that would have
/// blocked, or one of a stream that moved less than it was asked for. With the others the kernel knows.
pub(crate) fn rearms_on_wouldblock(backend: Backend) -> bool {
    matches!(backend, Backend::Afd | Backend::EventPorts | Backend::Poll)
}

/// Whether an edge-triggered bare descriptor that stays ready is reported again from time to time.
pub(crate) fn repeats_bare_edges(backend: Backend) -> bool {
    matches!(backend, Backend::EventPorts | Backend::Poll)
}

/// Whether closing a descriptor leaves its registration alive as long as a duplicate is open.
pub(crate) fn duplicates_keep_registrations(backend: Backend) -> bool {
    backend == Backend::Epoll
}

/// What is left of the registration of a bare descriptor that was closed without being deregistered, and whose number is
/// used again before the next poll.
#[cfg(all(unix, feature = "os-ext"))]
pub(crate) enum Outlives {
    /// Whatever has the number now is watched under the old token.
    Watched,
    /// The number is taken until it is deregistered.
    Taken,
}

/// The same for each backend, or `None` if nothing is left.
#[cfg(all(unix, feature = "os-ext"))]
pub(crate) fn numbers_outlive_descriptors(backend: Backend) -> Option<Outlives> {
    match backend {
        Backend::Poll => Some(Outlives::Watched),
        Backend::EventPorts => Some(Outlives::Taken),
        _ => None,
    }
}

/// Whether what can always be read and written is refused, rather than always ready.
#[cfg(all(unix, feature = "os-ext"))]
pub(crate) fn refuses_files(backend: Backend) -> bool {
    backend == Backend::Epoll
}

/// Whether a regular file is readable as long as there is something behind its position, and watched for reading only.
#[cfg(all(unix, feature = "os-ext"))]
pub(crate) fn watches_positions(backend: Backend) -> bool {
    backend == Backend::Kqueue
}

/// Whether the queue knows what is registered: it refuses a second registration, and a reregistration without a first
/// one. Otherwise both take the place of whatever there was.
pub(crate) fn knows_handles(backend: Backend) -> bool {
    backend != Backend::Kqueue
}

/// Whether something that begins in one direction brings an event for this direction alone, rather than for all that are
/// ready.
#[cfg(all(unix, feature = "os-ext"))]
pub(crate) fn directions_are_apart(backend: Backend) -> bool {
    backend == Backend::Kqueue
}

/// Whether the error of a datagram socket is told as an error. It is always told as something to read. POSIX does not say
/// whether `poll(2)` does, and not every system's does.
#[cfg(all(unix, feature = "net"))]
pub(crate) fn says_errors_of_datagrams(backend: Backend) -> bool {
    backend != Backend::Kqueue && is_measured(backend)
}

/// Whether somebody has looked what the system says of ends and errors.
pub(crate) fn is_measured(backend: Backend) -> bool {
    match backend {
        Backend::Kqueue => cfg!(mio_model = "kqueue"),
        // Not what Solaris would say.
        Backend::EventPorts | Backend::Poll if cfg!(mio_model = "solaris") => false,
        Backend::EventPorts => cfg!(mio_model = "event_ports"),
        // Each system has its own.
        Backend::Poll => cfg!(any(target_os = "android", target_os = "linux")),
        _ => true,
    }
}

/// Whether the end of a stream is reported while there is data before it. Windows does; Wine once the data was read.
pub(crate) fn shows_ends_behind_data(backend: Backend) -> bool {
    backend != Backend::Afd
}

/// How many sources a queue has to bear. A poll with `poll(2)` takes as long as there are sources.
pub(crate) fn crowd(backend: Backend) -> usize {
    match backend {
        Backend::Poll => 2_000,
        // Wine takes seconds to open a thousand sockets.
        Backend::Afd => 1_000,
        _ => 10_000,
    }
}

/// Whether the queue's descriptor is readable when a source is ready, and not for wakes alone.
#[cfg(unix)]
pub(crate) fn queue_shows_readiness(backend: Backend) -> bool {
    backend != Backend::Poll
}
