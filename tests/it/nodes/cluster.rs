//! `examples/cluster/`: started by its script, used through nginx, one node killed, gone on. Its compose file is only read.

use super::ROOT_KEY;
use crate::support::PASSWORD;
use crate::support::program::{asks, signs_in};
use crate::support::redis::until;
use std::collections::BTreeMap;
use std::io::{BufRead, BufReader};
use std::net::{SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use vestibule::config::Config;

fn example(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/cluster").join(name)
}

/// The running example; stopped in order when dropped.
struct Cluster {
    script: Child,
    folder: tempfile::TempDir,
    vestibule: SocketAddr,
    tasks: SocketAddr,
    /// What it said when all was up.
    said: Vec<String>,
}

impl Cluster {
    fn starts() -> Self {
        let programs = Path::new(env!("CARGO_BIN_EXE_vestibule")).parent().expect("a folder");
        let folder = tempfile::tempdir().expect("a folder");
        let vestibule = two_free_ports();
        let tasks = SocketAddr::new(vestibule.ip(), vestibule.port() + 1);
        let mut script = Command::new("bash")
            .arg(example("run"))
            .args(["--data", folder.path().to_str().expect("UTF-8"), "--port", &vestibule.port().to_string()])
            .args(["--programs", programs.to_str().expect("UTF-8")])
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .expect("bash");
        let lines = BufReader::new(script.stdout.take().expect("an output")).lines();
        let mut said = Vec::new();
        for line in lines.map_while(Result::ok) {
            let last = line.starts_with("Logs are in");
            said.push(line);
            if last {
                break;
            }
        }
        let cluster = Self { script, folder, vestibule, tasks, said };
        assert!(cluster.said.last().is_some_and(|line| line.starts_with("Logs")), "{}", cluster.logs());
        cluster
    }

    /// What the parts of it have written, for a failure.
    fn logs(&self) -> String {
        let files = std::fs::read_dir(self.folder.path()).expect("a folder").flatten();
        let logs = files.filter(|file| file.path().extension().is_some_and(|end| end == "log"));
        let told: Vec<_> = logs.filter_map(|file| std::fs::read_to_string(file.path()).ok()).collect();
        told.join("\n")
    }

    fn kills(&self, node: &str) {
        let id = std::fs::read_to_string(self.folder.path().join(format!("{node}.pid"))).expect("a number");
        assert!(Command::new("kill").args(["-9", id.trim()]).status().expect("kill").success());
    }

    async fn listens(&self, part: &str) -> bool {
        let text = std::fs::read_to_string(self.folder.path().join(format!("port-{part}"))).expect("a port");
        let number: u16 = text.trim().parse().expect("a number");
        tokio::net::TcpStream::connect(("127.0.0.1", number)).await.is_ok()
    }

    fn ends(&mut self) {
        if matches!(self.script.try_wait(), Ok(Some(_))) {
            return;
        }
        drop(Command::new("kill").args(["-TERM", &self.script.id().to_string()]).status());
        drop(self.script.wait());
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        self.ends();
    }
}

/// A port that is free together with the one after it.
fn two_free_ports() -> SocketAddr {
    loop {
        let first = TcpListener::bind("127.0.0.1:0").expect("a port");
        let address = first.local_addr().expect("an address");
        if address.port() < u16::MAX && TcpListener::bind(("127.0.0.1", address.port() + 1)).is_ok() {
            return address;
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_example_is_up_with_one_command_and_goes_on_when_a_node_is_killed() {
    let mut cluster = Cluster::starts();
    let link =
        cluster.said.iter().find_map(|line| line.strip_prefix("Make the administrator first: ")).expect("a link");
    let path = link.strip_prefix(&format!("http://localhost:{}", cluster.vestibule.port())).expect("its address");
    let (status, head, page) = asks(cluster.vestibule, &format!("GET {path} HTTP/1.1"), "").await.expect("an answer");
    assert_eq!(status, 200, "{head}");
    let hidden = |name: &str| {
        let rest = page.split(&format!("name=\"{name}\" value=\"")).nth(1).expect("a field");
        rest.split('"').next().expect("a value").to_owned()
    };
    let csrf = head.lines().find(|line| line.to_lowercase().starts_with("set-cookie: _vestibule_csrf="));
    let csrf = csrf.and_then(|line| line[12..].split(';').next()).expect("a cookie").to_owned();
    let password = PASSWORD.replace(' ', "+");
    let body = format!(
        "csrf={}&token={}&username=anna&name=Anna&email=anna%40example.org&new_password={password}&repeat={password}",
        hidden("csrf"),
        hidden("token")
    );
    let head = format!("POST /setup HTTP/1.1\r\nCookie: {csrf}\r\nContent-Type: application/x-www-form-urlencoded");
    let (status, head, page) = asks(cluster.vestibule, &head, &body).await.expect("an answer");
    assert_eq!(status, 303, "{head}\n{page}");

    let session = signs_in(cluster.vestibule, "anna").await.expect("a session");
    let greets = async |session: &str| {
        let head = format!("GET / HTTP/1.1\r\nCookie: {session}");
        let (status, head, page) = asks(cluster.tasks, &head, "").await.expect("an answer");
        (status, page.contains("Anna"), head)
    };
    let (status, greeted, head) = greets(&session).await;
    assert_eq!((status, greeted), (200, true), "{head}\n{}", cluster.logs());
    let (status, head, _) = asks(cluster.tasks, "GET / HTTP/1.1", "").await.expect("an answer");
    assert!(status == 302 && head.contains("/login?return_to="), "a stranger is led to the sign-in page: {head}");

    cluster.kills("node-1");
    for _ in 0..8 {
        let (status, greeted, head) = greets(&session).await;
        assert_eq!((status, greeted), (200, true), "{head}");
        let another = signs_in(cluster.vestibule, "anna").await.expect("a session");
        assert_eq!(greets(&another).await.0, 200);
    }
    cluster.ends();
    for part in ["node-1", "node-2", "tasks", "redis"] {
        until("everything has ended", async || !cluster.listens(part).await).await;
    }
}

/// Read by a parser of its own language; names and variables in it must mean something. It is not run here.
#[test]
fn the_compose_file_is_well_formed_and_configures_nodes_that_would_start() {
    let to_json = "puts JSON.generate(YAML.load_file(ARGV[0], aliases: true))";
    let read = Command::new("ruby")
        .args(["-ryaml", "-rjson", "-e", to_json])
        .arg(example("compose.yaml"))
        .output()
        .expect("ruby is installed (tests/run does that)");
    assert!(read.status.success(), "{}", String::from_utf8_lossy(&read.stderr));
    let file: serde_json::Value = serde_json::from_slice(&read.stdout).expect("JSON");
    let services = file["services"].as_object().expect("services");
    let environment = |name: &str| -> BTreeMap<String, String> {
        let variables = services[name]["environment"].as_object().expect("variables");
        variables.iter().map(|(name, value)| (name.clone(), value.as_str().expect("text").to_owned())).collect()
    };
    assert_eq!(environment("node-1"), environment("node-2"), "nodes are equal");
    let mut variables = environment("node-1");
    for value in variables.values_mut().filter(|value| value.starts_with("${")) {
        assert!(value.contains(":?"), "what is not set stops it: {value}");
        ROOT_KEY.clone_into(value);
    }
    let shared = std::fs::read_to_string(example("vestibule.toml")).expect("a file");
    Config::parse(&shared, &variables).unwrap_or_else(|error| panic!("{error}"));
    let template = std::fs::read_to_string(example("site.conf.template")).expect("a file");
    let proxy = environment("nginx");
    for name in template.split("${").skip(1).filter_map(|rest| rest.split_once('}')).map(|(name, _)| name) {
        assert!(name.is_empty() || proxy.contains_key(name), "nothing is filled in for {name}");
    }
    for service in services.values() {
        let needs = service["depends_on"].as_array().into_iter().flatten().filter_map(serde_json::Value::as_str);
        let named = service["depends_on"].as_object().into_iter().flat_map(|needs| needs.keys().map(String::as_str));
        assert!(needs.chain(named).all(|needed| services.contains_key(needed)));
    }
}
