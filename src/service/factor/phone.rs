//! Codes to phones: made, sent and checked, for binding a number and for proving with one. A restricted authenticator (NIST
//! SP 800-63B-4 sections 3.1.3.3 and 3.2.9), so nothing is sent before somebody asks for it on a page that says so.
//!
//! A code is sent while the person waits, not by an outbox: it is worthless after minutes, and whoever waits has to learn
//! that it did not go out (docs/decisions/0022-text-messages.md).

use super::check::{Shown, by_owner};
use super::{Bound, bind_in};
use super::{COLUMN, FactorError, NewFactor};
use crate::connect::gateway::{Gateway, GatewayError, Message};
use crate::domain::account::Account;
use crate::domain::audit::{Act, Event};
use crate::domain::authenticator::{AuthenticatorName, FactorWay, Kind};
use crate::domain::id::{AccountId, AuthenticatorId};
use crate::domain::phone::{Channel, PhoneNumber};
use crate::domain::secret::Secret;
use crate::domain::throttle::{Admission, Scope};
use crate::service::context::Context;
use crate::service::core::{Core, Trouble, fingerprint};
use crate::service::limiter::{CodeFor, Target, Try};
use crate::service::metrics::CodeOutcome;
use crate::service::texts::Texts;
use crate::store::authenticator::Stored;
use crate::store::volatile::Shelf;
use crate::store::{Tx, authenticator};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// How long a code is good (NIST SP 800-63B-4 section 3.1.3.2; ASVS 5.0, 6.5.5).
pub const LIFETIME: Duration = Duration::from_mins(10);
/// How many different codes there are: six digits.
const CODES: u64 = 1_000_000;

/// The gateways of this installation.
#[derive(Debug, Default)]
pub struct Gateways {
    /// Sends text messages.
    pub sms: Option<Gateway>,
    /// Calls.
    pub voice: Option<Gateway>,
}

impl Gateways {
    fn of(&self, channel: Channel) -> Option<&Gateway> {
        match channel {
            Channel::Sms => self.sms.as_ref(),
            Channel::Voice => self.voice.as_ref(),
        }
    }

    /// The ways in which a code can be sent now.
    #[must_use]
    pub fn channels(&self) -> Vec<Channel> {
        Channel::ALL.into_iter().filter(|channel| self.of(*channel).is_some()).collect()
    }
}

/// A code on its way, as its page shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sent {
    /// Where to, masked.
    pub to: String,
    /// How.
    pub channel: Channel,
    /// The number, when it is one of the account's already.
    pub authenticator: Option<AuthenticatorId>,
}

/// A number that somebody wants to bind, and how the first code shall get there.
#[derive(Clone, Debug)]
pub struct NewPhone {
    /// The number.
    pub number: PhoneNumber,
    /// What they call it.
    pub name: AuthenticatorName,
    /// How.
    pub channel: Channel,
}

/// Whose page it is: an attempt's or a session's, by the hash of its handle.
#[derive(Clone, Copy)]
pub(in crate::service) struct Seat<'a> {
    pub(in crate::service) account: &'a Account,
    pub(in crate::service) seat: &'a [u8; 32],
}

/// What a code is for.
#[derive(Clone, Serialize, Deserialize)]
enum Purpose {
    Bind { number: String, name: String },
    Prove { number: String, authenticator: AuthenticatorId },
}

impl Purpose {
    fn number(&self) -> Option<PhoneNumber> {
        match self {
            Self::Bind { number, .. } | Self::Prove { number, .. } => PhoneNumber::parse(number),
        }
    }
}

/// A code as it is kept: sealed, and its hash alone.
#[derive(Clone, Serialize, Deserialize)]
struct Waiting {
    channel: Channel,
    code: [u8; 32],
    purpose: Purpose,
    /// Whether it was taken; it stays so that the same form sent twice is not a wrong code.
    #[serde(default)]
    used: bool,
}

/// Whether a typed code was taken.
enum Taken {
    Now,
    /// It is the right one, and came before.
    Before,
    No,
}

/// Sends the code that is to confirm a new number. One that was sent before is void from now on.
pub(in crate::service) async fn send_to_bind(
    core: &Core,
    ctx: &Context,
    who: Seat<'_>,
    new: &NewPhone,
) -> Result<(), FactorError> {
    if !core.policy.factor.channels.contains(&new.channel) {
        return Err(FactorError::Off);
    }
    let (number, name) = (new.number.expose().to_owned(), new.name.as_str().to_owned());
    let countries = &core.policy.factor.countries;
    if !countries.is_empty() && !countries.iter().any(|country| number.starts_with(country)) {
        return Err(FactorError::Abroad);
    }
    send(core, ctx, who, new.channel, Purpose::Bind { number, name }).await
}

