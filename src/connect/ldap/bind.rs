//! Whether somebody's password is right: a bind as their entry, on a connection of its own, and what the server's answer
//! may be told as.

use super::connection::said;
use super::{Directory, LdapError};
use crate::domain::directory::Standing;
use crate::domain::secret::Secret;
use std::time::Duration;

/// What a directory says about a password.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It is right, and the entry may sign in.
    Right,
    /// It is right, but the directory does not let the entry in.
    RightBut(Standing),
    /// It is wrong, or the server does not say more.
    Wrong,
}

impl Directory {
    /// Checks the password of an entry. An empty one never leaves this machine: servers take it for an anonymous bind and
    /// answer that it worked (RFC 4513 section 5.1.2).
    ///
    /// # Errors
    /// [`LdapError`] when the directory could not be asked; nothing is known about the password then.
    pub async fn verify(&self, dn: &str, password: &Secret<String>) -> Result<Verdict, LdapError> {
        if password.expose().is_empty() || dn.trim().is_empty() {
            return Ok(Verdict::Wrong);
        }
        let turn = tokio::time::timeout(self.settings.connect_timeout, self.binds.acquire()).await;
        let Ok(Ok(_turn)) = turn else { return Err(LdapError::Busy) };
        let mut connection = self.connection(false, false).await?;
        connection.ldap.with_timeout(self.settings.operation_timeout);
        let bound = connection.ldap.simple_bind(dn, password.expose()).await;
        let result = bound.map_err(|fault| {
            self.hosts.failed(connection.host());
            connection.broke(fault)
        })?;
        // Politeness; the server's answer to it does not matter, and must not be waited for long.
        drop(tokio::time::timeout(Duration::from_millis(100), connection.ldap.unbind()).await);
        match result.rc {
            0 => Ok(Verdict::Right),
            49 => Ok(standing(&result.text).map_or(Verdict::Wrong, Verdict::RightBut)),
            // noSuchObject, inappropriateAuthentication, insufficientAccessRights, constraintViolation,
            // unwillingToPerform: the server's ways of saying no about this entry.
            19 | 32 | 48 | 50 | 53 => {
                tracing::info!(
                    directory = self.settings.slug,
                    code = result.rc,
                    said = said(&result),
                    "a bind was refused"
                );
                Ok(Verdict::Wrong)
            }
            8 | 13 => Err(LdapError::Insecure(format!("the server wants a protected connection: {}", said(&result)))),
            51 | 52 | 80 => Err(LdapError::Away(said(&result))),
            code => Err(LdapError::Refused { code, text: said(&result) }),
        }
    }
}

/// Active Directory puts a Windows error into the text: `… AcceptSecurityContext error, data 52e, v2580`
/// ([MS-ERREF] 2.2). Only those that it gives after the right password are read.
fn standing(text: &str) -> Option<Standing> {
    let code = text.split("data ").nth(1)?.split([',', ' ']).next()?;
    match code {
        "530" | "531" => Some(Standing::NotNow),
        "532" => Some(Standing::PasswordExpired),
        "533" => Some(Standing::Disabled),
        "701" => Some(Standing::Expired),
        "773" => Some(Standing::MustChange),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_active_directory_adds_is_read_only_where_the_password_was_right() {
        let text = |code: &str| {
            format!("80090308: LdapErr: DSID-0C090447, comment: AcceptSecurityContext error, data {code}, v3839")
        };
        for (code, told) in [
            ("532", Some(Standing::PasswordExpired)),
            ("533", Some(Standing::Disabled)),
            ("701", Some(Standing::Expired)),
            ("773", Some(Standing::MustChange)),
            ("530", Some(Standing::NotNow)),
            ("52e", None),
            ("525", None),
            ("775", None),
        ] {
            assert_eq!(standing(&text(code)), told, "{code}");
        }
        assert_eq!(standing("Invalid credentials"), None);
        assert_eq!(standing("data "), None);
    }
}
