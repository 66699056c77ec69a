//! The state directory: one folder for each process and each person, so that everything a role owns lies together.

use anyhow::{Context, Result, bail};
use rochdale_core::ids::StewardId;
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::fs::{File, OpenOptions, TryLockError};
use std::io::{Read as _, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

/// Where everything of one cooperative on this machine lies.
#[derive(Clone, Debug)]
pub struct State(PathBuf);

impl State {
    /// The directory, whether it is there or not: it is made by what is first written in it, so that a command that fails
    /// before leaves nothing behind.
    pub fn open(path: &Path) -> Result<Self> {
        let path = if path.exists() { path.canonicalize() } else { std::path::absolute(path) }
            .with_context(|| format!("cannot open {}", path.display()))?;
        Ok(Self(path))
    }

    /// The directory itself.
    pub fn path(&self) -> &Path {
        &self.0
    }

    /// The directory and those above it that are not there: what the first file in it makes.
    pub fn missing(&self) -> Vec<PathBuf> {
        self.0.ancestors().take_while(|dir| !dir.exists()).map(Path::to_owned).collect()
    }

    /// Removes the directory with all that is in it, where it was `missing`, and what was made above it, where nothing else came there.
    pub fn discard(&self, missing: &[PathBuf]) -> Result<()> {
        let Some((own, above)) = missing.split_first() else { return Ok(()) };
        match std::fs::remove_dir_all(own) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                return Err(error).with_context(|| format!("cannot remove {}, which this made", own.display()));
            }
            _ => {}
        }
        for dir in above {
            match std::fs::remove_dir(dir) {
                Ok(()) => {}
                // Somebody else's things lie there by now, or it was never made.
                Err(_) => break,
            }
        }
        Ok(())
    }

    /// The deployment's manifest.
    pub fn manifest(&self) -> PathBuf {
        self.0.join("manifest.json")
    }

    /// The journal of the deployment, from which one that was cut off goes on.
    pub fn deployment(&self) -> PathBuf {
        self.0.join("deployment.json")
    }

    /// What the cooperative was founded with.
    pub fn coop_config(&self) -> PathBuf {
        self.0.join("coop.toml")
    }

    /// Which programs run at which addresses.
    pub fn layout(&self) -> PathBuf {
        self.0.join("layout.json")
    }

    /// A service's own folder.
    pub fn service(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }

    /// A steward's own folder.
    pub fn steward(&self, id: StewardId) -> PathBuf {
        self.service(&steward_name(id))
    }

    /// A key of one of the cooperative's offices.
    pub fn office_key(&self, office: &str) -> PathBuf {
        self.0.join("offices").join(format!("{office}.key"))
    }

    /// A person's folder: `members/ada`, `researchers/lin`.
    pub fn person(&self, kind: &str, name: &str) -> Result<PathBuf> {
        let plain = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
        if name.is_empty() || name.len() > 64 || !name.chars().all(plain) {
            bail!("`{name}` cannot be a name: use up to 64 letters, digits, `-` and `_`");
        }
        Ok(self.0.join(kind).join(name))
    }

    /// The names of the people of a kind, in order.
    pub fn people(&self, kind: &str) -> Result<Vec<String>> {
        let dir = self.0.join(kind);
        let entries = match std::fs::read_dir(&dir) {
            Ok(entries) => entries,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(error).with_context(|| format!("cannot read {}", dir.display())),
        };
        let mut names: Vec<_> = entries.filter_map(|entry| entry.ok()?.file_name().into_string().ok()).collect();
        names.sort();
        Ok(names)
    }

    /// Held while `up` or `demo` runs the cooperative: two at once would use one chain and one key twice.
    pub fn lock(&self) -> Result<File> {
        make_dir(&self.0)?;
        let in_use = "another `rochdale up` or `demo` runs it; stop that or name another --state";
        locked(&self.0, in_use)
    }
}

/// A lock on a folder, held until what is given is dropped. Where another process has it, the error says what to do.
pub fn locked(dir: &Path, in_use: &str) -> Result<File> {
    let path = dir.join("lock");
    let file = OpenOptions::new().create(true).write(true).truncate(false).mode(0o600).open(&path)?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => bail!("{} is in use: {in_use}", dir.display()),
        Err(TryLockError::Error(error)) => Err(error).with_context(|| format!("cannot lock {}", path.display())),
    }
}

/// `steward-2`.
pub fn steward_name(id: StewardId) -> String {
    format!("steward-{id}")
}

/// Makes a directory and those above it that are missing; only their owner may read them.
pub fn make_dir(path: &Path) -> Result<()> {
    use std::os::unix::fs::DirBuilderExt as _;
    let mut builder = std::fs::DirBuilder::new();
    builder.recursive(true).mode(0o700);
    builder.create(path).with_context(|| format!("cannot make the directory {}", path.display()))
}

/// Writes a file that only its owner may read, whole or not at all.
pub fn write_private(path: &Path, bytes: &[u8]) -> Result<()> {
    if let Some(parent) = path.parent() {
        make_dir(parent)?;
    }
    let write = || -> std::io::Result<()> {
        let partial = path.with_extension("partial");
        let mut file = OpenOptions::new().create(true).write(true).truncate(true).mode(0o600).open(&partial)?;
        file.write_all(bytes)?;
        file.sync_all()?;
        std::fs::rename(&partial, path)
    };
    write().with_context(|| format!("cannot write {}", path.display()))
}

/// What a person calls a file that they named.
pub fn called(path: &Path) -> String {
    if path == Path::new("-") { "standard input".to_owned() } else { path.display().to_string() }
}

/// What is in a file that a person named; `-` is standard input.
pub fn input(path: &Path) -> Result<Vec<u8>> {
    if path == Path::new("-") {
        let mut bytes = Vec::new();
        std::io::stdin().read_to_end(&mut bytes).context("cannot read standard input")?;
        return Ok(bytes);
    }
    std::fs::read(path).with_context(|| format!("cannot read {}", path.display()))
}

/// Writes a value as JSON with [`write_private`].
pub fn write_json(path: &Path, value: &impl Serialize) -> Result<()> {
    write_private(path, &serde_json::to_vec_pretty(value)?)
}

/// Reads a JSON file of ours.
pub fn read_json<T: DeserializeOwned>(path: &Path) -> Result<T> {
    let bytes = std::fs::read(path).with_context(|| format!("cannot read {}", path.display()))?;
    serde_json::from_slice(&bytes).with_context(|| format!("{} is not what this program wrote there", path.display()))
}
