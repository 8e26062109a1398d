//! What is known of a pipe, and what follows from everything that can happen to it. Nothing here makes a system call, so
//! it is tested on every host.
//!
//! Reading, writing and connecting each have at most one operation in flight, whose answer comes as a packet or with the
//! call. Whoever calls starts operations, and says how they have ended. One that was in flight when its connection ended
//! is stale: its answer says nothing of the next connection.

use super::Flags;
use crate::sys::selector::Wanted;

/// How much is read at a time, in bytes, as long as less than that comes.
const SMALL: usize = 4 * 1024;

/// How much is read at a time once a read was full, and the most that is taken from one write to a pipe of bytes.
const LARGE: usize = 64 * 1024;

/// What the packet of a read may be an edge of.
const READ_EDGES: Flags = Flags::RECEIVE.and(Flags::DISCONNECT);
/// The same of a write, with its packet or without one.
const WRITE_EDGES: Flags = Flags::SEND.and(Flags::ABORT).and(Flags::CONNECT_FAIL);

/// Error codes of Windows, which other systems have no names for. `calls.rs` compares them.
pub(super) mod code {
    pub(crate) const BROKEN_PIPE: u32 = 109;
    pub(crate) const NO_DATA: u32 = 232;
    pub(crate) const MORE_DATA: u32 = 234;
    pub(crate) const PIPE_CONNECTED: u32 = 535;
    pub(crate) const PIPE_LISTENING: u32 = 536;
    pub(crate) const OPERATION_ABORTED: u32 = 995;
    pub(crate) const TIMEOUT: u32 = 1460;
}

#[derive(Debug)]
pub(super) struct State {
    pub(super) dropped: bool,
    /// An operation that succeeds at once leaves no packet.
    pub(super) skips_packets: bool,
    pub(super) medium: Medium,
    registered: Option<Wanted>,
    /// Whether a one-shot registration may still report.
    armed: bool,
    /// What edges there were since the last event.
    edges: Flags,
    /// A packet of `notice` is on its way.
    pub(super) noticed: bool,
    pub(super) connected: bool,
    pub(super) connecting: Connecting,
    pub(super) reading: Reading,
    /// Of which the first bytes were read, and some of them handed out.
    pub(super) incoming: Vec<u8>,
    /// How much the next read asks for.
    pub(super) appetite: usize,
    pub(super) writing: Writing,
    pub(super) outgoing: Vec<u8>,
    /// How much of it is gone.
    pub(super) written: usize,
}

/// What a packet is of.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Read,
    Write,
    Connect,
    /// The pipe is to be looked at.
    Notice,
}

#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub(super) enum Reading {
    Idle,
    InFlight,
    /// In flight, and of no interest any more.
    Stale,
    /// What is between the two is to be handed out.
    Data {
        from: usize,
        to: usize,
    },
    /// The other end is closed.
    End,
    Failed(u32),
}

#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub(super) enum Writing {
    Idle,
    InFlight,
    Stale,
    Failed(u32),
}

#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub(super) enum Connecting {
    Idle,
    InFlight,
    /// In flight, of a connection that was ended. `again` says that the next one is wanted.
    Stale {
        again: bool,
    },
    Failed(u32),
}

/// What a handle is of.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub(super) enum Medium {
    /// A pipe of bytes.
    Bytes,
    /// A pipe that keeps together what was written with one call.
    Messages,
    /// No pipe: a serial port, for example.
    Other,
}

/// What has become of an operation that was started.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub(super) enum Started {
    /// It is over, with so many bytes. No packet comes.
    Done(u32),
    /// A packet will come. Until then the memory is the system's.
    Pending,
    /// It is over, with this error. No packet comes.
    Failed(u32),
}

/// Why the user gets nothing.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub(super) enum Refusal {
    WouldBlock,
    /// With the system's error.
    Failed(u32),
    AlreadyRegistered,
    NotRegistered,
}

