//! What a poll has returned, held against the model.

use std::time::Instant;

use mio::Token;

use super::{Levels, Model, Part};
use crate::attribution::{attribute, Blame, Fate};
use crate::batch::{Batch, Seen};
use crate::ready::{Reading, Said};
use crate::rules::Voice;
use crate::script::End;
use crate::system::PollFlags;

/// Who was served by a poll that had no more room, and who was not.
#[derive(Clone, Debug, Default)]
pub(super) struct Turn {
    served: Vec<usize>,
    left_out: Vec<usize>,
}

/// Who may be behind an event.
#[derive(Copy, Clone, Debug)]
enum Who {
    Source(Part),
    Waker(u8),
    Ghost(End),
}

/// Somebody who has the token of events, whether they made one, and what it says.
type Verdict = (Who, Fate, Reading);

impl Turn {
    /// Who has nothing to report any more, has no place in the queue either.
    pub(super) fn give_up(&mut self, id: usize) {
        self.left_out.retain(|other| *other != id);
    }
}

impl Model {
    /// A poll has returned. Afterwards the sources were as ready as `after`.
    pub(crate) fn polled(&mut self, batch: Batch<'_>, after: &Levels) -> Result<(), String> {
        batch.check_room()?;
        let batch = Batch {
            hidden: self.hidden(batch),
            ..batch
        };
        let mut verdicts = Vec::new();
        let mut tokens = batch.tokens();
        tokens.extend(self.watches.values().map(|watch| watch.wanted.token));
        tokens.extend(self.wakes.values().map(|wake| wake.token));
        tokens.sort();
        tokens.dedup();
        for token in tokens {
            self.judge(token, batch, after, &mut verdicts)?;
        }
        self.take_turn(&verdicts, batch.is_full())?;
        self.disturbed = false;
        for (who, fate, reading) in verdicts {
            match who {
                Who::Source(part) => {
                    let watch = self.watches.get_mut(&part);
                    watch.expect("judged").note(fate, reading, batch);
                }
                Who::Waker(waker) => self.wakes.get_mut(&waker).expect("judged").note(fate),
                Who::Ghost(_) => {}
            }
        }
        Ok(())
    }

    /// A poll has returned that was running while the model changed, from `before` to what it is now. What it returns
    /// may be of either, or of anything in between.
    pub(crate) fn overlapped(&mut self, before: &Model, batch: Batch<'_>) -> Result<(), String> {
        batch.check_room()?;
        let mut notes = Vec::new();
        for token in batch.tokens() {
            let said = batch.of(token);
            let known = self.candidates(token);
            let is_new = |who: &Who| !known.iter().any(|other| self.id(*other) == before.id(*who));
            let gone = before.candidates(token).into_iter().filter(is_new);
            // What becomes of those who are gone meanwhile, nobody has seen.
            let suspects: Vec<(&Model, Who, bool)> = known
                .iter()
                .map(|&who| (&*self, who, true))
                .chain(gone.map(|who| (before, who, false)))
                .collect();
            let readings: Vec<Vec<Reading>> = suspects
                .iter()
                .map(|&(model, who, known)| {
                    let reading = |&said: &Said| model.loose_reading(who, said, known);
                    said.iter().map(reading).collect()
                })
                .collect();
            let nobody_must = vec![false; suspects.len()];
            let fates = attribute(said.len(), &readings, &nobody_must).map_err(|_| {
                let suspects: Vec<String> = suspects
                    .iter()
                    .map(|(model, who, _)| model.describe(*who))
                    .collect();
                format!("{token:?} {said:?}: one is forbidden; the token is or was of {suspects:?}")
            })?;
            notes.extend(known.into_iter().zip(fates));
        }
        for (who, fate) in notes {
            match who {
                Who::Source(part) => self
                    .watches
                    .get_mut(&part)
                    .expect("known")
                    .note_loosely(fate),
                Who::Waker(waker) => {
                    let wake = self.wakes.get_mut(&waker).expect("known");
                    let old = before.wakes.get(&waker).filter(|old| old.id == wake.id);
                    wake.note(match old {
                        // It was pending and used again: there may be another event, or not.
                        Some(old) if old.pending && old.count != wake.count => Fate::Unknown,
                        _ => fate,
                    });
                }
                Who::Ghost(_) => {}
            }
        }
        self.turn = None;
        self.disturbed = true;
        Ok(())
    }

    /// The room that the other direction of one-shots may have taken, where each direction has an event in the kernel: it
    /// has joined the first event, or it was left out.
    fn hidden(&self, batch: Batch<'_>) -> usize {
        let of_both = |seen: &&Seen| seen.said.directions() == (true, true);
        let joined = batch.events.iter().filter(of_both).count();
        let left_out = self.watches.values().filter(|watch| watch.may_hide());
        match self.rules.voice() {
            // A poll without an event has seen everything.
            Voice::Flags if self.rules.room_is_shared && !batch.events.is_empty() => batch.capacity,
            Voice::Flags => 0,
            Voice::Directions => joined + left_out.count(),
        }
    }

