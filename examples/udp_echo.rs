//! Sends every UDP datagram back to where it came from.
//!
//! ```text
//! cargo run --example udp_echo                # listens on 127.0.0.1:9000
//! cargo run --example udp_echo 127.0.0.1:0    # on a free port, which it prints
//!
//! nc -u 127.0.0.1 9000                        # type lines, get them back; Ctrl-C ends it
//! ```
//!
//! UDP may lose datagrams, so what matters is that load costs no memory. While one datagram cannot be sent, none is
//! received. They wait in the socket's receive buffer, and the system drops those that do not fit, as it would if they
//! came faster than any program could read them. There is no queue here that could grow, and nobody's datagram is
//! overtaken by a later one.
//!
//! Datagrams carry whatever sender's address somebody wrote on them, and two echo servers can be made to answer each
//! other for ever. Let it listen on networks that you trust.

use std::env;
use std::io::{self, ErrorKind, Write};
use std::net::SocketAddr;
use std::process::ExitCode;

use mio::net::UdpSocket;
use mio::{Events, Interest, Poll, Token};

/// No datagram is longer, so none is cut: bytes.
const LONGEST: usize = 64 * 1024;

fn main() -> ExitCode {
    let Some(address) = address() else {
        eprintln!("usage: udp_echo [ADDRESS:PORT]");
        return ExitCode::from(2);
    };
    if let Err(error) = Server::bind(address).and_then(Server::run) {
        eprintln!("udp_echo: {error}");
        return ExitCode::FAILURE;
    }
    ExitCode::SUCCESS
}

/// The address that the command line asks for, if the command line makes sense.
fn address() -> Option<SocketAddr> {
    let mut arguments = env::args_os().skip(1);
    let address = match arguments.next() {
        Some(argument) => argument.to_str()?.parse().ok()?,
        None => SocketAddr::from(([127, 0, 0, 1], 9000)),
    };
    arguments.next().is_none().then_some(address)
}

struct Server {
    poll: Poll,
    socket: UdpSocket,
    buffer: Vec<u8>,
    /// The length of the datagram in `buffer` that could not be sent yet, and where it goes.
    unsent: Option<(usize, SocketAddr)>,
    /// How many datagrams the system has refused to send.
    dropped: u64,
}

impl Server {
    fn bind(address: SocketAddr) -> io::Result<Server> {
        let poll = Poll::new()?;
        let mut socket = UdpSocket::bind(address)?;
        // Not for writing: a UDP socket becomes writable anew with each datagram that has left, and nobody is waiting
        // for that as a rule.
        poll.registry()
            .register(&mut socket, Token(0), Interest::READABLE)?;
        Ok(Server {
            poll,
            socket,
            buffer: vec![0; LONGEST],
            unsent: None,
            dropped: 0,
        })
    }

    fn run(mut self) -> io::Result<()> {
        let mut out = io::stdout();
        writeln!(out, "listening on {}", self.socket.local_addr()?)?;
        out.flush()?;

        let mut events = Events::with_capacity(1);
        loop {
            // There is one source, and it is registered for what it waits for. So whatever the event says: go on.
            self.poll.poll_until(&mut events, None)?;
            let waited_to_send = self.unsent.is_some();
            self.echo()?;
            let waits_to_send = self.unsent.is_some();
            if waits_to_send != waited_to_send {
                self.wait_for(if waits_to_send {
                    Interest::WRITABLE
                } else {
                    Interest::READABLE
                })?;
            }
        }
    }

    /// Echoes until there is nothing to receive, or one datagram cannot be sent.
    fn echo(&mut self) -> io::Result<()> {
        loop {
            if self.unsent.is_none() {
                match self.socket.recv_from(&mut self.buffer) {
                    Ok(datagram) => self.unsent = Some(datagram),
                    Err(error) => match error.kind() {
                        ErrorKind::WouldBlock => return Ok(()),
                        // Some systems tell here that nobody has received what was sent earlier.
                        ErrorKind::ConnectionReset | ErrorKind::ConnectionRefused => {}
                        ErrorKind::Interrupted => {}
                        _ => return Err(error),
                    },
                }
            }
            if let Some((length, to)) = self.unsent.take() {
                match self.socket.send_to(&self.buffer[..length], to) {
                    Ok(_) => {}
                    Err(error) => match error.kind() {
                        ErrorKind::WouldBlock => {
                            self.unsent = Some((length, to));
                            return Ok(());
                        }
                        ErrorKind::Interrupted => self.unsent = Some((length, to)),
                        _ => self.count_dropped(to, &error),
                    },
                }
            }
        }
    }

    /// Registering anew reports what holds already, so nothing that came meanwhile is missed.
    fn wait_for(&mut self, interest: Interest) -> io::Result<()> {
        self.poll
            .registry()
            .reregister(&mut self.socket, Token(0), interest)
    }

    /// One datagram cannot go: there is no way to its sender, or a firewall forbids it. That concerns nobody else.
    fn count_dropped(&mut self, to: SocketAddr, error: &io::Error) {
        self.dropped += 1;
        // Anybody can cause these, so they must not be able to fill a log.
        if self.dropped.is_power_of_two() {
            eprintln!(
                "udp_echo: {} not echoed so far; the last one to {to}: {error}",
                self.dropped
            );
        }
    }
}
