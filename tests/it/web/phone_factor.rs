//! Codes to phones: binding a number, proving with one, what a gateway does wrong, and how many codes there are.

use crate::support::dump::Dump;
use crate::support::factors::{backup_codes, binds_an_app};
use crate::support::gateway::{Gateway, Mood};
use crate::support::redis::RedisServer;
use crate::support::{Answer, Browser, House, PASSWORD};
use http::StatusCode;
use std::time::Duration;
use vestibule::service::caller::Operator;

const STEP: &str = "/login/step/factor";
const SEND: &str = "/login/step/factor/send";
const PHONE: &str = "/login/step/factor?way=phone";
const ROOM: &str = "/account/security/phone";
const CODE: &str = "/account/security/phone/code";
const ENROL: &str = "/login/step/enrol/phone";
const NUMBER: &str = "+4917012345642";

async fn anna(factor: &str, sms: &str) -> (House, Gateway, Browser) {
    let gateway = Gateway::start();
    let house = Box::pin(House::with(&gateway.configuration(factor, sms))).await;
    house.account("anna").await;
    let browser = house.browser();
    (house, gateway, browser)
}

/// Asks for a code to a number.
async fn begins(browser: &mut Browser, page: &str, channel: &str) -> Answer {
    browser.submit(page, page, &[("number", "+49 170 / 12345642"), ("name", "My phone"), ("channel", channel)]).await
}

/// Anna binds her number.
async fn binds(gateway: &Gateway, browser: &mut Browser) -> Vec<String> {
    browser.signs_in("anna", PASSWORD).await;
    assert_eq!(begins(browser, ROOM, "sms").await.location(), ROOM);
    backup_codes(&browser.submit(ROOM, CODE, &[("code", &gateway.code())]).await)
}

/// Asks for a code in a sign-in, on the page with the account's numbers.
async fn asks(browser: &mut Browser, channel: &str) -> Answer {
    let factor = browser.get(PHONE).await.hidden("factor").expect("a number");
    browser.submit(PHONE, SEND, &[("factor", &factor), ("channel", channel)]).await
}

async fn shows(browser: &mut Browser, code: &str) -> Answer {
    browser.submit(PHONE, STEP, &[("way", "phone"), ("code", code)]).await
}

/// A code that is not this one.
fn other_than(code: &str) -> &'static str {
    if code == "123456" { "654321" } else { "123456" }
}

async fn amr(browser: &mut Browser) -> serde_json::Value {
    let answer = browser.get("/api/v1/session").await;
    serde_json::from_str::<serde_json::Value>(&answer.body).expect("JSON")["session"]["amr"].clone()
}

fn metric(house: &House, line: &str) -> bool {
    house.app.core.metrics.render().expect("metrics").lines().any(|shown| shown == line)
}

