//! The entries of a queue, which of them may be retrieved, and the epoll instances that tell of edges.

use std::collections::{HashMap, VecDeque};
use std::io;
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use rustix::event::epoll::{self, CreateFlags, EventData, EventFlags};
use rustix::event::Timespec;
use rustix::io::Errno;

use super::source::{Condition, Source};
use super::{Kevent, READ, TRIGGER, USER, WRITE};
use crate::sys::pure_kqueue::rules::{Filter, Flags};
use crate::sys::signal::Signal;

/// `(ident, filter)`.
type Key = (usize, i16);

/// What stands in epoll's data for a descriptor of the model itself.
const OWN: u64 = u64::MAX;

#[derive(Debug)]
pub(super) struct Knotes {
    /// Watches what is to be read, `writing` and `pending`.
    reading: OwnedFd,
    writing: OwnedFd,
    /// Raised while anything is in `ready`.
    pending: Signal,
    is_pending: bool,
    all: HashMap<Key, Knote>,
    /// The entries of epoll's data.
    serials: HashMap<u64, Key>,
    next_serial: u64,
    /// The entries that are on the queue for the user to retrieve.
    ready: VecDeque<Key>,
}

#[derive(Debug)]
struct Knote {
    serial: u64,
    /// `None` if the process raises it itself.
    source: Option<Source>,
    /// `EV_CLEAR`, `EV_DISPATCH` and `EV_ONESHOT`.
    mode: Flags,
    udata: usize,
    is_enabled: bool,
    /// The filter was told of something since it was last reset.
    is_active: bool,
    is_ready: bool,
}

impl Knotes {
    pub(super) fn new() -> io::Result<Knotes> {
        let reading = epoll::create(CreateFlags::CLOEXEC)?;
        let writing = epoll::create(CreateFlags::CLOEXEC)?;
        let pending = Signal::new()?;
        let own = EventData::new_u64(OWN);
        epoll::add(&reading, &writing, own, EventFlags::IN)?;
        epoll::add(&reading, &pending, own, EventFlags::IN)?;
        Ok(Knotes {
            reading,
            writing,
            pending,
            is_pending: false,
            all: HashMap::new(),
            serials: HashMap::new(),
            next_serial: 0,
            ready: VecDeque::new(),
        })
    }

    /// Applies one change.
    pub(super) fn apply(&mut self, change: &Kevent) -> Result<(), Errno> {
        let key = (change.ident, change.number);
        let flags = change.flags();
        match change.filter() {
            Filter::Read | Filter::Write => self.forget_if_closed(key)?,
            Filter::User => {}
            _ => return Err(Errno::INVAL),
        }
        if flags.contains(Flags::DELETE) {
            self.delete(key)?;
            return self.show();
        }
        if !self.all.contains_key(&key) {
            if !flags.contains(Flags::ADD) {
                return Err(Errno::NOENT);
            }
            self.add(key, flags)?;
        }
        let knote = self.all.get_mut(&key).ok_or(Errno::NOENT)?;
        knote.udata = change.udata;
        if flags.contains(Flags::DISABLE) {
            knote.is_enabled = false;
        } else if flags.contains(Flags::ADD) || flags.contains(Flags::ENABLE) {
            knote.is_enabled = true;
        }
        if change.number == USER && change.fflags & TRIGGER != 0 {
            knote.is_active = true;
        }
        self.place(key);
        self.show()
    }

    /// A new entry. "The filter is executed upon the initial registration."
    fn add(&mut self, key: Key, flags: Flags) -> Result<(), Errno> {
        let serial = self.next_serial;
        self.next_serial += 1;
        let mut is_active = false;
        let source = if key.1 == USER {
            None
        } else {
            let mut source = Source::new(key.0, filter_of(key))?;
            if source.is_watched() {
                let data = EventData::new_u64(serial);
                match epoll::add(self.watch(key), source.fd(), data, mask(key)) {
                    Ok(()) => {}
                    // Always ready, so there are no edges. For an entry that is new to the filter this is one.
                    Err(Errno::PERM) => {
                        source.set_unwatched();
                        is_active = true;
                    }
                    Err(errno) => return Err(errno),
                }
            } else {
                is_active = true;
            }
            Some(source)
        };
        let known = Flags::CLEAR | Flags::DISPATCH | Flags::ONESHOT;
        self.serials.insert(serial, key);
        self.all.insert(
            key,
            Knote {
                serial,
                source,
                mode: Flags::from_bits(flags.bits() & known.bits()),
                udata: 0,
                is_enabled: true,
                is_active,
                is_ready: false,
            },
        );
        Ok(())
    }

