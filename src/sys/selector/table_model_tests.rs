//! The table of a `poll(2)` queue against a model of it, over long sequences of changes and answers.

use std::collections::{BTreeMap, BTreeSet};
use std::os::fd::RawFd;
use std::time::{Duration, Instant};

use rustix::event::PollFlags;

use super::super::{requested, Question, Table, ABSENT};
use super::{ask, wanted, ERR, HUP, IN, NOTHING, NVAL, OUT, PRI, R, RDHUP, RW, W};
use crate::interest::of_some_systems::PRIORITY;
use crate::sys::selector::{Direction, Wanted};
use crate::{Interest, Trigger};

/// Numbers that look random and are the same in each run: splitmix64.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn below(&mut self, n: usize) -> usize {
        (self.next() % n as u64) as usize
    }

    fn pick<T: Copy>(&mut self, of: &[T]) -> T {
        of[self.below(of.len())]
    }
}

/// A registration in the model: no positions, no memory that is reused, one rule per line.
struct Expected {
    wanted: Wanted,
    bare: bool,
    armed: PollFlags,
    silent: bool,
}

impl Expected {
    fn new(wanted: Wanted, bare: bool) -> Expected {
        Expected {
            wanted,
            bare,
            armed: requested(wanted.interest),
            silent: false,
        }
    }

    /// What is asked, if the time of a bare descriptor has come.
    fn asked(&self) -> PollFlags {
        self.armed
    }

    fn answer(&mut self, answer: PollFlags) -> Option<PollFlags> {
        let said = answer & (self.asked() | ERR | HUP);
        if self.silent || said == NOTHING {
            return None;
        }
        let said = match said.contains(RDHUP) {
            true => said | IN,
            false => said,
        };
        match (self.wanted.trigger, said.intersects(ERR | HUP)) {
            (Trigger::Level, _) => Some(said),
            (Trigger::Oneshot | Trigger::EdgeOneshot, _) => {
                self.armed = NOTHING;
                self.silent = true;
                Some(said)
            }
            (Trigger::Edge, true) => {
                let told = said | (requested(self.wanted.interest) - PRI - RDHUP);
                if !self.bare {
                    self.armed = NOTHING;
                    self.silent = true;
                }
                Some(told)
            }
            (Trigger::Edge, false) => {
                if !self.bare {
                    self.armed -= said;
                }
                Some(said)
            }
        }
    }

    fn rearm(&mut self, direction: Direction) -> bool {
        let flags = match direction {
            Direction::Read => IN | RDHUP | PRI,
            Direction::Write => OUT,
            Direction::Unknown => IN | RDHUP | PRI | OUT,
        };
        let more = (flags & requested(self.wanted.interest)) - self.armed;
        let counts = !self.wanted.trigger.is_oneshot() && more != NOTHING;
        if counts {
            self.armed |= more;
            self.silent = false;
        }
        counts
    }
}

/// The vector and its index agree with each other and with the model.
fn check_integrity(table: &Table, model: &BTreeMap<RawFd, Expected>) {
    assert_eq!(table.entries.len(), model.len());
    let used = table.positions.iter().filter(|&&p| p != ABSENT).count();
    assert_eq!(used, model.len());
    for (&fd, expected) in model {
        let entry = &table.entries[table.position(fd).expect("registered")];
        assert_eq!(entry.fd, fd);
        assert_eq!(entry.wanted.token, expected.wanted.token);
        assert_eq!(entry.armed, expected.armed, "descriptor {fd}");
        assert_eq!(entry.silent, expected.silent, "descriptor {fd}");
    }
    let ids: BTreeSet<u64> = table.entries.iter().map(|entry| entry.id).collect();
    assert_eq!(ids.len(), model.len(), "an identity is there twice");
}

