//! Who holds a port.

use anyhow::{Result, bail};
use std::net::TcpListener;
use std::path::Path;
use std::time::{Duration, Instant};

/// How often a port that is taken is tried again.
const AGAIN: Duration = Duration::from_millis(100);

/// Waits until these ports are free, and fails with the name of whoever still listens on one of them after `grace`: the
/// processes of an `up` that was killed end with it, but not at once.
pub async fn expect_free(wanted: &[(&str, u16)], grace: Duration) -> Result<()> {
    let start = Instant::now();
    for (name, port) in wanted {
        while let Err(error) = TcpListener::bind(("127.0.0.1", *port)) {
            if start.elapsed() >= grace {
                let holder = holder(*port).unwrap_or_else(|| "another user's process".to_owned());
                bail!(
                    "{name} cannot listen on port {port} ({error}): {holder} holds it; stop that, or found the cooperative with another --port and --state"
                );
            }
            tokio::time::sleep(AGAIN).await;
        }
    }
    Ok(())
}

/// The process that listens on a port of this machine, where the system tells: the socket's inode is looked for among the
/// open files of every process.
fn holder(port: u16) -> Option<String> {
    let suffix = format!(":{port:04X}");
    let tables = ["/proc/net/tcp", "/proc/net/tcp6"].map(|path| std::fs::read_to_string(path).unwrap_or_default());
    let inode = tables.iter().flat_map(|table| table.lines().skip(1)).find_map(|line| {
        let fields: Vec<_> = line.split_whitespace().collect();
        let listens = fields.get(1)?.ends_with(&suffix) && *fields.get(3)? == "0A";
        listens.then(|| fields.get(9).map(|inode| format!("socket:[{inode}]")))?
    })?;
    let processes = std::fs::read_dir("/proc").ok()?;
    processes.filter_map(Result::ok).find_map(|process| {
        let pid: u32 = process.file_name().to_str()?.parse().ok()?;
        let files = std::fs::read_dir(process.path().join("fd")).ok()?;
        let mut targets = files.filter_map(|file| std::fs::read_link(file.ok()?.path()).ok());
        targets.any(|target| target == Path::new(&inode)).then(|| describe(pid, &process.path()))
    })
}

fn describe(pid: u32, process: &Path) -> String {
    let command = std::fs::read(process.join("cmdline")).unwrap_or_default();
    let command = String::from_utf8_lossy(&command).replace('\0', " ");
    let shown: String = command.trim().chars().take(160).collect();
    if shown.is_empty() { format!("process {pid}") } else { format!("process {pid} (`{shown}`)") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_taken_port_is_said_to_be_this_process_own() {
        let taken = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let port = taken.local_addr().unwrap().port();
        let error = expect_free(&[("the gateway", port)], Duration::ZERO).await.unwrap_err().to_string();
        assert!(error.contains(&format!("the gateway cannot listen on port {port}")), "{error}");
        if cfg!(target_os = "linux") {
            assert!(error.contains(&format!("process {}", std::process::id())), "{error}");
        }
        drop(taken);
        expect_free(&[("the gateway", port)], Duration::ZERO).await.unwrap();
    }

    #[tokio::test]
    async fn a_port_of_a_process_that_is_ending_is_waited_for() {
        let taken = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let port = taken.local_addr().unwrap().port();
        let ending = tokio::spawn(async move {
            tokio::time::sleep(3 * AGAIN).await;
            drop(taken);
        });
        expect_free(&[("the gateway", port)], Duration::from_secs(60)).await.unwrap();
        ending.await.unwrap();
    }
}
