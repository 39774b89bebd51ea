//! `/invitation`: somebody invited comes, too late, twice, with bad names, or as a guest whose time is over.

use crate::support::{Browser, House, OTHER_PASSWORD, PASSWORD, invitee, link_of};
use http::StatusCode;
use std::sync::Arc;
use std::time::Duration;
use vestibule::domain::account::{AccountStatus, DisplayName, Username};
use vestibule::domain::time::{Timestamp, days};
use vestibule::service::account::AccountError;
use vestibule::service::caller::Operator;
use vestibule::service::invitation::{InvitationError, Invitations, Invitee};

const PAGE: &str = "/invitation";
const REFUSED: StatusCode = StatusCode::UNPROCESSABLE_ENTITY;

fn with_names(email: &str, username: &str) -> Invitee {
    let name = Some(DisplayName::parse("Given Name").expect("a name"));
    Invitee { username: Some(Username::parse(username).expect("a username")), name, ..invitee(email) }
}

fn invitations(house: &House) -> Invitations {
    Invitations::new(Arc::clone(&house.app.core))
}

async fn invite(house: &House, invitee: Invitee) -> Result<String, InvitationError> {
    invitations(house).invite(&house.operator(), Operator::vouched(), invitee).await
}

/// Invites `anna@example.org` and reads the link out of the letter.
async fn invited(house: &House) -> String {
    assert_eq!(invite(house, invitee("anna@example.org")).await.expect("invited"), "anna");
    house.letters().await[0].link()
}

async fn accepts(browser: &mut Browser, link: &str, username: &str, password: &str) -> crate::support::Answer {
    let fields = [("username", username), ("name", "Anna Example"), ("new_password", password), ("repeat", password)];
    browser.submit(link, PAGE, &fields).await
}

async fn newest_link(house: &House, but: &[&str]) -> String {
    let letters = house.letters().await;
    letters.iter().map(link_of).find(|link| !but.contains(&link.as_str())).expect("another letter")
}

#[tokio::test]
async fn an_invitation_is_accepted_once() {
    let house = House::open().await;
    house.groups().create(&house.operator(), Operator::vouched(), "staff").await.expect("a group");
    let invitee = Invitee { groups: vec!["Staff".to_owned()], ..invitee("anna@example.org") };
    invite(&house, invitee).await.expect("invited");
    let letters = house.letters().await;
    assert_eq!(letters.len(), 1);
    assert!(letters[0].to.contains("anna@example.org"));
    assert!(letters[0].text.contains("7 days"), "{}", letters[0].text);
    let link = letters[0].link();
    let mut browser = house.browser();
    let page = browser.get(&link).await;
    assert_eq!(page.status, StatusCode::OK);
    assert!(page.body.contains("value=\"anna\""), "what is before the @ is suggested");
    let answer = accepts(&mut browser, &link, "annika", PASSWORD).await;
    assert_eq!(answer.location(), "/login");
    assert!(answer.sets("_vestibule_session").is_none(), "a link signs nobody in");
    let account = house.named("annika").await;
    assert_eq!((account.status, account.name.as_str()), (AccountStatus::Active, "Anna Example"));
    assert!(house.browser().signs_in("annika", PASSWORD).await.sets("_vestibule_session").is_some());
    assert_eq!(browser.get(&link).await.status, StatusCode::NOT_FOUND, "the link works once");
    assert_eq!(house.letters().await.len(), 1, "and a used one brings no other");
    let card = house.app.core.cards.card(account.id).await.expect("a store").expect("a card");
    assert_eq!(card.groups, ["staff"]);
    for act in ["account.invited", "account.invitation_accepted", "group.member_added", "password.set"] {
        assert_eq!(house.count_acts(act).await, 1, "{act}");
    }
}

