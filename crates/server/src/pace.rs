//! How fast a large body has to arrive: few of them are served at once, and who sends slowly must not keep others waiting.

use std::time::{Duration, Instant};

use axum::BoxError;
use axum::body::{Body, Bytes};
use axum::extract::Request;
use futures::{StreamExt, stream};

/// What is asked of every large body.
const PACE: Pace = Pace { start: Duration::from_secs(30), rate: 32.0 * 1024.0 };

/// The body arrives more slowly than it has to.
#[derive(Debug, thiserror::Error)]
#[error("the body arrives too slowly")]
pub(crate) struct TooSlow;

/// How fast a body has to arrive, in the mean of all the time that was spent waiting for it.
#[derive(Clone, Copy)]
struct Pace {
    /// For how long nothing is asked.
    start: Duration,
    /// The least rate, in bytes a second.
    rate: f64,
}

/// How a body has come in so far.
#[derive(Default)]
struct Arrived {
    bytes: usize,
    waited: Duration,
}

impl Arrived {
    /// Counts a piece that was waited for.
    fn add(&mut self, bytes: usize, waited: Duration, pace: Pace) -> Result<(), TooSlow> {
        self.bytes = self.bytes.saturating_add(bytes);
        self.waited = self.waited.saturating_add(waited);
        let allowed = pace.start.as_secs_f64() + self.bytes as f64 / pace.rate;
        if self.waited.as_secs_f64() > allowed { Err(TooSlow) } else { Ok(()) }
    }
}

/// Ends a request's body with [`TooSlow`] if it does not keep pace. How long no piece arrives at all has limits of its own.
pub(crate) async fn keep_pace(request: Request) -> Request {
    request.map(|body| paced(body, PACE))
}

fn paced(body: Body, pace: Pace) -> Body {
    let start = (body.into_data_stream(), Arrived::default());
    let pieces = stream::try_unfold(start, move |(mut body, mut arrived)| async move {
        let asked = Instant::now();
        let Some(piece) = body.next().await.transpose()? else { return Ok(None) };
        arrived.add(piece.len(), asked.elapsed(), pace)?;
        Ok::<Option<(Bytes, _)>, BoxError>(Some((piece, (body, arrived))))
    });
    Body::from_stream(pieces)
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;

    use super::*;
    use crate::input;

    const KIB: usize = 1 << 10;
    const SECOND: Duration = Duration::from_secs(1);

    /// How many pieces arrive until they come too slowly, of a hundred.
    fn arrived(bytes: usize, every: Duration) -> usize {
        let mut arrived = Arrived::default();
        (0..100).take_while(|_| arrived.add(bytes, every, PACE).is_ok()).count()
    }

    #[test]
    fn who_keeps_pace_may_take_long_and_who_does_not_has_half_a_minute() {
        assert_eq!(arrived(32 * KIB, SECOND), 100);
        assert_eq!(arrived(1, SECOND), 30);
        assert_eq!(arrived(16 * KIB, SECOND), 60);
        assert_eq!(arrived(0, Duration::MAX), 0);
    }

    /// What comes of a body that is sent in pieces.
    async fn sent(pace: Pace) -> Result<Bytes, axum::Error> {
        let pieces = stream::iter(["one", "", "two"]).then(|piece| async move {
            tokio::time::sleep(Duration::from_millis(2)).await;
            Ok::<_, Infallible>(piece)
        });
        axum::body::to_bytes(paced(Body::from_stream(pieces), pace), 99).await
    }

    #[tokio::test]
    async fn a_body_that_does_not_keep_pace_is_cut_off_and_another_arrives_as_it_was_sent() {
        assert_eq!(sent(Pace { start: SECOND * 60, rate: 1.0 }).await.unwrap(), "onetwo");
        let problem = input::broken_off(&sent(Pace { start: Duration::ZERO, rate: 1e12 }).await.unwrap_err());
        assert_eq!(problem.status().as_u16(), 408, "{problem}");
    }
}
