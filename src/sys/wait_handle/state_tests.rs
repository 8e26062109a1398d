use super::*;
use crate::{Interest, Token, Trigger};

const TRIGGERS: [Trigger; 4] = [
    Trigger::Edge,
    Trigger::Level,
    Trigger::Oneshot,
    Trigger::EdgeOneshot,
];

fn wanted(token: usize, trigger: Trigger) -> Wanted {
    Wanted {
        token: Token(token),
        interest: Interest::READABLE,
        trigger,
    }
}

/// A semaphore, a kernel that waits for it, and a queue with room for the one packet that there may be. What `mod.rs` does,
/// without the system.
#[derive(Debug)]
struct World {
    state: State,
    released: usize,
    count: usize,
    /// The kernel waits.
    pending: bool,
    /// The packet of this source is in the port, and whether a count was taken for it.
    packet: Option<bool>,
    /// It is to be posted when the next poll begins.
    next: bool,
    registered: Option<(usize, Trigger)>,
    /// What the user has got of the semaphore.
    got: usize,
    /// A one-shot that has reported.
    spent: bool,
}

#[derive(Copy, Clone, Debug)]
enum Step {
    Release,
    /// The kernel finds the semaphore signalled.
    Satisfy,
    Register(Trigger),
    Reregister(Trigger),
    Deregister,
    TryWait,
    Poll,
}

impl World {
    fn new() -> World {
        World {
            state: State::new(false),
            released: 0,
            count: 0,
            pending: false,
            packet: None,
            next: false,
            registered: None,
            got: 0,
            spent: false,
        }
    }

    fn look(&mut self) -> bool {
        let signalled = self.count > 0;
        self.count -= usize::from(signalled);
        signalled
    }

    fn begin(&mut self) {
        assert!(
            !self.pending && self.packet.is_none() && !self.next,
            "two at once"
        );
        self.pending = true;
        self.state.waits();
    }

    fn post(&mut self, taken: bool) {
        assert!(
            !self.pending && self.packet.is_none() && !self.next,
            "two at once"
        );
        self.packet = Some(taken);
    }

    fn obey(&mut self, order: Order) {
        match order {
            Order::Nothing => {}
            Order::Post => self.post(true),
            Order::Look if self.look() => {
                self.post(true);
                self.state.posted();
            }
            Order::Look => self.begin(),
            Order::Cancel => {
                let in_time = self.pending;
                self.pending = false;
                self.state.cancelled(in_time);
            }
        }
    }

    /// `false` if it cannot be taken now.
    fn step(&mut self, step: Step, token: usize) -> bool {
        match step {
            Step::Release => {
                self.released += 1;
                self.count += 1;
            }
            Step::Satisfy => {
                if !self.pending || self.count == 0 {
                    return false;
                }
                self.count -= 1;
                self.pending = false;
                self.packet = Some(true);
            }
            Step::Register(trigger) => match self.state.register(wanted(token, trigger)) {
                Ok((_, order)) => {
                    assert!(self.registered.is_none());
                    self.registered = Some((token, trigger));
                    self.spent = false;
                    self.obey(order);
                }
                Err(mistake) => {
                    assert_eq!(mistake, Mistake::AlreadyRegistered);
                    assert!(self.registered.is_some());
                    return false;
                }
            },
            Step::Reregister(trigger) => match self.state.reregister(wanted(token, trigger)) {
                Ok((_, order)) => {
                    assert!(self.registered.is_some());
                    self.registered = Some((token, trigger));
                    self.spent = false;
                    self.obey(order);
                }
                Err(mistake) => {
                    assert_eq!(mistake, Mistake::NotRegistered);
                    return false;
                }
            },
            Step::Deregister => match self.state.deregister() {
                Ok(order) => {
                    self.registered = None;
                    self.obey(order);
                    assert!(!self.pending, "waits for nobody");
                }
                Err(_) => return false,
            },
            Step::TryWait => {
                if self.state.take_kept() || self.look() {
                    self.got += 1;
                } else if self.state.rearm() {
                    self.begin();
                }
            }
            Step::Poll => self.poll(),
        }
        true
    }

    fn poll(&mut self) {
        if std::mem::take(&mut self.next) {
            self.post(false);
        }
        let Some(taken) = self.packet.take() else {
            return;
        };
        let succeeded = match self.state.answered() {
            Outcome::Nothing => false,
            Outcome::Event => {
                assert!(taken, "an event for nothing");
                true
            }
            Outcome::Look if self.look() => true,
            Outcome::Look => {
                self.begin();
                false
            }
            Outcome::Refused(_) => panic!("nothing was refused"),
        };
        if succeeded {
            let (wanted, again) = self.state.report().expect("events have a registration");
            let (token, trigger) = self.registered.expect("as above");
            assert_eq!((wanted.token, wanted.trigger), (Token(token), trigger));
            assert!(!self.spent, "a one-shot reports twice");
            self.spent = trigger.is_oneshot();
            self.got += 1;
            self.next = again;
        }
    }

