//! What the store does with entries on shelves: put, peek, take, replace. One key each, so everything here is atomic.
//!
//! An entry says itself until when it lives, by the clock of the node that put it; Redis removes it a while later.

use super::script::Script;
use super::{SLACK, Store, bytes};
use crate::domain::time::Timestamp;
use crate::store::volatile::{Shelf, Unavailable};
use redis::Value;
use std::sync::LazyLock;

/// Digits of the time that an entry begins with.
const DIGITS: usize = 14;

/// Over an expired entry, or none. ARGV: now, the entry, for how long Redis keeps it.
static PUT: LazyLock<Script> = LazyLock::new(|| {
    Script::new(
        "local kept = redis.call('GET', KEYS[1]) \
         if kept and tonumber(string.sub(kept, 1, 14)) > tonumber(ARGV[1]) then return 0 end \
         redis.call('SET', KEYS[1], ARGV[2], 'PX', ARGV[3]) \
         return 1",
    )
});

/// Of an entry that is still as it was; how long it lives does not change. ARGV: old value, new value.
static REPLACE: LazyLock<Script> = LazyLock::new(|| {
    Script::new(
        "local kept = redis.call('GET', KEYS[1]) \
         if not kept or string.sub(kept, 15) ~= ARGV[1] then return 0 end \
         redis.call('SET', KEYS[1], string.sub(kept, 1, 14) .. ARGV[2], 'KEEPTTL') \
         return 1",
    )
});

impl Store {
    pub(super) async fn put_entry(
        &self,
        (on, key): (Shelf, [u8; 32]),
        value: &[u8],
        until: Timestamp,
        now: Timestamp,
    ) -> Result<bool, Unavailable> {
        let place = self.keys.entry(on, &key);
        let entry = [format!("{:014}", until.millis()).as_bytes(), value].concat();
        let kept = u64::try_from((until.since(now) + SLACK).as_millis()).unwrap_or(u64::MAX);
        let put = PUT.over(vec![place.clone()]).told(now.millis()).told(entry).told(kept).on(&self.servers).await?;
        self.servers.replicated(&place).await?;
        Ok(put == Value::Int(1))
    }

    pub(super) async fn peek_entry(
        &self,
        on: Shelf,
        key: &[u8; 32],
        now: Timestamp,
    ) -> Result<Option<Vec<u8>>, Unavailable> {
        let place = self.keys.entry(on, key);
        let kept = self.servers.ask(&place, redis::cmd("GET").arg(&place)).await?;
        Ok(bytes(kept).and_then(|entry| alive(entry, now)))
    }

    pub(super) async fn take_entry(
        &self,
        on: Shelf,
        key: &[u8; 32],
        now: Timestamp,
    ) -> Result<Option<Vec<u8>>, Unavailable> {
        let place = self.keys.entry(on, key);
        let kept = self.servers.change(&place, redis::cmd("GETDEL").arg(&place)).await?;
        Ok(bytes(kept).and_then(|entry| alive(entry, now)))
    }

    pub(super) async fn replace_entry(
        &self,
        on: Shelf,
        key: &[u8; 32],
        old: &[u8],
        new: &[u8],
    ) -> Result<bool, Unavailable> {
        let place = self.keys.entry(on, key);
        let done = REPLACE.over(vec![place.clone()]).told(old).told(new).on(&self.servers).await?;
        self.servers.replicated(&place).await?;
        Ok(done == Value::Int(1))
    }
}

/// The value of an entry that has not expired.
fn alive(mut entry: Vec<u8>, now: Timestamp) -> Option<Vec<u8>> {
    let until: i64 = std::str::from_utf8(entry.get(..DIGITS)?).ok()?.parse().ok()?;
    (until > now.millis()).then(|| entry.split_off(DIGITS))
}
