//! Threads that register, write, wake and drop, and one that polls: every byte arrives, every wake is answered, and no
//! token comes back from the dead.

use std::collections::HashMap;
use std::io::{ErrorKind, Read, Write};
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering::SeqCst};
use std::sync::{Arc, Mutex, OnceLock};
use std::thread::{self, Thread};
use std::time::Duration;

use mio::{Events, Interest, IoSource, Poll, Registry, Token, Trigger, Waker};
use socket2::SockRef;

use crate::common::{
    in_child, on_each_backend, pair, wait_until, Random, Rounds, Socket, PATIENCE, TRIGGERS,
};

const THREADS: usize = 6;

#[test]
fn none_is_lost() {
    in_child("bytes::none_is_lost", || on_each_backend(scenario));
}

fn scenario(mut poll: Poll) {
    let world = World::new(&poll);
    thread::scope(|scope| {
        for number in 0..THREADS {
            let world = &world;
            scope.spawn(move || {
                Writer::new(world, number).run();
                world.running.fetch_sub(1, SeqCst);
                world.over.wake().unwrap();
            });
        }
        Poller::new(&world).run(&mut poll);
    });
    let (written, read) = (world.written.load(SeqCst), world.read.load(SeqCst));
    let wakes: u64 = world.desks.iter().map(|desk| desk.done.load(SeqCst)).sum();
    println!("{read} bytes, {wakes} wakes, {} polls", world.polls());
    assert_eq!(read, written, "bytes");
    assert!(read > 0 && wakes > 0, "it did nothing");
}

/// The token of the waker by which threads say that they are done. Those below are of their desks, those above of streams.
const OVER: usize = THREADS + THREADS % 2;

/// What the threads share.
struct World {
    registry: Registry,
    desks: Vec<Desk>,
    /// Not the waker of a desk, which would make up for a wake that was lost there.
    over: Waker,
    /// Beginning with the token of the next stream, which is even.
    next_token: AtomicUsize,
    streams: Mutex<HashMap<usize, Arc<Stream>>>,
    /// Sources that are gone, and how many polls had begun by then.
    graves: Mutex<HashMap<usize, u64>>,
    /// How many polls have begun.
    polls: AtomicU64,
    written: AtomicU64,
    read: AtomicU64,
    rounds: Rounds,
    running: AtomicUsize,
}

/// Where a thread leaves work.
struct Desk {
    waker: Waker,
    writer: OnceLock<Thread>,
    asked: AtomicU64,
    done: AtomicU64,
}

/// A stream that a thread writes to and the poller reads from. Its token is that of the reading end, the next one that of
/// the writing end.
struct Stream {
    token: usize,
    trigger: Trigger,
    writer: Thread,
    reading: Mutex<Option<Reading>>,
    received: AtomicU64,
    writable: AtomicBool,
}

struct Reading {
    source: IoSource<Socket>,
    /// A one-shot registration that has not reported yet.
    armed: bool,
}

impl World {
    fn new(poll: &Poll) -> World {
        let registry = poll.registry().try_clone().unwrap();
        let desk = |number| Desk {
            waker: Waker::new(&registry, Token(number)).unwrap(),
            writer: OnceLock::new(),
            asked: AtomicU64::new(0),
            done: AtomicU64::new(0),
        };
        World {
            desks: (0..THREADS).map(desk).collect(),
            over: Waker::new(&registry, Token(OVER)).unwrap(),
            registry,
            next_token: AtomicUsize::new(OVER + 2),
            streams: Mutex::default(),
            graves: Mutex::default(),
            polls: AtomicU64::new(0),
            written: AtomicU64::new(0),
            read: AtomicU64::new(0),
            rounds: Rounds::of(THREADS),
            running: AtomicUsize::new(THREADS),
        }
    }

    /// Whether somebody has still something to do, or to be told: nothing but the event of a wake answers it.
    fn goes_on(&self) -> bool {
        let waits = |desk: &Desk| desk.asked.load(SeqCst) != desk.done.load(SeqCst);
        self.running.load(SeqCst) != 0
            || !self.streams.lock().unwrap().is_empty()
            || self.desks.iter().any(waits)
    }

    fn polls(&self) -> u64 {
        self.polls.load(SeqCst)
    }

    /// To be called once a registration has ended: no poll that begins from now on may report it.
    fn bury(&self, token: usize) {
        let polls = self.polls();
        self.graves.lock().unwrap().insert(token, polls);
    }

    fn forget(&self, stream: &Stream) {
        self.streams.lock().unwrap().remove(&stream.token);
    }

