//! The web app: building it, and its tests in a real browser against cooperatives that run here.

use crate::programs::{build_programs, emptied};
use crate::run::{ok, output, program, root};
use anyhow::{Context, Result, bail, ensure};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant, SystemTime};

const WEB: &str = "web";
const DIST: &str = "web/dist/index.html";
/// What the app is made of.
const SOURCES: &[&str] = &[
    "web/src",
    "web/public",
    "web/wasm",
    "web/scripts",
    "web/index.html",
    "web/package.json",
    "web/tsconfig.json",
    "web/vite.config.ts",
    "web/headers.json",
    "web/package-lock.json",
];
/// What is typed.
const ROCHDALE: &str = "target/debug/rochdale";
/// Gateways' ports of the cooperatives that the tests look at: one with members, one without.
const SHOWN: u16 = 9300;
const FRESH: u16 = 9500;
/// How long a cooperative may take to stand.
const PATIENCE: Duration = Duration::from_secs(180);

/// Installs what the web app pins and builds it, where its sources are younger than what was built.
pub fn build() -> Result<()> {
    npm()?;
    let built = modified(&root().join(DIST));
    let mut youngest = None;
    for source in SOURCES {
        youngest = youngest.max(youngest_below(&root().join(source))?);
    }
    if built.is_some() && built >= youngest {
        return Ok(());
    }
    let mut command = program("npm", WEB, &["run", "--silent", "build"]);
    // Standard output belongs to the command that needed the app, such as a demo's JSON.
    command.stdout(std::io::stderr());
    ok(command)
}

/// Everything that is tested without a browser, then all of it in one.
pub fn test() -> Result<()> {
    able()?;
    build()?;
    for script in ["test", "budget"] {
        ok(program("npm", WEB, &["run", "--silent", script]))?;
    }
    build_programs()?;
    let shown = Cooperative::start("web-shown", SHOWN, &["demo", "--json"])?;
    // The demo's members are then 30 days old and have a vote.
    shown.type_in(&["epoch", "settle"])?;
    shown.type_in(&[
        "gov",
        "poll",
        "create",
        "--name",
        "m0003",
        "--question",
        "Join study 12?",
        "--option",
        "yes",
        "--option",
        "no",
    ])?;
    let fresh = Cooperative::start("web-fresh", FRESH, &["up"])?;
    let url = |port: u16| format!("http://127.0.0.1:{port}");
    ok(program("npm", WEB, &["run", "--silent", "api", "--", "--check", &url(SHOWN)]))?;
    let (steward, chain) = (fresh.process("steward-2/steward.toml")?, fresh.process("anvil")?);
    let (steward, chain) = (steward.to_string(), chain.to_string());
    // Members join the first one: the program invites them and settles.
    let (rochdale, state) = (root().join(ROCHDALE), shown.state.clone());
    let (rochdale, state) = (rochdale.to_string_lossy(), state.to_string_lossy());
    let looked = [
        &url(SHOWN),
        &url(FRESH),
        "--steward",
        &steward,
        "--chain",
        &chain,
        "--rochdale",
        &*rochdale,
        "--state",
        &*state,
    ];
    let args: Vec<&str> = ["run", "--silent", "e2e", "--"].into_iter().chain(looked).collect();
    ok(program("npm", WEB, &args))
}

/// Whether there is a browser.
pub fn able() -> Result<()> {
    let places =
        ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome", "/usr/bin/google-chrome-stable"];
    let named = std::env::var_os("CHROMIUM").map(PathBuf::from);
    let fetched = std::env::var_os("HOME").map(|home| PathBuf::from(home).join(".cache/ms-playwright"));
    let found = named.into_iter().chain(places.map(PathBuf::from)).chain(fetched).any(|place| place.exists());
    ensure!(
        found,
        "there is no Chromium: install one (Debian: chromium), name it by CHROMIUM, or `npx playwright-core install chromium` in web/"
    );
    Ok(())
}

