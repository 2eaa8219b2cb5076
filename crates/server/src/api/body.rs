//! JSON bodies: checked whole against the schema of the document, so that every fault is told at once.

use std::{
    any::TypeId,
    collections::HashMap,
    sync::{Arc, LazyLock, Mutex, PoisonError},
};

use aws_lc_rs::digest;
use axum::{
    body::Bytes,
    extract::{FromRequest, Request},
    http::StatusCode,
};
use jsonschema::{Validator, error::TypeKind, error::ValidationErrorKind};
use serde::de::DeserializeOwned;
use serde_json::{Map, Value, json};
use utoipa::ToSchema;

use super::{
    error::{ApiError, Fault},
    route::{Components, reference},
};
use crate::{app::App, auth::api_token::hex};

/// The largest body that is read, in bytes.
pub const MAX_BODY: usize = 1 << 20;

/// What a body is read into.
pub trait Input: DeserializeOwned + ToSchema + 'static {
    /// Whether a request without a body counts as one with `{}`.
    const MAY_BE_ABSENT: bool = false;

    /// Brings other accepted spellings into the form of the schema.
    fn normalise(body: &mut Map<String, Value>) {
        let _ = body;
    }

    /// Checks what the schema cannot say of single fields, beside the schema: all is told at once.
    fn check_fields(body: &Map<String, Value>, faults: &mut Vec<Fault>) {
        let _ = (body, faults);
    }

    /// Checks how fields fit together, once each of them reads.
    fn check(&self, faults: &mut Vec<Fault>) {
        let _ = faults;
    }
}

/// For operations that take no body: anything that is a JSON object is accepted, and nothing at all.
#[derive(Debug, serde::Deserialize, ToSchema)]
pub struct Nothing {}

impl Input for Nothing {
    const MAY_BE_ABSENT: bool = true;
}

/// A body that was read and checked.
#[derive(Debug)]
pub struct Body<T> {
    /// What it says.
    pub value: T,
    /// SHA-256 of its bytes, in hex: tells whether a repeated request is the same.
    pub fingerprint: String,
}

/// A JSON object that was read but not yet checked, for operations that merge it into a record first.
#[derive(Debug)]
pub struct Object {
    /// What it says.
    pub value: Map<String, Value>,
    /// As in [`Body`].
    pub fingerprint: String,
}

impl<T: Input> FromRequest<App> for Body<T> {
    type Rejection = ApiError;

    async fn from_request(request: Request, _: &App) -> Result<Self, ApiError> {
        let bytes = read(request).await?;
        let value = if T::MAY_BE_ABSENT && bytes.trim_ascii().is_empty() {
            json!({})
        } else {
            parse(&bytes)?
        };
        Ok(Self {
            value: checked(value)?,
            fingerprint: fingerprint(&bytes),
        })
    }
}

impl FromRequest<App> for Object {
    type Rejection = ApiError;

    async fn from_request(request: Request, _: &App) -> Result<Self, ApiError> {
        let bytes = read(request).await?;
        match parse(&bytes)? {
            Value::Object(value) => Ok(Self {
                value,
                fingerprint: fingerprint(&bytes),
            }),
            _ => Err(ApiError::fault("", "The body must be a JSON object")),
        }
    }
}

fn fingerprint(bytes: &[u8]) -> String {
    hex(digest::digest(&digest::SHA256, bytes).as_ref())
}

async fn read(request: Request) -> Result<Bytes, ApiError> {
    axum::body::to_bytes(request.into_body(), MAX_BODY)
        .await
        .map_err(|error| {
            let mut cause: &dyn std::error::Error = &error;
            loop {
                if cause.is::<http_body_util::LengthLimitError>() {
                    let message = format!("The body must be at most {MAX_BODY} bytes long");
                    return ApiError::new(StatusCode::PAYLOAD_TOO_LARGE, message);
                }
                match cause.source() {
                    Some(source) => cause = source,
                    None => return ApiError::fault("", "The body did not arrive whole"),
                }
            }
        })
}

fn parse(bytes: &[u8]) -> Result<Value, ApiError> {
    let value: Value = serde_json::from_slice(bytes)
        .map_err(|error| ApiError::fault("", format_args!("The body is not JSON: {error}")))?;
    let mut faults = Vec::new();
    find_nul(&value, &mut String::new(), &mut faults);
    if faults.is_empty() {
        Ok(value)
    } else {
        Err(ApiError::faults(faults))
    }
}

