//! A cooperative whose processes are killed at random while people join, give records and ask questions, and what became of
//! it all.
//!
//! What people type is typed again until it succeeds, as a person does; nothing else is ever done by hand.

use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Output, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail, ensure};
use clap::Parser;
use rand::{RngExt as _, SeedableRng as _};
use rand_chacha::ChaCha20Rng;
use rochdale_api::route::{HEALTH, gateway};
use rochdale_chain::client::{Chain, ChainOptions, LOCAL_CHAIN_ID, ManualClock};
use rochdale_chain::deploy::Manifest;
use rochdale_chain::events::{Follower, MemoryStore};
use rochdale_chain::state::Cooperative;
use rochdale_testkit::program::{self, Running};
use serde_json::{Value, json};

/// How long anything may take until it works again.
const PATIENCE: Duration = Duration::from_secs(120);
/// Pause before something is typed again.
const PAUSE: Duration = Duration::from_millis(400);
/// Who gave a record before the first kill, so that there is something to ask about.
const FOUNDERS: u32 = 5;
/// In every so many rounds somebody asks a question; in the others somebody joins.
const ASKED: u32 = 3;
/// Where the local chain answers, counted from the gateway's port.
const RPC: u16 = 145;
/// Where gateway, stewards, worker and chain listen, likewise.
const LISTENING: [u16; 6] = [0, 11, 12, 13, 21, RPC];

#[derive(Parser)]
#[command(about = "Kill a cooperative's processes at random and see that nothing is lost")]
struct Args {
    /// How many kills
    #[arg(long, default_value_t = 20)]
    rounds: u32,
    /// What the moments and victims are drawn from
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// The gateway's port
    #[arg(long, default_value_t = 18_400)]
    port: u16,
    /// An empty directory for everything
    #[arg(long, default_value = "target/chaos")]
    state: PathBuf,
}

/// What is killed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Victim {
    Gateway,
    Steward,
    Worker,
    Anvil,
    Up,
    /// Everything at once, the person's own command too.
    Machine,
}

const VICTIMS: [Victim; 6] =
    [Victim::Gateway, Victim::Steward, Victim::Worker, Victim::Anvil, Victim::Up, Victim::Machine];

struct Site {
    bin: PathBuf,
    state: PathBuf,
    port: u16,
    up: Option<Running>,
}

impl Site {
    fn rochdale(&self, args: &[&str]) -> Command {
        let mut command = Command::new(self.bin.join("rochdale"));
        command.args(args).args(["--json", "--state"]).arg(self.state.join("coop"));
        command.args(["--url", &format!("http://127.0.0.1:{}", self.port)]).stdin(Stdio::null());
        command
    }

    /// Starts `rochdale up` and waits until it says that everything runs.
    fn start(&mut self) -> Result<()> {
        let said = std::fs::OpenOptions::new().create(true).append(true).open(self.state.join("up.log"))?;
        let mut command = Command::new(self.bin.join("rochdale"));
        command.args(["up", "--json", "--port", &self.port.to_string(), "--state"]).arg(self.state.join("coop"));
        let mut child = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(said).spawn()?;
        let out = child.stdout.take().context("no output")?;
        let ready = BufReader::new(out).lines().map_while(Result::ok).any(|line| line == "}");
        self.up = Some(Running(child));
        ensure!(ready, "`rochdale up` ended before it ran; see {}", self.state.join("up.log").display());
        Ok(())
    }

    fn up(&self) -> Result<&Running> {
        self.up.as_ref().context("`up` does not run")
    }

    /// SIGKILL.
    fn kill(&mut self, victim: Victim, rng: &mut ChaCha20Rng, person: &Person) -> Result<()> {
        let prefix = match victim {
            Victim::Gateway => "rochdale-gatewa",
            Victim::Steward => "rochdale-stewar",
            Victim::Worker => "rochdale-worker",
            Victim::Anvil => "anvil",
            Victim::Up | Victim::Machine => "",
        };
        let children = self.up()?.children();
        match victim {
            Victim::Up => kill(&[self.up()?.0.id()])?,
            Victim::Machine => {
                let mut all = vec![self.up()?.0.id()];
                all.extend(children.iter().map(|(_, pid)| *pid));
                all.extend(*person.running.lock().unwrap_or_else(PoisonError::into_inner));
                kill(&all)?;
            }
            _ => {
                let found: Vec<u32> = children.iter().filter(|(name, _)| name == prefix).map(|(_, pid)| *pid).collect();
                if !found.is_empty() {
                    kill(&[found[rng.random_range(0..found.len())]])?;
                }
            }
        }
        if matches!(victim, Victim::Up | Victim::Machine) {
            self.up = None;
        }
        Ok(())
    }

