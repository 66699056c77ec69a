//! What a license would be: what is bought, of how much there is. Nobody pays for more than there is.

use super::args::OrderArgs;
use super::budgets::Budgets;
use super::desk::Desk;
use super::keys::Purchase;
use crate::coop::Coop;
use crate::failure::Failure;
use crate::when::count;
use anyhow::{Context, Result, bail};
use rochdale_api::order::Sizes;
use rochdale_api::route::gateway;
use rochdale_chain::bindings::DatasetCatalog;
use rochdale_core::ids::{DatasetId, Epoch, Purpose};
use rochdale_core::size::GRID;
use std::fmt;

/// A license as it is about to be bought.
#[derive(Clone, Copy, Debug)]
pub struct Wanted {
    /// What to buy.
    pub purchase: Purchase,
    /// How many members have such records, as published.
    size: u64,
    days: u32,
    budgets: Budgets,
}

impl Wanted {
    /// What was typed, against the published size that the gateway at `url` tells.
    pub async fn of(desk: &Desk, url: &str, order: OrderArgs) -> Result<Self> {
        let OrderArgs { dataset, records, use_, days } = order;
        let purpose = use_.purpose.code();
        let coop =
            Coop::connect(url).await.context("the published size, which a license is bought by, is not known")?;
        let (counted, size) = published(&coop, dataset, purpose).await?;
        let records = records.map_or(size, u64::from);
        if records > size {
            let when = if counted.0 == 0 {
                "nobody was counted yet".to_owned()
            } else {
                format!("counted in epoch {counted}")
            };
            bail!(Failure::refused(format!(
                "{records} records of dataset {dataset} are more than there are: about {size} members have one for this \
                 purpose ({when}). A license for more would cost more and open nothing more: ask for at most {size} with --records"
            )));
        }
        let call = DatasetCatalog::datasetOfCall { id: dataset.0 };
        let set = desk.view(desk.addresses().dataset_catalog, &call).await?;
        if set.dataType == 0 {
            bail!(Failure::refused(format!("there is no dataset {dataset}: `rochdale coop datasets` shows all")));
        }
        let purchase = Purchase {
            dataset,
            records: u32::try_from(records)?,
            purpose,
            ehds_category: use_.category,
            duration: u64::from(days) * super::DAY,
        };
        Ok(Self { purchase, size, days, budgets: Budgets::read(&coop).await? })
    }
}

/// About how many members have records of a dataset for a purpose, and the epoch that counted them: before the first counting it is
/// the least that is ever said.
pub async fn published(coop: &Coop, dataset: DatasetId, purpose: Purpose) -> Result<(Epoch, u64)> {
    let sizes: Sizes = coop.gateway.get(gateway::SIZES).await?;
    Ok(newest(&sizes, dataset, purpose))
}

/// What the newest of these sizes says, as [`published`].
pub fn newest(sizes: &Sizes, dataset: DatasetId, purpose: Purpose) -> (Epoch, u64) {
    let of_it = sizes.sizes.iter().filter(|size| (size.dataset, size.purpose) == (dataset, purpose));
    of_it.map(|size| (size.epoch, size.members)).max().unwrap_or((Epoch(0), GRID))
}

impl Wanted {
    /// What is left to ask with: a license pays for records, not for anybody's budget.
    pub fn budgets(&self) -> &Budgets {
        &self.budgets
    }
}

impl fmt::Display for Wanted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Purchase { dataset, records, purpose, .. } = self.purchase;
        let (days, size) = (self.days, self.size);
        write!(
            f,
            "A license for {records} of about {size} records of dataset {dataset}, purpose {purpose}, for {}",
            count(days.into(), "day")
        )
    }
}
