//! Datagrams of 1,200 bytes, from one socket to another: one by one, in batches, with segments that the kernel cuts and
//! puts together; beside quinn-udp, which does the same work.
//!
//! ```sh
//! cargo xtask bench udp               # half a minute
//! cargo xtask bench udp --quick
//! ```
//!
//! Measured as README.md says: in turns, in processes of their own, in processor time of the one thread that sends fifty
//! and then receives fifty. System calls are counted by strace, where there is one.

// Of what the other program has, some is not used here.
#[allow(dead_code)]
#[path = "../clock.rs"]
mod clock;
// As above.
#[allow(dead_code)]
#[path = "../harness.rs"]
mod harness;
// As above.
#[allow(dead_code)]
#[path = "../outcome.rs"]
mod outcome;
#[path = "../quiet.rs"]
mod quiet;
#[path = "../samples.rs"]
mod samples;
#[path = "../stats.rs"]
mod stats;

use std::hint::black_box;
use std::io::{ErrorKind, IoSlice, IoSliceMut};
use std::net::{Ipv4Addr, SocketAddr, UdpSocket};
use std::process::{Command, ExitCode, Stdio};

use harness::{Clock, Operation, Plan, Task};
use mio::net::udp::{Config, Ecn, Offload, ReceiveMeta, Transmit};
use outcome::Outcome;
use quiet::Core;
use quinn_udp::{EcnCodepoint, RecvMeta, UdpSockRef, UdpSocketState};

/// Bytes of a datagram: what a QUIC packet has before it knows the path.
const LENGTH: usize = 1_200;
/// Datagrams that are sent before they are received: as many segments as fit into one call.
const COUNT: usize = 50;
/// Room for what is coalesced.
const LARGE: usize = 65_535;

const PUBLISHED: &str = "mio 1.2.5, one by one";
const BATCHES: &str = "mio, batches";
const BATCHES_AND_MARKS: &str = "mio, batches, ECN, addresses";
const ALL: &str = "mio, GSO and GRO";
const ALL_AND_MARKS: &str = "mio, GSO, GRO, ECN, addresses";
const QUINN: &str = "quinn-udp, without segments";
const QUINN_ALL: &str = "quinn-udp, GSO and GRO";

fn operation() -> Operation {
    Operation {
        name: "UDP",
        about: "send 50 datagrams of 1,200 bytes, receive them",
        clock: Clock::Thread,
        times: None,
        rounds: 1.0,
        counted: true,
        goal: (None, None),
        subjects: vec![
            (PUBLISHED, || Box::new(published())),
            ("mio, one by one", || Box::new(one_by_one())),
            (BATCHES, || Box::new(batches(Config::new()))),
            (BATCHES_AND_MARKS, || Box::new(batches(quic()))),
            ("mio, GSO", || Box::new(segments(Config::new()))),
            (ALL, || Box::new(segments(Config::new().coalesce(true)))),
            (ALL_AND_MARKS, || Box::new(segments(quic().coalesce(true)))),
            (QUINN, || Box::new(quinn(None))),
            (QUINN_ALL, || Box::new(quinn(Some(LENGTH)))),
        ],
    }
}

/// What quinn-udp asks of its sockets, too. Packets that may be cut up need a number of their own, so this is cheaper.
fn quic() -> Config {
    Config::new()
        .ecn(true)
        .destination(true)
        .dont_fragment(true)
}

/// What is held against what: at most so much of the time.
const GOALS: [(&str, &str, f64); 4] = [
    (ALL, PUBLISHED, 1.0 / 10.0),
    (BATCHES, PUBLISHED, 1.0 / 1.15),
    (ALL_AND_MARKS, QUINN_ALL, 1.0),
    (BATCHES_AND_MARKS, QUINN, 1.0),
];

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    let quick = args.contains(&"--quick");
    match args[..] {
        ["worker", _, fastest, ..] => {
            let core = Core::known(fastest.parse().expect("a number"));
            outcome::work(&operation(), Plan::of(quick), core).expect("somebody reads this");
        }
        ["once", subject, times] => once(subject, times.parse().expect("a number")),
        [] | ["--quick"] => return report(&Outcome::find(operation(), quick, &mut Core::new())),
        _ => {
            eprintln!("usage: udp_batch [--quick]");
            return ExitCode::from(2);
        }
    }
    ExitCode::SUCCESS
}

