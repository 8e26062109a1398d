//! One queue with its own set of sources: the script as one backend lives through it.

use std::io::{self, ErrorKind};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use mio::{Backend, Events, Poll, Registry, Token, Trigger, Waker};

use crate::batch::{Batch, Seen};
use crate::ends::{Moved, Object, Pair};
use crate::history::{Entry, Failure, History, Outcome};
use crate::model::{Levels, Model, Wanted};
use crate::ready::{NOTHING, READING, UNKNOWN, WRITING};
use crate::rules::Rules;
use crate::script::{End, Kind, Step, Wish};
use crate::system::{level_of, shows_something, PollFlags};

/// How long a poll waits for what is there already, or will be after a pause of some milliseconds.
const PATIENCE: Duration = Duration::from_secs(2);
/// The same while a script is shrunk, which has failed already and is tried in many ways.
const IMPATIENCE: Duration = Duration::from_millis(if cfg!(windows) { 1_000 } else { 200 });
/// How many polls may pass at least until everything was reported, however slow the machine is.
const ROUNDS: usize = 20;
/// How long a poll waits in the end for what is owed. Longer than any pause that a backend may make.
const PAUSE: Duration = Duration::from_millis(20);
/// The waker that ends a poll on another thread.
const BELL: u8 = u8::MAX;
const BELL_TOKEN: Token = Token(900);
/// Room for everything that a script can have.
const AMPLE: u8 = 64;

pub(crate) struct World {
    backend: Backend,
    /// Out of here while another thread polls.
    poll: Option<Poll>,
    registry: Registry,
    slots: Vec<Option<Pair>>,
    wakers: Vec<Option<Waker>>,
    /// Ends a poll on another thread.
    bell: Option<Waker>,
    /// What the last step wants of the next one.
    meanwhile: Option<(u8, u8)>,
    model: Model,
    history: History,
}

impl World {
    pub(crate) fn new(backend: Backend) -> io::Result<World> {
        let poll = Poll::builder().backend(backend).build()?;
        Ok(World {
            backend,
            registry: poll.registry().try_clone()?,
            poll: Some(poll),
            slots: Vec::new(),
            wakers: Vec::new(),
            bell: None,
            meanwhile: None,
            model: Model::new(Rules::of(backend)),
            history: History::default(),
        })
    }

    /// Makes a step. An error is a broken promise.
    pub(crate) fn step(&mut self, number: usize, step: Step) -> Result<Outcome, Failure> {
        self.history.push(Entry::Step(number, step));
        let outcome = match (self.meanwhile.take(), step) {
            (_, Step::Poll(_) | Step::Wait(_) | Step::Meanwhile(..)) | (None, _) => {
                self.perform(number, step)
            }
            (Some((room, micros)), _) => self.overlap(room, micros, number, step),
        };
        let outcome = outcome.map_err(|failure| self.report(failure))?;
        self.history.push(Entry::Outcome(outcome));
        self.look();
        if let Some(readable) = shows_something(&self.registry) {
            self.model
                .check_descriptor(readable)
                .map_err(|failure| self.report(failure.into()))?;
        }
        Ok(outcome)
    }

    fn perform(&mut self, number: usize, step: Step) -> Result<Outcome, Failure> {
        match step {
            Step::Poll(room) => self.turn(room, Duration::ZERO).map(|_| Outcome::Done),
            Step::Wait(room) => self.wait(room).map(|()| Outcome::Done),
            Step::Meanwhile(room, micros) => {
                self.meanwhile = Some((room, micros));
                Ok(Outcome::Done)
            }
            Step::Register(end, wish, trigger, name) => {
                self.register(end, wish, trigger, name.token(number), true)
            }
            Step::Reregister(end, wish, trigger, name) => {
                self.register(end, wish, trigger, name.token(number), false)
            }
            Step::Deregister(end) => self.deregister(end),
            Step::MakeWaker(waker, name) => Ok(self.make_waker(waker, name.token(number))),
            Step::Wake(waker) => Ok(self.wake(waker)),
            Step::DropWaker(waker) => Ok(self.drop_waker(waker)),
            _ => Ok(self.work(step)),
        }
    }

