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
    let report = root().join("target/tools/coverage.lcov");
    std::fs::create_dir_all(root().join("target/tools"))?;
    let shown = report.to_string_lossy().into_owned();
    let args = ["coverage", "--report", "lcov", "--report-file", &shown, "--no-match-path", "test/{gas,invariant}/**"];
    let mut command = crate::test::forge_command("coverage", &args)?;
    command.stdout(std::process::Stdio::null());
    ok(command)?;
    let text = std::fs::read_to_string(&report).with_context(|| shown.clone())?;
    let (files, missed) = read(&text);
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

/// The counts of each file below `src/`, and each line and branch that was never run.
fn read(lcov: &str) -> (BTreeMap<String, Count>, Vec<String>) {
    let mut files = BTreeMap::new();
    let mut missed = Vec::new();
    let mut file = String::new();
    let mut count = Count::default();
    for line in lcov.lines() {
        let Some((key, value)) = line.split_once(':') else {
            if line == "end_of_record" && file.starts_with("src/") && !file.starts_with(LEFT_OUT) && count.lines > 0 {
                files.insert(file.clone(), count);
            }
            continue;
        };
        let fields: Vec<&str> = value.split(',').collect();
        let mut note = |what: &str| {
            if file.starts_with("src/") && !file.starts_with(LEFT_OUT) {
                missed.push(format!("{file}:{} {what}", fields[0]));
            }
        };
        match key {
            "SF" => (file, count) = (value.to_owned(), Count::default()),
            "DA" => {
                count.lines += 1;
                if fields.get(1) == Some(&"0") { note("line") } else { count.lines_hit += 1 }
            }
            "BRDA" => {
                count.branches += 1;
                if matches!(fields.last(), Some(&"0" | &"-")) { note("branch") } else { count.branches_hit += 1 }
            }
            _ => {}
        }
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
#[allow(clippy::unwrap_used)]
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
    fn a_missed_branch_of_a_whole_folder_fails() {
        let (files, missed) = read(REPORT);
        assert!(judge(&files, Count::default(), &missed).unwrap_err().to_string().contains("A.sol:2 branch"));
        assert!(judge(&files, Count::default(), &[]).is_ok());
    }
}
