//! Tests of `resolve.rs`, apart for its length.

use super::*;
use uuid::Uuid;

const ANNA: AccountId = AccountId::new(Uuid::from_u128(1));
const BEN: AccountId = AccountId::new(Uuid::from_u128(2));

fn said() -> Attributes {
    Attributes {
        username: Some("anna".into()),
        email: Some("anna@example.org".into()),
        email_verified: true,
        name: Some("Anna".into()),
        language: None,
    }
}

fn known(account: AccountId) -> Facts {
    let identity = IdentityId::new(Uuid::nil());
    Facts { known: Some(Known { identity, account }), ..Facts::default() }
}

fn held(verified: bool, status: AccountStatus, linked_here: bool) -> Facts {
    Facts {
        email: Some(EmailHolder { account: ANNA, verified, status, linked_here, worth: Worth::Question }),
        ..Facts::default()
    }
}

#[test]
fn a_known_identity_enters_whatever_the_policy_says() {
    use OnFirstSignIn::{Create, Deny, InvitedOnly, LinkVerifiedEmail};
    for policy in [Create, LinkVerifiedEmail, InvitedOnly, Deny] {
        // Even when somebody else has the names by now.
        let facts = Facts { username_taken: true, ..known(ANNA) };
        assert!(matches!(decide(&facts, &said(), policy), Ok(Plan::Enter(Known { account: ANNA, .. }))));
    }
}

#[test]
fn an_equal_name_or_an_unverified_address_never_gives_an_account_away() {
    let active = AccountStatus::Active;
    let unverified = Attributes { email_verified: false, ..said() };
    let named = Facts { username_taken: true, ..Facts::default() };
    for policy in [OnFirstSignIn::Create, OnFirstSignIn::LinkVerifiedEmail] {
        assert_eq!(decide(&named, &said(), policy), Err(Refusal::UsernameTaken));
        assert_eq!(decide(&held(true, active, false), &unverified, policy), Err(Refusal::EmailTaken));
        assert_eq!(decide(&held(false, active, false), &said(), policy), Err(Refusal::EmailTaken));
    }
    assert_eq!(decide(&held(true, active, false), &said(), OnFirstSignIn::Create), Err(Refusal::EmailTaken));
}

#[test]
fn an_address_links_when_both_sides_verified_it_and_its_owner_is_asked_first() {
    let policy = OnFirstSignIn::LinkVerifiedEmail;
    let active = AccountStatus::Active;
    let mut held_by_anna = held(true, active, false);
    assert_eq!(decide(&held_by_anna, &said(), policy), Ok(Plan::Ask(ANNA)));
    held_by_anna.email.as_mut().unwrap().worth = Worth::Account;
    assert_eq!(decide(&held_by_anna, &said(), policy), Ok(Plan::Link(ANNA)));
    // Somebody of this provider owns the account already.
    assert_eq!(decide(&held(true, active, true), &said(), policy), Err(Refusal::OtherIdentity));
    assert_eq!(decide(&held(true, AccountStatus::Invited, false), &said(), policy), Err(Refusal::InvitationOpen));
}

#[test]
fn an_administrator_s_account_is_never_linked_by_its_address() {
    let mut facts = held(true, AccountStatus::Active, false);
    facts.email.as_mut().unwrap().worth = Worth::Nothing;
    for policy in [OnFirstSignIn::LinkVerifiedEmail, OnFirstSignIn::Create] {
        assert_eq!(decide(&facts, &said(), policy), Err(Refusal::EmailTaken));
    }
}

#[test]
fn an_invitation_binds_to_whoever_comes_back_unless_they_have_an_account() {
    let invited = Facts { invited: Some(BEN), ..Facts::default() };
    for policy in [OnFirstSignIn::InvitedOnly, OnFirstSignIn::Deny, OnFirstSignIn::Create] {
        assert_eq!(decide(&invited, &said(), policy), Ok(Plan::Accept(BEN)));
    }
    let both = Facts { invited: Some(BEN), ..known(ANNA) };
    assert_eq!(decide(&both, &said(), OnFirstSignIn::InvitedOnly), Err(Refusal::LinkedElsewhere));
}

#[test]
fn without_an_invitation_strict_policies_refuse() {
    let nobody = Facts::default();
    assert_eq!(decide(&nobody, &said(), OnFirstSignIn::InvitedOnly), Err(Refusal::NotInvited));
    assert_eq!(decide(&nobody, &said(), OnFirstSignIn::Deny), Err(Refusal::Unknown));
}

#[test]
fn an_account_is_made_of_what_is_usable() {
    let nobody = Facts::default();
    let policy = OnFirstSignIn::Create;
    let Ok(Plan::Create(new)) = decide(&nobody, &Attributes { username: None, name: None, ..said() }, policy) else {
        unreachable!("an address is enough");
    };
    assert_eq!((new.username.as_str(), new.name.as_str()), ("anna@example.org", "anna@example.org"));
    for (odd, refusal) in [
        (Attributes { email: None, ..said() }, Refusal::EmailMissing),
        (Attributes { email: Some("anna".into()), ..said() }, Refusal::EmailMissing),
        (Attributes { username: Some("me".into()), ..said() }, Refusal::UsernameMissing),
        (Attributes { username: Some("an\u{202e}na".into()), ..said() }, Refusal::UsernameMissing),
    ] {
        assert_eq!(decide(&nobody, &odd, policy), Err(refusal), "{odd:?}");
    }
}
