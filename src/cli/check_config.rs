//! `vestibule check-config`

use super::{Failure, complain, say};
use crate::config::Loaded;

pub(super) fn run(loaded: &Loaded) -> Result<(), Failure> {
    for warning in &loaded.warnings {
        complain(&format!("warning: {warning}"));
    }
    say(&format!("The configuration is right ({}).", loaded.source));
    Ok(())
}
