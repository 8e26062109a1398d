//! As many descriptors as the system lets one process have, of which random ones are written to, registered anew, and
//! replaced: what was written is reported, and nothing dead is.

use std::io::{ErrorKind, Read, Write};
use std::time::{Duration, Instant};

use mio::event::Event;
use mio::{Backend, Events, Interest, IoSource, Poll, Registry, Token, Trigger};

use crate::common::{
    in_child, limit_descriptors, on_each_backend, pair, span, Random, Socket, FEWEST, PATIENCE,
    TRIGGERS,
};

/// How many descriptors to register, where the limit allows it.
const MANY: usize = 15_000;

/// The same on Windows: Wine takes seconds to open a thousand sockets.
const MANY_ON_WINDOWS: usize = 1_000;

/// The same for `poll(2)`, which looks at each of them in each call.
const MANY_FOR_POLL: usize = 2_000;

/// Descriptors that are no sources of ours.
const RESERVE: usize = 100;

#[test]
fn churn() {
    in_child("many::churn", || {
        let limit = limit_descriptors((MANY + RESERVE) as u64) - RESERVE;
        on_each_backend(|poll| {
            let wanted = match poll.backend() {
                Backend::Poll => MANY_FOR_POLL,
                Backend::Afd => MANY_ON_WINDOWS,
                _ => MANY,
            };
            scenario(poll, wanted.min(limit) / 2);
        });
    });
}

fn scenario(mut poll: Poll, pairs: usize) {
    let mut crowd = Crowd::new(&poll, pairs);
    let mut events = Events::with_capacity(64);
    crowd.greet(&mut poll, &mut events);

    let deadline = Instant::now() + span();
    let mut rounds = 0;
    while rounds < FEWEST || Instant::now() < deadline {
        rounds += 1;
        for _ in 0..crowd.random.below(64) {
            crowd.change();
        }
        poll.poll(&mut events, Some(Duration::ZERO)).unwrap();
        for event in &events {
            crowd.serve(event);
        }
    }
    crowd.finish(&mut poll, &mut events);
    println!(
        "{} descriptors, {} events, {} replaced",
        2 * pairs,
        crowd.served,
        crowd.replaced
    );
}

/// Pairs of streams: the ends of a pair are neighbours. Each writes to the other, and each is registered.
struct Crowd {
    registry: Registry,
    ends: Vec<End>,
    random: Random,
    /// Bytes on their way, in all.
    pending: usize,
    served: usize,
    replaced: usize,
}

struct End {
    source: IoSource<Socket>,
    /// How many registrations this place has seen; part of the token, so that none comes twice.
    generation: usize,
    trigger: Trigger,
    /// Bytes that the other end has written, and this one has not read.
    pending: usize,
}

impl Crowd {
    fn new(poll: &Poll, pairs: usize) -> Crowd {
        let mut crowd = Crowd {
            registry: poll.registry().try_clone().unwrap(),
            ends: Vec::with_capacity(2 * pairs),
            random: Random::new(0),
            pending: 0,
            served: 0,
            replaced: 0,
        };
        for _ in 0..pairs {
            let (one, other) = pair();
            for source in [one, other] {
                crowd.ends.push(End {
                    source,
                    generation: 0,
                    trigger: Trigger::Edge,
                    pending: 0,
                });
                let both = Interest::READABLE | Interest::WRITABLE;
                crowd.register(crowd.ends.len() - 1, Trigger::Edge, both);
            }
        }
        crowd
    }

    /// All of them can be written to, and a queue that returns few events at a time says so of each.
    fn greet(&mut self, poll: &mut Poll, events: &mut Events) {
        let mut seen = vec![false; self.ends.len()];
        let mut left = seen.len();
        while left > 0 {
            poll.poll(events, Some(PATIENCE)).unwrap();
            assert!(!events.is_empty(), "{left} sources were passed over");
            for event in events.iter() {
                assert!(event.is_writable(), "{event:?}");
                let place = event.token().0 % MANY;
                left -= usize::from(!std::mem::replace(&mut seen[place], true));
            }
        }
        // From here on only what can be read counts: a level that can be written to would never end.
        for place in 0..self.ends.len() {
            self.renew(place);
        }
    }

