//! Named pipes.

use std::fs::OpenOptions;
use std::io::{ErrorKind, Read, Write};
use std::os::windows::fs::OpenOptionsExt;
use std::os::windows::io::OwnedHandle;

use mio::windows::NamedPipe;
use mio::{Events, Interest, Poll, Token, Trigger};

use super::{quiet, PATIENCE};

/// Once the buffers are as large as they become.
#[test]
fn reading_and_writing() {
    const FILE_FLAG_OVERLAPPED: u32 = 0x4000_0000;

    for trigger in [Trigger::Edge, Trigger::Level] {
        let mut poll = Poll::new().unwrap();
        let mut events = Events::with_capacity(8);
        let name = format!(r"\\.\pipe\mio-alloc-{}-{trigger:?}", std::process::id());
        let mut server = NamedPipe::new(&name).unwrap();
        let mut options = OpenOptions::new();
        options.read(true).write(true);
        options.custom_flags(FILE_FLAG_OVERLAPPED);
        let client = options.open(&name).unwrap();
        let mut client = NamedPipe::from(OwnedHandle::from(client));
        let registry = poll.registry().with_trigger(trigger);
        let both = Interest::READABLE | Interest::WRITABLE;
        registry.register(&mut server, Token(0), both).unwrap();
        registry.register(&mut client, Token(1), both).unwrap();
        server.connect().unwrap();

        let bytes = vec![7; 200_000];
        let mut buffer = vec![0; 100_000];
        let mut round = || {
            let (mut sent, mut received) = (0, 0);
            while received < bytes.len() {
                if sent < bytes.len() {
                    match client.write(&bytes[sent..]) {
                        Ok(n) => sent += n,
                        Err(error) => assert_eq!(error.kind(), ErrorKind::WouldBlock),
                    }
                }
                match server.read(&mut buffer) {
                    Ok(n) => received += n,
                    Err(error) => {
                        assert_eq!(error.kind(), ErrorKind::WouldBlock);
                        poll.poll(&mut events, Some(PATIENCE)).unwrap();
                    }
                }
            }
            registry.reregister(&mut server, Token(0), both).unwrap();
        };
        round();
        round();
        quiet("reading and writing", round);
    }
}
