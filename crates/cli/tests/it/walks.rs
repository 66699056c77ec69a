//! The how-tos of operators, members, researchers and voters, typed by a shell as they stand and in their order, on one fresh cooperative with
//! the sample for learning. What is not typed here stands in [`ELSEWHERE`] with the reason; a command that a page gets and that is neither
//! typed nor listed fails.

use crate::hold::Hold;
use crate::pages::{Typed, commands, fits, page, root};
use crate::support::port;
use rochdale_chain::bindings::{AuctionHouse, ComputeDesk, Market};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

const USDC: u128 = 1_000_000;

/// How commands begin that are not typed here, on which page, and why.
const ELSEWHERE: [(&str, &str, &str); 10] = [
    ("operate.md", "rochdale up", "the cooperative runs before"),
    ("operate.md", "rochdale key new founder.key", "another chain: `cargo xtask test --only machines` types it"),
    ("operate.md", "rochdale coop deploy", "another chain: `cargo xtask test --only machines` types it"),
    ("operate.md", "rochdale coop verify", "another chain: `cargo xtask test --only machines` types it"),
    (
        "operate.md",
        "rochdale member claim --name ada --key own.key",
        "once something is due again: `sentences`, `typed`",
    ),
    ("operate.md", "rochdale member demand", "while a root is pending: `disputes`"),
    ("operate.md", "rochdale program award", "once a vote opened the program: `voting`"),
    ("govern.md", "rochdale gov propose --name ada --why \"Mended market\" upgrade", "other contracts: `upgrade`"),
    ("govern.md", "rochdale coop upgrade", "a program with other contracts: `upgrade`"),
    ("govern.md", "rochdale gov propose --name ada file upgrade.toml", "a program with other contracts: `upgrade`"),
];

/// A shell in a folder of its own beside a running cooperative.
struct Walk {
    shop: Hold,
    port: u16,
    dir: PathBuf,
    /// The number that was printed last: proposals, polls, orders and accounts are meant by it where a page has `0x…`.
    last: String,
    /// Commands that asked first.
    asked: usize,
    seen: Vec<String>,
    left_out: Vec<usize>,
}

impl Walk {
    fn start(dir: &Path) -> Self {
        let (state, here) = (dir.join("state"), dir.join("here"));
        std::fs::create_dir_all(&here).unwrap();
        let sample = root().join("docs/samples/learning.toml");
        let port = port();
        let shop = Hold::with(&state, port, &["--config", sample.to_str().unwrap(), "--min-cohort", "3"]);
        std::os::unix::fs::symlink(root().join("docs"), here.join("docs")).unwrap();
        std::os::unix::fs::symlink(state.join("manifest.json"), here.join("manifest.json")).unwrap();
        Self { shop, port, dir: here, last: String::new(), asked: 0, seen: Vec::new(), left_out: Vec::new() }
    }

    /// Types a page from one heading up to another.
    fn page(&mut self, name: &str, (from, to): (&str, &str)) {
        let text = page(name);
        let start = if from.is_empty() { 0 } else { text.find(from).unwrap() };
        let end = if to.is_empty() { text.len() } else { text.find(to).unwrap() };
        let typed = commands(&text[start..end]);
        assert!(!typed.is_empty(), "{name} lost its commands");
        for typed in typed {
            let listed = ELSEWHERE.iter().position(|(page, begins, _)| *page == name && typed.line.starts_with(begins));
            match listed {
                Some(place) => self.left_out.push(place),
                None => self.typed(name, &typed),
            }
        }
    }

    fn typed(&mut self, name: &str, typed: &Typed) {
        self.prepare(&typed.line);
        self.seen.push(typed.line.clone());
        let wanted = typed.shown.iter().all(|line| !line.starts_with("error: "));
        let line = self.filled_in(&typed.line);
        let (mut succeeded, mut stdout, mut stderr) = self.shell(&line);
        if !succeeded && stderr.contains("add --yes to agree") {
            self.asked += 1;
            (succeeded, stdout, stderr) = self.shell(&format!("{line} --yes"));
        }
        assert_eq!(succeeded, wanted, "{name}: `{line}`: {stdout}{stderr}");
        for shown in &typed.shown {
            let said = stdout.lines().chain(stderr.lines()).any(|line| fits(line, shown));
            assert!(said, "{name}: `{line}` does not say `{shown}`: {stdout}{stderr}");
        }
        if let Some(number) = numbers(&stdout).last() {
            self.last.clone_from(number);
        }
    }

    /// What a page leaves to its reader.
    fn filled_in(&self, line: &str) -> String {
        let rpc = format!("http://127.0.0.1:{}", self.port + 145);
        let order = || std::fs::read_dir(self.shop.up.state.join("researchers/kim/orders")).unwrap();
        let begins = |line: String| {
            let file = order().map(|entry| entry.unwrap().file_name().into_string().unwrap()).next().unwrap();
            line.replace("0x5f3a", &file[..10])
        };
        let line = line.replace("https://node.example", &rpc).replace("0x…", &self.last);
        if line.contains("0x5f3a") { begins(line) } else { line }
    }

