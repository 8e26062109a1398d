//! The rules that look at one file at a time.

use std::collections::BTreeSet;

use crate::tree::{is_root, words, File};

/// A file that is longer holds more than one concept.
pub(crate) const LINES: usize = 600;

/// What must not be left behind, in pieces so that this file passes.
const BANNED: &[&str] = &[
    concat!("todo", "!"),
    concat!("unimplemented", "!"),
    concat!("dbg", "!("),
    concat!("FIX", "ME"),
    concat!("XX", "X"),
];

/// What the documentation of an item with an example has in it.
const EXAMPLE: &[&str] = &["```", "# Examples"];

/// How public items begin that have to have one.
const PUBLIC: &[&str] = &[
    "pub const ",
    "pub enum ",
    "pub fn ",
    "pub struct ",
    "pub trait ",
    "pub unsafe fn ",
];

/// What users do not see, or read as text.
const INNER: &[&str] = &["src/guide/", "src/sys/"];

/// `target_os` and its kin appear only in the files of `allowed`. The other folders may know what they run on.
pub(crate) fn os_names(files: &[File], allowed: &[(&str, &str)]) -> Vec<String> {
    let mut findings = Findings::new(allowed);
    for file in files.iter().filter(|file| file.path.starts_with("src/")) {
        for name in ["target_os", "target_vendor"] {
            for at in words(&file.code, name) {
                findings.unless_allowed(file, at, &format!("`{name}` belongs into src/sys/mod.rs"));
            }
        }
    }
    findings.finish()
}

/// `unsafe` appears only in the files of `allowed`, and each block and implementation says why it is sound.
pub(crate) fn unsafe_code(files: &[File], allowed: &[(&str, &str)]) -> Vec<String> {
    let mut findings = Findings::new(allowed);
    for file in files {
        if let Some(at) = words(&file.code, "unsafe").next() {
            findings.unless_allowed(file, at, "`unsafe` in a file that is not listed for it");
        }
        for at in words(&file.code, "unsafe") {
            let next = file.code[at + "unsafe".len()..].trim_start();
            let claims = next.starts_with('{') || next.starts_with("impl");
            if claims && !file.explained(at, "// SAFETY:") {
                findings.add(file, at, "no `// SAFETY:` above this `unsafe`");
            }
        }
    }
    findings.finish()
}

/// A file of more than [`LINES`] lines holds more than one concept, unless `allowed` says otherwise.
pub(crate) fn long_files(files: &[File], allowed: &[(&str, &str)]) -> Vec<String> {
    let mut findings = Findings::new(allowed);
    for file in files.iter().filter(|file| file.is_rust()) {
        let lines = file.text.lines().count();
        if lines > LINES {
            findings.unless_allowed(file, 0, &format!("{lines} lines, more than {LINES}"));
        }
    }
    findings.finish()
}

/// Nothing that was meant for later stays.
pub(crate) fn banned_words(files: &[File]) -> Vec<String> {
    let mut findings = Findings::new(&[]);
    for file in files {
        for word in BANNED {
            for at in words(&file.text, word) {
                findings.add(file, at, &format!("`{word}` is left"));
            }
        }
    }
    findings.finish()
}

/// What is imported without an import library has a name of its own on 32-bit x86, where the system would look for a
/// decorated one in vain. Nothing but a program that is started there would show it.
pub(crate) fn decorated_imports(files: &[File]) -> Vec<String> {
    const KIND: &str = concat!("\"raw", "-dylib\"");
    const PLAIN: &str = concat!("import_name_type = \"undecor", "ated\"");
    let mut findings = Findings::new(&[]);
    for file in files.iter().filter(|file| file.is_rust()) {
        let uses = file.text.matches(KIND).count();
        let plain = file.text.matches(PLAIN).count();
        if let (Some(at), false) = (file.text.find(KIND), uses == 2 * plain) {
            let message =
                "an import whose name is decorated on 32-bit x86, or is not there elsewhere";
            findings.add(file, at, message);
        }
    }
    findings.finish()
}

/// A comment says why a lint is off. The attribute's own `reason` is newer than the oldest compiler we support.
pub(crate) fn bare_allows(files: &[File]) -> Vec<String> {
    let mut findings = Findings::new(&[]);
    for file in files {
        for lint in ["allow", "expect"] {
            for at in words(&file.code, lint) {
                let before = file.code[..at].trim_end();
                let attribute = before.ends_with("#[") || before.ends_with("#![");
                let conditional = before.ends_with(',')
                    && before[before.rfind(']').unwrap_or(0)..].contains("cfg_attr(");
                let called = file.code[at + lint.len()..].starts_with('(');
                if called && (attribute || conditional) && !file.explained(at, "// ") {
                    findings.add(
                        file,
                        at,
                        &format!("no comment says why this `{lint}` is needed"),
                    );
                }
            }
        }
    }
    findings.finish()
}

