//! Authenticator apps (RFC 6238): a secret is shown as a picture and as text, and bound once its first code was right.

use super::{Added, Bound, CEREMONY, COLUMN, FactorError, Factors, NewFactor, bind_in};
use crate::domain::account::Account;
use crate::domain::authenticator::{AuthenticatorName, Kind};
use crate::domain::secret::Secret;
use crate::domain::session::Methods;
use crate::domain::time::Timestamp;
use crate::service::caller::SteppedUp;
use crate::service::context::Context;
use crate::service::core::{Core, Trouble, fingerprint};
use crate::service::limiter::{Target, Try};
use crate::store::volatile::Shelf;
use totp_rs::{Builder, Totp};

/// Bytes of a secret: as long as the output of the hash (RFC 4226 section 4, R6).
const SECRET: usize = 20;
/// Digits of a code.
pub const DIGITS: usize = 6;

/// What an app is told.
pub struct Offer {
    /// The secret in base 32, in groups of four, for typing.
    pub key: String,
    /// The same as an address for cameras (`otpauth://…`).
    pub uri: String,
    /// The account's name in the app.
    pub account: String,
}

impl Factors {
    /// A secret for an app of this person's; the same one again as long as the page is open.
    ///
    /// # Errors
    /// [`FactorError::Off`] when apps are not offered.
    pub async fn offer_totp(&self, ctx: &Context, who: &SteppedUp) -> Result<Offer, FactorError> {
        offer(&self.core, ctx, &who.card().account, who.handle()).await
    }

    /// Binds the app that this code comes from. Other sessions end when it is the first factor.
    ///
    /// # Errors
    /// [`FactorError`]; nothing is bound then.
    pub async fn bind_totp(
        &self,
        ctx: &Context,
        who: &SteppedUp,
        name: &AuthenticatorName,
        code: &str,
    ) -> Result<Added, FactorError> {
        let seat = who.handle();
        let (secret, step) = confirm(&self.core, ctx, &who.card().account, seat, code).await?;
        let mut tx = self.core.database.begin_for(who.account()).await?;
        let bound = bind_app(&self.core, ctx, &mut tx, &who.card().account, name, (&secret, step)).await?;
        tx.commit().await?;
        leave(&self.core, ctx, seat).await?;
        self.added(ctx, who, bound, Methods::CODE).await
    }

    /// Finishes a binding by somebody signed in: their session proved this factor just now, and gets a new handle.
    pub(super) async fn added(
        &self,
        ctx: &Context,
        who: &SteppedUp,
        bound: Bound,
        proved: Methods,
    ) -> Result<Added, FactorError> {
        bound.aftermath.finish(&self.core).await;
        let handle = self.sessions.renew_with(ctx, who, bound.event, proved.and(Methods::MULTI_FACTOR)).await?;
        Ok(Added { handle, codes: bound.codes })
    }
}

/// A secret for whoever has this seat: a session or an attempt.
pub(in crate::service) async fn offer(
    core: &Core,
    ctx: &Context,
    account: &Account,
    seat: &[u8; 32],
) -> Result<Offer, FactorError> {
    if !core.policy.factor.kinds.contains(&Kind::Totp) {
        return Err(FactorError::Off);
    }
    let secret = match waiting(core, ctx, seat).await? {
        Some(secret) => secret,
        None => begin(core, ctx, seat).await?,
    };
    // A colon separates the two in the app (Key Uri Format).
    let plain = |text: &str| text.replace(':', " ");
    let builder = builder(core, secret.expose()).with_issuer(Some(plain(&core.policy.product)));
    let app = builder.with_account_name(plain(&account.username)).build().map_err(|_| UNUSABLE)?;
    let key = app.secret().to_base32();
    let groups: Vec<_> = key.as_bytes().chunks(4).map(String::from_utf8_lossy).collect();
    Ok(Offer { key: groups.join(" "), uri: app.to_url().map_err(|_| UNUSABLE)?, account: account.username.clone() })
}

/// Checks the first code of the secret on offer, through the one limiter. The secret stays on offer.
pub(in crate::service) async fn confirm(
    core: &Core,
    ctx: &Context,
    account: &Account,
    seat: &[u8; 32],
    typed: &str,
) -> Result<(Secret<Vec<u8>>, i64), FactorError> {
    let secret = waiting(core, ctx, seat).await?.ok_or(FactorError::Outdated)?;
    let ticket = match core.limiter.ask(Target::Account(account.id), &ctx.origin, ctx.now()).await? {
        Try::Granted(ticket) => ticket,
        Try::Refused { retry_after, .. } => return Err(FactorError::TooManyFailures { retry_after }),
    };
    let step = app(core, secret.expose())?.matches(typed, ctx.now()).ok_or(FactorError::WrongCode)?;
    core.limiter.give_back(ticket).await?;
    Ok((secret, step))
}

