//! The proxies themselves, each with its file of `examples/`. Addresses and paths in it are changed where the file says
//! that they must be; what is to be changed and is not found fails the test.

use std::fs;
use std::net::{SocketAddr, TcpListener};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;
use tempfile::TempDir;
use tokio::net::TcpStream;

/// Which server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Nginx,
    Caddy,
    HaProxy,
    Apache,
}

/// Who listens where.
pub(super) struct Addresses {
    pub(super) proxy: SocketAddr,
    pub(super) vestibule: SocketAddr,
    pub(super) app: SocketAddr,
    /// The host name of the application.
    pub(super) name: &'static str,
}

/// A running proxy; killed when dropped.
pub(super) struct Proxy {
    child: Child,
    _folder: TempDir,
}

impl Drop for Proxy {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

const APACHE_MODULES: [&str; 7] =
    ["mpm_event", "authz_core", "headers", "lua", "proxy", "proxy_http", "proxy_wstunnel"];

/// An address that was free a moment ago.
pub(super) fn free_address() -> SocketAddr {
    TcpListener::bind("127.0.0.1:0").and_then(|socket| socket.local_addr()).expect("an address")
}

impl Kind {
    /// The server runs what is shipped, certificate and TLS included; nobody asks it yet.
    pub(super) fn accepts_the_example_as_shipped(self) {
        let folder = folder();
        let key = rcgen::generate_simple_self_signed(["tasks.example.org".to_owned()]).expect("a certificate");
        let (chain, secret) = (key.cert.pem(), key.signing_key.serialize_pem());
        fs::write(folder.path().join("fullchain.pem"), &chain).expect("written");
        fs::write(folder.path().join("privkey.pem"), &secret).expect("written");
        fs::create_dir(folder.path().join("both")).expect("a folder");
        fs::write(folder.path().join("both/both.pem"), format!("{chain}{secret}")).expect("written");
        let port = free_address().port();
        let path = |name: &str| folder.path().join(name).display().to_string();
        let certificate = ("/etc/ssl/tasks/", path(""));
        let changes = match self {
            // It opens its ports even to look at a file.
            Self::Nginx => vec![
                ("listen 443", format!("listen 127.0.0.1:{port}")),
                ("listen [::]:443", format!("listen 127.0.0.2:{port}")),
                certificate,
            ],
            Self::Caddy => Vec::new(),
            Self::HaProxy => vec![("/etc/haproxy/", path("")), ("/etc/ssl/tasks/", path("both"))],
            Self::Apache => vec![("/etc/apache2/", path("")), certificate],
        };
        let file = self.writes(folder.path(), &changes, &[]);
        let mut command = self.command(folder.path(), &file);
        match self {
            Self::Nginx | Self::Apache => command.arg("-t"),
            Self::Caddy => {
                command = Command::new("caddy");
                command.env("HOME", folder.path()).args(["adapt", "--validate", "--adapter", "caddyfile", "--config"]);
                command.arg(shipped("caddy/Caddyfile"))
            }
            Self::HaProxy => command.arg("-c"),
        };
        let done = command.output().unwrap_or_else(|error| panic!("{self:?} is missing: {error}"));
        assert!(done.status.success(), "{self:?}: {}", String::from_utf8_lossy(&done.stderr));
    }

    /// Starts it in front of an application, without TLS, and waits until it listens.
    pub(super) async fn starts(self, at: &Addresses) -> Proxy {
        let folder = folder();
        let path = format!("{}/", folder.path().display());
        let (port, vestibule, name) = (at.proxy.port(), at.vestibule, at.name);
        let mut changes = match self {
            Self::Nginx => vec![
                ("listen 443 ssl;", format!("listen {};", at.proxy)),
                ("listen [::]:443 ssl;", String::new()),
                ("ssl_certificate ", "#".to_owned()),
                ("ssl_certificate_key ", "#".to_owned()),
            ],
            Self::Caddy => Vec::new(),
            Self::HaProxy => vec![
                (":443 ssl crt /etc/ssl/tasks/", at.proxy.to_string()),
                ("tasks.example.org:443", format!("{name}:{port}")),
                ("/etc/haproxy/", path),
            ],
            Self::Apache => vec![
                ("*:443", at.proxy.to_string()),
                ("/etc/apache2/vestibule.lua", format!("{path}vestibule.lua")),
                ("SSLEngine", "#".to_owned()),
                ("SSLCertificateFile", "#".to_owned()),
                ("SSLCertificateKeyFile", "#".to_owned()),
            ],
        };
        changes.push(("https://tasks.example.org", format!("http://{name}:{port}")));
        if matches!(self, Self::Nginx | Self::HaProxy) {
            changes.push(("tasks.example.org", name.to_owned()));
        }
        changes.push(("127.0.0.1:3000", at.app.to_string()));
        if self != Self::Apache {
            changes.push(("127.0.0.1:8080", vestibule.to_string()));
        }
        let script = [("\"127.0.0.1\", 8080", format!("\"127.0.0.1\", {}", vestibule.port()))];
        let file = self.writes(folder.path(), &changes, &script);
        if self == Self::Apache {
            append(&file, &format!("Listen {}\n", at.proxy));
        }
        self.runs(folder, &file, at.proxy).await
    }

