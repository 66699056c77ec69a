//! Starts anvil as a direct child, and finds its binary.

use std::env;
use std::ffi::OsString;
use std::fs::OpenOptions;
use std::io::{BufRead as _, BufReader, Read, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::time::Duration;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use tempfile::TempDir;

use crate::client::LOCAL_CHAIN_ID;

/// How long anvil may take to listen.
const PATIENCE: Duration = Duration::from_secs(30);

/// Bytes of its output in one file.
const MOST_LOG: u64 = 4 << 20;
/// The environment variable that names the binary.
const VARIABLE: &str = "ROCHDALE_ANVIL";

/// Why there is no local chain.
#[derive(Debug, thiserror::Error)]
pub enum LocalError {
    /// No binary.
    #[error(
        "anvil was not found in node_modules above {from}, nor on PATH; run `cargo xtask setup`, or name the binary in ROCHDALE_ANVIL"
    )]
    NoAnvil {
        /// Where the search began.
        from: PathBuf,
    },
    /// The variable names nothing.
    #[error("ROCHDALE_ANVIL names {0}, which is no file; correct or unset it")]
    BadVariable(PathBuf),
    /// The file for its output.
    #[error("{path}: {source}; anvil's output cannot be kept there")]
    Log {
        /// The path of the file at fault.
        path: PathBuf,
        /// What the layer below said.
        source: std::io::Error,
    },
    /// The directory for its past states.
    #[error("no directory for the chain's past states: {0}; name a writable one in TMPDIR")]
    Past(#[source] std::io::Error),
    /// The process did not start.
    #[error("{binary} did not start: {source}")]
    Spawn {
        /// The path of the anvil that was started.
        binary: PathBuf,
        /// What the layer below said.
        source: std::io::Error,
    },
    /// The process ended before it listened.
    #[error("{binary} ended before it listened ({status}): {output}; is the port {port} taken?")]
    Ended {
        /// The path of the anvil that was started.
        binary: PathBuf,
        /// Its exit status.
        status: String,
        /// What it wrote last.
        output: String,
        /// The port that was asked for, 0 for any.
        port: u16,
    },
    /// The process does not listen.
    #[error("{binary} does not listen after {} s", PATIENCE.as_secs())]
    Silent {
        /// The path of the anvil that was started.
        binary: PathBuf,
    },
}

/// When anvil mines a block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mining {
    /// With each transaction.
    Auto,
    /// Every so many seconds.
    Interval(u64),
    /// With each transaction and also every so many seconds: nothing waits, and blocks still become final.
    Mixed(u64),
    /// A block only when it is asked for.
    Manual,
}

/// What kind of local chain.
#[derive(Clone, Debug)]
pub struct AnvilOptions {
    /// The chain's id; anything but 31337 is for tests of what is refused elsewhere.
    pub chain_id: u64,
    /// TCP port on loopback; 0 for any free one.
    pub port: u16,
    /// When blocks are mined.
    pub mining: Mining,
    /// Timestamp of the first block, Unix seconds; now if absent.
    pub genesis_timestamp: Option<u64>,
    /// A directory for its past states, emptied at the start, and how many of them; a temporary one if absent.
    pub past: Option<(PathBuf, u64)>,
    /// A program with arguments that runs anvil in its own place, as one that ties it to this process; none if empty.
    pub runner: Vec<OsString>,
    /// A file that takes its output, and one before it of a bounded size; none if absent.
    pub log: Option<PathBuf>,
    /// Whether a Ctrl-C in the terminal spares it, so that its parent stops it last.
    pub own_group: bool,
}

impl Default for AnvilOptions {
    fn default() -> Self {
        Self {
            chain_id: LOCAL_CHAIN_ID,
            port: 0,
            mining: Mining::Auto,
            genesis_timestamp: None,
            past: None,
            runner: Vec::new(),
            log: None,
            own_group: false,
        }
    }
}

