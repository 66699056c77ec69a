//! What a person sees while work goes on. With `--json` nothing but the result is printed.

use crate::failure::Failure;
use anyhow::{Result, bail, ensure};
use clap::Args;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use serde_json::Value;
use std::io::{IsTerminal as _, Write as _};
use std::process::ExitCode;
use std::time::Duration;

/// How to talk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ui {
    /// One JSON object on standard output and nothing else.
    pub json: bool,
    /// `--yes`: what would be asked is agreed to.
    pub yes: bool,
    /// Beside the sentences also what `--json` prints: smallest units, proofs and codes.
    pub verbose: bool,
}

/// What stands before money, records or time: a question, or `--yes`.
#[derive(Clone, Copy, Debug, Args)]
pub struct Agreed {
    /// Agree to what would be asked: for scripts
    #[arg(long)]
    pub yes: bool,
}

impl Ui {
    /// The same, with what was said on the command line to the question that comes.
    pub fn agreeing(self, agreed: Agreed) -> Self {
        Self { yes: agreed.yes, ..self }
    }

    /// Says what would happen and goes on once a person says yes; where nobody can be asked, `--yes` has to say it.
    pub fn agree(self, what: &str) -> Result<()> {
        if self.yes {
            return Ok(());
        }
        let mut stderr = std::io::stderr();
        if !(std::io::stdin().is_terminal() && stderr.is_terminal()) {
            bail!(Failure::refused(format!("{what}\nNothing was done: nobody can be asked here; add --yes to agree")));
        }
        write!(stderr, "{what}\nGo on? [y/N] ")?;
        stderr.flush()?;
        let mut answer = String::new();
        std::io::stdin().read_line(&mut answer)?;
        ensure!(is_yes(&answer), Failure::refused("nothing was done: the answer was not yes"));
        Ok(())
    }

    /// A sentence on standard error.
    pub fn say(self, text: impl AsRef<str>) {
        if !self.json {
            self.warn(text);
        }
    }

    /// A result on standard output. A reader that went away has read enough: that is no failure.
    pub fn tell(self, text: &str) -> Result<()> {
        let mut stdout = std::io::stdout().lock();
        match writeln!(stdout, "{text}").and_then(|()| stdout.flush()) {
            Err(error) if error.kind() == std::io::ErrorKind::BrokenPipe => Ok(()),
            other => Ok(other?),
        }
    }

    /// What a person must hear of, with `--json` too; on standard error, whoever listens there.
    pub fn warn(self, text: impl AsRef<str>) {
        let _ = writeln!(std::io::stderr(), "{}", text.as_ref());
    }

    /// A bar over `total` things; without a terminal, one line when it is done.
    pub fn bar(self, what: &str, total: u64) -> Bar {
        let bar = ProgressBar::with_draw_target(Some(total), self.target());
        if let Ok(style) = ProgressStyle::with_template("  {msg:<34} {bar:30} {pos}/{len} {elapsed}") {
            bar.set_style(style);
        }
        self.started(bar, what)
    }

    /// A bar over `total` bytes.
    pub fn bytes(self, what: &str, total: u64) -> Bar {
        let bar = ProgressBar::with_draw_target(Some(total), self.target());
        if let Ok(style) = ProgressStyle::with_template("  {msg:<34} {bar:30} {bytes}/{total_bytes} {elapsed}") {
            bar.set_style(style);
        }
        self.started(bar, what)
    }

    /// A spinner for work whose length is not known; it counts what is done.
    pub fn spinner(self, what: &str) -> Bar {
        let bar = ProgressBar::with_draw_target(None, self.target());
        if let Ok(style) = ProgressStyle::with_template("  {msg:<34} {spinner} {pos} {elapsed}") {
            bar.set_style(style);
        }
        self.started(bar, what)
    }

    fn started(self, bar: ProgressBar, what: &str) -> Bar {
        bar.set_message(what.to_owned());
        bar.enable_steady_tick(Duration::from_millis(120));
        Bar { bar, what: what.to_owned(), plain: !self.json && !std::io::stderr().is_terminal(), json: self.json }
    }

    fn target(self) -> ProgressDrawTarget {
        if self.json { ProgressDrawTarget::hidden() } else { ProgressDrawTarget::stderr() }
    }
}

/// A running bar.
pub struct Bar {
    bar: ProgressBar,
    what: String,
    plain: bool,
    json: bool,
}

impl Bar {
    /// One more is done.
    pub fn inc(&self) {
        self.bar.inc(1);
    }

    /// So much is done.
    pub fn at(&self, done: u64) {
        self.bar.set_position(done);
    }

    /// A sentence on standard error, above the bar.
    pub fn say(&self, text: &str) {
        if !self.json {
            self.bar.suspend(|| eprintln!("{text}"));
        }
    }

    /// All is done.
    pub fn done(self) {
        self.bar.finish();
        if self.plain {
            let counted = match self.bar.position() {
                0 => String::new(),
                done => format!("{done} "),
            };
            eprintln!("  {}: {counted}in {:.1} s", self.what, self.bar.elapsed().as_secs_f64());
        }
    }
}

/// Whether a line says yes; silence does not.
fn is_yes(answer: &str) -> bool {
    ["y", "yes"].contains(&answer.trim().to_lowercase().as_str())
}

/// Prints a result: as JSON, or as the sentence that a person reads.
pub fn show(ui: Ui, value: &Value, sentence: impl AsRef<str>) -> Result<ExitCode> {
    let text = match (ui.json, ui.verbose) {
        (true, _) => serde_json::to_string_pretty(value)?,
        (false, true) => format!("{}\n{}", sentence.as_ref(), serde_json::to_string_pretty(value)?),
        (false, false) => sentence.as_ref().to_owned(),
    };
    ui.tell(&text)?;
    Ok(ExitCode::SUCCESS)
}

#[cfg(test)]
mod tests {
    use super::is_yes;

    #[test]
    fn only_yes_is_yes() {
        assert!(["y\n", " YES \n", "Yes"].iter().all(|said| is_yes(said)));
        assert!(["", "\n", "n\n", "no", "yep", "y y"].iter().all(|said| !is_yes(said)));
    }
}
