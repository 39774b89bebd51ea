//! Letters: ordered in the transaction of the act that causes them, written and sent by the clock. What waits in the
//! database is sealed; a link is made only when its letter is written, and never stored.

use super::access_news::AccessNews;
use super::context::Context;
use super::core::{Core, Trouble, fingerprint};
use super::letter::Letter;
use super::moment;
use super::password::Keeper;
use super::texts::Texts;
use crate::connect::mail::{Mail, MailError, Mailer};
use crate::domain::account::{Account, AccountStatus, EmailAddress, LoginName, fold};
use crate::domain::audit::{Act, Event};
use crate::domain::id::{AccountId, LetterId};
use crate::domain::language::Language;
use crate::domain::time::{Timestamp, days};
use crate::service::metrics::MailOutcome;
use crate::store::letter::{self, Queued};
use crate::store::token::{self, Purpose, Token};
use crate::store::{Tx, account, directory};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use std::time::Duration;

const COLUMN: &str = "letter.sealed";
const EMAIL_COLUMN: &str = "one_time_token.sealed";

/// How long a link to a new password is good (NIST SP 800-63B-4 allows 24 hours by mail; an hour is enough).
pub const RECOVERY_LIFETIME: Duration = Duration::from_hours(1);
/// How long a link that confirms an address is good.
pub const EMAIL_LIFETIME: Duration = Duration::from_hours(24);
/// A letter that could not be sent for this long is given up; its links would be useless.
const GIVE_UP: Duration = Duration::from_hours(24);
/// How long a letter belongs to the node that claimed it. If that one ends before it has sent it, another goes on then.
const CLAIMED: Duration = Duration::from_mins(5);
/// How long sending one letter may take: it is over before another node, whose clock is ahead, may go on.
const SENDING: Duration = Duration::from_mins(4);
/// Letters written in one round.
const BATCH: u32 = 20;

/// What to write, as it waits sealed in the queue.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Order {
    /// Somebody who claims this name has lost the password. Whether an account has it is found out when the letter is
    /// written, so that the request costs the same either way.
    Recovery {
        /// What was typed, folded.
        login: String,
    },
    /// The account is there, and waits for its owner. Not written once they came.
    Invitation,
    /// Somebody with this address wants an account. Whether there is one is found out when the letter is written, so
    /// that the request costs the same either way.
    Registration {
        /// What was typed.
        address: String,
        /// The language of whoever asked.
        language: String,
    },
    /// To an administrator: somebody registered and waits.
    RegistrationWaits {
        /// Their username.
        username: String,
    },
    /// To somebody who registered: they can sign in.
    Approved,
    /// The account wants this address.
    ConfirmEmail {
        /// The new address.
        address: String,
    },
    /// The address was changed; the letter goes to the old one.
    EmailChanged {
        /// The address before.
        old: String,
        /// The new one, masked.
        new: String,
    },
    /// The password was changed.
    PasswordChanged {
        /// When.
        at: Timestamp,
    },
    /// An administrator took the link to a directory away.
    Unlinked {
        /// Which, as people read it.
        directory: String,
        /// When.
        at: Timestamp,
    },
    /// Somebody signed in from a browser and network that the account was not seen with.
    NewDevice {
        /// Which browser.
        device: String,
        /// Which network.
        network: String,
        /// When.
        at: Timestamp,
    },
    /// Something happened to what the account is entered with.
    Factor {
        /// What.
        news: AccessNews,
        /// When.
        at: Timestamp,
    },
    /// An old autologin token was shown again.
    AutologinReplayed {
        /// Which browser.
        device: String,
        /// When.
        at: Timestamp,
    },
}

/// Orders a letter with the act that causes it.
pub(super) async fn order(
    core: &Core,
    ctx: &Context,
    tx: &mut Tx,
    to: Option<AccountId>,
    order: &Order,
) -> Result<(), Trouble> {
    let plain = serde_json::to_vec(order).map_err(|_| Trouble::Sealing("a letter could not be written"))?;
    let queued = Queued {
        id: LetterId::new(ctx.uuid()),
        account: to,
        sealed: core.seal_column(ctx, COLUMN, &plain)?,
        attempts: 0,
        created_at: ctx.now(),
    };
    Ok(letter::insert(tx, &queued).await?)
}

