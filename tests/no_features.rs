//! What is there without any feature: the queue, wakers, sources around any handle, and `Events`.
//!
//! A runtime that brings its own sockets uses this much of the crate and no more. With features on, all of it is the same.

#![cfg(any(unix, windows))]

use std::io::{self, Read, Write};
use std::net::{TcpListener, TcpStream, UdpSocket};
use std::time::{Duration, Instant};

use mio::event::{Event, Source};
use mio::{Backend, Events, Interest, IoSource, Poll, Registry, Token, Trigger, Waker};

/// How long a test waits for what must come.
const PATIENCE: Duration = Duration::from_secs(30);

fn on_each_backend(test: impl Fn(&mut Poll)) {
    for backend in Backend::available() {
        println!("backend: {backend}");
        test(&mut Poll::builder().backend(backend).build().unwrap());
    }
}

/// Runs `operation` until it does not block, and polls in between.
fn finish<T>(
    poll: &mut Poll,
    events: &mut Events,
    mut operation: impl FnMut() -> io::Result<T>,
) -> io::Result<T> {
    let deadline = Instant::now() + PATIENCE;
    loop {
        match operation() {
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
            result => return result,
        }
        poll.poll_until(events, deadline).unwrap();
        assert!(!events.is_empty(), "nothing happened");
    }
}

#[test]
fn a_loop_over_the_standard_library_s_sockets() {
    on_each_backend(|poll| {
        let mut events = Events::with_capacity(16);
        let registry = poll.registry().try_clone().unwrap();

        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        listener.set_nonblocking(true).unwrap();
        let mut listener = IoSource::new(listener);
        registry
            .register(&mut listener, Token(0), Interest::READABLE)
            .unwrap();
        let mut client = TcpStream::connect(listener.local_addr().unwrap()).unwrap();

        let accept = || listener.do_read(|listener| listener.accept());
        let (server, from) = finish(poll, &mut events, accept).unwrap();
        assert_eq!(from, client.local_addr().unwrap());
        server.set_nonblocking(true).unwrap();
        let mut server = IoSource::new(server);
        registry
            .register(
                &mut server,
                Token(1),
                Interest::READABLE | Interest::WRITABLE,
            )
            .unwrap();

        client.write_all(b"ping").unwrap();
        let mut buffer = [0; 16];
        let read = || server.do_read(|mut stream| stream.read(&mut buffer));
        assert_eq!(finish(poll, &mut events, read).unwrap(), 4);
        let write = || server.do_write(|mut stream| stream.write(b"pong"));
        assert_eq!(finish(poll, &mut events, write).unwrap(), 4);
        client.read_exact(&mut buffer[..4]).unwrap();
        assert_eq!(&buffer[..4], b"pong");

        drop(client);
        let read = || server.do_io(|mut stream| stream.read(&mut buffer));
        assert_eq!(finish(poll, &mut events, read).unwrap(), 0);
    });
}

#[test]
fn a_source_hands_out_and_gives_back_what_it_holds() {
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    let address = socket.local_addr().unwrap();
    let mut source = IoSource::new(socket);
    assert_eq!(source.local_addr().unwrap(), address);
    source.set_ttl(7).unwrap();
    let inner: &mut UdpSocket = &mut source;
    assert_eq!(inner.ttl().unwrap(), 7);
    assert!(format!("{source:?}").contains(&address.port().to_string()));
    let socket: UdpSocket = source.into_inner();
    assert_eq!(socket.local_addr().unwrap(), address);
}

/// A registration belongs to the open socket, not to the value around it. (AFD knows sockets for the length of one poll
/// only, so there it is the source's.)
#[test]
fn a_registration_outlives_the_source_around_it() {
    on_each_backend(|poll| {
        if poll.backend() == Backend::Afd {
            return;
        }
        let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
        let mut source = IoSource::new(socket);
        poll.registry()
            .register(&mut source, Token(5), Interest::WRITABLE)
            .unwrap();
        let socket = source.into_inner();
        let mut events = Events::with_capacity(4);
        poll.poll(&mut events, Some(PATIENCE)).unwrap();
        assert_eq!(tokens(&events), [5]);

        // And is ended through another one.
        poll.registry()
            .deregister(&mut IoSource::new(&socket))
            .unwrap();
    });
}

#[test]
fn the_result_of_an_operation_is_passed_on() {
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    let source = IoSource::new(socket);
    assert_eq!(source.do_io(|_| Ok(1)).unwrap(), 1);
    assert_eq!(source.do_read(|_| Ok("read")).unwrap(), "read");
    assert_eq!(source.do_write(|_| Ok(())).unwrap(), ());
    for kind in [io::ErrorKind::WouldBlock, io::ErrorKind::BrokenPipe] {
        let fail = |_: &UdpSocket| Err::<(), _>(io::Error::from(kind));
        assert_eq!(source.do_io(fail).unwrap_err().kind(), kind);
        assert_eq!(source.do_read(fail).unwrap_err().kind(), kind);
        assert_eq!(source.do_write(fail).unwrap_err().kind(), kind);
    }
}

