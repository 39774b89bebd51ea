//! What of an account follows its source at each sign-in: names, address, rights. Blank values never overwrite, and what
//! another account has already is left as it is.

use super::{ResolveError, Work};
use crate::domain::account::{Account, DisplayName, EmailAddress};
use crate::domain::audit::{Act, Event};
use crate::domain::id::IdentityId;
use crate::domain::notice::Notice;
use crate::domain::resolve;
use crate::domain::session::CredentialEvent;
use crate::domain::trace::Facts;
use crate::service::revocation;
use crate::store::account::Profile;
use crate::store::token::{self, Purpose};
use crate::store::{Tx, account, identity};

impl Work<'_> {
    /// Brings the account up to date with what the source says, and notes the sign-in. Returns it as it is then.
    pub(super) async fn refresh(
        &mut self,
        tx: &mut Tx,
        owner: Account,
        identity: IdentityId,
    ) -> Result<Account, ResolveError> {
        let now = self.ctx.now();
        let mut changed = Vec::new();
        let leads = identity::of_account(tx, owner.id).await?.iter().any(|one| one.id == identity && one.leads);
        if leads && self.rules.refresh {
            self.follow_profile(tx, &owner, &mut changed).await?;
        }
        if self.follow_groups(tx, owner.id).await? {
            changed.push("groups");
        }
        if self.follow_rights(tx, &owner).await? {
            changed.push("administrator");
        }
        let follows = leads && self.rules.refresh;
        self.ctx.note("profile", Facts::new().flag("follows", follows).names("changed", &changed));
        if changed.is_empty() {
            return Ok(owner);
        }
        let detail = serde_json::json!({ "source": self.arrival.source, "changed": changed });
        self.acting(owner.id).record(tx, Event::about(Act::IdentityRefreshed, owner.id).with(detail)).await?;
        tx.announce(Notice::Account(owner.id), now).await?;
        Ok(account::by_id(tx, owner.id).await?.unwrap_or(owner))
    }

    async fn follow_profile(
        &self,
        tx: &mut Tx,
        owner: &Account,
        changed: &mut Vec<&'static str>,
    ) -> Result<(), ResolveError> {
        let said = &self.arrival.attributes;
        let name = said.name.as_deref().and_then(|text| DisplayName::parse(text).ok());
        if let Some(name) = name.filter(|name| name.as_str() != owner.name) {
            let profile = Profile {
                name,
                language: owner.language,
                time_zone: owner.time_zone.clone(),
                contrast: owner.contrast,
            };
            account::set_profile(tx, owner.id, &profile).await?;
            changed.push("name");
        }
        let username = said.username.as_ref().and_then(|_| resolve::username(said));
        if let Some(username) = username.filter(|new| new.as_str() != owner.username)
            && !account::username_taken(tx, &username, Some(owner.id)).await?
        {
            account::set_username(tx, owner.id, &username).await?;
            changed.push("username");
        }
        let email = said.email.as_deref().and_then(|text| EmailAddress::parse(text).ok());
        if let Some(email) = email
            && self.follow_email(tx, owner, &email).await?
        {
            changed.push("email");
        }
        Ok(())
    }

    /// An address that nobody has verified never takes the place of a verified one.
    async fn follow_email(&self, tx: &mut Tx, owner: &Account, email: &EmailAddress) -> Result<bool, ResolveError> {
        let verified = self.arrival.attributes.email_verified;
        let was_verified = account::email_is_verified(tx, owner.id).await?;
        if email.as_str() == owner.email {
            if verified && !was_verified {
                account::set_email_as(tx, owner.id, email, true).await?;
            }
            return Ok(false);
        }
        let holder = identity::holder_of_email(tx, email, &self.arrival.source).await?;
        let others = holder.is_some_and(|holder| holder.account != owner.id);
        if others || (was_verified && !verified) {
            return Ok(false);
        }
        account::set_email_as(tx, owner.id, email, verified).await?;
        // Links in letters to the old address must not outlive it.
        for purpose in [Purpose::Recovery, Purpose::Email] {
            token::void(tx, owner.id, Some(purpose)).await?;
        }
        Ok(true)
    }

    /// Follows the mapped rights, where any are mapped. The last administrator who can sign in stays one.
    async fn follow_rights(&mut self, tx: &mut Tx, owner: &Account) -> Result<bool, ResolveError> {
        let Some(wanted) = self.arrival.administrator.filter(|wanted| *wanted != owner.administrator) else {
            return Ok(false);
        };
        if !wanted {
            let others = account::administrators(tx).await?;
            let another = others.iter().any(|one| one.id != owner.id && one.may_sign_in(self.ctx.now()));
            if !another {
                tracing::warn!(
                    account = %owner.id, source = %self.arrival.source,
                    "the source says that the last administrator is none; the account stays one"
                );
                return Ok(false);
            }
        }
        account::set_administrator(tx, owner.id, wanted).await?;
        let act = if wanted { Act::AdministratorMade } else { Act::AdministratorUnmade };
        let detail = serde_json::json!({ "source": self.arrival.source });
        self.acting(owner.id).record(tx, Event::about(act, owner.id).with(detail)).await?;
        let event = CredentialEvent::RightsChanged;
        self.aftermath = Some(revocation::revoke(self.ctx, tx, owner.id, event, None).await?);
        Ok(true)
    }
}
