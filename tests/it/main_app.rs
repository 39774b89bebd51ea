//! The example application beside the program: two processes, and people who go from one to the other.

mod headers;
mod whoami;

use crate::support::program::{Place, Service, asks_as};
use std::io::{BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

const SECRET: &str = "a secret of at least thirty-two characters";
const FORM: &str = "Content-Type: application/x-www-form-urlencoded";

/// What came back.
struct Reply {
    status: u16,
    head: String,
    body: String,
}

impl Reply {
    fn location(&self) -> &str {
        let mut fields = self.head.lines().filter_map(|line| line.split_once(": "));
        fields.find(|(name, _)| name.eq_ignore_ascii_case("location")).map_or("", |(_, value)| value)
    }
}

/// Where cargo has put it: `cargo test` builds examples, but names only programs to tests.
fn example() -> PathBuf {
    let program = Path::new(env!("CARGO_BIN_EXE_vestibule")).with_file_name("examples").join("main_app");
    assert!(program.is_file(), "{} is missing: cargo build --example main_app", program.display());
    program
}

/// The running example; killed when dropped.
struct MainApp {
    child: Child,
    address: SocketAddr,
}

impl Drop for MainApp {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

impl MainApp {
    /// Starts it with its own folder inside another.
    fn starts(address: SocketAddr, folder: &Path, arguments: &[&str]) -> Self {
        let mut command = Command::new(example());
        command.arg("--data").arg(folder.join("main_app")).args(["--listen", &address.to_string()]);
        command.args(["--own-url", &format!("http://localhost:{}", address.port())]).args(arguments);
        let mut child = command.env_remove("MAIN_APP_SECRET").stdout(Stdio::piped()).spawn().expect("started");
        let mut lines = BufReader::new(child.stdout.take().expect("an output")).lines();
        let first = lines.next().expect("a line").expect("text");
        assert!(first.starts_with("The example application is running on http://localhost:"), "{first}");
        Self { child, address }
    }

    /// A program that stands in documentation, given to its interpreter; says in its first line that it runs.
    fn reads(mut child: Child, address: SocketAddr, code: &str) -> Self {
        child.stdin.take().expect("an input").write_all(code.as_bytes()).expect("written");
        let mut lines = BufReader::new(child.stdout.take().expect("an output")).lines();
        let first = lines.next().expect("a line").expect("text");
        assert!(first.starts_with("Running on http://localhost:"), "{first}");
        Self { child, address }
    }

    /// The operator's command for a deleted account, beside the running application.
    fn forgets(&self, folder: &Path, account: &str) {
        let data = folder.join("main_app");
        let done = Command::new(example()).arg("--data").arg(data).args(["--forget", account]).status();
        assert!(done.expect("started").success(), "beside {}", self.address);
    }

    fn origin(&self) -> String {
        format!("http://localhost:{}", self.address.port())
    }

    async fn gets(&self, path: &str, headers: &[&str]) -> Reply {
        self.asks(&format!("GET {path}"), headers, "").await
    }

    /// A form of one of its own pages.
    async fn posts(&self, path: &str, headers: &[&str], body: &str) -> Reply {
        let origin = format!("Origin: {}", self.origin());
        let all: Vec<_> = headers.iter().copied().chain([origin.as_str(), FORM]).collect();
        self.asks(&format!("POST {path}"), &all, body).await
    }

    async fn asks(&self, line: &str, headers: &[&str], body: &str) -> Reply {
        let head = [&[format!("{line} HTTP/1.1").as_str()], headers].concat().join("\r\n");
        let host = format!("localhost:{}", self.address.port());
        let (status, head, body) = asks_as(self.address, &host, &head, body).await.expect("an answer");
        Reply { status, head, body }
    }
}

/// Vestibule and an address that its application `tasks` will have.
struct Street {
    place: Place,
    service: Service,
    tasks: SocketAddr,
}

impl Street {
    fn opens() -> Self {
        let tasks = TcpListener::bind("127.0.0.1:0").and_then(|socket| socket.local_addr()).expect("an address");
        let tables = format!(
            "[registration]\nmode = \"automatic\"\n[[application]]\nslug = \"tasks\"\nhosts = [\"localhost:{}\"]\njwt = true\nsecret = \"{SECRET}\"\n\
             [[application]]\nslug = \"other\"\nhosts = [\"other.localhost\"]\njwt = true\n",
            tasks.port()
        );
        let place = Place::with("trusted_proxies = [\"127.0.0.1\"]", &tables);
        place.makes_account("anna");
        std::fs::write(place.folder().join("secret"), format!("{SECRET}\n")).expect("written");
        let service = place.serves();
        Self { place, service, tasks }
    }

    /// Vestibule's address as browsers see it.
    fn vestibule(&self) -> String {
        format!("http://localhost:{}", self.service.address.port())
    }

    fn main_app(&self, arguments: &[&str]) -> MainApp {
        let vestibule = self.vestibule();
        let all = [&["--vestibule", vestibule.as_str()], arguments].concat();
        MainApp::starts(self.tasks, self.place.folder(), &all)
    }
}
