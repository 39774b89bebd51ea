//! The order in which keys are used.

use super::*;

fn key(number: u128, made_at: u64) -> StoredKey {
    StoredKey {
        id: Uuid::from_u128(number),
        purpose: COOKIES.to_owned(),
        wrapped: Vec::new(),
        created_at: Timestamp::from_millis(0).after(Duration::from_secs(made_at)),
        retires_at: None,
        revoked_at: None,
    }
}

fn first(stored: &[StoredKey], now: u64) -> u128 {
    let now = Timestamp::from_millis(0).after(Duration::from_secs(now));
    in_order_of_use(stored.to_vec(), now).first().map_or(0, |key| key.id.as_u128())
}

#[test]
fn a_new_key_seals_once_every_node_must_know_it() {
    let stored = [key(3, 1000), key(2, 500), key(1, 0)];
    assert_eq!(first(&stored, 1000), 2);
    assert_eq!(first(&stored, 1059), 2);
    assert_eq!(first(&stored, 1060), 3);
}

#[test]
fn where_all_are_new_the_oldest_seals_and_a_single_one_does_at_once() {
    assert_eq!(first(&[key(2, 10), key(1, 5)], 11), 1);
    assert_eq!(first(&[key(1, 5)], 5), 1);
    assert_eq!(in_order_of_use(vec![key(2, 10), key(1, 5)], Timestamp::from_millis(11_000)).len(), 2);
}
