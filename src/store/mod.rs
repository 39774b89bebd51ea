//! What is kept, durable and volatile.
