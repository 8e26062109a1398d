//! Sends UDP datagrams as fast as the system takes them, and counts what arrives.
//!
//! ```text
//! cargo run --release --example udp_blast                          # to itself, for 3 seconds
//! cargo run --release --example udp_blast -- --portable            # the same with one system call for each datagram
//!
//! cargo run --release --example udp_blast -- receive 0.0.0.0:9000  # on one machine
//! cargo run --release --example udp_blast -- send 192.0.2.1:9000   # on another one
//! ```
//!
//! Options: `--seconds N`, how long to send; `--size N`, bytes of a datagram, 32 to 65,507; `--portable`.
//!
//! The sender fills one long buffer with datagrams of the same length and has the system cut it up. The receiver has large
//! buffers, into which the system puts many datagrams at a time. Where the system can do neither, the same calls do it one
//! by one. Which of it is in force is printed first.
//!
//! Nothing slows the sender down, so datagrams get lost where the receiver, or something in between, is slower. Do not
//! point it at networks or machines of others. A protocol that people use needs congestion control above this.

use std::env;
use std::io::{self, ErrorKind, IoSlice, IoSliceMut, Write};
use std::net::{Ipv4Addr, SocketAddr};
use std::process::ExitCode;
use std::thread;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use mio::net::udp::{Capabilities, Config, Ecn, Offload, ReceiveMeta, Transmit};
use mio::net::UdpSocket;
use mio::{Events, Interest, Poll, Token};
use socket2::SockRef;

const USAGE: &str = "usage: udp_blast [--seconds N] [--size 32..65507] [--portable] \
                     [receive ADDRESS:PORT | send ADDRESS:PORT]";

/// Room for whatever the system puts together: bytes.
const LARGE: usize = 65_535;

/// How much the sender hands over at once, at most: bytes. It fits into one call with segments.
const BATCH: usize = 60_000;

/// Room in the socket for what comes while the receiver does not look: bytes. The system may allow less.
const QUEUE: usize = 4 << 20;

fn main() -> ExitCode {
    let Some(options) = Options::read() else {
        eprintln!("{USAGE}");
        return ExitCode::from(2);
    };
    let result = match options.mode {
        Mode::Both => both(&options),
        Mode::Receive(address) => Receiver::bind(address, &options).and_then(Receiver::run_on),
        Mode::Send(address) => send(address, &options),
    };
    if let Err(error) = result {
        eprintln!("udp_blast: {error}");
        return ExitCode::FAILURE;
    }
    ExitCode::SUCCESS
}

struct Options {
    mode: Mode,
    time: Duration,
    size: usize,
    portable: bool,
}

enum Mode {
    Both,
    Receive(SocketAddr),
    Send(SocketAddr),
}

impl Options {
    /// What the command line asks for, if it makes sense.
    fn read() -> Option<Options> {
        let mut options = Options {
            mode: Mode::Both,
            time: Duration::from_secs(3),
            size: 1_200,
            portable: false,
        };
        let mut arguments = env::args_os().skip(1);
        while let Some(argument) = arguments.next() {
            let mut next = || arguments.next()?.into_string().ok();
            match argument.to_str()? {
                "--portable" => options.portable = true,
                "--seconds" => options.time = Duration::from_secs(next()?.parse().ok()?),
                "--size" => options.size = next()?.parse().ok()?,
                "receive" => options.mode = Mode::Receive(next()?.parse().ok()?),
                "send" => options.mode = Mode::Send(next()?.parse().ok()?),
                _ => return None,
            }
        }
        (Header::LENGTH..=65_507)
            .contains(&options.size)
            .then_some(options)
    }

    fn config(&self) -> Config {
        Config::new()
            .coalesce(true)
            .ecn(true)
            .portable(self.portable)
    }
}

/// A receiver on a thread of its own, and a sender.
fn both(options: &Options) -> io::Result<()> {
    let mut receiver = Receiver::bind((Ipv4Addr::LOCALHOST, 0).into(), options)?;
    let to = receiver.socket.local_addr()?;
    let receiving = thread::spawn(move || receiver.run_once());
    send(to, options)?;
    receiving.join().expect("it does not panic")
}

fn print_sending(what: &str, capabilities: &Capabilities) {
    println!(
        "{what}: up to {} for each system call, of up to {} segments; ECN marks: {}",
        capabilities.datagrams_per_call,
        capabilities.max_segments,
        if capabilities.send_ecn { "yes" } else { "no" },
    );
}

fn print_receiving(capabilities: &Capabilities) {
    println!(
        "receiving: up to {} for each system call, of up to {} put together; ECN marks: {}",
        capabilities.datagrams_per_call,
        capabilities.max_coalesced,
        if capabilities.receive_ecn {
            "yes"
        } else {
            "no"
        },
    );
}

