//! The files that the rules read, and what a rule can ask of their text.

use std::fs;
use std::path::Path;

/// The folders whose files the rules read.
const FOLDERS: &[&str] = &["src", "tests", "examples", "bench", "xtask"];

/// The files the rules read.
pub(crate) fn tree() -> Vec<File> {
    // Cargo says it at run time, too. What it said at compile time may be another checkout with the same build folder.
    let root = std::env::var_os("CARGO_MANIFEST_DIR").unwrap_or(env!("CARGO_MANIFEST_DIR").into());
    let root = Path::new(&root);
    let mut paths = Vec::new();
    for folder in FOLDERS {
        collect(root, folder, &mut paths);
    }
    for name in names(root) {
        if name.ends_with(".md") {
            paths.push(name);
        }
    }
    let read = |path: &String| Some(File::new(path, &fs::read_to_string(root.join(path)).ok()?));
    paths.iter().filter_map(read).collect()
}

/// The Rust and Markdown files below a folder.
fn collect(root: &Path, folder: &str, paths: &mut Vec<String>) {
    for name in names(&root.join(folder)) {
        let path = format!("{folder}/{name}");
        if root.join(&path).is_dir() {
            if name != "target" {
                collect(root, &path, paths);
            }
        } else if name.ends_with(".rs") || name.ends_with(".md") {
            paths.push(path);
        }
    }
}

fn names(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let mut names: Vec<String> = entries
        .filter_map(|entry| entry.file_name().into_string().ok())
        .collect();
    names.sort();
    names
}

/// What cargo compiles by itself.
pub(crate) fn is_root(path: &str) -> bool {
    let mut parts = path.rsplit('/');
    let (file, parent, above) = (parts.next(), parts.next(), parts.next());
    let collects = |name| matches!(name, Some("tests" | "examples" | "benches" | "bin"));
    let entry = matches!(file, Some("main.rs" | "lib.rs"));
    path.ends_with(".rs")
        && (collects(parent) || (entry && (parent == Some("src") || collects(above))))
}

/// What the rules read of a file.
pub(crate) struct File {
    /// From the root of the repository, with `/`.
    pub(crate) path: String,
    pub(crate) text: String,
    /// The same text with spaces for comments and for what stands in quotes, byte by byte.
    pub(crate) code: String,
}

impl File {
    pub(crate) fn new(path: &str, text: &str) -> File {
        let code = if path.ends_with(".rs") {
            blank(text)
        } else {
            String::new()
        };
        File {
            path: path.to_owned(),
            text: text.to_owned(),
            code,
        }
    }

    pub(crate) fn is_rust(&self) -> bool {
        self.path.ends_with(".rs")
    }

    pub(crate) fn line(&self, at: usize) -> usize {
        self.text[..at].matches('\n').count() + 1
    }

    /// Whether a comment with `mark` stands on the line of `at` or above the statement that it is part of.
    pub(crate) fn explained(&self, at: usize, mark: &str) -> bool {
        let lines: Vec<&str> = self.text.lines().map(str::trim).collect();
        let line = self.line(at) - 1;
        if lines[line].contains(mark) {
            return true;
        }
        let above = lines[..line].iter().rev();
        let mut comment = above
            .skip_while(|text| {
                let ends =
                    text.is_empty() || text.ends_with([';', '{', '}']) || text.starts_with("//");
                !ends || text.starts_with("#[")
            })
            .take_while(|text| {
                text.starts_with("//") && !text.starts_with("///") && !text.starts_with("//!")
            });
        comment.any(|text| text.contains(mark))
    }
}

