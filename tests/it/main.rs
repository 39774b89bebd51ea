//! Integration tests, as one binary.

mod store_volatile;
