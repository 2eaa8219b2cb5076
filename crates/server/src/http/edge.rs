//! What surrounds every request: limits, its id, its log line, its place in the metrics.

use std::{
    net::{IpAddr, SocketAddr},
    panic::AssertUnwindSafe,
    time::{Duration, Instant},
};

use axum::{
    extract::{ConnectInfo, MatchedPath, Request, State},
    http::{Extensions, HeaderMap, HeaderName, HeaderValue, Method, StatusCode, Uri, header},
    middleware::Next,
    response::{IntoResponse, Response},
};
use futures::FutureExt;
use muster_model::{AccountId, AppId};
use uuid::Uuid;

use super::unread::BodyRead;
use crate::{
    api::{
        error::{ApiError, WriteFailed},
        router::PREFIX,
    },
    app::App,
    client_api::uploads::UPLOAD,
};

const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
const SHOULD_RETRY: HeaderName = HeaderName::from_static("x-should-retry");

/// How long a client may take to send a file.
const UPLOAD_TIMEOUT: Duration = Duration::from_secs(300);

/// Accepts a trailing slash: the route is found as if it were not there.
pub fn trim_trailing_slash(mut request: Request) -> Request {
    let path = request.uri().path();
    if path.len() > 1 && path.ends_with('/') {
        let trimmed = path.trim_end_matches('/');
        let text = match request.uri().query() {
            Some(query) => format!("{trimmed}?{query}"),
            None if trimmed.is_empty() => "/".to_owned(),
            None => trimmed.to_owned(),
        };
        if let Ok(uri) = text.parse::<Uri>() {
            *request.uri_mut() = uri;
        }
    }
    request
}

/// Hosts at whose root clients leave what is counted and dropped, and the path that takes it.
const REPORT_HOSTS: [(&str, &str); 4] = [
    ("api-silos.", "/otel/logs"),
    ("da-collector.", "/api/v1/message"),
    ("location.", "/location"),
    ("location-legacy.", "/location"),
];

/// Gives the root of a host that takes reports the path that does, unless that host is the base itself.
pub fn path_for_host(mut request: Request, base_domain: &str) -> Request {
    if request.uri().path() != "/" {
        return request;
    }
    let of_header = request.headers().get(header::HOST);
    let host = of_header
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default();
    let starts = |prefix: &str| {
        host.get(..prefix.len())
            .is_some_and(|start| start.eq_ignore_ascii_case(prefix))
    };
    let path = REPORT_HOSTS.iter().find(|(prefix, _)| starts(prefix));
    let name = |host: &str| host.split(':').next().unwrap_or_default().to_ascii_lowercase();
    if let Some((_, path)) = path
        && name(host) != name(base_domain)
        && let Ok(uri) = match request.uri().query() {
            Some(query) => format!("{path}?{query}").parse::<Uri>(),
            None => path.parse(),
        }
    {
        *request.uri_mut() = uri;
    }
    request
}

/// Runs the request within its limits, and notes what came of it.
pub async fn edge(State(app): State<App>, request: Request, next: Next) -> Response {
    let started = Instant::now();
    let id = Uuid::now_v7();
    let about = About::of(&app, &request);
    let (request, body_read) = BodyRead::watch(request);
    // A supervisor must be answered however many others ask.
    let permit = if matches!(request.uri().path(), "/healthz" | "/readyz") {
        Ok(None)
    } else {
        app.requests.try_acquire().map(Some)
    };
    let mut response = match permit {
        Err(_) => ApiError::unavailable("Too many requests at once").into_response(),
        Ok(_permit) => {
            let run = AssertUnwindSafe(next.run(request)).catch_unwind();
            match tokio::time::timeout(time_allowed(&app, &about.method, about.route()), run).await {
                Ok(Ok(response)) => response,
                Ok(Err(_)) => {
                    tracing::error!(request_id = %id, "a handler panicked");
                    ApiError::internal(anyhow::anyhow!("a handler panicked")).into_response()
                }
                Err(_) => ApiError::unavailable("The request took too long").into_response(),
            }
        }
    };
    if response.extensions().get::<WriteFailed>().is_some() {
        app.set_writable(false);
    }
    let status = response.status();
    let headers = response.headers_mut();
    let mut text = Uuid::encode_buffer();
    if let Ok(value) = HeaderValue::from_str(id.as_simple().encode_lower(&mut text)) {
        headers.insert(REQUEST_ID, value);
    }
    let in_flight = headers.contains_key(header::RETRY_AFTER);
    if matches!(status, StatusCode::CONFLICT | StatusCode::NOT_IMPLEMENTED) && !in_flight {
        // The official SDKs repeat 409 and 5xx unless told that it would not help.
        headers.insert(SHOULD_RETRY, HeaderValue::from_static("false"));
    }
    if body_read.is_unfinished() {
        headers.insert(header::CONNECTION, HeaderValue::from_static("close"));
    }
    let took = started.elapsed();
    app.metrics.request(&about.method, about.route(), status, took);
    tracing::info!(
        target: "access",
        request_id = %id.as_simple(),
        account = about.account.as_ref().map(AccountId::as_str),
        app = about.app.as_ref().map(tracing::field::display),
        client = about.client.as_ref().map(tracing::field::display),
        method = about.method.as_str(),
        route = about.route(),
        status = status.as_u16(),
        took_us = u64::try_from(took.as_micros()).unwrap_or(u64::MAX),
    );
    response
}

