//! What a caller is told when something fails.
//!
//! One body serves clients of both producers of errors (BEHAVIOUR section 3): `error` with the HTTP
//! status, and `errors` with one entry for each fault. What the caller need not know goes to the log.

use axum::{
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use muster_store::StoreError;
use serde::Serialize;
use serde_json::{Value, json};

/// One thing that is wrong with a request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Fault {
    /// Where in the body, as a dotted path, or the name of a parameter; empty for the whole.
    pub field: String,
    /// What is wrong, beginning with the quoted field.
    pub message: String,
}

impl Fault {
    /// Faults told of one request at most: more help nobody, and an answer must not outgrow its request.
    pub const MANY: usize = 50;
    /// Characters of a field's path that are told.
    const LONG: usize = 200;

    /// A fault of one field: `"field" what`.
    pub fn of(field: impl Into<String>, what: impl std::fmt::Display) -> Self {
        let mut field = field.into();
        if let Some((end, _)) = field.char_indices().nth(Self::LONG) {
            field.truncate(end);
            field.push('…');
        }
        let message = if field.is_empty() {
            what.to_string()
        } else {
            format!("\"{field}\" {what}")
        };
        Self { field, message }
    }
}

/// A failure as the caller sees it, with what only the log sees.
#[derive(Debug)]
pub struct ApiError {
    status: StatusCode,
    /// `errors[].code`: the HTTP status, or the gateway's number.
    code: u16,
    message: String,
    faults: Vec<Fault>,
    chain: Option<(u16, &'static str)>,
    retry_after: Option<u64>,
    write_failed: bool,
    log: Option<anyhow::Error>,
}

/// Marks an answer to a write that could not be made durable, for who watches whether the store works.
#[derive(Debug, Clone, Copy)]
pub struct WriteFailed;

impl ApiError {
    /// A failure with the HTTP status as its code.
    pub fn new(status: StatusCode, message: impl Into<String>) -> Self {
        Self {
            status,
            code: status.as_u16(),
            message: message.into(),
            faults: Vec::new(),
            chain: None,
            retry_after: None,
            write_failed: false,
            log: None,
        }
    }

    fn gateway(status: StatusCode, code: u16, message: &str) -> Self {
        Self {
            code,
            ..Self::new(status, message)
        }
    }

    /// 400: every fault of a body or of the parameters at once.
    pub fn faults(mut faults: Vec<Fault>) -> Self {
        faults.truncate(Fault::MANY);
        let all: Vec<_> = faults.iter().map(|fault| fault.message.as_str()).collect();
        let message = format!("BAD_REQUEST: {}", all.join("; "));
        Self {
            faults,
            ..Self::new(StatusCode::BAD_REQUEST, message)
        }
    }

    /// 400 for one field.
    pub fn fault(field: &str, what: impl std::fmt::Display) -> Self {
        Self::faults(vec![Fault::of(field, what)])
    }

    /// 404 of a record: `Meeting not found`.
    pub fn not_found(kind: &str) -> Self {
        Self::new(StatusCode::NOT_FOUND, format!("{kind} not found"))
    }

    /// 404: nobody is in the meeting.
    pub fn no_active_session(meeting: muster_model::MeetingId) -> Self {
        let message = format!("No active session found for meeting_id {meeting}");
        Self::new(StatusCode::NOT_FOUND, message)
    }

    /// 409.
    pub fn conflict(message: impl Into<String>) -> Self {
        Self::new(StatusCode::CONFLICT, message)
    }

    /// 409 of a request whose twin is being answered: unlike other conflicts, it helps to ask again.
    pub fn in_flight() -> Self {
        Self {
            retry_after: Some(1),
            ..Self::conflict("A request with this Idempotency-Key is in flight")
        }
    }

    /// 501: the operation is known, its engine does not exist yet.
    pub fn not_built(what: &str) -> Self {
        Self::new(StatusCode::NOT_IMPLEMENTED, format!("{what} is not built yet"))
    }

    /// 401: no credentials, or credentials that are not (or no longer) good.
    pub fn unauthenticated() -> Self {
        Self::gateway(StatusCode::UNAUTHORIZED, 10_000, "Authentication error")
    }

    /// 401: no credentials at all.
    pub fn no_credentials() -> Self {
        Self::gateway(
            StatusCode::UNAUTHORIZED,
            9106,
            "Missing X-Auth-Key, X-Auth-Email or Authorization headers",
        )
    }

