//! Wakers: packets that are posted, and not fetched again once their waker has gone.

use std::io;
use std::sync::{Arc, Mutex};

use super::lock;
use super::port::Port;
use super::WAKER;
use crate::sys::sent::Sent;
use crate::Token;

/// The wakers of a queue, each with a number of its own. A packet has the number in the place of a pointer: it cannot be
/// taken back, so it may come after its waker has gone.
#[derive(Debug, Default)]
pub(super) struct Wakers(Mutex<List>);

#[derive(Debug, Default)]
struct List {
    signals: Vec<Arc<Signal>>,
    next: usize,
}

/// One waker.
#[derive(Debug)]
pub(crate) struct Signal {
    number: usize,
    token: Token,
    /// Its packet in the port.
    sent: Sent,
}

impl Wakers {
    pub(super) fn add(&self, token: Token) -> Arc<Signal> {
        let mut list = lock(&self.0);
        let signal = Arc::new(Signal {
            number: list.next,
            token,
            sent: Sent::new(),
        });
        list.next += 1;
        list.signals.push(Arc::clone(&signal));
        signal
    }

    pub(super) fn remove(&self, signal: &Arc<Signal>) {
        let mut list = lock(&self.0);
        list.signals.retain(|other| !Arc::ptr_eq(other, signal));
    }

    /// How many there have been.
    pub(super) fn made(&self) -> usize {
        lock(&self.0).next
    }

    /// A packet with `number` was fetched: whose it is, if there is still such a waker.
    pub(super) fn take(&self, number: usize) -> Option<Token> {
        let list = lock(&self.0);
        let signal = list.signals.iter().find(|it| it.number == number)?;
        signal.sent.take();
        Some(signal.token)
    }
}

impl Signal {
    #[inline]
    pub(super) fn raise(&self, port: &Port) -> io::Result<()> {
        let packet = self.number as *const _;
        self.sent.raise(|| port.post(WAKER, packet))
    }
}

#[cfg(test)]
mod tests {
    use super::super::port::{Packet, Wait};
    use super::*;

    #[test]
    fn one_packet_is_enough() {
        let port = Port::new().unwrap();
        let wakers = Wakers::default();
        let (one, other) = (wakers.add(Token(1)), wakers.add(Token(2)));
        for _ in 0..3 {
            for signal in [&one, &one, &other, &one] {
                signal.raise(&port).unwrap();
            }
            let mut packets = [Packet::default(); 8];
            assert_eq!(port.fill(&mut packets, Wait::FOREVER), 2);
            let tokens = [0, 1].map(|at| wakers.take(packets[at].lpOverlapped as usize));
            assert_eq!(tokens, [Some(Token(1)), Some(Token(2))]);
        }
    }

    #[test]
    fn the_packet_of_a_waker_that_is_gone_is_nobodys() {
        let port = Port::new().unwrap();
        let wakers = Wakers::default();
        let gone = wakers.add(Token(1));
        gone.raise(&port).unwrap();
        wakers.remove(&gone);
        wakers.add(Token(1));
        let mut packets = [Packet::default(); 8];
        assert_eq!(port.fill(&mut packets, Wait::FOREVER), 1);
        assert_eq!(wakers.take(packets[0].lpOverlapped as usize), None);
    }
}
