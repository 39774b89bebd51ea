//! Why a SAML message is not believed. The reason is for the trace and the tests; people see one and the same page for all.

/// Why a message is not believed: a reason to count and compare, and words for the person who looks for the mistake.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}: {detail}", .reason.as_str())]
pub struct Refusal {
    /// What is wrong.
    pub reason: Reason,
    /// What exactly; never shown to the browser.
    pub detail: String,
    /// Who says so.
    pub judge: Judge,
}

/// Who refuses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Judge {
    /// The gate that all messages pass before anything else.
    Gate,
    /// Our own rules: for us, now, the answer to the question.
    Rules,
    /// `saml-rs`.
    First,
    /// `samael`, and the comparison of the two.
    Second,
    /// What this service remembers: questions and assertions.
    Memory,
}

impl Judge {
    /// As written to the trace.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Gate => "gate",
            Self::Rules => "rules",
            Self::First => "first_verifier",
            Self::Second => "second_verifier",
            Self::Memory => "memory",
        }
    }
}

impl Refusal {
    /// From what this service remembers.
    #[must_use]
    pub fn from_memory(reason: Reason, detail: &str) -> Self {
        reason.because(detail).by(Judge::Memory)
    }

    pub(super) fn by(self, judge: Judge) -> Self {
        Self { judge, ..self }
    }

    /// What exactly, where the words are ours: those of the verifiers may repeat what a message says of a person.
    #[must_use]
    pub fn own_words(&self) -> Option<&str> {
        let ours = matches!(self.judge, Judge::Gate | Judge::Rules | Judge::Memory);
        ours.then_some(self.detail.as_str())
    }
}

macro_rules! reasons {
    ($($(#[$doc:meta])+ $name:ident = $text:literal,)+) => {
        /// What is wrong with a message.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum Reason { $($(#[$doc])+ $name,)+ }

        impl Reason {
            /// As written to the trace.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$name => $text,)+ }
            }
        }
    };
}

reasons! {
    /// The transport's wrapping (base64, DEFLATE, the form) cannot be undone.
    Encoding = "encoding",
    /// Larger, deeper or more than a message needs.
    TooLarge = "too_large",
    /// No well-formed XML.
    Malformed = "malformed",
    /// XML that SAML does not need: document type, comment, entity, foreign namespace and so on.
    Forbidden = "forbidden",
    /// Not the elements that such a message has, or one of them twice.
    Structure = "structure",
    /// A signature stands where none belongs, or covers something else than its parent.
    SignatureShape = "signature_shape",
    /// An algorithm that is weak, unknown or not allowed.
    Algorithm = "algorithm",
    /// Nothing in it is signed.
    Unsigned = "unsigned",
    /// No certificate is known to check a signature with.
    NoCertificate = "no_certificate",
    /// No known certificate made this signature.
    Signature = "signature",
    /// It does not decrypt with any key of ours.
    Decryption = "decryption",
    /// The two verifiers do not read the same.
    Disagreement = "disagreement",
    /// The second verifier failed, took too long or is busy.
    Verifier = "verifier",
    /// The provider reports a failure.
    Status = "status",
    /// Somebody else's message.
    Issuer = "issuer",
    /// Meant for another address.
    Destination = "destination",
    /// The answer to another question, or to none.
    InResponseTo = "in_response_to",
    /// Not one subject, or none that can be relied on.
    Subject = "subject",
    /// No bearer confirmation holds: recipient, question or time.
    Confirmation = "confirmation",
    /// Meant for another service, or for everybody.
    Audience = "audience",
    /// The conditions are missing or not understood.
    Conditions = "conditions",
    /// No longer valid.
    Expired = "expired",
    /// Not valid yet, or issued in the future.
    NotYet = "not_yet",
    /// How the person signed in there is not said, or is not what was asked for.
    AuthnStatement = "authn_statement",
    /// Seen before.
    Replay = "replay",
    /// Metadata that cannot be used.
    Metadata = "metadata",
}

impl Reason {
    /// With the words for whoever looks for the mistake.
    pub(super) fn because(self, detail: impl Into<String>) -> Refusal {
        let mut detail: String = detail.into();
        if let Some((end, _)) = detail.char_indices().nth(300) {
            detail.truncate(end);
        }
        Refusal { reason: self, detail: detail.replace(char::is_control, " "), judge: Judge::Gate }
    }
}