    /// Makes a step while another thread polls.
    fn overlap(
        &mut self,
        room: u8,
        micros: u8,
        number: usize,
        step: Step,
    ) -> Result<Outcome, Failure> {
        if self.bell.is_none() {
            self.bell = Some(Waker::new(&self.registry, BELL_TOKEN).expect("a waker"));
            self.model.make_waker(BELL, BELL_TOKEN);
        }
        let before = self.model.overlap();
        let mut poll = self.poll.take().expect("polled by one thread at a time");
        let mut events = Events::with_capacity(usize::from(room));
        let (capacity, began) = (events.capacity(), Instant::now());
        let outcome = thread::scope(|scope| {
            let polling = scope.spawn(|| poll.poll(&mut events, Some(patience())));
            if micros != 0 {
                thread::sleep(Duration::from_micros(micros.into()));
            }
            let outcome = self.perform(number, step);
            self.look();
            // What is owed has to end the poll by itself. It may be owed no more.
            if !self.model.owes_something() {
                self.ring();
            }
            let polled = polling.join().expect("a poll");
            outcome.and_then(|outcome| match polled {
                Ok(()) => Ok(outcome),
                Err(error) => Err(Failure::Wrong(format!("poll: {error}"))),
            })
        })?;
        self.poll = Some(poll);
        let seen = self.remember(&events);
        late(began, seen.len())?;
        let batch = Batch {
            events: &seen,
            capacity,
            hidden: 0,
            began,
            ended: Instant::now(),
        };
        self.model.overlapped(&before, batch)?;
        Ok(outcome)
    }

    fn ring(&mut self) {
        self.bell.as_ref().expect("a bell").wake().expect("a wake");
        self.model.wake(BELL);
    }

    /// The steps that have to do with a pair, and not with the queue.
    fn work(&mut self, step: Step) -> Outcome {
        match step {
            Step::Make(slot, kind, flavor) => {
                self.close(End::A(slot));
                self.close(End::B(slot));
                // The duplicates go with the pair.
                self.model.close_duplicates(End::A(slot));
                self.model.close_duplicates(End::B(slot));
                let pair = Pair::new(kind.here(), flavor).expect("a new pair");
                *slot_of(&mut self.slots, slot) = Some(pair);
                Outcome::Result(Ok(0))
            }
            Step::Close(end) => self.close(end),
            Step::Dup(end) => self.duplicate(end),
            Step::CloseDups(end) => self.close_duplicates(end),
            Step::Read(end, n) => self.read(end, READING, |object| {
                object.read_some(&mut vec![0; usize::from(n)])
            }),
            Step::Drain(end) => self.read(end, READING, Object::drain),
            Step::TryRead(end) => {
                self.read(end, UNKNOWN, |object| object.try_read(&mut [0; 8]).into())
            }
            Step::Peek(end) => self.peek(end),
            Step::Write(end, n) => {
                self.write(end, |object| object.write_some(&vec![0; usize::from(n)]))
            }
            Step::Fill(end) => self.fill(end),
            Step::Oob(end) => self.write(end, |object| object.out_of_band().into()),
            Step::Shutdown(end, how) => self.operate(end, NOTHING, |object| {
                object.shutdown(how).map(|()| 0).into()
            }),
            _ => unreachable!("a step of the queue"),
        }
    }

    fn register(
        &mut self,
        end: End,
        wish: Wish,
        trigger: Trigger,
        token: Token,
        anew: bool,
    ) -> Result<Outcome, Failure> {
        let known = self.model.is_registered(end);
        let registry = self.registry.with_trigger(trigger);
        let pair = slot_of(&mut self.slots, end.slot());
        let is_pipe = pair.as_ref().is_some_and(|pair| pair.kind == Kind::Pipe);
        let Some((pair, object)) = object_of(&mut self.slots, end) else {
            return Ok(Outcome::Skipped);
        };
        let (bare, synchronous) = (pair.0, pair.1);
        let interest = wish.interest();
        let result = object.with(|source| {
            if anew {
                registry.register(source, token, interest)
            } else {
                registry.reregister(source, token, interest)
            }
        });
        let level = level_of(object.fd());
        let expected = match (known, anew) {
            (true, true) if self.model.refuses_second(bare) => Err(ErrorKind::AlreadyExists),
            (false, false) if self.model.knows_handles() => Err(ErrorKind::NotFound),
            _ => Ok(0),
        };
        if expected.is_ok() {
            let wanted = Wanted {
                token,
                wish,
                trigger,
                bare,
                synchronous,
                is_broken: is_pipe && level.contains(PollFlags::ERR),
            };
            self.model.register(end, wanted, level);
        }
        agreed(result, expected)
    }

    fn deregister(&mut self, end: End) -> Result<Outcome, Failure> {
        let expected = match self.model.is_registered(end) {
            true => Ok(0),
            false => Err(ErrorKind::NotFound),
        };
        let registry = &self.registry;
        let Some((_, object)) = object_of(&mut self.slots, end) else {
            return Ok(Outcome::Skipped);
        };
        let result = object.with(|source| registry.deregister(source));
        self.model.deregister(end);
        agreed(result, expected)
    }

