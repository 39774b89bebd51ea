//! Verifier: a password that a directory checks. Known accounts of a directory are asked about there and nowhere else,
//! unknown names in every directory in order, accounts of ours never.
//!
//! Every try that fails is one hash, and at the same time one search and one bind at each directory, whoever the name
//! belongs to; where there is nothing to ask it is for nobody (`reach.rs`).

use super::guess::only;
use super::password::Claim;
use super::reach::{Reach, bind_of_nobody, for_nobody};
use super::{Outcome, SignIn, SignInError};
use crate::connect::ldap::{LdapError, Scope, Search, Verdict, escaped_bytes};
use crate::domain::account::{Account, AccountStatus, MAX_NAME};
use crate::domain::audit::{Act, Actor, Event};
use crate::domain::directory::{Entry, Person, Standing, Subject};
use crate::domain::identity::{Attributes, Source, SourceKind, Vouched};
use crate::domain::notice::Notice;
use crate::domain::secret::Secret;
use crate::domain::session::Methods;
use crate::domain::trace::Facts;
use crate::service::context::Context;
use crate::service::core::{PasswordLogin, Trouble};
use crate::service::directory::Connected;
use crate::service::directory::link::by_name;
use crate::service::limiter::Ticket;
use crate::service::metrics::{SignInOutcome, SignInWay};
use crate::service::trace::{MAPPED, Traces};
use crate::store::{account, directory, identity};
use std::sync::Arc;

/// Which directories are asked, and for whom.
pub(super) enum Asked {
    /// The one that the account is linked to.
    Linked(Arc<Connected>, Subject),
    /// All, in order: the name is unknown here.
    All,
}

/// What directories say.
enum Answer {
    Right(Box<Vouched>, Arc<Connected>, Entry),
    RightBut(Standing),
    /// Nobody says so.
    Not(Reach, Tried),
}

/// What became of a password that nobody says is right.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Tried {
    /// A directory that knows the name has said no, or the account's own password is another one.
    pub(super) checked: bool,
    /// What was typed led to entries whose failures are counted: then it is counted there, and not against what was typed,
    /// or whoever unblocks the person would leave that behind.
    pub(super) counted: bool,
}

/// What one directory says about somebody.
enum Said {
    Right(Box<Entry>),
    RightBut(Standing),
    /// The password is wrong.
    Wrong,
    /// Somebody there has the name, and no guess may reach them.
    Spent,
    /// Nobody there has the name.
    Nothing,
}

/// Whom a directory is asked about.
struct Sought<'a> {
    /// The entry that it must be.
    subject: Option<&'a Subject>,
    /// The account whose name was typed.
    account: Option<&'a Account>,
    /// A guess may reach the directory.
    real: bool,
}

impl Sought<'_> {
    fn is(&self, found: &Subject) -> bool {
        self.real && self.subject.is_none_or(|subject| subject == found)
    }
}

impl SignIn {
    /// Who is asked about a password besides ourselves; `None` when it is our business alone.
    pub(super) async fn asked(&self, account: Option<&Account>) -> Result<Option<Asked>, SignInError> {
        if self.core.directories.is_empty() {
            return Ok(None);
        }
        let Some(account) = account else {
            let nobody = matches!(self.core.policy.password_login, PasswordLogin::Nobody { .. });
            return Ok((!nobody).then_some(Asked::All));
        };
        let mut link = self.core.database.read().await?;
        let identities = identity::of_account(&mut link, account.id).await?;
        let linked = identities.iter().filter(|one| one.source.kind() == SourceKind::Directory).find_map(|one| {
            let connected = self.core.directories.iter().find(|connected| connected.source() == one.source)?;
            Some(Asked::Linked(Arc::clone(connected), Subject::from_stored(&one.subject)))
        });
        Ok(linked)
    }