    /// 403: good credentials without the right to this.
    pub fn forbidden() -> Self {
        Self::gateway(StatusCode::FORBIDDEN, 10_000, "Authentication error")
    }

    /// 403: good credentials, and a reason that its holder may know.
    pub fn forbidden_because(why: &str) -> Self {
        Self::new(StatusCode::FORBIDDEN, why)
    }

    /// 400: a credential header that does not read. `chain` is the code and text of the cause.
    pub fn bad_header(chain: (u16, &'static str)) -> Self {
        Self {
            chain: Some(chain),
            ..Self::gateway(StatusCode::BAD_REQUEST, 6003, "Invalid request headers")
        }
    }

    /// 404: no such route.
    pub fn no_route() -> Self {
        Self::gateway(
            StatusCode::NOT_FOUND,
            7003,
            "Could not route to this path, perhaps it is misspelt",
        )
    }

    /// 405: no such method on this route.
    pub fn no_method() -> Self {
        Self::gateway(
            StatusCode::METHOD_NOT_ALLOWED,
            7001,
            "Method not available for that URI",
        )
    }

    /// 429, to come back after so many seconds.
    pub fn too_many(retry_after: u64) -> Self {
        Self {
            retry_after: Some(retry_after),
            ..Self::gateway(
                StatusCode::TOO_MANY_REQUESTS,
                971,
                "Please wait and consider throttling",
            )
        }
    }

    /// 503, to come back in a second.
    pub fn unavailable(message: &str) -> Self {
        Self {
            retry_after: Some(1),
            ..Self::new(StatusCode::SERVICE_UNAVAILABLE, message)
        }
    }

    /// 500: the cause is for the log alone.
    pub fn internal(cause: impl Into<anyhow::Error>) -> Self {
        Self {
            log: Some(cause.into()),
            ..Self::new(StatusCode::INTERNAL_SERVER_ERROR, "Internal server error")
        }
    }

    /// The HTTP status.
    pub fn status(&self) -> StatusCode {
        self.status
    }

    fn body(&self) -> Value {
        let status = self.status.as_u16();
        let errors: Vec<Value> = if self.faults.is_empty() {
            let mut error = json!({"code": self.code, "message": self.message});
            if let Some((code, message)) = self.chain {
                error["error_chain"] = json!([{"code": code, "message": message}]);
            }
            vec![error]
        } else {
            let of = |fault: &Fault| json!({"code": status, "message": fault.message, "field": fault.field});
            self.faults.iter().map(of).collect()
        };
        let mut body = json!({
            "success": false,
            "error": {"code": status, "message": self.message},
            "errors": errors,
            "messages": [],
        });
        if self.code != status {
            body["result"] = Value::Null;
        }
        if self.status == StatusCode::UNAUTHORIZED {
            body["message"] = json!("Unauthorized");
        }
        body
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        if let Some(cause) = &self.log {
            tracing::error!(status = self.status.as_u16(), "{cause:#}");
        }
        let mut response = (self.status, axum::Json(self.body())).into_response();
        if self.write_failed {
            response.extensions_mut().insert(WriteFailed);
        }
        if let Some(seconds) = self.retry_after {
            response
                .headers_mut()
                .insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        if self.status == StatusCode::UNAUTHORIZED {
            response
                .headers_mut()
                .insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        response
    }
}

impl From<StoreError> for ApiError {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::NotFound(kind) => Self::not_found(kind),
            StoreError::NoPreset(name) => {
                Self::new(StatusCode::NOT_FOUND, format!("No preset found with name {name}"))
            }
            StoreError::Conflict(message) => Self::conflict(message),
            StoreError::Unreachable(_) => Self {
                log: Some(error.into()),
                ..Self::unavailable("The database cannot be reached")
            },
            StoreError::Busy => Self::unavailable("Too many writes are waiting"),
            StoreError::DiskFull(_) => Self {
                write_failed: true,
                log: Some(error.into()),
                ..Self::unavailable("The server's disk is full")
            },
            StoreError::NotCommitted(_) => Self {
                write_failed: true,
                log: Some(error.into()),
                ..Self::unavailable("The change could not be stored")
            },
            other => Self::internal(other),
        }
    }
}
