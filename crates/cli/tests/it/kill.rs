//! Processes that are killed in the middle of an epoch: two of three go on, nothing is lost, nothing is paid twice.

use crate::support::{Up, port, rochdale, synthesize};
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};

fn records(dir: &Path, count: u32) -> Vec<PathBuf> {
    synthesize(dir, count, "transaction");
    let mut files: Vec<_> = std::fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    files
}

fn enroll(up: &Up, name: &str, record: &Path) {
    up.json(&["member", "join", "--name", name]);
    up.json(&["member", "consent", "--name", name]);
    up.json(&["member", "contribute", "--name", name, record.to_str().unwrap()]);
}

/// A process that a person starts again by hand.
struct Again(Child);

impl Again {
    fn start(up: &Up, name: &str) -> Self {
        let mut command = rochdale(&up.args(&["up", "--only", name]));
        Self(command.stdin(Stdio::null()).stdout(Stdio::null()).spawn().unwrap())
    }

    /// As a power cut would; the process that it runs ends with it.
    fn kill(&mut self) {
        self.0.kill().unwrap();
        self.0.wait().unwrap();
    }
}

impl Drop for Again {
    fn drop(&mut self) {
        let pid = nix::unistd::Pid::from_raw(i32::try_from(self.0.id()).unwrap());
        let _ = nix::sys::signal::kill(pid, nix::sys::signal::Signal::SIGINT);
        let _ = self.0.wait();
    }
}

#[test]
fn two_of_three_stewards_go_on_and_the_third_catches_up() {
    let dir = tempfile::tempdir().unwrap();
    let (state, port) = (dir.path().join("state"), port());
    // Those that this test kills are not `up`'s to start again.
    let up = Up::start_with(&state, port, &["--without", "steward-2,steward-3"]);
    let mut second = Again::start(&up, "steward-2");
    let mut third = Again::start(&up, "steward-3");
    up.wait_for_stewards(3);
    let files = records(&dir.path().join("fhir"), 4);
    enroll(&up, "ada", &files[0]);
    second.kill();
    enroll(&up, "ben", &files[1]);
    let settled = up.json(&["epoch", "settle", "1"]);
    assert_eq!(settled["state"], "final");
    assert_eq!(settled["header"]["sharers"], 2);

    // One of three says what is missing and loses nothing.
    third.kill();
    let refused = up.fails(&["member", "join", "--name", "cleo"]);
    assert!(refused.contains("1 stewards hold the row key") && refused.contains("2 of 3"), "{refused}");
    let refused = up.fails(&["member", "contribute", "--name", "ben", files[2].to_str().unwrap()]);
    assert!(refused.contains("steward"), "{refused}");

    let _second = Again::start(&up, "steward-2");
    let _third = Again::start(&up, "steward-3");
    up.wait_for_stewards(3);
    up.json(&["member", "contribute", "--name", "ben", "--resume"]);
    enroll(&up, "cleo", &files[3]);
    let settled = up.json(&["epoch", "settle", "2"]);
    assert_eq!(settled["state"], "final");
    assert_eq!(settled["header"]["sharers"], 3);
    for steward in ["1", "2", "3"] {
        up.json(&["audit", "--steward", steward]);
    }
    let paid = up.json(&["member", "claim", "--all"]);
    let again = up.json(&["member", "claim", "--all"]);
    assert!(!paid["paid"].as_array().unwrap().is_empty());
    assert!(again["paid"].as_array().unwrap().is_empty(), "paid twice: {again}");
}
