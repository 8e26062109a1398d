//! Whose events these were.
//!
//! Sources and wakers may share a token, and nothing but the token names the source of an event. So the events of one
//! token are matched with those who have it. Each may be behind one event of a poll at most. What cannot be decided
//! is left undecided.

use crate::ready::Reading;

/// What became of somebody who has the token.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub(crate) enum Fate {
    Reported,
    Silent,
    /// Perhaps the one, perhaps the other.
    Unknown,
}

/// Why the events are wrong.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub(crate) enum Blame {
    /// Nobody may have made this event, or not beside the others.
    Stray(usize),
    /// This one had to make an event, and has not.
    Missing(usize),
}

/// Matches `events` events with those who could be behind them: `readings[who][event]` says what it would mean, and
/// `must[who]` whether one of the events has to be theirs.
pub(crate) fn attribute(
    events: usize,
    readings: &[Vec<Reading>],
    must: &[bool],
) -> Result<Vec<Fate>, Blame> {
    let could = |reading: &Reading| *reading != Reading::Impossible;
    let explains: Vec<Vec<bool>> = readings
        .iter()
        .map(|readings| readings.iter().map(could).collect())
        .collect();
    resolve(events, &explains, must)
}

/// The same, by whether somebody explains an event.
fn resolve(events: usize, explains: &[Vec<bool>], must: &[bool]) -> Result<Vec<Fate>, Blame> {
    let everybody = |_: usize| true;
    if let Some(event) = first_unmatched(events, |event| possible(explains, event, everybody)) {
        return Err(Blame::Stray(event));
    }
    let obliged: Vec<usize> = (0..must.len()).filter(|&who| must[who]).collect();
    if let Some(at) = unserved(explains, &obliged) {
        return Err(Blame::Missing(obliged[at]));
    }
    let fate = |(who, &must)| {
        let others = |other| other != who;
        let with = [&obliged[..], &[who]].concat();
        if must {
            Fate::Reported
        } else if unserved(explains, &with).is_some() {
            Fate::Silent
        } else if first_unmatched(events, |event| possible(explains, event, others)).is_some() {
            Fate::Reported
        } else {
            Fate::Unknown
        }
    };
    Ok(must.iter().enumerate().map(fate).collect())
}

/// The first of these who cannot have an event of their own. If all can, and each event can have somebody, then both
/// can be had at once: that is the theorem of Mendelsohn and Dulmage.
fn unserved(explains: &[Vec<bool>], obliged: &[usize]) -> Option<usize> {
    first_unmatched(obliged.len(), |at| {
        let explained = explains[obliged[at]].iter().enumerate();
        explained
            .filter(|(_, possible)| **possible)
            .map(|(event, _)| event)
            .collect()
    })
}

/// Who could be behind an event.
fn possible(explains: &[Vec<bool>], event: usize, among: impl Fn(usize) -> bool) -> Vec<usize> {
    (0..explains.len())
        .filter(|&who| explains[who][event] && among(who))
        .collect()
}

/// Gives each of `left` one of its partners, nobody twice, as far as that goes: the first who is left without.
fn first_unmatched(left: usize, partners: impl Fn(usize) -> Vec<usize>) -> Option<usize> {
    let partners: Vec<Vec<usize>> = (0..left).map(partners).collect();
    let right = partners.iter().flatten().max().map_or(0, |most| most + 1);
    let mut taken: Vec<Option<usize>> = vec![None; right];
    (0..left).find(|&one| !augment(one, &partners, &mut taken, &mut vec![false; right]))
}

/// Finds a partner for `one`, who may take somebody else's if that one finds another.
fn augment(
    one: usize,
    partners: &[Vec<usize>],
    taken: &mut [Option<usize>],
    tried: &mut [bool],
) -> bool {
    for &partner in &partners[one] {
        if !std::mem::replace(&mut tried[partner], true) {
            let free = match taken[partner] {
                None => true,
                Some(holder) => augment(holder, partners, taken, tried),
            };
            if free {
                taken[partner] = Some(one);
                return true;
            }
        }
    }
    false
}

#[test]
fn events_are_matched_with_those_behind_them() {
    use Fate::{Reported, Silent, Unknown};

    let both = vec![vec![true], vec![true]];
    assert_eq!(
        resolve(0, &[vec![], vec![]], &[false, false]),
        Ok(vec![Silent, Silent])
    );
    assert_eq!(
        resolve(1, &both, &[false, false]),
        Ok(vec![Unknown, Unknown])
    );
    assert_eq!(resolve(1, &both[..1], &[false]), Ok(vec![Reported]));
    // One of them has to, so it was that one.
    assert_eq!(
        resolve(1, &both, &[false, true]),
        Ok(vec![Silent, Reported])
    );
    assert_eq!(resolve(1, &both, &[true, true]), Err(Blame::Missing(1)));
    let crossed = vec![vec![true, true], vec![true, false]];
    assert_eq!(
        resolve(2, &crossed, &[false, false]),
        Ok(vec![Reported, Reported])
    );
    assert_eq!(resolve(2, &crossed[1..], &[false]), Err(Blame::Stray(1)));
    assert_eq!(resolve(2, &crossed[..1], &[false]), Err(Blame::Stray(1)));
}
