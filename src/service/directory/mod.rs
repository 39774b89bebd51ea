//! Directories: reading them, planning and carrying out what follows, and saying what is wrong with one.

pub mod policy;
mod read;

pub use policy::{DirectoryPolicy, FirstSignIn, GroupRule, Strategy, Wanted};
pub use read::{Progress, snapshot};
