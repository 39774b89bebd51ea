//! Files for proxies that Debian does not have: nobody runs them here, so what can be read off them is checked. Ruby reads
//! the YAML.

use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};

/// What an application believes.
const IDENTITY: [&str; 6] =
    ["Remote-User", "Remote-Name", "Remote-Email", "Remote-Groups", "Remote-Account-Id", "X-Vestibule-Jwt"];

fn text(name: &str) -> String {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join(name);
    std::fs::read_to_string(&file).unwrap_or_else(|error| panic!("{name}: {error}"))
}

/// Every block of YAML in a page.
fn blocks(page: &str) -> Vec<Value> {
    let text = text(page);
    text.split("```yaml\n").skip(1).filter_map(|rest| rest.split("```").next()).map(read).collect()
}

fn read(yaml: &str) -> Value {
    let mut ruby = Command::new("ruby");
    ruby.args(["-ryaml", "-rjson", "-e", "puts YAML.safe_load(STDIN.read).to_json"]);
    let mut child = ruby.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("ruby");
    child.stdin.take().expect("an input").write_all(yaml.as_bytes()).expect("written");
    let output = child.wait_with_output().expect("ended");
    assert!(output.status.success(), "no YAML: {yaml}");
    serde_json::from_slice(&output.stdout).expect("JSON")
}

fn keys(value: &Value) -> BTreeSet<&str> {
    value.as_object().unwrap_or_else(|| panic!("no table: {value}")).keys().map(String::as_str).collect()
}

/// A name with each of its hyphens as it is and as an underscore.
fn spellings(name: &str) -> Vec<String> {
    name.split('-').skip(1).fold(vec![name.split('-').next().unwrap_or_default().to_owned()], |all, part| {
        all.iter().flat_map(|start| ['-', '_'].map(|between| format!("{start}{between}{part}"))).collect()
    })
}

#[test]
fn the_file_for_traefik_drops_every_claim_before_it_asks() {
    let file = read(&text("examples/traefik/dynamic.yml"));
    let http = &file["http"];
    assert_eq!(http["routers"]["tasks"]["middlewares"], json!(["vestibule-claims", "vestibule"]), "in this order");
    let router = ["entryPoints", "middlewares", "rule", "service", "tls"];
    assert_eq!(keys(&http["routers"]["tasks"]), router.into());
    let claims = &http["middlewares"]["vestibule-claims"]["headers"];
    assert_eq!(keys(claims), ["customRequestHeaders"].into());
    let dropped = claims["customRequestHeaders"].as_object().expect("a table");
    for name in IDENTITY.iter().flat_map(|name| spellings(name)) {
        assert_eq!(dropped.get(&name), Some(&json!("")), "{name} passes");
    }
    let asks = &http["middlewares"]["vestibule"]["forwardAuth"];
    assert_eq!(keys(asks), ["address", "authResponseHeaders", "trustForwardHeader"].into());
    assert_eq!(asks["trustForwardHeader"], false);
    assert!(asks["address"].as_str().expect("an address").ends_with("/verify?redirect"));
    assert_eq!(asks["authResponseHeaders"], json!(IDENTITY));
}

#[test]
fn the_filters_for_envoy_drop_every_claim_and_fail_closed() {
    let ask = blocks("docs/integrate/forward-auth.md").pop().expect("a filter");
    let config = &ask[0]["typed_config"];
    assert_eq!(config["@type"], "type.googleapis.com/envoy.extensions.filters.http.ext_authz.v3.ExtAuthz");
    assert_eq!(keys(config), ["@type", "allowed_headers", "http_service"].into(), "failure_mode_allow stays off");
    let service = &config["http_service"];
    assert_eq!(keys(service), ["authorization_response", "path_prefix", "server_uri"].into());
    assert_eq!(keys(&service["server_uri"]), ["cluster", "timeout", "uri"].into());
    let lists = keys(&service["authorization_response"]);
    assert_eq!(lists, ["allowed_client_headers", "allowed_upstream_headers"].into());
    let page = blocks("docs/integrate/forward-auth-envoy.md");
    let mutations = page[0][0]["typed_config"]["mutations"]["request_mutations"].as_array().expect("a list");
    let removed: BTreeSet<_> = mutations.iter().filter_map(|one| one["remove"].as_str()).collect();
    let wanted = IDENTITY.map(str::to_lowercase);
    assert_eq!(removed, wanted.iter().map(String::as_str).collect());
    assert_eq!(page[1]["common_http_protocol_options"]["headers_with_underscores_action"], "DROP_HEADER");
}
