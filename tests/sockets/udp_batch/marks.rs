//! What goes beside a datagram: congestion marks, addresses of both ends, interfaces.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use mio::net::udp::Ecn;
use rustix::net::netdevice::name_to_index;

use super::*;
use crate::util::any_v6;

const MARKS: [Ecn; 4] = [Ecn::NotEct, Ecn::Ect1, Ecn::Ect0, Ecn::Ce];

/// Who sends from where to whom.
struct Way {
    name: &'static str,
    from: SocketAddr,
    to: SocketAddr,
    /// Where `to` is reached from `from`.
    at: fn(port: u16) -> SocketAddr,
}

fn ways() -> Vec<Way> {
    let v4 = |port| SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    let v6 = |port| SocketAddr::from((Ipv6Addr::LOCALHOST, port));
    let mapped = |port| SocketAddr::from((Ipv4Addr::LOCALHOST.to_ipv6_mapped(), port));
    let (all_v4, all_v6) = (
        SocketAddr::from((Ipv4Addr::UNSPECIFIED, 0)),
        SocketAddr::from((Ipv6Addr::UNSPECIFIED, 0)),
    );
    let mut ways = vec![Way {
        name: "IPv4",
        from: all_v4,
        to: all_v4,
        at: v4,
    }];
    type Address = fn(u16) -> SocketAddr;
    let more: [(&str, SocketAddr, SocketAddr, Address); 4] = [
        ("IPv6", all_v6, all_v6, v6),
        ("IPv4 to dual-stack", all_v4, all_v6, v4),
        ("dual-stack to dual-stack, mapped", all_v6, all_v6, mapped),
        ("dual-stack to IPv4, not mapped", all_v6, all_v4, v4),
    ];
    let dual = any_v6().is_some() && !UdpSocket::bind(all_v6).unwrap().only_v6().unwrap();
    if dual {
        ways.extend(more.map(|(name, from, to, at)| Way { name, from, to, at }));
    } else {
        println!("skipped: no dual-stack sockets here");
    }
    ways
}

/// Runs `test` for each of them, and each mode in which marks are sent: with the sender, the receiver, and its address. The
/// receiver is in batches or not as the sender is.
fn on_each_way(receiving: Config, test: impl Fn(&End, &mut End, SocketAddr)) {
    for way in ways() {
        for (name, config) in modes() {
            if name == "portable" {
                continue;
            }
            println!("{}, {name}", way.name);
            let sender = End::bind(way.from, config);
            let batching = config == config.batching(true);
            let mut receiver = End::bind(way.to, receiving.batching(batching));
            let at = (way.at)(receiver.address.port());
            test(&sender, &mut receiver, at);
        }
    }
}

#[test]
fn congestion_marks_arrive() {
    for connected in [false, true] {
        for coalesce in [false, true] {
            let config = Config::new().ecn(true).coalesce(coalesce);
            on_each_way(config, |sender, receiver, to| {
                if connected && sender.address.is_ipv6() != to.is_ipv6() {
                    return;
                }
                if connected {
                    sender.socket.connect(to).unwrap();
                }
                let bytes = pattern(500, 0);
                let contents = [IoSlice::new(&bytes)];
                for segment in [0, 200] {
                    let mut batch = MARKS.map(|mark| {
                        let mut transmit = Transmit::to(to, &contents);
                        if connected {
                            transmit.destination = None;
                        }
                        transmit.segments_of(segment).with_ecn(mark)
                    });
                    sender.send(&mut batch);
                    let mut marks = Vec::new();
                    while marks.len() < batch.len() * batch[0].datagrams() {
                        for (meta, bytes) in receiver.receive(8, LARGE) {
                            marks.extend(meta.datagrams(&bytes).map(|_| meta.ecn));
                        }
                    }
                    let expected: Vec<_> = MARKS
                        .into_iter()
                        .flat_map(|mark| vec![Some(mark); batch[0].datagrams()])
                        .collect();
                    assert_eq!(marks, expected);
                }
            });
        }
    }
}

