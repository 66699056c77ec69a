//! What the three services' OpenAPI documents say alike: how a request is signed, how an answer is, and which problem
//! documents any call may be answered with. Paths, bodies and answers come from the handlers themselves.

use std::collections::{BTreeMap, BTreeSet};

use axum::Router;
use axum::http::header;
use axum::routing::get;
use serde_json::{Map, Value, json};
use utoipa::openapi::OpenApi;

use super::PROBLEM;
use crate::auth::{ANSWER_SIGNATURE, DEADLINE, NONCE, SEALED, SIGNATURE, SIGNER};
use crate::route::{Listed, OPENAPI, listed};
use crate::{Problem, ProblemCode, shape};

/// How a call is made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Call {
    /// By anyone.
    Open,
    /// The caller signs the request.
    Signed,
    /// Signed, and the body is sealed both ways.
    Sealed,
}

/// Any call may be answered with these.
const ANY: &[ProblemCode] = &[ProblemCode::Internal, ProblemCode::ChainUnavailable];
/// Where a path or query has parameters.
const WITH_PARAMETERS: &[ProblemCode] = &[ProblemCode::BadRequest];
/// Where there is a body, which others may have to see or the contract to take.
const WITH_BODY: &[ProblemCode] = &[
    ProblemCode::BadRequest,
    ProblemCode::Forbidden,
    ProblemCode::NotFound,
    ProblemCode::TooSlow,
    ProblemCode::Conflict,
    ProblemCode::Erased,
    ProblemCode::TooLarge,
    ProblemCode::ChainRefused,
    ProblemCode::TooManyRequests,
    ProblemCode::PeerFault,
];
/// Where a caller signs.
const SIGNED: &[ProblemCode] = &[ProblemCode::Unauthenticated, ProblemCode::Forbidden, ProblemCode::TooManyRequests];

/// Completes what the handlers say by the service's table; `signed` tells whose calls are signed.
#[must_use]
pub fn complete<A: Copy>(document: &OpenApi, table: &[Listed<A>], signed: impl Fn(A) -> bool) -> Value {
    let mut document = serde_json::to_value(document).unwrap_or_default();
    document["servers"] = json!([{"url": "/", "description": "The process that serves this document."}]);
    document["components"]["securitySchemes"] = schemes();
    // Every document has the schema, whichever of its handlers name it.
    document["components"]["schemas"]["Problem"] = schema::<Problem>();
    document["components"]["schemas"]["ProblemCode"] = schema::<ProblemCode>();
    for (name, schema) in shape::all() {
        document["components"]["schemas"][&*name] = serde_json::to_value(schema).unwrap_or_default();
    }
    plain(&mut document);
    let none = &mut Map::new();
    for (path, item) in document["paths"].as_object_mut().unwrap_or(none) {
        for (method, operation) in item.as_object_mut().into_iter().flatten() {
            let call = match listed(table, &method.to_uppercase(), path) {
                Some(route) if route.sealed => {
                    enclose(operation, &route.types());
                    Call::Sealed
                }
                Some(route) if !signed(route.access) => Call::Open,
                _ => Call::Signed,
            };
            if operation.get("responses").is_some() {
                operate(operation, call);
            }
        }
    }
    document
}

/// Says what a sealed body holds, and its answer.
fn enclose(operation: &mut Value, (request, answer): &(String, String)) {
    let bytes = json!({SEALED: {"schema": schema::<Vec<u8>>()}});
    let answer = if answer == "()" { "nothing" } else { answer };
    operation["requestBody"] = json!({"content": bytes, "description": format!("Sealed: {request}"), "required": true});
    operation["responses"]["200"] = json!({"content": bytes, "description": format!("Sealed: {answer}")});
}

/// Adds what every service answers alike: its own document, and problem documents for paths and methods that it does not know.
pub fn served<S: Clone + Send + Sync + 'static>(router: Router<S>, document: &Value) -> Router<S> {
    let text: axum::body::Bytes = document.to_string().into();
    let see = |code, detail| Problem::new(code, detail).hint(format!("see {}", OPENAPI.path));
    router
        .route(OPENAPI.path, get(async move || ([(header::CONTENT_TYPE, "application/json")], text.clone())))
        .fallback(async move || see(ProblemCode::NotFound, "there is no such path"))
        .method_not_allowed_fallback(async move || {
            see(ProblemCode::MethodNotAllowed, "this path does not take this method")
        })
}

/// Says plainly what tools read differently: how far an unsigned number goes, and what stands in a list of a fixed form
/// (`prefixItems` is younger than many tools).
fn plain(value: &mut Value) {
    match value {
        Value::Object(object) => {
            let bits = object.get("format").and_then(Value::as_str).and_then(|format| format.strip_prefix("uint"));
            if let Some(most) = bits.and_then(|bits| u64::MAX.checked_shr(64 - bits.parse::<u32>().ok()?)) {
                object.entry("maximum").or_insert_with(|| json!(most));
            }
            if let Some(Value::Array(items)) = object.remove("prefixItems") {
                object.extend([
                    ("minItems".to_owned(), json!(items.len())),
                    ("maxItems".to_owned(), json!(items.len())),
                    ("items".to_owned(), json!({"anyOf": items})),
                ]);
            }
            object.values_mut().for_each(plain);
        }
        Value::Array(items) => items.iter_mut().for_each(plain),
        _ => {}
    }
}

