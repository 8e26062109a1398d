//! `tcp_echo`.

use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::thread;
#[cfg(unix)]
use std::time::Duration;
use std::time::Instant;

use crate::client::{connect, connect_small, echo, expect_all, pattern, reset, write_until_stuck};
use crate::program::{refuses, Program, PATIENCE};

const MIB: usize = 1024 * 1024;

fn server() -> (Program, SocketAddr) {
    let mut program = Program::start("tcp_echo", &["127.0.0.1:0"]);
    let address = program.address();
    (program, address)
}

#[test]
fn command_line() {
    refuses(
        "tcp_echo",
        &[
            &["nonsense"],
            &["127.0.0.1"],
            &["127.0.0.1:0", "more"],
            &["--help"],
        ],
    );
}

#[test]
fn an_address_in_use_is_an_error() {
    let (_server, address) = server();
    let (_, stderr, status) = Program::start("tcp_echo", &[address.to_string()]).end();
    assert_eq!(status.code(), Some(1));
    // Wine has no words for it.
    let says = if cfg!(windows) { "" } else { "Address" };
    assert!(
        stderr[0].starts_with(&format!("tcp_echo: {says}")),
        "{stderr:?}"
    );
}

#[test]
fn eight_mebibytes_come_back_unchanged() {
    let (_server, address) = server();
    let bytes = pattern(8 * MIB);
    let stream = connect(address);
    thread::scope(|scope| {
        scope.spawn(|| {
            (&stream).write_all(&bytes).expect("write");
            stream.shutdown(Shutdown::Write).expect("shutdown");
        });
        expect_all(&stream, &bytes);
    });
}

/// (A write that runs into its limit does not say on Windows how much of it went.)
#[cfg(unix)]
#[test]
fn half_close_gets_the_rest() {
    let (_server, address) = server();
    let bytes = pattern(MIB);
    let stream = connect_small(address);
    // Everything is sent before anything is read, as far as the buffers allow: the rest waits in the server.
    let sent = write_until_stuck(&stream, &bytes);
    stream.shutdown(Shutdown::Write).expect("shutdown");
    let expected: Vec<u8> = bytes.iter().copied().cycle().take(sent).collect();
    expect_all(&stream, &expected);

    let stream = connect(address);
    stream.shutdown(Shutdown::Write).expect("shutdown");
    expect_all(&stream, b"");
}

#[test]
fn a_client_that_never_reads_blocks_itself_alone() {
    let (server, address) = server();
    let before = server.peak_memory();
    let bytes = pattern(MIB);
    let stuck: Vec<_> = (0..8).map(|_| connect(address)).collect();
    let sent: Vec<usize> = thread::scope(|scope| {
        let writers: Vec<_> = stuck
            .iter()
            .map(|stream| scope.spawn(|| write_until_stuck(stream, &bytes)))
            .collect();
        writers
            .into_iter()
            .map(|writer| writer.join().expect("writer"))
            .collect()
    });
    let total: usize = sent.iter().sum();
    if let (Some(before), Some(after)) = (before, server.peak_memory()) {
        // 64 KiB each, and what the allocator makes of it.
        let grown = after - before;
        assert!(grown < 4 * MIB as u64, "{grown} bytes for {total}");
    }

    echo(&connect(address), b"others are served");

    // Nothing was lost meanwhile: reading at last gets everything.
    let (stream, sent) = (&stuck[0], sent[0]);
    stream.shutdown(Shutdown::Write).expect("shutdown");
    let expected: Vec<u8> = bytes.iter().copied().cycle().take(sent).collect();
    expect_all(stream, &expected);
}

#[test]
fn a_thousand_clients() {
    let clients = allow_descriptors(1000);
    let (server, address) = server();
    let stuck: Vec<_> = (0..clients / 20).map(|_| connect_small(address)).collect();
    let bytes = pattern(MIB);
    thread::scope(|scope| {
        for stream in &stuck {
            scope.spawn(|| write_until_stuck(stream, &bytes));
        }
    });

    let others: Vec<_> = (stuck.len()..clients).map(|_| connect(address)).collect();
    let start = Instant::now();
    for round in 0..5 {
        let message = |index: usize| format!("message {round} of client {index}\n");
        for (index, mut stream) in others.iter().enumerate() {
            stream.write_all(message(index).as_bytes()).expect("write");
        }
        for (index, mut stream) in others.iter().enumerate() {
            let mut received = vec![0; message(index).len()];
            stream.read_exact(&mut received).expect("read");
            assert_eq!(received, message(index).as_bytes());
        }
    }
    // Some tens of milliseconds, as a rule.
    assert!(start.elapsed() < PATIENCE, "{:?}", start.elapsed());
    if let Some(memory) = server.peak_memory() {
        assert!(memory < 64 * MIB as u64, "{memory} bytes");
    }
}

