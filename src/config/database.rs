//! `[database]`: where accounts and everything else that lasts are kept.

use std::{
    fmt,
    path::{Path, PathBuf},
    str::FromStr,
};

use schemars::JsonSchema;
use serde::Deserialize;

use super::values::text_value;

/// The section `[database]`.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Database {
    /// Address of the database: a SQLite file. `sqlite:///var/lib/vestibule/vestibule.db` (three slashes) is an
    /// absolute path; `sqlite://vestibule.db` lies in `data_dir`. When not set: `vestibule.db` in `data_dir`.
    ///
    /// Danger: the file must be on a local disk; network file systems break SQLite's locks.
    #[schemars(example = &"sqlite://vestibule.db")]
    pub url: Option<DatabaseUrl>,
}

impl Database {
    /// The SQLite file, given the data directory.
    #[must_use]
    pub fn file(&self, data_dir: &Path) -> PathBuf {
        match &self.url {
            // `join` takes an absolute path as it is.
            Some(url) => data_dir.join(&url.path),
            None => data_dir.join("vestibule.db"),
        }
    }
}

/// Address of a database. This version keeps its data in SQLite files only.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DatabaseUrl {
    path: PathBuf,
}

text_value!(DatabaseUrl, "\"sqlite://\" and a file name, such as \"sqlite:///var/lib/vestibule/vestibule.db\"");

impl FromStr for DatabaseUrl {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        // The address may hold a password: only its scheme is ever repeated.
        let scheme = text.split_once(':').map_or("", |(scheme, _)| scheme);
        if matches!(scheme, "postgres" | "postgresql") {
            return Err(
                "this version of Vestibule keeps its data in SQLite; PostgreSQL is not supported yet".to_owned()
            );
        }
        let Some(path) = text.strip_prefix("sqlite://") else {
            return Err("is no sqlite:// address".to_owned());
        };
        if path.is_empty() || path.ends_with('/') || path.starts_with(':') || path.contains(['?', '#', '\0']) {
            return Err("does not name a file after sqlite:// (options with \"?\" are not possible)".to_owned());
        }
        Ok(Self { path: PathBuf::from(path) })
    }
}

impl fmt::Display for DatabaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "sqlite://{}", self.path.display())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(url: Option<&str>) -> PathBuf {
        Database { url: url.map(|url| url.parse().unwrap()) }.file(Path::new("/data"))
    }

    #[test]
    fn the_file_lies_in_the_data_directory_unless_told_otherwise() {
        assert_eq!(file(None), Path::new("/data/vestibule.db"));
        assert_eq!(file(Some("sqlite://other.db")), Path::new("/data/other.db"));
        assert_eq!(file(Some("sqlite:///srv/v.db")), Path::new("/srv/v.db"));
    }

    #[test]
    fn postgres_is_refused_with_its_reason_and_without_its_password() {
        let refused = "postgres://me:hunter2@db/v".parse::<DatabaseUrl>().unwrap_err();
        assert!(refused.contains("SQLite") && !refused.contains("hunter2"), "{refused}");
        for bad in
            ["", "sqlite:", "sqlite://", "sqlite://:memory:", "sqlite://a?mode=ro", "sqlite:///srv/", "mysql://a"]
        {
            assert!(bad.parse::<DatabaseUrl>().is_err(), "{bad}");
        }
    }
}