/// What each datagram begins with. Little-endian numbers of 8 bytes.
#[derive(Clone, Copy)]
struct Header {
    /// Tells this sender from an earlier one.
    run: u64,
    /// The number of this datagram, or [`Header::END`].
    sequence: u64,
    /// How many datagrams there were, at the end.
    total: u64,
}

impl Header {
    const LENGTH: usize = 32;
    const END: u64 = u64::MAX;

    fn write(self, datagram: &mut [u8]) {
        datagram[..8].copy_from_slice(&self.run.to_le_bytes());
        datagram[8..16].copy_from_slice(&self.sequence.to_le_bytes());
        datagram[16..24].copy_from_slice(&self.total.to_le_bytes());
    }

    /// `None` for a datagram of somebody else.
    fn read(datagram: &[u8]) -> Option<Header> {
        let number = |at: usize| {
            Some(u64::from_le_bytes(
                datagram.get(at..at + 8)?.try_into().ok()?,
            ))
        };
        Some(Header {
            run: number(0)?,
            sequence: number(8)?,
            total: number(16)?,
        })
    }
}

fn send(to: SocketAddr, options: &Options) -> io::Result<()> {
    let from = match to {
        SocketAddr::V4(_) => "0.0.0.0:0",
        SocketAddr::V6(_) => "[::]:0",
    };
    let mut socket = UdpSocket::bind(from.parse().expect("an address"))?;
    let offload = socket.offload(&options.config())?;
    let capabilities = offload.capabilities();
    print_sending("sending", &capabilities);

    let poll = Poll::new()?;
    poll.registry().register(
        &mut socket,
        Token(0),
        Interest::READABLE | Interest::WRITABLE,
    )?;
    let mut sender = Sender {
        poll,
        events: Events::with_capacity(1),
        socket,
        offload,
        to,
    };
    let now = SystemTime::now().duration_since(UNIX_EPOCH);
    let run = now.map_or(0, |time| time.as_nanos() as u64);

    let count = (BATCH / options.size).max(1) as u64;
    let mut buffer = vec![0; count as usize * options.size];
    let start = Instant::now();
    let mut sequence = 0;
    while start.elapsed() < options.time {
        for datagram in buffer.chunks_mut(options.size) {
            let header = Header {
                run,
                sequence,
                total: 0,
            };
            header.write(datagram);
            sequence += 1;
        }
        sender.send(&buffer, options.size)?;
    }
    report(
        "sent",
        sequence,
        sequence * options.size as u64,
        start.elapsed(),
    );
    // The system may have refused to cut segments meanwhile, or marks.
    if sender.offload.capabilities() != capabilities {
        print_sending("in the end", &sender.offload.capabilities());
    }
    sender.end(run, sequence)
}

struct Sender {
    poll: Poll,
    events: Events,
    socket: UdpSocket,
    offload: Offload,
    to: SocketAddr,
}

impl Sender {
    /// Sends the datagrams in `buffer`, each of `size` bytes, and waits while the socket is full.
    fn send(&mut self, buffer: &[u8], size: usize) -> io::Result<()> {
        let contents = [IoSlice::new(buffer)];
        let mut batch = [Transmit::to(self.to, &contents)
            .segments_of(size as u16)
            .with_ecn(Ecn::Ect0)];
        // What went out of it when the socket was full, the batch itself remembers.
        while let Err(error) = self.socket.send_batch(&self.offload, &mut batch) {
            match error.kind() {
                ErrorKind::WouldBlock => self.poll.poll_until(&mut self.events, None)?,
                ErrorKind::Interrupted => {}
                _ => return Err(error),
            }
        }
        Ok(())
    }

    /// Tells the receiver how many there were, until it answers.
    fn end(&mut self, run: u64, total: u64) -> io::Result<()> {
        let header = Header {
            run,
            sequence: Header::END,
            total,
        };
        let mut datagram = [0; Header::LENGTH];
        header.write(&mut datagram);
        for _ in 0..100 {
            self.send(&datagram, datagram.len())?;
            let deadline = Instant::now() + Duration::from_millis(50);
            // Events for writing end a poll early, too.
            while Instant::now() < deadline {
                self.poll.poll_until(&mut self.events, deadline)?;
                let mut answer = [0; Header::LENGTH];
                while let Ok((length, _)) = self.socket.recv_from(&mut answer) {
                    if Header::read(&answer[..length]).is_some_and(|answer| answer.run == run) {
                        return Ok(());
                    }
                }
            }
        }
        let problem = "the receiver does not answer";
        Err(io::Error::new(ErrorKind::TimedOut, problem))
    }
}

struct Receiver {
    poll: Poll,
    socket: UdpSocket,
    offload: Offload,
    /// A buffer of [`LARGE`] bytes for each of `metas`.
    memory: Vec<u8>,
    metas: Vec<ReceiveMeta>,
    tally: Option<Tally>,
    /// The last run that was reported.
    finished: Option<u64>,
}

/// What came of one run.
struct Tally {
    run: u64,
    start: Instant,
    /// When the last one came.
    end: Instant,
    datagrams: u64,
    bytes: u64,
    /// Marked by a router that was about to drop them.
    congested: u64,
    truncated: u64,
}

