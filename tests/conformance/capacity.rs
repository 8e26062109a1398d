//! How many events a poll returns, and who is served when there are more.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use mio::{Backend, Events, Interest, Token, Trigger, Waker};

use crate::bed::{during, Bed, BOTH, PATIENCE};
use crate::links::Link;
use crate::ready::{Ready, Seen};

/// So many sources, readable each, with their place as token.
fn ready_sources(bed: &Bed, trigger: Trigger, count: usize) -> Vec<Link> {
    let registry = bed.with(trigger);
    let mut links: Vec<Link> = (0..count).map(|_| Link::new()).collect();
    for (place, link) in links.iter_mut().enumerate() {
        link.feed(1);
        registry
            .register(link.source(), Token(place), Interest::READABLE)
            .unwrap();
    }
    links
}

/// How often each token was served.
fn tally(seen: &[Seen]) -> HashMap<usize, usize> {
    let mut tally = HashMap::new();
    for seen in seen {
        *tally.entry(seen.token.0).or_default() += 1;
    }
    tally
}

/// What one poll has no room for comes with the next.
pub(crate) fn small_capacity_delivers_everything(backend: Backend) {
    for capacity in [1, 2, 7] {
        for trigger in [Trigger::Edge, Trigger::Oneshot, Trigger::EdgeOneshot] {
            let _during = during((capacity, trigger));
            let mut bed = Bed::with_capacity(backend, capacity);
            let links = ready_sources(&bed, trigger, 100);
            let mut seen = Vec::new();
            // As many polls as it takes, and none of them is wasted.
            for _ in 0..(100 + capacity - 1) / capacity {
                let batch = bed.turn(Some(Duration::ZERO));
                assert!(batch.len() <= capacity, "{batch:?}");
                seen.extend(batch);
            }
            let served = tally(&seen);
            assert_eq!(served.len(), 100, "{seen:?}");
            bed.expect_silence();
            drop(links);
        }
    }
}

/// Sources that stay ready take turns: none is served twice as often as another.
pub(crate) fn small_capacity_serves_levels_in_turn(backend: Backend) {
    for capacity in [1, 2, 7] {
        let _during = during(capacity);
        let mut bed = Bed::with_capacity(backend, capacity);
        let links = ready_sources(&bed, Trigger::Level, 100);
        let mut seen = Vec::new();
        while seen.len() < 1_000 {
            let batch = bed.turn(Some(PATIENCE));
            assert_eq!(batch.len(), capacity);
            seen.extend(batch);
        }
        assert_fair(&seen, links.len());
    }
}

/// Fairness is among those that are ready, wherever they stand among those that are not.
pub(crate) fn idle_sources_do_not_count_as_served(backend: Backend) {
    for capacity in [1, 2] {
        let _during = during(capacity);
        let mut bed = Bed::with_capacity(backend, capacity);
        // Edges that were delivered and not worked off, in the way of levels.
        let idle = ready_sources(&bed, Trigger::Edge, 100);
        bed.exhaust();
        let links: Vec<Link> = (0..5)
            .map(|place| {
                let mut link = Link::new();
                link.feed(1);
                bed.with(Trigger::Level)
                    .register(link.source(), Token(place), Interest::READABLE)
                    .unwrap();
                link
            })
            .collect();
        let mut seen = Vec::new();
        while seen.len() < 50 {
            let batch = bed.turn(Some(PATIENCE));
            assert!(!batch.is_empty(), "{seen:?}");
            seen.extend(batch);
        }
        assert_fair(&seen, links.len());
        drop(idle);
    }
}

#[track_caller]
fn assert_fair(seen: &[Seen], sources: usize) {
    let served = tally(seen);
    let fair = seen.len() / sources;
    for place in 0..sources {
        let turns = served.get(&place).copied().unwrap_or(0);
        assert!(
            (fair - fair / 5 - 1..=fair + fair / 5 + 1).contains(&turns),
            "source {place} had {turns} turns where {fair} are fair: {served:?}"
        );
    }
}

/// Neither sources nor wakers crowd out the others, even if both are always ready.
pub(crate) fn small_capacity_with_wakers_pending(backend: Backend) {
    const WAKERS: usize = 3;
    for capacity in [1, 2, 3] {
        let _during = during(capacity);
        let mut bed = Bed::with_capacity(backend, capacity);
        let links = ready_sources(&bed, Trigger::Level, 4);
        let wakers: Vec<Waker> = (0..WAKERS)
            .map(|index| Waker::new(bed.registry(), Token(100 + index)).unwrap())
            .collect();
        let mut seen = Vec::new();
        for _ in 0..200 {
            wakers.iter().for_each(|waker| waker.wake().unwrap());
            let batch = bed.turn(Some(PATIENCE));
            assert_eq!(batch.len(), capacity);
            seen.extend(batch);
        }
        let served = tally(&seen);
        let all = (0..links.len()).chain(100..100 + WAKERS);
        for token in all {
            let turns = served.get(&token).copied().unwrap_or(0);
            // An eighth of what an equal share would be is not starving.
            assert!(turns >= 200 * capacity / 7 / 8, "{token}: {served:?}");
        }
    }
}

/// Nothing can be returned, so nothing is: at once, without an error, and without losing anything.
pub(crate) fn no_capacity(backend: Backend) {
    let mut bed = Bed::with_capacity(backend, 0);
    let _links = ready_sources(&bed, Trigger::EdgeOneshot, 3);
    let waker = Waker::new(bed.registry(), Token(9)).unwrap();
    waker.wake().unwrap();
    for timeout in [Some(Duration::ZERO), Some(PATIENCE), None] {
        let start = Instant::now();
        assert_eq!(bed.turn(timeout), []);
        assert!(start.elapsed() < PATIENCE);
    }
    waker.wake().unwrap();
    bed.events = Events::with_capacity(16);
    bed.expect_each(&[Token(0), Token(1), Token(2), Token(9)]);
    assert_eq!(bed.events.capacity(), 16);
}

/// A poll forgets the events of the one before, also if it has none or fails to wait.
pub(crate) fn events_are_replaced(backend: Backend) {
    let mut bed = Bed::new(backend);
    let mut link = Link::new();
    bed.registry()
        .register(link.source(), Token(1), BOTH)
        .unwrap();
    bed.expect(Token(1), Ready::WRITABLE);
    assert!(!bed.events.is_empty());
    bed.poll
        .poll(&mut bed.events, Some(Duration::ZERO))
        .unwrap();
    assert!(bed.events.is_empty());
    assert_eq!(bed.events.iter().count(), 0);

    link.feed(1);
    bed.expect(Token(1), Ready::READABLE);
    assert_eq!(bed.events.len(), 1);
    bed.poll
        .poll_until(&mut bed.events, Instant::now())
        .unwrap();
    assert!(bed.events.is_empty());
}
