//! `docs/data-model.md` against the database as it is.

use rochdale_registrar::store::Store;
use rochdale_testkit::data_model::Documented;

#[tokio::test]
async fn docs_data_model_md_names_every_table_and_column_of_a_registrar() {
    let dir = tempfile::tempdir().unwrap();
    Store::open(dir.path()).await.unwrap().close().await;
    let page = Documented::read("registrar.db").unwrap();
    assert_eq!(page.differences(&dir.path().join("registrar.db")).await.unwrap(), <[String; 0]>::default());
}
