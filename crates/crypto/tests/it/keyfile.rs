//! Key files: created once, for their owner alone, and refused when anything about them is odd.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;

use rochdale_crypto::keyfile::{KeyFileError, KeyKind, create, load, load_or_create, master_key, sealing_key};
use tempfile::tempdir;

use crate::support::{Bytes, name, rng};

#[test]
fn a_key_is_drawn_once_and_kept() {
    let dir = tempdir().unwrap();
    let kinds = [KeyKind::Signing, KeyKind::Sealing, KeyKind::Master, KeyKind::Committee];
    for (file, kind) in ["a", "b", "c", "d"].into_iter().zip(kinds) {
        let path = dir.path().join(file);
        let drawn = load_or_create(&path, kind, &mut rng(1)).unwrap();
        assert_eq!(*load_or_create(&path, kind, &mut rng(2)).unwrap(), *drawn);
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    }
    let pair = sealing_key(&dir.path().join("b"), &mut rng(3)).unwrap();
    assert_eq!(*pair.to_secret(), clamped(*load(&dir.path().join("b"), KeyKind::Sealing).unwrap()));
    assert!(master_key(&dir.path().join("c"), &mut rng(3)).is_ok());
    assert!(matches!(master_key(&dir.path().join("b"), &mut rng(3)), Err(KeyFileError::Content { .. })));
}

/// X25519 keys are clamped when read (RFC 7748, section 5).
fn clamped(mut key: [u8; 32]) -> [u8; 32] {
    key[0] &= 248;
    key[31] = key[31] & 127 | 64;
    key
}

#[test]
fn a_signing_key_lies_below_the_order() {
    let dir = tempdir().unwrap();
    // The generator gives zero, then a number above the order, then one.
    let mut one = vec![0; 32];
    one[31] = 1;
    let mut given = Bytes([vec![0; 32], vec![0xff; 32], one.clone()].concat());
    let drawn = create(&dir.path().join("key"), KeyKind::Signing, &mut given).unwrap();
    assert_eq!(drawn.as_slice(), one);
}

#[test]
fn others_reading_along_is_refused() {
    let dir = tempdir().unwrap();
    let path = dir.path().join("key");
    create(&path, KeyKind::Signing, &mut rng(1)).unwrap();
    for mode in [0o640, 0o604, 0o666] {
        fs::set_permissions(&path, Permissions::from_mode(mode)).unwrap();
        let refused = load(&path, KeyKind::Signing).err().unwrap();
        assert!(refused.to_string().contains("chmod 600"), "{refused}");
    }
    fs::set_permissions(&path, Permissions::from_mode(0o400)).unwrap();
    assert!(load(&path, KeyKind::Signing).is_ok());
}

#[test]
fn a_key_is_never_overwritten() {
    let dir = tempdir().unwrap();
    let path = dir.path().join("key");
    create(&path, KeyKind::Signing, &mut rng(1)).unwrap();
    let before = fs::read(&path).unwrap();
    assert_eq!(name(&create(&path, KeyKind::Signing, &mut rng(2)).err().unwrap()), "Io");
    assert_eq!(fs::read(&path).unwrap(), before);
    let nowhere = dir.path().join("none").join("key");
    assert_eq!(name(&load_or_create(&nowhere, KeyKind::Signing, &mut rng(2)).err().unwrap()), "Io");
}

#[test]
fn other_content_is_refused_and_nothing_of_it_shown() {
    let dir = tempdir().unwrap();
    let path = dir.path().join("key");
    create(&path, KeyKind::Signing, &mut rng(1)).unwrap();
    let good = fs::read(&path).unwrap();
    let digits = String::from_utf8(good.clone()).unwrap().split(' ').nth(1).unwrap().trim().to_owned();
    let zero = format!("rochdale-signing-key-v1 {}\n", "0".repeat(64));
    let contents: [&[u8]; 6] =
        [b"", &good[..40], &[good.as_slice(), b"\n"].concat(), &[0xff; 90], zero.as_bytes(), &[b'a'; 4096]];
    for content in contents {
        fs::write(&path, content).unwrap();
        let refused = load(&path, KeyKind::Signing).err().unwrap();
        assert_eq!(name(&refused), "Content");
        assert!(!format!("{refused} {refused:?}").contains(&digits));
    }
    fs::write(&path, &good).unwrap();
    assert_eq!(name(&load(&path, KeyKind::Sealing).err().unwrap()), "Content");
}
