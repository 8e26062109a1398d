//! What safe Rust cannot say, in as few words as possible.

use std::os::fd::{FromRawFd, IntoRawFd};

/// Through `IntoRawFd` of the one type to `FromRawFd` of the other.
pub(crate) fn convert<T: FromRawFd>(from: impl IntoRawFd) -> T {
    let fd = from.into_raw_fd();
    // SAFETY: Every type of this program that gives up a descriptor this way has owned it until then.
    unsafe { T::from_raw_fd(fd) }
}

/// Lets `SIGPIPE` end the process, as in programs that are not written in Rust.
#[cfg(target_os = "linux")]
pub(crate) fn die_of_sigpipe() {
    // SAFETY: No handler is installed, and the default disposition has no requirements.
    let old = unsafe { libc::signal(libc::SIGPIPE, libc::SIG_DFL) };
    assert_ne!(old, libc::SIG_ERR);
}
