//! [`WaitHandle`].

use std::fmt;
use std::io;
use std::os::windows::io::{AsHandle, AsRawHandle, BorrowedHandle, OwnedHandle, RawHandle};
use std::sync::{Arc, Weak};

use crate::event::Source;
use crate::queue::Queue;
use crate::sys::selector::Wanted;
use crate::sys::wait_handle::{self, Wait};
use crate::{Interest, Registry, Token};

/// A source of anything that can be waited for: a process, an event object, a semaphore, a timer, the console's input.
///
/// It is readable when its object is *signalled*, that is, when `WaitForSingleObject` would return:
///
/// | object | is signalled |
/// | --- | --- |
/// | process, thread | when it has ended, and from then on |
/// | event, timer: manual-reset | from when it is set until it is reset |
/// | event, timer: auto-reset (synchronization) | from when it is set until one wait has succeeded |
/// | semaphore | while its count is above zero; a wait that succeeds takes one |
/// | console input | while there is input that was not read |
/// | change notification (`FindFirstChangeNotificationW`) | from a change until `FindNextChangeNotification` |
///
/// Files, sockets and pipes are signalled by operations that complete, whose ever they are, so they make poor sources:
/// there are [`NamedPipe`](crate::windows::NamedPipe), the sockets of [`net`](crate::net), and
/// [`SourceSocket`](crate::windows::SourceSocket).
///
/// # An event stands for a wait
///
/// To wait changes some objects: an auto-reset event is reset, a semaphore loses one of its count. Here the *queue* waits.
/// So a readable event says that a wait has succeeded, and has taken what a wait takes. Do not wait again for the same
/// signal. An object that others wait for, too, gives each signal to one of them.
///
/// [`try_wait`](WaitHandle::try_wait) waits for no time. Each of its `Ok`s, and each readable event, stands for one wait that
/// has succeeded. So a semaphore that was released five times makes five of them, taken together, if nobody else waits.
///
/// # Triggers
///
/// | trigger | after an event |
/// | --- | --- |
/// | [`Level`](crate::Trigger::Level) | the next poll waits again: one event in each poll while the object is signalled |
/// | [`Edge`](crate::Trigger::Edge) | nothing, until `try_wait` has returned [`WouldBlock`](io::ErrorKind::WouldBlock) |
/// | [`Oneshot`](crate::Trigger::Oneshot), [`EdgeOneshot`](crate::Trigger::EdgeOneshot) | nothing, until reregistered |
///
/// With an edge trigger call `try_wait` until it would block, as one reads a socket. An object that is signalled for good, or
/// of which one event is all that is wanted, needs no `try_wait`: an ended process is reported once.
///
/// # Registering
///
/// Only [`Interest::READABLE`] makes sense. A source can be registered with one `Poll` at a time; after it was deregistered,
/// or the `Poll` is gone, with another one.
///
/// When a registration ends, the object may be signalled already, with an event that nobody has polled. The event is not
/// reported any more; what the wait has taken is not lost: the next `try_wait` is `Ok`, or the next registration reports it.
/// Dropping the source loses it.
///
/// | error of registering | when |
/// | --- | --- |
/// | [`InvalidInput`](io::ErrorKind::InvalidInput) | another interest than `READABLE` |
/// | [`Unsupported`](io::ErrorKind::Unsupported) | a mutex, which would belong to the thread that waits |
/// | [`PermissionDenied`](io::ErrorKind::PermissionDenied) (`ERROR_ACCESS_DENIED`) | the handle has no right to wait (`SYNCHRONIZE`) |
/// | OS error `ERROR_INVALID_HANDLE`, or what else the system says | the handle is of nothing that can be waited for |
///
/// Should the system refuse to wait again, later, for want of memory, the event is an [error](crate::event::Event::is_error)
/// and not readable. Nothing is reported after that until `try_wait` is called, or the source reregistered.
///
/// # How it waits
///
/// | system | by | costs |
/// | --- | --- | --- |
/// | Windows 8 and later | a wait completion packet: the kernel leaves the packet in the queue | no thread; two system calls for each wait |
/// | Wine 8 and others without | a thread of the system's thread pool, which posts the packet | a thread for many handles, and one for callbacks |
///
/// No wait allocates. With a level trigger each poll looks at the sources that the last one has reported: two system calls
/// each.
///
/// # Examples
///
/// The end of a process:
///
/// ```
/// use mio::windows::WaitHandle;
/// use mio::{Events, Interest, Poll, Token};
/// use std::process::Command;
///
/// # fn main() -> std::io::Result<()> {
/// let mut child = Command::new("cmd").args(["/c", "exit 7"]).spawn()?;
/// let mut exit = WaitHandle::new(&child)?;
///
/// let mut poll = Poll::new()?;
/// let mut events = Events::with_capacity(8);
/// poll.registry().register(&mut exit, Token(0), Interest::READABLE)?;
///
/// poll.poll(&mut events, None)?;
/// assert!(events.iter().any(|event| event.token() == Token(0) && event.is_readable()));
/// assert_eq!(child.wait()?.code(), Some(7)); // does not block any more
/// # Ok(())
/// # }
/// ```
pub struct WaitHandle {
    wait: Arc<Wait>,
    handle: OwnedHandle,
    /// While it is registered.
    queue: Option<Arc<Queue>>,
    /// The one that it was registered with last.
    last: Weak<Queue>,
}

