//! Batches and edges, on each backend.

use super::*;
use crate::util::{on_each_backend, would_block, Loop};

/// A sender, and a receiver that is registered in `queue` under token 1.
fn registered(queue: &Loop, config: Config) -> (End, UdpSocket, Offload) {
    let sender = End::bind(any_v4(), config);
    let mut receiver = UdpSocket::bind(any_v4()).unwrap();
    let offload = receiver.offload(&config).unwrap();
    queue.register(&mut receiver, 1, Interest::READABLE);
    (sender, receiver, offload)
}

fn send(sender: &End, receiver: &UdpSocket, count: usize) {
    let contents = [IoSlice::new(b"hello")];
    let to = receiver.local_addr().unwrap();
    sender.send(&mut vec![Transmit::to(to, &contents); count]);
}

/// A batch that was not filled has met `WouldBlock`, and the next datagram is an edge: nobody has to call again.
#[test]
fn a_short_batch_arms_the_edge() {
    on_each_backend(|queue| {
        for (name, config) in modes() {
            println!("mode: {name}");
            let (sender, mut receiver, offload) = registered(queue, config);
            for count in [3, 1, 39, 2] {
                send(&sender, &receiver, count);
                queue.expect(1, |event| event.is_readable());
                let mut received = receive(&receiver, &offload, 40, 10).unwrap().len();
                while received < count {
                    queue.expect(1, |event| event.is_readable());
                    received += receive(&receiver, &offload, 40, 10).unwrap().len();
                }
            }
            queue.registry().deregister(&mut receiver).unwrap();
        }
    });
}

#[test]
fn a_full_batch_leaves_the_rest() {
    on_each_backend(|queue| {
        for (name, config) in modes() {
            println!("mode: {name}");
            let (sender, mut receiver, offload) = registered(queue, config);
            for _ in 0..2 {
                send(&sender, &receiver, 70);
                queue.expect(1, |event| event.is_readable());
                assert_eq!(receive(&receiver, &offload, 35, 10).unwrap().len(), 35);
                assert_eq!(receive(&receiver, &offload, 35, 10).unwrap().len(), 35);
                would_block(receive(&receiver, &offload, 35, 10));
            }
            queue.registry().deregister(&mut receiver).unwrap();
        }
    });
}

#[test]
fn a_batch_of_nothing_arms_the_edge() {
    on_each_backend(|queue| {
        for (name, config) in modes() {
            println!("mode: {name}");
            let (sender, mut receiver, offload) = registered(queue, config);
            for _ in 0..3 {
                would_block(receive(&receiver, &offload, 5, 10));
                send(&sender, &receiver, 1);
                queue.expect(1, |event| event.is_readable());
                assert_eq!(receive(&receiver, &offload, 1, 10).unwrap().len(), 1);
            }
            queue.registry().deregister(&mut receiver).unwrap();
        }
    });
}

/// Many threads send batches through one socket and one `Offload`.
#[test]
fn shared_by_threads() {
    let (sender, mut receiver) = pair(Config::new(), Config::new().coalesce(true));
    std::thread::scope(|scope| {
        for thread in 0..4_u8 {
            let (sender, to) = (&sender, receiver.address);
            scope.spawn(move || {
                for round in 0..10_u8 {
                    let bytes = [thread, round];
                    let contents = [IoSlice::new(&bytes)];
                    let transmit = Transmit::to(to, &contents);
                    let mut batch = [transmit, transmit.segments_of(1)];
                    let sent = sender.socket.send_batch(&sender.offload, &mut batch);
                    assert_eq!(sent.unwrap(), 2);
                }
            });
        }
    });
    let datagrams = receiver.collect(4 * 10 * 3);
    for thread in 0..4 {
        let whole = datagrams
            .iter()
            .filter(|datagram| datagram.len() == 2 && datagram[0] == thread);
        assert!(whole.map(|datagram| datagram[1]).eq(0..10));
    }
}
