//! The record of a day: a page with plots, below `records/`.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::counts::Counts;
use crate::ops::Memory;
use crate::outcome::Outcome;
use crate::plot;
use crate::table::{number, INLINE, LIBC, OTHERS, OURS, PUBLISHED};
use crate::whole::Whole;

/// What has been measured.
pub(crate) struct Record {
    pub(crate) outcomes: Vec<Outcome>,
    pub(crate) wholes: Vec<Whole>,
    pub(crate) counts: Vec<Counts>,
    pub(crate) memory: Vec<(&'static str, Memory)>,
    /// The load of the machine before.
    pub(crate) load: f64,
}

const TOKIO: &str = "tokio on mio";
const TOKIO_PUBLISHED: &str = "tokio on mio 1.2.5";

impl Record {
    /// Writes it below `folder`, and tells where.
    pub(crate) fn write(&self, folder: &Path) -> Result<PathBuf, Box<dyn std::error::Error>> {
        fs::create_dir_all(folder)?;
        let date = said(Command::new("date").args(["-u", "+%Y-%m-%d"]));
        let file = |name: &str| folder.join(format!("{date}{name}"));
        plot::ratios(&file("-ratios.svg"), &self.outcomes)?;
        plot::servers(&file("-servers.svg"), &self.wholes)?;
        for (operation, name, title) in [
            (
                "wake across threads",
                "-wake.svg",
                "From a wake until the other thread's poll has returned",
            ),
            (
                "timeout of 50 µs",
                "-timeout.svg",
                "How long a poll with a timeout of 50 µs takes",
            ),
        ] {
            let mut outcomes = self.outcomes.iter();
            if let Some(outcome) = outcomes.find(|outcome| outcome.operation.name == operation) {
                plot::distribution(&file(name), outcome, title)?;
            }
        }
        let path = file(".md");
        fs::write(&path, self.page(&date))?;
        Ok(path)
    }

    fn page(&self, date: &str) -> String {
        let mut page = format!("# {date}\n\n");
        page += &self.machine();
        page += "\n## Goals\n\nBehind each goal: what bare inline system calls come to. The goals are from a Zen 4; another \
                 processor may have that floor above them.\n\n\
                 | operation | to mio 1.2.5 | goal | floor | to libc | goal | floor |\n\
                 | --- | --- | --- | --- | --- | --- | --- |\n";
        page += &self.goals();
        let _ = write!(
            page,
            "\n## Operations\n\n![ratios]({date}-ratios.svg)\n\nNanoseconds are lower quartiles. Ratios are those of this \
             crate's time to the other's: the median of the processes, and their quartiles.\n\n"
        );
        page += &self.operations();
        let _ = write!(
            page,
            "\nFrom a wake on one thread until the poll of another has returned:\n\n![wake]({date}-wake.svg)\n\nWhat a \
             timeout of 50 µs comes to. The timer slack of a thread, 50 µs unless changed, is part of it; polling sets a \
             timer instead, which has none, for two more system calls:\n\n![timeout]({date}-timeout.svg)\n"
        );
        let _ = write!(
            page,
            "\n## Whole servers\n\nEcho of 64 bytes over TCP, server and load in two processes. Each connection sends its \
             next request when it has the answer to the last one.\n\n![servers]({date}-servers.svg)\n\n"
        );
        page += &self.servers();
        page += "\n## Counts\n\nInstructions in user space; system calls in parentheses.\n\n";
        page += &self.counted();
        page += "\nBytes of memory for each source, beside the kernel's, which are the same for all:\n\n";
        page += "| | a TCP stream | its registration |\n| --- | --- | --- |\n";
        for (name, memory) in &self.memory {
            let Memory {
                stream,
                registration,
            } = memory;
            let _ = writeln!(page, "| {name} | {stream} | {registration:.0} |");
        }
        page
    }

    fn machine(&self) -> String {
        let info = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
        let field = |name: &str| {
            let line = info.lines().find(|line| line.starts_with(name));
            let value = line.and_then(|line| line.split_once(':'));
            value
                .map_or("unknown", |(_, value)| value.trim())
                .to_owned()
        };
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        let mut text = format!(
            "{} (family {}, model {}), {cores} cores{}; {}; {}.\n",
            field("model name"),
            field("cpu family"),
            field("model\t"),
            if info.contains(" hypervisor") {
                ", virtual machine"
            } else {
                ""
            },
            said(Command::new("uname").args(["-sr"])),
            said(Command::new("rustc").arg("-V")),
        );
        text += "Default release profile, no LTO.\n";
        let (before, after) = (self.load, load());
        if before > 0.5 {
            let _ = write!(
                text,
                "\n**The machine had other work to do**: its load was {before:.1} before and {after:.1} after. Ratios of \
                 what takes turns bear that, absolute numbers do not, and the spread is wider than on a quiet machine.\n"
            );
        }
        text += &self.disturbances();
        text
    }

    /// What share of the samples does not count, and where none does.
    fn disturbances(&self) -> String {
        let operations = self
            .outcomes
            .iter()
            .map(|outcome| (outcome.operation.name.to_owned(), &outcome.measured));
        let wholes = self
            .wholes
            .iter()
            .map(|whole| (format!("servers with {}", whole.title()), &whole.measured));
        let (mut all, mut left_out, mut disturbed) = (0, 0, Vec::new());
        for (name, measured) in operations.chain(wholes) {
            let (of_these, not_counted) = measured.left_out();
            all += of_these;
            left_out += not_counted;
            if measured.is_disturbed() {
                disturbed.push(name);
            }
        }
        let share = 100.0 * left_out as f64 / all as f64;
        let mut text = format!(
            "\nOf {} samples {share:.0} % do not count, because something else ran on the same core.\n",
            number(all as f64)
        );
        if !disturbed.is_empty() {
            let _ = write!(
                text,
                "\n**Too few samples were quiet, so all of them count**: {}.\n",
                disturbed.join(", ")
            );
        }
        text
    }

