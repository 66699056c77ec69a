//! The page that a person sees: health and the main figures. No script, nothing from elsewhere.

use alloy::primitives::hex;
use axum::extract::State;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{Html, IntoResponse as _, Response};
use rochdale_api::route::gateway as route;
use rochdale_core::money::MicroUsdc;

use super::public::{look, money, overview};
use super::{App, Gateway};

const STYLE: &str = "body{font:1rem/1.5 system-ui,sans-serif;max-width:52rem;margin:2rem auto;padding:0 1rem;color:#1b1b1b;background:#fff}\
table{border-collapse:collapse;margin:0 0 1.5rem}th,td{text-align:left;padding:.3rem 1.2rem .3rem 0;border-bottom:1px solid #ccc}\
td.n{text-align:right;font-variant-numeric:tabular-nums}code{overflow-wrap:anywhere}\
@media(prefers-color-scheme:dark){body{color:#eee;background:#161616}a{color:#9cf}th,td{border-color:#555}}";

/// `GET /`.
pub async fn page(State(gateway): App) -> Response {
    let nonce = hex::encode(rand::random::<[u8; 16]>());
    let (ok, body) = figures(&gateway).await;
    let html = format!(
        "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\"><meta name=\"viewport\" content=\"width=device-width,initial-scale=1\">\
         <title>Rochdale cooperative</title><style nonce=\"{nonce}\">{STYLE}</style></head><body><main><h1>Patient data cooperative</h1>{body}\
         <p><a href=\"{}\">API description (OpenAPI)</a> · <a href=\"{}\">Health as JSON</a> · \
         <a href=\"{}\">Addresses and keys</a></p></main></body></html>",
        route::OPENAPI.path,
        route::HEALTH.path,
        route::COOPERATIVE.path
    );
    let policy = format!(
        "default-src 'none'; style-src 'nonce-{nonce}'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    );
    let status = if ok { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    let mut response = (status, Html(html)).into_response();
    if let Ok(policy) = HeaderValue::from_str(&policy) {
        response.headers_mut().insert(header::CONTENT_SECURITY_POLICY, policy);
    }
    response
}

async fn figures(gateway: &Gateway) -> (bool, String) {
    let health = look(gateway).await;
    let mut html = format!(
        "<h2>Health</h2><p><strong>{}</strong> Block {} is indexed, the chain is at {}.</p>",
        if health.ok { "The gateway works." } else { "The gateway cannot work." },
        health.indexed,
        health.head
    );
    if !health.problems.is_empty() {
        html += "<ul>";
        html.extend(health.problems.iter().map(|p| format!("<li>{}</li>", escaped(p))));
        html += "</ul>";
    }
    let Ok(coop) = overview(gateway).await else { return (health.ok, html) };
    let (contributions, licenses, receipts) = gateway.index.state().read(|s| {
        (s.contributions.len(), s.licenses.len(), s.debits.values().filter(|booked| booked.receipt.is_some()).count())
    });
    let queued = gateway.store.queue_length().await.unwrap_or_default();
    let counts = [
        ("Active members", coop.members.to_string()),
        ("Contributions recorded", contributions.to_string()),
        ("Contributions waiting for a batch", queued.to_string()),
        ("Licenses", licenses.to_string()),
        ("Query receipts", receipts.to_string()),
        ("Running epoch", coop.epoch.to_string()),
        ("Last final epoch", coop.final_epoch.to_string()),
    ];
    html += &table("The cooperative", &counts);
    let books = money(gateway);
    let amounts = [
        ("Contributors", books.contributors),
        ("Buyback", books.buyback),
        ("Operations", books.operations),
        ("Compliance", books.compliance),
        ("Reserve", books.reserve),
        ("Paid to members", books.claimed),
    ];
    html += &table("Treasury, since the start", &amounts.map(|(name, amount)| (name, MicroUsdc(amount).to_string())));
    let stewards: Vec<(String, String)> = coop
        .stewards
        .iter()
        .map(|s| (format!("Steward {}", s.steward), if s.up { "answers" } else { "does not answer" }.to_owned()))
        .collect();
    html += &table("Stewards", &stewards);
    (health.ok, html)
}

fn table<N: AsRef<str>>(caption: &str, rows: &[(N, String)]) -> String {
    let row = |(name, value): &(N, String)| {
        format!("<tr><th scope=\"row\">{}</th><td class=\"n\">{}</td></tr>", escaped(name.as_ref()), escaped(value))
    };
    let rows: String = rows.iter().map(row).collect();
    format!("<h2>{caption}</h2><table>{rows}</table>")
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_cannot_become_markup() {
        assert_eq!(escaped("<b a=\"1\">&"), "&lt;b a=&quot;1&quot;&gt;&amp;");
    }
}
