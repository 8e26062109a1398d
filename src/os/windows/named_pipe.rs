//! [`NamedPipe`]: the server's or the client's end of a named pipe.

use std::ffi::OsStr;
use std::fmt;
use std::io::{self, Read, Write};
use std::os::windows::io::{
    AsHandle, AsRawHandle, BorrowedHandle, FromRawHandle, OwnedHandle, RawHandle,
};
use std::sync::Arc;

use crate::event::Source;
use crate::queue::Queue;
use crate::sys::named_pipe::{self, Pipe};
use crate::sys::selector::Wanted;
use crate::{Interest, Registry, Token};

/// One end of a named pipe, read and written without blocking.
///
/// The system has no readiness of named pipes, only operations that complete. So this type has a buffer for each
/// direction. A read is always at work while the pipe waits to be readable, and what it brings is kept for the next
/// [`read`](Read::read). What a [`write`](Write::write) takes goes on being written after the call: a message as a
/// whole, of anything else 64 KiB at most.
///
/// # Servers
///
/// [`new`](NamedPipe::new) makes an instance of a pipe, [`connect`](NamedPipe::connect) waits for a client, and
/// [`disconnect`](NamedPipe::disconnect) makes the instance free for the next one. An instance has one client at a time;
/// serving several at once takes as many instances. A server that was registered before its client came, and
/// does not call `connect`, has no events until it reads or writes with the client there.
///
/// # Clients
///
/// A client is a file that was opened with `FILE_FLAG_OVERLAPPED`, and given to [`from_raw_handle`] or `From`:
///
/// ```
/// use mio::windows::NamedPipe;
/// use std::fs::OpenOptions;
/// use std::os::windows::fs::OpenOptionsExt;
/// use std::os::windows::io::OwnedHandle;
///
/// const FILE_FLAG_OVERLAPPED: u32 = 0x4000_0000;
///
/// # fn main() -> std::io::Result<()> {
/// # let name = format!(r"\\.\pipe\mio-doc-client-{}", std::process::id());
/// # let _server = NamedPipe::new(&name)?;
/// let file = OpenOptions::new()
///     .read(true)
///     .write(true)
///     .custom_flags(FILE_FLAG_OVERLAPPED)
///     .open(name)?;
/// let client = NamedPipe::from(OwnedHandle::from(file));
/// # drop(client);
/// # Ok(())
/// # }
/// ```
///
/// # Readiness
///
/// | an event that is | says |
/// | --- | --- |
/// | readable | something was read, the other end is closed, or reading has failed |
/// | writable | a client has come, the last write is over, or one of them has failed |
/// | read closed | the other end is closed, and everything was read |
/// | write closed, error | the last write has failed, or waiting for a client has |
///
/// A pipe must be registered before it is used: until then all its operations would block. It belongs to the first
/// [`Poll`](crate::Poll) that it was registered with, also after it was deregistered.
///
/// With an edge trigger what a read has left over is not reported again: drain until
/// [`WouldBlock`](io::ErrorKind::WouldBlock). A write is reported when it is over, also one that was over before its call
/// returned. The next one may follow such a write without waiting for that; several between two polls are one event.
///
/// # Messages
///
/// A pipe of messages (`PIPE_TYPE_MESSAGE`) keeps what one `write` is given together, and a read brings one message at
/// most. A message that is longer than the buffer of `read` is continued by the next one. Messages of up to 4 KiB are read
/// in one piece; longer ones may come in several. A message without content reads as zero bytes. Set the
/// mode of reading before the pipe is registered.
///
/// # Serial ports
///
/// What is no pipe, but is read and written from one end to the other with overlapped operations, can be used as one: a
/// serial port, for example. It counts as connected. Have `SetCommTimeouts` say that a read ends with what has come, and
/// does not wait for a full buffer. A read that has waited for as long as it may, and in vain, returns `Ok(0)`. A write that
/// gets no further in its time fails with [`TimedOut`](io::ErrorKind::TimedOut), and one that `PurgeComm` ends with OS error
/// `ERROR_OPERATION_ABORTED`; both are returned by the next write.
///
/// # Errors
///
/// | operation | result | when |
/// | --- | --- | --- |
/// | `read` | `Ok(0)` | the other end is closed; or it has made a write of no bytes |
/// | `read` | `WouldBlock` | nothing has come yet; nobody has connected yet |
/// | `read`, `write` | OS error `ERROR_PIPE_NOT_CONNECTED` | after the server's [`disconnect`](NamedPipe::disconnect), at both ends |
/// | `write` | `WouldBlock` | the last write goes on |
/// | `write` | [`BrokenPipe`](io::ErrorKind::BrokenPipe) | the other end is closed |
/// | `write` | OS error `ERROR_PIPE_LISTENING` | nobody has connected yet |
///
/// The error of a write that went on after its call is returned by the next one.
///
/// # Dropping
///
/// Dropping a pipe ends what it waits for, and closes it. But what `write` has taken is still written, as long as the other
/// end reads it and the `Poll` is there and polled: the handle is closed after that. A thread that registered or used a
/// pipe may end; what it has started goes on.
///
/// # Examples
///
/// ```
/// use mio::windows::NamedPipe;
/// use mio::{Events, Interest, Poll, Token};
/// use std::io::{ErrorKind, Read, Write};
/// # use std::fs::OpenOptions;
/// # use std::os::windows::fs::OpenOptionsExt;
/// # use std::os::windows::io::OwnedHandle;
///
/// # fn main() -> std::io::Result<()> {
/// # let name = format!(r"\\.\pipe\mio-doc-{}", std::process::id());
/// let mut poll = Poll::new()?;
/// let mut events = Events::with_capacity(8);
///
/// let mut server = NamedPipe::new(&name)?;
/// poll.registry().register(&mut server, Token(0), Interest::READABLE | Interest::WRITABLE)?;
/// assert_eq!(server.connect().unwrap_err().kind(), ErrorKind::WouldBlock);
/// # let file = OpenOptions::new().read(true).write(true).custom_flags(0x4000_0000).open(&name)?;
/// # let mut client = NamedPipe::from(OwnedHandle::from(file));
/// // … in another program, or here, a client opens the pipe …
/// poll.poll(&mut events, None)?;
/// assert!(events.iter().any(|event| event.token() == Token(0) && event.is_writable()));
///
/// poll.registry().register(&mut client, Token(1), Interest::READABLE)?;
/// server.write_all(b"hello")?;
/// let mut buffer = [0; 16];
/// let n = loop {
///     poll.poll(&mut events, None)?;
///     match client.read(&mut buffer) {
///         Err(error) if error.kind() == ErrorKind::WouldBlock => {}
///         result => break result?,
///     }
/// };
/// assert_eq!(&buffer[..n], b"hello");
/// # Ok(())
/// # }
/// ```
///
/// [`from_raw_handle`]: FromRawHandle::from_raw_handle
pub struct NamedPipe {
    pipe: Arc<Pipe>,
    /// Open as long as this lives.
    handle: RawHandle,
    /// Open as long as there is somebody whose operations it knows of.
    queue: Option<Arc<Queue>>,
}

