//! The part of a check about one person: which account is theirs, and what keeps them from having one.

use super::check::Report;
use super::{Connected, Directories};
use crate::domain::account::LoginName;
use crate::domain::directory::Person;
use crate::store::{StoreError, account, identity};

impl Directories {
    /// What somebody who is found in the directory meets here.
    ///
    /// # Errors
    /// [`StoreError`].
    pub(super) async fn check_account(
        &self,
        connected: &Connected,
        person: &Person,
        report: &mut Report,
    ) -> Result<(), StoreError> {
        let (Ok(username), Ok(email)) = (&person.username, &person.email) else { return Ok(()) };
        let (source, slug) = (connected.source(), &connected.policy.slug);
        let what = format!("account of {username}");
        let mut link = self.core.database.read().await?;
        let known = identity::by_subject(&mut link, &source, source.slug(), person.subject.as_str()).await?;
        if let Some(known) = known {
            let owner = account::by_id(&mut link, known.account).await?;
            let name = owner.map_or_else(|| known.account.to_string(), |owner| owner.username);
            report.good(what, format!("{name}, linked to this entry"));
            return Ok(());
        }
        if let Some(other) = account::by_login(&mut link, &LoginName::of(username.as_str())).await? {
            let identities = identity::of_account(&mut link, other.id).await?;
            let here = identities.iter().find(|one| one.source == source);
            let (name, user) = (&other.username, username);
            let same = "if it is the same person";
            match here {
                Some(here) => {
                    let follow = if here.leads { " --follow" } else { "" };
                    let subject = &here.subject;
                    report.bad(
                        what,
                        format!(
                            "the account {name} is linked to another entry ({subject}): nobody signs in with this one"
                        ),
                        format!(
                            "{same}, with a new entry: `vestibule account unlink {name} --directory {slug}`, then \
                             `vestibule account link {name} --directory {slug} --user {user}{follow}`"
                        ),
                    );
                }
                None => report.bad(
                    what,
                    format!("the account {name} is there and not linked to this entry: it is not taken over"),
                    format!("{same}: `vestibule account link {name} --directory {slug} --user {user}`"),
                ),
            }
            return Ok(());
        }
        match identity::holder_of_email(&mut link, email, &source).await? {
            Some(_) => report.bad(
                what,
                "there is none, and none is made: another account has the e-mail address",
                "if it is the same person, link that account with `vestibule account link`; or change one of the addresses. \
                 on_first_sign_in = \"link_verified_email\" links those that are no administrator's",
            ),
            None => report.good(what, "there is none yet"),
        }
        Ok(())
    }
}
