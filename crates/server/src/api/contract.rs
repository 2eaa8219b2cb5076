//! Our document against the published contract.
//!
//! `contract/published.json` lists what the contract asks of each operation (`scripts/contract-list.py`
//! makes it). A client that was written to the contract must find every operation, parameter, status
//! and field it counts on, and must not be asked for more.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;
use serde_json::Value;

use super::route::Components;

const PUBLISHED: &str = include_str!("../../../../contract/published.json");
/// All operations of the contract stand below this.
const BELOW: &str = "/accounts/{}/realtime/kit";

/// Where we differ on purpose: the difference as the test tells it, and why. One that no longer
/// occurs fails the test too, so that the list stays true.
const ON_PURPOSE: &[(&str, &str)] = &[];

#[derive(Deserialize)]
struct Published {
    operations: Vec<Operation>,
}

#[derive(Deserialize)]
struct Operation {
    method: String,
    path: String,
    query: Vec<String>,
    /// Whether a body must be sent; `None` where none is taken.
    body: Option<bool>,
    body_required: BTreeSet<String>,
    success: Vec<u16>,
    errors: Vec<u16>,
    response_required: BTreeMap<u16, BTreeSet<String>>,
}

struct Ours {
    document: Value,
    /// By method and normalised path.
    operations: BTreeMap<(String, String), Value>,
}

impl Ours {
    fn read() -> Self {
        let document: Value = serde_json::from_str(&super::openapi::document()).unwrap();
        let mut operations = BTreeMap::new();
        for (path, item) in document["paths"].as_object().unwrap() {
            for (method, operation) in item.as_object().unwrap() {
                operations.insert((method.to_uppercase(), normalised(path)), operation.clone());
            }
        }
        Self { document, operations }
    }

    fn resolve<'a>(&'a self, mut node: &'a Value) -> &'a Value {
        while let Some(reference) = node["$ref"].as_str() {
            let pointer = reference.strip_prefix('#').unwrap();
            node = self
                .document
                .pointer(pointer)
                .unwrap_or_else(|| panic!("{reference} leads nowhere"));
        }
        node
    }

    fn body_schema<'a>(&'a self, holder: &'a Value) -> &'a Value {
        &self.resolve(holder)["content"]["application/json"]["schema"]
    }

    /// Dotted paths of the fields that must be there wherever what they stand in is there; `[]` is an
    /// element of an array. Of alternatives, only what all of them require counts.
    fn required(&self, schema: &Value) -> BTreeSet<String> {
        let mut found = BTreeSet::new();
        self.gather(schema, "", &mut Vec::new(), &mut found);
        found
    }