/// Allows this process, and those it starts, descriptors for so many clients, or tells for how many the system allows them.
#[cfg(not(any(windows, target_os = "fuchsia", target_os = "redox")))]
fn allow_descriptors(clients: usize) -> usize {
    use rustix::process::{getrlimit, setrlimit, Resource};

    let mut limit = getrlimit(Resource::Nofile);
    // Other tests run at the same time.
    let wanted = clients as u64 + 500;
    if limit.current.is_some_and(|current| current < wanted) {
        limit.current = Some(limit.maximum.map_or(wanted, |maximum| maximum.min(wanted)));
        setrlimit(Resource::Nofile, limit).expect("up to the maximum");
    }
    let current = limit.current.unwrap_or(wanted);
    clients.min(usize::try_from(current.saturating_sub(500)).unwrap_or(clients))
}

/// These systems have no limits to set. (Wine takes its time for each socket.)
#[cfg(any(windows, target_os = "fuchsia", target_os = "redox"))]
fn allow_descriptors(clients: usize) -> usize {
    if cfg!(windows) {
        clients.min(300)
    } else {
        clients
    }
}

#[test]
fn a_fast_client_does_not_starve_the_others() {
    let (_server, address) = server();
    let fast = connect(address);
    let slow = connect(address);
    let bytes = pattern(MIB);
    thread::scope(|scope| {
        // As fast as two threads can until `slow` has had its answers.
        let writer = scope.spawn(|| while (&fast).write_all(&bytes).is_ok() {});
        let reader = scope.spawn(|| {
            let mut buffer = vec![0; MIB];
            while (&fast).read(&mut buffer).is_ok_and(|n| n > 0) {}
        });
        for _ in 0..200 {
            echo(&slow, b"and now me");
        }
        fast.shutdown(Shutdown::Both).expect("shutdown");
        writer.join().expect("writer");
        reader.join().expect("reader");
    });
}

#[test]
fn resets_and_new_clients_at_the_same_time() {
    let (_server, address) = server();
    let bytes = pattern(256 * 1024);
    let steady = connect(address);
    for round in 0..20 {
        let mut streams: Vec<TcpStream> = (0..10).map(|_| connect_small(address)).collect();
        for (index, stream) in streams.drain(..).enumerate() {
            stream.set_nonblocking(true).expect("non-blocking");
            // As much as goes at once; some with an echo on its way.
            let _ = (&stream).write(&bytes);
            if (index + round) % 3 == 0 {
                reset(stream);
            }
        }
        echo(&connect(address), b"a new one in the place of an old one");
        echo(&steady, b"still here");
    }
}

/// How many descriptors a server may have, its own included.
#[cfg(unix)]
const LIMIT: usize = 32;

/// A server that can take no more, the clients that are in, and some that wait outside.
#[cfg(unix)]
fn full_server() -> (Program, Vec<TcpStream>, Vec<TcpStream>) {
    let mut server = Program::start_limited("tcp_echo", &["127.0.0.1:0"], LIMIT as u32);
    let address = server.address();
    // At least the standard ones, the queue and the listener.
    let own = server.descriptors().unwrap_or(5);
    let inside: Vec<_> = (own..LIMIT).map(|_| connect(address)).collect();
    for stream in &inside {
        echo(stream, b"there is room");
    }
    let outside: Vec<_> = (0..10).map(|_| connect(address)).collect();
    for mut stream in &outside {
        stream.write_all(b"waiting").expect("write");
    }
    let line = server.error_line();
    assert!(
        line.starts_with("tcp_echo: cannot accept for now: "),
        "{line}"
    );
    // By the second echo the server has seen to whatever happened before the first.
    echo(&inside[0], b"who is in");
    echo(&inside[0], b"is served");
    (server, inside, outside)
}

#[cfg(unix)]
#[test]
fn out_of_descriptors_waits_without_spinning_and_recovers() {
    let (server, mut inside, outside) = full_server();
    if let Some(before) = server.cpu_time() {
        let start = Instant::now();
        thread::sleep(Duration::from_secs(1)); // not to wait for anything: it is what is measured
        let used = server.cpu_time().expect("as before") - before;
        assert!(
            used < start.elapsed() / 5,
            "{used:?} in {:?}",
            start.elapsed()
        );
    }
    // Each one who leaves lets one in.
    for mut stream in &outside {
        drop(inside.pop());
        let mut answer = [0; 7];
        stream.read_exact(&mut answer).expect("read");
        assert_eq!(&answer, b"waiting");
    }
}

/// The descriptors need not be freed by a client who leaves.
#[cfg(target_os = "linux")]
#[test]
fn out_of_descriptors_tries_again_by_itself() {
    use rustix::process::{getrlimit, prlimit, Pid, Resource, Rlimit};

    let (server, _inside, outside) = full_server();
    let pid = Pid::from_raw(server.id().try_into().expect("a process")).expect("a process");
    let maximum = getrlimit(Resource::Nofile).maximum;
    let raised = Rlimit {
        current: Some(2 * LIMIT as u64),
        maximum,
    };
    prlimit(Some(pid), Resource::Nofile, raised).expect("its own child");
    for mut stream in &outside {
        let mut answer = [0; 7];
        stream.read_exact(&mut answer).expect("read");
        assert_eq!(&answer, b"waiting");
    }
}