/// PostgreSQL stores no NUL characters, and nobody means one.
fn find_nul(value: &Value, path: &mut String, faults: &mut Vec<Fault>) {
    const WHAT: &str = "must not contain NUL characters";
    if faults.len() >= Fault::MANY {
        return;
    }
    let at = path.len();
    match value {
        Value::String(text) if text.contains('\0') => faults.push(Fault::of(path.as_str(), WHAT)),
        Value::Array(items) => {
            for (index, item) in items.iter().enumerate() {
                extend(path, &index.to_string());
                find_nul(item, path, faults);
                path.truncate(at);
            }
        }
        Value::Object(fields) => {
            for (name, field) in fields {
                extend(path, name);
                if name.contains('\0') {
                    faults.push(Fault::of(path.replace('\0', "\u{fffd}"), WHAT));
                }
                find_nul(field, path, faults);
                path.truncate(at);
            }
        }
        _ => {}
    }
}

fn extend(path: &mut String, name: &str) {
    if !path.is_empty() {
        path.push('.');
    }
    path.push_str(name);
}

/// Checks a JSON value against the schema of `T`, reads it, and lets `T` check the rest.
pub fn checked<T: Input>(mut value: Value) -> Result<T, ApiError> {
    if let Value::Object(fields) = &mut value {
        T::normalise(fields);
    }
    let mut faults = schema_faults::<T>(&value);
    if let Value::Object(fields) = &value {
        T::check_fields(fields, &mut faults);
    }
    if !faults.is_empty() {
        return Err(ApiError::faults(faults));
    }
    // What passes the schema should read; where it does not, the reader's word is the best there is.
    let read: T = serde_json::from_value(value).map_err(|error| ApiError::fault("", error))?;
    let mut faults = Vec::new();
    read.check(&mut faults);
    if faults.is_empty() {
        Ok(read)
    } else {
        Err(ApiError::faults(faults))
    }
}

/// Everything in which a value departs from the schema of `T`.
pub fn schema_faults<T: ToSchema + 'static>(value: &Value) -> Vec<Fault> {
    match validator::<T>() {
        Ok(validator) => {
            let mut faults = Vec::new();
            for error in validator.iter_errors(value).take(Fault::MANY) {
                collect(&error, &mut faults);
            }
            faults.dedup();
            faults
        }
        Err(error) => {
            tracing::error!(%error, "a schema of the document does not compile");
            Vec::new()
        }
    }
}

fn validator<T: ToSchema + 'static>() -> Result<Arc<Validator>, String> {
    static COMPILED: LazyLock<Mutex<HashMap<TypeId, Arc<Validator>>>> = LazyLock::new(Mutex::default);
    if let Some(ready) = COMPILED
        .lock()
        .unwrap_or_else(PoisonError::into_inner)
        .get(&TypeId::of::<T>())
    {
        return Ok(ready.clone());
    }
    let mut components = Components::new();
    let mut schema = reference::<T>(&mut components);
    schema["components"] = json!({"schemas": components});
    let validator = jsonschema::options()
        .should_validate_formats(true)
        .build(&schema)
        .map(Arc::new)
        .map_err(|error| error.to_string())?;
    COMPILED
        .lock()
        .unwrap_or_else(PoisonError::into_inner)
        .insert(TypeId::of::<T>(), validator.clone());
    Ok(validator)
}

/// Optional objects and enumerations are `oneOf [null, …]`: what counts is all that the other branch
/// misses, however deep.
fn collect(error: &jsonschema::ValidationError<'_>, faults: &mut Vec<Fault>) {
    let (ValidationErrorKind::OneOfNotValid { context } | ValidationErrorKind::AnyOf { context }) =
        error.kind()
    else {
        faults.push(fault(error));
        return;
    };
    let meant = context
        .iter()
        .filter(|branch| !branch.iter().any(is_null_type))
        .min_by_key(|branch| branch.len());
    match meant {
        Some(branch) if !branch.is_empty() => branch.iter().for_each(|inner| collect(inner, faults)),
        _ => faults.push(fault(error)),
    }
}

