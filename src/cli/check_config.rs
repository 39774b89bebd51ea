//! `vestibule check-config`

use super::{Failure, say, warn};
use crate::config::Loaded;

/// Says what would stop the service, or that nothing would, and what is odd.
///
/// # Errors
/// What would stop it, a line each.
pub fn run(loaded: &Loaded, obstacles: &[String]) -> Result<(), Failure> {
    warn(loaded);
    if !obstacles.is_empty() {
        return Err(obstacles.join("\nvestibule: ").into());
    }
    say(&format!("The configuration is right ({}).", loaded.source));
    Ok(())
}
