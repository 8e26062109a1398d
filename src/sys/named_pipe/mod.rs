//! The inside of a named pipe: operations that complete, made into readiness.
//!
//! Windows does not tell when a named pipe could be read. It tells when something was read. So there is one buffer for
//! each direction. A read is started when nothing is buffered: when the pipe is registered, and whenever a read of the
//! user's finds nothing. A write goes on after the user's call has returned. Both are the kernel's own business until
//! their packets were fetched from the completion port.
//!
//! What this rests on is the documentation of `ReadFile`, `WriteFile`, `ConnectNamedPipe`, `CancelIoEx` and
//! `SetFileCompletionNotificationModes`. Invariants:
//!
//! - The memory of an operation, its buffer included, belongs to a [`Pipe`] that lives until the packet was fetched: each
//!   operation in flight has a reference of its own.
//! - There is one operation of a kind at a time. The buffer of one that is in flight is not touched.
//! - What happened on a connection that has ended is not reported for the next one: operations that were in flight
//!   when it ended are *stale*.
//!
//! What follows from what is in `state.rs`. Here operations are started, under the same lock.

mod calls;
mod state;

use std::ffi::OsStr;
use std::fmt;
use std::io;
use std::mem;
use std::os::windows::io::{AsHandle, BorrowedHandle, OwnedHandle};
use std::panic::{RefUnwindSafe, UnwindSafe};
use std::ptr::NonNull;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use windows_sys::Win32::System::IO::OVERLAPPED;

use self::state::{Connecting, Kind, Medium, Reading, Refusal, State, Writing};
use super::queue::afd::operation::{Answer, Operation, Operations, Owner};
use super::queue::afd::{Event, Flags};
use super::selector::Wanted;

/// What the kernel and the user of a pipe share.
pub(crate) struct Pipe {
    read: Slot,
    write: Slot,
    connect: Slot,
    /// No operation: its packets say that the pipe is to be looked at.
    notice: Slot,
    inner: Mutex<Inner>,
}

#[derive(Debug)]
struct Inner {
    state: State,
    /// Closed when the user has dropped the pipe and nothing has to be written any more.
    handle: Option<OwnedHandle>,
}

/// One operation, and whose it is.
#[repr(C)]
struct Slot {
    _operation: Operation,
    kind: Kind,
    pipe: *const Pipe,
}

// SAFETY: The pointers are followed while the operation that they belong to is in flight, and it has a reference. The memory
// of an operation is used under the lock by who starts it, and by nobody until its packet was fetched.
unsafe impl Send for Pipe {}
// SAFETY: As above.
unsafe impl Sync for Pipe {}
// Nothing is left half changed where a panic could come between.
impl UnwindSafe for Pipe {}
impl RefUnwindSafe for Pipe {}

static OWNER: Owner = Owner { take, cancel };

/// Makes an instance of the pipe `name`, to be waited on for a client.
pub(crate) fn create(name: &OsStr) -> io::Result<OwnedHandle> {
    calls::create(name)
}