/// Sends another code to the number that is being bound.
pub(in crate::service) async fn send_again(
    core: &Core,
    ctx: &Context,
    who: Seat<'_>,
    channel: Channel,
) -> Result<(), FactorError> {
    if !core.policy.factor.channels.contains(&channel) {
        return Err(FactorError::Off);
    }
    match waiting(core, ctx, who.seat).await? {
        Some((_, Waiting { purpose: purpose @ Purpose::Bind { .. }, used: false, .. })) => {
            send(core, ctx, who, channel, purpose).await
        }
        _ => Err(FactorError::Outdated),
    }
}

/// Sends a code to one of the account's numbers.
pub(in crate::service) async fn send_to_prove(
    core: &Core,
    ctx: &Context,
    who: Seat<'_>,
    id: AuthenticatorId,
    channel: Channel,
) -> Result<(), FactorError> {
    let found = phones_of(core, who.account.id).await?.into_iter().find(|(stored, _)| stored.about.id == id);
    let (_, number) = found.ok_or(FactorError::NotFound)?;
    let number = number.expose().to_owned();
    send(core, ctx, who, channel, Purpose::Prove { number, authenticator: id }).await
}

/// The code that this seat waits for.
pub(in crate::service) async fn sent(core: &Core, ctx: &Context, seat: &[u8; 32]) -> Result<Option<Sent>, Trouble> {
    let live = waiting(core, ctx, seat).await?.filter(|(_, waiting)| !waiting.used);
    Ok(live.and_then(|(_, waiting)| {
        let authenticator = match &waiting.purpose {
            Purpose::Bind { .. } => None,
            Purpose::Prove { authenticator, .. } => Some(*authenticator),
        };
        Some(Sent { to: waiting.purpose.number()?.masked(), channel: waiting.channel, authenticator })
    }))
}

/// The numbers of an account, masked.
pub(in crate::service) async fn masked(
    core: &Core,
    account: AccountId,
) -> Result<Vec<(AuthenticatorId, String)>, Trouble> {
    let phones = phones_of(core, account).await?;
    Ok(phones.into_iter().map(|(stored, number)| (stored.about.id, number.masked())).collect())
}

/// Checks the code of the number that is being bound, through the one limiter; it is used up then.
pub(in crate::service) async fn confirm(
    core: &Core,
    ctx: &Context,
    who: Seat<'_>,
    typed: &str,
) -> Result<NewPhone, FactorError> {
    let (bytes, waiting) = waiting(core, ctx, who.seat).await?.ok_or(FactorError::Outdated)?;
    let ticket = match core.limiter.ask(Target::Account(who.account.id), &ctx.origin, ctx.now()).await? {
        Try::Granted(ticket) => ticket,
        Try::Refused { retry_after, .. } => return Err(FactorError::TooManyFailures { retry_after }),
    };
    let taken = take(core, ctx, who.seat, &bytes, &waiting, typed).await?;
    if matches!(taken, Taken::No) {
        return Err(FactorError::WrongCode);
    }
    core.limiter.give_back(ticket).await?;
    let (Taken::Now, Purpose::Bind { name, .. }, Some(number)) = (taken, &waiting.purpose, waiting.purpose.number())
    else {
        return Err(FactorError::Outdated);
    };
    let name = AuthenticatorName::parse(name).ok_or(FactorError::Outdated)?;
    Ok(NewPhone { number, name, channel: waiting.channel })
}

/// Writes the confirmed number.
pub(in crate::service) async fn bind_phone(
    core: &Core,
    ctx: &Context,
    tx: &mut Tx,
    account: AccountId,
    new: &NewPhone,
) -> Result<Bound, FactorError> {
    let secret = new.number.expose().as_bytes();
    let factor = NewFactor { kind: Kind::Phone, name: &new.name, secret, last_step: None, credential: None };
    bind_in(core, ctx, tx, account, factor).await
}

