//! `errno`, after a call through the C library.

use std::io;

use rustix::io::Errno;

/// Why the last call has failed. That there is a number is certain.
#[cold]
pub(super) fn last_error() -> Errno {
    Errno::from_io_error(&io::Error::last_os_error()).unwrap_or(Errno::IO)
}
