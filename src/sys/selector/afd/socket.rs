//! A socket of a queue: what the queue knows of it, and the memory of its poll.
//!
//! Rests on `IOCTL_AFD_POLL`, by which AFD tells of one or more sockets what they are ready for, once.
//!
//! Invariants:
//!
//! - While a poll is pending, its memory belongs to the kernel. Nothing but the status is read, and that atomically.
//! - A poll is pending from its submission until its packet was fetched, be it answered or cancelled. A socket that is in
//!   flight is not freed: its queue keeps all of them, and does not go before the last packet has come.
//! - What [`State`] says and what the kernel knows change together, under the lock.

use std::cell::UnsafeCell;
use std::fmt;
use std::io;
use std::mem::size_of;
use std::os::windows::io::{AsRawHandle, AsRawSocket, BorrowedSocket, OwnedHandle};
use std::ptr;
use std::sync::atomic::{AtomicI32, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};

use windows_sys::Wdk::System::IO::NtDeviceIoControlFile;
use windows_sys::Win32::Foundation::{
    NTSTATUS, STATUS_CANCELLED, STATUS_INVALID_HANDLE, STATUS_NOT_SUPPORTED,
    STATUS_OBJECT_TYPE_MISMATCH, STATUS_PENDING,
};
use windows_sys::Win32::Networking::WinSock::{
    WSAGetLastError, WSAIoctl, SIO_BASE_HANDLE, SIO_BSP_HANDLE, SIO_BSP_HANDLE_POLL,
    SIO_BSP_HANDLE_SELECT, SOCKET, WSAENOTSOCK,
};
use windows_sys::Win32::System::IO::{CancelIoEx, IO_STATUS_BLOCK, OVERLAPPED};

use super::due::{AtomicPtr, Linked};
use super::group::{is_error, nt_error};
use super::{lock, Flags, State};

const IOCTL_AFD_POLL: u32 = 0x0001_2024;

/// So many layers are looked beneath, should they lead in a circle.
const LAYERS: usize = 16;

const _: () = assert!(size_of::<Memory>() == size_of::<IO_STATUS_BLOCK>() + size_of::<PollInfo>());

/// What a poll is about, and where AFD leaves its answer: `AFD_POLL_INFO` for one socket.
#[repr(C)]
struct PollInfo {
    /// In units of 100 ns, relative if negative; the largest number waits without end.
    timeout: i64,
    count: u32,
    exclusive: u32,
    socket: PollHandleInfo,
}

/// `AFD_POLL_HANDLE_INFO`.
#[repr(C)]
struct PollHandleInfo {
    handle: SOCKET,
    events: u32,
    status: NTSTATUS,
}

/// What the kernel writes to while a poll is pending. It is named by the address of its status.
#[repr(C)]
struct Memory {
    status: IO_STATUS_BLOCK,
    info: PollInfo,
}

pub(crate) struct Socket {
    inner: Mutex<Inner>,
    memory: UnsafeCell<Memory>,
    /// The next socket in the list of those that are due: see `due.rs`.
    next: AtomicPtr<Socket>,
    /// In the pool.
    pub(super) position: usize,
    afd: Arc<OwnedHandle>,
}

// SAFETY: `memory` is written to under the lock and while no poll is pending, by the kernel otherwise.
unsafe impl Send for Socket {}
// SAFETY: As above.
unsafe impl Sync for Socket {}

pub(super) struct Inner {
    pub(super) state: State,
    /// What is polled: the handle beneath all layers that may have been put on top of the socket.
    pub(super) base: SOCKET,
    /// The handle that was registered, if it was a bare one.
    pub(super) bare: Option<SOCKET>,
    /// In the list of sockets that are due.
    pub(super) queued: bool,
    /// In the list of bare sockets whose edges pause.
    pub(super) paused: bool,
    /// The number of the queue's poll in which, or after which, the kernel was asked.
    pub(super) asked_in: usize,
}

impl Socket {
    pub(super) fn new(afd: Arc<OwnedHandle>, position: usize) -> Socket {
        Socket {
            inner: Mutex::new(Inner {
                state: State::default(),
                base: 0,
                bare: None,
                queued: false,
                paused: false,
                asked_in: 0,
            }),
            memory: UnsafeCell::new(Memory::of(PollInfo::of(0, Flags::default(), 0))),
            next: AtomicPtr::new(ptr::null_mut()),
            position,
            afd,
        }
    }

