//! Settings that are stored for all nodes: listing, storing, removing them, taking them elsewhere. How they lie under file
//! and environment is the configuration's business (`config/setting.rs`); letting a node follow them is `app/generation.rs`.

use super::caller::Operator;
use super::context::Context;
use super::core::{Core, Trouble};
use super::setting_seal::{opened, sealed};
use crate::config::{Config, ConfigError, Layers, LeftOut, Line, Merged, Place, Setting, SettingKey, to_toml};
use crate::domain::audit::{Act, Actor, Event};
use crate::domain::id::AccountId;
use crate::domain::secret::Secret;
use crate::domain::time::Timestamp;
use crate::store::setting::{self, StoredSetting, StoredValue};
use crate::store::{Link, StoreError};
use std::collections::BTreeSet;
use std::sync::Arc;

/// Longest value, in bytes of JSON.
const LONGEST: usize = 64 * 1024;

/// What would keep a configuration from being used though its text is right, a line each.
pub type Obstacles = Arc<dyn Fn(&Config) -> Vec<String> + Send + Sync>;

/// Stored settings over a core, and file and environment of this node.
#[derive(Clone)]
pub struct Settings {
    core: Arc<Core>,
    layers: Arc<Layers>,
    obstacles: Obstacles,
}

/// Why nothing was changed.
#[derive(Debug, thiserror::Error)]
pub enum SettingError {
    /// It would not be right.
    #[error("nothing was changed: {0}")]
    Invalid(#[from] ConfigError),
    /// It could not be used.
    #[error("nothing was changed: {0}")]
    Obstacle(String),
    /// Nothing is stored under this key.
    #[error("nothing is stored for {0:?}")]
    NotStored(String),
    /// The value is longer than any that makes sense.
    #[error("nothing was changed: the value of {0} is longer than {LONGEST} bytes")]
    TooLong(String),
    /// A store did not answer.
    #[error(transparent)]
    Trouble(#[from] Trouble),
}

impl From<StoreError> for SettingError {
    fn from(error: StoreError) -> Self {
        Self::Trouble(error.into())
    }
}

/// What was changed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Changed {
    /// Keys that have another value now, or none. Empty when everything was as it should be already.
    pub keys: Vec<String>,
    /// Those that file or environment of this node set, which count here: key and place.
    pub hidden: Vec<(String, Place)>,
    /// What an operator should know about the whole, and did not have to know before.
    pub warnings: Vec<String>,
}

/// One key as it holds on this node, and what is stored for it.
#[derive(Clone, Debug)]
pub struct Entry {
    /// What holds.
    pub line: Line,
    /// What is stored.
    pub stored: Option<Kept>,
}

/// A stored value, for people.
#[derive(Clone, Debug)]
pub struct Kept {
    /// Without secrets.
    pub value: serde_json::Value,
    /// When it was stored.
    pub changed_at: Timestamp,
    /// By whom; `None` is the command line.
    pub changed_by: Option<AccountId>,
}

/// All keys as they hold on this node.
#[derive(Clone, Debug)]
pub struct Listing {
    /// In the order of the configuration's reference.
    pub entries: Vec<Entry>,
    /// What is stored and cannot be used here.
    pub left_out: Vec<LeftOut>,
}

/// How wishes are meant.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Manner {
    /// These keys, as they are given.
    Exactly,
    /// A file from elsewhere: secrets that it leaves out are kept.
    Import,
    /// The same, and nothing but what is in it.
    Replace,
}

/// What a look at the whole has found.
#[derive(Default)]
struct Found {
    hidden: Vec<(String, Place)>,
    warnings: Vec<String>,
}

/// A wish: this value under this key, or none.
type Wish = (String, Option<serde_json::Value>);

impl Settings {
    /// Over a core. `obstacles` looks at what a configuration leads to.
    #[must_use]
    pub const fn new(core: Arc<Core>, layers: Arc<Layers>, obstacles: Obstacles) -> Self {
        Self { core, layers, obstacles }
    }

    /// A number that grows with every change. Asked five times a second by every node.
    ///
    /// # Errors
    /// [`Trouble`].
    pub async fn revision(&self) -> Result<i64, Trouble> {
        let mut link = self.core.database.read().await?;
        Ok(setting::revision(&mut link).await?)
    }

