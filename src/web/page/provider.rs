//! Views of signing in with an identity provider: its button, the page when that did not work, and the question whether
//! an identity shall be added to an account.

use crate::domain::resolve::Refusal;
use crate::service::texts::Texts;
use crate::web::brand::Brand;
use crate::web::page::account::Room;
use crate::web::page::{Shell, paths};
use askama::Template;

/// One button of the sign-in page.
#[derive(Debug, Clone)]
pub struct ProviderButton {
    /// The name that people know.
    pub name: String,
    /// Where it leads.
    pub href: String,
    /// The path of its logo.
    pub logo: Option<String>,
}

impl ProviderButton {
    /// To the provider of this slug and name, with the logo that the operator gave it.
    #[must_use]
    pub fn new(brand: &Brand, (slug, name): (&str, &str), href: String) -> Self {
        Self { name: name.to_owned(), href, logo: brand.provider(slug).map(str::to_owned) }
    }

    /// What stands in the place of a logo: the first letter or figure of the name.
    #[must_use]
    pub fn letter(&self) -> String {
        let letter = self.name.chars().find(|one| one.is_alphanumeric());
        letter.map(|one| one.to_uppercase().collect()).unwrap_or_default()
    }
}

/// Why somebody who comes back from a provider goes no further, as far as they are told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ProviderProblem {
    /// The answer belongs to no open question of this browser's.
    Outdated,
    /// The person, or the provider, said no.
    Declined,
    /// The provider does not answer, or is not in order.
    Away,
    /// What it said is not believed.
    NotBelieved,
    /// What it said about signing out is not believed.
    SignOutNotBelieved,
    /// It is believed, and has the address of an account whose owner is to be asked first.
    LinkFirst,
    /// It is believed, and something is in the way.
    Refused(Refusal),
}

impl ProviderProblem {
    /// Every one.
    #[must_use]
    pub fn all() -> Vec<Self> {
        use Refusal::{
            Administrator, EmailMissing, EmailTaken, Ended, InvitationGone, InvitationOpen, LinkedElsewhere, Locked,
            NotInvited, OtherIdentity, SourceOff, Unknown, UsernameMissing, UsernameTaken, Waiting,
        };
        let refusals = [
            Unknown,
            NotInvited,
            UsernameTaken,
            EmailTaken,
            InvitationOpen,
            UsernameMissing,
            EmailMissing,
            InvitationGone,
            LinkedElsewhere,
            OtherIdentity,
            Administrator,
            Locked,
            Waiting,
            Ended,
            SourceOff,
        ];
        let others =
            [Self::Outdated, Self::Declined, Self::Away, Self::NotBelieved, Self::SignOutNotBelieved, Self::LinkFirst];
        others.into_iter().chain(refusals.map(Self::Refused)).collect()
    }

    /// The HTTP status of its page: never a fault of ours.
    #[must_use]
    pub const fn status(self) -> u16 {
        match self {
            Self::Outdated => 400,
            Self::Away => 424,
            Self::LinkFirst
            | Self::Refused(
                Refusal::UsernameTaken
                | Refusal::EmailTaken
                | Refusal::LinkedElsewhere
                | Refusal::OtherIdentity
                | Refusal::Administrator,
            ) => 409,
            Self::Declined | Self::NotBelieved | Self::SignOutNotBelieved | Self::Refused(_) => 403,
        }
    }

    /// The heading.
    #[must_use]
    pub fn title(self, t: &Texts) -> String {
        t.msg(match self {
            Self::Outdated => "provider-outdated-title",
            Self::Declined => "provider-declined-title",
            Self::Away => "provider-away-title",
            Self::NotBelieved | Self::SignOutNotBelieved => "provider-not-believed-title",
            Self::LinkFirst => "provider-link-first-title",
            Self::Refused(Refusal::Waiting) => "provider-waiting-title",
            Self::Refused(Refusal::Administrator) => "provider-administrator-title",
            Self::Refused(_) => "provider-refused-title",
        })
    }

