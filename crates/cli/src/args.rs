//! What a person can type.

use crate::acts::{BuybackCommand, PayCommand, ServiceCommand, StewardCommand, VestingCommand};
use crate::dispute_args::DisputeCommand;
use crate::found::{self, Layout};
use crate::gov::args::{ChainArgs, GovCommand};
use crate::member_args::MemberCommand;
use crate::registrar_args::RegistrarCommand;
use crate::researcher::args::ResearcherCommand;
use crate::state::{State, read_json};
use crate::ui::Agreed;
use anyhow::{Context as _, Result, ensure};
use clap::{Args, Parser, Subcommand, ValueEnum};
use rochdale_api::logs::LogFormat;
use rochdale_core::fhir::Limits;
use rochdale_core::ids::{DatasetId, Epoch, MemberId, StewardId};
use rochdale_intake::Issuers;
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

/// The state directory where none is named.
const HOME: &str = ".rochdale";
/// The gateway's port where none is named.
const PORT: u16 = 8_400;

/// Found and run a patient data cooperative.
#[derive(Debug, Parser)]
#[command(name = "rochdale", version, about, propagate_version = true)]
pub struct Cli {
    #[command(flatten)]
    pub common: Common,
    #[command(subcommand)]
    pub command: Command,
}

/// What every command takes.
#[derive(Clone, Debug, Args)]
pub struct Common {
    /// Where keys, stores and configuration of this cooperative lie [default: .rochdale; for a demo a new folder in it]
    #[arg(long, global = true, env = "ROCHDALE_STATE")]
    pub state: Option<PathBuf>,
    /// The gateway [default: that of the cooperative which `rochdale up` runs on this state directory, else http://127.0.0.1:8400]
    #[arg(long, global = true, env = "ROCHDALE_URL")]
    pub url: Option<String>,
    /// Print one JSON object and nothing else
    #[arg(long, global = true)]
    pub json: bool,
    /// How lines of logs look, also of the processes that `up` starts: `text` or `json`
    #[arg(long, global = true, env = rochdale_api::logs::VARIABLE, value_name = "FORMAT", default_value_t)]
    pub log_format: LogFormat,
    /// After the sentences print what --json would: amounts in the smallest unit, proofs, codes
    #[arg(long, short, global = true, conflicts_with = "json")]
    pub verbose: bool,
}

impl Common {
    /// The state directory, opened.
    pub fn state(&self) -> Result<State> {
        State::open(self.state.as_deref().unwrap_or(Path::new(HOME)))
    }

    /// The gateway's address: as named, or as it stands in the state directory.
    pub fn gateway(&self) -> Result<String> {
        if let Some(url) = &self.url {
            return Ok(url.clone());
        }
        let layout = self.state()?.layout();
        if layout.exists() {
            return Ok(read_json::<Layout>(&layout)?.gateway_url());
        }
        Ok(found::url(PORT))
    }

    /// A state directory that no cooperative was founded in: the one named, or a new one for this demo.
    pub fn new_state(&self) -> Result<State> {
        let Some(named) = &self.state else {
            let seconds = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
            return State::open(&Path::new(HOME).join(format!("demo-{seconds}")));
        };
        let state = State::open(named)?;
        ensure!(
            !state.manifest().exists(),
            "{} holds a cooperative already; name an empty --state, or continue that one with `rochdale up --state {}`",
            named.display(),
            named.display()
        );
        Ok(state)
    }
}

