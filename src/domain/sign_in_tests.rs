//! The machine, walked through: what is owed when, and in which order.

use super::*;
use uuid::Uuid;

const START: Timestamp = Timestamp::from_millis(1_000);

fn attempt(way: Way) -> Attempt {
    let account = AccountId::new(Uuid::nil());
    let identity = VerifiedIdentity {
        way,
        account,
        methods: Methods::PASSWORD,
        authenticated_at: START,
        remembered: None,
        voucher: None,
    };
    let expires_at = START.after(ATTEMPT_LIFETIME);
    Attempt {
        id: AttemptId::new(Uuid::nil()),
        identity,
        return_to: None,
        stay: false,
        replaces: None,
        demand: Demand::default(),
        device: None,
        keep_device: false,
        done: vec![],
        expires_at,
    }
}

fn facts() -> Facts {
    let valid_from = Timestamp::from_millis(0);
    let status = AccountStatus::Active;
    Facts { status, ends_at: None, valid_from, password: None, enrolled: false, factor_required: false }
}

#[test]
fn nothing_owed_opens() {
    assert_eq!(attempt(Way::Password).next(&facts(), START), Next::Open);
    assert_eq!(attempt(Way::Autologin).next(&facts(), START), Next::Open);
}

#[test]
fn a_due_password_is_asked_for_until_changed() {
    let due = Facts { password: Some(PasswordDue::Expired), ..facts() };
    let mut one = attempt(Way::Password);
    assert_eq!(one.next(&due, START), Next::Step(Step::NewPassword));
    assert_eq!(one.complete(Step::NewPassword, &due, START), Ok(()));
    assert_eq!(one.next(&due, START), Next::Open);
    assert_eq!(one.complete(Step::NewPassword, &due, START), Err(Next::Open), "a step is done once");
}

#[test]
fn a_step_that_is_not_due_cannot_be_done() {
    let mut one = attempt(Way::Password);
    assert_eq!(one.complete(Step::NewPassword, &facts(), START), Err(Next::Open));
    assert!(one.done.is_empty());
}

#[test]
fn a_remembered_browser_cannot_change_the_password() {
    let due = Facts { password: Some(PasswordDue::Demanded), ..facts() };
    let mut one = attempt(Way::Autologin);
    assert_eq!(one.next(&due, START), Next::Denied(Denied::FreshProofNeeded));
    assert!(one.complete(Step::NewPassword, &due, START).is_err());
}

#[test]
fn whoever_comes_from_elsewhere_is_not_asked_for_a_password_of_ours() {
    let due = Facts { password: Some(PasswordDue::Demanded), ..facts() };
    assert_eq!(attempt(Way::Provider).next(&due, START), Next::Open);
    assert_eq!(attempt(Way::Directory).next(&due, START), Next::Open);
    let locked = Facts { status: AccountStatus::Locked, ..facts() };
    assert_eq!(attempt(Way::Provider).next(&locked, START), Next::Denied(Denied::Locked));
}

#[test]
fn only_an_active_account_in_its_time_gets_in() {
    for (status, denied) in [
        (AccountStatus::Locked, Denied::Locked),
        (AccountStatus::Invited, Denied::Waiting),
        (AccountStatus::Registered, Denied::Waiting),
    ] {
        let facts = Facts { status, ..facts() };
        assert_eq!(attempt(Way::Password).next(&facts, START), Next::Denied(denied), "{status:?}");
    }
    let guest = Facts { ends_at: Some(START.after(Duration::from_secs(1))), ..facts() };
    assert_eq!(attempt(Way::Password).next(&guest, START), Next::Open);
    let later = START.after(Duration::from_secs(1));
    assert_eq!(attempt(Way::Password).next(&guest, later), Next::Denied(Denied::Ended));
}

#[test]
fn denials_come_before_steps() {
    let locked = Facts { status: AccountStatus::Locked, password: Some(PasswordDue::Demanded), ..facts() };
    assert_eq!(attempt(Way::Password).next(&locked, START), Next::Denied(Denied::Locked));
    let one = attempt(Way::Password);
    assert_eq!(one.next(&facts(), one.expires_at), Next::Denied(Denied::Outdated));
    let ended = Facts { valid_from: START.after(Duration::from_secs(1)), ..facts() };
    assert_eq!(one.next(&ended, START.after(Duration::from_secs(2))), Next::Denied(Denied::Outdated));
}

