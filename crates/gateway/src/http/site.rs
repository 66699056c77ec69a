//! The web app: the files of its folder, read once when the gateway starts, so that no path of a request reaches the disk. They are not
//! behind the API's layers: who only looks at a page asks neither chain nor database.

use std::collections::{BTreeSet, HashMap};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use axum::body::{Body, Bytes};
use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, Uri, header};
use axum::middleware::Next;
use axum::response::Response;
use rochdale_api::route::gateway::{COOPERATIVE, OPENAPI, PAGE};
use serde::Deserialize;
use sha2::{Digest as _, Sha256};

/// What answers every address of the app: which page it is, the app decides.
const INDEX: &str = "/index.html";
/// The headers of its answers, as the app's build writes them; no file of the site.
const HEADERS: &str = "headers.json";
/// Files below it carry the hash of their content in their names.
const ASSETS: &str = "/assets/";
/// Most bytes of all files: they are held in memory.
const MOST: u64 = 64 << 20;

/// Why there is no web app.
#[derive(Debug, thiserror::Error)]
pub enum SiteError {
    /// A file or folder.
    #[error("{path} cannot be read: {source}; `cargo xtask web` builds the web app")]
    Unreadable {
        /// Which.
        path: PathBuf,
        /// What the layer below said.
        source: std::io::Error,
    },
    /// No app is in it.
    #[error("{0} holds no index.html: name the folder that `cargo xtask web` writes")]
    NoApp(PathBuf),
    /// What it says of headers.
    #[error("{path} is not understood: {why}")]
    Headers {
        /// Which file.
        path: PathBuf,
        /// What is wrong in it.
        why: String,
    },
    /// It is none that an app has.
    #[error("{0} is no file of a web app: a link, a device, or in the way of the API")]
    Foreign(PathBuf),
    /// It does not fit.
    #[error("{0} holds more than {most} MiB, which is no web app", most = MOST >> 20)]
    TooLarge(PathBuf),
}

/// What the app's policy says of whom it may ask.
const ASKS: &str = "connect-src 'self'";

/// Headers by the kind of answer, as `headers.json` has them.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Said {
    #[serde(deserialize_with = "in_lower_case")]
    all: HashMap<String, String>,
    page: HashMap<String, String>,
    asset: HashMap<String, String>,
}

impl Said {
    /// Lets the app ask these addresses beside its own.
    fn also_asks(&mut self, others: &[String]) -> Result<(), String> {
        let Some(policy) = self.all.get_mut(header::CONTENT_SECURITY_POLICY.as_str()) else { return Ok(()) };
        if !policy.contains(ASKS) {
            return Err(format!("its policy does not say `{ASKS}`, to which the stewards' addresses are added"));
        }
        *policy = policy.replacen(ASKS, &[&[ASKS.to_owned()], others].concat().join(" "), 1);
        Ok(())
    }
}

/// Of each address that is one of the web, what a policy names it by.
fn origins<'a>(addresses: impl IntoIterator<Item = &'a str>) -> Vec<String> {
    let origin = |address: &str| {
        let address: Uri = address.parse().ok()?;
        let (scheme, host) = (address.scheme_str()?, address.host()?);
        let port = address.port().map(|port| format!(":{port}")).unwrap_or_default();
        matches!(scheme, "http" | "https").then(|| format!("{scheme}://{host}{port}"))
    };
    let origins: BTreeSet<String> = addresses.into_iter().filter_map(origin).collect();
    origins.into_iter().collect()
}

/// Header names are the same in every case.
fn in_lower_case<'de, D: serde::Deserializer<'de>>(from: D) -> Result<HashMap<String, String>, D::Error> {
    let said = HashMap::<String, String>::deserialize(from)?;
    Ok(said.into_iter().map(|(name, value)| (name.to_ascii_lowercase(), value)).collect())
}

struct File {
    bytes: Bytes,
    /// The same packed, where the build did.
    packed: Option<Bytes>,
    headers: HeaderMap,
}

/// A web app that is held in memory.
pub struct Site(HashMap<String, File>);

impl std::fmt::Debug for Site {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Site of {} files", self.0.len())
    }
}

