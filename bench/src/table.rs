//! The table on the terminal.

use crate::counts::Counts;
use crate::ops::Memory;
use crate::outcome::Outcome;
use crate::whole::Whole;

/// What the ratios are about, and what it is held against.
pub(crate) const OURS: &str = "mio";
pub(crate) const PUBLISHED: &str = "mio 1.2.5";
pub(crate) const LIBC: &str = "libc";
/// The floor: what no event queue can be faster than.
pub(crate) const INLINE: &str = "inline";

/// The subjects beside ours, in the order of the columns.
pub(crate) const OTHERS: [&str; 5] = [PUBLISHED, LIBC, INLINE, "polling 3.11", "mio on poll(2)"];

/// The line above the others.
pub(crate) fn head() -> String {
    let mut line = format!("{:<26} {:>10}", "operation", "mio, ns");
    for name in OTHERS {
        line += &format!(" {:>21}", format!("to {name}"));
    }
    line + "  goal"
}

/// One operation: nanoseconds, lower quartile; ratios to the others, median and quartiles.
pub(crate) fn line(outcome: &Outcome) -> String {
    let nanos = outcome.nanos(OURS).map_or(String::new(), number);
    let mut line = format!("{:<26} {nanos:>10}", outcome.operation.name);
    for name in OTHERS {
        let ratio = outcome.ratio(OURS, name).map_or(String::new(), |ratio| {
            format!("{:.2} ({:.2}–{:.2})", ratio.middle, ratio.low, ratio.high)
        });
        line += &format!(" {ratio:>21}");
    }
    line + "  "
        + &goals(outcome)
        + "\n    "
        + outcome.operation.about
        + "; "
        + &outcome.measured.remark()
}

/// What was wanted, and whether it was reached.
fn goals(outcome: &Outcome) -> String {
    let (to_mio, to_libc) = outcome.operation.goal;
    let goal = |name: &str, wanted: Option<f64>| {
        let (wanted, ratio) = (wanted?, outcome.ratio(OURS, name)?.middle);
        // As precise as it is printed.
        let verdict = if (ratio * 100.0).round() <= (wanted * 100.0).round() {
            "met"
        } else {
            "MISSED"
        };
        Some(format!("{name} ≤ {wanted:.2} {verdict}"))
    };
    let goals = [goal(PUBLISHED, to_mio), goal(LIBC, to_libc)];
    goals.into_iter().flatten().collect::<Vec<_>>().join(", ")
}

/// The table of what is counted: instructions, and system calls where they are not as many as the floor's.
pub(crate) fn counts(counts: &[Counts]) -> String {
    let mut text = format!("{:<26} {OURS:>15}", "instructions (calls)");
    for name in OTHERS {
        text += &format!(" {name:>15}");
    }
    for operation in counts {
        text += &format!("\n{:<26}", operation.name);
        for name in [OURS].iter().chain(&OTHERS) {
            let cell = operation.of(name).map_or(String::new(), |count| {
                format!("{:.0} ({:.1})", count.instructions, count.calls)
            });
            text += &format!(" {cell:>15}");
        }
    }
    text + "\n"
}

/// Whole servers with one number of connections.
pub(crate) fn servers(whole: &Whole) -> String {
    let mut text = format!(
        "\n{:<26} {:>14} {:>14} {:>21}\n",
        whole.title(),
        "ns/request",
        "requests/s",
        "mio to it"
    );
    for name in &whole.names {
        let ours = if name.starts_with("tokio") {
            "tokio on mio"
        } else {
            OURS
        };
        let ratio = whole.ratio(ours, name).map_or(String::new(), |ratio| {
            format!("{:.2} ({:.2}–{:.2})", ratio.middle, ratio.low, ratio.high)
        });
        text += &format!(
            "{name:<26} {:>14} {:>14} {ratio:>21}\n",
            whole.nanos(name).map_or(String::new(), number),
            whole.throughput(name).map_or(String::new(), number),
        );
    }
    text + "    " + &whole.measured.remark() + "\n"
}

/// The bytes that a source takes.
pub(crate) fn memory(subjects: &[(&str, Memory)]) -> String {
    let mut text = String::from("bytes: a TCP stream, and its registration\n");
    for (name, memory) in subjects {
        text += &format!(
            "{name:<26} {:>6} {:>8.1}\n",
            memory.stream, memory.registration
        );
    }
    text
}

/// Nanoseconds with a comma between the thousands.
pub(crate) fn number(nanos: f64) -> String {
    let digits = format!("{nanos:.0}");
    let mut text = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index) % 3 == 0 {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::number;

    #[test]
    fn thousands_are_apart() {
        assert_eq!(number(7.4), "7");
        assert_eq!(number(999.0), "999");
        assert_eq!(number(1_000.0), "1,000");
        assert_eq!(number(1_234_567.0), "1,234,567");
    }
}
