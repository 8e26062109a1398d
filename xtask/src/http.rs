//! `http`: the example `http_hello` before curl, a browser and wrk, and how fast it is beside the same server on the
//! published mio.

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use crate::bench::release;
use crate::cargo::{each, output, root, run, target_dir, Result};
use crate::debian::{create, provide, write};

/// The programs, this crate's first.
const SERVERS: [&str; 2] = ["http-hello-this", "http-hello-published"];

/// How many clients wrk is.
const CONNECTIONS: [u32; 3] = [1, 64, 512];

/// How often each server has its turn.
const ROUNDS: usize = 15;

/// How long a turn takes: seconds.
const TURN: u32 = 2;

/// `http [--quick]`.
pub(crate) fn check(args: &[&str]) -> Result {
    let rounds = match args {
        [] => ROUNDS,
        ["--quick"] => 3,
        _ => return Err("`http` takes `--quick` and nothing else".to_owned()),
    };
    for program in ["curl", "wrk", "chromium"] {
        provide(program, program)?;
    }
    run(&mut release("bench/http"))?;
    each(SERVERS, |name| {
        let server = Server::start(name)?;
        curl(&server)?;
        browser(&server)
    })?;
    println!(
        "\n{:>11} {:>10} {:>6} {:>13} {:>7} {:>6} {:>13}",
        "connections", "requests/s", "ratio", "quartiles", "CPU ns", "ratio", "quartiles"
    );
    each(CONNECTIONS, |connections| race(connections, rounds))
}

/// A running server. It is killed when it is dropped.
struct Server {
    name: &'static str,
    process: Child,
    /// `http://…`, without a slash at its end.
    url: String,
}

impl Server {
    fn start(name: &'static str) -> Result<Server> {
        let program = target_dir("bench").join("release").join(name);
        let failed = |error| format!("{}: {error}", program.display());
        let mut process = Command::new(&program)
            .arg("127.0.0.1:0")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .map_err(failed)?;
        let mut line = String::new();
        let stdout = process.stdout.take().expect("piped");
        let read = BufReader::new(stdout).read_line(&mut line);
        let url = match line.trim().strip_prefix("listening on ") {
            Some(address) => format!("http://{address}"),
            None => String::new(),
        };
        let server = Server { name, process, url };
        read.map_err(failed)?;
        match server.url.is_empty() {
            true => Err(format!("{name} does not listen")),
            false => Ok(server),
        }
    }

