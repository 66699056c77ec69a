//! Key figures of the cooperative, day by day (docs/kpis.md).

use rochdale_core::calendar::civil;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// `GET /v1/kpis` at the gateway.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Kpis {
    /// The newest block that they are of.
    pub block: u64,
    /// Its time, Unix seconds.
    pub now: u64,
    /// Midnight (UTC) at which the day of each first value begins, Unix seconds.
    pub first_day: u64,
    /// How many days there are; the last is the running one.
    pub days: u32,
    /// The figures.
    pub kpis: Vec<Kpi>,
    /// Of who joined in a month, how many stayed.
    pub cohorts: Vec<Cohort>,
}

/// One figure.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Kpi {
    /// By which it is known; never changed.
    pub id: String,
    /// `members`, `contributions`, `diversity`, `governance`, `revenue`, `budget`, `treasury`.
    pub group: String,
    /// What it is called.
    pub name: String,
    /// The unit of its values.
    pub unit: String,
    /// How it is computed.
    pub formula: String,
    /// Of what it is computed.
    pub source: String,
    /// Its values.
    pub series: Vec<KpiSeries>,
}

/// Values of a figure, a day each.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct KpiSeries {
    /// What tells it from the figure's other series; empty where there is but one.
    pub label: String,
    /// Decimal numbers; absent where there is no value.
    pub values: Vec<Option<String>>,
}

/// Who joined in one month.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Cohort {
    /// The month (UTC), as `2026-09`.
    pub month: String,
    /// How many joined.
    pub joined: u32,
    /// How many were still members n × 30 days after each joined, for n from 0 on, as far as that is past for all of them.
    pub stayed: Vec<u32>,
}

/// A time's day (Unix seconds), as `2026-09-30`.
#[must_use]
pub fn date(time: u64) -> String {
    let (year, month, day) = civil(time / 86_400);
    format!("{year:04}-{month:02}-{day:02}")
}

impl Kpis {
    /// The same as a table (RFC 4180): `day,kpi,label,unit,value`, a line for each value that there is. Of cohorts, the day is
    /// the first of the month and the label is the age in days.
    #[must_use]
    pub fn table(&self) -> String {
        let mut table = String::from("day,kpi,label,unit,value\r\n");
        let mut line = |day: &str, kpi: &str, label: &str, unit: &str, value: &str| {
            let quoted = |text: &str| match text.contains([',', '"', '\n', '\r']) {
                true => format!("\"{}\"", text.replace('"', "\"\"")),
                false => text.to_owned(),
            };
            let cells = [day, kpi, label, unit, value].map(quoted);
            table.push_str(&cells.join(","));
            table.push_str("\r\n");
        };
        for kpi in &self.kpis {
            for series in &kpi.series {
                for (place, value) in (0u64..).zip(&series.values) {
                    let Some(value) = value else { continue };
                    line(&date(self.first_day + place * 86_400), &kpi.id, &series.label, &kpi.unit, value);
                }
            }
        }
        for cohort in &self.cohorts {
            for (age, stayed) in (0u64..).zip(&cohort.stayed) {
                let (day, age) = (format!("{}-01", cohort.month), (age * 30).to_string());
                line(&day, "retention", &age, "members", &stayed.to_string());
            }
        }
        table
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_has_a_line_for_each_value_and_quotes_what_needs_it() {
        let series = KpiSeries { label: "a \"b\"".to_owned(), values: vec![None, Some("1.50".to_owned())] };
        let kpi = Kpi {
            id: "revenue".to_owned(),
            group: String::new(),
            name: String::new(),
            unit: "USDC, DATA".to_owned(),
            formula: String::new(),
            source: String::new(),
            series: vec![series],
        };
        let cohort = Cohort { month: "2026-09".to_owned(), joined: 3, stayed: vec![3, 2] };
        // 2026-09-30.
        let first_day = 20_726 * 86_400;
        let kpis = Kpis { block: 1, now: first_day, first_day, days: 2, kpis: vec![kpi], cohorts: vec![cohort] };
        let lines: Vec<String> = kpis.table().split("\r\n").map(str::to_owned).collect();
        let expected = [
            "day,kpi,label,unit,value",
            "2026-10-01,revenue,\"a \"\"b\"\"\",\"USDC, DATA\",1.50",
            "2026-09-01,retention,0,members,3",
            "2026-09-01,retention,30,members,2",
            "",
        ];
        assert_eq!(lines, expected);
    }
}
