//! `rochdale import`: what people have, looked through, scored and given, one record after the other.

use crate::args::{Common, ImportArgs};
use crate::carry::{self, Carried};
use crate::coop::Coop;
use crate::failure::{Failure, Kind};
use crate::member;
use crate::records::{self, Files, Found, How, Skip, Stream, Taken, plain, score_lines, score_value};
use crate::ui::{Bar, Ui, show};
use crate::wallet::Wallet;
use crate::when::count;
use anyhow::{Context, Result, bail};
use rochdale_api::ProblemCode;
use rochdale_api::client::ClientError;
use rochdale_core::ids::ContributionId;
use serde::Serialize;
use serde_json::{Value, json};
use std::path::Path;
use std::process::ExitCode;
use std::sync::atomic::Ordering;

/// Records and inputs that are listed one by one; all are counted.
const LISTED: usize = 1_000;
/// Inputs that an error names.
const NAMED: usize = 20;

/// What became of a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
enum Fate {
    /// It would be sent.
    New,
    /// It was sent.
    Sent,
    /// The same content was given before.
    GivenBefore,
}

#[derive(Debug, Serialize)]
struct Row {
    input: String,
    patient: Option<String>,
    bytes: usize,
    score: Value,
    fate: Fate,
    #[serde(skip_serializing_if = "Option::is_none")]
    contribution: Option<ContributionId>,
}

#[derive(Debug, Default, Serialize)]
struct Report {
    path: String,
    dry_run: bool,
    files: usize,
    records: usize,
    new: usize,
    sent: usize,
    given_before: usize,
    skipped_in_all: usize,
    faults: usize,
    listed: Vec<Row>,
    skipped: Vec<Skip>,
    /// What is said of a member's archive from a cooperative.
    #[serde(skip_serializing_if = "Option::is_none")]
    archive: Option<Value>,
}

impl Report {
    fn of(path: &Path, files: &Files, dry_run: bool) -> Self {
        Self { path: path.display().to_string(), files: files.paths.len(), dry_run, ..Self::default() }
    }

    fn skip(&mut self, skip: Skip) {
        self.skipped_in_all += 1;
        self.faults += usize::from(skip.fault);
        if self.skipped.len() < LISTED {
            self.skipped.push(skip);
        }
    }

    /// Notes a record, and says it above the bar.
    fn note(&mut self, taken: &Taken, bytes: usize, fate: Fate, contribution: Option<ContributionId>, bar: &Bar) {
        self.records += 1;
        let what = match (fate, contribution) {
            (Fate::New, _) => "would be sent".to_owned(),
            (Fate::Sent, Some(id)) => format!("sent, contribution {id}"),
            (Fate::Sent, None) => "sent".to_owned(),
            (Fate::GivenBefore, _) => "the same content was given before, not sent".to_owned(),
        };
        self.new += usize::from(fate == Fate::New);
        self.sent += usize::from(fate == Fate::Sent);
        self.given_before += usize::from(fate == Fate::GivenBefore);
        if self.listed.len() >= LISTED {
            return;
        }
        let patient = taken.patient.as_ref().map(|id| format!(", patient {}", plain(id))).unwrap_or_default();
        bar.say(&format!(
            "{}{patient}, {bytes} bytes: {what}\n    {}",
            taken.name,
            score_lines(&taken.scored).join("\n    ")
        ));
        let (input, patient, score) = (taken.name.clone(), taken.patient.clone(), score_value(&taken.scored));
        self.listed.push(Row { input, patient, bytes, score, fate, contribution });
    }

    fn sentence(&self) -> String {
        let mut said =
            format!("{} looked at: {}", count(self.files as u64, "file"), count(self.records as u64, "record"));
        let parts = [
            (self.new, "would be sent"),
            (self.sent, "sent"),
            (self.given_before, "given before and not sent again"),
            (self.skipped_in_all, "passed over"),
        ];
        for (many, what) in parts.into_iter().filter(|(many, _)| *many > 0) {
            said += &format!("\n  {many} {what}");
        }
        for skip in &self.skipped {
            said += &format!("\n    {}: {}", skip.input, skip.reason);
        }
        let more = self.skipped_in_all - self.skipped.len();
        if more > 0 {
            said += &format!("\n    and {more} more");
        }
        if self.new > 0 {
            said += "\nTo send: the same without --dry-run, with --name of the member";
        }
        said
    }
}

/// Takes records from the reader's thread and shows how far it is.
struct Source {
    found: Stream,
    read: std::sync::Arc<std::sync::atomic::AtomicU64>,
    bar: Bar,
}

impl Source {
    fn start(files: Files, how: How, what: &str, ui: Ui) -> Self {
        let (read, bar) = (how.read.clone(), ui.bytes(what, files.bytes));
        Self { found: records::stream(files, None, how), read, bar }
    }

    async fn next(&mut self) -> Result<Option<Found>> {
        let found = self.found.next().await;
        self.bar.at(self.read.load(Ordering::Relaxed));
        found
    }
}

