//! Metadata that is read from the web: gone, slow, huge, wrong, changed. Bounded time, a page that says so, the last good copy,
//! and other ways in that keep working.

use super::provider::{self, IDP, Idp, Said};
use super::{brings, signs_in};
use crate::support::program::Place;
use crate::support::saml_site::{Shows, Site};
use crate::support::{Answer, House, PASSWORD};
use http::StatusCode;
use std::time::Duration;

const SSO: &str = "https://idp.example.org/sso";
const INSIDE: &str = "allow_private_network = true\ntimeout = \"1s\"";

fn idp() -> Idp {
    Idp::new("idp-rsa")
}

fn fine() -> Shows {
    Shows::Page(idp().metadata(SSO))
}

/// With an attribute at its root.
fn attributed(attribute: &str) -> String {
    idp().metadata(SSO).replacen(" entityID", &format!(" {attribute} entityID"), 1)
}

fn federation(entities: &[String]) -> String {
    let all = entities.concat();
    format!("<md:EntitiesDescriptor xmlns:md=\"urn:oasis:names:tc:SAML:2.0:metadata\">{all}</md:EntitiesDescriptor>")
}

fn is_away(answer: &Answer, why: &str) {
    assert_eq!(answer.status, StatusCode::FAILED_DEPENDENCY, "{why}: {}", answer.body);
    assert!(answer.body.contains("<code>") && answer.body.contains("does not answer"), "{why}: {}", answer.body);
    for inside in ["127.0.0.1", "in-the-address", "validUntil", "DOCTYPE"] {
        assert!(!answer.body.contains(inside), "{why}: not what it is about: {inside}");
    }
    assert_eq!(answer.header("cache-control"), "no-store");
}

async fn leaves(house: &House) -> Answer {
    house.browser().get("/login/corp").await
}

#[tokio::test]
async fn metadata_that_cannot_be_used_is_told_in_time_and_stops_nothing_else() {
    let site = Site::open(Shows::Silence).await;
    let house = House::with(&site.configuration(INSIDE)).await;
    house.account("ben").await;
    let bomb = "<!DOCTYPE x [<!ENTITY a \"aaaaaaaaaa\"><!ENTITY b \"&a;&a;&a;&a;&a;&a;&a;&a;&a;&a;\">]>";
    let page = |text: String| Shows::Page(text);
    let fine = idp().metadata(SSO);
    let others = federation(&[fine.clone(), fine.replace(IDP, "https://other.example.org/saml")]);
    let cases = [
        ("silent", Shows::Silence),
        ("drips", Shows::Drips),
        ("endless", Shows::Endless),
        ("huge", page(" ".repeat(600 * 1024))),
        ("redirect", Shows::Status(302)),
        ("failing", Shows::Status(503)),
        ("not there", Shows::Status(404)),
        ("nothing", page(String::new())),
        ("no XML", page("{\"issuer\": 7}".to_owned())),
        ("a page", page("<html><body>Sign in</body></html>".to_owned())),
        ("document type", page(format!("<!DOCTYPE x SYSTEM \"{}/elsewhere\">{fine}", site.address))),
        ("entities", page(format!("{bomb}{}", fine.replace("/sso\"", "/sso&b;\"")))),
        ("over", page(attributed("validUntil=\"2026-11-21T18:05:00Z\""))),
        ("several", page(others)),
        ("a service", page(fine.replace("IDPSSODescriptor", "SPSSODescriptor"))),
        ("a script", page(fine.replace("https://idp.example.org/sso", "javascript:alert(1)//"))),
        ("cut off", page(fine[..fine.len() / 2].to_owned())),
    ];
    for (why, shows) in cases {
        site.shows(shows);
        house.after(Duration::from_secs(61));
        let begun = tokio::time::Instant::now();
        let (mut one, mut two) = (house.browser(), house.browser());
        let before = site.asked();
        let (first, second) = tokio::join!(one.get("/login/corp"), two.get("/login/corp"));
        assert!(begun.elapsed() <= Duration::from_secs(8), "{why}: {:?}", begun.elapsed());
        is_away(&first, why);
        is_away(&second, why);
        assert_eq!(site.asked(), before + 1, "{why}: of two who need the same, one asks");
        assert_eq!(brings(&house, "AAAA").await.status, StatusCode::FAILED_DEPENDENCY, "{why}");
        assert_eq!(house.browser().get("/login/corp/slo?SAMLRequest=x").await.status, StatusCode::FAILED_DEPENDENCY);
        assert_eq!(house.browser().get("/login/corp/metadata").await.status, StatusCode::OK, "{why}");
        assert_eq!(house.browser().signs_in("ben", PASSWORD).await.status, StatusCode::SEE_OTHER, "{why}");
    }
    assert_eq!(site.followed(), 0, "nothing is followed, and no document type is fetched");
    site.shows(Shows::Page(fine));
    house.after(Duration::from_secs(61));
    assert_eq!(leaves(&house).await.status, StatusCode::SEE_OTHER, "as soon as it can be used");
}

