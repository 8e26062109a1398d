//! The system's own kqueue: `struct kevent`, and the calls.
//!
//! Through libc, since rustix hides `fflags`, where the error of a connection is, and knows neither `EVFILT_AIO` nor
//! `EVFILT_LIO`. Types and constants differ in width between the systems; from here on they do not.

use std::fmt;
use std::io;
use std::mem::{self, ManuallyDrop};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use std::process;
use std::ptr;
use std::time::Duration;

use rustix::io::Errno;

use super::{KQUEUE_LIO, KQUEUE_OOBAND};
use crate::sys::errno::last_error;
use crate::sys::pure_kqueue::rules::{for_microseconds, Filter, Flags, EBADF, ENOENT, EPIPE};
use crate::sys::KQUEUE_MICROSECONDS;

/// Raises an entry of `EVFILT_USER`.
#[allow(dead_code)] // of no use where a pipe is raised
pub(crate) const TRIGGER: u32 = libc::NOTE_TRIGGER;

const READ: i64 = libc::EVFILT_READ as i64;
const WRITE: i64 = libc::EVFILT_WRITE as i64;
const USER: i64 = libc::EVFILT_USER as i64;
const AIO: i64 = libc::EVFILT_AIO as i64;

const _: () = {
    assert!(Flags::ADD.bits() as i64 == libc::EV_ADD as i64);
    assert!(Flags::DELETE.bits() as i64 == libc::EV_DELETE as i64);
    assert!(Flags::ENABLE.bits() as i64 == libc::EV_ENABLE as i64);
    assert!(Flags::DISABLE.bits() as i64 == libc::EV_DISABLE as i64);
    assert!(Flags::ONESHOT.bits() as i64 == libc::EV_ONESHOT as i64);
    assert!(Flags::CLEAR.bits() as i64 == libc::EV_CLEAR as i64);
    assert!(Flags::RECEIPT.bits() as i64 == libc::EV_RECEIPT as i64);
    assert!(Flags::DISPATCH.bits() as i64 == libc::EV_DISPATCH as i64);
    assert!(Flags::ERROR.bits() as i64 == libc::EV_ERROR as i64);
    assert!(Flags::EOF.bits() as i64 == libc::EV_EOF as i64);
    assert!(ENOENT == libc::ENOENT as i64);
    assert!(EBADF == libc::EBADF as i64);
    assert!(EPIPE == libc::EPIPE as i64);
};

/// `struct kevent`.
#[derive(Copy, Clone)]
#[repr(transparent)]
pub(crate) struct Kevent(libc::kevent);

// SAFETY: What keeps a `kevent` on one thread is the pointer in its `udata`. Here that only ever holds an integer.
unsafe impl Send for Kevent {}
// SAFETY: As for `Send`.
unsafe impl Sync for Kevent {}

impl Kevent {
    #[inline]
    pub(crate) fn new(
        ident: usize,
        filter: Filter,
        flags: Flags,
        fflags: u32,
        udata: usize,
    ) -> Kevent {
        let mut kevent = Kevent::default();
        kevent.set_ident(ident);
        kevent.set_number(match filter {
            Filter::Read => READ,
            Filter::Write => WRITE,
            Filter::User => USER,
            Filter::Aio | Filter::Lio | Filter::Other => {
                unreachable!("no entry is made for {filter:?}")
            }
        });
        kevent.0.flags = flags.bits() as _;
        kevent.0.fflags = fflags;
        kevent.set_udata(udata);
        kevent
    }

    #[inline]
    pub(crate) fn ident(&self) -> usize {
        self.0.ident
    }

    #[inline]
    pub(crate) fn set_ident(&mut self, ident: usize) {
        self.0.ident = ident;
    }

    #[inline]
    pub(crate) fn number(&self) -> i64 {
        i64::from(self.0.filter)
    }

    #[inline]
    pub(crate) fn set_number(&mut self, number: i64) {
        self.0.filter = number as _;
    }

    #[inline]
    pub(crate) fn filter(&self) -> Filter {
        match self.number() {
            READ => Filter::Read,
            WRITE => Filter::Write,
            USER => Filter::User,
            AIO => Filter::Aio,
            number if Some(number) == KQUEUE_LIO => Filter::Lio,
            _ => Filter::Other,
        }
    }

    #[inline]
    pub(crate) fn flags(&self) -> Flags {
        let flags = Flags::from_bits(self.0.flags as _);
        if KQUEUE_OOBAND {
            flags
        } else {
            Flags::from_bits(flags.bits() & !Flags::OOBAND.bits())
        }
    }