#[derive(Debug, Subcommand)]
pub enum Command {
    /// Run the whole way of a record and of the money, and leave the cooperative running
    #[command(
        after_help = "Examples:\n  rochdale demo\n  rochdale demo --patients 8 --once --json\n  rochdale demo --fhir ./synthea/fhir --once"
    )]
    Demo(DemoArgs),
    /// Start anvil, gateway, stewards, worker and registrar on this machine
    #[command(after_help = "Examples:\n  rochdale up\n  rochdale up --only steward-2")]
    Up {
        /// Start this process alone; the others run elsewhere
        #[arg(long)]
        only: Option<String>,
        /// Leave this process out; it runs elsewhere
        #[arg(long, conflicts_with = "only", value_delimiter = ',')]
        without: Vec<String>,
        /// The gateway's port; the other processes listen on ports after it
        #[arg(long, default_value_t = PORT)]
        port: u16,
        /// What to found the cooperative with, where there is none yet; its actors are drawn here
        #[arg(long)]
        config: Option<PathBuf>,
        /// The least people that an answer may be about, where the cooperative is founded now
        #[arg(long, default_value_t = 10, value_parser = clap::value_parser!(u32).range(2..))]
        min_cohort: u32,
    },
    /// Run a program that ends with the process that started it
    #[command(hide = true)]
    Tied {
        /// The process that starts it
        #[arg(long)]
        parent: i32,
        /// The program and its arguments
        #[arg(last = true, required = true)]
        command: Vec<std::ffi::OsString>,
    },
    /// The cooperative itself
    #[command(subcommand)]
    Coop(CoopCommand),
    /// Look through records as people have them (folders, archives, bulk exports), score them, and give a member's
    #[command(
        after_help = "Examples:\n  rochdale import ./my-health-export --dry-run\n  rochdale import ./my-health-export --name ada\n  rochdale import export.zip --name ada --patient 1234 --json\nStarted again, it goes on where it was cut off; the same content is never sent twice."
    )]
    Import(ImportArgs),
    /// What a member does
    #[command(subcommand)]
    Member(MemberCommand),
    /// What the registrar does
    #[command(subcommand)]
    Registrar(RegistrarCommand),
    /// What a program's awarder does
    #[command(subcommand)]
    Program(ProgramCommand),
    /// What a researcher does
    #[command(subcommand)]
    Researcher(ResearcherCommand),
    /// Epochs and their settlement
    #[command(subcommand)]
    Epoch(EpochCommand),
    /// Proposals of both houses, votes, and signed polls
    #[command(subcommand)]
    Gov(GovCommand),
    /// Stop a pending root, or answer for one, without the gateway
    #[command(subcommand)]
    Dispute(DisputeCommand),
    /// Stewards' bonds: who sits with which, put, asked back, fetched; faults shown
    #[command(subcommand)]
    Steward(StewardCommand),
    /// What stewards and workers are paid: work counted, and what is owed paid out
    #[command(subcommand)]
    Pay(PayCommand),
    /// The buyback: USDC of the cooperative for DATA, which burns
    #[command(subcommand)]
    Buyback(BuybackCommand),
    /// DATA that is promised and released over time
    #[command(subcommand)]
    Vesting(VestingCommand),
    /// What members buy for DATA
    #[command(subcommand)]
    Service(ServiceCommand),
    /// Look at programs, limits, disk, keys, chain and every process, and say what to do; fails where something is wrong
    #[command(after_help = "Examples:\n  rochdale doctor\n  rochdale doctor --url https://coop.example --json")]
    Doctor,
    /// Print a script that completes this command's words in a shell
    #[command(after_help = "Example: rochdale completions bash > ~/.local/share/bash-completion/completions/rochdale")]
    Completions {
        /// The shell
        #[arg(value_enum)]
        shell: clap_complete::Shell,
    },
    /// Write the manual pages of this command and of everything that can be typed after it
    #[command(after_help = "Example: rochdale man --out ~/.local/share/man/man1")]
    Man {
        /// The directory; it is made where it is missing
        #[arg(long)]
        out: PathBuf,
    },
    /// Show the local chain's time, or move it on, so that votes and auctions can be walked through
    #[command(
        after_help = "Examples:\n  rochdale time\n  rochdale time +1d\n  rochdale time +2h\n  rochdale time +30m"
    )]
    Time {
        /// How far: +1d, +2h, +30m, or a sum such as +1d12h
        #[arg(value_parser = crate::when::later)]
        by: Option<u64>,
        #[command(flatten)]
        agreed: Agreed,
    },
    /// Key files: nothing else draws an office's key
    #[command(subcommand)]
    Key(KeyCommand),
    /// Recompute the ledger from chain data and a steward's store, or from a transcript; fails at the first difference
    #[command(after_help = "Examples:\n  rochdale audit --steward 2 --json\n  \
        rochdale audit --transcript transcript.json --rpc http://127.0.0.1:8545 --manifest manifest.json")]
    Audit {
        /// Beside which steward
        #[arg(long, default_value = "1")]
        steward: StewardId,
        #[command(flatten)]
        transcript: TranscriptArgs,
    },
}

/// Arguments of an audit without a steward.
#[derive(Clone, Debug, Args)]
pub struct TranscriptArgs {
    /// What an auditor was given: inputs, row keys and roots of every epoch
    #[arg(long, value_name = "FILE", conflicts_with = "steward")]
    pub transcript: Option<PathBuf>,
    /// Compare with the headers on this chain, too
    #[arg(long, value_name = "URL", requires_all = ["transcript", "manifest"])]
    pub rpc: Option<String>,
    /// The deployment's manifest
    #[arg(long, value_name = "FILE", requires_all = ["transcript", "rpc"])]
    pub manifest: Option<PathBuf>,
}

