//! Running a cooperative on one machine: anvil, gateway, stewards, worker and registrar, each a process of its own.

use crate::found::{self, Layout};
use crate::office::{self, Office};
use crate::process::{self, Service};
use crate::state::{State, read_json, write_json};
use crate::ui::Ui;
use crate::welcome::{self, Front};
use crate::{ports, tied};
use anyhow::{Context, Result, bail, ensure};
use rochdale_chain::deploy::{CoopConfig, Manifest};
use rochdale_chain::local::kept::{self, KeptChain, KeptOptions};
use std::fs::File;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::signal::unix::{Signal, SignalKind, signal};

/// How often dead processes are looked for.
const WATCH: Duration = Duration::from_secs(1);
/// How often logs are looked at that may have grown too large.
const TEND: Duration = Duration::from_secs(10);
/// The longest pause before a process that ends again and again is started once more.
const LONGEST_PAUSE: Duration = Duration::from_secs(60);
/// A process that ran this long is started at once when it ends.
const STEADY: Duration = Duration::from_secs(60);

/// How long the registrar may take to say what became of an invitation.
const SOON: Duration = Duration::from_secs(2);

/// How long the processes of an `up` that was killed may hold their ports.
const ENDING: Duration = Duration::from_secs(10);

/// A running cooperative; dropped, its processes stop in the reverse order of their start.
pub struct Running {
    /// The services, the gateway first to stop.
    services: Vec<Watched>,
    /// What runs where.
    pub layout: Layout,
    /// The deployment.
    pub manifest: Manifest,
    state: State,
    chain: Local,
    front: Option<Front>,
    told: Told,
    _lock: File,
}

/// The local chain and the task that serves it.
struct Local {
    kept: Arc<KeptChain>,
    task: tokio::task::JoinHandle<()>,
}

impl Local {
    /// Starts the chain that is kept in the state directory; says what became of its last blocks.
    async fn start(state: &State, layout: &Layout, ui: Ui) -> Result<Self> {
        let listener = tokio::net::TcpListener::bind(("127.0.0.1", layout.rpc_port)).await;
        let listener = listener.with_context(|| format!("the chain cannot listen on port {}", layout.rpc_port))?;
        let options = KeptOptions { directory: state.service("anvil"), runner: tied::runner()? };
        let (kept, restored) = KeptChain::open(options).await?;
        if let Some(notice) = restored.notice() {
            ui.warn(notice);
        }
        let kept = Arc::new(kept);
        let served = Arc::clone(&kept);
        let task = tokio::spawn(async move {
            if let Err(error) = kept::serve(served, listener).await {
                tracing::error!(%error, "the local chain is not served any more");
            }
        });
        Ok(Self { kept, task })
    }

    /// Starts anvil again where it ended.
    async fn watch(&self, ui: Ui) -> Result<()> {
        if self.kept.is_running().await {
            return Ok(());
        }
        let restored = self.kept.revive().await.context("anvil ended and cannot be started again")?;
        let lost = restored.notice().unwrap_or_else(|| "nothing is lost".to_owned());
        ui.warn(format!("anvil ended and was started again: {lost}"));
        Ok(())
    }

    async fn stop(&self) -> Result<()> {
        let closed = self.kept.close().await;
        self.task.abort();
        Ok(closed?)
    }
}

impl Drop for Local {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// Ctrl-C and SIGTERM, which are heard from here on and wait until somebody asks.
struct Told {
    term: Signal,
    interrupt: Signal,
}

impl Told {
    fn listen() -> Result<Self> {
        Ok(Self { term: signal(SignalKind::terminate())?, interrupt: signal(SignalKind::interrupt())? })
    }

    async fn heard(&mut self) {
        tokio::select! {
            _ = self.term.recv() => {}
            _ = self.interrupt.recv() => {}
        }
    }
}

/// A process that is started again when it ends.
struct Watched {
    service: Service,
    since: Instant,
    /// How often it ended soon after its start.
    falls: u32,
    /// When it is started again, if it has ended.
    due: Option<Instant>,
    /// When its log was looked at.
    tended: Instant,
}

impl Watched {
    fn new(service: Service) -> Self {
        Self { service, since: Instant::now(), falls: 0, due: None, tended: Instant::now() }
    }