/// Reads the new address that a confirmation link stands for.
pub(super) fn confirmed_address(core: &Core, token: &Token) -> Result<Option<EmailAddress>, Trouble> {
    let Some(sealed) = &token.sealed else { return Ok(None) };
    let plain = core.open_column(EMAIL_COLUMN, sealed)?;
    Ok(String::from_utf8(plain).ok().and_then(|text| EmailAddress::parse(&text).ok()))
}

/// Writes and sends what is due.
#[derive(Clone)]
pub struct Outbox {
    core: Arc<Core>,
    mailer: Arc<Mailer>,
}

/// What a letter says, before it is put into the reader's words.
enum Content {
    Recovery { link: String },
    PasswordElsewhere(Keeper),
    Invitation { link: String, days: u32, ends: Option<String> },
    Registration { link: String },
    AlreadyRegistered { link: String },
    RegistrationWaits { username: String },
    Approved { link: String },
    ConfirmEmail { link: String, new_address: String },
    EmailChanged { masked: String },
    PasswordChanged { when: String },
    Unlinked { directory: String, when: String },
    NewDevice { device: String, network: String, when: String },
    AutologinTheft { device: String, when: String },
    Factor { news: AccessNews, when: String },
}

/// A letter ready to go.
struct Written {
    to: String,
    reader: Reader,
    content: Content,
}

/// Who reads it.
struct Reader {
    name: String,
    language: Language,
}

impl From<&Account> for Reader {
    fn from(account: &Account) -> Self {
        Self { name: account.name.clone(), language: account.language.unwrap_or_default() }
    }
}

impl Content {
    fn letter(&self) -> Letter<'_> {
        let hours = u32::try_from(EMAIL_LIFETIME.as_secs() / 3600).unwrap_or(u32::MAX);
        let minutes = u32::try_from(RECOVERY_LIFETIME.as_secs() / 60).unwrap_or(u32::MAX);
        match self {
            Self::Recovery { link } => Letter::PasswordRecovery { link, minutes },
            Self::PasswordElsewhere(keeper) => {
                Letter::PasswordElsewhere { directory: &keeper.name, link: keeper.page.as_deref() }
            }
            Self::Registration { link } => Letter::Registration { link, hours },
            Self::AlreadyRegistered { link } => Letter::AlreadyRegistered { link },
            Self::RegistrationWaits { username } => Letter::RegistrationWaits { username },
            Self::Approved { link } => Letter::Approved { link },
            Self::Invitation { link, days, ends } => Letter::Invitation { link, days: *days, ends: ends.as_deref() },
            Self::ConfirmEmail { link, new_address } => Letter::ConfirmEmail { link, hours, new_address },
            Self::EmailChanged { masked } => Letter::EmailChanged { masked_address: masked },
            Self::PasswordChanged { when } => Letter::PasswordChanged { when },
            Self::Unlinked { directory, when } => Letter::Unlinked { directory, when },
            Self::NewDevice { device, network, when } => Letter::NewDevice { device, network, when },
            Self::AutologinTheft { device, when } => Letter::AutologinTheft { device, when },
            Self::Factor { news, when } => Letter::Factor { news, when },
        }
    }
}

impl Outbox {
    /// Sends letters of a core with a mailer.
    #[must_use]
    pub const fn new(core: Arc<Core>, mailer: Arc<Mailer>) -> Self {
        Self { core, mailer }
    }

    /// Sends what is due; returns how many letters left.
    ///
    /// # Errors
    /// [`Trouble`] when the database does not answer. A mail server that does not is no error: the letter waits.
    pub async fn send_due(&self, ctx: &Context) -> Result<usize, Trouble> {
        let due = {
            let mut link = self.core.database.read().await?;
            letter::due(&mut link, ctx.now(), BATCH).await?
        };
        let mut sent = 0;
        for queued in due {
            sent += usize::from(self.process(ctx, &queued).await?);
        }
        Ok(sent)
    }