fn fault(error: &jsonschema::ValidationError<'_>) -> Fault {
    let mut field = error
        .instance_path()
        .as_str()
        .trim_start_matches('/')
        .replace('/', ".");
    let plain = |limit: &Value| limit.to_string();
    let what = match error.kind() {
        ValidationErrorKind::Required { property } => {
            extend(&mut field, property.as_str().unwrap_or_default());
            "is required".to_owned()
        }
        ValidationErrorKind::Type { kind } => match kind {
            TypeKind::Single(kind) => format!("must be of type {kind}"),
            TypeKind::Multiple(kinds) => {
                let kinds: Vec<String> = kinds
                    .iter()
                    .map(|kind| kind.to_string())
                    .filter(|kind| kind != "null")
                    .collect();
                format!("must be of type {}", kinds.join(" or "))
            }
        },
        ValidationErrorKind::Enum { options } => {
            let words: Vec<&str> = options
                .as_array()
                .into_iter()
                .flatten()
                .filter_map(Value::as_str)
                .collect();
            format!("must be one of [{}]", words.join(", "))
        }
        ValidationErrorKind::Minimum { limit } => format!("must be at least {}", plain(limit)),
        ValidationErrorKind::Maximum { limit } => format!("must be at most {}", plain(limit)),
        ValidationErrorKind::MinLength { limit } => format!("must be at least {limit} characters long"),
        ValidationErrorKind::MaxLength { limit } => format!("must be at most {limit} characters long"),
        ValidationErrorKind::MinItems { limit } => format!("must have at least {limit} items"),
        ValidationErrorKind::MaxItems { limit } => format!("must have at most {limit} items"),
        ValidationErrorKind::Format { format } => format!("must be a valid {format}"),
        ValidationErrorKind::Pattern { pattern } => format!("must match {pattern}"),
        _ => "is not valid".to_owned(),
    };
    Fault::of(field, what)
}

fn is_null_type(error: &jsonschema::ValidationError<'_>) -> bool {
    matches!(error.kind(), ValidationErrorKind::Type { kind: TypeKind::Single(kind) } if kind.to_string() == "null")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, serde::Deserialize, ToSchema)]
    #[allow(dead_code)]
    struct Sample {
        #[schema(min_length = 1)]
        name: String,
        #[schema(minimum = 60, maximum = 600)]
        seconds: Option<u32>,
        inner: Option<Inner>,
    }

    #[derive(Debug, serde::Deserialize, ToSchema)]
    #[allow(dead_code)]
    struct Inner {
        enabled: bool,
        #[schema(minimum = 1)]
        level: Option<u32>,
    }

    impl Input for Sample {}

    fn told(value: Value) -> Vec<String> {
        schema_faults::<Sample>(&value)
            .into_iter()
            .map(|fault| fault.message)
            .collect()
    }

    #[test]
    fn every_fault_is_told_with_its_path() {
        assert_eq!(
            told(json!({"name": "x", "seconds": null, "inner": {"enabled": true, "level": 1}, "more": 1})),
            [""; 0]
        );
        let mut all = told(json!({"seconds": 5, "inner": {"enabled": "yes", "level": 0}}));
        all.sort();
        assert_eq!(
            all,
            [
                "\"inner.enabled\" must be of type boolean",
                "\"inner.level\" must be at least 1",
                "\"name\" is required",
                "\"seconds\" must be at least 60",
            ]
        );
        assert_eq!(told(json!([])), ["must be of type object"]);
    }

    #[test]
    fn an_answer_does_not_outgrow_its_request() {
        let many = json!({"name": "x", "seconds": 60, "inner": 1, "list": vec!["\0"; 10_000]});
        let body = json!({"k".repeat(100_000): many}).to_string();
        let text = format!("{:?}", parse(body.as_bytes()).unwrap_err());
        assert!(text.len() < 100_000, "{}", text.len());
        assert!(text.contains("NUL"));
    }

    #[test]
    fn nul_characters_are_found_anywhere() {
        let error = parse(br#"{"a": {"b": ["ok", "x\u0000"]}}"#).unwrap_err();
        assert!(format!("{error:?}").contains("a.b.1"));
    }
}
