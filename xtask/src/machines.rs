//! Walks `docs/how-to/several-machines.md` through: every machine is a network namespace of this one with its own `/etc/rochdale` and
//! `/var/lib/rochdale`, all speak TLS with each other by name, and each command of the page is typed where the page says.
//!
//! Takes root, `ip netns`, `unshare` and `openssl`. Where one is missing it fails, or the last lines of `cargo xtask test` say that it did not
//! run.

use crate::run::{ok, output, root};
use crate::setup;
use anyhow::{Context, Result, bail, ensure};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// The page that is walked.
const PAGE: &str = "docs/how-to/several-machines.md";
/// Machines of the page, with the port that its proxy hands on to; none where nothing listens.
const MACHINES: [(&str, Option<u16>); 8] = [
    ("node", Some(8545)),
    ("gateway", Some(8400)),
    ("steward-1", Some(8411)),
    ("steward-2", Some(8411)),
    ("steward-3", Some(8411)),
    ("worker", Some(8421)),
    ("founder", None),
    ("ada", None),
];
/// Names of what this makes on the machine: its namespaces and links begin so.
const PREFIX: &str = "rdwalk";
/// Directories that every machine has for itself.
const OWN: [&str; 2] = ["/etc/rochdale", "/var/lib/rochdale"];
/// How long a process may take until it is healthy.
const PATIENCE: Duration = Duration::from_secs(90);

/// One command of the page, and on which machine it is typed.
#[derive(Debug, PartialEq, Eq)]
struct Typed {
    machine: String,
    command: String,
}

/// The page's sections in order, each with what is typed in it: lines of `console` blocks such as `founder$ rochdale …`.
fn sections(page: &str) -> Vec<(String, Vec<Typed>)> {
    let (mut found, mut inside) = (vec![(String::new(), Vec::new())], false);
    for line in page.lines() {
        if let Some(title) = line.strip_prefix("## ") {
            found.push((title.to_owned(), Vec::new()));
        }
        match line {
            "```console" => inside = true,
            "```" => inside = false,
            _ if inside => {
                if let (Some((machine, command)), Some((_, typed))) = (line.split_once("$ "), found.last_mut()) {
                    let command = command.split("  #").next().unwrap_or(command).trim();
                    typed.push(Typed { machine: machine.trim().to_owned(), command: command.to_owned() });
                }
            }
            _ => {}
        }
    }
    found
}

/// The text of the first block that begins with this line.
fn block<'a>(page: &'a str, first: &str) -> Result<&'a str> {
    let (_, rest) =
        page.split_once(&format!("```{first}\n")).with_context(|| format!("{PAGE} has no ```{first} block"))?;
    rest.split_once("```").map(|(text, _)| text).context("a block does not end")
}

/// Fails where the walk cannot be done here.
pub fn able() -> Result<()> {
    let runs = |program: &str, args: &[&str]| {
        Command::new(program).args(args).output().is_ok_and(|ended| ended.status.success())
    };
    let able = runs("ip", &["netns", "list"]) && runs("unshare", &["--mount", "true"]) && runs("openssl", &["version"]);
    let user = output(crate::run::program("id", "", &["-u"]))?;
    ensure!(
        able && user.trim() == "0",
        "{PAGE} was NOT walked: it takes root, `ip netns` (package iproute2), `unshare` (util-linux) and openssl"
    );
    Ok(())
}

/// Runs the walk with the programs in `target/debug`.
pub fn walk() -> Result<()> {
    let page = std::fs::read_to_string(root().join(PAGE)).with_context(|| format!("cannot read {PAGE}"))?;
    let sections = sections(&page);
    ensure!(sections.iter().map(|(_, typed)| typed.len()).sum::<usize>() >= 15, "{PAGE} lost its commands");
    let mut world = World::build()?;
    for (title, typed) in &sections {
        if title.starts_with("2.") {
            world.write_config()?;
        }
        if title.starts_with("5.") {
            world.start(&page)?;
        }
        for one in typed {
            world.typed(one)?;
        }
    }
    world.one_is_cut_off()?;
    println!("{PAGE} was walked: {} machines, every command typed", MACHINES.len());
    Ok(())
}

