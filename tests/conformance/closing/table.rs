//! The tables of `PLATFORMS.md` that say what each backend reports, read by the tests and not written again.

use std::iter;

use mio::Backend;

use crate::backends::is_measured;
use crate::ready::Ready;

const PLATFORMS: &str = include_str!("../../../PLATFORMS.md");

/// When a source was brought into its state.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub(super) enum When {
    /// Before it was registered.
    Before,
    /// While it was registered, edge-triggered, for all that it can do; its first events had been taken, and it had been
    /// read until it would block.
    Meanwhile,
}

impl When {
    /// What the table stands under.
    fn heading(self) -> &'static str {
        match self {
            When::Before => "### Registered afterwards",
            When::Meanwhile => "### Registered and idle before",
        }
    }
}

/// A row of a table.
#[derive(Debug)]
pub(super) struct Row {
    pub(super) source: &'static str,
    pub(super) state: &'static str,
    cells: Vec<(&'static str, &'static str)>,
}

impl Row {
    /// What a backend reports, by one event or several. `None` if nobody has measured it.
    #[track_caller]
    pub(super) fn said_by(&self, backend: Backend) -> Option<Ready> {
        if !is_measured(backend) {
            return None;
        }
        let name = match backend {
            Backend::Epoll => "epoll",
            Backend::Kqueue => "kqueue (model)",
            // The model says what `poll(2)` does, and edges are made of it in the same way.
            Backend::EventPorts | Backend::Poll => "`poll(2)`",
            Backend::Afd => "AFD (Wine)",
            other => panic!("{other} has no column"),
        };
        let cell = self.cells.iter().find(|(column, _)| *column == name);
        let (_, cell) = cell.unwrap_or_else(|| panic!("no column of {name}"));
        match *cell {
            "?" => None,
            "no event" => Some(Ready::ANY),
            said => Some(
                said.split(' ')
                    .map(abbreviated)
                    .fold(Ready::ANY, Ready::and),
            ),
        }
    }
}

/// The rows of one table.
pub(super) fn rows(when: When) -> Vec<Row> {
    let mut lines = PLATFORMS
        .lines()
        .skip_while(|line| *line != when.heading())
        .skip_while(|line| !line.starts_with('|'))
        .take_while(|line| line.starts_with('|'))
        .map(cells);
    let header = lines.next().expect("the table is gone");
    assert_eq!(header[..2], ["source", "state"]);
    let mut source = "";
    lines
        .skip(1) // the line of dashes
        .map(|cells| {
            assert_eq!(cells.len(), header.len(), "{cells:?}");
            // As above, if it is left out.
            source = match cells[0] {
                "" => source,
                named => named,
            };
            let said = cells[2..].iter().copied();
            Row {
                source,
                state: cells[1],
                cells: iter::zip(header[2..].iter().copied(), said).collect(),
            }
        })
        .collect()
}

fn cells(line: &'static str) -> Vec<&'static str> {
    let line = line.trim_matches('|');
    line.split('|').map(str::trim).collect()
}

fn abbreviated(word: &str) -> Ready {
    match word {
        "r" => Ready::READABLE,
        "w" => Ready::WRITABLE,
        "rc" => Ready::READ_CLOSED,
        "wc" => Ready::WRITE_CLOSED,
        "e" => Ready::ERROR,
        "p" => Ready::PRIORITY,
        other => panic!("`{other}` in a table of PLATFORMS.md"),
    }
}
