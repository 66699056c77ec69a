//! Runs schemathesis against the processes of a cooperative: what their OpenAPI documents promise, held against what they do.
//!
//! Each kind of process is asked twice: as a stranger asks it, and through a proxy that signs every request as somebody whom
//! the chain lets call it, so that what is behind the signature is reached too.

use std::io::{BufRead as _, BufReader};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use alloy::primitives::{Address, U256, hex};
use alloy::signers::SignerSync as _;
use alloy::signers::local::PrivateKeySigner;
use alloy::sol_types::Eip712Domain;
use anyhow::{Context as _, Result, bail, ensure};
use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::{Request, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use axum::routing::get;
use clap::Parser;
use rochdale_api::auth::{self, Described};
use rochdale_api::route::{HEALTH, OPENAPI};
use rochdale_api::status::Health;
use rochdale_chain::deploy::Manifest;
use rochdale_testkit::program::{self, Running};
use serde_json::{Value, json};

/// Seconds that a signed request stays valid.
const LIFETIME: u64 = 600;
/// Most bytes of a request or an answer that the proxy carries.
const CARRIED: usize = 64 << 20;

#[derive(Parser)]
#[command(about = "Hold the OpenAPI documents against the processes, by schemathesis")]
struct Args {
    /// The schemathesis program
    #[arg(long)]
    tool: PathBuf,
    /// Its hooks and configuration
    #[arg(long)]
    hooks: PathBuf,
    /// Requests that are tried for each operation in each phase
    #[arg(long, default_value_t = 10)]
    examples: u32,
    /// What the requests are drawn from
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// The gateway's port
    #[arg(long, default_value_t = 18_800)]
    port: u16,
    /// An empty directory for everything
    #[arg(long, default_value = "target/contract")]
    state: PathBuf,
}

/// A process that is asked, and whose key the proxy signs by.
struct Asked {
    name: &'static str,
    port: u16,
    key: &'static str,
}

#[tokio::main]
async fn main() -> Result<()> {
    let args = Args::parse();
    let args = Args { tool: std::path::absolute(&args.tool)?, hooks: std::path::absolute(&args.hooks)?, ..args };
    let (bin, state) = (program::folder()?, program::empty(&args.state)?);
    let _coop = start(&bin, &state, args.port)?;
    let asked = [
        Asked { name: "gateway", port: args.port, key: "worker/signing.key" },
        Asked { name: "steward-1", port: args.port + 11, key: "steward-2/signing.key" },
        Asked { name: "worker", port: args.port + 21, key: "gateway/relayer.key" },
        Asked { name: "registrar", port: args.port + 31, key: "gateway/relayer.key" },
    ];
    let mut failed = Vec::new();
    for asked in &asked {
        let target = format!("http://127.0.0.1:{}", asked.port);
        if !examine(&args, &state, asked.name, &target)? {
            failed.push(asked.name.to_owned());
        }
        let proxy = serve(Signing::new(&state, asked).await?).await?;
        let name = format!("{}-signed", asked.name);
        if !examine(&args, &state, &name, &proxy)? {
            failed.push(name);
        }
    }
    if !failed.is_empty() {
        bail!("schemathesis found failures: {}; see the logs in {}", failed.join(", "), state.display());
    }
    println!("{} documents hold, asked by strangers and by callers that the chain knows", asked.len());
    Ok(())
}

/// Starts a cooperative in which one member has joined.
fn start(bin: &Path, state: &Path, port: u16) -> Result<Running> {
    let said = std::fs::File::create(state.join("up.log"))?;
    let coop = state.join("coop");
    let rochdale = |args: &[&str]| {
        let mut command = Command::new(bin.join("rochdale"));
        command.args(args).args(["--json", "--state"]).arg(&coop).stdin(Stdio::null());
        command
    };
    let mut up = rochdale(&["up", "--port", &port.to_string()]);
    let mut child = Running(up.stdout(Stdio::piped()).stderr(said).spawn()?);
    let out = child.0.stdout.take().context("no output")?;
    let ready = BufReader::new(out).lines().map_while(Result::ok).any(|line| line == "}");
    ensure!(ready, "`rochdale up` ended before it ran; see {}", state.join("up.log").display());
    let url = format!("http://127.0.0.1:{port}");
    for step in [&["member", "join"][..], &["member", "consent", "--yes"]] {
        let output = rochdale(step).args(["--name", "ada", "--url", &url]).output()?;
        ensure!(output.status.success(), "{}: {}", step.join(" "), String::from_utf8_lossy(&output.stderr));
    }
    Ok(child)
}

/// Whether schemathesis has nothing to say.
fn examine(args: &Args, state: &Path, name: &str, url: &str) -> Result<bool> {
    let start = std::time::Instant::now();
    let log = state.join(format!("{name}.log"));
    let out = std::fs::File::create(&log)?;
    let mut command = Command::new(&args.tool);
    command.args(["--config-file"]).arg(args.hooks.join("schemathesis.toml"));
    command.args(["--no-color", "run", &format!("{url}{}", OPENAPI.path), "--checks", "all", "--workers", "1"]);
    command.args(["--phases", "examples,coverage,fuzzing", "--generation-database", "none"]);
    command.args(["--max-examples", &args.examples.to_string(), "--seed", &args.seed.to_string()]);
    // What a signature covers cannot be drawn at random: that well-formed data is taken is for the other tests.
    command.args(["--exclude-checks", "positive_data_acceptance"]);
    command.env("SCHEMATHESIS_HOOKS", "schemathesis_hooks").env("PYTHONPATH", &args.hooks).current_dir(state);
    let status = command.stdin(Stdio::null()).stdout(out.try_clone()?).stderr(out).status();
    let holds = status.with_context(|| format!("cannot start {}", args.tool.display()))?.success();
    let text = std::fs::read_to_string(&log)?;
    if !holds {
        eprintln!("{text}");
    }
    let figures = text.lines().rev().find(|line| line.contains(" generated, ")).unwrap_or("nothing was tried").trim();
    // A run that could not try anything is no success.
    let tried = figures.contains(" generated, ");
    println!("{name:<18} {figures} in {:.1} s", start.elapsed().as_secs_f64());
    Ok(holds && tried)
}

/// Signs requests to one process.
struct Signing {
    target: String,
    audience: Address,
    key: PrivateKeySigner,
    domain: Eip712Domain,
    now: u64,
    nonce: AtomicU64,
    http: reqwest::Client,
}

impl Signing {
    async fn new(state: &Path, asked: &Asked) -> Result<Self> {
        let coop = state.join("coop");
        let manifest = Manifest::load(&coop.join("manifest.json"))?;
        let text = std::fs::read_to_string(coop.join(asked.key))?;
        let key = text.split_whitespace().next_back().context("an empty key file")?.parse()?;
        let http = reqwest::Client::new();
        let target = format!("http://127.0.0.1:{}", asked.port);
        let health: Health = http.get(format!("{target}{}", HEALTH.path)).send().await?.json().await?;
        Ok(Self {
            audience: health.address,
            domain: auth::domain(manifest.chain_id, manifest.addresses.steward_committee),
            now: health.now,
            nonce: AtomicU64::new(health.now << 20),
            target,
            key,
            http,
        })
    }

    /// The target's document for whoever need not sign, because the proxy does.
    async fn document(&self) -> Result<Value> {
        let mut document: Value =
            self.http.get(format!("{}{}", self.target, OPENAPI.path)).send().await?.json().await?;
        document["components"]["securitySchemes"] = json!({});
        for item in document["paths"].as_object_mut().into_iter().flat_map(|paths| paths.values_mut()) {
            for operation in item.as_object_mut().into_iter().flat_map(|item| item.values_mut()) {
                operation["security"] = json!([]);
            }
        }
        Ok(document)
    }

    async fn carry(&self, request: Request) -> Result<Response> {
        let (parts, body) = request.into_parts();
        let body = to_bytes(body, CARRIED).await?;
        let path = parts.uri.path_and_query().map_or("/", |path| path.as_str());
        let url = reqwest::Url::parse(&format!("{}{path}", self.target))?;
        let path = match url.query() {
            Some(query) => format!("{}?{query}", url.path()),
            None => url.path().to_owned(),
        };
        let (nonce, deadline) = (U256::from(self.nonce.fetch_add(1, Ordering::Relaxed)), self.now + LIFETIME);
        let method = parts.method.as_str();
        let described = Described { audience: self.audience, method, path: &path, body: &body, nonce, deadline };
        let signature = self.key.sign_hash_sync(&described.digest(&self.domain))?;
        let mut headers = parts.headers;
        for name in ["host", "content-length", "transfer-encoding", "connection"] {
            headers.remove(name);
        }
        let signed = [
            (auth::SIGNER, self.key.address().to_string()),
            (auth::NONCE, format!("{nonce:#x}")),
            (auth::DEADLINE, deadline.to_string()),
            (auth::SIGNATURE, hex::encode_prefixed(signature.as_bytes())),
        ];
        for (name, value) in signed {
            headers.insert(name, value.parse()?);
        }
        let answer = self.http.request(parts.method, url).headers(headers).body(body).send().await?;
        let mut response = Response::new(Body::empty());
        *response.status_mut() = answer.status();
        for (name, value) in answer.headers() {
            if name != "transfer-encoding" && name != "connection" {
                response.headers_mut().append(name, value.clone());
            }
        }
        *response.body_mut() = Body::from(answer.bytes().await?);
        Ok(response)
    }
}

async fn serve(signing: Signing) -> Result<String> {
    let listener = tokio::net::TcpListener::bind(SocketAddr::from(([127, 0, 0, 1], 0))).await?;
    let url = format!("http://{}", listener.local_addr()?);
    let document = signing.document().await?.to_string();
    let router = Router::new()
        .route(OPENAPI.path, get(async move || ([(header::CONTENT_TYPE, "application/json")], document)))
        .fallback(pass)
        .with_state(Arc::new(signing));
    tokio::spawn(rochdale_api::server::serve_on(
        listener,
        router,
        rochdale_api::server::Bounds::default(),
        std::future::pending(),
    ));
    Ok(url)
}

async fn pass(State(signing): State<Arc<Signing>>, request: Request) -> Response {
    // 599 is no status of ours: schemathesis reports it as the failure of the proxy that it is.
    let broken = StatusCode::from_u16(599).unwrap_or(StatusCode::BAD_GATEWAY);
    signing.carry(request).await.unwrap_or_else(|error| (broken, format!("proxy: {error:#}")).into_response())
}