/// A running anvil, which ends with this value.
#[derive(Debug)]
pub struct Anvil {
    child: Child,
    port: u16,
    /// Where it keeps past states, gigabytes in a long run; anvil itself leaves them behind in the home directory.
    _past: Option<TempDir>,
}

impl Anvil {
    /// Starts anvil and waits until it listens.
    ///
    /// # Errors
    /// Where there is no binary, or it ends or stays silent.
    pub fn spawn(options: &AnvilOptions) -> Result<Self, LocalError> {
        let binary = find_anvil()?;
        let mut command = run_by(&options.runner, &binary);
        command.args(arguments(options));
        let past = match &options.past {
            Some((path, states)) => {
                empty(path).map_err(LocalError::Past)?;
                command.arg("--cache-path").arg(path).arg("--max-persisted-states").arg(states.to_string());
                None
            }
            None => {
                let temporary = tempfile::Builder::new().prefix("rochdale-anvil-").tempdir();
                let temporary = temporary.map_err(LocalError::Past)?;
                command.arg("--cache-path").arg(temporary.path());
                Some(temporary)
            }
        };
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        if options.own_group {
            command.process_group(0);
        }
        let log = options.log.as_deref().map(Log::open).transpose()?;
        let mut child = command.spawn().map_err(|source| LocalError::Spawn { binary: binary.clone(), source })?;
        let (sender, receiver) = mpsc::channel();
        if let Some(stdout) = child.stdout.take() {
            drain(stdout, log, Some(sender));
        }
        let errors = child.stderr.take();
        // Owned from here on, so that every return below ends the process.
        let mut anvil = Self { child, port: 0, _past: past };
        match receiver.recv_timeout(PATIENCE) {
            Ok(port) => {
                if let Some(stderr) = errors {
                    drain(stderr, None, None);
                }
                anvil.port = port;
                Ok(anvil)
            }
            Err(mpsc::RecvTimeoutError::Timeout) => Err(LocalError::Silent { binary }),
            Err(mpsc::RecvTimeoutError::Disconnected) => {
                let mut output = String::new();
                if let Some(mut stderr) = errors {
                    let _ = stderr.read_to_string(&mut output);
                }
                let status = anvil.child.wait().map_or_else(|e| e.to_string(), |s| s.to_string());
                let output = output.trim().chars().take(500).collect();
                Err(LocalError::Ended { binary, status, output, port: options.port })
            }
        }
    }

    /// The RPC's address.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// The port it listens on.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The process id.
    #[must_use]
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Whether the process still runs.
    pub fn is_running(&mut self) -> bool {
        matches!(self.child.try_wait(), Ok(None))
    }

    /// Asks anvil to end, so that it writes its state, and waits for it.
    pub fn stop(mut self) {
        self.terminate(Signal::SIGTERM);
    }

    fn terminate(&mut self, signal: Signal) {
        if self.is_running()
            && let Ok(pid) = i32::try_from(self.child.id())
        {
            let _ = kill(Pid::from_raw(pid), signal);
        }
        let _ = self.child.wait();
    }
}

impl Drop for Anvil {
    fn drop(&mut self) {
        self.terminate(Signal::SIGKILL);
    }
}

fn arguments(options: &AnvilOptions) -> Vec<OsString> {
    let mut all: Vec<OsString> = ["--host", "127.0.0.1", "--slots-in-an-epoch", "1", "--hardfork", "osaka"]
        .into_iter()
        .map(OsString::from)
        .collect();
    let mut add = |name: &str, value: String| all.extend([OsString::from(name), OsString::from(value)]);
    add("--chain-id", options.chain_id.to_string());
    add("--port", options.port.to_string());
    // The accounts that anvil would hand out have published keys; ours are funded by name.
    add("--accounts", "1".to_owned());
    if let Some(timestamp) = options.genesis_timestamp {
        add("--timestamp", timestamp.to_string());
    }
    match options.mining {
        Mining::Auto => {}
        Mining::Interval(seconds) => add("--block-time", seconds.to_string()),
        Mining::Mixed(seconds) => {
            add("--block-time", seconds.to_string());
            all.push("--mixed-mining".into());
        }
        Mining::Manual => all.push("--no-mining".into()),
    }
    // A whole chain is given back to it in one request, and its transactions in the order of the blocks they were in.
    all.extend(["--no-request-size-limit", "--order", "fifo"].map(OsString::from));
    all
}

