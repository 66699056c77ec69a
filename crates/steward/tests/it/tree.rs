//! What the steward must not be able to do, it does not link.

use std::process::Command;

#[test]
fn no_query_engine_and_no_relayer_in_the_dependency_tree() {
    let cargo = std::env::var("CARGO").unwrap_or_else(|_| "cargo".to_owned());
    let arguments = ["tree", "-p", "rochdale-steward", "-e", "normal", "--prefix", "none", "--offline"];
    let output = Command::new(cargo).args(arguments).current_dir(env!("CARGO_MANIFEST_DIR")).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let tree = String::from_utf8(output.stdout).unwrap();
    let names: Vec<&str> = tree.lines().filter_map(|line| line.split_whitespace().next()).collect();
    assert!(names.contains(&"rochdale-core"), "the tree is not understood: {tree}");
    for banned in
        ["datafusion", "opendp", "rochdale-compute", "rochdale-gateway", "rochdale-worker", "rochdale-testkit"]
    {
        assert!(!names.contains(&banned), "rochdale-steward depends on {banned}");
    }
}
