//! The I/O completion port: where the kernel, and whoever posts to it, leave packets for the polling thread.
//!
//! Rests on `CreateIoCompletionPort`, `PostQueuedCompletionStatus`, and the function of the kernel that is beneath
//! `GetQueuedCompletionStatusEx`. Packets are fetched in the order in which they came, so with a small capacity nobody is
//! left out.

use std::io;
use std::os::windows::io::{AsHandle, AsRawHandle, BorrowedHandle, FromRawHandle, OwnedHandle};
use std::ptr;
use std::time::{Duration, Instant};

use windows_sys::Win32::Foundation::{
    HANDLE, INVALID_HANDLE_VALUE, NTSTATUS, STATUS_SUCCESS, STATUS_TIMEOUT,
};
use windows_sys::Win32::System::IO::{
    CreateIoCompletionPort, PostQueuedCompletionStatus, OVERLAPPED, OVERLAPPED_ENTRY,
};

use super::group::nt_error;

/// A completion packet: key, pointer, status, and number of bytes.
pub(crate) type Packet = OVERLAPPED_ENTRY;

/// How many threads that have fetched packets may run at a time: any number. Threads poll in turns. With a limit, one
/// that has polled and now computes keeps all others from fetching, until it waits for something.
const CONCURRENCY: u32 = u32::MAX;

/// The longest single wait, in the kernel's units: 14,000 years. It is added to a time there.
const LONGEST: i64 = i64::MAX / 2;

#[derive(Debug)]
pub(super) struct Port {
    handle: OwnedHandle,
}

impl Port {
    pub(super) fn new() -> io::Result<Port> {
        // SAFETY: Makes a new port, of no file.
        let handle = unsafe {
            CreateIoCompletionPort(INVALID_HANDLE_VALUE, ptr::null_mut(), 0, CONCURRENCY)
        };
        if handle.is_null() {
            return Err(io::Error::last_os_error());
        }
        // SAFETY: The port was made just now, and nobody else knows its handle.
        let handle = unsafe { OwnedHandle::from_raw_handle(handle) };
        Ok(Port { handle })
    }

    pub(super) fn handle(&self) -> BorrowedHandle<'_> {
        self.handle.as_handle()
    }

    fn raw(&self) -> HANDLE {
        self.handle.as_raw_handle()
    }

    /// Every operation on `handle` that ends leaves a packet here, with `key`. For good: it cannot be undone.
    pub(super) fn attach(&self, handle: BorrowedHandle<'_>, key: usize) -> io::Result<()> {
        // SAFETY: Both handles are open. What the packets will point to is up to who starts the operations.
        let port = unsafe { CreateIoCompletionPort(handle.as_raw_handle(), self.raw(), key, 0) };
        if port.is_null() {
            return Err(io::Error::last_os_error());
        }
        Ok(())
    }

    /// Leaves a packet.
    #[inline]
    pub(super) fn post(&self, key: usize, pointer: *const OVERLAPPED) -> io::Result<()> {
        // SAFETY: The pointer is only handed through.
        if unsafe { PostQueuedCompletionStatus(self.raw(), 0, key, pointer) } == 0 {
            return Err(io::Error::last_os_error());
        }
        Ok(())
    }

    /// Waits for packets, writes them to the memory at `packets`, which has room for `room` of them, and returns their
    /// number: zero if the time has passed.
    ///
    /// # Safety
    ///
    /// The memory may be written to.
    #[inline]
    pub(super) unsafe fn fetch(
        &self,
        packets: *mut Packet,
        room: usize,
        wait: Wait,
    ) -> io::Result<usize> {
        let mut count = 0;
        let room = u32::try_from(room).unwrap_or(u32::MAX);
        let time = wait
            .0
            .as_ref()
            .map_or(ptr::null(), |time| time as *const i64);
        // SAFETY: The caller vouches for the memory, and the kernel writes no more than `room` packets. Not alertable.
        let status =
            unsafe { NtRemoveIoCompletionEx(self.raw(), packets, room, &mut count, time, 0) };
        match status {
            STATUS_SUCCESS => Ok(count as usize),
            // The number says nothing then. Operations that have failed are no failure of this call: their packets say
            // so themselves.
            STATUS_TIMEOUT => Ok(0),
            status => Err(nt_error(status)),
        }
    }
}

#[cfg(test)]
impl Port {
    pub(super) fn fill(&self, packets: &mut [Packet], wait: Wait) -> usize {
        // SAFETY: The slice is as long as it says.
        unsafe { self.fetch(packets.as_mut_ptr(), packets.len(), wait) }.unwrap()
    }
}

