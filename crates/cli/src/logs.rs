//! This program's log, and the logs of the processes that it starts: their format, their size, whose they are.

use nix::sys::stat::{Mode, umask};
use rochdale_api::logs::LogFormat;
use std::fs::OpenOptions;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use tracing_subscriber::EnvFilter;

/// Bytes of a process's log before it is put aside.
const MOST: u64 = 4 << 20;
/// How many that were put aside are kept.
const KEPT: u32 = 3;

static FORMAT: OnceLock<LogFormat> = OnceLock::new();

/// Logs to standard error; `RUST_LOG` chooses what, warnings by default.
pub fn begin(format: LogFormat) {
    // The first word stands: there is one command line.
    let _ = FORMAT.set(format);
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("warn"));
    let log = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    match format {
        LogFormat::Text => log.init(),
        LogFormat::Json => log.json().init(),
    }
}

/// The format that was asked for.
pub fn format() -> LogFormat {
    FORMAT.get().copied().unwrap_or_default()
}

/// From now on every file and folder that this program makes, or a process that it starts, is for its owner alone.
pub fn private_files() {
    umask(Mode::from_bits_truncate(0o077));
}

/// The log that was put aside `age` times.
fn aside(log: &Path, age: u32) -> PathBuf {
    let mut name = log.as_os_str().to_owned();
    name.push(format!(".{age}"));
    PathBuf::from(name)
}

/// Puts a log that has grown aside as `log.1`; older ones become `log.2` and so on, the oldest goes.
///
/// The process that writes it holds it open and appends: so it is copied and emptied, and what is written in the moment
/// between the two is lost.
pub fn rotate(log: &Path) -> std::io::Result<()> {
    rotate_above(log, MOST)
}

fn rotate_above(log: &Path, most: u64) -> std::io::Result<()> {
    match std::fs::metadata(log) {
        Ok(found) if found.len() > most => {}
        Ok(_) => return Ok(()),
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(error),
    }
    for age in (1..KEPT).rev() {
        match std::fs::rename(aside(log, age), aside(log, age + 1)) {
            Err(error) if error.kind() != ErrorKind::NotFound => return Err(error),
            _ => {}
        }
    }
    std::fs::copy(log, aside(log, 1))?;
    OpenOptions::new().write(true).open(log)?.set_len(0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write as _;
    use std::os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _};

    #[test]
    fn a_log_stays_bounded_while_it_is_written_and_a_few_are_kept() {
        let dir = tempfile::tempdir().unwrap();
        let log = dir.path().join("log");
        rotate_above(&log, 100).unwrap();
        let mut writer = OpenOptions::new().create(true).append(true).mode(0o600).open(&log).unwrap();
        for line in 0..100u32 {
            writeln!(writer, "line {line:>14}").unwrap();
            rotate_above(&log, 100).unwrap();
        }
        let mut files: Vec<_> = std::fs::read_dir(dir.path()).unwrap().map(|file| file.unwrap().path()).collect();
        files.sort();
        assert_eq!(files, [log.clone(), aside(&log, 1), aside(&log, 2), aside(&log, 3)]);
        for file in &files {
            let found = std::fs::metadata(file).unwrap();
            assert!(found.len() <= 120, "{}: {} bytes", file.display(), found.len());
            assert_eq!(found.permissions().mode() & 0o777, 0o600, "{}", file.display());
        }
        // Nothing is missing in between.
        let kept: String = files.iter().rev().map(|file| std::fs::read_to_string(file).unwrap()).collect();
        let numbers: Vec<u32> = kept.lines().map(|line| line[5..].trim().parse().unwrap()).collect();
        assert!(numbers.len() >= 18 && numbers.is_sorted() && numbers.last() == Some(&99), "{numbers:?}");
        assert_eq!(numbers.len() as u32, 100 - numbers[0]);
    }
}