#[tokio::test]
async fn a_number_is_bound_by_a_code_and_asked_for_at_the_next_sign_in() {
    let (house, gateway, mut browser) = anna("", "").await;
    browser.signs_in("anna", PASSWORD).await;
    let page = browser.get(ROOM).await;
    assert!(page.body.contains("Less safe than an app or a key"), "the risk is said before anything is sent");
    assert_eq!(gateway.asked().len(), 0, "a page alone sends nothing");
    assert_eq!(begins(&mut browser, ROOM, "sms").await.location(), ROOM);
    let page = browser.get(ROOM).await;
    assert!(page.body.contains("+49 ••• 42") && !page.body.contains("12345642"), "{}", page.body);
    let asked = gateway.asked();
    assert_eq!(asked.len(), 1);
    assert!(asked[0].head.starts_with("POST /sms "), "{}", asked[0].head);
    assert!(asked[0].head.to_lowercase().contains("authorization: bearer a secret of ours"));
    let message: serde_json::Value = serde_json::from_str(&asked[0].body).expect("JSON");
    let code = gateway.code();
    assert_eq!(message["to"], NUMBER);
    let text = message["text"].as_str().expect("words");
    assert!(text.contains(&code) && text.ends_with(&format!("\n@localhost #{code}")), "{text}");
    let wrong = browser.submit(ROOM, CODE, &[("code", other_than(&code))]).await;
    assert_eq!(wrong.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(house.count_acts("factor.added").await, 0);
    let done = browser.submit(ROOM, CODE, &[("code", &format!("{}-{}", &code[..3], &code[3..]))]).await;
    assert_eq!(backup_codes(&done).len(), 10);
    let room = browser.get("/account/security").await.body;
    assert!(room.contains("+49 ••• 42") && room.contains("Less safe") && !room.contains("12345642"));
    assert!(house.letters().await.iter().any(|letter| letter.text.contains("My phone")));

    let mut other = house.browser();
    assert_eq!(other.signs_in("anna", PASSWORD).await.location(), STEP);
    let page = other.get(STEP).await;
    assert!(page.body.contains("Send a text message to +49 ••• 42") && page.body.contains("Call +49 ••• 42"));
    assert!(!page.body.contains("id=\"code\""), "no code is asked for before one was sent");
    assert_eq!(gateway.asked().len(), 1, "the page alone sends nothing");
    assert_eq!(asks(&mut other, "sms").await.location(), PHONE);
    assert!(other.get(PHONE).await.body.contains("autocomplete=\"one-time-code\""));
    assert_eq!(shows(&mut other, &gateway.code()).await.location(), "/account");
    assert_eq!(amr(&mut other).await, serde_json::json!(["pwd", "mfa", "sms"]));
    assert_eq!(house.count_acts("factor.code_sent").await, 2);
    assert!(metric(&house, "vestibule_codes_total{channel=\"sms\",outcome=\"sent\"} 2"));
}

#[tokio::test]
async fn a_code_is_read_out_in_the_language_of_the_page() {
    let (house, gateway, mut browser) = anna("", "").await;
    binds(&gateway, &mut browser).await;
    let mut other = house.browser().sending("accept-language", "de");
    other.signs_in("anna", PASSWORD).await;
    assert_eq!(asks(&mut other, "voice").await.location(), PHONE);
    let asked = gateway.asked().pop().expect("a call");
    assert!(asked.head.starts_with("POST /voice "));
    let fields: Vec<_> = url::form_urlencoded::parse(asked.body.as_bytes()).into_owned().collect();
    assert_eq!(fields[0], ("to".to_owned(), NUMBER[1..].to_owned()));
    assert!(fields[1].1.starts_with("<Say>Ihr Code") && fields[1].1.contains(", "), "{fields:?}");
    assert_eq!(fields[2].1, "de");
    assert_eq!(shows(&mut other, &gateway.code()).await.location(), "/account");
    assert_eq!(amr(&mut other).await, serde_json::json!(["pwd", "mfa", "tel"]));
}

#[tokio::test]
async fn a_code_works_once_in_its_own_attempt_until_the_next_one_is_sent() {
    let (house, gateway, mut browser) = anna("", "").await;
    binds(&gateway, &mut browser).await;
    let (mut one, mut two) = (house.browser(), house.browser());
    one.signs_in("anna", PASSWORD).await;
    two.signs_in("anna", PASSWORD).await;
    asks(&mut one, "sms").await;
    let first = gateway.code();
    assert_eq!(shows(&mut two, &first).await.status, StatusCode::UNPROCESSABLE_ENTITY, "another attempt");
    let mut stranger = house.browser();
    let csrf = stranger.get("/login").await.hidden("csrf").expect("a form");
    let foreign = [("csrf", csrf.as_str()), ("way", "phone"), ("code", first.as_str())];
    assert_eq!(stranger.post(STEP, &foreign).await.location(), "/login", "another browser");
    asks(&mut one, "sms").await;
    let second = gateway.code();
    if first != second {
        assert_eq!(shows(&mut one, &first).await.status, StatusCode::UNPROCESSABLE_ENTITY, "void by the second");
    }
    asks(&mut two, "sms").await;
    let of_two = gateway.code();
    assert_eq!(shows(&mut one, &second).await.location(), "/account");
    assert_eq!(shows(&mut two, &of_two).await.location(), "/account", "attempts do not disturb each other");
    let mut three = house.browser();
    three.signs_in("anna", PASSWORD).await;
    assert_eq!(shows(&mut three, &second).await.status, StatusCode::UNPROCESSABLE_ENTITY, "used");
}

#[tokio::test]
async fn a_code_is_good_for_ten_minutes() {
    let (house, gateway, mut browser) = anna("", "").await;
    binds(&gateway, &mut browser).await;
    let mut other = house.browser();
    other.signs_in("anna", PASSWORD).await;
    asks(&mut other, "sms").await;
    house.after(Duration::from_mins(10));
    assert_eq!(shows(&mut other, &gateway.code()).await.status, StatusCode::UNPROCESSABLE_ENTITY);
    asks(&mut other, "sms").await;
    house.after(Duration::from_mins(4));
    assert_eq!(shows(&mut other, &gateway.code()).await.location(), "/account");
}

#[tokio::test]
async fn the_code_that_binds_is_good_for_ten_minutes_as_well() {
    let (house, gateway, mut browser) = anna("", "").await;
    browser.signs_in("anna", PASSWORD).await;
    begins(&mut browser, ROOM, "sms").await;
    house.after(Duration::from_mins(10));
    let answer = browser.submit(ROOM, CODE, &[("code", &gateway.code())]).await;
    assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(answer.body.contains("This code is too old") && answer.body.contains("id=\"number\""));
    assert_eq!(house.count_acts("factor.added").await, 0);
}

#[tokio::test]
async fn one_code_sent_twice_at_once_opens_one_session() {
    let (house, gateway, mut browser) = anna("", "").await;
    binds(&gateway, &mut browser).await;
    let mut first = house.browser();
    first.signs_in("anna", PASSWORD).await;
    asks(&mut first, "sms").await;
    let csrf = first.get(PHONE).await.hidden("csrf").expect("a form");
    let code = gateway.code();
    let fields = [("csrf", csrf.as_str()), ("way", "phone"), ("code", code.as_str())];
    let mut twins: Vec<_> = std::iter::repeat_n(first, 10).collect();
    let answers = futures_util::future::join_all(twins.iter_mut().map(|browser| browser.post(STEP, &fields))).await;
    let opened = answers.iter().filter(|answer| answer.sets("_vestibule_session").is_some()).count();
    assert_eq!(opened, 1);
    // The others are sent on; none is told that the code is wrong, and none is counted.
    assert!(answers.iter().all(|answer| answer.status == StatusCode::SEE_OTHER), "{answers:?}");
    assert_eq!(house.count_acts("sign_in.failed").await, 0);
}

#[tokio::test]
async fn a_gateway_that_fails_is_told_at_once_and_another_way_is_open() {
    let (house, gateway, mut browser) = anna("", "per_attempt = 0\nper_account_hour = 0\n").await;
    let codes = binds(&gateway, &mut browser).await;
    let mut other = house.browser();
    other.signs_in("anna", PASSWORD).await;
    for mood in [Mood::Status(500), Mood::Status(401), Mood::Refuses, Mood::Huge, Mood::Redirects, Mood::Hangs] {
        gateway.becomes(mood);
        let answer = asks(&mut other, "sms").await;
        assert_eq!(answer.status, StatusCode::SERVICE_UNAVAILABLE, "{mood:?}");
        assert!(answer.body.contains("could not be sent") && answer.body.contains("?way=backup"), "{mood:?}");
        assert!(!answer.body.contains("12345642") && !answer.body.contains("a secret of ours"), "{mood:?}");
        let code = gateway.code();
        assert_eq!(shows(&mut other, &code).await.status, StatusCode::UNPROCESSABLE_ENTITY, "{mood:?}: void");
        other.signs_in("anna", PASSWORD).await;
    }
    assert!(gateway.asked().iter().all(|asked| !asked.head.contains("/elsewhere")), "nothing is followed");
    assert!(metric(&house, "vestibule_codes_total{channel=\"sms\",outcome=\"refused\"} 3"));
    assert!(metric(&house, "vestibule_codes_total{channel=\"sms\",outcome=\"failed\"} 3"));
    let answer = other.submit("/login/step/factor?way=backup", STEP, &[("way", "backup"), ("code", &codes[0])]).await;
    assert_eq!(answer.location(), "/account");
    let answer = begins(&mut browser, ROOM, "sms").await;
    assert_eq!(answer.status, StatusCode::SERVICE_UNAVAILABLE);
    assert!(answer.body.contains("value=\"+49 170 / 12345642\""), "what was typed is still there");
}

#[tokio::test]
async fn codes_are_counted_by_attempt_account_number_and_network() {
    for (limit, meets) in [
        ("per_attempt = 2", [303, 429, 429]),
        ("per_account_hour = 3", [303, 303, 429]),
        ("per_number_day = 4", [303, 303, 303]),
        ("per_network_hour = 2", [303, 429, 429]),
    ] {
        let all = "per_attempt = 0\nper_account_hour = 0\nper_number_day = 0\nper_network_hour = 0\n";
        let name = limit.split(' ').next().expect("a key");
        let sms = all.replace(&format!("{name} = 0"), limit);
        let (house, gateway, mut browser) = anna("", &sms).await;
        // The first one binds.
        binds(&gateway, &mut browser).await;
        let mut other = house.browser();
        other.signs_in("anna", PASSWORD).await;
        let mut statuses = Vec::new();
        for _ in 0..3 {
            statuses.push(asks(&mut other, "sms").await.status.as_u16());
        }
        let meets = if name == "per_attempt" { [303, 303, 429] } else { meets };
        assert_eq!(statuses, meets, "{limit}");
        let sent = 1 + meets.iter().filter(|status| **status == 303).count();
        assert_eq!(gateway.asked().len(), sent, "{limit}: what is refused does not reach the gateway");
        if name == "per_number_day" {
            house.account("berta").await;
            let mut berta = house.browser_at("203.0.113.77:1");
            berta.signs_in("berta", PASSWORD).await;
            assert_eq!(begins(&mut berta, ROOM, "sms").await.status, StatusCode::TOO_MANY_REQUESTS);
        }
    }
}

#[tokio::test]
async fn what_codes_cost_has_a_bound_for_the_whole_service() {
    let (house, gateway, mut browser) = anna("", "per_hour = 2\n").await;
    binds(&gateway, &mut browser).await;
    house.account("berta").await;
    let mut berta = house.browser_at("203.0.113.77:1");
    berta.signs_in("berta", PASSWORD).await;
    begins(&mut berta, ROOM, "voice").await;
    let mut other = house.browser();
    other.signs_in("anna", PASSWORD).await;
    let answer = asks(&mut other, "sms").await;
    assert_eq!(answer.status, StatusCode::TOO_MANY_REQUESTS);
    assert!(answer.body.contains("Too many codes were sent") && !answer.header("retry-after").is_empty());
    assert_eq!(gateway.asked().len(), 2);
    assert!(metric(&house, "vestibule_codes_total{channel=\"sms\",outcome=\"bounded\"} 1"));
    house.after(Duration::from_hours(1));
    other.signs_in("anna", PASSWORD).await;
    assert_eq!(asks(&mut other, "sms").await.location(), PHONE);
}

#[tokio::test]
async fn codes_go_to_the_countries_that_the_operator_names() {
    for (countries, status) in [("+43, +49151", StatusCode::UNPROCESSABLE_ENTITY), ("+43, +49", StatusCode::SEE_OTHER)]
    {
        let countries: Vec<_> = countries.split(", ").collect();
        let (_house, gateway, mut browser) = anna("", &format!("countries = {countries:?}\n")).await;
        browser.signs_in("anna", PASSWORD).await;
        let answer = begins(&mut browser, ROOM, "sms").await;
        assert_eq!(answer.status, status, "{countries:?}");
        assert_eq!(gateway.asked().len(), usize::from(status == StatusCode::SEE_OTHER), "{countries:?}");
        assert_eq!(answer.body.contains("no codes to numbers of this country"), status != StatusCode::SEE_OTHER);
    }
}

#[tokio::test]
async fn wrong_codes_count_in_the_one_limiter() {
    let gateway = Gateway::start();
    let configuration = format!("[throttle]\naccount_failures = 3\n{}", gateway.configuration("", ""));
    let house = House::with(&configuration).await;
    house.account("anna").await;
    let mut browser = house.browser();
    binds(&gateway, &mut browser).await;
    let mut thief = house.browser_at("203.0.113.9:1");
    thief.signs_in("anna", "wrong").await;
    thief.signs_in("anna", PASSWORD).await;
    asks(&mut thief, "sms").await;
    let code = gateway.code();
    for _ in 0..2 {
        assert_eq!(shows(&mut thief, other_than(&code)).await.status, StatusCode::UNPROCESSABLE_ENTITY);
    }
    assert_eq!(shows(&mut thief, &code).await.status, StatusCode::TOO_MANY_REQUESTS, "the right one comes too late");
    let sent = gateway.asked().len();
    let answer = asks(&mut thief, "sms").await;
    assert_eq!(answer.status, StatusCode::TOO_MANY_REQUESTS);
    assert!(!answer.header("retry-after").is_empty());
    let answer = begins(&mut browser, ROOM, "sms").await;
    assert_eq!(answer.status, StatusCode::TOO_MANY_REQUESTS);
    assert!(answer.body.contains("value=\"+49 170 / 12345642\""), "what was typed is still there");
    assert_eq!(gateway.asked().len(), sent, "no code goes out that could not be typed");
    assert!(!thief.is_signed_in().await);
}

#[tokio::test]
async fn a_required_factor_can_be_a_number() {
    let (house, gateway, mut browser) = anna("required = \"all\"", "").await;
    assert_eq!(browser.signs_in("anna", PASSWORD).await.location(), "/login/step/enrol");
    assert!(browser.get("/login/step/enrol").await.body.contains(ENROL));
    assert_eq!(begins(&mut browser, ENROL, "sms").await.location(), ENROL);
    let void = gateway.code();
    let again = browser.submit(ENROL, ENROL, &[("again", "1"), ("channel", "voice")]).await;
    assert_eq!(again.location(), ENROL);
    assert!(gateway.asked()[1].head.starts_with("POST /voice "));
    let code = gateway.code();
    if void != code {
        let answer = browser.submit(ENROL, "/login/step/enrol/phone/code", &[("code", &void)]).await;
        assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY);
    }
    let csrf = browser.get(ENROL).await.hidden("csrf").expect("a form");
    let mut second = browser.clone();
    let fields = [("csrf", csrf.as_str()), ("code", code.as_str())];
    let path = "/login/step/enrol/phone/code";
    let (one, two) = tokio::join!(browser.post(path, &fields), second.post(path, &fields));
    let opened = [&one, &two].iter().filter(|answer| answer.sets("_vestibule_session").is_some()).count();
    assert_eq!((opened, house.count_acts("factor.added").await), (1, 1));
    let mut open = if one.sets("_vestibule_session").is_some() { browser } else { second };
    assert_eq!(amr(&mut open).await, serde_json::json!(["pwd", "mfa", "tel"]));
}

