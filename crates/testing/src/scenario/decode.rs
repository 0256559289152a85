//! What the keys of a scenario mean.

use std::collections::HashMap;
use std::path::Path;

use agent_memory_host::{DropReason, Handoff, Json, NewConversation, Outcome, Role, Scope, Settings, Utterance};

use super::document::{Data, Node, Position};
use super::reader::{Members, Reader};
use super::{
    COMMIT_WORDS, ConfigurationSource, ConversationExpectations, ErrorExpectation, KeyExpectation, Place, Scenario,
    Script, ScriptedTurn, TurnExpectations,
};

/// The keys of `settings` that functions read as one object.
const FURTHER_SETTINGS: [&str; 6] = ["variant", "variants", "entities", "real_time_config", "translations", "handoffs"];

/// Reads the scenario. Paths in it are relative to `base`; `name` is what its file is called in messages.
pub(crate) fn scenario(reader: &mut Reader, root: &Node, name: &str, base: &Path) -> Scenario {
    let mut decoder = Decoder { reader, name, ids: HashMap::new() };
    decoder.scenario(root, base)
}

struct Decoder<'r> {
    reader: &'r mut Reader,
    name: &'r str,
    /// The conversations' ids and the lines that they stand in.
    ids: HashMap<String, usize>,
}

