//! The OpenAPI document, made from the route table.

use axum::{http::StatusCode, response::Response};
use serde_json::{Map, Value, json};

use super::{
    respond::json_bytes,
    route::{Access, Components, Route},
    router::{PREFIX, root_routes, routes},
};

/// The document as committed in `openapi.json`: pretty-printed, with a newline at the end.
pub fn document() -> String {
    let mut components = Components::new();
    components.insert("Failure".into(), failure_schema());
    let mut paths = Map::new();
    for route in routes() {
        add(&mut paths, &route, &mut components, None);
    }
    for route in root_routes() {
        add(&mut paths, &route, &mut components, Some("/"));
    }
    let document = json!({
        "openapi": "3.1.0",
        "info": {
            "title": "Muster",
            "description": "A meeting server that speaks the interfaces of Cloudflare RealtimeKit.",
            "version": env!("CARGO_PKG_VERSION"),
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "servers": [{"url": PREFIX}],
        "security": [{"api_token": []}, {"api_email": [], "api_key": []}],
        "paths": paths,
        "components": {
            "schemas": components,
            "responses": {"Failure": {
                "description": "What went wrong.",
                "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Failure"}}},
            }},
            "securitySchemes": {
                "api_token": {"type": "http", "scheme": "bearer"},
                "api_email": {"type": "apiKey", "in": "header", "name": "X-Auth-Email"},
                "api_key": {"type": "apiKey", "in": "header", "name": "X-Auth-Key"},
            },
        },
    });
    let mut text = serde_json::to_string_pretty(&document).unwrap_or_default();
    text.push('\n');
    text
}

/// `GET /openapi.json`.
pub async fn serve() -> Response {
    static TEXT: std::sync::OnceLock<String> = std::sync::OnceLock::new();
    json_bytes(StatusCode::OK, TEXT.get_or_init(document).as_str().into())
}

fn add(paths: &mut Map<String, Value>, route: &Route, components: &mut Components, server: Option<&str>) {
    let path = paths.entry(route.path).or_insert_with(|| json!({}));
    if let Some(server) = server {
        path["servers"] = json!([{"url": server}]);
    }
    let method = route.method.as_str().to_lowercase();
    path[method] = operation(route, components);
}

fn operation(route: &Route, components: &mut Components) -> Value {
    let mut parameters: Vec<Value> = route.path_params().map(path_parameter).collect();
    for param in &route.query {
        parameters.push(json!({
            "name": param.name, "in": "query", "required": false,
            "description": param.about, "schema": param.schema(), "allowEmptyValue": true,
        }));
    }
    if route.method == axum::http::Method::POST {
        parameters.push(json!({
            "name": "Idempotency-Key", "in": "header", "required": false,
            "description": "Extension: a repeated request with the same key answers the same.",
            "schema": {"type": "string", "minLength": 1, "maxLength": 255, "pattern": "^[!-~]+$"},
        }));
    }
    let (status, schema) = route.answer_schema(components);
    let mut responses = Map::new();
    responses.insert(
        status.to_string(),
        json!({"description": "Success.", "content": {"application/json": {"schema": schema}}}),
    );
    for status in failures(route) {
        responses.insert(
            status.to_string(),
            json!({"$ref": "#/components/responses/Failure"}),
        );
    }
    let mut operation = json!({
        "operationId": route.id,
        "summary": route.summary,
        "tags": [tag(route.path)],
        "parameters": parameters,
        "responses": responses,
    });
    if route.access == Access::Public {
        operation["security"] = json!([]);
    }
    if let Some((required, schema)) = route.body_schema(components) {
        operation["requestBody"] =
            json!({"required": required, "content": {"application/json": {"schema": schema}}});
    }
    operation
}

fn path_parameter(name: &str) -> Value {
    let schema = match name {
        "account_id" => {
            json!({"type": "string", "minLength": 1, "maxLength": 32, "pattern": "^[A-Za-z0-9_-]+$"})
        }
        _ => json!({"type": "string", "format": "uuid"}),
    };
    json!({"name": name, "in": "path", "required": true, "schema": schema})
}

/// The statuses of failure an operation can answer with.
fn failures(route: &Route) -> Vec<u16> {
    let mut statuses = match route.access {
        Access::Public => vec![503],
        Access::AnyToken => vec![400, 401, 403, 429, 500, 503],
        // Clients' own routes, which are not in the document.
        Access::Participant => vec![400, 401, 403, 404, 429, 500, 503],
        Access::SignedLink => vec![403, 404, 500, 503],
        Access::Account | Access::AccountAdmin | Access::App | Access::AppHistory | Access::AppOrMember => {
            vec![400, 401, 403, 404, 429, 500, 503]
        }
    };
    if route.method != axum::http::Method::GET {
        statuses.extend([409, 413, 422]);
    }
    if !route.built {
        statuses.push(501);
    }
    statuses.sort_unstable();
    statuses
}

fn tag(path: &str) -> &str {
    let rest = path.split("/realtime/kit/").nth(1).unwrap_or(path);
    let rest = rest.strip_prefix("{app_id}/").unwrap_or(rest);
    for (part, name) in [
        ("/participants", "participants"),
        ("/active-session", "active-session"),
        ("livestream", "livestreams"),
        ("tokens", "tokens"),
    ] {
        if rest.contains(part) && !rest.starts_with("sessions") && !rest.starts_with("analytics") {
            return name;
        }
    }
    rest.trim_start_matches('/').split('/').next().unwrap_or(rest)
}

fn failure_schema() -> Value {
    json!({
        "type": "object",
        "description": "Every failure, in a form that serves clients of both kinds of error.",
        "required": ["success", "error", "errors", "messages"],
        "properties": {
            "success": {"type": "boolean", "const": false},
            "error": {
                "type": "object",
                "required": ["code", "message"],
                "properties": {"code": {"type": "integer"}, "message": {"type": "string"}},
            },
            "errors": {"type": "array", "items": {
                "type": "object",
                "required": ["code", "message"],
                "properties": {
                    "code": {"type": "integer"},
                    "message": {"type": "string"},
                    "field": {"type": "string", "description": "Dotted path in the body, or a parameter."},
                },
            }},
            "messages": {"type": "array", "items": {}},
        },
    })
}
