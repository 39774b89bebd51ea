//! Whose account it becomes, as browsers see it: people with an invitation, people whose address nobody has confirmed, and the
//! ways in that are left when a provider is the way in. The rules themselves are tested in `resolve.rs`.

use super::provider::{house, is_refused, signs_in};
use crate::support::{Browser, House, OpenId, PASSWORD, invitee};
use http::StatusCode;
use serde_json::json;
use vestibule::service::caller::Operator;

#[tokio::test]
async fn an_invitation_is_taken_along_and_binds_to_whoever_comes_back() {
    let openid = OpenId::start().await;
    let house = house(&openid, "on_first_sign_in = \"invited_only\"").await;
    is_refused(&signs_in(&mut house.browser(), &openid).await);
    house.invites(invitee("guest@elsewhere.example")).await;
    let link = house.letters().await[0].link();
    let mut browser = house.browser();
    let page = browser.get(&link).await;
    let there = page.body.split("href=\"/login/corp?").nth(1).expect("a button").split('"').next().expect("its end");
    let there = format!("/login/corp?{}", there.replace("&#38;", "&").replace("&amp;", "&"));
    let left = browser.get(&there).await;
    assert!(!left.location().contains("invitation"), "the secret stays here: {}", left.location());
    let back = openid.consents(left.location());
    let answer = browser.get(&back).await;
    assert_eq!(answer.status, StatusCode::SEE_OTHER, "{}", answer.body);
    let anna = house.named("anna").await;
    assert_eq!(anna.email, "anna@corp.example", "nothing was decided for them, so the account follows the provider");
    // The link is used up: another identity gets nothing by it.
    openid.claim("sub", json!("mallory"));
    openid.script().userinfo = json!({ "sub": "mallory", "preferred_username": "mallory", "email": "m@x.example" });
    let mut other = house.browser();
    let left = other.get(&there).await;
    let answer = other.get(&openid.consents(left.location())).await;
    is_refused(&answer);
    assert!(answer.body.contains("used already"), "{}", answer.body);
    assert_eq!(house.count_acts("identity.linked").await, 1);
    assert!(signs_in(&mut house.browser(), &openid).await.status.is_client_error());
}

#[tokio::test]
async fn whoever_has_the_address_of_an_account_signs_in_to_it_and_says_yes() {
    let openid = OpenId::start().await;
    let house = house(&openid, "on_first_sign_in = \"link_verified_email\"").await;
    let owner = house.account("owner").await;
    openid.script().userinfo["email"] = json!("owner@example.org");
    house.account("ben").await;
    let mut browser = house.browser();
    let left = browser.get("/login/corp?return_to=%2Faccount%2Fsessions").await;
    let told = browser.get(&openid.consents(left.location())).await;
    assert_eq!(told.status, StatusCode::CONFLICT, "{}", told.body);
    is_refused(&told);
    let there = told.body.split("href=\"/login?choose=1").nth(1).expect("a way").split('"').next().expect("its end");
    let there = format!("/login?choose=1{}", there.replace("&#38;", "&").replace("&amp;", "&"));
    // Somebody else who follows it is asked nothing.
    let mut ben = house.browser();
    ben.signs_in("ben", PASSWORD).await;
    let question = there.rsplit_once("question%3D").expect("a question").1.to_owned();
    let page = format!("/account/identities/add?question={question}");
    assert_eq!(ben.get(&page).await.status, StatusCode::NOT_FOUND);
    let stolen = ben.submit("/account/profile", "/account/identities/add", &[("question", &question)]).await;
    assert_eq!(stolen.status, StatusCode::NOT_FOUND);
    // Nor is the owner in a browser where nobody came from the provider: whoever did may not be they.
    let mut lured = house.browser();
    lured.signs_in("owner", PASSWORD).await;
    assert_eq!(lured.get(&page).await.status, StatusCode::NOT_FOUND);
    let yes = lured.submit("/account/profile", "/account/identities/add", &[("question", &question)]).await;
    assert_eq!(yes.status, StatusCode::NOT_FOUND);
    assert_eq!(house.count_acts("identity.linked").await, 0);
    // The owner signs in as before, says yes, and arrives.
    let form = browser.get(&there).await;
    assert!(form.body.contains("Then you are asked whether"), "{}", form.body);
    assert!(!form.body.contains("role=\"alert\">"), "nothing went wrong: {}", form.body);
    let return_to = form.hidden("return_to").expect("where it leads");
    let fields = [("username", "owner"), ("password", PASSWORD), ("return_to", return_to.as_str())];
    let entered = browser.submit(&there, "/login", &fields).await;
    assert_eq!(entered.location(), page);
    assert!(browser.get(&page).await.body.contains("Corp SSO"));
    assert_eq!(house.count_acts("identity.linked").await, 0, "nothing is linked by following a link");
    let yes = browser.submit(&page, "/account/identities/add", &[("question", &question)]).await;
    assert_eq!(yes.location(), "/account/sessions");
    let letter = house.letters().await.pop().expect("a letter");
    assert!(letter.to.contains("owner@example.org") && letter.text.contains("Corp SSO"), "{}", letter.text);
    let mut next = house.browser();
    assert_eq!(signs_in(&mut next, &openid).await.location(), "/account");
    let whoami = next.get("/api/v1/session").await.body;
    assert!(whoami.contains(&owner.id.to_string()), "{whoami}");
}