impl Site {
    /// Reads the folder. The app may ask the processes at these addresses, too: a member withdraws at a steward where this gateway does
    /// not answer.
    ///
    /// # Errors
    /// [`SiteError`], which says what to mend.
    pub fn read<'a>(folder: &Path, others: impl IntoIterator<Item = &'a str>) -> Result<Self, SiteError> {
        let mut found = HashMap::new();
        let mut room = MOST;
        below(folder, "", &mut found, &mut room)?;
        let path = folder.join(HEADERS);
        let why = |why: String| SiteError::Headers { path: path.clone(), why };
        let said = found.remove(&format!("/{HEADERS}")).ok_or_else(|| why("it is not there".to_owned()))?;
        let mut said: Said = serde_json::from_slice(&said).map_err(|error| why(error.to_string()))?;
        said.also_asks(&origins(others)).map_err(why)?;
        let (page, asset) =
            (headers(&[&said.all, &said.page]).map_err(why)?, headers(&[&said.all, &said.asset]).map_err(why)?);
        let packed = |name: &str| found.get(&format!("{name}.gz")).cloned();
        let files = found.iter().filter(|(name, _)| !is_packed(&found, name)).map(|(name, bytes)| {
            let mut headers = if name.starts_with(ASSETS) { asset.clone() } else { page.clone() };
            headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(kind(name)));
            headers.insert(header::ETAG, tag(bytes));
            headers.insert(header::VARY, HeaderValue::from_static("accept-encoding"));
            (name.clone(), File { bytes: bytes.clone(), packed: packed(name), headers })
        });
        let files: HashMap<String, File> = files.collect();
        if files.contains_key(INDEX) { Ok(Self(files)) } else { Err(SiteError::NoApp(folder.to_owned())) }
    }

    /// The file that a path names, or the app where the path is one of its addresses.
    fn file(&self, path: &str) -> Option<&File> {
        let last = path.rsplit('/').next().unwrap_or_default();
        let is_address = path == PAGE.path || !is_apis(path) && !last.contains('.');
        self.0.get(path).or_else(|| self.0.get(INDEX).filter(|_| is_address))
    }
}

/// Whether the API answers a path, rather than the app.
fn is_apis(path: &str) -> bool {
    first(path) == first(COOPERATIVE.path) || path == OPENAPI.path
}

/// The first word of a path: every path of the API has the same.
fn first(path: &str) -> Option<&str> {
    path.split('/').nth(1)
}

impl File {
    fn answer(&self, asked: &HeaderMap, body: bool) -> Response {
        let says = |name, what: &str| {
            let values = asked.get_all(name).iter().filter_map(|value| value.to_str().ok());
            let mut ones = values.flat_map(|value| value.split(',')).map(str::trim);
            ones.any(|one| {
                one == what || one.strip_prefix(what).is_some_and(|weight| weight.starts_with(';') && !is_none(weight))
            })
        };
        let mut response = Response::new(Body::empty());
        response.headers_mut().clone_from(&self.headers);
        let known = self.headers[header::ETAG].to_str().is_ok_and(|tag| says(header::IF_NONE_MATCH, tag));
        if known {
            *response.status_mut() = StatusCode::NOT_MODIFIED;
            return response;
        }
        let packed = self.packed.as_ref().filter(|_| says(header::ACCEPT_ENCODING, "gzip"));
        if packed.is_some() {
            response.headers_mut().insert(header::CONTENT_ENCODING, HeaderValue::from_static("gzip"));
        }
        let bytes = packed.unwrap_or(&self.bytes).clone();
        response.headers_mut().insert(header::CONTENT_LENGTH, bytes.len().into());
        if body {
            *response.body_mut() = Body::from(bytes);
        }
        response
    }
}

/// Whether the weight of an encoding says that it is not taken: `;q=0`, `;q=0.0`, …
fn is_none(weight: &str) -> bool {
    let value = weight.trim_start_matches([';', ' ']).strip_prefix("q=").map(str::trim);
    value.and_then(|value| value.parse::<f32>().ok()).is_some_and(|value| value == 0.0)
}

/// Layer around the API: what is the app's is answered here, everything else goes on.
pub async fn served(State(site): State<Arc<Site>>, request: Request, next: Next) -> Response {
    let reads = matches!(*request.method(), Method::GET | Method::HEAD);
    match site.file(request.uri().path()).filter(|_| reads) {
        Some(file) => file.answer(request.headers(), request.method() == Method::GET),
        None => next.run(request).await,
    }
}

