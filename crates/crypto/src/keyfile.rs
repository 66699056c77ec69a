//! Key files of a service: one secret of 32 bytes a file, readable by its owner alone.
//!
//! A file holds one line, `rochdale-<kind>-key-v1 <64 hex digits>`: a file given for the wrong purpose is refused.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use rand::CryptoRng;
use zeroize::Zeroizing;

use crate::{keystore::MasterKey, sealing::SealingKeyPair};

/// The order of secp256k1, big-endian: a signing key lies below it.
const SECP256K1_ORDER: [u8; 32] = [
    0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xfe, 0xba, 0xae, 0xdc,
    0xe6, 0xaf, 0x48, 0xa0, 0x3b, 0xbf, 0xd2, 0x5e, 0x8c, 0xd0, 0x36, 0x41, 0x41,
];
/// Longer than any key file: a wrong file is not read to its end.
const MAX_BYTES: u64 = 128;

/// What a key file's key is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum KeyKind {
    /// secp256k1, the identity of a service or an account.
    Signing,
    /// X25519, what others seal to.
    Sealing,
    /// AES-256, what wraps a steward's store.
    Master,
    /// HMAC-SHA-256, what all stewards of a committee key content digests with.
    Committee,
}

impl KeyKind {
    const fn label(self) -> &'static str {
        match self {
            Self::Signing => "rochdale-signing-key-v1",
            Self::Sealing => "rochdale-sealing-key-v1",
            Self::Master => "rochdale-master-key-v1",
            Self::Committee => "rochdale-committee-key-v1",
        }
    }
}

/// Why a key file is not used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum KeyFileError {
    /// It cannot be read or written.
    #[error("key file {path}: {source}")]
    Io {
        /// The path of the file at fault.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// Others may read it.
    #[error("key file {path} has mode {mode:04o}: others may read it; chmod 600 it, and change the key if they did")]
    Permissions {
        /// The path of the file at fault.
        path: PathBuf,
        /// Its permission bits.
        mode: u32,
    },
    /// Its content is not a key of the kind asked for.
    #[error("key file {path} does not hold one line \"{label} <64 hex digits>\": another file, or a damaged one")]
    Content {
        /// The path of the file at fault.
        path: PathBuf,
        /// The label of the kind asked for.
        label: &'static str,
    },
}

/// The bytes of a key file's secret, wiped when dropped.
pub type Secret = Zeroizing<[u8; 32]>;

/// Reads the secret of a key file.
///
/// # Errors
/// Every variant of [`KeyFileError`].
pub fn load(path: &Path, kind: KeyKind) -> Result<Secret, KeyFileError> {
    let failed = |source| KeyFileError::Io { path: path.to_owned(), source };
    let file = File::open(path).map_err(failed)?;
    let mode = file.metadata().map_err(failed)?.mode() & 0o7777;
    if mode & 0o077 != 0 {
        return Err(KeyFileError::Permissions { path: path.to_owned(), mode });
    }
    let mut text = Zeroizing::new(String::with_capacity(MAX_BYTES as usize));
    let malformed = || KeyFileError::Content { path: path.to_owned(), label: kind.label() };
    match file.take(MAX_BYTES).read_to_string(&mut text) {
        Err(error) if error.kind() == io::ErrorKind::InvalidData => return Err(malformed()),
        other => other.map_err(failed)?,
    };
    parse(&text, kind).ok_or_else(malformed)
}

/// Draws a secret and writes it to a file that must not exist yet, with mode 0600, synced to the disk.
///
/// # Errors
/// [`KeyFileError::Io`], also where the file exists.
pub fn create(path: &Path, kind: KeyKind, rng: &mut impl CryptoRng) -> Result<Secret, KeyFileError> {
    let secret = draw(kind, rng);
    write(path, kind, &secret).map_err(|source| KeyFileError::Io { path: path.to_owned(), source })?;
    Ok(secret)
}

/// Reads the secret of a key file; where there is none yet, draws one and writes it.
///
/// # Errors
/// As [`load`] and [`create`].
pub fn load_or_create(path: &Path, kind: KeyKind, rng: &mut impl CryptoRng) -> Result<Secret, KeyFileError> {
    match load(path, kind) {
        Err(KeyFileError::Io { source, .. }) if source.kind() == io::ErrorKind::NotFound => create(path, kind, rng),
        other => other,
    }
}

/// The sealing key pair of a key file, drawn where there is none yet.
///
/// # Errors
/// As [`load_or_create`].
pub fn sealing_key(path: &Path, rng: &mut impl CryptoRng) -> Result<SealingKeyPair, KeyFileError> {
    Ok(SealingKeyPair::from_secret(&*load_or_create(path, KeyKind::Sealing, rng)?))
}

/// The master key of a key file, drawn where there is none yet.
///
/// # Errors
/// As [`load_or_create`].
pub fn master_key(path: &Path, rng: &mut impl CryptoRng) -> Result<MasterKey, KeyFileError> {
    Ok(MasterKey::from_bytes(*load_or_create(path, KeyKind::Master, rng)?))
}

fn draw(kind: KeyKind, rng: &mut impl CryptoRng) -> Secret {
    loop {
        let mut secret = Zeroizing::new([0; 32]);
        rng.fill_bytes(secret.as_mut());
        if usable(&secret, kind) {
            return secret;
        }
    }
}

fn usable(secret: &[u8; 32], kind: KeyKind) -> bool {
    kind != KeyKind::Signing || (*secret != [0; 32] && *secret < SECP256K1_ORDER)
}

fn write(path: &Path, kind: KeyKind, secret: &[u8; 32]) -> io::Result<()> {
    let digits = Zeroizing::new(hex::encode(secret));
    let line = Zeroizing::new(format!("{} {}\n", kind.label(), digits.as_str()));
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
    let written = file.write_all(line.as_bytes()).and_then(|()| file.sync_all());
    if written.is_err() {
        // A half-written key would be refused for ever: leave none.
        fs::remove_file(path)?;
    }
    written
}

fn parse(text: &str, kind: KeyKind) -> Option<Secret> {
    let digits = text.strip_suffix('\n').unwrap_or(text).strip_prefix(kind.label())?.strip_prefix(' ')?;
    let mut secret = Zeroizing::new([0; 32]);
    hex::decode_to_slice(digits, secret.as_mut()).ok()?;
    usable(&secret, kind).then_some(secret)
}
