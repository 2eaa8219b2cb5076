//! The OpenAPI document: the committed one is the one the code makes, and it holds together.

use std::{collections::BTreeSet, path::Path};

use muster_server::api::openapi::document;
use serde_json::Value;

fn parsed() -> Value {
    serde_json::from_str(&document()).unwrap()
}

fn each_value<'a>(value: &'a Value, visit: &mut impl FnMut(&'a Value)) {
    visit(value);
    match value {
        Value::Array(items) => items.iter().for_each(|item| each_value(item, visit)),
        Value::Object(fields) => fields.values().for_each(|field| each_value(field, visit)),
        _ => {}
    }
}

#[test]
fn the_committed_document_is_the_code_s() {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../openapi.json");
    let committed = std::fs::read_to_string(file).unwrap();
    assert!(
        committed == document(),
        "openapi.json is behind the code: cargo run --package muster-server -- openapi > openapi.json"
    );
}

#[test]
fn every_reference_leads_somewhere() {
    let document = parsed();
    let mut seen = 0;
    each_value(&document, &mut |value| {
        if let Some(target) = value.get("$ref").and_then(Value::as_str) {
            seen += 1;
            let pointer = target
                .strip_prefix('#')
                .unwrap_or_else(|| panic!("{target} leads outside"));
            assert!(document.pointer(pointer).is_some(), "{target} leads nowhere");
        }
    });
    assert!(seen > 50);
}

#[test]
fn every_component_is_used() {
    let document = parsed();
    let mut used = BTreeSet::new();
    each_value(&document, &mut |value| {
        used.extend(value.get("$ref").and_then(Value::as_str));
    });
    for name in document["components"]["schemas"].as_object().unwrap().keys() {
        assert!(
            used.contains(format!("#/components/schemas/{name}").as_str()),
            "{name} is not used"
        );
    }
}

#[test]
fn every_operation_is_whole() {
    let document = parsed();
    let mut ids = BTreeSet::new();
    for (path, operations) in document["paths"].as_object().unwrap() {
        let in_path: BTreeSet<&str> = path.split(['{', '}']).skip(1).step_by(2).collect();
        for (method, operation) in operations.as_object().unwrap() {
            if method == "servers" {
                continue;
            }
            let at = format!("{method} {path}");
            let id = operation["operationId"].as_str().unwrap();
            assert!(ids.insert(id), "{at}: {id} is taken");
            assert!(!operation["summary"].as_str().unwrap().is_empty(), "{at}");
            let parameters = operation["parameters"].as_array().unwrap();
            let declared: BTreeSet<&str> = parameters
                .iter()
                .filter(|parameter| parameter["in"] == "path")
                .map(|parameter| parameter["name"].as_str().unwrap())
                .collect();
            assert_eq!(declared, in_path, "{at}");
            for parameter in parameters {
                assert!(parameter["schema"].is_object(), "{at}: {parameter}");
            }
            let responses = operation["responses"].as_object().unwrap();
            let successes = responses.keys().filter(|status| status.starts_with('2')).count();
            assert_eq!(successes, 1, "{at}");
            for (status, response) in responses {
                assert!(
                    status.len() == 3 && status.parse::<u16>().is_ok(),
                    "{at}: {status}"
                );
                let described = response["description"].is_string() || response["$ref"].is_string();
                assert!(described, "{at}: {status}");
            }
            if let Some(body) = operation.get("requestBody") {
                assert!(body["content"]["application/json"]["schema"].is_object(), "{at}");
                assert!(method != "get" && method != "delete", "{at} takes a body");
            }
        }
    }
    assert!(ids.len() > 15);
}