/// How long a request may take. A file may come over a slow line.
fn time_allowed(app: &App, method: &Method, route: &str) -> Duration {
    if *method == Method::PUT && route == UPLOAD {
        app.config.request_timeout.max(UPLOAD_TIMEOUT)
    } else {
        app.config.request_timeout
    }
}

/// What may be told of a request: no query, no free text of the path, no header.
struct About {
    method: Method,
    matched: Option<MatchedPath>,
    account: Option<AccountId>,
    app: Option<AppId>,
    client: Option<IpAddr>,
}

impl About {
    fn of(app: &App, request: &Request) -> Self {
        let path = request.uri().path();
        let path = path.strip_prefix(PREFIX).unwrap_or(path);
        let mut parts = path.strip_prefix("/accounts/").unwrap_or_default().split('/');
        let account = parts.next().and_then(|text| text.parse().ok());
        let app_id = match (parts.next(), parts.next(), parts.next()) {
            (Some("realtime"), Some("kit"), Some("apps")) => parts.next(),
            (Some("realtime"), Some("kit"), id) => id,
            _ => None,
        };
        Self {
            method: request.method().clone(),
            matched: request.extensions().get::<MatchedPath>().cloned(),
            account,
            app: app_id.and_then(|text| text.parse().ok()),
            client: client_address(app, request.extensions(), request.headers()),
        }
    }

    /// The route's template without the prefix, so that both spellings count as one.
    fn route(&self) -> &str {
        let path = self.matched.as_ref().map_or("(none)", MatchedPath::as_str);
        path.strip_prefix(PREFIX).unwrap_or(path)
    }
}

/// Who connected; behind a trusted proxy, who the proxy says did.
pub fn client_address(app: &App, extensions: &Extensions, headers: &HeaderMap) -> Option<IpAddr> {
    let ConnectInfo(peer) = extensions.get::<ConnectInfo<SocketAddr>>()?;
    let trusted = |ip: &IpAddr| app.config.trusted_proxies.iter().any(|net| net.contains(ip));
    let mut client = peer.ip().to_canonical();
    if !trusted(&client) {
        return Some(client);
    }
    // Each proxy appends, to the last line or as a line of its own; the first ones may be forged.
    let lines: Vec<&str> = headers
        .get_all("x-forwarded-for")
        .iter()
        .map(|value| value.to_str().unwrap_or_default())
        .collect();
    for hop in lines.iter().rev().flat_map(|line| line.rsplit(',')) {
        let Ok(ip) = hop.trim().parse::<IpAddr>() else {
            break;
        };
        client = ip.to_canonical();
        if !trusted(&client) {
            break;
        }
    }
    Some(client)
}

#[cfg(test)]
mod tests {
    use axum::body::Body;

    use super::*;

    #[test]
    fn the_root_of_report_hosts_leads_to_what_takes_them() {
        let led = |host: &str, uri: &str, base: &str| {
            let request = Request::builder().uri(uri).header(header::HOST, host);
            let request = request.body(Body::empty()).unwrap();
            path_for_host(request, base).uri().to_string()
        };
        for (host, uri, path) in [
            ("api-silos.rtk.test", "/", "/otel/logs"),
            ("DA-Collector.rtk.test:8443", "/", "/api/v1/message"),
            ("location.rtk.test", "/?a=b", "/location?a=b"),
            ("location-legacy.rtk.test", "/?token=x", "/location?token=x"),
            ("api-silos.rtk.test", "/healthz", "/healthz"),
            ("api.rtk.test", "/", "/"),
            ("locations.rtk.test", "/", "/"),
            ("", "/", "/"),
            ("é", "/", "/"),
        ] {
            assert_eq!(led(host, uri, "rtk.test:8443"), path, "{host}{uri}");
        }
        assert_eq!(
            led("location.test:8443", "/", "location.test"),
            "/",
            "the base itself"
        );
    }
}