/// Exactly what `web/package-lock.json` pins, unless it is there already.
fn npm() -> Result<()> {
    let installed = modified(&root().join("web/node_modules/.package-lock.json"));
    if installed.is_some() && installed >= modified(&root().join("web/package-lock.json")) {
        return Ok(());
    }
    eprintln!("Installing the web app's parts …");
    let mut command =
        program("npm", WEB, &["ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel", "error"]);
    command.stdout(std::io::stderr());
    ok(command).context("Node 20.19 or newer is needed for the web app")
}

fn modified(path: &Path) -> Option<SystemTime> {
    std::fs::metadata(path).ok()?.modified().ok()
}

fn youngest_below(path: &Path) -> Result<Option<SystemTime>> {
    if !path.is_dir() {
        return Ok(modified(path));
    }
    let mut youngest = modified(path);
    for entry in std::fs::read_dir(path).with_context(|| path.display().to_string())? {
        youngest = youngest.max(youngest_below(&entry?.path())?);
    }
    Ok(youngest)
}

/// A cooperative that runs beside the tests, and ends with them.
struct Cooperative {
    child: Child,
    state: PathBuf,
}

impl Cooperative {
    fn start(name: &str, port: u16, words: &[&str]) -> Result<Self> {
        ensure!(
            TcpStream::connect(("127.0.0.1", port)).is_err(),
            "something answers at port {port} already: stop it, perhaps an earlier run's cooperative"
        );
        let state = emptied(name)?;
        std::fs::create_dir_all(&state)?;
        let (log, said) = (state.with_extension("log"), state.with_extension("out"));
        let mut command = rochdale();
        command.args(words).arg("--state").arg(&state).arg("--port").arg(port.to_string());
        command.stdin(Stdio::null()).stdout(std::fs::File::create(&said)?).stderr(std::fs::File::create(&log)?);
        let mut cooperative = Self { child: command.spawn().context("cannot start rochdale")?, state };
        let (start, page) = (Instant::now(), format!("http://127.0.0.1:{port}/v1/health"));
        // A demo reports when its members are there; else a gateway that answers is one that stands.
        let reported = || words[0] != "demo" || std::fs::metadata(&said).is_ok_and(|said| said.len() > 0);
        loop {
            if let Some(status) = cooperative.child.try_wait()? {
                bail!("`rochdale {}` ended ({status}): {}", words.join(" "), std::fs::read_to_string(&log)?);
            }
            if reported() && answers(&page) {
                return Ok(cooperative);
            }
            ensure!(
                start.elapsed() < PATIENCE,
                "`rochdale {}` does not stand after {} s; see {}",
                words.join(" "),
                PATIENCE.as_secs(),
                log.display()
            );
            std::thread::sleep(Duration::from_millis(200));
        }
    }

    fn type_in(&self, words: &[&str]) -> Result<()> {
        let mut command = rochdale();
        command.args(words).arg("--state").arg(&self.state).stdout(Stdio::null());
        ok(command)
    }

    /// The process of this cooperative that was started with such a word.
    fn process(&self, word: &str) -> Result<u32> {
        let state = self.state.to_string_lossy().into_owned();
        for entry in std::fs::read_dir("/proc").context("/proc")? {
            let Some(pid) = entry?.file_name().to_str().and_then(|name| name.parse::<u32>().ok()) else { continue };
            let Ok(line) = std::fs::read(format!("/proc/{pid}/cmdline")) else { continue };
            let line = String::from_utf8_lossy(&line).into_owned();
            let program = line.split('\0').next().unwrap_or_default();
            if line.contains(word) && line.contains(&state) && !program.ends_with("rochdale") {
                return Ok(pid);
            }
        }
        bail!("no process of {state} has `{word}` in its command line")
    }
}

impl Drop for Cooperative {
    fn drop(&mut self) {
        // It stops what it started; SIGKILL would leave that running.
        let pid = self.child.id().to_string();
        let told = output(program("kill", "", &["-TERM", &pid]));
        if told.is_err() {
            self.child.kill().ok();
        }
        self.child.wait().ok();
    }
}

fn rochdale() -> Command {
    program(root().join(ROCHDALE), "", &[])
}

fn answers(url: &str) -> bool {
    let script = "fetch(process.argv[1]).then((answer) => process.exit(answer.ok ? 0 : 1), () => process.exit(1))";
    output(program("node", "", &["-e", script, url])).is_ok()
}