/// What a user can name has an example, or says where one is. What belongs to one system, too, which no other compiles.
pub(crate) fn bare_items(files: &[File], allowed: &[(&str, &str)]) -> Vec<String> {
    let mut findings = Findings::new(allowed);
    let public = |file: &&File| {
        file.path.starts_with("src/") && !INNER.iter().any(|inner| file.path.starts_with(inner))
    };
    for file in files.iter().filter(public) {
        let lines: Vec<&str> = file.text.split_inclusive('\n').collect();
        let mut at = 0;
        for (index, line) in lines.iter().enumerate() {
            let item = line.trim_start();
            let above = lines[..index].iter().rev().map(|line| line.trim_start());
            let mut docs = above
                .skip_while(|line| line.starts_with("#["))
                .take_while(|line| line.starts_with("///"));
            if PUBLIC.iter().any(|start| item.starts_with(start))
                && !docs.any(|line| EXAMPLE.iter().any(|mark| line.contains(mark)))
            {
                findings.unless_allowed(file, at, "no example, and none is pointed to");
            }
            at += line.len();
        }
    }
    findings.finish()
}

/// README.md, once there is one, leads to each example.
pub(crate) fn unnamed_examples(files: &[File]) -> Vec<String> {
    let Some(readme) = files.iter().find(|file| file.path == "README.md") else {
        return Vec::new();
    };
    let examples = files
        .iter()
        .filter(|file| file.path.starts_with("examples/") && is_root(&file.path));
    examples
        .filter(|file| {
            let name = file.path["examples/".len()..]
                .trim_end_matches("/main.rs")
                .trim_end_matches(".rs");
            words(&readme.text, name).next().is_none()
        })
        .map(|file| format!("{}: README.md does not name it", file.path))
        .collect()
}

/// What a rule has to say, and which of its exceptions were needed.
struct Findings<'a> {
    allowed: &'a [(&'a str, &'a str)],
    needed: BTreeSet<String>,
    messages: Vec<String>,
}

