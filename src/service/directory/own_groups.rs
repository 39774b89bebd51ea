//! The groups of one person, looked up when they sign in for the first time: the same rules as in a synchronisation, asked
//! from the person's side. It only finds; who has left a group, the synchronisation says.

use super::Connected;
use super::policy::{GroupRule, Strategy, Wanted};
use super::read::IN_CHAIN;
use super::read_groups::{GROUPS, member_name};
use crate::connect::ldap::{LdapError, Scope, Search, escaped, escaped_bytes};
use crate::domain::directory::{DnKey, Entry, Subject};
use std::collections::HashSet;

/// Groups of one person that are followed.
const MOST: u32 = 500;

/// A group that somebody belongs to.
pub(in crate::service) struct OwnGroup {
    /// Its name in the directory, or the one that the operator gave it here.
    pub name: String,
    /// What stays the same when its entry is renamed; `None` when the operator named the group.
    pub subject: Option<Subject>,
}

impl Connected {
    /// The groups that this person belongs to by the directory's word, among those that are synchronised.
    ///
    /// # Errors
    /// [`LdapError`]; the next synchronisation finds out then.
    pub(in crate::service) async fn groups_of(
        &self,
        person: &Entry,
        username: &str,
    ) -> Result<Vec<OwnGroup>, LdapError> {
        if self.policy.groups.is_empty() {
            return Ok(Vec::new());
        }
        let active = self.server.about().await?.active_directory;
        let names_them = self.policy.groups.iter().any(|rule| rule.members == Strategy::MemberOf);
        let own = if names_them { self.with_groups(person).await? } else { person.clone() };
        let look = Look { connected: self, person: &own, username, active };
        let mut found = Vec::new();
        for rule in &self.policy.groups {
            found.extend(look.by(rule).await?);
        }
        Ok(found)
    }

    /// The person's entry again, with what it says about groups.
    async fn with_groups(&self, person: &Entry) -> Result<Entry, LdapError> {
        let wanted = ["memberOf", "primaryGroupID", "objectSid"].map(str::to_owned).to_vec();
        let found = self.entry(person.dn(), &self.policy.filter, wanted).await?;
        Ok(found.unwrap_or_else(|| Entry::new(person.dn())))
    }

    /// One entry, if it is there and matches.
    async fn entry(&self, dn: &str, filter: &str, attributes: Vec<String>) -> Result<Option<Entry>, LdapError> {
        let search = Search { base: dn.to_owned(), scope: Scope::Entry, filter: filter.to_owned(), attributes };
        match self.server.find(&search, 1).await {
            Ok(found) => Ok(found.into_iter().next().map(|one| one.entry)),
            Err(error) if error.is_away() => Err(error),
            // Not there, or not for our eyes.
            Err(_) => Ok(None),
        }
    }
}

struct Look<'a> {
    connected: &'a Connected,
    person: &'a Entry,
    username: &'a str,
    active: bool,
}