impl Pipe {
    pub(crate) fn new(handle: OwnedHandle) -> Arc<Pipe> {
        Arc::new_cyclic(|pipe: &Weak<Pipe>| {
            let slot = |kind| Slot {
                _operation: Operation::new(&OWNER),
                kind,
                pipe: pipe.as_ptr(),
            };
            Pipe {
                read: slot(Kind::Read),
                write: slot(Kind::Write),
                connect: slot(Kind::Connect),
                notice: slot(Kind::Notice),
                inner: Mutex::new(Inner {
                    state: State::new(),
                    handle: Some(handle),
                }),
            }
        })
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        // Nothing under the lock leaves a state half changed where it could panic.
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Ties the pipe to a queue, for good.
    pub(crate) fn attach(&self, queue: Operations<'_>) -> io::Result<()> {
        let mut inner = self.lock();
        // First of all: this refuses a handle that was not opened for overlapped operations. To ask such a handle may take as
        // long as another thread reads from it.
        queue.attach(inner.handle())?;
        let (medium, connected) = calls::inspect(inner.handle());
        inner.state.skips_packets = medium == Medium::Bytes && calls::skip_packets(inner.handle());
        (inner.state.medium, inner.state.connected) = (medium, connected);
        Ok(())
    }

    pub(crate) fn register(
        self: &Arc<Pipe>,
        queue: Operations<'_>,
        wanted: Wanted,
        again: bool,
    ) -> io::Result<()> {
        let mut inner = self.lock();
        let before = inner.state.register(wanted, again).map_err(error)?;
        self.keep_reading(&mut inner, queue);
        let posted = self.notice_if_ready(&mut inner.state, queue);
        if posted.is_err() {
            inner.state.restore(before);
        }
        posted
    }

    pub(crate) fn deregister(&self) -> io::Result<()> {
        self.lock().state.deregister().map_err(error)
    }

    pub(crate) fn connect(self: &Arc<Pipe>, queue: Operations<'_>) -> io::Result<()> {
        let mut inner = self.lock();
        inner.state.check_connecting().map_err(error)?;
        self.start_connecting(&mut inner, queue);
        inner.state.check_connecting().map_err(error)?;
        inner.state.connected_at_once();
        self.keep_reading(&mut inner, queue);
        self.notice_if_ready(&mut inner.state, queue)
    }

    pub(crate) fn disconnect(&self) -> io::Result<()> {
        let mut inner = self.lock();
        calls::disconnect(inner.handle())?;
        inner.state.disconnected();
        Ok(())
    }

    /// The error of an attempt to connect, once.
    pub(crate) fn take_error(&self) -> Option<io::Error> {
        self.lock().state.take_error().map(calls::os_error)
    }

    pub(crate) fn read(
        self: &Arc<Pipe>,
        queue: Operations<'_>,
        buffer: &mut [u8],
    ) -> io::Result<usize> {
        if buffer.is_empty() {
            return Ok(0);
        }
        let mut inner = self.lock();
        if inner.state.reading == Reading::Idle {
            self.start_reading(&mut inner, queue);
        }
        let data = matches!(inner.state.reading, Reading::Data { .. });
        let n = inner.state.read(buffer).map_err(error)?;
        if data {
            self.keep_reading(&mut inner, queue);
            // What is ready now is so without a packet that would say it. Should the system refuse one, what was read
            // counts more.
            let _ = self.notice_if_ready(&mut inner.state, queue);
        }
        Ok(n)
    }

    pub(crate) fn write(
        self: &Arc<Pipe>,
        queue: Operations<'_>,
        bytes: &[u8],
    ) -> io::Result<usize> {
        let mut inner = self.lock();
        let taken = inner.state.write(bytes).map_err(error)?;
        if taken.is_some() {
            self.start_writing(&mut inner, queue);
            inner.state.check_written().map_err(error)?;
        }
        if inner.state.writing == Writing::Idle {
            inner.state.written_at_once();
            // There may have been no client before.
            self.keep_reading(&mut inner, queue);
            // Should the system refuse the packet: to say that what was taken was not would be worse.
            let _ = self.notice_if_ready(&mut inner.state, queue);
        }
        Ok(taken.unwrap_or(0))
    }

    /// The user has dropped the pipe.
    pub(crate) fn drop_by_user(&self, queue: Option<Operations<'_>>) {
        let mut inner = self.lock();
        inner.state.drop_by_user();
        if let Some(queue) = queue {
            if matches!(inner.state.reading, Reading::InFlight | Reading::Stale) {
                calls::cancel(inner.handle(), self.read.overlapped());
            }
            if matches!(
                inner.state.connecting,
                Connecting::InFlight | Connecting::Stale { .. }
            ) {
                calls::cancel(inner.handle(), self.connect.overlapped());
            }
            // What `write` has taken was promised to arrive.
            if inner.state.writing == Writing::InFlight {
                queue.leave(self.write.pointer());
                return;
            }
        }
        let handle = inner.handle.take();
        drop(inner);
        drop(handle);
    }

    /// Takes a packet.
    fn taken(self: &Arc<Pipe>, kind: Kind, answer: Answer, queue: Operations<'_>) -> Option<Event> {
        let mut inner = self.lock();
        let (bytes, code) = (answer.bytes as usize, calls::error_code(answer.status));
        match inner.state.taken(kind, bytes, code) {
            Some(Kind::Write) => self.start_writing(&mut inner, queue),
            Some(Kind::Connect) => self.start_connecting(&mut inner, queue),
            _ => {}
        }
        if inner.state.dropped {
            if let Kind::Write = kind {
                queue.forget(self.write.pointer());
            }
            if inner.state.writing != Writing::InFlight {
                let handle = inner.handle.take();
                drop(inner);
                drop(handle);
            }
            return None;
        }
        self.keep_reading(&mut inner, queue);
        let (wanted, flags) = inner.state.report()?;
        if inner.state.is_level() {
            // If the system refuses it, the next packet is as good.
            let _ = self.notice(&mut inner.state, queue);
        }
        Some(Event::new(wanted.token, flags))
    }

    /// Has the next poll look at the pipe, if it would find something.
    fn notice_if_ready(
        self: &Arc<Pipe>,
        state: &mut State,
        queue: Operations<'_>,
    ) -> io::Result<()> {
        if state.needs_notice() {
            self.notice(state, queue)?;
        }
        Ok(())
    }

    fn notice(self: &Arc<Pipe>, state: &mut State, queue: Operations<'_>) -> io::Result<()> {
        let reference = self.begin(queue);
        match queue.post(self.notice.pointer()) {
            Ok(()) => {
                mem::forget(reference);
                state.noticed = true;
                Ok(())
            }
            Err(error) => {
                queue.end();
                Err(error)
            }
        }
    }

    /// Has a read wait for data, if the registration wants to know of it.
    fn keep_reading(self: &Arc<Pipe>, inner: &mut Inner, queue: Operations<'_>) {
        if inner.state.keep_reading() {
            self.start_reading(inner, queue);
        }
    }

    fn start_reading(self: &Arc<Pipe>, inner: &mut Inner, queue: Operations<'_>) {
        let state = &mut inner.state;
        if state.incoming.len() < state.appetite {
            state.incoming = vec![0; state.appetite];
        }
        let reference = self.begin(queue);
        let (buffer, length) = (state.incoming.as_mut_ptr(), state.incoming.len());
        let overlapped = self.read.prepare();
        // SAFETY: No read is in flight, so its memory is free. If this one is, the reference keeps the memory alive, and the
        // buffer stays as it is until the packet was taken.
        let started = unsafe { calls::read(inner.handle(), buffer, length, overlapped) };
        match inner.state.expects_packet(started) {
            None => {
                mem::forget(reference);
                inner.state.reading = Reading::InFlight;
            }
            Some((bytes, code)) => {
                queue.end();
                inner.state.has_read(bytes, code);
            }
        }
    }

    fn start_writing(self: &Arc<Pipe>, inner: &mut Inner, queue: Operations<'_>) {
        loop {
            let reference = self.begin(queue);
            let rest = &inner.state.outgoing[inner.state.written..];
            let (buffer, length) = (rest.as_ptr(), rest.len());
            let overlapped = self.write.prepare();
            // SAFETY: As for reading.
            let started = unsafe { calls::write(inner.handle(), buffer, length, overlapped) };
            let Some((bytes, code)) = inner.state.expects_packet(started) else {
                mem::forget(reference);
                inner.state.writing = Writing::InFlight;
                return;
            };
            queue.end();
            if !inner.state.has_written(bytes, code) {
                return;
            }
        }
    }

    fn start_connecting(self: &Arc<Pipe>, inner: &mut Inner, queue: Operations<'_>) {
        let reference = self.begin(queue);
        let overlapped = self.connect.prepare();
        // SAFETY: No attempt is in flight. If this one is, the reference keeps its memory alive until the packet was taken.
        let started = unsafe { calls::connect(inner.handle(), overlapped) };
        match inner.state.expects_packet(started) {
            None => {
                mem::forget(reference);
                inner.state.connecting = Connecting::InFlight;
            }
            Some((_, code)) => {
                queue.end();
                let again = inner.state.has_connected(code);
                debug_assert!(!again, "only one in flight becomes stale");
            }
        }
    }

    /// A reference for an operation, whose packet gives it back.
    fn begin(self: &Arc<Pipe>, queue: Operations<'_>) -> Arc<Pipe> {
        queue.begin();
        Arc::clone(self)
    }
}

impl Inner {
    fn handle(&self) -> BorrowedHandle<'_> {
        let handle = self.handle.as_ref();
        handle
            .expect("a pipe is used while it has its handle")
            .as_handle()
    }
}

