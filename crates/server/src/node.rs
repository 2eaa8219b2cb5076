//! Which of the processes on one database this is.

use std::{
    fs::File,
    io::{Read, Seek, Write},
    path::Path,
};

use anyhow::Context;
use uuid::Uuid;

/// The name under which this process has live sessions and claims deliveries.
///
/// A process that is started again on the same folder has the same name, and so knows at once what
/// nobody works on any more. The lock keeps a second process on the same folder from taking the name.
#[derive(Debug)]
pub struct Node {
    name: String,
    _lock: Option<File>,
}

impl Node {
    /// Takes the folder's name, or a fresh one while another process has that.
    pub fn of(folder: &Path) -> anyhow::Result<Self> {
        let path = folder.join("node");
        let mut file = File::options()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .open(&path)
            .with_context(|| format!("{} cannot be used", path.display()))?;
        if file.try_lock().is_err() {
            return Ok(Self {
                name: Uuid::new_v4().to_string(),
                _lock: None,
            });
        }
        let mut text = String::new();
        // What does not read was cut short by a crash, before anything was done under it.
        let _ = (&mut file).take(64).read_to_string(&mut text);
        let name = if let Ok(id) = Uuid::try_parse(text.trim()) {
            id.to_string()
        } else {
            let fresh = Uuid::new_v4().to_string();
            file.set_len(0)?;
            file.rewind()?;
            writeln!(file, "{fresh}")?;
            file.sync_all()?;
            fresh
        };
        Ok(Self {
            name,
            _lock: Some(file),
        })
    }

    /// The name.
    pub fn name(&self) -> &str {
        &self.name
    }
}