    fn shell(&self, line: &str) -> (bool, String, String) {
        let bin = Path::new(env!("CARGO_BIN_EXE_rochdale")).parent().unwrap();
        let path = format!("{}:{}", bin.display(), std::env::var("PATH").unwrap());
        let mut shell = Command::new("bash");
        shell.args(["-c", line]).current_dir(&self.dir).stdin(Stdio::null());
        shell.env("PATH", path).env("HOME", &self.dir).env("ROCHDALE_STATE", &self.shop.up.state);
        let output = shell.env_remove("ROCHDALE_URL").output().unwrap();
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        (output.status.success(), text(&output.stdout), text(&output.stderr))
    }

    /// Types what a page says in words: it must succeed.
    fn besides(&self, line: &str) {
        let (succeeded, stdout, stderr) = self.shell(line);
        assert!(succeeded, "`{line}`: {stdout}{stderr}");
    }

    fn weeks(&self, weeks: usize) {
        (0..weeks).for_each(|_| self.besides("rochdale epoch settle"));
    }

    /// What a page says in words before a command: who decided what, which file there is, that time passed.
    fn prepare(&self, line: &str) {
        let addresses = self.shop.manifest.addresses;
        match line {
            line if line.contains("bundle.json") => {
                self.besides("rochdale-synth --patients 3 --out records && cp records/patient-00001.json bundle.json");
            }
            line if line.contains("--pay data") => {
                let call = Market::setDataTermsCall { dataPerUsdc: 2_000_000_000_000_000_000, burnBps: 0 };
                self.shop.decide(addresses.market, &call);
            }
            line if line.contains("auction open") => {
                let t = AuctionHouse::AuctionTerms {
                    reserve: 1_000 * USDC,
                    bidBond: 100 * USDC,
                    commitPeriod: 3 * 86_400,
                    revealPeriod: 2 * 86_400,
                    records: 500,
                    duration: 90 * 86_400,
                };
                let call = AuctionHouse::setTermsCall { datasetId: 1, t };
                self.shop.decide(addresses.auction_house, &call);
                self.shop.sell_by(true);
            }
            line if line.contains("job open") => {
                let call = ComputeDesk::setPriceCall { base: 20 * USDC, perUnit: 50_000 };
                self.shop.decide(addresses.compute_desk, &call);
            }
            line if line.contains("query --name kim query.json") => {
                let text = page("query.md");
                let (_, rest) = text.split_once("```json\n").unwrap();
                std::fs::write(self.dir.join("query.json"), rest.split_once("```").unwrap().0).unwrap();
            }
            line if line.contains("auction reveal --name lin") => self.besides("rochdale time +3d"),
            line if line.contains("job refund") => self.weeks(2),
            line if line.contains("bond withdraw") && self.seen.iter().any(|seen| seen == line) => self.weeks(5),
            "rochdale gov vote --name ada --proposal last --support for" => {
                self.besides("rochdale time +2h");
                self.besides("rochdale gov vote --name bo --proposal last --support for");
            }
            line if line.starts_with("rochdale gov queue") => self.besides("rochdale time +1d2h"),
            line if line.starts_with("rochdale gov execute") => self.besides("rochdale time +2h"),
            _ => {}
        }
    }
}

/// Numbers of a hash's or an account's length.
fn numbers(text: &str) -> Vec<String> {
    let words = text.split(|c: char| !c.is_ascii_alphanumeric());
    words.filter(|word| word.starts_with("0x") && word.len() >= 42).map(str::to_owned).collect()
}

#[test]
fn the_commands_of_the_how_tos_work_as_they_stand_in_their_order_on_a_fresh_cooperative() {
    let dir = tempfile::tempdir().unwrap();
    let mut walk = Walk::start(dir.path());
    walk.page("operate.md", ("", "## What awarders do"));
    for (name, patient) in [("bo", 2), ("cy", 3)] {
        walk.besides(&format!(
            "rochdale member join --name {name} && rochdale member consent --name {name} --yes \
             && rochdale member contribute --name {name} records/patient-0000{patient}.json"
        ));
    }
    walk.page("market.md", ("## As commands", "## For a cooperative"));
    walk.shop.sell_by(false);
    walk.page("query.md", ("", ""));
    walk.page("consent.md", ("", ""));
    walk.page("commands.md", ("## At a glance", ""));
    walk.page("govern.md", ("", ""));
    walk.page("operate.md", ("## What awarders do", ""));
    assert!(walk.asked >= 3, "not each asked before it spent something: {}", walk.asked);
    let stale = (0..ELSEWHERE.len()).find(|place| !walk.left_out.contains(place));
    assert_eq!(stale.map(|place| ELSEWHERE[place]), None, "no page has it");
    walk.shop.up.stop();
}
