//! A model of event ports on Linux, in the place of `system.rs`: so that the backend's own code runs where there are none.
//!
//! It keeps what the manuals of `system.rs` promise, and no more. Beneath is an epoll instance, whose entries are the
//! associations. Events are queued here as they are seen, and an `eventfd` makes the descriptor readable while some
//! are. What is sent goes through a pipe, so that sending takes no lock: it is safe in a signal handler, as in the
//! original. Where the manuals leave something open, it does now one thing and now the other:
//!
//! - An event that was queued before its association was replaced or removed is withdrawn, or it is not. (A thread that
//!   has fetched it already sees the second in any case.)
//! - A call of `port_getn` says `ETIME`, or `EINTR` after a signal, although it has events.
//! - Whether an error has written the number of events.
//!
//! A model is not the system. What it says of sockets and pipes is what Linux says of them, or its translation into the
//! flags of Solaris, with `--cfg mio_model="solaris"`. An event is queued when a call looks for it, not at the moment when
//! it happens. Of a fork it knows no more than that a child cannot end what its parent has associated.

use std::collections::VecDeque;
use std::io;
use std::mem::{size_of, MaybeUninit};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd, RawFd};
use std::process;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use rustix::event::epoll::{self, EventData, EventFlags};
use rustix::event::{eventfd, poll, EventfdFlags, PollFd, PollFlags, Timespec};
use rustix::io::{read, write, Errno};
use rustix::pipe::{pipe_with, PipeFlags};

use super::port_event::look;
use crate::sys::selector::timespec;

// The numbers of `sys/port.h`.
pub(super) const SOURCE_USER: u16 = 3;
pub(super) const SOURCE_FD: u16 = 4;
pub(super) const SOURCE_ALERT: u16 = 5;

/// `struct port_event`.
#[derive(Clone, Copy)]
#[repr(C)]
pub(super) struct PortEvent {
    pub(super) portev_events: i32,
    pub(super) portev_source: u16,
    pub(super) portev_pad: u16,
    pub(super) portev_object: usize,
    pub(super) portev_user: *mut std::ffi::c_void,
}

/// The events and associations that a port has room for, unless told otherwise (`process.max-port-events`).
const ROOM: usize = 65_536;

/// The entry of the `eventfd`.
const BELL: u64 = u64::MAX;
/// The entry of the pipe.
const MAIL: u64 = u64::MAX - 1;

/// An event port.
#[derive(Debug)]
pub(super) struct Port {
    epoll: OwnedFd,
    bell: OwnedFd,
    /// What was sent: the end to read, and the end to write.
    mail: (OwnedFd, OwnedFd),
    /// How many events and associations there can be, and how many there are.
    room: usize,
    taken: AtomicUsize,
    kernel: Mutex<Kernel>,
}

#[derive(Debug)]
struct Kernel {
    /// By descriptor.
    associations: Vec<Option<Association>>,
    queue: VecDeque<Queued>,
    alert: bool,
    /// Whether the bell rings.
    rings: bool,
    last_serial: u32,
    /// Counts what the manuals leave open.
    open_questions: u32,
}

#[derive(Clone, Copy, Debug)]
struct Association {
    user: usize,
    asked: PollFlags,
    /// Tells it from others of the same number.
    serial: u32,
    file: File,
    owner: u32,
}

/// What a descriptor stands for: device and inode.
type File = (u64, u64);

#[derive(Clone, Copy, Debug)]
struct Queued {
    flags: i32,
    user: usize,
    /// The descriptor and the serial number of the association, or `None` for what was sent.
    about: Option<(RawFd, u32)>,
}

impl Port {
    pub(super) fn create() -> io::Result<Port> {
        Port::with_room(ROOM)
    }

