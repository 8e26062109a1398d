//! What the feature `log` writes, or nothing.
//!
//! Changes of registrations are traced. At level *debug* there is what saves an hour: why the system may have refused
//! something, and registrations from which nothing can come. Nobody who does not listen pays more than a load and a
//! comparison.

use std::io;

use crate::queue::Queue;
use crate::sys::Handle;
use crate::{Backend, Interest, Token, Trigger};

/// Where the records say that they come from: what the user called, not where it is written.
#[cfg(feature = "log")]
const REGISTRY: &str = "mio::registry";
#[cfg(feature = "log")]
const POLL: &str = "mio::poll";

/// Traces a change of a registration.
#[inline]
pub(crate) fn registration(change: &str, token: Token, interest: Interest, trigger: Trigger) {
    #[cfg(feature = "log")]
    if is_heard(log::Level::Trace) {
        write(change, token, interest, trigger);
    }
    #[cfg(not(feature = "log"))]
    let _ = (change, token, interest, trigger);
}

/// That a source leaves its queue.
#[inline]
pub(crate) fn deregistration() {
    #[cfg(feature = "log")]
    if is_heard(log::Level::Trace) {
        write_end();
    }
}

#[cfg(feature = "log")]
#[cold]
#[inline(never)]
fn write(change: &str, token: Token, interest: Interest, trigger: Trigger) {
    log::trace!(target: REGISTRY, "{change}: token {}, {interest:?}, {trigger:?}", token.0);
}

#[cfg(feature = "log")]
#[cold]
#[inline(never)]
fn write_end() {
    log::trace!(target: REGISTRY, "deregister");
}

/// Says what speaks against a registration that the system accepts.
#[inline]
pub(crate) fn doubts(queue: &Queue, handle: Handle<'_>, token: Token) {
    #[cfg(feature = "log")]
    if is_heard(log::Level::Debug) {
        look(queue, handle, token);
    }
    #[cfg(not(feature = "log"))]
    let _ = (queue, handle, token);
}

#[cfg(feature = "log")]
#[cold]
#[inline(never)]
fn look(queue: &Queue, handle: Handle<'_>, token: Token) {
    if !log::log_enabled!(target: REGISTRY, log::Level::Debug) {
        return;
    }
    let token = token.0;
    if queue.is_abandoned() {
        log::debug!(target: REGISTRY, "register: token {token}: the `Poll` of this queue was dropped, so nobody will see its events");
    }
    if crate::sys::is_blocking(handle) {
        log::debug!(target: REGISTRY, "register: token {token}: the handle is in blocking mode, so what should return `WouldBlock` will wait");
    }
}

/// Says why the system may have refused a change of a registration.
#[cold]
#[inline(never)]
pub(crate) fn refused(change: &str, error: &io::Error) {
    #[cfg(feature = "log")]
    log::debug!(target: REGISTRY, "{change}: {error}{}", hint(error.kind()));
    #[cfg(not(feature = "log"))]
    let _ = (change, error);
}

/// Says that the system refused to open a queue.
#[cold]
#[inline(never)]
pub(crate) fn not_opened(backend: Backend, error: &io::Error) {
    #[cfg(feature = "log")]
    log::debug!(target: POLL, "the backend `{backend}` does not open: {error}");
    #[cfg(not(feature = "log"))]
    let _ = (backend, error);
}

/// Whether somebody may listen at this level. The logger is asked behind that, out of the way of those who do not.
#[cfg(feature = "log")]
#[inline]
fn is_heard(level: log::Level) -> bool {
    level <= log::STATIC_MAX_LEVEL && level <= log::max_level()
}

/// What the caller has probably done.
#[cfg(feature = "log")]
fn hint(refused: io::ErrorKind) -> &'static str {
    match refused {
        io::ErrorKind::AlreadyExists => {
            ". The source is registered already: `reregister` changes a registration"
        }
        io::ErrorKind::NotFound => {
            ". The source is not registered here: it never was, or with another `Poll`, or it was closed meanwhile"
        }
        io::ErrorKind::PermissionDenied => {
            ". The system cannot watch files of this kind: it is a regular file, perhaps, which is always ready"
        }
        _ => "",
    }
}