/// A source made of others, as an object: its registry says how it is to be registered.
#[test]
fn a_source_of_one_s_own() {
    struct Pair([IoSource<UdpSocket>; 2]);

    impl Source for Pair {
        fn register(
            &mut self,
            registry: &Registry,
            token: Token,
            interests: Interest,
        ) -> io::Result<()> {
            assert_eq!(registry.trigger(), Trigger::Oneshot);
            self.0[0].register(registry, token, interests)?;
            self.0[1].register(registry, token, interests)
        }

        fn reregister(
            &mut self,
            registry: &Registry,
            token: Token,
            interests: Interest,
        ) -> io::Result<()> {
            self.0[0].reregister(registry, token, interests)?;
            self.0[1].reregister(registry, token, interests)
        }

        fn deregister(&mut self, registry: &Registry) -> io::Result<()> {
            self.0[0].deregister(registry)?;
            self.0[1].deregister(registry)
        }
    }

    on_each_backend(|poll| {
        let mut events = Events::with_capacity(8);
        let socket = || IoSource::new(UdpSocket::bind("127.0.0.1:0").unwrap());
        let mut pair: Box<dyn Source> = Box::new(Pair([socket(), socket()]));
        let registry = poll.registry().with_trigger(Trigger::Oneshot);
        registry
            .register(&mut *pair, Token(3), Interest::WRITABLE)
            .unwrap();
        poll.poll(&mut events, Some(PATIENCE)).unwrap();
        assert_eq!(tokens(&events), [3, 3]);
        poll.poll(&mut events, Some(Duration::ZERO)).unwrap();
        assert_eq!(tokens(&events), [0; 0]);

        registry
            .reregister(&mut pair, Token(4), Interest::WRITABLE)
            .unwrap();
        poll.poll(&mut events, Some(PATIENCE)).unwrap();
        assert_eq!(tokens(&events), [4, 4]);
        registry.deregister(&mut pair).unwrap();
    });
}

#[test]
fn the_backends_of_a_build_are_those_it_can_open() {
    let available: Vec<Backend> = Backend::available().collect();
    assert!(available.contains(&Backend::default()));
    for &backend in &available {
        let poll = Poll::builder().backend(backend).build().unwrap();
        assert_eq!(poll.backend(), backend);
    }
    assert_eq!(Poll::new().unwrap().backend(), Backend::default());
    #[cfg(any(target_os = "linux", target_os = "android"))]
    {
        let best = if cfg!(mio_model = "event_ports") {
            Backend::EventPorts
        } else {
            Backend::Epoll
        };
        let expected: &[Backend] = if cfg!(mio_unsupported_force_poll_poll) {
            &[Backend::Poll]
        } else if cfg!(mio_model = "kqueue") {
            &[Backend::Kqueue]
        } else if cfg!(feature = "poll-backend") {
            &[best, Backend::Poll]
        } else {
            &[best]
        };
        assert_eq!(available, expected);
    }
}

#[test]
fn everything_can_be_shown() {
    on_each_backend(|poll| {
        let waker = Waker::new(poll.registry(), Token(31)).unwrap();
        waker.wake().unwrap();
        let mut events = Events::with_capacity(4);
        poll.poll(&mut events, Some(PATIENCE)).unwrap();

        assert!(format!("{poll:?}").starts_with("Poll"));
        let registry = format!("{:?}", poll.registry().with_trigger(Trigger::Level));
        assert!(registry.starts_with("Registry") && registry.contains("Level"));
        assert!(format!("{waker:?}").starts_with("Waker"));
        assert!(format!("{:?}", Poll::builder()).starts_with("Builder"));
        for shown in [format!("{events:?}"), format!("{:?}", events.iter())] {
            assert!(shown.starts_with("[Event { token: Token(31)"), "{shown}");
        }
        #[cfg(all(
            any(target_os = "linux", target_os = "android"),
            not(mio_model = "kqueue")
        ))]
        assert!(format!("{events:?}").contains("IN"), "{events:?}");
    });
}

/// The small values that are passed around.
mod values {
    use super::*;

    #[test]
    fn interests_add_up() {
        const BOTH: Interest = Interest::READABLE.add(Interest::WRITABLE);
        let mut interest = Interest::READABLE;
        assert!(interest.is_readable() && !interest.is_writable());
        interest |= Interest::WRITABLE;
        assert_eq!(interest, BOTH);
        assert_eq!(Interest::WRITABLE | Interest::READABLE, BOTH);
        assert_eq!(BOTH | Interest::READABLE, BOTH);
        assert!(BOTH.is_readable() && BOTH.is_writable());
        assert!(!BOTH.is_priority() && !BOTH.is_aio() && !BOTH.is_lio());
    }

