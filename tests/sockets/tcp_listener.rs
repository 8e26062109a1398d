//! `TcpListener`: binding, accepting, and what is in the way of either.

use std::io::{self, Read};
use std::net::{self, Ipv4Addr, SocketAddr};

use mio::net::TcpListener;
use mio::{Interest, Trigger};

use crate::util::{
    any_v4, any_v6, each_family, on_each_backend, refused, undisturbed, would_block,
};

#[test]
fn accepts_whoever_connects() {
    on_each_backend(|queue| {
        for address in each_family() {
            let mut listener = TcpListener::bind(address).unwrap();
            let address = listener.local_addr().unwrap();
            assert_ne!(address.port(), 0);
            queue.register(&mut listener, 1, Interest::READABLE);
            would_block(listener.accept());

            // One event may stand for all of them.
            let clients: Vec<_> = (0..5)
                .map(|_| net::TcpStream::connect(address).unwrap())
                .collect();
            queue.expect(1, |event| event.is_readable());
            let mut expected: Vec<SocketAddr> = clients
                .iter()
                .map(|client| client.local_addr().unwrap())
                .collect();
            while !expected.is_empty() {
                let (stream, from) = queue.finish(|| listener.accept()).unwrap();
                assert_eq!(stream.local_addr().unwrap(), address);
                assert_eq!(stream.peer_addr().unwrap(), from);
                expected.retain(|address| *address != from);
            }
            would_block(listener.accept());
        }
    });
}

/// Those that wait when the listener is registered count as a change.
#[test]
fn tells_of_connections_that_wait_already() {
    on_each_backend(|queue| {
        let mut listener = TcpListener::bind(any_v4()).unwrap();
        let _client = net::TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        queue.register(&mut listener, 1, Interest::READABLE);
        queue.expect(1, |event| event.is_readable());
        listener.accept().unwrap();
    });
}

#[test]
fn can_be_served_one_connection_at_a_time() {
    on_each_backend(|queue| {
        let mut listener = TcpListener::bind(any_v4()).unwrap();
        let address = listener.local_addr().unwrap();
        queue
            .registry()
            .with_trigger(Trigger::Level)
            .register(&mut listener, mio::Token(1), Interest::READABLE)
            .unwrap();
        let _clients: Vec<_> = (0..3)
            .map(|_| net::TcpStream::connect(address).unwrap())
            .collect();
        for _ in 0..3 {
            queue.expect(1, |event| event.is_readable());
            listener.accept().unwrap();
        }
        assert!(!queue.has_now(1, |_| true));
    });
}

/// The kernel hands out the connection all the same, and the stream tells what became of it.
#[test]
fn accepts_a_connection_that_was_reset_meanwhile() {
    on_each_backend(|queue| {
        let mut listener = TcpListener::bind(any_v4()).unwrap();
        queue.register(&mut listener, 1, Interest::READABLE);
        let client = net::TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        socket2::SockRef::from(&client)
            .set_linger(Some(std::time::Duration::ZERO))
            .unwrap();
        drop(client);
        match queue.finish(|| listener.accept()) {
            Ok((mut stream, _)) => refused(stream.read(&mut [0]), io::ErrorKind::ConnectionReset),
            // Windows, and Wine.
            Err(error) if cfg!(windows) => assert!(matches!(
                error.kind(),
                io::ErrorKind::ConnectionReset | io::ErrorKind::NotConnected
            )),
            Err(error) => assert_eq!(error.kind(), io::ErrorKind::ConnectionAborted),
        }
        would_block(listener.accept());
    });
}

#[test]
fn an_address_in_use() {
    for address in each_family() {
        let listener = TcpListener::bind(address).unwrap();
        refused(
            TcpListener::bind(listener.local_addr().unwrap()),
            io::ErrorKind::AddrInUse,
        );
    }
}

