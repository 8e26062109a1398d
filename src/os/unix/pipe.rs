//! Pipes, and the standard streams of child processes.
//!
//! [`new`] makes a pipe. The ends of pipes to a child process convert: [`Sender`] from
//! [`ChildStdin`], [`Receiver`] from [`ChildStdout`] and [`ChildStderr`].
//!
//! # When the other end is gone
//!
//! Reading from a pipe that nobody has open for writing returns `Ok(0)`, and its events are
//! [read-closed](crate::event::Event::is_read_closed). Writing to a pipe that nobody has open for reading is an error
//! ([`BrokenPipe`](std::io::ErrorKind::BrokenPipe)), and its events are
//! [write-closed](crate::event::Event::is_write_closed). The system also raises `SIGPIPE` then, which Rust programs ignore
//! unless told otherwise; there is no way to write to a pipe without it.
//!
//! # Examples
//!
//! ```
//! # fn main() -> std::io::Result<()> {
//! use mio::{unix::pipe, Events, Interest, Poll, Token};
//! use std::io::{Read, Write};
//!
//! let mut poll = Poll::new()?;
//! let mut events = Events::with_capacity(8);
//! let (mut sender, mut receiver) = pipe::new()?;
//! poll.registry().register(&mut receiver, Token(0), Interest::READABLE)?;
//!
//! sender.write_all(b"hello")?;
//! poll.poll(&mut events, None)?;
//! let mut buffer = [0; 16];
//! assert_eq!(receiver.read(&mut buffer)?, 5);
//!
//! drop(sender);
//! poll.poll(&mut events, None)?;
//! assert!(events.iter().any(|event| event.is_read_closed()));
//! assert_eq!(receiver.read(&mut buffer)?, 0);
//! # Ok(())
//! # }
//! ```

use std::io::{self, IoSlice, IoSliceMut, Read, Write};
use std::os::fd::OwnedFd;
use std::process::{ChildStderr, ChildStdin, ChildStdout};

use rustix::io::{ioctl_fionbio, read, write};

use crate::io_source::IoSource;
use crate::sys::return_stack::covered;
use crate::sys::{readv, writev, OwnedHandle};

/// Makes a pipe: what is written to the one end can be read from the other. Both are non-blocking and closed on `exec`.
///
/// # Errors
///
/// Too many open files.
///
/// # Examples
///
/// ```
/// use mio::unix::pipe;
/// use std::io::{ErrorKind, Read, Write};
///
/// let (mut sender, mut receiver) = pipe::new()?;
/// let mut buffer = [0; 16];
/// assert_eq!(receiver.read(&mut buffer).unwrap_err().kind(), ErrorKind::WouldBlock);
/// sender.write_all(b"hello")?;
/// assert_eq!(receiver.read(&mut buffer)?, 5);
/// # Ok::<(), std::io::Error>(())
/// ```
pub fn new() -> io::Result<(Sender, Receiver)> {
    let (receiver, sender) = crate::sys::pipe_pair()?;
    Ok((Sender::from(sender), Receiver::from(receiver)))
}

/// The end of a pipe that is written to. See the [module](self).
///
/// # Examples
///
/// The standard input of a child process:
///
/// ```
/// use mio::unix::pipe::Sender;
/// use std::io::Write;
/// use std::process::{Command, Stdio};
///
/// let mut child = Command::new("cat").stdin(Stdio::piped()).stdout(Stdio::null()).spawn()?;
/// let mut input = Sender::from(child.stdin.take().unwrap());
/// input.set_nonblocking(true)?;
/// input.write_all(b"hello")?; // so little fits into an empty pipe
/// drop(input); // the end of its input
/// assert!(child.wait()?.success());
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Debug)]
pub struct Sender {
    inner: IoSource<OwnedHandle>,
}

/// The end of a pipe that is read from. See the [module](self).
///
/// # Examples
///
/// The standard output of a child process:
///
/// ```
/// use mio::unix::pipe::Receiver;
/// use mio::{Events, Interest, Poll, Token};
/// use std::io::{ErrorKind, Read};
/// use std::process::{Command, Stdio};
///
/// let mut child = Command::new("echo").arg("hello").stdout(Stdio::piped()).spawn()?;
/// let mut output = Receiver::from(child.stdout.take().unwrap());
/// output.set_nonblocking(true)?;
///
/// let mut poll = Poll::new()?;
/// let mut events = Events::with_capacity(8);
/// poll.registry().register(&mut output, Token(0), Interest::READABLE)?;
/// let mut said = Vec::new();
/// loop {
///     match output.read_to_end(&mut said) {
///         Ok(_) => break,
///         Err(error) if error.kind() == ErrorKind::WouldBlock => poll.poll_until(&mut events, None)?,
///         Err(error) => return Err(error),
///     }
/// }
/// assert_eq!(said, b"hello\n");
/// # child.wait()?;
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Debug)]
pub struct Receiver {
    inner: IoSource<OwnedHandle>,
}