    /// What holds on this node, with the number of the change that it has for certain.
    ///
    /// # Errors
    /// [`SettingError::Invalid`] when file and environment are not right (any more) by themselves.
    pub async fn merged(&self) -> Result<(i64, Merged), SettingError> {
        let mut link = self.core.database.read().await?;
        // Before the settings: what changes in between is followed with the next number.
        let revision = setting::revision(&mut link).await?;
        let rows = setting::all(&mut link).await?;
        drop(link);
        let (settings, mut closed) = opened(&self.core, &rows);
        let mut merged = self.layers.merged(settings)?;
        merged.left_out.append(&mut closed);
        Ok((revision, merged))
    }

    /// Every key with its value and where that comes from.
    ///
    /// # Errors
    /// [`SettingError`].
    pub async fn list(&self, _by: Operator) -> Result<Listing, SettingError> {
        let mut link = self.core.database.read().await?;
        let rows = setting::all(&mut link).await?;
        drop(link);
        let (settings, mut closed) = opened(&self.core, &rows);
        let kept = |key: &str| {
            let (row, value) = (rows.iter().find(|row| row.key == key)?, settings.iter().find(|one| one.key == key)?);
            let shown = SettingKey::parse(key).map(|key| key.masked(&value.value)).unwrap_or_default();
            Some(Kept { value: shown, changed_at: row.changed_at, changed_by: row.changed_by })
        };
        let mut merged = self.layers.merged(settings.clone())?;
        merged.left_out.append(&mut closed);
        let lines = self.layers.survey(&merged.kept).into_iter();
        let entries = lines.map(|line| Entry { stored: kept(&line.key), line }).collect();
        Ok(Listing { entries, left_out: merged.left_out })
    }

    /// Stores a value. What it leads to is looked at first, together with everything else that holds.
    ///
    /// # Errors
    /// [`SettingError`]; nothing was changed then.
    pub async fn set(
        &self,
        ctx: &Context,
        _by: Operator,
        key: &SettingKey,
        value: serde_json::Value,
    ) -> Result<Changed, SettingError> {
        self.change(ctx, vec![(key.as_str().to_owned(), Some(value))], Manner::Exactly).await
    }

    /// Removes a stored value; any, also one that only another version knows.
    ///
    /// # Errors
    /// [`SettingError::NotStored`]; [`SettingError::Invalid`] when something else needs it.
    pub async fn unset(&self, ctx: &Context, _by: Operator, key: &str) -> Result<Changed, SettingError> {
        let done = self.change(ctx, vec![(key.to_owned(), None)], Manner::Exactly).await?;
        if done.keys.is_empty() { Err(SettingError::NotStored(key.to_owned())) } else { Ok(done) }
    }

    /// Stores many values at once, all or none. With `replace` those are removed that are stored and not among them. An
    /// item without the secret that is stored for it keeps that one: exports leave secrets out.
    ///
    /// # Errors
    /// [`SettingError`]; nothing was changed then.
    pub async fn import(
        &self,
        ctx: &Context,
        _by: Operator,
        settings: Vec<Setting>,
        replace: bool,
    ) -> Result<Changed, SettingError> {
        let wishes = settings.into_iter().map(|setting| (setting.key, Some(setting.value))).collect();
        self.change(ctx, wishes, if replace { Manner::Replace } else { Manner::Import }).await
    }

    /// All stored settings as a file that another installation can import. Reading secrets out is audited.
    ///
    /// # Errors
    /// [`SettingError`].
    pub async fn export(&self, ctx: &Context, _by: Operator, secrets: bool) -> Result<Secret<String>, SettingError> {
        let mut tx = self.core.database.begin().await?;
        let rows = setting::all(&mut tx).await?;
        if secrets && rows.iter().any(|row| matches!(row.value, StoredValue::Sealed(_))) {
            ctx.record(&mut tx, Event::of(Act::SettingsExported)).await?;
        }
        tx.commit().await?;
        let (settings, closed) = opened(&self.core, &rows);
        if let Some(closed) = closed.first() {
            return Err(SettingError::Obstacle(closed.why.clone()));
        }
        Ok(Secret::new(to_toml(&settings, secrets)))
    }

