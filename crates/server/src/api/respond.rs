//! Success, as every operation tells it: `{"success": true, "data": …}`, lists with `paging`.

use axum::{
    body::{Body, Bytes},
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use muster_model::{Page, PageInfo};
use serde::Serialize;

use super::error::ApiError;

/// The envelope of every successful answer.
#[derive(Debug, Serialize)]
pub struct Envelope<T> {
    success: bool,
    data: T,
    #[serde(skip_serializing_if = "Option::is_none")]
    paging: Option<PageInfo>,
}

impl<T> Envelope<T> {
    /// Around one record.
    pub fn one(data: T) -> Self {
        Self {
            success: true,
            data,
            paging: None,
        }
    }

    /// Around a list with `paging` at the top level.
    pub fn paged(data: T, paging: PageInfo) -> Self {
        Self {
            success: true,
            data,
            paging: Some(paging),
        }
    }
}

impl<T> From<Page<T>> for Envelope<Vec<T>> {
    fn from(page: Page<T>) -> Self {
        Self::paged(page.items, page.info)
    }
}

impl<T: Serialize> IntoResponse for Envelope<T> {
    fn into_response(self) -> Response {
        answer(StatusCode::OK, &self).unwrap_or_else(IntoResponse::into_response)
    }
}

/// A JSON answer.
pub fn answer(status: StatusCode, body: &impl Serialize) -> Result<Response, ApiError> {
    Ok(json_bytes(
        status,
        serde_json::to_vec(body).map_err(ApiError::internal)?.into(),
    ))
}

/// A JSON answer whose bytes are made already.
pub fn json_bytes(status: StatusCode, body: Bytes) -> Response {
    let mut response = Response::new(Body::from(body));
    *response.status_mut() = status;
    response
        .headers_mut()
        .insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}
