//! The program itself: started, killed, started again; commands beside it.

use std::io::{BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpListener};
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Output, Stdio};
use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

const PROGRAM: &str = env!("CARGO_BIN_EXE_vestibule");
const PASSWORD: &str = "correct horse battery";

/// A folder with a configuration, and an address that was free a moment ago.
struct Place {
    folder: TempDir,
    address: SocketAddr,
}

impl Place {
    fn new() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let address = TcpListener::bind("127.0.0.1:0").and_then(|socket| socket.local_addr()).expect("an address");
        let text = format!(
            "public_url = \"http://localhost:{}\"\ndata_dir = {:?}\n[server]\nlisten = \"{address}\"\n\
             [throttle]\naddress_failures = 0\nnetwork_failures = 0\n[password.hashing]\nmemory_kib = 7168\niterations = 5\n",
            address.port(),
            folder.path().join("data").to_str().expect("UTF-8"),
        );
        std::fs::write(folder.path().join("vestibule.toml"), text).expect("a configuration");
        Self { folder, address }
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(PROGRAM);
        command.current_dir(self.folder.path()).args(arguments);
        command
    }

    fn runs(&self, arguments: &[&str], input: &str) -> Output {
        let mut command = self.command(arguments);
        let mut child =
            command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("started");
        child.stdin.take().expect("an input").write_all(input.as_bytes()).expect("written");
        child.wait_with_output().expect("ended")
    }

    fn makes_account(&self, username: &str) {
        let email = format!("{username}@example.org");
        let made =
            self.runs(&["account", "create", "--username", username, "--email", &email, "--password-stdin"], PASSWORD);
        assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    }

    /// Starts the service and waits until it says that it runs.
    fn serves(&self) -> Service {
        let mut command = self.command(&["serve"]);
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().expect("started");
        let mut lines = BufReader::new(child.stdout.take().expect("an output")).lines();
        let first = lines.next().expect("a line").expect("text");
        assert!(first.starts_with("Vestibule is running on http://localhost:"), "{first}");
        Service { child, address: self.address }
    }

    fn data(&self) -> std::path::PathBuf {
        self.folder.path().join("data")
    }
}

/// A running service; killed when dropped.
struct Service {
    child: Child,
    address: SocketAddr,
}

impl Service {
    fn kills(mut self) {
        self.child.kill().expect("killed");
        self.child.wait().expect("ended");
    }

