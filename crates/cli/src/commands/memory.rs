//! `agent-memory memory`

use std::collections::BTreeMap;
use std::fmt::Write;

use agent_memory_host::store::Erased;
use agent_memory_host::{Export, IdentifierKind, RememberedField};
use owo_colors::OwoColorize;
use serde::Serialize;

use super::Verdict;
use crate::arguments::{Caller, Memory};
use crate::words::{count, plain, time};
use crate::{output, surroundings};

/// What `get` prints as JSON.
#[derive(Serialize)]
struct Remembered {
    identifier_kind: IdentifierKind,
    fields: BTreeMap<String, RememberedField>,
}

pub(crate) async fn memory(command: &Memory) -> anyhow::Result<Verdict> {
    match command {
        Memory::Get(caller) => get(caller).await?,
        Memory::Export(caller) => export(caller).await?,
        Memory::Erase(caller) => erase(caller).await?,
    }
    Ok(Verdict::Good)
}

async fn get(caller: &Caller) -> anyhow::Result<()> {
    let administration = surroundings::administration(&caller.stored).await?;
    let mut fields = administration.get(&caller.scope.scope(), caller.kind(), &caller.identifier).await?;
    keep_only(&mut fields, caller.key.as_deref());
    if caller.json {
        return output::json_line(&Remembered { identifier_kind: caller.kind(), fields });
    }
    output::text(&in_lines(&fields))
}

async fn export(caller: &Caller) -> anyhow::Result<()> {
    let administration = surroundings::administration(&caller.stored).await?;
    let mut export = administration.export(&caller.scope.scope(), caller.kind(), &caller.identifier).await?;
    keep_only(&mut export.fields, caller.key.as_deref());
    if caller.json {
        return output::json_line(&export);
    }
    let Export { fields, first_interaction, conversations, .. } = export;
    let mut text = in_lines(&fields);
    match first_interaction {
        Some(interaction) => {
            text.push_str("\nThe first interaction:\n");
            for (name, value) in interaction {
                writeln!(text, "  {}  {}", plain(&name), plain(&value))?;
            }
        }
        None => text.push_str("\nNo first interaction is recorded.\n"),
    }
    if conversations.is_empty() {
        text.push_str("\nNo conversation is recorded.\n");
    } else {
        text.push_str("\nConversations:\n");
        for conversation in conversations {
            writeln!(text, "  {}", plain(&conversation))?;
        }
    }
    output::text(&text)
}

async fn erase(caller: &Caller) -> anyhow::Result<()> {
    let administration = surroundings::administration(&caller.stored).await?;
    let (scope, kind, key) = (caller.scope.scope(), caller.kind(), caller.key.as_deref());
    let erasure = administration.erase(&scope, kind, &caller.identifier, key).await?;
    if caller.json {
        return output::json_line(&erasure);
    }
    let Erased { fields, interactions, metrics } = erasure.deleted;
    let mut text = format!(
        "Erased {}, {} and {}.\n",
        count(fields, "field"),
        count(interactions, "first interaction"),
        count(metrics, "metric row"),
    );
    if let Some(from) = erasure.receipt.unreadable_from {
        let day = from.strftime("%A %-d %B %Y");
        writeln!(text, "No copy in a backup or a log can be read any more once it was swept on {day} or later.")?;
    }
    writeln!(text, "Receipt {}, digest {}", erasure.receipt.id, erasure.receipt.digest)?;
    output::text(&text)
}

fn keep_only(fields: &mut BTreeMap<String, RememberedField>, key: Option<&str>) {
    if let Some(key) = key {
        fields.retain(|found, _| found == key);
    }
}

fn in_lines(fields: &BTreeMap<String, RememberedField>) -> String {
    if fields.is_empty() {
        return "Nothing is remembered.\n".into();
    }
    let width = fields.keys().map(|key| plain(key).chars().count()).max().unwrap_or(0);
    let lines = fields.iter().map(|(key, field)| {
        let until = format!("until {}", time(field.expires_at));
        format!("{:width$}  {}  {}\n", plain(key), plain(field.value.as_str()), until.dimmed())
    });
    lines.collect()
}
