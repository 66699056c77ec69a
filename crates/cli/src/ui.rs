//! What a person sees while work goes on. With `--json` nothing but the result is printed.

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use std::io::{IsTerminal as _, Write as _};
use std::time::Duration;

/// How to talk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ui {
    /// One JSON object on standard output and nothing else.
    pub json: bool,
}

impl Ui {
    /// A sentence on standard error.
    pub fn say(self, text: impl AsRef<str>) {
        if !self.json {
            eprintln!("{}", text.as_ref());
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
        Bar { bar, what: what.to_owned(), plain: !self.json && !std::io::stderr().is_terminal() }
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
}

impl Bar {
    /// One more is done.
    pub fn inc(&self) {
        self.bar.inc(1);
    }

    /// All is done.
    pub fn done(self) {
        self.bar.finish();
        if self.plain {
            eprintln!("  {}: {} in {:.1} s", self.what, self.bar.position(), self.bar.elapsed().as_secs_f64());
        }
    }
}