    /// Ends the reading end of a stream, with a word to the queue or without.
    fn close(&self, stream: &Stream, mut source: IoSource<Socket>, deregister: bool) {
        if deregister {
            self.registry.deregister(&mut source).unwrap();
            self.bury(stream.token);
        }
        drop(source);
        self.bury(stream.token);
        self.forget(stream);
    }
}

/// What one of the threads does.
struct Writer<'a> {
    world: &'a World,
    desk: &'a Desk,
    random: Random,
}

impl Writer<'_> {
    fn new(world: &World, number: usize) -> Writer<'_> {
        world.desks[number].writer.get_or_init(thread::current);
        Writer {
            world,
            desk: &world.desks[number],
            random: Random::new(number),
        }
    }

    fn run(mut self) {
        while self.world.rounds.next() {
            for _ in 0..self.random.below(4) {
                self.stream();
                self.wake();
                self.wake_in_vain();
            }
        }
    }

    /// Leaves work, wakes, and often waits for the answer.
    fn wake(&mut self) {
        let Desk {
            waker, asked, done, ..
        } = self.desk;
        for _ in 0..self.random.below(4) {
            let number = asked.fetch_add(1, SeqCst) + 1;
            waker.wake().unwrap();
            if self.random.one_in(2) {
                wait_until("a wake", || done.load(SeqCst) >= number);
            }
        }
    }

    /// A waker that is gone before its wake may have been seen.
    fn wake_in_vain(&self) {
        let world = self.world;
        let token = world.next_token.fetch_add(2, SeqCst);
        let waker = Waker::new(&world.registry, Token(token)).unwrap();
        waker.wake().unwrap();
        drop(waker);
        world.bury(token);
    }

    /// Makes a stream, writes to it, and sees it closed.
    fn stream(&mut self) {
        let (near, far) = pair();
        // Small, so that writing blocks now and then.
        SockRef::from(&*far).set_send_buffer_size(2048).unwrap();
        let stream = self.register(near);
        let size = 1 + self.random.below(16 * 1024);
        self.write(&stream, far, size as u64);

        if self.random.one_in(2) {
            wait_until("the bytes", || stream.received.load(SeqCst) == size as u64);
            // The poller may have closed it already.
            let reading = stream.reading.lock().unwrap().take();
            if let Some(Reading { source, .. }) = reading {
                self.world.close(&stream, source, self.random.one_in(2));
            }
        } else if self.random.one_in(2) {
            wait_until("the end", || stream.reading.lock().unwrap().is_none());
        }
    }

    fn register(&mut self, near: IoSource<Socket>) -> Arc<Stream> {
        let world = self.world;
        let token = world.next_token.fetch_add(2, SeqCst);
        let trigger = self.random.of(&TRIGGERS);
        let stream = Arc::new(Stream {
            token,
            trigger,
            writer: thread::current(),
            reading: Mutex::default(),
            received: AtomicU64::new(0),
            writable: AtomicBool::new(false),
        });
        // Known before it is registered, for its first event can come before `register` returns.
        let mut streams = world.streams.lock().unwrap();
        streams.insert(token, Arc::clone(&stream));
        drop(streams);
        let mut reading = stream.reading.lock().unwrap();
        let Reading { source, .. } = reading.insert(Reading {
            source: near,
            armed: true,
        });
        world
            .registry
            .with_trigger(trigger)
            .register(source, Token(token), Interest::READABLE)
            .unwrap();
        drop(reading);
        stream
    }

    /// Writes `size` bytes in pieces, and closes the writing end.
    fn write(&mut self, stream: &Stream, mut far: IoSource<Socket>, size: u64) {
        let world = self.world;
        let token = stream.token + 1;
        let trigger = self.random.of(&[Trigger::Edge, Trigger::Oneshot]);
        let registry = world.registry.with_trigger(trigger);
        let mut registered = false;
        let mut left = size;
        while left > 0 {
            let piece = [7; 1024];
            let length = (1 + self.random.below(piece.len())).min(left as usize);
            stream.writable.store(false, SeqCst);
            match far.do_write(|mut far| far.write(&piece[..length])) {
                Ok(n) => {
                    left -= n as u64;
                    world.written.fetch_add(n as u64, SeqCst);
                    continue;
                }
                Err(error) if error.kind() == ErrorKind::WouldBlock => {}
                Err(error) => panic!("{error}"),
            }
            // An edge is armed by having been told; what has fallen silent has to be asked again.
            if !registered {
                registry
                    .register(&mut far, Token(token), Interest::WRITABLE)
                    .unwrap();
                registered = true;
            } else if trigger.is_oneshot() {
                registry
                    .reregister(&mut far, Token(token), Interest::WRITABLE)
                    .unwrap();
            }
            wait_until("room to write", || stream.writable.load(SeqCst));
        }
        drop(far);
        world.bury(token);
    }
}

