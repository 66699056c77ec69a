//! Running a cooperative on one machine: anvil, gateway, stewards and worker, each a process of its own.

use crate::found::{self, Layout};
use crate::process::Service;
use crate::state::{State, read_json, write_json};
use crate::ui::Ui;
use anyhow::{Context, Result, bail};
use rochdale_chain::deploy::{CoopConfig, Manifest};
use rochdale_chain::local::{Anvil, AnvilOptions, Mining};
use std::fs::File;

/// A running cooperative; dropped, its processes stop in the reverse order of their start.
pub struct Running {
    /// The services, the gateway first to stop.
    pub services: Vec<Service>,
    /// What runs where.
    pub layout: Layout,
    /// The deployment.
    pub manifest: Manifest,
    anvil: Option<Anvil>,
    _lock: File,
}

impl Running {
    /// Starts everything on `state`, founding the cooperative where there is none.
    pub async fn start(state: &State, wanted: Layout, config: Option<CoopConfig>, ui: Ui) -> Result<Self> {
        let lock = state.lock()?;
        let layout = layout(state, wanted)?;
        let anvil = anvil(state, &layout)?;
        let manifest = match found::found(state, &layout, config, ui).await {
            Ok(manifest) => manifest,
            Err(error) => {
                anvil.stop();
                return Err(error);
            }
        };
        found::configure(state, &layout)?;
        let mut services = Vec::new();
        let bar = ui.bar("starting the processes", found::names(&layout).len() as u64);
        for name in found::names(&layout) {
            services.insert(0, spawn(state, &layout, &name)?);
        }
        for service in services.iter_mut().rev() {
            let url = service_url(&layout, service.name())?;
            service.ready(&url).await?;
            bar.inc();
        }
        bar.done();
        Ok(Self { services, layout, manifest, anvil: Some(anvil), _lock: lock })
    }

    /// Waits for Ctrl-C or SIGTERM. A process that ends by itself is reported once; the others go on without it.
    pub async fn until_stopped(&mut self, ui: Ui) -> Result<()> {
        use tokio::signal::unix::{SignalKind, signal};
        let (mut term, mut interrupt) = (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
        let mut watch = tokio::time::interval(std::time::Duration::from_secs(1));
        loop {
            tokio::select! {
                _ = term.recv() => return Ok(()),
                _ = interrupt.recv() => return Ok(()),
                _ = watch.tick() => self.report_ended(ui),
            }
        }
    }

    fn report_ended(&mut self, ui: Ui) {
        self.services.retain_mut(|service| {
            let ended = service.check();
            if let Err(error) = &ended {
                let name = service.name();
                ui.say(format!(
                    "{error:#}\nThe others go on; start it again with `rochdale up --only {name}` and this --state"
                ));
            }
            ended.is_ok()
        });
    }

    /// Stops every process, the chain last; the first that did not stop by itself is an error.
    pub fn stop(mut self) -> Result<()> {
        self.halt()
    }

    fn halt(&mut self) -> Result<()> {
        let mut stopped = Ok(());
        for service in &mut self.services {
            // Each is stopped, whatever became of the one before.
            let ended = service.stop();
            stopped = stopped.and(ended);
        }
        // Told to end rather than killed, anvil writes the chain's state.
        if let Some(anvil) = self.anvil.take() {
            anvil.stop();
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
            () = tokio::time::sleep(std::time::Duration::from_secs(1)) => service.check()?,
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

fn anvil(state: &State, layout: &Layout) -> Result<Anvil> {
    let dir = state.service("anvil");
    std::fs::create_dir_all(&dir).with_context(|| format!("cannot make {}", dir.display()))?;
    let options = AnvilOptions {
        port: layout.rpc_port,
        mining: Mining::Mixed(1),
        state: Some(dir.join("state.json")),
        log: Some(dir.join("log")),
        own_group: true,
        ..AnvilOptions::default()
    };
    Ok(Anvil::spawn(&options)?)
}

/// Starts the process `name` of this cooperative.
pub fn spawn(state: &State, layout: &Layout, name: &str) -> Result<Service> {
    service_url(layout, name)?;
    let dir = state.service(name);
    let kind = name.split('-').next().unwrap_or(name);
    let config = dir.join(format!("{kind}.toml"));
    let (program, config) = (format!("rochdale-{kind}"), config.to_string_lossy().into_owned());
    Service::spawn(name, &program, &["run", "--config", &config], &dir.join("log"))
}

/// Where the process `name` listens.
pub fn service_url(layout: &Layout, name: &str) -> Result<String> {
    let port = match name {
        "gateway" => Some(layout.gateway_port),
        "worker" => Some(layout.worker_port),
        _ => layout.seats().find(|(id, _)| crate::state::steward_name(*id) == name).map(|(_, port)| port),
    };
    match port {
        Some(port) => Ok(found::url(port)),
        None => bail!("there is no process `{name}`; there are {}", found::names(layout).join(", ")),
    }
}
