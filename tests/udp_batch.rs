//! Batches of datagrams on any system: whatever it has for them, the same arrives. `tests/sockets` has more on Unix.

#![cfg(feature = "net")]

use std::io::{ErrorKind, IoSlice, IoSliceMut};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::{Duration, Instant};

use mio::net::udp::{Config, Ecn, Offload, ReceiveMeta, Transmit};
use mio::net::UdpSocket;
use mio::{Events, Interest, Poll, Token};

/// How long a test waits for what must come.
const PATIENCE: Duration = Duration::from_secs(30);

/// A buffer of this size holds whatever is coalesced.
const LARGE: usize = 65_535;

fn configurations() -> [Config; 4] {
    let all = Config::new().coalesce(true).ecn(true).destination(true);
    [
        Config::new(),
        all,
        all.segmentation(false).batching(false),
        all.portable(true),
    ]
}

struct End {
    poll: Poll,
    events: Events,
    socket: UdpSocket,
    offload: Offload,
    address: SocketAddr,
}

impl End {
    fn new(config: Config) -> End {
        End::at(Ipv4Addr::LOCALHOST.into(), config)
    }

    fn at(ip: IpAddr, config: Config) -> End {
        let poll = Poll::new().unwrap();
        let mut socket = UdpSocket::bind((ip, 0).into()).unwrap();
        let offload = socket.offload(&config).unwrap();
        println!("{config:?}: {:?}", offload.capabilities());
        poll.registry()
            .register(&mut socket, Token(0), Interest::READABLE)
            .unwrap();
        End {
            poll,
            events: Events::with_capacity(8),
            address: socket.local_addr().unwrap(),
            socket,
            offload,
        }
    }