/// How long to wait: in units of 100 ns, negative because it counts from now. `None` is without end.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub(super) struct Wait(Option<i64>);

impl Wait {
    pub(super) const FOREVER: Wait = Wait(None);
    const NONE: Wait = Wait(Some(0));

    /// Rounded up.
    fn from_now(time: Duration) -> Wait {
        let units = time.as_nanos().saturating_add(99) / 100;
        Wait(Some(-i64::try_from(units).unwrap_or(LONGEST).min(LONGEST)))
    }

    /// No longer than until `end`.
    pub(super) fn or_until(self, end: Option<Instant>) -> Wait {
        let until = match end {
            None => return self,
            Some(end) => Wait::from_now(end.saturating_duration_since(Instant::now())),
        };
        // Both negative: the larger one is the shorter time.
        Wait(self.0.into_iter().chain(until.0).max())
    }

    pub(super) fn is_none(self) -> bool {
        self == Wait::NONE
    }
}

/// When a wait has to end.
///
/// The kernel waits by a clock that ticks up to 64 times a second, and may return before the time is over by the precise
/// one. The deadline is one of the latter.
#[derive(Copy, Clone, Debug)]
pub(super) enum Deadline {
    Never,
    /// Without waiting at all.
    Now,
    At(Instant),
}

impl Deadline {
    pub(super) fn after(timeout: Option<Duration>) -> Deadline {
        match timeout {
            None => Deadline::Never,
            Some(Duration::ZERO) => Deadline::Now,
            // What the clock cannot express is never reached.
            Some(timeout) => Instant::now()
                .checked_add(timeout)
                .map_or(Deadline::Never, Deadline::At),
        }
    }

    /// How long to wait; not at all when the time has come.
    pub(super) fn left(self) -> Wait {
        match self {
            Deadline::Never => Wait::FOREVER,
            Deadline::Now => Wait::NONE,
            Deadline::At(end) => Wait::from_now(end.saturating_duration_since(Instant::now())),
        }
    }
}

// On 32-bit x86 the name would be decorated with the size of the arguments, and no library exports that one.
#[cfg_attr(
    target_arch = "x86",
    link(name = "ntdll", kind = "raw-dylib", import_name_type = "undecorated")
)]
#[cfg_attr(not(target_arch = "x86"), link(name = "ntdll", kind = "raw-dylib"))]
extern "system" {
    /// What `GetQueuedCompletionStatusEx` calls, which rounds to milliseconds. `FILE_IO_COMPLETION_INFORMATION` has the
    /// layout of `OVERLAPPED_ENTRY`.
    fn NtRemoveIoCompletionEx(
        port: HANDLE,
        packets: *mut OVERLAPPED_ENTRY,
        room: u32,
        count: *mut u32,
        time: *const i64,
        alertable: u8,
    ) -> NTSTATUS;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_are_rounded_up() {
        let units = |time| Wait::from_now(time).0.unwrap();
        assert!(Wait::from_now(Duration::ZERO).is_none());
        assert_eq!(units(Duration::from_nanos(1)), -1);
        assert_eq!(units(Duration::from_nanos(100)), -1);
        assert_eq!(units(Duration::from_nanos(101)), -2);
        assert_eq!(units(Duration::from_millis(7)), -70_000);
        assert_eq!(units(Duration::MAX), -LONGEST);
        // 2^62 and more of the kernel's units.
        assert_eq!(units(Duration::from_secs(1 << 39)), -LONGEST);
    }

    #[test]
    fn the_shorter_wait_counts() {
        let past = Instant::now();
        let (short, far) = (Wait(Some(-1)), past + Duration::from_secs(99));
        assert_eq!(short.or_until(None), short);
        assert_eq!(short.or_until(Some(far)), short);
        assert!(Wait::FOREVER.or_until(Some(past)).is_none());
        assert_ne!(Wait::FOREVER.or_until(Some(far)), Wait::FOREVER);
    }

    #[test]
    fn packets_come_in_order() {
        let port = Port::new().unwrap();
        let mut packets = [Packet::default(); 4];
        for key in 0..3 {
            port.post(key, ptr::null()).unwrap();
        }
        assert_eq!(port.fill(&mut packets, Wait::FOREVER), 3);
        assert!((0..3).all(|key| packets[key].lpCompletionKey == key));
        assert_eq!(port.fill(&mut packets, Wait(Some(-1))), 0);
    }
}
