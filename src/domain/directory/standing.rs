//! What a directory may say about somebody after their password was right.

/// Why a directory does not let somebody in whose password is right. Servers say so only after checking the password;
/// what they say without (locked out, `775`) is not among these, since it would tell strangers who has an account.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// The password has to be changed first, in the directory.
    MustChange,
    /// The password is too old.
    PasswordExpired,
    /// The entry is disabled.
    Disabled,
    /// The entry's time is over.
    Expired,
    /// Not at this hour, or not from here.
    NotNow,
}

impl Standing {
    /// As in the log and the audit trail.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::MustChange => "must_change",
            Self::PasswordExpired => "password_expired",
            Self::Disabled => "disabled",
            Self::Expired => "expired",
            Self::NotNow => "not_now",
        }
    }
}
