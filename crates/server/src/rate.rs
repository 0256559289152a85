//! How many requests a client may make, and how many large ones there may be at once.

use std::net::{IpAddr, Ipv6Addr, SocketAddr};
use std::num::NonZeroU32;
use std::time::Duration;

use axum::extract::{ConnectInfo, Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use governor::clock::{Clock, DefaultClock};
use governor::{DefaultKeyedRateLimiter, Quota, RateLimiter};
use sha2::{Digest, Sha256};
use tokio::sync::{Semaphore, SemaphorePermit};
use tokio::time::timeout;

use crate::Problem;
use crate::access::bearer;
use crate::service::Service;

/// How long a large request waits for those before it.
const TURN: Duration = Duration::from_secs(10);

/// What is asked by those who look whether the service is there, however busy it is.
const EXEMPT: [&str; 2] = ["/healthz", "/readyz"];

/// Limits how many requests each client may make: by its token if that is good, or else by its address.
pub(crate) struct Rate {
    limiter: DefaultKeyedRateLimiter<Client>,
    clock: DefaultClock,
}

/// Limits how many requests there are at once that take much memory or time.
pub(crate) struct Large(Semaphore);

/// Who asks. Nobody can be more than one client by saying something else.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Client {
    /// The digest of a token that is good.
    Token([u8; 32]),
    /// A whole network, where one client has many addresses.
    Address(IpAddr),
    Unknown,
}

impl Rate {
    /// So many requests a second, and twice as many at once.
    pub(crate) fn new(per_second: NonZeroU32) -> Self {
        let quota =
            Quota::per_second(per_second).allow_burst(per_second.saturating_mul(NonZeroU32::MIN.saturating_add(1)));
        Self { limiter: RateLimiter::keyed(quota), clock: DefaultClock::default() }
    }

    fn check(&self, client: &Client) -> Result<(), Problem> {
        self.limiter.check_key(client).map_err(|refused| {
            let wait = refused.wait_time_from(self.clock.now());
            let seconds = u32::try_from(wait.as_secs()).unwrap_or(u32::MAX).saturating_add(1);
            Problem::rate_limited("slow down: this client has made more requests than the service allows")
                .retry_after(seconds)
        })
    }

    /// Forgets clients that have been quiet.
    pub(crate) fn forget(&self) {
        self.limiter.retain_recent();
        self.limiter.shrink_to_fit();
    }
}

impl Large {
    /// So many at once.
    pub(crate) fn new(at_once: usize) -> Self {
        Self(Semaphore::new(at_once))
    }

    /// Waits until there are few enough others, but not for long.
    pub(crate) async fn turn(&self) -> Result<SemaphorePermit<'_>, Problem> {
        match timeout(TURN, self.0.acquire()).await {
            Ok(Ok(turn)) => Ok(turn),
            _ => Err(Problem::overloaded("others of these requests are still being served: try again").retry_after(5)),
        }
    }
}

/// Refuses what is too much.
pub(crate) async fn limit(State(service): State<Service>, mut request: Request, next: Next) -> Response {
    if let Some(rate) = &service.rate
        && !EXEMPT.contains(&request.uri().path())
        && let Err(problem) = rate.check(&client(&service, &mut request))
    {
        return problem.into_response();
    }
    next.run(request).await
}

/// Who asks. What the token grants goes along with the request, so that the token is looked up once.
fn client(service: &Service, request: &mut Request) -> Client {
    if let Some(tokens) = service.tokens()
        && let Ok(secret) = bearer(request.headers())
        && let Ok(holder) = tokens.holder(secret, service.now())
    {
        let client = Client::Token(Sha256::digest(secret).into());
        request.extensions_mut().insert(holder);
        return client;
    }
    let address = request.extensions().get::<ConnectInfo<SocketAddr>>();
    address.map_or(Client::Unknown, |address| Client::Address(network(address.0.ip())))
}

/// The address, or for IPv6 the network of 64 bits, of which a client may use all addresses.
fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(address) => Ipv6Addr::from_bits(address.to_bits() >> 64 << 64).into(),
        address => address,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_client_with_many_addresses_is_one_client() {
        let network = |address: &str| network(address.parse().unwrap()).to_string();
        assert_eq!(network("2001:db8:1:2:3:4:5:6"), network("2001:db8:1:2:ffff::"));
        assert_ne!(network("2001:db8:1:2::1"), network("2001:db8:1:3::1"));
        assert_eq!(network("::ffff:192.0.2.1"), "192.0.2.1");
        assert_ne!(network("192.0.2.1"), network("192.0.2.2"));
    }

    #[tokio::test]
    async fn a_turn_is_given_back() {
        let large = Large::new(1);
        drop(large.turn().await.unwrap());
        let _turn = large.turn().await.unwrap();
        assert_eq!(large.0.available_permits(), 0);
    }
}
