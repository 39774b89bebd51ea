//! `vestibule idp check`, for SAML providers.

use super::{Desk, Failure, say};
use crate::service::caller::Operator;
use crate::service::saml::{Level, SamlError};

/// Looks at one provider and says what was found.
pub(super) async fn check(desk: &Desk, slug: &str) -> Result<(), Failure> {
    let found = match desk.saml.check(&desk.ctx, Operator::vouched(), slug).await {
        Err(SamlError::Unknown) => {
            return Err(format!("there is no SAML provider {slug:?} in the configuration").into());
        }
        found => found?,
    };
    for finding in &found {
        let mark = match finding.level {
            Level::Fine => "      ",
            Level::Warning => "warn  ",
            Level::Wrong => "WRONG ",
        };
        say(&format!("{mark}{}", finding.text.replace('\n', "\n        ")));
    }
    if found.iter().any(|finding| finding.level == Level::Wrong) {
        return Err(format!("people cannot sign in with {slug}; see above").into());
    }
    Ok(())
}