#[tokio::test]
async fn a_private_address_is_not_asked_unless_allowed_and_a_dead_one_is_told() {
    let site = Site::open(fine()).await;
    let house = House::with(&site.configuration("")).await;
    is_away(&leaves(&house).await, "private");
    assert_eq!(site.asked(), 0);
    let gone = Site::open(fine()).await;
    gone.closes();
    let text = gone.configuration(INSIDE).replace(&gone.address, "http://127.0.0.1:9");
    is_away(&leaves(&House::with(&text).await).await, "gone");
}

#[tokio::test]
async fn of_several_the_one_that_is_named_is_meant() {
    let fine = idp().metadata(SSO);
    let other = fine.replace(IDP, "https://other.example.org/saml").replace("idp.example.org", "evil.example");
    let site = Site::open(Shows::Page(federation(&[other.clone(), fine]))).await;
    let more = format!("{INSIDE}\nprovider_entity_id = {IDP:?}");
    let house = House::with(&site.configuration(&more)).await;
    let idp = idp();
    let done = signs_in(&house, &idp, &mut house.browser(), &Said::of("anna")).await;
    assert_eq!(done.status, StatusCode::SEE_OTHER, "{}", done.body);
    // Another one alone is not taken instead.
    let house = House::with(&site.configuration(&more)).await;
    site.shows(Shows::Page(other));
    is_away(&leaves(&house).await, "another entity");
}

#[tokio::test]
async fn it_is_read_again_in_time_and_a_key_that_was_given_up_counts_no_more() {
    let site = Site::open(fine()).await;
    let house = House::with(&site.configuration(INSIDE)).await;
    let refresh = async || house.app.saml.refresh(&house.operator()).await;
    let (old, new) = (idp(), Idp::new("idp-rsa2"));
    signs_in(&house, &old, &mut house.browser(), &Said::of("anna")).await;
    refresh().await;
    assert_eq!(site.asked(), 1, "not before its time");
    // First both certificates stand there, then the new one alone.
    let both =
        old.metadata(SSO).replacen("<md:KeyDescriptor", &format!("{}<md:KeyDescriptor", new.key_descriptor()), 1);
    for (shown, known) in [(both, [true, true]), (new.metadata(SSO), [false, true])] {
        site.shows(Shows::Page(shown));
        house.after(Duration::from_hours(1));
        refresh().await;
        for (idp, known) in [&old, &new].into_iter().zip(known) {
            let left = leaves(&house).await;
            let message = idp.response(&house, Some(&provider::id_in(left.location())), &Said::of("anna"));
            // The assertion's name is the same each time, so one that is believed is a replay.
            let message = brings(&house, &message).await;
            let wanted = if known { StatusCode::SEE_OTHER } else { StatusCode::FORBIDDEN };
            assert_eq!(message.status, wanted, "{}", idp.key);
            house.after(Duration::from_mins(20));
        }
    }
    assert_eq!(site.asked(), 3);
    site.shows(Shows::Page(attributed("cacheDuration=\"PT10M\"")));
    house.after(Duration::from_hours(1));
    refresh().await;
    for (later, asked) in [(9, 4), (1, 5)] {
        house.after(Duration::from_mins(later));
        refresh().await;
        assert_eq!(site.asked(), asked, "by its own word");
    }
}

