//! What systems differ in, for each test program that has to know.

use mio::Backend;

/// Whether the end of what the peer writes is told apart from data. Where `poll(2)` has no `POLLRDHUP`, a read tells.
pub(crate) fn tells_ends_of_streams(backend: Backend) -> bool {
    let has_rdhup = cfg!(all(
        any(
            target_os = "android",
            target_os = "freebsd",
            target_os = "illumos",
            target_os = "linux"
        ),
        not(mio_model = "solaris")
    ));
    has_rdhup || !matches!(backend, Backend::EventPorts | Backend::Poll)
}

/// Whether who sends to a Unix datagram socket that is full has to wait. Elsewhere it is an error (`ENOBUFS`).
#[cfg(all(unix, feature = "net"))]
pub(crate) const FULL_RECEIVERS_BLOCK: bool = cfg!(not(any(
    target_vendor = "apple",
    target_os = "dragonfly",
    target_os = "freebsd",
    target_os = "netbsd",
    target_os = "openbsd"
)));