impl Receiver {
    fn bind(address: SocketAddr, options: &Options) -> io::Result<Receiver> {
        let poll = Poll::new()?;
        let mut socket = UdpSocket::bind(address)?;
        SockRef::from(&socket).set_recv_buffer_size(QUEUE)?;
        let offload = socket.offload(&options.config())?;
        poll.registry()
            .register(&mut socket, Token(0), Interest::READABLE)?;

        println!("listening on {}", socket.local_addr()?);
        let capabilities = offload.capabilities();
        print_receiving(&capabilities);
        io::stdout().flush()?;

        // Where one holds dozens of datagrams, few are enough.
        let count = match capabilities.max_coalesced {
            1 => 32,
            _ => 8,
        };
        Ok(Receiver {
            poll,
            socket,
            offload,
            memory: vec![0; LARGE * count],
            metas: vec![ReceiveMeta::default(); count],
            tally: None,
            finished: None,
        })
    }

    /// One run after the other.
    fn run_on(mut self) -> io::Result<()> {
        loop {
            self.run_once()?;
        }
    }

    /// Until the end of a run was heard.
    fn run_once(&mut self) -> io::Result<()> {
        let mut events = Events::with_capacity(1);
        let before = self.finished;
        while self.finished == before {
            self.poll.poll_until(&mut events, None)?;
            self.drain()?;
        }
        Ok(())
    }

    /// Receives until there is nothing left. A batch that was not filled has seen that already.
    fn drain(&mut self) -> io::Result<()> {
        let count = self.metas.len();
        loop {
            let mut buffers: Vec<_> = self.memory.chunks_mut(LARGE).map(IoSliceMut::new).collect();
            let batch = self
                .socket
                .recv_batch(&self.offload, &mut buffers, &mut self.metas);
            match batch {
                Ok(received) => {
                    self.count(received);
                    if received < count {
                        return Ok(());
                    }
                }
                Err(error) => match error.kind() {
                    ErrorKind::WouldBlock => return Ok(()),
                    ErrorKind::Interrupted | ErrorKind::ConnectionReset => {}
                    _ => return Err(error),
                },
            }
        }
    }

    /// Looks at what is in the first `received` buffers.
    fn count(&mut self, received: usize) {
        let now = Instant::now();
        for (buffer, meta) in self.memory.chunks(LARGE).zip(&self.metas[..received]) {
            for datagram in meta.datagrams(buffer) {
                let Some(header) = Header::read(datagram) else {
                    continue;
                };
                if header.sequence == Header::END {
                    // It is asked again if this does not arrive.
                    let _ = self.socket.send_to(datagram, meta.source);
                }
                if self.finished == Some(header.run) {
                    continue;
                }
                if header.sequence == Header::END {
                    let tally = self.tally.take().filter(|tally| tally.run == header.run);
                    Tally::report(tally.as_ref(), header.total);
                    self.finished = Some(header.run);
                    continue;
                }
                let tally = match &mut self.tally {
                    Some(tally) if tally.run == header.run => tally,
                    tally => tally.insert(Tally::new(header.run, now)),
                };
                tally.end = now;
                tally.datagrams += 1;
                tally.bytes += datagram.len() as u64;
                tally.congested += u64::from(meta.ecn == Some(Ecn::Ce));
                tally.truncated += u64::from(meta.truncated);
            }
        }
    }
}

impl Tally {
    fn new(run: u64, start: Instant) -> Tally {
        Tally {
            run,
            start,
            end: start,
            datagrams: 0,
            bytes: 0,
            congested: 0,
            truncated: 0,
        }
    }

    fn report(this: Option<&Tally>, total: u64) {
        let (received, bytes, time) = this.map_or((0, 0, Duration::ZERO), |tally| {
            (tally.datagrams, tally.bytes, tally.end - tally.start)
        });
        report("received", received, bytes, time);
        // Networks may deliver a datagram twice.
        let lost = total.saturating_sub(received);
        let percent = lost as f64 * 100.0 / total.max(1) as f64;
        println!("lost {lost} of {total} datagrams: {percent:.2} %");
        if let Some(tally) = this {
            if tally.congested + tally.truncated > 0 {
                println!(
                    "{} came marked, {} truncated",
                    tally.congested, tally.truncated
                );
            }
        }
        // Whoever reads this through a pipe wants it now.
        let _ = io::stdout().flush();
    }
}

/// One line of numbers. `bytes` are those of the datagrams, without any headers.
fn report(what: &str, datagrams: u64, bytes: u64, time: Duration) {
    let seconds = time.as_secs_f64().max(1e-9);
    println!(
        "{what} {datagrams} datagrams in {seconds:.2} s: {:.0} per second, {:.3} Gbit/s",
        datagrams as f64 / seconds,
        bytes as f64 * 8.0 / seconds / 1e9
    );
}
