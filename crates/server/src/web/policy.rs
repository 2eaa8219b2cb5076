//! What a browser may do with what we serve.

use axum::http::{HeaderMap, HeaderName, HeaderValue, header};

use crate::config::Config;

const PERMISSIONS_POLICY: HeaderName = HeaderName::from_static("permissions-policy");

/// The Content-Security-Policy of each page.
#[derive(Debug, Clone)]
pub struct Policies {
    /// The console asks this origin alone, and runs no script but its own.
    pub console: HeaderValue,
    /// The meeting has the official UI kit: it writes style elements, draws on blobs, and its client asks the hosts
    /// below the base domain. What it would fetch from its maker's hosts (a font, sounds, pictures of
    /// browser menus, people's pictures) is not on the list; it does without.
    pub meet: HeaderValue,
}

impl Policies {
    /// The policies of an installation.
    pub fn new(config: &Config) -> Self {
        let base = &config.base_domain;
        // Files of the chat are behind links that begin so.
        let links = url::Url::parse(&config.public_url).map(|url| url.origin().ascii_serialization());
        let links = links.unwrap_or_default();
        let common = "default-src 'none'; script-src 'self'; font-src 'self'; manifest-src 'self'; \
            base-uri 'none'; form-action 'none'; frame-ancestors 'none'";
        let console = format!("{common}; style-src 'self'; img-src 'self' data:; connect-src 'self'");
        let meet = format!(
            "{common}; style-src 'self' 'unsafe-inline'; img-src 'self' data: blob: {links}; \
             media-src 'self' blob: {links}; worker-src blob:; \
             connect-src 'self' {links} https://*.{base} wss://*.{base}"
        );
        // Host names and origins have no character that a header could not carry.
        let value = |text: String| {
            HeaderValue::try_from(text).unwrap_or(HeaderValue::from_static("default-src 'none'"))
        };
        Self {
            console: value(console),
            meet: value(meet),
        }
    }
}

/// For a page.
pub fn apply(headers: &mut HeaderMap, policy: &HeaderValue) {
    headers.insert(header::CONTENT_SECURITY_POLICY, policy.clone());
    headers.insert(
        PERMISSIONS_POLICY,
        HeaderValue::from_static("geolocation=(), payment=(), usb=(), serial=(), hid=(), midi=()"),
    );
    headers.insert(
        HeaderName::from_static("cross-origin-opener-policy"),
        HeaderValue::from_static("same-origin"),
    );
    headers.insert(header::X_FRAME_OPTIONS, HeaderValue::from_static("DENY"));
    guard(headers);
}

/// For what is part of a page: by itself it shows and runs nothing.
pub fn inert(headers: &mut HeaderMap) {
    headers.insert(
        header::CONTENT_SECURITY_POLICY,
        HeaderValue::from_static("default-src 'none'; frame-ancestors 'none'"),
    );
    guard(headers);
}

/// No guessing of types; and no address of ours, which may name a meeting, is told to anybody.
fn guard(headers: &mut HeaderMap) {
    headers.insert(
        header::X_CONTENT_TYPE_OPTIONS,
        HeaderValue::from_static("nosniff"),
    );
    headers.insert(header::REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
}
