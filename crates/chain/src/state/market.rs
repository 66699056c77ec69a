//! What the events say of datasets, licenses and what was paid for them.

use alloy::primitives::Address;
use rochdale_core::consent::Protocol;
use rochdale_core::ids::Purpose;

use super::{At, Booking, Cooperative, DatasetState, LicenseState};
use crate::events::Event;

/// What the ethics board decided about a researcher and a purpose.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Approval {
    /// Unix seconds; from then on it is over.
    pub until: u64,
    /// Since when it says this of the study: an approval that is renewed says the same as before.
    pub since: At,
    /// What it found out about the study.
    pub protocol: Protocol,
}

impl Cooperative {
    /// The ethics board's approval of `researcher` for `purpose`, where it holds at `now` (Unix seconds).
    #[must_use]
    pub fn approval(&self, researcher: Address, purpose: Purpose, now: u64) -> Option<&Approval> {
        self.approvals.get(&researcher).and_then(|p| p.get(&purpose)).filter(|approval| now < approval.until)
    }

    /// Whether the ethics board approves an account for some purpose at `now` (Unix seconds).
    #[must_use]
    pub fn is_researcher(&self, account: Address, now: u64) -> bool {
        self.approvals.get(&account).is_some_and(|purposes| purposes.values().any(|approval| now < approval.until))
    }

    pub(super) fn apply_market(&mut self, event: &Event, at: At) {
        match *event {
            Event::DatasetPublished { dataset, data_type, source, price_per_thousand, terms_hash } => {
                self.datasets
                    .insert(dataset, DatasetState { data_type, source, price_per_thousand, terms_hash, open: true });
            }
            Event::DatasetClosed { dataset } => {
                if let Some(dataset) = self.datasets.get_mut(&dataset) {
                    dataset.open = false;
                }
            }
            Event::LicenseIssued { license, holder, terms } => {
                self.licenses.insert(license, LicenseState { holder, terms });
            }
            Event::LicenseExtended { license, expiry } => {
                if let Some(license) = self.licenses.get_mut(&license) {
                    license.terms.expiry = expiry;
                }
            }
            Event::LicenseRevoked { license } => {
                if let Some(license) = self.licenses.get_mut(&license) {
                    license.terms.expiry = 0;
                }
            }
            Event::ResearcherApproved { researcher, purpose, until, ref protocol } => {
                let protocol = Protocol::read(protocol);
                self.approvals.change(researcher, |purposes| {
                    let before = purposes.get(&purpose).filter(|before| before.protocol == protocol);
                    let since = before.map_or(at, |before| before.since);
                    purposes.insert(purpose, Approval { until, since, protocol });
                });
            }
            Event::Booked { license, dataset, contributors, buyback, operations, compliance, reserve } => {
                self.bookings.push_back_mut(Booking {
                    license,
                    dataset,
                    contributors,
                    buyback,
                    operations,
                    compliance,
                    reserve,
                    booked: at,
                });
            }
            _ => {}
        }
    }
}