    async fn process(&self, ctx: &Context, queued: &Queued) -> Result<bool, Trouble> {
        let mut tx = self.core.database.begin_beside().await?;
        if !letter::claim(&mut tx, queued.id, ctx.now(), ctx.now().after(CLAIMED)).await? {
            return Ok(false);
        }
        tx.commit().await?;
        let outdated = ctx.now() >= queued.created_at.after(GIVE_UP);
        let order = self.opened(queued);
        if order.is_none() && !outdated {
            // A newer version of this program may have ordered it, on another node; that one can write it.
            tracing::warn!(letter = %queued.id, "a letter cannot be read here; it waits for a node that can");
            self.postpone(ctx, queued).await?;
            return Ok(false);
        }
        let order = order.filter(|_| !outdated);
        let written = match order {
            // An account may have no address yet; then there is nowhere to write to.
            Some(order) => self.write(ctx, queued, order).await?.filter(|written| !written.to.is_empty()),
            None => None,
        };
        let Some(written) = written else {
            self.remove(queued).await?;
            return Ok(false);
        };
        match self.send(ctx, &written).await {
            Ok(()) => {
                self.core.metrics.mail(MailOutcome::Sent);
                self.remove(queued).await?;
                Ok(true)
            }
            Err(error @ (MailError::Permanent(_) | MailError::Invalid(_))) => {
                self.core.metrics.mail(MailOutcome::Failed);
                tracing::warn!(letter = %queued.id, %error, "a letter was refused for good");
                self.remove(queued).await?;
                Ok(false)
            }
            // A wrong certificate or login is somebody's to mend: the letter waits for that.
            Err(error) => {
                self.core.metrics.mail(MailOutcome::Failed);
                let wait = self.postpone(ctx, queued).await?;
                tracing::warn!(letter = %queued.id, %error, retry_in_seconds = wait.as_secs(), "a letter could not be sent");
                Ok(false)
            }
        }
    }

    async fn postpone(&self, ctx: &Context, queued: &Queued) -> Result<Duration, Trouble> {
        let wait = backoff(queued.attempts);
        let mut tx = self.core.database.begin_beside().await?;
        letter::postpone(&mut tx, queued.id, ctx.now().after(wait)).await?;
        tx.commit().await?;
        Ok(wait)
    }

    fn opened(&self, queued: &Queued) -> Option<Order> {
        let plain = self.core.open_column(COLUMN, &queued.sealed).ok()?;
        serde_json::from_slice(&plain).ok()
    }

    async fn remove(&self, queued: &Queued) -> Result<(), Trouble> {
        let mut tx = self.core.database.begin_beside().await?;
        letter::remove(&mut tx, queued.id).await?;
        Ok(tx.commit().await?)
    }

    /// Writes a letter; `None` when there is nobody to write to.
    async fn write(&self, ctx: &Context, queued: &Queued, order: Order) -> Result<Option<Written>, Trouble> {
        match &order {
            Order::Recovery { login } => return self.write_recovery(ctx, &LoginName::of(login)).await,
            Order::Registration { address, language } => {
                return self.write_registration(ctx, address, Language::parse(language)).await;
            }
            _ => {}
        }
        let mut link = self.core.database.read().await?;
        let Some(id) = queued.account else { return Ok(None) };
        let Some(recipient) = account::by_id(&mut link, id).await? else { return Ok(None) };
        drop(link);
        let own = recipient.email.clone();
        let (to, content) = match order {
            Order::Recovery { .. } | Order::Registration { .. } => return Ok(None),
            Order::RegistrationWaits { username } => (own, Content::RegistrationWaits { username }),
            Order::Approved => (own, Content::Approved { link: self.login_page() }),
            Order::Invitation => return self.write_invitation(ctx, recipient).await,
            Order::ConfirmEmail { address } => return self.write_confirmation(ctx, recipient, address).await,
            Order::EmailChanged { old, new } => (old, Content::EmailChanged { masked: new }),
            Order::Unlinked { directory, at } => (own, Content::Unlinked { directory, when: shown(at, &recipient) }),
            Order::PasswordChanged { at } => (own, Content::PasswordChanged { when: shown(at, &recipient) }),
            Order::Factor { news, at } => (own, Content::Factor { news, when: shown(at, &recipient) }),
            Order::NewDevice { device, network, at } => {
                (own, Content::NewDevice { device, network, when: shown(at, &recipient) })
            }
            Order::AutologinReplayed { device, at } => {
                (own, Content::AutologinTheft { device, when: shown(at, &recipient) })
            }
        };
        Ok(Some(Written { to, reader: Reader::from(&recipient), content }))
    }

