//! Pipes, and the standard streams of child processes.

use std::io::{ErrorKind, IoSlice, IoSliceMut, Read, Write};
use std::os::fd::AsFd;
use std::process::{Command, Stdio};

use mio::unix::pipe::{self, Receiver, Sender};
use mio::{Backend, Interest};

use crate::util::{on_each_backend, refused, would_block, Loop, TELLS_ERRORS};

/// A pipe whose ends are registered: the sender under token 1, the receiver under token 2.
fn registered(queue: &Loop) -> (Sender, Receiver) {
    let (mut sender, mut receiver) = pipe::new().unwrap();
    queue.register(&mut sender, 1, Interest::WRITABLE);
    queue.register(&mut receiver, 2, Interest::READABLE);
    (sender, receiver)
}

#[test]
fn what_goes_in_comes_out() {
    on_each_backend(|queue| {
        let (mut sender, mut receiver) = registered(queue);
        let mut buffer = [0; 16];
        would_block(receiver.read(&mut buffer));
        for text in [&b"one"[..], b"three"] {
            sender.write_all(text).unwrap();
            sender.flush().unwrap();
            let n = queue.finish(|| receiver.read(&mut buffer)).unwrap();
            assert_eq!(&buffer[..n], text);
            would_block(receiver.read(&mut buffer));
        }
    });
}

#[test]
fn through_a_shared_reference() {
    let (sender, receiver) = pipe::new().unwrap();
    (&sender).write_all(b"pi").unwrap();
    let sent = (&sender).write_vectored(&[IoSlice::new(b"ng")]);
    assert_eq!(sent.unwrap(), 2);
    (&sender).flush().unwrap();
    let mut buffer = [0; 2];
    (&receiver).read_exact(&mut buffer).unwrap();
    let mut rest = [0; 4];
    let read = (&receiver).read_vectored(&mut [IoSliceMut::new(&mut rest)]);
    assert_eq!(read.unwrap(), 2);
    assert_eq!((&buffer, &rest[..2]), (b"pi", &b"ng"[..]));
}

#[test]
fn a_full_pipe() {
    on_each_backend(|queue| {
        let (mut sender, mut receiver) = registered(queue);
        let bytes = [5; 5000];
        for _ in 0..3 {
            let mut sent = 0;
            loop {
                match sender.write(&bytes) {
                    Ok(n) => sent += n,
                    Err(error) => break assert_eq!(error.kind(), ErrorKind::WouldBlock),
                }
            }
            would_block(sender.write_vectored(&[IoSlice::new(&bytes)]));
            let mut buffer = [0; 9000];
            let mut received = 0;
            loop {
                match receiver.read(&mut buffer) {
                    Ok(n) => received += n,
                    Err(error) => break assert_eq!(error.kind(), ErrorKind::WouldBlock),
                }
            }
            assert_eq!(received, sent);
            queue.expect(1, |event| event.is_writable());
        }
    });
}

#[test]
fn the_writer_is_gone() {
    on_each_backend(|queue| {
        let (mut sender, mut receiver) = registered(queue);
        sender.write_all(b"last").unwrap();
        drop(sender);
        queue.expect(2, |event| event.is_read_closed());
        let mut buffer = [0; 8];
        assert_eq!(receiver.read(&mut buffer).unwrap(), 4);
        for _ in 0..2 {
            assert_eq!(receiver.read(&mut buffer).unwrap(), 0);
        }
    });
}

/// Rust programs ignore `SIGPIPE`, so it is an error here. In others it would end the process.
#[test]
fn the_reader_is_gone() {
    on_each_backend(|queue| {
        let (mut sender, receiver) = registered(queue);
        drop(receiver);
        queue.expect(1, |event| event.is_write_closed());
        for _ in 0..2 {
            refused(sender.write(b"x"), ErrorKind::BrokenPipe);
            refused(
                sender.write_vectored(&[IoSlice::new(b"x")]),
                ErrorKind::BrokenPipe,
            );
        }
    });
}

#[test]
fn the_reader_goes_while_the_pipe_is_full() {
    on_each_backend(|queue| {
        let (mut sender, receiver) = registered(queue);
        while sender.write(&[0; 5000]).is_ok() {}
        drop(receiver);
        // kqueue has no word for an error but the error of a socket. illumos and Solaris call this a hang-up.
        let error = TELLS_ERRORS && queue.poll.backend() != Backend::Kqueue;
        queue.expect(1, |event| {
            event.is_write_closed() && event.is_error() == error
        });
        refused(sender.write(b"x"), ErrorKind::BrokenPipe);
    });
}