/// What runs; dropped, everything that was made goes again.
struct World {
    dir: PathBuf,
    made: Vec<PathBuf>,
    running: Vec<Child>,
}

impl Drop for World {
    fn drop(&mut self) {
        for child in self.running.iter_mut().rev() {
            let _ = child.kill();
            let _ = child.wait();
        }
        tear_down();
        for path in &self.made {
            // Only where it is still empty: it was made as a place to mount on.
            let _ = std::fs::remove_dir(path);
        }
    }
}

/// Takes away namespaces and links, also those that an earlier run left.
fn tear_down() {
    for (name, _) in MACHINES {
        let quiet = |args: &[&str]| {
            let _ = Command::new("ip").args(args).stderr(Stdio::null()).status();
        };
        quiet(&["netns", "del", &format!("{PREFIX}-{name}")]);
        quiet(&["link", "del", &link(name)]);
    }
    let _ = Command::new("ip").args(["link", "del", PREFIX]).stderr(Stdio::null()).status();
}

/// A link's name is at most 15 characters long.
fn link(name: &str) -> String {
    format!("{PREFIX}{}", MACHINES.iter().position(|(known, _)| *known == name).unwrap_or_default())
}

fn ip(args: &[&str]) -> Result<()> {
    ok(crate::run::program("ip", "", args))
}

impl World {
    fn build() -> Result<Self> {
        tear_down();
        let dir = root().join("target/machines");
        if dir.exists() {
            std::fs::remove_dir_all(&dir).with_context(|| format!("cannot empty {}", dir.display()))?;
        }
        let mut world = Self { dir, made: Vec::new(), running: Vec::new() };
        for own in OWN {
            if !Path::new(own).exists() {
                std::fs::create_dir_all(own).with_context(|| format!("cannot make {own}"))?;
                world.made.push(own.into());
            }
        }
        ip(&["link", "add", PREFIX, "type", "bridge"])?;
        ip(&["link", "set", PREFIX, "up"])?;
        let mut hosts = "127.0.0.1 localhost\n".to_owned();
        for (place, (name, _)) in MACHINES.iter().enumerate() {
            let (ns, inner, outer) = (format!("{PREFIX}-{name}"), "eth0", link(name));
            let address = format!("10.213.7.{}", place + 2);
            ip(&["netns", "add", &ns])?;
            ip(&["link", "add", &outer, "type", "veth", "peer", "name", inner, "netns", &ns])?;
            ip(&["link", "set", &outer, "master", PREFIX, "up"])?;
            ip(&["-n", &ns, "addr", "add", &format!("{address}/24"), "dev", inner])?;
            ip(&["-n", &ns, "link", "set", inner, "up"])?;
            ip(&["-n", &ns, "link", "set", "lo", "up"])?;
            hosts += &format!("{address} {name}.example\n");
            for own in ["etc", "var", "home"] {
                std::fs::create_dir_all(world.machine(name).join(own))?;
            }
        }
        std::fs::write(world.dir.join("hosts"), hosts)?;
        world.certify()?;
        let anvil = setup::foundry("anvil")?;
        let anvil = format!("{} --block-time 1 --slots-in-an-epoch 1 --silent", anvil.display());
        world.run_in("node", &anvil)?;
        for (name, port) in MACHINES {
            if let Some(port) = port {
                let proxy = root().join("xtask/machines/tls.py");
                let (cert, key) = (world.dir.join("cert.pem"), world.dir.join("key.pem"));
                let command = format!("python3 {} {port} {} {}", proxy.display(), cert.display(), key.display());
                world.run_in(name, &command)?;
            }
        }
        Ok(world)
    }

    fn machine(&self, name: &str) -> PathBuf {
        self.dir.join(name)
    }

