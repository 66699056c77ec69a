//! No how-to shows a command that no test types, or an option that the command does not have.

use crate::pages::{commands, page, root};
use crate::support::run;
use std::collections::{BTreeMap, BTreeSet};

/// Pages that are typed whole, as they stand, by `learning` and `walks` here and by `cargo xtask test --only machines`.
const WALKED: [&str; 4] = ["learn.md", "several-machines.md", "market.md", "query.md"];

/// The noun and what is done: `member claim`; the words before the first option that the program knows as its own.
fn path(command: &str) -> Vec<&str> {
    let plain = |word: &&str| word.chars().all(|c| c.is_ascii_lowercase() || c == '-') && !word.starts_with('-');
    let mut words: Vec<&str> = command.split(' ').skip(1).take(3).take_while(plain).collect();
    while !words.is_empty() && !help(&words).contains(&format!("Usage: rochdale {}", words.join(" "))) {
        words.pop();
    }
    words
}

fn help(path: &[&str]) -> String {
    let output = run(&[path, &["--help"]].concat());
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// What the tests of this program type, as one text: `"member", "claim"` or `"member claim --name ada"`.
fn typed_by_tests() -> String {
    let dir = root().join("crates/cli/tests/it");
    let sources = std::fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().path());
    let texts = sources.filter(|path| !path.ends_with("howtos.rs")).map(|path| std::fs::read_to_string(path).unwrap());
    texts.collect::<Vec<_>>().join("\n").split_whitespace().collect::<Vec<_>>().join(" ")
}

#[test]
fn every_command_of_every_how_to_is_typed_by_a_test_and_has_the_options_that_are_shown() {
    let (mut shown, mut walked) = (BTreeMap::<String, String>::new(), BTreeSet::new());
    let (mut wrong, mut seen) = (Vec::new(), 0);
    for entry in std::fs::read_dir(root().join("docs/how-to")).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        for command in commands(&page(&name)).into_iter().map(|typed| typed.line) {
            if !command.starts_with("rochdale ") {
                continue;
            }
            seen += 1;
            let words = path(&command);
            if words.is_empty() {
                wrong.push(format!("{name}: `{command}` is no command"));
                continue;
            }
            // What stands after a further noun (`gov propose … call`) has options of its own.
            let known = help(&words);
            for option in command.split(' ').filter(|word| word.starts_with("--")) {
                let option = option.split('=').next().unwrap();
                let further = words.starts_with(&["gov", "propose"]) || words == ["man"];
                if !further && !known.contains(option) {
                    wrong.push(format!("{name}: `{command}`: `rochdale {}` has no {option}", words.join(" ")));
                }
            }
            let words = words.join(" ");
            if WALKED.contains(&name.as_str()) {
                walked.insert(words);
            } else {
                shown.entry(words).or_insert(format!("{name}: `{command}`"));
            }
        }
    }
    assert!(seen > 100, "the how-tos lost their commands: {seen}");
    let typed = typed_by_tests();
    for (words, place) in shown {
        let quoted: Vec<String> = words.split(' ').map(|word| format!("\"{word}\"")).collect();
        let forms = [quoted.join(", "), format!("\"{words} "), format!("\"{words}\"")];
        if !walked.contains(&words) && !forms.iter().any(|form| typed.contains(form)) {
            wrong.push(format!("{place}: no test types `rochdale {words}`"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
