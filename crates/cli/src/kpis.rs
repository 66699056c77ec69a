//! `rochdale coop kpis`: key figures as a person reads them, as JSON, as a table.

use crate::coop::Coop;
use anyhow::Result;
use rochdale_api::kpi::{Kpi, KpiSeries, Kpis, date};
use rochdale_api::route::Call;
use rochdale_api::route::gateway;
use std::fmt::Write as _;

/// Reads those of the last days.
pub async fn read(coop: &Coop, days: u32) -> Result<Kpis> {
    Ok(coop.gateway.get(Call::from(gateway::KPIS).with("days", days)).await?)
}

/// The newest value of each figure, and how long ago that was; then cohorts.
pub fn words(kpis: &Kpis) -> String {
    let mut text = format!("as of block {}, {}", kpis.block, date(kpis.now));
    let mut group = "";
    for kpi in &kpis.kpis {
        if kpi.group != group {
            group = &kpi.group;
            let _ = write!(text, "\n\n{group}");
        }
        for series in &kpi.series {
            let _ = write!(text, "\n  {}", line(kpis, kpi, series));
        }
    }
    if !kpis.cohorts.is_empty() {
        text.push_str("\n\nstayed, of who joined in a month, 0, 30, 60 … days after joining");
    }
    for cohort in &kpis.cohorts {
        let stayed: Vec<String> = cohort.stayed.iter().map(u32::to_string).collect();
        let _ = write!(text, "\n  {}  {}", cohort.month, stayed.join(" "));
    }
    text
}

fn line(kpis: &Kpis, kpi: &Kpi, series: &KpiSeries) -> String {
    let name = match &*series.label {
        "" => kpi.name.clone(),
        label => format!("{}: {label}", kpi.name),
    };
    let newest = (0u64..).zip(&series.values).filter_map(|(place, value)| Some((place, value.as_ref()?))).last();
    match newest {
        None => format!("{name:<52} –"),
        Some((place, value)) => {
            let day = kpis.first_day + place * 86_400;
            let when = if place + 1 == u64::from(kpis.days) { String::new() } else { format!("  ({})", date(day)) };
            format!("{name:<52} {value} {}{when}", kpi.unit)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_value_is_shown_with_its_day_where_it_is_not_todays() {
        let series = |label: &str, values: &[Option<&str>]| KpiSeries {
            label: label.to_owned(),
            values: values.iter().map(|value| value.map(str::to_owned)).collect(),
        };
        let kpi = Kpi {
            id: "turnout".to_owned(),
            group: "governance".to_owned(),
            name: "Turnout".to_owned(),
            unit: "share".to_owned(),
            formula: String::new(),
            source: String::new(),
            series: vec![series("member", &[Some("0.5000"), None]), series("token", &[None, None])],
        };
        let first_day = 20_726 * 86_400;
        let kpis = Kpis { block: 7, now: first_day + 86_401, first_day, days: 2, kpis: vec![kpi], cohorts: Vec::new() };
        let text = words(&kpis);
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(lines[0], "as of block 7, 2026-10-01");
        assert!(
            lines[3].starts_with("  Turnout: member") && lines[3].ends_with("0.5000 share  (2026-09-30)"),
            "{text}"
        );
        assert!(lines[4].ends_with('–'), "{text}");
    }
}
