//! What one disk loses of a sealed record, another copy gives back, and what its member had erased comes back from none.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use rochdale_api::route::HEALTH;

use crate::rig::{RHO, Rig};

/// Every blob below a vault's folder with its bytes, by name.
fn blobs(root: &Path) -> BTreeMap<String, (PathBuf, Vec<u8>)> {
    let folders = std::fs::read_dir(root).unwrap().map(|folder| folder.unwrap().path());
    let folders = folders.filter(|folder| folder.file_name().is_some_and(|name| name != "partial"));
    let files = folders.flat_map(|folder| std::fs::read_dir(folder).unwrap().map(|file| file.unwrap().path()));
    let named = files.map(|path| {
        let name = path.file_name().unwrap().to_str().unwrap().to_owned();
        let bytes = std::fs::read(&path).unwrap_or_default();
        (name, (path, bytes))
    });
    named.collect()
}

fn same(one: &Path, other: &Path) -> bool {
    let bytes = |root| blobs(root).into_iter().map(|(name, (_, bytes))| (name, bytes)).collect::<BTreeMap<_, _>>();
    bytes(one) == bytes(other)
}

fn flip(path: &Path) {
    let mut bytes = std::fs::read(path).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    std::fs::write(path, bytes).unwrap();
}

/// A rig of three records, each in all three places.
async fn rig() -> Rig {
    let rig = Rig::scrubbing(3, 10 * RHO).await;
    replicate(&rig).await;
    rig.until("each record is in the second folder", async || same(&rig.gateway_vault(), &rig.gateway_copy())).await;
    assert_eq!((blobs(&rig.gateway_vault()).len(), same(&rig.gateway_vault(), &rig.replica())), (3, true));
    rig
}

async fn replicate(rig: &Rig) {
    rig.worker.replicate(&rig.worker.at_head().await.unwrap()).await.unwrap();
}

async fn problems(rig: &Rig) -> String {
    rig.gateway.get(HEALTH).await.unwrap().problems.join("\n")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_damaged_record_is_taken_from_the_second_folder_and_one_that_both_lack_from_the_worker() {
    let rig = rig().await;
    let before = blobs(&rig.replica());
    let paths: Vec<PathBuf> = blobs(&rig.gateway_vault()).into_values().map(|(path, _)| path).collect();
    let copies: Vec<PathBuf> = blobs(&rig.gateway_copy()).into_values().map(|(path, _)| path).collect();
    flip(&paths[0]);
    std::fs::remove_file(&copies[1]).unwrap();
    flip(&paths[2]);
    std::fs::write(&copies[2], []).unwrap();
    let whole = async || same(&rig.gateway_vault(), &rig.replica()) && same(&rig.gateway_copy(), &rig.replica());
    rig.until("all are whole in both folders", whole).await;
    assert_eq!(blobs(&rig.replica()), before, "and the worker's copy stayed as it was");
    assert_eq!(problems(&rig).await, "");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_workers_copy_loses_is_fetched_anew() {
    let rig = rig().await;
    let paths: Vec<PathBuf> = blobs(&rig.replica()).into_values().map(|(path, _)| path).collect();
    flip(&paths[0]);
    std::fs::remove_file(&paths[1]).unwrap();
    // A whole pass, wherever it begins; another finds nothing.
    assert_eq!((rig.worker.scrub(3).await.unwrap(), rig.worker.scrub(3).await.unwrap()), (2, 0));
    assert_eq!(rig.worker.replica.held().await, 1);
    replicate(&rig).await;
    assert!(same(&rig.replica(), &rig.gateway_vault()));
    assert_eq!((rig.worker.replica.held().await, rig.worker.scrub(3).await.unwrap()), (3, 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_no_copy_has_is_said_until_one_is_there_again() {
    let rig = rig().await;
    let (name, (path, bytes)) = blobs(&rig.gateway_vault()).into_iter().next().unwrap();
    for root in [rig.gateway_vault(), rig.gateway_copy(), rig.replica()] {
        flip(&blobs(&root)[&name].0);
    }
    let said = async || problems(&rig).await.contains("damaged and no copy has them: of contributions ");
    rig.until("health says so", said).await;
    std::fs::write(path, bytes).unwrap();
    rig.until("health is silent again", async || problems(&rig).await.is_empty()).await;
    rig.until("the second folder has it too", async || same(&rig.gateway_vault(), &rig.gateway_copy())).await;
}

/// The worker still has its copy while the gateway looks for what is missing.
#[tokio::test(flavor = "multi_thread")]
async fn what_was_erased_comes_back_from_no_copy() {
    let rig = rig().await;
    rig.erase(0).await;
    rig.until("it is gone from both folders", async || {
        blobs(&rig.gateway_vault()).len() == 2 && blobs(&rig.gateway_copy()).len() == 2
    })
    .await;
    assert_eq!(blobs(&rig.replica()).len(), 3, "the worker was not told yet");
    tokio::time::sleep(Duration::from_secs(2)).await;
    assert_eq!((blobs(&rig.gateway_vault()).len(), blobs(&rig.gateway_copy()).len()), (2, 2));
    assert_eq!(problems(&rig).await, "");
}
