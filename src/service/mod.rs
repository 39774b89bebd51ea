//! Use cases: one public function is one thing a person, an admin or an app can do.

pub mod metrics;
