//! The plain model of one queue: what is registered, what each registration owes, and what it must not say.
//!
//! How ready a source is the model does not guess: it is told, by somebody who has asked the system about that one
//! descriptor. What the model knows is what a queue makes of it.
//!
//! There are two kinds of guarantee. What a registration *owes* follows from its rule, and has to be in the next poll
//! that has room. What it was *promised* holds for every backend and every rule alike: what was ready when it was
//! registered, and what became ready after an operation would have blocked, is reported before the script has ended.

mod verdict;
mod watch;

use std::collections::BTreeMap;

use mio::{Token, Trigger};

use crate::ready::{flags, END};
use crate::rules::Rules;
use crate::script::End;
use crate::system::PollFlags;

use verdict::Turn;
pub(crate) use watch::Wanted;
use watch::{Wake, Watch};

/// A registration, or the part of one that reports by itself.
type Part = (End, usize);

/// How ready sources are, by their ends.
pub(crate) type Levels = BTreeMap<End, PollFlags>;

#[derive(Clone, Debug)]
pub(crate) struct Model {
    rules: Rules,
    watches: BTreeMap<Part, Watch>,
    wakes: BTreeMap<u8, Wake>,
    /// Registrations that outlive their source because it has a duplicate.
    ghosts: Vec<(End, Token)>,
    next_id: usize,
    /// There was a reason to end a poll that is none any more, and no poll since.
    disturbed: bool,
    /// Who was served by the last poll, and who was not, if it had no more room.
    turn: Option<Turn>,
}

impl Model {
    pub(crate) fn new(rules: Rules) -> Model {
        Model {
            rules,
            watches: BTreeMap::new(),
            wakes: BTreeMap::new(),
            ghosts: Vec::new(),
            next_id: 0,
            disturbed: false,
            turn: None,
        }
    }

    pub(crate) fn knows_handles(&self) -> bool {
        self.rules.knows_handles
    }

    /// Whether a second registration is refused: by the queue, or by the source itself in debug builds.
    pub(crate) fn refuses_second(&self, bare: bool) -> bool {
        self.knows_handles() || cfg!(debug_assertions) && !bare
    }

    pub(crate) fn is_registered(&self, end: End) -> bool {
        self.watches.contains_key(&(end, 0))
    }

