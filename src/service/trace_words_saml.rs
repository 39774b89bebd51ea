//! What to do about an answer of a SAML provider that was not believed, by the reason. The rest of a trace's words is in
//! `trace_words.rs`.

/// What to do; `None` for a reason that is none of SAML's, or says everything.
pub(super) fn known(reason: &str) -> Option<&'static str> {
    Some(match reason {
        "encoding" | "malformed" | "structure" | "forbidden" | "too_large" => {
            "The message is not what the browser profile allows; no honest provider sends such by accident. If it happens always, \
             look which software the provider is, and at its log."
        }
        "signature_shape" | "disagreement" => {
            "The signature does not cover what was read. Somebody may have changed the message: tell whoever runs the provider."
        }
        "algorithm" => {
            "Have the provider sign with RSA or ECDSA over SHA-256 or better, and encrypt with AES-GCM and RSA-OAEP."
        }
        "unsigned" => "Have the provider sign the response, or the assertion.",
        "no_certificate" | "signature" => {
            "No certificate of the metadata made this signature. If it happens always, the provider signs with a key that its \
             metadata does not name: read it anew with `vestibule idp check`, or save it anew as metadata_file."
        }
        "decryption" => {
            "It is encrypted for none of our keys: have the provider read our metadata again, and encrypt with AES-GCM."
        }
        "verifier" => "Verifying took too long, or failed; look into the log under this reference.",
        "issuer" => {
            "The answer came from another provider than the one that was asked: look at provider_entity_id and at the metadata."
        }
        "destination" | "confirmation" => {
            "The answer was meant for another address, question or time: look which assertion consumer service the provider has \
             for this service (`vestibule idp check` prints it), whether public_url is right, and at both clocks."
        }
        "in_response_to" => {
            "Nothing, if it happens now and then: the sign-in took too long. A sign-in that begins at the provider needs \
             danger_allow_unsolicited."
        }
        "audience" => {
            "The assertion is for another service: register the entity ID at the provider as `vestibule idp check` prints it."
        }
        "expired" | "not_yet" | "conditions" => "Look at both clocks: up to 60 s are borne. Set both by NTP.",
        "authn_statement" => {
            "The provider did not say how and when the person signed in, or not as it was asked: look at force_authn and \
             authn_contexts."
        }
        "subject" => {
            "The name of the person is missing or passing: set name_id_format to \"persistent\", or subject_attribute to an \
             attribute that the provider always sends, once."
        }
        "replay" => "The answer was used before: a reload, or somebody who caught it. It counts once.",
        _ => return None,
    })
}

/// What a status of SAML asks for (core section 3.2.2.2).
pub(super) fn declined(status: &str) -> Option<&'static str> {
    Some(match status {
        "AuthnFailed" | "RequestDenied" | "UnknownPrincipal" => {
            "The person cancelled, or may not use this service by the provider's own rules: look there."
        }
        "NoAuthnContext" => "The provider knows none of the ways to sign in that authn_contexts demands.",
        "NoPassive" => "The provider may show no page to the person: look at its settings for this service.",
        "InvalidNameIDPolicy" => "The provider gives no name of the kind that name_id_format asks for.",
        "Requester" | "RequestUnsupported" | "VersionMismatch" => {
            "The provider does not take this request: register our metadata there, and look at sign_requests and request_binding."
        }
        "Responder" => "The provider had a trouble of its own; look into its log.",
        _ => return None,
    })
}
