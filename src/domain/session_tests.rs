//! Tests of `session.rs`.

use super::*;

#[test]
fn a_session_dies_at_the_idle_and_at_the_absolute_limit() {
    let life = Lifetimes { idle: Duration::from_mins(1), absolute: Duration::from_mins(10) };
    let opened = Timestamp::from_millis(0);
    let end = opened.after(life.absolute);
    assert!(life.alive(Timestamp::from_millis(59_999), opened, end));
    assert!(!life.alive(Timestamp::from_millis(60_000), opened, end));
    assert!(!life.alive(end, end.before(Duration::from_secs(1)), end));
}

#[test]
fn methods_are_a_set_with_registered_names() {
    let both = Methods::PASSWORD.and(Methods::REMEMBERED);
    assert!(both.has(Methods::PASSWORD) && !Methods::PASSWORD.has(both));
    assert_eq!(both.names().collect::<Vec<_>>(), ["pwd", "remembered"]);
    assert_eq!(Methods::from_bits(both.bits()), both);
}
