//! `vestibule serve`

use super::{Failure, say};
use crate::app::{self, mapping};
use crate::config::Config;
use crate::connect::log;

pub(super) async fn run(config: &Config) -> Result<(), Failure> {
    let log_file = log::start(mapping::log(config))?;
    app::serve(config, log_file, |running| {
        say(&format!("Vestibule is running on {}", running.url));
        if let Some(outbox) = &running.outbox {
            say(&format!("No mail server is configured: letters are written to {}", outbox.display()));
        }
        if let Some(link) = &running.set_up {
            say("There is no administrator yet. Open this link within an hour, it works once:");
            say(&format!("  {link}"));
        }
    })
    .await?;
    Ok(())
}
