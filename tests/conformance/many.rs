//! More sources than a program has at first.

use std::collections::HashSet;

use mio::{Backend, Interest, IoSource, Token};

use crate::alone::alone;
use crate::backends::crowd;
use crate::bed::Bed;
use crate::system::{self, OwnedFd};

/// Events flow while sources are dropped and replaced at random: none is missed, none comes for a token that is dead.
pub(crate) fn many_sources(backend: Backend) {
    alone(|| {
        // Half of a small limit leaves room for what else the process has open.
        let count = crowd(backend).min(system::descriptors() / 2);
        let mut bed = Bed::new(backend);
        let mut crowd = Crowd::new(&bed, count);
        for _ in 0..20 {
            for _ in 0..count / 50 {
                crowd.signal();
            }
            for _ in 0..count / 100 {
                crowd.replace(&bed);
            }
            while !crowd.expected.is_empty() {
                let seen = bed.turn(Some(crate::bed::PATIENCE));
                assert!(!seen.is_empty(), "{} are missing", crowd.expected.len());
                seen.iter().for_each(|seen| crowd.serve(seen.token));
            }
        }
        bed.expect_silence();
    });
}

struct Crowd {
    members: Vec<IoSource<OwnedFd>>,
    /// The place among the members that a token has, or had: tokens are never used again.
    places: Vec<usize>,
    /// The token at each place.
    tokens: Vec<Token>,
    /// Who was signalled, and has not been served.
    expected: HashSet<usize>,
    random: u64,
}

impl Crowd {
    fn new(bed: &Bed, count: usize) -> Crowd {
        let mut crowd = Crowd {
            members: Vec::new(),
            places: Vec::new(),
            tokens: Vec::new(),
            expected: HashSet::new(),
            random: 1,
        };
        for place in 0..count {
            let (member, token) = crowd.newcomer(bed, place);
            crowd.members.push(member);
            crowd.tokens.push(token);
        }
        crowd
    }

    fn newcomer(&mut self, bed: &Bed, place: usize) -> (IoSource<OwnedFd>, Token) {
        // One descriptor each, where a connection would need two.
        let mut member = IoSource::new(system::flag());
        let token = Token(self.places.len());
        self.places.push(place);
        bed.registry()
            .register(&mut member, token, Interest::READABLE)
            .unwrap();
        (member, token)
    }

    /// Any place. (The constants are those of Knuth's generator.)
    fn place(&mut self) -> usize {
        self.random = self
            .random
            .wrapping_mul(6364136223846793005)
            .wrapping_add(1442695040888963407);
        (self.random >> 33) as usize % self.members.len()
    }

    fn signal(&mut self) {
        let place = self.place();
        system::write(&*self.members[place], &1_u64.to_ne_bytes()).unwrap();
        self.expected.insert(place);
    }

    /// Drops a member, which may have been signalled, in favour of a new one, which has not.
    fn replace(&mut self, bed: &Bed) {
        let place = self.place();
        let (member, token) = self.newcomer(bed, place);
        self.members[place] = member;
        self.tokens[place] = token;
        self.expected.remove(&place);
    }

    fn serve(&mut self, token: Token) {
        let place = self.places[token.0];
        assert_eq!(self.tokens[place], token, "an event for the dead");
        let member = &self.members[place];
        while member.do_read(|fd| system::read(fd, &mut [0; 8])).is_ok() {}
        self.expected.remove(&place);
    }
}
