//! Multicasts, over the loopback interface.
//!
//! Some sandboxes have no groups, or no way for their datagrams; then there is nothing to see here.

use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};

use mio::net::UdpSocket;
use mio::Interest;
use socket2::SockRef;

use crate::util::{any_v4, any_v6, on_each_backend, refused, would_block};

/// A group of this process alone: a socket hears what is sent to a group as long as anybody here is a member.
fn group_v4() -> Ipv4Addr {
    let [.., high, low] = std::process::id().to_be_bytes();
    Ipv4Addr::new(239, 255, high, low)
}

/// Of interface-local scope.
const GROUP_V6: Ipv6Addr = Ipv6Addr::new(0xff01, 0, 0, 0, 0, 0, 0x4d, 1);

#[test]
fn joining_and_leaving_a_group() {
    on_each_backend(|queue| {
        let mut receiver = UdpSocket::bind("0.0.0.0:0".parse().unwrap()).unwrap();
        let (group, here) = (group_v4(), Ipv4Addr::LOCALHOST);
        if let Err(error) = receiver.join_multicast_v4(&group, &here) {
            println!("skipped: no multicast here ({error})");
            return;
        }
        refused(
            receiver.join_multicast_v4(&group, &here),
            std::io::ErrorKind::AddrInUse,
        );
        queue.register(&mut receiver, 1, Interest::READABLE);
        let to = SocketAddr::new(group.into(), receiver.local_addr().unwrap().port());

        let sender = UdpSocket::bind(any_v4()).unwrap();
        SockRef::from(&sender).set_multicast_if_v4(&here).unwrap();
        if let Err(error) = sender.send_to(b"hey", to) {
            println!("skipped: no way for multicasts here ({error})");
            return;
        }
        let mut buffer = [0; 8];
        let (n, from) = queue.finish(|| receiver.recv_from(&mut buffer)).unwrap();
        assert_eq!((n, from), (3, sender.local_addr().unwrap()));

        receiver.leave_multicast_v4(&group, &here).unwrap();
        sender.send_to(b"hey", to).unwrap();
        would_block(receiver.recv_from(&mut buffer));
        assert!(receiver.leave_multicast_v4(&group, &here).is_err());
    });
}

#[test]
fn joining_and_leaving_a_group_of_ipv6() {
    if any_v6().is_none() {
        return;
    }
    let receiver = UdpSocket::bind("[::]:0".parse().unwrap()).unwrap();
    if let Err(error) = receiver.join_multicast_v6(&GROUP_V6, 0) {
        println!("skipped: no multicast here ({error})");
        return;
    }
    refused(
        receiver.join_multicast_v6(&GROUP_V6, 0),
        std::io::ErrorKind::AddrInUse,
    );
    receiver.leave_multicast_v6(&GROUP_V6, 0).unwrap();
    assert!(receiver.leave_multicast_v6(&GROUP_V6, 0).is_err());
}

#[test]
fn what_is_no_group() {
    let socket = UdpSocket::bind(any_v4()).unwrap();
    let nobody = Ipv4Addr::LOCALHOST;
    assert!(socket.join_multicast_v4(&nobody, &nobody).is_err());
    assert!(socket.leave_multicast_v4(&nobody, &nobody).is_err());
    assert!(socket.join_multicast_v6(&GROUP_V6, 0).is_err());
    if let Some(any) = any_v6() {
        let socket = UdpSocket::bind(any).unwrap();
        assert!(socket.join_multicast_v6(&Ipv6Addr::LOCALHOST, 0).is_err());
        assert!(socket.join_multicast_v6(&GROUP_V6, u32::MAX).is_err());
    }
}

#[test]
fn options() {
    let socket = UdpSocket::bind(any_v4()).unwrap();
    assert_eq!(socket.multicast_ttl_v4().unwrap(), 1);
    for ttl in [0, 7, 255] {
        socket.set_multicast_ttl_v4(ttl).unwrap();
        assert_eq!(socket.multicast_ttl_v4().unwrap(), ttl);
    }
    refused(
        socket.set_multicast_ttl_v4(256),
        std::io::ErrorKind::InvalidInput,
    );
    assert!(socket.multicast_loop_v4().unwrap());
    for on in [false, true] {
        socket.set_multicast_loop_v4(on).unwrap();
        assert_eq!(socket.multicast_loop_v4().unwrap(), on);
    }
    assert!(socket.multicast_loop_v6().is_err(), "an IPv4 socket");
    assert!(socket.set_multicast_loop_v6(true).is_err());

    if let Some(any) = any_v6() {
        let socket = UdpSocket::bind(any).unwrap();
        for on in [false, true] {
            socket.set_multicast_loop_v6(on).unwrap();
            assert_eq!(socket.multicast_loop_v6().unwrap(), on);
        }
    }
}
