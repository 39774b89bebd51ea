//! Whose account it is that a provider vouches for: through the service, over real stores.

use crate::support::{House, PASSWORD, invitee, link_of};
use std::sync::Arc;
use vestibule::domain::account::{Account, AccountStatus};
use vestibule::domain::identity::{Attributes, Source, Upstream, Vouched};
use vestibule::domain::resolve::Refusal;
use vestibule::domain::session::Methods;
use vestibule::service::caller::Operator;
use vestibule::service::context::Context;
use vestibule::service::sign_in::{Opened, Outcome, SignIn, SignInError, Wishes};
use vestibule::store::{account, group, vouched_session};

fn provider(more: &str) -> String {
    format!(
        "[[identity_provider]]\nslug = \"corp\"\nkind = \"oidc\"\nissuer = \"https://idp.example.org\"\n\
         client_id = \"vestibule\"\nclient_secret = \"secret-of-the-test\"\n{more}\n"
    )
}

fn anna() -> Vouched {
    Vouched {
        source: Source::provider("corp"),
        issuer: "https://idp.example.org".into(),
        subject: "subject-of-anna".into(),
        attributes: Attributes {
            username: Some("anna".into()),
            email: Some("anna@example.org".into()),
            email_verified: true,
            name: Some("Anna Berg".into()),
            language: Some("de-DE".into()),
        },
        groups: None,
        administrator: None,
        methods: Methods::FEDERATED,
        authenticated_at: vestibule::domain::time::Timestamp::from_millis(1_795_284_300_000),
        upstream: Some(Upstream {
            session: Some("sid-1".into()),
            id_token: Some("e.y.j".into()),
            ..Upstream::default()
        }),
    }
}

fn stranger(house: &House) -> Context {
    house.operator().acting_as(vestibule::domain::audit::Actor::Stranger)
}

async fn enter(house: &House, who: Vouched) -> Result<Box<Opened>, SignInError> {
    enter_with(house, who, Wishes::default()).await
}

async fn enter_with(house: &House, who: Vouched, wishes: Wishes) -> Result<Box<Opened>, SignInError> {
    match SignIn::new(Arc::clone(&house.app.core)).enter(&stranger(house), who, wishes).await? {
        Outcome::Open(opened) => Ok(opened),
        Outcome::Owes(..) => panic!("a step is owed"),
    }
}

async fn refusal(house: &House, who: Vouched) -> Refusal {
    match enter(house, who).await {
        Err(SignInError::Unresolved(refusal)) => refusal,
        other => panic!("{other:?}"),
    }
}

async fn groups(house: &House, of: &Account) -> Vec<String> {
    let mut link = house.app.core.database.read().await.expect("a database");
    group::names_of(&mut link, of.id).await.expect("groups")
}

async fn verified(house: &House, of: &Account) -> bool {
    let mut link = house.app.core.database.read().await.expect("a database");
    account::email_is_verified(&mut link, of.id).await.expect("an answer")
}

#[tokio::test]
async fn a_newcomer_gets_an_account_and_comes_back_to_it() {
    let house = House::with(&provider("")).await;
    let opened = enter(&house, anna()).await.expect("a session");
    let account = house.named("anna").await;
    assert_eq!((opened.account, account.name.as_str()), (account.id, "Anna Berg"));
    assert!(!account.administrator && account.status == AccountStatus::Active);
    assert!(account.language.is_some() && verified(&house, &account).await);
    assert_eq!(enter(&house, anna()).await.expect("a session").account, account.id);
    assert_eq!(house.count_acts("account.created").await, 1);
    assert_eq!(house.count_acts("identity.linked").await, 1);
    assert_eq!(house.count_acts("sign_in.succeeded").await, 2);
    assert_eq!(house.count_acts("identity.refreshed").await, 0, "nothing had changed");
}

#[tokio::test]
async fn the_session_knows_who_vouched_and_how_to_sign_out_there() {
    let house = House::with(&provider("")).await;
    let opened = enter(&house, anna()).await.expect("a session");
    let volatile = &house.app.core.volatile;
    let sessions = volatile.sessions_of(opened.account, house.operator().now()).await.expect("sessions");
    assert_eq!(sessions[0].source, Some(Source::provider("corp")));
    assert_eq!(sessions[0].methods, Methods::FEDERATED);
    let mut link = house.app.core.database.read().await.expect("a database");
    let kept = vouched_session::of_session(&mut link, sessions[0].id).await.expect("a row").expect("one");
    assert_eq!(kept.upstream.as_deref(), Some("sid-1"));
    let sealed = kept.sealed.expect("sealed");
    assert!(!sealed.windows(5).any(|bytes| bytes == b"e.y.j"), "the ID token lies there in clear");
    let upstream = vestibule::service::sign_in::enter::opened(&house.app.core, &sealed).expect("opens");
    assert_eq!(upstream.id_token.as_deref(), Some("e.y.j"));
}