    pub(super) fn lock(&self) -> MutexGuard<'_, Inner> {
        lock(&self.inner)
    }

    /// Finds out what to poll for `socket`.
    pub(super) fn aim(inner: &mut Inner, socket: BorrowedSocket<'_>) -> io::Result<()> {
        // The type of the number differs between the two crates, its size does not.
        inner.base = base(socket.as_raw_socket() as SOCKET, query)?;
        Ok(())
    }

    /// Asks AFD for `flags`, without a limit of time. The packet will point to this socket.
    pub(super) fn submit(&self, inner: &mut Inner, flags: Flags) -> io::Result<()> {
        let memory = self.memory.get();
        let info = PollInfo::of(inner.base, flags.and(Flags::LOCAL_CLOSE), i64::MAX);
        // SAFETY: No poll is pending, and the lock is held: the memory is ours.
        unsafe { memory.write(Memory::of(info)) };
        // SAFETY: A place in valid memory; no reference is made.
        let info = unsafe { ptr::addr_of_mut!((*memory).info) };
        // SAFETY: The memory stays where it is, and nobody touches it, until the packet was fetched: see the module.
        let status = unsafe { poll(&self.afd, self.pointer(), memory.cast(), info) };
        // What is answered at once leaves a packet, too, also with a warning. An error does not.
        if is_error(status) {
            self.status().store(status, Ordering::Relaxed);
            return Err(match status {
                // The handle that was named, that is, for the one of AFD is fine.
                STATUS_INVALID_HANDLE | STATUS_OBJECT_TYPE_MISMATCH => {
                    io::Error::from_raw_os_error(WSAENOTSOCK)
                }
                status => nt_error(status),
            });
        }
        Ok(())
    }

    /// Asks AFD for the present state, through a handle of [`synchronous`](super::group::synchronous) kind.
    pub(super) fn probe(base: SOCKET, afd: &OwnedHandle, flags: Flags) -> Flags {
        let mut memory = Memory::of(PollInfo::of(base, flags, 0));
        let info = ptr::addr_of_mut!(memory.info);
        let status = ptr::addr_of_mut!(memory.status);
        // SAFETY: The handle is synchronous, so the poll is over when the call returns, and the memory lives longer.
        let outcome = unsafe { poll(afd, ptr::null(), status, info) };
        if outcome < 0 {
            // Not to be known; the operation that is tried in vain will find out.
            return flags;
        }
        memory.info.answer()
    }

    /// Ends the pending poll. Its packet comes all the same, and may still bring an answer.
    pub(super) fn cancel(&self) {
        let overlapped: *const OVERLAPPED = self.memory.get().cast();
        // SAFETY: The address says which operation is meant, and is not read. If the poll has just been answered there
        // is nothing to cancel, which is as good.
        unsafe { CancelIoEx(self.afd.as_raw_handle(), overlapped) };
    }

    /// Whether the poll was answered, so that its packet is on its way.
    pub(super) fn is_answered(&self) -> bool {
        self.status().load(Ordering::Acquire) != STATUS_PENDING
    }

    /// The answer to the poll whose packet was fetched.
    pub(super) fn answer(&self) -> Answer {
        match self.status().load(Ordering::Acquire) {
            STATUS_CANCELLED => Answer::Flags(Flags::default()),
            // The handle was closed, and perhaps given to something that is no socket.
            STATUS_INVALID_HANDLE | STATUS_OBJECT_TYPE_MISMATCH | STATUS_NOT_SUPPORTED => {
                Answer::Flags(Flags::LOCAL_CLOSE)
            }
            status if status < 0 => Answer::Failed,
            _ => {
                let memory = self.memory.get();
                // SAFETY: The packet was fetched and the lock is held: the kernel is done with the memory.
                let info = unsafe { &(*memory).info };
                Answer::Flags(info.answer())
            }
        }
    }

    /// What the kernel hands back in a packet.
    pub(super) fn pointer(&self) -> *const OVERLAPPED {
        let this: *const Socket = self;
        this.cast()
    }

    /// The status of the poll, which the kernel writes last.
    fn status(&self) -> &AtomicI32 {
        let status: *mut AtomicI32 = self.memory.get().cast();
        // SAFETY: `IO_STATUS_BLOCK` begins with the status. It is as large and as aligned as the atomic, lives as long as
        // `self`, and is shared with nobody but the kernel.
        unsafe { &*status }
    }
}

impl Linked for Socket {
    fn next(&self) -> &AtomicPtr<Socket> {
        &self.next
    }
}

impl fmt::Debug for Socket {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Socket")
            .field("state", &self.lock().state)
            .finish_non_exhaustive()
    }
}

/// What has become of a poll.
pub(super) enum Answer {
    /// Empty if it was cancelled.
    Flags(Flags),
    /// The kernel had not the means.
    Failed,
}

impl Memory {
    fn of(info: PollInfo) -> Memory {
        let mut status = IO_STATUS_BLOCK::default();
        status.Anonymous.Status = STATUS_PENDING;
        Memory { status, info }
    }
}

impl PollInfo {
    fn of(handle: SOCKET, flags: Flags, timeout: i64) -> PollInfo {
        PollInfo {
            timeout,
            count: 1,
            exclusive: 0,
            socket: PollHandleInfo {
                handle,
                events: flags.bits(),
                status: 0,
            },
        }
    }