fn below(folder: &Path, name: &str, into: &mut HashMap<String, Bytes>, room: &mut u64) -> Result<(), SiteError> {
    let unreadable = |path: &Path, source| SiteError::Unreadable { path: path.to_owned(), source };
    let entries = std::fs::read_dir(folder).map_err(|source| unreadable(folder, source))?;
    for entry in entries {
        let path = entry.map_err(|source| unreadable(folder, source))?.path();
        let file = path.file_name().unwrap_or_default().to_string_lossy();
        if file.starts_with('.') {
            continue;
        }
        let name = format!("{name}/{file}");
        let found = std::fs::symlink_metadata(&path).map_err(|source| unreadable(&path, source))?;
        if is_apis(&name) || !(found.is_dir() || found.is_file()) {
            return Err(SiteError::Foreign(path));
        }
        if found.is_dir() {
            below(&path, &name, into, room)?;
            continue;
        }
        *room = room.checked_sub(found.len()).ok_or_else(|| SiteError::TooLarge(folder.to_owned()))?;
        into.insert(name, std::fs::read(&path).map_err(|source| unreadable(&path, source))?.into());
    }
    Ok(())
}

/// Whether it is only how another file is sent.
fn is_packed(all: &HashMap<String, Bytes>, name: &str) -> bool {
    name.strip_suffix(".gz").is_some_and(|plain| all.contains_key(plain))
}

fn headers(parts: &[&HashMap<String, String>]) -> Result<HeaderMap, String> {
    let all = parts.iter().flat_map(|part| part.iter());
    all.map(|(name, value)| {
        let read = || Some((name.parse::<HeaderName>().ok()?, value.parse::<HeaderValue>().ok()?));
        read().ok_or_else(|| format!("`{name}: {value}` is no header"))
    })
    .collect()
}

fn tag(bytes: &[u8]) -> HeaderValue {
    let hash = Sha256::digest(bytes);
    let text: String = hash.iter().take(16).map(|byte| format!("{byte:02x}")).collect();
    // Weak: the same file is sent packed and plain.
    HeaderValue::from_str(&format!("W/\"{text}\"")).unwrap_or(HeaderValue::from_static("W/\"\""))
}

