//! What to do about sign-ins that ended badly at a directory, for the reader of a trace.

/// The remedy for a trace's outcome, where a directory needs another than a provider.
#[must_use]
pub fn remedy(code: &str) -> Option<&'static str> {
    Some(match code {
        "entry_gone" => {
            "The entry that the account is linked to is gone, or filter does not let it in. If the person has a new entry: \
             `vestibule account unlink`, then `vestibule account link`. `vestibule directory check --user` says more."
        }
        "username_missing" => {
            "The entry has no value in attributes.username that can be a username: `vestibule directory check --user` says \
             why. Change the entry, or name another attribute."
        }
        "email_missing" => {
            "The entry has no value in attributes.email that is an e-mail address: `vestibule directory check --user` says \
             why. Change the entry, or name another attribute."
        }
        "username_taken" => {
            "An account has this username. If it is the same person, `vestibule account link` links it to the entry."
        }
        "email_taken" => {
            "An account has this address. If it is the same person, `vestibule account link` links it to the entry; \
             on_first_sign_in = \"link_verified_email\" does so for all but administrators."
        }
        "directory_away" => "Run `vestibule directory check`. People of ours get in meanwhile.",
        _ => return None,
    })
}
