//! `[branding]`: the name people see, the logo above it, the colour of links and buttons.

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use schemars::JsonSchema;
use serde::Deserialize;

use super::{findings::Findings, values::text_value};
use crate::domain::accent::Colour;
use crate::domain::logo::{LARGEST, Logo};

/// The section `[branding]`.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Branding {
    /// Name of this service on pages and in mails, for example your organisation.
    #[schemars(extend("x-allowed" = "1 to 60 characters"))]
    pub name: String,

    /// File with the logo: an SVG or PNG of at most 64 KiB. An SVG must be a plain drawing, without scripts, links and
    /// references to other files. Read at the start; a file that cannot be shown stops it.
    #[schemars(example = &"/etc/vestibule/logo.svg")]
    pub logo_file: Option<PathBuf>,

    /// Colour of links and buttons. Where text in it could not be read, it is darkened in the light theme and lightened
    /// in the dark one, as far as a contrast of 4.5:1 needs.
    #[schemars(example = &"#0b4f9e")]
    pub accent: Option<Colour>,
}

text_value!(Colour, "a colour such as \"#0b4f9e\"");

impl Default for Branding {
    fn default() -> Self {
        Self { name: "Vestibule".to_owned(), logo_file: None, accent: None }
    }
}

impl Branding {
    /// Reads and checks the logo.
    ///
    /// # Errors
    /// Why it cannot be shown, for the operator.
    pub fn logo(&self) -> Result<Option<Logo>, String> {
        self.logo_file.as_deref().map(read_logo).transpose()
    }

    pub(super) fn check(&self, files_read: bool, found: &mut Findings) {
        let length = self.name.trim().chars().count();
        if !(1..=60).contains(&length) || self.name.contains(char::is_control) {
            found.wrong("branding.name", "must have 1 to 60 characters and no line breaks");
        }
        if let (true, Err(why)) = (files_read, self.logo()) {
            found.wrong("branding.logo_file", &why);
        }
    }
}

/// Reads and checks a logo; for the operator, why it cannot be shown.
pub(super) fn read_logo(path: &Path) -> Result<Logo, String> {
    let told = |what: &dyn std::fmt::Display| format!("{} {what}", path.display());
    let mut bytes = Vec::new();
    let most = u64::try_from(LARGEST).unwrap_or(u64::MAX).saturating_add(1);
    let read = File::open(path).and_then(|file| file.take(most).read_to_end(&mut bytes));
    read.map_err(|error| told(&format_args!("cannot be read: {error}")))?;
    Logo::parse(bytes).map_err(|fault| told(&fault))
}
