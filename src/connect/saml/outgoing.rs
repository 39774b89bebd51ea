//! What we send: authentication requests, logout requests and answers, our metadata. Written here, signed by the library.

use super::gate::{ASSERTION, DSIG, PROTOCOL};
use super::party::ServiceKey;
use super::reading::{NameId, SUCCESS};
use super::refusal::{Reason, Refusal};
use crate::domain::time::Timestamp;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use quick_xml::escape::escape;
use saml_rs::SamlError;
use saml_rs::binding::{append_signature, build_redirect_octet, build_redirect_url};
use saml_rs::constants::ParserType;
use saml_rs::crypto::keys::load_private_key;
use saml_rs::crypto::{construct_message_signature, construct_saml_signature};
use std::fmt::Write;
use url::Url;

const RSA_SHA256: &str = "http://www.w3.org/2001/04/xmldsig-more#rsa-sha256";
const TRANSFORMS: [&str; 2] =
    ["http://www.w3.org/2000/09/xmldsig#enveloped-signature", "http://www.w3.org/2001/10/xml-exc-c14n#"];
/// Some provider session could not be ended everywhere (core §3.2.2.2).
const PARTIAL: &str = "urn:oasis:names:tc:SAML:2.0:status:PartialLogout";
const RESPONDER: &str = "urn:oasis:names:tc:SAML:2.0:status:Responder";
const REQUESTER: &str = "urn:oasis:names:tc:SAML:2.0:status:Requester";

/// Which form field or parameter a message travels in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Field {
    /// `SAMLRequest`.
    Request,
    /// `SAMLResponse`.
    Response,
}

impl Field {
    /// Its name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Request => "SAMLRequest",
            Self::Response => "SAMLResponse",
        }
    }
}

/// A message of ours, not yet on its way.
#[derive(Clone, Debug)]
pub struct Message {
    xml: String,
    field: Field,
}

/// What is asked of a provider.
#[derive(Clone, Debug)]
pub struct AuthnRequest<'a> {
    /// A fresh identifier, unguessable.
    pub id: &'a str,
    /// Now.
    pub at: Timestamp,
    /// Where it goes.
    pub destination: &'a Url,
    /// Who we are.
    pub issuer: &'a str,
    /// Where the answer comes.
    pub acs: &'a str,
    /// The person is to prove themselves anew.
    pub force_authn: bool,
    /// The kind of name that is wanted; `None` leaves it to the provider.
    pub name_id_format: Option<&'a str>,
    /// One of these ways to sign in is demanded; empty is any.
    pub contexts: &'a [String],
}

impl AuthnRequest<'_> {
    /// Writes it (core §3.4.1).
    #[must_use]
    pub fn message(&self) -> Message {
        let force = if self.force_authn { " ForceAuthn=\"true\"" } else { "" };
        let format = self.name_id_format.map(|one| format!(" Format=\"{}\"", escape(one))).unwrap_or_default();
        let mut contexts = String::new();
        for class in self.contexts {
            let _ = write!(contexts, "<saml:AuthnContextClassRef>{}</saml:AuthnContextClassRef>", escape(class));
        }
        if !contexts.is_empty() {
            contexts =
                format!("<samlp:RequestedAuthnContext Comparison=\"exact\">{contexts}</samlp:RequestedAuthnContext>");
        }
        let inside = format!("<samlp:NameIDPolicy{format} AllowCreate=\"true\"/>{contexts}");
        let more = format!(
            "{force} ProtocolBinding=\"urn:oasis:names:tc:SAML:2.0:bindings:HTTP-POST\" AssertionConsumerServiceURL=\"{}\"",
            escape(self.acs)
        );
        let head = Head { id: self.id, at: self.at, destination: self.destination, issuer: self.issuer };
        Message { xml: head.around("AuthnRequest", &more, &inside), field: Field::Request }
    }
}

/// What every message of ours begins with.
#[derive(Clone, Copy, Debug)]
pub struct Head<'a> {
    /// A fresh identifier, unguessable.
    pub id: &'a str,
    /// Now.
    pub at: Timestamp,
    /// Where it goes.
    pub destination: &'a Url,
    /// Who we are.
    pub issuer: &'a str,
}