    async fn change(&self, ctx: &Context, mut wishes: Vec<Wish>, manner: Manner) -> Result<Changed, SettingError> {
        // Nobody else changes settings meanwhile: what is looked at together is stored together.
        let mut tx = self.core.database.begin().await?;
        let rows = setting::all(&mut tx).await?;
        let (before, _) = opened(&self.core, &rows);
        for (key, wish) in &mut wishes {
            *wish = wish.take().map(|value| Setting::new(key.clone(), value).value);
        }
        if manner != Manner::Exactly {
            keep_secrets(&before, &mut wishes);
        }
        if manner == Manner::Replace {
            let named: BTreeSet<_> = wishes.iter().map(|(key, _)| key.clone()).collect();
            let others = rows.iter().filter(|row| !named.contains(&row.key));
            wishes.extend(others.map(|row| (row.key.clone(), None)));
        }
        wishes.retain(|(key, wish)| match wish {
            Some(value) => !before.iter().any(|one| one.key == *key && one.value == *value),
            None => rows.iter().any(|row| row.key == *key),
        });
        let Some(Found { hidden, warnings }) = self.checked(before, &wishes)? else { return Ok(Changed::default()) };
        for (key, wish) in &wishes {
            let act = if wish.is_some() { Act::SettingStored } else { Act::SettingRemoved };
            self.carry_out(ctx, &mut tx, key, wish.as_ref()).await?;
            ctx.record(&mut tx, Event::of(act).with(serde_json::json!({ "key": key }))).await?;
        }
        setting::advance(&mut tx).await?;
        tx.commit().await?;
        Ok(Changed { keys: wishes.into_iter().map(|(key, _)| key).collect(), hidden, warnings })
    }

    /// Looks whether everything would be right afterwards. `None` when there is nothing to do.
    fn checked(&self, before: Vec<Setting>, wishes: &[Wish]) -> Result<Option<Found>, SettingError> {
        if wishes.is_empty() {
            return Ok(None);
        }
        // What could not be used before is not the fault of this change.
        let Merged { loaded, kept: mut after, .. } = self.layers.merged(before)?;
        after.retain(|one| !wishes.iter().any(|(key, _)| *key == one.key));
        let stored: BTreeSet<_> =
            wishes.iter().filter(|(_, wish)| wish.is_some()).map(|(key, _)| key.clone()).collect();
        for (key, wish) in wishes {
            let Some(value) = wish else { continue };
            if value.to_string().len() > LONGEST {
                return Err(SettingError::TooLong(key.clone()));
            }
            after.push(Setting { key: key.clone(), value: value.clone() });
        }
        after.sort_by(|one, other| one.key.cmp(&other.key));
        let as_it_will_be = self.layers.with(&after)?;
        let elsewhere = self.layers.with_first(&after, &stored)?;
        let known = (self.obstacles)(&loaded.config);
        for config in [&as_it_will_be.config, &elsewhere.config] {
            if let Some(obstacle) = (self.obstacles)(config).into_iter().find(|one| !known.contains(one)) {
                return Err(SettingError::Obstacle(obstacle));
            }
        }
        let of_node = |line: &Line| stored.contains(&line.key) && !matches!(line.place, Place::Stored(_));
        let hidden = self.layers.survey(&after).into_iter().filter(of_node).map(|line| (line.key, line.place));
        let is_new = |warning: &String| !loaded.warnings.contains(warning);
        let warnings = as_it_will_be.warnings.into_iter().filter(is_new).collect();
        Ok(Some(Found { hidden: hidden.collect(), warnings }))
    }

    async fn carry_out(
        &self,
        ctx: &Context,
        link: &mut Link,
        key: &str,
        wish: Option<&serde_json::Value>,
    ) -> Result<(), SettingError> {
        let Some(value) = wish else {
            setting::remove(link, key).await?;
            return Ok(());
        };
        let value = sealed(&self.core, ctx, key, value)?;
        let changed_by = match ctx.actor {
            Actor::Account(id) => Some(id),
            _ => None,
        };
        let row = StoredSetting { key: key.to_owned(), value, changed_at: ctx.now(), changed_by };
        Ok(setting::put(link, &row).await?)
    }
}

/// Gives items the secrets that are stored for them and that they do not name.
fn keep_secrets(before: &[Setting], wishes: &mut [Wish]) {
    for (key, wish) in wishes {
        let stored = before.iter().find(|one| one.key == *key);
        let (Some(value), Some(stored), Ok(parsed)) = (wish.as_mut(), stored, SettingKey::parse(key)) else { continue };
        parsed.keep_secrets(value, &stored.value);
    }
}