    /// Reports an end once, and starts the process again: at once, later and later where it ends again and again.
    fn watch(&mut self, state: &State, layout: &Layout, ui: Ui) {
        let name = self.service.name().to_owned();
        if self.tended.elapsed() >= TEND {
            self.tended = Instant::now();
            if let Err(error) = self.service.tend_log() {
                ui.warn(format!("{error:#}"));
            }
        }
        match self.due {
            None => {
                let Err(error) = self.service.check() else { return };
                self.falls = if self.since.elapsed() > STEADY { 0 } else { self.falls + 1 };
                let pause = match self.falls {
                    0 | 1 => Duration::ZERO,
                    falls => Duration::from_secs(1 << falls.min(6)).min(LONGEST_PAUSE),
                };
                self.due = Some(Instant::now() + pause);
                ui.warn(format!("{error:#}\n{name} is started again in {} s; the others go on", pause.as_secs()));
            }
            Some(due) if due > Instant::now() => {}
            Some(_) => match spawn(state, layout, &name) {
                Ok(service) => {
                    ui.warn(format!("{name} was started again as process {}", service.pid()));
                    (self.service, self.since, self.due) = (service, Instant::now(), None);
                }
                Err(error) => {
                    ui.warn(format!("{name} cannot be started again: {error:#}"));
                    self.due = Some(Instant::now() + LONGEST_PAUSE);
                }
            },
        }
    }
}

impl Running {
    /// Starts everything on `state` but what runs elsewhere (`without`), founding the cooperative where there is none. Where that fails
    /// in a folder that was not there before, and no cooperative was founded, the folder goes again: chain, keys and all that would be
    /// in it belong to nothing.
    pub async fn start(
        state: &State,
        wanted: Layout,
        without: &[String],
        config: Option<CoopConfig>,
        ui: Ui,
    ) -> Result<Self> {
        let missing = state.missing();
        let started = Self::try_start(state, wanted, without, config, ui).await;
        if started.is_err() && !state.manifest().exists() {
            state.discard(&missing)?;
        }
        started
    }

    async fn try_start(
        state: &State,
        wanted: Layout,
        without: &[String],
        config: Option<CoopConfig>,
        ui: Ui,
    ) -> Result<Self> {
        let lock = state.lock()?;
        let layout = layout(state, wanted)?;
        let names = found::names(&layout);
        for name in without {
            ensure!(names.contains(name), "there is no process `{name}`; there are {}", names.join(", "));
        }
        let mut wanted = vec![("the chain", layout.rpc_port)];
        let names: Vec<_> = names.into_iter().filter(|name| !without.contains(name)).collect();
        for name in &names {
            wanted.push((name, port(&layout, name)?));
        }
        ports::expect_free(&wanted, ENDING).await?;
        let chain = Local::start(state, &layout, ui).await?;
        let manifest = match found::found(state, &layout, config, ui).await {
            Ok(manifest) => manifest,
            Err(error) => {
                chain.stop().await?;
                return Err(error);
            }
        };
        found::configure(state, &layout)?;
        let mut services = Vec::new();
        let bar = ui.bar("starting the processes", names.len() as u64);
        for name in &names {
            services.insert(0, Watched::new(spawn(state, &layout, name)?));
        }
        for watched in services.iter_mut().rev() {
            let url = service_url(&layout, watched.service.name())?;
            watched.service.ready(&url).await?;
            bar.inc();
        }
        bar.done();
        Ok(Self {
            services,
            layout,
            manifest,
            state: state.clone(),
            chain,
            front: None,
            told: Told::listen()?,
            _lock: lock,
        })
    }

    /// Has the front page of the web app, where it was built, show what somebody can try the cooperative with. Gives the link of an
    /// invitation that is good for a day, where the registrar runs here.
    pub async fn welcome(&mut self, note: &'static str, ui: Ui) -> Option<String> {
        process::web_app()?;
        match self.front(note).await {
            Ok(front) => self.front = Some(front),
            Err(error) => ui.warn(format!("the front page has nothing to try: {error:#}")),
        }
        let code = self.front.as_ref()?.code()?;
        Some(office::link(&self.layout.gateway_url(), code))
    }

    async fn front(&self, note: &'static str) -> Result<Front> {
        let runs = self.services.iter().any(|watched| watched.service.name() == found::REGISTRAR);
        let office = || {
            let key = found::office(&self.state, found::REGISTRAR)?;
            Office::of(&found::url(self.layout.registrar_port()), key, &self.manifest)
        };
        let office = runs.then(office).transpose()?;
        Front::open(&self.state, (self.layout.rpc_url(), &self.manifest), office, note).await
    }

