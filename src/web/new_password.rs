//! Two fields for a new password, as several pages have them: reading, and saying what is wrong.

use super::extract::Fields;
use super::page::words::{PasswordProblem, PasswordRule};
use crate::domain::password::{Fault, PlainPassword, Strength};
use crate::service::core::Policy;
use crate::service::texts::Texts;

/// What a page says about the two fields.
#[derive(Debug, Default)]
pub(super) struct Complaints {
    /// About the password.
    pub(super) problems: Vec<String>,
    /// About the repetition.
    pub(super) repeat_error: Option<String>,
}

impl Complaints {
    /// From the faults that the rules found.
    pub(super) fn of(faults: &[Fault], t: &Texts) -> Self {
        Self { problems: faults.iter().map(|fault| problem(*fault).text(t)).collect(), repeat_error: None }
    }
}

/// Reads `new_password` and `repeat`.
pub(super) fn read(fields: &Fields, t: &Texts) -> Result<PlainPassword, Complaints> {
    if fields.text("new_password") != fields.text("repeat") {
        let repeat_error = Some(PasswordProblem::Mismatch.text(t));
        return Err(Complaints { problems: Vec::new(), repeat_error });
    }
    PlainPassword::typed(fields.text("new_password")).map_err(|fault| Complaints::of(&[fault], t))
}

/// The rules, before anybody breaks one.
pub(super) fn rules(policy: &Policy, t: &Texts) -> Vec<String> {
    let mut rules = vec![PasswordRule::Shortest(count(policy.rules.min_length))];
    rules.extend(policy.rules.required_classes.iter().map(|class| PasswordRule::Contains(*class)));
    if policy.rules.refuse_common || policy.rules.min_strength > Strength::VeryWeak {
        rules.push(PasswordRule::HardToGuess);
    }
    rules.push(PasswordRule::NotPersonal);
    if policy.password_history > 0 {
        rules.push(PasswordRule::NotReused(policy.password_history));
    }
    rules.into_iter().map(|rule| rule.text(t)).collect()
}

fn problem(fault: Fault) -> PasswordProblem {
    match fault {
        Fault::TooShort { min } => PasswordProblem::TooShort(count(min)),
        Fault::TooLong { max } => PasswordProblem::TooLong(count(max)),
        Fault::MissingClass(class) => PasswordProblem::Lacks(class),
        Fault::ControlCharacter => PasswordProblem::Unusable,
        Fault::Common => PasswordProblem::Common,
        Fault::TooWeak => PasswordProblem::Weak,
        Fault::ContainsName => PasswordProblem::Personal,
        Fault::Reused => PasswordProblem::Reused,
    }
}

fn count(characters: usize) -> u32 {
    u32::try_from(characters).unwrap_or(u32::MAX)
}
