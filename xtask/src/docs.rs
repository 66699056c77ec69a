//! What the documents name is there: files, and the tests that claims rest on.

use crate::run::{output, program, root};
use anyhow::{Context, Result};
use std::collections::BTreeSet;
use std::path::{Component, Path, PathBuf};

/// Folders at the root: a path that begins with one of them is a file of the repository.
const FOLDERS: &[&str] = &["abi/", "contracts/", "crates/", "docs/", "vectors/", "xtask/"];

/// Fails with every file and every test that a document names and that does not exist.
pub fn faults() -> Result<Vec<String>> {
    let tracked = output(program("git", "", &["ls-files"]))?;
    let tracked: Vec<&str> = tracked.lines().filter(|file| root().join(file).exists()).collect();
    let read = |file: &str| std::fs::read_to_string(root().join(file)).with_context(|| format!("cannot read {file}"));
    let mut tests = BTreeSet::new();
    for file in tracked.iter().filter(|file| file.ends_with(".rs") || file.ends_with(".sol")) {
        tests.extend(functions(&read(file)?));
    }
    let mut wrong = Vec::new();
    for file in tracked.iter().filter(|file| file.ends_with(".md")) {
        for (number, line) in read(file)?.lines().enumerate() {
            let fault = |what: String| format!("{file}:{}: {what}", number + 1);
            let files = links(line).map(|link| beside(file, link)).chain(spans(line).filter_map(named_file));
            let missing = files.filter(|path| !root().join(path).exists());
            wrong.extend(missing.map(|path| fault(format!("there is no file {}", path.display()))));
            let unknown = spans(line).filter(|span| is_test(span) && !tests.contains(*span));
            wrong.extend(unknown.map(|name| fault(format!("there is no test `{name}`"))));
        }
    }
    Ok(wrong)
}

/// Names of functions, Rust's and Solidity's.
fn functions(text: &str) -> impl Iterator<Item = String> + '_ {
    let starts = text.match_indices("fn ").chain(text.match_indices("function "));
    starts.filter_map(|(at, word)| {
        let rest = &text[at + word.len()..];
        let name = &rest[..rest.find(|c: char| !c.is_ascii_alphanumeric() && c != '_')?];
        (!name.is_empty()).then(|| name.to_owned())
    })
}

/// What stands in backquotes.
fn spans(line: &str) -> impl Iterator<Item = &str> {
    line.split('`').skip(1).step_by(2)
}

/// Targets of links to files, without the place in them.
fn links(line: &str) -> impl Iterator<Item = &str> {
    line.split("](").skip(1).filter_map(|rest| {
        let target = rest.split([')', '#']).next()?;
        (!target.is_empty() && !target.contains("://") && !target.starts_with("mailto:")).then_some(target)
    })
}

/// A link's target, seen from the root.
fn beside(document: &str, target: &str) -> PathBuf {
    let mut path = PathBuf::new();
    for part in Path::new(document).parent().unwrap_or(Path::new("")).join(target).components() {
        match part {
            Component::ParentDir => drop(path.pop()),
            other => path.push(other),
        }
    }
    path
}

/// A path without a placeholder in it: from the root, or a source file from its crate's name, as in `steward/awards.rs`.
fn named_file(span: &str) -> Option<PathBuf> {
    let plain = |c: char| c.is_ascii_alphanumeric() || "/._-".contains(c);
    if !span.chars().all(plain) {
        return None;
    }
    if FOLDERS.iter().any(|folder| span.starts_with(folder)) {
        return Some(PathBuf::from(span));
    }
    let (room, file) = span.split_once('/').filter(|(_, file)| file.ends_with(".rs"))?;
    let sources = Path::new("crates").join(room).join("src");
    root().join(&sources).is_dir().then(|| sources.join(file))
}

/// Tests are named in whole sentences: Rust's by four words and more, Solidity's by their prefix.
fn is_test(span: &str) -> bool {
    let word = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let prefixed = ["test_", "testFuzz_", "check_", "invariant_"].iter().any(|prefix| span.starts_with(prefix));
    let sentence = span.matches('_').count() >= 4
        && span.chars().all(|c| c == '_' || c.is_ascii_lowercase() || c.is_ascii_digit());
    span.chars().all(word) && (prefixed || sentence)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_links_and_spans_that_begin_at_the_root() {
        assert_eq!(beside("docs/adr/1.md", "../../SECURITY.md"), PathBuf::from("SECURITY.md"));
        assert_eq!(links("[a](b.md#c) and [d](https://e.f) and [g](#h)").collect::<Vec<_>>(), ["b.md"]);
        assert_eq!(named_file("crates/core/src/lib.rs"), Some(PathBuf::from("crates/core/src/lib.rs")));
        assert_eq!(named_file("core/money.rs"), Some(PathBuf::from("crates/core/src/money.rs")));
        assert_eq!(["crates/*/src", "tests/it.rs", "docs/<name>"].map(named_file), [None, None, None]);
    }

    #[test]
    fn tests_are_told_from_other_words() {
        for name in ["test_WhenNobodyDecides", "check_sum", "one_hung_steward_does_not_stop_settlement"] {
            assert!(is_test(name), "{name}");
        }
        for other in ["check_*", "one_hung_steward", "ROCHDALE_A_B_C_D", "stale_after_s", "a b_c_d_e_f"] {
            assert!(!is_test(other), "{other}");
        }
        let text = "async fn one_two() {}\n function test_A() public {}\n let f = fn (x)";
        assert_eq!(functions(text).collect::<Vec<_>>(), ["one_two", "test_A"]);
    }
}