#[test]
fn without_a_mark_it_is_that_of_the_socket() {
    let (sender, mut receiver) = pair(Config::new(), Config::new().ecn(true));
    rustix::net::sockopt::set_ip_tos(&sender.socket, 0xb8 | Ecn::Ect1.bits()).unwrap();
    let contents = [IoSlice::new(b"x")];
    let to = receiver.address;
    sender.send(&mut [
        Transmit::to(to, &contents),
        Transmit::to(to, &contents).with_ecn(Ecn::Ce),
    ]);
    let marks: Vec<_> = receiver
        .receive(2, 10)
        .iter()
        .map(|one| one.0.ecn)
        .collect();
    assert_eq!(marks, [Some(Ecn::Ect1), Some(Ecn::Ce)]);
}

/// The other bits of the byte are the socket's, marked or not. A dual-stack socket has two such bytes.
#[test]
fn a_mark_leaves_the_traffic_class_alone() {
    let receiver = std::net::UdpSocket::bind(any_v4()).unwrap();
    rustix::net::sockopt::set_ip_recvtos(&receiver, true).unwrap();
    let contents = [IoSlice::new(b"x")];
    let to = receiver.local_addr().unwrap();
    for way in ways().into_iter().filter(|way| way.to.is_ipv4()) {
        println!("{}", way.name);
        let sender = End::bind(way.from, Config::new());
        rustix::net::sockopt::set_ip_tos(&sender.socket, 0xb8).unwrap();
        let offload = sender.socket.offload(&Config::new()).unwrap();
        let mut batch = [Transmit::to(to, &contents).with_ecn(Ecn::Ect0)];
        assert_eq!(sender.socket.send_batch(&offload, &mut batch).unwrap(), 1);
        assert_eq!(
            crate::raw::recv_tos(receiver.as_fd()),
            0xb8 | Ecn::Ect0.bits()
        );
    }
}

#[test]
fn destinations_arrive() {
    let config = Config::new().destination(true);
    on_each_way(config, |sender, receiver, to| {
        let contents = [IoSlice::new(b"hello")];
        sender.send(&mut [Transmit::to(to, &contents)]);
        let received = receiver.receive(1, 10);
        let meta = received[0].0;
        let destination = meta.destination.unwrap();
        assert_eq!(canonical(destination), canonical(to.ip()));
        assert_eq!(destination.is_ipv6(), receiver.address.is_ipv6());
        let loopback = name_to_index(&receiver.socket, "lo").unwrap();
        assert_eq!(meta.interface.unwrap().get(), loopback);

        // The answer comes from there.
        let answer = Transmit::to(meta.source, &contents).with_source(destination);
        receiver.send(&mut [answer]);
        let mut buffer = [0; 10];
        let (_, from) = loop {
            match sender.socket.recv_from(&mut buffer) {
                Err(error) if error.kind() == ErrorKind::WouldBlock => std::thread::yield_now(),
                result => break result.unwrap(),
            }
        };
        assert_eq!(canonical(from.ip()), canonical(to.ip()));
    });
}

fn canonical(ip: IpAddr) -> IpAddr {
    match ip {
        IpAddr::V6(v6) => v6.to_ipv4_mapped().map_or(ip, IpAddr::V4),
        IpAddr::V4(_) => ip,
    }
}

/// The loopback network has many addresses of IPv4.
#[test]
fn a_source_can_be_picked() {
    on_each_way(Config::new(), |sender, receiver, to| {
        if !canonical(to.ip()).is_ipv4() {
            return;
        }
        let contents = [IoSlice::new(b"abcdef")];
        let sources = [[127, 0, 0, 2], [127, 0, 0, 3], [127, 1, 2, 3]].map(Ipv4Addr::from);
        let mut batch = sources.map(|source| {
            Transmit::to(to, &contents)
                .segments_of(2)
                .with_source(source.into())
        });
        sender.send(&mut batch);
        let mut seen = Vec::new();
        while seen.len() < 9 {
            seen.extend(
                receiver
                    .receive(9, LARGE)
                    .into_iter()
                    .map(|one| one.0.source),
            );
        }
        let expected: Vec<_> = sources
            .iter()
            .flat_map(|source| [IpAddr::V4(*source); 3])
            .collect();
        let seen: Vec<_> = seen
            .into_iter()
            .map(|source| canonical(source.ip()))
            .collect();
        assert_eq!(seen, expected);
    });
}