#[tokio::test]
async fn it_is_never_offered_where_nothing_could_send_it() {
    let house = House::open().await;
    house.account("anna").await;
    let mut browser = house.browser();
    browser.signs_in("anna", PASSWORD).await;
    assert_eq!(browser.get(ROOM).await.status, StatusCode::NOT_FOUND);
    assert!(!browser.get("/account/security").await.body.contains(ROOM));
    let answer = browser.submit("/account/security/totp", ROOM, &[("number", NUMBER), ("name", "Mine")]).await;
    assert_eq!(answer.status, StatusCode::NOT_FOUND);
    // Bound while there was a gateway, which is gone now.
    let (house, gateway, mut browser) = anna("", "").await;
    let codes = binds(&gateway, &mut browser).await;
    house.app.close().await;
    let later = house.reopened("").await;
    let mut other = later.browser();
    assert_eq!(other.signs_in("anna", PASSWORD).await.location(), STEP, "the account is still protected");
    let page = other.get(PHONE).await;
    assert!(!page.body.contains("way=phone") && page.body.contains("value=\"backup\""));
    let answer = other.submit(STEP, STEP, &[("way", "backup"), ("code", &codes[0])]).await;
    assert_eq!(answer.location(), "/account");
}

#[tokio::test]
async fn what_is_no_number_is_not_called() {
    let (house, gateway, mut browser) = anna("", "").await;
    browser.signs_in("anna", PASSWORD).await;
    for number in ["", "0170 1234567", "+49", "+49 170 1234567, +49 170 7654321", "+49170\r\nX: y"] {
        let answer = browser.submit(ROOM, ROOM, &[("number", number), ("name", "Mine"), ("channel", "sms")]).await;
        assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY, "{number:?}");
        assert!(answer.body.contains("number-error"), "{number:?}");
    }
    assert_eq!((gateway.asked().len(), house.count_acts("factor.code_sent").await), (0, 0));
}