/// Writes the confirmed app.
pub(in crate::service) async fn bind_app(
    core: &Core,
    ctx: &Context,
    tx: &mut crate::store::Tx,
    account: &Account,
    name: &AuthenticatorName,
    (secret, step): (&Secret<Vec<u8>>, i64),
) -> Result<Bound, FactorError> {
    // The code that confirmed is used up.
    let last_step = Some(step);
    let new = NewFactor { kind: Kind::Totp, name, secret: secret.expose(), last_step, credential: None };
    bind_in(core, ctx, tx, account.id, new).await
}

/// The secret is bound: the next app gets another one.
pub(in crate::service) async fn leave(core: &Core, ctx: &Context, seat: &[u8; 32]) -> Result<(), Trouble> {
    core.volatile.take(Shelf::Ceremony, &key(seat), ctx.now()).await?;
    Ok(())
}

/// An app's codes.
pub(in crate::service) struct App(Totp);

/// The app of an opened secret.
pub(in crate::service) fn app(core: &Core, secret: &[u8]) -> Result<App, Trouble> {
    builder(core, secret).build().map(App).map_err(|_| UNUSABLE)
}

impl App {
    /// The time step that a code belongs to, if it is one of the present ones. Blanks and hyphens are left out.
    pub(in crate::service) fn matches(&self, code: &str, now: Timestamp) -> Option<i64> {
        let digits = digits(code)?;
        let step = self.0.check(&digits, u64::try_from(now.seconds()).ok()?)?;
        i64::try_from(step).ok()
    }
}

/// Six digits as people type or paste them.
pub(super) fn digits(code: &str) -> Option<String> {
    let digits: String = code.chars().filter(|one| !one.is_whitespace() && *one != '-').take(DIGITS + 1).collect();
    (digits.len() == DIGITS && digits.bytes().all(|byte| byte.is_ascii_digit())).then_some(digits)
}

const UNUSABLE: Trouble = Trouble::Sealing("the secret of an app cannot be used");

fn builder(core: &Core, secret: &[u8]) -> Builder {
    Builder::new().with_secret(secret).with_skew(core.policy.factor.totp_skew)
}

fn key(seat: &[u8; 32]) -> [u8; 32] {
    fingerprint(&[b"totp\0".as_slice(), seat].concat())
}

async fn waiting(core: &Core, ctx: &Context, seat: &[u8; 32]) -> Result<Option<Secret<Vec<u8>>>, Trouble> {
    let Some(sealed) = core.volatile.peek(Shelf::Ceremony, &key(seat), ctx.now()).await? else { return Ok(None) };
    Ok(Some(Secret::new(core.open_column(COLUMN, &sealed)?)))
}

async fn begin(core: &Core, ctx: &Context, seat: &[u8; 32]) -> Result<Secret<Vec<u8>>, Trouble> {
    let secret = Secret::new(ctx.bytes::<SECRET>().to_vec());
    let sealed = core.seal_column(ctx, COLUMN, secret.expose())?;
    let until = ctx.now().after(CEREMONY);
    if core.volatile.put(Shelf::Ceremony, key(seat), sealed, until, ctx.now()).await? {
        return Ok(secret);
    }
    // Two tabs at once: the first one's counts.
    waiting(core, ctx, seat).await?.ok_or(UNUSABLE)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 6238, appendix B, the SHA-1 column; our codes are its last six digits.
    #[test]
    fn the_vectors_of_the_rfc_pass() {
        let app = App(Builder::new().with_secret(b"12345678901234567890".as_slice()).with_skew(0).build().unwrap());
        for (seconds, code) in [
            (59, "287082"),
            (1_111_111_109, "081804"),
            (1_111_111_111, "050471"),
            (1_234_567_890, "005924"),
            (2_000_000_000, "279037"),
            (20_000_000_000, "353130"),
        ] {
            let now = Timestamp::from_millis(seconds * 1000);
            assert_eq!(app.matches(code, now), Some(seconds / 30), "{seconds}");
            assert_eq!(app.matches(code, Timestamp::from_millis((seconds + 30) * 1000)), None, "{seconds}");
        }
    }

    #[test]
    fn a_clock_may_be_wrong_by_the_skew_and_no_more() {
        let app = App(Builder::new().with_secret(b"12345678901234567890".as_slice()).with_skew(1).build().unwrap());
        let at = |seconds: i64| app.matches("287082", Timestamp::from_millis(seconds * 1000));
        assert_eq!((at(29), at(59), at(89)), (Some(1), Some(1), Some(1)));
        assert_eq!((at(90), at(119)), (None, None));
    }

    #[test]
    fn codes_are_read_as_people_type_them() {
        assert_eq!(digits(" 287 082 ").as_deref(), Some("287082"));
        assert_eq!(digits("287-082").as_deref(), Some("287082"));
        for bad in ["", "28708", "2870820", "28708a", "２８７０８２", "+28708", "28708\u{0}"] {
            assert_eq!(digits(bad), None, "{bad:?}");
        }
    }
}
