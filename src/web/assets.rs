//! The files that pages load, embedded in the binary. Each has a path that contains the hash of its content, so that
//! browsers may keep it for ever. The files are in `assets/`; headers are set where responses are built.

use std::fmt::Write as _;
use std::sync::LazyLock;

use aws_lc_rs::digest;
use bytes::Bytes;

/// How many bytes of the SHA-256 of a file are in its path; enough that two versions never share one.
const HASH_BYTES: usize = 8;

static SHELF: LazyLock<Shelf> = LazyLock::new(|| Shelf {
    stylesheet: Asset::new(
        "vestibule",
        "css",
        "text/css; charset=utf-8",
        embedded(include_bytes!("assets/vestibule.css")),
    ),
    logo: Asset::new("vestibule", "svg", "image/svg+xml", embedded(include_bytes!("assets/vestibule.svg"))),
    script: Asset::new(
        "webauthn",
        "js",
        "text/javascript; charset=utf-8",
        embedded(include_bytes!("assets/webauthn.js")),
    ),
    onward: Asset::new("onward", "js", "text/javascript; charset=utf-8", embedded(include_bytes!("assets/onward.js"))),
    icon: Asset::new("favicon", "svg", "image/svg+xml", embedded(include_bytes!("assets/favicon.svg"))),
});

/// The files that there are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum File {
    /// The one stylesheet.
    Stylesheet,
    /// The mark shown above the name of the service.
    Logo,
    /// The script that asks security keys and passkeys.
    Script,
    /// The script that brings a message to an identity provider.
    Onward,
    /// The mark shown in the tab of the browser.
    Icon,
}

/// A file as it is served.
#[derive(Debug)]
pub struct Asset {
    /// The path it is served under; changes with the content.
    path: String,
    /// The value of `Content-Type`.
    pub content_type: &'static str,
    /// The content.
    pub bytes: Bytes,
}

impl Asset {
    /// A file of this name and content.
    pub(super) fn new(name: &str, extension: &str, content_type: &'static str, bytes: impl Into<Bytes>) -> Self {
        let bytes = bytes.into();
        let hash = digest::digest(&digest::SHA256, &bytes);
        let mut path = format!("/assets/{name}-");
        for byte in hash.as_ref().iter().take(HASH_BYTES) {
            // Writing to a String cannot fail.
            let _ = write!(path, "{byte:02x}");
        }
        path.push('.');
        path.push_str(extension);
        Self { path, content_type, bytes }
    }

    /// The path it is served under; changes with the content.
    #[must_use]
    pub fn path(&self) -> &str {
        &self.path
    }
}

const fn embedded(bytes: &'static [u8]) -> Bytes {
    Bytes::from_static(bytes)
}

struct Shelf {
    stylesheet: Asset,
    script: Asset,
    onward: Asset,
    logo: Asset,
    icon: Asset,
}

/// The path of a file, for the page that loads it.
#[must_use]
pub fn path_of(file: File) -> &'static str {
    let asset = match file {
        File::Stylesheet => &SHELF.stylesheet,
        File::Script => &SHELF.script,
        File::Onward => &SHELF.onward,
        File::Logo => &SHELF.logo,
        File::Icon => &SHELF.icon,
    };
    &asset.path
}

/// The file at a path; None for any other path, that of an older version included.
#[must_use]
pub fn find(path: &str) -> Option<&'static Asset> {
    let all = [&SHELF.stylesheet, &SHELF.script, &SHELF.onward, &SHELF.logo, &SHELF.icon];
    all.into_iter().find(|asset| asset.path == path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_found_under_its_hashed_path_only() {
        for (file, content_type) in [
            (File::Stylesheet, "text/css; charset=utf-8"),
            (File::Logo, "image/svg+xml"),
            (File::Icon, "image/svg+xml"),
        ] {
            let path = path_of(file);
            let asset = find(path).expect("served");
            assert_eq!(asset.content_type, content_type);
            assert!(!asset.bytes.is_empty());
            assert!(find(&path.to_uppercase()).is_none());
            assert!(find(&format!("{path}?")).is_none());
        }
        for path in ["", "/assets/", "/assets/vestibule.css", "/assets/../Cargo.toml"] {
            assert!(find(path).is_none(), "{path}");
        }
    }

    #[test]
    fn the_path_changes_with_the_content() {
        let path = |bytes: &'static str| Asset::new("a", "css", "text/css", bytes).path;
        assert_eq!(path("one"), "/assets/a-7692c3ad3540bb80.css");
        assert_ne!(path("one"), path("two"));
    }

    #[test]
    fn no_file_loads_anything_from_elsewhere_or_runs_script() {
        for file in [File::Stylesheet, File::Logo, File::Icon] {
            let asset = find(path_of(file)).expect("served");
            let text = std::str::from_utf8(&asset.bytes).expect("text");
            let text = text.replace("http://www.w3.org/2000/svg", "");
            for foreign in ["http:", "https:", "url(", "@import", "<script", "style=", "<style", "onload"] {
                assert!(!text.contains(foreign), "{foreign} in {file:?}");
            }
        }
    }
}
