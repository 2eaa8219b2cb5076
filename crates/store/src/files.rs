//! Files of chats: what is known of them. Their bytes are the server's to keep.

use muster_model::{AppId, FileId, Timestamp};

use crate::{Conn, Store, StoreError, params, participants::MeetingScope};

/// A file to be written once.
#[derive(Debug, Clone)]
pub struct NewFile {
    /// As its owner calls it.
    pub name: String,
    /// When it is removed if nothing is written.
    pub write_until: Timestamp,
    /// When it is removed once it is written.
    pub keep_until: Timestamp,
}

/// What an app may keep at most.
#[derive(Debug, Clone, Copy)]
pub struct FileLimits {
    /// Files, written or not.
    pub files: i64,
    /// Bytes of all of them.
    pub bytes: i64,
}

/// A file that was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredFile {
    /// As its owner calls it.
    pub name: String,
    /// Its media type, without parameters.
    pub content_type: String,
    /// Bytes.
    pub size: i64,
}

/// How a write was taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Written {
    /// It is the file's content now.
    Now,
    /// There had been a write already.
    Before,
    /// The app has no room for it.
    Full,
}

async fn usage(conn: &mut Conn, app: AppId) -> Result<(i64, i64), StoreError> {
    let row: Option<(i64, i64)> = conn
        .fetch_optional(
            "SELECT files, bytes FROM file_usage WHERE app_id = $1",
            params![app],
        )
        .await?;
    Ok(row.unwrap_or_default())
}

/// Makes room for a file of a meeting; a conflict where the app has as many as it may.
pub async fn create(
    conn: &mut Conn,
    at: &MeetingScope,
    file: &NewFile,
    limits: FileLimits,
    now: Timestamp,
) -> Result<FileId, StoreError> {
    let (files, bytes) = usage(conn, at.scope.app).await?;
    if files >= limits.files || bytes >= limits.bytes {
        return Err(StoreError::Conflict("The app's room for files is used up".into()));
    }
    let id = FileId::random();
    let made = conn
        .execute(
            "INSERT INTO files (id, app_id, meeting_id, name, created_at, expires_at, keep_until) \
             SELECT $1, a.id, m.id, $2, $3, $4, $5 FROM meetings m JOIN apps a ON a.id = m.app_id \
             WHERE m.id = $6 AND a.id = $7 AND a.account_id = $8 AND a.deleted_at IS NULL",
            params![
                id,
                &file.name,
                now,
                file.write_until,
                file.keep_until,
                at.meeting,
                at.scope.app,
                &at.scope.account
            ],
        )
        .await?;
    if made == 0 {
        return Err(StoreError::NotFound("Meeting"));
    }
    Ok(id)
}

/// Notes the one write of a file.
pub async fn write(
    conn: &mut Conn,
    app: AppId,
    id: FileId,
    content_type: &str,
    size: i64,
    max_bytes: i64,
    now: Timestamp,
) -> Result<Written, StoreError> {
    let row: Option<(Option<i64>,)> = conn
        .fetch_optional(
            "SELECT written_at FROM files WHERE id = $1 AND app_id = $2 AND expires_at > $3",
            params![id, app, now],
        )
        .await?;
    match row {
        None => return Err(StoreError::NotFound("File")),
        Some((Some(_),)) => return Ok(Written::Before),
        Some((None,)) => {}
    }
    if usage(conn, app).await?.1.saturating_add(size) > max_bytes {
        return Ok(Written::Full);
    }
    let written = conn
        .execute(
            "UPDATE files SET content_type = $3, size = $4, written_at = $5, expires_at = keep_until \
             WHERE id = $1 AND app_id = $2 AND written_at IS NULL",
            params![id, app, content_type, size, now],
        )
        .await?;
    Ok(if written == 1 {
        Written::Now
    } else {
        Written::Before
    })
}

/// Forgets files whose bytes are gone.
pub async fn forget(conn: &mut Conn, ids: &[FileId]) -> Result<u64, StoreError> {
    let mut gone = 0;
    for id in ids {
        gone += conn
            .execute("DELETE FROM files WHERE id = $1", params![*id])
            .await?;
    }
    Ok(gone)
}

impl Store {
    /// Whether a file waits for its one write.
    pub async fn file_is_unwritten(
        &self,
        app: AppId,
        id: FileId,
        now: Timestamp,
    ) -> Result<Option<bool>, StoreError> {
        let row: Option<(Option<i64>,)> = self
            .read()
            .await?
            .fetch_optional(
                "SELECT written_at FROM files WHERE id = $1 AND app_id = $2 AND expires_at > $3",
                params![id, app, now],
            )
            .await?;
        Ok(row.map(|(written,)| written.is_none()))
    }

    /// A file that was written and has not expired, of an app in use.
    pub async fn file(&self, app: AppId, id: FileId, now: Timestamp) -> Result<StoredFile, StoreError> {
        let row: Option<(String, String, i64)> = self
            .read()
            .await?
            .fetch_optional(
                "SELECT f.name, f.content_type, f.size FROM files f JOIN apps a ON a.id = f.app_id \
                 WHERE f.id = $1 AND a.id = $2 AND a.deleted_at IS NULL AND f.expires_at > $3 \
                 AND f.written_at IS NOT NULL",
                params![id, app, now],
            )
            .await?;
        let (name, content_type, size) = row.ok_or(StoreError::NotFound("File"))?;
        Ok(StoredFile {
            name,
            content_type,
            size,
        })
    }

    /// Files that expired before `now`, the oldest first.
    pub async fn expired_files(&self, now: Timestamp, limit: i64) -> Result<Vec<FileId>, StoreError> {
        let rows: Vec<(String,)> = self
            .read()
            .await?
            .fetch_all(
                "SELECT id FROM files WHERE expires_at <= $1 ORDER BY expires_at, id LIMIT $2",
                params![now, limit],
            )
            .await?;
        rows.into_iter().map(|(id,)| Ok(id.parse()?)).collect()
    }
}
