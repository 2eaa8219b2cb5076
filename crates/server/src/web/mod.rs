//! The web page: the console at `/` and below `/console`, a meeting at `/meet/{meeting_id}`.
//!
//! `web/` is built by Vite into `web/dist`, which is embedded here; the server runs without it, too, and
//! says how to build it. Every answer says what the page may load: `policy` has the rules.

mod files;
mod policy;

use axum::{
    Json, Router,
    extract::{Path, State},
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
    routing::get,
};
use rust_embed::RustEmbed;
use serde::Serialize;

use self::{
    files::{Caching, file},
    policy::Policies,
};
use crate::{api::error::ApiError, app::App, config::Config};

/// What Vite built. Debug builds read the folder at each request, so that a page can be built beside them.
#[derive(RustEmbed)]
#[folder = "../../web/dist"]
#[allow_missing = true]
struct Built;

/// Leads the client SDK's requests to the origin of the page, for `muster dev`.
const DEV_ORIGIN: &str = include_str!("dev-origin.js");
/// Stands in that script for the base domain, as a JavaScript string.
const BASE_DOMAIN: &str = "'the base domain'";

const NOT_BUILT: &str = "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><title>Muster</title>\
    <h1>The web page is not part of this program</h1>\
    <p>It is built with Node: <code>make build</code> (or <code>npm ci &amp;&amp; npm run build</code> in \
    <code>web/</code> before <code>cargo build</code>) makes a program that has it.</p>\
    <p>The API works without it: <a href=\"/openapi.json\">openapi.json</a>.</p></html>";

/// What pages are told of the server: `GET /settings.json`.
#[derive(Debug, Serialize)]
struct PageSettings<'a> {
    public_url: &'a str,
    base_domain: &'a str,
    dev: bool,
}

/// The routes of the page.
pub fn router(config: &Config) -> Router<App> {
    pages::<Built, App>(Policies::new(config))
        .route("/settings.json", get(settings))
        .route("/dev-origin.js", get(dev_origin))
}

/// The pages and their files, out of any folder.
fn pages<Files: RustEmbed + 'static, S: Clone + Send + Sync + 'static>(policies: Policies) -> Router<S> {
    let console = move |policy: HeaderValue| {
        get(async move |headers: HeaderMap| page::<Files>("index.html", &headers, &policy))
    };
    let meet =
        get(async move |headers: HeaderMap| page::<Files>("meet/index.html", &headers, &policies.meet));
    let mut router = Router::new();
    for path in ["/", "/console", "/console/{*rest}"] {
        router = router.route(path, console(policies.console.clone()));
    }
    router
        .route("/meet", meet.clone())
        .route("/meet/{meeting_id}", meet)
        .route("/assets/{name}", get(asset::<Files>))
}

/// A page; which screen of it is shown, its own script finds out.
fn page<Files: RustEmbed>(name: &str, headers: &HeaderMap, policy: &HeaderValue) -> Response {
    let mut response = file::<Files>(name, headers, Caching::Revalidate).unwrap_or_else(|| {
        let html = HeaderValue::from_static("text/html; charset=utf-8");
        (
            StatusCode::NOT_IMPLEMENTED,
            [(header::CONTENT_TYPE, html)],
            NOT_BUILT,
        )
            .into_response()
    });
    policy::apply(response.headers_mut(), policy);
    response
}

/// A file whose name tells its content: it never changes.
async fn asset<Files: RustEmbed>(Path(name): Path<String>, headers: HeaderMap) -> Response {
    // Vite makes one flat folder; a debug build looks into a real one.
    let inside = !name.contains(['/', '\\']);
    let found = inside.then(|| file::<Files>(&format!("assets/{name}"), &headers, Caching::Forever));
    let mut response = found
        .flatten()
        .unwrap_or_else(|| ApiError::no_route().into_response());
    policy::inert(response.headers_mut());
    response
}

async fn settings(State(app): State<App>) -> Response {
    let Config {
        public_url,
        base_domain,
        dev,
        ..
    } = &app.config;
    let told = PageSettings {
        public_url,
        base_domain,
        dev: *dev,
    };
    let mut response = Json(told).into_response();
    let headers = response.headers_mut();
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    policy::inert(headers);
    response
}

/// Only where everything is on one machine: elsewhere nothing should lead requests away from where they belong.
async fn dev_origin(State(app): State<App>) -> Response {
    if !app.config.dev {
        return ApiError::no_route().into_response();
    }
    // A host name needs no escapes.
    let script = DEV_ORIGIN.replacen(BASE_DOMAIN, &format!("'{}'", app.config.base_domain), 1);
    let javascript = HeaderValue::from_static("text/javascript; charset=utf-8");
    let mut response = ([(header::CONTENT_TYPE, javascript)], script).into_response();
    let headers = response.headers_mut();
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    policy::inert(headers);
    response
}

#[cfg(test)]
mod tests {
    use axum::{body::Body, http::Request};
    use http_body_util::BodyExt;
    use tower::ServiceExt;

    use super::*;
    use crate::config::Settings;

    #[derive(RustEmbed)]
    #[folder = "src/web/test-page"]
    struct TestPage;

    #[derive(RustEmbed)]
    #[folder = "src/web/nothing-here"]
    #[allow_missing = true]
    struct Nothing;