    fn get(&self, path: &str) -> Result<Value> {
        let mut stream = TcpStream::connect(("127.0.0.1", self.port))?;
        stream.set_read_timeout(Some(Duration::from_secs(20)))?;
        write!(stream, "GET {path} HTTP/1.0\r\nHost: 127.0.0.1\r\n\r\n")?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer)?;
        let (head, body) = answer.split_once("\r\n\r\n").context("no HTTP answer")?;
        ensure!(head.contains(" 200 "), "{path}: {}", head.lines().next().unwrap_or_default());
        Ok(serde_json::from_str(body)?)
    }

    /// Every process listens, and the gateway has nothing to say against any.
    fn is_well(&self) -> bool {
        let listens = |offset: &u16| TcpStream::connect(("127.0.0.1", self.port + offset)).is_ok();
        LISTENING.iter().all(listens) && self.is_healthy()
    }

    fn is_healthy(&self) -> bool {
        self.get(HEALTH.path)
            .is_ok_and(|health| health["ok"] == true && health["problems"].as_array().is_some_and(Vec::is_empty))
    }
}

fn kill(pids: &[u32]) -> Result<()> {
    let pids: Vec<String> = pids.iter().map(u32::to_string).collect();
    // A process that ended by itself in this moment is no failure.
    Command::new("kill").arg("-KILL").args(pids).stderr(Stdio::null()).status()?;
    Ok(())
}

/// Who types, and the command that runs now.
#[derive(Default)]
struct Person {
    running: Mutex<Option<u32>>,
}

impl Person {
    /// Types a command once.
    fn once(&self, mut command: Command) -> Result<Output> {
        let child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn()?;
        *self.running.lock().unwrap_or_else(PoisonError::into_inner) = Some(child.id());
        let output = child.wait_with_output();
        *self.running.lock().unwrap_or_else(PoisonError::into_inner) = None;
        Ok(output?)
    }

    /// Types a command again until it succeeds; `known` is what a command says that succeeded before. Returns what it
    /// printed, and how often it was typed again.
    fn insist(&self, command: impl Fn() -> Command, known: &str) -> Result<(Option<Value>, u32)> {
        self.insist_on(|_| command(), known)
    }

    /// The same, where what is typed depends on what was said before.
    fn insist_on(&self, command: impl Fn(Option<&str>) -> Command, known: &str) -> Result<(Option<Value>, u32)> {
        let (start, mut again, mut last) = (Instant::now(), 0, None::<String>);
        loop {
            let output = self.once(command(last.as_deref()))?;
            if output.status.success() {
                return Ok((serde_json::from_slice(&output.stdout).ok(), again));
            }
            let said = String::from_utf8_lossy(&output.stderr).into_owned();
            if !known.is_empty() && said.contains(known) {
                return Ok((None, again));
            }
            if start.elapsed() > PATIENCE {
                bail!("it did not succeed in {} s: {said}", PATIENCE.as_secs());
            }
            (again, last) = (again + 1, Some(said));
            std::thread::sleep(PAUSE);
        }
    }

    /// One person joins, consents and gives a record. Returns how often something was typed again.
    fn enroll(&self, site: &Site, name: &str, record: &Path) -> Result<u32> {
        let record = record.to_string_lossy().into_owned();
        let mut again = self.insist(|| site.rochdale(&["member", "join", "--name", name]), "joined already")?.1;
        again += self.insist(|| site.rochdale(&["member", "consent", "--name", name, "--yes"]), "")?.1;
        let give = || site.rochdale(&["member", "contribute", "--name", name, &record]);
        let resume = || site.rochdale(&["member", "contribute", "--name", name, "--resume"]);
        // What was cut off is resumed, unless it had not begun.
        let next = |said: Option<&str>| match said {
            Some(said) if !said.contains("nothing was begun") => resume(),
            _ => give(),
        };
        again += self.insist_on(next, "")?.1;
        Ok(again)
    }

