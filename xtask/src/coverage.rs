//! `coverage`: what of the library no test of this machine reaches, failures of system calls included: lines, and the
//! parts of a line that is reached, such as the error of a `?`.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;

use crate::cargo::{cargo, install, output, root, run as run_command, target_dir, test, Result};
use crate::{debian, inject};

/// `coverage`.
pub(crate) fn run() -> Result {
    install("llvm-cov", "cargo-llvm-cov")?;
    let environment = environment()?;
    let with = |mut command: Command| {
        command.envs(environment.iter().map(|(name, value)| (name, value)));
        command
    };
    run_command(&mut with(cargo(&["llvm-cov", "clean", "--workspace"])))?;
    // What a test leaves uncovered because it fails is known by the failure. The table is of use all the same.
    let tests = test(&mut with(cargo(&[
        "test",
        "--no-fail-fast",
        "--all-features",
        "--lib",
        "--tests",
    ])));
    let faults = inject::run_with(&environment);
    let report = |format| output(&mut with(cargo(&["llvm-cov", "report", format])));
    let source = root().join("src");
    let mut files = files(&report("--lcov")?, &source);
    add_parts(&report("--json")?, &source, &mut files);
    print!("{}", table(&files));
    tests.and(faults)
}

/// The variables that make cargo build and run programs that count.
fn environment() -> Result<Vec<(String, String)>> {
    let mut show = cargo(&["llvm-cov", "show-env", "--no-cfg-coverage"]);
    let folder = target_dir("coverage");
    let mut variables = tools()?;
    variables.push(("CARGO_TARGET_DIR".to_owned(), folder.display().to_string()));
    show.envs(variables.iter().map(|(name, value)| (name, value)));
    variables.extend(output(&mut show)?.lines().filter_map(|line| {
        let (name, value) = line.split_once('=')?;
        Some((name.to_owned(), value.trim_matches('\'').to_owned()))
    }));
    Ok(variables)
}

/// The programs of LLVM that read what the compiler's LLVM has written: rustup's component, or the system's package of the
/// same version.
fn tools() -> Result<Vec<(String, String)>> {
    let libdir = ["--print", "target-libdir"];
    let libdir = output(Command::new("rustc").args(libdir).current_dir(root()))?;
    let component = Path::new(libdir.trim()).with_file_name("bin");
    if component.join("llvm-cov").exists() {
        return Ok(Vec::new());
    }
    let version = output(Command::new("rustc").arg("-vV").current_dir(root()))?;
    let major = version
        .lines()
        .find_map(|line| line.strip_prefix("LLVM version: ")?.split('.').next())
        .ok_or("`rustc -vV` names no version of LLVM")?;
    let tool = |name: &str| format!("{name}-{major}");
    debian::provide(&tool("llvm-cov"), &format!("llvm-{major}"))?;
    Ok(vec![
        ("LLVM_COV".to_owned(), tool("llvm-cov")),
        ("LLVM_PROFDATA".to_owned(), tool("llvm-profdata")),
    ])
}

#[derive(Default)]
struct File {
    /// How often each line was reached.
    lines: BTreeMap<u32, u64>,
    /// Where something begins that was not reached: line and column.
    parts: Vec<(u32, u32)>,
}

/// The name by which a file is listed: those below `folder`, without tests.
fn listed(path: &str, folder: &Path) -> Option<String> {
    let path = Path::new(path).strip_prefix(folder).ok()?;
    let name = path.display().to_string();
    (!name.ends_with("_tests.rs")).then_some(name)
}

/// Reads the lines from a report of the format `lcov`.
fn files(lcov: &str, folder: &Path) -> BTreeMap<String, File> {
    let mut files: BTreeMap<String, File> = BTreeMap::new();
    let mut current = None;
    for record in lcov.lines() {
        if let Some(path) = record.strip_prefix("SF:") {
            current = listed(path, folder);
        } else if let (Some(name), Some(data)) = (&current, record.strip_prefix("DA:")) {
            let mut numbers = data.split(',').map(str::parse::<u64>);
            if let (Some(Ok(line)), Some(Ok(count))) = (numbers.next(), numbers.next()) {
                let file = files.entry(name.clone()).or_default();
                *file.lines.entry(line as u32).or_default() += count;
            }
        }
    }
    files
}

