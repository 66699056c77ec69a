//! `web/wasm/`: the rules as a browser runs them, built from `crates/browser`, committed like `abi/`, and held against the tree.

use crate::run::{cargo, ok, output, program, root};
use anyhow::{Context, Result, bail};
use sha2::{Digest, Sha256};
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;

const CRATE: &str = "rochdale-browser";
const TARGET: &str = "wasm32-unknown-unknown";
const OUT: &str = "web/wasm";
/// What a browser is given.
const ARTEFACTS: &[&str] = &["rochdale_bg.wasm", "rochdale.js", "rochdale.d.ts"];
/// Which sources the artefact was built from.
const DIGEST: &str = "web/wasm/sources.sha256";
/// Debian's compiler for machines without rustup, unpacked and not installed: its packages would conflict with another Rust.
const DEBIAN: &[&str] = &[
    "rustc-web",
    "cargo-web",
    "libstd-rust-web-dev",
    "libstd-rust-web-1.96",
    "rust-web-src",
    "libllvm22",
    "lld-22",
    "liblld-22",
    "libgit2-1.5",
    "libmbedtls14",
    "libmbedcrypto7",
    "libmbedx509-1",
    "libhttp-parser2.9",
    "libssh2-1",
];

/// Builds the artefact, or checks that the committed one is of these sources and does what the vectors say.
pub fn wasm(check: bool) -> Result<()> {
    if !check {
        build()?;
        std::fs::write(root().join(DIGEST), noted()?).context(DIGEST)?;
    }
    if std::fs::read_to_string(root().join(DIGEST)).context(DIGEST)? != noted()? {
        bail!(
            "{OUT} was built from other sources, or is not what was built: cargo xtask wasm, and commit what it writes"
        );
    }
    ok(program("node", OUT, &["test.mjs"]))
}

