//! The generated root key: a file beside the database, for installations that do not bring a key of their own.

use crate::domain::secret::Secret;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

/// Fewest bytes of a root key.
const SHORTEST: usize = 32;

/// Reads the key, or makes the file (mode 0600) with this one. It appears whole or not at all, and of two processes that
/// start at once, one makes it and both read the same.
///
/// # Errors
/// What the file system says, or that the file holds no key.
pub fn load_or_make(path: &Path, fresh: &[u8; 32]) -> io::Result<Secret<Vec<u8>>> {
    if !path.exists() {
        make(path, fresh)?;
    }
    let text = Secret::new(fs::read_to_string(path)?);
    let key = STANDARD.decode(text.expose().trim()).map_err(|_| no_key())?;
    if key.len() < SHORTEST { Err(no_key()) } else { Ok(Secret::new(key)) }
}

fn make(path: &Path, fresh: &[u8; 32]) -> io::Result<()> {
    let text = Secret::new(STANDARD.encode(fresh));
    let draft = path.with_extension(format!("draft-{}", std::process::id()));
    let written = (|| {
        let mut file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&draft)?;
        file.write_all(text.expose().as_bytes())?;
        file.write_all(b"\n")?;
        file.sync_all()?;
        // A link, not a renaming: it does not take the place of a key that another process made meanwhile.
        match fs::hard_link(&draft, path) {
            Err(error) if error.kind() != io::ErrorKind::AlreadyExists => Err(error),
            _ => Ok(()),
        }
    })();
    drop(fs::remove_file(&draft));
    written?;
    // The name must last as long as what is sealed with the key.
    path.parent().map(fs::File::open).transpose()?.map(|folder| folder.sync_all()).transpose()?;
    Ok(())
}

fn no_key() -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, "the file does not hold a root key (base64 of at least 32 bytes)")
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    #[test]
    fn the_key_is_made_once_and_is_private() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("secret.key");
        assert_eq!(load_or_make(&path, &[1; 32]).unwrap().expose(), &vec![1; 32]);
        assert_eq!(load_or_make(&path, &[2; 32]).unwrap().expose(), &vec![1; 32]);
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    }

    #[test]
    fn a_spoilt_file_is_refused_and_left_alone() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("secret.key");
        fs::write(&path, "short").unwrap();
        assert!(load_or_make(&path, &[1; 32]).is_err());
        assert_eq!(fs::read_to_string(&path).unwrap(), "short");
    }
}
