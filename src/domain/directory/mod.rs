//! A company's directory: what an entry says about a person, who belongs to which group, and what follows from it here.
//! Pure: reading the directory is `connect/ldap`, carrying a plan out is `service/directory`.

pub mod custom;
pub mod dn;
pub mod entry;
pub mod nesting;
pub mod person;
pub mod plan;
pub mod snapshot;
pub mod standing;
pub mod words;

pub use custom::Custom;
pub use dn::{DnKey, DnNumber, DnNumbers};
pub use entry::Entry;
pub use person::{Flaw, Mapping, Person, Subject};
pub use plan::{Plan, Settings, plan};
pub use snapshot::{GroupReading, Known, KnownAccount, KnownGroup, Snapshot};
pub use standing::Standing;