    #[inline]
    pub(crate) fn fflags(&self) -> u32 {
        self.0.fflags
    }

    #[inline]
    pub(crate) fn data(&self) -> i64 {
        self.0.data as _
    }

    #[inline]
    pub(crate) fn set_data(&mut self, data: i64) {
        self.0.data = data as _;
    }

    #[inline]
    pub(crate) fn udata(&self) -> usize {
        self.0.udata as usize
    }

    #[inline]
    pub(crate) fn set_udata(&mut self, udata: usize) {
        self.0.udata = udata as _;
    }
}

impl Default for Kevent {
    #[inline]
    fn default() -> Kevent {
        // SAFETY: The structure is made of integers and a raw pointer, for which zeros are values. Some systems have more
        // fields than others.
        Kevent(unsafe { mem::zeroed() })
    }
}

/// The queue.
pub(crate) struct Queue {
    fd: ManuallyDrop<OwnedFd>,
    /// The process that opened it.
    owner: u32,
}

impl Queue {
    pub(crate) fn open() -> io::Result<Queue> {
        let fd = rustix::event::kqueue::kqueue()?;
        // A child of `fork` does not inherit it, so nobody can come in between.
        rustix::io::fcntl_setfd(&fd, rustix::io::FdFlags::CLOEXEC)?;
        Ok(Queue {
            fd: ManuallyDrop::new(fd),
            owner: process::id(),
        })
    }

    /// Whether this process has it: not if it is a fork of the one that opened it.
    pub(crate) fn is_own(&self) -> bool {
        self.owner == process::id()
    }

    /// Applies changes, writes down the answers to those that want one, and returns the number of answers.
    #[inline]
    pub(crate) fn change(
        &self,
        changes: &[Kevent],
        answers: &mut [Kevent],
    ) -> Result<usize, Errno> {
        let answered = answers.as_mut_ptr();
        // SAFETY: The memory for the answers is borrowed from a slice of this length.
        unsafe { self.kevent(changes, answered, answers.len(), Some(Duration::ZERO)) }
    }

    /// Waits for events, and appends them as far as there is room.
    #[inline]
    pub(crate) fn wait(
        &self,
        events: &mut Vec<Kevent>,
        timeout: Option<Duration>,
    ) -> Result<(), Errno> {
        let old = events.len();
        let spare = events.spare_capacity_mut();
        let (room, memory) = (spare.len(), spare.as_mut_ptr().cast());
        let timeout = match timeout {
            Some(timeout) if KQUEUE_MICROSECONDS => Some(for_microseconds(timeout)),
            other => other,
        };
        // SAFETY: The spare capacity is memory for this many elements.
        let new = unsafe { self.kevent(&[], memory, room, timeout) }?;
        // SAFETY: The kernel has initialised this many elements behind the old end, within the capacity.
        unsafe { events.set_len(old + new) };
        Ok(())
    }

    /// `kevent(2)`. The number of elements that were written to `memory`.
    ///
    /// # Safety
    ///
    /// There is memory for `room` elements.
    #[inline]
    unsafe fn kevent(
        &self,
        changes: &[Kevent],
        memory: *mut Kevent,
        room: usize,
        timeout: Option<Duration>,
    ) -> Result<usize, Errno> {
        // Hardly longer than a day, so it fits.
        let timeout = timeout.map(|timeout| libc::timespec {
            tv_sec: timeout.as_secs() as _,
            tv_nsec: timeout.subsec_nanos() as _,
        });
        // The kernel counts with `int`, except for NetBSD's.
        let room = room.min(i32::MAX as usize);
        // SAFETY: The changes are a slice, the caller vouches for the memory, and a timeout lives as long as the call.
        let result = unsafe {
            libc::kevent(
                self.fd.as_raw_fd(),
                changes.as_ptr().cast(),
                changes.len() as _,
                memory.cast(),
                room as _,
                timeout.as_ref().map_or(ptr::null(), |timeout| timeout),
            )
        };
        match usize::try_from(result) {
            Ok(written) => Ok(written),
            Err(_) => Err(last_error()),
        }
    }
}

impl Drop for Queue {
    fn drop(&mut self) {
        // In a forked child the number is free, or another file's.
        if self.is_own() {
            // SAFETY: This is the one place that drops it, and it is not used again.
            unsafe { ManuallyDrop::drop(&mut self.fd) };
        }
    }
}

impl AsFd for Queue {
    #[inline]
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.fd.as_fd()
    }
}

impl fmt::Debug for Queue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.fd.fmt(f)
    }
}
