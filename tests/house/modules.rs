//! No dead files: `mod` and `include!` lead to each.

use std::collections::{BTreeMap, BTreeSet};

use crate::tree::{is_name, is_root, is_word, words, File};

/// Every Rust file hangs from a crate's root through `mod` or `include!`, and every other file under `src` through
/// `include_str!`.
pub(crate) fn dead_files(files: &[File]) -> Vec<String> {
    let known: BTreeMap<&str, &File> = files
        .iter()
        .map(|file| (file.path.as_str(), file))
        .collect();
    let mut reached = BTreeSet::new();
    let mut queue: Vec<(String, bool)> = files
        .iter()
        .filter(|file| is_root(&file.path))
        .map(|file| (file.path.clone(), true))
        .collect();
    while let Some((path, owns_folder)) = queue.pop() {
        if let (Some(file), true) = (known.get(path.as_str()), reached.insert(path.clone())) {
            queue.extend(references(file, owns_folder));
        }
    }
    files
        .iter()
        .filter(|file| file.is_rust() || file.path.starts_with("src/"))
        .filter(|file| !reached.contains(&file.path))
        .map(|file| format!("{}: no `mod` or `include` leads here", file.path))
        .collect()
}

/// The paths that a file may pull in, and whether each would own its folder as `mod.rs` does.
fn references(file: &File, owns_folder: bool) -> Vec<(String, bool)> {
    let (folder, name) = file.path.rsplit_once('/').unwrap_or(("", &file.path));
    let owns_folder = owns_folder || name == "mod.rs";
    let own = if owns_folder {
        folder.to_owned()
    } else {
        format!("{folder}/{}", name.trim_end_matches(".rs"))
    };
    let mut found = Vec::new();
    for module in modules(file) {
        let inner = module
            .inside
            .iter()
            .fold(own.clone(), |path, name| join(&path, name));
        let start = if module.inside.is_empty() {
            folder
        } else {
            &inner
        };
        found.extend(module.paths.iter().map(|path| (join(start, path), true)));
        if module.paths.is_empty() || module.conditional {
            found.push((format!("{inner}/{}.rs", module.name), false));
            found.push((format!("{inner}/{}/mod.rs", module.name), true));
        }
    }
    for include in ["include", "include_str", "include_bytes"] {
        for at in words(&file.code, include) {
            if file.code[at + include.len()..].starts_with("!(") {
                found.extend(string_after(file, at).map(|path| (join(folder, path), true)));
            }
        }
    }
    found
}

/// A `mod name;`.
struct Module<'a> {
    name: &'a str,
    /// The folders of the inline modules around it: their names, or what their `path` attributes say.
    inside: Vec<&'a str>,
    /// What its `path` attributes say.
    paths: Vec<&'a str>,
    /// Whether they stand in a `cfg_attr`, so that the usual place counts as well.
    conditional: bool,
}

fn modules(file: &File) -> Vec<Module<'_>> {
    let code = &file.code;
    let mut modules = Vec::new();
    let mut inline: Vec<(&str, i32)> = Vec::new();
    let (mut depth, mut start) = (0_i32, 0);
    for (at, symbol) in code.char_indices() {
        match symbol {
            '{' => depth += 1,
            '}' => {
                depth -= 1;
                inline.retain(|&(_, opened)| opened <= depth);
            }
            ';' => {}
            'm' if is_word(code, at, "mod") => {
                let rest = code[at + "mod".len()..].trim_start();
                let name = &rest[..rest.find(|c: char| !is_name(c)).unwrap_or(rest.len())];
                let paths: Vec<&str> = words(&code[start..at], "path")
                    .filter_map(|path| string_after(file, start + path))
                    .collect();
                match rest[name.len()..].trim_start().chars().next() {
                    Some('{') => inline.push((paths.first().unwrap_or(&name), depth + 1)),
                    Some(';') if !name.is_empty() => {
                        modules.push(Module {
                            name,
                            inside: inline.iter().map(|&(folder, _)| folder).collect(),
                            paths,
                            conditional: code[start..at].contains("cfg_attr"),
                        });
                    }
                    _ => {}
                }
                continue;
            }
            _ => continue,
        }
        start = at + 1;
    }
    modules
}

/// The contents of the first string after `at`.
fn string_after(file: &File, at: usize) -> Option<&str> {
    let open = at + file.code[at..].find('"')? + 1;
    let close = open + file.code[open..].find('"')?;
    Some(&file.text[open..close])
}

/// `path` as seen from `folder`.
fn join(folder: &str, path: &str) -> String {
    let mut parts: Vec<&str> = folder.split('/').collect();
    for part in path.split('/') {
        match part {
            ".." => drop(parts.pop()),
            "." => {}
            part => parts.push(part),
        }
    }
    parts.join("/")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tree::files;

    #[test]
    fn follows_modules_to_files() {
        let tree = files(&[
            ("src/lib.rs", "mod a;\n#[doc = include_str!(\"guide/g.md\")]\npub mod in_line { mod b; }\n#[path = \"p\"]\nmod elsewhere { mod r; }\ninclude!(\"i.rs\");"),
            ("src/a.rs", "// mod dead;\n#[cfg(x)]\n#[path = \"../src/p/q.rs\"]\nmod other; mod c; mod not_here {}"),
            ("src/a/c/mod.rs", "#[cfg_attr(x, path = \"d.rs\")]\nmod e;"),
            ("src/a/c/d.rs", ""),
            ("src/a/c/e.rs", ""),
            ("src/in_line/b.rs", ""),
            ("src/i.rs", ""),
            ("src/p/q.rs", "mod next;"),
            ("src/p/next.rs", ""),
            ("src/p/r.rs", ""),
            ("src/guide/g.md", ""),
            ("tests/t.rs", "mod common;"),
            ("tests/common/mod.rs", ""),
            ("examples/e/main.rs", ""),
        ]);
        assert_eq!(dead_files(&tree), [""; 0]);
        let tree = files(&[
            ("src/lib.rs", "// mod dead;\nconst S: &str = \"mod dead;\";"),
            ("src/dead.rs", "mod b;"),
            ("src/dead/b.rs", ""),
            ("src/guide/g.md", ""),
            ("tests/common/mod.rs", ""),
        ]);
        assert_eq!(dead_files(&tree).len(), 4);
    }
}