fn report(outcome: &Outcome) -> ExitCode {
    println!("per datagram, sent and received, {LENGTH} bytes:");
    println!(
        "{:<32} {:>6} {:>24} {:>16}",
        "", "ns", "times as fast as 1.2.5", "calls per 1,000"
    );
    for (name, _) in &outcome.operation.subjects {
        let nanos = outcome.nanos(name).unwrap_or(f64::NAN) / COUNT as f64;
        let ratio = outcome.ratio(PUBLISHED, name).expect("a subject");
        let calls = calls(name).map_or("unknown".to_owned(), |calls| format!("{calls:.0}"));
        let ratio = format!("{:.2} ({:.2}–{:.2})", ratio.middle, ratio.low, ratio.high);
        println!("{name:<32} {nanos:>6.0} {ratio:>24} {calls:>16}");
    }
    println!("{}", outcome.measured.remark());
    let mut met = true;
    for (name, other, wanted) in GOALS {
        let ratio = outcome.ratio(name, other).expect("a subject");
        // As precise as it is printed.
        let good = (ratio.middle * 100.0).round() <= (wanted * 100.0).round();
        met &= good;
        println!(
            "{name} to {other}: {:.3} ({:.3}–{:.3}), wanted {wanted:.3}: {}",
            ratio.middle,
            ratio.low,
            ratio.high,
            if good { "met" } else { "MISSED" }
        );
    }
    if met {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}

/// System calls of the network for 1,000 datagrams, if there is an strace that may look: of two runs of different length,
/// so that those before and after do not count.
fn calls(subject: &str) -> Option<f64> {
    let count = |times: u64| {
        let program = std::env::current_exe().ok()?;
        let output = Command::new("strace")
            .args(["-f", "-qq", "-e", "trace=network", "-e", "signal=none"])
            .arg(program)
            .args(["once", subject, &times.to_string()])
            .stdin(Stdio::null())
            .output()
            .ok()?;
        let lines = String::from_utf8_lossy(&output.stderr).lines().count();
        output.status.success().then_some(lines as f64)
    };
    const MORE: u64 = 40;
    Some((count(10 + MORE)? - count(10)?) * 1_000.0 / (MORE as f64 * COUNT as f64))
}

fn once(subject: &str, times: u64) {
    let operation = operation();
    let found = operation.subjects.iter().find(|(name, _)| *name == subject);
    let (_, make) = found.expect("a subject");
    make().run(times);
}

/// Two sockets that do not block, and where the second one is reached.
fn pair() -> (UdpSocket, UdpSocket, SocketAddr) {
    let [near, far] = [(); 2].map(|()| {
        let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        socket.set_nonblocking(true).unwrap();
        socket
    });
    let to = far.local_addr().unwrap();
    (near, far, to)
}

/// Memory that begins so many quarters of a page behind the beginning of one, and stays. How the kernel copies depends on
/// where in a page things are, and that must not differ between the subjects.
fn memory(length: usize, quarters: usize) -> &'static mut [u8] {
    const PAGE: usize = 4096;
    let memory = vec![0_u8; length + 2 * PAGE].leak();
    let start = memory.as_ptr().align_offset(PAGE) + quarters * PAGE / 4;
    &mut memory[start..][..length]
}

/// `send_to` and `recv_from` of the crate `$mio`.
macro_rules! one_by_one {
    ($name:ident, $mio:ident) => {
        fn $name() -> impl Task {
            let (near, far, to) = pair();
            let near = $mio::net::UdpSocket::from_std(near);
            let far = $mio::net::UdpSocket::from_std(far);
            let datagram = [7; LENGTH];
            let mut buffer = [0; 2 * LENGTH];
            move |times: u64| {
                for _ in 0..times {
                    for _ in 0..COUNT {
                        assert_eq!(near.send_to(&datagram, to).unwrap(), LENGTH);
                    }
                    for _ in 0..COUNT {
                        assert_eq!(far.recv_from(&mut buffer).unwrap().0, LENGTH);
                    }
                    black_box(&buffer);
                }
            }
        }
    };
}
one_by_one!(published, mio_published);
one_by_one!(one_by_one, mio);

/// The sockets of this crate, and what belongs to them.
struct Ours {
    near: mio::net::UdpSocket,
    far: mio::net::UdpSocket,
    to: SocketAddr,
    sending: Offload,
    receiving: Offload,
}

impl Ours {
    fn new(config: Config) -> Ours {
        let (near, far, to) = pair();
        let near = mio::net::UdpSocket::from_std(near);
        let far = mio::net::UdpSocket::from_std(far);
        Ours {
            sending: near.offload(&config).unwrap(),
            receiving: far.offload(&config).unwrap(),
            near,
            far,
            to,
        }
    }

