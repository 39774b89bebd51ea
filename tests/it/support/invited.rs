//! People who are invited.

use super::House;
use std::sync::Arc;
use vestibule::domain::account::EmailAddress;
use vestibule::service::caller::Operator;
use vestibule::service::invitation::{Invitations, Invitee};

/// Somebody of whom nothing but the address is decided.
pub(crate) fn invitee(email: &str) -> Invitee {
    Invitee {
        email: EmailAddress::parse(email).expect("an address"),
        username: None,
        name: None,
        language: None,
        groups: Vec::new(),
        administrator: false,
        ends_at: None,
    }
}

impl House {
    /// Invites them, from the command line.
    pub(crate) async fn invites(&self, invitee: Invitee) {
        let invitations = Invitations::new(Arc::clone(&self.app.core));
        invitations.invite(&self.operator(), Operator::vouched(), invitee).await.expect("invited");
    }
}
