//! `vestibule rotate-keys`

use super::{Desk, Failure, say};
use crate::domain::time::days;
use crate::service::caller::Operator;
use crate::service::keys::KeyState;
use crate::service::moment;
use clap::Args;
use uuid::Uuid;

/// Longest that an old key goes on opening cookies by default: as long as a letter or a session can live, and some.
const KEEP_DAYS: u32 = 30;

#[derive(Args)]
pub struct Options {
    /// Days that the present keys go on opening what they sealed; without it 30, or as long as "stay logged in" lasts.
    #[arg(long, value_name = "DAYS", conflicts_with_all = ["revoke", "list"])]
    keep: Option<u32>,
    /// Revoke this key at once: whatever it sealed or signed is worthless.
    #[arg(long, value_name = "KEY", conflicts_with = "list")]
    revoke: Option<Uuid>,
    /// Only list the keys.
    #[arg(long)]
    list: bool,
}

pub(super) async fn run(desk: &Desk, options: Options) -> Result<(), Failure> {
    let keys = &desk.keys;
    let by = Operator::vouched();
    let states = match options {
        Options { list: true, .. } => keys.list().await?,
        Options { revoke: Some(id), .. } => {
            keys.revoke(&desk.ctx, by, id).await?;
            say(&format!("Key {id} is revoked; a running service follows within a second."));
            keys.list().await?
        }
        Options { keep, .. } => {
            let longest = KEEP_DAYS.max(desk.core.policy.autologin_days.saturating_add(1));
            keys.rotate(&desk.ctx, by, days(keep.unwrap_or(longest))).await?
        }
    };
    for state in &states {
        say(&line(state));
    }
    Ok(())
}

fn line(state: &KeyState) -> String {
    let condition = match (state.revoked_at, state.retires_at) {
        (Some(at), _) => format!("revoked {}", moment::machine(at)),
        (None, Some(at)) => format!("retires {}", moment::machine(at)),
        (None, None) => "in use".to_owned(),
    };
    format!("{}  {:8}  made {}  {condition}", state.id, state.purpose, moment::machine(state.created_at))
}