impl Slot {
    /// The operation, as a pointer through which the slot can be read.
    fn pointer(&self) -> NonNull<Operation> {
        NonNull::from(self).cast()
    }

    /// The same for the system.
    fn overlapped(&self) -> *mut OVERLAPPED {
        self.pointer().cast().as_ptr()
    }

    /// The memory for the next operation.
    fn prepare(&self) -> *mut OVERLAPPED {
        let overlapped = self.overlapped();
        // SAFETY: It begins with a cell, nothing is in flight that uses it, and it is used under the lock.
        unsafe { overlapped.write(OVERLAPPED::default()) };
        overlapped
    }
}

/// See [`Owner::take`].
unsafe fn take(
    operation: NonNull<Operation>,
    answer: Answer,
    queue: Operations<'_>,
) -> Option<Event> {
    // SAFETY: This owner's operations begin slots, which live as long as their packets are awaited.
    let slot = unsafe { operation.cast::<Slot>().as_ref() };
    let kind = slot.kind;
    // SAFETY: The reference that was forgotten when the packet was announced, and this is the one time.
    let pipe = unsafe { Arc::from_raw(slot.pipe) };
    pipe.taken(kind, answer, queue)
}

/// See [`Owner::cancel`].
unsafe fn cancel(operation: NonNull<Operation>) {
    // SAFETY: As in `take`.
    let slot = unsafe { operation.cast::<Slot>().as_ref() };
    // SAFETY: The operation has a reference, which is not touched.
    let pipe = unsafe { &*slot.pipe };
    calls::cancel(pipe.lock().handle(), operation.cast().as_ptr());
}

impl fmt::Debug for Pipe {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pipe").finish_non_exhaustive()
    }
}

#[cold]
fn error(refusal: Refusal) -> io::Error {
    match refusal {
        Refusal::WouldBlock => io::ErrorKind::WouldBlock.into(),
        Refusal::Failed(code) => calls::os_error(code),
        Refusal::AlreadyRegistered => io::ErrorKind::AlreadyExists.into(),
        Refusal::NotRegistered => io::ErrorKind::NotFound.into(),
    }
}
