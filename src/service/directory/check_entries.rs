//! The part of a check about entries of people: whether all come, what some of them would become, and who signs in with a
//! name. Whose account that is says `check_person.rs`.

use super::Connected;
use super::check::Report;
use super::link::{by_name, names};
use crate::connect::ldap::{Connection, Found, LdapError, Reading, Scope, Search};
use crate::domain::directory::Person;
use crate::service::context::Context;

/// What helps against limits of the server's.
const LIMITS: &str = "raise the server's size limits for the service's entry (OpenLDAP: `limits dn.exact=\"BIND_DN\" \
                      size=unlimited size.prtotal=unlimited`; 389 Directory Server: `nsSizeLimit: -1`), or narrow `filter`. Until then synchronisations take nobody \
                      away and end with 1, and a name that the server cuts off signs nobody in";

/// Whether the list of people comes to its end, read as a synchronisation does: a server may have limits of its own.
pub(super) async fn everybody(connected: &Connected, connection: &mut Connection, report: &mut Report) {
    let (base, filter) = (connected.policy.base.clone(), connected.policy.filter.clone());
    let search = Search { base, scope: Scope::Subtree, filter, attributes: Vec::new() };
    let mut count = 0_usize;
    match connection.search(&search, &mut |_| count += 1).await {
        Ok(Reading::Whole) => report.good("all entries", format!("{count}, read to the end")),
        Ok(Reading::Partial(why)) => {
            report.bad("all entries", format!("{count} were read, and then the server gave no more: {why}"), LIMITS);
        }
        Err(error) => report.bad(
            "all entries",
            format!("{count} were read, and then: {error}"),
            "look into the log of the server; a smaller `page_size` or a longer `operation_timeout` may help",
        ),
    }
}

pub(super) fn attributes(connected: &Connected) -> Vec<String> {
    let mut attributes = connected.wanted_attributes();
    attributes.push("memberOf".to_owned());
    attributes
}

/// An entry, and what it would become.
pub(super) fn sample(connected: &Connected, found: &Found, report: &mut Report, ctx: &Context) {
    let person = Person::of(&found.entry, &connected.policy.mapping, ctx.now().seconds());
    let what = format!("entry {}", person.dn);
    match (&person.username, &person.email, &person.name) {
        (Ok(username), Ok(email), Some(name)) => {
            let shut = if person.disabled { "; disabled in the directory" } else { "" };
            let groups = found.entry.values("memberOf").count();
            let further: Vec<_> = person.custom.iter().map(|(name, value)| format!(", {name}: {value}")).collect();
            let further = further.concat();
            report.good(
                what,
                format!(
                    "username {username}, e-mail address {}, name {}, subject {}, {groups} groups by memberOf{shut}{further}",
                    email.as_str(),
                    name.as_str(),
                    person.subject.as_str()
                ),
            );
        }
        (Err(flaw), ..) => {
            report.bad(what, flaw.to_string(), "change the entry, or name another attribute in `attributes.username`");
        }
        (_, Err(flaw), _) => {
            report.bad(what, flaw.to_string(), "change the entry, or name another attribute in `attributes.email`");
        }
        (.., None) => {
            report.bad(what, "it has no name that could be shown", "name the right attribute in `attributes.name`");
        }
    }
}

/// The person that somebody of this name would sign in as.
pub(super) async fn person(
    connected: &Connected,
    connection: &mut Connection,
    report: &mut Report,
    who: (&str, &Context),
) -> Option<Person> {
    let (user, ctx) = who;
    let policy = &connected.policy;
    let mut search = Search { attributes: attributes(connected), ..by_name(connected, user) };
    let what = format!("person {user}");
    match connection.find(&search, 2).await {
        Ok(found) => match found.as_slice() {
            [one] => {
                sample(connected, one, report, ctx);
                return Some(Person::of(&one.entry, &policy.mapping, ctx.now().seconds()));
            }
            [] => {
                search.filter = names(&policy.mapping.username, user);
                let there = connection.find(&search, 1).await.is_ok_and(|found| !found.is_empty());
                let (found, remedy) = if there {
                    ("the entry is there, and `filter` does not let it in", "change `filter`, or the entry")
                } else {
                    ("no entry has this name under `base_dn`", "look at `base_dn` and `attributes.username`")
                };
                report.bad(what, found, remedy);
            }
            _ => report.bad(
                what,
                "more than one entry has this name: neither can sign in",
                "make names unique, or narrow `filter`",
            ),
        },
        Err(error @ LdapError::Cut(_)) => {
            report.bad(what, format!("nobody knows whether others have this name: {error}"), LIMITS);
        }
        Err(error) => {
            report.bad(what, error.to_string(), "does the server know the attributes in `attributes.username`?");
        }
    }
    None
}
