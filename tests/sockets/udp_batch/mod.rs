//! `UdpSocket::send_batch` and `recv_batch`, in each way in which they can be carried out: what arrives is the same.

mod delivery;
mod failing;
mod marks;
mod readiness;

use std::io::{self, ErrorKind, IoSlice, IoSliceMut};
use std::net::SocketAddr;
use std::os::fd::AsFd;

use mio::net::udp::{Config, Offload, ReceiveMeta, Transmit};
use mio::net::UdpSocket;
use mio::{Backend, Events, Interest, Poll};
use socket2::SockRef;

use crate::util::{any_v4, Loop};

/// A buffer of this size holds whatever is coalesced.
const LARGE: usize = 65_535;

/// Everything that the system has; without this or that; and what every system has.
fn modes() -> [(&'static str, Config); 5] {
    let all = Config::new();
    [
        ("all", all),
        ("no segmentation", all.segmentation(false)),
        ("no batches", all.batching(false)),
        ("neither", all.segmentation(false).batching(false)),
        ("portable", all.portable(true)),
    ]
}

/// Runs `test` with each of them.
fn in_each_mode(test: impl Fn(Config)) {
    for (name, config) in modes() {
        println!("mode: {name}");
        test(config);
    }
}

/// A socket, what belongs to it, and a queue in which it is registered for reading.
struct End {
    socket: UdpSocket,
    offload: Offload,
    address: SocketAddr,
    queue: Loop,
}

impl End {
    fn bind(address: SocketAddr, config: Config) -> End {
        let mut socket = UdpSocket::bind(address).unwrap();
        // Nothing takes out what is sent meanwhile. The system may allow less; the tests need a fifth of that.
        SockRef::from(&socket)
            .set_recv_buffer_size(1 << 20)
            .unwrap();
        let offload = socket.offload(&config).unwrap();
        let queue = Loop {
            poll: Poll::builder()
                .backend(Backend::available().next().unwrap())
                .build()
                .unwrap(),
            events: Events::with_capacity(8),
        };
        queue.register(&mut socket, 1, Interest::READABLE);
        End {
            address: socket.local_addr().unwrap(),
            socket,
            offload,
            queue,
        }
    }

    /// Sends all of the batch.
    #[track_caller]
    fn send(&self, batch: &mut [Transmit<'_>]) {
        let count = batch.len();
        assert_eq!(self.socket.send_batch(&self.offload, batch).unwrap(), count);
        assert!(batch.iter().all(|transmit| transmit.sent() == 0));
    }

    /// Receives into `count` buffers of `size` bytes once there is something.
    #[track_caller]
    fn receive(&mut self, count: usize, size: usize) -> Vec<(ReceiveMeta, Vec<u8>)> {
        let End {
            socket,
            offload,
            queue,
            ..
        } = self;
        let result = queue.finish(|| receive(socket, offload, count, size));
        result.unwrap()
    }

    /// Receives until there are `count` datagrams.
    #[track_caller]
    fn collect(&mut self, count: usize) -> Vec<Vec<u8>> {
        let mut datagrams = Vec::new();
        while datagrams.len() < count {
            for (meta, bytes) in self.receive(40, LARGE) {
                assert!(!meta.truncated && !meta.control_truncated);
                assert_eq!(meta.len, bytes.len());
                datagrams.extend(meta.datagrams(&bytes).map(<[u8]>::to_vec));
            }
        }
        assert_eq!(datagrams.len(), count);
        datagrams
    }

    /// There is nothing to receive.
    #[track_caller]
    fn nothing_left(&self) {
        let error = receive(&self.socket, &self.offload, 1, 1).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::WouldBlock);
    }
}

/// One batch into `count` buffers of `size` bytes: of each what is known, and the bytes.
fn receive(
    socket: &UdpSocket,
    offload: &Offload,
    count: usize,
    size: usize,
) -> io::Result<Vec<(ReceiveMeta, Vec<u8>)>> {
    let mut memory = vec![0xee; count * size];
    let mut metas = vec![ReceiveMeta::default(); count];
    let mut buffers: Vec<_> = memory.chunks_mut(size).map(IoSliceMut::new).collect();
    let received = socket.recv_batch(offload, &mut buffers, &mut metas)?;
    assert!(received > 0);
    let filled = buffers.iter().zip(&metas).take(received);
    Ok(filled
        .map(|(buffer, meta)| (*meta, buffer[..meta.len].to_vec()))
        .collect())
}

/// A sender and a receiver on the loopback interface.
fn pair(config: Config, receiver: Config) -> (End, End) {
    (End::bind(any_v4(), config), End::bind(any_v4(), receiver))
}

/// Bytes in which no two places look the same.
fn pattern(length: usize, seed: usize) -> Vec<u8> {
    (0..length)
        .map(|n| ((n + seed).wrapping_mul(2_654_435_761) >> 16) as u8)
        .collect()
}

/// Each of them as the contents of a transmit.
fn contents(datagrams: &[Vec<u8>]) -> Vec<[IoSlice<'_>; 1]> {
    datagrams
        .iter()
        .map(|datagram| [IoSlice::new(datagram)])
        .collect()
}

/// Whether the system cuts segments here, and puts them together.
fn offloads() -> (bool, bool) {
    let socket = UdpSocket::bind(any_v4()).unwrap();
    let offload = socket.offload(&Config::new().coalesce(true)).unwrap();
    let capabilities = offload.capabilities();
    (
        capabilities.max_segments > 1,
        capabilities.max_coalesced > 1,
    )
}

#[test]
fn capabilities_follow_the_configuration() {
    let socket = UdpSocket::bind(any_v4()).unwrap();
    let of = |config: Config| socket.offload(&config).unwrap().capabilities();

    let plain = of(Config::new());
    assert!(plain.datagrams_per_call > 1);
    assert!(!plain.receive_ecn && !plain.receive_destination && !plain.dont_fragment);
    assert_eq!(plain.max_coalesced, 1);
    assert!(plain.send_ecn && plain.select_source);

    let all = of(Config::new()
        .coalesce(true)
        .ecn(true)
        .destination(true)
        .dont_fragment(true));
    assert!(all.receive_ecn && all.receive_destination && all.dont_fragment);
    if offloads() == (true, true) {
        assert_eq!((all.max_segments, all.max_coalesced), (64, 64));
    }

    let modest = of(Config::new().segmentation(false).batching(false));
    assert_eq!((modest.max_segments, modest.datagrams_per_call), (1, 1));

    let portable = of(Config::new().ecn(true).coalesce(true).portable(true));
    assert_eq!((portable.max_segments, portable.max_coalesced), (1, 1));
    assert_eq!(portable.datagrams_per_call, 1);
    assert!(!portable.receive_ecn && !portable.send_ecn && !portable.select_source);
}

/// What the last configuration has not asked for does not stay on.
#[test]
fn a_new_configuration_replaces_the_old_one() {
    for last in [Config::new(), Config::new().portable(true)] {
        let (sender, mut receiver) = pair(Config::new(), Config::new().coalesce(true).ecn(true));
        receiver.offload = receiver.socket.offload(&last).unwrap();
        let bytes = pattern(3000, 0);
        let contents = [IoSlice::new(&bytes)];
        sender.send(&mut [Transmit::to(receiver.address, &contents).segments_of(1000)]);
        for _ in 0..3 {
            let received = receiver.receive(1, LARGE);
            assert_eq!((received[0].0.len, received[0].0.ecn), (1000, None));
        }
    }
}

#[test]
fn a_duplicate_offload_does_no_harm() {
    let (sender, mut receiver) = pair(Config::new(), Config::new());
    let other = End::bind(any_v4(), Config::new());
    let contents = [IoSlice::new(b"hello")];
    let mut batch = [Transmit::to(receiver.address, &contents)];
    let sent = sender.socket.send_batch(&other.offload, &mut batch);
    assert_eq!(sent.unwrap(), 1);
    assert_eq!(receiver.collect(1), [b"hello"]);
    assert!(sender.socket.as_fd().try_clone_to_owned().is_ok());
}
