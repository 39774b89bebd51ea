//! A real directory: slapd in a folder of its own, unprivileged, on ports that were free a moment ago.

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use std::fmt::Write as _;
use std::io::Write as _;
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;
use tempfile::TempDir;
use tokio::time::Instant;

/// Base of everything in it.
pub(crate) const BASE: &str = "dc=example,dc=org";
/// May do anything.
const ROOT: &str = "cn=root,dc=example,dc=org";
/// The entry that the service binds as.
pub(crate) const SERVICE: &str = "cn=vestibule,ou=services,dc=example,dc=org";
/// Password of both.
pub(crate) const SECRET: &str = "service secret";

/// A running directory; killed when dropped.
pub(crate) struct Slapd {
    folder: TempDir,
    child: Option<Child>,
    pub(crate) port: u16,
    pub(crate) tls_port: u16,
}

/// A person's entry. The password is the name and `-password`.
pub(crate) fn person(uid: &str) -> String {
    format!(
        "dn: uid={uid},ou=people,{BASE}\nobjectClass: inetOrgPerson\nuid: {uid}\ncn: {uid} Example\nsn: Example\n\
         mail: {uid}@example.org\nuserPassword: {uid}-password\n\n"
    )
}

/// A group's entry with members named by entry.
pub(crate) fn group(cn: &str, members: &[&str]) -> String {
    let mut text = format!("dn: cn={cn},ou=groups,{BASE}\nobjectClass: groupOfNames\ncn: {cn}\n");
    for member in members {
        let dn = if member.contains('=') { (*member).to_owned() } else { format!("uid={member},ou=people,{BASE}") };
        writeln!(text, "member: {dn}").expect("text");
    }
    text.push('\n');
    text
}

fn trunk() -> String {
    format!(
        "dn: {BASE}\nobjectClass: dcObject\nobjectClass: organization\no: Example\ndc: example\n\n\
         dn: ou=people,{BASE}\nobjectClass: organizationalUnit\nou: people\n\n\
         dn: ou=groups,{BASE}\nobjectClass: organizationalUnit\nou: groups\n\n\
         dn: ou=services,{BASE}\nobjectClass: organizationalUnit\nou: services\n\n\
         dn: {SERVICE}\nobjectClass: organizationalRole\nobjectClass: simpleSecurityObject\ncn: vestibule\n\
         userPassword: {SECRET}\n\n"
    )
}

fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").and_then(|socket| socket.local_addr()).expect("a port").port()
}

impl Slapd {
    /// With these entries below the trunk.
    pub(crate) fn with(ldif: &str) -> Self {
        Self::configured("", ldif)
    }

