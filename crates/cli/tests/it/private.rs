//! Point 9: whose the files of a running cooperative are, and how its logs look.

use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::support::{Up, port, rochdale, synthesize};

/// Files and folders under a folder, it included, with their modes.
fn modes(folder: &Path, found: &mut Vec<(PathBuf, u32)>) {
    let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
    found.push((folder.to_owned(), mode(folder)));
    for path in std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
        if path.is_dir() {
            modes(&path, found);
        } else if path.is_file() {
            found.push((path.clone(), mode(&path)));
        }
    }
}

/// Runs a sibling of `rochdale` in the state directory; gives what it printed.
fn sibling(state: &Path, program: &str, arguments: &[&str]) -> String {
    let bin = Path::new(rochdale(&[]).get_program()).with_file_name(program);
    let output = Command::new(bin).args(arguments).current_dir(state).stdin(Stdio::null()).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

#[test]
fn point_9_every_file_of_every_service_is_its_owners_alone_while_it_runs() {
    let dir = tempfile::tempdir().unwrap();
    let (state, port) = (dir.path().join("coop"), port());
    let up = Up::start_with(&state, port, &["--log-format", "json"]);
    let records = dir.path().join("records");
    synthesize(&records, 1, "transaction");
    let record = records.join("patient-00001.json");
    up.json(&["member", "join", "--name", "ada"]);
    up.json(&["member", "consent", "--name", "ada"]);
    up.json(&["member", "contribute", "--name", "ada", record.to_str().unwrap()]);
    let public = sibling(&state, "rochdale-steward", &["backup-key", "--out", "backup.key"]);
    let services = ["gateway", "steward-1", "steward-2", "steward-3", "worker", "registrar"];
    for service in services {
        let kind = service.split('-').next().unwrap();
        let (config, out) = (format!("{service}/{kind}.toml"), format!("{service}/kept.backup"));
        let arguments = ["backup", "--config", &config, "--to", &public, "--out", &out];
        sibling(&state, &format!("rochdale-{kind}"), &arguments);
    }
    for service in services.into_iter().chain(["anvil"]) {
        let mut found = Vec::new();
        modes(&state.join(service), &mut found);
        let has = |end: &str| found.iter().any(|(path, _)| path.to_str().unwrap().ends_with(end));
        let wanted: &[&str] = match service {
            "anvil" => &["log", ".journal"],
            // Its key lies with those of the other offices.
            "registrar" => &[".db", ".db-wal", ".db-shm", ".toml", "log", ".backup"],
            _ => &[".db", ".db-wal", ".db-shm", ".key", ".toml", "log", ".backup"],
        };
        for end in wanted {
            assert!(has(end), "{service} has no *{end}: {found:?}");
        }
        for (path, mode) in found {
            let right = if path.is_dir() { 0o700 } else { 0o600 };
            assert_eq!(mode, right, "{} has mode {mode:o}, not {right:o}", path.display());
        }
    }
    for service in services {
        let log = std::fs::read_to_string(state.join(service).join("log")).unwrap();
        assert!(!log.is_empty());
        for line in log.lines() {
            let object: serde_json::Value = serde_json::from_str(line).unwrap_or_else(|_| panic!("{service}: {line}"));
            assert!(object["level"].is_string(), "{line}");
        }
    }
}
