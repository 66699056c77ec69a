//! Line and branch coverage of `contracts/src` by the fast tests, held against what is asked of each folder.

use crate::run::{ok, root};
use anyhow::{Context, Result, bail};
use std::collections::BTreeMap;

/// Folders in which every line and every branch is run.
const WHOLE: &[&str] = &["settlement", "treasury", "market", "tokens", "membership", "consent"];

/// Of everything together, in percent.
const OVERALL: f64 = 95.0;

/// Deployed on a developer's machine only.
const LEFT_OUT: &str = "src/testing/";

#[derive(Clone, Copy, Default)]
struct Count {
    lines: usize,
    lines_hit: usize,
    branches: usize,
    branches_hit: usize,
}

/// Measures, prints a table of the folders, and fails below what is asked.
pub fn check() -> Result<()> {
    crate::setup::npm()?;
    let (files, missed) = read(&measure()?);
    let mut folders: BTreeMap<&str, Count> = BTreeMap::new();
    let mut all = Count::default();
    for (file, count) in &files {
        let folder = file.trim_start_matches("src/").split('/').next().unwrap_or_default();
        *folders.entry(folder).or_default() += *count;
        all += *count;
    }
    for (folder, count) in &folders {
        println!(
            "{folder:<14} lines {}  branches {}",
            percent(count.lines_hit, count.lines),
            percent(count.branches_hit, count.branches)
        );
    }
    println!(
        "{:<14} lines {}  branches {}",
        "all",
        percent(all.lines_hit, all.lines),
        percent(all.branches_hit, all.branches)
    );
    judge(&files, all, &missed)
}

/// Runs the unit and integration tests and returns their report.
fn measure() -> Result<String> {
    let report = root().join("target/tools/coverage.lcov");
    std::fs::create_dir_all(root().join("target/tools"))?;
    let shown = report.to_string_lossy().into_owned();
    let filter = ["--no-match-path", "test/{gas,invariant}/**", "--skip", "test/gas/**"];
    let args = [&["coverage", "--report", "lcov", "--report-file", &shown], &filter[..]].concat();
    let mut command = crate::forge::forge_command("coverage", &args)?;
    command.stdout(std::process::Stdio::null());
    ok(command)?;
    std::fs::read_to_string(&report).context(shown)
}

fn judge(files: &BTreeMap<String, Count>, all: Count, missed: &[String]) -> Result<()> {
    let whole = |place: &str| WHOLE.iter().any(|folder| place.starts_with(&format!("src/{folder}/")));
    let open: Vec<_> = missed.iter().filter(|place| whole(place)).map(String::as_str).collect();
    if files.is_empty() {
        bail!("the report names no file below src/");
    }
    if !open.is_empty() {
        bail!("never run by the tests:\n{}", open.join("\n"));
    }
    if ratio(all.lines_hit, all.lines) < OVERALL || ratio(all.branches_hit, all.branches) < OVERALL {
        bail!("below {OVERALL} % of all:\n{}", missed.join("\n"));
    }
    Ok(())
}

/// The counts of each file below `src/`, and each line and branch that was never run. A file may be reported several
/// times: what was run in any report was run.
fn read(lcov: &str) -> (BTreeMap<String, Count>, Vec<String>) {
    // Line, and block and number of a branch, none for the line itself.
    let mut hits: BTreeMap<(String, usize, String), bool> = BTreeMap::new();
    let mut file = "";
    for (key, value) in lcov.lines().filter_map(|line| line.split_once(':')) {
        if key == "SF" {
            file = value;
        }
        if !file.starts_with("src/") || file.starts_with(LEFT_OUT) || !matches!(key, "DA" | "BRDA") {
            continue;
        }
        let fields: Vec<&str> = value.split(',').collect();
        let line = fields[0].parse().unwrap_or_default();
        let branch = if key == "BRDA" { fields[1..fields.len() - 1].join(",") } else { String::new() };
        let count = if key == "BRDA" { fields[fields.len() - 1] } else { fields.get(1).copied().unwrap_or("0") };
        *hits.entry((file.to_owned(), line, branch)).or_default() |= !matches!(count, "0" | "-");
    }
    let mut files: BTreeMap<String, Count> = BTreeMap::new();
    let mut missed = Vec::new();
    for ((file, line, branch), hit) in hits {
        let what = if branch.is_empty() { "line" } else { "branch" };
        if !hit {
            missed.push(format!("{file}:{line} {what}"));
        }
        let run = usize::from(hit);
        *files.entry(file).or_default() += if branch.is_empty() {
            Count { lines: 1, lines_hit: run, ..Count::default() }
        } else {
            Count { branches: 1, branches_hit: run, ..Count::default() }
        };
    }
    (files, missed)
}

impl std::ops::AddAssign for Count {
    fn add_assign(&mut self, other: Self) {
        self.lines += other.lines;
        self.lines_hit += other.lines_hit;
        self.branches += other.branches;
        self.branches_hit += other.branches_hit;
    }
}

#[allow(clippy::cast_precision_loss, reason = "counts of lines")]
fn ratio(hit: usize, of: usize) -> f64 {
    if of == 0 { 100.0 } else { hit as f64 * 100.0 / of as f64 }
}

fn percent(hit: usize, of: usize) -> String {
    format!("{:>6.2} % ({hit}/{of})", ratio(hit, of))
}

#[cfg(test)]
mod tests {
    use super::*;

    const REPORT: &str = "SF:src/market/A.sol\nDA:1,5\nDA:2,0\nBRDA:2,0,0,-\nBRDA:2,0,1,3\nend_of_record\n\
        SF:test/A.t.sol\nDA:1,0\nend_of_record\n";

    #[test]
    fn counts_what_was_run_and_names_what_was_not() {
        let (files, missed) = read(REPORT);
        let count = files["src/market/A.sol"];
        assert_eq!((count.lines, count.lines_hit, count.branches, count.branches_hit), (2, 1, 2, 1));
        assert_eq!(missed, ["src/market/A.sol:2 line", "src/market/A.sol:2 branch"]);
        assert!(!files.contains_key("test/A.t.sol"));
    }

    #[test]
    fn what_one_report_ran_is_no_longer_missed() {
        let other = "SF:src/market/A.sol\nDA:1,0\nDA:2,1\nBRDA:2,0,0,7\nBRDA:2,0,1,-\nend_of_record\n";
        let (files, missed) = read(&format!("{REPORT}{other}"));
        let count = files["src/market/A.sol"];
        assert_eq!((count.lines, count.lines_hit, count.branches, count.branches_hit), (2, 2, 2, 2));
        assert!(missed.is_empty());
    }

    #[test]
    fn a_missed_branch_of_a_whole_folder_fails() {
        let (files, missed) = read(REPORT);
        assert!(judge(&files, Count::default(), &missed).unwrap_err().to_string().contains("A.sol:2 branch"));
        assert!(judge(&files, Count::default(), &[]).is_ok());
    }
}
