//! Redis servers of a test's own: a folder and a port each, on this machine only; killed when dropped.

use std::net::TcpListener;
use std::process::{Child, Command, Stdio};
use std::time::Duration;
use tempfile::TempDir;
use tokio::time::{Instant, MissedTickBehavior, interval};
use vestibule::store::volatile::redis::Address;

/// How long anything may take to come true.
const DEADLINE: Duration = Duration::from_secs(30);

/// Waits until a condition holds; panics with its name when it does not come true.
pub(crate) async fn until<F: AsyncFnMut() -> bool>(what: &str, mut holds: F) -> Duration {
    let begun = Instant::now();
    let mut ticks = interval(Duration::from_millis(5));
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    while !holds().await {
        assert!(begun.elapsed() < DEADLINE, "it did not come true: {what}");
        ticks.tick().await;
    }
    begun.elapsed()
}

/// A port that was free a moment ago, and whose cluster port (10,000 more) exists.
pub(crate) fn free_port() -> u16 {
    loop {
        let socket = TcpListener::bind("127.0.0.1:0").expect("a port");
        let port = socket.local_addr().expect("an address").port();
        if port < 55_000 {
            return port;
        }
    }
}

/// A server that can be killed, paused and started again.
pub(crate) struct RedisServer {
    folder: TempDir,
    port: u16,
    program: &'static str,
    arguments: Vec<String>,
    child: Option<Child>,
}

impl RedisServer {
    /// A server that has everything on disk before it answers.
    pub(crate) async fn start() -> Self {
        Self::with(&[]).await
    }

    /// With more arguments.
    pub(crate) async fn with(more: &[&str]) -> Self {
        let mut arguments = vec!["--appendonly", "yes", "--appendfsync", "always", "--save", ""];
        arguments.extend_from_slice(more);
        let mut server = Self::prepared("redis-server", &arguments);
        server.run().await;
        server
    }

    /// A Sentinel over a master that it calls `hall`, with one vote of one.
    pub(crate) async fn sentinel(master: u16) -> Self {
        let mut server = Self::prepared("redis-sentinel", &[&master.to_string()]);
        server.run().await;
        server
    }

    fn prepared(program: &'static str, arguments: &[&str]) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let arguments = arguments.iter().map(|argument| (*argument).to_owned()).collect();
        Self { folder, port: 0, program, arguments, child: None }
    }

    /// Starts it (again, with what is on disk), and waits until it answers. Ends by itself when somebody else took its port:
    /// a new server takes another one then.
    pub(crate) async fn run(&mut self) {
        let again = self.port != 0;
        for _ in 0..20 {
            if !again {
                self.port = free_port();
            }
            let mut child = self.command().spawn().expect("redis-server is installed (tests/run does that)");
            let itself = format!("process_id:{}\r", child.id());
            let mut ended = false;
            let settled = async || {
                ended = child.try_wait().expect("a child").is_some();
                let told = self.tells(&["INFO", "server"]);
                ended || told.contains(&itself) || told.contains("NOAUTH")
            };
            until("a Redis server answers", settled).await;
            if !ended {
                self.child = Some(child);
                return;
            }
        }
        panic!("no Redis server starts");
    }

    fn command(&self) -> Command {
        let mut command = Command::new(self.program);
        let folder = self.folder.path();
        command.current_dir(folder).stdout(Stdio::null()).stderr(Stdio::null()).stdin(Stdio::null());
        if self.program == "redis-sentinel" {
            let text = format!(
                "port {}\nbind 127.0.0.1\nsentinel monitor hall 127.0.0.1 {} 1\n\
                 sentinel down-after-milliseconds hall 500\nsentinel failover-timeout hall 2000\n",
                self.port, self.arguments[0]
            );
            std::fs::write(folder.join("sentinel.conf"), text).expect("a configuration");
            command.arg("sentinel.conf");
            return command;
        }
        let (port, folder) = (self.port.to_string(), folder.to_str().expect("UTF-8"));
        command.args(["--port", &port, "--bind", "127.0.0.1", "--dir", folder, "--daemonize", "no"]);
        command.args(&self.arguments);
        command
    }

    fn tls_port(&self) -> Option<u16> {
        let at = self.arguments.iter().position(|argument| argument == "--tls-port")?;
        self.arguments.get(at + 1)?.parse().ok()
    }

    /// Asks by hand; the answer as text.
    pub(crate) fn tells(&self, arguments: &[&str]) -> String {
        let mut command = Command::new("redis-cli");
        let done = command.args(["-h", "127.0.0.1", "-p", &self.port.to_string()]).args(arguments).output();
        String::from_utf8_lossy(&done.expect("redis-cli is installed").stdout).into_owned()
    }

    /// Everything that was written to it, byte by byte: its log and what it began with.
    pub(crate) fn written(&self) -> Vec<u8> {
        let folder = self.folder.path().join("appendonlydir");
        let files = std::fs::read_dir(folder).expect("a log").map(|file| file.expect("a file").path());
        files.flat_map(|file| std::fs::read(file).expect("readable")).collect()
    }

    pub(crate) fn address(&self) -> Address {
        Address { host: "127.0.0.1".to_owned(), port: self.tls_port().unwrap_or(self.port) }
    }

    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    /// As `kill -9`.
    pub(crate) fn kill(&mut self) {
        if let Some(mut child) = self.child.take() {
            child.kill().expect("killed");
            child.wait().expect("ended");
        }
    }

    /// Killed, and nothing is left on disk.
    pub(crate) fn lose_everything(&mut self) {
        self.kill();
        for entry in std::fs::read_dir(self.folder.path()).expect("a folder").flatten() {
            if entry.file_name().to_string_lossy().starts_with("appendonly") {
                std::fs::remove_dir_all(entry.path()).or_else(|_| std::fs::remove_file(entry.path())).expect("removed");
            }
        }
    }

    /// It neither answers nor closes anything.
    pub(crate) fn pause(&self) {
        self.signal("-STOP");
    }

    /// It goes on.
    pub(crate) fn go_on(&self) {
        self.signal("-CONT");
    }

    fn signal(&self, signal: &str) {
        let id = self.child.as_ref().expect("it runs").id().to_string();
        assert!(Command::new("kill").args([signal, &id]).status().expect("kill").success());
    }
}

impl Drop for RedisServer {
    fn drop(&mut self) {
        self.kill();
    }
}

/// A Cluster of three masters that share the slots.
pub(crate) async fn cluster() -> [RedisServer; 3] {
    let more = ["--cluster-enabled", "yes", "--cluster-node-timeout", "2000", "--cluster-require-full-coverage", "no"];
    let servers = [RedisServer::with(&more).await, RedisServer::with(&more).await, RedisServer::with(&more).await];
    for (server, (first, last)) in servers.iter().zip([("0", "5460"), ("5461", "10922"), ("10923", "16383")]) {
        assert!(server.tells(&["CLUSTER", "ADDSLOTSRANGE", first, last]).contains("OK"));
    }
    for other in &servers[1..] {
        servers[0].tells(&["CLUSTER", "MEET", "127.0.0.1", &other.port.to_string()]);
    }
    for server in &servers {
        let whole = async || {
            let info = server.tells(&["CLUSTER", "INFO"]);
            info.contains("cluster_state:ok") && info.contains("cluster_slots_ok:16384")
        };
        until("the Cluster is whole", whole).await;
    }
    servers
}