    /// Nothing is pending that nobody asked for, and nothing of the semaphore is lost or made up.
    fn finish(mut self) {
        let before = self.got + self.count;
        assert!(before <= self.released);
        if self.registered.is_some() {
            self.step(Step::Deregister, 0);
        }
        self.poll();
        assert!(!self.pending && self.packet.is_none() && !self.next);
        for _ in 0..=self.released {
            self.step(Step::TryWait, 0);
        }
        assert_eq!(self.got, self.released);
    }
}

/// Every sequence of steps, up to a length.
#[test]
fn each_success_is_handed_out_once() {
    let mut steps = vec![
        Step::Release,
        Step::Satisfy,
        Step::Deregister,
        Step::TryWait,
        Step::Poll,
    ];
    for trigger in TRIGGERS {
        steps.push(Step::Register(trigger));
        steps.push(Step::Reregister(trigger));
    }
    const LENGTH: u32 = 5;
    let total = steps.len().pow(LENGTH);
    for number in 0..total {
        let mut world = World::new();
        let mut rest = number;
        for token in 0..LENGTH as usize {
            let step = steps[rest % steps.len()];
            rest /= steps.len();
            if !world.step(step, token) {
                // The same as a shorter one.
                break;
            }
        }
        world.finish();
    }
}

/// Longer ones, that begin with a registration and a signal.
#[test]
fn longer_stories() {
    let steps = [
        Step::Release,
        Step::Satisfy,
        Step::Register(Trigger::Level),
        Step::Reregister(Trigger::Edge),
        Step::Deregister,
        Step::TryWait,
        Step::Poll,
    ];
    const LENGTH: u32 = 6;
    for trigger in TRIGGERS {
        for number in 0..steps.len().pow(LENGTH) {
            let mut world = World::new();
            world.step(Step::Register(trigger), 99);
            world.step(Step::Release, 0);
            world.step(Step::Satisfy, 0);
            let mut rest = number;
            for token in 0..LENGTH as usize {
                world.step(steps[rest % steps.len()], token);
                rest /= steps.len();
            }
            world.finish();
        }
    }
}

/// While the object is signalled: one event in each poll for a level, one for the others.
#[test]
fn triggers_have_their_meaning() {
    for (trigger, events) in TRIGGERS.into_iter().zip([1, 3, 1, 1]) {
        let mut world = World::new();
        world.step(Step::Register(trigger), 1);
        world.poll();
        assert_eq!(world.got, 0);
        (0..3).for_each(|_| assert!(world.step(Step::Release, 0)));
        world.step(Step::Satisfy, 0);
        (0..4).for_each(|_| world.poll());
        assert_eq!(world.got, events, "{trigger:?}");
        // One that has found nothing waits again.
        assert_eq!(world.pending, trigger == Trigger::Level);
        world.finish();
    }
}

/// An edge is armed again by finding nothing; a one-shot is not.
#[test]
fn finding_nothing_arms_edges() {
    for trigger in TRIGGERS {
        let mut world = World::new();
        world.step(Step::Release, 0);
        world.step(Step::Register(trigger), 1);
        world.poll();
        assert_eq!(world.got, 1);
        world.step(Step::TryWait, 0);
        assert_eq!(world.pending, trigger == Trigger::Edge, "{trigger:?}");
        world.poll();
        world.step(Step::Release, 0);
        world.step(Step::Satisfy, 0);
        world.poll();
        let silent = trigger.is_oneshot();
        assert_eq!(world.got, if silent { 1 } else { 2 }, "{trigger:?}");
        world.finish();
    }
}

/// The registration is as before, and what was taken is kept.
#[test]
fn a_change_that_fails_is_undone() {
    let mut state = State::new(true);
    let (before, order) = state.register(wanted(1, Trigger::Edge)).unwrap();
    assert_eq!(order, Order::Post);
    state.keep();
    state.restore(before);
    assert_eq!(state.deregister(), Err(Mistake::NotRegistered));
    assert!(state.take_kept() && !state.take_kept());
    assert!(!state.is_void());
}

/// The user is told once, and then it is the user's turn.
#[test]
fn a_refusal_is_an_event() {
    for trigger in TRIGGERS {
        let mut state = State::new(false);
        let (_, order) = state.register(wanted(5, trigger)).unwrap();
        assert_eq!(order, Order::Look);
        state.posted();
        state.refused();
        let Outcome::Refused(said) = state.answered() else {
            panic!("no event");
        };
        assert_eq!(said.token, Token(5));
        assert_eq!(state.rearm(), !trigger.is_oneshot());
        // A success that was never there is not kept.
        state.refused();
        assert_eq!(state.deregister(), Ok(Order::Nothing));
        assert!(!state.take_kept() && state.is_void());
    }
}