    /// A question that nobody asked before. Returns how often it was typed again.
    fn ask(&self, site: &Site, number: u32) -> Result<u32> {
        let path = site.state.join(format!("question-{number}.json"));
        let rho = 1_000_000 + number;
        std::fs::write(
            &path,
            json!({ "version": 1, "dataset": 1, "ask": { "kind": "count" }, "rho": rho }).to_string(),
        )?;
        let path = path.to_string_lossy().into_owned();
        Ok(self.insist(|| site.rochdale(&["researcher", "query", &path, "--yes"]), "")?.1)
    }
}

/// What somebody does while something is killed.
#[derive(Clone, Copy, Debug)]
enum Doing<'a> {
    Enrolling(&'a str, &'a Path),
    Asking(u32),
}

struct Report {
    kills: BTreeMap<Victim, u32>,
    back: Vec<Duration>,
    again: u32,
}

fn main() -> ExitCode {
    program::ended(run(&Args::parse()))
}

fn run(args: &Args) -> Result<Value> {
    let (bin, state) = (program::folder()?, program::empty(&args.state)?);
    let people = FOUNDERS + args.rounds - args.rounds / ASKED;
    let records = records(&bin, &state, people)?;
    let mut site = Site { bin, state, port: args.port, up: None };
    site.start()?;
    prepare(&site, &records)?;
    let mut rng = ChaCha20Rng::seed_from_u64(args.seed);
    let mut report = Report { kills: BTreeMap::new(), back: Vec::new(), again: 0 };
    let (start, mut member, mut question) = (Instant::now(), FOUNDERS, 0);
    for round in 1..=args.rounds {
        let victim = VICTIMS[rng.random_range(0..VICTIMS.len())];
        let delay = Duration::from_millis(rng.random_range(0..2_500));
        let name = format!("member-{member}");
        let doing = if round.is_multiple_of(ASKED) {
            question += 1;
            Doing::Asking(question)
        } else {
            member += 1;
            Doing::Enrolling(&name, &records[member as usize - 1])
        };
        one(&mut site, &mut rng, (victim, delay), doing, &mut report)
            .with_context(|| format!("round {round}: {victim:?} after {delay:?}, {doing:?}"))?;
        eprintln!("round {round}: {victim:?} after {} ms, back in {:?}", delay.as_millis(), report.back.last());
    }
    let lost = verify(&site, member, question)?;
    if let Some(mut up) = site.up.take() {
        ensure!(up.stop()?.success(), "`rochdale up` did not stop well");
    }
    ensure!(lost.is_empty(), "lost or doubled: {}", lost.join("; "));
    report.back.sort();
    let place = |part: usize| report.back.get(report.back.len() * part / 100).map_or(0, Duration::as_millis);
    let kills: BTreeMap<String, u32> =
        report.kills.iter().map(|(v, n)| (format!("{v:?}").to_lowercase(), *n)).collect();
    Ok(json!({
        "rounds": args.rounds, "seed": args.seed, "kills": kills, "members": member, "questions": question, "lost": 0,
        "double_debits": 0, "manual_steps": 0,
        "typed_again": report.again, "seconds": start.elapsed().as_secs(),
        "back_ms": { "median": place(50), "p90": place(90), "most": report.back.last().map_or(0, Duration::as_millis) },
    }))
}

/// The founders give their records, an epoch is settled, and the researcher gets a license; five are enough for an answer.
fn prepare(site: &Site, records: &[PathBuf]) -> Result<()> {
    let config = site.state.join("coop/worker/worker.toml");
    let text = std::fs::read_to_string(&config).with_context(|| format!("cannot read {}", config.display()))?;
    std::fs::write(&config, text.replace("min_cohort = 10", "min_cohort = 5"))?;
    let worker: Vec<u32> =
        site.up()?.children().into_iter().filter(|(name, _)| name == "rochdale-worker").map(|(_, pid)| pid).collect();
    kill(&worker)?;
    let person = Person::default();
    for (number, record) in (0..FOUNDERS).zip(records) {
        person.enroll(site, &format!("member-{number}"), record)?;
    }
    person.insist(|| site.rochdale(&["epoch", "settle"]), "")?;
    person.insist(|| site.rochdale(&["researcher", "new"]), "a researcher `researcher` already")?;
    person.insist(|| site.rochdale(&["researcher", "license", "--yes"]), "")?;
    Ok(())
}

