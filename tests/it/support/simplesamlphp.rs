//! A real SAML provider as a process: `SimpleSAMLphp` as Debian ships it, in PHP's own server.

use std::fs;
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

const KEYS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/corpus/saml/keys/");
const PERSISTENT: &str = "urn:oasis:names:tc:SAML:2.0:nameid-format:persistent";

/// How the provider does it.
#[derive(Clone, Copy)]
pub(crate) struct Manner<'a> {
    /// Shows a form for name and password, both of which are `anna`. Otherwise everybody is Anna, unasked.
    pub(crate) asks: bool,
    /// Takes and sends all messages by form. Otherwise what fits goes by redirect.
    pub(crate) by_form: bool,
    /// How it treats us, as PHP writes it.
    pub(crate) options: &'a str,
}

/// A running provider; killed when dropped.
pub(crate) struct Php {
    child: Child,
    pub(crate) at: SocketAddr,
    _folder: tempfile::TempDir,
}

impl Drop for Php {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

/// Where one can run: free a moment ago.
pub(crate) fn place() -> SocketAddr {
    TcpListener::bind("127.0.0.1:0").and_then(|socket| socket.local_addr()).expect("an address")
}

/// What is to be said of the one at this address below `[[identity_provider]]`.
pub(crate) fn configuration(at: SocketAddr, more: &str) -> String {
    format!(
        "[[identity_provider]]\nslug = \"corp\"\nkind = \"saml\"\nname_id_format = \"persistent\"\n\
         allow_private_network = true\nmetadata_url = \"http://{at}/saml2/idp/metadata.php\"\n{more}\n\
         [identity_provider.groups]\nfrom = \"groups\"\n"
    )
}

impl Php {
    /// Starts it for a service at `url` with this metadata, and waits until it listens.
    #[expect(clippy::disallowed_methods, reason = "what is waited for has a deadline of the wall clock")]
    pub(crate) fn starts(at: SocketAddr, url: &str, metadata: &str, manner: &Manner<'_>) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        configure(folder.path(), at, manner);
        introduce(folder.path(), url, metadata, manner);
        let child = Command::new("php")
            .args(["-S", &at.to_string(), "-t", "/usr/share/simplesamlphp/www"])
            .env("SIMPLESAMLPHP_CONFIG_DIR", folder.path())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("php, of the package php-cli");
        let mut running = Self { child, at, _folder: folder };
        let end = Instant::now() + Duration::from_secs(20);
        while TcpStream::connect(at).is_err() {
            assert!(running.child.try_wait().expect("a child").is_none(), "php has ended");
            assert!(Instant::now() < end, "php does not listen");
            std::thread::yield_now();
        }
        running
    }
}

fn write(folder: &Path, name: &str, php: &str) {
    fs::write(folder.join(name), format!("<?php\n{php}")).expect("written");
}

const fn bindings(manner: &Manner<'_>) -> &'static str {
    if manner.by_form {
        "['urn:oasis:names:tc:SAML:2.0:bindings:HTTP-POST']"
    } else {
        "['urn:oasis:names:tc:SAML:2.0:bindings:HTTP-Redirect']"
    }
}

/// What it is, and whom it knows.
fn configure(folder: &Path, at: SocketAddr, manner: &Manner<'_>) {
    let text = folder.display();
    fs::create_dir_all(folder.join("metadata")).expect("a folder");
    let config = format!(
        "$config = ['baseurlpath' => 'http://{at}/', 'certdir' => '{KEYS}', 'loggingdir' => '{text}/', 'datadir' => '{text}/', \
         'tempdir' => '{text}', 'metadatadir' => '{text}/metadata/', 'technicalcontact_email' => 'na@example.org', \
         'timezone' => 'UTC', 'secretsalt' => 'for tests only', 'auth.adminpassword' => 'for tests only', \
         'admin.checkforupdates' => false, 'logging.handler' => 'file', 'enable.saml20-idp' => true, \
         'module.enable' => ['exampleauth' => true, 'core' => true, 'saml' => true], 'session.cookie.secure' => false, \
         'session.cookie.samesite' => null, 'session.phpsession.savepath' => '{text}', 'store.type' => 'phpsession', \
         'metadata.sources' => [['type' => 'flatfile']], 'production' => true];"
    );
    write(folder, "config.php", &config);
    let anna = "'uid' => ['anna'], 'mail' => ['anna@example.org'], 'displayName' => ['Anna of Corp'], \
                'groups' => ['staff', 'makers & shakers']";
    let people = if manner.asks {
        format!("['exampleauth:UserPass', 'anna:anna' => [{anna}]]")
    } else {
        format!("['exampleauth:StaticSource', {anna}]")
    };
    write(folder, "authsources.php", &format!("$config = ['people' => {people}];"));
    let there = bindings(manner);
    let hosted = format!(
        "$metadata['http://{at}/idp'] = ['host' => '__DEFAULT__', 'privatekey' => 'idp-rsa.key.pem', \
         'certificate' => 'idp-rsa.cert.pem', 'auth' => 'people', 'sign.logout' => true, 'redirect.validate' => true, \
         'SingleSignOnServiceBinding' => {there}, 'SingleLogoutServiceBinding' => {there}, \
         'signature.algorithm' => 'http://www.w3.org/2001/04/xmldsig-more#rsa-sha256', \
         'authproc' => [3 => ['class' => 'saml:AttributeNameID', 'attribute' => 'uid', 'Format' => '{PERSISTENT}']]];"
    );
    write(folder, "metadata/saml20-idp-hosted.php", &hosted);
}

/// What it must know of us.
fn introduce(folder: &Path, url: &str, metadata: &str, manner: &Manner<'_>) {
    let certificate = metadata.split("<ds:X509Certificate>").nth(1).and_then(|rest| rest.split('<').next());
    let (certificate, base) = (certificate.expect("a certificate"), format!("{url}/login/corp"));
    let remote = format!(
        "$metadata['{base}/metadata'] = ['AssertionConsumerService' => '{base}/acs', 'SingleLogoutService' => \
         [['Binding' => {}[0], 'Location' => '{base}/slo']], 'NameIDFormat' => '{PERSISTENT}', \
         'validate.authnrequest' => true, 'sign.logout' => true, 'validate.logout' => true, \
         'keys' => [['type' => 'X509Certificate', 'signing' => true, 'encryption' => true, \
         'X509Certificate' => '{certificate}']], {}];",
        bindings(manner),
        manner.options
    );
    write(folder, "metadata/saml20-sp-remote.php", &remote);
}
