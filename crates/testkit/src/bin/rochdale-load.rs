//! Many people at once: members who join, consent and give a record side by side, then readers of everything that is public, while an
//! epoch is settled, and how long each of them waited.

use std::borrow::Cow;
use std::path::PathBuf;
use std::process::{Command, ExitCode, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail, ensure};
use clap::Parser;
use rochdale_api::route::gateway;
use rochdale_testkit::program::{self, Running};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

/// Longest wait for one answer.
const PATIENCE: Duration = Duration::from_secs(10);
/// Members whose pages are read.
const PAGES: u32 = 8;

#[derive(Parser)]
#[command(about = "Have many people join, give records and read at once, and measure how long they wait")]
struct Args {
    /// How many members
    #[arg(long, default_value_t = 1_000)]
    members: u32,
    /// How many of them enrol side by side; a gateway takes 16 uploads at a time from one address
    #[arg(long, default_value_t = 16)]
    at_once: u32,
    /// Connections that read
    #[arg(long, default_value_t = 64)]
    readers: u32,
    /// How long they read at least, in seconds; until the epoch is settled in any case
    #[arg(long, default_value_t = 20)]
    seconds: u64,
    /// The gateway's port
    #[arg(long, default_value_t = 18_600)]
    port: u16,
    /// An empty directory for everything
    #[arg(long, default_value = "target/load")]
    state: PathBuf,
}

/// A demo that stays.
struct Site {
    bin: PathBuf,
    state: PathBuf,
    port: u16,
    demo: Running,
}

fn main() -> ExitCode {
    program::ended(run(&Args::parse()))
}

fn run(args: &Args) -> Result<Value> {
    let (bin, state) = (program::folder()?, program::empty(&args.state)?);
    let (site, report) = Site::start(bin, state, args)?;
    let settled = Arc::new(AtomicBool::new(false));
    let settling = site.settle(settled.clone())?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let read = runtime.block_on(read(args, settled))?;
    let settled = settling.join().map_err(|_| anyhow::anyhow!("the settling thread panicked"))??;
    let enrolled = &report["seconds"][0][1];
    let refused = report["patients"]["skipped"].as_array().context("no list of who was refused")?;
    ensure!(refused.is_empty(), "{} of {} people were refused, the first: {}", refused.len(), args.members, refused[0]);
    Ok(json!({
        "members": report["patients"]["contributed"], "at_once": args.at_once,
        "enrolled_in_s": enrolled, "scored_and_settled_in_s": report["seconds"][1][1],
        "reads": read, "settled_meanwhile_in_s": settled.as_secs_f64(), "most_memory_mib": site.memory(),
    }))
}

impl Site {
    /// Runs a demo with as many members, which leaves its cooperative running, and gives its report.
    fn start(bin: PathBuf, state: PathBuf, args: &Args) -> Result<(Self, Value)> {
        let mut command = Command::new(bin.join("rochdale"));
        let (members, at_once) = (args.members.to_string(), args.at_once.to_string());
        command.args(["demo", "--json", "--patients", &members, "--at-once", &at_once]);
        command.args(["--port", &args.port.to_string(), "--state"]).arg(state.join("coop"));
        let mut demo = command.stdin(Stdio::null()).stdout(Stdio::piped()).spawn()?;
        let out = demo.stdout.take().context("no output")?;
        let site = Self { bin, state, port: args.port, demo: Running(demo) };
        let report = serde_json::Deserializer::from_reader(out).into_iter::<Value>().next();
        Ok((site, report.context("the demo ended without a report")??))
    }

    /// Settles an epoch meanwhile.
    fn settle(&self, done: Arc<AtomicBool>) -> Result<std::thread::JoinHandle<Result<Duration>>> {
        let mut command = Command::new(self.bin.join("rochdale"));
        command.args(["epoch", "settle", "--json", "--state"]).arg(self.state.join("coop"));
        command.args(["--url", &format!("http://127.0.0.1:{}", self.port)]).stdout(Stdio::null());
        let mut settling = command.spawn()?;
        Ok(std::thread::spawn(move || {
            let start = Instant::now();
            let ended = settling.wait();
            done.store(true, Ordering::Relaxed);
            ensure!(ended?.success(), "the epoch was not settled");
            Ok(start.elapsed())
        }))
    }

