//! The how-to for newcomers, typed as it stands: every command in its order, on a fresh cooperative.

use crate::support::{Up, port};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

const HOW_TO: &str = include_str!("../../../../docs/how-to/learn.md");

/// A command of the document and what the document shows of its answer.
struct Typed {
    words: Vec<String>,
    shown: Vec<String>,
}

/// The `console` blocks: lines that begin with `$ ` are typed, the others are shown.
fn commands(document: &str) -> Vec<Typed> {
    let (mut found, mut inside) = (Vec::<Typed>::new(), false);
    for line in document.lines() {
        match (line, inside) {
            ("```console", _) => inside = true,
            ("```", _) => inside = false,
            (line, true) => match line.strip_prefix("$ ") {
                Some(command) => found.push(Typed { words: words(command), shown: Vec::new() }),
                None => found.last_mut().unwrap().shown.push(line.to_owned()),
            },
            _ => {}
        }
    }
    found
}

/// As a shell splits them: at spaces outside of double quotes.
fn words(command: &str) -> Vec<String> {
    let (mut found, mut quoted) = (vec![String::new()], false);
    for c in command.chars() {
        match c {
            '"' => quoted = !quoted,
            ' ' if !quoted => found.push(String::new()),
            c => found.last_mut().unwrap().push(c),
        }
    }
    found
}

/// Whether a line of the answer is the one shown, where `…` stands for anything.
fn fits(line: &str, shown: &str) -> bool {
    let mut rest = Some(line);
    for part in shown.split('…') {
        rest = rest.and_then(|rest| rest.split_once(part.trim_end()).map(|(_, after)| after));
    }
    rest.is_some()
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize().unwrap()
}

#[test]
fn point_9_every_command_of_learn_md_works_as_it_stands() {
    let dir = tempfile::tempdir().unwrap();
    std::os::unix::fs::symlink(root().join("docs"), dir.path().join("docs")).unwrap();
    let state = dir.path().join("state");
    let all = commands(HOW_TO);
    assert!(all.len() > 50, "the document lost its commands: {}", all.len());
    let mut up = None;
    for Typed { words, shown } in &all {
        let args: Vec<&str> = words.iter().skip(1).map(String::as_str).collect();
        if args.first() == Some(&"up") {
            // The files that it names lie in the repository.
            let named = |word: &&str| if word.starts_with("docs/") { root().join(word) } else { word.into() };
            let more: Vec<PathBuf> = args[1..].iter().map(named).collect();
            let more: Vec<&str> = more.iter().map(|word| word.to_str().unwrap()).collect();
            up = Some(Up::start_with(&state, port(), &more));
            continue;
        }
        let program = Path::new(env!("CARGO_BIN_EXE_rochdale")).with_file_name(&words[0]);
        let mut command = Command::new(program);
        command.args(&args).current_dir(dir.path()).env("ROCHDALE_STATE", &state).env_remove("ROCHDALE_URL");
        let output = command.stdin(Stdio::null()).output().unwrap();
        let said = [&output.stdout[..], &output.stderr[..]].map(|bytes| String::from_utf8_lossy(bytes).into_owned());
        assert!(output.status.success(), "{words:?}: {said:?}");
        for line in shown {
            assert!(said[0].lines().any(|found| fits(found, line)), "{words:?} does not say `{line}`: {said:?}");
        }
    }
    let up = up.unwrap();
    let verified = up.json(&["coop", "verify"]);
    let decided = verified["decided"].as_array().unwrap();
    let of = |contract: &str| {
        decided.iter().find(|d| d["call"]["contract"] == contract).unwrap_or_else(|| panic!("{verified}"))
    };
    assert_eq!((decided.len(), &verified["agrees"]), (3, &true.into()), "{verified}");
    assert_eq!(of("Membership")["title"], "Fewer at once");
    assert_eq!(of("DatasetCatalog")["by"], "token house");
    up.stop();
}
