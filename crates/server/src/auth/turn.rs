//! Credentials for a TURN relay that shares a secret with us: they hold for a while, and the relay can check
//! them without asking (the REST scheme of coturn's `use-auth-secret`).

use std::time::Duration;

use aws_lc_rs::hmac;
use base64::{Engine, prelude::BASE64_STANDARD};
use muster_model::{ParticipantId, Timestamp};

/// How long lent credentials hold. A call that goes on longer keeps the allocation it has.
const LENT_FOR: Duration = Duration::from_secs(24 * 3600);

/// A relay.
#[derive(Clone)]
pub struct TurnRelay {
    /// Such as `turn:turn.example.org:3478?transport=udp`.
    pub urls: Vec<String>,
    secret: String,
}

impl std::fmt::Debug for TurnRelay {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("TurnRelay")
            .field("urls", &self.urls)
            .finish_non_exhaustive()
    }
}

/// What a client shows the relay.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lent {
    /// The end of its time in seconds since 1970, and whose it is.
    pub username: String,
    /// Base64 of the HMAC-SHA1 over the username.
    pub credential: String,
}

impl TurnRelay {
    /// A relay whose every address is one of TURN.
    pub fn new(urls: Vec<String>, secret: String) -> anyhow::Result<Self> {
        for url in &urls {
            anyhow::ensure!(
                url.starts_with("turn:") || url.starts_with("turns:"),
                "turn_urls: {url} begins with neither turn: nor turns:"
            );
        }
        anyhow::ensure!(!secret.is_empty(), "turn_urls needs turn_secret");
        Ok(Self { urls, secret })
    }

    /// Credentials for a participant.
    pub fn lend(&self, participant: ParticipantId, now: Timestamp) -> Lent {
        let username = format!("{}:{participant}", now.plus(LENT_FOR).as_secs());
        // The scheme knows SHA-1 alone; what is signed is short-lived and not a secret.
        let key = hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, self.secret.as_bytes());
        let credential = BASE64_STANDARD.encode(hmac::sign(&key, username.as_bytes()));
        Lent { username, credential }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn credentials_are_those_that_openssl_makes() {
        let relay = TurnRelay::new(vec!["turn:relay.example:3478".into()], "north".into()).unwrap();
        let participant = "6f0e7a6c-1b2c-4d5e-8f90-a1b2c3d4e5f6".parse().unwrap();
        let lent = relay.lend(participant, Timestamp::from_secs(1_800_000_000));
        assert_eq!(lent.username, "1800086400:6f0e7a6c-1b2c-4d5e-8f90-a1b2c3d4e5f6");
        // printf %s "$username" | openssl dgst -sha1 -hmac north -binary | base64
        assert_eq!(lent.credential, "FtIKXmEo+M1IX/J2T6tF2NWZdrg=");
        assert!(!format!("{relay:?}").contains("north"));
    }

    #[test]
    fn wrong_settings_are_told() {
        let of = |url: &str, secret: &str| TurnRelay::new(vec![url.into()], secret.into());
        assert!(of("https://relay.example", "s").is_err());
        assert!(of("turn:relay.example", "").is_err());
        assert!(of("turns:relay.example:5349?transport=tcp", "s").is_ok());
    }
}
