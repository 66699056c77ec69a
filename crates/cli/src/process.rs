//! Starting, watching and stopping the sibling programs.

use crate::{logs, tied};
use anyhow::{Context, Result, bail};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use rochdale_api::client::Client;
use rochdale_api::route::HEALTH;
use std::fs::OpenOptions;
use std::io::{Read as _, Seek as _, SeekFrom};
use std::os::unix::fs::OpenOptionsExt as _;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

/// How long a process may take to answer after its start, and to end after SIGTERM.
const PATIENCE: Duration = Duration::from_secs(60);
const POLL: Duration = Duration::from_millis(50);

/// A running sibling; dropped, it is told to stop and waited for.
pub struct Service {
    name: String,
    child: Child,
    log: PathBuf,
}

impl Service {
    /// Starts `program` with `args`; what it prints goes to `log`.
    pub fn spawn(name: &str, program: &str, args: &[&str], log: &Path) -> Result<Self> {
        let binary = sibling(program)?;
        if let Some(parent) = log.parent() {
            std::fs::create_dir_all(parent).with_context(|| format!("cannot make {}", parent.display()))?;
        }
        let out = OpenOptions::new().create(true).append(true).mode(0o600).open(log);
        let out = out.with_context(|| format!("cannot write {}", log.display()))?;
        let mut command = tied::command()?;
        let child = command
            .arg(&binary)
            .args(args)
            .env(rochdale_api::logs::VARIABLE, logs::format().to_string())
            .stdin(Stdio::null())
            .stdout(out.try_clone()?)
            .stderr(out)
            // Its own group: Ctrl-C reaches us first, and we stop the services in order.
            .process_group(0)
            .spawn()
            .with_context(|| format!("cannot start {}", binary.display()))?;
        Ok(Self { name: name.to_owned(), child, log: log.to_owned() })
    }

    /// The process id.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// The service's name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// An error that names the last lines of the log, where the process has ended.
    pub fn check(&mut self) -> Result<()> {
        if let Some(status) = self.child.try_wait()? {
            bail!("{} ended ({status}); the end of {}:\n{}", self.name, self.log.display(), tail(&self.log));
        }
        Ok(())
    }

    /// Keeps its log from growing without bound.
    pub fn tend_log(&self) -> Result<()> {
        logs::rotate(&self.log).with_context(|| format!("cannot put {} aside", self.log.display()))
    }

    /// Waits until the process answers its health page at `url` with `ok`.
    pub async fn ready(&mut self, url: &str) -> Result<()> {
        let client = Client::new(url)?;
        let start = Instant::now();
        loop {
            self.check()?;
            let said = match client.get(HEALTH).await {
                Ok(health) if health.ok => return Ok(()),
                Ok(health) => health.problems.join("; "),
                Err(error) => error.to_string(),
            };
            if start.elapsed() > PATIENCE {
                bail!("{} is not ready after {} s: {said}; see {}", self.name, PATIENCE.as_secs(), self.log.display());
            }
            tokio::time::sleep(POLL).await;
        }
    }

    /// Asks the process to stop and waits for it; a process that does not is killed and named.
    pub fn stop(&mut self) -> Result<()> {
        if self.child.try_wait()?.is_some() {
            return Ok(());
        }
        let pid = Pid::from_raw(i32::try_from(self.child.id()).unwrap_or_default());
        kill(pid, Signal::SIGTERM).with_context(|| format!("cannot signal {}", self.name))?;
        let start = Instant::now();
        while self.child.try_wait()?.is_none() {
            if start.elapsed() > PATIENCE {
                self.child.kill()?;
                self.child.wait()?;
                bail!(
                    "{} did not stop within {} s and was killed; see {}",
                    self.name,
                    PATIENCE.as_secs(),
                    self.log.display()
                );
            }
            std::thread::sleep(POLL);
        }
        Ok(())
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        if let Err(error) = self.stop() {
            eprintln!("{error:#}");
        }
    }
}

/// The web app, where one was built: in the repository that these programs were built in, or where `cargo xtask install` puts it.
pub fn web_app() -> Option<PathBuf> {
    let here = std::env::current_exe().ok()?;
    let above = |many: usize| here.ancestors().nth(many);
    let places = [above(3).map(|root| root.join("web/dist")), above(2).map(|root| root.join("share/rochdale/web"))];
    places.into_iter().flatten().find(|place| place.join("index.html").is_file())
}

/// A program that was built beside this one.
pub fn sibling(program: &str) -> Result<PathBuf> {
    let here = std::env::current_exe().context("this program's own path is not known")?;
    let path = here.with_file_name(program);
    if !path.is_file() {
        bail!(
            "{} is missing beside this program: build all of them with `cargo build --workspace --bins`",
            path.display()
        );
    }
    Ok(path)
}

fn tail(log: &Path) -> String {
    const BYTES: i64 = 2_000;
    let read = || -> std::io::Result<String> {
        let mut file = std::fs::File::open(log)?;
        if file.metadata()?.len() > BYTES.unsigned_abs() {
            file.seek(SeekFrom::End(-BYTES))?;
        }
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes)?;
        Ok(String::from_utf8_lossy(&bytes).into_owned())
    };
    read().unwrap_or_else(|error| error.to_string())
}
