//! Real OpenID providers of other makes, as processes: npm's `oidc-provider`, which is certified, and `oidc-provider-mock` on
//! Authlib. `tests/run` installs them.

use std::io::{BufRead, BufReader};
use std::path::PathBuf;
use std::process::{Child, ChildStdout, Command, Stdio};

/// The provider's process; it ends with its standard input.
pub(crate) struct Peer {
    pub(crate) issuer: String,
    client: String,
    secret: String,
    process: Child,
    /// Kept open: it goes on speaking.
    _words: BufReader<ChildStdout>,
}

impl Peer {
    /// npm's `oidc-provider`.
    #[expect(clippy::disallowed_methods, reason = "the tests' script says where the provider is")]
    pub(crate) fn certified(back: &str) -> Self {
        let folder = std::env::var_os("VESTIBULE_OIDC_PROVIDER");
        let folder = PathBuf::from(folder.expect("tests/run installs oidc-provider and names its folder"));
        let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/peers/openid_provider.mjs");
        let secret = "a secret of the test";
        let mut node = Command::new("node");
        node.args([script, back, "vestibule", secret]).env("VESTIBULE_OIDC_PROVIDER", folder);
        let (mut peer, _) = Self::speaking(node);
        (peer.client, peer.secret) = ("vestibule".to_owned(), secret.to_owned());
        peer
    }

    /// `oidc-provider-mock`, on Authlib; the client is registered as it starts.
    #[expect(clippy::disallowed_methods, reason = "the tests' script says where the provider is")]
    pub(crate) fn on_authlib(back: &str) -> Self {
        let python = std::env::var_os("VESTIBULE_OPENID_AUTHLIB");
        let mut python = Command::new(python.expect("tests/run installs oidc-provider-mock and names its Python"));
        python.args([concat!(env!("CARGO_MANIFEST_DIR"), "/tests/peers/openid_provider_authlib.py"), back]);
        let (mut peer, words) = Self::speaking(python);
        let [client, secret] = words.as_slice() else { panic!("no client was registered: {words:?}") };
        (peer.client, peer.secret) = (client.clone(), secret.clone());
        peer
    }

    /// Starts it and reads its first line.
    fn speaking(mut command: Command) -> (Self, Vec<String>) {
        let command = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut process = command.spawn().expect("started");
        let mut line = String::new();
        let mut words = BufReader::new(process.stdout.take().expect("its words"));
        words.read_line(&mut line).expect("an issuer");
        let mut said = line.split_whitespace().map(str::to_owned);
        let issuer = said.next().expect("an issuer");
        let (client, secret) = (String::new(), String::new());
        (Self { issuer, client, secret, process, _words: words }, said.collect())
    }

    /// The configuration of a house that knows it.
    pub(crate) fn configuration(&self, more: &str) -> String {
        format!(
            "[[identity_provider]]\nslug = \"corp\"\nkind = \"oidc\"\nissuer = {:?}\nclient_id = {:?}\n\
             client_secret = {:?}\nallow_private_network = true\n{more}\n",
            self.issuer, self.client, self.secret
        )
    }

    pub(crate) fn ends(mut self) {
        drop(self.process.stdin.take());
        self.process.wait().expect("it ends");
    }
}