impl Decoder<'_> {
    fn scenario(&mut self, root: &Node, base: &Path) -> Scenario {
        let known = ["functions", "config", "account", "project", "env", "conversations"];
        let Some(keys) = self.reader.object(root, "a scenario", &known) else { return Scenario::default() };
        let default = super::local();
        let scope = Scope {
            account: self.text(&keys, "account").unwrap_or(default.account),
            project: self.text(&keys, "project").unwrap_or(default.project),
            environment: self.text(&keys, "env").unwrap_or(default.environment),
        };
        let conversations = match keys.get("conversations") {
            Some(node) => {
                let scripts = self.reader.list(node, "`conversations`").unwrap_or_default();
                if matches!(&node.data, Data::List(items) if items.is_empty()) {
                    self.reader.unexpected(node, "`conversations`", "one conversation or more");
                }
                scripts.iter().map(|script| self.script(script)).collect()
            }
            None if keys.has_unknown => Vec::new(),
            None => {
                self.reader.mistake(root.position, "the key `conversations` is missing: there is nothing to play");
                Vec::new()
            }
        };
        Scenario {
            functions: self.text(&keys, "functions").map(|path| base.join(path)),
            configuration: keys.get("config").and_then(|node| self.configuration(node, base)),
            scope,
            conversations,
        }
    }

    fn configuration(&mut self, node: &Node, base: &Path) -> Option<ConfigurationSource> {
        match &node.data {
            Data::Text(path) => Some(ConfigurationSource::File(base.join(path))),
            Data::Object(_) => {
                let configuration = self.reader.json(node)?;
                Some(ConfigurationSource::Inline { configuration, place: self.place(node.position) })
            }
            _ => {
                self.reader.unexpected(node, "`config`", "the path of a file, or the configuration itself");
                None
            }
        }
    }

    fn script(&mut self, node: &Node) -> Script {
        let known = [
            "id",
            "at",
            "caller_number",
            "callee_number",
            "channel",
            "sip_headers",
            "integration_attributes",
            "state",
            "settings",
            "turns",
            "start",
            "end",
            "outcome",
            "expect",
        ];
        let Some(keys) = self.reader.object(node, "a conversation", &known) else { return Script::default() };
        let default = Script::default();
        let conversation = NewConversation {
            id: self.id(&keys),
            caller_number: self.text(&keys, "caller_number"),
            callee_number: self.text(&keys, "callee_number"),
            channel: self.text(&keys, "channel").unwrap_or(default.conversation.channel),
            sip_headers: self.text_members(&keys, "sip_headers"),
            integration_attributes: self.json_object(&keys, "integration_attributes"),
            state: self.json_members(&keys, "state"),
            settings: keys.get("settings").map(|node| self.settings(node)).unwrap_or_default(),
            skip_start_function: !self.boolean(&keys, "start").unwrap_or(true),
        };
        let turns = keys.get("turns").and_then(|node| self.reader.list(node, "`turns`")).unwrap_or_default();
        Script {
            at: keys.get("at").and_then(|node| self.reader.time(node, "`at`")),
            conversation,
            turns: turns.iter().map(|turn| self.turn(turn)).collect(),
            end: self.boolean(&keys, "end").unwrap_or(true),
            outcome: keys.get("outcome").map(|node| self.outcome(node)).unwrap_or_default(),
            expect: keys.get("expect").map(|node| self.conversation_expectations(node)).unwrap_or_default(),
            place: Some(self.place(node.position)),
        }
    }

    /// The conversation's id, which nothing else in the scenario has.
    fn id(&mut self, keys: &Members<'_>) -> Option<String> {
        let node = keys.get("id")?;
        let id = self.reader.text(node, "`id`")?;
        if let Some(line) = self.ids.insert(id.clone(), node.position.line) {
            let message = format!("`id`: {id:?} is already the conversation in line {line}; give each its own");
            self.reader.mistake(node.position, message);
        }
        Some(id)
    }

    fn settings(&mut self, node: &Node) -> Settings {
        let own = ["language", "variant_name", "current_flow", "current_step", "history", "transcript_alternatives"];
        let known: Vec<_> = own.into_iter().chain(FURTHER_SETTINGS).collect();
        let Some(keys) = self.reader.object(node, "`settings`", &known) else { return Settings::default() };
        let history = keys.get("history").and_then(|node| self.reader.list(node, "`history`")).unwrap_or_default();
        let alternatives = keys.get("transcript_alternatives");
        Settings {
            language: self.text(&keys, "language"),
            variant_name: self.text(&keys, "variant_name"),
            current_flow: self.text(&keys, "current_flow"),
            current_step: self.text(&keys, "current_step"),
            history: history.iter().filter_map(|utterance| self.utterance(utterance)).collect(),
            transcript_alternatives: alternatives
                .and_then(|node| self.reader.texts(node, "`transcript_alternatives`"))
                .unwrap_or_default(),
            more: self.further_settings(node),
        }
    }

    fn further_settings(&mut self, node: &Node) -> Option<Json> {
        let Data::Object(members) = &node.data else { return None };
        let further = members.iter().filter(|member| FURTHER_SETTINGS.contains(&member.key.as_str()));
        let further: Vec<_> = further.cloned().collect();
        if further.is_empty() {
            return None;
        }
        self.reader.json(&Node { position: node.position, data: Data::Object(further) })
    }

    fn utterance(&mut self, node: &Node) -> Option<Utterance> {
        let keys = self.reader.object(node, "an entry of `history`", &["role", "text"])?;
        let (role, text) = (keys.get("role"), keys.get("text"));
        if (role.is_none() || text.is_none()) && !keys.has_unknown {
            self.reader.mistake(node.position, "an entry of `history` has a `role` and a `text`");
        }
        let role = self.reader.word(role?, "`role`", &[("user", Role::User), ("agent", Role::Agent)]);
        let text = self.reader.text(text?, "`text`");
        Some(Utterance { role: role?, text: text? })
    }

    fn turn(&mut self, node: &Node) -> ScriptedTurn {
        let known = ["call", "arguments", "after", "expect"];
        let place = Some(self.place(node.position));
        let Some(keys) = self.reader.object(node, "a turn", &known) else { return ScriptedTurn::default() };
        let call = match keys.get("call") {
            Some(node) => self.reader.text(node, "`call`").unwrap_or_default(),
            None if keys.has_unknown => String::new(),
            None => {
                self.reader.mistake(node.position, "the key `call` is missing: it names the function to be called");
                String::new()
            }
        };
        ScriptedTurn {
            call,
            // Whether these are an object is for the agent to say, as it does in production.
            arguments: keys.get("arguments").and_then(|node| self.reader.json(node)),
            after: keys.get("after").and_then(|node| self.reader.duration(node, "`after`")).unwrap_or_default(),
            expect: keys.get("expect").map(|node| self.turn_expectations(node)).unwrap_or_default(),
            place,
        }
    }

    fn turn_expectations(&mut self, node: &Node) -> TurnExpectations {
        let known = ["returns", "say", "state", "error"];
        let Some(keys) = self.reader.object(node, "`expect` of a turn", &known) else { return Default::default() };
        TurnExpectations {
            returns: keys.get_or_null("returns").and_then(|node| self.reader.json(node)),
            say: keys.get("say").and_then(|node| self.reader.texts(node, "`say`")),
            state: self.json_members(&keys, "state"),
            error: keys.get_or_null("error").and_then(|node| self.error(node)),
        }
    }

    fn error(&mut self, node: &Node) -> Option<ErrorExpectation> {
        match &node.data {
            Data::Null => Some(ErrorExpectation::None),
            Data::Text(text) => Some(ErrorExpectation::Mentions(text.clone())),
            Data::Object(_) => {
                let keys = self.reader.object(node, "`error`", &["name", "message", "trace"])?;
                Some(ErrorExpectation::Members {
                    name: self.text(&keys, "name"),
                    message: self.text(&keys, "message"),
                    trace: self.text(&keys, "trace"),
                })
            }
            _ => {
                let allowed =
                    "`null` for none, its name or a part of its message, or an object of `name`, `message`, `trace`";
                self.reader.unexpected(node, "`error`", allowed);
                None
            }
        }
    }

    fn conversation_expectations(&mut self, node: &Node) -> ConversationExpectations {
        let known = ["said", "memory", "commit", "metrics"];
        let Some(keys) = self.reader.object(node, "`expect` of a conversation", &known) else {
            return ConversationExpectations::default();
        };
        ConversationExpectations {
            said: keys.get("said").and_then(|node| self.reader.texts(node, "`said`")),
            memory: keys.get("memory").and_then(|node| self.reader.json_members(node, "`memory`")),
            commit: keys.get("commit").map(|node| self.commit(node)).unwrap_or_default(),
            metrics: keys
                .get("metrics")
                .and_then(|node| self.reader.text_members(node, "`metrics`"))
                .map(|metrics| metrics.into_iter().collect()),
        }
    }

    fn commit(&mut self, node: &Node) -> Vec<(String, KeyExpectation)> {
        let members = self.reader.members(node, "`commit`").unwrap_or_default();
        let outcomes = members.iter().filter_map(|member| {
            let what = format!("`commit` of `{}`", member.key);
            // YAML reads an unquoted `null` as no value, and there is nothing else that it could mean here.
            if matches!(member.value.data, Data::Null) {
                return Some((member.key.clone(), KeyExpectation::Dropped(DropReason::Null)));
            }
            Some((member.key.clone(), self.reader.word(&member.value, &what, &COMMIT_WORDS)?))
        });
        outcomes.collect()
    }

    fn outcome(&mut self, node: &Node) -> Outcome {
        let Some(keys) = self.reader.object(node, "`outcome`", &["qa", "handoff"]) else { return Outcome::default() };
        let handoff = keys.get("handoff").and_then(|node| {
            let keys = self.reader.object(node, "`handoff`", &["reason", "to"])?;
            Some(Handoff { reason: self.text(&keys, "reason"), to: self.text(&keys, "to") })
        });
        Outcome { qa: self.text(&keys, "qa"), handoff }
    }

    fn text(&mut self, keys: &Members<'_>, key: &str) -> Option<String> {
        self.reader.text(keys.get(key)?, &format!("`{key}`"))
    }

    fn boolean(&mut self, keys: &Members<'_>, key: &str) -> Option<bool> {
        self.reader.boolean(keys.get(key)?, &format!("`{key}`"))
    }

    fn json_object(&mut self, keys: &Members<'_>, key: &str) -> Option<Json> {
        self.reader.json_object(keys.get(key)?, &format!("`{key}`"))
    }

    fn json_members(&mut self, keys: &Members<'_>, key: &str) -> Vec<(String, Json)> {
        keys.get(key).and_then(|node| self.reader.json_members(node, &format!("`{key}`"))).unwrap_or_default()
    }

    fn text_members(&mut self, keys: &Members<'_>, key: &str) -> Vec<(String, String)> {
        keys.get(key).and_then(|node| self.reader.text_members(node, &format!("`{key}`"))).unwrap_or_default()
    }

    fn place(&self, position: Position) -> Place {
        Place { file: self.name.to_owned(), line: position.line }
    }
}
