//! `agent-memory token`

use agent_memory_server::{Grant, NewToken, Permission, Tokens};

use super::Verdict;
use crate::arguments::{May, Token};
use crate::output;

pub(crate) fn token(arguments: Token) -> anyhow::Result<Verdict> {
    let Token { name, tokens, may, account, project, env, expires } = arguments;
    let may = may.into_iter().map(|may| match may {
        May::Call => Permission::Call,
        May::Administer => Permission::Administer,
        May::View => Permission::View,
    });
    let grant = Grant { account, project, environment: env, may: may.collect() };
    let token = Tokens::add(&tokens, NewToken { name, grant, expires })?;
    output::text(&format!("{token}\n"))?;
    Ok(Verdict::Good)
}
