//! [`UnixAddr`].

use std::fmt;
use std::path::Path;
use std::str;

use crate::sys::socket::local::Name;

/// The address of a Unix socket on Windows: a path, or none.
///
/// The standard library's type for it exists on Unix only.
///
/// # Examples
///
/// ```
/// use mio::windows::{UnixListener, UnixStream};
/// use std::io::ErrorKind;
///
/// # let folder = tempfile::tempdir()?;
/// # let path = folder.path().join("socket");
/// let listener = match UnixListener::bind(&path) {
///     Err(error) if error.kind() == ErrorKind::Unsupported => return Ok(()),
///     result => result?,
/// };
/// let client = UnixStream::connect(&path)?;
/// println!("{:?} talks to {:?}", client.local_addr()?, client.peer_addr()?);
/// # drop(listener);
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct UnixAddr(pub(super) Name);

impl UnixAddr {
    /// The path. `None` if the socket has no name, or one that is not Unicode.
    ///
    /// # Examples
    ///
    /// ```
    /// use mio::windows::UnixListener;
    /// use std::io::ErrorKind;
    ///
    /// # let folder = tempfile::tempdir()?;
    /// # let path = folder.path().join("socket");
    /// let listener = match UnixListener::bind(&path) {
    ///     Err(error) if error.kind() == ErrorKind::Unsupported => return Ok(()),
    ///     result => result?,
    /// };
    /// assert_eq!(listener.local_addr()?.as_pathname(), Some(&*path));
    /// # Ok::<(), std::io::Error>(())
    /// ```
    #[must_use]
    pub fn as_pathname(&self) -> Option<&Path> {
        match str::from_utf8(self.0.as_bytes()) {
            Ok("") | Err(_) => None,
            Ok(path) => Some(Path::new(path)),
        }
    }

    /// Whether the socket has no name, as the connecting end of a stream.
    ///
    /// # Examples
    ///
    /// ```
    /// use mio::windows::UnixListener;
    /// use std::io::ErrorKind;
    ///
    /// # let folder = tempfile::tempdir()?;
    /// # let path = folder.path().join("socket");
    /// let listener = match UnixListener::bind(&path) {
    ///     Err(error) if error.kind() == ErrorKind::Unsupported => return Ok(()),
    ///     result => result?,
    /// };
    /// assert!(!listener.local_addr()?.is_unnamed());
    /// # Ok::<(), std::io::Error>(())
    /// ```
    #[must_use]
    pub fn is_unnamed(&self) -> bool {
        self.0.as_bytes().is_empty()
    }
}

impl fmt::Debug for UnixAddr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_unnamed() {
            return f.write_str("(unnamed)");
        }
        write!(
            f,
            "{:?} (pathname)",
            String::from_utf8_lossy(self.0.as_bytes())
        )
    }
}
