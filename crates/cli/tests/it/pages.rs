//! How-tos as a reader types them: the commands of their blocks, and what they show of the answers.

use std::path::{Path, PathBuf};

/// A command of a page, what is said beside it, and what the page shows of its answer.
#[derive(Debug)]
pub struct Typed {
    pub line: String,
    pub shown: Vec<String>,
}

/// The repository.
pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize().unwrap()
}

/// A how-to.
pub fn page(name: &str) -> String {
    std::fs::read_to_string(root().join("docs/how-to").join(name)).unwrap()
}

/// The commands of a page's blocks, in order: each line of a plain block, and in a `console` block each behind its prompt; what stands
/// there without one is an answer. What is said beside a command is left out.
pub fn commands(page: &str) -> Vec<Typed> {
    let mut found = Vec::<Typed>::new();
    let mut block = None;
    for line in page.lines() {
        match (line.trim().strip_prefix("```"), block) {
            (Some(kind), None) => block = Some(kind),
            (Some(_), Some(_)) => block = None,
            (None, Some("console")) => match line.split_once("$ ") {
                Some((_, typed)) => found.push(Typed { line: bare(typed), shown: Vec::new() }),
                None => found.last_mut().unwrap().shown.push(line.to_owned()),
            },
            (None, Some("" | "sh")) => found.push(Typed { line: bare(line.trim()), shown: Vec::new() }),
            _ => {}
        }
    }
    found.retain(|typed| !typed.line.is_empty());
    found
}

fn bare(typed: &str) -> String {
    typed.split("  ").next().unwrap().split(" #").next().unwrap().trim().to_owned()
}

/// Whether a line of the answer is the one shown, where `…` stands for anything.
pub fn fits(line: &str, shown: &str) -> bool {
    let mut rest = Some(line);
    for part in shown.split('…') {
        rest = rest.and_then(|rest| rest.split_once(part.trim_end()).map(|(_, after)| after));
    }
    rest.is_some()
}