    /// Signs in with a password that a directory checks. Without a ticket, after too many failures, no guess reaches the
    /// directory.
    pub(super) async fn with_directory(
        &self,
        ctx: &Context,
        claim: Claim,
        account: Option<Account>,
        ticket: Option<Ticket>,
        asked: Asked,
    ) -> Result<Outcome, SignInError> {
        let real = ticket.is_some();
        let (hashed, answer) = tokio::join!(
            self.core.check_password(&claim.password, None),
            self.ask(ctx, &claim, account.as_ref(), (&asked, real))
        );
        let answer = match hashed.map_err(SignInError::from).and(answer) {
            Ok(answer) => answer,
            Err(error) => {
                self.give_back(ticket).await?;
                return Err(error);
            }
        };
        let id = account.as_ref().map(|account| account.id);
        let allowed = match &account {
            Some(account) => self.may_use_password(account, claim.internal).await?,
            None => true,
        };
        let (reason, outcome, error) = match (answer, ticket) {
            (Answer::Right(arrival, connected, entry), Some(ticket)) if allowed => {
                self.core.limiter.give_back(ticket).await?;
                self.welcome_back(ctx, &arrival).await?;
                let source = arrival.source.clone();
                ctx.note(MAPPED, arrival.noted());
                let done = self.enter_from_directory(ctx, (&connected, &entry), *arrival, claim.wishes).await;
                self.trace(ctx, &source, done.as_ref().map_or_else(SignInError::code, Outcome::code));
                return done;
            }
            (Answer::RightBut(standing), Some(ticket)) => {
                self.core.limiter.give_back(ticket).await?;
                (standing.as_str(), SignInOutcome::Denied, SignInError::Directory(standing))
            }
            (Answer::Not(reach, tried), Some(ticket)) => {
                self.settle(Some(ticket), (reach, tried)).await?;
                let away = reach.some_away() && !tried.checked;
                let (reason, outcome) = if away {
                    ("directory_away", SignInOutcome::Failed)
                } else {
                    ("password", SignInOutcome::WrongSecret)
                };
                (reason, outcome, Self::not_in(reach))
            }
            (Answer::Not(reach, _), None) => ("throttled", SignInOutcome::Throttled, Self::not_in(reach)),
            // Whoever knows the password has nothing to learn from how long this took.
            _ => ("not_allowed", SignInOutcome::Denied, SignInError::Refused),
        };
        // A wrong password is nothing that a trace could explain, and what was typed may be anything.
        if let (true, Some(source)) =
            (matches!(error, SignInError::Directory(_)) || reason == "directory_away", self.first(&asked))
        {
            self.trace(ctx, &source, reason);
        }
        self.core.metrics.sign_in(SignInWay::Directory, outcome);
        self.failed(ctx, id, reason).await?;
        Err(error)
    }

    async fn ask(
        &self,
        ctx: &Context,
        claim: &Claim,
        account: Option<&Account>,
        (asked, real): (&Asked, bool),
    ) -> Result<Answer, SignInError> {
        let name = claim.login.key();
        // No directory needs to see what cannot be a name.
        let is_name = !name.contains(char::is_control) && name.chars().count() < MAX_NAME;
        let (mut reach, mut tried) = (Reach::default(), Tried::default());
        for connected in self.in_turn(asked) {
            let question = match (asked, account) {
                _ if !is_name => None,
                (Asked::Linked(linked, _), _) if !Arc::ptr_eq(linked, connected) => None,
                (Asked::Linked(_, subject), account) => {
                    let username = account.map_or(name, |account| &account.username);
                    Some((by_subject(connected, subject, username), Some(subject)))
                }
                (Asked::All, _) => Some((by_name(connected, name), None)),
            };
            let Some((search, subject)) = question else {
                reach.note(connected, for_nobody(connected).await);
                continue;
            };
            let sought = Sought { subject, account, real };
            match reach.note(connected, self.said(ctx, connected, (&search, &sought), claim).await?) {
                Some(Said::Right(entry)) => return Ok(right(connected, &entry, ctx)),
                Some(Said::RightBut(standing)) => {
                    let slug = connected.policy.slug.as_str();
                    ctx.note("directory", Facts::new().code("slug", slug).code("standing", standing.as_str()));
                    return Ok(Answer::RightBut(standing));
                }
                Some(said @ (Said::Wrong | Said::Spent)) => {
                    tried.checked |= matches!(said, Said::Wrong);
                    tried.counted |= account.is_none();
                }
                Some(Said::Nothing) => {
                    if let (Some(_), Some(account), true) = (subject, account, real) {
                        self.entry_is_gone(ctx, connected, account);
                    }
                }
                None => {}
            }
        }
        Ok(Answer::Not(reach, tried))
    }