    /// nginx with the TLS of the example, and with another server beside the one of the application. `files` holds the
    /// certificate and its key under the names of the example.
    pub(super) async fn starts_with_tls(at: &Addresses, files: &Path, beside: &str) -> Proxy {
        let folder = folder();
        let changes = [
            ("listen 443 ssl;", format!("listen {} ssl;", at.proxy)),
            ("listen [::]:443 ssl;", String::new()),
            ("/etc/ssl/tasks/", format!("{}/", files.display())),
            ("https://tasks.example.org", format!("https://{}:{}", at.name, at.proxy.port())),
            ("127.0.0.1:3000", at.app.to_string()),
            ("127.0.0.1:8080", at.vestibule.to_string()),
        ];
        let file = Self::Nginx.writes(folder.path(), &changes, &[]);
        let text = fs::read_to_string(&file).expect("a file");
        let inside = text.trim_end().strip_suffix('}').expect("the end of http");
        fs::write(&file, format!("{inside}{beside}}}\n")).expect("written");
        Self::Nginx.runs(folder, &file, at.proxy).await
    }

    /// Starts it with a file, and waits until it listens.
    async fn runs(self, folder: TempDir, file: &Path, proxy: SocketAddr) -> Proxy {
        let log = folder.path().join("log");
        let mut command = self.command(folder.path(), file);
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(fs::File::create(&log).expect("a log"));
        let mut child = command.spawn().unwrap_or_else(|error| panic!("{self:?} is missing: {error}"));
        let mut pace = tokio::time::interval(Duration::from_millis(10));
        let listens = async {
            while TcpStream::connect(proxy).await.is_err() {
                if let Some(status) = child.try_wait().expect("a child") {
                    panic!("{self:?} ended with {status}: {}", fs::read_to_string(&log).expect("a log"));
                }
                pace.tick().await;
            }
        };
        tokio::time::timeout(Duration::from_secs(10), listens).await.expect("it listens within seconds");
        Proxy { child, _folder: folder }
    }

    /// The example with the changes, in what the distribution puts around it.
    fn writes(self, folder: &Path, changes: &[(&str, String)], script: &[(&str, String)]) -> PathBuf {
        let here = folder.display();
        let (name, before, after) = match self {
            Self::Nginx => (
                "nginx/tasks.conf",
                "daemon off; master_process off; pid pid; error_log stderr;\nevents {}\nhttp { access_log off;\n\
                 client_body_temp_path body; proxy_temp_path proxy; fastcgi_temp_path fastcgi;\n\
                 uwsgi_temp_path uwsgi; scgi_temp_path scgi;\n"
                    .to_owned(),
                "}\n",
            ),
            Self::Caddy => ("caddy/Caddyfile", "{\nadmin off\nauto_https off\n}\n".to_owned(), ""),
            Self::HaProxy => ("haproxy/haproxy.cfg", String::new(), ""),
            Self::Apache => {
                let modules = APACHE_MODULES
                    .iter()
                    .chain(changes.iter().any(|(from, _)| *from == "/etc/ssl/tasks/").then_some(&"ssl"));
                let modules: Vec<_> = modules
                    .map(|name| format!("LoadModule {name}_module /usr/lib/apache2/modules/mod_{name}.so\n"))
                    .collect();
                let frame = format!(
                    "ServerRoot {here}\nServerName localhost\nPidFile {here}/pid\nDefaultRuntimeDir {here}\n\
                     Mutex file:{here} default\nErrorLog /dev/stderr\nUser nobody\nGroup nogroup\n{}",
                    modules.concat()
                );
                ("apache/tasks.conf", frame, "")
            }
        };
        let file = folder.join("proxy.conf");
        fs::write(&file, format!("{before}{}{after}", changed(name, changes))).expect("written");
        match self {
            Self::HaProxy => {
                fs::write(folder.join("vestibule.lua"), changed("haproxy/vestibule.lua", &[])).expect("written");
            }
            Self::Apache => {
                fs::write(folder.join("vestibule.lua"), changed("apache/vestibule.lua", script)).expect("written");
            }
            Self::Nginx | Self::Caddy => (),
        }
        file
    }

    /// In the foreground and in one process, so that it ends with the test.
    fn command(self, folder: &Path, file: &Path) -> Command {
        let (program, arguments): (_, &[&str]) = match self {
            Self::Nginx => ("nginx", &["-e", "stderr"]),
            Self::Caddy => ("caddy", &["run", "--adapter", "caddyfile"]),
            Self::HaProxy => ("haproxy", &["-db"]),
            Self::Apache => ("apache2", &["-X"]),
        };
        let mut command = Command::new(program);
        command.current_dir(folder).env("HOME", folder).args(arguments);
        match self {
            Self::Nginx => command.arg("-p").arg(folder).arg("-c").arg(file),
            Self::Caddy => command.arg("--config").arg(file),
            Self::HaProxy | Self::Apache => command.arg("-f").arg(file),
        };
        command
    }
}

/// Servers that are started by root and become somebody else have to read it.
fn folder() -> TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o755)).expect("readable");
    folder
}

fn shipped(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("examples").join(name)
}

fn changed(name: &str, changes: &[(&str, String)]) -> String {
    let path = shipped(name);
    let mut text = fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    for (from, to) in changes {
        assert!(text.contains(from), "{name} has no {from:?} any more");
        text = text.replace(from, to);
    }
    text
}

fn append(file: &Path, line: &str) {
    let text = fs::read_to_string(file).expect("a file");
    fs::write(file, text + line).expect("written");
}
