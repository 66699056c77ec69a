//! What an upgrade would change: code by its address, storage by the layouts that OpenZeppelin's checker recorded.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use alloy::primitives::{Address, U256};
use alloy::providers::Provider as _;
use serde::{Deserialize, Serialize};

use crate::client::{Chain, ChainError};
use crate::deploy::{IMPLEMENTATION, Manifest, implementation_address};
use crate::gov::{Book, CallSpec, Draft};
use crate::layouts::RECORDED;

/// Storage layouts by the contract's name.
pub type Layouts = BTreeMap<String, Layout>;

/// What a cooperative is known to run, by the contract's kind.
pub type Deployed = BTreeMap<String, DeployedLayout>;

/// A storage layout and the code that it is of.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeployedLayout {
    /// Where the code lies: of other code the layout says nothing.
    pub code: Address,
    /// Where its variables lie.
    pub layout: Layout,
}

/// Where a contract's variables lie.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Layout {
    /// Outside of namespaces.
    #[serde(default)]
    pub storage: Vec<Field>,
    /// ERC-7201 namespaces.
    #[serde(default)]
    pub namespaces: BTreeMap<String, Vec<Field>>,
    /// Types by the name that fields give.
    #[serde(default)]
    pub types: BTreeMap<String, Type>,
}

/// A variable, or a member of a struct.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Field {
    /// The name that it has.
    pub label: String,
    /// Its type, a key of [`Layout::types`].
    #[serde(rename = "type")]
    pub type_name: String,
    /// Byte in its slot.
    #[serde(default)]
    pub offset: u32,
    /// Slot from the start of its namespace or struct.
    #[serde(default)]
    pub slot: String,
}

/// A type.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Type {
    /// As the source writes it.
    pub label: String,
    /// Members of a struct; names of an enum's values are not followed.
    #[serde(default)]
    pub members: serde_json::Value,
}

/// What differs between two layouts.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct LayoutDiff {
    /// New variables after all that were there: harmless.
    pub added: Vec<String>,
    /// What the new code would read wrongly.
    pub misread: Vec<String>,
}

impl Layout {
    /// What `new` would make of storage that was written under `self`.
    #[must_use]
    pub fn compare(&self, new: &Self) -> LayoutDiff {
        let mut diff = LayoutDiff::default();
        let mut places: Vec<(&str, &[Field])> = vec![("", &self.storage)];
        places.extend(self.namespaces.iter().map(|(name, fields)| (name.as_str(), fields.as_slice())));
        for (place, fields) in places {
            let there = if place.is_empty() { Some(&new.storage) } else { new.namespaces.get(place) };
            match there {
                Some(there) => self.compare_fields(new, place, fields, there, &mut diff),
                None => diff.misread.push(format!("{place} is gone")),
            }
        }
        let known = |name: &&String| !self.namespaces.contains_key(*name);
        diff.added.extend(new.namespaces.keys().filter(known).map(|name| format!("{name} (a new namespace)")));
        diff
    }

    fn compare_fields(&self, new: &Self, place: &str, old: &[Field], now: &[Field], diff: &mut LayoutDiff) {
        for (index, field) in old.iter().enumerate() {
            let name = format!("{place}.{}", field.label);
            match now.get(index) {
                None => diff.misread.push(format!("{name} is gone")),
                Some(other) if other.label != field.label => {
                    diff.misread.push(format!("{name} is now {}", other.label));
                }
                Some(other) if (other.slot.as_str(), other.offset) != (field.slot.as_str(), field.offset) => {
                    diff.misread.push(format!("{name} moved"));
                }
                Some(other) if self.shape(&field.type_name) != new.shape(&other.type_name) => {
                    diff.misread.push(format!("{name} changed its type"));
                }
                Some(_) => {}
            }
        }
        diff.added.extend(now.iter().skip(old.len()).map(|field| format!("{place}.{}", field.label)));
    }

    /// A type's name without the numbers that a compilation gives, followed by its members'.
    fn shape(&self, name: &str) -> String {
        let plain: String = name.split(')').map(|part| part.trim_start_matches(|c: char| c.is_ascii_digit())).collect();
        let structs =
            self.types.iter().filter(|(known, kind)| name.contains(known.as_str()) && kind.members.is_array());
        let members = structs
            .flat_map(|(_, kind)| serde_json::from_value::<Vec<Field>>(kind.members.clone()).unwrap_or_default());
        let inner: Vec<String> = members
            .map(|field| format!("{}@{}:{}={}", field.label, field.slot, field.offset, self.shape(&field.type_name)))
            .collect();
        format!("{plain}{{{}}}", inner.join(","))
    }
}

/// Why there is no plan.
#[derive(Debug, thiserror::Error)]
pub enum PlanError {
    /// The layouts of what is deployed.
    #[error(
        "{path}: {detail}; `rochdale coop deploy` writes this file beside the manifest, with the layouts of what it deploys"
    )]
    Layouts {
        /// The path of the file at fault.
        path: PathBuf,
        /// What is wrong, in words for a person.
        detail: String,
    },
    /// The RPC.
    #[error(transparent)]
    Chain(#[from] ChainError),
}

