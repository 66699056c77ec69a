//! `rochdale-synth`: writes synthetic patients as FHIR R4 bundles.

use anyhow::{Context, Result};
use clap::Parser;
use rochdale_testkit::synth::{Shape, patient};
use std::fs::{self, File};
use std::io::{BufWriter, IsTerminal, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::SystemTime;

/// Writes synthetic patients as FHIR R4 bundles: the same for the same seed and time, dated before that time.
#[derive(Parser)]
#[command(name = "rochdale-synth", version, after_help = EXAMPLES)]
struct Options {
    /// How many patients to write.
    #[arg(long, default_value_t = 24, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    patients: u32,
    /// The seed; patient i of a seed is always the same.
    #[arg(long, default_value_t = 1, value_name = "S")]
    seed: u64,
    /// The time before which everything happens, in unix seconds, for a local chain its block time [default: this machine's clock].
    #[arg(long, value_name = "UNIX", value_parser = clap::value_parser!(i64).range(0..=253_402_300_799))]
    now: Option<i64>,
    /// The directory to write to; it is made where it is missing, and files of the same names are replaced.
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    /// How each record is wrapped.
    #[arg(long, value_enum, default_value_t = Shape::Transaction)]
    shape: Shape,
    /// Print nothing but errors.
    #[arg(long)]
    quiet: bool,
}

const EXAMPLES: &str = "Examples:
  rochdale-synth --patients 24 --seed 7 --out ./patients
  rochdale-synth --patients 1000 --shape ndjson --now 1767225600 --out ./patients";

fn main() -> ExitCode {
    match write(&Options::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("rochdale-synth: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn write(options: &Options) -> Result<()> {
    let now = match options.now {
        Some(now) => now,
        None => i64::try_from(SystemTime::now().duration_since(SystemTime::UNIX_EPOCH)?.as_secs())?,
    };
    fs::create_dir_all(&options.out)
        .with_context(|| format!("cannot make the directory {}: name one you may write to", options.out.display()))?;
    let bytes = if options.shape == Shape::Ndjson { one_file(options, now)? } else { many_files(options, now)? };
    if !options.quiet {
        println!("{} patients, {:.1} MB, in {}", options.patients, bytes as f64 / 1e6, options.out.display());
    }
    Ok(())
}

fn many_files(options: &Options, now: i64) -> Result<usize> {
    let mut total = 0;
    for index in 0..options.patients {
        let path = options.out.join(format!("patient-{:05}.{}", index + 1, options.shape.extension()));
        let bytes = record(options, index, now)?;
        fs::write(&path, &bytes).with_context(|| cannot_write(&path))?;
        total += bytes.len();
        progress(options, index + 1);
    }
    Ok(total)
}

fn one_file(options: &Options, now: i64) -> Result<usize> {
    let path = options.out.join("patients.ndjson");
    let mut file = BufWriter::new(File::create(&path).with_context(|| cannot_write(&path))?);
    let mut total = 0;
    for index in 0..options.patients {
        let bytes = record(options, index, now)?;
        file.write_all(&bytes).with_context(|| cannot_write(&path))?;
        total += bytes.len();
        progress(options, index + 1);
    }
    file.flush().with_context(|| cannot_write(&path))?;
    Ok(total)
}

fn record(options: &Options, index: u32, now: i64) -> Result<Vec<u8>> {
    Ok(options.shape.bytes(patient(options.seed, u64::from(index), now))?)
}

fn cannot_write(path: &Path) -> String {
    format!("cannot write {}: check the space left and the permissions", path.display())
}

/// A counter for a person who watches; nothing in a log.
fn progress(options: &Options, done: u32) {
    let mut screen = std::io::stderr();
    if options.quiet || !screen.is_terminal() {
        return;
    }
    // A screen that cannot be written to is no reason to stop.
    let end = if done == options.patients { "\n" } else { "" };
    let _ = write!(screen, "\r{done} of {} patients{end}", options.patients);
}
