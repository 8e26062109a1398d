//! A server under Wine and a client of this system: what leaves the one arrives at the other.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Shutdown, TcpStream};
use std::path::Path;
use std::process::{Child, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use super::wine::Wine;
use crate::cargo::Result;

/// How long anything may take.
const PATIENCE: Duration = Duration::from_secs(60);

/// How much goes through, in bytes; no multiple of any buffer.
const AMOUNT: usize = 3_000_001;

/// Starts the example `tcp_echo`, sends it bytes and reads them back.
pub(super) fn check(wine: &Wine, program: &Path) -> Result {
    let start = Instant::now();
    let mut server = wine
        .command(program)
        .arg("127.0.0.1:0")
        .stdout(Stdio::piped())
        .spawn()
        .map_err(|error| format!("{}: {error}", program.display()))?;
    let result = talk(&mut server);
    let _ = server.kill();
    let _ = server.wait();
    let word = if result.is_ok() { "ok" } else { "FAILED" };
    println!(
        "{:<14} {AMOUNT} bytes there and back {:>7.1} s  {word}",
        "tcp_echo.exe",
        start.elapsed().as_secs_f64()
    );
    result.map_err(|error| format!("tcp_echo.exe and a client of this system: {error}"))
}

fn talk(server: &mut Child) -> Result {
    let text = |error: std::io::Error| error.to_string();
    let line = first_line(server)?;
    let address = line
        .trim_end()
        .strip_prefix("listening on ")
        .and_then(|address| address.parse().ok())
        .ok_or_else(|| format!("it says `{}`", line.trim_end()))?;

    let stream = TcpStream::connect_timeout(&address, PATIENCE).map_err(text)?;
    stream.set_read_timeout(Some(PATIENCE)).map_err(text)?;
    stream.set_write_timeout(Some(PATIENCE)).map_err(text)?;
    let sent: Vec<u8> = (0..AMOUNT).map(|i| (i * 31 % 251) as u8).collect();
    let mut echoed = Vec::new();
    thread::scope(|scope| {
        let writer = scope.spawn(|| -> Result {
            (&stream).write_all(&sent).map_err(text)?;
            stream.shutdown(Shutdown::Write).map_err(text)
        });
        let read = (&stream).read_to_end(&mut echoed).map_err(text);
        let written = writer.join().expect("it does not panic");
        written.and(read.map(drop))
    })?;
    if echoed == sent {
        Ok(())
    } else {
        Err(format!("{} bytes came back, not the same", echoed.len()))
    }
}

/// The first line that `server` prints.
fn first_line(server: &mut Child) -> Result<String> {
    let output = server.stdout.take().expect("piped");
    let (sender, receiver) = mpsc::channel();
    // It ends with the server, whose end of the pipe is the only one.
    thread::spawn(move || {
        let mut line = String::new();
        let read = BufReader::new(output).read_line(&mut line);
        let _ = sender.send(read.map(|_| line));
    });
    match receiver.recv_timeout(PATIENCE) {
        Ok(line) => line.map_err(|error| error.to_string()),
        Err(_) => Err("it prints nothing".to_owned()),
    }
}
