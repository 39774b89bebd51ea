//! Backup codes: ten of them, shown once, each good once. A code has 80 random bits, so what is stored is a plain SHA-256
//! bound to the account: nobody finds 80 bits from a hash, and a slow or keyed hash would add nothing but a key to lose.

use super::{FactorError, Factors};
use crate::domain::audit::{Act, Event};
use crate::domain::id::AccountId;
use crate::domain::secret::Secret;
use crate::domain::session::CredentialEvent;
use crate::service::access_news::AccessNews;
use crate::service::caller::SteppedUp;
use crate::service::context::Context;
use crate::service::core::{Trouble, fingerprint};
use crate::service::outbox::{self, Order};
use crate::service::revocation;
use crate::store::{Tx, authenticator, backup_code};

/// How many there are.
pub const COUNT: usize = 10;
/// Crockford's alphabet: nothing in it looks like something else.
const ALPHABET: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";
const BYTES: usize = 10;
const LETTERS: usize = 16;

/// A code as it is shown, once: `7K3M-0QXA-P2ZD-9WRT`.
pub type BackupCode = Secret<String>;

impl Factors {
    /// Makes the codes anew; the ones before are void from now on.
    ///
    /// # Errors
    /// [`FactorError::NotFound`] when the account has no second factor that they could stand in for.
    pub async fn make_backup_codes(&self, ctx: &Context, who: &SteppedUp) -> Result<Vec<BackupCode>, FactorError> {
        let account = who.account();
        let mut tx = self.core.database.begin_for(who.account()).await?;
        if !authenticator::any(&mut tx, account).await? {
            return Err(FactorError::NotFound);
        }
        let codes = make_in(ctx, &mut tx, account).await?;
        let order = Order::Factor { news: AccessNews::BackupCodesMade, at: ctx.now() };
        outbox::order(&self.core, ctx, &mut tx, Some(account), &order).await?;
        let event = CredentialEvent::BackupCodesMade;
        let aftermath = revocation::revoke(ctx, &mut tx, account, event, None).await?;
        tx.commit().await?;
        aftermath.finish(&self.core).await;
        Ok(codes)
    }
}

/// Makes them in a transaction of the caller's.
pub(super) async fn make_in(ctx: &Context, tx: &mut Tx, account: AccountId) -> Result<Vec<BackupCode>, Trouble> {
    let codes: Vec<_> = (0..COUNT).map(|_| shown(ctx.bytes())).collect();
    let hashes: Vec<_> = codes.iter().filter_map(|code| hashed(account, code.expose())).collect();
    backup_code::replace(tx, account, &hashes, ctx.now()).await?;
    let detail = serde_json::json!({ "count": codes.len() });
    ctx.record(tx, Event::about(Act::BackupCodesMade, account).with(detail)).await?;
    Ok(codes)
}

/// The stored form of a code, however it was typed; `None` when it cannot be one.
pub(super) fn hashed(account: AccountId, typed: &str) -> Option<[u8; 32]> {
    let mut code = Vec::with_capacity(LETTERS);
    for letter in typed.chars().filter(|letter| !letter.is_whitespace() && *letter != '-') {
        let letter = match letter.to_ascii_uppercase() {
            'O' => '0',
            'I' | 'L' => '1',
            other => other,
        };
        let byte = u8::try_from(letter).ok().filter(|byte| ALPHABET.contains(byte))?;
        if code.len() == LETTERS {
            return None;
        }
        code.push(byte);
    }
    let whole = || [b"backup-code\0".as_slice(), account.uuid().as_bytes(), &code].concat();
    (code.len() == LETTERS).then(|| fingerprint(&whole()))
}

fn shown(random: [u8; BYTES]) -> BackupCode {
    let mut bits = random.iter().fold(0_u128, |bits, byte| (bits << 8) | u128::from(*byte));
    let mut text = String::with_capacity(LETTERS + 3);
    for place in 0..LETTERS {
        if place > 0 && place % 4 == 0 {
            text.push('-');
        }
        let index = usize::try_from(bits & 31).unwrap_or(0);
        text.push(char::from(ALPHABET.get(index).copied().unwrap_or(b'0')));
        bits >>= 5;
    }
    Secret::new(text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use uuid::Uuid;

    fn account(n: u8) -> AccountId {
        AccountId::new(Uuid::from_bytes([n; 16]))
    }

    #[test]
    fn a_code_is_four_groups_and_every_bit_counts() {
        let code = shown([0; BYTES]);
        assert_eq!(code.expose(), "0000-0000-0000-0000");
        assert_eq!(shown([255; BYTES]).expose(), "ZZZZ-ZZZZ-ZZZZ-ZZZZ");
        for bit in 0..80 {
            let mut random = [0; BYTES];
            random[bit / 8] = 1 << (bit % 8);
            assert_ne!(shown(random).expose(), code.expose(), "bit {bit}");
        }
    }

    #[test]
    fn a_code_is_read_as_people_type_it() {
        let code = shown([7, 1, 200, 3, 90, 17, 255, 0, 31, 64]);
        let stored = hashed(account(1), code.expose()).unwrap();
        let sloppy =
            format!("  {} ", code.expose().to_lowercase().replace('-', " ").replace('0', "o").replace('1', "l"));
        assert_eq!(hashed(account(1), &sloppy), Some(stored));
        assert_ne!(hashed(account(2), code.expose()), Some(stored), "another account's code is another hash");
        for bad in ["", "123456", "0000-0000-0000-000", "0000-0000-0000-00000", "0000-0000-0000-000!", "é"] {
            assert_eq!(hashed(account(1), bad), None, "{bad}");
        }
    }
}
