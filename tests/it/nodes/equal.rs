//! Whatever begins on one node ends on another, and of two nodes that do one thing at once, one is first.

use super::{Stores, both_look_around, on, verifies};
use crate::support::postgres::shared;
use crate::support::redis::RedisServer;
use crate::support::{House, OTHER_PASSWORD, PASSWORD, invitee};
use http::StatusCode;
use std::sync::Arc;
use std::time::Duration;
use tokio::join;
use vestibule::service::caller::Operator;
use vestibule::service::context::Context;
use vestibule::service::setup::SetUp;

const STEP: &str = "/login/step/password";
const RESET: &str = "/login/reset-password";

async fn nodes(schema: &'static str) -> (RedisServer, House, House) {
    let redis = RedisServer::start().await;
    let (one, two) = Stores::of(shared(), &redis, schema).nodes(Duration::ZERO).await;
    (redis, one, two)
}

fn statuses(first: StatusCode, second: StatusCode) -> [u16; 2] {
    let mut both = [first.as_u16(), second.as_u16()];
    both.sort_unstable();
    both
}

/// Letters written by either node.
async fn letters(one: &House, two: &House) -> Vec<String> {
    let (first, second) = join!(one.letters(), two.letters());
    first
        .iter()
        .chain(&second)
        .map(|letter| format!("{} {}", letter.subject, crate::support::link_of(letter)))
        .collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_request_of_a_sign_in_may_come_to_another_node() {
    let (_redis, one, two) = nodes("hops").await;
    let anna = one.account("anna").await;
    two.set_password(&anna, "temporary blue kettle", true).await;
    let mut browser = one.browser();
    let csrf = browser.get("/login").await.hidden("csrf").expect("a form token");
    let fields = [("csrf", csrf.as_str()), ("username", "anna"), ("password", "temporary blue kettle")];
    let mut browser = on(&two, &browser);
    assert_eq!(browser.post("/login", &fields).await.location(), STEP);
    let mut browser = on(&one, &browser);
    let csrf = browser.get(STEP).await.hidden("csrf").expect("a form token");
    let mut browser = on(&two, &browser);
    let fields = [("csrf", csrf.as_str()), ("new_password", PASSWORD), ("repeat", PASSWORD)];
    assert_eq!(browser.post(STEP, &fields).await.location(), "/account");
    assert_eq!((verifies(&one, &browser).await, verifies(&two, &browser).await), (StatusCode::OK, StatusCode::OK));
    // What one node has to say is shown by the other.
    let mut browser = on(&one, &browser);
    let fields = [("name", "Anna Example"), ("time_zone", "")];
    let answer = browser.submit("/account/profile", "/account/profile", &fields).await;
    assert_eq!(answer.status, StatusCode::SEE_OTHER, "{}", answer.body);
    let place = answer.location().to_owned();
    let shown = on(&two, &browser).get(&place).await;
    assert!(shown.body.contains("role=\"status\""), "{}", shown.body);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nodes_that_start_at_once_on_nothing_make_one_ring_and_either_link_makes_the_administrator() {
    let (_redis, one, two) = nodes("empty").await;
    let mut keys = one.app.keys.list().await.expect("keys");
    keys.retain(|key| key.retires_at.is_none());
    assert_eq!(keys.len(), 3);
    let link = async |house: &House| {
        let ctx = Context::system(house.app.surroundings.clone());
        let link = SetUp::new(Arc::clone(&house.app.core)).link(&ctx).await.expect("stores").expect("a link");
        link.trim_start_matches("http://localhost:8080").to_owned()
    };
    let (first, second) = join!(link(&one), link(&two));
    // Each is good on each node, until one was used.
    for house in [&one, &two] {
        for link in [&first, &second] {
            assert_eq!(house.browser().get(link).await.status, StatusCode::OK);
        }
    }
    let submits = async |house: &House, link: &str, username: &str, email: &str| {
        let fields = [
            ("username", username),
            ("name", "Anna Example"),
            ("email", email),
            ("new_password", PASSWORD),
            ("repeat", PASSWORD),
        ];
        house.browser().submit(link, "/setup", &fields).await.status
    };
    let (made, refused) =
        join!(submits(&two, &first, "root", "root@example.org"), submits(&one, &second, "other", "other@example.org"));
    assert_eq!(statuses(made, refused), [303, 404]);
    assert_eq!(one.count_acts("account.created").await, 1);
    for link in [&first, &second] {
        assert_eq!(one.browser().get(link).await.status, StatusCode::NOT_FOUND);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_link_to_a_new_password_is_written_once_and_followed_once() {
    let (_redis, one, two) = nodes("recovery").await;
    one.account("anna").await;
    one.browser().submit("/login/lost-password", "/login/lost-password", &[("username", "anna")]).await;
    let written = letters(&one, &two).await;
    assert_eq!(written.len(), 1, "{written:?}");
    let link = written[0].rsplit(' ').next().expect("a link");
    let (mut first, mut second) = (one.browser(), two.browser());
    let [mine, other] = [PASSWORD, OTHER_PASSWORD].map(|password| [("new_password", password), ("repeat", password)]);
    let (mine, other) = join!(first.submit(link, RESET, &mine), second.submit(link, RESET, &other));
    assert_eq!(statuses(mine.status, other.status), [303, 404]);
    let (right, wrong) = if mine.status == 303 { (PASSWORD, OTHER_PASSWORD) } else { (OTHER_PASSWORD, PASSWORD) };
    assert_eq!(two.browser().signs_in("anna", wrong).await.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(two.browser().signs_in("anna", right).await.location(), "/account");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_invitation_is_accepted_on_one_node_only() {
    let (_redis, one, two) = nodes("invitation").await;
    one.invites(invitee("anna@example.org")).await;
    let written = letters(&one, &two).await;
    assert_eq!(written.len(), 1, "{written:?}");
    let link = written[0].rsplit(' ').next().expect("a link");
    let accepts = async |house: &House, username: &str| {
        let fields = [("username", username), ("name", "Anna"), ("new_password", PASSWORD), ("repeat", PASSWORD)];
        house.browser().submit(link, "/invitation", &fields).await.status
    };
    let (first, second) = join!(accepts(&one, "anna"), accepts(&two, "berta"));
    assert_eq!(statuses(first, second), [303, 404]);
    let name = if first == 303 { "anna" } else { "berta" };
    assert_eq!(two.browser().signs_in(name, PASSWORD).await.location(), "/account", "the other node knows at once");
    assert_eq!(one.count_acts("account.invitation_accepted").await, 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn tabs_restored_on_two_nodes_at_once_are_no_theft() {
    let (_redis, one, two) = nodes("tabs").await;
    one.account("anna").await;
    let mut browser = one.browser();
    browser.signs_in_and_stays("anna", PASSWORD).await;
    let mut tabs = tokio::task::JoinSet::new();
    for number in 0..8 {
        let mut tab = on(if number % 2 == 0 { &one } else { &two }, &browser.restarted());
        tabs.spawn(async move { (tab.get("/login").await, tab) });
    }
    let (mut rotated, mut newest) = (0, None);
    while let Some(tab) = tabs.join_next().await {
        let (answer, tab) = tab.expect("no panic");
        assert_eq!(answer.location(), "/account", "each tab gets in");
        for house in [&one, &two] {
            assert_eq!(verifies(house, &tab).await, StatusCode::OK);
        }
        if answer.sets("autologin").is_some() {
            rotated += 1;
            newest = Some(tab);
        }
    }
    assert_eq!(rotated, 1, "the token moved on once");
    assert_eq!(one.count_acts("autologin.replayed").await, 0);
    let mut later = on(&two, &newest.expect("a tab").restarted());
    assert_eq!(later.get("/login").await.location(), "/account");
}

/// Nothing is said to the other node between the acts: what it does not know yet must not harm anybody.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_that_has_not_heard_of_a_change_turns_nobody_away() {
    let (_redis, one, two) = nodes("unheard").await;
    let anna = one.account("anna").await;
    // A new key is not used before every node has it.
    let by = Operator::vouched();
    one.app.keys.rotate(&one.operator(), by, Duration::from_hours(1)).await.expect("rotated");
    let mut browser = one.browser();
    browser.signs_in("anna", PASSWORD).await;
    assert_eq!(verifies(&two, &browser).await, StatusCode::OK);
    // The other node remembers her as locked.
    two.accounts().lock(&two.operator(), by, anna.id).await.expect("locked");
    assert!(two.app.core.cards.card(anna.id).await.expect("a store").is_some());
    both_look_around(&one, &two).await;
    assert_eq!(verifies(&two, &browser).await, StatusCode::UNAUTHORIZED);
    assert!(two.app.core.cards.card(anna.id).await.expect("a store").is_some());
    one.accounts().unlock(&one.operator(), by, anna.id).await.expect("unlocked");
    let mut back = one.browser();
    assert_eq!(back.signs_in("anna", PASSWORD).await.location(), "/account");
    assert_eq!(verifies(&two, &back).await, StatusCode::OK, "a no is the database's, not memory's");
    assert_eq!(verifies(&two, &browser).await, StatusCode::UNAUTHORIZED, "what had ended stays ended");
    // A minute later the new key seals, and both open what the other sealed.
    for house in [&one, &two] {
        house.after(Duration::from_mins(1));
        house.housekeeping.reload_keys(&house.operator()).await;
    }
    let keys = one.app.keys.list().await.expect("keys");
    let old: Vec<_> = keys.iter().filter(|key| key.retires_at.is_some()).collect();
    assert_eq!(old.len(), 3);
    let mut newer = two.browser();
    newer.signs_in("anna", PASSWORD).await;
    for key in old {
        one.app.keys.revoke(&one.operator(), by, key.id).await.expect("revoked");
    }
    assert_eq!(verifies(&one, &newer).await, StatusCode::OK, "sealed with the new key");
    assert_eq!(verifies(&one, &back).await, StatusCode::UNAUTHORIZED, "sealed with one that was revoked");
}

/// A letter that another node's newer version has ordered is not thrown away by the older one.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_letter_that_cannot_be_read_waits_for_a_node_that_can() {
    use vestibule::domain::id::LetterId;
    use vestibule::store::letter::{self, Queued};
    let (_redis, one, two) = nodes("letters").await;
    let ctx = one.operator();
    let queued = Queued {
        id: LetterId::new(ctx.uuid()),
        account: None,
        sealed: b"sealed with what is not here".to_vec(),
        attempts: 0,
        created_at: ctx.now(),
    };
    let mut tx = one.app.core.database.begin().await.expect("a turn");
    letter::insert(&mut tx, &queued).await.expect("queued");
    tx.commit().await.expect("committed");
    assert!(letters(&one, &two).await.is_empty());
    let waiting = async |house: &House, later: Duration| {
        let mut link = house.app.core.database.read().await.expect("a database");
        letter::due(&mut link, ctx.now().after(later), 10).await.expect("letters").len()
    };
    assert_eq!(waiting(&one, Duration::ZERO).await, 0, "not again at once");
    assert_eq!(waiting(&one, Duration::from_mins(1)).await, 1);
    for house in [&one, &two] {
        house.after(Duration::from_hours(25));
    }
    assert!(letters(&one, &two).await.is_empty());
    assert_eq!(waiting(&two, Duration::from_hours(48)).await, 0, "given up after a day");
}
