//! What one disk loses of a sealed record, the other copy gives back, and what its member had erased comes back from none.

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

/// A rig of three records, each in both places.
async fn rig() -> Rig {
    let rig = Rig::scrubbing(3, 10 * RHO).await;
    replicate(&rig).await;
    assert_eq!((blobs(&rig.gateway_vault()).len(), same(&rig.gateway_vault(), &rig.replica())), (3, true));
    rig
}

async fn replicate(rig: &Rig) {
    rig.worker.replicate(&rig.worker.at_head().await.unwrap()).await.unwrap();
}

async fn problems(rig: &Rig) -> String {
    rig.gateway.get(HEALTH).await.unwrap().problems.join("\n")
}

fn paths(root: &Path) -> Vec<PathBuf> {
    blobs(root).into_values().map(|(path, _)| path).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_damaged_record_is_taken_from_the_workers_copy() {
    let rig = rig().await;
    let before = blobs(&rig.replica());
    let vault = paths(&rig.gateway_vault());
    flip(&vault[0]);
    std::fs::remove_file(&vault[1]).unwrap();
    std::fs::write(&vault[2], []).unwrap();
    rig.until("all are whole", async || same(&rig.gateway_vault(), &rig.replica())).await;
    assert_eq!(blobs(&rig.replica()), before, "and the worker's copy stayed as it was");
    assert_eq!(problems(&rig).await, "");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_workers_copy_loses_is_fetched_anew() {
    let rig = rig().await;
    let replica = paths(&rig.replica());
    flip(&replica[0]);
    // What cannot be read is as good as gone.
    std::fs::remove_file(&replica[1]).unwrap();
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
    for root in [rig.gateway_vault(), rig.replica()] {
        flip(&blobs(&root)[&name].0);
    }
    rig.until("health says so", async || problems(&rig).await.contains("no copy was found")).await;
    std::fs::write(path, bytes).unwrap();
    rig.until("health is silent again", async || problems(&rig).await.is_empty()).await;
}

/// A directory stands where a record should be: it cannot be written, and the records after it are mended all the same.
#[tokio::test(flavor = "multi_thread")]
async fn one_record_that_cannot_be_mended_holds_up_no_other() {
    let rig = rig().await;
    let vault = paths(&rig.gateway_vault());
    std::fs::remove_file(&vault[0]).unwrap();
    std::fs::create_dir(&vault[0]).unwrap();
    flip(&vault[1]);
    flip(&vault[2]);
    let sound = blobs(&rig.replica());
    let whole = |path: &PathBuf| std::fs::read(path).unwrap() == sound[path.file_name().unwrap().to_str().unwrap()].1;
    rig.until("the others are whole", async || vault[1..].iter().all(whole)).await;
    rig.until("health names the first", async || problems(&rig).await.contains("sealed records are damaged or gone"))
        .await;
    let partial = std::fs::read_dir(rig.gateway_vault().join("partial")).unwrap().count();
    assert!(partial <= 1, "{partial} half-written files");
}

/// The worker still has its copy while the gateway looks for what is missing.
#[tokio::test(flavor = "multi_thread")]
async fn what_was_erased_comes_back_from_no_copy() {
    let rig = rig().await;
    rig.erase(0).await;
    rig.until("it is gone from the vault", async || blobs(&rig.gateway_vault()).len() == 2).await;
    assert_eq!(blobs(&rig.replica()).len(), 3, "the worker was not told yet");
    tokio::time::sleep(Duration::from_secs(2)).await;
    assert_eq!((blobs(&rig.gateway_vault()).len(), problems(&rig).await), (2, String::new()));
}

/// The file of an erased member cannot be deleted: that is said, holds up nobody else's erasure, and is made good once it can be.
#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_cannot_be_deleted_is_said_and_holds_up_nobodys_erasure() {
    let rig = rig().await;
    let held = blobs(&rig.gateway_vault());
    for (path, _) in held.values() {
        // A directory with something in it cannot be removed as a file.
        std::fs::remove_file(path).unwrap();
        std::fs::create_dir(path).unwrap();
    }
    rig.erase(0).await;
    rig.erase(1).await;
    rig.until("both are said", async || {
        problems(&rig).await.contains("2 sealed records of members who had them erased")
    })
    .await;
    for (path, _) in held.values() {
        std::fs::remove_dir(path).unwrap();
    }
    rig.erase(2).await;
    rig.until("all are gone", async || problems(&rig).await.is_empty()).await;
    assert!(blobs(&rig.gateway_vault()).is_empty());
}
