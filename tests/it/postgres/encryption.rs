//! Encryption on the way to PostgreSQL: a good certificate or none of it, and nothing in the clear by accident.

use super::place_with;
use crate::support::postgres::Postgres;
use rcgen::{CertificateParams, KeyPair};
use std::process::Command;

/// Lets the server speak TLS with a certificate of its own making for these names; gives the certificate (PEM).
async fn encrypts(server: &Postgres, names: &[&str]) -> String {
    use sqlx::Executor;
    let key = KeyPair::generate().expect("a key");
    let names: Vec<_> = names.iter().map(|name| (*name).to_owned()).collect();
    let certificate = CertificateParams::new(names).expect("names").self_signed(&key).expect("a certificate").pem();
    let data = server.folder.join("data");
    for (name, text) in [("server.crt", certificate.clone()), ("server.key", key.serialize_pem())] {
        let file = data.join(name);
        std::fs::write(&file, text).expect("written");
        let private = Command::new("chmod").arg("600").arg(&file).status().expect("chmod");
        let owned = Command::new("chown").arg("--reference").arg(&data).arg(&file).status().expect("chown");
        assert!(private.success() && owned.success());
    }
    server.by_hand("public").await.execute("ALTER SYSTEM SET ssl = on").await.expect("set");
    server.does("restart");
    certificate
}

#[tokio::test]
async fn a_server_is_believed_by_its_certificate_and_name_only() {
    let server = Postgres::own();
    let url = Postgres::url_at(server.port);
    let fails = |more: &str, expected: &str| {
        let done = place_with(&url, "encrypted", more).runs(&["migrate"], "");
        let said = String::from_utf8_lossy(&done.stderr).into_owned();
        assert!(!done.status.success() && said.contains(expected), "{more}: {said}");
    };
    fails("tls = \"verified\"", "does not support TLS");
    fails("tls = \"verified\"", "danger_plain");
    let folder = tempfile::tempdir().expect("a folder");
    let authority = folder.path().join("ca.pem");
    let trusting = format!("tls = \"verified\"\nca_file = {:?}", authority.to_str().expect("UTF-8"));
    std::fs::write(&authority, encrypts(&server, &["elsewhere.example"]).await).expect("written");
    fails("tls = \"verified\"", "certificate");
    fails(&trusting, "certificate");
    std::fs::write(&authority, encrypts(&server, &["127.0.0.1"]).await).expect("written");
    let place = place_with(&url, "encrypted", &trusting);
    assert!(place.runs(&["migrate"], "").status.success());
    place.makes_account("anna");
    assert!(place_with(&url, "encrypted", "tls = \"danger_unverified\"").runs(&["migrate"], "").status.success());
}

#[test]
fn check_config_names_a_missing_authority_and_warns_of_plain_text() {
    let place = place_with("postgres://v@db.example.org/v", "v", "tls = \"danger_plain\"");
    let done = place.runs(&["check-config"], "");
    let said = String::from_utf8_lossy(&done.stderr).into_owned();
    assert!(done.status.success() && said.contains("unencrypted"), "{said}");
    let place = place_with("postgres://v@db.example.org/v", "v", "ca_file = \"missing.pem\"");
    let done = place.runs(&["check-config"], "");
    let said = String::from_utf8_lossy(&done.stderr).into_owned();
    assert!(!done.status.success() && said.contains("missing.pem"), "{said}");
}
