//! One type per identifier, so that a meeting id cannot be passed where a participant id is meant.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// A text that is not the identifier it was taken for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a valid {kind} id")]
pub struct ParseIdError {
    /// What the text was taken for, in lower case.
    pub kind: &'static str,
}

macro_rules! uuid_id {
    ($(#[$doc:meta])* $name:ident, $kind:literal) => {
        $(#[$doc])*
        ///
        /// A UUID; printed in lower case with hyphens, read in either case.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(Uuid);

        impl $name {
            /// A new random (version 4) id.
            pub fn random() -> Self {
                Self(Uuid::new_v4())
            }

            /// The UUID behind the id.
            pub const fn as_uuid(&self) -> &Uuid {
                &self.0
            }
        }

        impl From<Uuid> for $name {
            fn from(uuid: Uuid) -> Self {
                Self(uuid)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.as_hyphenated().fmt(f)
            }
        }

        impl FromStr for $name {
            type Err = ParseIdError;

            /// Reads the 36-character form only: other spellings of a UUID would be a second name
            /// for the same record.
            fn from_str(text: &str) -> Result<Self, ParseIdError> {
                if text.len() != 36 {
                    return Err(ParseIdError { kind: $kind });
                }
                Uuid::try_parse(text).map(Self).map_err(|_| ParseIdError { kind: $kind })
            }
        }
    };
}

uuid_id!(
    /// An app: the unit that owns presets, meetings and webhooks. `orgId` in participant tokens.
    AppId, "app"
);
uuid_id!(
    /// A meeting: a lasting room definition.
    MeetingId, "meeting"
);
uuid_id!(
    /// A participant: a person's lasting permission to join one meeting.
    ParticipantId, "participant"
);
uuid_id!(
    /// A preset: the rights and the look given to a participant.
    PresetId, "preset"
);
uuid_id!(
    /// A session: one stretch of time in which a meeting was live.
    SessionId, "session"
);
uuid_id!(
    /// A peer: one connection of a participant to a session.
    PeerId, "peer"
);
uuid_id!(
    /// A recording of a session.
    RecordingId, "recording"
);
uuid_id!(
    /// A livestream: an ingest address and its playback.
    LivestreamId, "livestream"
);
uuid_id!(
    /// One stretch of time in which a livestream was on air.
    LivestreamSessionId, "livestream session"
);
uuid_id!(
    /// A webhook configuration.
    WebhookId, "webhook"
);
uuid_id!(
    /// A chat message.
    ChatMessageId, "chat message"
);
uuid_id!(
    /// A poll.
    PollId, "poll"
);
uuid_id!(
    /// A file that somebody put into a chat.
    FileId, "file"
);
uuid_id!(
    /// One delivery of an event to a webhook; the same over all its attempts.
    DeliveryId, "delivery"
);
uuid_id!(
    /// An API token's public id (never the secret).
    ApiTokenId, "token"
);

impl ApiTokenId {
    /// The 32 hex digits by which the token verification operation names a token.
    pub fn simple(&self) -> String {
        self.0.as_simple().to_string()
    }
}

/// An account: the tenant that owns apps and API tokens.
///
/// One to 32 letters, digits, `-` or `_`; the hosted service uses 32 hex digits.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct AccountId(String);

impl AccountId {
    /// A new random id of 32 hex digits.
    pub fn random() -> Self {
        Self(Uuid::new_v4().as_simple().to_string())
    }

    /// The id as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for AccountId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for AccountId {
    type Err = ParseIdError;

    fn from_str(text: &str) -> Result<Self, ParseIdError> {
        let fits = (1..=32).contains(&text.len())
            && text
                .bytes()
                .all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_');
        if fits {
            Ok(Self(text.to_owned()))
        } else {
            Err(ParseIdError { kind: "account" })
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn ids_survive_printing(bytes: [u8; 16]) {
            let id = MeetingId::from(Uuid::from_bytes(bytes));
            let text = id.to_string();
            prop_assert_eq!(text.len(), 36);
            prop_assert_eq!(&text.to_lowercase(), &text);
            prop_assert_eq!(text.parse::<MeetingId>().unwrap(), id);
            prop_assert_eq!(text.to_uppercase().parse::<MeetingId>().unwrap(), id);
        }

        #[test]
        fn no_text_panics(text in ".*") {
            let _ = text.parse::<MeetingId>();
            let _ = text.parse::<AccountId>();
        }
    }

    #[test]
    fn other_spellings_of_a_uuid_are_refused() {
        let simple = "6f0e7a6c1b2c4d5e8f90a1b2c3d4e5f6";
        assert!(simple.parse::<MeetingId>().is_err());
        assert!(format!("{{{}}}", Uuid::new_v4()).parse::<MeetingId>().is_err());
    }

    #[test]
    fn account_ids_are_short_and_plain() {
        assert!("".parse::<AccountId>().is_err());
        assert!("a".repeat(33).parse::<AccountId>().is_err());
        assert!("a b".parse::<AccountId>().is_err());
        assert!(AccountId::random().as_str().parse::<AccountId>().is_ok());
    }
}
