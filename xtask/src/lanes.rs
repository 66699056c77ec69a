//! A whole test run has two lanes, since neither of them keeps two cores busy: a process each, one shown as it runs, the other when it ended.

use crate::run::root;
use anyhow::{Context, Result, bail};
use std::fs::File;
use std::io::Read as _;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

/// When a part runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Lane {
    /// Before the lanes.
    First,
    /// Shown as it runs.
    Crates,
    /// Beside it, into `target/beside.log`.
    Beside,
}

/// Both, while they run.
pub struct Lanes {
    shown: Child,
    beside: Child,
    log: PathBuf,
}

impl Lanes {
    pub fn begin() -> Result<Self> {
        let log = root().join("target/beside.log");
        std::fs::create_dir_all(root().join("target"))?;
        let file = File::create(&log).with_context(|| log.display().to_string())?;
        let mut beside = lane("beside")?;
        beside.stdout(file.try_clone()?).stderr(file);
        Ok(Self { beside: beside.spawn()?, shown: lane("crates")?.spawn()?, log })
    }

    /// Waits for both. Where one failed the other ends with the part that it is at.
    pub fn end(mut self) -> Result<()> {
        let ended = loop {
            std::thread::sleep(Duration::from_millis(200));
            let (shown, beside) = (self.shown.try_wait()?, self.beside.try_wait()?);
            if shown.is_some_and(|status| !status.success()) || beside.is_some_and(|status| !status.success()) {
                eprintln!("\na part failed; what runs beside it comes to its end");
                break false;
            }
            if shown.is_some() && beside.is_some() {
                break true;
            }
        };
        drop((self.shown.stdin.take(), self.beside.stdin.take()));
        self.shown.wait()?;
        self.beside.wait()?;
        println!("\n== what ran beside ==\n{}", std::fs::read_to_string(&self.log)?);
        if !ended {
            bail!("a part failed: its message stands above");
        }
        Ok(())
    }
}

/// It sees its input end when this process is gone or has enough.
fn lane(name: &str) -> Result<Command> {
    let mut command = Command::new(std::env::current_exe()?);
    command.args(["test", "--lane", name]).stdin(Stdio::piped());
    Ok(command)
}

/// For a lane: fails once whoever began it is gone, or wants no more.
pub fn wanted() -> impl Fn() -> Result<()> {
    let over = Arc::new(AtomicBool::new(false));
    let told = Arc::clone(&over);
    std::thread::spawn(move || {
        let mut nothing = Vec::new();
        std::io::stdin().read_to_end(&mut nothing).ok();
        told.store(true, Ordering::SeqCst);
    });
    move || {
        if over.load(Ordering::SeqCst) {
            bail!("ended here, since the other lane failed");
        }
        Ok(())
    }
}
