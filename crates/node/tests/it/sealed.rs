//! Whoever carries a sealed request reads neither it nor its answer, and cannot make it its own.

use std::sync::{Arc, Mutex};

use rochdale_api::ProblemCode;
use rochdale_node::sealed::post;

use crate::wire::{NOW, client, proxy, sealed, sealing, serve};

#[tokio::test]
async fn names_are_on_no_wire() {
    let seen: Arc<Mutex<Vec<u8>>> = Arc::default();
    let noted = seen.clone();
    let url = proxy(serve().await, move |_, chunk| noted.lock().unwrap().extend_from_slice(chunk)).await;
    let ask = async |ids: [u64; 2]| post(&client(&url, 1), sealing(2).public(), sealed(), &ids.to_vec(), NOW).await;
    assert_eq!(ask([111_222_333, 444_555_666]).await.unwrap(), 555_777_999);
    let refused = ask([111_222_333, 0]).await.unwrap_err();
    assert_eq!(refused.code(), ProblemCode::ConsentDenied);
    assert!(refused.to_string().contains("member 123456789 denies"), "{refused}");
    let seen = String::from_utf8_lossy(&seen.lock().unwrap()).into_owned();
    assert!(seen.contains("POST /sealed"));
    for name in ["111222333", "444555666", "555777999", "123456789", "denies"] {
        assert!(!seen.contains(name), "{name} was on the wire");
    }
}

#[tokio::test]
async fn a_sealed_body_is_its_senders_to_this_process_on_this_path() {
    let url = format!("http://{}", serve().await);
    let captured: Arc<Mutex<Vec<u8>>> = Arc::default();
    let noted = captured.clone();
    let tap = proxy(serve().await, move |there, chunk| {
        if there {
            *noted.lock().unwrap() = chunk.clone()
        }
    })
    .await;
    let sum: u64 = post(&client(&tap, 1), sealing(2).public(), sealed(), &vec![1, 2], NOW).await.unwrap();
    assert_eq!(sum, 3);
    let chunk = captured.lock().unwrap().clone();
    let body = chunk.windows(4).position(|window| window == b"\r\n\r\n").unwrap() + 4;
    // Another steward signs what it carried: it does not open as its own.
    let refused = client(&url, 3).exchange(&sealed(), chunk[body..].to_vec(), NOW).await.unwrap_err();
    assert_eq!(refused.code(), ProblemCode::SealBroken);
    // Nor does it open elsewhere.
    let refused = client(&url, 1).exchange(&sealed().with("again", 1), chunk[body..].to_vec(), NOW).await.unwrap_err();
    assert_eq!(refused.code(), ProblemCode::SealBroken);
    // A key that the chain does not know asks in vain.
    let refused = post(&client(&url, 9), sealing(2).public(), sealed(), &vec![1], NOW).await;
    assert_eq!(refused.unwrap_err().code(), ProblemCode::Forbidden);
    // Sealed to another's key it does not open.
    let refused = post(&client(&url, 1), sealing(3).public(), sealed(), &vec![1], NOW).await;
    assert_eq!(refused.unwrap_err().code(), ProblemCode::SealBroken);
}