fn schema<T: utoipa::PartialSchema>() -> Value {
    serde_json::to_value(T::schema()).unwrap_or_default()
}

/// The four headers of a signed request. They hold together or not at all.
fn schemes() -> Value {
    let header = |name: &str, what: &str| json!({"type": "apiKey", "in": "header", "name": name, "description": what});
    json!({
        "signer": header(SIGNER, "The address whose key signs: 0x and 40 hexadecimal digits."),
        "nonce": header(NONCE, "0x and hexadecimal digits, below 2^256. Taken once until the deadline."),
        "deadline": header(DEADLINE, "Seconds of block time, in decimal digits; at most an hour ahead."),
        "signature": header(SIGNATURE, "EIP-712 over `Request(address audience,string method,string path,bytes32 bodyHash,\
            uint256 nonce,uint256 deadline)` in the domain Rochdale, version 1, of the StewardCommittee: 65 bytes in hexadecimal."),
    })
}

fn operate(operation: &mut Value, call: Call) {
    let parameters = operation.get_mut("parameters").and_then(Value::as_array_mut);
    let mut codes: Vec<ProblemCode> = ANY.to_vec();
    if parameters.as_ref().is_some_and(|parameters| !parameters.is_empty()) {
        codes.extend(WITH_PARAMETERS);
    }
    parameters.into_iter().flatten().for_each(exemplify);
    if operation.get("requestBody").is_some() {
        codes.extend(WITH_BODY);
    }
    operation["security"] = if call == Call::Open {
        json!([])
    } else {
        codes.extend(SIGNED);
        json!([{"signer": [], "nonce": [], "deadline": [], "signature": []}])
    };
    let Some(responses) = operation["responses"].as_object_mut() else { return };
    for code in codes {
        let known = by_status();
        let status = code.status().to_string();
        let meaning = || known[&code.status()].iter().map(|code| code.title()).collect::<Vec<_>>().join("; ");
        let problem = json!({"$ref": "#/components/schemas/Problem"});
        responses
            .entry(status)
            .or_insert_with(|| json!({"description": meaning(), "content": {"application/json": {"schema": problem}}}));
    }
    for (status, response) in responses {
        respond(status.parse().unwrap_or_default(), response, call);
    }
}

/// Says of one answer what its handler does not.
fn respond(status: u16, response: &mut Value, call: Call) {
    let is_problem = |content: &Value| {
        content["application/json"]["schema"]["$ref"].as_str().is_some_and(|name| name.ends_with("/Problem"))
    };
    if is_problem(&response["content"]) {
        let mut content = response["content"]["application/json"].take();
        content["examples"] = examples(status);
        response["content"] = json!({PROBLEM: content});
        if call == Call::Sealed {
            // The reason of a refusal is the caller's alone.
            response["content"][SEALED] = json!({});
        }
    }
    let text = |what: &str| json!({"description": what, "required": true, "schema": {"type": "string"}});
    if status == 401 {
        response["headers"]["www-authenticate"] = text("What a request must be signed with.");
    }
    if call != Call::Open {
        let signature = json!({
            "description": "The answering process's EIP-712 signature over `Answer(bytes32 requestHash,uint16 status,bytes32 bodyHash)`; \
                absent from streamed bodies, and where the request brings no nonce.",
            "schema": {"$ref": "#/components/schemas/HexBytes"},
        });
        response["headers"][ANSWER_SIGNATURE] = signature;
    }
}

/// A parameter's example, where its schema gives none.
fn exemplify(parameter: &mut Value) {
    if parameter["schema"]["type"] == "integer" || parameter["schema"]["type"][0] == "integer" {
        parameter["example"] = json!(1);
    }
}

fn by_status() -> BTreeMap<u16, Vec<ProblemCode>> {
    let mut known = BTreeMap::<u16, Vec<ProblemCode>>::new();
    for code in ProblemCode::ALL {
        known.entry(code.status()).or_default().push(code);
    }
    known
}

/// A problem document of each code that has this status.
fn examples(status: u16) -> Value {
    let codes = by_status().remove(&status).unwrap_or_default();
    let example = |code: ProblemCode| {
        let problem = Problem::new(code, "what exactly, and where").hint("how to mend it");
        let name = problem.kind.rsplit(':').next().unwrap_or_default().to_owned();
        (name, json!({"summary": code.title(), "value": problem}))
    };
    Value::Object(codes.into_iter().map(example).collect())
}