    fn delete(&mut self, key: Key) -> Result<(), Errno> {
        let knote = self.all.remove(&key).ok_or(Errno::NOENT)?;
        self.serials.remove(&knote.serial);
        self.ready.retain(|ready| *ready != key);
        if let Some(source) = knote.source.filter(Source::is_watched) {
            // If the number has another file by now, epoll has none of that.
            let _ = epoll::delete(self.watch(key), source.fd());
        }
        Ok(())
    }

    /// "Calling close on a file descriptor will remove any kevents that reference the descriptor."
    fn forget_if_closed(&mut self, key: Key) -> Result<(), Errno> {
        let is_open = Source::is_open(key.0);
        let is_gone = self
            .all
            .get(&key)
            .and_then(|knote| knote.source.as_ref())
            .is_some_and(|source| !is_open || !source.is_same(self.watch(key)));
        if is_gone {
            self.delete(key)?;
        }
        if is_open {
            Ok(())
        } else {
            Err(Errno::BADF)
        }
    }

    /// Places an entry on the queue, if it is active and may be returned.
    fn place(&mut self, key: Key) {
        if let Some(knote) = self.all.get_mut(&key) {
            if knote.is_active && knote.is_enabled && !knote.is_ready {
                knote.is_ready = true;
                self.ready.push_back(key);
            }
        }
    }

    /// Learns what has begun.
    fn listen(&mut self) -> Result<(), Errno> {
        for filter in [READ, WRITE] {
            loop {
                let mut memory = [MaybeUninit::uninit(); 256];
                let none = Timespec {
                    tv_sec: 0,
                    tv_nsec: 0,
                };
                let room = memory.len();
                let (begun, _) = epoll::wait(self.watch((0, filter)), &mut memory, Some(&none))?;
                for event in begun.iter() {
                    let data = event.data;
                    if let Some(&key) = self.serials.get(&data.u64()) {
                        self.all.get_mut(&key).ok_or(Errno::NOENT)?.is_active = true;
                        self.place(key);
                    }
                }
                if begun.len() < room {
                    break;
                }
            }
        }
        Ok(())
    }

    /// What the user can have now.
    pub(super) fn retrieve(&mut self, room: usize) -> Result<Vec<Kevent>, Errno> {
        self.listen()?;
        let mut events = Vec::new();
        let mut again = Vec::new();
        while events.len() < room {
            let Some(key) = self.ready.pop_front() else {
                break;
            };
            if key.1 != USER {
                // One that is gone is found to be so below.
                let _ = self.forget_if_closed(key);
            }
            let Some(knote) = self.all.get_mut(&key) else {
                continue;
            };
            knote.is_ready = false;
            if !knote.is_enabled {
                continue;
            }
            let condition = match &knote.source {
                Some(source) => source.condition()?,
                None => Some(Condition::default()),
            };
            let Some(condition) = condition else {
                knote.is_active = false;
                continue;
            };
            events.push(Kevent {
                ident: key.0,
                number: key.1,
                flags: (Flags::ADD | knote.mode | condition.flags).bits(),
                fflags: condition.fflags,
                data: condition.data,
                udata: knote.udata,
            });
            if knote.mode.contains(Flags::ONESHOT) {
                self.delete(key)?;
                continue;
            }
            if knote.mode.contains(Flags::CLEAR) {
                knote.is_active = false;
            } else {
                knote.is_enabled = !knote.mode.contains(Flags::DISPATCH);
                again.push(key);
            }
        }
        for key in again {
            self.place(key);
        }
        self.show()?;
        Ok(events)
    }

    /// Has the descriptor say whether there is something to retrieve.
    fn show(&mut self) -> Result<(), Errno> {
        let is_pending = !self.ready.is_empty();
        if is_pending != self.is_pending {
            let shown = if is_pending {
                self.pending.raise()
            } else {
                self.pending.lower()
            };
            shown.map_err(|error| Errno::from_io_error(&error).unwrap_or(Errno::IO))?;
            self.is_pending = is_pending;
        }
        Ok(())
    }

    fn watch(&self, key: Key) -> BorrowedFd<'_> {
        match key.1 {
            READ => self.reading.as_fd(),
            _ => self.writing.as_fd(),
        }
    }
}

impl AsFd for Knotes {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.reading.as_fd()
    }
}

fn filter_of(key: Key) -> Filter {
    match key.1 {
        READ => Filter::Read,
        _ => Filter::Write,
    }
}

fn mask(key: Key) -> EventFlags {
    EventFlags::ET
        | match key.1 {
            READ => EventFlags::IN | EventFlags::RDHUP,
            _ => EventFlags::OUT,
        }
}
