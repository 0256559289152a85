//! The contract in `wit/`, as the host sees it.
#![allow(missing_docs, reason = "generated; the contract itself is documented in wit/")]

wasmtime::component::bindgen!({
    path: "../wit",
    inline: "
        package agent:host;

        /// A functions component joined with the policy. The policy alone exports `memory` and `policy`.
        world joined {
            import agent:memory/conversation@0.1.0;
            export agent:memory/memory@0.1.0;
            export agent:memory/policy@0.1.0;
            export agent:memory/functions@0.1.0;
        }
    ",
    world: "agent:host/joined",
    imports: {
        "agent:memory/conversation.request": async | trappable,
        default: trappable,
    },
    exports: { default: async },
    additional_derives: [serde::Serialize, serde::Deserialize],
});

pub(crate) use exports::agent::memory::{functions, memory, policy};

use serde::{Deserialize, Deserializer, Serialize, Serializer};

// The macro derives nothing on flags.
impl Serialize for policy::Touch {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let [assigned, refused, removed] =
            [Self::ASSIGNED, Self::REFUSED, Self::REMOVED].map(|flag| self.contains(flag));
        (assigned, refused, removed).serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for policy::Touch {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let (assigned, refused, removed) = Deserialize::deserialize(deserializer)?;
        let flags = [(assigned, Self::ASSIGNED), (refused, Self::REFUSED), (removed, Self::REMOVED)];
        Ok(flags.into_iter().filter(|(set, _)| *set).fold(Self::empty(), |all, (_, flag)| all | flag))
    }
}
