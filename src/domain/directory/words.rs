//! A plan in words, for the operator who looks before it is carried out, and as JSON for programs.

use super::Custom;
use super::plan::{Create, GroupPlan, Member, Plan, Target, Update};
use serde_json::{Value, json};

/// Names in a line; more are counted.
const NAMED: usize = 8;

impl Plan {
    /// One line for each thing that would happen or was refused, then the remarks.
    #[must_use]
    pub fn words(&self) -> Vec<String> {
        let mut lines = vec![format!("{} people in the directory.", self.people)];
        lines.extend(self.cut_in_words());
        lines.extend(self.creates.iter().map(|one| format!("make the account {} for {}", one.username, one.dn)));
        lines.extend(self.updates.iter().map(update_in_words));
        let refused = |passes: bool| if passes { "" } else { "REFUSED without --confirm: " };
        let locks = refused(self.locks.verdict.passes());
        lines.extend(
            self.locks
                .accounts
                .iter()
                .map(|(account, why)| format!("{locks}lock {}: {} in the directory", account.username, why.as_str())),
        );
        lines.extend(self.unlocks.iter().map(|account| format!("unlock {}, which is back", account.username)));
        if self.gone_kept > 0 {
            lines.push(format!(
                "{} accounts of people who are gone stay as they are (gone = \"keep\").",
                self.gone_kept
            ));
        }
        lines.extend(self.groups.iter().flat_map(|group| group_in_words(group, refused(group.verdict.passes()))));
        lines.extend(self.remarks.iter().map(|remark| format!("note: {remark}")));
        if self.is_idle() {
            lines.push("Nothing to change.".to_owned());
        }
        lines
    }

    /// What was not read to its end, a line each, and what that means.
    #[must_use]
    pub fn cut_in_words(&self) -> Vec<String> {
        let mut lines: Vec<String> = self.cut.iter().map(|what| format!("NOT READ TO ITS END: {what}")).collect();
        if self.partial.is_some() {
            lines.push("Nobody is locked or removed, with --confirm neither; raise the server's limit.".to_owned());
        }
        lines
    }

    /// The same as JSON.
    #[must_use]
    pub fn json(&self) -> Value {
        json!({
            "people": self.people,
            "partial": self.partial,
            "cut": self.cut,
            "create": self.creates.iter().map(|one| json!({
                "dn": one.dn, "subject": one.subject.as_str(), "username": one.username.as_str(),
                "email": one.email.as_str(), "name": one.name.as_str(), "attributes": custom_as_json(&one.custom),
            })).collect::<Vec<_>>(),
            "update": self.updates.iter().map(|one| json!({
                "account": one.account.id, "username_before": one.account.username,
                "username": one.username.as_ref().map(|name| name.as_str().to_owned()),
                "email": one.email.as_ref().map(|email| email.as_str().to_owned()),
                "name": one.name.as_ref().map(|name| name.as_str().to_owned()),
                "attributes": one.custom.as_ref().map(custom_as_json),
            })).collect::<Vec<_>>(),
            "lock": {
                "verdict": self.locks.verdict.as_str(),
                "of": self.locks.all,
                "accounts": self.locks.accounts.iter().map(|(account, why)| json!({
                    "account": account.id, "username": account.username, "reason": why.as_str(),
                })).collect::<Vec<_>>(),
            },
            "unlock": self.unlocks.iter().map(|account| json!({
                "account": account.id, "username": account.username,
            })).collect::<Vec<_>>(),
            "gone_kept": self.gone_kept,
            "groups": self.groups.iter().filter(|group| !group.is_idle() || !group.verdict.passes())
                .map(|group| group_as_json(group, &self.creates)).collect::<Vec<_>>(),
            "remarks": self.remarks,
            "nothing_to_change": self.is_idle(),
        })
    }
}

fn custom_as_json(custom: &Custom) -> Value {
    custom.iter().map(|(name, value)| (name.to_owned(), Value::from(value))).collect()
}

fn update_in_words(update: &Update) -> String {
    let username = update.username.as_ref().map(|name| format!("username {name}"));
    let email = update.email.as_ref().map(|email| format!("e-mail address {}", email.as_str()));
    let name = update.name.as_ref().map(|name| format!("name {}", name.as_str()));
    let custom = update.custom.as_ref().map(|_| "further attributes".to_owned());
    let changes: Vec<_> = [username, email, name, custom].into_iter().flatten().collect();
    format!("update {}: {}", update.account.username, changes.join(", "))
}

fn group_in_words(group: &GroupPlan, refused: &str) -> Vec<String> {
    let name = group.name.as_str();
    let mut lines = Vec::new();
    if group.target == Target::New {
        lines.push(format!("make the group {name}"));
    }
    if let Some(before) = &group.renamed_from {
        lines.push(format!("rename the group {before} to {name}"));
    }
    if !group.adds.is_empty() {
        lines.push(format!("add {} people to the group {name}", group.adds.len()));
    }
    if !group.removes.is_empty() {
        let names: Vec<_> = group.removes.iter().take(NAMED).map(|one| one.username.as_str()).collect();
        let more = group.removes.len().saturating_sub(NAMED);
        let more = if more > 0 { format!(" and {more} more") } else { String::new() };
        let (count, all) = (group.removes.len(), group.members);
        lines
            .push(format!("{refused}remove {count} of {all} people from the group {name}: {}{more}", names.join(", ")));
    }
    lines
}

fn group_as_json(group: &GroupPlan, creates: &[Create]) -> Value {
    json!({
        "name": group.name.as_str(),
        "group": match &group.target { Target::Known(id) => Some(id), Target::New => None },
        "renamed_from": group.renamed_from,
        "add": group.adds.iter().map(|member| match member {
            Member::Account(id) => json!({ "account": id }),
            Member::Created(place) => json!({ "subject": creates.get(*place).map(|one| one.subject.as_str()) }),
        }).collect::<Vec<_>>(),
        "remove": group.removes.iter().map(|one| json!({ "account": one.id, "username": one.username }))
            .collect::<Vec<_>>(),
        "of": group.members,
        "verdict": group.verdict.as_str(),
    })
}