impl Head<'_> {
    fn around(&self, name: &str, more: &str, inside: &str) -> String {
        format!(
            "<samlp:{name} xmlns:samlp=\"{PROTOCOL}\" xmlns:saml=\"{ASSERTION}\" ID=\"{}\" Version=\"2.0\" \
             IssueInstant=\"{}\" Destination=\"{}\"{more}><saml:Issuer>{}</saml:Issuer>{inside}</samlp:{name}>",
            escape(self.id),
            utc(self.at),
            escape(self.destination.as_str()),
            escape(self.issuer),
        )
    }

    /// Asks a provider to end a session of this subject (core §3.7.1).
    #[must_use]
    pub fn logout_request(&self, subject: &NameId, session_index: Option<&str>) -> Message {
        let attribute = |name: &str, value: &Option<String>| {
            value.as_ref().map(|value| format!(" {name}=\"{}\"", escape(value))).unwrap_or_default()
        };
        let mut inside = format!(
            "<saml:NameID{}{}{}>{}</saml:NameID>",
            attribute("NameQualifier", &subject.name_qualifier),
            attribute("SPNameQualifier", &subject.sp_name_qualifier),
            attribute("Format", &subject.format),
            escape(&subject.value)
        );
        if let Some(index) = session_index {
            let _ = write!(inside, "<samlp:SessionIndex>{}</samlp:SessionIndex>", escape(index));
        }
        let more = format!(" NotOnOrAfter=\"{}\"", utc(self.at.after(std::time::Duration::from_mins(5))));
        Message { xml: self.around("LogoutRequest", &more, &inside), field: Field::Request }
    }

    /// Answers a provider's request to end sessions (core §3.7.2).
    #[must_use]
    pub fn logout_response(&self, in_response_to: &str, ended: Ended) -> Message {
        let status = match ended {
            Ended::All => format!("<samlp:StatusCode Value=\"{SUCCESS}\"/>"),
            Ended::Some => {
                format!(
                    "<samlp:StatusCode Value=\"{RESPONDER}\"><samlp:StatusCode Value=\"{PARTIAL}\"/></samlp:StatusCode>"
                )
            }
            Ended::Refused => format!("<samlp:StatusCode Value=\"{REQUESTER}\"/>"),
        };
        let more = format!(" InResponseTo=\"{}\"", escape(in_response_to));
        let inside = format!("<samlp:Status>{status}</samlp:Status>");
        Message { xml: self.around("LogoutResponse", &more, &inside), field: Field::Response }
    }
}

/// How a provider's logout request went.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ended {
    /// All sessions that it meant are over, or there were none.
    All,
    /// Some sessions may live on.
    Some,
    /// The request was wrong.
    Refused,
}

impl Message {
    /// In which field it travels.
    #[must_use]
    pub const fn field(&self) -> Field {
        self.field
    }

    /// The address that brings it by HTTP-Redirect (bindings §3.4): deflated, and signed in the query.
    ///
    /// # Errors
    /// [`Reason::Metadata`] when our key cannot be used.
    pub fn by_redirect(
        &self,
        to: &Url,
        relay_state: Option<&str>,
        signer: Option<&ServiceKey>,
    ) -> Result<String, Refusal> {
        let parser = match self.field {
            Field::Request => ParserType::SamlRequest,
            Field::Response => ParserType::LogoutResponse,
        };
        let Some(signer) = signer else {
            return build_redirect_url(to.as_str(), parser, &self.xml, relay_state).map_err(|error| ours(&error));
        };
        let made = || {
            let octets = build_redirect_octet(parser, &self.xml, relay_state, RSA_SHA256)?;
            let key = load_private_key(signer.private.expose(), None)?;
            let signature = construct_message_signature(&octets, &key, RSA_SHA256)?;
            Ok(append_signature(to.as_str(), &octets, &signature))
        };
        made().map_err(|error: SamlError| ours(&error))
    }