/// Takes the code that this seat waits for, once; says what it proves.
pub(super) async fn prove(
    core: &Core,
    ctx: &Context,
    account: AccountId,
    seat: &[u8; 32],
    typed: &str,
) -> Result<Shown, Trouble> {
    let Some((bytes, waiting)) = waiting(core, ctx, seat).await? else { return Ok(Shown::Wrong) };
    let Purpose::Prove { authenticator: id, .. } = waiting.purpose else { return Ok(Shown::Wrong) };
    match take(core, ctx, seat, &bytes, &waiting, typed).await? {
        Taken::Now => {}
        Taken::Before => return Ok(Shown::Before),
        Taken::No => return Ok(Shown::Wrong),
    }
    let mut tx = core.database.begin_for(account).await?;
    // A number that was removed meanwhile proves nothing.
    if !authenticator::touch(&mut tx, id, ctx.now()).await? {
        return Ok(Shown::Wrong);
    }
    let detail = serde_json::json!({ "way": FactorWay::Phone, "channel": waiting.channel, "authenticator": id });
    by_owner(ctx, account).record(&mut tx, Event::about(Act::FactorProved, account).with(detail)).await?;
    tx.commit().await?;
    Ok(Shown::Right(waiting.channel.proves()))
}

/// Makes a code, keeps it in the place of the one before, and hands it to the gateway.
async fn send(
    core: &Core,
    ctx: &Context,
    who: Seat<'_>,
    channel: Channel,
    purpose: Purpose,
) -> Result<(), FactorError> {
    let gateway = core.gateways.of(channel).ok_or(FactorError::Off)?;
    let number = purpose.number().ok_or(UNUSABLE)?;
    admit(core, ctx, CodeFor { seat: who.seat, account: who.account.id, number: &number }, channel).await?;
    let digits = drawn(ctx);
    let authenticator = match &purpose {
        Purpose::Bind { .. } => None,
        Purpose::Prove { authenticator, .. } => Some(*authenticator),
    };
    let waiting = Waiting { channel, code: hashed(who.seat, digits.expose()), purpose, used: false };
    keep(core, ctx, who.seat, &waiting).await?;
    let text = sentence(core, ctx, channel, digits.expose());
    let message = Message { to: &number, text: &text, code: &digits, language: ctx.language.tag() };
    let answer = gateway.send(&message).await;
    let (outcome, said) = match &answer {
        Ok(()) => (CodeOutcome::Sent, "sent"),
        Err(GatewayError::Unanswered(error)) => (CodeOutcome::Failed, error.code()),
        Err(error) => (CodeOutcome::Refused, error.code()),
    };
    core.metrics.code(channel, outcome);
    let detail = serde_json::json!({ "channel": channel, "authenticator": authenticator, "outcome": said });
    let mut tx = core.database.begin_beside().await?;
    let event = Event::about(Act::FactorCodeSent, who.account.id).with(detail);
    by_owner(ctx, who.account.id).record(&mut tx, event).await?;
    tx.commit().await?;
    if let Err(error) = answer {
        tracing::error!(%error, channel = channel.as_str(), "a code could not be sent");
        // It may have been sent all the same; whoever is told that it was not asks for another one.
        core.volatile.take(Shelf::Ceremony, &key(who.seat), ctx.now()).await?;
        return Err(FactorError::NotSent);
    }
    Ok(())
}

/// Whether another code may be sent; what is refused for the bill's sake is for the operator to see. Nothing is sent that
/// could not be typed: where the account's failures are too many, the code would be refused.
async fn admit(core: &Core, ctx: &Context, what: CodeFor<'_>, channel: Channel) -> Result<(), FactorError> {
    match core.limiter.ask(Target::Account(what.account), &ctx.origin, ctx.now()).await? {
        Try::Granted(ticket) => core.limiter.give_back(ticket).await?,
        Try::Refused { retry_after, .. } => return Err(FactorError::TooManyFailures { retry_after }),
    }
    let Admission::Refused { scope, retry_after } = core.limiter.ask_code(what, &ctx.origin, ctx.now()).await? else {
        return Ok(());
    };
    if matches!(scope, Scope::CodesHour | Scope::CodesDay) {
        tracing::error!(limit = scope.as_str(), "no code was sent: this service has sent as many as it may ([sms])");
        core.metrics.code(channel, CodeOutcome::Bounded);
    } else {
        core.metrics.code(channel, CodeOutcome::Throttled);
    }
    Err(FactorError::TooManyCodes { retry_after })
}