/// A server that is started again gets its port, though connections of the last run linger on it.
#[test]
fn an_address_that_old_connections_linger_on() {
    fn again() -> io::Result<TcpListener> {
        let listener = TcpListener::bind(any_v4()).unwrap();
        let address = listener.local_addr().unwrap();
        let mut client = net::TcpStream::connect(address).unwrap();
        let (server, _) = listener.accept().unwrap();
        // Who closes first has to wait.
        drop(server);
        assert_eq!(client.read(&mut [0]).unwrap(), 0);
        drop(client);
        drop(listener);
        TcpListener::bind(address)
    }

    undisturbed(
        "tcp_listener::an_address_that_old_connections_linger_on",
        || {
            // For a moment the port is anybody's, and somebody may take it: but not each time.
            let mut attempts = (0..10).map(|_| again());
            assert!(attempts.any(|bound| bound.is_ok()), "it stays in use");
        },
    );
}

#[test]
fn an_address_of_somebody_else() {
    // From a block that is reserved for documentation.
    let foreign = SocketAddr::new(Ipv4Addr::new(198, 51, 100, 1).into(), 0);
    match TcpListener::bind(foreign) {
        Err(error) => assert_eq!(error.kind(), io::ErrorKind::AddrNotAvailable),
        Ok(_) => println!("skipped: this system lets anybody bind to any address"),
    }
}

/// More clients than the standard library's backlog has room for connect while nobody accepts.
#[cfg(target_os = "linux")]
#[test]
fn the_backlog_is_as_long_as_the_system_allows() {
    const CLIENTS: usize = 200;

    let limit = std::fs::read_to_string("/proc/sys/net/core/somaxconn").unwrap();
    if limit.trim().parse::<usize>().unwrap() < CLIENTS {
        println!("skipped: the system's limit is {limit}");
        return;
    }
    let listener = TcpListener::bind(any_v4()).unwrap();
    let address = listener.local_addr().unwrap();
    let clients: Vec<_> = (0..CLIENTS)
        .map(|_| net::TcpStream::connect_timeout(&address, crate::util::PATIENCE).unwrap())
        .collect();
    for _ in &clients {
        listener.accept().unwrap();
    }
}

#[test]
fn listening_on_all_addresses_of_both_families() {
    if any_v6().is_none() {
        return;
    }
    let listener = TcpListener::bind("[::]:0".parse().unwrap()).unwrap();
    let port = listener.local_addr().unwrap().port();
    let old = SocketAddr::new(Ipv4Addr::LOCALHOST.into(), port);
    match net::TcpStream::connect(old) {
        Ok(client) => {
            let (_, from) = listener.accept().unwrap();
            let SocketAddr::V6(from) = from else {
                panic!("{from} on an IPv6 socket");
            };
            let mapped = from.ip().to_ipv4_mapped().unwrap();
            let expected = client.local_addr().unwrap();
            assert_eq!(
                (mapped.into(), from.port()),
                (expected.ip(), expected.port())
            );
        }
        Err(error) => println!("skipped: IPv6 sockets are for IPv6 alone here ({error})"),
    }
}

#[test]
fn options() {
    for address in each_family() {
        let listener = TcpListener::bind(address).unwrap();
        listener.set_ttl(17).unwrap();
        assert_eq!(listener.ttl().unwrap(), 17);
        for wrong in [0, 256, u32::MAX - 1] {
            refused(listener.set_ttl(wrong), io::ErrorKind::InvalidInput);
        }
        assert_eq!(listener.ttl().unwrap(), 17);
        assert!(listener.take_error().unwrap().is_none());
    }
}

#[test]
fn shows_its_address() {
    let listener = TcpListener::bind(any_v4()).unwrap();
    let shown = format!("{listener:?}");
    let address = listener.local_addr().unwrap().to_string();
    assert!(shown.starts_with("TcpListener"), "{shown}");
    assert!(shown.contains(&address), "{shown}");
}

#[test]
fn from_and_into_the_standard_library_s() {
    let listener = net::TcpListener::bind(any_v4()).unwrap();
    listener.set_nonblocking(true).unwrap();
    let address = listener.local_addr().unwrap();
    let listener = TcpListener::from_std(listener);
    assert_eq!(listener.local_addr().unwrap(), address);
    would_block(listener.accept());
    let listener = net::TcpListener::from(listener);
    assert_eq!(listener.local_addr().unwrap(), address);
    would_block(listener.accept());
}