    fn stops_when_asked(mut self) -> ExitStatus {
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
async fn asks(address: SocketAddr, head: &str, body: &str) -> Option<(u16, String, String)> {
    let mut stream = TcpStream::connect(address).await.ok()?;
    let request =
        format!("{head}\r\nHost: localhost\r\nConnection: close\r\nContent-Length: {}\r\n\r\n{body}", body.len());
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

/// Signs in; gives the session cookie once the answer is here.
async fn signs_in(address: SocketAddr, username: &str) -> Option<String> {
    let (_, head, page) = asks(address, "GET /login HTTP/1.1", "").await?;
    let csrf = cookie(&head, "_vestibule_csrf")?;
    let token = page.split("name=\"csrf\" value=\"").nth(1)?.split('"').next()?.to_owned();
    let body = format!("csrf={token}&username={username}&password={}", PASSWORD.replace(' ', "+"));
    let head = format!("POST /login HTTP/1.1\r\nCookie: {csrf}\r\nContent-Type: application/x-www-form-urlencoded");
    let (status, head, _) = asks(address, &head, &body).await?;
    if status == 303 { cookie(&head, "_vestibule_session") } else { None }
}

async fn verifies(address: SocketAddr, session: &str) -> u16 {
    asks(address, &format!("GET /verify HTTP/1.1\r\nCookie: {session}"), "").await.map_or(0, |(status, _, _)| status)
}

async fn count(file: &Path, query: &'static str) -> i64 {
    use sqlx::Connection;
    let address = format!("sqlite://{}?mode=ro", file.display());
    let mut conn = sqlx::SqliteConnection::connect(&address).await.expect("a database");
    let (whole,): (String,) = sqlx::query_as("PRAGMA integrity_check").fetch_one(&mut conn).await.expect("a check");
    assert_eq!(whole, "ok");
    let (count,): (i64,) = sqlx::query_as(query).fetch_one(&mut conn).await.expect("a count");
    count
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_acknowledged_is_lost_when_the_process_is_killed_under_load() {
    let place = Place::new();
    place.makes_account("anna");
    let mut acknowledged: Vec<String> = Vec::new();
    for round in 0..20 {
        let service = place.serves();
        let address = service.address;
        for session in &acknowledged {
            assert_eq!(verifies(address, session).await, 200, "round {round}: a session that was acknowledged");
        }
        let mut people: tokio::task::JoinSet<_> = (0..8).map(|_| signs_in(address, "anna")).collect();
        // The kill comes while the others are at every stage of signing in.
        let wanted = 1 + round % 4;
        let mut opened = 0;
        while opened < wanted {
            if let Some(session) = people.join_next().await.expect("somebody").expect("no panic") {
                acknowledged.push(session);
                opened += 1;
            }
        }
        service.kills();
        while let Some(rest) = people.join_next().await {
            acknowledged.extend(rest.expect("no panic"));
        }
    }
    let known = i64::try_from(acknowledged.len()).expect("a number");
    let audited = "SELECT COUNT(*) FROM audit_event WHERE act = 'sign_in.succeeded'";
    assert!(count(&place.data().join("vestibule.db"), audited).await >= known, "each has its audit event");
    assert!(count(&place.data().join("volatile.db"), "SELECT COUNT(*) FROM session").await >= known);
}

#[tokio::test]
async fn one_folder_has_one_service_and_commands_work_beside_it() {
    let place = Place::new();
    let service = place.serves();
    let second = place.runs(&["serve"], "");
    assert!(!second.status.success());
    assert!(String::from_utf8_lossy(&second.stderr).contains("another `vestibule serve` is running"));
    place.makes_account("anna");
    let session = signs_in(service.address, "anna").await.expect("a session");
    assert_eq!(verifies(service.address, &session).await, 200);
    assert!(place.runs(&["account", "lock", "anna"], "").status.success());
    let noticed = async { while verifies(service.address, &session).await != 401 {} };
    tokio::time::timeout(std::time::Duration::from_secs(5), noticed).await.expect("noticed within seconds");
    assert!(signs_in(service.address, "anna").await.is_none());
    assert!(place.runs(&["account", "unlock", "anna"], "").status.success());
    let rotated = place.runs(&["rotate-keys"], "");
    assert!(rotated.status.success());
    assert_eq!(String::from_utf8_lossy(&rotated.stdout).matches("in use").count(), 3);
    assert!(signs_in(service.address, "anna").await.is_some());
    assert!(service.stops_when_asked().success(), "it stops in good order");
}

#[test]
fn commands_say_what_is_wrong_and_change_nothing() {
    let place = Place::new();
    let create = ["account", "create", "--username", "anna", "--email", "anna@example.org", "--password-stdin"];
    for (arguments, input, complaint) in [
        (&create[..], "short\n", "the password is shorter than 10 characters"),
        (&["account", "create", "--username", "a\u{202e}b", "--email", "a@example.org"][..], "", "the username"),
        (&["account", "create", "--username", "anna", "--email", "nowhere"][..], "", "the e-mail address"),
        (&["account", "lock", "nobody"][..], "", "no account has the name"),
        (&["group", "add", "nothing", "nobody"][..], "", "no account has the name"),
        (&["rotate-keys", "--revoke", "00000000-0000-0000-0000-000000000000"][..], "", "there is no key"),
        (&["--config", "missing.toml", "check-config"][..], "", "missing.toml"),
    ] {
        let done = place.runs(arguments, input);
        let said = String::from_utf8_lossy(&done.stderr).into_owned();
        assert!(!done.status.success(), "{arguments:?}");
        assert!(said.contains(complaint), "{arguments:?}: {said}");
    }
    place.makes_account("anna");
    let twice = place.runs(&create, PASSWORD);
    assert!(String::from_utf8_lossy(&twice.stderr).contains("another account has this username"));
}

#[test]
fn a_wrong_configuration_stops_the_start_and_names_line_and_nearest_key() {
    let place = Place::new();
    std::fs::write(place.folder.path().join("vestibule.toml"), "[server]\nlisen = \"127.0.0.1:1\"\n").expect("written");
    for command in ["check-config", "serve"] {
        let done = place.runs(&[command], "");
        let said = String::from_utf8_lossy(&done.stderr).into_owned();
        assert!(!done.status.success());
        assert!(said.contains("vestibule.toml:2") && said.contains("lisen") && said.contains("listen"), "{said}");
        assert!(!place.data().exists(), "nothing was made");
    }
}
