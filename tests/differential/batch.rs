//! What a poll has returned.

use std::time::Instant;

use mio::event::Event;
use mio::Token;

use crate::ready::Said;

/// An event.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub(crate) struct Seen {
    pub(crate) token: Token,
    pub(crate) said: Said,
}

/// The events of one poll, and when it ran.
#[derive(Copy, Clone, Debug)]
pub(crate) struct Batch<'a> {
    pub(crate) events: &'a [Seen],
    pub(crate) capacity: usize,
    /// How much of it may have been taken by what became no event of its own.
    pub(crate) hidden: usize,
    pub(crate) began: Instant,
    pub(crate) ended: Instant,
}

impl From<&Event> for Seen {
    fn from(event: &Event) -> Seen {
        Seen {
            token: event.token(),
            said: event.into(),
        }
    }
}

impl Batch<'_> {
    pub(crate) fn check_room(&self) -> Result<(), String> {
        match self.events.len() {
            n if n > self.capacity => Err(format!("{n} events, but room for {}", self.capacity)),
            _ => Ok(()),
        }
    }

    /// Whether there may have been more to return.
    pub(crate) fn is_full(&self) -> bool {
        self.events.len() + self.hidden >= self.capacity
    }

    /// The tokens of the events, each once.
    pub(crate) fn tokens(&self) -> Vec<Token> {
        let mut tokens: Vec<Token> = self.events.iter().map(|seen| seen.token).collect();
        tokens.sort();
        tokens.dedup();
        tokens
    }

    /// What the events of a token say.
    pub(crate) fn of(&self, token: Token) -> Vec<Said> {
        let events = self.events.iter().filter(|seen| seen.token == token);
        events.map(|seen| seen.said).collect()
    }
}
