//! Paths and queries whose errors are problem documents too.

use crate::{Problem, ProblemCode};
use axum::extract::rejection::{PathRejection, QueryRejection};
use axum::extract::{FromRequestParts, Path, Query};
use axum::http::request::Parts;
use serde::de::DeserializeOwned;

/// What stands in the path's `{names}`.
#[derive(Clone, Copy, Debug)]
pub struct PathOf<T>(pub T);

/// What stands after the question mark.
#[derive(Clone, Copy, Debug)]
pub struct QueryOf<T>(pub T);

impl<S: Send + Sync, T: DeserializeOwned + Send> FromRequestParts<S> for PathOf<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let Path(value) = Path::from_request_parts(parts, state).await.map_err(|error: PathRejection| {
            Problem::new(ProblemCode::BadRequest, format!("path: {}", error.body_text()))
                .hint("see /openapi.json for the form of each part of the path")
        })?;
        Ok(Self(value))
    }
}

impl<S: Send + Sync, T: DeserializeOwned> FromRequestParts<S> for QueryOf<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let Query(value) = Query::from_request_parts(parts, state).await.map_err(|error: QueryRejection| {
            Problem::new(ProblemCode::BadRequest, format!("query: {}", error.body_text()))
                .hint("see /openapi.json for the parameters that are taken")
        })?;
        Ok(Self(value))
    }
}
