//! What the store does with failure counters: admit, refund, forget. Which ones there are, the limiter decides.
//!
//! On one server a single script looks at all counters and raises all or none. In a Cluster they lie on different servers:
//! each is looked at, then each is raised by a script that checks its own limit once more, and what was raised is given
//! back when a later one refuses. Never is more granted than a limit allows; a try that comes between a raise and its
//! giving back may be refused though it would have fitted.

use super::script::Script;
use super::{SLACK, Store, millis};
use crate::domain::throttle::{Admission, Charge};
use crate::domain::time::Timestamp;
use crate::store::volatile::Unavailable;
use std::sync::LazyLock;
use std::time::Duration;

/// A counter is `failures counted_from expires_at`. ARGV: now, slack, `raise` or `look`, then limit and window of each key.
/// Answers the number of the counter with the longest wait, and the wait; 0 when there is none.
static ADMIT: LazyLock<Script> = LazyLock::new(|| {
    Script::new(
        "local now, slack = tonumber(ARGV[1]), tonumber(ARGV[2]) \
         local worst, wait, raised = 0, -1, {} \
         for i, key in ipairs(KEYS) do \
           local limit, window = tonumber(ARGV[2 + 2 * i]), tonumber(ARGV[3 + 2 * i]) \
           local failures, from, till = 0, now, now + window \
           local f, c, e = string.match(redis.call('GET', key) or '', '^(%d+) (%d+) (%d+)$') \
           if f and tonumber(e) > now then \
             failures, from, till = tonumber(f), tonumber(c), tonumber(e) \
             if failures >= limit and till - now > wait then worst, wait = i, till - now end \
           end \
           failures = failures + 1 \
           if failures >= limit then till = now + window end \
           raised[i] = { string.format('%.0f %.0f %.0f', failures, from, till), till - now + slack } \
         end \
         if worst > 0 then return { worst, wait } end \
         if ARGV[3] == 'raise' then \
           for i, key in ipairs(KEYS) do \
             redis.call('SET', key, raised[i][1], 'PX', string.format('%.0f', raised[i][2])) \
           end \
         end \
         return { 0, 0 }",
    )
});

/// Also lifts the block that the failure caused: the window ends again when it would have ended without it. ARGV: windows.
static REFUND: LazyLock<Script> = LazyLock::new(|| {
    Script::new(
        "for i, key in ipairs(KEYS) do \
           local f, c = string.match(redis.call('GET', key) or '', '^(%d+) (%d+) %d+$') \
           if f and tonumber(f) > 1 then \
             local till = tonumber(c) + tonumber(ARGV[i]) \
             redis.call('SET', key, string.format('%.0f %s %.0f', tonumber(f) - 1, c, till), 'KEEPTTL') \
           elseif f then redis.call('DEL', key) end \
         end \
         return 1",
    )
});

impl Store {
    pub(super) async fn admit_all(&self, charges: &[Charge], now: Timestamp) -> Result<Admission, Unavailable> {
        let counted: Vec<&Charge> = charges.iter().filter(|charge| charge.limit.failures > 0).collect();
        if counted.is_empty() {
            return Ok(Admission::Granted);
        }
        if !self.servers.is_cluster() {
            return self.judge(&counted, now, "raise").await;
        }
        let mut worst = Admission::Granted;
        for charge in &counted {
            worst = longer(worst, self.judge(&[*charge], now, "look").await?);
        }
        if worst != Admission::Granted {
            return Ok(worst);
        }
        let mut raised = Vec::with_capacity(counted.len());
        for charge in counted {
            match self.judge(&[charge], now, "raise").await {
                Ok(Admission::Granted) => raised.push(charge.clone()),
                refused_or_lost => {
                    self.refund_all(&raised).await?;
                    return refused_or_lost;
                }
            }
        }
        Ok(Admission::Granted)
    }

    async fn judge(&self, charges: &[&Charge], now: Timestamp, act: &str) -> Result<Admission, Unavailable> {
        let keys: Vec<_> = charges.iter().map(|charge| self.keys.counter(charge.scope, &charge.subject)).collect();
        let first = keys.first().cloned().unwrap_or_default();
        let mut run = ADMIT.over(keys).told(now.millis()).told(millis(SLACK)).told(act);
        for charge in charges {
            run = run.told(charge.limit.failures).told(millis(charge.limit.window));
        }
        let answer: (usize, u64) =
            redis::from_redis_value(run.on(&self.servers).await?).map_err(|error| Unavailable(error.to_string()))?;
        let (worst, wait) = answer;
        if let Some(charge) = worst.checked_sub(1).and_then(|at| charges.get(at)) {
            return Ok(Admission::Refused { scope: charge.scope, retry_after: Duration::from_millis(wait) });
        }
        self.servers.replicated(&first).await?;
        Ok(Admission::Granted)
    }

    pub(super) async fn refund_all(&self, charges: &[Charge]) -> Result<(), Unavailable> {
        let counted: Vec<_> = charges
            .iter()
            .filter(|charge| charge.limit.failures > 0)
            .map(|charge| (self.keys.counter(charge.scope, &charge.subject), millis(charge.limit.window)))
            .collect();
        let together = if self.servers.is_cluster() { 1 } else { counted.len().max(1) };
        for some in counted.chunks(together) {
            let mut run = REFUND.over(some.iter().map(|(key, _)| key.clone()).collect());
            for (_, window) in some {
                run = run.told(*window);
            }
            run.on(&self.servers).await?;
        }
        Ok(())
    }

    pub(super) async fn forget_all(&self, charges: &[Charge]) -> Result<(), Unavailable> {
        for charge in charges {
            let key = self.keys.counter(charge.scope, &charge.subject);
            self.servers.change(&key, redis::cmd("DEL").arg(&key)).await?;
        }
        Ok(())
    }
}

/// The refusal with the longer wait.
fn longer(one: Admission, other: Admission) -> Admission {
    match (one, other) {
        (Admission::Refused { retry_after: a, .. }, Admission::Refused { retry_after: b, .. }) if a >= b => one,
        (_, Admission::Refused { .. }) => other,
        _ => one,
    }
}