    /// The processor time of its only thread: nanoseconds.
    fn cpu(&self) -> Result<f64> {
        let path = format!("/proc/{}/schedstat", self.process.id());
        let text = fs::read_to_string(&path).map_err(|error| format!("{path}: {error}"))?;
        let first = text.split(' ').next().unwrap_or_default();
        first.parse().map_err(|_| format!("{path}: {text}"))
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// What curl does, and what comes of it: for each transfer the status and how many connections were made for it, then
/// the bodies.
const TRANSFERS: &[(&[&str], &str)] = &[
    (&["/"], "Hello, world!\n200 1\n"),
    (
        &["/", "/?again", "/else"],
        "Hello, world!\n200 1\nHello, world!\n200 0\nThere is nothing here.\n404 0\n",
    ),
    (&["--head", "--output", "/dev/null", "/"], "200 1\n"),
    (&["--http1.0", "/"], "Hello, world!\n200 1\n"),
    // Asks whether it may become HTTP/2. It may not.
    (&["--http2", "/"], "Hello, world!\n200 1\n"),
    // The connection survives a body that nobody wants.
    (
        &["--data", "abc", "/", "/"],
        "GET or HEAD, please.\n405 1\nGET or HEAD, please.\n405 0\n",
    ),
    // So long that curl asks whether it may send it.
    (
        &["--upload-file", "BODY", "/"],
        "GET or HEAD, please.\n405 1\n",
    ),
    (
        &["--upload-file", "BODY", "--header", "Expect:", "/"],
        "GET or HEAD, please.\n405 1\n",
    ),
    (
        &[
            "--data",
            "abc",
            "--header",
            "Transfer-Encoding: chunked",
            "/",
        ],
        "Sorry.\n501 1\n",
    ),
];

fn curl(server: &Server) -> Result {
    let folder = target_dir("http");
    create(&folder)?;
    let body = folder.join("body");
    write(&body, &"x".repeat(3_000_000))?;
    let common = ["--silent", "--show-error", "--max-time", "30"];
    let call = |args: &[&str]| {
        let mut command = Command::new("curl");
        command.args(common);
        for arg in args {
            match *arg {
                "BODY" => command.arg(&body),
                path if path.starts_with('/') && path != "/dev/null" => {
                    command.arg(format!("{}{path}", server.url))
                }
                arg => command.arg(arg),
            };
        }
        command
    };
    each(TRANSFERS, |(args, expected)| {
        let mut command = call(args);
        command.args(["--write-out", "%{http_code} %{num_connects}\\n"]);
        let got = output(&mut command)?;
        match got == *expected {
            true => Ok(()),
            false => Err(format!("curl {}: {got}", args.join(" "))),
        }
    })?;

    let parallel = [
        "--parallel",
        "--parallel-max",
        "50",
        "--no-progress-meter",
        "/?[1-500]",
    ];
    let got = output(&mut call(&parallel))?;
    if got != "Hello, world!\n".repeat(500) {
        return Err(format!("curl --parallel: {got}"));
    }
    println!(
        "{}: curl gets what it should, {} ways",
        server.name,
        TRANSFERS.len() + 1
    );
    Ok(())
}

/// Chromium shows the greeting, and leaves a picture of that.
fn browser(server: &Server) -> Result {
    let folder = target_dir("http");
    let profile = folder.join("profile");
    let call = |option: &str| {
        let mut command = Command::new("chromium");
        command
            .args([
                "--headless",
                // Root has no sandbox there, and a virtual machine no GPU.
                "--no-sandbox",
                "--disable-gpu",
                "--no-first-run",
                "--disable-background-networking",
                "--disable-component-update",
                "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
                "--window-size=480,160",
                "--timeout=30000",
            ])
            .arg(format!("--user-data-dir={}", profile.display()))
            .arg(option)
            .arg(format!("{}/", server.url))
            // It complains of everything that a bare system lacks.
            .stderr(Stdio::null());
        command
    };
    let page = quiet(&mut call("--dump-dom"))?;
    if !page.contains(">Hello, world!\n<") {
        return Err(format!("chromium sees {page}"));
    }
    let picture = picture(&folder, server.name);
    quiet(&mut call(&format!("--screenshot={}", picture.display())))?;
    let _ = fs::remove_dir_all(&profile);
    match fs::read(&picture) {
        Ok(bytes) if bytes.starts_with(b"\x89PNG") => {
            println!("{}: chromium shows {}", server.name, picture.display());
            Ok(())
        }
        _ => Err("chromium has made no picture".to_owned()),
    }
}

fn picture(folder: &Path, name: &str) -> PathBuf {
    let folder = root().join(folder);
    folder.join(name).with_extension("png")
}

/// What a program prints to standard output, without the rest.
fn quiet(command: &mut Command) -> Result<String> {
    let output = command
        .stdin(Stdio::null())
        .output()
        .map_err(|error| format!("{command:?}: {error}"))?;
    match output.status.success() {
        true => Ok(String::from_utf8_lossy(&output.stdout).into_owned()),
        false => Err(format!("{command:?}: {}", output.status)),
    }
}

/// Puts load on the servers in turn, and prints a line of the table.
fn race(connections: u32, rounds: usize) -> Result {
    let mut rates = [Vec::new(), Vec::new()];
    let mut costs = [Vec::new(), Vec::new()];
    for round in 0..rounds {
        // Whoever comes second finds the machine as the first one has left it.
        for turn in 0..SERVERS.len() {
            let which = (round + turn) % SERVERS.len();
            // A new process each time: addresses are drawn anew for each, and matter.
            let server = Server::start(SERVERS[which])?;
            let before = server.cpu()?;
            let (requests, rate) = wrk(&server, connections)?;
            rates[which].push(rate);
            costs[which].push((server.cpu()? - before) / requests);
        }
    }
    let [rate_ratio, cost_ratio] = [&rates, &costs].map(|[this, published]| {
        let ratios = this.iter().zip(published);
        quartiles(ratios.map(|(this, published)| this / published).collect())
    });
    let range = |[low, _, high]: [f64; 3]| format!("{low:.2} to {high:.2}");
    println!(
        "{connections:>11} {:>10.0} {:>6.2} {:>13} {:>7.0} {:>6.2} {:>13}",
        quartiles(rates[0].clone())[1],
        rate_ratio[1],
        range(rate_ratio),
        quartiles(costs[0].clone())[1],
        cost_ratio[1],
        range(cost_ratio),
    );
    Ok(())
}

/// How many requests wrk makes, and how many a second.
fn wrk(server: &Server, connections: u32) -> Result<(f64, f64)> {
    let text = output(
        Command::new("wrk")
            .args(["--threads", "1", "--connections", &connections.to_string()])
            .args(["--duration", &format!("{TURN}s"), &server.url]),
    )?;
    parse(&text).ok_or_else(|| format!("wrk says:\n{text}"))
}

/// Reads what wrk prints, unless there were errors.
fn parse(text: &str) -> Option<(f64, f64)> {
    if text.contains("Socket errors") || text.contains("Non-2xx") {
        return None;
    }
    let requests = text
        .lines()
        .find_map(|line| line.split_once(" requests in "))?;
    let rate = text
        .lines()
        .find_map(|line| line.strip_prefix("Requests/sec:"))?;
    Some((requests.0.trim().parse().ok()?, rate.trim().parse().ok()?))
}

/// The lower quartile, the median and the upper quartile.
fn quartiles(mut values: Vec<f64>) -> [f64; 3] {
    values.sort_by(f64::total_cmp);
    [1, 2, 3].map(|quarter| {
        let place = (values.len() - 1) as f64 * f64::from(quarter) / 4.0;
        let (below, above) = (
            values[place.floor() as usize],
            values[place.ceil() as usize],
        );
        below + (above - below) * place.fract()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_wrk() {
        let text = "Running 2s test @ http://127.0.0.1:1\n  1 threads and 64 connections\n  \
            124601 requests in 2.00s, 9.39MB read\nRequests/sec:  62179.47\nTransfer/sec:      4.68MB\n";
        assert_eq!(parse(text), Some((124_601.0, 62_179.47)));
        let errors = format!("{text}  Socket errors: connect 0, read 1, write 0, timeout 0\n");
        assert_eq!(parse(&errors), None);
        assert_eq!(parse("unable to connect"), None);
    }

    #[test]
    fn quartiles_lie_between_values() {
        assert_eq!(quartiles(vec![4.0, 1.0, 3.0, 2.0]), [1.75, 2.5, 3.25]);
        assert_eq!(quartiles(vec![7.0]), [7.0; 3]);
    }
}
