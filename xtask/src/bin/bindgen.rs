//! Writes what JavaScript needs beside a compiled module: `bindgen MODULE FOLDER`, as `cargo xtask wasm` calls it.

use anyhow::{Context, Result};
use std::path::PathBuf;
use wasm_bindgen_cli_support::Bindgen;

fn main() -> Result<()> {
    let mut args = std::env::args_os().skip(1).map(PathBuf::from);
    let (module, folder) = args.next().zip(args.next()).context("usage: bindgen MODULE FOLDER")?;
    let mut bindgen = Bindgen::new();
    bindgen.web(true)?.input_path(module).out_name("rochdale").typescript(true);
    bindgen.remove_name_section(true).remove_producers_section(true);
    bindgen.generate(&folder).with_context(|| folder.display().to_string())
}
