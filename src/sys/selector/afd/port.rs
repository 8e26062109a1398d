//! The I/O completion port: where the kernel, and whoever posts to it, leave packets for the polling thread.
//!
//! Rests on `CreateIoCompletionPort`, `GetQueuedCompletionStatusEx` and `PostQueuedCompletionStatus`. Packets are fetched in
//! the order in which they came, so with a small capacity nobody is left out.

use std::io;
use std::os::windows::io::{AsRawHandle, BorrowedHandle, FromRawHandle, OwnedHandle};
use std::ptr;
use std::time::{Duration, Instant};

use windows_sys::Win32::Foundation::{HANDLE, INVALID_HANDLE_VALUE, WAIT_TIMEOUT};
use windows_sys::Win32::System::Threading::INFINITE;
use windows_sys::Win32::System::IO::{
    CreateIoCompletionPort, GetQueuedCompletionStatusEx, PostQueuedCompletionStatus, OVERLAPPED,
    OVERLAPPED_ENTRY,
};

/// A completion packet: key, pointer, status, and number of bytes.
pub(crate) type Packet = OVERLAPPED_ENTRY;

#[derive(Debug)]
pub(super) struct Port {
    handle: OwnedHandle,
}

impl Port {
    pub(super) fn new() -> io::Result<Port> {
        // SAFETY: Makes a new port, of no file. One thread at a time fetches packets.
        let handle = unsafe { CreateIoCompletionPort(INVALID_HANDLE_VALUE, ptr::null_mut(), 0, 1) };
        if handle.is_null() {
            return Err(io::Error::last_os_error());
        }
        // SAFETY: The port was made just now, and nobody else knows its handle.
        let handle = unsafe { OwnedHandle::from_raw_handle(handle) };
        Ok(Port { handle })
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
    /// number: zero if `wait`, in milliseconds, has passed.
    ///
    /// # Safety
    ///
    /// The memory may be written to.
    #[inline]
    pub(super) unsafe fn fetch(
        &self,
        packets: *mut Packet,
        room: usize,
        wait: u32,
    ) -> io::Result<usize> {
        let mut count = 0;
        let room = u32::try_from(room).unwrap_or(u32::MAX);
        // SAFETY: The caller vouches for the memory, and the kernel writes no more than `room` packets. Not alertable.
        let fetched =
            unsafe { GetQueuedCompletionStatusEx(self.raw(), packets, room, &mut count, wait, 0) };
        if fetched != 0 {
            return Ok(count as usize);
        }
        // Nothing was fetched then, whatever the number says: it can be 1. Operations that have failed are no failure of
        // this call, unlike that of its older namesake: their packets say so themselves.
        let error = io::Error::last_os_error();
        // The constant is an error, which are all small numbers.
        if error.raw_os_error() == Some(WAIT_TIMEOUT as i32) {
            Ok(0)
        } else {
            Err(error)
        }
    }
}

/// When a wait has to end.
///
/// The port waits for whole milliseconds of a clock that ticks up to 64 times a second, and may return before its time
/// by that clock is over. The deadline is one of the precise clock.
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

    /// How long to wait, in milliseconds; zero when the time has come.
    pub(super) fn left(self) -> u32 {
        match self {
            Deadline::Never => INFINITE,
            Deadline::Now => 0,
            Deadline::At(end) => millis(end.saturating_duration_since(Instant::now())),
        }
    }
}

/// Rounded up, and never what means "without end".
fn millis(time: Duration) -> u32 {
    let millis = time.as_nanos().saturating_add(999_999) / 1_000_000;
    u32::try_from(millis)
        .unwrap_or(INFINITE - 1)
        .min(INFINITE - 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_are_rounded_up() {
        assert_eq!(millis(Duration::ZERO), 0);
        assert_eq!(millis(Duration::from_nanos(1)), 1);
        assert_eq!(millis(Duration::from_millis(7)), 7);
        assert_eq!(millis(Duration::new(1, 1)), 1001);
        assert_eq!(millis(Duration::MAX), INFINITE - 1);
    }

    #[test]
    fn packets_come_in_order() {
        let port = Port::new().unwrap();
        let mut packets = [Packet::default(); 4];
        for key in 0..3 {
            port.post(key, ptr::null()).unwrap();
        }
        // SAFETY: The array is as long as it says.
        let count = unsafe { port.fetch(packets.as_mut_ptr(), packets.len(), INFINITE) };
        assert_eq!(count.unwrap(), 3);
        assert!((0..3).all(|key| packets[key].lpCompletionKey == key));
        // SAFETY: As above.
        let count = unsafe { port.fetch(packets.as_mut_ptr(), packets.len(), 1) };
        assert_eq!(count.unwrap(), 0);
    }
}