impl<'a> Findings<'a> {
    fn new(allowed: &'a [(&'a str, &'a str)]) -> Findings<'a> {
        Findings {
            allowed,
            needed: BTreeSet::new(),
            messages: Vec::new(),
        }
    }

    fn add(&mut self, file: &File, at: usize, message: &str) {
        self.messages
            .push(format!("{}:{}: {message}", file.path, file.line(at)));
    }

    fn unless_allowed(&mut self, file: &File, at: usize, message: &str) {
        if self.allowed.iter().any(|(path, _)| *path == file.path) {
            self.needed.insert(file.path.clone());
        } else {
            self.add(file, at, message);
        }
    }

    fn finish(mut self) -> Vec<String> {
        for (path, reason) in self.allowed {
            if reason.is_empty() {
                self.messages
                    .push(format!("{path}: an exception without a reason"));
            }
            if !self.needed.contains(*path) {
                self.messages
                    .push(format!("{path}: an exception that nothing needs: {reason}"));
            }
        }
        self.messages
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tree::files;

    #[test]
    fn finds_names_of_systems() {
        let tree = files(&[
            ("src/a.rs", "\n#[cfg(target_os = \"linux\")]\nfn f() {}"),
            ("src/b.rs", "//! #[cfg(target_os = \"linux\")]\nconst S: &str = \"target_os\"; fn my_target_os() {}"),
            ("src/c.rs", "fn f() { if cfg!(target_vendor = \"apple\") {} }"),
            ("tests/d.rs", "#![cfg(target_os = \"linux\")]"),
        ]);
        assert_eq!(
            os_names(&tree, &[("src/c.rs", "why"), ("src/gone.rs", "why")]),
            [
                "src/a.rs:2: `target_os` belongs into src/sys/mod.rs",
                "src/gone.rs: an exception that nothing needs: why",
            ]
        );
        assert_eq!(
            os_names(&tree[2..], &[("src/c.rs", "")]),
            ["src/c.rs: an exception without a reason"]
        );
    }

    #[test]
    fn finds_unsafe_that_is_not_listed_or_not_explained() {
        let tree = files(&[
            ("src/a.rs", "#![deny(unsafe_code)]\n// unsafe\nconst S: &str = \"unsafe\";"),
            ("src/b.rs", "// SAFETY: why.\nunsafe impl Send for A {}"),
            (
                "src/c.rs",
                "// SAFETY: why,\n// and more.\n#[inline]\nlet x =\n    unsafe { f() };\nlet y = unsafe { f() };\n\
                 // Not it.\nunsafe impl Sync for A {}\nunsafe fn g() {}",
            ),
        ]);
        assert_eq!(
            unsafe_code(&tree, &[("src/c.rs", "why")]),
            [
                "src/b.rs:2: `unsafe` in a file that is not listed for it",
                "src/c.rs:6: no `// SAFETY:` above this `unsafe`",
                "src/c.rs:8: no `// SAFETY:` above this `unsafe`",
            ]
        );
    }

    #[test]
    fn finds_long_files() {
        let tree = files(&[
            ("src/a.rs", &"\n".repeat(LINES)),
            ("src/b.rs", &"\n".repeat(LINES + 1)),
        ]);
        assert_eq!(
            long_files(&tree, &[]),
            ["src/b.rs:1: 601 lines, more than 600"]
        );
        assert_eq!(long_files(&tree, &[("src/b.rs", "why")]), [""; 0]);
    }

    #[test]
    fn finds_what_is_left_behind() {
        for word in BANNED {
            let tree = files(&[
                ("src/a.rs", &format!("\n// {word}\n")),
                ("src/b.rs", &format!("a{word}")),
            ]);
            assert_eq!(
                banned_words(&tree),
                [format!("src/a.rs:2: `{word}` is left")]
            );
        }
    }

    #[test]
    fn finds_imports_with_decorated_names() {
        let kind = concat!("kind = \"raw", "-dylib\"");
        let plain = concat!("import_name_type = \"undecor", "ated\"");
        let both = format!("link({kind}, {plain})\nlink({kind})\n");
        let tree = files(&[
            ("src/a.rs", &format!("\n#[link({kind})]\n")),
            ("src/b.rs", &both),
            ("src/c.rs", &format!("{both}#[link({kind})]")),
            ("src/d.rs", "#[link(name = \"c\")]"),
        ]);
        let found = decorated_imports(&tree);
        let places: Vec<&str> = found.iter().map(|it| &it[..10]).collect();
        assert_eq!(places, ["src/a.rs:2", "src/c.rs:1"]);
    }

    #[test]
    fn finds_an_allow_without_a_reason() {
        let tree = files(&[(
            "src/a.rs",
            "// Why.\n#[allow(dead_code)]\nfn a() {}\n\n/// Docs.\n#[allow(dead_code)]\nfn b() {}\n\
             #[expect(dead_code)] // Why.\nfn c() { a.expect(\"x\"); allow(); }\n\
             #[cfg_attr(x, allow(dead_code))]\nfn d() {}\n",
        )]);
        assert_eq!(
            bare_allows(&tree),
            [
                "src/a.rs:6: no comment says why this `allow` is needed",
                "src/a.rs:10: no comment says why this `allow` is needed",
            ]
        );
    }

    #[test]
    fn finds_an_item_without_an_example() {
        let tree = files(&[
            (
                "src/a.rs",
                "/// One.\n///\n/// ```\n/// pub fn it() {}\n/// ```\n#[inline]\npub fn it() {}\n\n/// Two.\npub const fn other() {}\n\
                 /// # Examples\n///\n/// As for `it`.\npub struct S;\n\npub(crate) fn inner() {}\npub fn last() {}\n",
            ),
            ("src/sys/b.rs", "pub fn it() {}"),
            ("src/c.rs", "\n    pub trait T {}"),
            ("tests/d.rs", "pub fn it() {}"),
        ]);
        assert_eq!(
            bare_items(&tree, &[("src/c.rs", "why")]),
            [
                "src/a.rs:10: no example, and none is pointed to",
                "src/a.rs:17: no example, and none is pointed to",
            ]
        );
    }

    #[test]
    fn finds_an_example_that_readme_does_not_name() {
        let tree = files(&[
            ("examples/echo.rs", ""),
            ("examples/http/main.rs", ""),
            ("examples/http/parse.rs", ""),
            ("README.md", "Read `examples/echo_more.rs` and `http`."),
        ]);
        assert_eq!(
            unnamed_examples(&tree),
            ["examples/echo.rs: README.md does not name it"]
        );
        assert_eq!(unnamed_examples(&tree[..3]), [""; 0]);
    }
}