/// A registration as it was, for a change that fails.
#[derive(Copy, Clone, Debug)]
pub(super) struct Before(Option<Wanted>, bool);

impl State {
    pub(super) fn new() -> State {
        State {
            dropped: false,
            skips_packets: false,
            medium: Medium::Bytes,
            registered: None,
            armed: false,
            edges: Flags::default(),
            noticed: false,
            connected: false,
            connecting: Connecting::Idle,
            reading: Reading::Idle,
            incoming: Vec::new(),
            appetite: SMALL,
            writing: Writing::Idle,
            outgoing: Vec::new(),
            written: 0,
        }
    }

    pub(super) fn register(&mut self, wanted: Wanted, again: bool) -> Result<Before, Refusal> {
        match (again, self.registered) {
            (false, Some(_)) => return Err(Refusal::AlreadyRegistered),
            (true, None) => return Err(Refusal::NotRegistered),
            _ => {}
        }
        let before = Before(self.registered.replace(wanted), self.armed);
        self.armed = true;
        self.edges = Flags::ALL;
        Ok(before)
    }

    /// What a change was to lead to has failed.
    pub(super) fn restore(&mut self, before: Before) {
        (self.registered, self.armed) = (before.0, before.1);
    }

    pub(super) fn deregister(&mut self) -> Result<(), Refusal> {
        match self.registered.take() {
            Some(_) => Ok(()),
            None => Err(Refusal::NotRegistered),
        }
    }

    /// The user has dropped the pipe.
    pub(super) fn drop_by_user(&mut self) {
        self.registered = None;
        self.dropped = true;
    }

    /// Whether no attempt to connect is under way. One that has failed says so once.
    pub(super) fn check_connecting(&mut self) -> Result<(), Refusal> {
        match &mut self.connecting {
            Connecting::Idle => Ok(()),
            Connecting::InFlight => Err(Refusal::WouldBlock),
            Connecting::Stale { again } => {
                *again = true;
                Err(Refusal::WouldBlock)
            }
            &mut Connecting::Failed(code) => {
                self.connecting = Connecting::Idle;
                Err(Refusal::Failed(code))
            }
        }
    }

    /// Who waits for an event does not know yet that there is somebody.
    pub(super) fn connected_at_once(&mut self) {
        self.edges = Flags::ALL;
    }

    /// The error of an attempt to connect, once.
    pub(super) fn take_error(&mut self) -> Option<u32> {
        match self.connecting {
            Connecting::Failed(code) => {
                self.connecting = Connecting::Idle;
                Some(code)
            }
            _ => None,
        }
    }

    /// The connection was ended.
    pub(super) fn disconnected(&mut self) {
        self.connected = false;
        self.connecting = match self.connecting {
            Connecting::InFlight | Connecting::Stale { .. } => Connecting::Stale { again: false },
            Connecting::Idle | Connecting::Failed(_) => Connecting::Idle,
        };
        self.reading = match self.reading {
            Reading::InFlight | Reading::Stale => Reading::Stale,
            _ => Reading::Idle,
        };
        self.writing = match self.writing {
            Writing::InFlight | Writing::Stale => Writing::Stale,
            _ => Writing::Idle,
        };
    }

    /// Hands out what was read, or how that has ended.
    pub(super) fn read(&mut self, buffer: &mut [u8]) -> Result<usize, Refusal> {
        match self.reading {
            Reading::Idle | Reading::InFlight | Reading::Stale => Err(Refusal::WouldBlock),
            Reading::Data { from, to } => {
                let n = buffer.len().min(to - from);
                buffer[..n].copy_from_slice(&self.incoming[from..from + n]);
                self.reading = match from + n {
                    from if from == to => Reading::Idle,
                    from => Reading::Data { from, to },
                };
                Ok(n)
            }
            Reading::End => {
                self.reading = Reading::Idle;
                Ok(0)
            }
            Reading::Failed(code) => {
                self.reading = Reading::Idle;
                Err(match code {
                    // Nobody is there yet to end the wait.
                    code::PIPE_LISTENING => Refusal::WouldBlock,
                    code => Refusal::Failed(code),
                })
            }
        }
    }