#[tokio::test]
async fn an_equal_name_or_address_gives_nothing_away() {
    let house = House::with(&provider("")).await;
    let owner = house.account("anna").await;
    assert_eq!(refusal(&house, anna()).await, Refusal::EmailTaken);
    let mut other = anna();
    other.attributes.email = Some("eve@example.org".into());
    assert_eq!(refusal(&house, other.clone()).await, Refusal::UsernameTaken);
    other.attributes.username = Some("аnnа".replace('а', "a") + "");
    assert_eq!(refusal(&house, other.clone()).await, Refusal::UsernameTaken);
    other.attributes.username = Some("anna@example.org".into());
    assert_eq!(refusal(&house, other).await, Refusal::UsernameTaken, "a username that is somebody's address");
    let now = house.operator().now();
    assert!(house.app.core.volatile.sessions_of(owner.id, now).await.expect("sessions").is_empty());
    assert_eq!(house.count_acts("identity.linked").await, 0);
    assert_eq!(house.count_acts("sign_in.failed").await, 4);
}

#[tokio::test]
async fn a_verified_address_asks_whoever_can_enter_the_account() {
    let house = House::with(&provider("on_first_sign_in = \"link_verified_email\"")).await;
    let owner = house.account("anna").await;
    let mut unverified = anna();
    unverified.attributes.email_verified = false;
    assert_eq!(refusal(&house, unverified).await, Refusal::EmailTaken);
    let asked = enter(&house, anna()).await;
    assert!(matches!(asked, Err(SignInError::LinkFirst(_))), "{asked:?}");
    let now = house.operator().now();
    assert!(house.app.core.volatile.sessions_of(owner.id, now).await.expect("sessions").is_empty());
    assert_eq!(house.count_acts("identity.linked").await, 0);
}

#[tokio::test]
async fn a_verified_address_links_where_nobody_could_be_asked() {
    let rules = "[password]\nlogin = \"none\"\ninternal = [\"ben\"]\n";
    let house = House::with(&format!("{rules}{}", provider("on_first_sign_in = \"link_verified_email\""))).await;
    let owner = house.account("anna").await;
    for keeps in ["ben", "root"] {
        house.account_with(keeps, Some(PASSWORD), keeps == "root").await;
        let mut thief = anna();
        (thief.subject, thief.attributes.email) = (format!("thief-of-{keeps}"), Some(format!("{keeps}@example.org")));
        match enter(&house, thief).await {
            Err(SignInError::LinkFirst(_)) if keeps == "ben" => {}
            Err(SignInError::Unresolved(Refusal::EmailTaken)) if keeps == "root" => {}
            other => panic!("{keeps}: {other:?}"),
        }
    }
    let mut named = anna();
    named.attributes.name = Some("Somebody Else".into());
    assert_eq!(enter(&house, named).await.expect("a session").account, owner.id);
    assert_eq!(house.named("anna").await.name, owner.name, "an identity that was linked later leads nothing");
    let letter = house.letters().await.pop().expect("a letter");
    assert!(letter.text.contains("was added to your account"), "{}", letter.text);
    let mut second = anna();
    second.subject = "another".into();
    assert_eq!(refusal(&house, second).await, Refusal::OtherIdentity);
}

#[tokio::test]
async fn strict_providers_make_no_accounts() {
    for (policy, expected) in [("deny", Refusal::Unknown), ("invited_only", Refusal::NotInvited)] {
        let house = House::with(&provider(&format!("on_first_sign_in = \"{policy}\""))).await;
        assert_eq!(refusal(&house, anna()).await, expected);
        assert_eq!(house.count_acts("account.created").await, 0);
    }
}

#[tokio::test]
async fn a_provider_that_is_switched_off_lets_nobody_in() {
    let house = House::with(&provider("enabled = false")).await;
    assert_eq!(refusal(&house, anna()).await, Refusal::SourceOff);
}