    async fn write_recovery(&self, ctx: &Context, login: &LoginName) -> Result<Option<Written>, Trouble> {
        let mut tx = self.core.database.begin().await?;
        let Some(recipient) = account::by_login(&mut tx, login).await? else {
            tracing::info!("a recovery letter was asked for a name that nobody has");
            return Ok(None);
        };
        if !recipient.may_sign_in(ctx.now()) || recipient.address().is_none() {
            tracing::info!(account = %recipient.id, "a recovery letter was asked for an account that may not sign in, or has no address");
            return Ok(None);
        }
        if let Some(source) = directory::keeper(&mut tx, recipient.id).await? {
            tracing::info!(account = %recipient.id, %source, "a recovery letter was asked for a password that a directory keeps");
            let Some(keeper) = Keeper::of(&self.core, &mut tx, recipient.id).await? else { return Ok(None) };
            let reader = Reader::from(&recipient);
            return Ok(Some(Written { to: recipient.email, content: Content::PasswordElsewhere(keeper), reader }));
        }
        token::void(&mut tx, recipient.id, Some(Purpose::Recovery)).await?;
        let link = self.link(ctx, &mut tx, Purpose::Recovery, Some(recipient.id), None).await?;
        ctx.record(&mut tx, Event::about(Act::RecoveryRequested, recipient.id)).await?;
        tx.commit().await?;
        let reader = Reader::from(&recipient);
        Ok(Some(Written { to: recipient.email, content: Content::Recovery { link }, reader }))
    }

    /// The link before this one is void with it.
    async fn write_invitation(&self, ctx: &Context, recipient: Account) -> Result<Option<Written>, Trouble> {
        let mut tx = self.core.database.begin().await?;
        // Read again: of an acceptance and this letter, one comes first.
        let now = account::by_id(&mut tx, recipient.id).await?;
        if now.is_none_or(|now| now.status != AccountStatus::Invited || now.has_ended(ctx.now())) {
            return Ok(None);
        }
        token::void(&mut tx, recipient.id, Some(Purpose::Invitation)).await?;
        let link = self.link(ctx, &mut tx, Purpose::Invitation, Some(recipient.id), None).await?;
        tx.commit().await?;
        let ends = recipient.last_moment().map(|at| shown(at, &recipient));
        let content = Content::Invitation { link, days: self.core.policy.invitation_days, ends };
        let reader = Reader::from(&recipient);
        Ok(Some(Written { to: recipient.email, content, reader }))
    }

    async fn write_registration(
        &self,
        ctx: &Context,
        address: &str,
        language: Option<Language>,
    ) -> Result<Option<Written>, Trouble> {
        let Ok(email) = EmailAddress::parse(address) else { return Ok(None) };
        let mut tx = self.core.database.begin().await?;
        let Some(owner) = account::by_login(&mut tx, &LoginName::of(email.as_str())).await? else {
            let sealed = self.core.seal_column(ctx, EMAIL_COLUMN, email.as_str().as_bytes())?;
            let link = self.link(ctx, &mut tx, Purpose::Registration, None, Some(sealed)).await?;
            tx.commit().await?;
            let reader = Reader { name: String::new(), language: language.unwrap_or_default() };
            return Ok(Some(Written { to: address.to_owned(), content: Content::Registration { link }, reader }));
        };
        drop(tx);
        self.write_to_owner(ctx, owner, &email).await
    }

    /// Tells the owner of an address that somebody wanted to register it.
    async fn write_to_owner(
        &self,
        ctx: &Context,
        owner: Account,
        email: &EmailAddress,
    ) -> Result<Option<Written>, Trouble> {
        if owner.status == AccountStatus::Invited {
            return self.write_invitation(ctx, owner).await;
        }
        if !owner.may_sign_in(ctx.now()) || fold(&owner.email) != email.key() {
            tracing::info!(account = %owner.id, "an address was registered again whose account gets no letter about it");
            return Ok(None);
        }
        let reader = Reader::from(&owner);
        let content = Content::AlreadyRegistered { link: self.login_page() };
        Ok(Some(Written { to: owner.email, content, reader }))
    }

