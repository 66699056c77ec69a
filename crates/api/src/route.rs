//! One constant a route: its method, its path, who may call it, what it takes and what it answers. Routers, guards, OpenAPI
//! documents and clients are made of these, so that none of them names a path a second time.

/// A service's routes, and all of them as its table.
macro_rules! routes {
    ($($(#[$doc:meta])* $name:ident: $kind:ident $path:expr, $access:ident, $request:ty => $answer:ty;)*) => {
        $($(#[$doc])* pub const $name: $crate::route::Route<routes!(@$kind $request), $answer, Access> =
            $crate::route::Route::of(routes!($kind), $path, Access::$access);)*
        /// Every route that this service serves, and no other.
        pub const TABLE: &[$crate::route::Listed<Access>] = &[$($name.listed(routes!(?$kind))),*];
    };
    (get) => { "GET" };
    (put) => { "PUT" };
    (post) => { "POST" };
    (sealed) => { "POST" };
    (?sealed) => { true };
    (?$kind:ident) => { false };
    (@sealed $request:ty) => { $crate::route::Sealed<$request> };
    (@$kind:ident $request:ty) => { $request };
}

pub mod gateway;
pub mod registrar;
pub mod steward;
pub mod worker;

use std::any::type_name;
use std::borrow::Cow;
use std::fmt::Display;
use std::marker::PhantomData;

use serde_json::Value;

use crate::status::Health;

/// Where every process says whether it can work, for callers that do not know which process answers.
pub const HEALTH: Route<(), Health> = Route::of("GET", "/v1/health", ());
/// Where every process describes its API.
pub const OPENAPI: Route<(), Value> = Route::of("GET", "/openapi.json", ());

/// Raw bytes, which no JSON describes.
#[derive(Clone, Copy, Debug)]
pub struct Octets(());

/// A body that is sealed to the receiver, and whose answer is sealed to the caller. It is never built, so that no plain
/// request takes a route of this kind: what is sealed has its own way to be sent.
#[derive(Clone, Copy, Debug)]
pub struct Sealed<T>(PhantomData<T>);

/// A route that takes a `Request`, answers an `Answer`, and is for those whom `Access` names.
#[derive(Debug)]
pub struct Route<Request, Answer, Access = ()> {
    /// In capitals, as in a request's first line.
    pub method: &'static str,
    /// With `{names}` for what differs from call to call.
    pub path: &'static str,
    /// Who may call it.
    pub access: Access,
    types: PhantomData<fn(Request) -> Answer>,
}

impl<Request, Answer, Access> Route<Request, Answer, Access> {
    const fn of(method: &'static str, path: &'static str, access: Access) -> Self {
        Self { method, path, access, types: PhantomData }
    }

    /// The call that has `value` in the place of the path's `{name}`.
    pub fn at(self, value: impl Display) -> Call<Request, Answer> {
        let (before, rest) = self.path.split_once('{').unwrap_or((self.path, ""));
        let after = rest.split_once('}').map_or("", |(_, after)| after);
        Call { method: self.method, path: format!("{before}{value}{after}").into(), types: PhantomData }
    }
}

impl<Request, Answer, Access: Copy> Route<Request, Answer, Access> {
    const fn listed(&self, sealed: bool) -> Listed<Access> {
        let types = (type_name::<Request> as Named, type_name::<Answer> as Named);
        Listed { method: self.method, path: self.path, access: self.access, sealed, types }
    }
}

/// One call of a route: its path is whole.
#[derive(Debug)]
pub struct Call<Request, Answer> {
    /// In capitals.
    pub method: &'static str,
    /// Path and query.
    pub path: Cow<'static, str>,
    types: PhantomData<fn(Request) -> Answer>,
}

impl<Request, Answer> Call<Request, Answer> {
    /// A call of whatever path, for tests of what a process does not serve.
    pub fn unlisted(method: &'static str, path: impl Into<Cow<'static, str>>) -> Self {
        Self { method, path: path.into(), types: PhantomData }
    }

    /// The same with a parameter behind the question mark.
    #[must_use]
    pub fn with(mut self, name: &str, value: impl Display) -> Self {
        let mark = if self.path.contains('?') { '&' } else { '?' };
        self.path = format!("{}{mark}{name}={value}", self.path).into();
        self
    }
}

impl<Request, Answer> Clone for Call<Request, Answer> {
    fn clone(&self) -> Self {
        Self { method: self.method, path: self.path.clone(), types: PhantomData }
    }
}

impl<Request, Answer, Access> From<Route<Request, Answer, Access>> for Call<Request, Answer> {
    fn from(route: Route<Request, Answer, Access>) -> Self {
        Self { method: route.method, path: route.path.into(), types: PhantomData }
    }
}

/// Gives the name of a type.
type Named = fn() -> &'static str;

/// A route in its service's table.
#[derive(Clone, Copy, Debug)]
pub struct Listed<Access> {
    /// In capitals.
    pub method: &'static str,
    /// With `{names}`.
    pub path: &'static str,
    /// Who may call it.
    pub access: Access,
    /// Whether bodies are sealed both ways.
    pub sealed: bool,
    types: (Named, Named),
}

impl<Access> Listed<Access> {
    /// What it takes and what it answers, by the names of their types.
    #[must_use]
    pub fn types(&self) -> (String, String) {
        (short((self.types.0)()), short((self.types.1)()))
    }
}

/// A type's name without the modules that it lies in; what a body is sealed in says nothing of it.
fn short(name: &str) -> String {
    let mut short = String::new();
    let mut rest = name;
    while let Some(end) = rest.find("::") {
        let module = rest[..end].chars().rev().take_while(|c| c.is_alphanumeric() || *c == '_').count();
        short.push_str(&rest[..end - module]);
        rest = &rest[end + 2..];
    }
    short.push_str(rest);
    match short.strip_prefix("Sealed<").and_then(|inner| inner.strip_suffix('>')) {
        Some(inner) => inner.to_owned(),
        None => short,
    }
}

/// Who may call a path, by a service's table. A path that is not in it is nobody's.
#[must_use]
pub fn listed<Access: Copy>(table: &[Listed<Access>], method: &str, path: &str) -> Option<Listed<Access>> {
    let fits = |pattern: &str| {
        let (mut pattern, mut path) = (pattern.split('/'), path.split('/'));
        loop {
            match (pattern.next(), path.next()) {
                (None, None) => return true,
                (Some(pattern), Some(part)) if pattern == part || pattern.starts_with('{') => {}
                _ => return false,
            }
        }
    };
    table.iter().find(|route| route.method == method && fits(route.path)).copied()
}

#[cfg(test)]
mod tests {
    use super::steward::{Access, TABLE};
    use super::*;

    #[test]
    fn a_path_has_the_right_of_its_route() {
        let access = |method, path| listed(TABLE, method, path).map(|route| route.access);
        assert_eq!(access("GET", "/v1/sizes"), Some(Access::Anyone));
        assert_eq!(access("GET", "/v1/settlement/sheets/7"), Some(Access::Steward));
        assert_eq!(access("POST", "/v1/members/7/row"), Some(Access::ThatMember));
        for (method, path) in [("POST", "/v1/sizes"), ("GET", "/v1/sizes/"), ("GET", "/v1/erasures"), ("GET", "/")] {
            assert_eq!(access(method, path), None, "{method} {path}");
        }
    }

    #[test]
    fn a_call_has_its_values_in_their_places() {
        assert_eq!(steward::ROW.at(7).path, "/v1/members/7/row");
        assert_eq!(gateway::CONTRIBUTION.at("0xaa").with("member", 3).path, "/v1/contributions/0xaa?member=3");
        let call = Call::from(gateway::LICENSES).with("holder", 1).with("page", 2);
        assert_eq!((call.method, &*call.path), ("GET", "/v1/licenses?holder=1&page=2"));
    }

    #[test]
    fn a_type_is_named_without_its_modules_and_its_seal() {
        let types = |path| TABLE.iter().find(|route| route.path == path).unwrap().types();
        assert_eq!(types("/v1/scores"), ("Vec<ScoreMessage>".to_owned(), "()".to_owned()));
        assert_eq!(types("/v1/snapshots"), ("SealedRequest".to_owned(), "Sealed".to_owned()));
        assert_eq!(types("/v1/claim-leaves"), ("LeavesRequest".to_owned(), "Vec<ClaimLeaf>".to_owned()));
    }
}
