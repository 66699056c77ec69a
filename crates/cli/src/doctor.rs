//! `rochdale doctor`: what stands between this machine and a cooperative that works, and what to do about it.

use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use anyhow::Result;
use nix::sys::resource::{Resource, getrlimit};
use nix::sys::statvfs::statvfs;
use rochdale_api::client::Client;
use rochdale_api::route::HEALTH;
use rochdale_chain::client::LOCAL_CHAIN_ID;
use serde::Serialize;

use crate::args::Common;
use crate::coop::Coop;
use crate::failure::Kind;
use crate::found::{self, Layout};
use crate::state::{State, read_json, steward_name};
use crate::ui::Ui;

/// How long one process may take to answer.
const PATIENCE: Duration = Duration::from_secs(3);
/// Free bytes below which a disk is nearly full: stores stop at a full one.
const LITTLE: u64 = 1 << 30;
/// Open files that a gateway with its connections needs.
const FILES: u64 = 4_096;
/// Seconds that a machine's clock may be from the chain's: requests live half an hour by the chain's.
const APART: u64 = 300;
/// Blocks behind which an index is late.
const LATE: u64 = 50;

/// One thing that was looked at.
#[derive(Debug, Serialize)]
struct Finding {
    what: String,
    ok: bool,
    says: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    hint: Option<String>,
}

impl Finding {
    fn ok(what: impl Into<String>, says: impl Into<String>) -> Self {
        Self { what: what.into(), ok: true, says: says.into(), hint: None }
    }

    fn bad(what: impl Into<String>, says: impl Into<String>, hint: impl Into<String>) -> Self {
        Self { what: what.into(), ok: false, says: says.into(), hint: Some(hint.into()) }
    }
}

/// Looks at everything and says what it found; the exit code is that of a check.
pub async fn run(common: &Common, ui: Ui) -> Result<ExitCode> {
    let state = common.state()?;
    let mut findings = vec![programs(), files()];
    findings.extend(disk(&state));
    findings.extend(keys(&state)?);
    findings.extend(chain(&state).await);
    findings.extend(processes(common, &state).await?);
    let agrees = findings.iter().all(|finding| finding.ok);
    if ui.json {
        ui.tell(&serde_json::to_string_pretty(&serde_json::json!({ "ok": agrees, "findings": findings }))?)?;
        return Ok(Kind::verdict(agrees));
    }
    for finding in &findings {
        let verdict = if finding.ok { "ok  " } else { "LOOK" };
        ui.tell(&format!("{verdict}  {}: {}", finding.what, finding.says))?;
        if let Some(hint) = &finding.hint {
            ui.tell(&format!("      {hint}"))?;
        }
    }
    Ok(Kind::verdict(agrees))
}

/// The programs that `up` starts, beside this one.
fn programs() -> Finding {
    let beside = std::env::current_exe().ok().and_then(|program| program.parent().map(Path::to_owned));
    let names = ["rochdale-gateway", "rochdale-steward", "rochdale-worker", "rochdale-registrar"];
    let lacking: Vec<_> =
        names.into_iter().filter(|name| !beside.as_ref().is_some_and(|dir| dir.join(name).is_file())).collect();
    let what = format!("programs of version {}", env!("CARGO_PKG_VERSION"));
    if lacking.is_empty() {
        return Finding::ok(what, "gateway, steward, worker and registrar lie beside this one");
    }
    let says = format!("{} not beside this program", lacking.join(", "));
    Finding::bad(
        what,
        says,
        "`cargo xtask install` puts all of them in one folder; `cargo build --workspace --bins` builds them",
    )
}

fn files() -> Finding {
    let limit = getrlimit(Resource::RLIMIT_NOFILE).map_or(0, |(soft, _)| soft);
    let says = format!("a process may open {limit} files");
    if limit >= FILES {
        return Finding::ok("limits", says);
    }
    Finding::bad(
        "limits",
        says,
        format!("`ulimit -n {FILES}` before `rochdale up`, or LimitNOFILE={FILES} in a unit of systemd"),
    )
}

fn disk(state: &State) -> Option<Finding> {
    let path = state.path().ancestors().find(|path| path.exists())?;
    let stats = statvfs(path).ok()?;
    // The fields' width is the system's.
    #[allow(clippy::useless_conversion)]
    let free = u64::from(stats.blocks_available()).saturating_mul(u64::from(stats.fragment_size()));
    let says = format!("{} MiB are free at {}", free >> 20, path.display());
    Some(if free >= LITTLE {
        Finding::ok("disk", says)
    } else {
        Finding::bad("disk", says, "make room: processes refuse what they cannot keep, and go on once they can")
    })
}