#[tokio::test]
async fn an_invitation_binds_to_whoever_comes_back_once() {
    let house = House::with(&provider("on_first_sign_in = \"invited_only\"")).await;
    house.invites(invitee("a.berg@example.org")).await;
    let link = link_of(&house.letters().await[0]);
    let token = link.rsplit_once("token=").expect("a token").1.to_owned();
    let wishes = Wishes { invitation: Some(token), ..Wishes::default() };
    let mut guessed = wishes.clone();
    guessed.invitation = Some("guessed".into());
    let wrong = enter_with(&house, anna(), guessed).await;
    assert!(matches!(wrong, Err(SignInError::Unresolved(Refusal::InvitationGone))), "{wrong:?}");
    let opened = enter_with(&house, anna(), wishes.clone()).await.expect("a session");
    let account = house.named("anna").await;
    assert_eq!((opened.account, account.status), (account.id, AccountStatus::Active));
    assert_eq!((account.email.as_str(), account.name.as_str()), ("anna@example.org", "Anna Berg"));
    let mut eve = anna();
    eve.subject = "subject-of-eve".into();
    let again = enter_with(&house, eve, wishes).await;
    assert!(matches!(again, Err(SignInError::Unresolved(Refusal::InvitationGone))), "{again:?}");
    assert_eq!(house.count_acts("account.invitation_accepted").await, 1);
}

#[tokio::test]
async fn names_and_address_follow_the_provider_that_made_the_account() {
    let house = House::with(&provider("")).await;
    enter(&house, anna()).await.expect("a session");
    let taken = house.account("ben").await;
    let mut moved = anna();
    moved.attributes.name = Some("Anna Dahl".into());
    moved.attributes.username = Some("ben".into());
    moved.attributes.email = Some("anna.dahl@example.org".into());
    moved.attributes.language = None;
    enter(&house, moved.clone()).await.expect("a session");
    let account = house.named("anna").await;
    assert_eq!((account.name.as_str(), account.email.as_str()), ("Anna Dahl", "anna.dahl@example.org"));
    assert_eq!(house.named("ben").await.id, taken.id, "a name that somebody has stays theirs");
    moved.attributes = Attributes::default();
    enter(&house, moved.clone()).await.expect("a session");
    assert_eq!(house.named("anna").await.name, "Anna Dahl", "blanks do not overwrite");
    moved.attributes.email = Some("eve@example.org".into());
    enter(&house, moved).await.expect("a session");
    assert_eq!(house.named("anna").await.email, "anna.dahl@example.org", "an unverified address replaces none");
}

#[tokio::test]
async fn groups_follow_the_claims_and_never_touch_others() {
    let more = "[identity_provider.groups]\nfrom = \"groups\"\nmode = \"exclusive\"";
    let house = House::with(&provider(more)).await;
    let mut who = anna();
    who.groups = Some(vec!["staff".into(), "Editors".into(), "a,b".into()]);
    enter(&house, who.clone()).await.expect("a session");
    let account = house.named("anna").await;
    assert_eq!(groups(&house, &account).await, ["Editors", "staff"]);
    house.groups().create(&house.operator(), Operator::vouched(), "manual").await.expect("a group");
    house.groups().add(&house.operator(), Operator::vouched(), "manual", &account).await.expect("a member");
    house.groups().add(&house.operator(), Operator::vouched(), "staff", &account).await.expect("a member");
    who.groups = Some(vec!["editors".into()]);
    enter(&house, who.clone()).await.expect("a session");
    assert_eq!(groups(&house, &account).await, ["Editors", "manual", "staff"], "staff was given by hand as well");
    who.groups = None;
    enter(&house, who.clone()).await.expect("a session");
    assert_eq!(groups(&house, &account).await.len(), 3, "nothing said changes nothing");
    who.groups = Some(Vec::new());
    enter(&house, who).await.expect("a session");
    assert_eq!(groups(&house, &account).await, ["manual", "staff"]);
}

#[tokio::test]
async fn additive_groups_stay_and_unknown_ones_are_made_only_if_wanted() {
    let more = "[identity_provider.groups]\nfrom = \"groups\"\ncreate = false";
    let house = House::with(&provider(more)).await;
    house.groups().create(&house.operator(), Operator::vouched(), "staff").await.expect("a group");
    let mut who = anna();
    who.groups = Some(vec!["staff".into(), "unknown".into()]);
    enter(&house, who.clone()).await.expect("a session");
    who.groups = Some(Vec::new());
    enter(&house, who).await.expect("a session");
    assert_eq!(groups(&house, &house.named("anna").await).await, ["staff"]);
    assert_eq!(house.count_acts("group.created").await, 1);
}

