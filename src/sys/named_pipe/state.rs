//! What is known of a pipe, and what follows from it. Nothing here starts an operation.

use std::os::windows::io::{AsHandle, BorrowedHandle, OwnedHandle};

use windows_sys::Win32::Foundation::{ERROR_BROKEN_PIPE, ERROR_MORE_DATA};

use super::calls::{Medium, Started};
use crate::sys::queue::afd::Flags;
use crate::sys::selector::Wanted;

/// How much is read at a time, in bytes, as long as less than that comes.
const SMALL: usize = 4 * 1024;

/// How much is read at a time once a read was full, and the most that is taken from one write to a pipe of bytes.
pub(super) const LARGE: usize = 64 * 1024;

/// What the packet of a read may be an edge of.
pub(super) const READ_EDGES: Flags = Flags::RECEIVE.and(Flags::DISCONNECT);
/// The same of a write.
pub(super) const WRITE_EDGES: Flags = Flags::SEND.and(Flags::ABORT).and(Flags::CONNECT_FAIL);

#[derive(Debug)]
pub(super) struct State {
    /// Closed when the user has dropped the pipe and nothing has to be written any more.
    pub(super) handle: Option<OwnedHandle>,
    pub(super) dropped: bool,
    /// An operation that succeeds at once leaves no packet.
    pub(super) skips_packets: bool,
    pub(super) medium: Medium,
    pub(super) registered: Option<Wanted>,
    /// Whether a one-shot registration may still report.
    pub(super) armed: bool,
    /// What edges there were since the last event.
    pub(super) edges: Flags,
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

#[derive(Copy, Clone, Debug, PartialEq)]
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

#[derive(Copy, Clone, Debug, PartialEq)]
pub(super) enum Writing {
    Idle,
    InFlight,
    Stale,
    Failed(u32),
}

#[derive(Copy, Clone, Debug, PartialEq)]
pub(super) enum Connecting {
    Idle,
    InFlight,
    /// In flight, of a connection that was ended. `again` says that the next one is wanted.
    Stale {
        again: bool,
    },
    Failed(u32),
}

impl State {
    pub(super) fn new(handle: OwnedHandle) -> State {
        State {
            handle: Some(handle),
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

    pub(super) fn handle(&self) -> BorrowedHandle<'_> {
        let handle = self.handle.as_ref();
        handle
            .expect("a pipe is used while it has its handle")
            .as_handle()
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
            Started::Failed(ERROR_MORE_DATA) => None,
            Started::Done(bytes) => Some((bytes as usize, 0)),
            Started::Failed(code) => Some((0, code)),
        }
    }

    /// A read is over.
    pub(super) fn has_read(&mut self, bytes: usize, code: u32) {
        let was_stale = self.reading == Reading::Stale;
        self.reading = match code {
            _ if was_stale => Reading::Idle,
            0 | ERROR_MORE_DATA => {
                self.connected = true;
                if bytes == self.incoming.len() {
                    self.appetite = LARGE;
                }
                Reading::Data { from: 0, to: bytes }
            }
            ERROR_BROKEN_PIPE => Reading::End,
            code => Reading::Failed(code),
        };
    }

    /// What an event would say.
    pub(super) fn flags(&self, wanted: Wanted) -> Flags {
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