    /// Receives all that was sent.
    #[inline(always)] // as the loop of quinn-udp is
    fn receive(&self, buffers: &mut [IoSliceMut<'_>], metas: &mut [ReceiveMeta]) {
        let mut received = 0;
        while received < COUNT {
            let filled = self
                .far
                .recv_batch(&self.receiving, buffers, metas)
                .unwrap();
            for (meta, buffer) in metas[..filled].iter().zip(&*buffers) {
                for datagram in meta.datagrams(buffer) {
                    assert_eq!(datagram.len(), LENGTH);
                    received += 1;
                }
            }
        }
    }
}

/// Marked where marks are part of the work.
fn marked(transmit: Transmit<'_>, config: Config) -> Transmit<'_> {
    if config == config.ecn(true) {
        transmit.with_ecn(Ecn::Ect0)
    } else {
        transmit
    }
}

fn batches(config: Config) -> impl Task {
    let ours = Ours::new(config);
    let datagram = [7; LENGTH];
    let memory = memory(COUNT * 2 * LENGTH, 1);
    move |times: u64| {
        let contents = [IoSlice::new(&datagram)];
        let mut batch = [marked(Transmit::to(ours.to, &contents), config); COUNT];
        let mut buffers: Vec<_> = memory.chunks_mut(2 * LENGTH).map(IoSliceMut::new).collect();
        let mut metas = [ReceiveMeta::default(); COUNT];
        for _ in 0..times {
            let sent = ours.near.send_batch(&ours.sending, &mut batch).unwrap();
            assert_eq!(sent, COUNT);
            ours.receive(&mut buffers, &mut metas);
        }
    }
}

fn segments(config: Config) -> impl Task {
    let coalesce = config == config.coalesce(true);
    let ours = Ours::new(config);
    let datagrams = memory(COUNT * LENGTH, 0);
    datagrams.fill(7);
    let size = if coalesce { LARGE } else { 2 * LENGTH };
    let memory = memory(if coalesce { 4 } else { COUNT } * size, 1);
    move |times: u64| {
        let contents = [IoSlice::new(datagrams)];
        let transmit = Transmit::to(ours.to, &contents).segments_of(LENGTH as u16);
        let mut batch = [marked(transmit, config)];
        let mut buffers: Vec<_> = memory.chunks_mut(size).map(IoSliceMut::new).collect();
        let mut metas = [ReceiveMeta::default(); COUNT];
        for _ in 0..times {
            assert_eq!(ours.near.send_batch(&ours.sending, &mut batch).unwrap(), 1);
            ours.receive(&mut buffers, &mut metas);
        }
    }
}

/// quinn-udp, whose sockets receive marks, addresses and coalesced datagrams always.
fn quinn(segment: Option<usize>) -> impl Task {
    let (near, far, to) = pair();
    let sending = UdpSocketState::new(UdpSockRef::from(&near)).unwrap();
    let receiving = UdpSocketState::new(UdpSockRef::from(&far)).unwrap();
    let datagrams = memory(COUNT * LENGTH, 0);
    datagrams.fill(7);
    let (buffers, size) = match segment {
        Some(_) => (4, LARGE),
        None => (COUNT, 2 * LENGTH),
    };
    let memory = memory(buffers * size, 1);
    move |times: u64| {
        let mut buffers: Vec<_> = memory.chunks_mut(size).map(IoSliceMut::new).collect();
        let mut metas = [RecvMeta::default(); COUNT];
        for _ in 0..times {
            let each = segment.map_or(LENGTH, |_| datagrams.len());
            for contents in datagrams.chunks(each) {
                let transmit = quinn_udp::Transmit {
                    destination: to,
                    ecn: Some(EcnCodepoint::Ect0),
                    contents,
                    segment_size: segment,
                    src_ip: None,
                };
                sending
                    .try_send(UdpSockRef::from(&near), &transmit)
                    .unwrap();
            }
            let mut received = 0;
            while received < COUNT {
                let socket = UdpSockRef::from(&far);
                let filled = match receiving.recv(socket, &mut buffers, &mut metas) {
                    Err(error) if error.kind() == ErrorKind::Interrupted => continue,
                    result => result.unwrap(),
                };
                for (meta, buffer) in metas[..filled].iter().zip(&buffers) {
                    for datagram in buffer[..meta.len].chunks(meta.stride) {
                        assert_eq!(datagram.len(), LENGTH);
                        received += 1;
                    }
                }
            }
        }
    }
}
