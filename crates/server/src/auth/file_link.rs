//! Signed links to `/files/…`: whoever has one may do the one thing it says, until it ends.
//!
//! HMAC-SHA256 over method, kind, app, object, end, length and media type. The key is made at first
//! start and sealed like the other keys of the installation.

use anyhow::Context;
use aws_lc_rs::{hmac, rand};
use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use muster_model::{AppId, FileId, SessionId, Timestamp};
use muster_store::Store;
use serde::Deserialize;
use url::Url;
use uuid::Uuid;

use super::master_key::MasterKey;

const KEY_NAME: &str = "file-links";
const KEY_BYTES: usize = 32;
/// What a link signs for any media type.
pub const ANY_TYPE: &str = "*";

/// What a link opens.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum FileObject {
    /// A file that a participant put into a chat.
    Upload(FileId),
    /// The chat of a session as CSV, made when it is asked for.
    ChatExport(SessionId),
}

impl FileObject {
    /// The part of the path before the app and the id.
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Upload(_) => "uploads",
            Self::ChatExport(_) => "exports/chat",
        }
    }

    const fn id(&self) -> &Uuid {
        match self {
            Self::Upload(id) => id.as_uuid(),
            Self::ChatExport(id) => id.as_uuid(),
        }
    }
}

/// What the holder of a link may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum FileAction {
    /// GET and HEAD.
    Read,
    /// One PUT.
    Write,
}

impl FileAction {
    const fn word(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Write => "write",
        }
    }
}

/// The query of a link, as it came.
#[derive(Debug, Clone, Deserialize)]
pub struct FileLinkQuery {
    action: FileAction,
    expires: i64,
    #[serde(default)]
    length: u64,
    #[serde(rename = "type")]
    content_type: String,
    signature: String,
}

/// What a link that holds permits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileGrant {
    /// Bytes that may be written at most; 0 in links for reading.
    pub max_bytes: u64,
    /// The only media type, or [`ANY_TYPE`].
    pub content_type: String,
}

impl FileGrant {
    /// Whether it permits this media type (without parameters).
    pub fn permits_type(&self, essence: &str) -> bool {
        self.content_type == ANY_TYPE || self.content_type.eq_ignore_ascii_case(essence)
    }
}

/// The link is not one of ours, is for something else, or has ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a link that holds")]
pub struct InvalidLink;

/// Signs and verifies links.
pub struct FileLinks {
    key: hmac::Key,
    /// What every link begins with.
    root: Url,
}

impl std::fmt::Debug for FileLinks {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "FileLinks({})", self.root)
    }
}

impl FileLinks {
    /// Reads the installation's key, or makes it at first start. Links begin with `public_url`.
    pub async fn load_or_create(store: &Store, master: &MasterKey, public_url: &str) -> anyhow::Result<Self> {
        let sealed = if let Some(sealed) = store.key(KEY_NAME).await? {
            sealed
        } else {
            let mut fresh = [0; KEY_BYTES];
            rand::fill(&mut fresh).context("no randomness for a key")?;
            store
                .keep_key(KEY_NAME, master.seal(KEY_NAME, &fresh)?, Timestamp::now())
                .await?
        };
        let key = master
            .open(KEY_NAME, &sealed)
            .context("the key of file links was sealed with another master key")?;
        Self::new(&key, public_url)
    }

    fn new(key: &[u8], public_url: &str) -> anyhow::Result<Self> {
        Ok(Self {
            key: hmac::Key::new(hmac::HMAC_SHA256, key),
            root: Url::parse(public_url).context("the public address does not read")?,
        })
    }

    /// A link for reading an object until `expires` (whole seconds count), whatever its type.
    pub fn read(&self, app: AppId, object: FileObject, expires: Timestamp) -> Url {
        let grant = FileGrant {
            max_bytes: 0,
            content_type: ANY_TYPE.into(),
        };
        self.sign(FileAction::Read, app, object, expires, &grant)
    }

    /// A link for writing an object once, within the bounds of `grant`.
    pub fn write(&self, app: AppId, object: FileObject, expires: Timestamp, grant: &FileGrant) -> Url {
        self.sign(FileAction::Write, app, object, expires, grant)
    }

    fn sign(
        &self,
        action: FileAction,
        app: AppId,
        object: FileObject,
        expires: Timestamp,
        grant: &FileGrant,
    ) -> Url {
        let expires = expires.as_secs();
        let text = signed_text(action, app, object, expires, grant);
        let signature = BASE64_URL_SAFE_NO_PAD.encode(hmac::sign(&self.key, text.as_bytes()));
        let mut url = self.root.clone();
        let root = url.path().trim_end_matches('/').to_owned();
        url.set_path(&format!("{root}/files/{}/{app}/{}", object.kind(), object.id()));
        let mut query = url.query_pairs_mut();
        query.append_pair("action", action.word());
        query.append_pair("expires", &expires.to_string());
        if grant.max_bytes > 0 {
            query.append_pair("length", &grant.max_bytes.to_string());
        }
        query.append_pair("type", &grant.content_type);
        query.append_pair("signature", &signature);
        drop(query);
        url
    }

