//! `poll_oneoff` in the place of `poll(2)`, and under its name: WASI preview 1.

use std::os::fd::{AsRawFd, BorrowedFd};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use rustix::event::{PollFlags, Timespec};
use rustix::io::Errno;

use crate::sys::oneoff::{Event, Oneoff, Subscription};

/// Memory of all queues. There is one thread.
static SCRATCH: Mutex<Oneoff> = Mutex::new(Oneoff::new());

/// What is asked of a descriptor, and what was said.
#[derive(Debug)]
pub(crate) struct PollFd<'fd> {
    fd: BorrowedFd<'fd>,
    asked: PollFlags,
    said: PollFlags,
}

impl<'fd> PollFd<'fd> {
    pub(crate) fn from_borrowed_fd(fd: BorrowedFd<'fd>, asked: PollFlags) -> PollFd<'fd> {
        PollFd {
            fd,
            asked,
            said: PollFlags::empty(),
        }
    }

    pub(crate) fn revents(&self) -> PollFlags {
        self.said
    }
}

/// Waits until there is something to say.
pub(crate) fn poll(fds: &mut [PollFd<'_>], timeout: Option<&Timespec>) -> Result<(), Errno> {
    let mut scratch = SCRATCH.lock().unwrap_or_else(PoisonError::into_inner);
    scratch.clear();
    for fd in &*fds {
        scratch.push(fd.fd.as_raw_fd(), fd.asked);
    }
    let timeout = timeout.map(|time| {
        let seconds = u64::try_from(time.tv_sec).unwrap_or(0);
        Duration::new(seconds, u32::try_from(time.tv_nsec).unwrap_or(0))
    });
    scratch.wait(timeout, call)?;
    for (fd, said) in fds.iter_mut().zip(scratch.answers()) {
        fd.said = said;
    }
    Ok(())
}

#[link(wasm_import_module = "wasi_snapshot_preview1")]
extern "C" {
    fn poll_oneoff(
        subscriptions: *const Subscription,
        events: *mut Event,
        number: usize,
        answered: *mut usize,
    ) -> i32;
}

fn call(subscriptions: &[Subscription], events: &mut [Event]) -> Result<usize, Errno> {
    let mut answered = 0;
    let number = subscriptions.len().min(events.len());
    // SAFETY: Both are as long as `number` says, and laid out as the interface defines.
    let error = unsafe {
        poll_oneoff(
            subscriptions.as_ptr(),
            events.as_mut_ptr(),
            number,
            &mut answered,
        )
    };
    match error {
        0 => Ok(answered),
        // The numbers of the interface are those of the C library.
        error => Err(Errno::from_raw_os_error(error)),
    }
}