/// Adds the parts of lines, from a report of the format of `llvm-cov export`. In it a file has segments: line, column,
/// how often, whether that was counted, whether something begins here, and whether that is only a gap.
fn add_parts(json: &str, folder: &Path, files: &mut BTreeMap<String, File>) {
    for text in json.split("\"filename\":\"").skip(1) {
        let file = text.split('"').next();
        let file = file.and_then(|path| files.get_mut(&listed(path, folder)?));
        let segments = text
            .split_once("\"segments\":[[")
            .and_then(|(_, rest)| rest.split("]]").next());
        let (Some(file), Some(segments)) = (file, segments) else {
            continue;
        };
        for segment in segments.split("],[") {
            let mut fields = segment.splitn(3, ',');
            let line = fields.next().and_then(|text| text.parse().ok());
            let column = fields.next().and_then(|text| text.parse().ok());
            if let (Some(line), Some(column), Some("0,true,true,false")) =
                (line, column, fields.next())
            {
                file.parts.push((line, column));
            }
        }
    }
}

fn table(files: &BTreeMap<String, File>) -> String {
    let width = files.keys().map(String::len).max().unwrap_or(0).max(8);
    let mut table = format!(
        "\n{:<width$} {:>5} {:>6}  not reached\n",
        "src/", "lines", ""
    );
    let (mut all, mut reached) = (0, 0);
    for (path, file) in files {
        let total = file.lines.len();
        let missed = file.lines.values().filter(|&&count| count == 0).count();
        all += total;
        reached += total - missed;
        let share = percent(total - missed, total);
        let missing = file.missing().join(", ");
        table += &format!("{path:<width$} {total:>5} {share:>6}  {missing}\n");
    }
    table + &format!("{:<width$} {all:>5} {:>6}\n", "all", percent(reached, all))
}

impl File {
    /// What was not reached: lines, of which neighbours are one range, and `line:column` of parts.
    fn missing(&self) -> Vec<String> {
        let mut ranges: Vec<(u32, u32)> = Vec::new();
        let mut open = false;
        for (&line, &count) in &self.lines {
            match ranges.last_mut() {
                Some((_, end)) if open && count == 0 => *end = line,
                _ if count == 0 => ranges.push((line, line)),
                _ => {}
            }
            open = count == 0;
        }
        let in_range = |line| {
            ranges
                .iter()
                .any(|&(start, end)| (start..=end).contains(&line))
        };
        let parts = self.parts.iter().filter(|(line, _)| !in_range(*line));
        let mut missing: Vec<(u32, String)> = parts
            .map(|&(line, column)| (line, format!("{line}:{column}")))
            .collect();
        missing.extend(ranges.iter().map(|&(start, end)| match start == end {
            true => (start, start.to_string()),
            false => (start, format!("{start}-{end}")),
        }));
        missing.sort();
        missing.into_iter().map(|(_, text)| text).collect()
    }
}

fn percent(part: usize, whole: usize) -> String {
    format!("{:.1}%", 100.0 * part as f64 / whole.max(1) as f64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_was_not_reached() {
        let lcov = "\
SF:/r/src/a.rs
DA:1,5
DA:2,0
DA:4,0
DA:5,1
DA:9,0
end_of_record
SF:/r/src/a_tests.rs
DA:1,0
SF:/r/tests/b.rs
DA:1,0
SF:/r/src/sys/c.rs
DA:1,1";
        let json = "{\"data\":[{\"files\":[{\"filename\":\"/r/src/a.rs\",\"segments\":\
            [[2,1,0,true,true,false],[5,7,0,true,true,false],[5,9,0,true,true,true],[6,1,1,true,false,false]]},\
            {\"filename\":\"/r/tests/b.rs\",\"segments\":[[1,1,0,true,true,false]]}]}]}";
        let folder = Path::new("/r/src");
        let mut files = files(lcov, folder);
        add_parts(json, folder, &mut files);
        let names: Vec<&str> = files.keys().map(String::as_str).collect();
        assert_eq!(names, ["a.rs", "sys/c.rs"]);
        assert_eq!(files["a.rs"].missing(), ["2-4", "5:7", "9"]);
        let table = table(&files);
        assert!(table.contains(" 40.0%  2-4, 5:7, 9\n"), "{table}");
        assert!(table.contains("100.0%"), "{table}");
    }
}