    #[test]
    fn an_interest_is_never_empty() {
        let both = Interest::READABLE | Interest::WRITABLE;
        assert_eq!(both.remove(Interest::READABLE), Some(Interest::WRITABLE));
        assert_eq!(both.remove(Interest::WRITABLE), Some(Interest::READABLE));
        assert_eq!(both.remove(both), None);
        let readable = Interest::READABLE;
        assert_eq!(readable.remove(Interest::WRITABLE), Some(readable));
        assert_eq!(readable.remove(readable), None);
    }

    #[cfg(any(target_os = "linux", target_os = "android"))]
    #[test]
    fn priority_is_an_interest_of_its_own() {
        let all = Interest::READABLE | Interest::WRITABLE | Interest::PRIORITY;
        assert!(all.is_priority());
        assert!(!Interest::PRIORITY.is_readable() && !Interest::PRIORITY.is_writable());
        let rest = all.remove(Interest::PRIORITY);
        assert_eq!(rest, Some(Interest::READABLE | Interest::WRITABLE));
        assert_eq!(format!("{all:?}"), "READABLE | WRITABLE | PRIORITY");
    }

    #[test]
    fn a_trigger_is_edge_or_level_and_oneshot_or_not() {
        let properties = |trigger: Trigger| (trigger.is_edge(), trigger.is_oneshot());
        assert_eq!(Trigger::default(), Trigger::Edge);
        assert_eq!(properties(Trigger::Edge), (true, false));
        assert_eq!(properties(Trigger::Level), (false, false));
        assert_eq!(properties(Trigger::Oneshot), (false, true));
        assert_eq!(properties(Trigger::EdgeOneshot), (true, true));
    }

    #[test]
    fn a_registry_carries_its_trigger() {
        let poll = Poll::new().unwrap();
        assert_eq!(poll.registry().trigger(), Trigger::Edge);
        let level = poll.registry().with_trigger(Trigger::Level);
        assert_eq!(level.trigger(), Trigger::Level);
        assert_eq!(level.try_clone().unwrap().trigger(), Trigger::Level);
        // The one it was made from is as it was.
        assert_eq!(poll.registry().trigger(), Trigger::Edge);
    }

    #[test]
    fn how_they_are_shown() {
        let both = Interest::READABLE | Interest::WRITABLE;
        assert_eq!(format!("{both:?}"), "READABLE | WRITABLE");
        assert_eq!(format!("{:?}", Token(3)), "Token(3)");
        assert_eq!(format!("{:?}", Trigger::EdgeOneshot), "EdgeOneshot");
        assert_eq!(Backend::Epoll.to_string(), "epoll");
        assert_eq!(
            format!("{:>6}|{:<6}", Backend::Poll, Backend::Poll),
            "  poll|poll  "
        );
        assert_eq!(usize::from(Token(usize::MAX)), usize::MAX);
    }
}

fn tokens(events: &Events) -> Vec<usize> {
    events.iter().map(|event| event.token().0).collect()
}

/// A queue with as many events as there are wakers, whose tokens are 0 and so on.
fn with_wakes(poll: &mut Poll, count: usize, events: &mut Events) -> Vec<Waker> {
    let wakers: Vec<Waker> = (0..count)
        .map(|token| Waker::new(poll.registry(), Token(token)).unwrap())
        .collect();
    for waker in &wakers {
        waker.wake().unwrap();
    }
    poll.poll(events, Some(PATIENCE)).unwrap();
    wakers
}

/// The memory that a poll fills, from each side.
mod events {
    use super::*;

    #[test]
    fn begin_empty() {
        for capacity in [0, 1, 2, 128, 10_000] {
            let events = Events::with_capacity(capacity);
            assert_eq!(events.capacity(), capacity);
            assert_eq!(events.len(), 0);
            assert!(events.is_empty());
            assert!(events.get(0).is_none());
            assert_eq!(events.iter().next().map(Event::token), None);
            assert_eq!(events.iter().size_hint(), (0, Some(0)));
            assert_eq!(format!("{events:?}"), "[]");
        }
    }

    #[test]
    fn are_counted_and_indexed() {
        on_each_backend(|poll| {
            let mut events = Events::with_capacity(8);
            let _wakers = with_wakes(poll, 5, &mut events);
            assert_eq!(events.len(), 5);
            assert!(!events.is_empty());
            assert_eq!(events.capacity(), 8);
            let in_order = tokens(&events);
            for (index, &token) in in_order.iter().enumerate() {
                assert_eq!(events.get(index).unwrap().token(), Token(token));
            }
            for beyond in [5, 7, 8, usize::MAX] {
                assert!(events.get(beyond).is_none());
            }
            let mut sorted = in_order;
            sorted.sort_unstable();
            assert_eq!(sorted, [0, 1, 2, 3, 4]);
        });
    }