#[tokio::test]
async fn of_two_at_once_one_gets_it() {
    let house = House::open().await;
    let link = invited(&house).await;
    let (mut one, mut other) = (house.browser(), house.browser());
    let (first, second) =
        tokio::join!(accepts(&mut one, &link, "anna", PASSWORD), accepts(&mut other, &link, "berta", OTHER_PASSWORD));
    let mut statuses = [first.status, second.status];
    statuses.sort();
    assert_eq!(statuses, [StatusCode::SEE_OTHER, StatusCode::NOT_FOUND]);
    assert_eq!(house.count_acts("account.invitation_accepted").await, 1);
    let (name, password) =
        if first.status == StatusCode::SEE_OTHER { ("anna", PASSWORD) } else { ("berta", OTHER_PASSWORD) };
    assert!(house.browser().signs_in(name, password).await.sets("_vestibule_session").is_some());
}

#[tokio::test]
async fn a_link_that_is_too_old_brings_one_new_letter_and_tells_nothing() {
    let house = House::open().await;
    let link = invited(&house).await;
    house.after(days(7));
    house.housekeeping.sweep(&house.operator()).await.expect("swept");
    let mut browser = house.browser();
    let told = browser.get(&link).await;
    assert_eq!(told.status, StatusCode::NOT_FOUND);
    let again = browser.get(&link).await;
    let unknown = browser.get("/invitation?token=nobodys").await;
    assert_eq!((told.status, &told.body), (again.status, &again.body));
    assert_eq!((told.status, &told.body), (unknown.status, &unknown.body), "the page is the same for everything");
    let fresh = newest_link(&house, &[&link]).await;
    assert_eq!(house.letters().await.len(), 2, "one for each old link");
    assert_eq!(house.count_acts("account.invitation_repeated").await, 1);
    assert_eq!(accepts(&mut browser, &fresh, "anna", PASSWORD).await.location(), "/login");
}

#[tokio::test]
async fn an_old_link_sent_in_a_form_brings_a_letter_and_changes_nothing() {
    let house = House::open().await;
    let link = invited(&house).await;
    let mut browser = house.browser();
    let page = browser.get(&link).await;
    let (csrf, token) = (page.hidden("csrf").expect("a form"), page.hidden("token").expect("a token"));
    house.after(days(7));
    let fields = [
        ("csrf", csrf.as_str()),
        ("token", token.as_str()),
        ("username", "anna"),
        ("name", "Anna"),
        ("new_password", PASSWORD),
        ("repeat", PASSWORD),
    ];
    assert_eq!(browser.post(PAGE, &fields).await.status, StatusCode::NOT_FOUND);
    assert_eq!(house.named("anna").await.status, AccountStatus::Invited);
    assert_eq!(house.letters().await.len(), 2);
}

#[tokio::test]
async fn another_letter_voids_the_link_before() {
    let house = House::open().await;
    let link = invited(&house).await;
    let anna = house.named("anna").await;
    invitations(&house).repeat(&house.operator(), Operator::vouched(), &anna).await.expect("ordered");
    let fresh = newest_link(&house, &[&link]).await;
    let mut browser = house.browser();
    assert_eq!(browser.get(&link).await.status, StatusCode::NOT_FOUND);
    assert_eq!(accepts(&mut browser, &fresh, "anna", PASSWORD).await.location(), "/login");
    let repeated = invitations(&house).repeat(&house.operator(), Operator::vouched(), &anna).await;
    assert!(matches!(repeated, Err(InvitationError::NotInvited(_))));
    assert_eq!(house.letters().await.len(), 2, "nobody is invited twice");
}

#[tokio::test]
async fn bad_names_and_passwords_keep_the_link() {
    let house = House::open().await;
    house.account("berta").await;
    let link = invited(&house).await;
    let mut browser = house.browser();
    for (username, password) in
        [("berta", PASSWORD), ("BERTA@example.org", PASSWORD), ("an/na", PASSWORD), ("", PASSWORD), ("anna", "short")]
    {
        let answer = accepts(&mut browser, &link, username, password).await;
        assert_eq!(answer.status, REFUSED, "{username} {password}");
        assert!(answer.body.contains("aria-invalid"), "{username} {password}");
    }
    let fields = [("username", "anna"), ("name", ""), ("new_password", PASSWORD), ("repeat", PASSWORD)];
    assert_eq!(browser.submit(&link, PAGE, &fields).await.status, REFUSED, "a name is needed");
    let fields = [("username", "anna"), ("name", "Anna"), ("new_password", PASSWORD), ("repeat", OTHER_PASSWORD)];
    assert_eq!(browser.submit(&link, PAGE, &fields).await.status, REFUSED);
    assert_eq!(house.named("anna").await.status, AccountStatus::Invited);
    assert_eq!(
        accepts(&mut browser, &link, "anna@example.org", PASSWORD).await.location(),
        "/login",
        "one's own address"
    );
}

