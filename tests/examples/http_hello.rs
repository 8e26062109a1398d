//! `http_hello`.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::thread;
use std::time::{Duration, SystemTime};

use crate::client::{connect, connect_small, expect_end, reset, write_until_stuck};
use crate::program::{refuses, Program};

const HELLO: &str = "Hello, world!\n";
const GET: &str = "GET / HTTP/1.1\r\nHost: here\r\n\r\n";

fn server() -> (Program, SocketAddr) {
    let mut program = Program::start("http_hello", &["127.0.0.1:0"]);
    let address = program.address();
    (program, address)
}

/// A connection whose answers are read one by one.
struct Client(BufReader<TcpStream>);

struct Answer {
    status: u16,
    headers: Vec<String>,
    body: String,
}

impl Client {
    fn new(address: SocketAddr) -> Client {
        Client(BufReader::new(connect(address)))
    }

    fn send(&mut self, request: &str) -> &mut Client {
        // A refused request may be answered, and the connection closed, before all of it is written.
        let _ = self.0.get_mut().write_all(request.as_bytes());
        self
    }

    fn line(&mut self) -> String {
        let mut line = String::new();
        self.0.read_line(&mut line).expect("read");
        let line = line.strip_suffix("\r\n").expect("a whole line");
        line.to_owned()
    }

    /// Everything up to the empty line.
    fn head(&mut self) -> Answer {
        let first = self.line();
        let status = first
            .strip_prefix("HTTP/1.1 ")
            .and_then(|rest| rest.get(..3))
            .and_then(|status| status.parse().ok())
            .unwrap_or_else(|| panic!("{first}"));
        let mut headers = Vec::new();
        loop {
            let line = self.line();
            if line.is_empty() {
                break;
            }
            headers.push(line);
        }
        Answer {
            status,
            headers,
            body: String::new(),
        }
    }

    fn answer(&mut self) -> Answer {
        let mut answer = self.head();
        let length = answer.header("Content-Length").expect("a length");
        let mut body = vec![0; length.parse().expect("a number")];
        self.0.read_exact(&mut body).expect("read");
        answer.body = String::from_utf8(body).expect("text");
        answer
    }

    fn expect_hello(&mut self) {
        let answer = self.answer();
        assert_eq!((answer.status, &*answer.body), (200, HELLO));
    }

    /// That the server has closed the connection, and has said no more.
    fn expect_end(&mut self) {
        let mut rest = Vec::new();
        self.0.read_to_end(&mut rest).expect("an end in order");
        assert_eq!(String::from_utf8_lossy(&rest), "");
    }
}

impl Answer {
    fn header(&self, name: &str) -> Option<&str> {
        let mut headers = self.headers.iter().filter_map(|line| line.split_once(": "));
        headers
            .find(|(this, _)| *this == name)
            .map(|(_, value)| value)
    }
}

#[test]
fn command_line() {
    refuses("http_hello", &[&["nonsense"], &["127.0.0.1:0", "more"]]);
}

#[test]
fn connections_are_kept() {
    let (_server, address) = server();
    let mut client = Client::new(address);
    for _ in 0..100 {
        client.send(GET).expect_hello();
    }
}

#[test]
fn pipelined_requests_are_answered_in_order() {
    let (_server, address) = server();
    let mut client = Client::new(address);
    let other = "GET /other HTTP/1.1\r\nHost: here\r\n\r\n";
    client.send(&[GET, other, GET, GET, other].concat());
    let statuses: Vec<u16> = (0..5).map(|_| client.answer().status).collect();
    assert_eq!(statuses, [200, 404, 200, 200, 404]);
}

#[test]
fn many_pipelined_requests_while_nobody_reads() {
    let (server, address) = server();
    let before = server.peak_memory();
    let stream = connect_small(address);
    let requests = GET.repeat(1000);
    let sent = write_until_stuck(&stream, requests.as_bytes());
    if let (Some(before), Some(after)) = (before, server.peak_memory()) {
        assert!(after - before < 1024 * 1024, "{} bytes", after - before);
    }
    Client::new(address).send(GET).expect_hello();

    // Then everything that was asked gets its answer.
    stream.shutdown(Shutdown::Write).expect("shutdown");
    let mut client = Client(BufReader::new(stream));
    for _ in 0..sent / GET.len() {
        client.expect_hello();
    }
    client.expect_end();
}