/// The layouts of the contracts that this program deploys.
#[must_use]
pub fn recorded() -> Layouts {
    // A test reads every one of them.
    RECORDED.iter().filter_map(|(name, text)| Some(((*name).to_owned(), serde_json::from_str(text).ok()?))).collect()
}

/// Where a manifest's layouts lie.
#[must_use]
pub fn layouts_path(manifest: &Path) -> PathBuf {
    manifest.with_extension("layouts.json")
}

/// Writes the layouts of what was deployed beside its manifest.
///
/// # Errors
/// Where the file cannot be written.
pub fn save_layouts(manifest: &Path) -> Result<(), PlanError> {
    save(manifest, &ours())
}

/// This program's layouts with the code that they are of.
fn ours() -> Deployed {
    let known = |(kind, layout): (String, Layout)| {
        let code = implementation_address(&kind)?;
        Some((kind, DeployedLayout { code, layout }))
    };
    recorded().into_iter().filter_map(known).collect()
}

fn save(manifest: &Path, deployed: &Deployed) -> Result<(), PlanError> {
    let path = layouts_path(manifest);
    let failed = |detail: String| PlanError::Layouts { path: path.clone(), detail };
    let text = serde_json::to_vec(deployed).map_err(|error| failed(error.to_string()))?;
    std::fs::write(&path, text).map_err(|error| failed(error.to_string()))
}

/// Reads the layouts beside a manifest and notes among them those of contracts that run this program's code by now: the
/// program that plans the upgrade after this one has no other way to know them.
///
/// # Errors
/// Where the file is absent, no such file or cannot be written, or the RPC does not answer.
pub async fn note_layouts(chain: &Chain, manifest: &Manifest, path: &Path) -> Result<Deployed, PlanError> {
    let mut deployed = load_layouts(path)?;
    let (mut ours, before) = (ours(), deployed.clone());
    for (_, kind, proxy) in manifest.addresses.named() {
        let Some(known) = ours.remove(kind) else { continue };
        if implementation(chain, proxy).await? == known.code {
            deployed.insert(kind.to_owned(), known);
        }
    }
    if deployed != before {
        save(path, &deployed)?;
    }
    Ok(deployed)
}

/// Reads the layouts beside a manifest.
///
/// # Errors
/// Where the file is absent or no such file.
pub fn load_layouts(manifest: &Path) -> Result<Deployed, PlanError> {
    let path = layouts_path(manifest);
    let failed = |detail: String| PlanError::Layouts { path: path.clone(), detail };
    let text = std::fs::read_to_string(&path).map_err(|error| failed(error.to_string()))?;
    serde_json::from_str(&text).map_err(|error| failed(error.to_string()))
}

/// One contract of which this program has other code than the chain.
#[derive(Clone, Debug, Serialize)]
pub struct Change {
    /// The contract's name.
    pub contract: String,
    /// What it is, by the name of its ABI.
    pub kind: String,
    /// The address of the proxy, which stays.
    pub proxy: Address,
    /// The code that runs now.
    pub from: Address,
    /// Where this program's code lies or will lie.
    pub to: Address,
    /// Whether it lies there already.
    pub deployed: bool,
    /// Whether the contract can be upgraded at all.
    pub upgradeable: bool,
    /// What happens to its storage.
    pub storage: LayoutDiff,
}

/// What an upgrade to this program's contracts would be.
#[derive(Clone, Debug, Serialize)]
pub struct Plan {
    /// Contracts that differ.
    pub changes: Vec<Change>,
    /// What both houses would be asked, where every change is safe.
    pub proposal: Option<Draft>,
}

impl std::fmt::Display for Plan {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if self.changes.is_empty() {
            return f.write_str("every contract runs this program's code; there is nothing to upgrade");
        }
        for change in &self.changes {
            writeln!(f, "{} at {}: code {} → {}", change.contract, change.proxy, change.from, change.to)?;
            if !change.upgradeable {
                writeln!(f, "  CANNOT be upgraded: a successor would have to take its place")?;
            }
            if !change.deployed {
                writeln!(
                    f,
                    "  the new code is not on the chain yet: `rochdale coop upgrade --plan --place` puts it there"
                )?;
            }
            change.storage.added.iter().try_for_each(|line| writeln!(f, "  new variable {line}"))?;
            change.storage.misread.iter().try_for_each(|line| writeln!(f, "  MISREAD {line}"))?;
        }
        match &self.proposal {
            None => f.write_str("no proposal: what is marked above must be mended first"),
            Some(draft) => {
                writeln!(f, "both houses would be asked to let CharterGate call:")?;
                for call in &draft.calls {
                    let to = call.args.get("newImplementation").map(ToString::to_string).unwrap_or_default();
                    writeln!(f, "  {}.{}({to})", call.contract, call.function)?;
                }
                f.write_str("write it with --write FILE and put it before them with `rochdale gov propose`")
            }
        }
    }
}