fn proved(mut one: Attempt, methods: Methods) -> Attempt {
    one.identity.methods = one.identity.methods.and(methods).and(Methods::MULTI_FACTOR);
    one
}

#[test]
fn whoever_has_a_second_factor_is_asked_for_it() {
    let facts = Facts { enrolled: true, ..facts() };
    for way in [Way::Password, Way::Autologin, Way::StepUp] {
        let mut one = attempt(way);
        assert_eq!(one.next(&facts, START), Next::Step(Step::SecondFactor), "{way:?}");
        assert_eq!(one.complete(Step::NewPassword, &facts, START), Err(Next::Step(Step::SecondFactor)));
        assert_eq!(one.complete(Step::SecondFactor, &facts, START), Ok(()));
        assert_eq!(proved(one, Methods::CODE).next(&facts, START), Next::Open);
    }
    let vouched = proved(attempt(Way::Passkey), Methods::KEY);
    assert_eq!(vouched.next(&facts, START), Next::Open, "a passkey that verified its user is two factors");
}

#[test]
fn a_required_factor_is_bound_before_the_session_opens() {
    let facts = Facts { factor_required: true, ..facts() };
    assert_eq!(attempt(Way::Password).next(&facts, START), Next::Step(Step::EnrolFactor));
    assert_eq!(attempt(Way::Autologin).next(&facts, START), Next::Denied(Denied::FreshProofNeeded));
    assert_eq!(proved(attempt(Way::Password), Methods::default()).next(&facts, START), Next::Open);
    let free = Facts { factor_required: false, ..facts };
    let asked = Attempt { demand: Demand { factor: true, fresh: true }, ..attempt(Way::Password) };
    assert_eq!(asked.next(&free, START), Next::Step(Step::EnrolFactor), "an application asks for it");
}

#[test]
fn steps_come_in_their_order() {
    let due = Facts { password: Some(PasswordDue::Demanded), factor_required: true, ..facts() };
    let mut one = attempt(Way::Password);
    assert_eq!(one.next(&due, START), Next::Step(Step::NewPassword));
    assert_eq!(one.complete(Step::EnrolFactor, &due, START), Err(Next::Step(Step::NewPassword)));
    one.complete(Step::NewPassword, &due, START).unwrap();
    assert_eq!(one.next(&due, START), Next::Step(Step::EnrolFactor));
    let mut other = attempt(Way::Password);
    let due = Facts { enrolled: true, ..due };
    assert_eq!(other.next(&due, START), Next::Step(Step::SecondFactor), "before the password may be changed");
    other.complete(Step::SecondFactor, &due, START).unwrap();
    assert_eq!(other.next(&due, START), Next::Step(Step::NewPassword));
}

#[test]
fn a_remembered_device_spares_the_factor_unless_it_must_be_fresh() {
    let facts = Facts { enrolled: true, factor_required: true, ..facts() };
    let device = Some(Device { id: RememberedId::new(Uuid::nil()), token: [1; 32] });
    let known = Attempt { device, ..attempt(Way::Password) };
    assert_eq!(known.next(&facts, START), Next::Open);
    let asked = Attempt { demand: Demand { factor: true, fresh: true }, ..known.clone() };
    assert_eq!(asked.next(&facts, START), Next::Step(Step::SecondFactor));
    let bare = Facts { enrolled: false, ..facts };
    assert_eq!(known.next(&bare, START), Next::Step(Step::EnrolFactor), "it stands in for no factor at all");
}

#[test]
fn a_remembered_browser_proves_no_factor_only_to_change_the_password() {
    let due = Facts { enrolled: true, password: Some(PasswordDue::Expired), ..facts() };
    assert_eq!(attempt(Way::Autologin).next(&due, START), Next::Denied(Denied::FreshProofNeeded));
}