    #[track_caller]
    fn send(&self, batch: &mut [Transmit<'_>]) {
        let sent = self.socket.send_batch(&self.offload, batch);
        assert_eq!(sent.unwrap(), batch.len());
    }

    /// Receives until there are `count` datagrams, into buffers of `size` bytes: each, and whether it was cut off.
    #[track_caller]
    fn collect(&mut self, count: usize, size: usize) -> Vec<(Vec<u8>, ReceiveMeta)> {
        let deadline = Instant::now() + PATIENCE;
        let mut memory = vec![0; 40 * size];
        let mut metas = [ReceiveMeta::default(); 40];
        let mut datagrams = Vec::new();
        while datagrams.len() < count {
            let mut buffers: Vec<_> = memory.chunks_mut(size).map(IoSliceMut::new).collect();
            let batch = self
                .socket
                .recv_batch(&self.offload, &mut buffers, &mut metas);
            match batch {
                Ok(received) => {
                    for (buffer, meta) in buffers.iter().zip(&metas[..received]) {
                        let parts = meta.datagrams(buffer);
                        datagrams.extend(parts.map(|part| (part.to_vec(), *meta)));
                    }
                }
                Err(error) => {
                    assert_eq!(error.kind(), ErrorKind::WouldBlock);
                    assert!(Instant::now() < deadline, "nothing happened");
                    self.poll.poll_until(&mut self.events, deadline).unwrap();
                }
            }
        }
        assert_eq!(datagrams.len(), count);
        datagrams
    }
}

#[test]
fn datagrams_of_all_lengths() {
    for config in configurations() {
        let (sender, mut receiver) = (End::new(config), End::new(config));
        let datagrams: Vec<_> = (0..70_u8).map(|n| vec![n; usize::from(n) * 9]).collect();
        let contents: Vec<_> = datagrams
            .iter()
            .map(|bytes| [IoSlice::new(bytes)])
            .collect();
        let mut batch: Vec<_> = contents
            .iter()
            .map(|contents| Transmit::to(receiver.address, contents))
            .collect();
        // In two, so that no system's buffer is too small.
        for (batch, datagrams) in batch.chunks_mut(35).zip(datagrams.chunks(35)) {
            sender.send(batch);
            for ((received, meta), expected) in receiver.collect(35, LARGE).iter().zip(datagrams) {
                assert_eq!(received, expected);
                assert_eq!(meta.source, sender.address);
                assert!(!meta.truncated);
            }
        }
    }
}

#[test]
fn segments() {
    segments_at(Ipv4Addr::LOCALHOST.into());
    let v6 = IpAddr::from(Ipv6Addr::LOCALHOST);
    match UdpSocket::bind((v6, 0).into()) {
        Ok(_) => segments_at(v6),
        Err(error) => println!("skipped: no IPv6 here: {error}"),
    }
}

fn segments_at(ip: IpAddr) {
    for config in configurations() {
        let (mut sender, mut receiver) = (End::at(ip, config), End::at(ip, config));
        let bytes: Vec<u8> = (0..3_333_u32).map(|n| ((n * 7) >> 3) as u8).collect();
        let (one, two) = bytes.split_at(1_234);
        let contents = [IoSlice::new(one), IoSlice::new(&[]), IoSlice::new(two)];
        for size in [3_333, 3_332, 1_000, 100] {
            let mut transmit = Transmit::to(receiver.address, &contents).segments_of(size);
            if sender.offload.capabilities().send_ecn {
                transmit.ecn = Some(Ecn::Ect0);
            }
            sender.send(&mut [transmit]);
            let expected: Vec<_> = bytes.chunks(size.into()).collect();
            for ((received, meta), expected) in
                receiver.collect(expected.len(), LARGE).iter().zip(expected)
            {
                assert_eq!(received, expected);
                if sender.offload.capabilities().send_ecn
                    && receiver.offload.capabilities().receive_ecn
                {
                    assert_eq!(meta.ecn, Some(Ecn::Ect0));
                }
                if receiver.offload.capabilities().receive_destination {
                    assert_eq!(meta.destination, Some(receiver.address.ip()));
                    assert!(meta.interface.is_some());
                }
            }
        }
        // An answer from the address that was asked, which the receiver is bound to.
        let contents = [IoSlice::new(b"answer")];
        let answer = Transmit::to(sender.address, &contents).with_source(receiver.address.ip());
        receiver.send(&mut [answer]);
        let (received, meta) = &sender.collect(1, LARGE)[0];
        assert_eq!(
            (&received[..], meta.source),
            (&b"answer"[..], receiver.address)
        );
    }
}

/// Not even where nothing is made of a source. The others go on without it.
#[test]
fn a_source_of_the_other_family_is_refused() {
    source_of_the_other_family(Ipv4Addr::LOCALHOST.into(), Ipv6Addr::LOCALHOST.into());
    let v6 = IpAddr::from(Ipv6Addr::LOCALHOST);
    match UdpSocket::bind((v6, 0).into()) {
        Ok(_) => source_of_the_other_family(v6, Ipv4Addr::LOCALHOST.into()),
        Err(error) => println!("skipped: no IPv6 here: {error}"),
    }
}

fn source_of_the_other_family(ip: IpAddr, other: IpAddr) {
    let contents = [IoSlice::new(b"onetwo")];
    for config in configurations() {
        for connected in [false, true] {
            for segment in [0, 3] {
                let (sender, mut receiver) = (End::at(ip, config), End::at(ip, config));
                let to = if connected {
                    sender.socket.connect(receiver.address).unwrap();
                    Transmit::to_peer(&contents)
                } else {
                    Transmit::to(receiver.address, &contents)
                };
                let to = to.segments_of(segment);
                let mut batch = [to, to.with_source(other), to];
                let sent = sender.socket.send_batch(&sender.offload, &mut batch);
                assert_eq!(sent.unwrap(), 1);
                // However often.
                for _ in 0..2 {
                    let rest = sender.socket.send_batch(&sender.offload, &mut batch[1..]);
                    assert_eq!(rest.unwrap_err().kind(), ErrorKind::InvalidInput);
                }
                sender.send(&mut batch[2..]);
                receiver.collect(2 * to.datagrams(), LARGE);
            }
        }
    }
}

#[test]
fn what_does_not_fit_is_reported() {
    for config in configurations() {
        let (sender, mut receiver) = (End::new(config), End::new(config));
        let contents = [[IoSlice::new(b"hello")], [IoSlice::new(b"hel")]];
        let mut batch =
            [&contents[0], &contents[1]].map(|each| Transmit::to(receiver.address, each));
        sender.send(&mut batch);
        let facts: Vec<_> = receiver
            .collect(2, 3)
            .into_iter()
            .map(|(bytes, meta)| (bytes, meta.truncated))
            .collect();
        assert_eq!(facts, [(b"hel".to_vec(), true), (b"hel".to_vec(), false)]);
    }
}

#[test]
fn one_that_is_too_long_stops_the_batch() {
    let too_long = vec![0; 65_508];
    for config in configurations() {
        let (sender, mut receiver) = (End::new(config), End::new(config));
        let contents = [
            [IoSlice::new(b"one")],
            [IoSlice::new(&too_long)],
            [IoSlice::new(b"two")],
        ];
        let mut batch: Vec<_> = contents
            .iter()
            .map(|each| Transmit::to(receiver.address, each))
            .collect();
        let send = |batch: &mut [Transmit<'_>]| sender.socket.send_batch(&sender.offload, batch);
        assert_eq!(send(&mut batch).unwrap(), 1);
        assert!(batch[1].error().is_some());
        send(&mut batch[1..]).unwrap_err();
        send(&mut batch[1..]).unwrap_err();
        assert_eq!(send(&mut batch[2..]).unwrap(), 1);
        let received = receiver.collect(2, LARGE);
        assert_eq!(
            (&received[0].0[..], &received[1].0[..]),
            (&b"one"[..], &b"two"[..])
        );
    }
}

/// What stands in logs and dumps: how much is sent and where, and not the contents.
#[test]
fn what_is_sent_can_be_looked_at() {
    assert_eq!(Config::default(), Config::new());
    let to = SocketAddr::from(([127, 0, 0, 1], 9));
    let contents = [IoSlice::new(b"sec"), IoSlice::new(b"ret")];
    let transmit = Transmit::to(to, &contents).segments_of(2);
    assert_eq!((transmit.len(), transmit.is_empty()), (6, false));
    let shown = format!("{transmit:?}");
    for part in ["127.0.0.1:9", "len: 6", "sent: 0", "segment_size"] {
        assert!(shown.contains(part), "{part} is not in {shown}");
    }
    assert!(!shown.contains("sec"), "{shown}");
    for nothing in [&[][..], &[IoSlice::new(b"")]] {
        assert!(Transmit::to(to, nothing).is_empty());
    }
}
