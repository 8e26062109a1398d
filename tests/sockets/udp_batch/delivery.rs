//! What is sent arrives, in order and in the same pieces.

use std::io::IoSliceMut;

use mio::net::udp::MAX_SLICES;

use super::*;
use crate::util::each_family;

#[test]
fn batches_of_all_lengths_arrive_in_order() {
    for any in each_family() {
        for (name, receiving) in modes() {
            println!("receiving: {name}");
            in_each_mode(|sending| {
                let sender = End::bind(any, sending);
                let mut receiver = End::bind(any, receiving);
                for count in [1, 2, 31, 32, 33, 100] {
                    let datagrams: Vec<_> = (0..count).map(|n| pattern(n * 7 % 900, n)).collect();
                    let contents = contents(&datagrams);
                    let mut batch: Vec<_> = contents
                        .iter()
                        .map(|contents| Transmit::to(receiver.address, contents))
                        .collect();
                    sender.send(&mut batch);
                    assert_eq!(receiver.collect(count), datagrams);
                    receiver.nothing_left();
                }
            });
        }
    }
}

#[test]
fn each_datagram_has_its_own_address() {
    in_each_mode(|config| {
        let sender = End::bind(any_v4(), config);
        let mut receivers: Vec<_> = (0..3).map(|_| End::bind(any_v4(), config)).collect();
        let datagrams: Vec<_> = (0..60).map(|n| pattern(10 + n, n)).collect();
        let contents = contents(&datagrams);
        let mut batch: Vec<_> = (0..60)
            .map(|n| Transmit::to(receivers[n % 3].address, &contents[n]))
            .collect();
        sender.send(&mut batch);
        for (first, receiver) in receivers.iter_mut().enumerate() {
            let expected: Vec<_> = datagrams.iter().skip(first).step_by(3).cloned().collect();
            let mut received = Vec::new();
            while received.len() < expected.len() {
                received.extend(receiver.receive(7, 100));
            }
            for (received, expected) in received.iter().zip(&expected) {
                assert_eq!(&received.1, expected);
                assert_eq!(received.0.source, sender.address);
            }
            receiver.nothing_left();
        }
    });
}

/// No kernel takes more than 1,024 of them in one call.
#[test]
fn a_batch_of_more_than_a_thousand() {
    in_each_mode(|config| {
        let sender = End::bind(any_v4(), config);
        // One would have no room for all.
        let mut receivers: Vec<_> = (0..5).map(|_| End::bind(any_v4(), config)).collect();
        let datagrams: Vec<_> = (0..1_100).map(|n| pattern(8, n)).collect();
        let contents = contents(&datagrams);
        let mut batch: Vec<_> = contents
            .iter()
            .enumerate()
            .map(|(n, contents)| Transmit::to(receivers[n % 5].address, contents))
            .collect();
        sender.send(&mut batch);
        for (first, receiver) in receivers.iter_mut().enumerate() {
            let expected: Vec<_> = datagrams.iter().skip(first).step_by(5).cloned().collect();
            assert_eq!(receiver.collect(expected.len()), expected);
            receiver.nothing_left();
        }
    });
}

#[test]
fn the_connected_peer_needs_no_address() {
    for any in each_family() {
        in_each_mode(|config| {
            let sender = End::bind(any, config);
            let mut receiver = End::bind(any, config);
            sender.socket.connect(receiver.address).unwrap();
            let datagrams: Vec<_> = (0..40).map(|n| pattern(n, n)).collect();
            let contents = contents(&datagrams);
            let mut batch: Vec<_> = contents
                .iter()
                .map(|contents| Transmit::to_peer(contents))
                .collect();
            sender.send(&mut batch);
            assert_eq!(receiver.collect(40), datagrams);
        });
    }
}

/// The receiver and the sender of every mode, and the receiver with and without coalescing.
fn segments(length: usize, size: u16) {
    let bytes = pattern(length, 0);
    let expected: Vec<_> = match length {
        0 => vec![Vec::new()],
        _ => bytes.chunks(size.into()).map(<[u8]>::to_vec).collect(),
    };
    let contents = [IoSlice::new(&bytes)];
    for coalesce in [false, true] {
        in_each_mode(|config| {
            let (sender, mut receiver) = pair(config, config.coalesce(coalesce));
            let transmit = Transmit::to(receiver.address, &contents).segments_of(size);
            assert_eq!(transmit.datagrams(), expected.len());
            sender.send(&mut [transmit]);
            assert_eq!(receiver.collect(expected.len()), expected);
            receiver.nothing_left();
        });
    }
}

