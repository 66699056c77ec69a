//! Counting checks, and turning failures into points lost that add up.

use super::category::Category;
use super::rubric::Rubric;
use super::wilson::lower_bound;
use serde::Serialize;
use std::collections::BTreeMap;

/// How one part came out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct CategoryScore {
    /// The part of the quality that it belongs to.
    pub category: Category,
    /// Checks that passed.
    pub passed: u32,
    /// Checks that were made.
    pub checked: u32,
    /// What it adds to the quality, in bps.
    pub points: u16,
}

impl CategoryScore {
    pub(super) fn empty(category: Category) -> Self {
        Self { category, passed: 0, checked: 0, points: 0 }
    }
}

/// Why points are missing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Reason {
    /// The check, as `unit` or `after-birth`.
    pub check: &'static str,
    /// The part of quality it belongs to; `None` for a gate, and for facts that cannot be counted.
    pub category: Option<Category>,
    /// The element, as `Observation.valueQuantity`.
    pub element: String,
    /// Where it failed first, up to [`Reason::PATHS`] places.
    pub paths: Vec<String>,
    /// How often it failed.
    pub count: u32,
    /// Points lost by it, in bps.
    pub lost: u16,
    /// What is wrong and how to mend it, in plain words.
    pub text: String,
}

impl Reason {
    /// Most paths that a reason lists.
    pub const PATHS: usize = 5;
}

/// A failed check, before points are given to it.
pub(super) struct Failure {
    pub(super) element: String,
    pub(super) path: String,
    pub(super) text: String,
}

#[derive(Default)]
struct Group {
    count: u32,
    paths: Vec<String>,
    text: String,
}

/// Most (check, element) pairs that are told apart; a hostile record can make up type names without end.
const MOST_GROUPS: usize = 500;

/// Checks of one category that one resource passes and that count; an ordinary one has up to nine.
const MOST_PASSED: u32 = 10;

/// Counts checks as they are made. Failures are kept by check and element.
#[derive(Default)]
pub(super) struct Tally {
    counts: [(u32, u32); 4],
    /// Checks that the resource under way passed, by category.
    own: [u32; 4],
    groups: BTreeMap<Key, Group>,
    /// Facts that count, and those that should.
    facts: (u32, u32),
    lost: BTreeMap<Key, Group>,
}

/// Part of quality (none for what is no check of it), check and element.
type Key = (Option<Category>, &'static str, String);

/// What a tally comes to.
pub(super) struct Closed {
    /// Facts that count.
    pub(super) facts: u32,
    pub(super) quality: u16,
    pub(super) categories: [CategoryScore; 4],
    pub(super) reasons: Vec<Reason>,
}

impl Tally {
    /// Another resource is looked at.
    pub(super) fn begin(&mut self) {
        self.own = [0; 4];
    }

    /// Counts one check. Of one resource only so many that pass count: a thousand components are no thousand facts.
    pub(super) fn check(&mut self, category: Category, check: &'static str, failure: Option<Failure>) {
        if failure.is_none() {
            let own = &mut self.own[category as usize];
            *own = own.saturating_add(1);
            if *own > MOST_PASSED {
                return;
            }
        }
        let (passed, checked) = &mut self.counts[category as usize];
        *checked = checked.saturating_add(1);
        let Some(failure) = failure else {
            *passed = passed.saturating_add(1);
            return;
        };
        note(&mut self.groups, Some(category), check, failure);
    }

    /// Counts a fact, or what should be one and is not.
    pub(super) fn fact(&mut self, failure: Option<Failure>) {
        let (counted, stated) = &mut self.facts;
        *stated = stated.saturating_add(1);
        match failure {
            None => *counted = counted.saturating_add(1),
            Some(failure) => note(&mut self.lost, None, "counts", failure),
        }
    }

    /// Quality, its parts and its reasons.
    pub(super) fn close(self, rubric: &Rubric) -> Closed {
        let mut reasons = Vec::new();
        let groups = self.groups;
        let categories = Category::ALL.map(|category| {
            let (passed, checked) = self.counts[category as usize];
            let weight = rubric.weights.of(category);
            let points = share(weight, lower_bound(passed, checked, rubric.wilson_z_milli));
            let clean = share(weight, lower_bound(checked, checked, rubric.wilson_z_milli));
            if clean < weight {
                reasons.push(too_few(category, checked, weight - clean));
            }
            let own: Vec<_> = groups.iter().filter(|((of, _, _), _)| *of == Some(category)).collect();
            reasons.extend(spread(clean - points, own));
            CategoryScore { category, passed, checked, points }
        });
        let whole: u16 = categories.iter().map(|c| c.points).sum();
        let (counted, stated) = self.facts;
        let quality = u64::from(whole) * u64::from(counted) / u64::from(stated.max(1));
        let quality = u16::try_from(quality).unwrap_or(whole);
        reasons.extend(spread(whole - quality, self.lost.iter().collect()));
        reasons
            .sort_by(|a, b| (b.lost, a.category, a.check, &a.element).cmp(&(a.lost, b.category, b.check, &b.element)));
        Closed { facts: counted, quality, categories, reasons }
    }
}

/// Adds a failure to its group.
fn note(groups: &mut BTreeMap<Key, Group>, category: Option<Category>, check: &'static str, failure: Failure) {
    let mut key = (category, check, failure.element);
    if groups.len() >= MOST_GROUPS && !groups.contains_key(&key) {
        key.2 = "others".to_owned();
    }
    let group = groups.entry(key).or_default();
    group.count = group.count.saturating_add(1);
    if group.paths.len() < Reason::PATHS {
        group.paths.push(failure.path);
    }
    if group.text.is_empty() {
        group.text = failure.text;
    }
}

fn share(weight: u16, millionths: u32) -> u16 {
    u16::try_from(u64::from(weight) * u64::from(millionths) / 1_000_000).unwrap_or(weight)
}

fn too_few(category: Category, checked: u32, lost: u16) -> Reason {
    let name = format!("{category:?}").to_lowercase();
    let text = match checked {
        0 => format!("nothing in the record can be checked for {name}; a fuller record earns these points"),
        _ => {
            format!("only {checked} facts could be checked for {name}; the more a record holds, the surer its quality")
        }
    };
    Reason {
        check: "size",
        category: Some(category),
        element: "Bundle".to_owned(),
        paths: vec!["Bundle".to_owned()],
        count: 1,
        lost,
        text,
    }
}

/// Gives the points lost to the failures by their number, by largest remainder, so that they add up.
fn spread(lost: u16, groups: Vec<(&Key, &Group)>) -> Vec<Reason> {
    let failures: u64 = groups.iter().map(|(_, group)| u64::from(group.count)).sum();
    let mut reasons = Vec::with_capacity(groups.len());
    let mut remainders = Vec::with_capacity(groups.len());
    let mut left = u64::from(lost);
    for (index, ((category, check, element), group)) in groups.into_iter().enumerate() {
        let exact = u64::from(lost) * u64::from(group.count);
        let points = exact / failures.max(1);
        left -= points;
        remainders.push((std::cmp::Reverse(exact % failures.max(1)), index));
        reasons.push(Reason {
            check,
            category: *category,
            element: element.clone(),
            paths: group.paths.clone(),
            count: group.count,
            lost: u16::try_from(points).unwrap_or(lost),
            text: group.text.clone(),
        });
    }
    remainders.sort_unstable();
    for (_, index) in remainders.into_iter().take(usize::try_from(left).unwrap_or(0)) {
        reasons[index].lost += 1;
    }
    reasons
}
