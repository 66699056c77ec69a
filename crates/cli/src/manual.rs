//! `rochdale completions` and `rochdale man`: what shells and `man` are told of this command, from the same words as `--help`.

use crate::args::Cli;
use crate::ui::{Ui, show};
use anyhow::{Context, Result};
use clap::{Command, CommandFactory as _};
use serde_json::json;
use std::path::Path;
use std::process::ExitCode;

/// Prints a shell's script.
pub fn completions(shell: clap_complete::Shell, ui: Ui) -> Result<ExitCode> {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Cli::command(), "rochdale", &mut script);
    let script = String::from_utf8(script)?;
    show(ui, &json!({ "shell": shell.to_string(), "script": script }), script.trim_end())
}

/// Writes a page for each command.
pub fn pages(out: &Path, ui: Ui) -> Result<ExitCode> {
    std::fs::create_dir_all(out).with_context(|| format!("cannot make {}", out.display()))?;
    let mut command = Cli::command();
    // What every command takes stands on each page.
    command.build();
    let written = page(&command, "rochdale", out)?;
    show(ui, &json!({ "pages": written, "directory": out }), format!("{written} pages are in {}", out.display()))
}

fn page(command: &Command, name: &str, out: &Path) -> Result<u32> {
    let mut text = Vec::new();
    clap_mangen::Man::new(command.clone()).title(name.to_uppercase()).render(&mut text)?;
    let path = out.join(format!("{name}.1"));
    std::fs::write(&path, text).with_context(|| format!("cannot write {}", path.display()))?;
    let mut written = 1;
    for below in command.get_subcommands().filter(|below| !below.is_hide_set() && below.get_name() != "help") {
        written += page(below, &format!("{name}-{}", below.get_name()), out)?;
    }
    Ok(written)
}
