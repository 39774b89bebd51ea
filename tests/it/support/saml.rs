//! A SAML provider in the test's hand: it signs what the test wants it to say.

use super::House;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use vestibule::service::context::Clock;

pub(crate) const IDP: &str = "https://idp.example.org/saml";

/// The provider.
#[derive(Clone)]
pub(crate) struct Idp {
    pub(crate) folder: Arc<tempfile::TempDir>,
    pub(crate) key: &'static str,
}

/// What it says of somebody.
#[derive(Clone, Copy)]
pub(crate) struct Said<'a> {
    pub(crate) user: &'a str,
    pub(crate) assertion: &'a str,
    pub(crate) session: &'a str,
    pub(crate) context: &'a str,
    pub(crate) groups: &'a [&'a str],
    /// Seconds before or after now.
    pub(crate) authn: i64,
    /// Until when a session may last, in seconds from now.
    pub(crate) ends: Option<i64>,
}

impl<'a> Said<'a> {
    pub(crate) fn of(user: &'a str) -> Self {
        let context = "urn:oasis:names:tc:SAML:2.0:ac:classes:PasswordProtectedTransport";
        Self { user, assertion: "_assertion-1", session: "_session-1", context, groups: &[], authn: -5, ends: None }
    }
}

pub(crate) fn corpus(name: &str) -> String {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/corpus/saml/keys");
    std::fs::read_to_string(folder.join(name)).expect("a key")
}

/// A house with this provider, called `corp`.
pub(crate) async fn house(more: &str) -> (House, Idp) {
    let idp = Idp::new("idp-rsa");
    idp.writes(&idp.metadata("https://idp.example.org/sso"));
    (House::with(&idp.configuration(more)).await, idp)
}

impl Idp {
    pub(crate) fn new(key: &'static str) -> Self {
        Self { folder: Arc::new(tempfile::tempdir().expect("a folder")), key }
    }

    fn file(&self) -> PathBuf {
        self.folder.path().join("idp.xml")
    }

    pub(crate) fn configuration(&self, more: &str) -> String {
        let file = self.file().display().to_string();
        format!(
            "[[identity_provider]]\nslug = \"corp\"\nname = \"Corp\"\nkind = \"saml\"\nmetadata_file = {file:?}\n{more}\n"
        )
    }

    pub(crate) fn writes(&self, metadata: &str) {
        std::fs::write(self.file(), metadata).expect("written");
    }

    pub(crate) fn certificate(&self) -> String {
        corpus(&format!("{}.cert.pem", self.key)).lines().filter(|line| !line.starts_with("-----")).collect()
    }

    pub(crate) fn metadata(&self, sso: &str) -> String {
        let bindings = "urn:oasis:names:tc:SAML:2.0:bindings";
        format!(
            "<md:EntityDescriptor xmlns:md=\"urn:oasis:names:tc:SAML:2.0:metadata\" entityID=\"{IDP}\"><md:IDPSSODescriptor \
             protocolSupportEnumeration=\"urn:oasis:names:tc:SAML:2.0:protocol\">{}<md:SingleLogoutService Binding=\"{bindings}:HTTP-Redirect\" \
             Location=\"https://idp.example.org/slo\"/><md:SingleSignOnService Binding=\"{bindings}:HTTP-Redirect\" \
             Location=\"{sso}\"/><md:SingleSignOnService Binding=\"{bindings}:HTTP-POST\" \
             Location=\"{sso}-post\"/></md:IDPSSODescriptor></md:EntityDescriptor>",
            self.key_descriptor()
        )
    }

    /// How metadata names its certificate.
    pub(crate) fn key_descriptor(&self) -> String {
        format!(
            "<md:KeyDescriptor use=\"signing\"><ds:KeyInfo xmlns:ds=\"http://www.w3.org/2000/09/xmldsig#\"><ds:X509Data>\
             <ds:X509Certificate>{}</ds:X509Certificate></ds:X509Data></ds:KeyInfo></md:KeyDescriptor>",
            self.certificate()
        )
    }

    /// Metadata with its signature, where metadata has it.
    pub(crate) fn signed_metadata(&self, xml: &str) -> String {
        // The library puts a signature behind the issuer, which metadata does not have.
        let before = saml_rs::entity::SignatureConfig {
            prefix: "ds".to_owned(),
            reference: Some("/*[local-name(.)='EntityDescriptor']/*[local-name(.)='IDPSSODescriptor']".to_owned()),
            action: saml_rs::entity::SignatureAction::Before,
        };
        self.signs(&xml.replacen(" entityID", " ID=\"_metadata\" entityID", 1), Some(&before))
    }

