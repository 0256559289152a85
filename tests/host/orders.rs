//! Two processes that go on with one conversation, in every order of what they ask the store. They share nothing else:
//! each has a runtime of its own, and its own connections to the file.

use std::path::Path;
use std::pin::Pin;
use std::sync::Arc;

use agent_memory_host::keys::{Keys, Source};
use agent_memory_host::store::SqliteStore;
use agent_memory_host::{
    CallError, CommitReport, Conversation, EndError, IdentifierKind, NewConversation, Outcome, ResumeError, SaveError,
};
use agent_memory_tests::{Desk, FaultyStore, Gate, configuration, scope, set, value};
use serde_json::{Value, json};

const CALLER: &str = "+441632960001";

/// A process, whose calls of the store wait to be let through.
struct Process {
    desk: Desk,
    gate: Arc<Gate>,
}

impl Process {
    async fn start(folder: &Path) -> Self {
        let gate = Arc::new(Gate::default());
        let keys = Keys::open(&Source::File(folder.join("memory.keys")), true).unwrap();
        let store = SqliteStore::open(folder.join("memory.db")).unwrap();
        let store = Arc::new(FaultyStore::over(store).behind(gate.clone()));
        let configuration = configuration(r#""analytics_enabled": true"#);
        let desk = Desk::sealed(store, keys, &configuration, |builder| builder).await;
        Self { desk, gate }
    }

    /// Opens the conversation, if it goes on.
    async fn open(&self, id: &str) -> Option<Conversation> {
        match self.desk.agent.open(id).await {
            Ok(conversation) => Some(conversation),
            Err(ResumeError::NotFound) => None,
            Err(error) => panic!("{error}"),
        }
    }

    /// Does one thing until it asks the store or is done. Gives what came of it.
    async fn go_on<T>(&self, doing: &mut Doing<'_, T>) -> Option<T> {
        tokio::select! {
            biased;
            done = doing => Some(done),
            () = self.gate.arrival() => None,
        }
    }
}

type Doing<'a, T> = Pin<Box<dyn Future<Output = T> + 'a>>;

/// One order: which of the two asks the store first, then who is next, and so on, and whether it could have been the
/// other.
type Order = Vec<(usize, bool)>;

/// Has two processes do something at once, in the order that begins so, and then the first before the second.
async fn in_order<T>(processes: &[Process; 2], mut doing: [Doing<'_, T>; 2], beginning: &[usize]) -> ([T; 2], Order) {
    let mut done = [None, None];
    for (index, process) in processes.iter().enumerate() {
        process.gate.close();
        done[index] = process.go_on(&mut doing[index]).await;
    }
    let mut order = Order::new();
    while let Some(first) = done.iter().position(Option::is_none) {
        let is_free = done.iter().all(Option::is_none);
        let next = beginning.get(order.len()).copied().unwrap_or(first);
        order.push((next, is_free));
        processes[next].gate.let_one_through();
        done[next] = processes[next].go_on(&mut doing[next]).await;
    }
    (done.map(Option::unwrap), order)
}

/// The next order after one, as far as it differs.
fn next(order: &Order) -> Option<Vec<usize>> {
    let last = order.iter().rposition(|(who, is_free)| *is_free && *who == 0)?;
    let before = order[..last].iter().map(|(who, _)| *who);
    Some(before.chain([1]).collect())
}

/// Has two processes do something with a saved conversation, in all orders, and looks at what is left each time.
async fn in_all_orders<T>(
    doing: [for<'a> fn(&'a Process, &'a str) -> Doing<'a, T>; 2],
    look: for<'a> fn(&'a Desk, &'a str, [T; 2]) -> Doing<'a, ()>,
) -> usize {
    // In memory, where there is such a place: nobody has to wait for a disk here.
    let memory = Path::new("/dev/shm");
    let folder = if memory.is_dir() { tempfile::tempdir_in(memory) } else { tempfile::tempdir() }.unwrap();
    let processes = [Process::start(folder.path()).await, Process::start(folder.path()).await];
    let onlooker = Process::start(folder.path()).await.desk;
    let (mut orders, mut beginning) = (0, Some(Vec::new()));
    while let Some(order) = beginning {
        let id = format!("call-{orders}");
        let new = NewConversation { id: Some(id.clone()), caller_number: Some(CALLER.into()), ..Default::default() };
        let mut conversation = onlooker.start(new).await;
        set(&mut conversation, "cheese_type", &json!("brie")).await;
        conversation.save().await.unwrap();
        let [one, other] = doing;
        let doing = [one(&processes[0], &id), other(&processes[1], &id)];
        let (came, order) = in_order(&processes, doing, &order).await;
        look(&onlooker, &id, came).await;
        // The next order finds a caller of whom nothing is known.
        onlooker.runtime.administration().erase(&scope(), IdentifierKind::Phone, CALLER, None).await.unwrap();
        (orders, beginning) = (orders + 1, next(&order));
    }
    orders
}

/// Adds to what the conversation has noted, and saves it: again from the beginning if somebody else was faster.
fn note<'a>(process: &'a Process, id: &'a str) -> Doing<'a, usize> {
    Box::pin(async move {
        for attempt in 0.. {
            let Some(mut conversation) = process.open(id).await else { return attempt };
            let noted = value(&mut conversation, "get", &json!({"key": "notes"})).await.as_u64().unwrap_or_default();
            set(&mut conversation, "notes", &json!(noted + 1)).await;
            match conversation.save().await {
                Ok(()) => return attempt,
                Err(SaveError::Conflict) => {}
                Err(error) => panic!("{error}"),
            }
        }
        unreachable!("somebody is always faster")
    })
}

#[tokio::test]
async fn of_two_that_save_a_conversation_neither_undoes_the_other() {
    let orders = in_all_orders([note, note], |desk, id, attempts| {
        Box::pin(async move {
            let mut conversation = desk.agent.open(id).await.unwrap();
            let noted = value(&mut conversation, "get", &json!({"key": "notes"})).await;
            assert_eq!(noted, json!(2), "attempts: {attempts:?}");
            // One of them was first.
            assert!(attempts.contains(&0), "{attempts:?}");
        })
    });
    let orders = orders.await;
    assert!(orders >= 20, "{orders} orders");
}

/// Sets something of its own, unless the end has begun, and ends the conversation: none if somebody else has it.
async fn set_and_end(process: &Process, id: &str, mood: &'static str) -> Option<(Value, CommitReport)> {
    let mut conversation = process.open(id).await?;
    let arguments = agent_memory_tests::json(&json!({"key": "mood", "value": mood}));
    let mood = match conversation.call("set", arguments).await {
        Ok(_) => json!(mood),
        Err(CallError::Ended) => Value::Null,
        Err(error) => panic!("{error}"),
    };
    match conversation.end(Outcome::default()).await {
        Ok(ended) => Some((mood, ended.report)),
        Err(EndError::Conflict) => None,
        Err(error) => panic!("{error}"),
    }
}

#[tokio::test]
async fn w4_of_two_that_end_a_conversation_one_does() {
    let orders = in_all_orders(
        [
            |process, id| Box::pin(set_and_end(process, id, "one")),
            |process, id| Box::pin(set_and_end(process, id, "other")),
        ],
        |desk, id, reports| {
            Box::pin(async move {
                let administration = desk.runtime.administration();
                let export = administration.export(&scope(), IdentifierKind::Phone, CALLER).await.unwrap();
                assert_eq!(export.conversations, [id]);
                assert_eq!(administration.conversations().await.unwrap().len(), 1, "it is counted once");
                let remembered = export.fields["mood"].value.to::<Value>().unwrap();
                let report = administration.report(&scope(), id).await.unwrap().unwrap();
                let told: Vec<_> = reports.into_iter().flatten().collect();
                assert!(!told.is_empty(), "somebody has ended it");
                assert!(told.iter().all(|(_, told)| *told == report), "there is one report: {told:?}, {report:?}");
                let is_own = |mood: &Value| mood.is_null() || *mood == remembered;
                assert!(told.iter().any(|(mood, _)| is_own(mood)), "what is committed was acknowledged: {told:?}");
                assert!(matches!(desk.agent.open(id).await, Err(ResumeError::NotFound)));
            })
        },
    );
    let orders = orders.await;
    assert!(orders >= 300, "{orders} orders");
}

/// What came of a note beside an end.
enum Beside {
    Ended(Option<CommitReport>),
    Saved(bool),
}

#[tokio::test]
async fn w4_what_was_saved_before_an_end_is_in_it() {
    let orders = in_all_orders(
        [
            |process, id| {
                Box::pin(async move {
                    let mut conversation = process.open(id).await.unwrap();
                    match conversation.end(Outcome::default()).await {
                        Ok(ended) => Beside::Ended(Some(ended.report)),
                        Err(EndError::Conflict) => Beside::Ended(None),
                        Err(error) => panic!("{error}"),
                    }
                })
            },
            |process, id| {
                Box::pin(async move {
                    let Some(mut conversation) = process.open(id).await else { return Beside::Saved(false) };
                    if conversation
                        .call("set", agent_memory_tests::json(&json!({"key": "mood", "value": "good"})))
                        .await
                        .is_err()
                    {
                        return Beside::Saved(false);
                    }
                    Beside::Saved(conversation.save().await.is_ok())
                })
            },
        ],
        |desk, id, came| {
            Box::pin(async move {
                let [Beside::Ended(report), Beside::Saved(is_saved)] = came else { panic!("not in this order") };
                let administration = desk.runtime.administration();
                let export = administration.export(&scope(), IdentifierKind::Phone, CALLER).await.unwrap();
                match report {
                    Some(_) => {
                        assert!(!is_saved || export.fields.contains_key("mood"), "an acknowledged turn is lost");
                        assert_eq!(export.conversations, [id]);
                    }
                    None => {
                        assert!(is_saved, "nobody else has changed it");
                        assert!(desk.agent.open(id).await.is_ok(), "it goes on");
                    }
                }
            })
        },
    );
    let orders = orders.await;
    assert!(orders >= 50, "{orders} orders");
}