#[test]
fn one_to_sixty_four_segments() {
    for count in 1..=64 {
        segments(count * 100 - 30, 100);
    }
    for count in [1, 2, 32, 33, 64] {
        // The last one is a single byte, or is not shorter.
        for length in [(count - 1) * 100 + 1, count * 100] {
            segments(length, 100);
        }
    }
}

#[test]
fn more_segments_than_the_kernel_takes() {
    for count in [65, 127, 128, 129, 150] {
        segments(count * 50 - 20, 50);
    }
}

#[test]
fn more_bytes_than_a_datagram_holds() {
    segments(65_507, 8_000);
    segments(65_508, 8_000);
    segments(90_000, 8_000);
    segments(90_000, 40_000);
    segments(131_015, 65_507);
}

#[test]
fn segments_of_one_byte() {
    for length in [0, 1, 2, 64, 65] {
        segments(length, 1);
    }
}

#[test]
fn a_segment_that_is_longer_than_the_contents() {
    segments(100, u16::MAX);
    segments(100, 101);
    segments(0, 100);
}

#[test]
fn segments_and_single_datagrams_in_one_batch() {
    in_each_mode(|config| {
        let (sender, mut receiver) = pair(config, config);
        let datagrams: Vec<_> = (0..50).map(|n| pattern(n * 3, n)).collect();
        let contents = contents(&datagrams);
        let mut batch: Vec<_> = contents
            .iter()
            .enumerate()
            .map(|(n, contents)| {
                Transmit::to(receiver.address, contents).segments_of(n as u16 % 5 * 20)
            })
            .collect();
        sender.send(&mut batch);
        let mut expected = Vec::new();
        for (n, datagram) in datagrams.iter().enumerate() {
            match n % 5 * 20 {
                0 => expected.push(datagram.clone()),
                _ if datagram.is_empty() => expected.push(Vec::new()),
                size => expected.extend(datagram.chunks(size).map(<[u8]>::to_vec)),
            }
        }
        assert_eq!(receiver.collect(expected.len()), expected);
    });
}

#[test]
fn contents_in_many_slices() {
    let bytes = pattern(5_000, 1);
    // Lengths of which none divides a segment, and empty ones.
    let mut slices = Vec::new();
    let mut rest = &bytes[..];
    for n in 0..MAX_SLICES {
        let length = match n {
            _ if n == MAX_SLICES - 1 => rest.len(),
            _ => (n * 37 % 160).min(rest.len()),
        };
        let (slice, after) = rest.split_at(length);
        slices.push(IoSlice::new(slice));
        rest = after;
    }
    for size in [0, 1, 99, 160, 1200, 4999] {
        if size == 1 {
            continue;
        }
        in_each_mode(|config| {
            let (sender, mut receiver) = pair(config, config);
            // Two, so that one call needs the slices of both.
            let transmit = Transmit::to(receiver.address, &slices).segments_of(size);
            sender.send(&mut [transmit, transmit]);
            let once: Vec<_> = match size {
                0 => vec![bytes.clone()],
                size => bytes.chunks(size.into()).map(<[u8]>::to_vec).collect(),
            };
            let expected = [&once[..], &once].concat();
            assert_eq!(receiver.collect(expected.len()), expected);
        });
    }
}

#[test]
fn the_same_batch_can_be_sent_again() {
    in_each_mode(|config| {
        let (sender, mut receiver) = pair(config, config);
        let bytes = pattern(1_000, 0);
        let contents = [IoSlice::new(&bytes)];
        let mut batch = [Transmit::to(receiver.address, &contents).segments_of(300)];
        for _ in 0..3 {
            sender.send(&mut batch);
            let lengths: Vec<_> = receiver.collect(4).iter().map(Vec::len).collect();
            assert_eq!(lengths, [300, 300, 300, 100]);
        }
    });
}

/// Several of them in one buffer, and the length of each is told.
#[test]
fn coalesced_datagrams_come_with_their_stride() {
    if offloads() != (true, true) {
        println!("skipped: this system does not coalesce");
        return;
    }
    for any in each_family() {
        let sender = End::bind(any, Config::new());
        let mut receiver = End::bind(any, Config::new().coalesce(true));
        for count in [2, 10, 64] {
            let bytes = pattern(count * 900 - 100, count);
            let contents = [IoSlice::new(&bytes)];
            sender.send(&mut [Transmit::to(receiver.address, &contents).segments_of(900)]);
            let received = receiver.receive(4, LARGE);
            let (meta, all) = &received[0];
            assert_eq!((meta.len, meta.stride), (bytes.len(), 900));
            assert_eq!(meta.source, sender.address);
            assert_eq!(all, &bytes);
            assert_eq!(meta.datagrams(all).len(), count);
        }
        // A datagram alone has its own length.
        let contents = [IoSlice::new(b"hello")];
        sender.send(&mut [Transmit::to(receiver.address, &contents)]);
        let received = receiver.receive(4, LARGE);
        assert_eq!((received[0].0.len, received[0].0.stride), (5, 5));
    }
}

