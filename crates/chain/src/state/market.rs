//! What the events say of datasets, licenses and what was paid for them.

use rochdale_core::consent::Protocol;

use super::{Approval, At, Booking, Cooperative, DatasetState, LicenseState};
use crate::events::Event;

impl Cooperative {
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
                let approved = Approval { until, protocol: Protocol::read(protocol) };
                self.approvals.change(researcher, |purposes| {
                    purposes.insert(purpose, approved);
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