#[tokio::test]
async fn somebody_elses_number_cannot_be_asked_for() {
    let (house, gateway, mut browser) = anna("", "").await;
    binds(&gateway, &mut browser).await;
    let id = browser.get("/account/security").await.hidden("factor").expect("a row");
    house.account("berta").await;
    let mut berta = house.browser();
    berta.signs_in("berta", PASSWORD).await;
    begins(&mut berta, ROOM, "sms").await;
    berta.submit(ROOM, CODE, &[("code", &gateway.code())]).await;
    let mut other = house.browser();
    other.signs_in("berta", PASSWORD).await;
    let sent = gateway.asked().len();
    let answer = other.submit(PHONE, SEND, &[("factor", &id), ("channel", "sms")]).await;
    assert_eq!(answer.status, StatusCode::NOT_FOUND);
    assert_eq!(gateway.asked().len(), sent);
}

#[tokio::test]
async fn a_number_that_was_removed_proves_nothing() {
    let (house, gateway, mut browser) = anna("", "").await;
    binds_an_app(&house, &mut browser).await;
    begins(&mut browser, ROOM, "sms").await;
    browser.submit(ROOM, CODE, &[("code", &gateway.code())]).await;
    let page = browser.get("/account/security").await.body;
    let phone = page.split("+49 •••").nth(1).expect("a row").split("name=\"factor\" value=\"").nth(1).expect("a form");
    let id = phone.split('"').next().expect("an id").to_owned();
    let mut other = house.browser();
    other.signs_in("anna", PASSWORD).await;
    other.submit(PHONE, SEND, &[("factor", &id), ("channel", "sms")]).await;
    browser.submit("/account/security", "/account/security/remove", &[("factor", &id)]).await;
    assert_eq!(house.count_acts("factor.removed").await, 1);
    let answer = shows(&mut other, &gateway.code()).await;
    assert!(answer.location() != "/account", "{}", answer.status);
    assert!(!other.is_signed_in().await);
}

