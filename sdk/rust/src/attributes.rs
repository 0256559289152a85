//! What a function may know of the conversation beside memory and state.

use std::fmt;

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::RawValue;
use crate::bindings::agent::memory::conversation as contract;
use crate::json::{self, ReadError};

/// The conversation's attributes, as they stand in this turn.
#[derive(Clone, Serialize)]
#[non_exhaustive]
pub struct Attributes {
    /// The conversation's id.
    pub id: String,
    /// The account that the agent belongs to.
    pub account_id: String,
    /// The project that the agent belongs to.
    pub project_id: String,
    /// The environment: `sandbox`, `pre-release`, `live` or `draft`.
    pub env: String,
    /// The channel, such as `sip.polyai` or `webchat.polyai`.
    pub channel: String,
    /// The caller's number, where the channel has one.
    pub caller_number: Option<String>,
    /// The number that was called.
    pub callee_number: Option<String>,
    /// The language's code.
    pub language: Option<String>,
    /// The name of the variant in use.
    pub variant_name: Option<String>,
    /// The flow that the conversation is in.
    pub current_flow: Option<String>,
    /// The step of that flow.
    pub current_step: Option<String>,
    /// The call's SIP headers. [`Attributes::sip_header`] finds one by its name.
    pub sip_headers: Vec<SipHeader>,
    /// What integrations attached to the conversation: a JSON object.
    pub integration_attributes: Option<Box<RawValue>>,
    /// What was heard, in the recogniser's order, where it was not sure.
    pub transcript_alternatives: Vec<String>,
    /// Further settings of the project as one JSON object: `variant`, `variants`, `entities`, `real_time_config`,
    /// `translations`, `handoffs`. A missing one is absent.
    pub settings: Box<RawValue>,
}

/// A SIP header of the call.
#[derive(Clone, Serialize)]
pub struct SipHeader {
    /// The name, such as `X-Customer-Id`.
    pub name: String,
    /// The value.
    pub value: String,
}

impl Attributes {
    /// The value of a SIP header. Names compare without case.
    pub fn sip_header(&self, name: &str) -> Option<&str> {
        self.sip_headers.iter().find(|header| header.name.eq_ignore_ascii_case(name)).map(|header| &*header.value)
    }

    /// An attribute that an integration attached to the conversation, or none of that name.
    ///
    /// # Errors
    ///
    /// It does not fit `T`.
    pub fn integration_attribute<T: DeserializeOwned>(&self, name: &str) -> Result<Option<T>, ReadError> {
        self.integration_attributes
            .as_deref()
            .map_or(Ok(None), |object| json::member(object, name, "the integration attributes"))
    }

    /// One of the [`settings`](Self::settings), or none of that name.
    ///
    /// # Errors
    ///
    /// It does not fit `T`.
    pub fn setting<T: DeserializeOwned>(&self, name: &str) -> Result<Option<T>, ReadError> {
        json::member(&self.settings, name, "the settings")
    }
}

/// Numbers, headers and integration attributes identify people, so this leaves them out.
impl fmt::Debug for Attributes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Attributes")
            .field("id", &self.id)
            .field("account_id", &self.account_id)
            .field("project_id", &self.project_id)
            .field("env", &self.env)
            .field("channel", &self.channel)
            .field("language", &self.language)
            .field("variant_name", &self.variant_name)
            .field("current_flow", &self.current_flow)
            .field("current_step", &self.current_step)
            .finish_non_exhaustive()
    }
}

/// A header may identify the caller, so this shows only its name.
impl fmt::Debug for SipHeader {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SipHeader").field("name", &self.name).finish_non_exhaustive()
    }
}

impl From<contract::ConversationAttributes> for Attributes {
    fn from(from: contract::ConversationAttributes) -> Self {
        let header = |header: contract::SipHeader| SipHeader { name: header.name, value: header.value };
        Self {
            id: from.id,
            account_id: from.account_id,
            project_id: from.project_id,
            env: from.env,
            channel: from.channel,
            caller_number: from.caller_number,
            callee_number: from.callee_number,
            language: from.language,
            variant_name: from.variant_name,
            current_flow: from.current_flow,
            current_step: from.current_step,
            sip_headers: from.sip_headers.into_iter().map(header).collect(),
            integration_attributes: from.integration_attributes.map(json::raw),
            transcript_alternatives: from.transcript_alternatives,
            settings: json::raw(from.settings),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    fn attributes() -> Attributes {
        contract::ConversationAttributes {
            id: "call-1".to_owned(),
            account_id: "local".to_owned(),
            project_id: "local".to_owned(),
            env: "sandbox".to_owned(),
            channel: "sip.polyai".to_owned(),
            caller_number: Some("+441632960001".to_owned()),
            callee_number: Some("+441632960100".to_owned()),
            language: None,
            variant_name: None,
            current_flow: None,
            current_step: None,
            sip_headers: vec![contract::SipHeader { name: "X-Customer-Id".to_owned(), value: "4711".to_owned() }],
            integration_attributes: Some(r#"{"customer_id": 4711}"#.to_owned()),
            transcript_alternatives: vec!["four seven eleven".to_owned()],
            settings: r#"{"variants": {"short": true}}"#.to_owned(),
        }
        .into()
    }

    #[test]
    fn i2_sip_headers_are_found_without_case() {
        assert_eq!(attributes().sip_header("x-CUSTOMER-id"), Some("4711"));
        assert_eq!(attributes().sip_header("X-Customer"), None);
    }

    #[test]
    fn integration_attributes_and_settings_are_read_by_name() {
        assert_eq!(attributes().integration_attribute("customer_id"), Ok(Some(4711)));
        assert_eq!(attributes().integration_attribute::<u32>("customer"), Ok(None));
        assert_eq!(attributes().setting::<BTreeMap<String, bool>>("variants").unwrap().unwrap().len(), 1);
    }

    #[test]
    fn p3_what_identifies_people_is_not_in_the_debug_text() {
        let text = format!("{:?} {:?}", attributes(), attributes().sip_headers);
        for personal in ["0001", "0100", "4711", "seven"] {
            assert!(!text.contains(personal), "{text}");
        }
        assert!(text.contains("call-1") && text.contains("X-Customer-Id"), "{text}");
    }
}
