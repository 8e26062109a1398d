//! An echo server for each subject, and what puts load on it. Each is a process of its own.

use std::io::{self, BufRead, ErrorKind, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::time::{Duration, Instant};

use crate::subject::bare::{Epoll, Inline, Libc};
use crate::subject::mio::{Mio, MioPoll, Published};
use crate::subject::polling::Polling;
use crate::subject::{Listener as _, Source, Stream, Subject, Want};

/// What is sent, and comes back.
const REQUEST: [u8; 64] = [7; 64];

type Serve = fn() -> io::Result<()>;

/// The servers that are part of this program.
const SERVERS: [(&str, Serve); 6] = [
    (<Mio as Subject>::NAME, serve::<Mio>),
    (<Published as Subject>::NAME, serve::<Published>),
    (<Epoll<Libc> as Subject>::NAME, serve::<Epoll<Libc>>),
    (<Epoll<Inline> as Subject>::NAME, serve::<Epoll<Inline>>),
    (<Polling as Subject>::NAME, serve::<Polling>),
    (<MioPoll as Subject>::NAME, serve::<MioPoll>),
];

/// Their names.
pub(crate) fn names() -> impl Iterator<Item = &'static str> {
    SERVERS.iter().map(|(name, _)| *name)
}

/// Runs a server until it is killed. It prints its port.
pub(crate) fn run(name: &str) -> io::Result<()> {
    match SERVERS.iter().find(|(known, _)| *known == name) {
        Some((_, serve)) => serve(),
        None => Err(io::Error::new(ErrorKind::NotFound, name)),
    }
}

fn serve<S: Subject>() -> io::Result<()> {
    const LISTENER: usize = usize::MAX - 1;

    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
    println!("{}", listener.local_addr()?.port());
    io::stdout().flush()?;
    let mut listener = S::listener(listener);
    let mut queue = S::open(1024);
    listener.register(&queue, LISTENER, Want::Read);

    let mut streams: Vec<Option<S::Tcp>> = Vec::new();
    let mut gone = Vec::new();
    let mut buffer = [0; 4096];
    loop {
        queue.poll(None);
        let mut accept = false;
        queue.readable(|key| match streams.get_mut(key) {
            Some(Some(stream)) => {
                if !echo(stream, &mut buffer) {
                    gone.push(key);
                }
            }
            Some(None) => {}
            None => accept = true,
        });
        for key in gone.drain(..) {
            if let Some(mut stream) = streams[key].take() {
                stream.deregister(&queue);
            }
        }
        while accept {
            match listener.accept() {
                Ok(mut stream) => {
                    stream.register(&queue, streams.len(), Want::Read);
                    streams.push(Some(stream));
                }
                Err(error) if error.kind() == ErrorKind::WouldBlock => accept = false,
                Err(error) => return Err(error),
            }
        }
    }
}

/// Sends back what there is. `false` at the end.
#[inline(always)]
fn echo(stream: &mut impl Stream, buffer: &mut [u8]) -> bool {
    loop {
        match stream.read(buffer) {
            Ok(0) => return false,
            Ok(n) => {
                // A client waits for its answer, so there is room for it.
                if !matches!(stream.write(&buffer[..n]), Ok(written) if written == n) {
                    return false;
                }
                // What has not filled the buffer was all, and more will be a new edge.
                if n < buffer.len() {
                    return true;
                }
            }
            Err(error) => return error.kind() == ErrorKind::WouldBlock,
        }
    }
}

/// Holds `connections` to a server. For each line on standard input, a number of milliseconds, each of them sends a
/// request as soon as it has the answer to the last one, for that long. Then it prints how many requests there were, and
/// how many nanoseconds that took.
pub(crate) fn load(port: u16, connections: usize) -> io::Result<()> {
    type Client = Epoll<Inline>;

    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    let mut queue = Client::open(1024);
    let mut streams = Vec::new();
    for key in 0..connections {
        let stream = TcpStream::connect(address)?;
        stream.set_nodelay(true)?;
        let mut stream = Client::tcp(stream);
        stream.register(&queue, key, Want::Read);
        streams.push(stream);
    }
    println!("ready");
    for line in io::stdin().lock().lines() {
        let millis = line?.trim().parse().expect("a number of milliseconds");
        let start = Instant::now();
        let length = Duration::from_millis(millis);
        for stream in &mut streams {
            assert_eq!(stream.write(&REQUEST)?, REQUEST.len());
        }
        let (mut requests, mut waiting) = (0_u64, connections);
        while waiting > 0 {
            queue.poll(None);
            let over = start.elapsed() >= length;
            queue.readable(|key| {
                let mut buffer = [0; 128];
                assert_eq!(streams[key].read(&mut buffer).unwrap(), REQUEST.len());
                requests += 1;
                if over {
                    waiting -= 1;
                } else {
                    assert_eq!(streams[key].write(&REQUEST).unwrap(), REQUEST.len());
                }
            });
        }
        println!("{requests} {}", start.elapsed().as_nanos());
        io::stdout().flush()?;
    }
    Ok(())
}