impl Look<'_> {
    async fn by(&self, rule: &GroupRule) -> Result<Vec<OwnGroup>, LdapError> {
        let entries = match rule.members {
            Strategy::Usernames(attribute) => self.by_username(rule, attribute).await?,
            Strategy::MemberOf if self.active && rule.depth > 0 => {
                let chain = format!("(member:{IN_CHAIN}:={})", escaped(self.person.dn()));
                let mut entries = self.holding(rule, &chain).await?;
                entries.extend(self.primary(rule).await?);
                entries
            }
            Strategy::Names(attribute) => {
                let inner = self.inner(rule, attribute).await?;
                let each = std::iter::once(self.person.dn()).chain(inner.iter().map(String::as_str));
                self.holding(rule, &any_of(attribute, each)).await?
            }
            Strategy::MemberOf => {
                let mut entries = self.named(rule).await?;
                if self.active {
                    entries.extend(self.primary(rule).await?);
                }
                entries
            }
        };
        let own = |entry: Entry| {
            if let Wanted::One { group: Some(group), .. } = &rule.wanted {
                return Some(OwnGroup { name: group.clone(), subject: None });
            }
            let name = entry.first_text(std::slice::from_ref(&rule.name_attribute))?.to_owned();
            let subject = Some(Subject::of(&entry, &self.connected.policy.mapping.subject));
            Some(OwnGroup { name, subject })
        };
        Ok(entries.into_iter().filter_map(own).collect())
    }

    fn attributes(&self, rule: &GroupRule) -> Vec<String> {
        let mut attributes = self.connected.policy.mapping.subject.clone();
        attributes.extend([rule.name_attribute.clone(), "primaryGroupToken".to_owned()]);
        attributes
    }

    /// The rule's groups that match a filter as well.
    async fn holding(&self, rule: &GroupRule, filter: &str) -> Result<Vec<Entry>, LdapError> {
        self.holding_with(rule, filter, self.attributes(rule)).await
    }

    /// The rule's groups that have the username, whatever its case: servers compare `memberUid` with regard to case
    /// (RFC 2307 section 3), some cannot do it otherwise, a synchronisation does it without. Whatever is found is compared
    /// here in the end, as in a synchronisation.
    async fn by_username(&self, rule: &GroupRule, attribute: &str) -> Result<Vec<Entry>, LdapError> {
        let (name, wanted) = (escaped(self.username.trim()), member_name(self.username));
        let exact = format!("({attribute}={name})");
        let any_case = format!("(|{exact}({attribute}:caseIgnoreIA5Match:={name}))");
        for filter in [&any_case, &exact] {
            let mut attributes = self.attributes(rule);
            attributes.push(attribute.to_owned());
            let mut found = self.holding_with(rule, filter, attributes).await?;
            found.retain(|entry| entry.texts(attribute).any(|member| member_name(member) == wanted));
            if !found.is_empty() {
                return Ok(found);
            }
        }
        Ok(Vec::new())
    }

    async fn holding_with(
        &self,
        rule: &GroupRule,
        filter: &str,
        attributes: Vec<String>,
    ) -> Result<Vec<Entry>, LdapError> {
        match &rule.wanted {
            Wanted::One { dn, .. } => Ok(self.connected.entry(dn, filter, attributes).await?.into_iter().collect()),
            Wanted::Matching(wanted) => self.under(&rule.base, format!("(&{wanted}{filter})"), attributes).await,
        }
    }

    async fn under(&self, base: &str, filter: String, attributes: Vec<String>) -> Result<Vec<Entry>, LdapError> {
        let search = Search { base: base.to_owned(), scope: Scope::Subtree, filter, attributes };
        match self.connected.server.find(&search, MOST).await {
            Ok(found) => Ok(found.into_iter().map(|one| one.entry).collect()),
            Err(error) if error.is_away() => Err(error),
            Err(_) => Ok(Vec::new()),
        }
    }

    /// Groups under the rule's base that hold the person, to one level less than the rule follows.
    async fn inner(&self, rule: &GroupRule, attribute: &str) -> Result<Vec<String>, LdapError> {
        let (mut seen, mut all) = (HashSet::new(), Vec::new());
        let mut level = vec![self.person.dn().to_owned()];
        for _ in 0..rule.depth {
            let filter = format!("(&{GROUPS}{})", any_of(attribute, level.iter().map(String::as_str)));
            let found = self.under(&rule.base, filter, Vec::new()).await?;
            level = found.iter().map(|one| one.dn().to_owned()).filter(|dn| seen.insert(DnKey::of(dn))).collect();
            if level.is_empty() || seen.len() > MOST as usize {
                break;
            }
            all.extend_from_slice(&level);
        }
        Ok(all)
    }

    /// The rule's groups among those that the person, or a group that the person is in, names.
    async fn named(&self, rule: &GroupRule) -> Result<Vec<Entry>, LdapError> {
        let base = DnKey::of(&rule.base);
        let mut seen = HashSet::new();
        let mut all: Vec<String> = Vec::new();
        let mut level: Vec<String> = self.person.texts("memberOf").map(str::to_owned).collect();
        for round in 0..=rule.depth {
            level.retain(|dn| seen.insert(DnKey::of(dn)));
            level.truncate((MOST as usize).saturating_sub(all.len()));
            all.extend_from_slice(&level);
            if round == rule.depth || level.is_empty() {
                break;
            }
            let mut next = Vec::new();
            for dn in level.iter().filter(|dn| DnKey::of(dn).is_under(&base)) {
                let entry = self.connected.entry(dn, GROUPS, vec!["memberOf".to_owned()]).await?;
                next.extend(entry.iter().flat_map(|entry| entry.texts("memberOf")).map(str::to_owned));
            }
            level = next;
        }
        let mut found = Vec::new();
        match &rule.wanted {
            Wanted::One { dn, .. } => {
                if seen.contains(&DnKey::of(dn)) {
                    found.extend(self.connected.entry(dn, "(objectClass=*)", self.attributes(rule)).await?);
                }
            }
            Wanted::Matching(filter) => {
                for dn in all.iter().filter(|dn| DnKey::of(dn).is_under(&base)) {
                    found.extend(self.connected.entry(dn, filter, self.attributes(rule)).await?);
                }
            }
        }
        Ok(found)
    }

    /// The group that Active Directory keeps as a number with the person, if the rule follows it.
    async fn primary(&self, rule: &GroupRule) -> Result<Vec<Entry>, LdapError> {
        let Some(number) = self.person.number("primaryGroupID") else { return Ok(Vec::new()) };
        match &rule.wanted {
            Wanted::One { dn, .. } => {
                let entry = self.connected.entry(dn, "(objectClass=*)", self.attributes(rule)).await?;
                Ok(entry.into_iter().filter(|entry| entry.number("primaryGroupToken") == Some(number)).collect())
            }
            Wanted::Matching(filter) => {
                let Some(sid) = self.person.values("objectSid").next().and_then(|sid| sibling(sid, number)) else {
                    return Ok(Vec::new());
                };
                let filter = format!("(&{filter}(objectSid={}))", escaped_bytes(&sid));
                self.under(&rule.base, filter, self.attributes(rule)).await
            }
        }
    }
}

