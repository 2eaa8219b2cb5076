//! JSON merge patch (RFC 7396): objects merge, `null` removes, everything else replaces.

use serde_json::{Map, Value};

/// Merges a change into a JSON object.
pub fn merge(target: &mut Map<String, Value>, change: Map<String, Value>) {
    for (name, value) in change {
        match value {
            Value::Null => {
                target.remove(&name);
            }
            Value::Object(inner) => {
                // Into an object in any case, so that what it removes is not there afterwards.
                let old = target.entry(name).or_insert(Value::Null);
                if !old.is_object() {
                    *old = Value::Object(Map::new());
                }
                if let Value::Object(old) = old {
                    merge(old, inner);
                }
            }
            value => {
                target.insert(name, value);
            }
        }
    }
}

/// What was given, over `defaults` wherever it says nothing or `null`.
pub fn over_defaults(mut defaults: Map<String, Value>, given: Map<String, Value>) -> Map<String, Value> {
    let mut said = Map::new();
    merge(&mut said, given);
    merge(&mut defaults, said);
    defaults
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn object(value: Value) -> Map<String, Value> {
        match value {
            Value::Object(object) => object,
            _ => panic!("an object"),
        }
    }

    /// The examples of the RFC's appendix whose target and change are objects.
    #[test]
    fn the_examples_of_the_rfc() {
        for (target, change, result) in [
            (json!({"a": "b"}), json!({"a": "c"}), json!({"a": "c"})),
            (json!({"a": "b"}), json!({"b": "c"}), json!({"a": "b", "b": "c"})),
            (json!({"a": "b"}), json!({"a": null}), json!({})),
            (json!({"a": "b", "b": "c"}), json!({"a": null}), json!({"b": "c"})),
            (json!({"a": ["b"]}), json!({"a": "c"}), json!({"a": "c"})),
            (json!({"a": "c"}), json!({"a": ["b"]}), json!({"a": ["b"]})),
            (
                json!({"a": {"b": "c"}}),
                json!({"a": {"b": "d", "c": null}}),
                json!({"a": {"b": "d"}}),
            ),
            (json!({"a": [{"b": "c"}]}), json!({"a": [1]}), json!({"a": [1]})),
            (json!({"e": null}), json!({"a": 1}), json!({"e": null, "a": 1})),
            (
                json!({}),
                json!({"a": {"bb": {"ccc": null}}}),
                json!({"a": {"bb": {}}}),
            ),
        ] {
            let mut merged = object(target.clone());
            merge(&mut merged, object(change.clone()));
            assert_eq!(Value::Object(merged), result, "{target} and {change}");
        }
    }

    #[test]
    fn null_means_the_default() {
        let merged = over_defaults(
            object(json!({"a": 1, "b": {"c": 2, "d": 3}})),
            object(json!({"a": null, "b": {"c": null, "d": 4}, "e": 5})),
        );
        assert_eq!(
            Value::Object(merged),
            json!({"a": 1, "b": {"c": 2, "d": 4}, "e": 5})
        );
    }
}
