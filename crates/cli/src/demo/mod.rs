//! The whole way of a record and of the money, on one machine, with every process real.

mod people;
mod report;
mod steps;

use crate::args::{Common, DemoArgs};
use crate::coop::Coop;
use crate::failure::Kind;
use crate::found::{self, Layout};
use crate::process::sibling;
use crate::records::{self, Files, How};
use crate::state::State;
use crate::ui::Ui;
use crate::up::Running;
use anyhow::{Context, Result, bail};
use report::Report;
use rochdale_chain::client::{Chain, LOCAL_CHAIN_ID};
use rochdale_core::fhir::Limits;
use std::path::PathBuf;
use std::process::{Command, ExitCode, Stdio};
use std::time::{Duration, Instant};

/// Synthetic patients where nothing else is said.
const PATIENTS: u32 = 24;
/// How long the stewards may work on one settlement attempt; large directories take their time to be scored.
const PATIENCE: Duration = Duration::from_secs(3_600);

/// A running demo.
struct Demo {
    state: State,
    coop: Coop,
    chain: Chain,
    ui: Ui,
    report: Report,
    clock: Instant,
}

/// `rochdale demo`
pub async fn run(common: &Common, args: DemoArgs, ui: Ui) -> Result<ExitCode> {
    // A wrong directory is found out before anything is founded.
    let inputs = args.fhir.as_deref().map(records::files).transpose()?;
    let state = common.new_state()?;
    let missing = state.missing();
    let layout = Layout { min_cohort: 5, ..Layout::new(args.port) };
    let mut running = Running::start(&state, layout, &[], None, ui).await?;
    let coop = Coop::connect(&running.layout.gateway_url()).await?;
    let chain = found::connect(&running.layout.rpc_url(), LOCAL_CHAIN_ID).await?;
    let mut demo = Demo { state, coop, chain, ui, report: Report::default(), clock: Instant::now() };
    let shown = demo.state.path().display().to_string();
    demo.all(&args, inputs)
        .await
        .with_context(|| format!("the demo did not come to its end; what ran lies in {shown}"))?;
    if !args.once {
        demo.report.invitation = running.welcome("made by the demo", ui).await;
    }
    let agrees = demo.report.holds();
    demo.report.print(ui)?;
    if !args.once {
        let url = demo.coop.gateway.base();
        let link = demo
            .report
            .invitation
            .as_ref()
            .map(|link| format!("\nJoin in a browser, as one person, within a day: {link}"));
        let link = link.unwrap_or_default();
        ui.say(format!("\nThe cooperative stays at {url}; Ctrl-C stops it. Its state: --state {shown}{link}"));
        running.until_stopped(ui).await?;
    }
    running.stop().await?;
    match (args.once, &common.state, agrees) {
        // Nobody asked for the folder, and there is nothing in it to look into.
        (true, None, true) => demo.state.discard(&missing)?,
        _ => ui.say(format!("`rochdale up --state {shown}` goes on with it")),
    }
    Ok(Kind::verdict(agrees))
}

impl Demo {
    async fn all(&mut self, args: &DemoArgs, inputs: Option<Files>) -> Result<()> {
        let limits = Limits { record_bytes: (args.max_record as usize) << 20 };
        let how = How { limits, ..How::new(i64::try_from(self.chain.now().await?)?) };
        let source = self.source(args, inputs, how).await?;
        let people = self.enroll(source, args).await?;
        self.settle(1, "scoring and settling epoch 1").await?;
        let license = self.license().await?;
        self.queries(&license).await?;
        self.service().await?;
        self.settle(2, "settling epoch 2").await?;
        self.claims(&people, "claims after epoch 2").await?;
        self.settle(3, "settling epoch 3").await?;
        self.claims(&people, "claims after epoch 3").await?;
        self.deny(&people).await?;
        self.settle(4, "settling epoch 4").await?;
        self.claims(&people, "claims after epoch 4").await?;
        self.account(&people).await
    }

    /// Where the records come from: the directory that was named, or synthetic patients.
    async fn source(&mut self, args: &DemoArgs, inputs: Option<Files>, how: How) -> Result<records::Stream> {
        let files = match inputs {
            Some(files) => files,
            None => {
                self.report.patients.synthetic = Some(args.patients.unwrap_or(PATIENTS));
                records::files(&self.synthesize(args).await?)?
            }
        };
        self.report.patients.files = files.paths.len();
        Ok(records::stream(files, args.patients.map(|n| n as usize), how))
    }

    async fn synthesize(&self, args: &DemoArgs) -> Result<PathBuf> {
        let out = self.state.path().join("patients");
        let now = self.chain.now().await?;
        let mut command = Command::new(sibling("rochdale-synth")?);
        command.arg("--patients").arg(args.patients.unwrap_or(PATIENTS).to_string());
        command.arg("--seed").arg(args.seed.to_string()).arg("--now").arg(now.to_string()).arg("--out").arg(&out);
        let made =
            command.stdout(Stdio::null()).stderr(Stdio::piped()).output().context("cannot start rochdale-synth")?;
        if !made.status.success() {
            bail!("the synthetic patients were not made: {}", String::from_utf8_lossy(&made.stderr));
        }
        Ok(out)
    }

    /// Notes how long the part that just ended took.
    fn lap(&mut self, part: &str) {
        self.report.seconds.push((part.to_owned(), self.clock.elapsed().as_secs_f64()));
        self.clock = Instant::now();
    }
}
