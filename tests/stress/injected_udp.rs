//! As in [`injected`](crate::injected), for batches of datagrams: what the kernel refuses in their middle.

use std::io::{IoSlice, IoSliceMut};
use std::net::{self, Ipv4Addr, SocketAddr};

use mio::net::udp::{Config, Ecn, Offload, ReceiveMeta, Transmit};
use mio::net::UdpSocket;
use mio::{Interest, Token};
use rustix::io::Errno;

use crate::injected::{fails, injected, open, ready};

/// Datagrams that take two system calls.
const MANY: usize = 40;
/// Of these, what the first one takes.
const FIRST: usize = 32;

/// A socket of this crate, and its peer.
struct Pair {
    near: UdpSocket,
    offload: Offload,
    far: net::UdpSocket,
    to: SocketAddr,
}

fn sockets(config: &Config) -> Pair {
    let near = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0).into()).unwrap();
    let far = net::UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    far.set_nonblocking(true).unwrap();
    Pair {
        offload: near.offload(config).unwrap(),
        near,
        to: far.local_addr().unwrap(),
        far,
    }
}

impl Pair {
    fn send(&self, batch: &mut [Transmit<'_>]) -> std::io::Result<usize> {
        self.near.send_batch(&self.offload, batch)
    }

    /// The peer has received just these, as numbers of one byte, and nothing is left.
    #[track_caller]
    fn arrived(&self, expected: impl IntoIterator<Item = u8>) {
        let mut bytes = [0; 8];
        for expected in expected {
            assert_eq!(self.far.recv(&mut bytes).unwrap(), 1);
            assert_eq!(bytes[0], expected);
        }
        self.far.recv(&mut bytes).unwrap_err();
    }

    /// Sends so many datagrams of one byte to this side.
    fn provide(&self, count: usize) {
        let to = self.near.local_addr().unwrap();
        for n in 0..count {
            self.far.send_to(&[n as u8], to).unwrap();
        }
    }

    /// Receives into so many buffers, and tells the bytes.
    fn receive(&self, count: usize) -> std::io::Result<Vec<u8>> {
        let mut memory = vec![[0; 4]; count];
        let mut buffers: Vec<_> = memory
            .iter_mut()
            .map(|part| IoSliceMut::new(part))
            .collect();
        let mut metas = vec![ReceiveMeta::default(); count];
        let received = self
            .near
            .recv_batch(&self.offload, &mut buffers, &mut metas)?;
        assert!(metas[..received].iter().all(|meta| meta.len == 1));
        Ok(memory[..received].iter().map(|bytes| bytes[0]).collect())
    }
}

/// The numbers of one byte from 0 on, as contents.
fn numbers(bytes: &[u8]) -> Vec<[IoSlice<'_>; 1]> {
    bytes.chunks(1).map(|byte| [IoSlice::new(byte)]).collect()
}

/// The network card, or the route, refuses: the segments go one by one, and it is told.
#[test]
#[ignore = "cargo xtask inject"]
fn cutting_segments() {
    let Some(errno) = injected() else { return };
    let pair = sockets(&Config::new());
    let before = pair.offload.capabilities().max_segments;
    let contents = [IoSlice::new(&[0, 1, 2])];
    let mut batch = [Transmit::to(pair.to, &contents).segments_of(1)];
    assert_eq!(pair.send(&mut batch).unwrap(), 1);
    pair.arrived(0..3);
    let after = pair.offload.capabilities().max_segments;
    // A segment may be too long for a route, which says nothing of shorter ones, and of other routes.
    let expected = if errno == Errno::MSGSIZE { before } else { 1 };
    assert_eq!(after, expected);
    assert_eq!(pair.send(&mut batch).unwrap(), 1);
    pair.arrived(0..3);
}

/// The same for the second of two, and for no longer than that one if it is about its size.
#[test]
#[ignore = "cargo xtask inject"]
fn cutting_segments_in_a_batch() {
    let Some(_) = injected() else { return };
    let pair = sockets(&Config::new());
    let contents = [[IoSlice::new(&[0, 1, 2])], [IoSlice::new(&[3, 4, 5])]];
    let mut batch =
        [&contents[0], &contents[1]].map(|each| Transmit::to(pair.to, each).segments_of(1));
    assert_eq!(pair.send(&mut batch).unwrap(), 2);
    pair.arrived(0..6);
}

/// A system that does not know the mark: the datagram goes without, and so does the next one.
#[test]
#[ignore = "cargo xtask inject"]
fn marking() {
    let Some(errno) = injected() else { return };
    let pair = sockets(&Config::new());
    assert!(pair.offload.capabilities().send_ecn);
    let contents = [IoSlice::new(&[0])];
    let mut batch = [Transmit::to(pair.to, &contents).with_ecn(Ecn::Ce)];
    if errno == Errno::PERM {
        // That is not about marks.
        fails(errno, pair.send(&mut batch));
        assert!(pair.offload.capabilities().send_ecn);
        return;
    }
    assert_eq!(pair.send(&mut batch).unwrap(), 1);
    assert!(!pair.offload.capabilities().send_ecn);
    assert_eq!(pair.send(&mut batch).unwrap(), 1);
    pair.arrived([0, 0]);
}

/// A transmit with segments and a mark: it is not known what was refused, until one of the two is left out.
#[test]
#[ignore = "cargo xtask inject"]
fn marking_segments() {
    let Some(_) = injected() else { return };
    let pair = sockets(&Config::new());
    let contents = [IoSlice::new(&[0, 1, 2])];
    let mut batch = [Transmit::to(pair.to, &contents)
        .segments_of(1)
        .with_ecn(Ecn::Ce)];
    assert_eq!(pair.send(&mut batch).unwrap(), 1);
    pair.arrived(0..3);
    // Both were refused, and what went out had neither.
    assert!(!pair.offload.capabilities().send_ecn);
    assert_eq!(pair.send(&mut batch).unwrap(), 1);
    pair.arrived(0..3);
}

/// A sandbox that does not know the call.
#[test]
#[ignore = "cargo xtask inject"]
fn no_batches() {
    let Some(_) = injected() else { return };
    let pair = sockets(&Config::new().ecn(true));
    let capabilities = pair.offload.capabilities();
    assert_eq!(capabilities.datagrams_per_call, 1);
    // The rest needs no batches.
    assert!(capabilities.send_ecn && capabilities.receive_ecn);
    let bytes: Vec<u8> = (0..MANY as u8).collect();
    let contents = numbers(&bytes);
    let mut batch: Vec<_> = contents
        .iter()
        .map(|each| Transmit::to(pair.to, each))
        .collect();
    assert_eq!(pair.send(&mut batch).unwrap(), MANY);
    pair.arrived(0..MANY as u8);
    pair.provide(3);
    assert_eq!(pair.receive(5).unwrap(), [0, 1, 2]);
}

/// What stands in the way of the second system call is told once, and nothing is sent twice.
#[test]
#[ignore = "cargo xtask inject"]
fn sending() {
    let Some(errno) = injected() else { return };
    let pair = sockets(&Config::new());
    let bytes: Vec<u8> = (0..MANY as u8).collect();
    let contents = numbers(&bytes);
    let mut batch: Vec<_> = contents
        .iter()
        .map(|each| Transmit::to(pair.to, each))
        .collect();
    if errno == Errno::INTR {
        assert_eq!(pair.send(&mut batch).unwrap(), MANY);
    } else {
        assert_eq!(pair.send(&mut batch).unwrap(), FIRST);
        let kept = batch[FIRST].error().and_then(|error| error.raw_os_error());
        if errno == Errno::AGAIN {
            assert_eq!(kept, None);
        } else {
            assert_eq!(kept, Some(errno.raw_os_error()));
            fails(errno, pair.send(&mut batch[FIRST..]));
        }
        assert_eq!(pair.send(&mut batch[FIRST..]).unwrap(), MANY - FIRST);
    }
    pair.arrived(0..MANY as u8);
}

/// The segments of a transmit that goes one by one: it knows how many went out.
#[test]
#[ignore = "cargo xtask inject"]
fn sending_segments() {
    let Some(errno) = injected() else { return };
    let pair = sockets(&Config::new().segmentation(false));
    let bytes: Vec<u8> = (0..MANY as u8).collect();
    let contents = [IoSlice::new(&bytes)];
    let mut batch = [Transmit::to(pair.to, &contents).segments_of(1)];
    fails(errno, pair.send(&mut batch));
    assert_eq!(batch[0].sent(), FIRST);
    assert_eq!(pair.send(&mut batch).unwrap(), 1);
    assert_eq!(batch[0].sent(), 0);
    pair.arrived(0..MANY as u8);
}

/// The send buffer was full in the middle: the edge is armed without another call.
#[test]
#[ignore = "cargo xtask inject"]
fn blocking_in_the_middle() {
    let Some(_) = injected() else { return };
    let mut poll = open().unwrap();
    let mut pair = sockets(&Config::new());
    poll.registry()
        .register(&mut pair.near, Token(1), Interest::WRITABLE)
        .unwrap();
    assert_eq!(ready(&mut poll), [1]);
    let contents = [IoSlice::new(&[7])];
    let mut batch = vec![Transmit::to(pair.to, &contents); MANY];
    assert_eq!(pair.send(&mut batch).unwrap(), FIRST);
    assert_eq!(ready(&mut poll), [1]);
    assert_eq!(pair.send(&mut batch[FIRST..]).unwrap(), MANY - FIRST);
    pair.arrived([7; MANY]);
}

fn receiving_with(config: &Config) {
    let Some(errno) = injected() else { return };
    let pair = sockets(config);
    pair.provide(MANY);
    let all: Vec<u8> = (0..MANY as u8).collect();
    // Also what comes after the error is there, for nothing else would tell of it.
    assert_eq!(pair.receive(MANY + 5).unwrap(), all);
    if errno != Errno::INTR {
        fails(errno, pair.receive(5));
    }
    fails(Errno::AGAIN, pair.receive(5));
}

#[test]
#[ignore = "cargo xtask inject"]
fn receiving() {
    receiving_with(&Config::new());
}

#[test]
#[ignore = "cargo xtask inject"]
fn receiving_one_by_one() {
    receiving_with(&Config::new().portable(true));
}

/// An error that does not go away ends the batch. What was received is not lost.
#[test]
#[ignore = "cargo xtask inject"]
fn receiving_no_more() {
    let Some(errno) = injected() else { return };
    let pair = sockets(&Config::new());
    pair.provide(MANY);
    let first: Vec<u8> = (0..FIRST as u8).collect();
    assert_eq!(pair.receive(MANY).unwrap(), first);
    fails(errno, pair.receive(MANY));
    fails(errno, pair.receive(MANY));
}

/// A batch that gave up has not seen the end, so the queue is told to look again: what is left is an event.
#[test]
#[ignore = "cargo xtask inject"]
fn giving_up_on_receiving() {
    let Some(errno) = injected() else { return };
    let mut poll = open().unwrap();
    let mut pair = sockets(&Config::new());
    poll.registry()
        .register(&mut pair.near, Token(1), Interest::READABLE)
        .unwrap();
    pair.provide(MANY);
    assert_eq!(ready(&mut poll), [1]);
    assert_eq!(pair.receive(MANY).unwrap().len(), FIRST);
    assert_eq!(ready(&mut poll), [1]);
    fails(errno, pair.receive(MANY));
    let rest: Vec<u8> = (FIRST as u8..MANY as u8).collect();
    assert_eq!(pair.receive(MANY).unwrap(), rest);
}