// SAFETY: The handle is a number that the system understands on every thread. The rest is both anyway.
unsafe impl Send for NamedPipe {}
// SAFETY: As above.
unsafe impl Sync for NamedPipe {}

impl NamedPipe {
    /// Makes an instance of the pipe `name`, which is of the form `\\.\pipe\NAME`, for a server.
    ///
    /// It can be read and written, is of bytes, has buffers of 64 KiB each way, and there may be any number of instances of
    /// the same name. Child processes do not inherit it. It can be opened by who the system's default for new pipes
    /// allows to, from other machines as well. For anything else, call `CreateNamedPipeW` with `FILE_FLAG_OVERLAPPED`, and
    /// `From`.
    ///
    /// # Errors
    ///
    /// [`InvalidInput`](io::ErrorKind::InvalidInput) if there is a NUL in the name; those of the system: for example, of a
    /// name of another form, or of a pipe whose first instance was made with other properties.
    ///
    /// # Examples
    ///
    /// ```
    /// use mio::windows::NamedPipe;
    ///
    /// let name = format!(r"\\.\pipe\mio-doc-new-{}", std::process::id());
    /// // Two instances of one pipe, for two clients at a time.
    /// let (first, second) = (NamedPipe::new(&name)?, NamedPipe::new(&name)?);
    /// # drop((first, second));
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn new<A: AsRef<OsStr>>(name: A) -> io::Result<NamedPipe> {
        named_pipe::create(name.as_ref()).map(NamedPipe::from)
    }

