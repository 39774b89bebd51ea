//! What the audit trail records. Each event is written in the transaction of the act it tells of.

use super::id::AccountId;

/// Who did it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Actor {
    /// Nobody known: someone before sign-in.
    Stranger,
    /// A signed-in person.
    Account(AccountId),
    /// The command line on the server.
    Operator,
    /// The service itself, by the clock.
    System,
}

impl Actor {
    /// As stored.
    #[must_use]
    pub const fn kind(self) -> &'static str {
        match self {
            Self::Stranger => "stranger",
            Self::Account(_) => "account",
            Self::Operator => "operator",
            Self::System => "system",
        }
    }

    /// The account, when it is one.
    #[must_use]
    pub const fn account(self) -> Option<AccountId> {
        match self {
            Self::Account(id) => Some(id),
            _ => None,
        }
    }
}

macro_rules! acts {
    ($($(#[$doc:meta])* $variant:ident => $name:literal,)*) => {
        /// What was done.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum Act { $($(#[$doc])* $variant,)* }

        impl Act {
            /// As stored: stable, `noun.verb`.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $name,)* }
            }
        }
    };
}

acts! {
    /// An account was made.
    AccountCreated => "account.created",
    /// An account was made for somebody, who was sent a letter.
    AccountInvited => "account.invited",
    /// Another letter was ordered for somebody invited.
    InvitationRepeated => "account.invitation_repeated",
    /// Somebody invited chose a password.
    InvitationAccepted => "account.invitation_accepted",
    /// Somebody made an account for themselves.
    AccountRegistered => "account.registered",
    /// An administrator let in somebody who had registered.
    AccountApproved => "account.approved",
    /// The day on which an account ends was set or taken away.
    AccountEndSet => "account.end_set",
    /// An account reached its end; its sessions ended with it.
    AccountEnded => "account.ended",
    /// An account was locked.
    AccountLocked => "account.locked",
    /// An account was unlocked, or its failures forgotten.
    AccountUnlocked => "account.unlocked",
    /// An account became an administrator.
    AdministratorMade => "account.administrator_made",
    /// An account ceased to be an administrator.
    AdministratorUnmade => "account.administrator_unmade",
    /// Name, language or time zone changed.
    ProfileChanged => "account.profile_changed",
    /// Somebody set their picture.
    PictureSet => "account.picture_set",
    /// Somebody removed their picture.
    PictureRemoved => "account.picture_removed",
    /// A new address was asked for.
    EmailChangeRequested => "account.email_change_requested",
    /// The new address was confirmed.
    EmailChanged => "account.email_changed",
    /// The password was changed by its owner.
    PasswordChanged => "password.changed",
    /// The password was set by somebody else.
    PasswordSet => "password.set",
    /// The password was set through a mailed link.
    PasswordRecovered => "password.recovered",
    /// A recovery letter was asked for and sent.
    RecoveryRequested => "password.recovery_requested",
    /// An identity of a provider or directory was linked to an account.
    IdentityLinked => "identity.linked",
    /// An identity was taken from an account.
    IdentityUnlinked => "identity.unlinked",
    /// An identity that its owner was asked about could not be linked, though they said yes.
    IdentityRefused => "identity.refused",
    /// Names, address or groups of an account followed its identity provider or directory.
    IdentityRefreshed => "identity.refreshed",
    /// A session was opened.
    SignedIn => "sign_in.succeeded",
    /// A secret was wrong, or the account may not sign in.
    SignInFailed => "sign_in.failed",
    /// The first factor was right and a step is owed.
    SignInStepOwed => "sign_in.step_owed",
    /// Signed out.
    SignedOut => "session.signed_out",
    /// Sessions were ended by their owner.
    SessionsEnded => "session.ended",
    /// Sessions were ended because the provider that vouched for them said so.
    SessionsEndedByProvider => "session.ended_by_provider",
    /// Sessions were ended because the provider does not stand by them any more.
    SessionsRevoked => "session.revoked_by_provider",
    /// A provider's word that a session ended was signed by it, and not believed all the same.
    ProviderLogoutRefused => "session.provider_logout_refused",
    /// An authenticator was bound.
    FactorAdded => "factor.added",
    /// An authenticator was removed by its owner.
    FactorRemoved => "factor.removed",
    /// An authenticator was renamed, or made the one that is asked for first.
    FactorChanged => "factor.changed",
    /// Somebody else took all authenticators of an account away.
    FactorsReset => "factor.reset",
    /// A second factor was proved in a sign-in.
    FactorProved => "factor.proved",
    /// A code was sent to a phone, or could not be.
    FactorCodeSent => "factor.code_sent",
    /// A key answered with a counter that went backwards: it may have been copied.
    FactorCloned => "factor.clone_suspected",
    /// Backup codes were made.
    BackupCodesMade => "backup_codes.made",
    /// A backup code was used.
    BackupCodeUsed => "backup_codes.used",
    /// Somebody signed in proved anew who they are.
    SteppedUp => "session.stepped_up",
    /// A browser needs no second factor from now on.
    DeviceRemembered => "device.remembered",
    /// A browser needs a second factor again.
    DeviceForgotten => "device.forgotten",
    /// A used token of such a browser was shown again.
    DeviceReplayed => "device.replayed",
    /// A browser is remembered from now on.
    BrowserRemembered => "autologin.remembered",
    /// A remembered browser was forgotten.
    BrowserForgotten => "autologin.forgotten",
    /// A used token was shown again.
    AutologinReplayed => "autologin.replayed",
    /// A group was made.
    GroupCreated => "group.created",
    /// Someone was added to a group.
    MemberAdded => "group.member_added",
    /// Someone was removed from a group.
    MemberRemoved => "group.member_removed",
    /// Many were added to a group at once; the detail says who.
    MembersAdded => "group.members_added",
    /// Many were removed from a group at once; the detail says who.
    MembersRemoved => "group.members_removed",
    /// A group follows the new name of its entry in a directory.
    GroupRenamed => "group.renamed",
    /// A new sealing key was made.
    KeyRotated => "key.rotated",
    /// A key was revoked at once.
    KeyRevoked => "key.revoked",
    /// A setting was stored for all nodes.
    SettingStored => "setting.stored",
    /// A stored setting was removed.
    SettingRemoved => "setting.removed",
    /// All stored settings were read with their secrets.
    SettingsExported => "setting.exported",
    /// The first administrator was created with the set-up link.
    SetUp => "setup.completed",
}

/// One event, before the context adds time, request and client.
#[derive(Clone, Debug)]
pub struct Event {
    /// What was done.
    pub act: Act,
    /// To whom.
    pub subject: Option<AccountId>,
    /// More about it: identifiers and codes, never a secret, never free text of a stranger.
    pub detail: serde_json::Value,
}

impl Event {
    /// An event about an account.
    #[must_use]
    pub const fn about(act: Act, subject: AccountId) -> Self {
        Self { act, subject: Some(subject), detail: serde_json::Value::Null }
    }

    /// An event about nobody in particular.
    #[must_use]
    pub const fn of(act: Act) -> Self {
        Self { act, subject: None, detail: serde_json::Value::Null }
    }

    /// The same with detail.
    #[must_use]
    pub fn with(mut self, detail: serde_json::Value) -> Self {
        self.detail = detail;
        self
    }
}