/// Arguments of `demo`.
#[derive(Clone, Debug, Args)]
pub struct DemoArgs {
    /// Records in place of synthetic patients: a folder or archive of FHIR R4 bundles, or a bulk export
    #[arg(long)]
    pub fhir: Option<PathBuf>,
    /// How many patients: 24 synthetic ones, or all that the directory holds
    #[arg(long, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    pub patients: Option<u32>,
    /// How many of them join and contribute side by side; each holds one record in memory
    #[arg(long, default_value_t = 6, value_parser = clap::value_parser!(u32).range(1..=1_000))]
    pub at_once: u32,
    /// The synthetic patients' seed
    #[arg(long, default_value_t = 1)]
    pub seed: u64,
    /// End after the report instead of leaving the cooperative running
    #[arg(long)]
    pub once: bool,
    /// The gateway's port; the other processes listen on ports after it
    #[arg(long, default_value_t = PORT)]
    pub port: u16,
    /// Largest record in MiB
    #[arg(long, default_value_t = 48, value_parser = clap::value_parser!(u32).range(1..=60))]
    pub max_record: u32,
}

/// Arguments of `import`.
#[derive(Clone, Debug, Args)]
pub struct ImportArgs {
    /// A file, folder or archive: FHIR R4 bundles, one a line or a file, or a bulk export
    pub path: PathBuf,
    /// The member who gives the records, by the name on this machine
    #[arg(long, required_unless_present = "dry_run")]
    pub name: Option<String>,
    /// Of several patients, the one with this id; can be said several times, where one person has several ids
    #[arg(long, value_name = "ID")]
    pub patient: Vec<String>,
    /// Send nothing: show what would be sent and its score
    #[arg(long)]
    pub dry_run: bool,
    /// The number of the dataset that the records go into
    #[arg(long, default_value = "1")]
    pub dataset: DatasetId,
    /// Largest record in MiB
    #[arg(long, default_value_t = 48, value_parser = clap::value_parser!(u32).range(1..=60))]
    pub max_record: u32,
    /// Check SMART Health Cards by the keys in this file: a JSON object of issuer URLs, each with its JWK set
    #[arg(long, value_name = "FILE")]
    pub issuers: Option<PathBuf>,
}

impl ImportArgs {
    /// By whose keys SMART Health Cards are checked.
    pub fn issuers(&self) -> Result<Issuers> {
        let Some(path) = &self.issuers else { return Ok(Issuers::default()) };
        let bytes = std::fs::read(path).with_context(|| format!("cannot read {}", path.display()))?;
        Issuers::parse(&bytes).with_context(|| {
            format!(
                "{} is no directory of issuers: write {{\"https://issuer…\": {{\"keys\": […]}}}}, with the keys that each publishes at /.well-known/jwks.json",
                path.display()
            )
        })
    }

    /// What one record may be.
    pub fn limits(&self) -> Limits {
        Limits { record_bytes: (self.max_record as usize) << 20 }
    }
}

/// What `coop upgrade` is told.
#[derive(Debug, Args)]
pub struct UpgradeArgs {
    /// Only a plan: an upgrade itself is the two houses' to decide, with `rochdale gov propose`
    #[arg(long, required = true)]
    pub plan: bool,
    /// The chain's RPC; that of this state's local chain if absent
    #[arg(long)]
    pub rpc: Option<String>,
    /// The deployment's manifest; the state's own if absent
    #[arg(long)]
    pub manifest: Option<PathBuf>,
    /// Write the proposal to a file that `rochdale gov propose` reads
    #[arg(long)]
    pub write: Option<PathBuf>,
    /// Put the new code on the chain where it does not lie yet; nothing runs it before both houses agree
    #[arg(long)]
    pub place: bool,
    /// Key file of the account that pays for that; this state's founder if absent
    #[arg(long, requires = "place")]
    pub key: Option<PathBuf>,
}

