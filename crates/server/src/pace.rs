//! How fast a large body has to arrive: few of them are served at once, and who sends slowly must not keep others waiting.

use std::time::{Duration, Instant};

use axum::BoxError;
use axum::body::{Body, Bytes};
use axum::extract::Request;
use futures::{StreamExt, stream};

/// The least rate, in bytes a second, in the mean of all the time that was spent waiting for the client.
const RATE: f64 = 32.0 * 1024.0;

/// For how long nothing is asked of the rate.
const START: Duration = Duration::from_secs(30);

/// The body arrives more slowly than it has to.
#[derive(Debug, thiserror::Error)]
#[error("the body arrives too slowly")]
pub(crate) struct TooSlow;

/// How a body has come in so far.
#[derive(Default)]
struct Pace {
    bytes: usize,
    waited: Duration,
}

impl Pace {
    /// Counts a piece that was waited for.
    fn piece(&mut self, bytes: usize, waited: Duration) -> Result<(), TooSlow> {
        self.bytes = self.bytes.saturating_add(bytes);
        self.waited = self.waited.saturating_add(waited);
        let allowed = START.as_secs_f64() + self.bytes as f64 / RATE;
        if self.waited.as_secs_f64() > allowed { Err(TooSlow) } else { Ok(()) }
    }
}

/// Ends a request's body with [`TooSlow`] if it does not keep pace. How long no piece arrives at all has limits of its own.
pub(crate) async fn keep_pace(request: Request) -> Request {
    request.map(|body| {
        let pieces =
            stream::try_unfold((body.into_data_stream(), Pace::default()), |(mut body, mut pace)| async move {
                let asked = Instant::now();
                let Some(piece) = body.next().await.transpose()? else { return Ok(None) };
                pace.piece(piece.len(), asked.elapsed())?;
                Ok::<Option<(Bytes, _)>, BoxError>(Some((piece, (body, pace))))
            });
        Body::from_stream(pieces)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const KIB: usize = 1 << 10;
    const SECOND: Duration = Duration::from_secs(1);

    /// How many pieces arrive until they come too slowly, of a hundred.
    fn arrived(bytes: usize, every: Duration) -> usize {
        let mut pace = Pace::default();
        (0..100).take_while(|_| pace.piece(bytes, every).is_ok()).count()
    }

    #[test]
    fn who_keeps_pace_may_take_long_and_who_does_not_has_half_a_minute() {
        assert_eq!(arrived(32 * KIB, SECOND), 100);
        assert_eq!(arrived(1, SECOND), 30);
        assert_eq!(arrived(16 * KIB, SECOND), 60);
        assert_eq!(arrived(0, Duration::MAX), 0);
    }

    #[tokio::test]
    async fn what_keeps_pace_arrives_as_it_was_sent() {
        let pieces = ["one", "", "two"].map(|piece| Ok::<_, TooSlow>(Bytes::from(piece)));
        let sent = Request::new(Body::from_stream(stream::iter(pieces)));
        let arrived = axum::body::to_bytes(keep_pace(sent).await.into_body(), 99).await.unwrap();
        assert_eq!(arrived, "onetwo");
        let broken = [Ok(Bytes::from("one")), Err(TooSlow)];
        let sent = Request::new(Body::from_stream(stream::iter(broken)));
        assert!(axum::body::to_bytes(keep_pace(sent).await.into_body(), 99).await.is_err());
    }
}