#[tokio::test]
async fn binding_and_removing_a_number_end_what_every_factor_ends() {
    let (house, gateway, mut browser) = anna("remember_days = 30\n", "").await;
    let mut other = house.browser();
    other.signs_in("anna", PASSWORD).await;
    binds(&gateway, &mut browser).await;
    assert!(browser.is_signed_in().await && !other.is_signed_in().await, "the first factor ends other sessions");
    // A device that is spared the factor, until there is another one.
    other.signs_in("anna", PASSWORD).await;
    asks(&mut other, "sms").await;
    let code = gateway.code();
    other.submit(PHONE, STEP, &[("way", "phone"), ("code", &code), ("keep", "1")]).await;
    assert_eq!(other.restarted().signs_in("anna", PASSWORD).await.location(), "/account", "spared");
    let number = [("number", "+49 89 98765432"), ("name", "Office"), ("channel", "voice")];
    assert_eq!(browser.submit(ROOM, ROOM, &number).await.location(), ROOM);
    browser.submit(ROOM, CODE, &[("code", &gateway.code())]).await;
    assert_eq!(house.count_acts("factor.added").await, 2);
    assert!(other.is_signed_in().await, "a second one ends no session");
    assert_eq!(other.restarted().signs_in("anna", PASSWORD).await.location(), STEP, "asked again");
    let id = browser.get("/account/security").await.hidden("factor").expect("a row");
    browser.submit("/account/security", "/account/security/remove", &[("factor", &id)]).await;
    assert!(browser.is_signed_in().await && !other.is_signed_in().await, "a removal ends other sessions");
    assert!(house.letters().await.iter().any(|letter| letter.subject.contains("removed")));
}