    /// With more lines for its configuration (in the database's section).
    pub(crate) fn configured(more: &str, ldif: &str) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let slapd = Self { folder, child: None, port: free_port(), tls_port: free_port() };
        std::fs::create_dir(slapd.file("db")).expect("a folder");
        slapd.new_certificate(true);
        slapd.writes_configuration(more);
        let mut slapd = slapd;
        slapd.starts();
        slapd.adds(&format!("{}{ldif}", trunk()));
        slapd
    }

    pub(crate) fn file(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Takes effect with the next start.
    pub(crate) fn writes_configuration(&self, more: &str) {
        let at = self.folder.path().display();
        let schemas = ["core", "cosine", "inetorgperson", "nis"];
        let schemas = schemas.map(|name| format!("include /etc/ldap/schema/{name}.schema\n")).concat();
        let text = format!(
            "{schemas}pidfile {at}/pid\nmodulepath /usr/lib/ldap\nmoduleload back_mdb\nmoduleload memberof\n\
             TLSCACertificateFile {at}/ca.pem\nTLSCertificateFile {at}/certificate.pem\nTLSCertificateKeyFile {at}/key.pem\n\
             database mdb\nsuffix {BASE}\nrootdn {ROOT}\nrootpw \"{SECRET}\"\ndirectory {at}/db\nmaxsize 268435456\n\
             index uid,mail,cn,member,memberUid,entryUUID eq\n\
             access to attrs=userPassword by anonymous auth by * none\naccess to * by * read\n{more}\n\
             overlay memberof\nmemberof-refint true\n"
        );
        std::fs::write(self.file("slapd.conf"), text).expect("a configuration");
    }

    /// Writes a new certificate, of the known authority or of another one.
    pub(crate) fn new_certificate(&self, known_authority: bool) {
        self.certificate(known_authority, 4096);
    }

    /// Writes one of the known authority that was good until a year long past.
    pub(crate) fn expired_certificate(&self) {
        self.certificate(true, 2001);
    }

    fn certificate(&self, known_authority: bool, until: i32) {
        let mut params = CertificateParams::new(Vec::new()).expect("parameters");
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let ca = CertifiedIssuer::self_signed(params, KeyPair::generate().expect("a key")).expect("an authority");
        let key = KeyPair::generate().expect("a key");
        let names = vec!["127.0.0.1".to_owned()];
        let mut params = CertificateParams::new(names).expect("parameters");
        params.not_after = rcgen::date_time_ymd(until, 1, 1);
        let certificate = params.signed_by(&key, &ca).expect("a certificate");
        let write = |name: &str, text: String| std::fs::write(self.file(name), text).expect("written");
        write("ca.pem", ca.pem());
        if known_authority {
            write("trusted.pem", ca.pem());
        }
        write("certificate.pem", certificate.pem());
        write("key.pem", key.serialize_pem());
    }

    /// Starts it and waits until it answers.
    pub(crate) fn starts(&mut self) {
        let addresses = format!("ldap://127.0.0.1:{} ldaps://127.0.0.1:{}", self.port, self.tls_port);
        // Debian puts it where only root looks.
        let debian = "/usr/sbin/slapd";
        let mut command = Command::new(if Path::new(debian).exists() { debian } else { "slapd" });
        command.arg("-f").arg(self.file("slapd.conf")).args(["-h", &addresses, "-d", "0"]);
        let log = std::fs::File::create(self.file("log")).expect("a log");
        let child = command.stdout(Stdio::null()).stderr(log).spawn().expect("slapd starts; is it installed?");
        self.child = Some(child);
        let deadline = Instant::now() + Duration::from_secs(20);
        while TcpStream::connect(("127.0.0.1", self.tls_port)).is_err() {
            let ended = self.child.as_mut().expect("a child").try_wait().expect("a state");
            let log = || std::fs::read_to_string(self.file("log")).unwrap_or_default();
            assert!(ended.is_none() && Instant::now() < deadline, "slapd does not start: {}", log());
        }
    }

    pub(crate) fn is_killed(&mut self) {
        if let Some(mut child) = self.child.take() {
            drop(child.kill());
            drop(child.wait());
        }
    }

    pub(crate) fn restarts(&mut self) {
        self.is_killed();
        self.starts();
    }

    /// Adds entries.
    pub(crate) fn adds(&self, ldif: &str) {
        self.tool("ldapadd", &[], ldif);
    }

    /// Changes entries.
    pub(crate) fn modifies(&self, ldif: &str) {
        self.tool("ldapmodify", &[], ldif);
    }

    /// Removes an entry.
    pub(crate) fn deletes(&self, dn: &str) {
        self.tool("ldapdelete", &[dn], "");
    }

    /// Removes an entry with everything below it.
    pub(crate) fn empties(&self, dn: &str) {
        self.tool("ldapdelete", &["-r", dn], "");
    }

    fn tool(&self, tool: &str, arguments: &[&str], input: &str) {
        let address = format!("ldap://127.0.0.1:{}", self.port);
        let mut command = Command::new(tool);
        command.args(["-x", "-H", &address, "-D", ROOT, "-w", SECRET]).args(arguments);
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::piped()).spawn();
        let child = child.as_mut().expect("ldap-utils are installed");
        child.stdin.take().expect("an input").write_all(input.as_bytes()).expect("written");
        let mut said = String::new();
        std::io::Read::read_to_string(child.stderr.as_mut().expect("an output"), &mut said).expect("text");
        assert!(child.wait().expect("ended").success(), "{tool}: {said}");
    }

    /// The certificates that clients trust.
    pub(crate) fn trusted(&self) -> PathBuf {
        self.file("trusted.pem")
    }

    /// The configuration of a service in front of it: `[[directory]]` with `StartTLS`, and then these lines.
    pub(crate) fn directory(&self, more: &str) -> String {
        self.directory_at(self.port, more)
    }

    /// The same, with something in between.
    pub(crate) fn directory_at(&self, port: u16, more: &str) -> String {
        block(port, &self.trusted(), more)
    }
}

fn block(port: u16, trusted: &Path, more: &str) -> String {
    format!(
        "[[directory]]\nslug = \"ldap\"\nhosts = [\"127.0.0.1:{port}\"]\nca_file = \"{}\"\nbind_dn = \"{SERVICE}\"\n\
         bind_password = \"{SECRET}\"\nbase_dn = \"ou=people,{BASE}\"\nconnect_timeout = \"5s\"\noperation_timeout = \"5s\"\n\
         {more}\n",
        trusted.display()
    )
}

impl Drop for Slapd {
    fn drop(&mut self) {
        self.is_killed();
    }
}