/// `rochdale import`
pub async fn run(common: &Common, args: ImportArgs, ui: Ui) -> Result<ExitCode> {
    if args.path == Path::new("-") {
        bail!(Failure::new(Kind::Usage, "name a file or folder: what is imported is looked through before it is sent"));
    }
    let archive = carry::carried(&args.path)?;
    // Of a member's archive the records alone are read: all of it was held against its manifest.
    let inside = archive.as_ref().map(|_| carry::RECORDS);
    let files = records::files(&args.path)?;
    let mut report = Report::of(&args.path, &files, args.dry_run);
    report.archive = archive.as_ref().map(Carried::value);
    match &args.name {
        Some(name) if !args.dry_run => {
            let mut wallet = Wallet::open_to_give(&common.state()?, name)?;
            let coop = Coop::connect(&common.gateway()?).await?;
            send(&coop, &mut wallet, (&args, inside), files, &mut report, ui).await?;
        }
        name => {
            let wallet = name.as_ref().map(|name| Wallet::open(&common.state()?, name)).transpose()?;
            look(wallet.as_ref(), (&args, inside), files, &mut report, ui).await?;
        }
    }
    if report.records == 0 {
        let reasons = report.skipped.iter().take(NAMED).map(|skip| format!("\n  {}: {}", skip.input, skip.reason));
        let text = format!("{} holds no record{}", args.path.display(), reasons.collect::<String>());
        bail!(Failure::new(Kind::Failed, text));
    }
    let carried = archive.map(|archive| archive.sentence() + "\n").unwrap_or_default();
    show(ui, &json!(report), carried + &report.sentence())
}

/// Shows what would be sent.
async fn look(
    wallet: Option<&Wallet>,
    (args, inside): (&ImportArgs, Option<&'static str>),
    files: Files,
    report: &mut Report,
    ui: Ui,
) -> Result<()> {
    let how = How {
        inside,
        only: args.patient.clone(),
        limits: args.limits(),
        issuers: args.issuers()?,
        ..records::by_own_clock()
    };
    let mut source = Source::start(files, how, "reading and scoring", ui);
    let mut seen = std::collections::HashSet::new();
    while let Some(found) = source.next().await? {
        match found {
            Found::Skipped(skip) => report.skip(skip),
            Found::Record(taken) => {
                let known = wallet.is_some_and(|wallet| wallet.given_as(&taken.digest).is_some());
                let fate = if known || !seen.insert(taken.digest) { Fate::GivenBefore } else { Fate::New };
                report.note(&taken, taken.bytes.len(), fate, None, &source.bar);
            }
        }
    }
    source.bar.done();
    Ok(())
}

/// Sends what was not given yet; what was begun before goes first.
async fn send(
    coop: &Coop,
    wallet: &mut Wallet,
    (args, inside): (&ImportArgs, Option<&'static str>),
    files: Files,
    report: &mut Report,
    ui: Ui,
) -> Result<()> {
    let now = i64::try_from(coop.now().await?)?;
    let how =
        How { inside, only: args.patient.clone(), limits: args.limits(), issuers: args.issuers()?, ..How::new(now) };
    let looking = ui.spinner("whose records these are");
    let patients = records::patients(&files, &how);
    patients.are_one(&args.path, &args.patient)?;
    looking.done();
    for package in wallet.pending()? {
        member::deliver(coop, wallet, &package).await.context("a record that was begun before was not taken")?;
    }
    // Counted anew: the bar is over the second reading.
    let how = How { read: std::sync::Arc::default(), ..how };
    let mut source = Source::start(files, how, "reading and sending", ui);
    while let Some(found) = source.next().await? {
        match found {
            Found::Skipped(skip) => report.skip(skip),
            Found::Record(taken) if !patients.have(&taken) => bail!(Failure::new(
                Kind::Failed,
                format!(
                    "{} is not what was looked through before: the files changed meanwhile; import them again",
                    taken.name
                )
            )),
            Found::Record(taken) if wallet.given_as(&taken.digest).is_some() => {
                report.note(&taken, taken.bytes.len(), Fate::GivenBefore, None, &source.bar);
            }
            Found::Record(mut taken) => {
                let size = taken.bytes.len();
                let sent = member::contribute(coop, wallet, &mut taken, args.dataset).await;
                if let Err(error) = &sent
                    && is_of_one_record(error)
                {
                    let reason = format!("was not taken and never will be as it is: {error:#}");
                    report.skip(Skip { input: taken.name, reason: plain(&reason), fault: true });
                    continue;
                }
                let status = sent.with_context(|| {
                    format!(
                        "{} was not taken; {} were sent before it, and the same command goes on from there",
                        taken.name, report.sent
                    )
                })?;
                report.note(&taken, size, Fate::Sent, status.contribution_id, &source.bar);
            }
        }
    }
    source.bar.done();
    Ok(())
}

/// Whether a refusal is of this record and lasting, so that the ones after it may be taken all the same.
fn is_of_one_record(error: &anyhow::Error) -> bool {
    let problem = error.chain().find_map(|cause| cause.downcast_ref::<ClientError>());
    problem.is_some_and(|problem| problem.code() == ProblemCode::TooLarge)
}

#[cfg(test)]
mod tests {
    use super::*;
    use rochdale_api::Problem;

    #[test]
    fn kind_j_a_record_that_is_too_large_for_the_vault_stops_no_import() {
        let of = |code| {
            let problem = Box::new(Problem::new(code, "x"));
            anyhow::Error::from(ClientError::Problem { url: "gateway".to_owned(), problem })
        };
        assert!(is_of_one_record(&of(ProblemCode::TooLarge).context("sending")));
        assert!(!is_of_one_record(&of(ProblemCode::ChainRefused)) && !is_of_one_record(&anyhow::anyhow!("x")));
    }
}