#[test]
fn an_interface_can_be_picked() {
    on_each_way(Config::new().destination(true), |sender, receiver, to| {
        let contents = [IoSlice::new(b"hello")];
        let loopback = name_to_index(&receiver.socket, "lo").unwrap();
        sender.send(&mut [Transmit::to(to, &contents).with_interface(loopback)]);
        let meta = receiver.receive(1, 10)[0].0;
        assert_eq!(meta.interface.unwrap().get(), loopback);
        let mut batch = [Transmit::to(to, &contents).with_interface(0x7fff_ffff)];
        assert!(sender
            .socket
            .send_batch(&sender.offload, &mut batch)
            .is_err());
    });
}

/// The peer of a dual-stack socket may be one of IPv4: then the messages of IPv6 would be refused.
#[test]
fn an_interface_and_a_source_can_be_picked_for_the_peer() {
    on_each_way(Config::new().destination(true), |sender, receiver, to| {
        if sender.address.is_ipv6() != to.is_ipv6() {
            return;
        }
        sender.socket.connect(to).unwrap();
        let contents = [IoSlice::new(b"hello")];
        let transmit = Transmit::to_peer(&contents);
        let loopback = name_to_index(&receiver.socket, "lo").unwrap();
        sender.send(&mut [
            transmit.with_interface(loopback),
            transmit.with_source(to.ip()),
            transmit.with_source(to.ip()).with_interface(loopback),
        ]);
        let mut received = 0;
        while received < 3 {
            for (meta, bytes) in receiver.receive(3, 10) {
                assert_eq!(bytes, b"hello");
                assert_eq!(meta.interface.unwrap().get(), loopback);
                assert_eq!(canonical(meta.source.ip()), canonical(to.ip()));
                received += 1;
            }
        }
        let mut batch = [transmit.with_interface(0x7fff_ffff)];
        assert!(sender
            .socket
            .send_batch(&sender.offload, &mut batch)
            .is_err());
    });
}

#[test]
fn an_address_of_somebody_else_is_refused() {
    on_each_way(Config::new(), |sender, receiver, to| {
        if !canonical(to.ip()).is_ipv4() {
            return;
        }
        let contents = [IoSlice::new(b"hello")];
        let foreign = Ipv4Addr::new(192, 0, 2, 1).into();
        let before = sender.offload.capabilities();
        for segment in [0, 2] {
            let mut batch = [Transmit::to(to, &contents)
                .segments_of(segment)
                .with_source(foreign)];
            let result = sender.socket.send_batch(&sender.offload, &mut batch);
            assert!(result.is_err());
        }
        // That says nothing about segments.
        assert_eq!(sender.offload.capabilities(), before);
        receiver.nothing_left();
    });
}

/// Of a dual-stack socket, the destination decides; of one that is connected, the peer.
#[test]
fn a_source_is_of_the_family_of_the_destination() {
    for way in ways() {
        in_each_mode(|config| {
            let (sender, receiver) = (End::bind(way.from, config), End::bind(way.to, config));
            let to = (way.at)(receiver.address.port());
            let contents = [IoSlice::new(b"hello")];
            let mut transmit = Transmit::to(to, &contents);
            let of_v4: [IpAddr; 2] = [
                Ipv4Addr::LOCALHOST.into(),
                Ipv4Addr::LOCALHOST.to_ipv6_mapped().into(),
            ];
            let of_v6 = [Ipv6Addr::LOCALHOST.into(); 2];
            let (fitting, others) = match canonical(to.ip()) {
                IpAddr::V4(_) => (of_v4, of_v6),
                IpAddr::V6(_) => (of_v6, of_v4),
            };
            for connected in [false, true] {
                if connected && sender.address.is_ipv6() != to.is_ipv6() {
                    continue;
                }
                if connected {
                    sender.socket.connect(to).unwrap();
                    transmit.destination = None;
                }
                for source in others {
                    let mut batch = [transmit.with_source(source)];
                    let result = sender.socket.send_batch(&sender.offload, &mut batch);
                    let error = result.unwrap_err();
                    assert_eq!(error.kind(), ErrorKind::InvalidInput, "{source} to {to}");
                }
                let unspecified = [
                    IpAddr::from(Ipv4Addr::UNSPECIFIED),
                    Ipv6Addr::UNSPECIFIED.into(),
                ];
                for source in fitting.into_iter().chain(unspecified) {
                    sender.send(&mut [transmit.with_source(source)]);
                }
            }
        });
    }
}