/// Key files under the state that others may read.
fn keys(state: &State) -> Result<Option<Finding>> {
    if !state.path().exists() {
        return Ok(None);
    }
    let (mut found, mut open) = (0u32, Vec::new());
    let mut folders = vec![state.path().to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder)? {
            let (path, kind) = entry.map(|entry| (entry.path(), entry.file_type()))?;
            let kind = kind?;
            if kind.is_dir() {
                folders.push(path);
            } else if kind.is_file() && path.extension().is_some_and(|end| end == "key") {
                found += 1;
                let mode = path.metadata()?.permissions().mode();
                if mode & 0o077 != 0 {
                    open.push(path);
                }
            }
        }
    }
    let shown = |paths: &[PathBuf]| paths.iter().map(|path| path.display().to_string()).collect::<Vec<_>>().join(" ");
    Ok(Some(if open.is_empty() {
        Finding::ok("keys", format!("{found} key files, which their owner alone may read"))
    } else {
        let says = format!("{} of {found} key files may be read by others", open.len());
        Finding::bad("keys", says, format!("chmod 600 {}; who read them meanwhile has them", shown(&open)))
    }))
}

/// The chain that this state's `up` keeps, and how far the machine's clock is from it.
async fn chain(state: &State) -> Vec<Finding> {
    let Ok(layout) = read_json::<Layout>(&state.layout()) else {
        return Vec::new();
    };
    let url = layout.rpc_url();
    let head = match found::connect(&url, LOCAL_CHAIN_ID).await {
        Ok(chain) => chain.head().await.map_err(anyhow::Error::from),
        Err(error) => Err(error),
    };
    match head {
        Ok(head) => {
            let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
            let (number, time) = (head.latest.number, head.latest.timestamp);
            // A local chain's time is moved on to let epochs end: only one that lies behind the machine is wrong.
            let says =
                format!("{url} is at block {number}, {} s ahead of this machine's clock", time.saturating_sub(now));
            if time + APART >= now {
                return vec![Finding::ok("chain", says)];
            }
            let says = format!("the newest block at {url} is {} s old by this machine's clock", now - time);
            vec![Finding::bad(
                "chain",
                says,
                "it mines when it is used; where it does not, see chain/log in the state folder",
            )]
        }
        Err(error) => {
            let hint = format!("`rochdale up --state {}` starts it", state.path().display());
            vec![Finding::bad("chain", format!("{error:#}"), hint)]
        }
    }
}

/// The health of every process that can be reached.
async fn processes(common: &Common, state: &State) -> Result<Vec<Finding>> {
    let gateway = common.gateway()?;
    let mut urls = vec![("gateway".to_owned(), gateway.clone())];
    match Coop::connect(&gateway).await {
        Ok(coop) => urls.extend(coop.stewards.iter().map(|entry| (steward_name(entry.steward), entry.url.clone()))),
        Err(error) => {
            let hint = "`rochdale up` starts one; `--url` names another gateway, `--state` another state folder";
            return Ok(vec![Finding::bad("gateway", format!("{error:#}"), hint)]);
        }
    }
    if let Ok(layout) = read_json::<Layout>(&state.layout()) {
        urls.push(("worker".to_owned(), found::url(layout.worker_port)));
        urls.push((found::REGISTRAR.to_owned(), found::url(layout.registrar_port())));
    }
    let asked = urls.into_iter().map(|(name, url)| async move { health(&name, &url).await });
    Ok(futures_util::future::join_all(asked).await)
}

async fn health(name: &str, url: &str) -> Finding {
    let asked = match Client::new(url) {
        Ok(client) => client.patient(PATIENCE).get(HEALTH).await,
        Err(error) => Err(error),
    };
    let health = match asked {
        Ok(health) => health,
        Err(error) => {
            let hint = format!("start it, or look at its log; `rochdale up --only {name}` where its state lies here");
            return Finding::bad(name, error.to_string(), hint);
        }
    };
    let behind = health.head.saturating_sub(health.indexed);
    let mut wrong = health.problems.clone();
    if behind > LATE {
        wrong.push(format!("its index is {behind} blocks behind"));
    }
    if health.version != env!("CARGO_PKG_VERSION") {
        wrong.push(format!("it is of version {}, this program of {}", health.version, env!("CARGO_PKG_VERSION")));
    }
    if !health.ok || behind > LATE || health.version != env!("CARGO_PKG_VERSION") {
        return Finding::bad(
            name,
            wrong.join("; "),
            format!("what it says stands at {url}{}; docs/how-to/operate.md has what to do", HEALTH.path),
        );
    }
    let waits = health.waiting_for.iter().map(|who| format!("; {who}"));
    let says = health.problems.iter().map(|what| format!("; {what}"));
    Finding::ok(name, format!("works, at block {}{}", health.indexed, says.chain(waits).collect::<String>()))
}
