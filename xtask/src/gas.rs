//! The tables of `docs/gas.md` hold the figures of `contracts/snapshots/`: all of them, and no other. The page also names
//! every function of the contracts that is written in assembly.

use crate::run::{output, program, root};
use anyhow::{Context, Result, bail};
use std::collections::{BTreeMap, BTreeSet};

const PAGE: &str = "docs/gas.md";
const SNAPSHOTS: &str = "contracts/snapshots";

/// Gas by group, which is a file of the snapshots, and by name in it.
type Snapshots = BTreeMap<String, BTreeMap<String, u64>>;

/// Writes the figures into the page, or fails where one is not there or another.
pub fn check(write: bool) -> Result<()> {
    let path = root().join(PAGE);
    let page = std::fs::read_to_string(&path).context(PAGE)?;
    let wanted = rewrite(&page, &snapshots()?)?;
    for file in output(program("git", "", &["ls-files", "contracts/src"]))?.lines() {
        let contract = file.rsplit('/').next().unwrap_or(file).trim_end_matches(".sol");
        let text = std::fs::read_to_string(root().join(file)).with_context(|| format!("cannot read {file}"))?;
        for name in assemblies(contract, &text) {
            if !page.contains(&format!("`{name}`")) {
                bail!(
                    "{PAGE} does not say what the assembly of `{name}` saves ({file}): measure it, or write it plainly"
                );
            }
        }
    }
    if write {
        return std::fs::write(&path, wanted).context(PAGE);
    }
    if let Some((is, should)) = page.lines().zip(wanted.lines()).find(|(is, should)| is != should) {
        bail!("{PAGE} is stale; `cargo xtask gas` writes the figures.\nis:     {is}\nshould: {should}");
    }
    println!("{PAGE} holds what was measured");
    Ok(())
}

/// Functions with assembly that does more than name a storage slot, which nothing else in the language does.
fn assemblies(contract: &str, text: &str) -> Vec<String> {
    let (mut function, mut names) = ("", Vec::new());
    let mut lines = text.lines();
    while let Some(line) = lines.next() {
        if let Some((_, rest)) = line.split_once("function ") {
            function = rest.split('(').next().unwrap_or(rest);
        }
        let slot = |line: &str| line.trim().starts_with("$.slot := ");
        if line.trim().starts_with("assembly") && !lines.next().is_some_and(slot) {
            names.push(format!("{contract}.{function}"));
        }
    }
    names
}

fn snapshots() -> Result<Snapshots> {
    let mut groups = Snapshots::new();
    for entry in std::fs::read_dir(root().join(SNAPSHOTS)).context(SNAPSHOTS)? {
        let file = entry?.path();
        let text: BTreeMap<String, String> = serde_json::from_str(&std::fs::read_to_string(&file)?)
            .with_context(|| format!("{} is no snapshot", file.display()))?;
        let figures = text.into_iter().map(|(name, gas)| Ok((name, gas.parse()?))).collect::<Result<_>>()?;
        groups.insert(file.file_stem().unwrap_or_default().to_string_lossy().into_owned(), figures);
    }
    Ok(groups)
}

/// The page with the figures measured. Fails where a row names no snapshot, a snapshot has no row, or an aim is missed
/// without a word.
fn rewrite(page: &str, snapshots: &Snapshots) -> Result<String> {
    let mut shown = BTreeSet::new();
    let mut lines = Vec::new();
    for line in page.lines() {
        let cells: Vec<_> = line.trim_matches('|').split('|').map(str::trim).collect();
        let group = snapshots.get(cells[0]).filter(|_| line.starts_with('|'));
        lines.push(match (group, &cells[..]) {
            (None, _) => line.to_owned(),
            (Some(figures), &[group, names, _, each, aim, met]) => {
                shown.extend(names.split(" + ").map(|name| (group.to_owned(), name.to_owned())));
                row(figures, group, names, each, aim, met).with_context(|| format!("{PAGE}: {line}"))?
            }
            (Some(_), _) => bail!("{PAGE}: six cells are expected: {line}"),
        });
    }
    let all = snapshots.iter().flat_map(|(group, figures)| figures.keys().map(|name| (group.clone(), name.clone())));
    let missing: Vec<_> = all.filter(|figure| !shown.contains(figure)).collect();
    if !missing.is_empty() {
        bail!("{PAGE} has no row for {missing:?}");
    }
    Ok(lines.join("\n") + "\n")
}