fn run_by(runner: &[OsString], binary: &Path) -> Command {
    let Some((program, arguments)) = runner.split_first() else { return Command::new(binary) };
    let mut command = Command::new(program);
    command.args(arguments).arg(binary);
    command
}

fn empty(path: &Path) -> std::io::Result<()> {
    match std::fs::remove_dir_all(path) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    std::fs::create_dir_all(path)
}

/// Anvil's output. It writes a line for each request: a full file becomes the one before.
struct Log {
    path: PathBuf,
    file: std::fs::File,
    bytes: u64,
}

impl Log {
    fn open(path: &Path) -> Result<Self, LocalError> {
        let failed = |source| LocalError::Log { path: path.to_owned(), source };
        let file = OpenOptions::new().create(true).append(true).mode(0o600).open(path).map_err(failed)?;
        let bytes = file.metadata().map_err(failed)?.len();
        Ok(Self { path: path.to_owned(), file, bytes })
    }

    fn line(&mut self, line: &str) {
        if self.bytes > MOST_LOG
            && std::fs::rename(&self.path, self.path.with_extension("before")).is_ok()
            && let Ok(next) = Self::open(&self.path)
        {
            *self = next;
        }
        self.bytes += line.len() as u64 + 1;
        let _ = writeln!(self.file, "{line}");
    }
}

/// Reads a pipe to its end, so that the child never blocks on it; tells the port once it is named.
fn drain(pipe: impl Read + Send + 'static, log: Option<Log>, port: Option<mpsc::Sender<u16>>) {
    std::thread::spawn(move || {
        let mut log = log;
        let mut port = port;
        for line in BufReader::new(pipe).lines().map_while(Result::ok) {
            if let Some(found) =
                line.strip_prefix("Listening on ").and_then(|a| a.rsplit(':').next()?.trim().parse().ok())
                && let Some(sender) = port.take()
            {
                let _ = sender.send(found);
            }
            if let Some(log) = &mut log {
                log.line(&line);
            }
        }
    });
}

/// The anvil to run: `ROCHDALE_ANVIL`, or the npm package's under a `node_modules` above the running program or the
/// working directory, or one on `PATH`. The npm package's wrapper script is passed by: it would orphan the process.
///
/// # Errors
/// Where there is none.
pub fn find_anvil() -> Result<PathBuf, LocalError> {
    if let Some(named) = env::var_os(VARIABLE).filter(|v| !v.is_empty()) {
        let path = PathBuf::from(named);
        return if path.is_file() { Ok(path) } else { Err(LocalError::BadVariable(path)) };
    }
    let working = env::current_dir().unwrap_or_default();
    let program = env::current_exe().unwrap_or_default();
    let installed = [program.as_path(), working.as_path()].into_iter().flat_map(Path::ancestors).find_map(installed_in);
    let on_path = || {
        let path = env::var_os("PATH")?;
        env::split_paths(&path).map(|dir| dir.join("anvil")).find(|file| file.is_file())
    };
    installed.or_else(on_path).ok_or(LocalError::NoAnvil { from: working })
}

fn installed_in(directory: &Path) -> Option<PathBuf> {
    let system = if cfg!(target_os = "macos") { "darwin" } else { env::consts::OS };
    let machine = if cfg!(target_arch = "aarch64") { "arm64" } else { "amd64" };
    let package = format!("node_modules/@foundry-rs/anvil-{system}-{machine}/bin/anvil");
    Some(directory.join(package)).filter(|file| file.is_file())
}