    #[test]
    fn count_down_while_they_are_gone_through() {
        on_each_backend(|poll| {
            let mut events = Events::with_capacity(8);
            let _wakers = with_wakes(poll, 5, &mut events);
            let mut iter = events.iter();
            for left in (0..5).rev() {
                assert!(iter.next().is_some());
                assert_eq!(iter.len(), left);
                assert_eq!(iter.size_hint(), (left, Some(left)));
                assert_eq!(iter.clone().count(), left);
            }
            // And then for ever.
            for _ in 0..3 {
                assert!(iter.next().is_none());
                assert!(iter.next_back().is_none());
            }
        });
    }

    #[test]
    fn go_from_both_ends() {
        on_each_backend(|poll| {
            let mut events = Events::with_capacity(8);
            let _wakers = with_wakes(poll, 5, &mut events);
            let forward = tokens(&events);
            let mut backward: Vec<usize> =
                events.iter().rev().map(|event| event.token().0).collect();
            backward.reverse();
            assert_eq!(backward, forward);

            let mut iter = events.iter();
            let token = |event: Option<&Event>| event.map(|event| event.token().0);
            assert_eq!(token(iter.next()), Some(forward[0]));
            assert_eq!(token(iter.next_back()), Some(forward[4]));
            assert_eq!(iter.len(), 3);
            assert_eq!(token(iter.nth(1)), Some(forward[2]));
            assert_eq!(token(iter.nth(1)), None);

            let looped: Vec<usize> = (&events).into_iter().map(|event| event.token().0).collect();
            assert_eq!(looped, forward);
        });
    }

    #[test]
    fn are_forgotten_when_asked_to_and_by_the_next_poll() {
        on_each_backend(|poll| {
            let mut events = Events::with_capacity(8);
            let wakers = with_wakes(poll, 3, &mut events);
            events.clear();
            assert!(events.is_empty());
            assert_eq!(events.capacity(), 8);
            assert!(events.get(0).is_none());

            for waker in &wakers {
                waker.wake().unwrap();
            }
            poll.poll(&mut events, Some(PATIENCE)).unwrap();
            assert_eq!(events.len(), 3);
            poll.poll(&mut events, Some(Duration::ZERO)).unwrap();
            assert!(events.is_empty(), "left from the poll before");
        });
    }

    /// A small capacity loses nothing.
    #[test]
    fn that_find_no_room_come_with_the_next_poll() {
        on_each_backend(|poll| {
            for capacity in [1, 2, 3] {
                let mut events = Events::with_capacity(capacity);
                let _wakers = with_wakes(poll, 7, &mut events);
                let mut seen = tokens(&events);
                while seen.len() < 7 {
                    assert!(events.len() <= capacity);
                    poll.poll(&mut events, Some(PATIENCE)).unwrap();
                    assert!(!events.is_empty(), "an event is lost: {seen:?}");
                    seen.extend(tokens(&events));
                }
                seen.sort_unstable();
                assert_eq!(seen, [0, 1, 2, 3, 4, 5, 6]);
            }
        });
    }

    /// The events of a poll are the caller's: the next ones do not need the same memory, nor the same queue.
    #[test]
    fn serve_any_queue() {
        let mut events = Events::with_capacity(4);
        on_each_backend_with(&mut events, |poll, events| {
            let _wakers = with_wakes(poll, 2, events);
            assert_eq!(events.len(), 2);
        });
        let copies: Vec<Event> = events.iter().cloned().collect();
        events.clear();
        assert_eq!(copies.len(), 2);
        assert!(copies.iter().all(Event::is_readable));
    }

    fn on_each_backend_with(events: &mut Events, test: impl Fn(&mut Poll, &mut Events)) {
        for backend in Backend::available() {
            let mut poll = Poll::builder().backend(backend).build().unwrap();
            test(&mut poll, events);
        }
    }
}

/// What the event of a waker says, and what it does not.
#[test]
fn a_wake_is_readable_and_nothing_else() {
    on_each_backend(|poll| {
        let mut events = Events::with_capacity(4);
        let _wakers = with_wakes(poll, 1, &mut events);
        let event = events.get(0).unwrap();
        assert!(event.is_readable());
        assert!(!event.is_writable());
        assert!(!event.is_error());
        assert!(!event.is_read_closed());
        assert!(!event.is_write_closed());
        assert!(!event.is_priority());
        assert!(!event.is_aio());
        assert!(!event.is_lio());
    });
}