/// `(|(attribute=…)(attribute=…))`
fn any_of<'a>(attribute: &str, names: impl Iterator<Item = &'a str>) -> String {
    let each: Vec<String> = names.map(|name| format!("({attribute}={})", escaped(name))).collect();
    format!("(|{})", each.concat())
}

/// The security identifier of the same domain with another last part ([MS-DTYP] 2.4.2.2).
fn sibling(sid: &[u8], number: i64) -> Option<Vec<u8>> {
    let number = u32::try_from(number).ok()?;
    let head = sid.get(..sid.len().checked_sub(4)?)?;
    Some([head, &number.to_le_bytes()].concat())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_primary_group_has_the_identifier_of_the_domain_and_its_own_number() {
        let person = [1, 5, 0, 0, 0, 0, 0, 5, 21, 0, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 80, 4, 0, 0];
        let group = sibling(&person, 513).expect("an identifier");
        assert_eq!((&group[..24], &group[24..]), (&person[..24], &[1, 2, 0, 0][..]));
        assert_eq!(sibling(&[1, 2], 513), None);
        assert_eq!(sibling(&person, -1), None);
    }

    #[test]
    fn names_are_values_whatever_is_in_them() {
        let filter = any_of("member", ["cn=a)(uid=*,dc=x", "cn=b\\2c,dc=x"].into_iter());
        assert_eq!(filter, "(|(member=cn=a\\29\\28uid=\\2a,dc=x)(member=cn=b\\5c2c,dc=x))");
    }
}
