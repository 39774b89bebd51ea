//! Stored settings as rows: sealed where they hold a secret, opened again, and sealed anew before a key retires.

use super::context::Context;
use super::core::{Core, Trouble};
use crate::config::{LeftOut, Setting, SettingKey};
use crate::domain::secret::Secret;
use crate::store::setting::{self, StoredSetting, StoredValue};
use serde_json::Value;
use std::collections::BTreeMap;

/// A value as it is stored.
///
/// # Errors
/// [`Trouble`] without a key to seal with.
pub(super) fn sealed(core: &Core, ctx: &Context, key: &str, value: &Value) -> Result<StoredValue, Trouble> {
    let text = Secret::new(value.to_string());
    if SettingKey::parse(key).is_ok_and(|key| key.holds_secret(value)) {
        return Ok(StoredValue::Sealed(core.seal_column(ctx, &column(key), text.expose().as_bytes())?));
    }
    Ok(StoredValue::Plain(text.expose().clone()))
}

/// What rows say; those that cannot be read are told.
pub(super) fn opened(core: &Core, rows: &[StoredSetting]) -> (Vec<Setting>, Vec<LeftOut>) {
    let (mut settings, mut closed) = (Vec::new(), Vec::new());
    for row in rows {
        let value = match &row.value {
            StoredValue::Plain(text) => serde_json::from_str(text).ok(),
            StoredValue::Sealed(sealed) => core
                .open_column(&column(&row.key), sealed)
                .ok()
                .and_then(|plain| serde_json::from_slice(Secret::new(plain).expose()).ok()),
        };
        match value {
            Some(value) => settings.push(Setting { key: row.key.clone(), value }),
            None => closed.push(LeftOut {
                key: row.key.clone(),
                why: format!("stored setting {}: cannot be opened with any key of the ring; store it anew", row.key),
            }),
        }
    }
    (settings, closed)
}

/// What a sealed value is bound to: one that is moved to another row does not open.
fn column(key: &str) -> String {
    format!("setting.sealed {key}")
}

/// Seals with the key in use what an older one has sealed, before that retires.
///
/// # Errors
/// [`Trouble`].
pub(super) async fn reseal_all(core: &Core, ctx: &Context) -> Result<(), Trouble> {
    let rows = {
        let mut link = core.database.read().await?;
        setting::all(&mut link).await?
    };
    let sealed: BTreeMap<_, _> = rows
        .into_iter()
        .filter_map(|row| match row.value {
            StoredValue::Sealed(sealed) if core.column_keys.is_outdated(&sealed) => Some((row.key, sealed)),
            _ => None,
        })
        .collect();
    for (key, old) in sealed {
        let plain = Secret::new(core.open_column(&column(&key), &old)?);
        let new = core.seal_column(ctx, &column(&key), plain.expose())?;
        let mut tx = core.database.begin().await?;
        setting::reseal(&mut tx, &key, &old, &new).await?;
        tx.commit().await?;
    }
    Ok(())
}