/// Comes from the provider with the address of an account; returns where its owner is asked, and the name of the question.
async fn is_asked(browser: &mut Browser, openid: &OpenId) -> (String, String) {
    let left = browser.get("/login/corp").await;
    let told = browser.get(&openid.consents(left.location())).await;
    assert_eq!(told.status, StatusCode::CONFLICT, "{}", told.body);
    let question = told.body.split("question%3D").nth(1).expect("a question").split('"').next().expect("its end");
    (format!("/account/identities/add?question={question}"), question.to_owned())
}

#[tokio::test]
async fn who_administers_by_now_is_not_linked_by_an_address_whatever_they_say() {
    let openid = OpenId::start().await;
    let house = house(&openid, "on_first_sign_in = \"link_verified_email\"").await;
    let owner = house.account("owner").await;
    openid.script().userinfo["email"] = json!("owner@example.org");
    let mut browser = house.browser();
    let (page, question) = is_asked(&mut browser, &openid).await;
    house.accounts().make_administrator(&house.operator(), Operator::vouched(), owner.id).await.expect("made");
    browser.signs_in("owner", PASSWORD).await;
    let told = browser.get(&page).await;
    assert_eq!(told.status, StatusCode::CONFLICT, "{}", told.body);
    assert!(told.body.contains("administers this service by now"), "{}", told.body);
    assert_eq!(house.count_acts("identity.refused").await, 0, "nobody has said yes");
    let yes = browser.submit("/account/profile", "/account/identities/add", &[("question", &question)]).await;
    assert_eq!(yes.status, StatusCode::CONFLICT, "{}", yes.body);
    assert!(yes.body.contains("Nothing was changed"), "{}", yes.body);
    assert_eq!(house.count_acts("identity.linked").await, 0);
    assert_eq!(house.count_acts("identity.refused").await, 1);
    assert!(house.letters().await.is_empty());
    assert!(browser.is_signed_in().await);
    // By hand they may.
    let left = browser.get("/login/corp?add=1").await;
    let asked = browser.get(&openid.consents(left.location())).await;
    let question = browser.get(asked.location()).await.hidden("question").expect("a question");
    let yes = browser.submit(asked.location(), "/account/identities/add", &[("question", &question)]).await;
    assert_eq!(yes.location(), "/account/identities", "{}", yes.body);
    assert_eq!(house.count_acts("identity.linked").await, 1);
}

#[tokio::test]
async fn an_address_that_nobody_confirmed_gives_its_account_to_nobody() {
    let openid = OpenId::start().await;
    let more = "on_first_sign_in = \"link_verified_email\"";
    let registration = "[registration]\nmode = \"automatic\"\n";
    let house = House::with(&format!("{registration}{}", openid.configuration(more))).await;
    // A stranger registers with Anna's address, and waits.
    let fields = [
        ("username", "stranger"),
        ("name", "A Stranger"),
        ("email", "anna@corp.example"),
        ("new_password", PASSWORD),
        ("repeat", PASSWORD),
    ];
    let registered = house.browser().submit("/register", "/register", &fields).await;
    assert_eq!(registered.status, StatusCode::SEE_OTHER, "{}", registered.body);
    let stranger = house.named("stranger").await;
    assert_eq!(stranger.address(), None);
    // Anna comes by way of the provider: an account of her own, with the address.
    let mut browser = house.browser();
    assert_eq!(signs_in(&mut browser, &openid).await.status, StatusCode::SEE_OTHER);
    let anna = house.named("anna").await;
    assert_ne!(anna.id, stranger.id);
    assert_eq!(anna.address(), Some("anna@corp.example"));
    // The letter that waited can no longer give the address to the stranger, even if they got to read it.
    let letter = house.letters().await.into_iter().find(|letter| letter.text.contains("/account/email/confirm"));
    if let Some(letter) = letter {
        let mut theirs = house.browser();
        theirs.signs_in("stranger", PASSWORD).await;
        theirs.submit(&letter.link(), "/account/email/confirm", &[]).await;
    }
    assert_eq!(house.named("stranger").await.address(), None);
    assert_eq!(house.named("anna").await.address(), Some("anna@corp.example"));
}

#[tokio::test]
async fn where_a_provider_is_the_way_in_nobody_is_led_in_circles_and_break_glass_stays() {
    let openid = OpenId::start().await;
    let rules = "[password]\nlogin = \"none\"\ninternal = [\"root\"]\n";
    let house = House::with(&format!("{rules}{}", openid.configuration("direct = true"))).await;
    house.account("root").await;
    let mut browser = house.browser();
    assert_eq!(browser.get("/login").await.location(), "/login/corp");
    // Whoever is refused there stays on a page that leads to all ways, not back there.
    let left = browser.get("/login/corp").await;
    let state = openid.reads(left.location())["state"].clone();
    let refused = browser.get(&format!("/login/corp/callback?state={state}&error=access_denied")).await;
    is_refused(&refused);
    assert!(refused.body.contains("href=\"/login?choose=1\"") && !refused.body.contains("http-equiv"));
    assert_eq!(browser.get("/login?choose=1").await.status, StatusCode::OK);
    // The page of a sign-out does not lead in again.
    let done = browser.get("/logout/done").await;
    assert_eq!(done.status, StatusCode::OK);
    assert!(!done.body.contains("href=\"/login/corp\"") && !done.body.contains("http-equiv"));
    let fields = [("username", "root"), ("password", PASSWORD)];
    let inside = browser.submit("/login/internal", "/login/internal", &fields).await;
    assert_eq!(inside.status, StatusCode::SEE_OTHER, "{}", inside.body);
    assert!(browser.is_signed_in().await);
    assert!(!browser.get("/login/internal").await.body.contains("/login/corp"), "no button at that door");
}