    /// A private authority and one certificate for every name.
    fn certify(&self) -> Result<()> {
        let names: Vec<String> = MACHINES.iter().map(|(name, _)| format!("DNS:{name}.example")).collect();
        std::fs::write(self.dir.join("ext"), format!("subjectAltName={}\n", names.join(",")))?;
        let openssl = |line: &str| {
            let mut command = Command::new("openssl");
            command.args(line.split(' ')).current_dir(&self.dir).stderr(Stdio::null());
            ok(command)
        };
        let curve = "-newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes";
        openssl(&format!("req -x509 {curve} -keyout ca.key -out ca.pem -days 2 -subj /CN=walk"))?;
        openssl(&format!("req {curve} -keyout key.pem -out csr.pem -subj /CN=walk-machines"))?;
        openssl("x509 -req -in csr.pem -CA ca.pem -CAkey ca.key -CAcreateserial -out cert.pem -days 2 -extfile ext")
    }

    /// A command line as it is run on a machine: in its network, with its own folders, and the names of the others.
    fn on(&self, machine: &str, line: &str) -> Result<Command> {
        ensure!(
            MACHINES.iter().any(|(name, _)| *name == machine),
            "{PAGE} names the machine `{machine}`, which there is not"
        );
        let own = self.machine(machine);
        let script = format!(
            "mount --bind {hosts} /etc/hosts && mount --bind {own}/etc {etc} && mount --bind {own}/var {var} && cd {own}/home && {line}",
            hosts = self.dir.join("hosts").display(),
            own = own.display(),
            etc = OWN[0],
            var = OWN[1],
        );
        let mut command = Command::new("ip");
        command.args(["netns", "exec", &format!("{PREFIX}-{machine}"), "unshare", "--mount", "sh", "-c", &script]);
        let path = format!("{}:{}", root().join("target/debug").display(), std::env::var("PATH").unwrap_or_default());
        command.env("PATH", path);
        for name in ["SSL_CERT_FILE", "CURL_CA_BUNDLE"] {
            command.env(name, self.dir.join("ca.pem"));
        }
        command.env_remove("ROCHDALE_STATE").env_remove("ROCHDALE_URL").stdin(Stdio::null());
        Ok(command)
    }

    /// Starts what runs on.
    fn run_in(&mut self, machine: &str, line: &str) -> Result<()> {
        let log = std::fs::File::options().create(true).append(true).open(self.machine(machine).join("log"))?;
        let mut command = self.on(machine, &format!("exec {line}"))?;
        let child = command.stdout(log.try_clone()?).stderr(log).spawn();
        self.running.push(child.with_context(|| format!("cannot start `{line}` on {machine}"))?);
        Ok(())
    }

    /// Types one command of the page; files that members and the founder send each other travel afterwards.
    fn typed(&self, one: &Typed) -> Result<String> {
        let said = self.say(&one.machine, &one.command)?;
        for (from, to) in [("ada", "founder"), ("founder", "ada")] {
            for entry in std::fs::read_dir(self.machine(from).join("home"))? {
                let path = entry?.path();
                let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
                if name.ends_with(".application.json") || name.ends_with(".admission.json") {
                    std::fs::copy(&path, self.machine(to).join("home").join(name))?;
                }
            }
        }
        Ok(said)
    }

    fn say(&self, machine: &str, line: &str) -> Result<String> {
        println!("{machine}$ {line}");
        let ended = self.on(machine, line)?.output()?;
        let said = String::from_utf8_lossy(&ended.stdout).into_owned();
        if !ended.status.success() {
            bail!("`{line}` failed on {machine}: {}\n{said}{}", ended.status, String::from_utf8_lossy(&ended.stderr));
        }
        Ok(said)
    }

    /// What a key file's owner tells the founder.
    fn public(&self, machine: &str) -> Result<(String, String)> {
        let said = std::fs::read_to_string(self.machine(machine).join("home/public.json"));
        let said = said.with_context(|| format!("{PAGE} does not write what the keys of {machine} are"))?;
        let keys: serde_json::Value = serde_json::from_str(&said)?;
        let word = |name: &str| keys[name].as_str().map(str::to_owned).with_context(|| format!("no {name} in {said}"));
        Ok((word("address")?, word("sealing_key")?))
    }