    /// One search and one bind at a directory, whatever is found. Unless it is a real try no guess reaches it.
    async fn said(
        &self,
        ctx: &Context,
        connected: &Connected,
        (search, sought): (&Search, &Sought<'_>),
        claim: &Claim,
    ) -> Result<Result<Said, LdapError>, SignInError> {
        let entry = match only(connected, search).await {
            Ok(entry) => entry.filter(|entry| sought.is(&subject_of(connected, entry))),
            Err(error) => return Ok(Err(error)),
        };
        let guess = match &entry {
            Some(entry) => {
                let subject = subject_of(connected, entry);
                self.guess(ctx, (connected, &subject), (sought.account, claim.internal)).await?
            }
            None => None,
        };
        let (entry, guess) = match (entry, guess) {
            (Some(entry), Some(guess)) => (entry, guess),
            (found, _) => {
                let said = if found.is_some() { Said::Spent } else { Said::Nothing };
                return Ok(bind_of_nobody(connected).await.map(|()| said));
            }
        };
        let password = Secret::new(claim.password.as_typed().to_owned());
        let verdict = connected.server.verify(entry.dn(), &password).await;
        self.guessed(guess, &verdict).await?;
        Ok(verdict.map(|verdict| match verdict {
            Verdict::Right => Said::Right(Box::new(entry)),
            Verdict::RightBut(standing) => Said::RightBut(standing),
            Verdict::Wrong => Said::Wrong,
        }))
    }

    /// All directories; the one that can say yes first, so that nobody waits for another that is away.
    fn in_turn<'a>(&'a self, asked: &'a Asked) -> impl Iterator<Item = &'a Arc<Connected>> + Send {
        let linked = match asked {
            Asked::Linked(connected, _) => Some(connected),
            Asked::All => None,
        };
        let others = self.core.directories.iter();
        linked.into_iter().chain(others.filter(move |one| linked.is_none_or(|linked| !Arc::ptr_eq(linked, one))))
    }

    /// For administrators alone: to the person it is the same as a wrong password.
    fn entry_is_gone(&self, ctx: &Context, connected: &Connected, account: &Account) {
        let (directory, account) = (connected.policy.slug.as_str(), account.id);
        tracing::warn!(
            directory,
            %account,
            "the entry that an account is linked to is gone, or the filter does not let it in: see `vestibule directory \
             check --user`"
        );
        self.trace(ctx, &connected.source(), "entry_gone");
    }

    fn trace(&self, ctx: &Context, source: &Source, outcome: &str) {
        Traces::new(Arc::clone(&self.core)).keep(ctx, source, outcome);
    }

    /// The directory that is asked first.
    fn first(&self, asked: &Asked) -> Option<Source> {
        match asked {
            Asked::Linked(connected, _) => Some(connected.source()),
            Asked::All => self.core.directories.first().map(|connected| connected.source()),
        }
    }

    /// A lock that the synchronisation put on somebody who was gone goes when they sign in again; an administrator's
    /// lock stays.
    async fn welcome_back(&self, ctx: &Context, arrival: &Vouched) -> Result<(), Trouble> {
        let known = {
            let mut link = self.core.database.read().await?;
            match identity::by_subject(&mut link, &arrival.source, &arrival.issuer, &arrival.subject).await? {
                Some(known) => account::by_id(&mut link, known.account).await?,
                None => None,
            }
        };
        let Some(locked) = known.filter(|one| one.status == AccountStatus::Locked) else { return Ok(()) };
        let mut tx = self.core.database.begin().await?;
        if !directory::release(&mut tx, locked.id).await? {
            return Ok(());
        }
        account::set_status(&mut tx, locked.id, AccountStatus::Active).await?;
        let detail = serde_json::json!({ "source": arrival.source });
        let acting = ctx.clone().acting_as(Actor::System);
        acting.record(&mut tx, Event::about(Act::AccountUnlocked, locked.id).with(detail)).await?;
        tx.announce(Notice::Account(locked.id), ctx.now()).await?;
        Ok(tx.commit().await?)
    }
}

fn subject_of(connected: &Connected, entry: &Entry) -> Subject {
    Subject::of(entry, &connected.policy.mapping.subject)
}

/// Somebody who is known, wherever the entry is now and whatever it is called; still only if the filter lets them in.
fn by_subject(connected: &Connected, subject: &Subject, username: &str) -> Search {
    let Some((attribute, value)) = subject.searched() else { return by_name(connected, username) };
    let escaped = escaped_bytes(&value);
    Search {
        base: connected.policy.base.clone(),
        scope: Scope::Subtree,
        filter: format!("(&{}({attribute}={escaped}))", connected.policy.filter),
        attributes: connected.wanted_attributes(),
    }
}

fn right(connected: &Arc<Connected>, entry: &Entry, ctx: &Context) -> Answer {
    let mapping = &connected.policy.mapping;
    let person = Person::of(entry, mapping, ctx.now().seconds());
    if connected.policy.settings.status && person.disabled {
        return Answer::RightBut(Standing::Disabled);
    }
    let source = connected.source();
    let arriving = Vouched {
        issuer: source.slug().to_owned(),
        subject: person.subject.as_str().to_owned(),
        attributes: Attributes {
            username: entry.first_text(&mapping.username).map(str::to_owned),
            email: entry.first_text(&mapping.email).map(str::to_owned),
            // The directory is the operator's own.
            email_verified: true,
            name: person.name.map(|name| name.as_str().to_owned()),
            language: None,
        },
        groups: None,
        administrator: None,
        methods: Methods::PASSWORD,
        authenticated_at: ctx.now(),
        upstream: None,
        source,
    };
    Answer::Right(Box::new(arriving), Arc::clone(connected), entry.clone())
}