#[derive(Debug, Subcommand)]
pub enum CoopCommand {
    /// Deploy the contracts to the chain that `--rpc` serves; started again, it goes on where it was cut off
    #[command(
        after_help = "Examples:\n  rochdale coop deploy --config docs/samples/local.toml\n  rochdale coop deploy --rpc https://node.example --key founder.key --config docs/samples/arbitrum.toml --state ./ours"
    )]
    Deploy {
        /// The chain's RPC
        #[arg(long, default_value = "http://127.0.0.1:8545")]
        rpc: String,
        /// The whole configuration, actors included
        #[arg(long)]
        config: PathBuf,
        /// Key file of the account that pays; this state's founder if absent
        #[arg(long)]
        key: Option<PathBuf>,
    },
    /// Read the contracts back: their code, every role and restricted function, settings; fails at the first difference
    #[command(
        after_help = "Example: rochdale coop verify --rpc https://node.example --config coop.toml --manifest manifest.json"
    )]
    Verify {
        /// The chain's RPC; that of this state's local chain if absent
        #[arg(long)]
        rpc: Option<String>,
        /// What the cooperative should be; what it was founded with here, if absent
        #[arg(long)]
        config: Option<PathBuf>,
        /// The deployment's manifest; the state's own if absent
        #[arg(long)]
        manifest: Option<PathBuf>,
    },
    /// Show what an upgrade to this program's contracts would change and what both houses would be asked
    #[command(after_help = "Example: rochdale coop upgrade --plan --write proposal.toml")]
    Upgrade(UpgradeArgs),
    /// Members, epoch, stewards and money at a glance
    Status,
    /// What data is on offer, at what price, and about how many members have it
    Datasets {
        /// List the codes that the cooperative says its records hold, with the unit that a query's bounds are in
        #[arg(long)]
        codes: bool,
    },
    /// What answers have charged to people's privacy budgets, and what is left of them at least
    Budget,
    /// Key figures: members, records, votes, revenue, treasury; each is explained in docs/kpis.md
    #[command(after_help = "Examples:\n  rochdale coop kpis\n  rochdale coop kpis --days 366 --csv > kpis.csv")]
    Kpis {
        /// How many days, the running one included
        #[arg(long, default_value_t = 90, value_parser = clap::value_parser!(u32).range(1..=366))]
        days: u32,
        /// Print a table (RFC 4180) with a line for each day, figure and label
        #[arg(long)]
        csv: bool,
    },
}

#[derive(Debug, Subcommand)]
pub enum KeyCommand {
    /// Draw a signing key and write it to a file that is not there yet
    #[command(
        after_help = "Examples:\n  rochdale key new founder.key\n  rochdale key new --office registrar --state ./ours"
    )]
    New {
        /// The key file
        #[arg(required_unless_present = "office")]
        file: Option<PathBuf>,
        /// Put it where this state directory keeps the key of an office
        #[arg(long, value_enum, conflicts_with = "file")]
        office: Option<Office>,
    },
    /// Show the account of a key file
    #[command(after_help = "Example: rochdale key show founder.key")]
    Show {
        /// The key file
        #[arg(required_unless_present = "office")]
        file: Option<PathBuf>,
        /// That of an office of this state directory
        #[arg(long, value_enum, conflicts_with = "file")]
        office: Option<Office>,
    },
}

/// An office whose key a state directory may hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Office {
    /// Pays for the deployment and keeps no role
    Founder,
    /// Signs admissions
    Registrar,
    /// Approves researchers
    Ethics,
    /// May pause for a week
    Guardian,
}

#[derive(Debug, Subcommand)]
pub enum ProgramCommand {
    /// Sign an award of points and give it to the stewards; it counts in the epoch that runs, under the program's caps
    #[command(after_help = "Example: rochdale program award --program 1 --member 7 --points 2500 --key awarder.key")]
    Award {
        /// The number of the program
        #[arg(long)]
        program: u32,
        /// The member who gets the points, by id
        #[arg(long)]
        member: MemberId,
        /// How many; 10,000 are worth one perfect common record
        #[arg(long, value_parser = clap::value_parser!(u64).range(1..))]
        points: u64,
        /// The awarder's signing key
        #[arg(long)]
        key: PathBuf,
        /// The epoch; the running one if absent
        #[arg(long)]
        epoch: Option<Epoch>,
    },
    /// Award every member who voted in the epoch that runs the same points for each vote, whatever the vote was
    #[command(
        after_help = "Example: rochdale program award-votes --program 4 --points 100 --key awarder.key\nSent again, it awards only what was cast since."
    )]
    AwardVotes {
        /// The voting program
        #[arg(long)]
        program: u32,
        /// Points for one vote
        #[arg(long, value_parser = clap::value_parser!(u64).range(1..))]
        points: u64,
        /// The awarder's signing key
        #[arg(long)]
        key: PathBuf,
        #[command(flatten)]
        chain: ChainArgs,
    },
}

#[derive(Debug, Subcommand)]
pub enum EpochCommand {
    /// Move the local chain to the end of an epoch and on until its settlement is final
    Settle {
        /// Which; the next one if absent
        epoch: Option<Epoch>,
    },
}