    fn goals(&self) -> String {
        let mut text = String::new();
        type Pair = [Option<f64>; 2];
        let mut row = |name: &str, ratios: Pair, goals: Pair, floors: Pair| {
            let _ = write!(text, "| {name} ");
            for ((ratio, goal), floor) in ratios.into_iter().zip(goals).zip(floors) {
                match (ratio, goal) {
                    (Some(ratio), Some(goal)) => {
                        let met = (ratio * 100.0).round() <= (goal * 100.0).round();
                        let verdict = if met { "met" } else { "**missed**" };
                        let _ = write!(text, "| {ratio:.2} | ≤ {goal:.2} {verdict} ");
                    }
                    (Some(ratio), None) => {
                        let _ = write!(text, "| {ratio:.2} | ");
                    }
                    _ => text += "| | ",
                }
                let _ = match floor {
                    Some(floor) => write!(text, "| {floor:.2} "),
                    None => write!(text, "| "),
                };
            }
            text += "|\n";
        };
        for outcome in &self.outcomes {
            let (to_mio, to_libc) = outcome.operation.goal;
            if to_mio.or(to_libc).is_some() {
                let ratios = |of| {
                    [PUBLISHED, LIBC].map(|to| outcome.ratio(of, to).map(|ratio| ratio.middle))
                };
                let name = outcome.operation.name;
                row(name, ratios(OURS), [to_mio, to_libc], ratios(INLINE));
            }
        }
        for whole in &self.wholes {
            let ratio = |ours, theirs| whole.ratio(ours, theirs).map(|ratio| ratio.middle);
            let goals = match whole.connections {
                64 | 512 => [Some(0.88), Some(0.90)],
                _ => [None, None],
            };
            let name = format!("echo server, CPU per request, {}", whole.title());
            let ratios = |of| [ratio(of, PUBLISHED), ratio(of, LIBC)];
            row(&name, ratios(OURS), goals, ratios(INLINE));
            let name = format!("tokio's echo, CPU per request, {}", whole.title());
            let goal = (whole.connections >= 64).then_some(0.96);
            let ratios = [ratio(TOKIO, TOKIO_PUBLISHED), None];
            row(&name, ratios, [goal, None], [None, None]);
        }
        text
    }

    fn operations(&self) -> String {
        let mut text = String::from("| operation | ns |");
        for name in OTHERS {
            let _ = write!(text, " to {name} |");
        }
        text += "\n| --- | --- |";
        text += &" --- |".repeat(OTHERS.len());
        for outcome in &self.outcomes {
            let nanos = outcome.nanos(OURS).map_or(String::new(), number);
            let _ = write!(text, "\n| {} | {nanos} |", outcome.operation.name);
            for name in OTHERS {
                match outcome.ratio(OURS, name) {
                    Some(ratio) => {
                        let (low, high) = (ratio.low, ratio.high);
                        let _ = write!(text, " {:.2} ({low:.2}–{high:.2}) |", ratio.middle);
                    }
                    None => text += " |",
                }
            }
        }
        text + "\n"
    }

    fn servers(&self) -> String {
        let mut text = String::from(
            "| connections | server | CPU for a request, µs | ratio of ours to it | requests in a second |\n\
             | --- | --- | --- | --- | --- |\n",
        );
        for whole in &self.wholes {
            for name in &whole.names {
                let ours = if name.starts_with("tokio") {
                    TOKIO
                } else {
                    OURS
                };
                let ratio = match whole.ratio(ours, name) {
                    Some(ratio) if name != ours => {
                        format!("{:.2} ({:.2}–{:.2})", ratio.middle, ratio.low, ratio.high)
                    }
                    _ => String::new(),
                };
                let _ = writeln!(
                    text,
                    "| {} | {name} | {:.2} | {ratio} | {} |",
                    whole.connections,
                    whole.nanos(name).unwrap_or(f64::NAN) / 1e3,
                    number(whole.throughput(name).unwrap_or(f64::NAN)),
                );
            }
        }
        text
    }

    fn counted(&self) -> String {
        let mut text = format!("| operation | {OURS} |");
        for name in OTHERS {
            let _ = write!(text, " {name} |");
        }
        text += "\n| --- | --- |";
        text += &" --- |".repeat(OTHERS.len());
        for operation in &self.counts {
            let _ = write!(text, "\n| {} |", operation.name);
            for name in [OURS].iter().chain(&OTHERS) {
                let _ = match operation.of(name) {
                    Some(count) => {
                        write!(text, " {:.0} ({:.0}) |", count.instructions, count.calls)
                    }
                    None => write!(text, " |"),
                };
            }
        }
        text + "\n"
    }
}

/// How many threads of the whole machine have wanted a processor in the last minute.
pub(crate) fn load() -> f64 {
    let text = fs::read_to_string("/proc/loadavg").unwrap_or_default();
    let first = text.split_whitespace().next();
    first.and_then(|word| word.parse().ok()).unwrap_or(f64::NAN)
}

/// The first line that a program says.
fn said(command: &mut Command) -> String {
    let output = command.output().map(|output| output.stdout);
    let text = String::from_utf8(output.unwrap_or_default()).unwrap_or_default();
    text.lines().next().unwrap_or("unknown").to_owned()
}