#[tokio::test]
async fn what_the_inviter_fixed_stays() {
    let house = House::open().await;
    invite(&house, with_names("anna@example.org", "a.berger")).await.expect("invited");
    let link = house.letters().await[0].link();
    let mut browser = house.browser();
    let page = browser.get(&link).await.body;
    assert!(page.contains("a.berger") && !page.contains("id=\"name\""), "{page}");
    assert_eq!(accepts(&mut browser, &link, "root", PASSWORD).await.location(), "/login");
    let account = house.named("anna@example.org").await;
    assert_eq!((account.username.as_str(), account.name.as_str()), ("a.berger", "Given Name"));
}

#[tokio::test]
async fn whoever_has_not_accepted_cannot_sign_in_or_recover() {
    let house = House::open().await;
    invited(&house).await;
    let anna = house.named("anna").await;
    house.set_password(&anna, PASSWORD, false).await;
    let before = house.letters().await.len();
    let answer = house.browser().signs_in("anna", PASSWORD).await;
    let wrong = house.browser().signs_in("anna", OTHER_PASSWORD).await;
    assert_eq!((answer.status, wrong.status), (REFUSED, REFUSED));
    assert!(answer.sets("_vestibule_session").is_none());
    let mut browser = house.browser();
    browser.submit("/login/lost-password", "/login/lost-password", &[("username", "anna")]).await;
    assert_eq!(house.letters().await.len(), before, "no letter");
    assert_eq!(house.count_acts("password.recovery_requested").await, 0);
}

#[tokio::test]
async fn locking_voids_an_invitation_and_unlocking_does_not_accept_it() {
    let house = House::open().await;
    let link = invited(&house).await;
    let anna = house.named("anna").await;
    house.accounts().lock(&house.operator(), Operator::vouched(), anna.id).await.expect("locked");
    let mut browser = house.browser();
    assert_eq!(browser.get(&link).await.status, StatusCode::NOT_FOUND);
    let repeated = invitations(&house).repeat(&house.operator(), Operator::vouched(), &anna).await;
    assert!(matches!(repeated, Err(InvitationError::NotInvited(_))));
    let status = house.accounts().unlock(&house.operator(), Operator::vouched(), anna.id).await.expect("unlocked");
    assert_eq!(status, AccountStatus::Invited);
    assert_eq!(browser.get(&link).await.status, StatusCode::NOT_FOUND, "the old link stays void");
    invitations(&house).repeat(&house.operator(), Operator::vouched(), &anna).await.expect("ordered");
    let fresh = newest_link(&house, &[&link]).await;
    assert_eq!(accepts(&mut browser, &fresh, "anna", PASSWORD).await.location(), "/login");
}

#[tokio::test]
async fn names_that_are_taken_are_not_given_away() {
    let house = House::open().await;
    house.account("anna").await;
    let taken = invite(&house, invitee("ANNA@example.org")).await;
    assert!(matches!(taken, Err(InvitationError::Account(_))), "{taken:?}");
    assert_eq!(invite(&house, invitee("anna@elsewhere.example")).await.expect("invited"), "anna-2");
    assert_eq!(invite(&house, invitee("me@elsewhere.example")).await.expect("invited"), "guest");
    let fixed = invite(&house, with_names("other@example.org", "Anna")).await;
    assert!(matches!(fixed, Err(InvitationError::Account(_))), "{fixed:?}");
    let lost = Invitee { groups: vec!["nowhere".to_owned()], ..invitee("carla@example.org") };
    assert!(matches!(invite(&house, lost).await, Err(InvitationError::Group(_))));
    assert_eq!(house.count_acts("account.invited").await, 2, "nothing was made of what failed");
    assert_eq!(house.letters().await.len(), 2);
}

