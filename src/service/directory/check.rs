//! What is wrong with a directory, found step by step as the service itself would go, each failure with its remedy.

use super::check_entries::{attributes, everybody, person, sample};
use super::check_groups::groups;
use super::{Connected, Directories, SyncError};
use crate::connect::ldap::{Connection, Host, LdapError, Scope, Search};
use crate::service::context::Context;
use crate::service::core::Trouble;
use crate::service::moment;

/// What came of one step.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Step {
    /// What was looked at.
    pub what: String,
    /// What was found, or went wrong.
    pub found: String,
    /// What to do about it; there is one exactly when the step failed.
    pub remedy: Option<String>,
}

/// Entries that are shown as examples.
const SAMPLES: u32 = 3;

pub(super) struct Report(Vec<Step>);

impl Report {
    pub(super) fn good(&mut self, what: impl Into<String>, found: impl Into<String>) {
        self.0.push(Step { what: what.into(), found: found.into(), remedy: None });
    }

    pub(super) fn bad(&mut self, what: impl Into<String>, found: impl Into<String>, remedy: impl Into<String>) {
        self.0.push(Step { what: what.into(), found: found.into(), remedy: Some(remedy.into()) });
    }
}

impl Directories {
    /// Looks at every server of a directory, then at what it holds; with a name, at that person.
    ///
    /// # Errors
    /// [`SyncError::Unknown`]; [`SyncError::Trouble`] when a store does not answer.
    pub async fn check(&self, ctx: &Context, slug: &str, user: Option<&str>) -> Result<Vec<Step>, SyncError> {
        let connected = self.named(slug).ok_or_else(|| SyncError::Unknown(slug.to_owned()))?;
        let mut report = Report(Vec::new());
        let mut first = None;
        for host in &connected.server.settings().hosts {
            let connection = server(&connected, host, &mut report).await;
            first = first.or(connection);
        }
        if let Some(mut connection) = first {
            content(&connected, &mut connection, &mut report, ctx).await;
            groups(&connected.policy.groups, &mut connection, &mut report).await;
            if let Some(user) = user
                && let Some(person) = person(&connected, &mut connection, &mut report, (user, ctx)).await
            {
                self.check_account(&connected, &person, &mut report).await.map_err(Trouble::from)?;
            }
        }
        Ok(report.0)
    }
}

/// Name, TCP, TLS and login of one server; the connection, if all of that worked.
async fn server(connected: &Connected, host: &Host, report: &mut Report) -> Option<Connection> {
    let directory = &connected.server;
    let what = |step: &str| format!("{host}: {step}");
    let addresses = match directory.resolve(host).await {
        Ok(addresses) => addresses,
        Err(error) => {
            report.bad(
                what("name"),
                error.to_string(),
                "is the name in `hosts` right, and does this machine's name server know it?",
            );
            return None;
        }
    };
    let shown: Vec<_> = addresses.iter().map(|address| address.ip().to_string()).collect();
    report.good(what("name"), shown.join(", "));
    let mut reached = Err(LdapError::Away("the name has no address".to_owned()));
    for address in &addresses {
        reached = directory.reach(*address).await;
        if reached.is_ok() {
            break;
        }
    }
    if let Err(error) = reached {
        report.bad(
            what("TCP"),
            error.to_string(),
            "is the port in `hosts` right, does the server run, does a firewall let this machine through?",
        );
        return None;
    }
    report.good(what("TCP"), "connected");
    let mut connection = match directory.open(host).await {
        Ok(connection) => connection,
        Err(error) => {
            let remedy = tls_remedy(&error);
            report.bad(what("TLS"), error.to_string(), remedy);
            return None;
        }
    };
    let until = connection.certificate_ends().await.map(moment::machine);
    report.good(
        what("TLS"),
        match until {
            Some(until) => format!("the certificate is trusted, for this name, and good until {until}"),
            None if directory.is_protected() => "the certificate is trusted and for this name".to_owned(),
            None => "NOT PROTECTED (danger_plain)".to_owned(),
        },
    );
    match directory.log_in(&mut connection).await {
        Ok(true) => report.good(what("bind"), "the service's login works"),
        Ok(false) => report.good(what("bind"), "anonymous"),
        Err(error) => {
            report.bad(
                what("bind"),
                error.to_string(),
                "are `bind_dn` and its password right? Try them with `ldapwhoami -x -D … -W`.",
            );
            return None;
        }
    }
    Some(connection)
}

fn tls_remedy(error: &LdapError) -> &'static str {
    let text = error.to_string();
    if text.contains("ca_file") {
        "put the certificate of the authority that signed the server's into a PEM file and name it in `ca_file`"
    } else if text.contains("another name") {
        "write the server into `hosts` by a name that its certificate has, or get a certificate with this name"
    } else if text.contains("expired") || text.contains("not valid yet") {
        "renew the server's certificate; look at the clock of both machines"
    } else if text.contains("does not start TLS") {
        "let the server offer StartTLS, or set `security = \"ldaps\"` and its port"
    } else {
        "does the port speak what `security` says? StartTLS is usually on 389, LDAPS on 636"
    }
}

/// What the server can do, and whether base and filter find people that could be accounts.
async fn content(connected: &Connected, connection: &mut Connection, report: &mut Report, ctx: &Context) {
    let policy = &connected.policy;
    match connection.about().await {
        Ok(about) => {
            let kind =
                if about.active_directory { "Active Directory".to_owned() } else { about.vendor.unwrap_or_default() };
            report.good("server", if kind.is_empty() { "it does not say what it is".to_owned() } else { kind });
            let paging = if about.paging { "offered" } else { "not offered: everything is asked for at once" };
            report.good("paging", paging);
        }
        Err(error) => {
            return report.bad("server", error.to_string(), "the server closed the connection; look into its log");
        }
    }
    let base = Search {
        base: policy.base.clone(),
        scope: Scope::Entry,
        filter: "(objectClass=*)".to_owned(),
        attributes: Vec::new(),
    };
    match connection.find(&base, 1).await {
        Ok(found) if !found.is_empty() => report.good("base", &*policy.base),
        Ok(_) => {
            return report.bad(
                "base",
                "it is there and may not be read",
                "give the service's entry the right to read it",
            );
        }
        Err(error) => {
            return report.bad(
                "base",
                error.to_string(),
                if connected.server.settings().login.is_some() {
                    "is `base_dn` right, and may the service's entry read it? Some servers say that it is not there."
                } else {
                    "is `base_dn` right? Searches are anonymous: where the server does not allow that, set `bind_dn` and \
                     its password"
                },
            );
        }
    }
    let samples =
        Search { scope: Scope::Subtree, filter: policy.filter.clone(), attributes: attributes(connected), ..base };
    match connection.find(&samples, SAMPLES).await {
        Ok(found) if found.is_empty() => {
            report.bad(
                "filter",
                "it matches nobody",
                "try `filter` with ldapsearch; leave parts of it out until it finds somebody",
            );
        }
        Ok(found) => {
            report.good("filter", format!("{} matches somebody", policy.filter));
            everybody(connected, connection, report).await;
            for one in &found {
                sample(connected, one, report, ctx);
            }
        }
        Err(LdapError::Cut(_)) => everybody(connected, connection, report).await,
        Err(error) => report.bad("filter", error.to_string(), "does the server know the attributes in `filter`?"),
    }
}