    fn account(&self, machine: &str, file: &str) -> Result<String> {
        let said = self.say(machine, &format!("rochdale key show --json {file}"))?;
        let keys: serde_json::Value = serde_json::from_str(&said)?;
        keys["account"].as_str().map(str::to_owned).with_context(|| format!("no account in {said}"))
    }

    /// The founder's configuration from what the others printed: the sample's rules, and these actors.
    fn write_config(&self) -> Result<()> {
        let seat = |machine: &str| -> Result<String> {
            let (signer, sealing_key) = self.public(machine)?;
            Ok(format!("signer = \"{signer}\"\nsealing_key = \"{sealing_key}\"\n"))
        };
        let office = |name: &str| self.account("founder", &format!("{name}.key"));
        let mut text = std::fs::read_to_string(root().join("docs/samples/learning.toml"))?;
        text += &format!(
            "\n[actors]\nregistrar = \"{}\"\ngateway = \"{}\"\nethics_board = \"{}\"\nguardian = \"{}\"\nquorum = 2\n",
            office("registrar")?,
            self.account("gateway", "/etc/rochdale/relayer.key")?,
            office("ethics")?,
            office("guardian")?
        );
        for machine in ["steward-1", "steward-2", "steward-3"] {
            text += &format!("\n[[actors.stewards]]\n{}", seat(machine)?);
        }
        text += &format!("\n[[actors.workers]]\n{}", seat("worker")?);
        std::fs::write(self.machine("founder").join("home/ours.toml"), text)?;
        // On a chain of one's own ether is given, elsewhere it is bought.
        for account in [office("founder")?, self.account("gateway", "/etc/rochdale/relayer.key")?] {
            let call = format!(
                r#"{{"jsonrpc":"2.0","id":1,"method":"anvil_setBalance","params":["{account}","0xde0b6b3a7640000000"]}}"#
            );
            self.say("founder", &format!("curl -sf --retry 3 --retry-all-errors -H content-type:application/json -d '{call}' https://node.example"))?;
        }
        // The first steward hands this one over by a way that nobody reads along.
        let committee = |machine: &str| self.machine(machine).join("etc/committee.key");
        for other in ["steward-2", "steward-3"] {
            std::fs::copy(committee("steward-1"), committee(other))?;
        }
        Ok(())
    }

    /// Everybody has the manifest, a configuration of the page's form, and their process runs.
    fn start(&mut self, page: &str) -> Result<()> {
        let manifest = self.machine("founder").join("home/ours/manifest.json");
        for (name, _) in MACHINES {
            std::fs::copy(&manifest, self.machine(name).join("etc/manifest.json"))
                .context("no manifest was written")?;
        }
        let (worker, _) = self.public("worker")?;
        // A chain of one's own, whose blocks are final at once.
        let local = |text: &str| text.replace("42161", "31337").replace("depth = 3", "depth = 0");
        let steward = local(block(page, "toml")?);
        let (head, _) = steward.split_once("[[peers]]").context("the steward's configuration names no peers")?;
        let seats = |table: &str, but: u8| -> String {
            let others = (1..=3).filter(|n| *n != but);
            others.map(|n| format!("[[{table}]]\nsteward = {n}\nurl = \"https://steward-{n}.example\"\n")).collect()
        };
        let (_, rest) =
            page.split_once("the gateway needs:").context("the page does not say what the gateway needs")?;
        let gateway = block(rest, "toml")?;
        let of = |port: u16, keys: &str| {
            format!(
                "listen = \"127.0.0.1:{port}\"\nrpc_url = \"https://node.example\"\nchain_id = 31337\n\
                 manifest = \"/etc/rochdale/manifest.json\"\ndata_dir = \"/var/lib/rochdale\"\n{keys}\n"
            )
        };
        let mut configs: Vec<(String, String, String)> = (1..=3)
            .map(|n| (format!("steward-{n}"), "steward".to_owned(), format!("{head}{}", seats("peers", n))))
            .collect();
        let keys = "key_file = \"/etc/rochdale/signing.key\"\nsealing_key_file = \"/etc/rochdale/sealing.key\"\ngateway_url = \"https://gateway.example\"";
        configs.push(("worker".into(), "worker".into(), of(8421, keys) + &seats("stewards", 0)));
        let named =
            format!("{}[worker]\naddress = \"{worker}\"\nurl = \"https://worker.example\"\n\n", seats("stewards", 0));
        let relayer = "\n[relayer]\nkey_file = \"/etc/rochdale/relayer.key\"\n\n";
        configs.push(("gateway".into(), "gateway".into(), format!("{}{named}{gateway}", of(8400, relayer))));
        let unit = block(page, "ini")?;
        let exec = unit.lines().find_map(|line| line.strip_prefix("ExecStart=/usr/local/bin/"));
        let exec = exec.context("the unit starts nothing of /usr/local/bin")?.to_owned();
        for (machine, kind, text) in &configs {
            std::fs::write(self.machine(machine).join(format!("etc/{kind}.toml")), text)?;
            self.run_in(machine, &exec.replace("steward", kind))?;
        }
        for (machine, ..) in &configs {
            self.healthy(machine)?;
        }
        Ok(())
    }

