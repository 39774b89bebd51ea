//! Against a provider of a second make: pysaml2, which reads our request and its signature, and answers.

use super::across_sites;
use super::provider::Idp;
use crate::support::House;
use http::StatusCode;
use std::path::Path;
use std::process::Command;
use vestibule::service::context::{Clock, Machine};

const METADATA: &str = "<md:EntityDescriptor xmlns:md=\"urn:oasis:names:tc:SAML:2.0:metadata\" \
    entityID=\"https://pysaml2.example.org/idp\"><md:IDPSSODescriptor WantAuthnRequestsSigned=\"true\" \
    protocolSupportEnumeration=\"urn:oasis:names:tc:SAML:2.0:protocol\"><md:KeyDescriptor use=\"signing\"><ds:KeyInfo \
    xmlns:ds=\"http://www.w3.org/2000/09/xmldsig#\"><ds:X509Data><ds:X509Certificate>CERTIFICATE</ds:X509Certificate>\
    </ds:X509Data></ds:KeyInfo></md:KeyDescriptor><md:SingleSignOnService \
    Binding=\"urn:oasis:names:tc:SAML:2.0:bindings:HTTP-Redirect\" Location=\"https://pysaml2.example.org/sso\"/>\
    </md:IDPSSODescriptor></md:EntityDescriptor>";

#[tokio::test]
async fn people_come_in_through_pysaml2() {
    let idp = Idp::new("idp-rsa2");
    idp.writes(&METADATA.replace("CERTIFICATE", &idp.certificate()));
    let house = House::with(&idp.configuration("")).await;
    // The provider has the machine's clock.
    house.after(Machine.now().since(house.clock.now()));
    let folder = tempfile::tempdir().expect("a folder");
    let write = |name: &str, text: &str| std::fs::write(folder.path().join(name), text).expect("written");
    write("sp.xml", &house.browser().get("/login/corp/metadata").await.body);
    let keys = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/corpus/saml/keys");
    let read = |name: &str| std::fs::read_to_string(keys.join(name)).expect("a key");
    write("key.pem", &read("idp-rsa2.key.pem"));
    write("cert.pem", &read("idp-rsa2.cert.pem"));
    #[expect(clippy::disallowed_methods, reason = "tests/run says where it has put pysaml2")]
    let python = std::env::var("VESTIBULE_PYSAML2").unwrap_or_else(|_| "python3".to_owned());
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/support/saml_peer.py");
    for mode in ["both", "assertion", "response"] {
        let mut browser = house.browser();
        let left = browser.get("/login/corp").await;
        let query = left.location().split_once('?').expect("a query").1.to_owned();
        let output =
            Command::new(&python).arg(&script).arg(folder.path()).args([&query, mode]).output().expect("python");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let message = String::from_utf8(output.stdout).expect("text");
        let came = across_sites(&house).post("/login/corp/acs", &[("SAMLResponse", message.trim())]).await;
        assert_eq!(came.status, StatusCode::SEE_OTHER, "{mode}: {}", came.body);
        browser.get(came.location()).await;
        assert!(browser.is_signed_in().await, "{mode}");
    }
    assert_eq!(house.named("anna").await.name, "Anna of Corp");
}
