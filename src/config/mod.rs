//! The typed configuration: one file per section of vestibule.toml.
