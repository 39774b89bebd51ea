//! Somebody whom a directory vouches for enters the corridor, with what their entry says besides names.

use super::{Outcome, SignIn, SignInError, Wishes};
use crate::domain::directory::Entry;
use crate::domain::identity::Vouched;
use crate::service::context::Context;
use crate::service::directory::{Connected, arrival};

impl SignIn {
    /// Takes in whoever has the right password. Groups of somebody new are there before it is decided what they owe.
    pub(super) async fn enter_from_directory(
        &self,
        ctx: &Context,
        from: (&Connected, &Entry),
        mut arriving: Vouched,
        wishes: Wishes,
    ) -> Result<Outcome, SignInError> {
        arriving.groups = arrival::groups(&self.core, from, &arriving).await?;
        let (issuer, subject) = (arriving.issuer.clone(), arriving.subject.clone());
        let outcome = self.enter(ctx, arriving, wishes).await?;
        if let Err(error) = arrival::follow(&self.core, ctx, from, (&issuer, &subject)).await {
            let directory = from.0.policy.slug.as_str();
            tracing::warn!(directory, %error, "further attributes could not be kept; a synchronisation does it");
        }
        Ok(outcome)
    }
}