    /// Waits for a client, unless one is there.
    ///
    /// `Ok` says that there is one. If there is none yet, the result is [`WouldBlock`](io::ErrorKind::WouldBlock), and an
    /// event that is writable will say that it is worth to look: call this again.
    ///
    /// A client that has gone meanwhile is one, too: what it has sent can be read, and then its end. It remains the client
    /// until it is [disconnected](NamedPipe::disconnect).
    ///
    /// # Errors
    ///
    /// | kind | when |
    /// | --- | --- |
    /// | [`WouldBlock`](io::ErrorKind::WouldBlock) | there is no client yet; the pipe was never registered |
    /// | others | what the system says, now or after the event |
    ///
    /// # Examples
    ///
    /// ```
    /// use mio::windows::NamedPipe;
    /// use mio::{Interest, Poll, Token};
    /// use std::io::ErrorKind;
    ///
    /// # let name = format!(r"\\.\pipe\mio-doc-connect-{}", std::process::id());
    /// let poll = Poll::new()?;
    /// let mut server = NamedPipe::new(&name)?;
    /// poll.registry().register(&mut server, Token(0), Interest::READABLE | Interest::WRITABLE)?;
    /// match server.connect() {
    ///     Ok(()) => println!("a client is there"),
    ///     Err(error) if error.kind() == ErrorKind::WouldBlock => { /* poll */ }
    ///     Err(error) => return Err(error),
    /// }
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn connect(&self) -> io::Result<()> {
        match &self.queue {
            Some(queue) => self.pipe.connect(queue.selector.operations()),
            None => Err(io::ErrorKind::WouldBlock.into()),
        }
    }

    /// Ends the connection with the client, so that the next one can [`connect`](NamedPipe::connect).
    ///
    /// What the client has not read is lost, what it has sent and was not read here, too. A client notices: its operations
    /// fail.
    ///
    /// # Errors
    ///
    /// Those of the system; of a client's end, always.
    ///
    /// # Examples
    ///
    /// ```
    /// use mio::windows::NamedPipe;
    /// use mio::{Interest, Poll, Token};
    /// use std::io::ErrorKind;
    ///
    /// # let name = format!(r"\\.\pipe\mio-doc-disconnect-{}", std::process::id());
    /// let poll = Poll::new()?;
    /// let mut server = NamedPipe::new(&name)?;
    /// poll.registry().register(&mut server, Token(0), Interest::READABLE | Interest::WRITABLE)?;
    /// assert_eq!(server.connect().unwrap_err().kind(), ErrorKind::WouldBlock);
    /// # let client = std::fs::OpenOptions::new().read(true).write(true).open(&name)?;
    /// // … a client has come, and was served …
    /// server.disconnect()?;
    /// # drop(client);
    /// assert_eq!(server.connect().unwrap_err().kind(), ErrorKind::WouldBlock); // the next one
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn disconnect(&self) -> io::Result<()> {
        self.pipe.disconnect()
    }

    /// The error that has ended waiting for a client, once.
    ///
    /// # Errors
    ///
    /// None.
    ///
    /// # Examples
    ///
    /// ```
    /// use mio::windows::NamedPipe;
    /// use mio::{Interest, Poll, Token};
    ///
    /// # let name = format!(r"\\.\pipe\mio-doc-take-error-{}", std::process::id());
    /// let poll = Poll::new()?;
    /// let mut server = NamedPipe::new(&name)?;
    /// poll.registry().register(&mut server, Token(0), Interest::READABLE | Interest::WRITABLE)?;
    /// if let Some(error) = server.take_error()? {
    ///     println!("cannot wait for a client: {error}");
    /// }
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn take_error(&self) -> io::Result<Option<io::Error>> {
        Ok(self.pipe.take_error())
    }

