//! What a question charges to people's privacy budgets, and what is left of them as far as anybody may know: whom a debit charged is for
//! stewards alone, so that what is said of everybody is a bound.

use crate::args::Common;
use crate::coop::Coop;
use crate::when::count;
use anyhow::Result;
use rochdale_api::route::gateway;
use rochdale_api::status::{BudgetLimits, BudgetView, LicenseView};
use rochdale_client::choice::zcdp;
use rochdale_core::query::Query;
use std::fmt;

/// The published figures.
#[derive(Clone, Copy, Debug)]
pub struct Budgets(BudgetView);

impl Budgets {
    /// What the gateway tells: of the chain, and of what a quorum of stewards says alike.
    pub async fn read(coop: &Coop) -> Result<Self> {
        Ok(Self(coop.gateway.get(gateway::BUDGET).await?))
    }

    /// The same as a line below a price, whether or not the gateway answers: a sale needs the chain alone.
    pub async fn line(common: &Common) -> Result<String> {
        let told = async { Self::read(&Coop::connect(&common.gateway()?).await?).await };
        Ok(match told.await {
            Ok(budgets) => format!("\n{budgets}."),
            Err(error) => format!("\nWhat is left of people's privacy budgets is not known: {error:#}."),
        })
    }

    /// What is left at least to whoever was asked each time, in nano-zCDP; later years of membership and questions that asked others
    /// leave more. Nobody but stewards knows who chose a smaller budget.
    pub fn least(&self) -> Option<u64> {
        let BudgetLimits { lifetime, per_year } = self.0.limits?;
        Some(lifetime.min(per_year).saturating_sub(self.0.rho))
    }

    /// The same as JSON.
    pub fn value(&self) -> serde_json::Value {
        let mut value = serde_json::json!(self.0);
        value["least_left"] = serde_json::json!(self.least());
        value
    }
}

impl fmt::Display for Budgets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let BudgetView { debits, rho, limits, .. } = self.0;
        let charged = match debits {
            0 => "nobody was charged anything yet".to_owned(),
            _ => format!("{} charged nobody more than {} so far", count(debits, "question"), zcdp(rho)),
        };
        let (Some(BudgetLimits { lifetime, per_year }), Some(least)) = (limits, self.least()) else {
            return write!(f, "Privacy budgets: {charged}; too few stewards say alike what a person may be charged");
        };
        write!(
            f,
            "Privacy budgets: a person may be charged {} for life, {} with each year of membership; {charged}, ",
            zcdp(lifetime),
            zcdp(per_year.min(lifetime))
        )?;
        match least {
            0 => write!(f, "so that those of people who were asked each time are probably spent"),
            least => write!(f, "so that everybody who chose no smaller one has at least {} left", zcdp(least)),
        }
    }
}

/// What a question would cost, said before anybody is charged. `size`: about how many members there are for its dataset and purpose.
pub fn quote(query: &Query, license: &LicenseView, size: u64, budgets: &Budgets) -> String {
    let records = u64::from(license.records);
    let people = if records >= size {
        format!("everybody who allows it, about {size} people")
    } else {
        format!("about {records} of about {size} people, drawn by chance")
    };
    let rho = zcdp(query.rho);
    let after = match budgets.least() {
        None => String::new(),
        Some(left) if query.rho <= left => format!("; after it at least {} would be", zcdp(left - query.rho)),
        Some(_) => format!(
            ". {rho} is more than that: whose budget does not suffice is not asked, and the answer may be withheld for it"
        ),
    };
    format!(
        "This {} under license {} asks {people}, and charges {rho} to the privacy budget of each, for good and whatever comes out: where it \
         is about too few, the answer is withheld and charged all the same.\n{budgets}{after}.",
        query.ask.kind(),
        license.license_id
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn budgets(debits: u64, rho: u64, lifetime: u64, per_year: u64) -> Budgets {
        let limits = Some(BudgetLimits { lifetime, per_year });
        Budgets(BudgetView { debits, answered: debits, rho, limits })
    }

    #[test]
    fn what_is_left_is_a_bound_by_the_first_year_and_never_below_nothing() {
        assert_eq!(budgets(0, 0, 1_000, 250).least(), Some(250));
        assert_eq!(budgets(3, 200, 1_000, 250).least(), Some(50));
        assert_eq!(budgets(3, 251, 1_000, 250).least(), Some(0));
        assert_eq!(budgets(3, 10, 100, 250).least(), Some(90), "a lifetime that is shorter than its year");
        assert!(budgets(3, 251, 1_000, 250).to_string().contains("probably spent"));
        let unknown = Budgets(BudgetView { debits: 1, rho: 5, ..BudgetView::default() });
        assert!(unknown.least().is_none() && unknown.to_string().contains("too few stewards say alike"), "{unknown}");
    }
}
