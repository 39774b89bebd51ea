//! What is kept, durable and volatile. Repositories speak SQL and return domain values; they decide nothing.

pub mod volatile;