    /// Takes bytes, and tells how many of them are to be written now. `None` if there is nothing to do.
    pub(super) fn write(&mut self, bytes: &[u8]) -> Result<Option<usize>, Refusal> {
        match self.writing {
            Writing::InFlight | Writing::Stale => return Err(Refusal::WouldBlock),
            Writing::Idle | Writing::Failed(_) => self.check_written()?,
        }
        let taken = match self.medium {
            Medium::Messages => bytes,
            // An empty message is one, no bytes are nothing.
            _ if bytes.is_empty() => return Ok(None),
            _ => &bytes[..bytes.len().min(LARGE)],
        };
        self.outgoing.clear();
        // Of a message beyond all measure, the memory is not kept.
        if taken.len() <= LARGE {
            self.outgoing.shrink_to(LARGE);
        }
        self.outgoing.extend_from_slice(taken);
        self.written = 0;
        Ok(Some(taken.len()))
    }

    /// Whether a write has failed, once.
    pub(super) fn check_written(&mut self) -> Result<(), Refusal> {
        match self.writing {
            Writing::Failed(code) => {
                self.writing = Writing::Idle;
                Err(Refusal::Failed(code))
            }
            _ => Ok(()),
        }
    }

    /// Who waits for an event after each write does not know yet that this one is over.
    pub(super) fn written_at_once(&mut self) {
        self.edges = self.edges.and(WRITE_EDGES);
    }

    /// Whether a read is to wait for data, so that the registration hears of it: then it is to be started.
    pub(super) fn keep_reading(&mut self) -> bool {
        let wants = matches!(self.registered, Some(wanted) if wanted.interest.is_readable());
        let starts = wants && self.armed && self.connected && self.reading == Reading::Idle;
        if starts {
            self.edges = self.edges.and(READ_EDGES);
        }
        starts
    }

    /// Whether the next poll is to look at the pipe, for it would find something.
    pub(super) fn needs_notice(&self) -> bool {
        let ready = |wanted| !self.flags(wanted).is_empty();
        self.armed && !self.noticed && self.registered.is_some_and(ready)
    }

    /// The event that the registration asks for now, if any.
    pub(super) fn report(&mut self) -> Option<(Wanted, Flags)> {
        let wanted = self.registered?;
        // With a level, the packet that is on its way speaks for all.
        if !self.armed || self.is_level() && self.noticed {
            return None;
        }
        let flags = self.flags(wanted);
        if flags.is_empty() {
            return None;
        }
        self.edges = Flags::default();
        self.armed = !wanted.trigger.is_oneshot();
        Some((wanted, flags))
    }

    pub(super) fn is_level(&self) -> bool {
        matches!(self.registered, Some(wanted) if !wanted.trigger.is_edge() && !wanted.trigger.is_oneshot())
    }

    /// The result of an operation that no packet will come for.
    pub(super) fn expects_packet(&self, started: Started) -> Option<(usize, u32)> {
        match started {
            Started::Pending => None,
            Started::Done(_) if !self.skips_packets => None,
            // A part of a message is a success that looks like an error: a packet comes.
            Started::Failed(code::MORE_DATA) => None,
            Started::Done(bytes) => Some((bytes as usize, 0)),
            Started::Failed(code) => Some((0, code)),
        }
    }