    fn close(&mut self, end: End) -> Outcome {
        let known = self.model.is_registered(end);
        let registry = &self.registry;
        let Some(pair) = slot_of(&mut self.slots, end.slot()) else {
            return Outcome::Skipped;
        };
        let Some(mut object) = pair.take(end) else {
            return Outcome::Skipped;
        };
        if known && pair.flavor.is_bare() {
            // Nobody may close a bare descriptor that is registered.
            object
                .with(|source| registry.deregister(source))
                .expect("registered");
            self.model.deregister(end);
        }
        drop(object);
        let duplicated = !pair.dups(end).is_empty();
        self.model.close(end, duplicated);
        self.model.touch(end);
        Outcome::Result(Ok(0))
    }

    fn duplicate(&mut self, end: End) -> Outcome {
        let Some(pair) = slot_of(&mut self.slots, end.slot()) else {
            return Outcome::Skipped;
        };
        let Some(object) = pair.end(end) else {
            return Outcome::Skipped;
        };
        let duplicate = object.fd().try_clone_to_owned().expect("a descriptor");
        pair.dups(end).push(duplicate);
        Outcome::Result(Ok(0))
    }

    fn close_duplicates(&mut self, end: End) -> Outcome {
        if let Some(pair) = slot_of(&mut self.slots, end.slot()) {
            pair.dups(end).clear();
        }
        self.model.close_duplicates(end);
        self.model.touch(end);
        Outcome::Result(Ok(0))
    }

    fn read(
        &mut self,
        end: End,
        blocks: PollFlags,
        read: impl FnOnce(&mut Object) -> Moved,
    ) -> Outcome {
        match slot_of(&mut self.slots, end.slot()) {
            Some(pair) if pair.kind.can_read(end) => self.operate(end, blocks, read),
            _ => Outcome::Skipped,
        }
    }

    fn peek(&mut self, end: End) -> Outcome {
        let known = object_of(&mut self.slots, end).is_some_and(|(_, object)| object.knows_peek());
        let blocks = if known { READING } else { UNKNOWN };
        self.read(end, blocks, |object| object.peek(&mut [0; 8]).into())
    }

    fn write(&mut self, end: End, write: impl FnOnce(&mut Object) -> Moved) -> Outcome {
        match slot_of(&mut self.slots, end.slot()) {
            Some(pair) if pair.kind.can_write(end) => self.operate(end, WRITING, write),
            _ => Outcome::Skipped,
        }
    }

    fn fill(&mut self, end: End) -> Outcome {
        match slot_of(&mut self.slots, end.slot()) {
            Some(pair) if pair.kind.can_write(end) => {
                let kind = pair.kind;
                self.operate(end, WRITING, |object| object.fill(kind))
            }
            _ => Outcome::Skipped,
        }
    }

    /// Does something with an end. If that would have blocked, it is in the directions of `blocks`. So is a stream that
    /// moved less than it was asked for.
    fn operate(
        &mut self,
        end: End,
        blocks: PollFlags,
        operation: impl FnOnce(&mut Object) -> Moved,
    ) -> Outcome {
        let Some(((_, synchronous), object)) = object_of(&mut self.slots, end) else {
            return Outcome::Skipped;
        };
        let Moved { result, is_short } = operation(object);
        let result = result.map_err(|error| error.kind());
        self.model.touch(end);
        if result == Err(ErrorKind::WouldBlock) || is_short {
            self.look();
            // What is ready now has become so since, unless an end or an error came behind what was short, and took what
            // the source was ready for by then.
            let was_last = matches!(result, Ok(1..) | Err(ErrorKind::WouldBlock));
            self.model.blocked(end, blocks, was_last);
        }
        if synchronous {
            Outcome::Result(result)
        } else {
            Outcome::Done
        }
    }

    fn make_waker(&mut self, waker: u8, token: Token) -> Outcome {
        let made = Waker::new(&self.registry, token).expect("a waker");
        // The old one goes first, so that its token is free.
        *slot_of(&mut self.wakers, waker) = None;
        *slot_of(&mut self.wakers, waker) = Some(made);
        self.model.make_waker(waker, token);
        Outcome::Result(Ok(0))
    }

    fn wake(&mut self, waker: u8) -> Outcome {
        let Some(woken) = slot_of(&mut self.wakers, waker) else {
            return Outcome::Skipped;
        };
        woken.wake().expect("a wake");
        self.model.wake(waker);
        Outcome::Result(Ok(0))
    }

    fn drop_waker(&mut self, waker: u8) -> Outcome {
        *slot_of(&mut self.wakers, waker) = None;
        self.model.drop_waker(waker);
        Outcome::Result(Ok(0))
    }

