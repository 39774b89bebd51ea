//! What happens by the clock: each job calls one service.