    /// The most memory that each process of the cooperative ever took, by name.
    fn memory(&self) -> Value {
        let mut most = serde_json::Map::new();
        for (name, pid) in self.demo.children() {
            let Ok(status) = std::fs::read_to_string(format!("/proc/{pid}/status")) else { continue };
            let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
            let kib: u64 = line.unwrap_or_default().trim().trim_end_matches(" kB").parse().unwrap_or_default();
            let entry = most.entry(name).or_insert(json!(0));
            *entry = json!(entry.as_u64().unwrap_or_default().max(kib >> 10));
        }
        most.into()
    }
}

/// Everybody reads until the epoch is settled, and how long they waited in milliseconds.
async fn read(args: &Args, settled: Arc<AtomicBool>) -> Result<Value> {
    let (start, least) = (Instant::now(), Duration::from_secs(args.seconds));
    let mut readers = tokio::task::JoinSet::new();
    for reader in 0..args.readers {
        let (settled, port, members) = (settled.clone(), args.port, args.members);
        readers.spawn(async move {
            let paths = paths(members);
            let mut connection = Connection::open(port).await?;
            let mut waited = Vec::new();
            for path in paths.iter().cycle().skip(reader as usize) {
                if start.elapsed() > least && settled.load(Ordering::Relaxed) {
                    break;
                }
                let asked = Instant::now();
                let answer = tokio::time::timeout(PATIENCE, connection.get(path)).await;
                answer.with_context(|| format!("{path}: no answer in {} s", PATIENCE.as_secs()))??;
                waited.push(asked.elapsed());
            }
            anyhow::Ok(waited)
        });
    }
    let mut waited = Vec::new();
    while let Some(reader) = readers.join_next().await {
        waited.extend(reader??);
    }
    let seconds = start.elapsed().as_secs_f64();
    waited.sort_unstable();
    let place = |per_mille: usize| waited.get(waited.len() * per_mille / 1_000).map_or(0.0, |w| w.as_secs_f64() * 1e3);
    Ok(json!({
        "connections": args.readers, "seconds": seconds, "answers": waited.len(),
        "per_second": waited.len() as f64 / seconds,
        "ms": { "p50": place(500), "p90": place(900), "p99": place(990), "p999": place(999) },
    }))
}

/// What anybody may read.
fn paths(members: u32) -> Vec<String> {
    use gateway::{BUDGET, COOPERATIVE, DATASETS, EPOCH, HEALTH, LICENSE, LICENSES, MEMBER, POLLS, TREASURY};
    let fixed = [COOPERATIVE.path, TREASURY.path, LICENSES.path, DATASETS.path, BUDGET.path, HEALTH.path, POLLS.path];
    let people = (1..=PAGES).map(|n| MEMBER.at(1 + (members - 1) * n / PAGES).path.into_owned());
    let one = [LICENSE.at(1).path, EPOCH.at(1).path].map(Cow::into_owned);
    fixed.map(str::to_owned).into_iter().chain(one).chain(people).collect()
}

/// One kept connection, with the least that a client does: it shares its cores with what it measures.
struct Connection {
    stream: TcpStream,
    buffer: Vec<u8>,
}

impl Connection {
    async fn open(port: u16) -> Result<Self> {
        let stream = TcpStream::connect(("127.0.0.1", port)).await?;
        stream.set_nodelay(true)?;
        Ok(Self { stream, buffer: Vec::with_capacity(64 << 10) })
    }

    /// Reads one answer to its end; anything but 200 is an error.
    async fn get(&mut self, path: &str) -> Result<()> {
        let request = format!("GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n");
        self.stream.write_all(request.as_bytes()).await?;
        self.buffer.clear();
        let mut whole = None;
        while whole.is_none_or(|whole| self.buffer.len() < whole) {
            ensure!(self.stream.read_buf(&mut self.buffer).await? > 0, "{path}: the connection was closed");
            if whole.is_none() {
                whole = length(&self.buffer)?;
            }
        }
        let line = self.buffer.split(|byte| *byte == b'\r').next().unwrap_or_default();
        if !line.ends_with(b" 200 OK") {
            bail!("{path}: {}", String::from_utf8_lossy(&self.buffer));
        }
        Ok(())
    }
}

/// How many bytes an answer has, once its head is there.
fn length(answer: &[u8]) -> Result<Option<usize>> {
    let Some(head) = answer.windows(4).position(|end| end == b"\r\n\r\n") else { return Ok(None) };
    let text = std::str::from_utf8(&answer[..head])?.to_ascii_lowercase();
    let body = text.lines().find_map(|line| line.strip_prefix("content-length:")).context("no length")?;
    Ok(Some(head + 4 + body.trim().parse::<usize>()?))
}