impl WaitHandle {
    /// A source of what `handle` stands for, without taking the handle: a [`Child`](std::process::Child), a
    /// [`JoinHandle`](std::thread::JoinHandle), an [`OwnedHandle`].
    ///
    /// The source has a duplicate, with the same rights. So the original may be closed. To hand over a handle instead, use
    /// `From`.
    ///
    /// # Errors
    ///
    /// Those of `DuplicateHandle`.
    ///
    /// # Examples
    ///
    /// The end of a thread:
    ///
    /// ```
    /// use mio::windows::WaitHandle;
    /// use mio::{Events, Interest, Poll, Token};
    /// use std::thread;
    ///
    /// # fn main() -> std::io::Result<()> {
    /// let mut poll = Poll::new()?;
    /// let mut events = Events::with_capacity(8);
    ///
    /// let thread = thread::spawn(|| 6 * 7);
    /// let mut end = WaitHandle::new(&thread)?;
    /// poll.registry().register(&mut end, Token(0), Interest::READABLE)?;
    ///
    /// poll.poll(&mut events, None)?;
    /// assert_eq!(thread.join().unwrap(), 42);
    /// # Ok(())
    /// # }
    /// ```
    pub fn new<T: AsHandle + ?Sized>(handle: &T) -> io::Result<WaitHandle> {
        wait_handle::duplicate(handle.as_handle()).map(WaitHandle::from)
    }

    /// Waits for no time: `Ok` if the object is signalled.
    ///
    /// That is a wait, which takes from the object what a wait takes. It can be called whether the source is registered or
    /// not. If it is, with an edge trigger, and the object is not signalled, an event will be reported once it is.
    ///
    /// # Errors
    ///
    /// | kind | when |
    /// | --- | --- |
    /// | [`WouldBlock`](io::ErrorKind::WouldBlock) | the object is not signalled |
    /// | others | those of registering |
    ///
    /// # Examples
    ///
    /// ```
    /// use mio::windows::WaitHandle;
    /// use std::io::ErrorKind;
    /// use std::process::{Command, Stdio};
    ///
    /// # fn main() -> std::io::Result<()> {
    /// let mut child = Command::new("cmd").stdin(Stdio::piped()).stdout(Stdio::null()).spawn()?;
    /// let exit = WaitHandle::new(&child)?;
    /// assert_eq!(exit.try_wait().unwrap_err().kind(), ErrorKind::WouldBlock);
    ///
    /// drop(child.stdin.take()); // the end of its input
    /// child.wait()?;
    /// exit.try_wait()?;
    /// exit.try_wait()?; // a process is signalled for good
    /// # Ok(())
    /// # }
    /// ```
    pub fn try_wait(&self) -> io::Result<()> {
        let queue = self.queue.as_ref();
        self.wait.try_wait(
            self.handle.as_handle(),
            queue.map(|queue| queue.selector.operations()),
        )
    }

    /// Ends the registration, if there is one.
    fn end(&mut self) {
        if let Some(queue) = self.queue.take() {
            // It is registered, so there is no error.
            let _ = self.wait.deregister(queue.selector.operations());
        }
    }
}

impl Source for WaitHandle {
    fn register(
        &mut self,
        registry: &Registry,
        token: Token,
        interests: Interest,
    ) -> io::Result<()> {
        let wanted = wanted(registry, token, interests)?;
        let queue = registry.queue();
        match &self.queue {
            Some(own) if Arc::ptr_eq(own, queue) || !own.is_abandoned() => {
                return Err(io::ErrorKind::AlreadyExists.into())
            }
            _ => self.end(),
        }
        if !std::ptr::eq(self.last.as_ptr(), Arc::as_ptr(queue)) {
            if let Some(other) = self.wait.for_another_queue() {
                self.wait = other;
            }
            self.last = Arc::downgrade(queue);
        }
        let operations = queue.selector.operations();
        self.wait
            .register(self.handle.as_handle(), operations, wanted)?;
        self.queue = Some(Arc::clone(queue));
        Ok(())
    }

    fn reregister(
        &mut self,
        registry: &Registry,
        token: Token,
        interests: Interest,
    ) -> io::Result<()> {
        let wanted = wanted(registry, token, interests)?;
        match &self.queue {
            Some(own) if Arc::ptr_eq(own, registry.queue()) => {
                self.wait.reregister(own.selector.operations(), wanted)
            }
            _ => Err(io::ErrorKind::NotFound.into()),
        }
    }

    fn deregister(&mut self, registry: &Registry) -> io::Result<()> {
        match &self.queue {
            Some(own) if Arc::ptr_eq(own, registry.queue()) => {
                self.end();
                Ok(())
            }
            _ => Err(io::ErrorKind::NotFound.into()),
        }
    }
}

fn wanted(registry: &Registry, token: Token, interest: Interest) -> io::Result<Wanted> {
    if interest != Interest::READABLE {
        return Err(io::Error::new(
            io::ErrorKind::InvalidInput,
            "what is waited for becomes readable and nothing else: register it with Interest::READABLE",
        ));
    }
    Ok(Wanted {
        token,
        interest,
        trigger: registry.trigger(),
    })
}

/// Hands over a handle. Whether it can be waited for, registering says.
impl From<OwnedHandle> for WaitHandle {
    fn from(handle: OwnedHandle) -> WaitHandle {
        WaitHandle {
            wait: Wait::new(),
            handle,
            queue: None,
            last: Weak::new(),
        }
    }
}

impl AsHandle for WaitHandle {
    fn as_handle(&self) -> BorrowedHandle<'_> {
        self.handle.as_handle()
    }
}

impl AsRawHandle for WaitHandle {
    fn as_raw_handle(&self) -> RawHandle {
        self.handle.as_raw_handle()
    }
}

impl fmt::Debug for WaitHandle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WaitHandle")
            .field("handle", &self.handle)
            .finish_non_exhaustive()
    }
}

impl Drop for WaitHandle {
    fn drop(&mut self) {
        self.end();
    }
}