#[tokio::test]
async fn rotated_keys_retire_without_losing_a_number() {
    let (house, gateway, mut browser) = anna("", "").await;
    binds(&gateway, &mut browser).await;
    let day = Duration::from_hours(24);
    house.app.keys.rotate(&house.operator(), Operator::vouched(), day).await.expect("rotated");
    house.after(Duration::from_mins(1));
    house.housekeeping.reload_keys(&house.operator()).await;
    house.sweep().await;
    house.after(day + day);
    house.housekeeping.reload_keys(&house.operator()).await;
    let mut other = house.browser();
    other.signs_in("anna", PASSWORD).await;
    asks(&mut other, "sms").await;
    assert_eq!(shows(&mut other, &gateway.code()).await.location(), "/account");
    assert!(gateway.asked().last().expect("a message").body.contains(NUMBER));
}

/// A code on its way and one that was used, for a number that is being bound and one that is.
async fn leaves_traces(house: &House, gateway: &Gateway, browser: &mut Browser) -> [String; 2] {
    binds(gateway, browser).await;
    let used = gateway.code();
    let mut other = house.browser();
    other.signs_in("anna", PASSWORD).await;
    asks(&mut other, "sms").await;
    let waiting = gateway.code();
    browser.submit(ROOM, ROOM, &[("number", "+49 89 98765432"), ("name", "Office"), ("channel", "voice")]).await;
    [used, waiting]
}