/// What the polling thread does.
struct Poller<'a> {
    world: &'a World,
    random: Random,
    /// One-shots that have reported, and have to stay silent for another poll.
    asleep: Vec<Arc<Stream>>,
}

impl Poller<'_> {
    fn new(world: &World) -> Poller<'_> {
        Poller {
            world,
            random: Random::new(THREADS),
            asleep: Vec::new(),
        }
    }

    fn run(mut self, poll: &mut Poll) {
        let world = self.world;
        let mut small = Events::with_capacity(2);
        let mut large = Events::with_capacity(64);
        while world.goes_on() {
            let events = match self.random.one_in(4) {
                true => &mut small,
                false => &mut large,
            };
            let asleep = std::mem::take(&mut self.asleep);
            let wait = match asleep.is_empty() {
                true => PATIENCE,
                false => Duration::ZERO,
            };
            let number = world.polls.fetch_add(1, SeqCst) + 1;
            poll.poll(events, Some(wait)).unwrap();
            assert!(!events.is_empty() || wait < PATIENCE, "nothing happened");
            for event in events.iter() {
                self.serve(event.token().0, number);
            }
            for stream in asleep {
                self.arouse(&stream);
            }
        }
    }

    /// Does what an event of the poll of this `number` asks for.
    fn serve(&mut self, token: usize, number: u64) {
        let world = self.world;
        if token < THREADS {
            return self.answer(token);
        }
        if token == OVER {
            return;
        }
        if let Some(&polls) = world.graves.lock().unwrap().get(&token) {
            assert!(number <= polls, "token {token} came back from the dead");
        }
        let stream = {
            let streams = world.streams.lock().unwrap();
            streams.get(&(token & !1)).cloned()
        };
        // Otherwise it was closed just now.
        if let Some(stream) = stream {
            if token == stream.token {
                self.read(stream);
            } else {
                stream.writable.store(true, SeqCst);
                stream.writer.unpark();
            }
        }
    }

    fn answer(&self, number: usize) {
        let desk = &self.world.desks[number];
        desk.done.store(desk.asked.load(SeqCst), SeqCst);
        if let Some(writer) = desk.writer.get() {
            writer.unpark();
        }
    }

    fn read(&mut self, stream: Arc<Stream>) {
        let world = self.world;
        let mut slot = stream.reading.lock().unwrap();
        let Some(reading) = slot.as_mut() else {
            return;
        };
        if stream.trigger.is_oneshot() {
            assert!(reading.armed, "a one-shot has reported twice");
            reading.armed = false;
            if self.random.one_in(4) {
                drop(slot);
                return self.asleep.push(stream); // what there is stays there
            }
        }
        let mut buffer = [0; 700];
        loop {
            let mut read = |mut source: &Socket| source.read(&mut buffer);
            match reading.source.do_read(&mut read) {
                Ok(0) => break,
                Ok(n) => {
                    world.read.fetch_add(n as u64, SeqCst);
                    stream.received.fetch_add(n as u64, SeqCst);
                    stream.writer.unpark();
                }
                Err(error) if error.kind() == ErrorKind::WouldBlock => {
                    drop(slot);
                    if stream.trigger.is_oneshot() {
                        match self.random.one_in(2) {
                            true => self.asleep.push(stream),
                            false => self.arouse(&stream),
                        }
                    }
                    return;
                }
                Err(error) => panic!("{error}"),
            }
            if stream.trigger == Trigger::Level && self.random.one_in(2) {
                return; // a level comes again
            }
        }
        let Reading { source, .. } = slot.take().unwrap();
        drop(slot);
        world.close(&stream, source, self.random.one_in(2));
        stream.writer.unpark();
    }

    /// Arms a one-shot again, unless it was closed in the meantime.
    fn arouse(&self, stream: &Stream) {
        if let Some(reading) = stream.reading.lock().unwrap().as_mut() {
            reading.armed = true;
            let registry = self.world.registry.with_trigger(stream.trigger);
            let token = Token(stream.token);
            registry
                .reregister(&mut reading.source, token, Interest::READABLE)
                .unwrap();
        }
    }
}