    /// What a link permits, if it is ours, for this object and this action, and has not ended.
    pub fn verify(
        &self,
        action: FileAction,
        app: AppId,
        object: FileObject,
        query: FileLinkQuery,
        now: Timestamp,
    ) -> Result<FileGrant, InvalidLink> {
        let grant = FileGrant {
            max_bytes: query.length,
            content_type: query.content_type,
        };
        let signature = BASE64_URL_SAFE_NO_PAD
            .decode(&query.signature)
            .map_err(|_| InvalidLink)?;
        let text = signed_text(query.action, app, object, query.expires, &grant);
        hmac::verify(&self.key, text.as_bytes(), &signature).map_err(|_| InvalidLink)?;
        let holds = query.action == action && now.as_secs() < query.expires;
        holds.then_some(grant).ok_or(InvalidLink)
    }
}

/// Each part on a line of its own; none can hold a line break but the type, which comes last.
fn signed_text(
    action: FileAction,
    app: AppId,
    object: FileObject,
    expires: i64,
    grant: &FileGrant,
) -> String {
    format!(
        "muster file link 1\n{}\n{}\n{app}\n{}\n{expires}\n{}\n{}",
        action.word(),
        object.kind(),
        object.id(),
        grant.max_bytes,
        grant.content_type
    )
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn links() -> FileLinks {
        FileLinks::new(&[7; KEY_BYTES], "https://api.example.org/base").unwrap()
    }

    fn query(url: &Url) -> FileLinkQuery {
        serde_urlencoded::from_str(url.query().unwrap()).unwrap()
    }

    fn image() -> FileGrant {
        FileGrant {
            max_bytes: 10,
            content_type: "image/svg+xml".into(),
        }
    }

    #[test]
    fn a_link_permits_what_it_says_until_it_ends() {
        let (links, app, now) = (links(), AppId::random(), Timestamp::now());
        let object = FileObject::Upload(FileId::random());
        let end = now.plus(Duration::from_secs(60));
        let url = links.write(app, object, end, &image());
        assert!(
            url.as_str()
                .starts_with("https://api.example.org/base/files/uploads/")
        );
        let grant = links.verify(FileAction::Write, app, object, query(&url), now);
        assert_eq!(grant, Ok(image()));
        assert!(grant.unwrap().permits_type("IMAGE/svg+xml"));
        assert!(!image().permits_type("image/png"));
        let late = links.verify(FileAction::Write, app, object, query(&url), end);
        assert_eq!(late, Err(InvalidLink));
    }

    #[test]
    fn every_part_is_signed() {
        let (links, app, now) = (links(), AppId::random(), Timestamp::now());
        let id = FileId::random();
        let object = FileObject::Upload(id);
        let url = links.write(app, object, now.plus(Duration::from_secs(60)), &image());
        let refused = |action, app, object, query| {
            assert_eq!(links.verify(action, app, object, query, now), Err(InvalidLink));
        };
        refused(FileAction::Read, app, object, query(&url));
        refused(FileAction::Write, AppId::random(), object, query(&url));
        refused(
            FileAction::Write,
            app,
            FileObject::Upload(FileId::random()),
            query(&url),
        );
        let same_id = FileObject::ChatExport((*id.as_uuid()).into());
        refused(FileAction::Write, app, same_id, query(&url));
        let changes: [fn(&mut FileLinkQuery); 5] = [
            |q| q.action = FileAction::Read,
            |q| q.expires += 1,
            |q| q.length += 1,
            |q| q.content_type = ANY_TYPE.into(),
            |q| {
                q.signature
                    .replace_range(0..1, if q.signature.starts_with('A') { "B" } else { "A" });
            },
        ];
        for change in changes {
            let mut changed = query(&url);
            change(&mut changed);
            let action = changed.action;
            refused(action, app, object, changed);
        }
        let read = links.read(app, object, now.plus(Duration::from_secs(60)));
        refused(FileAction::Write, app, object, query(&read));
        let other = FileLinks::new(&[8; KEY_BYTES], "https://api.example.org").unwrap();
        let foreign = other.read(app, object, now.plus(Duration::from_secs(60)));
        refused(FileAction::Read, app, object, query(&foreign));
    }
}
