//! How long letters wait.

use super::*;

#[test]
fn waiting_doubles_up_to_an_hour() {
    assert_eq!(backoff(0).as_secs(), 30);
    assert_eq!(backoff(3).as_secs(), 240);
    assert_eq!(backoff(60).as_secs(), 3600);
}
