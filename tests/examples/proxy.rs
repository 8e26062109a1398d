//! `proxy`.

use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::mpsc;
use std::thread;

use socket2::{Domain, Socket, Type};

use crate::client::{
    connect, connect_small, echo, expect_all, expect_end, limited, pattern, reset,
    write_until_stuck,
};
use crate::program::{refuses, Program, PATIENCE};

const MIB: usize = 1024 * 1024;

/// A proxy, the target behind it, and what connects to it.
struct Setup {
    proxy: Program,
    target: mpsc::Receiver<TcpStream>,
    address: SocketAddr,
}

impl Setup {
    fn new() -> Setup {
        let listener = TcpListener::bind("127.0.0.1:0").expect("bind");
        let behind = listener.local_addr().expect("address").to_string();
        let (sender, target) = mpsc::channel();
        thread::spawn(move || {
            for stream in listener.incoming() {
                if sender.send(stream.expect("accept")).is_err() {
                    break;
                }
            }
        });
        let mut proxy = Program::start("proxy", &["127.0.0.1:0", &behind]);
        let address = proxy.address();
        Setup {
            proxy,
            target,
            address,
        }
    }

    /// The two ends of a connection through the proxy.
    fn pair(&self) -> (TcpStream, TcpStream) {
        self.behind(connect(self.address))
    }

    fn behind(&self, client: TcpStream) -> (TcpStream, TcpStream) {
        let target = self.target.recv_timeout(PATIENCE).expect("a connection");
        (client, limited(target))
    }
}

#[test]
fn command_line() {
    refuses(
        "proxy",
        &[
            &[],
            &["127.0.0.1:0"],
            &["127.0.0.1:0", "nonsense"],
            &["127.0.0.1:0", "127.0.0.1:1", "more"],
        ],
    );
}

#[test]
fn eight_mebibytes_each_way_at_once() {
    let setup = Setup::new();
    let (client, target) = setup.pair();
    let there = pattern(8 * MIB);
    let back: Vec<u8> = there.iter().rev().copied().collect();
    thread::scope(|scope| {
        for (end, bytes) in [(&client, &there), (&target, &back)] {
            scope.spawn(move || {
                (&mut { end }).write_all(bytes).expect("write");
                end.shutdown(Shutdown::Write).expect("shutdown");
            });
        }
        scope.spawn(|| expect_all(&target, &there));
        expect_all(&client, &back);
    });
}

#[test]
fn the_client_ends_first() {
    let setup = Setup::new();
    let (mut client, mut target) = setup.pair();
    client.write_all(b"a question").expect("write");
    client.shutdown(Shutdown::Write).expect("shutdown");
    expect_all(&target, b"a question");
    target.write_all(b"an answer").expect("write");
    drop(target);
    expect_all(&client, b"an answer");
}

#[test]
fn the_target_ends_first() {
    let setup = Setup::new();
    let (mut client, mut target) = setup.pair();
    target.write_all(b"welcome").expect("write");
    target.shutdown(Shutdown::Write).expect("shutdown");
    expect_all(&client, b"welcome");
    client.write_all(b"thanks").expect("write");
    drop(client);
    expect_all(&target, b"thanks");
}

#[test]
fn a_slow_reader_blocks_the_sender() {
    let setup = Setup::new();
    let bytes = pattern(MIB);
    let before = setup.proxy.peak_memory();
    let (client, target) = setup.pair();
    let others = setup.pair();
    for (from, to) in [(&client, &target), (&target, &client)] {
        let sent = write_until_stuck(from, &bytes);
        if let (Some(before), Some(after)) = (before, setup.proxy.peak_memory()) {
            let grown = after - before;
            assert!(grown < 2 * MIB as u64, "{grown} bytes for {sent}");
        }
        // Nobody else notices.
        (&mut { &others.0 }).write_all(b"hello").expect("write");
        let mut received = [0; 5];
        (&mut { &others.1 })
            .read_exact(&mut received)
            .expect("read");

        from.shutdown(Shutdown::Write).expect("shutdown");
        let expected: Vec<u8> = bytes.iter().copied().cycle().take(sent).collect();
        expect_all(to, &expected);
    }
}

#[test]
fn a_target_that_refuses_closes_the_client() {
    // Bound, so that nobody else gets the port, but not listening.
    let unused = Socket::new(Domain::IPV4, Type::STREAM, None).expect("socket");
    let any: SocketAddr = ([127, 0, 0, 1], 0).into();
    unused.bind(&any.into()).expect("bind");
    let address = unused.local_addr().expect("address");
    let address = address.as_socket().expect("of IPv4").to_string();
    let mut proxy = Program::start("proxy", &["127.0.0.1:0", &address]);
    let here = proxy.address();
    for _ in 0..3 {
        expect_end(&connect(here));
        let line = proxy.error_line();
        assert!(
            line.starts_with(&format!("proxy: cannot connect to {address}: ")),
            "{line}"
        );
    }
}

#[test]
fn resets_are_passed_on_as_ends() {
    let setup = Setup::new();
    let (client, target) = setup.pair();
    reset(target);
    expect_end(&client);
    let (client, target) = setup.pair();
    reset(client);
    expect_end(&target);
    // One that is stuck with unread bytes both ways.
    let (client, target) = setup.behind(connect_small(setup.address));
    write_until_stuck(&client, &pattern(MIB));
    write_until_stuck(&target, &pattern(MIB));
    reset(client);
    expect_end(&target);

    let (mut client, mut target) = setup.pair();
    client.write_all(b"still here").expect("write");
    let mut received = [0; 10];
    target.read_exact(&mut received).expect("read");
}

#[test]
fn what_was_sent_before_a_reset_arrives() {
    let setup = Setup::new();
    let (mut client, mut target) = setup.pair();
    // The target answers and goes without having read the question, which makes the system reset its connection.
    client.write_all(b"a question").expect("write");
    let mut first = [0; 1];
    target.read_exact(&mut first).expect("read");
    target.write_all(b"go away").expect("write");
    let mut received = [0; 7];
    client.read_exact(&mut received).expect("read");
    assert_eq!(&received, b"go away");
    drop(target);
    expect_end(&client);
}

#[test]
fn many_clients_through_the_proxy_to_tcp_echo() {
    let mut server = Program::start("tcp_echo", &["127.0.0.1:0"]);
    let behind = server.listening_on();
    let mut proxy = Program::start("proxy", &["127.0.0.1:0", &behind]);
    let address = proxy.address();
    let mut clients: Vec<_> = (0..100).map(|_| connect(address)).collect();
    for round in 0..5 {
        for (index, client) in clients.iter().enumerate() {
            echo(client, format!("{round} {index}").as_bytes());
        }
        // Others take the places of some.
        for index in (round..100).step_by(7) {
            clients[index] = connect(address);
        }
    }
}
