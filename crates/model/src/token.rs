//! API tokens and what they permit.

use serde::{Deserialize, Serialize};

use crate::{AccountId, ApiTokenId, Timestamp};

/// What an API token may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(rename_all = "kebab-case")]
pub enum Permission {
    /// Every operation on apps and what belongs to them.
    Realtime,
    /// The same, and the account's tokens.
    RealtimeAdmin,
}

impl Permission {
    /// The name that clients, the store and the command line use.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Realtime => "realtime",
            Self::RealtimeAdmin => "realtime-admin",
        }
    }
}

impl std::str::FromStr for Permission {
    type Err = UnknownPermission;

    fn from_str(text: &str) -> Result<Self, UnknownPermission> {
        match text {
            "realtime" => Ok(Self::Realtime),
            "realtime-admin" => Ok(Self::RealtimeAdmin),
            _ => Err(UnknownPermission),
        }
    }
}

/// A text that names no permission.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("must be realtime or realtime-admin")]
pub struct UnknownPermission;

/// An API token, without its secret (only a hash of that is kept).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ApiToken {
    /// Its public id.
    pub id: ApiTokenId,
    /// The tenant it speaks for.
    pub account: AccountId,
    /// What its owner calls it.
    pub name: Option<String>,
    /// What it may do.
    pub permission: Permission,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it ceases to work; never when `None`.
    pub expires_at: Option<Timestamp>,
    /// When it was last used, to within a minute.
    pub last_used_at: Option<Timestamp>,
    /// When it was revoked.
    pub revoked_at: Option<Timestamp>,
}

impl ApiToken {
    /// Whether the token works at `now`.
    pub fn is_active(&self, now: Timestamp) -> bool {
        self.revoked_at.is_none() && self.expires_at.is_none_or(|at| now < at)
    }
}
