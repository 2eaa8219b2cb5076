//! `muster backup`: a copy of the database, made beside a running server.

use std::path::PathBuf;

use anyhow::{Context, bail, ensure};
use clap::Args;

use crate::{
    auth::master_key::create_private_file,
    config::{Config, key_file_beside},
};

#[derive(Debug, Args)]
#[group(id = "backup-options")] // clap names groups after types, and the command has this name
pub struct Backup {
    /// The file to write; it must not exist
    file: PathBuf,
    /// Leave the master key out, to keep it elsewhere
    #[arg(long)]
    without_key: bool,
}

impl Backup {
    pub async fn run(self, config: &Config) -> anyhow::Result<()> {
        let file = &self.file;
        let key_file = key_file_beside(file);
        ensure!(!file.exists(), "{} exists already", file.display());
        ensure!(
            self.without_key || !key_file.exists(),
            "{} exists already",
            key_file.display()
        );
        let store = super::open_store(config).await?;
        if !store.is_sqlite() {
            bail!(
                "the records are in PostgreSQL: use pg_dump, and keep {}",
                config.master_key_file.display()
            );
        }
        let not_written = || format!("{} was not written", file.display());
        // Made first, so that it is never readable by others; SQLite fills an empty file.
        create_private_file(file, b"").with_context(not_written)?;
        if let Err(error) = store.backup(file).await {
            let _ = std::fs::remove_file(file);
            return Err(error).with_context(not_written);
        }
        std::fs::File::open(file).and_then(|copy| copy.sync_all())?;
        println!("database    {}", file.display());
        if !self.without_key {
            let key = std::fs::read(&config.master_key_file).with_context(|| {
                format!(
                    "the master key {} cannot be read",
                    config.master_key_file.display()
                )
            })?;
            create_private_file(&key_file, &key)
                .with_context(|| format!("{} was not written", key_file.display()))?;
            println!(
                "master key  {} (opens the sealed secrets of the copy)",
                key_file.display()
            );
        }
        println!(
            "start on it with: muster serve --database-url sqlite:{}",
            file.display()
        );
        store.close().await;
        Ok(())
    }
}