macro_rules! pipe_end {
    ($end:ident, $($child:ty),+) => {
        impl $end {
            /// Sets or clears non-blocking mode.
            ///
            /// Pipes of [`new`] have it. Those of child processes do not: set it before registering them. It belongs to
            /// the open pipe end, so whoever shares the descriptor is affected, too; the child has the other end.
            ///
            /// # Errors
            ///
            /// The system's.
            ///
            /// # Examples
            ///
            /// ```
            /// use mio::unix::pipe::Receiver;
            /// use std::process::{Command, Stdio};
            ///
            /// let mut child = Command::new("echo").stdout(Stdio::piped()).spawn()?;
            /// let output = Receiver::from(child.stdout.take().unwrap());
            /// output.set_nonblocking(true)?;
            /// # child.wait()?;
            /// # Ok::<(), std::io::Error>(())
            /// ```
            pub fn set_nonblocking(&self, nonblocking: bool) -> io::Result<()> {
                Ok(ioctl_fionbio(&*self.inner, nonblocking)?)
            }

            /// Runs an operation on the descriptor that this type has no method for, such as `splice(2)`, and notes if
            /// it would have blocked.
            ///
            /// # Errors
            ///
            /// Those of `operation`.
            ///
            /// # Examples
            ///
            /// ```
            /// use mio::unix::pipe;
            /// use std::io::ErrorKind;
            ///
            /// let (_sender, receiver) = pipe::new()?;
            /// let mut buffer = [0; 16];
            /// let read = receiver.try_io(|| Ok(rustix::io::read(&receiver, &mut buffer)?));
            /// assert_eq!(read.unwrap_err().kind(), ErrorKind::WouldBlock);
            /// # Ok::<(), std::io::Error>(())
            /// ```
            #[inline]
            pub fn try_io<F, T>(&self, operation: F) -> io::Result<T>
            where
                F: FnOnce() -> io::Result<T>,
            {
                self.inner.do_io(|_| operation())
            }
        }

        crate::source::forward_source!($end);
        crate::handles::fd_handles!($end);

        $(
            /// The pipe is not in non-blocking mode: call `set_nonblocking(true)` first.
            impl From<$child> for $end {
                fn from(child: $child) -> $end {
                    $end::from(OwnedFd::from(child))
                }
            }
        )+
    };
}

pipe_end!(Sender, ChildStdin);
pipe_end!(Receiver, ChildStdout, ChildStderr);

macro_rules! write_pipe {
    ($sender:ty) => {
        impl Write for $sender {
            #[inline(always)]
            fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
                let result = covered(write(&*self.inner, bytes)).map_err(io::Error::from);
                self.inner.after_stream_write(result, bytes.len())
            }

            #[inline(always)]
            fn write_vectored(&mut self, buffers: &[IoSlice<'_>]) -> io::Result<usize> {
                let result = covered(writev(&*self.inner, buffers)).map_err(io::Error::from);
                self.inner.after_vectored_write(result, buffers)
            }

            /// Does nothing: a pipe keeps nothing back.
            #[inline]
            fn flush(&mut self) -> io::Result<()> {
                Ok(())
            }
        }
    };
}

write_pipe!(Sender);
write_pipe!(&Sender);

macro_rules! read_pipe {
    ($receiver:ty) => {
        impl Read for $receiver {
            #[inline(always)]
            fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
                let result = covered(read(&*self.inner, &mut *buffer)).map_err(io::Error::from);
                self.inner.after_stream_read(result, buffer.len())
            }

            #[inline(always)]
            fn read_vectored(&mut self, buffers: &mut [IoSliceMut<'_>]) -> io::Result<usize> {
                let result = covered(readv(&*self.inner, buffers)).map_err(io::Error::from);
                self.inner.after_vectored_read(result, buffers)
            }
        }
    };
}

read_pipe!(Receiver);
read_pipe!(&Receiver);