    fn healthy(&self, machine: &str) -> Result<()> {
        let start = Instant::now();
        let line = format!("curl -s https://{machine}.example/v1/health");
        loop {
            let ended = self.on("founder", &line)?.output()?;
            let said = String::from_utf8_lossy(&ended.stdout).into_owned();
            if said.contains("\"ok\":true") {
                println!("founder$ {line}\n{said}");
                return Ok(());
            }
            if start.elapsed() > PATIENCE {
                let log = std::fs::read_to_string(self.machine(machine).join("log")).unwrap_or_default();
                bail!("{machine} is not healthy after {} s: {said}\n{log}", PATIENCE.as_secs());
            }
            std::thread::sleep(Duration::from_millis(500));
        }
    }

    /// One steward's network is gone: two of three are enough for somebody to join.
    fn one_is_cut_off(&self) -> Result<()> {
        ip(&["link", "set", &link("steward-2"), "down"])?;
        let typed = |machine: &str, command: &str| {
            self.typed(&Typed { machine: machine.to_owned(), command: command.to_owned() })
        };
        typed("ada", "rochdale member apply --name bo --out bo.application.json --url https://gateway.example")?;
        let admitted = "rochdale registrar admit bo.application.json --out bo.admission.json --key registrar.key --url https://gateway.example";
        let said = typed("founder", admitted)?;
        ensure!(said.contains("2 stewards hold the row key"), "with one of three cut off: {said}");
        let said =
            typed("ada", "rochdale member join --name bo --admission bo.admission.json --url https://gateway.example")?;
        ensure!(said.contains("bo is member 2"), "{said}");
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_typed_stands_in_console_blocks_behind_the_machine() {
        let page = "# T\n## 1. A\n```console\nsteward-1$ one --x   # why\nshown\n```\n```toml\na$ b\n```\n## 2. B\n```console\nada$ two\n```\n";
        let found = sections(page);
        let typed = |machine: &str, command: &str| Typed { machine: machine.to_owned(), command: command.to_owned() };
        assert_eq!(found[1], ("1. A".to_owned(), vec![typed("steward-1", "one --x")]));
        assert_eq!(found[2].1, [typed("ada", "two")]);
        assert_eq!(block(page, "toml").unwrap(), "a$ b\n");
    }

    #[test]
    fn names_of_links_fit_and_differ() {
        let names: std::collections::BTreeSet<String> = MACHINES.iter().map(|(name, _)| link(name)).collect();
        assert!(names.len() == MACHINES.len() && names.iter().all(|name| name.len() <= 15), "{names:?}");
    }
}
