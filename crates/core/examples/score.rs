//! Reads and scores FHIR files: `cargo run -p rochdale-core --example score -- DIR-OR-FILES`.
//!
//! For work on the reader and the rubric: one line a record, the reasons of the first, then totals. Dates are judged as of
//! the system's clock.
#![allow(clippy::unwrap_used)]

use rochdale_core::fhir::{Limits, Piece, flatten, pieces, record_digest};
use rochdale_core::score::score;
use std::collections::BTreeMap;
use std::fs::File;
use std::path::PathBuf;
use std::time::{Duration, SystemTime};

fn main() {
    let now = i64::try_from(SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap().as_secs()).unwrap();
    let mut lost: BTreeMap<(String, String), (u64, String)> = BTreeMap::new();
    let (mut bytes, mut records, mut problems) = (0usize, 0u32, 0u32);
    let mut spent = [Duration::ZERO; 5];
    for path in files() {
        let mut each = pieces(&path.display().to_string(), File::open(&path).unwrap(), Limits::default());
        loop {
            let started = on_cpu();
            let Some(piece) = each.next() else { break };
            spent[0] += on_cpu() - started;
            match piece {
                Ok(Piece::Record(source)) => {
                    let started = on_cpu();
                    let scored = score(&source.record, now, false);
                    spent[1] += on_cpu() - started;
                    let started = on_cpu();
                    let flat = flatten(&source.record, now);
                    spent[2] += on_cpu() - started;
                    let started = on_cpu();
                    let digest = record_digest(&source.record);
                    spent[3] += on_cpu() - started;
                    let started = on_cpu();
                    let value: serde_json::Value = serde_json::from_slice(source.record.bytes()).unwrap();
                    spent[4] += on_cpu() - started;
                    drop(value);
                    let parts = scored.categories.map(|c| format!("{}/{}={}", c.passed, c.checked, c.points)).join(" ");
                    println!(
                        "{:5} {} {parts} codes {} values {} digest {:.8} {}",
                        scored.quality,
                        if scored.gated { "gated" } else { "" },
                        flat.codes.len(),
                        flat.observations.len(),
                        digest,
                        source.name
                    );
                    for reason in &scored.reasons {
                        let entry = lost.entry((reason.check.to_owned(), reason.element.clone())).or_default();
                        entry.0 += u64::from(reason.lost);
                        entry.1 = format!("{} ({})", reason.text, reason.paths.first().cloned().unwrap_or_default());
                    }
                    bytes += source.record.bytes().len();
                    records += 1;
                }
                Ok(Piece::Resource(lone)) => println!("skipped {}: a resource alone, as in a bulk export", lone.name),
                Ok(Piece::Skipped(skipped)) => println!("skipped {}: {}", skipped.name, skipped.reason),
                Err(error) => {
                    problems += 1;
                    println!("error: {error}");
                }
            }
        }
    }
    let mut lost: Vec<_> = lost.into_iter().collect();
    lost.sort_by_key(|(_, (points, _))| std::cmp::Reverse(*points));
    for ((check, element), (points, text)) in lost.iter().take(25) {
        println!("{points:7} {check} {element}: {text}");
    }
    let rate = |time: Duration| bytes as f64 / 1e6 / time.as_secs_f64();
    println!(
        "{records} records, {problems} errors, {:.1} MB; MB/s: read {:.0}, score {:.0}, flatten {:.0}, digest {:.0}, all {:.0}; serde_json alone {:.0}",
        bytes as f64 / 1e6,
        rate(spent[0]),
        rate(spent[1]),
        rate(spent[2]),
        rate(spent[3]),
        rate(spent[..4].iter().sum()),
        rate(spent[4]),
    );
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    println!("{}", status.lines().find(|l| l.starts_with("VmHWM")).unwrap_or("peak memory unknown"));
}

/// Time that this thread computed: what else the machine does is not counted.
fn on_cpu() -> Duration {
    let spent = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap();
    Duration::from_nanos(spent.split(' ').next().unwrap().parse().unwrap())
}

fn files() -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut left: Vec<PathBuf> = std::env::args_os().skip(1).map(PathBuf::from).collect();
    while let Some(path) = left.pop() {
        if path.is_dir() {
            left.extend(std::fs::read_dir(path).unwrap().map(|entry| entry.unwrap().path()));
        } else {
            found.push(path);
        }
    }
    found.sort();
    found
}