/// What the message says, in the language of the page that it was asked for on.
fn sentence(core: &Core, ctx: &Context, channel: Channel, drawn: &str) -> Secret<String> {
    let t = Texts::for_language(ctx.language);
    let product = ("product", core.policy.product.as_str().into());
    Secret::new(match channel {
        Channel::Sms => {
            let said = t.msg_with("code-message", &[product, ("code", drawn.into())]);
            // The last line binds the code to our site: browsers fill it in nowhere else (WICG, origin-bound codes).
            let host = core.policy.public_url.split_once("://").map_or("", |(_, host)| host);
            let host = host.split(':').next().unwrap_or_default();
            format!("{said}\n\n@{host} #{drawn}")
        }
        Channel::Voice => {
            let digits: Vec<_> = drawn.chars().map(String::from).collect();
            t.msg_with("code-call", &[product, ("code", digits.join(", ").as_str().into())])
        }
    })
}

/// Six digits of the system's randomness. The rest of the division is too small to matter: 2^64 by a million.
fn drawn(ctx: &Context) -> Secret<String> {
    Secret::new(format!("{:06}", u64::from_be_bytes(ctx.bytes()) % CODES))
}

/// Takes the code that waits, if it is the typed one and nobody was faster.
async fn take(
    core: &Core,
    ctx: &Context,
    seat: &[u8; 32],
    bytes: &[u8],
    waiting: &Waiting,
    typed: &str,
) -> Result<Taken, Trouble> {
    let Some(digits) = super::totp::digits(typed) else { return Ok(Taken::No) };
    if !Secret::new(waiting.code).matches(&hashed(seat, &digits)) {
        return Ok(Taken::No);
    }
    let used = sealed(core, ctx, seat, &Waiting { used: true, ..waiting.clone() })?;
    let is_first = !waiting.used && core.volatile.replace(Shelf::Ceremony, &key(seat), bytes, used).await?;
    Ok(if is_first { Taken::Now } else { Taken::Before })
}

fn sealed(core: &Core, ctx: &Context, seat: &[u8; 32], waiting: &Waiting) -> Result<Vec<u8>, Trouble> {
    let plain = Secret::new(serde_json::to_vec(waiting).map_err(|_| UNUSABLE)?);
    core.seal_column(ctx, &place(seat), plain.expose())
}

async fn keep(core: &Core, ctx: &Context, seat: &[u8; 32], waiting: &Waiting) -> Result<(), Trouble> {
    let sealed = sealed(core, ctx, seat, waiting)?;
    core.volatile.take(Shelf::Ceremony, &key(seat), ctx.now()).await?;
    // Of two at once one is kept; the other code is void before it arrives.
    core.volatile.put(Shelf::Ceremony, key(seat), sealed, ctx.now().after(LIFETIME), ctx.now()).await?;
    Ok(())
}

/// The code that waits or was taken, as it is kept and as it reads.
async fn waiting(core: &Core, ctx: &Context, seat: &[u8; 32]) -> Result<Option<(Vec<u8>, Waiting)>, Trouble> {
    let Some(bytes) = core.volatile.peek(Shelf::Ceremony, &key(seat), ctx.now()).await? else { return Ok(None) };
    let plain = Secret::new(core.open_column(&place(seat), &bytes)?);
    let waiting = serde_json::from_slice(plain.expose()).map_err(|_| UNUSABLE)?;
    Ok(Some((bytes, waiting)))
}

async fn phones_of(core: &Core, account: AccountId) -> Result<Vec<(Stored, PhoneNumber)>, Trouble> {
    let stored = {
        let mut link = core.database.read().await?;
        authenticator::of_account(&mut link, account).await?
    };
    let phones = stored.into_iter().filter(|one| one.about.kind == Kind::Phone);
    phones
        .map(|one| {
            let plain = Secret::new(core.open_column(COLUMN, &one.sealed)?);
            let text = std::str::from_utf8(plain.expose()).map_err(|_| UNUSABLE)?;
            let number = PhoneNumber::parse(text).ok_or(UNUSABLE)?;
            Ok((one, number))
        })
        .collect()
}

const UNUSABLE: Trouble = Trouble::Sealing("a phone number or code cannot be used");

fn key(seat: &[u8; 32]) -> [u8; 32] {
    fingerprint(&[b"phone\0".as_slice(), seat].concat())
}

fn place(seat: &[u8; 32]) -> String {
    format!("phone.code.{}", URL_SAFE_NO_PAD.encode(seat))
}

/// A code is bound to the page that it was asked for on: in another attempt it is another hash.
fn hashed(seat: &[u8; 32], code: &str) -> [u8; 32] {
    fingerprint(&[b"phone-code\0".as_slice(), seat, code.as_bytes()].concat())
}