    fn change(&mut self) {
        let place = self.random.below(self.ends.len());
        match self.random.below(8) {
            0 => self.replace(place),
            1 => self.renew(place),
            2 => {
                let End { source, .. } = &mut self.ends[place];
                self.registry.deregister(source).unwrap();
                let trigger = self.random.of(&TRIGGERS);
                self.register(place, trigger, Interest::READABLE);
            }
            _ => self.write(place),
        }
    }

    fn write(&mut self, place: usize) {
        let bytes = [3; 64];
        let length = 1 + self.random.below(bytes.len());
        let write = |mut source: &Socket| source.write(&bytes[..length]);
        assert_eq!(self.ends[place].source.do_write(write).unwrap(), length);
        self.ends[place ^ 1].pending += length;
        self.pending += length;
    }

    /// Puts a new pair in place of the one that `place` belongs to.
    fn replace(&mut self, place: usize) {
        let first = place & !1;
        let (one, other) = pair();
        for (place, source) in [(first, one), (first + 1, other)] {
            let end = &mut self.ends[place];
            if self.random.one_in(2) {
                self.registry.deregister(&mut end.source).unwrap();
            }
            end.source = source;
            self.pending -= std::mem::take(&mut end.pending);
        }
        for place in [first, first + 1] {
            let trigger = self.random.of(&TRIGGERS);
            self.register(place, trigger, Interest::READABLE);
        }
        self.replaced += 1;
    }

    fn register(&mut self, place: usize, trigger: Trigger, interest: Interest) {
        let token = self.next_token(place, trigger);
        let registry = self.registry.with_trigger(trigger);
        registry
            .register(&mut self.ends[place].source, token, interest)
            .unwrap();
    }

    /// Registers anew, with another token and perhaps another trigger.
    fn renew(&mut self, place: usize) {
        let trigger = self.random.of(&TRIGGERS);
        let token = self.next_token(place, trigger);
        let registry = self.registry.with_trigger(trigger);
        registry
            .reregister(&mut self.ends[place].source, token, Interest::READABLE)
            .unwrap();
    }

    /// The token of the next registration: what comes with an older one is dead.
    fn next_token(&mut self, place: usize, trigger: Trigger) -> Token {
        let end = &mut self.ends[place];
        end.trigger = trigger;
        end.generation += 1;
        Token(end.generation * MANY + place)
    }

    fn serve(&mut self, event: &Event) {
        let (generation, place) = (event.token().0 / MANY, event.token().0 % MANY);
        let end = &mut self.ends[place];
        assert_eq!(generation, end.generation, "a registration that has ended");
        let mut buffer = [0; 512];
        loop {
            let mut read = |mut source: &Socket| source.read(&mut buffer);
            match end.source.do_read(&mut read) {
                Ok(n) => {
                    assert!(n > 0, "nobody has closed it");
                    end.pending -= n;
                    self.pending -= n;
                }
                Err(error) if error.kind() == ErrorKind::WouldBlock => break,
                Err(error) => panic!("{error}"),
            }
        }
        assert_eq!(end.pending, 0, "bytes");
        self.served += 1;
        if end.trigger.is_oneshot() {
            self.renew(place);
        }
    }

    /// Whatever is on its way is reported.
    fn finish(&mut self, poll: &mut Poll, events: &mut Events) {
        while self.pending > 0 {
            poll.poll(events, Some(PATIENCE)).unwrap();
            assert!(
                !events.is_empty(),
                "{} bytes are not reported",
                self.pending
            );
            for event in events.iter() {
                self.serve(event);
            }
        }
        assert!(self.served > 0 && self.replaced > 0, "it did nothing");
    }
}
