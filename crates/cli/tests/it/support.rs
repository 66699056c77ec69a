//! Running the command and its siblings on free ports.

use alloy::primitives::{Address, B256};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use rochdale_chain::deploy::CoopConfig;
use serde_json::Value;
use std::io::{BufRead as _, BufReader};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::LazyLock;
use std::sync::atomic::{AtomicU16, Ordering};
use std::time::{Duration, Instant, SystemTime};

/// Where the gateway's siblings listen, counted from its port.
const OFFSETS: [u16; 13] = [0, 11, 12, 13, 21, 31, 50, 61, 62, 63, 71, 81, 145];

/// The command, with `args`.
pub fn rochdale(args: &[&str]) -> Command {
    let binary = Path::new(env!("CARGO_BIN_EXE_rochdale"));
    for sibling in ["rochdale-gateway", "rochdale-steward", "rochdale-worker", "rochdale-registrar", "rochdale-synth"] {
        assert!(
            binary.with_file_name(sibling).is_file(),
            "{sibling} is not built: run `cargo build --workspace --bins` before these tests, as `cargo xtask test` does"
        );
    }
    let mut command = Command::new(binary);
    command.args(args).env_remove("ROCHDALE_STATE").env_remove("ROCHDALE_URL").env_remove("ROCHDALE_REGISTRAR");
    command
}

/// Runs to the end.
pub fn run(args: &[&str]) -> Output {
    rochdale(args).stdin(Stdio::null()).output().unwrap()
}

/// Runs to the end, which must be a success, and parses what it printed.
pub fn json(args: &[&str]) -> Value {
    let output = run(args);
    let said = || [&output.stdout[..], &output.stderr[..]].map(|bytes| String::from_utf8_lossy(bytes).into_owned());
    assert!(output.status.success(), "{args:?}: {:?}", said());
    serde_json::from_slice(&output.stdout).unwrap()
}

/// Runs to the end, which must be a failure, and returns what it said.
pub fn fails(args: &[&str]) -> String {
    let output = run(args);
    assert!(!output.status.success(), "{args:?} succeeded");
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// Runs to the end, which must be a failure of the kind with this exit code, and returns what it said.
pub fn refuses(args: &[&str], code: i32) -> String {
    let output = run(args);
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(code), "{args:?}: {said}");
    assert!(output.stdout.is_empty(), "{args:?} failed and printed a result");
    said
}

/// A sample configuration with actors that somebody could have drawn: founding refuses those of samples.
pub fn with_actors(sample: &str) -> String {
    let mut config: CoopConfig = toml::from_str(sample).unwrap();
    let actors = &mut config.actors;
    let own = Address::repeat_byte;
    (actors.registrar, actors.gateway) = (own(0x11), own(0x12));
    (actors.ethics_board, actors.guardian) = (own(0x13), own(0x14));
    for (n, seat) in (0x21..).zip(actors.stewards.iter_mut().chain(&mut actors.workers)) {
        (seat.signer, seat.sealing_key) = (own(n), B256::repeat_byte(n));
    }
    toml::to_string_pretty(&config).unwrap()
}

/// A gateway port such that all its siblings' ports are free; tests of one run never share one.
pub fn port() -> u16 {
    static NEXT: AtomicU16 = AtomicU16::new(0);
    let seed = u16::try_from(std::process::id() % 60).unwrap();
    loop {
        let step = NEXT.fetch_add(1, Ordering::SeqCst);
        let base = 12_000 + (seed + step) % 150 * 200;
        if OFFSETS.iter().all(|offset| TcpListener::bind(("127.0.0.1", base + offset)).is_ok()) {
            return base;
        }
    }
}

/// One time for all patients: the same patient in two shapes is the same to the second.
static NOW: LazyLock<String> =
    LazyLock::new(|| SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap().as_secs().to_string());

/// `count` synthetic patients in `dir`, in the shape named.
pub fn synthesize(dir: &Path, count: u32, shape: &str) {
    let synth = Path::new(env!("CARGO_BIN_EXE_rochdale")).with_file_name("rochdale-synth");
    let status = Command::new(synth)
        .args(["--patients", &count.to_string(), "--shape", shape, "--now", &NOW, "--quiet", "--out"])
        .arg(dir)
        .status()
        .unwrap();
    assert!(status.success());
}

/// A cooperative that `rochdale up` runs.
pub struct Up {
    child: Child,
    pub state: PathBuf,
    pub url: String,
}

impl Up {
    /// Starts it and waits until it says that it runs.
    pub fn start(state: &Path, port: u16) -> Self {
        Self::start_with(state, port, &[])
    }

    /// Starts it with more arguments.
    pub fn start_with(state: &Path, port: u16, more: &[&str]) -> Self {
        Self::launch(state, port, more, Stdio::inherit())
    }

