//! `rochdale key …`: key files, drawn by this word and by no other command's way.

use crate::args::{Common, KeyCommand, Office};
use crate::coop;
use crate::failure::Failure;
use crate::ui::{Ui, show};
use anyhow::{Context, Result, ensure};
use serde_json::json;
use std::path::PathBuf;
use std::process::ExitCode;

impl Office {
    fn name(self) -> &'static str {
        match self {
            Self::Founder => crate::found::FOUNDER,
            Self::Registrar => crate::found::REGISTRAR,
            Self::Ethics => crate::found::ETHICS,
            Self::Guardian => crate::found::GUARDIAN,
        }
    }
}

/// Runs a command.
pub fn run(common: &Common, command: KeyCommand, ui: Ui) -> Result<ExitCode> {
    let place = |file: Option<PathBuf>, office: Option<Office>| match office {
        Some(office) => Ok(common.state()?.office_key(office.name())),
        None => file.context("name the key's file, or --office"),
    };
    match command {
        KeyCommand::New { file, office } => {
            let path = place(file, office)?;
            let over =
                || Failure::refused(format!("{} is there already: a key is never drawn over another", path.display()));
            ensure!(!path.exists(), over());
            let account = coop::drawn(&path)?.address();
            let path = path.canonicalize().with_context(|| format!("cannot open {}", path.display()))?;
            let sentence = format!(
                "drew a key for the account {account} and wrote it to {}: whoever reads it is that account",
                path.display()
            );
            show(ui, &json!({ "account": account, "file": path }), sentence)
        }
        KeyCommand::Show { file, office } => {
            let path = place(file, office)?;
            let account = coop::signer(&path)?.address();
            show(ui, &json!({ "account": account, "file": path }), account.to_string())
        }
    }
}
