//! What every service's command line says of its log.

use clap::Args;
use rochdale_api::logs::LogFormat;

/// How the log is written.
#[derive(Clone, Copy, Debug, Args)]
pub struct Logging {
    /// How lines of the log look, which goes to standard error: `text` or `json`, one object a line; RUST_LOG chooses what is logged.
    #[arg(long, global = true, env = rochdale_api::logs::VARIABLE, value_name = "FORMAT", default_value_t)]
    pub log_format: LogFormat,
}