    fn login_page(&self) -> String {
        format!("{}/login", self.core.policy.public_url)
    }

    async fn write_confirmation(
        &self,
        ctx: &Context,
        recipient: Account,
        address: String,
    ) -> Result<Option<Written>, Trouble> {
        let mut tx = self.core.database.begin().await?;
        let parsed = EmailAddress::parse(&address).ok();
        let free = match &parsed {
            Some(parsed) => parsed.key() == fold(&recipient.email) || !account::email_taken(&mut tx, parsed).await?,
            None => false,
        };
        if !free {
            // Said on the page, this would tell who has an account here.
            tracing::info!(account = %recipient.id, "a new address was asked for that another account has");
            let registered = parsed.filter(|_| recipient.address().is_none());
            let Some(email) = registered else { return Ok(None) };
            let owner = account::by_login(&mut tx, &LoginName::of(email.as_str())).await?;
            drop(tx);
            return match owner {
                Some(owner) => self.write_to_owner(ctx, owner, &email).await,
                None => Ok(None),
            };
        }
        token::void(&mut tx, recipient.id, Some(Purpose::Email)).await?;
        let sealed = self.core.seal_column(ctx, EMAIL_COLUMN, address.as_bytes())?;
        let link = self.link(ctx, &mut tx, Purpose::Email, Some(recipient.id), Some(sealed)).await?;
        tx.commit().await?;
        let content = Content::ConfirmEmail { link, new_address: address.clone() };
        // Whoever chose the name may have chosen a stranger's address as well: no word of theirs goes there.
        let reader = Reader { name: String::new(), ..Reader::from(&recipient) };
        Ok(Some(Written { to: address, reader, content }))
    }

    async fn link(
        &self,
        ctx: &Context,
        tx: &mut Tx,
        purpose: Purpose,
        to: Option<AccountId>,
        sealed: Option<Vec<u8>>,
    ) -> Result<String, Trouble> {
        let (path, lifetime) = match purpose {
            Purpose::Email => ("/account/email/confirm", EMAIL_LIFETIME),
            Purpose::Registration => ("/register/confirm", EMAIL_LIFETIME),
            Purpose::Invitation => ("/invitation", days(self.core.policy.invitation_days)),
            Purpose::Recovery | Purpose::SetUp => ("/login/reset-password", RECOVERY_LIFETIME),
        };
        let secret = URL_SAFE_NO_PAD.encode(ctx.bytes::<32>());
        let token = Token {
            hash: fingerprint(secret.as_bytes()),
            purpose,
            account: to,
            sealed,
            expires_at: ctx.now().after(lifetime),
        };
        token::insert(tx, &token, ctx.now()).await?;
        Ok(format!("{}{path}?token={secret}", self.core.policy.public_url))
    }

    async fn send(&self, ctx: &Context, written: &Written) -> Result<(), MailError> {
        let texts = Texts::for_language(written.reader.language);
        let rendered = written.content.letter().render(texts, &self.core.policy.product, &written.reader.name);
        let mail = Mail { to: written.to.clone(), subject: rendered.subject, text: rendered.body, html: rendered.html };
        let sending = self.mailer.send(&mail, moment::instant(ctx.now()), ctx.uuid());
        let slow = |_| MailError::Transient(format!("it was not done within {} s", SENDING.as_secs()));
        tokio::time::timeout(SENDING, sending).await.map_err(slow)?
    }
}

/// 30 s, doubling to an hour.
fn backoff(attempts: u32) -> Duration {
    Duration::from_secs(30_u64.saturating_mul(1 << attempts.min(7)).min(3600))
}

fn shown(at: Timestamp, recipient: &Account) -> String {
    moment::shown(at, recipient.time_zone.as_deref(), recipient.language.unwrap_or_default())
}

#[cfg(test)]
#[path = "outbox_tests.rs"]
mod tests;
