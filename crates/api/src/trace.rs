//! One name for everything that a request sets off, in whatever process: it travels in a header and stands in every line of the logs.
//!
//! The name says nothing about who asked for what. Whoever calls may choose it, within [`MAX_BYTES`] letters, digits and hyphens.

use std::future::Future;
use std::sync::Arc;

/// The header that carries it, both ways.
pub const HEADER: &str = "x-request-id";
/// The longest name that is taken from a caller.
const MAX_BYTES: usize = 64;

tokio::task_local! {
    static NAME: RequestId;
}

/// A request's name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RequestId(Arc<str>);

impl RequestId {
    /// What a caller gave, if it is one.
    #[must_use]
    pub fn parse(given: &str) -> Option<Self> {
        let is_plain = given.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
        (is_plain && (1..=MAX_BYTES).contains(&given.len())).then(|| Self(given.into()))
    }

    /// One that nobody has.
    #[must_use]
    pub fn random() -> Self {
        Self(format!("{:016x}", rand::random::<u64>()).into())
    }

    /// That of what this task does now.
    #[must_use]
    pub fn current() -> Option<Self> {
        NAME.try_with(Clone::clone).ok()
    }

    /// As a header has it.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Does something under this name.
    pub async fn within<T>(self, work: impl Future<Output = T>) -> T {
        NAME.scope(self, work).await
    }
}

/// Does something in a task of its own under the name of what sets it off.
pub fn carried<T>(work: impl Future<Output = T>) -> impl Future<Output = T> {
    let name = RequestId::current();
    async move {
        match name {
            Some(name) => name.within(work).await,
            None => work.await,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_caller_s_name_is_short_and_plain() {
        assert_eq!(RequestId::parse("join-7").unwrap().as_str(), "join-7");
        for refused in ["", "a b", "a\n", "ä", &"a".repeat(65)] {
            assert_eq!(RequestId::parse(refused), None, "{refused:?}");
        }
        assert!(RequestId::parse(RequestId::random().as_str()).is_some());
    }

    #[tokio::test]
    async fn a_task_of_its_own_has_the_name_of_what_set_it_off() {
        assert_eq!(RequestId::current(), None);
        let name = RequestId::random();
        let seen = name.clone().within(async { tokio::spawn(carried(async { RequestId::current() })).await }).await;
        assert_eq!(seen.unwrap(), Some(name));
        assert_eq!(tokio::spawn(carried(async { RequestId::current() })).await.unwrap(), None);
    }
}
