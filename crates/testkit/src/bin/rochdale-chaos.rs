//! A cooperative whose processes are killed at random while people join and give records, and what became of it all.
//!
//! What people type is typed again until it succeeds, as a person does; nothing else is ever done by hand.

use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitCode, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail, ensure};
use clap::Parser;
use rand::{RngExt as _, SeedableRng as _};
use rand_chacha::ChaCha20Rng;
use serde_json::{Value, json};

/// How long anything may take until it works again.
const PATIENCE: Duration = Duration::from_secs(120);
/// Pause before something is typed again.
const PAUSE: Duration = Duration::from_millis(400);

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
    up: Option<Child>,
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
        self.up = Some(child);
        ensure!(ready, "`rochdale up` ended before it ran; see {}", self.state.join("up.log").display());
        Ok(())
    }

    fn up_pid(&self) -> Result<u32> {
        Ok(self.up.as_ref().context("`up` does not run")?.id())
    }

    /// Processes that `up` started, by name.
    fn children(&self) -> Result<Vec<(String, u32)>> {
        let up = self.up_pid()?;
        let pids = std::fs::read_to_string(format!("/proc/{up}/task/{up}/children")).unwrap_or_default();
        let named = |pid: &str| {
            let name = std::fs::read_to_string(format!("/proc/{pid}/comm")).ok()?;
            Some((name.trim().to_owned(), pid.parse().ok()?))
        };
        Ok(pids.split_whitespace().filter_map(named).collect())
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
        let children = self.children()?;
        match victim {
            Victim::Up => kill(&[self.up_pid()?])?,
            Victim::Machine => {
                let mut all = vec![self.up_pid()?];
                all.extend(children.iter().map(|(_, pid)| *pid));
                person.interrupted.store(true, Ordering::SeqCst);
                all.extend(*person.running.lock().unwrap_or_else(std::sync::PoisonError::into_inner));
                kill(&all)?;
            }
            _ => {
                let found: Vec<u32> = children.iter().filter(|(name, _)| name == prefix).map(|(_, pid)| *pid).collect();
                if !found.is_empty() {
                    kill(&[found[rng.random_range(0..found.len())]])?;
                }
            }
        }
        if matches!(victim, Victim::Up | Victim::Machine)
            && let Some(mut up) = self.up.take()
        {
            up.wait()?;
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

    fn is_well(&self) -> bool {
        self.get("/v1/health")
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
    running: std::sync::Mutex<Option<u32>>,
    interrupted: AtomicBool,
}

impl Person {
    /// Types a command again until it succeeds; `known` is what a command says that succeeded before.
    fn insist(&self, mut command: impl FnMut() -> Command, known: &str) -> Result<(Option<Value>, u32)> {
        let (start, mut times) = (Instant::now(), 0);
        loop {
            times += 1;
            let child = command().stdout(Stdio::piped()).stderr(Stdio::piped()).spawn()?;
            *self.running.lock().unwrap_or_else(std::sync::PoisonError::into_inner) = Some(child.id());
            let output = child.wait_with_output()?;
            *self.running.lock().unwrap_or_else(std::sync::PoisonError::into_inner) = None;
            if output.status.success() {
                return Ok((serde_json::from_slice(&output.stdout).ok(), times));
            }
            let said = String::from_utf8_lossy(&output.stderr).into_owned();
            if !known.is_empty() && said.contains(known) {
                return Ok((None, times));
            }
            if start.elapsed() > PATIENCE {
                bail!("it did not succeed in {} s: {said}", PATIENCE.as_secs());
            }
            std::thread::sleep(PAUSE);
        }
    }

    /// One person joins, consents and gives a record. Returns how often something was typed again.
    fn enroll(&self, site: &Site, name: &str, record: &Path) -> Result<u32> {
        let record = record.to_string_lossy().into_owned();
        let mut again = 0;
        let join = ["member", "join", "--name", name];
        again += self.insist(|| site.rochdale(&join), "joined already")?.1 - 1;
        let consent = ["member", "consent", "--name", name];
        again += self.insist(|| site.rochdale(&consent), "")?.1 - 1;
        let give = ["member", "contribute", "--name", name, &record];
        let resume = ["member", "contribute", "--name", name, "--resume"];
        let first = site.rochdale(&give).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn()?;
        *self.running.lock().unwrap_or_else(std::sync::PoisonError::into_inner) = Some(first.id());
        let first = first.wait_with_output()?;
        if !first.status.success() {
            again += self.insist(|| site.rochdale(&resume), "")?.1;
        }
        Ok(again)
    }
}

struct Report {
    kills: BTreeMap<Victim, u32>,
    back: Vec<Duration>,
    again: u32,
}

fn main() -> ExitCode {
    match run(&Args::parse()) {
        Ok(report) => {
            println!("{report:#}");
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(args: &Args) -> Result<Value> {
    let bin = std::env::current_exe()?.parent().context("no directory")?.to_owned();
    if args.state.exists() {
        std::fs::remove_dir_all(&args.state)?;
    }
    std::fs::create_dir_all(&args.state)?;
    let state = args.state.canonicalize()?;
    let records = records(&bin, &state, args.rounds)?;
    let mut site = Site { bin, state, port: args.port, up: None };
    site.start()?;
    let mut rng = ChaCha20Rng::seed_from_u64(args.seed);
    let mut report = Report { kills: BTreeMap::new(), back: Vec::new(), again: 0 };
    let start = Instant::now();
    for round in 0..args.rounds {
        let victim = VICTIMS[rng.random_range(0..VICTIMS.len())];
        let delay = Duration::from_millis(rng.random_range(0..2_500));
        let name = format!("member-{round}");
        one(&mut site, &mut rng, (victim, delay), (&name, &records[round as usize]), &mut report)
            .with_context(|| format!("round {round}: {victim:?} after {delay:?}"))?;
        eprintln!("round {round}: {victim:?} after {} ms, back in {:?}", delay.as_millis(), report.back.last());
    }
    let lost = verify(&site, args.rounds)?;
    if let Some(mut up) = site.up.take() {
        Command::new("kill").arg("-TERM").arg(up.id().to_string()).status()?;
        ensure!(up.wait()?.success(), "`rochdale up` did not stop well");
    }
    ensure!(lost.is_empty(), "lost: {}", lost.join("; "));
    report.back.sort();
    let place = |part: usize| report.back.get(report.back.len() * part / 100).map_or(0, Duration::as_millis);
    let kills: BTreeMap<String, u32> =
        report.kills.iter().map(|(v, n)| (format!("{v:?}").to_lowercase(), *n)).collect();
    Ok(json!({
        "rounds": args.rounds, "seed": args.seed, "kills": kills, "lost": 0, "manual_steps": 0,
        "typed_again": report.again, "seconds": start.elapsed().as_secs(),
        "back_ms": { "median": place(50), "p90": place(90), "most": report.back.last().map_or(0, Duration::as_millis) },
    }))
}

/// One person's enrolment, and a kill in the middle of it.
fn one(
    site: &mut Site,
    rng: &mut ChaCha20Rng,
    (victim, delay): (Victim, Duration),
    (name, record): (&str, &Path),
    report: &mut Report,
) -> Result<()> {
    let person = Person::default();
    let typed = Site { bin: site.bin.clone(), state: site.state.clone(), port: site.port, up: None };
    let again = std::thread::scope(|scope| -> Result<u32> {
        let enrolling = scope.spawn(|| person.enroll(&typed, name, record));
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
        enrolling.join().map_err(|_| anyhow::anyhow!("the person's thread panicked"))?
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

/// Settles an epoch, has each steward's books recomputed from the chain, and looks for every member and record.
fn verify(site: &Site, rounds: u32) -> Result<Vec<String>> {
    let mut lost = Vec::new();
    let status = site.get("/v1/cooperative")?;
    if status["members"] != rounds {
        lost.push(format!("{rounds} people joined, {} are members", status["members"]));
    }
    let person = Person::default();
    person.insist(|| site.rochdale(&["epoch", "settle"]), "")?;
    for name in (0..rounds).map(|round| format!("member-{round}")) {
        let row = person.insist(|| site.rochdale(&["member", "rows", "--name", &name]), "")?.0.unwrap_or_default();
        if row["contributions"].as_array().is_none_or(Vec::is_empty) {
            lost.push(format!("{name} has no scored contribution: {row}"));
        }
    }
    for steward in ["1", "2", "3"] {
        person.insist(|| site.rochdale(&["audit", "--steward", steward]), "")?;
    }
    Ok(lost)
}