#[tokio::test]
async fn a_guest_is_out_when_the_time_is_over() {
    let house = House::with("[autologin]\ndays = 30\n").await;
    let now = house.operator().now();
    let past = Invitee { ends_at: Some(now), ..invitee("late@example.org") };
    assert!(matches!(invite(&house, past).await, Err(InvitationError::Past)));
    let guest = Invitee { ends_at: Some(now.after(Duration::from_mins(20))), ..invitee("anna@example.org") };
    invite(&house, guest).await.expect("invited");
    let link = house.letters().await[0].link();
    let mut browser = house.browser();
    accepts(&mut browser, &link, "anna", PASSWORD).await;
    browser.signs_in_and_stays("anna", PASSWORD).await;
    house.after(Duration::from_mins(20).checked_sub(Duration::from_millis(1)).expect("a time"));
    assert!(browser.is_signed_in().await, "to the last moment");
    house.after(Duration::from_millis(1));
    assert!(!browser.clone().is_signed_in().await, "before anything was swept");
    let mut remembered = browser.restarted();
    remembered.get("/login").await;
    assert!(!remembered.is_signed_in().await, "stay logged in ends as well");
    assert_eq!(house.browser().signs_in("anna", PASSWORD).await.status, REFUSED);
    let mut asking = house.browser();
    asking.submit("/login/lost-password", "/login/lost-password", &[("username", "anna")]).await;
    assert_eq!(house.letters().await.len(), 1, "no recovery either");
    for _ in 0..2 {
        house.housekeeping.sweep(&house.operator()).await.expect("swept");
    }
    assert_eq!(house.count_acts("account.ended").await, 1, "swept once");
    let anna = house.named("anna").await;
    assert_eq!(anna.status, AccountStatus::Active, "nothing is deleted or locked");
    assert!(anna.sessions_valid_from > Timestamp::from_millis(0));
    assert!(house.app.core.volatile.sessions_of(anna.id, now).await.expect("a store").is_empty());
}

#[tokio::test]
async fn an_invitation_of_a_guest_whose_time_is_over_is_void() {
    let house = House::open().await;
    let ends_at = Some(house.operator().now().after(Duration::from_hours(2)));
    invite(&house, Invitee { ends_at, ..invitee("anna@example.org") }).await.expect("invited");
    let link = house.letters().await[0].link();
    house.after(days(8));
    assert_eq!(house.browser().get(&link).await.status, StatusCode::NOT_FOUND);
    assert_eq!(house.letters().await.len(), 1, "and brings no letter");
}

#[tokio::test]
async fn guessing_at_links_is_throttled() {
    let house = House::with("[throttle]\naddress_failures = 2\n").await;
    let link = invited(&house).await;
    let mut guessing = house.browser_at("203.0.113.5:1");
    let csrf = guessing.get(&link).await.hidden("csrf").expect("a form");
    let mut statuses = Vec::new();
    for _ in 0..3 {
        let fields = [
            ("csrf", csrf.as_str()),
            ("token", "nobodys"),
            ("username", "anna"),
            ("name", "Anna"),
            ("new_password", PASSWORD),
            ("repeat", PASSWORD),
        ];
        statuses.push(guessing.post(PAGE, &fields).await.status);
    }
    assert_eq!(statuses.last(), Some(&StatusCode::TOO_MANY_REQUESTS), "{statuses:?}");
    assert_eq!(accepts(&mut house.browser(), &link, "anna", PASSWORD).await.location(), "/login", "others go on");
}

#[tokio::test]
async fn a_form_without_its_token_changes_nothing() {
    let house = House::open().await;
    let link = invited(&house).await;
    let token = link.split("token=").nth(1).expect("a token");
    let fields = [("token", token), ("username", "anna"), ("new_password", PASSWORD), ("repeat", PASSWORD)];
    let answer = house.browser().post(PAGE, &fields).await;
    assert!(answer.status.is_client_error(), "{}", answer.status);
    assert_eq!(house.named("anna").await.status, AccountStatus::Invited);
}

