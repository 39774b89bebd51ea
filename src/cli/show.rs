//! `vestibule account show`

use super::{Desk, Failure, plain, say};
use crate::domain::account::Account;
use crate::service::account_view::AccountView;
use crate::service::caller::Operator;

pub(super) async fn run(desk: &Desk, account: &Account) -> Result<(), Failure> {
    let view = AccountView::of(&desk.core, Operator::vouched(), account).await?;
    let mut lines = vec![
        ("username".to_owned(), account.username.clone()),
        ("identifier".to_owned(), account.id.to_string()),
        ("name".to_owned(), account.name.clone()),
        ("e-mail address".to_owned(), account.email.clone()),
        ("status".to_owned(), account.status.as_str().to_owned()),
        ("administrator".to_owned(), if account.administrator { "yes" } else { "no" }.to_owned()),
        ("groups".to_owned(), view.groups.join(", ")),
    ];
    lines.extend(view.identities.iter().map(|one| ("signs in with".to_owned(), one.source.to_string())));
    for said in view.attributes {
        let label = |label: String| format!("{label} ({})", said.directory);
        lines.extend(said.values.into_iter().map(|(name, value)| (label(name), value)));
    }
    let width = lines.iter().map(|(label, _)| label.chars().count()).max().unwrap_or_default();
    for (label, value) in lines {
        say(&format!(
            "{}  {}",
            plain::line(&format!("{label:width$}")),
            if value.is_empty() { "-".into() } else { plain::line(&value) }
        ));
    }
    Ok(())
}