fn tells_nothing(dump: &Dump, codes: &[String]) {
    assert!(!dump.places_of(b"anna@example.org").is_empty(), "it is the whole of it");
    for number in ["17012345642", "8998765432"] {
        assert_eq!(dump.places_of(number.as_bytes()), Vec::<&str>::new(), "{number}");
    }
    for code in codes {
        // Six digits alone may stand anywhere; as text or JSON they would be between these.
        for (open, close) in [("\"", "\""), (" ", " "), ("#", "\n"), (":", ",")] {
            let needle = format!("{open}{code}{close}");
            assert_eq!(dump.places_of(needle.as_bytes()), Vec::<&str>::new(), "{needle:?}");
        }
    }
}

#[tokio::test]
async fn no_number_and_no_code_stands_in_the_stores() {
    let (house, gateway, mut browser) = anna("", "").await;
    let codes = leaves_traces(&house, &gateway, &mut browser).await;
    house.letters().await;
    tells_nothing(&Dump::of(&house).await, &codes);
}

#[tokio::test]
async fn no_number_and_no_code_stands_in_redis() {
    let redis = RedisServer::start().await;
    let gateway = Gateway::start();
    let sessions = format!("[sessions]\nstore = \"redis\"\nredis_url = \"redis://{}\"\n", redis.address());
    let house = House::with(&format!("{sessions}{}", gateway.configuration("", ""))).await;
    house.account("anna").await;
    let codes = leaves_traces(&house, &gateway, &mut house.browser()).await;
    // Each write stands in its log as it came.
    let log = redis.written();
    assert!(log.len() > 1000, "all of it");
    tells_nothing(&Dump::of(&house).await.and("redis", log), &codes);
}