    /// What is the matter, and what to do.
    #[must_use]
    pub fn text(self, t: &Texts, provider: &str) -> String {
        let key = match self {
            Self::Outdated => "provider-outdated-text",
            Self::Declined => "provider-declined-text",
            Self::Away => "provider-away-text",
            Self::NotBelieved => "provider-not-believed-text",
            Self::SignOutNotBelieved => "provider-sign-out-text",
            Self::LinkFirst => "provider-link-first-text",
            Self::Refused(refusal) => match refusal {
                Refusal::Unknown => "provider-unknown",
                Refusal::NotInvited => "provider-not-invited",
                Refusal::UsernameTaken => "provider-username-taken",
                Refusal::EmailTaken => "provider-email-taken",
                Refusal::InvitationOpen => "provider-invitation-open",
                Refusal::UsernameMissing => "provider-username-missing",
                Refusal::EmailMissing => "provider-email-missing",
                Refusal::InvitationGone => "provider-invitation-gone",
                Refusal::LinkedElsewhere => "provider-linked-elsewhere",
                Refusal::OtherIdentity => "provider-other-identity",
                Refusal::Administrator => "provider-administrator",
                Refusal::Locked => "provider-locked",
                Refusal::Waiting => "provider-waiting",
                Refusal::Ended => "provider-ended",
                Refusal::SourceOff => "provider-off",
            },
        };
        t.msg_with(key, &[("provider", provider.into())])
    }

    /// Whether trying again may help.
    #[must_use]
    pub const fn is_worth_another_try(self) -> bool {
        matches!(self, Self::Outdated | Self::Declined | Self::Away | Self::NotBelieved)
    }
}

/// The page when signing in with a provider did not work.
#[derive(Debug, Clone, Template)]
#[template(path = "provider_problem.html")]
pub struct ProviderProblemPage {
    /// What is around the page.
    pub shell: Shell,
    /// The provider's name.
    pub provider: String,
    /// What is the matter.
    pub problem: ProviderProblem,
    /// Where to try again.
    pub again: String,
    /// Somebody is signed in, and stays it.
    pub inside: bool,
    /// The id under which the administrator finds more.
    pub trace: String,
}

/// One's own identities. Sends `identity`, `csrf`.
#[derive(Debug, Clone, Template)]
#[template(path = "account/identities.html")]
pub struct IdentitiesPage {
    /// What is around the page.
    pub shell: Shell,
    /// The name of the person who is signed in.
    pub person: String,
    /// What there is.
    pub identities: Vec<IdentityRow>,
    /// What can be added.
    pub addable: Vec<ProviderButton>,
    /// What is wrong with the last try.
    pub problem: Option<String>,
}

impl IdentitiesPage {
    const ROOM: Room = Room::Identities;
}

/// One identity.
#[derive(Debug, Clone)]
pub struct IdentityRow {
    /// What the form sends to remove it.
    pub id: String,
    /// The name of the provider or directory.
    pub source: String,
    /// Who it is there.
    pub subject: String,
    /// Since when.
    pub since: crate::web::page::Moment,
    /// When it was last used.
    pub last_used: Option<crate::web::page::Moment>,
    /// Whether another way in is left without it.
    pub removable: bool,
}

/// Asks whether an identity shall be added. Sends `question`, `csrf`.
#[derive(Debug, Clone, Template)]
#[template(path = "account/identity_add.html")]
pub struct IdentityAddPage {
    /// What is around the page.
    pub shell: Shell,
    /// The name of the person who is signed in.
    pub person: String,
    /// The name of the provider.
    pub provider: String,
    /// It is a directory: its password takes the place of the one here.
    pub directory: bool,
    /// Who it is there, in words that people know.
    pub who: String,
    /// The name of the question.
    pub question: String,
}

impl IdentityAddPage {
    const ROOM: Room = Room::Identities;

    const fn lead(&self) -> &'static str {
        if self.directory { "identity-add-directory-text" } else { "identity-add-text" }
    }

    const fn kind(&self) -> &'static str {
        if self.directory { "identity-add-directory-name" } else { "identity-add-provider" }
    }
}
