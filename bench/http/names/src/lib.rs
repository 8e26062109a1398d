//! The published mio by the names that `http_hello` uses, so that both servers are one source file.

use std::io::{self, ErrorKind};
use std::time::Instant;

pub use mio::{net, Events, Interest, Registry, Token};

/// Its queue, and a `poll_until` as anybody would write it.
#[derive(Debug)]
pub struct Poll(mio::Poll);

impl Poll {
    /// Opens a queue.
    #[inline]
    pub fn new() -> io::Result<Poll> {
        mio::Poll::new().map(Poll)
    }

    /// What sources are registered with.
    #[inline]
    pub fn registry(&self) -> &Registry {
        self.0.registry()
    }

    /// Waits for events until `deadline`.
    #[inline]
    pub fn poll_until(
        &mut self,
        events: &mut Events,
        deadline: Option<Instant>,
    ) -> io::Result<()> {
        loop {
            let timeout = deadline.map(|at| at.saturating_duration_since(Instant::now()));
            match self.0.poll(events, timeout) {
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                result => return result,
            }
        }
    }
}
