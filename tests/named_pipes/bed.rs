//! A queue, and both ends of a pipe.

use std::ffi::OsStr;
use std::fs::OpenOptions;
use std::io::{self, ErrorKind, Read, Write};
use std::os::windows::ffi::OsStrExt;
use std::os::windows::fs::OpenOptionsExt;
use std::os::windows::io::{AsRawHandle, FromRawHandle, OwnedHandle};
use std::process;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use mio::event::Event;
use mio::windows::NamedPipe;
use mio::{Events, Interest, Poll, Registry, Token, Trigger};
use windows_sys::Win32::Foundation::INVALID_HANDLE_VALUE;
use windows_sys::Win32::Storage::FileSystem::{FILE_FLAG_OVERLAPPED, PIPE_ACCESS_DUPLEX};
use windows_sys::Win32::System::Pipes::{
    CreateNamedPipeW, PIPE_READMODE_MESSAGE, PIPE_TYPE_MESSAGE,
};
use windows_sys::Win32::System::IO::CancelIoEx;

pub(crate) const SERVER: Token = Token(1);
pub(crate) const CLIENT: Token = Token(2);

pub(crate) const BOTH: Interest = Interest::READABLE.add(Interest::WRITABLE);

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

    /// Polls once, and returns what came.
    pub(crate) fn turn(&mut self, timeout: Duration) -> Vec<Event> {
        self.poll.poll(&mut self.events, Some(timeout)).unwrap();
        self.events.iter().cloned().collect()
    }

    /// Polls until there is an event of `token` that is as `wanted`.
    #[track_caller]
    pub(crate) fn expect(&mut self, token: Token, wanted: fn(&Event) -> bool) -> Event {
        let deadline = Instant::now() + PATIENCE;
        let mut seen = Vec::new();
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            assert!(!left.is_zero(), "{token:?} did not come, but {seen:?}");
            for event in self.turn(left) {
                if event.token() == token && wanted(&event) {
                    return event;
                }
                seen.push(event);
            }
        }
    }

    #[track_caller]
    pub(crate) fn expect_silence(&mut self) {
        let seen = self.turn(SILENCE);
        assert!(seen.is_empty(), "expected silence: {seen:?}");
    }

    /// Polls until `operation` does not block any more.
    #[track_caller]
    pub(crate) fn until<T>(
        &mut self,
        mut operation: impl FnMut() -> io::Result<T>,
    ) -> io::Result<T> {
        let deadline = Instant::now() + PATIENCE;
        loop {
            match operation() {
                Err(error) if error.kind() == ErrorKind::WouldBlock => {
                    let left = deadline.saturating_duration_since(Instant::now());
                    assert!(!left.is_zero(), "it blocks for ever");
                    self.turn(left);
                }
                result => return result,
            }
        }
    }

    /// Reads so many bytes.
    #[track_caller]
    pub(crate) fn read_exact(&mut self, mut pipe: &NamedPipe, n: usize) -> Vec<u8> {
        let mut bytes = vec![0; n];
        let mut from = 0;
        while from < n {
            let read = self.until(|| pipe.read(&mut bytes[from..])).unwrap();
            assert_ne!(read, 0, "the end after {from} bytes");
            from += read;
        }
        bytes
    }

    /// Writes all of it.
    #[track_caller]
    pub(crate) fn write_all(&mut self, mut pipe: &NamedPipe, mut bytes: &[u8]) {
        while !bytes.is_empty() {
            let n = self.until(|| pipe.write(bytes)).unwrap();
            bytes = &bytes[n..];
        }
    }

    /// Two ends that are connected and registered.
    pub(crate) fn pair(&mut self, trigger: Trigger) -> (NamedPipe, NamedPipe) {
        let (mut server, mut client) = ends();
        let registry = self.registry().with_trigger(trigger);
        registry.register(&mut server, SERVER, BOTH).unwrap();
        registry.register(&mut client, CLIENT, BOTH).unwrap();
        server.connect().unwrap();
        (server, client)
    }
}

/// A name of no other pipe.
pub(crate) fn name() -> String {
    static NEXT: AtomicUsize = AtomicUsize::new(0);
    let number = NEXT.fetch_add(1, Ordering::Relaxed);
    format!(r"\\.\pipe\mio-test-{}-{number}", process::id())
}

/// A client's end.
pub(crate) fn open(name: impl AsRef<OsStr>) -> io::Result<NamedPipe> {
    let file = OpenOptions::new()
        .read(true)
        .write(true)
        .custom_flags(FILE_FLAG_OVERLAPPED)
        .open(name.as_ref())?;
    Ok(NamedPipe::from(OwnedHandle::from(file)))
}

/// Two ends that are connected.
pub(crate) fn ends() -> (NamedPipe, NamedPipe) {
    let name = name();
    let server = NamedPipe::new(&name).unwrap();
    let client = open(&name).unwrap();
    (server, client)
}

/// A server's end of a pipe of messages.
pub(crate) fn message_server(name: &str) -> NamedPipe {
    server(name, PIPE_ACCESS_DUPLEX)
}

/// The same with `access`: which ways bytes go.
pub(crate) fn server(name: &str, access: u32) -> NamedPipe {
    let wide: Vec<u16> = OsStr::new(name).encode_wide().chain([0]).collect();
    // SAFETY: The name ends with a NUL and outlives the call.
    let handle = unsafe {
        CreateNamedPipeW(
            wide.as_ptr(),
            access | FILE_FLAG_OVERLAPPED,
            PIPE_TYPE_MESSAGE | PIPE_READMODE_MESSAGE,
            1,
            1 << 20,
            1 << 20,
            0,
            std::ptr::null(),
        )
    };
    assert_ne!(
        handle,
        INVALID_HANDLE_VALUE,
        "{}",
        io::Error::last_os_error()
    );
    // SAFETY: It was made just now, and nobody else knows it.
    unsafe { NamedPipe::from_raw_handle(handle) }
}

/// Cancels what is in flight, whoever has begun it.
pub(crate) fn cancel(pipe: &NamedPipe) {
    // SAFETY: The handle is open.
    let done = unsafe { CancelIoEx(pipe.as_raw_handle(), std::ptr::null()) };
    assert_ne!(done, 0, "nothing is in flight");
}

/// Bytes that repeat late.
pub(crate) fn pattern(n: usize) -> Vec<u8> {
    (0..n).map(|i| (i * 7 % 253) as u8).collect()
}
