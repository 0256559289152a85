//! Places for turns: as many as may run at once, shared among the agents that want them.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex};

use agent_memory_store::AgentKey;
use tokio::sync::oneshot;

use crate::runtime::lock;

/// Hands out places. While all are taken, the next that is given back goes to the agent that has the fewest, and among those
/// that have equally few to whoever has waited the longest: an agent whose turns are long, or many, waits for its own.
pub(crate) struct Places {
    state: Mutex<State>,
}

/// A place, until it is dropped.
pub(crate) struct Place {
    places: Arc<Places>,
    agent: AgentKey,
}

struct State {
    /// How many nobody has. If there are any, nobody waits.
    free: u32,
    agents: HashMap<AgentKey, Share>,
    /// How many stand in the queues of all agents, those included who have given up meanwhile.
    waiting: usize,
    /// How many have ever waited.
    arrived: u64,
}

/// What an agent has, and who waits for more. An agent that has nothing and waits for nothing is left out.
#[derive(Default)]
struct Share {
    taken: u32,
    waiting: VecDeque<Waiting>,
}

struct Waiting {
    arrival: u64,
    place: oneshot::Sender<Place>,
}

impl Places {
    pub(crate) fn new(count: u32) -> Arc<Self> {
        let state = State { free: count, agents: HashMap::new(), waiting: 0, arrived: 0 };
        Arc::new(Self { state: Mutex::new(state) })
    }

    /// A place for a turn of an agent, as soon as there is one.
    pub(crate) async fn take(self: &Arc<Self>, agent: AgentKey) -> Place {
        loop {
            let given = {
                let mut state = lock(&self.state);
                if state.free > 0 {
                    state.free -= 1;
                    state.agents.entry(agent).or_default().taken += 1;
                    return Place { places: Arc::clone(self), agent };
                }
                state.enqueue(agent)
            };
            // Whoever stands in the queue is given a place in the end.
            if let Ok(place) = given.await {
                return place;
            }
        }
    }

    fn give_back(self: &Arc<Self>, agent: AgentKey) {
        let next = lock(&self.state).hand_on(agent);
        if let Some((agent, next)) = next {
            // If nobody is there any more, the place is dropped, and goes to the one after.
            let _ = next.send(Place { places: Arc::clone(self), agent });
        }
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.places.give_back(self.agent);
    }
}

impl State {
    fn enqueue(&mut self, agent: AgentKey) -> oneshot::Receiver<Place> {
        let (place, given) = oneshot::channel();
        self.arrived += 1;
        self.waiting += 1;
        self.agents.entry(agent).or_default().waiting.push_back(Waiting { arrival: self.arrived, place });
        given
    }

    /// Takes a place from an agent. Answers who has it now, if anybody has waited for one.
    fn hand_on(&mut self, agent: AgentKey) -> Option<(AgentKey, oneshot::Sender<Place>)> {
        if let Some(share) = self.agents.get_mut(&agent) {
            share.taken -= 1;
            if share.is_empty() {
                self.agents.remove(&agent);
            }
        }
        let next = self.next();
        match next {
            Some(_) => self.waiting -= 1,
            None => self.free += 1,
        }
        next
    }

    fn next(&mut self) -> Option<(AgentKey, oneshot::Sender<Place>)> {
        if self.waiting == 0 {
            return None;
        }
        self.agents.retain(|_, share| {
            while share.waiting.front().is_some_and(|first| first.place.is_closed()) {
                share.waiting.pop_front();
                self.waiting -= 1;
            }
            !share.is_empty()
        });
        let first = |share: &Share| Some((share.taken, share.waiting.front()?.arrival));
        let wanting = self.agents.iter_mut().filter_map(|(agent, share)| Some((first(share)?, agent, share)));
        let (_, agent, share) = wanting.min_by_key(|(order, ..)| *order)?;
        share.taken += 1;
        share.waiting.pop_front().map(|first| (*agent, first.place))
    }
}

impl Share {
    fn is_empty(&self) -> bool {
        self.taken == 0 && self.waiting.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use futures::FutureExt as _;
    use futures::future::BoxFuture;

    use super::*;

    const LOUD: AgentKey = AgentKey([1; 32]);
    const QUIET: AgentKey = AgentKey([2; 32]);

    /// A wish for a place that stands in the queue.
    fn waiting(places: &Arc<Places>, agent: AgentKey) -> BoxFuture<'static, Place> {
        let places = Arc::clone(places);
        let mut wish = async move { places.take(agent).await }.boxed();
        assert!((&mut wish).now_or_never().is_none(), "there was a place");
        wish
    }

    fn taken(places: &Arc<Places>, agent: AgentKey) -> Place {
        places.take(agent).now_or_never().expect("there is no place")
    }

    #[test]
    fn a_place_goes_to_the_agent_that_has_the_fewest() {
        let places = Places::new(2);
        let (first, second) = (taken(&places, LOUD), taken(&places, LOUD));
        let mut loud: Vec<_> = (0..3).map(|_| waiting(&places, LOUD)).collect();
        let (mut quiet, mut quiet_too) = (waiting(&places, QUIET), waiting(&places, QUIET));
        drop(first);
        let quiet_one = (&mut quiet).now_or_never().expect("the agent without a place has waited too long");
        // Each has one: it is the turn of who came first.
        drop(second);
        assert!((&mut quiet_too).now_or_never().is_none());
        let loud_one = (&mut loud[0]).now_or_never().expect("the first to come");
        drop(loud_one);
        assert!((&mut quiet_too).now_or_never().is_none(), "who has a place was given one before who has none");
        assert!((&mut loud[1]).now_or_never().is_some());
        drop(quiet_one);
        assert!(quiet_too.now_or_never().is_some());
    }

    #[test]
    fn who_gives_up_leaves_nothing_behind() {
        let places = Places::new(1);
        let only = taken(&places, LOUD);
        drop(waiting(&places, QUIET));
        let gives_up_later = waiting(&places, LOUD);
        let waits = waiting(&places, QUIET);
        drop(gives_up_later);
        drop(only);
        drop(waits.now_or_never().expect("a place"));
        // One that was given to somebody who never looked.
        let only = taken(&places, QUIET);
        let never_looks = waiting(&places, LOUD);
        drop(only);
        drop(never_looks);
        let state = lock(&places.state);
        assert_eq!((state.free, state.waiting, state.agents.len()), (1, 0, 0));
    }
}
