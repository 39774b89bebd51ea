//! What main apps ask: may this request pass (forward-auth), and whose session is this (whoami).

use super::caller::AppClient;
use super::core::{Core, Trouble};
use super::identity_token::IdentityTokens;
use super::session::{Alive, Sessions};
use crate::domain::application::{Application, Asked, Decision, Refusal, Visitor};
use crate::domain::original_request::OriginalRequest;
use crate::domain::secret::Secret;
use crate::domain::session::HandleHash;
use crate::domain::time::Timestamp;
use http::HeaderValue;
use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::Arc;

/// Forward-auth and whoami over a core.
#[derive(Clone)]
pub struct Verify {
    core: Arc<Core>,
    sessions: Sessions,
    tokens: Arc<IdentityTokens>,
    secrets: Arc<HashMap<String, Secret<String>>>,
}

/// Who asks, and about what.
#[derive(Clone, Copy)]
pub struct Question<'a> {
    /// Hash of the session handle, when the cookie opened.
    pub handle: Option<&'a HandleHash>,
    /// The request asked about, when a trusted proxy said which.
    pub original: Option<&'a OriginalRequest<'a>>,
    /// The client's address.
    pub address: IpAddr,
    /// Now.
    pub now: Timestamp,
}

/// The answer to a proxy.
#[derive(Clone)]
pub enum Answer {
    /// Pass, with this identity and perhaps a signed token of it.
    Allowed(Alive, Option<HeaderValue>),
    /// Pass without an identity.
    Anonymous,
    /// Sign in first.
    SignIn,
    /// Prove something more first, or anew.
    StepUp(Refusal),
    /// No.
    Refused(Refusal),
}

impl Verify {
    /// Forward-auth over a core, with the secrets of the applications by slug.
    #[must_use]
    pub fn new(core: Arc<Core>, secrets: HashMap<String, Secret<String>>) -> Self {
        let sessions = Sessions::new(Arc::clone(&core));
        Self { sessions, core, tokens: Arc::default(), secrets: Arc::new(secrets) }
    }

    /// Answers at once when everything needed is in memory.
    #[must_use]
    pub fn hot(&self, question: &Question<'_>) -> Option<Answer> {
        let alive = match question.handle {
            Some(handle) => Some(self.sessions.hot(handle, question.now)?),
            None => None,
        };
        Some(self.judge(question, alive))
    }

    /// Answers, reading what is not in memory.
    ///
    /// # Errors
    /// [`Trouble`] when a store does not answer: the proxy gets 503, never a yes.
    pub async fn answer(&self, question: &Question<'_>) -> Result<Answer, Trouble> {
        let alive = match question.handle {
            Some(handle) => self.sessions.find(handle, question.now).await?,
            None => None,
        };
        Ok(self.judge(question, alive))
    }

    fn judge(&self, question: &Question<'_>, alive: Option<Alive>) -> Answer {
        let applications = &self.core.policy.applications;
        if applications.is_empty() {
            return alive.map_or(Answer::SignIn, |alive| Answer::Allowed(alive, None));
        }
        let found = question
            .original
            .and_then(|asked| Some((applications.of_host(asked.host.name(), asked.host.port())?, asked)));
        let Some((app, original)) = found else {
            let untrusted = question.original.is_none();
            return Answer::Refused(if untrusted { Refusal::UntrustedProxy } else { Refusal::UnknownApplication });
        };
        let visitor = alive.as_ref().map(|alive| Visitor {
            groups: &alive.card.group_keys,
            methods: alive.session.session.methods,
            proved_ago: question.now.since(alive.session.session.authenticated_at),
        });
        let decide = |path: &str| {
            let asked = Asked { method: original.method, path, address: question.address };
            app.rule_for(path)
                .map_or(Decision::Refuse(Refusal::UnknownApplication), |rule| rule.decide(&asked, visitor.as_ref()))
        };
        // An application may read the path otherwise than we do: it has to be allowed in every reading.
        let decision = original.path.readings().map(decide).max_by_key(Decision::strictness);
        match (decision, alive) {
            (Some(Decision::Allow), Some(alive)) => self.identified(question, app, alive),
            (Some(Decision::AllowAnonymous), _) => Answer::Anonymous,
            (Some(Decision::StepUp(why)), _) => Answer::StepUp(why),
            (Some(Decision::Refuse(why)), _) => Answer::Refused(why),
            (Some(Decision::Allow | Decision::SignIn) | None, _) => Answer::SignIn,
        }
    }

    fn identified(&self, question: &Question<'_>, app: &Application, alive: Alive) -> Answer {
        let token = match question.handle {
            Some(handle) if app.signed_identity => self.tokens.token(&self.core, &alive, handle, app, question.now),
            _ => None,
        };
        Answer::Allowed(alive, token)
    }

    /// The session of a handle, for whoami, when everything needed is in memory. `None` says nothing: ask [`Verify::whoami`].
    #[must_use]
    pub fn known(&self, handle: &HandleHash, now: Timestamp) -> Option<Alive> {
        self.sessions.hot(handle, now)
    }

    /// The session of a handle, for whoami.
    ///
    /// # Errors
    /// [`Trouble`].
    pub async fn whoami(&self, handle: &HandleHash, now: Timestamp) -> Result<Option<Alive>, Trouble> {
        self.sessions.find(handle, now).await
    }

    /// Which application has this secret. Every configured secret is compared, in constant time.
    #[must_use]
    pub fn application_of(&self, secret: &[u8]) -> Option<String> {
        let mut found = None;
        for (slug, expected) in self.secrets.iter() {
            if expected.matches(secret) {
                found = Some(slug.clone());
            }
        }
        found
    }

    /// Whether a session may be shown to an application: the same people may use it through the proxy's root rule.
    #[must_use]
    pub fn may_see(&self, client: &AppClient, alive: &Alive) -> bool {
        let Some(app) = self.core.policy.applications.iter().find(|app| app.slug == client.slug()) else {
            return false;
        };
        let Some(rule) = app.rule_for("/") else { return false };
        rule.admits(&alive.card.group_keys)
    }
}
