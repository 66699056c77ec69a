//! One command that a person starts survives being stopped, killed, and losing any of its processes.

use crate::support::{Up, fails, listener, port, rochdale};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use std::net::TcpListener;
use std::path::Path;
use std::process::Stdio;
use std::time::{Duration, Instant};

/// Nobody asks a question here.
const WITHOUT: &[&str] = &["--without", "worker"];
const PATIENCE: Duration = Duration::from_secs(60);

fn until(what: &str, mut holds: impl FnMut() -> bool) {
    let start = Instant::now();
    while !holds() {
        assert!(start.elapsed() < PATIENCE, "not {what} after {PATIENCE:?}");
        std::thread::sleep(Duration::from_millis(50));
    }
}

fn members(up: &Up) -> u64 {
    up.json(&["coop", "status"])["cooperative"]["members"].as_u64().unwrap()
}

fn kill_listener(port: u16) -> i32 {
    let pid = listener(port).unwrap();
    kill(Pid::from_raw(pid), Signal::SIGKILL).unwrap();
    pid
}

/// Anvil's process, which listens where it likes: the child of `up` with that name.
fn anvil(up: &Up) -> i32 {
    let children = format!("/proc/{0}/task/{0}/children", up.pid());
    let children = std::fs::read_to_string(children).unwrap();
    let name = |pid: &str| std::fs::read_to_string(format!("/proc/{pid}/comm")).unwrap_or_default();
    children.split_whitespace().find(|pid| name(pid).trim() == "anvil").unwrap().parse().unwrap()
}

#[test]
fn ten_starts_and_stops_and_the_cooperative_goes_on() {
    let dir = tempfile::tempdir().unwrap();
    let (state, port) = (dir.path().join("state"), port());
    let mut up = Up::start_with(&state, port, WITHOUT);
    for round in 1..=10u64 {
        up.json(&["member", "join", "--name", &format!("member-{round}")]);
        if round % 2 == 0 {
            up.stop()
        } else {
            up.terminate()
        }
        up = Up::start_with(&state, port, WITHOUT);
        assert_eq!(members(&up), round);
    }
    up.json(&["member", "consent", "--name", "member-1"]);
    assert_eq!(up.json(&["epoch", "settle"])["state"], "final");
    for steward in ["1", "2", "3"] {
        up.json(&["audit", "--steward", steward]);
    }
    up.stop();
}

#[test]
fn a_killed_up_leaves_no_orphan_and_goes_on_where_it_was() {
    let dir = tempfile::tempdir().unwrap();
    let (state, port) = (dir.path().join("state"), port());
    let mut up = Up::start_with(&state, port, WITHOUT);
    for round in 1..=3u64 {
        up.json(&["member", "join", "--name", &format!("member-{round}")]);
        let all: Vec<i32> = [0, 11, 12, 13].iter().filter_map(|offset| listener(port + offset)).collect();
        assert_eq!(all.len(), 4);
        let chain = anvil(&up);
        up.kill();
        for pid in all.into_iter().chain([chain]) {
            until("ended with its parent", || !Path::new(&format!("/proc/{pid}/exe")).exists());
        }
        up = Up::start_with(&state, port, WITHOUT);
        assert_eq!(members(&up), round, "what was answered is there");
    }
    up.stop();
}

#[test]
fn what_dies_is_started_again_and_said() {
    let dir = tempfile::tempdir().unwrap();
    let (state, port) = (dir.path().join("state"), port());
    let said = dir.path().join("said");
    let up = Up::start_telling(&state, port, WITHOUT, &said);
    up.json(&["member", "join", "--name", "ada"]);
    for (offset, before) in [(12, kill_listener(port + 12)), (0, kill_listener(port))] {
        until("started again", || listener(port + offset).is_some_and(|pid| pid != before));
    }
    let chain = anvil(&up);
    kill(Pid::from_raw(chain), Signal::SIGKILL).unwrap();
    let joined = || {
        let mut command = rochdale(&up.args(&["member", "join", "--name", "ben"]));
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).status().unwrap().success()
    };
    until("joined", joined);
    up.wait_for_stewards(3);
    assert_eq!(members(&up), 2);
    let told = std::fs::read_to_string(&said).unwrap();
    for part in ["steward-2 is started again", "gateway was started again", "anvil ended"] {
        assert!(told.contains(part), "not `{part}` in:\n{told}");
    }
    up.stop();
}

#[test]
fn a_taken_port_names_who_holds_it() {
    let dir = tempfile::tempdir().unwrap();
    let (state, port) = (dir.path().join("state"), port());
    let taken = TcpListener::bind(("127.0.0.1", port + 12)).unwrap();
    let error = fails(&["up", "--state", state.to_str().unwrap(), "--port", &port.to_string()]);
    let me = format!("process {}", std::process::id());
    assert!(error.contains(&format!("steward-2 cannot listen on port {}", port + 12)), "{error}");
    assert!(error.contains(&me), "{error}");
    drop(taken);
}