    pub(crate) fn registered(&self) -> impl Iterator<Item = End> + '_ {
        let whole = self.watches.keys().filter(|(_, part)| *part == 0);
        whole.map(|(end, _)| *end)
    }

    /// How ready a registered source was when it was last looked at.
    pub(crate) fn level(&self, end: End) -> Option<PollFlags> {
        self.watches.get(&(end, 0)).map(|watch| watch.level)
    }

    /// Registers or reregisters a source that is as ready as `level`.
    pub(crate) fn register(&mut self, end: End, wanted: Wanted, level: PollFlags) {
        self.watches.retain(|(registered, _), _| *registered != end);
        let asked = flags(wanted.wish.interest());
        let is_whole = wanted.trigger.is_oneshot() || wanted.is_broken;
        let parts = self.rules.parts(is_whole, asked);
        for (part, asked) in parts.into_iter().enumerate() {
            let watch = Watch {
                id: self.next_id(),
                wanted,
                asked,
                voice: self.rules.voice(),
                rule: self.rules.rule(wanted.trigger, wanted.bare, asked, level),
                level,
                peak: level,
                waiting: self.rules.events_wait.then_some(level),
                waiting_goes: self.rules.waiting_events_go,
                fired: false,
                uncertain: false,
                promised: asked | END,
            };
            self.watches.insert((end, part), watch);
        }
    }

    pub(crate) fn deregister(&mut self, end: End) {
        self.remove(end);
    }

    /// An end is closed without having been deregistered.
    pub(crate) fn close(&mut self, end: End, has_duplicates: bool) {
        if let Some(watch) = self.remove(end) {
            if has_duplicates && self.rules.duplicates_keep_registrations {
                self.ghosts.push((end, watch.wanted.token));
            }
        }
    }

    fn remove(&mut self, end: End) -> Option<Watch> {
        if self.rules.removals_change_turns {
            self.turn = None;
        }
        let first = self.watches.remove(&(end, 0));
        self.watches.retain(|(registered, _), _| *registered != end);
        first
    }

    /// The last duplicate of an end is closed.
    pub(crate) fn close_duplicates(&mut self, end: End) {
        self.ghosts.retain(|(ghost, _)| *ghost != end);
    }

    /// Something was done to an end or to its peer.
    pub(crate) fn touch(&mut self, end: End) {
        for ((registered, _), watch) in &mut self.watches {
            if [end, end.other()].contains(registered) {
                watch.rule.touch();
            }
        }
    }

    /// An operation on an end would have blocked. Nothing came after it if it `was_last`.
    pub(crate) fn blocked(&mut self, end: End, directions: PollFlags, was_last: bool) {
        for ((registered, _), watch) in &mut self.watches {
            if *registered == end {
                watch.blocked(directions, was_last);
            }
        }
    }

    /// How ready the sources are now.
    pub(crate) fn change(&mut self, levels: &Levels) {
        for ((end, _), watch) in &mut self.watches {
            if let Some(&level) = levels.get(end) {
                let risen = level - watch.level;
                watch.level = level;
                watch.peak |= level;
                if let Some(waiting) = &mut watch.waiting {
                    *waiting |= level;
                }
                watch
                    .rule
                    .change(watch.seen(level), risen & (watch.asked | END));
                if let (Some(turn), false) = (&mut self.turn, watch.must()) {
                    turn.give_up(watch.id);
                }
            }
        }
    }

    pub(crate) fn make_waker(&mut self, waker: u8, token: Token) {
        let id = self.next_id();
        let wake = Wake {
            id,
            token,
            count: 0,
            pending: false,
            uncertain: false,
        };
        self.drop_waker(waker);
        self.wakes.insert(waker, wake);
    }

    pub(crate) fn wake(&mut self, waker: u8) {
        if let Some(wake) = self.wakes.get_mut(&waker) {
            wake.count += 1;
            wake.pending = true;
            wake.uncertain = false;
        }
    }

    pub(crate) fn drop_waker(&mut self, waker: u8) {
        let wake = self.wakes.remove(&waker);
        self.disturbed |= wake.is_some_and(|wake| wake.pending);
    }

    /// Whether a poll that waits does not wait for ever.
    pub(crate) fn owes_something(&self) -> bool {
        self.watches
            .values()
            .any(|watch| watch.owes() || watch.is_unmet())
            || self.wakes.values().any(Wake::owes)
    }

    /// Checks whether the queue's own descriptor is rightly readable, or rightly not.
    pub(crate) fn check_descriptor(&self, readable: bool) -> Result<(), String> {
        let sources = self.rules.descriptor_shows_sources;
        let wakes = self.wakes.values().any(Wake::owes);
        if !readable && (wakes || sources && self.watches.values().any(Watch::must)) {
            return Err("the queue's descriptor does not show what there is to report".to_owned());
        }
        if readable && !sources && !self.disturbed && !self.wakes.values().any(|wake| wake.pending)
        {
            return Err("the queue's descriptor is readable without a wake".to_owned());
        }
        Ok(())
    }

    /// A poll begins on another thread. The model as it is.
    pub(crate) fn overlap(&mut self) -> Model {
        for watch in self.watches.values_mut() {
            watch.peak = watch.level;
        }
        self.clone()
    }

    /// From now on, whatever is ready has to be reported once more if its trigger says so in each poll.
    pub(crate) fn settle(&mut self) {
        for watch in self.watches.values_mut() {
            if watch.wanted.trigger == Trigger::Level {
                watch.promised = watch.asked | END;
            }
        }
    }

    /// A promise that was not kept yet.
    pub(crate) fn unmet(&self) -> Option<String> {
        let source = self.watches.iter().find(|(_, watch)| watch.is_unmet());
        let waker = self.wakes.iter().find(|(_, wake)| wake.owes());
        source
            .map(|((end, _), watch)| format!("{end:?} was never reported: {watch:?}"))
            .or_else(|| {
                waker.map(|(waker, wake)| format!("waker {waker} was never reported: {wake:?}"))
            })
    }

    fn next_id(&mut self) -> usize {
        self.next_id += 1;
        self.next_id
    }
}