/// A sender on the same host may hand over more at once than this crate does. They come as they were handed over.
#[test]
fn more_datagrams_in_a_buffer_than_the_system_puts_together() {
    const UDP_SEGMENT: i32 = 103;
    let mut receiver = End::bind(any_v4(), Config::new().coalesce(true));
    let sender = std::net::UdpSocket::bind(any_v4()).unwrap();
    if offloads() != (true, true) {
        println!("skipped: this system does not coalesce");
        return;
    }
    crate::raw::set_option(sender.as_fd(), libc::IPPROTO_UDP, UDP_SEGMENT, 10);
    let bytes = pattern(1_000, 0);
    if sender.send_to(&bytes, receiver.address).is_err() {
        println!("skipped: this kernel takes 64 segments");
        return;
    }
    let expected: Vec<_> = bytes.chunks(10).map(<[u8]>::to_vec).collect();
    assert_eq!(receiver.collect(100), expected);
}

#[test]
fn what_does_not_fit_is_reported() {
    in_each_mode(|config| {
        let (sender, mut receiver) = pair(config, config);
        let contents = [
            [IoSlice::new(b"hello")],
            [IoSlice::new(b"hel")],
            [IoSlice::new(b"")],
            [IoSlice::new(b"world")],
        ];
        let mut batch: Vec<_> = contents
            .iter()
            .map(|contents| Transmit::to(receiver.address, contents))
            .collect();
        sender.send(&mut batch);
        let mut received = Vec::new();
        while received.len() < 4 {
            received.extend(receiver.receive(4, 3));
        }
        let facts: Vec<_> = received
            .iter()
            .map(|(meta, bytes)| (&bytes[..], meta.stride, meta.truncated))
            .collect();
        assert_eq!(
            facts,
            [
                (&b"hel"[..], 3, true),
                (b"hel", 3, false),
                (b"", 0, false),
                (b"wor", 3, true)
            ]
        );
    });
}

#[test]
fn coalesced_datagrams_that_do_not_fit_are_reported() {
    if offloads() != (true, true) {
        println!("skipped: this system does not coalesce");
        return;
    }
    let (sender, mut receiver) = pair(Config::new(), Config::new().coalesce(true));
    let bytes = pattern(1_000, 0);
    let contents = [IoSlice::new(&bytes)];
    sender.send(&mut [Transmit::to(receiver.address, &contents).segments_of(300)]);
    let received = receiver.receive(2, 700);
    let (meta, kept) = &received[0];
    assert_eq!((meta.len, meta.stride, meta.truncated), (700, 300, true));
    assert_eq!(kept, &bytes[..700]);
}

#[test]
fn empty_batches_are_nothing() {
    in_each_mode(|config| {
        let (sender, mut receiver) = pair(config, config);
        assert_eq!(
            sender.socket.send_batch(&sender.offload, &mut []).unwrap(),
            0
        );
        let contents = [IoSlice::new(b"hello")];
        sender.send(&mut [Transmit::to(receiver.address, &contents)]);
        let End {
            socket, offload, ..
        } = &receiver;
        let mut memory = [0; 10];
        let mut buffers = [IoSliceMut::new(&mut memory)];
        let mut metas = [ReceiveMeta::default()];
        assert_eq!(socket.recv_batch(offload, &mut [], &mut metas).unwrap(), 0);
        assert_eq!(
            socket.recv_batch(offload, &mut buffers, &mut []).unwrap(),
            0
        );
        assert_eq!(receiver.collect(1), [b"hello"]);
    });
}

/// No slice at all is an empty datagram, too.
#[test]
fn contents_without_slices() {
    in_each_mode(|config| {
        let (sender, mut receiver) = pair(config, config);
        let to = receiver.address;
        sender.send(&mut [Transmit::to(to, &[]), Transmit::to(to, &[]).segments_of(10)]);
        assert_eq!(receiver.collect(2), [b"", b""]);
    });
}
