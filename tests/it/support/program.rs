//! The program itself: a folder to run it in, commands, the running service, and what is asked of it over a socket.

use super::PASSWORD;
use std::io::{BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Output, Stdio};
use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

const PROGRAM: &str = env!("CARGO_BIN_EXE_vestibule");

/// A folder with a configuration, and an address that was free a moment ago.
pub(crate) struct Place {
    folder: TempDir,
    address: SocketAddr,
}

impl Place {
    pub(crate) fn new() -> Self {
        Self::with("", "")
    }

    /// With more keys of `[server]`, and more tables.
    pub(crate) fn with(server: &str, tables: &str) -> Self {
        let address = TcpListener::bind("127.0.0.1:0").and_then(|socket| socket.local_addr()).expect("an address");
        Self::known_as(&format!("http://localhost:{}", address.port()), address, server, tables)
    }

    /// Behind a proxy, which people know by another address.
    pub(crate) fn behind(public_url: &str, server: &str, tables: &str) -> Self {
        let address = TcpListener::bind("127.0.0.1:0").and_then(|socket| socket.local_addr()).expect("an address");
        Self::known_as(public_url, address, server, tables)
    }

    fn known_as(public_url: &str, address: SocketAddr, server: &str, tables: &str) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let text = format!(
            "public_url = \"{public_url}\"\ndata_dir = {:?}\n[server]\nlisten = \"{address}\"\n{server}\n\
             [throttle]\naddress_failures = 0\nnetwork_failures = 0\n[password.hashing]\nmemory_kib = 7168\niterations = 5\n{tables}\n",
            folder.path().join("data").to_str().expect("UTF-8"),
        );
        std::fs::write(folder.path().join("vestibule.toml"), text).expect("a configuration");
        Self { folder, address }
    }

    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(PROGRAM);
        command.current_dir(self.folder.path()).args(arguments);
        command
    }

    pub(crate) fn runs(&self, arguments: &[&str], input: &str) -> Output {
        let mut command = self.command(arguments);
        let mut child =
            command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("started");
        child.stdin.take().expect("an input").write_all(input.as_bytes()).expect("written");
        child.wait_with_output().expect("ended")
    }

    pub(crate) fn makes_account(&self, username: &str) {
        let email = format!("{username}@example.org");
        let made =
            self.runs(&["account", "create", "--username", username, "--email", &email, "--password-stdin"], PASSWORD);
        assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    }

    /// Starts the service and waits until it says that it runs.
    pub(crate) fn serves(&self) -> Service {
        let mut command = self.command(&["serve"]);
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().expect("started");
        let mut lines = BufReader::new(child.stdout.take().expect("an output")).lines();
        let first = lines.next().expect("a line").expect("text");
        assert!(first.starts_with("Vestibule is running on http"), "{first}");
        Service { child, address: self.address }
    }

    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    pub(crate) fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }
}

/// A running service; killed when dropped.
pub(crate) struct Service {
    child: Child,
    pub(crate) address: SocketAddr,
}

impl Service {
    /// How much memory the process has, in KiB (`VmRSS` of proc(5)).
    pub(crate) fn memory(&self) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id())).expect("it runs");
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).expect("its memory");
        line.trim().trim_end_matches(" kB").parse().expect("a number")
    }

    pub(crate) fn kills(mut self) {
        self.child.kill().expect("killed");
        self.child.wait().expect("ended");
    }

    /// Asks it to stop, as a supervisor does, and does not wait for it.
    pub(crate) fn is_asked_to_stop(&self) {
        let done = Command::new("kill").args(["-TERM", &self.child.id().to_string()]).status().expect("kill");
        assert!(done.success());
    }

    pub(crate) fn stops_in_order(mut self) -> ExitStatus {
        let done = Command::new("kill").args(["-TERM", &self.child.id().to_string()]).status().expect("kill");
        assert!(done.success());
        self.child.wait().expect("ended")
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

/// One request on a connection of its own; status, head and body. None when the service went away.
pub(crate) async fn asks(address: SocketAddr, head: &str, body: &str) -> Option<(u16, String, String)> {
    asks_as(address, "localhost", head, body).await
}

/// The same with a `Host`.
pub(crate) async fn asks_as(address: SocketAddr, host: &str, head: &str, body: &str) -> Option<(u16, String, String)> {
    let mut stream = TcpStream::connect(address).await.ok()?;
    let request =
        format!("{head}\r\nHost: {host}\r\nConnection: close\r\nContent-Length: {}\r\n\r\n{body}", body.len());
    stream.write_all(request.as_bytes()).await.ok()?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await.ok()?;
    let text = String::from_utf8_lossy(&answer).into_owned();
    let (head, body) = text.split_once("\r\n\r\n")?;
    let status = head.split(' ').nth(1)?.parse().ok()?;
    Some((status, head.to_owned(), body.to_owned()))
}

fn cookie(head: &str, name: &str) -> Option<String> {
    let mark = format!("set-cookie: {name}=");
    let line = head.lines().find_map(|line| line.strip_prefix(&mark))?;
    Some(format!("{name}={}", line.split(';').next()?))
}

/// Sends the form with the right password; gives status and head of the answer.
pub(crate) async fn tries_to_sign_in(address: SocketAddr, username: &str) -> Option<(u16, String)> {
    let (_, head, page) = asks(address, "GET /login HTTP/1.1", "").await?;
    let csrf = cookie(&head, "_vestibule_csrf")?;
    let token = page.split("name=\"csrf\" value=\"").nth(1)?.split('"').next()?.to_owned();
    let body = format!("csrf={token}&username={username}&password={}", PASSWORD.replace(' ', "+"));
    let head = format!("POST /login HTTP/1.1\r\nCookie: {csrf}\r\nContent-Type: application/x-www-form-urlencoded");
    let (status, head, _) = asks(address, &head, &body).await?;
    Some((status, head))
}

/// Signs in; gives the session cookie once the answer is here.
pub(crate) async fn signs_in(address: SocketAddr, username: &str) -> Option<String> {
    let (status, head) = tries_to_sign_in(address, username).await?;
    if status == 303 { cookie(&head, "_vestibule_session") } else { None }
}

/// Signs out, as the page behind the cookie offers it.
pub(crate) async fn signs_out(address: SocketAddr, session: &str) -> Option<()> {
    let (_, head, page) = asks(address, &format!("GET /logout HTTP/1.1\r\nCookie: {session}"), "").await?;
    let csrf = cookie(&head, "_vestibule_csrf")?;
    let token = page.split("name=\"csrf\" value=\"").nth(1)?.split('"').next()?.to_owned();
    let kind = "Content-Type: application/x-www-form-urlencoded";
    let head = format!("POST /logout HTTP/1.1\r\nCookie: {session}; {csrf}\r\n{kind}");
    let (status, ..) = asks(address, &head, &format!("csrf={token}")).await?;
    (status == 303).then_some(())
}