    /// Ties the pipe to a queue, for good.
    fn attach(&mut self, registry: &Registry) -> io::Result<()> {
        let queue = registry.queue();
        match &self.queue {
            None => {
                self.pipe.attach(queue.selector.operations())?;
                self.queue = Some(Arc::clone(queue));
                Ok(())
            }
            Some(own) if Arc::ptr_eq(own, queue) => Ok(()),
            Some(_) => Err(io::Error::new(
                io::ErrorKind::AlreadyExists,
                "the pipe belongs to the `Poll` that it was registered with first",
            )),
        }
    }

    fn is_of(&self, registry: &Registry) -> io::Result<()> {
        match &self.queue {
            Some(own) if Arc::ptr_eq(own, registry.queue()) => Ok(()),
            _ => Err(io::Error::new(
                io::ErrorKind::NotFound,
                "the pipe is not registered with this `Poll`",
            )),
        }
    }
}

impl Source for NamedPipe {
    fn register(
        &mut self,
        registry: &Registry,
        token: Token,
        interests: Interest,
    ) -> io::Result<()> {
        self.attach(registry)?;
        let operations = registry.queue().selector.operations();
        let wanted = wanted(registry, token, interests);
        self.pipe.register(operations, wanted, false)
    }

    fn reregister(
        &mut self,
        registry: &Registry,
        token: Token,
        interests: Interest,
    ) -> io::Result<()> {
        self.is_of(registry)?;
        let operations = registry.queue().selector.operations();
        let wanted = wanted(registry, token, interests);
        self.pipe.register(operations, wanted, true)
    }

    fn deregister(&mut self, registry: &Registry) -> io::Result<()> {
        self.is_of(registry)?;
        self.pipe.deregister()
    }
}

fn wanted(registry: &Registry, token: Token, interest: Interest) -> Wanted {
    Wanted {
        token,
        interest,
        trigger: registry.trigger(),
    }
}

impl Read for NamedPipe {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        (&*self).read(buffer)
    }
}

impl Read for &NamedPipe {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match &self.queue {
            Some(queue) => self.pipe.read(queue.selector.operations(), buffer),
            None => Err(io::ErrorKind::WouldBlock.into()),
        }
    }
}

impl Write for NamedPipe {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        (&*self).write(bytes)
    }

    /// Does nothing, and does not wait for a write that goes on.
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Write for &NamedPipe {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match &self.queue {
            Some(queue) => self.pipe.write(queue.selector.operations(), bytes),
            None => Err(io::ErrorKind::WouldBlock.into()),
        }
    }

    /// Does nothing, and does not wait for a write that goes on.
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// The pipe must have been opened for overlapped operations: registering fails if not.
impl From<OwnedHandle> for NamedPipe {
    fn from(handle: OwnedHandle) -> NamedPipe {
        NamedPipe {
            handle: handle.as_raw_handle(),
            pipe: Pipe::new(handle),
            queue: None,
        }
    }
}

impl FromRawHandle for NamedPipe {
    /// Takes over a pipe, which must have been opened for overlapped operations: registering says so if not.
    ///
    /// # Safety
    ///
    /// As for [`OwnedHandle`]: the handle is open, and belongs to the caller.
    unsafe fn from_raw_handle(handle: RawHandle) -> NamedPipe {
        // SAFETY: The caller keeps the contract, which is the same.
        NamedPipe::from(unsafe { OwnedHandle::from_raw_handle(handle) })
    }
}

impl AsRawHandle for NamedPipe {
    fn as_raw_handle(&self) -> RawHandle {
        self.handle
    }
}

impl AsHandle for NamedPipe {
    fn as_handle(&self) -> BorrowedHandle<'_> {
        // SAFETY: Open as long as this lives.
        unsafe { BorrowedHandle::borrow_raw(self.handle) }
    }
}

impl fmt::Debug for NamedPipe {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("NamedPipe")
            .field("handle", &self.handle)
            .finish_non_exhaustive()
    }
}

impl Drop for NamedPipe {
    fn drop(&mut self) {
        let queue = self.queue.as_ref();
        self.pipe
            .drop_by_user(queue.map(|queue| queue.selector.operations()));
    }
}
