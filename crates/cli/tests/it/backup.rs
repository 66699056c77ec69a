//! Point 9: `docs/how-to/backup.md`, walked through as it stands.

use std::process::{Command, Stdio};

use crate::support::{Up, port, rochdale};

/// The commands of the document's fenced blocks, in their order.
fn commands() -> Vec<Vec<String>> {
    let text = include_str!("../../../../docs/how-to/backup.md");
    let blocks = text.split("```").skip(1).step_by(2);
    let lines = blocks.flat_map(str::lines).filter(|line| !line.trim().is_empty());
    lines.map(|line| line.split_whitespace().map(str::to_owned).collect()).collect()
}

#[test]
fn point_9_the_how_to_backs_up_and_restores_each_service() {
    let dir = tempfile::tempdir().unwrap();
    let state = dir.path().join("coop");
    let port = port();
    let up = Up::start(&state, port);
    up.json(&["member", "join", "--name", "ada"]);
    let invited = up.json(&["registrar", "invite"]);
    let bin = rochdale(&[]).get_program().to_owned();
    let mut public = String::new();
    let mut up = Some(up);
    let mut done = Vec::new();
    for command in commands() {
        let (program, arguments) = command.split_first().unwrap();
        if arguments[0] == "restore"
            && let Some(running) = up.take()
        {
            // The machine's disk is lost: what is left are keys, configurations and the backups.
            drop(running);
            for service in ["steward-2/steward", "gateway/gateway", "worker/worker", "registrar/registrar"] {
                for end in [".db", ".db-wal", ".db-shm"] {
                    let _ = std::fs::remove_file(state.join(format!("{service}{end}")));
                }
            }
        }
        let arguments = arguments.iter().map(|word| word.replace("$PUBLIC", &public));
        let mut run = Command::new(std::path::Path::new(&bin).with_file_name(program));
        let output = run.args(arguments).current_dir(&state).stdin(Stdio::null()).output().unwrap();
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        assert!(output.status.success(), "{command:?}: {said}{}", String::from_utf8_lossy(&output.stderr));
        if command[1] == "backup-key" {
            public = said.trim().to_owned();
        }
        done.push(command[1].clone());
    }
    // As a backup leaves it that was cut off.
    let stages =
        ["steward-2", "gateway", "worker", "registrar"].map(|service| state.join(service).join("backup.stage"));
    for stage in &stages {
        std::fs::create_dir(stage).unwrap();
        std::fs::write(stage.join("copy.db"), "unsealed").unwrap();
    }
    let each = |what: &'static str| [what; 4];
    assert_eq!(done[..], [&["backup-key"][..], &each("backup"), &each("restore")].concat());
    let up = Up::start(&state, port);
    // Gateway and two stewards go on, the restored one says why it waits.
    up.json(&["member", "consent", "--name", "ada"]);
    assert!(!state.join("gateway/restored").exists(), "the gateway has caught up");
    assert!(!state.join("worker/restored").exists(), "the worker has nothing to catch up");
    assert!(!state.join("registrar/restored").exists(), "the registrar has nothing to catch up");
    let known = up.json(&["registrar", "invitations"]);
    assert!(known.as_array().unwrap().iter().any(|view| view["id"] == invited[0]["id"]), "{known}");
    assert!(state.join("steward-2/restored").exists(), "the steward waits");
    for stage in stages {
        assert!(!stage.exists(), "{}: an unsealed copy does not outlast a start", stage.display());
    }
}