    /// Waits for Ctrl-C or SIGTERM. A process that ends by itself is reported and started again; the others go on.
    pub async fn until_stopped(&mut self, ui: Ui) -> Result<()> {
        let mut watch = tokio::time::interval(WATCH);
        loop {
            tokio::select! {
                () = self.told.heard() => return Ok(()),
                _ = watch.tick() => {}
            }
            self.chain.watch(ui).await?;
            if let Some(front) = &mut self.front {
                // A registrar that hangs holds up neither the others nor who stops them.
                match tokio::time::timeout(SOON, front.tend()).await {
                    Ok(Err(error)) => tracing::debug!(%error, "the front page's invitation is not looked at"),
                    Err(_) => {
                        tracing::debug!("the registrar does not say whether the front page's invitation was used")
                    }
                    Ok(Ok(())) => {}
                }
            }
            for watched in &mut self.services {
                watched.watch(&self.state, &self.layout, ui);
            }
        }
    }

    /// Stops every process, the chain last; the first that did not stop by itself is an error.
    pub async fn stop(mut self) -> Result<()> {
        let stopped = self.halt();
        stopped.and(self.chain.stop().await)
    }

    fn halt(&mut self) -> Result<()> {
        let mut stopped = Ok(());
        for watched in &mut self.services {
            // Each is stopped, whatever became of the one before.
            let ended = watched.service.stop();
            stopped = stopped.and(ended);
        }
        stopped
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if let Err(error) = self.halt() {
            eprintln!("{error:#}");
        }
    }
}

/// Runs one process of a cooperative whose chain runs elsewhere, until it is stopped.
pub async fn only(state: &State, name: &str, ui: Ui) -> Result<()> {
    let layout: Layout = read_json(&state.layout()).context("found the cooperative first: `rochdale up`")?;
    let mut service = spawn(state, &layout, name)?;
    service.ready(&service_url(&layout, name)?).await?;
    ui.say(format!("{name} runs as process {}; Ctrl-C stops it", service.pid()));
    let stop = tokio::signal::ctrl_c();
    tokio::pin!(stop);
    loop {
        tokio::select! {
            _ = &mut stop => return service.stop(),
            () = tokio::time::sleep(std::time::Duration::from_secs(1)) => {
                service.check()?;
                if let Err(error) = service.tend_log() {
                    ui.warn(format!("{error:#}"));
                }
            }
        }
    }
}

/// The layout that this state directory was founded with; `wanted` where it is new.
fn layout(state: &State, wanted: Layout) -> Result<Layout> {
    if state.layout().exists() {
        return read_json(&state.layout());
    }
    write_json(&state.layout(), &wanted)?;
    Ok(wanted)
}

/// Starts the process `name` of this cooperative.
pub fn spawn(state: &State, layout: &Layout, name: &str) -> Result<Service> {
    service_url(layout, name)?;
    let dir = state.service(name);
    let kind = name.split('-').next().unwrap_or(name);
    let config = dir.join(format!("{kind}.toml"));
    let (program, config) = (format!("rochdale-{kind}"), config.to_string_lossy().into_owned());
    let mut args = vec!["run".to_owned(), "--config".to_owned(), config];
    if kind == "gateway" {
        let web = process::web_app().map(|web| web.to_string_lossy().into_owned());
        args.extend(web.into_iter().flat_map(|web| ["--web".to_owned(), web]));
        // A configuration that was written before there was a registrar names none.
        args.extend(["--registrar".to_owned(), found::url(layout.registrar_port())]);
        args.extend(["--welcome".to_owned(), welcome::file(state).to_string_lossy().into_owned()]);
    }
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    Service::spawn(name, &program, &args, &dir.join("log"))
}

/// Where the process `name` listens.
pub fn service_url(layout: &Layout, name: &str) -> Result<String> {
    Ok(found::url(port(layout, name)?))
}

fn port(layout: &Layout, name: &str) -> Result<u16> {
    let port = match name {
        "gateway" => Some(layout.gateway_port),
        "worker" => Some(layout.worker_port),
        found::REGISTRAR => Some(layout.registrar_port()),
        _ => layout.seats().find(|(id, _)| crate::state::steward_name(*id) == name).map(|(_, port)| port),
    };
    match port {
        Some(port) => Ok(port),
        None => bail!("there is no process `{name}`; there are {}", found::names(layout).join(", ")),
    }
}