/// `each` is empty or `gas × how many`; `aim` is empty or `≤ gas` and holds for each; `met` is `yes`, or `no` and which
/// of the reasons below the table.
fn row(figures: &BTreeMap<String, u64>, group: &str, names: &str, each: &str, aim: &str, met: &str) -> Result<String> {
    let mut gas = 0;
    for name in names.split(" + ") {
        gas += figures.get(name).with_context(|| format!("{SNAPSHOTS}/{group}.json has no `{name}`"))?;
    }
    let (mut counts, mut each_cell) = (gas, String::new());
    if !each.is_empty() {
        let (_, many) = each.split_once(" × ").context("`each` is `gas × how many`")?;
        let many: u64 = many.parse().context("`each` ends in how many")?;
        counts = (gas + many / 2) / many;
        each_cell = format!("{} × {many}", grouped(counts));
    }
    let mut met_cell = String::new();
    if !aim.is_empty() {
        let limit: u64 = aim.trim_start_matches("≤ ").replace(',', "").parse().context("the aim is `≤ gas`")?;
        met_cell = match (counts <= limit, met.strip_prefix("no, ")) {
            (true, _) => "yes".to_owned(),
            (false, Some(reason)) => format!("no, {reason}"),
            (false, None) => bail!("{} is above the aim: `no, ` and which reason is missing", grouped(counts)),
        };
    }
    let cells = [group, names, &grouped(gas), &each_cell, aim, &met_cell];
    let shown = cells.map(|cell| if cell.is_empty() { " |".to_owned() } else { format!(" {cell} |") });
    Ok(format!("|{}", shown.concat()))
}

/// 1234567 as 1,234,567.
fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut shown = String::new();
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            shown.push(',');
        }
        shown.push(digit);
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    fn measured() -> Snapshots {
        let figures = [("join".to_owned(), 1_000), ("record 10".to_owned(), 12_345)].into();
        [("membership".to_owned(), figures)].into()
    }

    const PAGE: &str = "# Gas\n\n| of | what | measured | each | aim | met |\n|---|---|---|---|---|---|\n\
        | membership | join + record 10 | 13,345 | | | |\n\
        | membership | record 10 | 12,345 | 1,235 × 10 | ≤ 1,234 | no, 1 |\n";

    #[test]
    fn a_page_that_is_right_stays() {
        assert_eq!(rewrite(PAGE, &measured()).unwrap(), PAGE);
    }

    #[test]
    fn figures_and_verdicts_follow_the_snapshots() {
        let stale = PAGE.replace("12,345", "9").replace("1,235 ×", "1 ×").replace("≤ 1,234 | no, 1", "≤ 1,235 | no, 1");
        let mended = rewrite(&stale, &measured()).unwrap();
        assert!(mended.ends_with("| membership | record 10 | 12,345 | 1,235 × 10 | ≤ 1,235 | yes |\n"), "{mended}");
    }

    #[test]
    fn an_aim_that_is_missed_needs_a_reason() {
        let page = PAGE.replace("no, 1", "yes");
        assert!(format!("{:#}", rewrite(&page, &measured()).unwrap_err()).contains("which reason"));
    }

    #[test]
    fn rows_and_snapshots_must_be_the_same() {
        let page = PAGE.replace("join + ", "");
        assert!(rewrite(&page, &measured()).unwrap_err().to_string().contains("no row for"));
        let page = PAGE.replace("join", "leave");
        assert!(format!("{:#}", rewrite(&page, &measured()).unwrap_err()).contains("no `leave`"));
    }

    #[test]
    fn assembly_is_known_by_its_function() {
        let text = "    function plain() {}\n    function fast(uint256 x) private {\n        assembly {\n            x := 1\n        }\n    }\n\
            \x20   function _storage() private {\n        assembly {\n            $.slot := STORAGE\n        }\n    }\n";
        assert_eq!(assemblies("Ledger", text), ["Ledger.fast"]);
    }
}
