//! Cards: what every request needs to know about an account, cached. Forgotten the moment the account changes.

use crate::domain::account::Account;
use crate::domain::group::GroupKey;
use crate::domain::id::AccountId;
use crate::domain::notice::Notice;
use crate::domain::session::Session;
use crate::domain::time::Timestamp;
use crate::store::{Database, StoreError, account, group};
use http::HeaderValue;
use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, RwLock};
use std::time::Duration;
use tokio::time::Instant;

/// Cards kept at the most. One takes about half a kilobyte.
const CAPACITY: usize = 16_384;
const SHARDS: usize = 16;
/// A card in memory is believed for so long after the database was last heard. Longer than a server takes to restart or to
/// fail over; whoever is cut off from it must not go on with what was true then.
const BELIEVED: Duration = Duration::from_mins(1);

/// An account with its groups, and the identity headers made of them.
#[derive(Debug)]
pub struct Card {
    /// The account.
    pub account: Account,
    /// Names of its groups, sorted.
    pub groups: Vec<String>,
    /// What these are compared by.
    pub group_keys: Vec<GroupKey>,
    /// Ready headers.
    pub headers: IdentityHeaders,
}

/// Values of the identity headers, made once.
#[derive(Debug)]
pub struct IdentityHeaders {
    /// `Remote-User`
    pub user: HeaderValue,
    /// `Remote-Name`
    pub name: HeaderValue,
    /// `Remote-Email`
    pub email: HeaderValue,
    /// `Remote-Groups`, comma-separated
    pub groups: HeaderValue,
    /// `Remote-Account-Id`
    pub account_id: HeaderValue,
}

impl Card {
    /// Makes the card of an account.
    #[must_use]
    pub fn new(account: Account, groups: Vec<String>) -> Self {
        // Names were checked for control characters when they came in; UTF-8 travels as it is (RFC 9110 §5.5 obs-text).
        let header = |text: &str| HeaderValue::from_bytes(text.as_bytes()).unwrap_or(HeaderValue::from_static(""));
        let headers = IdentityHeaders {
            user: header(&account.username),
            name: header(&account.name),
            email: header(&account.email),
            groups: header(&groups.join(",")),
            account_id: header(&account.id.to_string()),
        };
        let group_keys = groups.iter().map(|name| GroupKey::of(name)).collect();
        Self { account, groups, group_keys, headers }
    }

    /// Whether the account stands by this session: it may sign in now, and has not ended its sessions since.
    #[must_use]
    pub fn honours(&self, session: &Session, now: Timestamp) -> bool {
        self.account.may_sign_in(now) && session.created_at >= self.account.sessions_valid_from
    }
}

#[derive(Default)]
struct Shard {
    cards: RwLock<HashMap<AccountId, Arc<Card>>>,
    forgotten: AtomicU64,
}

/// Until when the cards in memory are believed.
struct Hearing {
    began: Instant,
    /// In milliseconds since then.
    until: AtomicU64,
}

impl Hearing {
    fn begin() -> Self {
        let hearing = Self { began: Instant::now(), until: AtomicU64::new(0) };
        hearing.heard(hearing.began);
        hearing
    }

    fn heard(&self, asked: Instant) {
        let until = asked.saturating_duration_since(self.began) + BELIEVED;
        self.until.fetch_max(millis(until), Ordering::Relaxed);
    }

    fn holds(&self) -> bool {
        millis(self.began.elapsed()) < self.until.load(Ordering::Relaxed)
    }
}

fn millis(span: Duration) -> u64 {
    u64::try_from(span.as_millis()).unwrap_or(u64::MAX)
}

/// The cache of cards over the database.
pub struct Cards {
    database: Database,
    shards: Arc<[Shard; SHARDS]>,
    hearing: Hearing,
}

impl Cards {
    /// A cache that hears of every change of this database.
    #[must_use]
    pub fn over(database: Database) -> Self {
        let shards: Arc<[Shard; SHARDS]> = Arc::default();
        let hearing = Arc::clone(&shards);
        database.listen(move |notice| forget(&hearing, notice));
        Self { database, shards, hearing: Hearing::begin() }
    }

    /// Forgets what a notice of another process makes stale.
    pub fn forget(&self, notice: &Notice) {
        forget(&self.shards, notice);
    }

    /// All that other processes had changed when the database was asked at this time has been forgotten.
    pub fn heard(&self, asked: Instant) {
        self.hearing.heard(asked);
    }

    /// A card that is in memory already and may be believed.
    #[must_use]
    pub fn hot(&self, id: AccountId) -> Option<Arc<Card>> {
        if !self.hearing.holds() {
            return None;
        }
        shard(&self.shards, id).cards.read().ok()?.get(&id).cloned()
    }

    /// The card of an account, read from the database where needed; `None` when there is no such account.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn card(&self, id: AccountId) -> Result<Option<Arc<Card>>, StoreError> {
        match self.hot(id) {
            Some(card) => Ok(Some(card)),
            None => self.read(id).await,
        }
    }

    /// The card of an account as the database has it now, whatever is in memory; `None` when there is no such account.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn read(&self, id: AccountId) -> Result<Option<Arc<Card>>, StoreError> {
        let shard = shard(&self.shards, id);
        let before = shard.forgotten.load(Ordering::SeqCst);
        let mut link = self.database.read().await?;
        let Some(account) = account::by_id(&mut link, id).await? else { return Ok(None) };
        let groups = group::names_of(&mut link, id).await?;
        let card = Arc::new(Card::new(account, groups));
        shard.keep(id, &card, before);
        Ok(Some(card))
    }
}

impl Shard {
    /// Keeps a card, unless something was forgotten while it was being read: then it may be stale, and serves only the
    /// request that read it.
    fn keep(&self, id: AccountId, card: &Arc<Card>, before: u64) {
        let Ok(mut cards) = self.cards.write() else { return };
        if self.forgotten.load(Ordering::SeqCst) != before {
            return;
        }
        if cards.len() >= CAPACITY / SHARDS
            && let Some(any) = cards.keys().next().copied()
        {
            cards.remove(&any);
        }
        cards.insert(id, Arc::clone(card));
    }

    fn forget(&self, id: Option<AccountId>) {
        let mut cards = self.cards.write().unwrap_or_else(std::sync::PoisonError::into_inner);
        self.forgotten.fetch_add(1, Ordering::SeqCst);
        match id {
            Some(id) => drop(cards.remove(&id)),
            None => cards.clear(),
        }
    }
}

fn forget(shards: &[Shard; SHARDS], notice: &Notice) {
    match notice {
        Notice::Account(id) => shard(shards, *id).forget(Some(*id)),
        Notice::Accounts => shards.iter().for_each(|shard| shard.forget(None)),
        Notice::Keys => {}
    }
}

fn shard(shards: &[Shard; SHARDS], id: AccountId) -> &Shard {
    // The last byte of a UUIDv7 is random; the remainder is always within the array.
    let index = usize::from(id.uuid().as_bytes()[15]) % SHARDS;
    shards.get(index).unwrap_or(&shards[0])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn cards_are_believed_for_a_minute_after_the_database_was_heard() {
        let hearing = Hearing::begin();
        assert!(hearing.holds());
        tokio::time::advance(Duration::from_secs(59)).await;
        let asked = Instant::now();
        assert!(hearing.holds());
        tokio::time::advance(Duration::from_secs(1)).await;
        assert!(!hearing.holds());
        hearing.heard(asked);
        assert!(hearing.holds());
        tokio::time::advance(Duration::from_secs(59)).await;
        assert!(!hearing.holds(), "counted from the question, not from the answer");
    }
}
