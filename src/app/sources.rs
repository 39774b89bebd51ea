//! From the operator's words about identity providers to the services' terms.

use crate::config::Config;
use crate::config::identity_provider::{GroupMode, IdentityProvider, OnFirstSignIn as Configured};
use crate::domain::identity::{GroupRules, OnFirstSignIn, Source, SourceRules};
use std::collections::HashMap;

/// What the operator decided about each source that is in use.
#[must_use]
pub(super) fn rules(config: &Config) -> HashMap<Source, SourceRules> {
    let enabled = config.identity_providers.iter().filter(|provider| provider.enabled);
    enabled.map(|provider| (Source::provider(provider.slug.as_str()), of_provider(provider))).collect()
}

fn of_provider(provider: &IdentityProvider) -> SourceRules {
    SourceRules {
        name: provider.display_name().to_owned(),
        on_first_sign_in: match provider.on_first_sign_in {
            Configured::Create => OnFirstSignIn::Create,
            Configured::LinkVerifiedEmail => OnFirstSignIn::LinkVerifiedEmail,
            Configured::InvitedOnly => OnFirstSignIn::InvitedOnly,
            Configured::Deny => OnFirstSignIn::Deny,
        },
        approval: provider.approval,
        refresh: provider.update_profile,
        groups: GroupRules { exclusive: provider.groups.mode == GroupMode::Exclusive, create: provider.groups.create },
    }
}
