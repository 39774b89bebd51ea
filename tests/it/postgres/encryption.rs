//! Encryption on the way to PostgreSQL: a good certificate or none of it, and nothing in the clear by accident.

use super::place_with;
use crate::support::postgres::Postgres;
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair};
use std::path::Path;
use std::process::Command;

/// Lets the server speak TLS with a certificate of its own making for these names; gives the certificate (PEM).
async fn encrypts(server: &Postgres, names: &[&str]) -> String {
    use sqlx::Executor;
    let key = KeyPair::generate().expect("a key");
    let names: Vec<_> = names.iter().map(|name| (*name).to_owned()).collect();
    let certificate = CertificateParams::new(names).expect("names").self_signed(&key).expect("a certificate").pem();
    for (name, text) in [("server.crt", &certificate), ("server.key", &key.serialize_pem())] {
        is_given(server, name, text);
    }
    server.by_hand("public").await.execute("ALTER SYSTEM SET ssl = on").await.expect("set");
    server.does("restart");
    certificate
}

/// Puts a file where the server reads it, as a file of its own.
fn is_given(server: &Postgres, name: &str, text: &str) {
    let data = server.folder.join("data");
    let file = data.join(name);
    std::fs::write(&file, text).expect("written");
    let private = Command::new("chmod").arg("600").arg(&file).status().expect("chmod");
    let owned = Command::new("chown").arg("--reference").arg(&data).arg(&file).status().expect("chown");
    assert!(private.success() && owned.success());
}

/// Writes a certificate of a role, and its key, under a name; gives that of the authority that signed it (PEM).
fn makes_a_client(folder: &Path, name: &str, role: &str) -> String {
    let mut params = CertificateParams::new(Vec::new()).expect("parameters");
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let authority = CertifiedIssuer::self_signed(params, KeyPair::generate().expect("a key")).expect("an authority");
    let mut params = CertificateParams::new(Vec::new()).expect("parameters");
    params.distinguished_name.push(DnType::CommonName, role);
    let key = KeyPair::generate().expect("a key");
    let certificate = params.signed_by(&key, &authority).expect("a certificate");
    std::fs::write(folder.join(format!("{name}.pem")), certificate.pem()).expect("written");
    std::fs::write(folder.join(format!("{name}.key")), key.serialize_pem()).expect("written");
    authority.pem()
}

#[tokio::test]
async fn a_server_that_knows_its_clients_by_certificate_lets_in_the_right_one_only() {
    let server = Postgres::own();
    let folder = tempfile::tempdir().expect("a folder");
    let file = |name: &str| folder.path().join(name).to_str().expect("UTF-8").to_owned();
    let known = makes_a_client(folder.path(), "ours", "vestibule");
    makes_a_client(folder.path(), "strange", "vestibule");
    is_given(&server, "clients.crt", &known);
    let rules = "local all all trust\nhostssl all all 127.0.0.1/32 cert\n";
    is_given(&server, "pg_hba.conf", rules);
    {
        use sqlx::Executor;
        let mut conn = server.by_hand("public").await;
        conn.execute("ALTER SYSTEM SET ssl_ca_file = 'clients.crt'").await.expect("set");
    }
    std::fs::write(file("ca.pem"), encrypts(&server, &["127.0.0.1"]).await).expect("written");
    let url = Postgres::url_at(server.port);
    let trusting = format!("tls = \"verified\"\nca_file = {:?}\n", file("ca.pem"));
    let as_client = |name: &str| {
        let (certificate, key) = (file(&format!("{name}.pem")), file(&format!("{name}.key")));
        place_with(&url, "known", &format!("{trusting}certificate_file = {certificate:?}\nkey_file = {key:?}"))
    };
    assert!(!place_with(&url, "known", &trusting).runs(&["migrate"], "").status.success(), "nobody in particular");
    assert!(!as_client("strange").runs(&["migrate"], "").status.success(), "of an authority that is not known there");
    let place = as_client("ours");
    let done = place.runs(&["migrate"], "");
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    place.makes_account("anna");
}

#[test]
fn a_certificate_without_its_key_or_without_encryption_is_refused() {
    let says = |more: &str| {
        let done = place_with("postgres://v@db.example.org/v", "v", more).runs(&["check-config"], "");
        (done.status.success(), String::from_utf8_lossy(&done.stderr).into_owned())
    };
    let (good, said) = says("certificate_file = \"c.pem\"");
    assert!(!good && said.contains("database.key_file"), "{said}");
    let (good, said) = says("key_file = \"c.key\"");
    assert!(!good && said.contains("database.certificate_file"), "{said}");
    let (good, said) = says("tls = \"danger_plain\"\ncertificate_file = \"c.pem\"\nkey_file = \"c.key\"");
    assert!(!good && said.contains("without encryption"), "{said}");
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