#[test]
fn a_request_may_come_byte_by_byte() {
    let (_server, address) = server();
    let mut client = Client::new(address);
    let post = "POST / HTTP/1.1\r\nHost: here\r\nContent-Length: 10\r\n\r\n0123456789";
    for request in [GET, post, GET] {
        for byte in request.as_bytes() {
            client
                .0
                .get_mut()
                .write_all(std::slice::from_ref(byte))
                .expect("write");
        }
    }
    let statuses: Vec<u16> = (0..3).map(|_| client.answer().status).collect();
    assert_eq!(statuses, [200, 405, 200]);
}

#[test]
fn answers_are_dated() {
    let (_server, address) = server();
    let mut client = Client::new(address);
    // Dates have whole seconds.
    let before = SystemTime::now() - Duration::from_secs(1);
    for request in [GET, "GET /other HTTP/1.1\r\nHost: here\r\n\r\n"] {
        let answer = client.send(request).answer();
        let date = answer.header("Date").expect("a date");
        let date = httpdate::parse_http_date(date).expect("a date of HTTP");
        assert!(before < date && date <= SystemTime::now(), "{date:?}");
    }
}

#[test]
fn head_is_answered_without_the_body() {
    let (_server, address) = server();
    let mut client = Client::new(address);
    client.send("HEAD / HTTP/1.1\r\nHost: here\r\n\r\n");
    let answer = client.head();
    assert_eq!(answer.status, 200);
    assert_eq!(
        answer.header("Content-Length"),
        Some(&*HELLO.len().to_string())
    );
    client.send("HEAD /other HTTP/1.1\r\nHost: here\r\n\r\n");
    assert_eq!(client.head().status, 404);
    client.send(GET).expect_hello();
}

#[test]
fn closes_when_asked_to() {
    let (_server, address) = server();
    for (fields, body) in [
        ("Connection: close\r\n", ""),
        ("connection: x , CLOSE\r\n", ""),
        ("Connection: close\r\nContent-Length: 3\r\n", "abc"),
    ] {
        let mut client = Client::new(address);
        client.send(&format!(
            "GET / HTTP/1.1\r\nHost: here\r\n{fields}\r\n{body}{GET}"
        ));
        let answer = client.answer();
        assert_eq!((answer.status, &*answer.body), (200, HELLO));
        assert_eq!(answer.header("Connection"), Some("close"));
        client.expect_end();
    }
}