#[tokio::test]
async fn pinned_metadata_counts_only_with_the_pinned_signature() {
    let folder = tempfile::tempdir().expect("a folder");
    let (idp, stranger) = (idp(), Idp::new("other"));
    let pins = folder.path().join("federation.pem");
    std::fs::write(&pins, provider::corpus("idp-rsa2.cert.pem")).expect("written");
    let site = Site::open(Shows::Page(idp.metadata(SSO))).await;
    let house = House::with(&site.configuration(&format!("{INSIDE}\nmetadata_certificate_file = {pins:?}"))).await;
    let signed = Idp::new("idp-rsa2").signed_metadata(&idp.metadata(SSO));
    for (why, text) in [
        ("unsigned", idp.metadata(SSO)),
        ("by its own key", idp.signed_metadata(&idp.metadata(SSO))),
        ("by a stranger", stranger.signed_metadata(&idp.metadata(SSO))),
        ("changed", signed.replace("https://idp.example.org/sso\"", "https://evil.example/sso\"")),
    ] {
        site.shows(Shows::Page(text));
        house.after(Duration::from_secs(61));
        is_away(&leaves(&house).await, why);
    }
    site.shows(Shows::Page(signed));
    house.after(Duration::from_secs(61));
    let done = signs_in(&house, &idp, &mut house.browser(), &Said::of("anna")).await;
    assert_eq!(done.status, StatusCode::SEE_OTHER, "{}", done.body);
    // Somebody who takes the site over changes nothing.
    site.shows(Shows::Page(stranger.signed_metadata(&stranger.metadata("https://evil.example/sso"))));
    house.after(Duration::from_hours(2));
    assert!(leaves(&house).await.location().starts_with(SSO), "what was known stays");
}

#[tokio::test]
async fn the_last_good_copy_is_used_until_its_end_after_a_restart_and_for_no_other_address() {
    let site = Site::open(Shows::Page(attributed("validUntil=\"2026-11-22T18:05:00Z\""))).await;
    let house = House::with(&site.configuration(INSIDE)).await;
    assert_eq!(leaves(&house).await.status, StatusCode::SEE_OTHER);
    site.shows(Shows::Status(503));
    house.after(Duration::from_hours(2));
    assert_eq!(leaves(&house).await.status, StatusCode::SEE_OTHER, "from memory");
    let again = house.reopened(&site.configuration(INSIDE)).await;
    let done = signs_in(&again, &idp(), &mut again.browser(), &Said::of("anna")).await;
    assert_eq!(done.status, StatusCode::SEE_OTHER, "after a restart: {}", done.body);
    let elsewhere = site.configuration(INSIDE).replace("/metadata?", "/other?");
    let other = house.reopened(&elsewhere).await;
    is_away(&leaves(&other).await, "the copy of another address");
    let again = house.reopened(&site.configuration(INSIDE)).await;
    again.after(Duration::from_mins(21 * 60 + 59));
    assert_eq!(leaves(&again).await.status, StatusCode::SEE_OTHER, "until its end");
    again.after(Duration::from_mins(1));
    is_away(&leaves(&again).await, "no longer than it says itself");
}

#[tokio::test]
async fn an_authority_of_ones_own_is_trusted_where_it_is_named() {
    let folder = tempfile::tempdir().expect("a folder");
    let (site, authority) = Site::encrypted(fine(), folder.path()).await;
    is_away(&leaves(&House::with(&site.configuration(INSIDE)).await).await, "an authority that nobody knows");
    let house = House::with(&site.configuration(&format!("{INSIDE}\nca_file = {authority:?}"))).await;
    assert_eq!(leaves(&house).await.status, StatusCode::SEE_OTHER);
}

#[test]
fn a_named_authority_that_is_none_is_told_before_the_start() {
    let folder = tempfile::tempdir().expect("a folder");
    let empty = folder.path().join("empty.pem");
    std::fs::write(&empty, "no certificate").expect("written");
    for (file, why) in [(folder.path().join("nowhere.pem"), "cannot be read"), (empty, "ca_file")] {
        let provider = "[[identity_provider]]\nslug = \"corp\"\nkind = \"saml\"\n\
                        metadata_url = \"https://idp.example.org/metadata\"\n";
        let place = Place::with("", &format!("{provider}ca_file = {file:?}\n"));
        let done = place.runs(&["check-config"], "");
        let said = String::from_utf8_lossy(&done.stderr).into_owned() + &String::from_utf8_lossy(&done.stdout);
        assert!(!done.status.success() && said.contains(why) && said.contains("identity_provider \"corp\""), "{said}");
    }
}
