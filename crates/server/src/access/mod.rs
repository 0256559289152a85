//! Who may do what.

mod tokens;

use agent_memory_host::{Administration, Scope};
use axum::extract::FromRequestParts;
use axum::http::{HeaderMap, header, request::Parts};
use serde::{Deserialize, Serialize};

use crate::Problem;
use crate::service::Service;

pub use tokens::{NewToken, TokenError, Tokens};

/// What a token allows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Permission {
    /// Conversations: to start them, call functions, and end them.
    Call,
    /// Agents and memory: to publish, read, change and erase.
    Administer,
    /// Analytics, memory health and metrics, which show no identifier and no value.
    View,
}

/// Where a token is good, and for what. A part of the scope that is not given is any.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Grant {
    /// The account.
    pub account: Option<String>,
    /// The project.
    pub project: Option<String>,
    /// The environment.
    pub environment: Option<String>,
    /// For what.
    pub may: Vec<Permission>,
}

impl Grant {
    /// Everything, everywhere: what is granted on a service without tokens, which only its own machine can reach.
    pub(crate) fn everything() -> Self {
        let may = vec![Permission::Call, Permission::Administer, Permission::View];
        Self { account: None, project: None, environment: None, may }
    }

    /// Whether it is good in a scope.
    pub(crate) fn covers(&self, scope: &Scope) -> bool {
        is_in([&self.account, &self.project, &self.environment], scope)
    }

    /// The only scope that it is good in, if there is but one.
    pub(crate) fn scope(&self) -> Option<Scope> {
        let Self { account, project, environment, .. } = self.clone();
        Some(Scope { account: account?, project: project?, environment: environment? })
    }

    /// Refuses what it does not allow in a scope.
    pub(crate) fn check(&self, permission: Permission, scope: &Scope) -> Result<(), Problem> {
        self.check_permission(permission)?;
        if self.covers(scope) {
            return Ok(());
        }
        Err(Problem::forbidden("the token is for another account, project or environment: use one for this"))
    }

    /// Refuses what shows more than one account, project or environment.
    pub(crate) fn check_everywhere(&self) -> Result<(), Problem> {
        if self.account.is_none() && self.project.is_none() && self.environment.is_none() {
            return Ok(());
        }
        Err(Problem::forbidden("this is about the whole store: it needs a token for every account"))
    }

    /// Refuses what it allows nowhere.
    pub(crate) fn check_permission(&self, permission: Permission) -> Result<(), Problem> {
        if self.may.contains(&permission) {
            return Ok(());
        }
        let needed = permission.name();
        Err(Problem::forbidden(format!("this needs a token that may `{needed}`: make one with `agent-memory token`")))
    }
}

/// Whether account, project and environment are a scope's. One that is not said is any.
pub(crate) fn is_in(said: [&Option<String>; 3], scope: &Scope) -> bool {
    let parts = [&scope.account, &scope.project, &scope.environment];
    said.into_iter().zip(parts).all(|(said, part)| said.as_ref().is_none_or(|said| said == part))
}

impl Permission {
    /// Its name, as it stands in a file of tokens.
    pub fn name(self) -> &'static str {
        match self {
            Self::Call => "call",
            Self::Administer => "administer",
            Self::View => "view",
        }
    }
}

/// The token of a request's `Authorization` header.
pub(crate) fn bearer(headers: &HeaderMap) -> Result<&str, Problem> {
    let missing = "send a token in the header `Authorization: Bearer TOKEN`";
    let value = headers.get(header::AUTHORIZATION).ok_or_else(|| Problem::unauthenticated(missing))?;
    let token = value.to_str().ok().and_then(|value| {
        let (scheme, token) = value.split_once(' ')?;
        scheme.eq_ignore_ascii_case("bearer").then_some(token.trim())
    });
    token.ok_or_else(|| Problem::unauthenticated(missing))
}

/// Who asks: a token's name, and what it allows.
#[derive(Clone, Debug)]
pub(crate) struct Holder {
    /// None on a service without tokens.
    pub(crate) name: Option<String>,
    pub(crate) grant: Grant,
}

impl Holder {
    /// The administration of what the service's store holds, in the holder's name.
    pub(crate) fn administration(&self, service: &Service) -> Administration {
        let administration = service.runtime.administration();
        match &self.name {
            Some(name) => administration.by(name),
            None => administration,
        }
    }
}

impl FromRequestParts<Service> for Holder {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, service: &Service) -> Result<Self, Problem> {
        let Some(tokens) = service.tokens() else { return Ok(Self { name: None, grant: Grant::everything() }) };
        // It may have been looked up already.
        if let Some(holder) = parts.extensions.remove::<Self>() {
            return Ok(holder);
        }
        tokens.holder(bearer(&parts.headers)?, service.now())
    }
}

impl FromRequestParts<Service> for Grant {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, service: &Service) -> Result<Self, Problem> {
        Ok(Holder::from_request_parts(parts, service).await?.grant)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scope(account: &str, project: &str, environment: &str) -> Scope {
        let [account, project, environment] = [account, project, environment].map(str::to_owned);
        Scope { account, project, environment }
    }

    #[test]
    fn a_grant_is_good_where_it_says_and_nowhere_else() {
        let grant = Grant { account: Some("a".into()), environment: Some("live".into()), ..Grant::everything() };
        assert!(grant.covers(&scope("a", "p", "live")) && grant.covers(&scope("a", "q", "live")));
        assert!(!grant.covers(&scope("b", "p", "live")) && !grant.covers(&scope("a", "p", "sandbox")));
        assert!(grant.check(Permission::Call, &scope("a", "p", "live")).is_ok());
    }

    #[test]
    fn a_grant_is_good_for_what_it_says_and_nothing_else() {
        let grant = Grant { may: vec![Permission::View], ..Grant::everything() };
        assert!(grant.check_permission(Permission::View).is_ok());
        let problem = grant.check(Permission::Administer, &scope("a", "p", "live")).unwrap_err();
        assert_eq!(problem.status().as_u16(), 403);
        assert!(problem.detail().contains("`administer`"), "{}", problem.detail());
    }
}
