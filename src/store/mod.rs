//! What is kept, durable and volatile. Repositories speak SQL and return domain values; they decide nothing.

pub mod account;
pub mod audit;
pub mod authenticator;
pub mod autologin;
pub mod avatar;
pub mod backup_code;
pub mod copy;
pub mod database;
pub mod directory;
pub mod directory_attribute;
pub mod directory_group;
pub mod group;
pub mod identity;
pub mod invitation;
pub mod key;
pub mod known_device;
pub mod lease;
pub mod letter;
pub mod notice;
pub mod password;
pub mod provider_metadata;
pub mod provider_session;
pub mod remembered_device;
pub mod root_key;
mod series;
pub mod setting;
pub mod token;
pub mod trace;
pub mod volatile;
pub mod vouched_session;

pub use database::{ClientFiles, Database, Link, OpenError, Place, Protection, Server, ServerPlace, StoreError, Tx};

use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

/// Makes sure that a database file exists and that only its owner can read it, before SQLite gets to make it itself.
///
/// A file that is there is not opened: closing it again would drop the locks that other connections of this process have
/// on it (<https://www.sqlite.org/howtocorrupt.html>, section 2.2).
///
/// # Errors
/// What the file system says.
pub fn private_file(path: &Path) -> io::Result<()> {
    match OpenOptions::new().create_new(true).write(true).mode(0o600).open(path) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
        other => other.map(drop),
    }
}

/// Waits until no other process of this machine is bringing the same database up to date; the lock ends with the file
/// handle, also when the process is killed.
///
/// # Errors
/// What the file system says.
pub async fn exclusive(path: &Path) -> io::Result<File> {
    let lock = path.with_extension("lock");
    let waiting = tokio::task::spawn_blocking(move || {
        private_file(&lock)?;
        let file = File::open(&lock)?;
        file.lock()?;
        Ok(file)
    });
    waiting.await.map_err(io::Error::other)?
}