#[test]
fn http_1_0_closes_unless_asked_not_to() {
    let (_server, address) = server();
    let mut client = Client::new(address);
    client.send("GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
    let answer = client.answer();
    assert_eq!(answer.header("Connection"), Some("keep-alive"));
    client.send("GET / HTTP/1.0\r\n\r\n");
    let answer = client.answer();
    assert_eq!((answer.status, &*answer.body), (200, HELLO));
    client.expect_end();
}

#[test]
fn a_client_that_is_done_writing_gets_its_answers() {
    let (_server, address) = server();
    let mut client = Client::new(address);
    client.send(&GET.repeat(10));
    client
        .0
        .get_ref()
        .shutdown(Shutdown::Write)
        .expect("shutdown");
    for _ in 0..10 {
        client.expect_hello();
    }
    client.expect_end();
}

#[test]
fn targets_may_have_a_query_or_be_whole_urls() {
    let (_server, address) = server();
    let mut client = Client::new(address);
    for (target, status) in [
        ("/?x=/y", 200),
        ("http://here/", 200),
        ("HTTP://here:80", 200),
        ("http://here/other?/", 404),
        ("*", 404),
    ] {
        client.send(&format!("GET {target} HTTP/1.1\r\nHost: here\r\n\r\n"));
        assert_eq!(client.answer().status, status, "{target}");
    }
}

#[test]
fn what_is_wrong_is_refused() {
    let (_server, address) = server();
    let many = "X: y\r\n".repeat(100);
    let long = format!("X: {}\r\n", "y".repeat(100_000));
    for (status, request) in [
        (400, "nonsense\r\n\r\n".to_owned()),
        (400, "GET / HTTP/1.1\r\n\r\n".to_owned()),
        (400, with("Host: a\r\nHost: b\r\n")),
        (400, with("Host: a\r\nX y: z\r\n")),
        (400, with("Host: a\r\nContent-Length: x\r\n")),
        (400, with("Host: a\r\nContent-Length: +1\r\n")),
        (400, with("Host: a\r\nContent-Length:\r\n")),
        (
            400,
            with("Host: a\r\nContent-Length: 1\r\nContent-Length: 2\r\n"),
        ),
        (
            400,
            with("Host: a\r\nContent-Length: 99999999999999999999\r\n"),
        ),
        (431, with(&format!("Host: a\r\n{many}"))),
        (431, with(&format!("Host: a\r\n{long}"))),
        (501, with("Host: a\r\nTransfer-Encoding: chunked\r\n")),
        (505, "GET / HTTP/2.0\r\n\r\n".to_owned()),
    ] {
        let mut client = Client::new(address);
        // What follows is not to be taken for a request.
        client.send(&(request.clone() + GET));
        let answer = client.answer();
        assert_eq!(answer.status, status, "{request}");
        assert_eq!(answer.header("Connection"), Some("close"));
        client.expect_end();
    }
    Client::new(address).send(GET).expect_hello();
}

fn with(headers: &str) -> String {
    format!("GET / HTTP/1.1\r\n{headers}\r\n")
}

#[test]
fn bodies_are_skipped() {
    let (_server, address) = server();
    let mut client = Client::new(address);
    // One that looks like a request, and one that is larger than any buffer.
    for body in [GET.to_owned(), "x".repeat(3_000_000), String::new()] {
        client.send(&format!(
            "POST / HTTP/1.1\r\nHost: here\r\nContent-Length: {}\r\n\r\n{body}{GET}",
            body.len()
        ));
        let answer = client.answer();
        assert_eq!(answer.status, 405);
        assert_eq!(answer.header("Allow"), Some("GET, HEAD"));
        client.expect_hello();
    }
}

#[test]
fn a_client_may_finish_what_nobody_wants_to_hear() {
    let (_server, address) = server();
    for (fields, length, status) in [
        // The answer comes long before the end of the body, and the connection is not closed until then.
        (
            "Connection: close\r\nContent-Length: 3000000\r\n",
            3_000_000,
            405,
        ),
        // Nobody knows how long it is, but so much is listened to.
        ("Transfer-Encoding: chunked\r\n", 500_000, 501),
    ] {
        let mut stream = connect_small(address);
        let head = format!("POST / HTTP/1.1\r\nHost: here\r\n{fields}\r\n");
        stream.write_all(head.as_bytes()).expect("write");
        stream.write_all(&vec![b'x'; length]).expect("write");
        let mut client = Client(BufReader::new(stream));
        assert_eq!(client.answer().status, status);
        client.expect_end();
    }
}

#[test]
fn a_client_that_asks_first_is_told_to_go_on() {
    let (_server, address) = server();
    let mut client = Client::new(address);
    client
        .send("GET / HTTP/1.1\r\nHost: here\r\nContent-Length: 3\r\nExpect: 100-continue\r\n\r\n");
    assert_eq!(client.head().status, 100);
    client.send("abc").expect_hello();
    client.send(GET).expect_hello();
}

#[test]
fn many_clients() {
    let (_server, address) = server();
    thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| {
                let mut clients: Vec<_> = (0..25).map(|_| Client::new(address)).collect();
                for _ in 0..5 {
                    for client in &mut clients {
                        client.send(GET);
                    }
                    for client in &mut clients {
                        client.expect_hello();
                    }
                }
                for (index, client) in clients.into_iter().enumerate() {
                    let stream = client.0.into_inner();
                    if index % 2 == 0 {
                        reset(stream);
                    } else {
                        stream.shutdown(Shutdown::Write).expect("shutdown");
                        expect_end(&stream);
                    }
                }
            });
        }
    });
    Client::new(address).send(GET).expect_hello();
}