    /// A port that is full sooner.
    pub(super) fn with_room(room: usize) -> io::Result<Port> {
        let epoll = epoll::create(epoll::CreateFlags::CLOEXEC)?;
        let bell = eventfd(0, EventfdFlags::CLOEXEC | EventfdFlags::NONBLOCK)?;
        epoll::add(&epoll, &bell, EventData::new_u64(BELL), EventFlags::IN)?;
        let mail = pipe_with(PipeFlags::CLOEXEC | PipeFlags::NONBLOCK)?;
        epoll::add(&epoll, &mail.0, EventData::new_u64(MAIL), EventFlags::IN)?;
        Ok(Port {
            epoll,
            bell,
            mail,
            room,
            taken: AtomicUsize::new(0),
            kernel: Mutex::new(Kernel {
                associations: Vec::new(),
                // So much that tests need no more.
                queue: VecDeque::with_capacity(1024),
                alert: false,
                rings: false,
                last_serial: 0,
                open_questions: 0,
            }),
        })
    }

    pub(super) fn associate(&self, fd: RawFd, flags: PollFlags, user: usize) -> Result<(), Errno> {
        let file = file_of(fd)?;
        let mut kernel = self.enter();
        self.collect(&mut kernel)?;
        let old = match kernel.get(fd) {
            Some(old) if old.file == file => {
                kernel.maybe_withdraw(old.serial);
                Some(old)
            }
            Some(dead) => {
                self.end(&mut kernel, fd);
                kernel.withdraw(dead.serial);
                None
            }
            None => None,
        };
        if old.is_none() && !self.take_room() {
            return Err(Errno::AGAIN);
        }
        kernel.last_serial = kernel.last_serial.wrapping_add(1);
        let serial = kernel.last_serial;
        let ready = look(fd, flags).ok_or(Errno::NOMEM)?;
        if ready.is_empty() {
            arm(&self.epoll, fd, flags, serial)?;
        } else {
            disarm(&self.epoll, fd);
            kernel.queue.push_back(Queued {
                flags: ready.bits().into(),
                user,
                about: Some((fd, serial)),
            });
        }
        kernel.put(
            fd,
            Association {
                user,
                asked: flags,
                serial,
                file,
                owner: old.map_or_else(process::id, |old| old.owner),
            },
        );
        kernel.ring(&self.bell)
    }

    pub(super) fn dissociate(&self, fd: RawFd) -> Result<(), Errno> {
        let file = file_of(fd)?;
        let mut kernel = self.enter();
        let association = kernel.get(fd).ok_or(Errno::NOENT)?;
        if association.owner != process::id() {
            return Err(Errno::ACCESS);
        }
        self.collect(&mut kernel)?;
        // An event does not end it before it was fetched.
        self.end(&mut kernel, fd);
        if association.file != file {
            // It has ended with its descriptor, whose number was used again.
            kernel.withdraw(association.serial);
            kernel.ring(&self.bell)?;
            return Err(Errno::NOENT);
        }
        disarm(&self.epoll, fd);
        kernel.maybe_withdraw(association.serial);
        kernel.ring(&self.bell)
    }

    pub(super) fn getn(
        &self,
        list: &mut [MaybeUninit<PortEvent>],
        number: &mut u32,
        timeout: Option<&Timespec>,
    ) -> Result<(), Errno> {
        let timeout = match timeout {
            Some(timeout) => Some(Duration::try_from(*timeout).map_err(|_| Errno::INVAL)?),
            None => None,
        };
        let end = timeout.and_then(|timeout| Instant::now().checked_add(timeout));
        let mut interrupted = false;
        loop {
            let mut kernel = self.enter();
            self.collect(&mut kernel)?;
            let count = self.fetch(&mut kernel, list);
            kernel.ring(&self.bell)?;
            if count > 0 {
                *number = count as u32;
                kernel.open_questions += 1;
                return match kernel.open_questions % 7 {
                    _ if interrupted => Err(Errno::INTR),
                    0 if timeout.is_some() => Err(Errno::TIME),
                    _ => Ok(()),
                };
            }
            drop(kernel);
            if interrupted {
                return Err(Errno::INTR);
            }
            let left = end.map(|end| end.saturating_duration_since(Instant::now()));
            if left.is_some_and(|left| left.is_zero()) {
                return Err(Errno::TIME);
            }
            let mut epoll = [PollFd::new(&self.epoll, PollFlags::IN)];
            match poll(&mut epoll, left.map(timespec).as_ref()) {
                Ok(_) => {}
                Err(Errno::INTR) => interrupted = true,
                Err(errno) => return Err(errno),
            }
        }
    }

