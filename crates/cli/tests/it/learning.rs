//! The how-to for newcomers, typed as it stands: every command in its order, on a fresh cooperative.

use crate::pages::{Typed, commands, fits, page, root};
use crate::support::{Up, port};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

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

#[test]
fn point_9_every_command_of_learn_md_works_as_it_stands() {
    let dir = tempfile::tempdir().unwrap();
    std::os::unix::fs::symlink(root().join("docs"), dir.path().join("docs")).unwrap();
    let state = dir.path().join("state");
    let all = commands(&page("learn.md"));
    assert!(all.len() > 50, "the document lost its commands: {}", all.len());
    let mut up = None;
    for Typed { line, shown } in &all {
        let words = words(line);
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
