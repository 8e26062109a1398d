//! Runs a command and shows line by line what it prints, each line marked as standard output or standard error.
//!
//! ```text
//! cargo run --example child_output -- cargo --version
//! cargo run --example child_output -- sh -c 'echo one; echo two >&2; exit 3'
//! out| one
//! err| two
//! ```
//!
//! It ends with the status of the command, once both of its outputs have ended: with 3 here; with 128 and the number of the
//! signal if one has killed it; with 127 if there is no such command. The two outputs are separate pipes, so the order of
//! lines is kept within each, not between them.

#[cfg(unix)]
fn main() -> std::process::ExitCode {
    program::main()
}

#[cfg(not(unix))]
fn main() {
    eprintln!("child_output: the pipes of this system cannot be polled");
    std::process::exit(2);
}

#[cfg(unix)]
mod program {
    use std::env;
    use std::io::{self, BufWriter, ErrorKind, Read, Write};
    use std::os::unix::process::ExitStatusExt;
    use std::path::Path;
    use std::process::{Child, Command, ExitCode, ExitStatus, Stdio};
    use std::time::Instant;

    use mio::unix::pipe::Receiver;
    use mio::{Events, Interest, Poll, Token};

    /// How much is read at a time: what a pipe holds as a rule, in bytes.
    const BUFFER: usize = 64 * 1024;

    /// A line that is longer is shown in pieces, or a command that never ends its line could take all memory: bytes.
    const LONGEST: usize = 64 * 1024;

    pub(super) fn main() -> ExitCode {
        let mut arguments = env::args_os().skip(1);
        let Some(program) = arguments.next() else {
            eprintln!("usage: child_output COMMAND [ARGUMENT...]");
            return ExitCode::from(2);
        };
        let child = Command::new(&program)
            .args(arguments)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn();
        let mut child = match child {
            Ok(child) => child,
            Err(error) => {
                eprintln!("child_output: {}: {error}", Path::new(&program).display());
                // The numbers that shells use.
                return ExitCode::from(match error.kind() {
                    ErrorKind::NotFound => 127,
                    _ => 126,
                });
            }
        };
        // After an error the pipes are closed, so the command cannot block on them while we wait for it.
        let shown = show(&mut child);
        let status = child.wait();
        match shown.and(status) {
            Ok(status) => exit_code(status),
            Err(error) => {
                eprintln!("child_output: {error}");
                ExitCode::FAILURE
            }
        }
    }

    /// The status as shells pass it on.
    fn exit_code(status: ExitStatus) -> ExitCode {
        let code = status.code().or(status.signal().map(|signal| 128 + signal));
        code.and_then(|code| u8::try_from(code).ok())
            .map_or(ExitCode::FAILURE, ExitCode::from)
    }

    /// Shows both outputs until both have ended. A command that has exited may have left some behind, or children that
    /// still write.
    fn show(child: &mut Child) -> io::Result<()> {
        let mut outputs = [
            Output::new("out| ", child.stdout.take().map(Receiver::from)),
            Output::new("err| ", child.stderr.take().map(Receiver::from)),
        ];
        let mut poll = Poll::new()?;
        for (index, output) in outputs.iter_mut().enumerate() {
            if let Some(pipe) = &mut output.pipe {
                // The command does not notice: its end is not affected.
                pipe.set_nonblocking(true)?;
                poll.registry()
                    .register(pipe, Token(index), Interest::READABLE)?;
            }
        }

        let mut events = Events::with_capacity(outputs.len());
        let mut buffer = vec![0; BUFFER];
        let mut screen = BufWriter::new(io::stdout().lock());
        let past = Instant::now();
        while outputs.iter().any(|output| output.pipe.is_some()) {
            // Edges are reported once: an output that was not read to the end must not be waited for.
            if outputs.iter().any(|output| output.readable) {
                poll.poll_until(&mut events, past)?;
            } else {
                screen.flush()?;
                poll.poll_until(&mut events, None)?;
            }
            for event in &events {
                let Token(index) = event.token();
                outputs[index].readable = true;
            }
            // One read each, so that neither has to wait for the other to fall silent.
            for output in outputs.iter_mut().filter(|output| output.readable) {
                output.show(&mut buffer, &mut screen)?;
            }
        }
        screen.flush()
    }

    struct Output {
        prefix: &'static str,
        /// Until its end.
        pipe: Option<Receiver>,
        /// An edge was seen, and no read has said `WouldBlock` since.
        readable: bool,
        /// The beginning of a line whose end has not come yet.
        line: Vec<u8>,
    }

    impl Output {
        fn new(prefix: &'static str, pipe: Option<Receiver>) -> Output {
            Output {
                prefix,
                pipe,
                readable: false,
                line: Vec::new(),
            }
        }

        /// Reads once, and shows the lines that are complete.
        fn show(&mut self, buffer: &mut [u8], screen: &mut impl Write) -> io::Result<()> {
            let Some(pipe) = &mut self.pipe else {
                self.readable = false;
                return Ok(());
            };
            match pipe.read(buffer) {
                Ok(0) => {
                    self.pipe = None;
                    self.readable = false;
                    if !self.line.is_empty() {
                        self.end_line(screen)?;
                    }
                }
                Ok(n) => {
                    for piece in buffer[..n].split_inclusive(|&byte| byte == b'\n') {
                        self.add(piece, screen)?;
                    }
                }
                Err(error) => match error.kind() {
                    ErrorKind::WouldBlock => self.readable = false,
                    ErrorKind::Interrupted => {}
                    _ => return Err(error),
                },
            }
            Ok(())
        }

        /// Shows a line, or keeps the piece of one that does not end yet.
        fn add(&mut self, piece: &[u8], screen: &mut impl Write) -> io::Result<()> {
            match piece.strip_suffix(b"\n") {
                Some(end) => {
                    self.line.extend_from_slice(end);
                    self.end_line(screen)
                }
                None => {
                    self.line.extend_from_slice(piece);
                    if self.line.len() >= LONGEST {
                        self.end_line(screen)?;
                    }
                    Ok(())
                }
            }
        }

        fn end_line(&mut self, screen: &mut impl Write) -> io::Result<()> {
            self.line.push(b'\n');
            screen.write_all(self.prefix.as_bytes())?;
            screen.write_all(&self.line)?;
            self.line.clear();
            Ok(())
        }
    }
}
