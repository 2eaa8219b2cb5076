//! What a message may hold. Clients read the payload of a message without a second look: what they
//! cannot read must not reach them.

use muster_model::chat::ChatPayloadKind as Kind;
use serde_json::{Map, Value};
use url::Url;

use crate::{
    effect::Refusal,
    limits::{Limits, Rate},
};

/// What a message holds, and so needs permission for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Contents {
    pub(super) text: bool,
    pub(super) files: bool,
}

/// What a message of a kind counts as.
pub(super) fn rate(kind: Kind) -> Rate {
    match kind {
        Kind::Text | Kind::Custom => Rate::ChatText,
        Kind::Image | Kind::File => Rate::ChatFile,
    }
}

fn invalid<T>(why: &str) -> Result<T, Refusal> {
    Err(Refusal::Invalid(why.to_owned()))
}

/// Looks a payload over.
pub(super) fn check(kind: Kind, payload: &str, limits: &Limits) -> Result<Contents, Refusal> {
    // No database keeps it in a text.
    if payload.contains('\0') {
        return invalid("the message has a character that cannot be kept");
    }
    if kind == Kind::Text {
        if payload.trim().is_empty() {
            return invalid("the message is empty");
        }
        if payload.chars().count() > limits.chat_text {
            return invalid("the message is too long");
        }
    } else if payload.len() > limits.chat_payload {
        return invalid("the message is too long");
    }
    match kind {
        Kind::Text => Ok(Contents {
            text: true,
            files: false,
        }),
        Kind::Image if is_address(payload) => Ok(Contents {
            text: false,
            files: true,
        }),
        Kind::Image => invalid("an image message is an http or https address"),
        Kind::File if object(payload).is_some_and(|file| is_file(&file)) => Ok(Contents {
            text: false,
            files: true,
        }),
        Kind::File => invalid("a file message is a JSON object with link, name and size"),
        Kind::Custom => match object(payload) {
            Some(custom) => Ok(contents(&custom)),
            None => invalid("a custom message is a JSON object"),
        },
    }
}

fn object(payload: &str) -> Option<Map<String, Value>> {
    serde_json::from_str(payload).ok()
}

fn is_address(text: &str) -> bool {
    // The parser forgives spaces around the address, and slashes that are not there.
    text.split_once("://").is_some_and(|(scheme, _)| {
        scheme.eq_ignore_ascii_case("http") || scheme.eq_ignore_ascii_case("https")
    }) && Url::parse(text).is_ok()
}

fn is_file(file: &Map<String, Value>) -> bool {
    let text = |name| file.get(name).and_then(Value::as_str);
    let size = file.get("size").and_then(Value::as_f64);
    text("link").is_some_and(is_address) && text("name").is_some() && size.is_some_and(|size| size >= 0.0)
}

/// A custom message with pictures, videos or files holds files; any other, or with words too, text.
fn contents(custom: &Map<String, Value>) -> Contents {
    let filled = |name: &&str| match custom.get(*name) {
        None | Some(Value::Null) => false,
        Some(Value::String(text)) => !text.is_empty(),
        Some(Value::Array(items)) => !items.is_empty(),
        Some(_) => true,
    };
    let files = ["images", "videos", "files"].iter().any(filled);
    Contents {
        text: !files || ["message", "html"].iter().any(filled),
        files,
    }
}