#[tokio::test]
async fn the_letter_speaks_the_language_it_was_ordered_in() {
    let house = House::with("[registration]\ninvitation_days = 1\n").await;
    let language = vestibule::domain::language::Language::parse("de");
    invite(&house, Invitee { language, ..invitee("anna@example.org") }).await.expect("invited");
    let letters = house.letters().await;
    assert!(letters[0].text.contains("eines Tages"), "{}", letters[0].text);
    house.after(days(1));
    assert_eq!(house.browser().get(&letters[0].link()).await.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn the_end_of_a_guest_is_moved_and_taken_away() {
    let house = House::open().await;
    let (accounts, by) = (house.accounts(), Operator::vouched());
    let anna = house.account("anna").await;
    let mut browser = house.browser();
    browser.signs_in_and_stays("anna", PASSWORD).await;
    let soon = house.operator().now().after(Duration::from_mins(20));
    accounts.set_end(&house.operator(), by, &anna, Some(soon)).await.expect("set");
    assert!(browser.is_signed_in().await, "not yet");
    house.after(Duration::from_mins(20));
    assert!(!browser.is_signed_in().await, "at once, before any sweep");
    assert!(house.browser().signs_in("anna", PASSWORD).await.sets("_vestibule_session").is_none());
    // A day that has passed ends nothing by itself: that is what locking is for.
    let past = accounts.set_end(&house.operator(), by, &anna, Some(soon)).await;
    assert!(matches!(past, Err(AccountError::Past)), "{past:?}");
    assert_eq!(house.named("anna").await.ends_at, Some(soon));
    accounts.set_end(&house.operator(), by, &anna, None).await.expect("set");
    assert_eq!(house.named("anna").await.ends_at, None);
    assert!(!browser.is_signed_in().await, "what ended does not come back");
    assert!(house.browser().signs_in("anna", PASSWORD).await.sets("_vestibule_session").is_some());
    assert_eq!(house.count_acts("account.end_set").await, 2);
    let root = house.account_with("root", Some(PASSWORD), true).await;
    let later = Some(house.operator().now().after(days(3)));
    let refused = accounts.set_end(&house.operator(), by, &root, later).await;
    assert!(matches!(refused, Err(AccountError::EndOfAdministrator(_))), "{refused:?}");
    assert_eq!(house.count_acts("account.end_set").await, 2);
}

#[tokio::test]
async fn guests_are_told_when_their_account_ends() {
    let house = House::open().await;
    let end = vestibule::service::moment::end_of_day("2026-12-31");
    invite(&house, Invitee { ends_at: end, ..invitee("anna@example.org") }).await.expect("invited");
    invite(&house, invitee("ben@example.org")).await.expect("invited");
    let letters = house.letters().await;
    let to = |name: &str| letters.iter().find(|letter| letter.to.contains(name)).expect("a letter");
    let said = "31 Dec 2026, 23:59 UTC";
    assert!(to("anna@").text.contains(said) && !to("ben@").text.contains("until"), "{}", to("anna@").text);
    let mut browser = house.browser();
    let link = to("anna@").link();
    assert!(browser.get(&link).await.body.contains(said));
    accepts(&mut browser, &link, "anna", PASSWORD).await;
    browser.signs_in("anna", PASSWORD).await;
    let other = browser.get(&to("ben@").link()).await.body;
    assert!(other.contains("You are signed in as Anna Example"), "whose session it is: {other}");
    let page = browser.get("/account").await.body;
    assert!(page.contains("Your account ends") && page.contains(said), "{page}");
    let link = to("ben@").link();
    let mut browser = house.browser();
    let page = browser.get(&link).await.body;
    assert!(!page.contains("The account is there until") && !page.contains("You are signed in"), "{page}");
    accepts(&mut browser, &link, "ben", PASSWORD).await;
    browser.signs_in("ben", PASSWORD).await;
    assert!(!browser.get("/account").await.body.contains("Your account ends"));
}
