//! The binary as a process.

use std::io::{BufRead as _, BufReader, Read as _};
use std::process::{Child, Command, Stdio};

use rochdale_api::client::Client;
use rochdale_api::route::HEALTH;

use crate::rig::Rig;

fn write_config(rig: &Rig, extra: &str) -> std::path::PathBuf {
    let path = rig.dir.path().join("gateway.toml");
    let text = format!(
        "listen = \"127.0.0.1:0\"\nrpc_url = \"{}\"\nchain_id = 31337\nmanifest = \"manifest.json\"\ndata_dir = \"data\"\n{extra}\n\
         [relayer]\nkey_file = \"relayer.key\"\n[[stewards]]\nsteward = 1\nurl = \"{}\"\n[worker]\naddress = \"{}\"\nurl = \"http://127.0.0.1:9\"\n",
        rig.coop.anvil.url(),
        rig.stewards[0].url,
        rig.coop.worker.address()
    );
    std::fs::write(&path, text).unwrap();
    path
}

fn spawn(config: &std::path::Path) -> Child {
    Command::new(env!("CARGO_BIN_EXE_rochdale-gateway"))
        .args(["run", "--config"])
        .arg(config)
        .env("RUST_LOG", "info")
        .env("NO_COLOR", "1")
        .stderr(Stdio::piped())
        .spawn()
        .unwrap()
}

#[tokio::test]
async fn sigterm_ends_it_cleanly_and_it_starts_again_on_its_store() {
    let rig = Rig::without_gateway(crate::rig::deploy().await).await;
    let config = write_config(&rig, "");
    for _ in 0..2 {
        let mut child = spawn(&config);
        let mut lines = BufReader::new(child.stderr.take().unwrap()).lines().map_while(Result::ok);
        let listening = lines.find(|l| l.contains("the gateway listens")).unwrap();
        let rest = std::thread::spawn(move || lines.collect::<Vec<_>>().join("\n"));
        let address: String =
            listening.rsplit("127.0.0.1:").next().unwrap().chars().take_while(char::is_ascii_digit).collect();
        let client = Client::new(&format!("http://127.0.0.1:{address}")).unwrap();
        rig.until("healthy", async || client.get(HEALTH).await.is_ok_and(|h| h.ok)).await;
        assert!(Command::new("kill").arg("-TERM").arg(child.id().to_string()).status().unwrap().success());
        let status = child.wait().unwrap();
        let output = rest.join().unwrap();
        assert!(status.success(), "{status}: {output}");
        assert!(output.contains("stopping"), "{output}");
    }
}

#[tokio::test]
async fn a_key_that_is_not_understood_is_refused_with_file_and_line() {
    let rig = Rig::without_gateway(crate::rig::deploy().await).await;
    let config = write_config(&rig, "max_blob = 3");
    let mut child = spawn(&config);
    let status = child.wait().unwrap();
    let mut text = String::new();
    child.stderr.take().unwrap().read_to_string(&mut text).unwrap();
    assert_eq!(status.code(), Some(1), "{text}");
    assert!(text.contains("gateway.toml:6: key `max_blob`: unknown field"), "{text}");
}
