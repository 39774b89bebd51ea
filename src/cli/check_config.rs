//! `vestibule check-config`

use super::{say, warn};
use crate::config::Loaded;

/// Says that the configuration is right, and what is odd about it.
pub fn run(loaded: &Loaded) {
    warn(loaded);
    say(&format!("The configuration is right ({}).", loaded.source));
}
