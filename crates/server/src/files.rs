//! The folder of files: `<data_dir>/files/<two hex digits>/<id>`, written whole or not at all.
//!
//! Names on disk are ids of ours; nothing that came from outside becomes part of a path.

use std::{
    io,
    path::{Path, PathBuf},
    time::Duration,
};

use axum::body::Body;
use http_body_util::BodyExt;
use muster_model::FileId;
use tokio::{
    fs,
    io::{AsyncWriteExt, BufWriter},
};
use uuid::Uuid;

const BUFFER: usize = 64 << 10;
/// When a draft cannot be one that is still being written.
const ABANDONED_AFTER: Duration = Duration::from_secs(3600);

/// The folder of files.
#[derive(Debug, Clone)]
pub struct FileFolder {
    root: PathBuf,
}

/// Why the bytes of a file were not taken.
#[derive(Debug, thiserror::Error)]
pub enum ReceiveError {
    /// There are more than may be.
    #[error("more than {0} bytes")]
    TooLong(u64),
    /// The sender stopped.
    #[error("the file did not arrive whole")]
    Broken,
    /// The disk refused.
    #[error("a file could not be written: {0}")]
    Disk(#[from] io::Error),
}

/// Bytes that are on disk but not yet a file; removed with this handle unless it is kept.
#[derive(Debug)]
pub struct Draft {
    path: PathBuf,
    /// How many bytes there are.
    pub size: u64,
}

impl Drop for Draft {
    fn drop(&mut self) {
        // After `keep` there is nothing left under this name. An unlink is too short to hold others up.
        let _ = std::fs::remove_file(&self.path);
    }
}

impl FileFolder {
    /// The folder within the data folder; made when missing.
    pub fn open(data_dir: &Path) -> io::Result<Self> {
        let folder = Self {
            root: data_dir.join("files"),
        };
        std::fs::create_dir_all(folder.drafts())?;
        folder.clear_drafts(ABANDONED_AFTER)?;
        Ok(folder)
    }

    /// Removes what an earlier process left half written.
    fn clear_drafts(&self, older_than: Duration) -> io::Result<()> {
        for entry in std::fs::read_dir(self.drafts())? {
            let entry = entry?;
            let age = entry.metadata()?.modified()?.elapsed().unwrap_or_default();
            if age >= older_than {
                std::fs::remove_file(entry.path())?;
            }
        }
        Ok(())
    }

    fn drafts(&self) -> PathBuf {
        self.root.join("drafts")
    }

    /// Where a file's bytes are.
    pub fn path(&self, id: FileId) -> PathBuf {
        let name = id.to_string();
        self.root.join(&name[..2]).join(name)
    }

    /// Streams a body to disk, `max` bytes at most, and syncs it; memory is bounded by one buffer.
    pub async fn receive(&self, mut body: Body, max: u64) -> Result<Draft, ReceiveError> {
        let mut draft = Draft {
            path: self.drafts().join(Uuid::new_v4().to_string()),
            size: 0,
        };
        let file = fs::OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(&draft.path)
            .await?;
        let mut file = BufWriter::with_capacity(BUFFER, file);
        while let Some(frame) = body.frame().await {
            let Ok(bytes) = frame.map_err(|_| ReceiveError::Broken)?.into_data() else {
                continue;
            };
            draft.size += bytes.len() as u64;
            if draft.size > max {
                return Err(ReceiveError::TooLong(max));
            }
            file.write_all(&bytes).await?;
        }
        file.flush().await?;
        file.get_ref().sync_all().await?;
        Ok(draft)
    }

    /// Makes a draft the content of a file. The caller sees to it that no two do so at once.
    pub async fn keep(&self, draft: Draft, id: FileId) -> io::Result<()> {
        let path = self.path(id);
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder).await?;
        }
        fs::rename(&draft.path, &path).await
    }

    /// Sees to it that a kept file is found after a loss of power.
    pub async fn sync_name(&self, id: FileId) -> io::Result<()> {
        let path = self.path(id);
        for folder in [path.parent(), Some(self.root.as_path())].into_iter().flatten() {
            fs::File::open(folder).await?.sync_all().await?;
        }
        Ok(())
    }

    /// Removes a file's bytes, if there are any.
    pub async fn remove(&self, id: FileId) -> io::Result<()> {
        match fs::remove_file(self.path(id)).await {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn files_are_whole_or_not_there() {
        let dir = tempfile::tempdir().unwrap();
        let folder = FileFolder::open(dir.path()).unwrap();
        let drafts = || std::fs::read_dir(folder.drafts()).unwrap().count();
        let id = FileId::random();

        let error = folder.receive(Body::from("12345"), 4).await.unwrap_err();
        assert!(matches!(error, ReceiveError::TooLong(4)));
        assert_eq!(drafts(), 0, "what is too long leaves nothing");

        let draft = folder.receive(Body::from("12345"), 5).await.unwrap();
        assert_eq!((draft.size, drafts(), folder.path(id).exists()), (5, 1, false));
        folder.keep(draft, id).await.unwrap();
        folder.sync_name(id).await.unwrap();
        assert_eq!(std::fs::read(folder.path(id)).unwrap(), b"12345");
        assert_eq!(drafts(), 0);

        let abandoned = folder.receive(Body::from("1"), 5).await.unwrap();
        std::mem::forget(abandoned);
        assert_eq!(drafts(), 1);
        FileFolder::open(dir.path()).unwrap();
        assert_eq!(drafts(), 1, "somebody may still be writing it");
        folder.clear_drafts(Duration::ZERO).unwrap();
        assert_eq!(drafts(), 0, "a start clears away what is old");
        assert!(folder.path(id).exists());

        folder.remove(id).await.unwrap();
        folder.remove(id).await.unwrap();
        assert!(!folder.path(id).exists());
    }
}