#[test]
fn what_was_not_asked_for_is_not_told() {
    on_each_way(Config::new(), |sender, receiver, to| {
        let contents = [IoSlice::new(b"hello")];
        sender.send(&mut [Transmit::to(to, &contents).with_ecn(Ecn::Ce)]);
        let meta = receiver.receive(1, 10)[0].0;
        assert_eq!(
            (meta.ecn, meta.destination, meta.interface),
            (None, None, None)
        );
    });
}

/// Switches on what the kernel then tells beside each datagram.
fn also_tell(receiver: &End, options: &[(i32, i32, i32)]) {
    for &(level, name, value) in options {
        crate::raw::set_option(receiver.socket.as_fd(), level, name, value);
    }
}

/// Everything that can be asked for, of datagrams that are put together.
fn everything() -> Config {
    Config::new().coalesce(true).ecn(true).destination(true)
}

/// What the user has switched on beside it takes none of it away.
#[test]
fn a_timestamp_leaves_the_rest_alone() {
    for batching in [false, true] {
        let (sender, mut receiver) = pair(Config::new(), everything().batching(batching));
        also_tell(&receiver, &[(libc::SOL_SOCKET, libc::SO_TIMESTAMPNS, 1)]);
        let contents = [IoSlice::new(b"abcd")];
        let transmit = Transmit::to(receiver.address, &contents).with_ecn(Ecn::Ect1);
        sender.send(&mut [transmit.segments_of(2)]);
        let (meta, _) = &receiver.receive(4, LARGE)[0];
        assert!(!meta.control_truncated);
        assert_eq!(meta.ecn, Some(Ecn::Ect1));
        assert_eq!(meta.destination, Some(receiver.address.ip()));
        assert_eq!(meta.stride, 2);
    }
}

/// More than there is room for: that is told, and the datagram is whole. With shorter words there is room for all of it.
#[cfg(target_pointer_width = "64")]
#[test]
fn too_much_beside_a_datagram_is_reported() {
    for batching in [false, true] {
        let config = Config::new().ecn(true).destination(true);
        let (sender, mut receiver) = pair(Config::new(), config.batching(batching));
        let software = libc::SOF_TIMESTAMPING_RX_SOFTWARE | libc::SOF_TIMESTAMPING_SOFTWARE;
        also_tell(
            &receiver,
            &[
                (libc::SOL_SOCKET, libc::SO_TIMESTAMPNS, 1),
                (libc::SOL_SOCKET, libc::SO_TIMESTAMPING, software as i32),
                (libc::IPPROTO_IP, libc::IP_RECVTTL, 1),
                (libc::IPPROTO_IP, libc::IP_RECVORIGDSTADDR, 1),
            ],
        );
        let contents = [IoSlice::new(b"hello")];
        sender.send(&mut [Transmit::to(receiver.address, &contents)]);
        let (meta, bytes) = &receiver.receive(4, 10)[0];
        assert!(meta.control_truncated && !meta.truncated);
        assert_eq!(bytes, b"hello");
        assert_eq!(meta.source, sender.address);
    }
}

/// A portable sender leaves out the marks, and sends.
#[test]
fn a_portable_sender_leaves_out_what_it_cannot_say() {
    let (sender, mut receiver) = pair(Config::new().portable(true), Config::new().ecn(true));
    let contents = [IoSlice::new(b"hello")];
    let transmit = Transmit::to(receiver.address, &contents)
        .with_ecn(Ecn::Ce)
        .with_source(Ipv4Addr::new(127, 0, 0, 9).into());
    sender.send(&mut [transmit]);
    let received = receiver.receive(1, 10);
    assert_eq!(received[0].0.ecn, Some(Ecn::NotEct));
    assert_eq!(received[0].0.source, sender.address);
}
