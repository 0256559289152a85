//! What goes over the wire: the bodies of requests and answers, and their schemas.

mod agents;
mod analytics;
mod audit;
mod conversations;
mod memory;

pub(crate) use agents::{AgentAnswer, AgentList, AgentSummary, ToolAnswer};
pub(crate) use analytics::{
    AnalyticsAnswer, AnalyticsQuery, Commits, Count, Expiring, MemoryHealth, RowAnswer, RowsQuery,
};
pub(crate) use audit::ActSchema;
pub(crate) use conversations::{
    Call, CallAnswer, CommitSchema, ConversationAnswer, ConversationStatus, End, EndAnswer, OutcomeAnswer, OutcomeBody,
    PreviewAnswer, Start, TurnAnswer,
};
pub(crate) use memory::{
    Erasure, ErasureAnswer, ExportSchema, ImportAnswer, ImportLine, ImportProblem, Named, PatchAnswer, PatchBody,
    ReadAnswer, given,
};