#[test]
fn more_buffers_than_the_kernel_takes() {
    let (mut sender, mut receiver) = pipe::new().unwrap();
    let byte = [7];
    let sent = sender.write_vectored(&vec![IoSlice::new(&byte); 1500]);
    let sent = sent.unwrap();
    assert!((1..=1500).contains(&sent), "{sent}");
    let mut bytes = [0; 1500];
    let mut buffers: Vec<_> = bytes.chunks_mut(1).map(IoSliceMut::new).collect();
    let read = receiver.read_vectored(&mut buffers).unwrap();
    assert!((1..=sent).contains(&read), "{read}");
    assert!(bytes[..read].iter().all(|byte| *byte == 7));
}

#[test]
fn nothing_to_read_into_or_to_write() {
    let (mut sender, mut receiver) = pipe::new().unwrap();
    assert_eq!(sender.write(&[]).unwrap(), 0);
    assert_eq!(sender.write_vectored(&[]).unwrap(), 0);
    would_block(receiver.read(&mut [0]));
    sender.write_all(b"x").unwrap();
    assert_eq!(receiver.read(&mut []).unwrap(), 0);
    assert_eq!(receiver.read_vectored(&mut []).unwrap(), 0);
    assert_eq!(receiver.read(&mut [0; 2]).unwrap(), 1);
}

#[test]
fn blocking_mode_and_back() {
    let (mut sender, mut receiver) = pipe::new().unwrap();
    receiver.set_nonblocking(false).unwrap();
    let reader = std::thread::spawn(move || {
        let mut word = [0; 5];
        // Waits, or there would be an error.
        receiver.read_exact(&mut word).unwrap();
        (receiver, word)
    });
    sender.write_all(b"hello").unwrap();
    let (mut receiver, word) = reader.join().unwrap();
    assert_eq!(&word, b"hello");
    receiver.set_nonblocking(true).unwrap();
    would_block(receiver.read(&mut [0]));
    sender.set_nonblocking(false).unwrap();
    sender.set_nonblocking(true).unwrap();
    while sender.write(&[0; 5000]).is_ok() {}
    would_block(sender.write(&[0]));
}

#[test]
fn try_io() {
    on_each_backend(|queue| {
        let (sender, receiver) = registered(queue);
        let mut buffer = [0; 8];
        for _ in 0..3 {
            let mut receive = || Ok(rustix::io::read(receiver.as_fd(), &mut buffer)?);
            would_block(receiver.try_io(&mut receive));
            let sent = sender.try_io(|| Ok(rustix::io::write(sender.as_fd(), b"abc")?));
            assert_eq!(sent.unwrap(), 3);
            assert_eq!(queue.finish(|| receiver.try_io(&mut receive)).unwrap(), 3);
        }
    });
}

#[test]
fn shown() {
    let (sender, receiver) = pipe::new().unwrap();
    assert!(format!("{sender:?}").starts_with("Sender"));
    assert!(format!("{receiver:?}").starts_with("Receiver"));
}

/// A child that copies what it reads, and ends when there is no more.
#[test]
fn to_and_from_a_child() {
    on_each_backend(|queue| {
        let mut child = Command::new("cat")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut sender = Sender::from(child.stdin.take().unwrap());
        let mut receiver = Receiver::from(child.stdout.take().unwrap());
        sender.set_nonblocking(true).unwrap();
        receiver.set_nonblocking(true).unwrap();
        queue.register(&mut sender, 1, Interest::WRITABLE);
        queue.register(&mut receiver, 2, Interest::READABLE);
        would_block(receiver.read(&mut [0]));

        let mut buffer = [0; 16];
        for text in [&b"hello"[..], b"again"] {
            assert_eq!(queue.finish(|| sender.write(text)).unwrap(), 5);
            assert_eq!(queue.finish(|| receiver.read(&mut buffer)).unwrap(), 5);
            assert_eq!(&buffer[..5], text);
        }
        // Its input ends, so it ends, and so does its output.
        drop(sender);
        assert_eq!(queue.finish(|| receiver.read(&mut buffer)).unwrap(), 0);
        assert!(child.wait().unwrap().success());
    });
}

#[test]
fn from_the_errors_of_a_child() {
    on_each_backend(|queue| {
        let mut child = Command::new("ls")
            .arg("/no such folder")
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut receiver = Receiver::from(child.stderr.take().unwrap());
        receiver.set_nonblocking(true).unwrap();
        queue.register(&mut receiver, 2, Interest::READABLE);
        let mut said = Vec::new();
        queue.finish(|| receiver.read_to_end(&mut said)).unwrap();
        assert!(String::from_utf8_lossy(&said).contains("no such folder"));
        assert!(!child.wait().unwrap().success());
    });
}