    /// The value of `SAMLResponse`.
    pub(crate) fn response(&self, house: &House, request: Option<&str>, said: &Said<'_>) -> String {
        let at = |seconds: i64| moment(house, seconds);
        let asked = request.map(|id| format!(" InResponseTo=\"{id}\"")).unwrap_or_default();
        let acs = "http://localhost:8080/login/corp/acs";
        let groups: Vec<_> =
            said.groups.iter().map(|one| format!("<saml:AttributeValue>{one}</saml:AttributeValue>")).collect();
        let user = said.user;
        let ends = said.ends.map(|seconds| format!(" SessionNotOnOrAfter=\"{}\"", at(seconds))).unwrap_or_default();
        let xml = format!(
            "<samlp:Response xmlns:samlp=\"urn:oasis:names:tc:SAML:2.0:protocol\" \
             xmlns:saml=\"urn:oasis:names:tc:SAML:2.0:assertion\" ID=\"_r{}\" Version=\"2.0\" IssueInstant=\"{}\" \
             Destination=\"{acs}\"{asked}><saml:Issuer>{IDP}</saml:Issuer><samlp:Status><samlp:StatusCode \
             Value=\"urn:oasis:names:tc:SAML:2.0:status:Success\"/></samlp:Status><saml:Assertion ID=\"{}\" Version=\"2.0\" \
             IssueInstant=\"{}\"><saml:Issuer>{IDP}</saml:Issuer><saml:Subject><saml:NameID \
             Format=\"urn:oasis:names:tc:SAML:2.0:nameid-format:persistent\">id-of-{user}</saml:NameID><saml:SubjectConfirmation \
             Method=\"urn:oasis:names:tc:SAML:2.0:cm:bearer\"><saml:SubjectConfirmationData NotOnOrAfter=\"{}\" \
             Recipient=\"{acs}\"{asked}/></saml:SubjectConfirmation></saml:Subject><saml:Conditions NotBefore=\"{}\" \
             NotOnOrAfter=\"{}\"><saml:AudienceRestriction><saml:Audience>http://localhost:8080/login/corp/metadata\
             </saml:Audience></saml:AudienceRestriction></saml:Conditions><saml:AuthnStatement AuthnInstant=\"{}\" \
             SessionIndex=\"{}\"{ends}><saml:AuthnContext><saml:AuthnContextClassRef>{}</saml:AuthnContextClassRef>\
             </saml:AuthnContext></saml:AuthnStatement><saml:AttributeStatement><saml:Attribute \
             Name=\"urn:oid:0.9.2342.19200300.100.1.1\" FriendlyName=\"uid\"><saml:AttributeValue>{user}</saml:AttributeValue>\
             </saml:Attribute><saml:Attribute Name=\"urn:oid:0.9.2342.19200300.100.1.3\" FriendlyName=\"mail\">\
             <saml:AttributeValue>{user}@example.org</saml:AttributeValue></saml:Attribute><saml:Attribute \
             Name=\"displayName\"><saml:AttributeValue>Anna of Corp</saml:AttributeValue></saml:Attribute><saml:Attribute \
             Name=\"groups\">{}</saml:Attribute></saml:AttributeStatement></saml:Assertion></samlp:Response>",
            said.assertion,
            at(0),
            said.assertion,
            at(0),
            at(300),
            at(-60),
            at(300),
            at(said.authn),
            said.session,
            said.context,
            groups.concat(),
        );
        STANDARD.encode(self.signed(&xml))
    }

    /// The value of `SAMLResponse` when it says no, with this code inside.
    pub(crate) fn declines(&self, house: &House, request: &str, code: &str) -> String {
        let status = "urn:oasis:names:tc:SAML:2.0:status";
        let xml = format!(
            "<samlp:Response xmlns:samlp=\"urn:oasis:names:tc:SAML:2.0:protocol\" \
             xmlns:saml=\"urn:oasis:names:tc:SAML:2.0:assertion\" ID=\"_no\" Version=\"2.0\" IssueInstant=\"{}\" \
             Destination=\"http://localhost:8080/login/corp/acs\" InResponseTo=\"{request}\"><saml:Issuer>{IDP}</saml:Issuer>\
             <samlp:Status><samlp:StatusCode Value=\"{status}:Responder\"><samlp:StatusCode Value=\"{status}:{code}\"/>\
             </samlp:StatusCode></samlp:Status></samlp:Response>",
            moment(house, 0)
        );
        STANDARD.encode(self.signed(&xml))
    }