fn kind(name: &str) -> &'static str {
    match name.rsplit_once('.').map(|(_, ending)| ending) {
        Some("html") => "text/html; charset=utf-8",
        Some("js" | "mjs") => "text/javascript; charset=utf-8",
        Some("css") => "text/css; charset=utf-8",
        Some("json" | "map") => "application/json",
        Some("webmanifest") => "application/manifest+json",
        Some("wasm") => "application/wasm",
        Some("svg") => "image/svg+xml",
        Some("png") => "image/png",
        Some("ico") => "image/x-icon",
        Some("woff2") => "font/woff2",
        Some("txt") => "text/plain; charset=utf-8",
        _ => "application/octet-stream",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn app(files: &[(&str, &str)]) -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        for (name, text) in files {
            let path = folder.path().join(name);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        }
        folder
    }

    const SAID: (&str, &str) = (
        "headers.json",
        r#"{"all": {"X-Frame-Options": "DENY"}, "page": {"Cache-Control": "no-cache"}, "asset": {"Cache-Control": "immutable"}}"#,
    );

    #[test]
    fn the_app_may_ask_itself_and_the_stewards_and_nobody_else() {
        let policy =
            |says: &str| format!(r#"{{"all": {{"Content-Security-Policy": "{says}"}}, "page": {{}}, "asset": {{}}}}"#);
        let read = |says: &str, others: &[&str]| {
            let folder = app(&[("headers.json", &policy(says)), ("index.html", "app")]);
            Site::read(folder.path(), others.iter().copied())
        };
        let others =
            ["https://one.example/steward", "http://127.0.0.1:8411", "https://one.example/", "javascript:0", "*"];
        let site = read("default-src 'none'; connect-src 'self'; base-uri 'none'", &others).unwrap();
        assert_eq!(
            site.file("/").unwrap().headers[header::CONTENT_SECURITY_POLICY],
            "default-src 'none'; connect-src 'self' http://127.0.0.1:8411 https://one.example; base-uri 'none'"
        );
        let error = read("default-src 'none'", &others).unwrap_err().to_string();
        assert!(error.contains("its policy does not say `connect-src 'self'`"), "{error}");
    }

    fn asked(pairs: &[(HeaderName, &str)]) -> HeaderMap {
        pairs.iter().map(|(name, value)| (name.clone(), value.parse().unwrap())).collect()
    }

    #[test]
    fn an_address_of_the_app_is_the_app_and_a_path_of_the_api_or_a_file_that_is_not_there_is_not() {
        let folder = app(&[SAID, ("index.html", "app"), ("assets/a.js", "js"), ("assets/a.js.gz", "packed")]);
        let site = Site::read(folder.path(), []).unwrap();
        let text = |path: &str| site.file(path).map(|file| file.bytes.clone());
        for path in ["/", "/operator", "/member/check", "/index.html"] {
            assert_eq!(text(path).as_deref(), Some(&b"app"[..]), "{path}");
        }
        assert_eq!(text("/assets/a.js").as_deref(), Some(&b"js"[..]));
        for path in
            ["/v1/cooperative", "/v1/members/1", "/openapi.json", "/assets/b.js", "/headers.json", "/assets/a.js.gz"]
        {
            assert_eq!(text(path), None, "{path}");
        }
        for path in ["/../secret.txt", "/%2e%2e/secret.txt", "//etc/passwd.txt"] {
            assert_eq!(text(path), None, "{path}");
        }
    }

    #[test]
    fn it_is_packed_for_whoever_takes_that_and_sent_once() {
        let folder = app(&[SAID, ("index.html", "app"), ("assets/a.js", "js"), ("assets/a.js.gz", "packed")]);
        let site = Site::read(folder.path(), []).unwrap();
        let (page, asset) = (site.file("/").unwrap(), site.file("/assets/a.js").unwrap());
        let answer = asset.answer(&asked(&[(header::ACCEPT_ENCODING, "br, gzip;q=0.8")]), true);
        assert_eq!(answer.headers()[header::CONTENT_ENCODING], "gzip");
        assert_eq!(
            (&answer.headers()[header::CONTENT_LENGTH], &answer.headers()[header::CACHE_CONTROL]),
            (&"6".parse().unwrap(), &"immutable".parse().unwrap())
        );
        assert_eq!(answer.headers()[header::X_FRAME_OPTIONS], "DENY");
        let refused = asset.answer(&asked(&[(header::ACCEPT_ENCODING, "gzip;q=0, br")]), true);
        assert!(refused.headers().get(header::CONTENT_ENCODING).is_none());
        let plain = asset.answer(&HeaderMap::new(), true);
        assert!(plain.headers().get(header::CONTENT_ENCODING).is_none());
        assert_eq!(page.headers[header::CACHE_CONTROL], "no-cache");
        let tag = page.headers[header::ETAG].to_str().unwrap().to_owned();
        let again = page.answer(&asked(&[(header::IF_NONE_MATCH, &tag)]), true);
        assert_eq!(again.status(), StatusCode::NOT_MODIFIED);
        assert_eq!(page.answer(&asked(&[(header::IF_NONE_MATCH, "\"other\"")]), true).status(), StatusCode::OK);
    }

    #[test]
    fn a_folder_that_is_no_app_is_refused_with_what_to_do() {
        let said = |files: &[(&str, &str)]| Site::read(app(files).path(), []).unwrap_err().to_string();
        assert!(said(&[SAID]).contains("holds no index.html"));
        assert!(said(&[("index.html", "app")]).contains("headers.json is not understood: it is not there"));
        for shadow in ["v1/health", "openapi.json"] {
            assert!(said(&[SAID, ("index.html", "app"), (shadow, "{}")]).contains("in the way of the API"));
        }
        let linked = app(&[SAID, ("index.html", "app")]);
        std::os::unix::fs::symlink("/etc/hostname", linked.path().join("name.txt")).unwrap();
        assert!(matches!(Site::read(linked.path(), []), Err(SiteError::Foreign(_))));
        let hidden = app(&[SAID, ("index.html", "app"), (".vite/manifest.json", "{}")]);
        assert!(Site::read(hidden.path(), []).unwrap().file("/.vite/manifest.json").is_none());
        let bad = r#"{"all": {"a b": "c"}, "page": {}, "asset": {}}"#;
        assert!(said(&[("headers.json", bad), ("index.html", "app")]).contains("`a b: c` is no header"));
        let none = Site::read(Path::new("/nowhere/at/all"), []).unwrap_err().to_string();
        assert!(none.contains("/nowhere/at/all cannot be read") && none.contains("cargo xtask web"), "{none}");
    }
}
