//! Writes the vectors that Rust, Solidity and TypeScript share: `cargo run -p rochdale-core --example vectors [DIR]`.
//!
//! DIR is `vectors` at the repository's root unless given. The same seed gives the same files.

mod contests;
mod edges;
mod generate;

use std::path::PathBuf;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let root = PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../vectors"));
    let dir = std::env::args_os().nth(1).map_or(root, PathBuf::from);
    for (name, content) in generate::all()? {
        let path = dir.join(name);
        std::fs::write(&path, &content).map_err(|error| format!("cannot write {}: {error}", path.display()))?;
        println!("{name}: {} bytes", content.len());
    }
    Ok(())
}