/// Compares what runs with this program's contracts.
///
/// # Errors
/// Where the RPC does not answer.
pub async fn plan(chain: &Chain, manifest: &Manifest, deployed: &Deployed) -> Result<Plan, PlanError> {
    let (ours, mut changes) = (recorded(), Vec::new());
    for (name, kind, proxy) in manifest.addresses.named() {
        let Some(to) = implementation_address(kind) else { continue };
        let from = implementation(chain, proxy).await?;
        if from == to {
            continue;
        }
        let misread = |line: String| LayoutDiff { misread: vec![line], added: Vec::new() };
        let storage = match (deployed.get(kind), ours.get(kind)) {
            (Some(old), Some(new)) if old.code == from => old.layout.compare(new),
            (Some(old), Some(_)) => misread(format!(
                "its layout is not known: {} is noted, and other code runs; plan once with the program that has this code, which notes its own",
                old.code
            )),
            (None, _) => misread("its deployed layout is not known".to_owned()),
            (Some(_), None) => misread("it has no layout any more".to_owned()),
        };
        let code = chain.provider().get_code_at(to).await.map_err(|e| chain.error("eth_getCode", &e))?;
        let (contract, upgradeable) = (name.to_owned(), ours.contains_key(kind));
        let kind = kind.to_owned();
        changes.push(Change { contract, kind, proxy, from, to, deployed: !code.is_empty(), upgradeable, storage });
    }
    let safe = changes.iter().all(|change| change.upgradeable && change.storage.misread.is_empty());
    let proposal = (safe && !changes.is_empty()).then(|| draft(&changes, &Book::of(manifest)));
    Ok(Plan { changes, proposal })
}

fn draft(changes: &[Change], book: &Book) -> Draft {
    let known = changes.iter().filter(|change| book.by_name(&change.contract).is_some());
    let call = |change: &Change| CallSpec {
        contract: change.contract.clone(),
        function: "upgradeToAndCall".to_owned(),
        args: [
            ("newImplementation".to_owned(), serde_json::json!(change.to)),
            ("data".to_owned(), serde_json::json!("0x")),
        ]
        .into(),
        value: 0,
    };
    let names: Vec<&str> = changes.iter().map(|change| change.contract.as_str()).collect();
    Draft { why: format!("Upgrade {}.", names.join(", ")), calls: known.map(call).collect() }
}

async fn implementation(chain: &Chain, proxy: Address) -> Result<Address, ChainError> {
    let slot = chain.provider().get_storage_at(proxy, IMPLEMENTATION.into()).await;
    let slot: U256 = slot.map_err(|e| chain.error("eth_getStorageAt", &e))?;
    Ok(Address::from_word(slot.into()))
}

#[cfg(test)]
mod tests {

    use super::*;
    use crate::bindings::abi;
    use crate::deploy::Addresses;

    fn treasury() -> Layout {
        recorded()["Treasury"].clone()
    }

    fn fields(layout: &mut Layout) -> &mut Vec<Field> {
        layout.namespaces.get_mut("erc7201:rochdale.storage.Treasury").unwrap()
    }

    #[test]
    fn every_recorded_layout_is_read() {
        assert_eq!(recorded().len(), RECORDED.len());
        assert_eq!(treasury().compare(&treasury()), LayoutDiff::default());
    }

    #[test]
    fn every_contract_that_can_be_upgraded_has_a_recorded_layout() {
        let recorded = recorded();
        let named = Addresses::new(Address::ZERO, Address::ZERO, &[]).named();
        for (name, kind, _) in named {
            let upgradeable = abi(kind).unwrap().function("upgradeToAndCall").is_some();
            assert_eq!(recorded.contains_key(kind), upgradeable, "{name}");
        }
    }

    #[test]
    fn a_variable_at_the_end_is_harmless() {
        let mut new = treasury();
        let last = Field { label: "later".into(), type_name: "t_uint256".into(), offset: 0, slot: "99".into() };
        fields(&mut new).push(last);
        let diff = treasury().compare(&new);
        assert_eq!(diff.added, ["erc7201:rochdale.storage.Treasury.later"]);
        assert!(diff.misread.is_empty());
    }

    #[test]
    fn what_moves_changes_or_goes_is_misread() {
        let misread = |edit: fn(&mut Vec<Field>)| {
            let mut new = treasury();
            edit(fields(&mut new));
            treasury().compare(&new).misread
        };
        assert!(!misread(|f| f.swap(0, 1)).is_empty());
        assert!(!misread(|f| f[0].type_name = "t_uint256".into()).is_empty());
        assert!(!misread(|f| f[0].offset = 1).is_empty());
        assert!(!misread(|f| drop(f.pop())).is_empty());
    }

    #[test]
    fn a_struct_that_grows_in_the_middle_is_misread() {
        let mut new = treasury();
        let (_, split) = new.types.iter_mut().find(|(name, _)| name.contains("Split")).unwrap();
        split.members.as_array_mut().unwrap().swap(0, 1);
        assert!(treasury().compare(&new).misread.iter().any(|line| line.ends_with("changed its type")));
    }
}