/// What one person does, and a kill in the middle of it.
fn one(
    site: &mut Site,
    rng: &mut ChaCha20Rng,
    (victim, delay): (Victim, Duration),
    doing: Doing<'_>,
    report: &mut Report,
) -> Result<()> {
    let person = Person::default();
    let typed = Site { bin: site.bin.clone(), state: site.state.clone(), port: site.port, up: None };
    let again = std::thread::scope(|scope| -> Result<u32> {
        let acting = scope.spawn(|| match doing {
            Doing::Enrolling(name, record) => person.enroll(&typed, name, record),
            Doing::Asking(number) => person.ask(&typed, number),
        });
        std::thread::sleep(delay);
        let killed = Instant::now();
        site.kill(victim, rng, &person)?;
        if site.up.is_none() {
            site.start()?;
        }
        while !site.is_well() {
            ensure!(killed.elapsed() < PATIENCE, "health is not green {} s after the kill", PATIENCE.as_secs());
            std::thread::sleep(Duration::from_millis(50));
        }
        report.back.push(killed.elapsed());
        acting.join().map_err(|_| anyhow::anyhow!("the person's thread panicked"))?
    })?;
    *report.kills.entry(victim).or_default() += 1;
    report.again += again;
    Ok(())
}

fn records(bin: &Path, state: &Path, count: u32) -> Result<Vec<PathBuf>> {
    let dir = state.join("fhir");
    let mut command = Command::new(bin.join("rochdale-synth"));
    command.args(["--patients", &count.to_string(), "--shape", "transaction", "--quiet", "--out"]).arg(&dir);
    ensure!(command.status()?.success(), "no records were made");
    let mut files = std::fs::read_dir(&dir)?.map(|entry| Ok(entry?.path())).collect::<Result<Vec<_>>>()?;
    files.sort();
    ensure!(files.len() >= count as usize, "too few records");
    Ok(files)
}

/// Settles an epoch, has each steward's books recomputed from the chain, and looks for every member, record, answer and debit.
fn verify(site: &Site, members: u32, questions: u32) -> Result<Vec<String>> {
    let mut lost = Vec::new();
    let status = site.get(gateway::COOPERATIVE.path)?;
    if status["members"] != members {
        lost.push(format!("{members} people joined, {} are members", status["members"]));
    }
    let person = Person::default();
    person.insist(|| site.rochdale(&["epoch", "settle"]), "")?;
    for name in (0..members).map(|number| format!("member-{number}")) {
        let row = person.insist(|| site.rochdale(&["member", "rows", "--name", &name]), "")?.0.unwrap_or_default();
        if row["contributions"].as_array().is_none_or(|found| found.len() != 1) {
            lost.push(format!("{name} gave one record, scored are: {}", row["contributions"]));
        }
    }
    for steward in ["1", "2", "3"] {
        person.insist(|| site.rochdale(&["audit", "--steward", steward]), "")?;
    }
    let orders = person.insist(|| site.rochdale(&["researcher", "orders"]), "")?.0.unwrap_or_default();
    let orders = orders["orders"].as_array().cloned().unwrap_or_default();
    let answered = orders.iter().filter(|order| order["state"] == "answered").count();
    if answered != questions as usize {
        lost.push(format!("{questions} questions were asked, {answered} have a kept answer"));
    }
    let booked = debits(site)?;
    if booked != questions as usize {
        lost.push(format!("{questions} questions were asked, {booked} debits are on the chain"));
    }
    Ok(lost)
}

/// Debits on the chain.
fn debits(site: &Site) -> Result<usize> {
    let manifest = Manifest::load(&site.state.join("coop/manifest.json"))?;
    let url = format!("http://127.0.0.1:{}", site.port + RPC);
    tokio::runtime::Runtime::new()?.block_on(async {
        let chain = Chain::connect(&url, ChainOptions::new(LOCAL_CHAIN_ID), Arc::new(ManualClock::default())).await?;
        let mut follower = Follower::new(chain, &manifest, MemoryStore::default());
        follower.step().await?;
        Ok(Cooperative::fold(follower.store().events()).debits_since(None).count())
    })
}