    pub(super) fn send(&self, user: usize) -> Result<(), Errno> {
        if !self.take_room() {
            return Err(Errno::AGAIN);
        }
        match write(&self.mail.1, &user.to_ne_bytes()) {
            Ok(_) => Ok(()),
            Err(errno) => {
                self.taken.fetch_sub(1, Ordering::AcqRel);
                Err(errno)
            }
        }
    }

    pub(super) fn alert(&self, on: bool) -> Result<(), Errno> {
        let mut kernel = self.enter();
        kernel.alert = on;
        kernel.ring(&self.bell)
    }

    /// Takes room for an event or an association, if there is any.
    fn take_room(&self) -> bool {
        let taken = self.taken.fetch_add(1, Ordering::AcqRel);
        if taken >= self.room {
            self.taken.fetch_sub(1, Ordering::AcqRel);
        }
        taken < self.room
    }

    /// Ends an association.
    fn end(&self, kernel: &mut Kernel, fd: RawFd) {
        kernel.associations[fd as usize] = None;
        self.taken.fetch_sub(1, Ordering::AcqRel);
    }

    /// Queues what was sent, and the events of associations that have become ready.
    fn collect(&self, kernel: &mut Kernel) -> Result<(), Errno> {
        let mut user = [0; size_of::<usize>()];
        while let Ok(length) = read(&self.mail.0, &mut user) {
            debug_assert_eq!(length, user.len());
            kernel.queue.push_back(Queued {
                flags: 1,
                user: usize::from_ne_bytes(user),
                about: None,
            });
        }
        loop {
            let mut events = [MaybeUninit::<epoll::Event>::uninit(); 64];
            let zero = timespec(Duration::ZERO);
            let (events, _) = epoll::wait(&self.epoll, &mut events, Some(&zero))?;
            let mut any = false;
            for event in events.iter() {
                let (data, flags) = (event.data, event.flags);
                if [BELL, MAIL].contains(&data.u64()) {
                    continue;
                }
                any = true;
                let fd = data.u64() as u32 as RawFd;
                let serial = (data.u64() >> 32) as u32;
                match kernel.get(fd) {
                    Some(association) if association.serial == serial => {
                        let said = said(fd, association.asked, flags);
                        if said.is_empty() {
                            continue; // the entry tells of the next change
                        }
                        disarm(&self.epoll, fd);
                        kernel.queue.push_back(Queued {
                            flags: said.bits().into(),
                            user: association.user,
                            about: Some((fd, serial)),
                        });
                    }
                    // It has ended. The entry is one that could not be removed: a duplicate keeps it.
                    _ => {}
                }
            }
            if !any {
                return Ok(());
            }
        }
    }

    /// Moves events to the list, and ends their associations.
    fn fetch(&self, kernel: &mut Kernel, list: &mut [MaybeUninit<PortEvent>]) -> usize {
        if kernel.alert {
            list[0].write(event(SOURCE_ALERT, 1, 0, 0));
            return 1;
        }
        let mut count = 0;
        while count < list.len() {
            let Some(queued) = kernel.queue.pop_front() else {
                break;
            };
            let (source, object) = match queued.about {
                None => {
                    self.taken.fetch_sub(1, Ordering::AcqRel);
                    (SOURCE_USER, 0)
                }
                Some((fd, serial)) => {
                    match kernel.get(fd) {
                        Some(association) if association.serial == serial => {
                            self.end(kernel, fd);
                            if file_of(fd) != Ok(association.file) {
                                continue; // closed meanwhile, and with it its event
                            }
                        }
                        // Not withdrawn.
                        _ => {}
                    }
                    (SOURCE_FD, fd as usize)
                }
            };
            list[count].write(event(source, queued.flags, object, queued.user));
            count += 1;
        }
        count
    }