    /// What AFD wrote: sockets without a flag are left out.
    fn answer(&self) -> Flags {
        match self.count {
            0 => Flags::default(),
            _ => Flags::from_bits(self.socket.events),
        }
    }
}

/// Polls through `afd`. The answer comes as a packet with `pointer`, or with the call if the handle is synchronous.
///
/// # Safety
///
/// `status` and `info` belong to the kernel until then.
unsafe fn poll(
    afd: &OwnedHandle,
    pointer: *const OVERLAPPED,
    status: *mut IO_STATUS_BLOCK,
    info: *mut PollInfo,
) -> NTSTATUS {
    let size = size_of::<PollInfo>() as u32;
    // SAFETY: The handle is open, the sizes are right, and the caller vouches for the memory.
    unsafe {
        NtDeviceIoControlFile(
            afd.as_raw_handle(),
            ptr::null_mut(),
            None,
            pointer.cast(),
            status,
            IOCTL_AFD_POLL,
            info.cast(),
            size,
            info.cast(),
            size,
        )
    }
}

/// The socket beneath what layered providers have put on top of it, which is the one that AFD knows. `query` asks a
/// socket for another one.
fn base(socket: SOCKET, query: impl Fn(SOCKET, u32) -> io::Result<SOCKET>) -> io::Result<SOCKET> {
    let mut layer = socket;
    for _ in 0..LAYERS {
        let error = match query(layer, SIO_BASE_HANDLE) {
            Ok(base) => return Ok(base),
            Err(error) => error,
        };
        // Some layers get this question wrong. The others lead one layer down, where it can be asked again.
        let lower = [SIO_BSP_HANDLE_SELECT, SIO_BSP_HANDLE_POLL, SIO_BSP_HANDLE]
            .into_iter()
            .filter_map(|question| query(layer, question).ok())
            .find(|&lower| lower != layer);
        match lower {
            Some(lower) => layer = lower,
            None if layer == socket => return Err(error),
            None => break,
        }
    }
    // Nobody tells of anything beneath this one. Should it be none that AFD knows, AFD will say so.
    Ok(layer)
}

/// Asks for a handle.
fn query(socket: SOCKET, question: u32) -> io::Result<SOCKET> {
    let mut answer: SOCKET = 0;
    let mut written = 0;
    // SAFETY: The answer is a handle, for which there is room. Without an `OVERLAPPED` the call is synchronous.
    let failed = unsafe {
        WSAIoctl(
            socket,
            question,
            ptr::null(),
            0,
            ptr::addr_of_mut!(answer).cast(),
            size_of::<SOCKET>() as u32,
            &mut written,
            ptr::null_mut(),
            None,
        )
    };
    if failed != 0 {
        // SAFETY: Reads a number of this thread.
        let code = unsafe { WSAGetLastError() };
        return Err(io::Error::from_raw_os_error(code));
    }
    Ok(answer)
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use super::*;

    /// Sockets from the top layer, 9, down to 0. Each but those of `honest` gets the question for the base wrong, and those
    /// of `blind` do not know what is beneath them either.
    fn ask(honest: &[SOCKET], blind: &[SOCKET]) -> io::Result<SOCKET> {
        base(9, |layer, question| {
            let known = match question {
                SIO_BASE_HANDLE => honest.contains(&layer).then_some(0),
                // This one leads nowhere.
                SIO_BSP_HANDLE_SELECT => Some(layer),
                SIO_BSP_HANDLE_POLL if !blind.contains(&layer) => layer.checked_sub(1),
                _ => None,
            };
            known.ok_or_else(|| io::Error::from_raw_os_error(WSAENOTSOCK))
        })
    }

    #[test]
    fn layers_lead_to_the_base() {
        assert_eq!(ask(&[9], &[]).unwrap(), 0);
        assert_eq!(ask(&[8], &[]).unwrap(), 0);
        assert_eq!(ask(&[3], &[]).unwrap(), 0);
        // As far down as somebody tells.
        assert_eq!(ask(&[], &[]).unwrap(), 0);
        assert_eq!(ask(&[1], &[5]).unwrap(), 5);
        let error = ask(&[8], &[9]).unwrap_err();
        assert_eq!(error.raw_os_error(), Some(WSAENOTSOCK));
    }

    #[test]
    fn layers_that_lead_in_a_circle_do_not_hold_up() {
        let asked = Cell::new(0);
        let base = base(1, |layer, question| {
            asked.set(asked.get() + 1);
            match question {
                SIO_BASE_HANDLE => Err(io::ErrorKind::Other.into()),
                _ => Ok(3 - layer),
            }
        });
        assert!(matches!(base, Ok(1 | 2)));
        // For the base, and for what is beneath.
        assert_eq!(asked.get(), 2 * LAYERS);
    }
}