/// Spaces for comments and the contents of strings and characters; offsets and lines stay.
fn blank(text: &str) -> String {
    let mut code = Vec::with_capacity(text.len());
    let mut at = 0;
    while at < text.len() {
        let rest = &text[at..];
        // How much of the rest is blanked, between a head and a tail that stay.
        let (head, body, tail) = if rest.starts_with("//") {
            (0, rest.find('\n').unwrap_or(rest.len()), 0)
        } else if rest.starts_with("/*") {
            (0, block_comment(rest), 0)
        } else if let Some(hashes) = raw_string(text, at) {
            let close = format!("\"{}", &"#".repeat(hashes));
            let head = rest.find('"').unwrap_or(0) + 1;
            (
                head,
                rest[head..].find(&close).unwrap_or(rest.len() - head),
                close.len(),
            )
        } else if let Some(string) = rest.strip_prefix('"') {
            (1, quoted(string, '"'), 1)
        } else if is_character(rest) {
            (1, quoted(&rest[1..], '\''), 1)
        } else {
            (rest.chars().next().map_or(1, char::len_utf8), 0, 0)
        };
        let end = (at + head + body + tail).min(text.len());
        code.extend_from_slice(&text.as_bytes()[at..at + head]);
        code.extend(
            text.as_bytes()[at + head..at + head + body]
                .iter()
                .map(|&b| if b == b'\n' { b } else { b' ' }),
        );
        code.extend_from_slice(&text.as_bytes()[at + head + body..end]);
        at = end;
    }
    String::from_utf8(code).expect("cut between characters")
}

fn block_comment(text: &str) -> usize {
    let (mut depth, mut at) = (0, 0);
    while at < text.len() {
        let rest = &text[at..];
        let mut step = 2;
        if rest.starts_with("/*") {
            depth += 1;
        } else if rest.starts_with("*/") {
            depth -= 1;
        } else {
            step = rest.chars().next().map_or(1, char::len_utf8);
        }
        at += step;
        if depth == 0 {
            break;
        }
    }
    at
}

/// How many `#` the raw string that starts here has.
fn raw_string(text: &str, at: usize) -> Option<usize> {
    if text[..at].chars().next_back().is_some_and(is_name) {
        return None;
    }
    let rest = text[at..]
        .strip_prefix(['b', 'c'])
        .unwrap_or(&text[at..])
        .strip_prefix('r')?;
    let hashes = rest.len() - rest.trim_start_matches('#').len();
    rest[hashes..].starts_with('"').then_some(hashes)
}

/// Whether a quote starts a character rather than a lifetime.
fn is_character(text: &str) -> bool {
    let mut chars = text.chars();
    let (open, first, second) = (chars.next(), chars.next(), chars.next());
    open == Some('\'') && (first == Some('\\') || second == Some('\''))
}

/// The length of what stands before the closing quote.
fn quoted(text: &str, quote: char) -> usize {
    let mut escaped = false;
    for (at, symbol) in text.char_indices() {
        match symbol {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            symbol if symbol == quote => return at,
            _ => {}
        }
    }
    text.len()
}

/// Where `word` stands in `text` as a word of its own.
pub(crate) fn words<'a>(text: &'a str, word: &'a str) -> impl Iterator<Item = usize> + 'a {
    text.match_indices(word)
        .map(|(at, _)| at)
        .filter(move |&at| is_word(text, at, word))
}

pub(crate) fn is_word(text: &str, at: usize, word: &str) -> bool {
    let end = at + word.len();
    text[at..].starts_with(word)
        && !text[..at].chars().next_back().is_some_and(is_name)
        && !(word.ends_with(is_name) && text[end..].chars().next().is_some_and(is_name))
}

pub(crate) fn is_name(symbol: char) -> bool {
    symbol.is_alphanumeric() || symbol == '_'
}

/// A small tree of its own to try a rule on.
#[cfg(test)]
pub(crate) fn files(files: &[(&str, &str)]) -> Vec<File> {
    files
        .iter()
        .map(|(path, text)| File::new(path, text))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn comments_and_quotes_are_blank() {
        let text =
            "a /* b /* c */ \n */ d // e\nf \"g \\\" h\" r#\"i \" j\"# b'k' '\\'' 'l m: &'n str é";
        let code = blank(text);
        assert_eq!(code.len(), text.len());
        let left: String = code.chars().filter(|c| c.is_alphanumeric()).collect();
        assert_eq!(left, "adfrblmnstré");
        assert_eq!(code.matches('\n').count(), 2);
    }
}
