//! What programs share that put a cooperative of real processes to a test.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitCode, ExitStatus};

use anyhow::{Context as _, Result, ensure};
use serde_json::Value;

/// Says that a folder was made by one of these programs, which may empty it again.
const MARK: &str = ".made-for-a-test";

/// A process that is asked to stop when this is dropped, and waited for.
#[derive(Debug)]
pub struct Running(pub Child);

impl Running {
    /// The processes that it started, by name.
    #[must_use]
    pub fn children(&self) -> Vec<(String, u32)> {
        let pid = self.0.id();
        let pids = std::fs::read_to_string(format!("/proc/{pid}/task/{pid}/children")).unwrap_or_default();
        let named = |pid: &str| {
            // A process that ended meanwhile is none.
            let name = std::fs::read_to_string(format!("/proc/{pid}/comm")).ok()?;
            Some((name.trim().to_owned(), pid.parse().ok()?))
        };
        pids.split_whitespace().filter_map(named).collect()
    }

    /// Asks it to stop, where it has not ended by itself, and waits.
    ///
    /// # Errors
    /// Where the system refuses.
    pub fn stop(&mut self) -> std::io::Result<ExitStatus> {
        if self.0.try_wait()?.is_none() {
            Command::new("kill").arg("-TERM").arg(self.0.id().to_string()).status()?;
        }
        self.0.wait()
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // Nobody is there to be told.
        let _ = self.stop();
    }
}

/// The folder that this program, and those that it starts, lie in.
///
/// # Errors
/// Where the system does not say.
pub fn folder() -> Result<PathBuf> {
    Ok(std::env::current_exe()?.parent().context("no directory")?.to_owned())
}

/// An empty folder at a path. What an earlier run left there goes; what somebody else put there stays, and is an error.
///
/// # Errors
/// Where the folder holds anything else, or cannot be made.
pub fn empty(path: &Path) -> Result<PathBuf> {
    if path.exists() {
        let is_free = path.join(MARK).exists() || path.read_dir()?.next().is_none();
        ensure!(is_free, "{} is not empty: name a folder that does not exist, or empty it", path.display());
        std::fs::remove_dir_all(path)?;
    }
    std::fs::create_dir_all(path).with_context(|| format!("cannot make {}", path.display()))?;
    std::fs::write(path.join(MARK), "")?;
    Ok(path.canonicalize()?)
}

/// Prints what came of it.
#[must_use]
pub fn ended(report: Result<Value>) -> ExitCode {
    match report {
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_an_earlier_run_left_is_emptied() {
        let dir = tempfile::tempdir().unwrap();
        let own = empty(&dir.path().join("own")).unwrap();
        std::fs::write(own.join("left"), "x").unwrap();
        assert!(!empty(&own).unwrap().join("left").exists());
        std::fs::write(dir.path().join("mine"), "x").unwrap();
        assert!(empty(dir.path()).unwrap_err().to_string().contains("is not empty"));
        assert!(dir.path().join("mine").exists());
    }
}
