//! What keeps web pages out of a service without tokens.
//!
//! A browser on the same machine can reach such a service, and whatever page it shows can make it ask. Two things give
//! such a request away: the `Host` of a page whose name was made to lead here (DNS rebinding), and the `Origin` of a page
//! from elsewhere.

use std::net::{Ipv4Addr, Ipv6Addr};

use axum::extract::{Request, State};
use axum::http::uri::Authority;
use axum::http::{HeaderMap, Uri, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use crate::Problem;
use crate::service::Service;

/// Refuses what a page from elsewhere may have asked for, if whoever asks may do everything.
pub(crate) async fn refuse_foreign(State(service): State<Service>, request: Request, next: Next) -> Response {
    if service.tokens().is_none()
        && let Err(problem) = check(request.uri(), request.headers())
    {
        return problem.into_response();
    }
    next.run(request).await
}

fn check(uri: &Uri, headers: &HeaderMap) -> Result<(), Problem> {
    // HTTP/2 has the host in the address alone, HTTP/1 as a rule in the header alone.
    let mut host = uri.authority().cloned();
    for value in headers.get_all(header::HOST) {
        let named = value.to_str().ok().and_then(|value| value.parse::<Authority>().ok()).ok_or_else(other_host)?;
        if host.as_ref().is_some_and(|host| *host != named) {
            return Err(other_host());
        }
        host = Some(named);
    }
    if host.as_ref().is_some_and(|host| !is_loopback(host)) {
        return Err(other_host());
    }
    for origin in headers.get_all(header::ORIGIN) {
        let page = origin.to_str().ok().and_then(|origin| {
            let (scheme, page) = origin.split_once("://")?;
            page.parse::<Authority>().ok().filter(|_| matches!(scheme, "http" | "https"))
        });
        if page.is_none() || page != host {
            let detail =
                "a page from elsewhere (`Origin`) may not use a service without tokens: start it with --tokens";
            return Err(Problem::foreign(detail));
        }
    }
    Ok(())
}

fn other_host() -> Problem {
    Problem::foreign(
        "a service without tokens answers to localhost, 127.0.0.1 and [::1] alone, and this was sent to another name \
         (`Host`): use one of these, or start it with --tokens",
    )
}

/// Whether it is a name or an address of the machine itself, whatever a name server says.
fn is_loopback(host: &Authority) -> bool {
    let name = host.host();
    let is_v6 = || name.strip_prefix('[')?.strip_suffix(']')?.parse::<Ipv6Addr>().ok();
    name.eq_ignore_ascii_case("localhost")
        || name.parse().is_ok_and(|address: Ipv4Addr| address.is_loopback())
        || is_v6().is_some_and(|address| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(uri: &str, headers: &[(header::HeaderName, &str)]) -> u16 {
        let headers = headers.iter().map(|(name, value)| (name.clone(), value.parse().unwrap())).collect();
        check(&uri.parse().unwrap(), &headers).map_or_else(|problem| problem.status().as_u16(), |()| 200)
    }

    #[test]
    fn only_the_machines_own_names_are_answered_to() {
        for host in ["localhost", "LOCALHOST:8080", "127.0.0.1:8080", "127.9.9.9", "[::1]:8080", "[::1]"] {
            assert_eq!(answer("/", &[(header::HOST, host)]), 200, "{host}");
            assert_eq!(answer(&format!("http://{host}/"), &[]), 200, "{host}");
        }
        for host in ["rebound.example", "localhost.example:8080", "127.0.0.1.example", "10.0.0.1", "[::2]", "a b"] {
            assert_eq!(answer("/", &[(header::HOST, host)]), 403, "{host}");
        }
        assert_eq!(answer("http://localhost/", &[(header::HOST, "rebound.example")]), 403);
        assert_eq!(answer("http://rebound.example/", &[]), 403);
        assert_eq!(answer("/", &[(header::HOST, "localhost"), (header::HOST, "rebound.example")]), 403);
        // No browser leaves it out. Programs that look whether the service is there do.
        assert_eq!(answer("/", &[]), 200);
    }

    #[test]
    fn only_the_services_own_pages_may_ask() {
        let from = |origin| answer("/", &[(header::HOST, "localhost:8080"), (header::ORIGIN, origin)]);
        assert_eq!(from("http://localhost:8080"), 200);
        assert_eq!(from("https://LOCALHOST:8080"), 200);
        for origin in ["http://localhost:9090", "http://127.0.0.1:8080", "https://page.example", "null", "", "file://"]
        {
            assert_eq!(from(origin), 403, "{origin}");
        }
        assert_eq!(answer("/", &[(header::ORIGIN, "http://localhost")]), 403);
    }
}