    fn enter(&self) -> MutexGuard<'_, Kernel> {
        self.kernel.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl AsFd for Port {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.epoll.as_fd()
    }
}

impl Kernel {
    /// The descriptor of the port is readable while there is something to fetch.
    fn ring(&mut self, bell: &OwnedFd) -> Result<(), Errno> {
        let rings = self.alert || !self.queue.is_empty();
        if rings != self.rings {
            self.rings = rings;
            if rings {
                write(bell, &1_u64.to_ne_bytes())?;
            } else {
                read(bell, &mut [0_u8; 8])?;
            }
        }
        Ok(())
    }

    fn maybe_withdraw(&mut self, serial: u32) {
        self.open_questions += 1;
        if self.open_questions % 2 == 0 {
            self.withdraw(serial);
        }
    }

    fn withdraw(&mut self, serial: u32) {
        self.queue
            .retain(|queued| queued.about.map(|(_, serial)| serial) != Some(serial));
    }

    fn get(&self, fd: RawFd) -> Option<Association> {
        *self.associations.get(fd as usize)?
    }

    fn put(&mut self, fd: RawFd, association: Association) {
        let index = fd as usize;
        if index >= self.associations.len() {
            self.associations.resize(index + 1, None);
        }
        self.associations[index] = Some(association);
    }
}

fn event(source: u16, flags: i32, object: usize, user: usize) -> PortEvent {
    PortEvent {
        portev_events: flags,
        portev_source: source,
        portev_pad: 0,
        portev_object: object,
        portev_user: user as *mut _,
    }
}

/// What a number stands for, if it is a descriptor.
fn file_of(fd: RawFd) -> Result<File, Errno> {
    if fd < 0 {
        return Err(Errno::BADFD);
    }
    match rustix::fs::fstat(number(fd)) {
        Ok(stat) => Ok((stat.st_dev, stat.st_ino)),
        Err(_) => Err(Errno::BADFD),
    }
}

/// What an entry tells of.
#[cfg(not(mio_model = "solaris"))]
fn said(_: RawFd, _: PollFlags, told: EventFlags) -> PollFlags {
    PollFlags::from_bits_retain(told.bits() as _)
}
#[cfg(mio_model = "solaris")]
fn said(fd: RawFd, asked: PollFlags, told: EventFlags) -> PollFlags {
    let linux = PollFlags::from_bits_retain(told.bits() as _);
    crate::sys::model_flags::translate(number(fd), asked, linux)
}

fn arm(epoll: &OwnedFd, fd: RawFd, flags: PollFlags, serial: u32) -> Result<(), Errno> {
    let data = EventData::new_u64(u64::from(serial) << 32 | u64::from(fd as u32));
    // Not a one-shot: what it tells of may be nothing to be said.
    let flags = EventFlags::from_bits_retain(flags.bits() as u32) | EventFlags::ET;
    match epoll::add(epoll, number(fd), data, flags) {
        Err(Errno::EXIST) => epoll::modify(epoll, number(fd), data, flags),
        // A file. It is ready for all that can be asked of it, and nothing was.
        Err(Errno::PERM) => Ok(()),
        result => result,
    }
}

fn disarm(epoll: &OwnedFd, fd: RawFd) {
    // An entry is not there if the association was made ready.
    let _ = epoll::delete(epoll, number(fd));
}

fn number<'a>(fd: RawFd) -> BorrowedFd<'a> {
    // SAFETY: It goes to a system call and nowhere else, which says so if it is no descriptor; -1, which must not be
    // borrowed, was refused in `file_of`.
    unsafe { BorrowedFd::borrow_raw(fd) }
}
