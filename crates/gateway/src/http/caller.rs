//! Who calls, as far as the network tells.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use axum::extract::{ConnectInfo, FromRequestParts};
use axum::http::request::Parts;

use super::AppState;

/// The caller's address. Behind a proxy of ours it is the one that the proxy saw: what stands before it in the header
/// is the caller's own say.
pub struct Caller(pub IpAddr);

impl FromRequestParts<AppState> for Caller {
    type Rejection = std::convert::Infallible;

    async fn from_request_parts(parts: &mut Parts, state: &AppState) -> Result<Self, Self::Rejection> {
        let socket = parts.extensions.get::<ConnectInfo<SocketAddr>>().map(|info| info.0.ip());
        let named = || {
            let header = parts.headers.get_all("x-forwarded-for").iter().next_back()?.to_str().ok()?;
            header.rsplit(',').next()?.trim().parse().ok()
        };
        let forwarded = if state.0.relayer.is_behind_proxy() { named() } else { None };
        Ok(Self(forwarded.or(socket).unwrap_or(Ipv4Addr::UNSPECIFIED.into())))
    }
}
