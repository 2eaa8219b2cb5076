//! Where a server is, and what a participant's token says.

use std::{net::SocketAddr, sync::Arc};

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use serde::Deserialize;
use tokio_rustls::rustls::ClientConfig;
use url::Url;

use crate::ClientError;

/// A server, its name resolved.
#[derive(Debug, Clone)]
pub struct Target {
    /// `http://host:port` or `https://host:port`.
    pub origin: Url,
    /// What its name resolves to; connections go nowhere else.
    pub addresses: Vec<SocketAddr>,
    /// For https.
    pub tls: Option<Arc<ClientConfig>>,
}

impl Target {
    /// Resolves an address. Unless `remote` is allowed, it must lead to this machine, in all that its
    /// name resolves to.
    pub async fn resolve(
        text: &str,
        remote: bool,
        tls: Option<Arc<ClientConfig>>,
    ) -> Result<Self, ClientError> {
        let not_http = || ClientError::Address(format!("{text} is no http or https address"));
        let origin = Url::parse(text).map_err(|_| not_http())?;
        let port = match origin.scheme() {
            "http" | "https" => origin.port_or_known_default().ok_or_else(not_http)?,
            _ => return Err(not_http()),
        };
        let host = origin.host_str().ok_or_else(not_http)?;
        let host = host.trim_start_matches('[').trim_end_matches(']').to_owned();
        let addresses: Vec<SocketAddr> = tokio::net::lookup_host((host.as_str(), port))
            .await
            .map_err(|error| ClientError::Address(format!("{host} cannot be resolved: {error}")))?
            .collect();
        if addresses.is_empty() {
            return Err(ClientError::Address(format!("{host} has no address")));
        }
        if !remote && !addresses.iter().all(|address| address.ip().is_loopback()) {
            return Err(ClientError::NotLoopback(host));
        }
        Ok(Self {
            origin,
            addresses,
            tls,
        })
    }
}

/// What a participant's token says. It is not verified: that is the server's business.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Claims {
    /// The meeting.
    pub meeting_id: String,
    /// The participant; `user_id` on the wire.
    pub participant_id: String,
}

impl Claims {
    /// Reads a token.
    pub fn read(token: &str) -> Result<Self, ClientError> {
        let part = token
            .split('.')
            .nth(1)
            .ok_or(ClientError::Token("it has no claims"))?;
        let bytes = BASE64_URL_SAFE_NO_PAD
            .decode(part)
            .map_err(|_| ClientError::Token("its claims are not base64"))?;
        serde_json::from_slice(&bytes).map_err(|_| ClientError::Token("claims are missing"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn only_this_machine_unless_allowed() {
        for near in ["http://127.0.0.1:8080", "http://[::1]:8080", "https://127.9.8.7"] {
            assert!(Target::resolve(near, false, None).await.is_ok(), "{near}");
        }
        for far in ["http://192.0.2.1:80", "http://[2001:db8::1]", "http://0.0.0.0:80"] {
            let refused = Target::resolve(far, false, None).await;
            assert!(matches!(refused, Err(ClientError::NotLoopback(_))), "{far}");
            assert!(Target::resolve(far, true, None).await.is_ok(), "{far}");
        }
        for none in ["127.0.0.1:80", "ftp://127.0.0.1", "nothing", "http:///x y"] {
            let refused = Target::resolve(none, true, None).await;
            assert!(matches!(refused, Err(ClientError::Address(_))), "{none}");
        }
    }

    #[test]
    fn a_token_tells_whose_it_is() {
        let claims = BASE64_URL_SAFE_NO_PAD.encode(r#"{"meetingId":"m","participantId":"p","exp":1}"#);
        let read = Claims::read(&format!("header.{claims}.signature")).unwrap();
        assert_eq!(
            (read.meeting_id.as_str(), read.participant_id.as_str()),
            ("m", "p")
        );
        for broken in ["", "a.b", "a.!.c", "a.e30.c"] {
            assert!(Claims::read(broken).is_err(), "{broken}");
        }
    }
}