    fn policies() -> Policies {
        let settings = Settings {
            base_domain: Some("rtk.test:8443".into()),
            public_url: Some("https://meet.test/sub".parse().unwrap()),
            ..Settings::default()
        };
        Policies::new(&settings.resolve().unwrap())
    }

    async fn get_with<F: RustEmbed + 'static>(path: &str, headers: &[(&str, &str)]) -> (Response, String) {
        let mut request = Request::get(path);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let router: Router = pages::<F, ()>(policies());
        let response = router
            .oneshot(request.body(Body::empty()).unwrap())
            .await
            .unwrap();
        let (head, body) = response.into_parts();
        let body = body.collect().await.unwrap().to_bytes();
        let text = String::from_utf8(body.to_vec()).unwrap();
        (Response::from_parts(head, Body::empty()), text)
    }

    fn header(response: &Response, name: &str) -> String {
        let value = response.headers().get(name);
        value.map_or_else(String::new, |value| value.to_str().unwrap().to_owned())
    }

    #[tokio::test]
    async fn each_screen_is_the_page_that_shows_it() {
        for (path, title) in [
            ("/", "console"),
            ("/console", "console"),
            ("/console/meetings/1", "console"),
            ("/meet", "meet"),
            ("/meet/1", "meet"),
        ] {
            let (response, text) = get_with::<TestPage>(path, &[]).await;
            assert_eq!(response.status(), StatusCode::OK, "{path}");
            assert!(text.contains(title), "{path}: {text}");
            assert_eq!(header(&response, "content-type"), "text/html; charset=utf-8");
            assert_eq!(header(&response, "cache-control"), "no-cache");
            assert_eq!(header(&response, "referrer-policy"), "no-referrer");
            assert_eq!(header(&response, "x-content-type-options"), "nosniff");
            let policy = header(&response, "content-security-policy");
            assert!(
                policy.starts_with("default-src 'none'; script-src 'self';"),
                "{policy}"
            );
            assert!(policy.contains("frame-ancestors 'none'"), "{policy}");
            let lenient = policy.contains("unsafe-inline") || policy.contains("blob:");
            assert_eq!(lenient, title == "meet", "{policy}");
            if title == "meet" {
                let hosts =
                    "connect-src 'self' https://meet.test https://*.rtk.test:8443 wss://*.rtk.test:8443";
                assert!(policy.ends_with(hosts), "{policy}");
            }
        }
    }

    #[tokio::test]
    async fn assets_are_kept_and_come_in_the_smallest_form_that_is_taken() {
        let asset = "/assets/app-1a2b.js";
        for (accepted, encoding, text) in [
            ("gzip, deflate, br", "br", "as brotli\n"),
            ("br;q=0, gzip;q=0.5", "gzip", "as gzip\n"),
            ("identity", "", "console.log(1)\n"),
            ("bread", "", "console.log(1)\n"),
        ] {
            let (response, body) = get_with::<TestPage>(asset, &[("accept-encoding", accepted)]).await;
            assert_eq!(body, text, "{accepted}");
            assert_eq!(header(&response, "content-encoding"), encoding);
            assert_eq!(header(&response, "vary"), "accept-encoding");
            assert_eq!(
                header(&response, "content-type"),
                "text/javascript; charset=utf-8"
            );
            assert_eq!(
                header(&response, "cache-control"),
                "public, max-age=31536000, immutable"
            );
            let tag = header(&response, "etag");
            let known = [("accept-encoding", accepted), ("if-none-match", &tag)];
            let (again, body) = get_with::<TestPage>(asset, &known).await;
            assert_eq!((again.status(), body.as_str()), (StatusCode::NOT_MODIFIED, ""));
            assert_eq!(header(&again, "etag"), tag);
        }
        let (other, _) = get_with::<TestPage>(asset, &[("if-none-match", "\"another\"")]).await;
        assert_eq!(other.status(), StatusCode::OK);
    }

    #[tokio::test]
    async fn there_is_nothing_beside_the_assets() {
        for path in [
            "/assets/none.js",
            "/assets/app-1a2b.js.br",
            "/assets/../index.html",
            "/assets/%2e%2e/index.html",
            "/assets/%2e%2e%2findex.html",
            "/assets/..%5cindex.html",
            "/assets/%2e%2e/%2e%2e/mod.rs",
            "/assets//etc/passwd",
        ] {
            let (response, text) = get_with::<TestPage>(path, &[]).await;
            assert_eq!(response.status(), StatusCode::NOT_FOUND, "{path}: {text}");
        }
    }

    #[tokio::test]
    async fn without_a_page_it_is_told_how_to_build_it() {
        for path in ["/", "/console/apps", "/meet/1"] {
            let (response, text) = get_with::<Nothing>(path, &[]).await;
            assert_eq!(response.status(), StatusCode::NOT_IMPLEMENTED);
            assert!(text.contains("make build"), "{text}");
            assert!(header(&response, "content-security-policy").starts_with("default-src 'none'"));
        }
        let (response, _) = get_with::<Nothing>("/assets/app-1a2b.js", &[]).await;
        assert_eq!(response.status(), StatusCode::NOT_FOUND);
    }
}