#[test]
fn any_sequence_of_changes_and_answers_agrees_with_the_model() {
    const INTERESTS: [Interest; 5] = [R, W, RW, PRIORITY, RW.add(PRIORITY)];
    const TRIGGERS: [Trigger; 4] = [
        Trigger::Edge,
        Trigger::Level,
        Trigger::Oneshot,
        Trigger::EdgeOneshot,
    ];
    const ANSWERS: [PollFlags; 10] = [
        NOTHING,
        NOTHING,
        IN,
        OUT,
        PRI,
        IN.union(OUT),
        IN.union(RDHUP),
        ERR,
        HUP,
        NVAL,
    ];
    const DIRECTIONS: [Direction; 3] = [Direction::Read, Direction::Write, Direction::Unknown];

    for seed in 0..40 {
        let mut random = Random(seed);
        let mut now = Instant::now();
        let mut table = Table::default();
        let mut model = BTreeMap::<RawFd, Expected>::new();
        // Questions of earlier polls, answered when their registrations may be long gone.
        let mut open: Vec<(Question, usize)> = Vec::new();

        for step in 0..600 {
            // Small numbers come again and again, as the system gives them out; some are far apart.
            let fd = random.pick(&[0, 1, 2, 3, 4, 5, 6, 7, 63, 64, 1000]);
            let new = wanted(step, random.pick(&INTERESTS), random.pick(&TRIGGERS));
            let bare = random.below(3) == 0;
            match random.below(6) {
                0 => {
                    let inserted = table.insert(fd, new, bare);
                    assert_eq!(inserted, !model.contains_key(&fd));
                    model.entry(fd).or_insert_with(|| Expected::new(new, bare));
                }
                1 => {
                    let replaced = table.replace(fd, new, bare);
                    assert_eq!(replaced, model.contains_key(&fd));
                    if let Some(expected) = model.get_mut(&fd) {
                        *expected = Expected::new(new, bare);
                        // An answer to an older question may count for the new registration, or not: leave it out.
                        open.retain(|(question, _)| question.fd != fd);
                    }
                }
                2 => {
                    assert_eq!(table.remove(fd), model.remove(&fd).is_some());
                }
                3 => {
                    let direction = random.pick(&DIRECTIONS);
                    let expected = model.get_mut(&fd).is_some_and(|e| e.rearm(direction));
                    assert_eq!(table.rearm(fd, direction), expected);
                }
                4 => {
                    now += Duration::from_millis(random.pick(&[0, 1, 5]));
                    let (_, questions) = ask(&table, now);
                    for question in &questions {
                        let expected = model[&question.fd].asked();
                        assert!(expected.contains(question.asked));
                        assert!(model[&question.fd].bare || question.asked == expected);
                    }
                    let silent = |(fd, expected): (&RawFd, &Expected)| {
                        expected.bare
                            || expected.silent
                            || questions.iter().any(|question| question.fd == *fd)
                    };
                    assert!(model.iter().all(silent), "a source was not asked for");
                    if let Some(question) = questions.get(random.below(questions.len() + 1)) {
                        table.start_with(question);
                    }
                    open.clear();
                    open.extend(questions.into_iter().map(|question| {
                        let token = model[&question.fd].wanted.token.0;
                        (question, token)
                    }));
                }
                _ if !open.is_empty() => {
                    let (question, token) = open.swap_remove(random.below(open.len()));
                    let answer = random.pick(&ANSWERS);
                    let event = table.answer(&question, answer, now);
                    let current = model
                        .get_mut(&question.fd)
                        .filter(|expected| expected.wanted.token.0 == token);
                    let expected = match current {
                        None => None,
                        Some(_) if answer.contains(NVAL) => {
                            model.remove(&question.fd);
                            None
                        }
                        Some(expected) => expected.answer(answer & (question.asked | ERR | HUP)),
                    };
                    assert_eq!(event.map(|(_, flags)| flags), expected);
                }
                _ => {}
            }
            check_integrity(&table, &model);
        }
    }
}
