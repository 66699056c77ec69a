//! `docs/data-model.md` against the database as it is.

use rochdale_testkit::data_model::Documented;
use rochdale_worker::store::Store;

#[tokio::test]
async fn docs_data_model_md_names_every_table_and_column_of_a_worker() {
    let dir = tempfile::tempdir().unwrap();
    Store::open(dir.path()).await.unwrap().close().await;
    let page = Documented::read("worker.db").unwrap();
    assert_eq!(page.differences(&dir.path().join("worker.db")).await.unwrap(), <[String; 0]>::default());
}
