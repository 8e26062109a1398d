//! A model of the kernel's side of kqueue, on which the backend's own code runs on Linux: `cargo xtask models`.
//!
//! It follows the manual pages `kqueue(2)`, where they are silent the reading that helps the backend least, and takes the
//! edges from Linux: two epoll instances tell when something begins for reading and for writing. What the manuals say of
//! retrieving is done here, sentence by sentence:
//!
//! - An entry whose condition may hold is placed on the queue. "The filter is also run when the user attempts to retrieve
//!   the kevent. If the condition no longer holds, the kevent is removed from the queue and is not returned."
//! - `EV_CLEAR` resets, `EV_DISPATCH` disables, `EV_ONESHOT` deletes an entry that was returned. Any other one is placed
//!   on the queue again, behind the rest. What two of these flags do together, they leave open. Here `EV_CLEAR` alone
//!   counts beside `EV_DISPATCH`, as on NetBSD.
//! - Re-adding an entry "will modify the parameters": `udata`, and whether it is enabled. The manuals do not say that the
//!   flags change, or that the filter is run. Here neither happens.
//! - A timeout of more than a day is refused, and entries of a closed descriptor are gone.
//!
//! A model is not the system. What of a connection's state Linux does not show is not there: the number of an error is
//! always the same one.

mod knotes;
mod source;

use std::io;
use std::os::fd::{AsFd, BorrowedFd};
use std::process;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use rustix::event::{poll, PollFd, PollFlags, Timespec};
use rustix::io::Errno;

use self::knotes::Knotes;
use crate::sys::pure_kqueue::rules::{Filter, Flags};

/// `NOTE_TRIGGER`.
pub(crate) const TRIGGER: u32 = 0x0100_0000;

const LONGEST: Duration = Duration::from_secs(24 * 60 * 60);

/// `struct kevent`, and the numbers of the filters, as FreeBSD has them.
#[derive(Copy, Clone, Debug, Default)]
pub(crate) struct Kevent {
    ident: usize,
    number: i16,
    flags: u16,
    fflags: u32,
    data: isize,
    udata: usize,
}

const READ: i16 = -1;
const WRITE: i16 = -2;
const AIO: i16 = -3;
const LIO: i16 = -10;
const USER: i16 = -11;

impl Kevent {
    pub(crate) fn new(
        ident: usize,
        filter: Filter,
        flags: Flags,
        fflags: u32,
        udata: usize,
    ) -> Kevent {
        let number = match filter {
            Filter::Read => READ,
            Filter::Write => WRITE,
            Filter::User => USER,
            Filter::Aio | Filter::Lio | Filter::Other => {
                unreachable!("no entry is made for {filter:?}")
            }
        };
        Kevent {
            ident,
            number,
            flags: flags.bits(),
            fflags,
            data: 0,
            udata,
        }
    }

    pub(crate) fn ident(&self) -> usize {
        self.ident
    }

    pub(crate) fn set_ident(&mut self, ident: usize) {
        self.ident = ident;
    }

    pub(crate) fn number(&self) -> i64 {
        self.number.into()
    }

    pub(crate) fn set_number(&mut self, number: i64) {
        self.number = number as i16;
    }

    pub(crate) fn filter(&self) -> Filter {
        match self.number {
            READ => Filter::Read,
            WRITE => Filter::Write,
            USER => Filter::User,
            AIO => Filter::Aio,
            LIO => Filter::Lio,
            _ => Filter::Other,
        }
    }

    pub(crate) fn flags(&self) -> Flags {
        Flags::from_bits(self.flags)
    }

    pub(crate) fn fflags(&self) -> u32 {
        self.fflags
    }

    pub(crate) fn data(&self) -> i64 {
        self.data as i64
    }

    pub(crate) fn set_data(&mut self, data: i64) {
        self.data = data as isize;
    }

    pub(crate) fn udata(&self) -> usize {
        self.udata
    }

    pub(crate) fn set_udata(&mut self, udata: usize) {
        self.udata = udata;
    }
}

/// The queue.
#[derive(Debug)]
pub(crate) struct Queue {
    knotes: Mutex<Knotes>,
    /// What [`Knotes`] shows to the outside, readable when something can be retrieved.
    fd: std::os::fd::OwnedFd,
    owner: u32,
}

impl Queue {
    pub(crate) fn open() -> io::Result<Queue> {
        let knotes = Knotes::new()?;
        Ok(Queue {
            fd: knotes.as_fd().try_clone_to_owned()?,
            knotes: Mutex::new(knotes),
            owner: process::id(),
        })
    }

    pub(crate) fn is_own(&self) -> bool {
        self.owner == process::id()
    }

    pub(crate) fn change(
        &self,
        changes: &[Kevent],
        answers: &mut [Kevent],
    ) -> Result<usize, Errno> {
        let answered = self.kevent(changes, answers.len(), Some(Duration::ZERO))?;
        answers[..answered.len()].copy_from_slice(&answered);
        Ok(answered.len())
    }

    pub(crate) fn wait(
        &self,
        events: &mut Vec<Kevent>,
        timeout: Option<Duration>,
    ) -> Result<(), Errno> {
        let room = events.capacity() - events.len();
        events.extend(self.kevent(&[], room, timeout)?);
        Ok(())
    }

    /// `kevent(2)`.
    fn kevent(
        &self,
        changes: &[Kevent],
        room: usize,
        timeout: Option<Duration>,
    ) -> Result<Vec<Kevent>, Errno> {
        if !self.is_own() {
            // "The queue is not inherited by a child created with fork."
            return Err(Errno::BADF);
        }
        if timeout.is_some_and(|timeout| timeout > LONGEST) {
            return Err(Errno::INVAL);
        }
        let answers = self.apply(changes, room)?;
        // "When nevents is zero, kevent will return immediately."
        if !answers.is_empty() || room == 0 {
            return Ok(answers);
        }
        let end = timeout.map(|timeout| Instant::now() + timeout);
        loop {
            let events = self.lock().retrieve(room)?;
            if !events.is_empty() {
                return Ok(events);
            }
            let left = end.map(|end| end.saturating_duration_since(Instant::now()));
            if left.is_some_and(|left| left.is_zero()) {
                return Ok(events);
            }
            let left = left.map(|left| Timespec::try_from(left).expect("a day at most"));
            poll(&mut [PollFd::new(&self.fd, PollFlags::IN)], left.as_ref())?;
        }
    }

    /// Applies the changes one by one, and returns the answers.
    fn apply(&self, changes: &[Kevent], room: usize) -> Result<Vec<Kevent>, Errno> {
        let mut answers = Vec::new();
        let mut knotes = self.lock();
        for change in changes {
            let result = knotes.apply(change);
            if result.is_ok() && !change.flags().contains(Flags::RECEIPT) {
                continue;
            }
            if answers.len() == room {
                // "Otherwise -1 will be returned." Or: "subsequent changes will not get processed".
                result?;
                break;
            }
            answers.push(Kevent {
                flags: (change.flags() | Flags::ERROR).bits(),
                data: result
                    .err()
                    .map_or(0, |errno| errno.raw_os_error() as isize),
                ..*change
            });
        }
        Ok(answers)
    }

    fn lock(&self) -> MutexGuard<'_, Knotes> {
        self.knotes.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl AsFd for Queue {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.fd.as_fd()
    }
}

#[cfg(test)]
#[path = "tests.rs"]
mod tests;