    /// One poll. Returns the number of events.
    fn turn(&mut self, room: u8, timeout: Duration) -> Result<usize, Failure> {
        self.look();
        let mut events = Events::with_capacity(usize::from(room));
        let capacity = events.capacity();
        let began = Instant::now();
        let poll = self.poll.as_mut().expect("nobody else polls");
        poll.poll(&mut events, Some(timeout))
            .map_err(|error| Failure::Wrong(format!("poll: {error}")))?;
        let seen = self.remember(&events);
        let batch = Batch {
            events: &seen,
            capacity,
            hidden: 0,
            began,
            ended: Instant::now(),
        };
        let after = self.levels();
        self.model.polled(batch, &after)?;
        Ok(seen.len())
    }

    /// A poll that waits, if it has something to wait for.
    fn wait(&mut self, room: u8) -> Result<(), Failure> {
        if !self.model.owes_something() {
            return self.turn(room, Duration::ZERO).map(drop);
        }
        let began = Instant::now();
        let events = self.turn(room, patience())?;
        late(began, events)
    }

    fn remember(&mut self, events: &Events) -> Vec<Seen> {
        let seen: Vec<Seen> = events.iter().map(Seen::from).collect();
        self.history.push(Entry::Events(seen.clone()));
        seen
    }

    /// Polls until everything was reported that was promised, and then once more.
    pub(crate) fn settle(&mut self, room: u8) -> Result<(), Failure> {
        self.look();
        self.model.settle();
        let began = Instant::now();
        let mut rounds = 0;
        while let Some(unmet) = self.model.unmet() {
            rounds += 1;
            if rounds > ROUNDS && began.elapsed() > patience() {
                return Err(self.report(Failure::Late(unmet)));
            }
            self.turn(room, PAUSE)
                .map_err(|failure| self.report(failure))?;
            self.look();
        }
        self.turn(AMPLE, Duration::ZERO)
            .map_err(|failure| self.report(failure))?;
        Ok(())
    }

    /// Tells the model how ready everything is.
    fn look(&mut self) {
        let levels = self.levels();
        for (&end, &level) in &levels {
            if self.model.level(end) != Some(level) {
                self.history.push(Entry::Level(end, level));
            }
        }
        self.model.change(&levels);
    }

    /// How ready everything is that is registered.
    ///
    /// Asking is not without effect: a TCP socket that is found to have no room tells of it later, when it has. So does
    /// a write that would block, and the queue itself has asked as well.
    fn levels(&mut self) -> Levels {
        let ends: Vec<End> = self.model.registered().collect();
        let levels = ends.iter().map(|&end| {
            let (_, object) = object_of(&mut self.slots, end).expect("what is registered is open");
            (end, level_of(object.fd()))
        });
        levels.collect()
    }

    /// A failure with all that has led to it.
    fn report(&self, failure: Failure) -> Failure {
        FAILED.store(true, Ordering::Relaxed);
        self.history.report(self.backend, failure)
    }
}

/// Fails if a poll that began then had to return something, and ended because its time was up. It may still have found
/// an event then. No machine is slow enough for it to end before, with nothing.
fn late(began: Instant, events: usize) -> Result<(), Failure> {
    match began.elapsed() {
        time if events == 0 && time < patience() => {
            Err(Failure::Wrong(format!("no event, and only {time:?}")))
        }
        time if time >= patience() => Err(Failure::Late(format!("{events} events after {time:?}"))),
        _ => Ok(()),
    }
}

/// Whether a script has failed.
static FAILED: AtomicBool = AtomicBool::new(false);

fn patience() -> Duration {
    match FAILED.load(Ordering::Relaxed) {
        true => IMPATIENCE,
        false => PATIENCE,
    }
}

/// A slot, which is there as soon as it is named.
fn slot_of<T>(slots: &mut Vec<Option<T>>, slot: u8) -> &mut Option<T> {
    let index = usize::from(slot);
    if slots.len() <= index {
        slots.resize_with(index + 1, || None);
    }
    &mut slots[index]
}

/// An end that is open, and whether it is bare and whether it is synchronous.
fn object_of(slots: &mut Vec<Option<Pair>>, end: End) -> Option<((bool, bool), &mut Object)> {
    let pair = slot_of(slots, end.slot()).as_mut()?;
    let about = (pair.flavor.is_bare(), pair.kind.is_synchronous());
    pair.end(end).as_mut().map(|object| (about, object))
}

fn agreed(result: io::Result<()>, expected: Result<usize, ErrorKind>) -> Result<Outcome, Failure> {
    let result = result.map(|()| 0).map_err(|error| error.kind());
    if result == expected {
        Ok(Outcome::Result(result))
    } else {
        Err(Failure::Wrong(format!(
            "{result:?}, but expected {expected:?}"
        )))
    }
}