/// Where a document and a table differ: in their routes, or in what one of them takes or answers. For the tests of the
/// services; `apart` are the paths that are served beside the document.
#[must_use]
pub fn differences<A>(document: &Value, table: &[Listed<A>], apart: &[&str]) -> Vec<String> {
    let none = Map::new();
    let operations = document["paths"].as_object().unwrap_or(&none).iter().flat_map(|(path, item)| {
        let methods = item.as_object().unwrap_or(&none).iter();
        methods.map(move |(method, operation)| ((method.to_uppercase(), path.clone()), taken(operation)))
    });
    let served: BTreeSet<_> = operations.collect();
    let routes = || table.iter().filter(|route| !apart.contains(&route.path));
    let known: BTreeSet<_> = routes()
        .map(|route| {
            let types = if route.sealed { ("Octets".to_owned(), "Octets".to_owned()) } else { route.types() };
            ((route.method.to_owned(), route.path.to_owned()), types)
        })
        .collect();
    let only = |where_, this: &BTreeSet<_>, other| {
        this.difference(other).map(|route| format!("only {where_}: {route:?}")).collect::<Vec<_>>()
    };
    let twice = (known.len() < routes().count()).then(|| "a route stands twice in the table".to_owned());
    [only("in the document", &served, &known), only("in the table", &known, &served), Vec::from_iter(twice)].concat()
}

/// What an operation takes and answers, by the names of the types.
fn taken(operation: &Value) -> (String, String) {
    let responses = operation["responses"].as_object();
    let good = responses.and_then(|all| all.iter().find(|(status, _)| status.starts_with('2')).map(|(_, good)| good));
    (named(&operation["requestBody"]["content"]), named(&good.unwrap_or(&Value::Null)["content"]))
}

fn named(content: &Value) -> String {
    let of = |schema: &Value| schema["$ref"].as_str().and_then(|name| name.rsplit('/').next()).map(str::to_owned);
    let Some((kind, content)) = content.as_object().and_then(|content| content.iter().next()) else {
        return "()".to_owned();
    };
    if kind != "application/json" {
        return "Octets".to_owned();
    }
    let schema = &content["schema"];
    of(schema).or_else(|| of(&schema["items"]).map(|item| format!("Vec<{item}>"))).unwrap_or_else(|| schema.to_string())
}

/// What is missing in a document: for the tests of the services.
#[must_use]
pub fn gaps(document: &Value) -> Vec<String> {
    let mut gaps = Vec::new();
    let mut want = |holds: bool, what: String| {
        if !holds {
            gaps.push(what);
        }
    };
    want(document["servers"][0]["url"].is_string(), "no server".to_owned());
    for (path, item) in document["paths"].as_object().into_iter().flatten() {
        for (method, operation) in item.as_object().into_iter().flatten() {
            let at = format!("{method} {path}");
            want(operation["summary"].is_string(), format!("{at}: no summary"));
            want(operation["security"].is_array(), format!("{at}: security is not said"));
            let resolve = |schema: &Value| match schema["$ref"].as_str() {
                Some(name) => document.pointer(name.trim_start_matches('#')).cloned().unwrap_or_default(),
                None => schema.clone(),
            };
            for parameter in operation["parameters"].as_array().into_iter().flatten() {
                let schema = resolve(&parameter["schema"]);
                let shown = !parameter["example"].is_null() || !schema["examples"].is_null();
                want(shown, format!("{at}: parameter {} has no example", parameter["name"]));
                let bounded = schema["pattern"].is_string() || !schema["minimum"].is_null();
                want(bounded, format!("{at}: parameter {} takes anything", parameter["name"]));
            }
            let responses = operation["responses"].as_object().cloned().unwrap_or_default();
            want(responses.keys().any(|status| status.starts_with('2')), format!("{at}: no answer"));
            for (status, response) in &responses {
                let content = &response["content"];
                let plain = content["application/json"]["schema"]["$ref"].as_str().unwrap_or_default();
                want(!plain.ends_with("/Problem"), format!("{at}: {status} is a problem as application/json"));
                let unlike =
                    content[PROBLEM].is_object() && content[PROBLEM]["examples"].as_object().is_none_or(Map::is_empty);
                want(!unlike, format!("{at}: {status} has no example"));
            }
        }
    }
    gaps
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_have_bounds_and_lists_of_a_fixed_form_are_plain() {
        let mut schema = json!({
            "seat": {"type": "integer", "format": "uint8", "minimum": 0},
            "id": {"type": "integer", "format": "uint64"},
            "pair": {"type": "array", "prefixItems": [{"type": "integer"}, {"type": "string"}], "items": false},
        });
        plain(&mut schema);
        assert_eq!((&schema["seat"]["maximum"], &schema["id"]["maximum"]), (&json!(255), &json!(u64::MAX)));
        let items = json!({"anyOf": [{"type": "integer"}, {"type": "string"}]});
        assert_eq!(schema["pair"], json!({"type": "array", "minItems": 2, "maxItems": 2, "items": items}));
    }
}