    /// Signs the root, as providers do.
    pub(crate) fn signed(&self, xml: &str) -> String {
        self.signs(xml, None)
    }

    fn signs(&self, xml: &str, place: Option<&saml_rs::entity::SignatureConfig>) -> String {
        let key = saml_rs::crypto::keys::load_private_key(&corpus(&format!("{}.key.pem", self.key)), None);
        let transforms =
            ["http://www.w3.org/2000/09/xmldsig#enveloped-signature", "http://www.w3.org/2001/10/xml-exc-c14n#"];
        saml_rs::crypto::construct_saml_signature(
            xml,
            true,
            &key.expect("a key"),
            &self.certificate(),
            "http://www.w3.org/2001/04/xmldsig-more#rsa-sha256",
            &transforms.map(str::to_owned),
            place,
        )
        .expect("signed")
    }

    /// The query of a message that goes by redirect.
    pub(crate) fn query(&self, xml: &str, response: bool) -> String {
        self.query_with(xml, response, None)
    }

    /// The same with something that is to come back.
    pub(crate) fn query_with(&self, xml: &str, response: bool, relay_state: Option<&str>) -> String {
        let algorithm = "http://www.w3.org/2001/04/xmldsig-more#rsa-sha256";
        let key =
            saml_rs::crypto::keys::load_private_key(&corpus(&format!("{}.key.pem", self.key)), None).expect("a key");
        let kind = if response {
            saml_rs::constants::ParserType::LogoutResponse
        } else {
            saml_rs::constants::ParserType::LogoutRequest
        };
        let octets = saml_rs::binding::build_redirect_octet(kind, xml, relay_state, algorithm).expect("octets");
        let signature = saml_rs::crypto::construct_message_signature(&octets, &key, algorithm).expect("signed");
        let url = saml_rs::binding::append_signature("", &octets, &signature);
        url.trim_start_matches('?').to_owned()
    }
}

/// Where logout messages of the provider `corp` go.
pub(crate) const SLO: &str = "http://localhost:8080/login/corp/slo";

/// A logout message of the provider, not signed yet.
pub(crate) fn logout_message(house: &House, name: &str, id: &str, more: &str, inside: &str) -> String {
    format!(
        "<samlp:{name} xmlns:samlp=\"urn:oasis:names:tc:SAML:2.0:protocol\" xmlns:saml=\"urn:oasis:names:tc:SAML:2.0:assertion\" \
         ID=\"{id}\" Version=\"2.0\" IssueInstant=\"{}\" Destination=\"{SLO}\"{more}><saml:Issuer>{IDP}</saml:Issuer>{inside}\
         </samlp:{name}>",
        moment(house, 0)
    )
}

/// A request to end the sessions of somebody, or one of them.
pub(crate) fn logout_request(house: &House, id: &str, user: &str, session: Option<&str>) -> String {
    let index = session.map(|one| format!("<samlp:SessionIndex>{one}</samlp:SessionIndex>")).unwrap_or_default();
    logout_message(house, "LogoutRequest", id, "", &format!("<saml:NameID>id-of-{user}</saml:NameID>{index}"))
}

/// A point in time of the house's clock.
pub(crate) fn moment(house: &House, seconds: i64) -> String {
    let now = house.clock.now().millis() + seconds * 1000;
    jiff::Timestamp::from_millisecond(now).expect("a time").strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

/// The message in an address.
pub(crate) fn xml_in(location: &str) -> String {
    let url = url::Url::parse(location).expect("an address");
    let value =
        url.query_pairs().find(|(name, _)| name == "SAMLRequest" || name == "SAMLResponse").expect("a message").1;
    let deflated = STANDARD.decode(value.as_bytes()).expect("base64");
    String::from_utf8(saml_rs::binding::deflate_raw_decode(&deflated).expect("deflated")).expect("text")
}

/// The identifier of the message in an address.
pub(crate) fn id_in(location: &str) -> String {
    attribute(&xml_in(location), "ID")
}

/// An attribute of the root.
pub(crate) fn attribute(xml: &str, name: &str) -> String {
    let mark = format!(" {name}=\"");
    xml.split_once(&mark).expect("an attribute").1.split('"').next().expect("its end").to_owned()
}