    /// The value of the form field that brings it by HTTP-POST (bindings §3.5).
    ///
    /// # Errors
    /// [`Reason::Metadata`] when our key cannot be used.
    pub fn by_post(&self, signer: Option<&ServiceKey>) -> Result<String, Refusal> {
        let Some(signer) = signer else { return Ok(STANDARD.encode(&self.xml)) };
        let made = || {
            let key = load_private_key(signer.private.expose(), None)?;
            let transforms = TRANSFORMS.map(str::to_owned);
            let certificate = signer.certificate_base64();
            construct_saml_signature(&self.xml, true, &key, &certificate, RSA_SHA256, &transforms, None)
        };
        made().map(|xml| STANDARD.encode(xml)).map_err(|error: SamlError| ours(&error))
    }
}

fn ours(error: &SamlError) -> Refusal {
    Reason::Metadata.because(format!("our message could not be made: {error}"))
}

/// What our metadata says.
pub struct OwnMetadata<'a> {
    /// Who we are.
    pub entity_id: &'a str,
    /// Where responses come.
    pub acs: &'a str,
    /// Where logout messages come, in both bindings.
    pub slo: &'a str,
    /// All keys of ours, the newest first.
    pub keys: &'a [ServiceKey],
    /// Authentication requests are signed.
    pub signs_requests: bool,
    /// The kind of name that is wanted.
    pub name_id_format: Option<&'a str>,
    /// AES-CBC is accepted.
    pub allows_cbc: bool,
}

impl OwnMetadata<'_> {
    /// Writes it (metadata §2.4.4).
    #[must_use]
    pub fn xml(&self) -> String {
        let mut keys = String::new();
        let mut methods = String::new();
        let gcm = ["2009/xmlenc11#aes256-gcm", "2009/xmlenc11#aes128-gcm"];
        let cbc = ["2001/04/xmlenc#aes256-cbc", "2001/04/xmlenc#aes128-cbc"];
        let cbc = if self.allows_cbc { cbc.as_slice() } else { &[] };
        for method in gcm.iter().chain(cbc).chain(&["2001/04/xmlenc#rsa-oaep-mgf1p"]) {
            let _ = write!(methods, "<md:EncryptionMethod Algorithm=\"http://www.w3.org/{method}\"/>");
        }
        for usage in ["signing", "encryption"] {
            for key in self.keys {
                let methods = if usage == "encryption" { methods.as_str() } else { "" };
                let _ = write!(
                    keys,
                    "<md:KeyDescriptor use=\"{usage}\"><ds:KeyInfo xmlns:ds=\"{DSIG}\"><ds:X509Data><ds:X509Certificate>{}\
                     </ds:X509Certificate></ds:X509Data></ds:KeyInfo>{methods}</md:KeyDescriptor>",
                    key.certificate_base64()
                );
            }
        }
        let format = self.name_id_format.map(|one| format!("<md:NameIDFormat>{}</md:NameIDFormat>", escape(one)));
        let (slo, acs) = (escape(self.slo), escape(self.acs));
        let bindings = "urn:oasis:names:tc:SAML:2.0:bindings";
        format!(
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<md:EntityDescriptor xmlns:md=\"urn:oasis:names:tc:SAML:2.0:metadata\" \
             entityID=\"{}\" cacheDuration=\"P1D\"><md:SPSSODescriptor AuthnRequestsSigned=\"{}\" \
             WantAssertionsSigned=\"true\" protocolSupportEnumeration=\"{PROTOCOL}\">{keys}\
             <md:SingleLogoutService Binding=\"{bindings}:HTTP-Redirect\" Location=\"{slo}\"/>\
             <md:SingleLogoutService Binding=\"{bindings}:HTTP-POST\" Location=\"{slo}\"/>{}\
             <md:AssertionConsumerService Binding=\"{bindings}:HTTP-POST\" Location=\"{acs}\" index=\"0\" isDefault=\"true\"/>\
             </md:SPSSODescriptor></md:EntityDescriptor>\n",
            escape(self.entity_id),
            self.signs_requests,
            format.unwrap_or_default(),
        )
    }
}

/// A point in time as SAML writes it (core §1.3.3).
fn utc(at: Timestamp) -> String {
    jiff::Timestamp::from_millisecond(at.millis()).unwrap_or_default().strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}
