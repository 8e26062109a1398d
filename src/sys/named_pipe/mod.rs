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

mod calls;
mod state;

use std::ffi::OsStr;
use std::fmt;
use std::io;
use std::mem;
use std::os::windows::io::OwnedHandle;
use std::panic::{RefUnwindSafe, UnwindSafe};
use std::ptr::NonNull;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use windows_sys::Win32::Foundation::{
    ERROR_NO_DATA, ERROR_OPERATION_ABORTED, ERROR_PIPE_CONNECTED, ERROR_PIPE_LISTENING,
    ERROR_TIMEOUT,
};
use windows_sys::Win32::System::IO::OVERLAPPED;

use self::calls::Medium;
use self::state::{Connecting, Reading, State, Writing, LARGE, READ_EDGES, WRITE_EDGES};
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
    state: Mutex<State>,
}

/// One operation, and whose it is.
#[repr(C)]
struct Slot {
    _operation: Operation,
    kind: Kind,
    pipe: *const Pipe,
}

#[derive(Copy, Clone, Debug)]
enum Kind {
    Read,
    Write,
    Connect,
    Notice,
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
                state: Mutex::new(State::new(handle)),
            }
        })
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // Nothing under the lock leaves a state half changed where it could panic.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Ties the pipe to a queue, for good.
    pub(crate) fn attach(&self, queue: Operations<'_>) -> io::Result<()> {
        let mut state = self.lock();
        // First of all: this refuses a handle that was not opened for overlapped operations. To ask such a handle may take as
        // long as another thread reads from it.
        queue.attach(state.handle())?;
        let (medium, connected) = calls::inspect(state.handle());
        state.skips_packets = medium == Medium::Bytes && calls::skip_packets(state.handle());
        (state.medium, state.connected) = (medium, connected);
        Ok(())
    }

    pub(crate) fn register(
        self: &Arc<Pipe>,
        queue: Operations<'_>,
        wanted: Wanted,
        again: bool,
    ) -> io::Result<()> {
        let mut state = self.lock();
        match (again, &state.registered) {
            (false, Some(_)) => return Err(already_registered()),
            (true, None) => return Err(not_registered()),
            _ => {}
        }
        let before = (state.registered.replace(wanted), state.armed);
        state.armed = true;
        state.edges = Flags::ALL;
        self.keep_reading(&mut state, queue);
        let posted = self.notice_if_ready(&mut state, queue);
        if posted.is_err() {
            (state.registered, state.armed) = before;
        }
        posted
    }

    pub(crate) fn deregister(&self) -> io::Result<()> {
        match self.lock().registered.take() {
            Some(_) => Ok(()),
            None => Err(not_registered()),
        }
    }

    pub(crate) fn connect(self: &Arc<Pipe>, queue: Operations<'_>) -> io::Result<()> {
        let mut state = self.lock();
        match &mut state.connecting {
            Connecting::InFlight => return Err(would_block()),
            Connecting::Stale { again } => {
                *again = true;
                return Err(would_block());
            }
            &mut Connecting::Failed(code) => {
                state.connecting = Connecting::Idle;
                return Err(calls::os_error(code));
            }
            Connecting::Idle => {}
        }
        self.start_connecting(&mut state, queue);
        match state.connecting {
            Connecting::InFlight => Err(would_block()),
            Connecting::Failed(code) => {
                state.connecting = Connecting::Idle;
                Err(calls::os_error(code))
            }
            Connecting::Idle | Connecting::Stale { .. } => {
                // Who waits for an event does not know yet that there is somebody.
                state.edges = Flags::ALL;
                self.keep_reading(&mut state, queue);
                self.notice_if_ready(&mut state, queue)
            }
        }
    }

    pub(crate) fn disconnect(&self) -> io::Result<()> {
        let mut state = self.lock();
        calls::disconnect(state.handle())?;
        state.connected = false;
        state.connecting = match state.connecting {
            Connecting::InFlight | Connecting::Stale { .. } => Connecting::Stale { again: false },
            Connecting::Idle | Connecting::Failed(_) => Connecting::Idle,
        };
        state.reading = match state.reading {
            Reading::InFlight | Reading::Stale => Reading::Stale,
            _ => Reading::Idle,
        };
        state.writing = match state.writing {
            Writing::InFlight | Writing::Stale => Writing::Stale,
            _ => Writing::Idle,
        };
        Ok(())
    }

    /// The error of an attempt to connect, once.
    pub(crate) fn take_error(&self) -> Option<io::Error> {
        let mut state = self.lock();
        match state.connecting {
            Connecting::Failed(code) => {
                state.connecting = Connecting::Idle;
                Some(calls::os_error(code))
            }
            _ => None,
        }
    }

    pub(crate) fn read(
        self: &Arc<Pipe>,
        queue: Operations<'_>,
        buffer: &mut [u8],
    ) -> io::Result<usize> {
        if buffer.is_empty() {
            return Ok(0);
        }
        let mut state = self.lock();
        if state.reading == Reading::Idle {
            self.start_reading(&mut state, queue);
        }
        match state.reading {
            Reading::Idle | Reading::InFlight | Reading::Stale => Err(would_block()),
            Reading::Data { from, to } => {
                let n = buffer.len().min(to - from);
                buffer[..n].copy_from_slice(&state.incoming[from..from + n]);
                if from + n == to {
                    state.reading = Reading::Idle;
                    self.keep_reading(&mut state, queue);
                } else {
                    state.reading = Reading::Data { from: from + n, to };
                }
                // What is ready now is so without a packet that would say it. Should the system refuse one, what was
                // read counts more.
                let _ = self.notice_if_ready(&mut state, queue);
                Ok(n)
            }
            Reading::End => {
                state.reading = Reading::Idle;
                Ok(0)
            }
            Reading::Failed(code) => {
                state.reading = Reading::Idle;
                match code {
                    // Nobody is there yet to end the wait.
                    ERROR_PIPE_LISTENING => Err(would_block()),
                    code => Err(calls::os_error(code)),
                }
            }
        }
    }

    pub(crate) fn write(
        self: &Arc<Pipe>,
        queue: Operations<'_>,
        bytes: &[u8],
    ) -> io::Result<usize> {
        let mut state = self.lock();
        match state.writing {
            Writing::InFlight | Writing::Stale => return Err(would_block()),
            Writing::Failed(code) => {
                state.writing = Writing::Idle;
                return Err(calls::os_error(code));
            }
            Writing::Idle => {}
        }
        let taken = match state.medium {
            Medium::Messages => bytes,
            // An empty message is one, no bytes are nothing.
            _ if bytes.is_empty() => return Ok(0),
            _ => &bytes[..bytes.len().min(LARGE)],
        };
        state.outgoing.clear();
        // Of a message beyond all measure, the memory is not kept.
        if taken.len() <= LARGE {
            state.outgoing.shrink_to(LARGE);
        }
        state.outgoing.extend_from_slice(taken);
        state.written = 0;
        self.start_writing(&mut state, queue);
        match state.writing {
            Writing::Failed(code) => {
                state.writing = Writing::Idle;
                Err(calls::os_error(code))
            }
            _ => Ok(taken.len()),
        }
    }

    /// The user has dropped the pipe.
    pub(crate) fn drop_by_user(&self, queue: Option<Operations<'_>>) {
        let mut state = self.lock();
        state.registered = None;
        state.dropped = true;
        if let Some(queue) = queue {
            if matches!(state.reading, Reading::InFlight | Reading::Stale) {
                calls::cancel(state.handle(), self.read.overlapped());
            }
            if matches!(
                state.connecting,
                Connecting::InFlight | Connecting::Stale { .. }
            ) {
                calls::cancel(state.handle(), self.connect.overlapped());
            }
            // What `write` has taken was promised to arrive.
            if state.writing == Writing::InFlight {
                queue.leave(self.write.pointer());
                return;
            }
        }
        let handle = state.handle.take();
        drop(state);
        drop(handle);
    }

    /// Takes a packet.
    fn taken(self: &Arc<Pipe>, kind: Kind, answer: Answer, queue: Operations<'_>) -> Option<Event> {
        let mut state = self.lock();
        let (bytes, code) = (answer.bytes as usize, calls::error_code(answer.status));
        // By somebody else, or by the system because of a thread that has ended.
        let cancelled = code == ERROR_OPERATION_ABORTED && !state.dropped;
        match kind {
            Kind::Notice => state.noticed = false,
            // Another one is begun below.
            Kind::Read if cancelled => state.reading = Reading::Idle,
            Kind::Read => {
                state.has_read(bytes, code);
                state.edges = state.edges.and(READ_EDGES);
            }
            // Of a serial port it may have been the purpose that it is not written.
            Kind::Write
                if cancelled
                    && state.writing == Writing::InFlight
                    && state.medium != Medium::Other =>
            {
                state.written += bytes;
                self.start_writing(&mut state, queue);
                state.edges = state.edges.and(WRITE_EDGES);
            }
            Kind::Write => {
                self.has_written(&mut state, bytes, code, queue);
                state.edges = state.edges.and(WRITE_EDGES);
            }
            Kind::Connect if cancelled && state.connecting == Connecting::InFlight => {
                self.start_connecting(&mut state, queue);
                state.edges = Flags::ALL;
            }
            Kind::Connect => {
                self.has_connected(&mut state, code, queue);
                state.edges = Flags::ALL;
            }
        }
        if state.dropped {
            if let Kind::Write = kind {
                queue.forget(self.write.pointer());
            }
            if state.writing != Writing::InFlight {
                let handle = state.handle.take();
                drop(state);
                drop(handle);
            }
            return None;
        }
        self.keep_reading(&mut state, queue);
        self.event(&mut state, queue)
    }

    /// The event that the registration asks for now, if any.
    fn event(self: &Arc<Pipe>, state: &mut State, queue: Operations<'_>) -> Option<Event> {
        let wanted = state.registered?;
        // With a level, the packet that is on its way speaks for all.
        if !state.armed || state.is_level() && state.noticed {
            return None;
        }
        let flags = state.flags(wanted);
        if flags.is_empty() {
            return None;
        }
        state.edges = Flags::default();
        state.armed = !wanted.trigger.is_oneshot();
        if state.is_level() {
            // If the system refuses it, the next packet is as good.
            let _ = self.notice(state, queue);
        }
        Some(Event::new(wanted.token, flags))
    }

    /// Has the next poll look at the pipe, if it would find something.
    fn notice_if_ready(
        self: &Arc<Pipe>,
        state: &mut State,
        queue: Operations<'_>,
    ) -> io::Result<()> {
        match state.registered {
            Some(wanted) if state.armed && !state.noticed && !state.flags(wanted).is_empty() => {
                self.notice(state, queue)
            }
            _ => Ok(()),
        }
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
    fn keep_reading(self: &Arc<Pipe>, state: &mut State, queue: Operations<'_>) {
        let wants = matches!(state.registered, Some(wanted) if wanted.interest.is_readable());
        if !(wants && state.armed && state.connected && state.reading == Reading::Idle) {
            return;
        }
        self.start_reading(state, queue);
        state.edges = state.edges.and(READ_EDGES);
    }

    fn start_reading(self: &Arc<Pipe>, state: &mut State, queue: Operations<'_>) {
        if state.incoming.len() < state.appetite {
            state.incoming = vec![0; state.appetite];
        }
        let reference = self.begin(queue);
        let (buffer, length) = (state.incoming.as_mut_ptr(), state.incoming.len());
        let overlapped = self.read.prepare();
        // SAFETY: No read is in flight, so its memory is free. If this one is, the reference keeps the memory alive, and the
        // buffer stays as it is until the packet was taken.
        let started = unsafe { calls::read(state.handle(), buffer, length, overlapped) };
        match state.expects_packet(started) {
            None => {
                mem::forget(reference);
                state.reading = Reading::InFlight;
            }
            Some((bytes, code)) => {
                queue.end();
                state.has_read(bytes, code);
            }
        }
    }

    fn start_writing(self: &Arc<Pipe>, state: &mut State, queue: Operations<'_>) {
        let reference = self.begin(queue);
        let rest = &state.outgoing[state.written..];
        let (buffer, length) = (rest.as_ptr(), rest.len());
        let overlapped = self.write.prepare();
        // SAFETY: As for reading.
        let started = unsafe { calls::write(state.handle(), buffer, length, overlapped) };
        match state.expects_packet(started) {
            None => {
                mem::forget(reference);
                state.writing = Writing::InFlight;
            }
            Some((bytes, code)) => {
                queue.end();
                self.has_written(state, bytes, code, queue);
            }
        }
    }

    fn start_connecting(self: &Arc<Pipe>, state: &mut State, queue: Operations<'_>) {
        let reference = self.begin(queue);
        let overlapped = self.connect.prepare();
        // SAFETY: No attempt is in flight. If this one is, the reference keeps its memory alive until the packet was taken.
        let started = unsafe { calls::connect(state.handle(), overlapped) };
        match state.expects_packet(started) {
            None => {
                mem::forget(reference);
                state.connecting = Connecting::InFlight;
            }
            Some((_, code)) => {
                queue.end();
                self.has_connected(state, code, queue);
            }
        }
    }

    /// A reference for an operation, whose packet gives it back.
    fn begin(self: &Arc<Pipe>, queue: Operations<'_>) -> Arc<Pipe> {
        queue.begin();
        Arc::clone(self)
    }

    fn has_written(
        self: &Arc<Pipe>,
        state: &mut State,
        bytes: usize,
        code: u32,
        queue: Operations<'_>,
    ) {
        if state.writing == Writing::Stale {
            state.writing = Writing::Idle;
            return;
        }
        state.writing = Writing::Idle;
        state.written += bytes;
        match code {
            // Nobody waits for it any more.
            _ if state.dropped => {}
            0 if state.written == state.outgoing.len() => {}
            0 if bytes > 0 => self.start_writing(state, queue),
            // A serial port gives a write so much time, or a pipe none (`PIPE_NOWAIT`).
            0 => state.writing = Writing::Failed(ERROR_TIMEOUT),
            code => state.writing = Writing::Failed(code),
        }
    }

    fn has_connected(self: &Arc<Pipe>, state: &mut State, code: u32, queue: Operations<'_>) {
        let before = mem::replace(&mut state.connecting, Connecting::Idle);
        match code {
            _ if before == (Connecting::Stale { again: true }) && !state.dropped => {
                self.start_connecting(state, queue);
            }
            _ if matches!(before, Connecting::Stale { .. }) => {}
            // A client that has gone already is one, too: what it has left can be read.
            0 | ERROR_PIPE_CONNECTED | ERROR_NO_DATA => state.connected = true,
            code => state.connecting = Connecting::Failed(code),
        }
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
fn would_block() -> io::Error {
    io::ErrorKind::WouldBlock.into()
}

#[cold]
fn already_registered() -> io::Error {
    io::ErrorKind::AlreadyExists.into()
}

#[cold]
fn not_registered() -> io::Error {
    io::ErrorKind::NotFound.into()
}

#[cfg(test)]
#[path = "pipe_tests.rs"]
mod tests;
