//! Conversations that nobody ends.

use agent_memory_host::keys::Keys;
use agent_memory_host::store::MemoryStore;
use agent_memory_host::{Agent, AgentDefinition, Json, ManualClock};

use super::*;
use crate::compiler::Compiler;

/// After how long without a call a conversation is ended here.
const IDLE: SignedDuration = SignedDuration::from_mins(1);

/// The cheese shop, published.
struct Shop {
    clock: Arc<ManualClock>,
    runtime: Runtime,
    conversations: Conversations,
    _code: tempfile::TempDir,
}

fn scope(account: &str) -> Scope {
    Scope { account: account.into(), project: "p".into(), environment: "e".into() }
}

fn definition(account: &str) -> AgentDefinition {
    let functions = include_bytes!("../../../cli/src/cheese-shop.wasm").to_vec();
    AgentDefinition { scope: scope(account), functions, configuration: "{}".into() }
}

impl Shop {
    async fn open() -> Self {
        let code = tempfile::tempdir().unwrap();
        let clock = Arc::new(ManualClock::new("2026-03-02T10:20:00Z".parse().unwrap()));
        let runtime = Runtime::builder(Arc::new(MemoryStore::new()), Keys::ephemeral());
        let runtime = runtime.clock(clock.clone()).code_cache(code.path()).build().await.unwrap();
        let agents = Arc::new(Agents::new(runtime.clone(), Compiler::new(None, code.path())));
        agents.publish(definition("shop")).await.unwrap();
        let observations = Arc::new(Observations::new());
        let conversations = Conversations::new(runtime.clone(), agents, clock.clone(), IDLE, observations);
        Self { clock, runtime, conversations, _code: code }
    }

    /// An agent that was never published, so that nobody can go on with its conversations.
    async fn closed(&self) -> Agent {
        self.runtime.load_agent(definition("closed")).await.unwrap()
    }

    async fn start(&self, id: &str) {
        let start = serde_json::from_value(serde_json::json!({ "id": id })).unwrap();
        self.conversations.start(&scope("shop"), start, None).await.unwrap();
    }

    async fn call(&self, id: &str) -> Result<Sent, Problem> {
        let arguments = Json::parse(r#"{"cheese_type": "brie"}"#).unwrap();
        let call = Call { function: "book".into(), arguments, settings: None };
        self.conversations.call(&scope("shop"), id, call, None).await
    }

    fn wait(&self, time: SignedDuration) {
        self.clock.set(self.clock.now().checked_add(time).unwrap());
    }

    async fn end_overdue(&self, limit: usize) -> (usize, usize, bool) {
        let Overdue { ended, put_off, more } = self.conversations.end_overdue(limit).await.unwrap();
        (ended, put_off, more)
    }
}

#[tokio::test]
async fn a_conversation_that_goes_on_after_it_was_overdue_is_not_ended() {
    let shop = Shop::open().await;
    shop.start("one").await;
    shop.wait(IDLE);
    let found = shop.conversations.administration.overdue(9).await.unwrap();
    assert_eq!(found.len(), 1);

    // A call that is running, and then one that was answered, since it was found.
    let running = shop.conversations.turn(&scope("shop"), "one", PATIENCE).await.unwrap();
    assert_eq!(shop.conversations.end_abandoned(found[0].scope(), found[0].id()).await, Abandoned::Left);
    drop(running);
    shop.call("one").await.unwrap();
    assert_eq!(shop.conversations.end_abandoned(found[0].scope(), found[0].id()).await, Abandoned::Left);
    shop.call("one").await.unwrap();

    shop.wait(IDLE);
    assert_eq!(shop.end_overdue(9).await, (1, 0, false));
    assert_eq!(shop.call("one").await.unwrap_err().name(), "conversation-ended");
    assert_eq!(shop.conversations.end_abandoned(found[0].scope(), found[0].id()).await, Abandoned::Left);
}

#[tokio::test]
async fn conversations_that_cannot_be_ended_are_put_off_and_stop_nobody() {
    let shop = Shop::open().await;
    let closed = shop.closed().await;
    for _ in 0..3 {
        let mut conversation = closed.start(NewConversation::default()).await.unwrap().conversation;
        conversation.overdue_at(Some(shop.clock.now()));
        conversation.save().await.unwrap();
    }
    shop.wait(SignedDuration::from_secs(1));
    shop.start("one").await;
    shop.wait(IDLE);
    assert_eq!(shop.end_overdue(2).await, (0, 2, true));
    assert_eq!(shop.end_overdue(2).await, (1, 1, true));
    assert_eq!(shop.end_overdue(2).await, (0, 0, false));
    shop.wait(BACK_OFF);
    assert_eq!(shop.end_overdue(9).await, (0, 3, false));
}
