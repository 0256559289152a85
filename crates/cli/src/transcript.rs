//! Conversations as a text that a stranger understands.

use std::fmt::{self, Display, Formatter};

use agent_memory_host::{
    Action, CommitReport, CommitStatus, DropReason, Handoff, Json, KeyOutcome, LogEntry, LogLevel,
    Outcome as CallOutcome,
};
use agent_memory_testing::{CommitResult, ConversationResult, Outcome, Script, TurnResult};
use jiff::Timestamp;
use owo_colors::OwoColorize;

use crate::words::{count, drop_reason, no_identifier, plain, time, warning};

/// A conversation that was played.
pub(crate) struct Transcript<'a> {
    pub(crate) script: &'a Script,
    pub(crate) result: &'a ConversationResult,
}

/// Says how all of them went, in one line.
pub(crate) fn summary(scripts: &[Script], results: &[ConversationResult]) -> String {
    let failed = results.iter().filter(|result| !result.failures.is_empty()).count();
    let played = counted(results.len(), "conversation");
    if failed > 0 {
        let failed = format!("{failed} of {played} did not go as expected.");
        format!("{}\n", failed.red().bold())
    } else if scripts.iter().any(expects_something) {
        format!("{}\n", format!("{played}, all as expected.").green().bold())
    } else {
        format!("{played}.\n")
    }
}

impl Display for Transcript<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let Self { script, result } = self;
        writeln!(f, "{} {}", "Conversation".bold(), plain(&result.conversation).bold())?;
        writeln!(f, "  {}: {}", time(result.at), self.who())?;
        writeln!(f, "  In memory before: {}", fields(&result.remembered))?;
        writeln!(f)?;
        let mut clock = result.at;
        for turn in &result.turns {
            self.turn(f, turn, clock)?;
            clock = turn.at;
        }
        writeln!(f)?;
        match &result.commit {
            CommitResult::Reported(report) => self.report(f, report)?,
            CommitResult::Failed(_) => writeln!(f, "  {}", "The commit failed.".red())?,
        }
        writeln!(f, "  In memory afterwards: {}", fields(&result.memory))?;
        for failure in &result.failures {
            writeln!(f, "  {} {}", "✗".red().bold(), indented(failure, "    "))?;
        }
        if result.failures.is_empty() && expects_something(script) {
            writeln!(f, "  {}", "✓ as expected".green())?;
        }
        writeln!(f)
    }
}

