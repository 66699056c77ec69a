//! `docs/data-model.md` against the database as it is.

use rochdale_steward::retention::RULES;
use rochdale_steward::store::Store;
use rochdale_testkit::data_model::Documented;

#[tokio::test]
async fn docs_data_model_md_names_every_table_and_column_of_a_steward() {
    let dir = tempfile::tempdir().unwrap();
    Store::open(dir.path()).await.unwrap().close().await;
    let page = Documented::read("steward.db").unwrap();
    assert_eq!(page.differences(&dir.path().join("steward.db")).await.unwrap(), <[String; 0]>::default());
    for rule in RULES {
        let setting = format!("`retention.{}`", format!("{:?}", rule.kept).to_lowercase());
        assert!(page.of(rule.table).contains(&setting), "{} is kept for {setting}", rule.table);
    }
}
