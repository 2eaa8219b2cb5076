//! Storage of the caller's, as meetings and recordings name it.

use serde_json::Value;

/// Takes the type `cloudflare` for what it is, a store that speaks S3: `aws` with a provider.
///
/// The SDKs' strict validation knows no type `cloudflare` in answers, though the service takes it.
pub fn normalise(storage: Option<&mut Value>) {
    let Some(Value::Object(storage)) = storage else {
        return;
    };
    match storage.get("type").and_then(Value::as_str) {
        Some("cloudflare") => {
            storage.insert("type".into(), "aws".into());
            storage.insert("provider".into(), "cloudflare".into());
        }
        Some("aws") | None => {}
        Some(_) => {
            storage.remove("provider");
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn cloudflare_is_a_provider() {
        let of = |mut value: Value| {
            normalise(Some(&mut value));
            value
        };
        assert_eq!(
            of(json!({"type": "cloudflare"})),
            json!({"type": "aws", "provider": "cloudflare"})
        );
        assert_eq!(
            of(json!({"type": "gcs", "provider": "cloudflare"})),
            json!({"type": "gcs"})
        );
        assert_eq!(of(json!(5)), json!(5));
        normalise(None);
    }
}
