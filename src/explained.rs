//! Errors of the system that say what they mean here.
//!
//! An error has either the system's number or a text. Where somebody may look at the number, it stays; the feature `log`
//! has the text then. What is explained here keeps its kind, and the system's error as its source.

use std::error::Error;
use std::{fmt, io};

use crate::Backend;

#[derive(Debug)]
struct Explained {
    text: String,
    system: io::Error,
}

impl fmt::Display for Explained {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.text, self.system)
    }
}

impl Error for Explained {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        Some(&self.system)
    }
}

/// Why a queue does not open, if it is not for want of something.
#[cold]
pub(crate) fn not_opened(backend: Backend, system: io::Error) -> io::Error {
    let kind = system.kind();
    let denied = matches!(
        kind,
        io::ErrorKind::PermissionDenied | io::ErrorKind::Unsupported
    );
    if !denied || system.raw_os_error().is_none() {
        return system;
    }
    let text = format!("the system, or a sandbox, refuses the backend `{backend}`");
    io::Error::new(kind, Explained { text, system })
}

/// The result of changing a registration. In a debug build an error says what the caller has probably done. A release
/// build hands on the system's, without memory for a text.
#[inline(always)]
pub(crate) fn change(result: io::Result<()>) -> io::Result<()> {
    #[cfg(debug_assertions)]
    let result = result.map_err(refused);
    result
}

#[cfg(debug_assertions)]
#[cold]
fn refused(system: io::Error) -> io::Error {
    let kind = system.kind();
    let text = match kind {
        io::ErrorKind::AlreadyExists => {
            "the source is registered already, use `reregister` to change that"
        }
        io::ErrorKind::NotFound => {
            "the source is not registered with this `Poll`, use `register` first"
        }
        _ => return system,
    };
    let text = text.to_owned();
    io::Error::new(kind, Explained { text, system })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn number(error: &io::Error) -> Option<i32> {
        let source = error.source()?.downcast_ref::<io::Error>()?;
        source.raw_os_error()
    }

    #[cfg(unix)]
    #[test]
    fn a_denied_backend_is_named_and_keeps_number_and_kind() {
        for errno in [
            rustix::io::Errno::PERM,
            rustix::io::Errno::ACCESS,
            rustix::io::Errno::NOSYS,
        ] {
            let system = io::Error::from(errno);
            let kind = system.kind();
            let error = not_opened(Backend::Poll, system);
            assert_eq!(error.kind(), kind);
            assert_eq!(number(&error), Some(errno.raw_os_error()));
            assert!(error.to_string().contains("`poll`: "), "{error}");
        }
    }

    #[cfg(unix)]
    #[test]
    fn want_of_something_stays_as_it_is() {
        let error = not_opened(Backend::Poll, rustix::io::Errno::MFILE.into());
        let errno = rustix::io::Errno::MFILE.raw_os_error();
        assert_eq!(error.raw_os_error(), Some(errno));
    }

    #[cfg(debug_assertions)]
    #[test]
    fn a_mistake_is_told_with_its_remedy() {
        let error = refused(io::ErrorKind::AlreadyExists.into());
        assert_eq!(error.kind(), io::ErrorKind::AlreadyExists);
        assert!(error.to_string().contains("`reregister`"), "{error}");
        let error = refused(io::ErrorKind::NotFound.into());
        assert_eq!(error.kind(), io::ErrorKind::NotFound);
        assert!(error.to_string().contains("`register`"), "{error}");
        assert_eq!(number(&error), None);
    }
}
