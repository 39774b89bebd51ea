//! Values and rules. No I/O, no async, no framework.
pub mod language;
