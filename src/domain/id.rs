//! Typed identifiers. An account's id can never be passed where a session's is asked for.

use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;
use uuid::Uuid;

macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident;)*) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(Uuid);

        impl $name {
            /// Wraps an identifier that comes from the generator in the context, or from the store.
            #[must_use]
            pub const fn new(id: Uuid) -> Self { Self(id) }

            /// The bare identifier, as stores keep it.
            #[must_use]
            pub const fn uuid(self) -> Uuid { self.0 }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result { self.0.fmt(f) }
        }

        impl FromStr for $name {
            type Err = uuid::Error;
            fn from_str(text: &str) -> Result<Self, Self::Err> { Uuid::from_str(text).map(Self) }
        }
    )*};
}

ids! {
    /// A person or service known to us.
    AccountId;
    /// A group of accounts.
    GroupId;
    /// The public name of a session, shown in lists and audit events. Not the secret handle.
    SessionId;
    /// The public name of a remembered browser ("stay logged in"); the family of its rotating tokens.
    RememberedId;
    /// One sign-in attempt.
    AttemptId;
    /// The link between an account and somebody at an identity provider or in a directory.
    IdentityId;
    /// One audit event.
    EventId;
    /// One request, as answered in `X-Request-Id` and written to the log.
    RequestId;
    /// One queued letter.
    LetterId;
}
