//! Apps.

use crate::{AccountId, AppId, Timestamp};

/// An app: what presets, meetings and webhooks belong to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct App {
    /// Its id.
    pub id: AppId,
    /// Its name; need not be unique.
    pub name: Option<String>,
    /// When it was made.
    pub created_at: Timestamp,
}

/// Whose records a statement may touch. Every read and write of the store is bounded by one.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Scope {
    /// The tenant.
    pub account: AccountId,
    /// One of the tenant's apps.
    pub app: AppId,
}
