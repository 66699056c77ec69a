//! The `rochdale` command: founds, runs and uses a cooperative.

mod acts;
mod admission;
mod amounts;
mod args;
mod audit;
mod carry;
mod clock;
mod commands;
mod consent_args;
mod consents;
mod contest;
mod coop;
mod demo;
mod dispute;
mod dispute_args;
mod doctor;
mod earnings;
mod epoch;
mod erased;
mod failure;
mod found;
mod gov;
mod import;
mod invitations;
mod key;
mod logs;
mod manual;
mod member;
mod member_args;
mod membership;
mod office;
mod own_gas;
mod placeholder;
mod ports;
mod process;
mod program;
mod records;
mod refusals;
mod registrar_args;
mod researcher;
mod state;
mod tied;
mod transcript;
mod ui;
mod up;
mod wallet;
mod welcome;
mod when;
mod withdraw;

use args::{Cli, Command};
use clap::Parser as _;
use failure::{Failure, Kind};
use std::process::ExitCode;
use ui::Ui;

fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => return misunderstood(&error),
    };
    let ui = Ui { json: cli.common.json, yes: false, verbose: cli.common.verbose };
    logs::begin(cli.common.log_format);
    let runtime = match tokio::runtime::Runtime::new() {
        Ok(runtime) => runtime,
        Err(error) => return failed(&anyhow::Error::new(error), ui),
    };
    match runtime.block_on(run(cli, ui)) {
        Ok(code) => code,
        Err(error) => failed(&error, ui),
    }
}

/// What was typed is not understood; help and version come this way, too, and are no failure.
fn misunderstood(error: &clap::Error) -> ExitCode {
    if !error.use_stderr() {
        // A reader that went away has read enough.
        let _ = error.print();
        return ExitCode::SUCCESS;
    }
    if std::env::args_os().any(|arg| arg == "--json") {
        let failure = Failure::new(Kind::Usage, error.render().to_string().trim_end());
        return failed(&failure.into(), Ui { json: true, yes: false, verbose: false });
    }
    // Nobody may listen there any more.
    let _ = error.print();
    ExitCode::from(Kind::Usage as u8)
}

/// Says why on standard error: as a sentence, or with `--json` as a problem document. The exit code tells the kind.
fn failed(error: &anyhow::Error, ui: Ui) -> ExitCode {
    if ui.json {
        ui.warn(format!("{:#}", failure::problem(error)));
    } else {
        let said = format!("{error:#}");
        match refusals::explained(&said) {
            Some(sentence) => ui.warn(format!("error: {sentence}\n  in full: {said}")),
            None => ui.warn(format!("error: {said}")),
        }
    }
    ExitCode::from(failure::kind(error) as u8)
}

async fn run(cli: Cli, ui: Ui) -> anyhow::Result<ExitCode> {
    match cli.command {
        Command::Demo(args) => {
            logs::private_files();
            demo::run(&cli.common, args, ui).await
        }
        Command::Up { only, without, port, config, min_cohort } => {
            logs::private_files();
            let layout = found::Layout { min_cohort, ..found::Layout::new(port) };
            commands::up(&cli.common, only, &without, (layout, config), ui).await
        }
        Command::Tied { parent, command } => tied::run(parent, &command),
        Command::Coop(command) => commands::coop(&cli.common, command, ui).await,
        Command::Import(args) => import::run(&cli.common, args, ui).await,
        Command::Member(command) => membership::member(&cli.common, command, ui).await,
        Command::Registrar(command) => admission::registrar(&cli.common, command, ui).await,
        Command::Program(command) => program::run(&cli.common, command, ui).await,
        Command::Researcher(command) => researcher::run(&cli.common, command, ui).await,
        Command::Epoch(command) => commands::epoch(&cli.common, command, ui).await,
        Command::Gov(command) => gov::run(&cli.common, command, ui).await,
        Command::Doctor => doctor::run(&cli.common, ui).await,
        Command::Completions { shell } => manual::completions(shell, ui),
        Command::Man { out } => manual::pages(&out, ui),
        Command::Time { by, agreed } => clock::run(&cli.common, by, ui.agreeing(agreed)).await,
        Command::Key(command) => key::run(&cli.common, command, ui),
        Command::Dispute(command) => dispute::run(&cli.common, command, ui).await,
        Command::Steward(command) => acts::steward(&cli.common, command, ui).await,
        Command::Pay(command) => acts::pay(&cli.common, command, ui).await,
        Command::Buyback(command) => acts::buyback(&cli.common, command, ui).await,
        Command::Vesting(command) => acts::vesting(&cli.common, command, ui).await,
        Command::Service(command) => acts::service(&cli.common, command, ui).await,
        Command::Audit { steward, transcript: args } => match &args.transcript {
            Some(file) => transcript::run(&args, file, ui).await,
            None => commands::audit(&cli.common, steward, ui),
        },
    }
}
