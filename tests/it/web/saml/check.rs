//! `vestibule idp check` for SAML: what is registered, what ends soon, what is wrong, and what to do about it.

use super::provider::Idp;
use crate::support::House;
use crate::support::openid::NOW;
use crate::support::saml_site::{Shows, Site};
use crate::support::told::Told;
use std::time::Duration;
use vestibule::service::caller::Operator;
use vestibule::service::saml::{Finding, Level, SamlError};

const SSO: &str = "https://idp.example.org/sso";
const INSIDE: &str = "allow_private_network = true\ntimeout = \"1s\"";

async fn checked(house: &House) -> Vec<Finding> {
    house.app.saml.check(&house.operator(), Operator::vouched(), "corp").await.expect("a provider")
}

fn at(findings: &[Finding], level: Level) -> String {
    let these = findings.iter().filter(|finding| finding.level == level);
    these.map(|finding| finding.text.as_str()).collect::<Vec<_>>().join("\n")
}

/// Metadata whose certificate ends so many days from now.
fn ending_in(days: u32) -> String {
    let key = rcgen::KeyPair::generate().expect("a key");
    let mut params = rcgen::CertificateParams::default();
    let day =
        jiff::Timestamp::from_second(NOW + i64::from(days) * 86_400).expect("a time").to_zoned(jiff::tz::TimeZone::UTC);
    let part = |part: i8| u8::try_from(part).expect("a day");
    params.not_after = rcgen::date_time_ymd(i32::from(day.year()), part(day.month()), part(day.day()));
    params.distinguished_name.push(rcgen::DnType::CommonName, "the key of Corp");
    let der = params.self_signed(&key).expect("a certificate").der().to_vec();
    let base64 = base64::Engine::encode(&base64::engine::general_purpose::STANDARD, der);
    let idp = Idp::new("idp-rsa");
    idp.metadata(SSO).replace(&idp.certificate(), &base64)
}

#[tokio::test]
async fn what_to_register_is_told_and_everything_is_in_order() {
    let site = Site::open(Shows::Page(Idp::new("idp-rsa").metadata(SSO))).await;
    let house = House::with(&site.configuration(INSIDE)).await;
    let findings = checked(&house).await;
    assert_eq!((at(&findings, Level::Wrong), at(&findings, Level::Warning)), (String::new(), String::new()));
    let fine = at(&findings, Level::Fine);
    for part in [
        "the metadata is read: https://idp.example.org/saml",
        "its clock goes as this machine's",
        "a certificate: ",
        "people sign in at https://idp.example.org/sso (by redirect)",
        "people sign in at https://idp.example.org/sso-post (by POST)",
        "people sign out at https://idp.example.org/slo",
        "entity ID http://localhost:8080/login/corp/metadata",
        "assertion consumer service (POST) http://localhost:8080/login/corp/acs",
        "single logout service (Redirect, POST) http://localhost:8080/login/corp/slo",
        "a key of ours: RSA 3072",
    ] {
        assert!(fine.contains(part), "{part} is not in {fine}");
    }
    assert!(!format!("{findings:?}").contains("in-the-address"), "what may be a secret in the address");
    let nobody = house.app.saml.check(&house.operator(), Operator::vouched(), "nobody").await;
    assert!(matches!(nobody, Err(SamlError::Unknown)));
}

#[tokio::test]
async fn a_clock_that_is_off_is_told() {
    let site = Site::open(Shows::Page(Idp::new("idp-rsa").metadata(SSO))).await;
    let house = House::with(&site.configuration(INSIDE)).await;
    for (clock, level, words) in [
        (NOW + 30, Level::Fine, "its clock is 30 s ahead of this machine's; up to 60 s are borne"),
        (
            NOW + 240,
            Level::Wrong,
            "its clock is 4 min ahead of this machine's; up to 60 s are borne\nSet both clocks by NTP",
        ),
        (NOW - 600, Level::Wrong, "its clock is 10 min behind this machine's"),
    ] {
        site.clock(clock);
        let findings = checked(&house).await;
        assert!(at(&findings, level).contains(words), "{findings:?}");
        assert_eq!(at(&findings, Level::Wrong).is_empty(), level == Level::Fine, "{findings:?}");
    }
}

#[tokio::test]
async fn what_ends_soon_is_told_in_time_and_in_the_log_as_well() {
    let site = Site::open(Shows::Page(ending_in(31))).await;
    let house = House::with(&site.configuration(INSIDE)).await;
    let log = Told::listens();
    house.app.saml.refresh(&house.operator()).await;
    assert!(at(&checked(&house).await, Level::Warning).is_empty());
    assert!(!log.text().contains("ends soon"), "{}", log.text());
    // A day later it is less than a month; the log says so with each reading.
    house.after(Duration::from_hours(36));
    house.app.saml.refresh(&house.operator()).await;
    let warning = at(&checked(&house).await, Level::Warning);
    assert!(
        warning.contains("the certificate CN=the key of Corp") && warning.contains("publish the new one"),
        "{warning}"
    );
    let said = log.text();
    assert!(
        said.contains("a certificate of an identity provider ends soon") && said.contains("provider=\"corp\""),
        "{said}"
    );
    site.shows(Shows::Page(ending_in(0)));
    let warning = at(&checked(&house).await, Level::Warning);
    assert!(warning.contains("ended on") && warning.contains("still counts"), "{warning}");
    let fine = Idp::new("idp-rsa").metadata(SSO);
    site.shows(Shows::Page(fine.replacen(" entityID", " validUntil=\"2026-11-23T12:00:00Z\" entityID", 1)));
    let warning = at(&checked(&house).await, Level::Warning);
    assert!(warning.contains("valid until 2026-11-23") && warning.contains("newer one"), "{warning}");
    site.shows(Shows::Page(fine.replace(&Idp::new("idp-rsa").certificate(), "AAAA")));
    let findings = checked(&house).await;
    assert!(at(&findings, Level::Wrong).contains("nobody can come in"), "{findings:?}");
}

#[tokio::test]
async fn metadata_that_cannot_be_read_is_told_with_what_to_do() {
    let site = Site::open(Shows::Status(404)).await;
    let cases = [
        (INSIDE, Shows::Status(404), "Look whether metadata_url is right"),
        (INSIDE, Shows::Status(302), "Set metadata_url to where the redirect leads."),
        (INSIDE, Shows::Silence, "Look whether this machine reaches the provider"),
        (INSIDE, Shows::Endless, "have the provider's own metadata"),
        (INSIDE, Shows::Page("<html/>".to_owned()), "metadata of a SAML 2.0 identity provider"),
        ("", Shows::Silence, "set allow_private_network = true"),
    ];
    for (more, shows, remedy) in cases {
        site.shows(shows);
        let house = House::with(&site.configuration(more)).await;
        let wrong = at(&checked(&house).await, Level::Wrong);
        assert!(wrong.contains("the metadata cannot be read") && wrong.contains(remedy), "{wrong}");
    }
    let folder = tempfile::tempdir().expect("a folder");
    let (site, _) = Site::encrypted(Shows::Silence, folder.path()).await;
    let house = House::with(&site.configuration(INSIDE)).await;
    let wrong = at(&checked(&house).await, Level::Wrong);
    assert!(wrong.contains("set ca_file to the certificate of that authority"), "{wrong}");
}
