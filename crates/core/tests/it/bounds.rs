//! Numbers that the contracts go by as well: `vectors/bounds.json`, which a test of theirs reads too.

use rochdale_core::consent::EhdsCategory;
use rochdale_core::ledger::Params;
use rochdale_core::order::{MAX_LIFETIME, QUERY_RIGHT};
use serde_json::Value;

fn bound(name: &str) -> u128 {
    let table: Value = serde_json::from_str(include_str!("../../../../vectors/bounds.json")).unwrap();
    let names = table["names"].as_array().unwrap();
    let place = names.iter().position(|known| known == name).unwrap();
    table["values"][place].as_str().unwrap().parse().unwrap()
}

#[test]
fn an_order_lives_as_long_and_needs_the_right_that_the_contracts_say() {
    assert_eq!(u128::from(MAX_LIFETIME), bound("orderLifetime"));
    assert_eq!(u128::from(QUERY_RIGHT), bound("queryRight"));
}

#[test]
fn categories_are_as_many_as_a_license_may_name() {
    let last = u8::try_from(bound("lastEhdsCategory")).unwrap();
    assert_eq!(EhdsCategory::from_code(last).map(EhdsCategory::code), Some(last));
    assert_eq!(EhdsCategory::from_code(last + 1), None);
}

#[test]
fn units_are_bounded_as_the_ledger_bounds_them() {
    let (cash, token) = (bound("maxCashUnit"), bound("maxTokenUnit"));
    let most = || Params { cash_unit: cash, data_unit: token, gov_unit: token, ..Params::default() };
    most().validate().unwrap();
    Params { cash_unit: cash + 1, ..most() }.validate().unwrap_err();
    Params { data_unit: token + 1, ..most() }.validate().unwrap_err();
    Params { gov_unit: token + 1, ..most() }.validate().unwrap_err();
}
