//! A queue, and objects to wait for.

use std::io::{self, ErrorKind};
use std::os::windows::io::{AsHandle, AsRawHandle, BorrowedHandle, FromRawHandle, OwnedHandle};
use std::ptr;
use std::time::{Duration, Instant};

use mio::event::Event;
use mio::windows::WaitHandle;
use mio::{Events, Interest, Poll, Registry, Token, Trigger};
use windows_sys::Win32::Foundation::HANDLE;
use windows_sys::Win32::System::Threading::{
    CreateEventW, CreateSemaphoreW, ReleaseSemaphore, ResetEvent, SetEvent,
};

pub(crate) const READ: Interest = Interest::READABLE;
pub(crate) const ONE: Token = Token(1);
pub(crate) const TWO: Token = Token(2);

pub(crate) const TRIGGERS: [Trigger; 4] = [
    Trigger::Edge,
    Trigger::Level,
    Trigger::Oneshot,
    Trigger::EdgeOneshot,
];

/// How long anything may take that has to happen.
pub(crate) const PATIENCE: Duration = Duration::from_secs(10);

/// How long nothing has to happen to count as silence.
pub(crate) const SILENCE: Duration = Duration::from_millis(20);

pub(crate) struct Bed {
    pub(crate) poll: Poll,
    pub(crate) events: Events,
}

impl Bed {
    pub(crate) fn new() -> Bed {
        Bed {
            poll: Poll::new().unwrap(),
            events: Events::with_capacity(64),
        }
    }

    pub(crate) fn registry(&self) -> &Registry {
        self.poll.registry()
    }

    /// A source of `object`, registered.
    pub(crate) fn watch(
        &self,
        object: &impl AsHandle,
        token: Token,
        trigger: Trigger,
    ) -> WaitHandle {
        let mut source = WaitHandle::new(object).unwrap();
        let registry = self.registry().with_trigger(trigger);
        registry.register(&mut source, token, READ).unwrap();
        source
    }

    /// Polls once, and returns what came.
    pub(crate) fn turn(&mut self, timeout: Duration) -> Vec<Event> {
        self.poll.poll(&mut self.events, Some(timeout)).unwrap();
        self.events.iter().cloned().collect()
    }

    /// Polls once: there is one event, readable, of `token`.
    #[track_caller]
    pub(crate) fn expect(&mut self, token: Token) {
        let seen = self.turn(PATIENCE);
        assert_eq!(seen.len(), 1, "{seen:?}");
        assert_eq!(seen[0].token(), token);
        assert!(seen[0].is_readable(), "{seen:?}");
        let other = seen[0].is_writable() || seen[0].is_read_closed() || seen[0].is_error();
        assert!(!other, "{seen:?}");
    }

    #[track_caller]
    pub(crate) fn expect_silence(&mut self) {
        let start = Instant::now();
        let seen = self.turn(SILENCE);
        assert!(seen.is_empty(), "expected silence: {seen:?}");
        assert!(start.elapsed() >= SILENCE, "a poll has ended early");
    }
}

/// An event object.
pub(crate) struct Flag(OwnedHandle);

impl Flag {
    pub(crate) fn manual() -> Flag {
        Flag::new(1)
    }

    pub(crate) fn auto() -> Flag {
        Flag::new(0)
    }

    fn new(manual: i32) -> Flag {
        // SAFETY: Makes a new one, without a name.
        Flag(own(unsafe {
            CreateEventW(ptr::null(), manual, 0, ptr::null())
        }))
    }

    pub(crate) fn set(&self) {
        // SAFETY: The handle is open.
        assert_ne!(unsafe { SetEvent(self.0.as_raw_handle()) }, 0);
    }

    pub(crate) fn reset(&self) {
        // SAFETY: The handle is open.
        assert_ne!(unsafe { ResetEvent(self.0.as_raw_handle()) }, 0);
    }
}

impl AsHandle for Flag {
    fn as_handle(&self) -> BorrowedHandle<'_> {
        self.0.as_handle()
    }
}

/// A semaphore with a count of zero.
pub(crate) struct Semaphore(OwnedHandle);

impl Semaphore {
    pub(crate) fn new() -> Semaphore {
        // SAFETY: Makes a new one, without a name.
        Semaphore(own(unsafe {
            CreateSemaphoreW(ptr::null(), 0, i32::MAX, ptr::null())
        }))
    }

    pub(crate) fn release(&self, count: i32) {
        // SAFETY: The handle is open.
        let done = unsafe { ReleaseSemaphore(self.0.as_raw_handle(), count, ptr::null_mut()) };
        assert_ne!(done, 0);
    }
}

impl AsHandle for Semaphore {
    fn as_handle(&self) -> BorrowedHandle<'_> {
        self.0.as_handle()
    }
}

/// A handle that a function of the system has made.
pub(crate) fn own(handle: HANDLE) -> OwnedHandle {
    assert!(!handle.is_null(), "{}", io::Error::last_os_error());
    // SAFETY: It was made just now, and nobody else knows it.
    unsafe { OwnedHandle::from_raw_handle(handle) }
}

/// The object is not signalled, which arms edges.
#[track_caller]
pub(crate) fn nothing(source: &WaitHandle) {
    let error = source.try_wait().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::WouldBlock, "{error}");
}