    /// A packet has come, with so many bytes and this error, or 0. What is to be started now: [`Kind::Write`] or
    /// [`Kind::Connect`].
    #[must_use]
    pub(super) fn taken(&mut self, kind: Kind, bytes: usize, code: u32) -> Option<Kind> {
        // By somebody else, or by the system because of a thread that has ended.
        let cancelled = code == code::OPERATION_ABORTED && !self.dropped;
        let again = match kind {
            Kind::Notice => {
                self.noticed = false;
                return None;
            }
            // Another one is begun by who wants to know.
            Kind::Read if cancelled => {
                self.reading = Reading::Idle;
                return None;
            }
            Kind::Read => {
                self.has_read(bytes, code);
                false
            }
            // Of a serial port it may have been the purpose that it is not written.
            Kind::Write
                if cancelled
                    && self.writing == Writing::InFlight
                    && self.medium != Medium::Other =>
            {
                self.written += bytes;
                true
            }
            Kind::Write => self.has_written(bytes, code),
            Kind::Connect if cancelled && self.connecting == Connecting::InFlight => true,
            Kind::Connect => self.has_connected(code),
        };
        self.edges = match kind {
            Kind::Read => self.edges.and(READ_EDGES),
            Kind::Write => self.edges.and(WRITE_EDGES),
            _ => Flags::ALL,
        };
        again.then_some(kind)
    }

    /// A read is over.
    pub(super) fn has_read(&mut self, bytes: usize, code: u32) {
        let was_stale = self.reading == Reading::Stale;
        self.reading = match code {
            _ if was_stale => Reading::Idle,
            0 | code::MORE_DATA => {
                self.connected = true;
                if bytes == self.incoming.len() {
                    self.appetite = LARGE;
                }
                Reading::Data { from: 0, to: bytes }
            }
            code::BROKEN_PIPE => Reading::End,
            code => Reading::Failed(code),
        };
    }

    /// A write is over. Whether the rest is to be written now.
    #[must_use]
    pub(super) fn has_written(&mut self, bytes: usize, code: u32) -> bool {
        let was_stale = self.writing == Writing::Stale;
        self.writing = Writing::Idle;
        if was_stale {
            return false;
        }
        self.written += bytes;
        // Also if a server was never told to wait for its client.
        self.connected |= code == 0;
        match code {
            // Nobody waits for it any more.
            _ if self.dropped => {}
            0 if self.written == self.outgoing.len() => {}
            0 if bytes > 0 => return true,
            // A serial port gives a write so much time, or a pipe none (`PIPE_NOWAIT`).
            0 => self.writing = Writing::Failed(code::TIMEOUT),
            code => self.writing = Writing::Failed(code),
        }
        false
    }

    /// An attempt to connect is over. Whether another one is to be made now.
    #[must_use]
    pub(super) fn has_connected(&mut self, code: u32) -> bool {
        let before = std::mem::replace(&mut self.connecting, Connecting::Idle);
        if let Connecting::Stale { again } = before {
            return again && !self.dropped;
        }
        match code {
            // A client that has gone already is one, too: what it has left can be read.
            0 | code::PIPE_CONNECTED | code::NO_DATA => self.connected = true,
            code => self.connecting = Connecting::Failed(code),
        }
        false
    }

    /// What an event would say.
    fn flags(&self, wanted: Wanted) -> Flags {
        let mut flags = Flags::default();
        if wanted.interest.is_readable() {
            flags = flags.and(match self.reading {
                Reading::Data { .. } | Reading::Failed(_) => Flags::RECEIVE,
                Reading::End => Flags::RECEIVE.and(Flags::DISCONNECT),
                Reading::Idle | Reading::InFlight | Reading::Stale => Flags::default(),
            });
        }
        if wanted.interest.is_writable() {
            flags = flags.and(match (self.connecting, self.writing) {
                (Connecting::Failed(_), _) => Flags::SEND.and(Flags::CONNECT_FAIL),
                (_, Writing::Failed(_)) => Flags::SEND.and(Flags::ABORT),
                (Connecting::Idle, Writing::Idle) if self.connected => Flags::SEND,
                _ => Flags::default(),
            });
        }
        if wanted.trigger.is_edge() {
            flags.common(self.edges)
        } else {
            flags
        }
    }
}

#[cfg(test)]
#[path = "state_tests.rs"]
mod tests;
