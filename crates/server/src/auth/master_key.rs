//! The master key: seals what must be readable again but not by a thief of the database.

use std::{
    fs,
    io::{ErrorKind, Write},
    os::unix::fs::{OpenOptionsExt, PermissionsExt},
    path::Path,
};

use anyhow::{Context, bail};
use aws_lc_rs::{
    aead::{AES_256_GCM, Aad, NONCE_LEN, Nonce, RandomizedNonceKey},
    rand,
};
use base64::{Engine, prelude::BASE64_STANDARD};

/// Seals and opens secrets (AES-256-GCM with a random nonce; layout: version, nonce, ciphertext, tag).
pub struct MasterKey {
    key: RandomizedNonceKey,
}

/// What is sealed cannot be opened: another key, another purpose, or changed bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a sealed value cannot be opened with this master key")]
pub struct CannotOpen;

/// The cryptography library refused: no randomness, or a text past 64 GiB.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a value cannot be sealed")]
pub struct CannotSeal;

const VERSION: u8 = 1;
const KEY_BYTES: usize = 32;

impl std::fmt::Debug for MasterKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("MasterKey")
    }
}

impl MasterKey {
    /// Reads the key from a file, or makes key and file when there is none.
    ///
    /// A file that others than its owner can read is refused.
    pub fn load_or_create(path: &Path) -> anyhow::Result<Self> {
        if !path.exists() {
            let mut bytes = [0; KEY_BYTES];
            rand::fill(&mut bytes).context("no randomness for the master key")?;
            let text = format!("{}\n", BASE64_STANDARD.encode(bytes));
            create_private_file(path, text.as_bytes())
                .with_context(|| format!("the master key {} cannot be made", path.display()))?;
        }
        Self::load(path)
    }

    fn load(path: &Path) -> anyhow::Result<Self> {
        refuse_shared_file(path)?;
        let text = fs::read_to_string(path)
            .with_context(|| format!("the master key {} cannot be read", path.display()))?;
        let bytes = BASE64_STANDARD
            .decode(text.trim())
            .ok()
            .filter(|bytes| bytes.len() == KEY_BYTES)
            .with_context(|| format!("{} is not a master key (32 bytes in base64)", path.display()))?;
        Self::from_bytes(&bytes)
    }

    fn from_bytes(bytes: &[u8]) -> anyhow::Result<Self> {
        let key = RandomizedNonceKey::new(&AES_256_GCM, bytes).context("the master key does not fit")?;
        Ok(Self { key })
    }

    /// Seals `secret` for one purpose; it opens for no other.
    pub fn seal(&self, purpose: &str, secret: &[u8]) -> Result<Vec<u8>, CannotSeal> {
        let mut sealed = secret.to_vec();
        let nonce = self
            .key
            .seal_in_place_append_tag(Aad::from(purpose), &mut sealed)
            .map_err(|_| CannotSeal)?;
        let mut out = Vec::with_capacity(1 + NONCE_LEN + sealed.len());
        out.push(VERSION);
        out.extend_from_slice(nonce.as_ref());
        out.append(&mut sealed);
        Ok(out)
    }

    /// Opens what [`seal`](Self::seal) made for the same purpose.
    pub fn open(&self, purpose: &str, sealed: &[u8]) -> Result<Vec<u8>, CannotOpen> {
        let (version, rest) = sealed.split_first().ok_or(CannotOpen)?;
        if *version != VERSION || rest.len() < NONCE_LEN {
            return Err(CannotOpen);
        }
        let (nonce, text) = rest.split_at(NONCE_LEN);
        let nonce = Nonce::try_assume_unique_for_key(nonce).map_err(|_| CannotOpen)?;
        let mut text = text.to_vec();
        let opened = self
            .key
            .open_in_place(nonce, Aad::from(purpose), &mut text)
            .map_err(|_| CannotOpen)?;
        Ok(opened.to_vec())
    }
}

/// Makes a file that only its owner can read, whole or not at all; one that is there by then stays.
pub fn create_private_file(path: &Path, content: &[u8]) -> std::io::Result<()> {
    let mut draft = path.as_os_str().to_owned();
    draft.push(format!(".{}.tmp", std::process::id()));
    let draft = Path::new(&draft);
    let written = fs::OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .open(draft)
        .and_then(|mut file| file.write_all(content).and_then(|()| file.sync_all()));
    // A link, unlike a rename, never replaces a file that another process made meanwhile.
    let linked = written.and_then(|()| match fs::hard_link(draft, path) {
        Err(error) if error.kind() != ErrorKind::AlreadyExists => Err(error),
        _ => Ok(()),
    });
    let _ = fs::remove_file(draft);
    linked
}

/// Fails when anyone but its owner may read the file.
pub fn refuse_shared_file(path: &Path) -> anyhow::Result<()> {
    let mode = fs::metadata(path)
        .with_context(|| format!("{} cannot be read", path.display()))?
        .permissions()
        .mode();
    if mode & 0o077 != 0 {
        bail!(
            "{} can be read by others than its owner (mode {:03o}); run: chmod 600 {}",
            path.display(),
            mode & 0o777,
            path.display()
        );
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seals_and_opens_for_one_purpose() {
        let key = MasterKey::from_bytes(&[7; 32]).unwrap();
        let sealed = key.seal("a", b"secret").unwrap();
        assert!(!sealed.windows(6).any(|w| w == b"secret"));
        assert_ne!(sealed, key.seal("a", b"secret").unwrap(), "each nonce is new");
        assert_eq!(key.open("a", &sealed).unwrap(), b"secret");
        assert_eq!(key.open("b", &sealed), Err(CannotOpen));
        assert_eq!(
            MasterKey::from_bytes(&[8; 32]).unwrap().open("a", &sealed),
            Err(CannotOpen)
        );
        for cut in 0..sealed.len() {
            assert_eq!(key.open("a", &sealed[..cut]), Err(CannotOpen));
        }
    }

    #[test]
    fn a_file_that_others_can_read_is_refused() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("master.key");
        let sealed = MasterKey::load_or_create(&path).unwrap().seal("a", b"x").unwrap();
        assert_eq!(
            MasterKey::load_or_create(&path)
                .unwrap()
                .open("a", &sealed)
                .unwrap(),
            b"x"
        );
        fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).unwrap();
        let error = MasterKey::load_or_create(&path).unwrap_err().to_string();
        assert!(error.contains("chmod 600"), "{error}");
    }
}
