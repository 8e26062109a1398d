//! What goes wrong in a batch: it is told where, and nothing is lost or sent twice.

use mio::net::udp::MAX_SLICES;
use rustix::io::Errno;

use super::*;
use crate::util::{deaf, each_family, os_error, refused};

#[test]
fn the_error_of_one_datagram_stops_the_batch_there() {
    let too_long = vec![0; 65_508];
    in_each_mode(|config| {
        for before in [0, 1, 31, 32, 40] {
            let (sender, mut receiver) = pair(config, config);
            let mut datagrams: Vec<_> = (0..before + 2).map(|n| pattern(20, n)).collect();
            datagrams[before] = too_long.clone();
            let contents = contents(&datagrams);
            let mut batch: Vec<_> = contents
                .iter()
                .map(|contents| Transmit::to(receiver.address, contents))
                .collect();
            let mut rest = &mut batch[..];
            if before > 0 {
                let sent = sender.socket.send_batch(&sender.offload, rest).unwrap();
                assert_eq!(sent, before);
                rest = &mut rest[sent..];
                let kept = rest[0].error().unwrap();
                assert_eq!(kept.raw_os_error(), Some(Errno::MSGSIZE.raw_os_error()));
            }
            // Reported once because it was kept, and then because it is tried again.
            for _ in 0..3 {
                os_error(
                    sender.socket.send_batch(&sender.offload, rest),
                    Errno::MSGSIZE,
                );
                assert!(rest[0].error().is_none());
            }
            sender.send(&mut rest[1..]);
            datagrams.remove(before);
            assert_eq!(receiver.collect(datagrams.len()), datagrams);
            receiver.nothing_left();
        }
    });
}

/// An ICMP message that nobody listens is the error of the next send. Each of them is told, as if it were one by one.
#[test]
fn nobody_listens() {
    for any in each_family() {
        in_each_mode(|config| {
            let sender = End::bind(any, config);
            let (_deaf, nowhere) = deaf(any);
            sender.socket.connect(nowhere).unwrap();

            let mut alone = Vec::new();
            for _ in 0..6 {
                alone.push(sender.socket.send(b"x").is_ok());
            }
            // The last one may have left an error behind.
            let _ = sender.socket.take_error();

            let contents = [IoSlice::new(b"x")];
            let mut batch = [Transmit::to_peer(&contents); 6];
            let mut together = Vec::new();
            while together.len() < 6 {
                let rest = 6 - together.len();
                match sender
                    .socket
                    .send_batch(&sender.offload, &mut batch[6 - rest..])
                {
                    Ok(sent) => together.extend(vec![true; sent]),
                    Err(error) => {
                        assert_eq!(error.kind(), ErrorKind::ConnectionRefused);
                        together.push(false);
                    }
                }
            }
            assert_eq!(together, alone);
            assert!(alone.contains(&false));
        });
    }
}

#[test]
fn nobody_is_connected() {
    in_each_mode(|config| {
        let (sender, receiver) = pair(config, config);
        let contents = [IoSlice::new(b"x")];
        let mut batch = [
            Transmit::to(receiver.address, &contents),
            Transmit::to_peer(&contents),
        ];
        let send = |batch: &mut [Transmit<'_>]| sender.socket.send_batch(&sender.offload, batch);
        assert_eq!(send(&mut batch).unwrap(), 1);
        os_error(send(&mut batch[1..]), Errno::DESTADDRREQ);
    });
}

#[test]
fn too_many_slices() {
    let one = IoSlice::new(b"x");
    let fits = vec![one; MAX_SLICES];
    let does_not = vec![one; MAX_SLICES + 1];
    for segment in [0, 7] {
        in_each_mode(|config| {
            let (sender, mut receiver) = pair(config, config);
            let transmit = |slices| Transmit::to(receiver.address, slices).segments_of(segment);
            let mut batch = [transmit(&fits), transmit(&does_not)];
            let count = batch[0].datagrams();
            let send =
                |batch: &mut [Transmit<'_>]| sender.socket.send_batch(&sender.offload, batch);
            assert_eq!(send(&mut batch).unwrap(), 1);
            refused(send(&mut batch[1..]), ErrorKind::InvalidInput);
            refused(send(&mut batch[1..]), ErrorKind::InvalidInput);
            receiver.collect(count);
            receiver.nothing_left();
        });
    }
}

/// A socket without checksums is one for which the kernel refuses to cut segments.
#[test]
fn the_kernel_refuses_to_cut_segments() {
    if !offloads().0 {
        println!("skipped: this system does not cut segments");
        return;
    }
    for batching in [false, true] {
        let config = Config::new().batching(batching);
        let (sender, mut receiver) = pair(config, config);
        assert_eq!(sender.offload.capabilities().max_segments, 64);
        crate::raw::set_option(
            sender.socket.as_fd(),
            libc::SOL_SOCKET,
            crate::raw::SO_NO_CHECK,
            1,
        );

        let datagrams: Vec<_> = (0..6).map(|n| pattern(950 + n, n)).collect();
        let contents = contents(&datagrams);
        let mut batch: Vec<_> = contents
            .iter()
            .enumerate()
            .map(|(n, contents)| {
                Transmit::to(receiver.address, contents).segments_of(if n % 3 == 1 {
                    300
                } else {
                    0
                })
            })
            .collect();
        let mut expected = Vec::new();
        for (transmit, datagram) in batch.iter().zip(&datagrams) {
            let size = transmit
                .segment_size
                .map_or(usize::MAX, |size| size.get().into());
            expected.extend(datagram.chunks(size).map(<[u8]>::to_vec));
        }
        sender.send(&mut batch);
        assert_eq!(receiver.collect(expected.len()), expected);
        receiver.nothing_left();
        assert_eq!(sender.offload.capabilities().max_segments, 1);

        sender.send(&mut batch);
        assert_eq!(receiver.collect(expected.len()), expected);
    }
}

/// Segments of a size that the kernel may have refused for their size: nothing is concluded from that.
#[test]
fn a_refusal_of_large_segments_is_not_for_good() {
    if !offloads().0 {
        println!("skipped: this system does not cut segments");
        return;
    }
    let (sender, mut receiver) = pair(Config::new(), Config::new());
    crate::raw::set_option(
        sender.socket.as_fd(),
        libc::SOL_SOCKET,
        crate::raw::SO_NO_CHECK,
        1,
    );
    let bytes = pattern(5_000, 0);
    let contents = [IoSlice::new(&bytes)];
    sender.send(&mut [Transmit::to(receiver.address, &contents).segments_of(2_000)]);
    let lengths: Vec<_> = receiver.collect(3).iter().map(Vec::len).collect();
    assert_eq!(lengths, [2_000, 2_000, 1_000]);
    assert_eq!(sender.offload.capabilities().max_segments, 64);
}

#[test]
fn a_receive_error_is_reported() {
    for any in each_family() {
        in_each_mode(|config| {
            let mut receiver = End::bind(any, config);
            let (_deaf, nowhere) = deaf(any);
            receiver.socket.connect(nowhere).unwrap();
            receiver.socket.send(b"x").unwrap();
            let End {
                socket,
                offload,
                queue,
                ..
            } = &mut receiver;
            let result = queue.finish(|| receive(socket, offload, 4, 10));
            refused(result, ErrorKind::ConnectionRefused);
            receiver.nothing_left();
        });
    }
}
