//! Batches of datagrams.

use std::io::{IoSlice, IoSliceMut};

use super::*;
use mio::net::udp::{Config, Ecn, Offload, ReceiveMeta, Transmit};
use mio::net::UdpSocket;

fn receive(socket: &UdpSocket, offload: &Offload, memory: &mut [u8]) -> usize {
    let mut metas = [ReceiveMeta::default(); 4];
    let (one, two) = memory.split_at_mut(memory.len() / 2);
    let mut buffers = [IoSliceMut::new(one), IoSliceMut::new(two)];
    let received = quiet("recv_batch", || {
        socket.recv_batch(offload, &mut buffers, &mut metas)
    });
    let received = received.unwrap_or(0);
    quiet("datagrams", || {
        let filled = metas[..received].iter().zip(&buffers);
        filled
            .map(|(meta, buffer)| meta.datagrams(buffer).len())
            .sum()
    })
}

#[test]
fn from_offload_to_drop() {
    let all = Config::new().coalesce(true).ecn(true).destination(true);
    for config in [all, all.segmentation(false), all.portable(true)] {
        on_each_backend(|poll, events| {
            let any = "127.0.0.1:0".parse().unwrap();
            let left = UdpSocket::bind(any).unwrap();
            let mut right = UdpSocket::bind(any).unwrap();
            poll.registry()
                .register(&mut right, Token(0), Interest::READABLE)
                .unwrap();
            let to = right.local_addr().unwrap();
            let sending = quiet("offload", || left.offload(&config)).unwrap();
            let receiving = quiet("offload", || right.offload(&config)).unwrap();
            let mut memory = vec![0; 4096];
            assert_eq!(receive(&right, &receiving, &mut memory), 0);

            let contents = [IoSlice::new(b"one"), IoSlice::new(b"two")];
            let mut batch = [Transmit::to(to, &contents).with_ecn(Ecn::Ect0); 40];
            batch[3].segment_size = std::num::NonZeroU16::new(2);
            batch[7].destination = None;
            let sent = quiet("send_batch", || left.send_batch(&sending, &mut batch));
            assert_eq!(sent.unwrap(), 7);
            quiet("send_batch", || left.send_batch(&sending, &mut batch[7..])).unwrap_err();

            let mut received = 0;
            repeat_until(poll, events, || loop {
                let datagrams = receive(&right, &receiving, &mut memory);
                received += datagrams;
                if datagrams == 0 {
                    return received == 9;
                }
            });
            quiet("drop", || drop((left, right, sending, receiving)));
        });
    }
}
