//! Every relying-party module of the plans that this service is measured by (OpenID conformance suite: basic, config, form
//! post, back-channel, front-channel and RP-initiated logout, refresh) has a native test of its name.

/// Modules behind `oidcc-client-test`, by plan; the empty name is the plain one. Form post is basic, posted:
/// `openid_conformance.rs` runs each of its tests in both modes.
const PLANS: [(&str, &[&str]); 6] = [
    (
        "basic",
        &[
            "",
            "-client-secret-basic",
            "-idtoken-sig-none",
            "-idtoken-sig-rs256",
            "-invalid-aud",
            "-invalid-iss",
            "-invalid-sig-rs256",
            "-kid-absent-multiple-jwks",
            "-kid-absent-single-jwks",
            "-missing-iat",
            "-missing-sub",
            "-nonce-invalid",
            "-scope-userinfo-claims",
            "-userinfo-bearer-body",
            "-userinfo-bearer-header",
            "-userinfo-invalid-sub",
        ],
    ),
    (
        "config",
        &[
            "-discovery-issuer-mismatch",
            "-discovery-jwks-uri-keys",
            "-discovery-openid-config",
            "-idtoken-sig-none",
            "-signing-key-rotation",
            "-signing-key-rotation-just-before-signing",
        ],
    ),
    (
        "back-channel logout",
        &[
            "-rp-backchannel-rpinitlogout",
            "-rp-backchannel-rpinitlogout-alg-none",
            "-rp-backchannel-rpinitlogout-no-event",
            "-rp-backchannel-rpinitlogout-with-nonce",
            "-rp-backchannel-rpinitlogout-wrong-alg",
            "-rp-backchannel-rpinitlogout-wrong-aud",
            "-rp-backchannel-rpinitlogout-wrong-event",
            "-rp-backchannel-rpinitlogout-wrong-iss",
        ],
    ),
    ("front-channel logout", &["-rp-frontchannel-rpinitlogout"]),
    ("RP-initiated logout", &["-rp-init-logout", "-rp-init-logout-no-state", "-rp-init-logout-other-state"]),
    ("refresh", &["-refresh-token", "-refresh-token-invalid-issuer", "-refresh-token-invalid-sub"]),
];

/// Others of the suite that apply to a client that uses codes, though to no plan above: how it refuses, mostly.
const BEYOND: [&str; 7] = [
    "-form-post-error",
    "-invalid-athash",
    "-invalid-sig-es256",
    "-invalid-sig-hs256",
    "-missing-aud",
    "-rp-frontchannel-opinitlogout",
    "-userinfo-signed",
];

/// The one module whose demand is not met: the access token goes into the header, and RFC 6750 section 2.2 advises against
/// the body. `…_userinfo_bearer_header` shows that nothing is in the body.
const NOT_DONE: [&str; 1] = ["-userinfo-bearer-body"];

const SOURCES: [&str; 3] =
    [include_str!("openid_conformance.rs"), include_str!("openid_logout.rs"), include_str!("openid_refresh.rs")];

#[test]
fn every_module_of_the_plans_has_a_test_of_its_name() {
    let every = PLANS.iter().flat_map(|(plan, modules)| modules.iter().map(move |module| (*plan, *module)));
    let every = every.chain(BEYOND.map(|module| ("other plans", module)));
    for (plan, module) in every.filter(|(_, module)| !NOT_DONE.contains(module)) {
        let name = format!("#[tokio::test]\nasync fn oidcc_client_test{}()", module.replace('-', "_"));
        let found = SOURCES.iter().filter(|source| source.contains(&name)).count();
        assert_eq!(found, 1, "{plan}: oidcc-client-test{module}");
    }
    let counts: Vec<_> = PLANS.iter().map(|(_, modules)| modules.len()).collect();
    assert_eq!(counts, [16, 6, 8, 1, 3, 3], "as the suite has them");
}

#[test]
fn no_test_has_the_name_of_a_module_that_does_not_exist() {
    let known = |name: &str| {
        let module = name.replace('_', "-");
        PLANS.iter().any(|(_, modules)| modules.contains(&module.as_str())) || BEYOND.contains(&module.as_str())
    };
    for source in SOURCES {
        for rest in source.split("async fn oidcc_client_test").skip(1) {
            let name = rest.split('(').next().expect("a name");
            assert!(known(name), "oidcc_client_test{name}");
        }
    }
}
