//! `udp_echo`.

use std::net::{SocketAddr, UdpSocket};

use crate::client::{pattern, uninterrupted};
use crate::program::{refuses, Program, PATIENCE};

fn server() -> (Program, SocketAddr) {
    let mut program = Program::start("udp_echo", &["127.0.0.1:0"]);
    let address = program.address();
    (program, address)
}

fn client(server: SocketAddr) -> UdpSocket {
    let socket = UdpSocket::bind("127.0.0.1:0").expect("bind");
    socket.connect(server).expect("connect");
    socket.set_read_timeout(Some(PATIENCE)).expect("timeout");
    socket
}

#[test]
fn command_line() {
    refuses("udp_echo", &[&["nonsense"], &["127.0.0.1:0", "more"]]);
}

#[test]
fn datagrams_of_all_lengths() {
    let (_server, address) = server();
    let client = client(address);
    let mut buffer = vec![0; 65536];
    // The last one is the longest that IPv4 has room for.
    for length in [1, 0, 512, 1472, 9000, 65507] {
        let datagram = pattern(length);
        client.send(&datagram).expect("send");
        let n = uninterrupted(|| client.recv(&mut buffer)).expect("receive");
        assert_eq!(buffer[..n], datagram);
    }
}

#[test]
fn everybody_gets_their_own() {
    let (_server, address) = server();
    let clients: Vec<_> = (0..50).map(|_| client(address)).collect();
    for round in 0..5 {
        let message = |index: usize| format!("{round} {index}");
        for (index, client) in clients.iter().enumerate() {
            client.send(message(index).as_bytes()).expect("send");
        }
        for (index, client) in clients.iter().enumerate() {
            let mut buffer = [0; 100];
            let n = uninterrupted(|| client.recv(&mut buffer)).expect("receive");
            assert_eq!(&buffer[..n], message(index).as_bytes());
        }
    }
}

#[test]
fn a_client_that_is_gone_does_no_harm() {
    let (_server, address) = server();
    for _ in 0..20 {
        // The answer finds nobody, and an ICMP message about that comes back to the server.
        client(address).send(b"bye").expect("send");
    }
    let client = client(address);
    client.send(b"hello").expect("send");
    let mut buffer = [0; 100];
    let n = uninterrupted(|| client.recv(&mut buffer)).expect("receive");
    assert_eq!(&buffer[..n], b"hello");
}

#[test]
fn a_flood_costs_no_memory() {
    let (server, address) = server();
    let before = server.peak_memory();
    let flood = client(address);
    let datagram = pattern(8192);
    for _ in 0..10_000 {
        // Nobody reads the answers, and what comes too fast may be lost: not our affair.
        let _ = flood.send(&datagram);
    }
    let client = client(address);
    // This one may be lost as well, until the flood is over.
    client
        .set_read_timeout(Some(PATIENCE / 100))
        .expect("timeout");
    let answered = (0..100).any(|_| {
        client.send(b"hello").expect("send");
        client.recv(&mut [0; 100]).is_ok()
    });
    assert!(answered);
    if let (Some(before), Some(after)) = (before, server.peak_memory()) {
        assert!(after - before < 1024 * 1024, "{} bytes", after - before);
    }
}