    /// Starts it with logs of this level.
    pub fn start_traced(state: &Path, port: u16, level: &str) -> Self {
        Self::launch_with(state, port, &[], Stdio::inherit(), &[("RUST_LOG", level)])
    }

    fn launch(state: &Path, port: u16, more: &[&str], said: Stdio) -> Self {
        Self::launch_with(state, port, more, said, &[])
    }

    fn launch_with(state: &Path, port: u16, more: &[&str], said: Stdio, env: &[(&str, &str)]) -> Self {
        let shown = state.to_str().unwrap();
        let mut child = rochdale(&["up", "--json", "--state", shown, "--port", &port.to_string()])
            .args(more)
            .envs(env.iter().copied())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(said)
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        // The JSON object ends with a brace in the first column.
        let ready = lines.by_ref().map_while(Result::ok).any(|line| line == "}");
        assert!(ready, "`rochdale up` ended before it ran");
        Self { child, state: state.to_owned(), url: format!("http://127.0.0.1:{port}") }
    }

    /// The arguments that name this cooperative.
    pub fn args<'a>(&'a self, args: &[&'a str]) -> Vec<&'a str> {
        let common = ["--json", "--state", self.state.to_str().unwrap(), "--url", &self.url];
        // A script has read the notice.
        let yes = (args.starts_with(&["member", "consent"]) && !args.contains(&"--revoke")).then_some("--yes");
        args.iter().copied().chain(yes).chain(common).collect()
    }

    /// Runs a command against it.
    pub fn json(&self, args: &[&str]) -> Value {
        json(&self.args(args))
    }

    /// A command against it that must fail.
    pub fn fails(&self, args: &[&str]) -> String {
        fails(&self.args(args))
    }

    /// A command against it that must fail with this exit code.
    pub fn refuses(&self, args: &[&str], code: i32) -> String {
        refuses(&self.args(args), code)
    }

    /// Waits until the gateway reaches this many stewards.
    pub fn wait_for_stewards(&self, wanted: usize) {
        let patience = Instant::now() + Duration::from_secs(60);
        let port: u16 = self.url.rsplit(':').next().unwrap().parse().unwrap();
        loop {
            let status = self.json(&["coop", "status"]);
            let stewards = status["cooperative"]["stewards"].as_array().unwrap();
            let up = stewards.iter().filter(|steward| steward["up"] == true).count();
            // Whom the gateway did not ask yet counts as up there.
            let here = OFFSETS[1..4].iter().filter(|offset| TcpStream::connect(("127.0.0.1", port + **offset)).is_ok());
            if up == wanted && here.count() == wanted {
                return;
            }
            std::thread::sleep(Duration::from_millis(50));
            assert!(Instant::now() < patience, "not {wanted} stewards are up: {status}");
        }
    }

    /// As [`Self::start`]; what it says on standard error goes to a file.
    pub fn start_telling(state: &Path, port: u16, more: &[&str], said: &Path) -> Self {
        let file = std::fs::File::create(said).unwrap();
        Self::launch(state, port, more, file.into())
    }

    /// Its process.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Stops it as a service manager does.
    pub fn terminate(mut self) {
        kill(Pid::from_raw(i32::try_from(self.child.id()).unwrap()), Signal::SIGTERM).unwrap();
        assert!(self.child.wait().unwrap().success());
    }

    /// Kills it alone, as the system does when memory runs out.
    pub fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Stops it as Ctrl-C does.
    pub fn stop(mut self) {
        kill(Pid::from_raw(i32::try_from(self.child.id()).unwrap()), Signal::SIGINT).unwrap();
        assert!(self.child.wait().unwrap().success());
    }
}

impl Drop for Up {
    fn drop(&mut self) {
        if matches!(self.child.try_wait(), Ok(None)) {
            let _ = kill(Pid::from_raw(i32::try_from(self.child.id()).unwrap()), Signal::SIGTERM);
            let _ = self.child.wait();
        }
    }
}

/// The process behind a listening port, found as `ss -lp` does: the socket's inode among the open files.
pub fn listener(port: u16) -> Option<i32> {
    let table = std::fs::read_to_string("/proc/net/tcp").unwrap();
    let suffix = format!(":{port:04X}");
    let inode = table.lines().skip(1).find_map(|line| {
        let fields: Vec<_> = line.split_whitespace().collect();
        (fields[1].ends_with(&suffix) && fields[3] == "0A").then(|| fields[9].to_owned())
    })?;
    let wanted = format!("socket:[{inode}]");
    std::fs::read_dir("/proc").unwrap().filter_map(Result::ok).find_map(|entry| {
        let pid: i32 = entry.file_name().to_str()?.parse().ok()?;
        let files = std::fs::read_dir(entry.path().join("fd")).ok()?;
        let mut targets = files.filter_map(|file| std::fs::read_link(file.ok()?.path()).ok());
        targets.any(|target| target.to_str() == Some(&wanted)).then_some(pid)
    })
}