/// What the artefact was built from, and what came of it: a line each.
fn noted() -> Result<String> {
    let mut lines = vec![format!("{} sources", digest()?)];
    for name in ARTEFACTS {
        let bytes = std::fs::read(root().join(OUT).join(name)).with_context(|| format!("{OUT}/{name}"))?;
        lines.push(format!("{} {name}", hex(Sha256::digest(bytes).as_slice())));
    }
    Ok(lines.join("\n") + "\n")
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Of every source that the artefact is made of: our crates' files, and the names, versions and features of all others.
fn digest() -> Result<String> {
    let tree =
        ["tree", "-p", CRATE, "--target", TARGET, "-e", "normal", "--prefix", "none", "--locked", "-f", "{p} {f}"];
    let tree = output(cargo(&tree))?;
    // Repeated subtrees carry a mark, and our own crates the path of this machine.
    let lines: BTreeSet<&str> = tree.lines().map(|line| line.trim_end_matches(" (*)")).collect();
    let (ours, others): (Vec<_>, Vec<_>) = lines.into_iter().partition(|line| line.contains(" (/"));
    let mut hash = Sha256::new();
    others.iter().for_each(|line| hash.update(format!("{line}\n")));
    hash.update(profile()?);
    hash.update(include_str!("wasm.rs"));
    hash.update(include_str!("bin/bindgen.rs"));
    for line in ours {
        let features = line.rsplit_once(") ").map(|(_, features)| features).unwrap_or_default();
        hash.update(features);
        let folder = line.split_once(" (").and_then(|(_, rest)| rest.split_once(')')).map(|(folder, _)| folder);
        let folder = PathBuf::from(folder.context("a crate of ours without a folder")?);
        let mut files = vec![folder.join("Cargo.toml")];
        below(&folder.join("src"), &mut files)?;
        files.sort();
        for file in files {
            let name = file.strip_prefix(root()).unwrap_or(&file).to_string_lossy().into_owned();
            let bytes = std::fs::read(&file).with_context(|| name.clone())?;
            hash.update(format!("{name} {}\n", bytes.len()));
            hash.update(bytes);
        }
    }
    Ok(hex(hash.finalize().as_slice()))
}

/// How it is compiled, as the workspace's manifest says.
fn profile() -> Result<String> {
    let manifest = std::fs::read_to_string(root().join("Cargo.toml"))?;
    let (_, rest) = manifest.split_once("[profile.wasm]").context("Cargo.toml has no [profile.wasm]")?;
    Ok(rest.split("\n\n").next().unwrap_or_default().to_owned())
}

fn below(folder: &Path, into: &mut Vec<PathBuf>) -> Result<()> {
    for entry in std::fs::read_dir(folder).with_context(|| folder.display().to_string())? {
        let path = entry?.path();
        if path.is_dir() { below(&path, into)? } else { into.push(path) }
    }
    Ok(())
}

fn build() -> Result<()> {
    let mut command = compiler()?;
    command.args(["--profile", "wasm", "-p", CRATE, "--lib", "--target", TARGET, "--locked"]);
    // Where this machine keeps its sources is nobody's business, and would make each build another.
    let home = std::env::var("CARGO_HOME").or_else(|_| std::env::var("HOME").map(|home| home + "/.cargo"))?;
    let flags = format!(
        "--cfg getrandom_backend=\"wasm_js\" --remap-path-prefix={home}=cargo --remap-path-prefix={}=.",
        root().display()
    );
    // These would come before the target's.
    command.env_remove("RUSTFLAGS").env("CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_RUSTFLAGS", flags);
    ok(command)?;
    let built = root().join("target").join(TARGET).join("wasm/rochdale_browser.wasm");
    let mut bind = cargo(&["run", "-q", "--locked", "-p", "xtask", "--features", "bindgen", "--bin", "bindgen", "--"]);
    bind.arg(built).arg(root().join(OUT));
    ok(bind)
}

/// `cargo build` of a toolchain that has the target.
fn compiler() -> Result<Command> {
    let mut with_std = cargo(&["build"]);
    if has_target() {
        return Ok(with_std);
    }
    if ok(program("rustup", "", &["target", "add", TARGET])).is_ok() && has_target() {
        return Ok(with_std);
    }
    let unpacked = debian().with_context(|| {
        format!("no toolchain for {TARGET}: `rustup target add {TARGET}`, or a Debian on which `apt-get download rustc-web` works")
    })?;
    let path = std::env::join_paths([unpacked.join("usr/bin"), unpacked.join("usr/lib/llvm-22/bin")])?;
    with_std = program(unpacked.join("usr/bin/cargo"), "", &["build", "-Zbuild-std=std,panic_abort"]);
    with_std.env("PATH", format!("{}:{}", path.display(), std::env::var("PATH").unwrap_or_default()));
    let libraries = [unpacked.join("usr/lib/x86_64-linux-gnu"), unpacked.join("usr/lib/llvm-22/lib")];
    with_std.env("LD_LIBRARY_PATH", std::env::join_paths(libraries)?);
    with_std.env("RUSTC", unpacked.join("usr/bin/rustc")).env("RUSTC_BOOTSTRAP", "1");
    with_std.env("CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_LINKER", unpacked.join("usr/lib/llvm-22/bin/wasm-ld"));
    Ok(with_std)
}

fn has_target() -> bool {
    let rustc = std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    let folder = output(program(rustc, "", &["--print", "target-libdir", "--target", TARGET]));
    folder.is_ok_and(|folder| Path::new(folder.trim()).is_dir())
}

/// Debian's compiler with the standard library's sources, below `target/`.
fn debian() -> Result<PathBuf> {
    let place = root().join("target/tools/rustc-web");
    let (packages, unpacked) = (place.join("packages"), place.join("root"));
    let done = place.join("complete");
    if done.exists() {
        return Ok(unpacked);
    }
    std::fs::create_dir_all(&packages)?;
    eprintln!("Unpacking Debian's compiler for {TARGET} (150 MB to download) …");
    let apt = |words: &[&str]| {
        let mut command = Command::new("apt-get");
        command.args(words).current_dir(&packages);
        ok(command)
    };
    apt(&["update", "-qq"])?;
    apt(&[&["download", "-q"], DEBIAN].concat())?;
    for entry in std::fs::read_dir(&packages)? {
        let mut unpack = Command::new("dpkg");
        unpack.arg("-x").arg(entry?.path()).arg(&unpacked);
        ok(unpack)?;
    }
    std::fs::write(done, "")?;
    Ok(unpacked)
}
