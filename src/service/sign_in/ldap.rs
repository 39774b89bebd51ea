//! Verifier: a password that a directory checks. Known accounts of a directory are asked about there and nowhere else,
//! unknown names in every directory in order, accounts of ours never.
//!
//! Every try hashes a password as well, at the same time: as long as a directory answers faster than that, whose name it
//! was does not show in the time. Somebody whom no directory knows costs a bind that nobody can win.

use super::guess::only;
use super::password::Claim;
use super::{Outcome, SignIn, SignInError};
use crate::connect::ldap::{Scope, Search, Verdict, escaped_bytes};
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
use std::time::Duration;

/// When somebody may try again whose directory does not answer.
const AWAY: Duration = Duration::from_secs(30);

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
    Wrong,
    Away,
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

    /// The answer to everybody who does not get in: while a directory is away it is the same for names that are ours,
    /// the directory's, and nobody's.
    pub(super) fn not_in(&self) -> SignInError {
        if self.core.directories.iter().any(|connected| connected.server.is_away()) {
            return SignInError::DirectoryAway { retry_after: AWAY };
        }
        SignInError::Refused
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
            (Answer::Away, ticket) => {
                // Nothing was tried, so nothing failed.
                self.give_back(ticket).await?;
                let error = SignInError::DirectoryAway { retry_after: AWAY };
                ("directory_away", SignInOutcome::Failed, error)
            }
            (_, None) => ("throttled", SignInOutcome::Throttled, self.not_in()),
            (Answer::Right(..), _) => ("not_allowed", SignInOutcome::Denied, self.not_in()),
            _ => ("password", SignInOutcome::WrongSecret, self.not_in()),
        };
        // A wrong password is nothing that a trace could explain, and what was typed may be anything.
        if let (SignInError::Directory(_) | SignInError::DirectoryAway { .. }, Some(source)) =
            (&error, self.first(&asked))
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
        let password = Secret::new(claim.password.as_typed().to_owned());
        let name = claim.login.key();
        let searches: Vec<(&Arc<Connected>, Search)> = match (asked, account) {
            // No directory needs to see what cannot be a name.
            _ if name.contains(char::is_control) || name.chars().count() >= MAX_NAME => Vec::new(),
            (Asked::Linked(connected, subject), account) => {
                vec![(connected, by_subject(connected, subject, account.map_or(name, |account| &account.username)))]
            }
            (Asked::All, _) => self.core.directories.iter().map(|one| (one, by_name(one, name))).collect(),
        };
        let (mut away, mut tried) = (false, false);
        for (connected, search) in &searches {
            let slug = connected.policy.slug.as_str();
            let entry = match only(connected, search).await {
                Ok(Some(entry)) => entry,
                Ok(None) => continue,
                Err(error) => {
                    tracing::warn!(directory = slug, %error, "a sign-in could not be checked");
                    away = true;
                    continue;
                }
            };
            let subject = subject_of(connected, &entry);
            if matches!(asked, Asked::Linked(_, linked) if *linked != subject) {
                continue;
            }
            tried = true;
            let guess =
                if real { self.guess(ctx, (connected, &subject), (account, claim.internal)).await? } else { None };
            let decoy = decoy(connected);
            let verdict = connected.server.verify(if guess.is_some() { entry.dn() } else { &decoy }, &password).await;
            self.guessed(guess, &verdict).await?;
            match verdict {
                Ok(Verdict::Right) => return Ok(right(connected, &entry, ctx)),
                Ok(Verdict::RightBut(standing)) => {
                    ctx.note("directory", Facts::new().code("slug", slug).code("standing", standing.as_str()));
                    return Ok(Answer::RightBut(standing));
                }
                Ok(Verdict::Wrong) => {}
                Err(error) => {
                    tracing::warn!(directory = slug, %error, "a sign-in could not be checked");
                    away = true;
                }
            }
        }
        if let (false, false, true, Asked::Linked(connected, _), Some(account)) = (tried, away, real, asked, account) {
            self.entry_is_gone(ctx, connected, account);
        }
        let first = match asked {
            Asked::Linked(connected, _) => Some(connected),
            Asked::All => self.core.directories.first(),
        };
        if let (false, false, Some(connected)) = (tried, away, first) {
            away = connected.server.verify(&decoy(connected), &password).await.is_err();
        }
        Ok(if away { Answer::Away } else { Answer::Wrong })
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

/// An entry that is not there, below a base that is.
fn decoy(connected: &Connected) -> String {
    format!("cn=vestibule-nobody,{}", connected.policy.base)
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