    fn gather<'a>(
        &'a self,
        schema: &'a Value,
        path: &str,
        inside: &mut Vec<*const Value>,
        found: &mut BTreeSet<String>,
    ) {
        let schema = self.resolve(schema);
        if inside.contains(&std::ptr::from_ref(schema)) {
            return;
        }
        inside.push(std::ptr::from_ref(schema));
        for name in list(&schema["required"]).filter_map(Value::as_str) {
            found.insert(join(path, name));
        }
        for (name, field) in schema["properties"].as_object().into_iter().flatten() {
            self.gather(field, &join(path, name), inside, found);
        }
        if schema["items"].is_object() {
            self.gather(&schema["items"], &format!("{path}[]"), inside, found);
        }
        for part in list(&schema["allOf"]) {
            self.gather(part, path, inside, found);
        }
        for alternatives in ["oneOf", "anyOf"] {
            let common = list(&schema[alternatives])
                .filter(|part| part["type"] != "null")
                .map(|part| {
                    let mut own = BTreeSet::new();
                    self.gather(part, path, inside, &mut own);
                    own
                })
                .reduce(|one, other| &one & &other);
            found.extend(common.unwrap_or_default());
        }
        inside.pop();
    }

    /// Everything in which our operation keeps a client of the published one from working.
    fn differences(&self, theirs: &Operation) -> Vec<String> {
        let Some(ours) = self.operations.get(&(theirs.method.clone(), theirs.path.clone())) else {
            return vec!["is missing".into()];
        };
        let mut told = Vec::new();
        let offered: BTreeSet<&str> = list(&ours["parameters"])
            .filter(|parameter| parameter["in"] == "query")
            .filter_map(|parameter| parameter["name"].as_str())
            .collect();
        for name in &theirs.query {
            if !offered.contains(name.as_str()) {
                told.push(format!("query parameter {name} is not offered"));
            }
        }
        for parameter in list(&ours["parameters"]) {
            if parameter["in"] != "path" && parameter["required"] == true {
                told.push(format!("parameter {} is required", parameter["name"]));
            }
        }
        let body = &ours["requestBody"];
        match theirs.body {
            Some(_) if body.is_null() => told.push("takes no body".into()),
            None | Some(false) if body["required"] == true => told.push("a body is required".into()),
            _ => {}
        }
        for field in self
            .required(self.body_schema(body))
            .difference(&theirs.body_required)
        {
            told.push(format!("body field {field} is required"));
        }
        for status in theirs.success.iter().chain(&theirs.errors) {
            let answer = &ours["responses"][status.to_string()];
            if answer.is_null() {
                told.push(format!("status {status} is not documented"));
                continue;
            }
            let certain = self.required(self.body_schema(answer));
            for field in theirs.response_required[status].difference(&certain) {
                told.push(format!("answer {status}: field {field} is not certain"));
            }
        }
        for status in ours["responses"].as_object().unwrap().keys() {
            if status.starts_with('2') && !theirs.success.iter().any(|s| s.to_string() == *status) {
                told.push(format!("success is {status}"));
            }
        }
        told
    }
}

fn list(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().into_iter().flatten()
}

fn join(path: &str, name: &str) -> String {
    match path {
        "" => name.to_owned(),
        _ => format!("{path}.{name}"),
    }
}

fn normalised(path: &str) -> String {
    let mut text = String::new();
    for (index, part) in path.split(['{', '}']).enumerate() {
        text.push_str(if index % 2 == 0 { part } else { "{}" });
    }
    text.strip_prefix(BELOW).map(str::to_owned).unwrap_or(text)
}

#[test]
fn a_client_of_the_published_contract_finds_all_it_counts_on() {
    let published: Published = serde_json::from_str(PUBLISHED).unwrap();
    assert_eq!(published.operations.len(), 62);
    let ours = Ours::read();
    let mut told = BTreeSet::new();
    for operation in &published.operations {
        for difference in ours.differences(operation) {
            told.insert(format!("{} {}: {difference}", operation.method, operation.path));
        }
    }
    let expected: BTreeSet<String> = ON_PURPOSE.iter().map(|(what, _)| (*what).to_owned()).collect();
    let unwanted: Vec<_> = told.difference(&expected).collect();
    let outdated: Vec<_> = expected.difference(&told).collect();
    assert!(
        unwanted.is_empty() && outdated.is_empty(),
        "{} differences: {unwanted:#?}\nno longer so: {outdated:#?}",
        unwanted.len()
    );
}

#[test]
fn one_name_means_one_schema() {
    let mut seen: BTreeMap<String, Value> = BTreeMap::new();
    for route in super::router::routes() {
        let mut components = Components::new();
        route.body_schema(&mut components);
        route.answer_schema(&mut components);
        for (name, schema) in components {
            let first = seen.entry(name.clone()).or_insert_with(|| schema.clone());
            assert_eq!(*first, schema, "{name} is two things, one of them in {route:?}");
        }
    }
}

#[test]
fn every_schema_of_the_document_compiles() {
    let ours = Ours::read();
    for (name, schema) in ours.document["components"]["schemas"].as_object().unwrap() {
        // A schema that does not compile would check nothing.
        let mut whole = schema.clone();
        whole["components"] = ours.document["components"].clone();
        if let Err(error) = jsonschema::validator_for(&whole) {
            panic!("{name}: {error}");
        }
    }
}
