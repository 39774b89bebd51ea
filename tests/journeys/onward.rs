//! Forms that lead on to a SAML provider: sent by themselves, by their button where scripts are off, and no trap for the back
//! button.

use crate::program::Place;
use crate::stage::Stage;
use crate::webdriver::{Browser, Habits};
use std::io::{Read, Write};
use std::net::TcpListener;

/// A provider's page that says what came; where it is.
fn provider() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = format!("http://{}", listener.local_addr().expect("an address"));
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let Ok(mut stream) = stream else { return };
            let mut question = vec![0; 64 * 1024];
            let length = stream.read(&mut question).unwrap_or(0);
            let posted = question.get(..length).is_some_and(|bytes| bytes.starts_with(b"POST /sso"));
            let page =
                format!("<title>Corp</title><p id=\"{}\">Corp is here</p>", if posted { "posted" } else { "asked" });
            let status = "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nConnection: close\r\n";
            // A browser that has gone away is none of the test's business.
            drop(write!(stream, "{status}Content-Length: {}\r\n\r\n{page}", page.len()));
        }
    });
    address
}

fn beside_it() -> (Stage, String) {
    let address = provider();
    let place = Place::with("", "");
    let certificate = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/corpus/saml/keys/idp-rsa.cert.pem");
    let certificate = std::fs::read_to_string(certificate).expect("a certificate");
    let certificate: String = certificate.lines().filter(|line| !line.starts_with("-----")).collect();
    let metadata = format!(
        "<md:EntityDescriptor xmlns:md=\"urn:oasis:names:tc:SAML:2.0:metadata\" entityID=\"{address}\"><md:IDPSSODescriptor \
         protocolSupportEnumeration=\"urn:oasis:names:tc:SAML:2.0:protocol\"><md:KeyDescriptor><ds:KeyInfo \
         xmlns:ds=\"http://www.w3.org/2000/09/xmldsig#\"><ds:X509Data><ds:X509Certificate>{certificate}</ds:X509Certificate>\
         </ds:X509Data></ds:KeyInfo></md:KeyDescriptor><md:SingleSignOnService \
         Binding=\"urn:oasis:names:tc:SAML:2.0:bindings:HTTP-POST\" Location=\"{address}/sso\"/></md:IDPSSODescriptor>\
         </md:EntityDescriptor>"
    );
    let file = place.folder().join("idp.xml");
    std::fs::write(&file, metadata).expect("written");
    let mut text = std::fs::File::options().append(true).open(place.folder().join("vestibule.toml")).expect("a file");
    let section = "[[identity_provider]]\nslug = \"corp\"\nname = \"Corp\"\nkind = \"saml\"";
    write!(text, "\n{section}\nmetadata_file = \"{}\"\n", file.display()).expect("written");
    (Stage::serves(place), address)
}

#[test]
fn a_form_is_sent_by_itself_and_the_back_button_leads_back_out_of_it() {
    let (stage, address) = beside_it();
    let browser = Browser::new();
    browser.goes(&stage.url("/login"));
    browser.clicks("a[href^='/login/corp']");
    browser.awaits_element("#posted");
    assert!(browser.url().starts_with(&address));
    browser.goes_back();
    browser.awaits_element("#username");
    assert_eq!(browser.url(), stage.url("/login"), "nobody is held between the two pages");
}

#[test]
fn without_scripts_a_button_sends_it() {
    let (stage, _) = beside_it();
    let browser = Browser::with(&Habits { scripts: false, ..Habits::default() });
    browser.goes(&stage.url("/login/corp"));
    assert!(browser.text().contains("On to Corp"), "{}", browser.text());
    browser.clicks("form[data-onward] button");
    browser.awaits_element("#posted");
}
