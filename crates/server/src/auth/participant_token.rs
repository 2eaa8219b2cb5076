//! Participant tokens: JWTs signed with Ed25519 (RFC 8037) by a key made at first start.
//!
//! The client SDK reads the payload without verifying it; only this server verifies.

use std::time::Duration;

use anyhow::Context;
use aws_lc_rs::{
    rand::SystemRandom,
    signature::{Ed25519KeyPair, KeyPair},
};
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation};
use muster_model::{AppId, MeetingId, ParticipantId, PresetId, Timestamp, participant::Participant};
use muster_store::Store;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::master_key::MasterKey;

const KEY_NAME: &str = "participant-tokens";

/// What a participant token says. The names are the protocol's.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Claims {
    /// The app.
    #[serde(rename = "orgId")]
    pub app: AppId,
    /// The meeting it opens.
    #[serde(rename = "meetingId")]
    pub meeting: MeetingId,
    /// The participant it is for.
    #[serde(rename = "participantId")]
    pub participant: ParticipantId,
    /// The preset at the time of signing; the participant's record has the one that counts.
    #[serde(rename = "presetId")]
    pub preset: PresetId,
    /// This token's own id.
    pub jti: Uuid,
    /// Seconds since 1970 at which it was signed.
    pub iat: i64,
    /// Seconds since 1970 from which it no longer holds.
    pub exp: i64,
}

/// A signed token and when it ends.
#[derive(Debug, Clone)]
pub struct SignedToken {
    /// The JWT.
    pub token: String,
    /// When it ceases to hold.
    pub expires_at: Timestamp,
}

/// The token is not one of ours, is not for this, or has expired.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a valid participant token")]
pub struct InvalidToken;

/// Signs and verifies participant tokens.
pub struct ParticipantTokens {
    signing: EncodingKey,
    verifying: DecodingKey,
    validation: Validation,
}

impl std::fmt::Debug for ParticipantTokens {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("ParticipantTokens")
    }
}

impl ParticipantTokens {
    /// Reads the installation's signing key, or makes it at first start.
    pub async fn load_or_create(store: &Store, master: &MasterKey) -> anyhow::Result<Self> {
        let sealed = if let Some(sealed) = store.key(KEY_NAME).await? {
            sealed
        } else {
            let fresh =
                Ed25519KeyPair::generate_pkcs8(&SystemRandom::new()).context("no randomness for a key")?;
            store
                .keep_key(KEY_NAME, master.seal(KEY_NAME, fresh.as_ref())?, Timestamp::now())
                .await?
        };
        let pkcs8 = master.open(KEY_NAME, &sealed).context(
            "this database was used with another master key; give that file with --master-key-file",
        )?;
        Self::from_pkcs8(&pkcs8)
    }

    /// Whether the installation has a signing key, and so a master key that sealed it.
    pub async fn has_key(store: &Store) -> anyhow::Result<bool> {
        Ok(store.key(KEY_NAME).await?.is_some())
    }

    fn from_pkcs8(pkcs8: &[u8]) -> anyhow::Result<Self> {
        let pair = Ed25519KeyPair::from_pkcs8(pkcs8).context("the stored signing key does not read")?;
        let mut validation = Validation::new(Algorithm::EdDSA);
        validation.leeway = 0;
        validation.set_required_spec_claims(&["exp"]);
        Ok(Self {
            signing: EncodingKey::from_ed_der(pkcs8),
            verifying: DecodingKey::from_ed_der(pair.public_key().as_ref()),
            validation,
        })
    }

    /// Signs a token for a participant.
    pub fn sign(
        &self,
        app: AppId,
        participant: &Participant,
        ttl: Duration,
        now: Timestamp,
    ) -> anyhow::Result<SignedToken> {
        self.sign_for(
            app,
            participant.meeting_id,
            participant.id,
            participant.preset_id,
            ttl,
            now,
        )
    }

    /// Signs a token for a meeting that need not be the participant's own, such as a breakout room of it.
    pub fn sign_for(
        &self,
        app: AppId,
        meeting: MeetingId,
        participant: ParticipantId,
        preset: PresetId,
        ttl: Duration,
        now: Timestamp,
    ) -> anyhow::Result<SignedToken> {
        let expires_at = Timestamp::from_secs(now.plus(ttl).as_secs());
        let claims = Claims {
            app,
            meeting,
            participant,
            preset,
            jti: Uuid::new_v4(),
            iat: now.as_secs(),
            exp: expires_at.as_secs(),
        };
        let token = jsonwebtoken::encode(&Header::new(Algorithm::EdDSA), &claims, &self.signing)?;
        Ok(SignedToken { token, expires_at })
    }

    /// What a token says, if it is ours and holds. Whether its participant still exists is the
    /// store's to say.
    pub fn verify(&self, token: &str) -> Result<Claims, InvalidToken> {
        jsonwebtoken::decode::<Claims>(token, &self.verifying, &self.validation)
            .map(|data| data.claims)
            .map_err(|_| InvalidToken)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tokens() -> ParticipantTokens {
        let pkcs8 = Ed25519KeyPair::generate_pkcs8(&SystemRandom::new()).unwrap();
        ParticipantTokens::from_pkcs8(pkcs8.as_ref()).unwrap()
    }

    fn participant() -> Participant {
        Participant {
            id: ParticipantId::random(),
            meeting_id: MeetingId::random(),
            preset_id: PresetId::random(),
            preset_name: "p".into(),
            custom_participant_id: "c".into(),
            name: None,
            picture: None,
            banned: false,
            created_at: Timestamp::default(),
            updated_at: Timestamp::default(),
        }
    }

    #[test]
    fn what_is_signed_verifies_until_it_ends() {
        let (tokens, person, app) = (tokens(), participant(), AppId::random());
        let now = Timestamp::now();
        let signed = tokens.sign(app, &person, Duration::from_secs(60), now).unwrap();
        assert!(signed.token.starts_with("eyJ"));
        let claims = tokens.verify(&signed.token).unwrap();
        assert_eq!(
            (claims.app, claims.participant, claims.exp - claims.iat),
            (app, person.id, 60)
        );
        let old = tokens
            .sign(
                app,
                &person,
                Duration::from_secs(60),
                now.minus(Duration::from_secs(61)),
            )
            .unwrap();
        assert_eq!(tokens.verify(&old.token), Err(InvalidToken));
    }

    #[test]
    fn other_keys_and_algorithms_are_refused() {
        let (person, app) = (participant(), AppId::random());
        let foreign = tokens()
            .sign(app, &person, Duration::from_secs(60), Timestamp::now())
            .unwrap();
        assert_eq!(tokens().verify(&foreign.token), Err(InvalidToken));
        let claims = foreign.token.split('.').nth(1).unwrap();
        // {"alg":"none","typ":"JWT"}
        let unsigned = format!("eyJhbGciOiJub25lIiwidHlwIjoiSldUIn0.{claims}.");
        assert_eq!(tokens().verify(&unsigned), Err(InvalidToken));
    }
}