    /// Finds out whose the events of one token were.
    fn judge(
        &self,
        token: Token,
        batch: Batch<'_>,
        after: &Levels,
        verdicts: &mut Vec<Verdict>,
    ) -> Result<(), String> {
        let said = batch.of(token);
        let candidates = self.candidates(token);
        let readings: Vec<Vec<Reading>> = candidates
            .iter()
            .map(|&who| {
                let reading = |&said: &Said| self.reading(who, said, after, batch.ended);
                said.iter().map(reading).collect()
            })
            .collect();
        let must: Vec<bool> = candidates
            .iter()
            .map(|&who| !batch.is_full() && self.must(who))
            .collect();
        let fates = attribute(said.len(), &readings, &must).map_err(|blame| match blame {
            Blame::Stray(event) => {
                let known: Vec<String> = candidates.iter().map(|&who| self.describe(who)).collect();
                format!(
                    "{token:?} {:?} is forbidden; the token is of {known:?}",
                    said[event]
                )
            }
            Blame::Missing(who) => format!(
                "no event, though there was room: {}; the token has {said:?}",
                self.describe(candidates[who])
            ),
        })?;
        let readings = readings.iter().map(|readings| sum_up(readings));
        for ((who, fate), reading) in candidates.into_iter().zip(fates).zip(readings) {
            verdicts.push((who, fate, reading));
        }
        Ok(())
    }

    fn candidates(&self, token: Token) -> Vec<Who> {
        let watches = self.watches.iter();
        let wakes = self.wakes.iter();
        let ghosts = self.ghosts.iter();
        watches
            .filter(|(_, watch)| watch.wanted.token == token)
            .map(|(part, _)| Who::Source(*part))
            .chain(
                wakes
                    .filter(|(_, wake)| wake.token == token)
                    .map(|(waker, _)| Who::Waker(*waker)),
            )
            .chain(
                ghosts
                    .filter(|(_, of)| *of == token)
                    .map(|(end, _)| Who::Ghost(*end)),
            )
            .collect()
    }

    /// What an event would mean if it was of `who`.
    fn reading(&self, who: Who, said: Said, after: &Levels, now: Instant) -> Reading {
        match who {
            Who::Source(part) => self.watches[&part].reading(said, after[&part.0], now),
            Who::Waker(waker) => self.wakes[&waker].reading(said),
            Who::Ghost(_) => Reading::Ambiguous,
        }
    }

    fn loose_reading(&self, who: Who, said: Said, known: bool) -> Reading {
        match who {
            Who::Source(part) => {
                let watch = &self.watches[&part];
                let possible = if known {
                    watch.possible()
                } else {
                    PollFlags::all()
                };
                watch.loose_reading(said, possible)
            }
            Who::Waker(waker) => self.wakes[&waker].reading(said),
            Who::Ghost(_) => Reading::Ambiguous,
        }
    }

    fn must(&self, who: Who) -> bool {
        match who {
            Who::Source(part) => self.watches[&part].must(),
            Who::Waker(waker) => self.wakes[&waker].owes(),
            Who::Ghost(_) => false,
        }
    }

    fn id(&self, who: Who) -> Option<usize> {
        match who {
            Who::Source(part) => Some(self.watches[&part].id),
            Who::Waker(waker) => Some(self.wakes[&waker].id),
            Who::Ghost(_) => None,
        }
    }

    fn describe(&self, who: Who) -> String {
        match who {
            Who::Source(part) => format!("{:?}: {:?}", part.0, self.watches[&part]),
            Who::Waker(waker) => format!("waker {waker}: {:?}", self.wakes[&waker]),
            Who::Ghost(end) => format!("a duplicate of {end:?}"),
        }
    }

    /// Who had to wait because there was no room comes before those who did not.
    fn take_turn(&mut self, verdicts: &[Verdict], full: bool) -> Result<(), String> {
        let mut turn = Turn::default();
        for &(who, fate, _) in verdicts {
            let Some(id) = self.id(who) else { continue };
            match fate {
                Fate::Reported => turn.served.push(id),
                Fate::Silent if self.must(who) => turn.left_out.push(id),
                Fate::Silent | Fate::Unknown => {}
            }
        }
        let last = self.turn.take().unwrap_or_default();
        let again = |last: &[usize], now: &[usize]| {
            verdicts.iter().map(|(who, ..)| *who).find(|who| {
                let id = self.id(*who);
                id.is_some_and(|id| last.contains(&id) && now.contains(&id))
            })
        };
        let passed_over = again(&last.left_out, &turn.left_out);
        let served = again(&last.served, &turn.served);
        if let (Some(passed_over), Some(served)) = (passed_over, served) {
            return Err(format!(
                "passed over twice: {}; served twice: {}",
                self.describe(passed_over),
                self.describe(served)
            ));
        }
        self.turn = full.then_some(turn);
        Ok(())
    }
}

/// What the possible events of somebody have in common.
fn sum_up(readings: &[Reading]) -> Reading {
    let mut possible = readings
        .iter()
        .filter(|reading| **reading != Reading::Impossible);
    match possible.next() {
        None => Reading::Impossible,
        Some(first) if possible.all(|other| other == first) => *first,
        Some(_) => Reading::Ambiguous,
    }
}