impl Transcript<'_> {
    fn who(&self) -> String {
        let conversation = &self.script.conversation;
        let caller = conversation.caller_number.as_deref().filter(|number| !number.is_empty());
        let caller = plain(caller.unwrap_or("somebody without a number"));
        let calls = match &conversation.callee_number {
            Some(callee) => format!("{caller} calls {}", plain(callee)),
            None => format!("{caller} calls"),
        };
        format!("{calls} ({})", plain(&conversation.channel))
    }

    fn turn(&self, f: &mut Formatter<'_>, turn: &TurnResult, clock: Timestamp) -> fmt::Result {
        let TurnResult { call, outcome, returns, say, actions, logs, error, arguments, .. } = turn;
        let arguments = arguments.as_ref().map(parameters).unwrap_or_default();
        write!(f, "  {}{}", plain(call).cyan(), format_args!("({})", plain(&arguments)).cyan())?;
        match turn.at.duration_since(clock) {
            later if later.is_zero() => writeln!(f)?,
            later => writeln!(f, "  {}", format_args!("{later:#} later").dimmed())?,
        }
        for text in say {
            writeln!(f, "    says: {}", indented(text, "          "))?;
        }
        for Action { name, arguments, .. } in actions {
            writeln!(f, "    asks for: {}({})", plain(name), plain(&parameters(arguments)))?;
        }
        for entry in logs {
            log(f, entry)?;
        }
        match (outcome, returns, error) {
            (Outcome::Returned, Some(value), _) if value.as_str() == "null" => Ok(()),
            (Outcome::Returned, Some(value), _) => writeln!(f, "    returns: {}", plain(value.as_str())),
            (_, _, Some(error)) => {
                let verb = if *outcome == Outcome::Stopped { "is stopped" } else { "fails" };
                let message = indented(&error.message, "      ");
                writeln!(f, "    {} {}: {message}", format_args!("{verb}:").red(), plain(&error.name))?;
                error.trace.lines().try_for_each(|line| writeln!(f, "      {}", plain(line).dimmed()))
            }
            _ => Ok(()),
        }
    }

    fn report(&self, f: &mut Formatter<'_>, report: &CommitReport) -> fmt::Result {
        match report.status {
            CommitStatus::Preview => writeln!(f, "  The conversation stays open. If it ended now{}:", self.went())?,
            _ => writeln!(f, "  The conversation ends{}.", self.went())?,
        }
        if let Err(reason) = report.identifier {
            writeln!(f, "    {}", no_identifier(reason))?;
        }
        let nobody = KeyOutcome::Dropped(DropReason::NoIdentifier);
        let for_nobody = report.keys.iter().filter(|(_, outcome)| *outcome == nobody);
        let for_nobody: Vec<_> = for_nobody.map(|(key, _)| plain(key)).collect();
        if !for_nobody.is_empty() {
            writeln!(f, "    {} not kept: {}", "-".yellow(), for_nobody.join(", "))?;
        }
        for (key, outcome) in report.keys.iter().filter(|(_, outcome)| *outcome != nobody) {
            match outcome {
                KeyOutcome::Kept(until) => {
                    writeln!(f, "    {} {} is kept until {}", "+".green(), plain(key), time(*until))?;
                }
                KeyOutcome::Dropped(reason) => {
                    writeln!(f, "    {} {} is not kept: {}", "-".yellow(), plain(key), drop_reason(*reason))?;
                }
            }
        }
        if report.keys.is_empty() {
            writeln!(f, "    no function set anything to remember")?;
        }
        for found in &report.warnings {
            writeln!(f, "    {} {}", "!".yellow().bold(), warning(found))?;
        }
        if report.first_interaction {
            writeln!(f, "    it is recorded as the caller's first conversation of the retention window")?;
        }
        if !self.result.metrics.is_empty() {
            writeln!(f, "    a repeat caller, whose first conversation was:")?;
            for (name, value) in &self.result.metrics {
                writeln!(f, "      {} {}", plain(name), plain(value))?;
            }
        }
        Ok(())
    }

    /// How the conversation went, as far as the scenario says.
    fn went(&self) -> String {
        let CallOutcome { qa, handoff } = &self.script.outcome;
        let mut parts = Vec::new();
        parts.extend(qa.as_ref().map(|qa| plain(qa)));
        if let Some(Handoff { reason, to }) = handoff {
            let to = to.as_ref().map(|to| format!(" to {}", plain(to)));
            let reason = reason.as_ref().map(|reason| format!(" for {}", plain(reason)));
            parts.push(format!("handed over{}{}", to.unwrap_or_default(), reason.unwrap_or_default()));
        }
        if parts.is_empty() { String::new() } else { format!(" ({})", parts.join(", ")) }
    }
}

fn log(f: &mut Formatter<'_>, entry: &LogEntry) -> fmt::Result {
    let LogEntry { level, content, is_pii, fields } = entry;
    let level = match level {
        LogLevel::Info => "logs",
        LogLevel::Warning => "warns",
        LogLevel::Error => "logs an error",
    };
    let marked = if *is_pii { " (personal data)" } else { "" };
    let content = indented(content, "      ");
    let fields = match parameters(fields) {
        fields if fields.is_empty() => String::new(),
        fields => format!(" ({})", plain(&fields)),
    };
    writeln!(f, "    {}", format_args!("{level}{marked}: {content}{fields}").dimmed())
}

/// The members of an object as one reads arguments in code. Anything else as JSON.
fn parameters(json: &Json) -> String {
    let Some(members) = members(json) else { return json.as_str().to_owned() };
    let members = members.iter().map(|(name, value)| format!("{name}: {}", value.as_str()));
    members.collect::<Vec<_>>().join(", ")
}

/// The members of an object in their order, each value with its exact text.
fn members(json: &Json) -> Option<indexmap::IndexMap<String, Json>> {
    json.is_object().then(|| json.to().ok()).flatten()
}

fn fields(memory: &[(String, Json)]) -> String {
    if memory.is_empty() {
        return "nothing".into();
    }
    let fields = memory.iter().map(|(key, value)| format!("{} = {}", plain(key), plain(value.as_str())));
    fields.collect::<Vec<_>>().join(", ")
}

/// A text whose further lines begin with the indent.
fn indented(text: &str, indent: &str) -> String {
    plain(text).replace('\n', &format!("\n{indent}"))
}

fn expects_something(script: &Script) -> bool {
    let expect = &script.expect;
    let of_turns = script.turns.iter().any(|turn| {
        let expect = &turn.expect;
        expect.returns.is_some() || expect.say.is_some() || !expect.state.is_empty() || expect.error.is_some()
    });
    of_turns
        || expect.said.is_some()
        || expect.memory.is_some()
        || !expect.commit.is_empty()
        || expect.metrics.is_some()
}

fn counted(number: usize, noun: &str) -> String {
    count(u64::try_from(number).unwrap_or(u64::MAX), noun)
}
