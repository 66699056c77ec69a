//! `docs/data-model.md` against the databases as they are.

use rochdale_gateway::store::Store;
use rochdale_node::nonces::Nonces;
use rochdale_testkit::data_model::Documented;

#[tokio::test]
async fn docs_data_model_md_names_every_table_and_column_of_a_gateway_and_of_nonces() {
    let dir = tempfile::tempdir().unwrap();
    Store::open(dir.path()).await.unwrap().close().await;
    let _nonces = Nonces::open(dir.path()).await.unwrap();
    for name in ["gateway.db", "nonces.db"] {
        let page = Documented::read(name).unwrap();
        let differences = page.differences(&dir.path().join(name)).await.unwrap();
        assert_eq!(differences, <[String; 0]>::default(), "{name}");
    }
}