#[tokio::test]
async fn rights_follow_the_mapping_but_the_last_administrator_stays() {
    let house = House::with(&provider("")).await;
    let mut who = anna();
    who.administrator = Some(true);
    enter(&house, who.clone()).await.expect("a session");
    assert!(house.named("anna").await.administrator);
    who.administrator = Some(false);
    enter(&house, who.clone()).await.expect("a session");
    assert!(house.named("anna").await.administrator, "nobody else could administer");
    house.account_with("root", Some(PASSWORD), true).await;
    let before = house.app.core.volatile.count_sessions(house.operator().now()).await.expect("a number");
    assert_eq!(before, 2);
    let opened = enter(&house, who).await.expect("a session");
    assert!(!house.named("anna").await.administrator);
    let alive = house.app.core.volatile.sessions_of(opened.account, house.operator().now()).await.expect("sessions");
    assert_eq!(alive.len(), 1, "sessions with more rights have ended");
}

#[tokio::test]
async fn a_locked_account_stays_shut_and_unchanged() {
    let house = House::with(&provider("")).await;
    enter(&house, anna()).await.expect("a session");
    let account = house.named("anna").await;
    house.account_with("root", Some(PASSWORD), true).await;
    house.accounts().lock(&house.operator(), Operator::vouched(), account.id).await.expect("locked");
    let mut moved = anna();
    moved.attributes.name = Some("Renamed".into());
    assert_eq!(refusal(&house, moved).await, Refusal::Locked);
    assert_eq!(house.named("anna").await.name, "Anna Berg");
}

#[tokio::test]
async fn accounts_can_wait_for_approval() {
    let house = House::with(&provider("approval = true")).await;
    house.account_with("root", Some(PASSWORD), true).await;
    assert_eq!(refusal(&house, anna()).await, Refusal::Waiting);
    assert_eq!(house.named("anna").await.status, AccountStatus::Registered);
    let letters = house.letters().await;
    assert_eq!(letters.len(), 1, "the administrator is told");
    assert_eq!(refusal(&house, anna()).await, Refusal::Waiting);
    assert_eq!(house.letters().await.len(), 1, "once");
}

#[tokio::test]
async fn what_cannot_be_an_account_is_told() {
    let house = House::with(&provider("")).await;
    let mut who = anna();
    who.attributes.email = None;
    assert_eq!(refusal(&house, who.clone()).await, Refusal::EmailMissing);
    who.attributes.email = Some("x@example.org".into());
    who.attributes.username = Some("an\u{202e}na".into());
    assert_eq!(refusal(&house, who.clone()).await, Refusal::UsernameMissing);
    who.subject = String::new();
    assert_eq!(refusal(&house, who.clone()).await, Refusal::Unknown);
    who.subject = "x".repeat(2000);
    assert_eq!(refusal(&house, who).await, Refusal::Unknown);
}

#[tokio::test]
async fn people_linked_to_a_provider_may_not_use_their_password_where_the_operator_says_so() {
    let rules = "[password]\nlogin = \"except_sso\"\ninternal = [\"anna\"]\n";
    let house = House::with(&format!("{rules}{}", provider("on_first_sign_in = \"link_verified_email\""))).await;
    house.account("anna").await;
    house.account("ben").await;
    let mut before = house.browser();
    assert_eq!(before.signs_in("anna", PASSWORD).await.status, 303);
    let asked = enter(&house, anna()).await;
    let Err(SignInError::LinkFirst(question)) = asked else { panic!("she is not asked: {asked:?}") };
    let page = format!("/account/identities/add?question={question}");
    assert_eq!(before.get(&page).await.status, 404, "it was not put to this browser");
    let known = vestibule::domain::identity::Identity {
        id: vestibule::domain::id::IdentityId::new(house.operator().uuid()),
        account: house.named("anna").await.id,
        source: anna().source,
        issuer: anna().issuer,
        subject: anna().subject,
        leads: false,
        created_at: house.operator().now(),
        last_used_at: None,
    };
    let mut tx = house.app.core.database.begin().await.expect("a database");
    vestibule::store::identity::insert(&mut tx, &known).await.expect("linked");
    tx.commit().await.expect("linked");
    enter(&house, anna()).await.expect("a session");
    assert_eq!(house.browser().signs_in("anna", PASSWORD).await.status, 422);
    assert_eq!(house.browser().signs_in("ben", PASSWORD).await.status, 303);
}
