//! Request schemas of bodies that are merged into a whole before they are checked: the same members
//! as the whole, none of them required.

use serde_json::{Map, Value, json};
use utoipa::ToSchema;

use super::route::{Components, reference};

/// The schema of `T` in one piece, with nothing required and `null` allowed for every member.
pub fn lenient<T: ToSchema>() -> Value {
    let mut components = Components::new();
    let root = reference::<T>(&mut components);
    loosened(&root, &components)
}

fn loosened(schema: &Value, components: &Components) -> Value {
    match schema {
        Value::Object(fields) => {
            let target = fields
                .get("$ref")
                .and_then(Value::as_str)
                .and_then(|path| components.get(path.trim_start_matches("#/components/schemas/")));
            let mut loose = match target.map(|target| loosened(target, components)) {
                Some(Value::Object(inlined)) => inlined,
                _ => Map::new(),
            };
            // What is said beside a reference says more than the type itself.
            for (name, value) in fields {
                let value = match (name.as_str(), value) {
                    ("$ref" | "required", _) => continue,
                    ("properties", Value::Object(properties)) => properties
                        .iter()
                        .map(|(name, property)| (name.clone(), or_null(loosened(property, components))))
                        .collect(),
                    _ => loosened(value, components),
                };
                loose.insert(name.clone(), value);
            }
            Value::Object(loose)
        }
        Value::Array(items) => items.iter().map(|item| loosened(item, components)).collect(),
        plain => plain.clone(),
    }
}

/// A member that may be absent may be `null` too. Where the schema has no single type, it either
/// says so itself or allows everything.
fn or_null(mut schema: Value) -> Value {
    if schema["type"].is_string() {
        schema["type"] = json!([schema["type"], "null"]);
        if let Some(Value::Array(words)) = schema.get_mut("enum") {
            words.push(Value::Null);
        }
    }
    schema
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(ToSchema)]
    #[allow(dead_code)]
    struct Outer {
        count: u32,
        inner: Inner,
        maybe: Option<Inner>,
    }

    #[derive(ToSchema)]
    #[allow(dead_code)]
    struct Inner {
        kind: Kind,
        required: bool,
    }

    #[derive(ToSchema)]
    #[allow(dead_code)]
    enum Kind {
        A,
        B,
    }

    #[test]
    fn nothing_is_required_at_any_depth() {
        let schema = json!({"allOf": [lenient::<Outer>()]});
        let validator = jsonschema::validator_for(&schema).unwrap();
        for good in [
            json!({}),
            json!({"inner": {}}),
            json!({"count": null, "inner": null, "maybe": null}),
            json!({"inner": {"kind": null}, "maybe": {"required": true}}),
            json!({"inner": {"kind": "A"}}),
        ] {
            assert!(validator.is_valid(&good), "{good} {schema}");
        }
        for bad in [
            json!({"inner": {"kind": "C"}}),
            json!({"maybe": {"required": 1}}),
            json!({"count": "many"}),
        ] {
            assert!(!validator.is_valid(&bad), "{bad} {schema}");
        }
    }
}
