//! Published sizes of datasets, seen once in a while and kept by day: stewards tell only the newest.

use std::collections::BTreeMap;
use std::time::Duration;

use rochdale_api::Problem;
use rochdale_api::order::Sizes;
use rochdale_chain::state::day_of;
use rochdale_core::ids::DatasetId;
use rochdale_node::metrics;

use crate::forward::Forward;
use crate::indexer::Index;
use crate::store::Store;

/// Pause between two looks.
const EVERY: Duration = Duration::from_secs(600);

/// The members of each dataset for the purpose that has most of them: who agreed to two purposes is one person.
#[must_use]
pub fn largest(sizes: &Sizes) -> BTreeMap<DatasetId, u64> {
    let mut largest = BTreeMap::new();
    for size in &sizes.sizes {
        let members: &mut u64 = largest.entry(size.dataset).or_default();
        *members = (*members).max(size.members);
    }
    largest
}

async fn see(forward: &Forward, index: &Index, store: &Store) -> Result<(), Problem> {
    let Some(progress) = index.standing().progress else { return Ok(()) };
    let sizes = forward.sizes().await?;
    Ok(store.see_sizes(day_of(progress.head.latest.timestamp), &largest(&sizes)).await?)
}

/// Looks until `stop` resolves.
pub async fn keep_seeing(forward: Forward, index: Index, store: Store, stop: impl Future<Output = ()>) {
    tokio::pin!(stop);
    loop {
        if let Err(problem) = metrics::duty("sizes", see(&forward, &index, &store)).await {
            tracing::debug!(%problem, "sizes are kept later");
        }
        tokio::select! {
            () = &mut stop => return,
            () = tokio::time::sleep(EVERY) => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rochdale_api::order::PublishedSize;
    use rochdale_core::ids::{Epoch, Purpose};

    #[test]
    fn who_agreed_to_several_purposes_counts_once() {
        let size = |dataset, purpose, members| PublishedSize {
            dataset: DatasetId(dataset),
            purpose: Purpose(purpose),
            epoch: Epoch(1),
            members,
        };
        let sizes = Sizes { sizes: vec![size(1, 6, 40), size(1, 42, 60), size(2, 42, 20)], limits: None };
        assert_eq!(largest(&sizes), BTreeMap::from([(DatasetId(1), 60), (DatasetId(2), 20)]));
    }
}
