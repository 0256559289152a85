//! The dashboard: a few files that are part of this program, and need nothing but the API.

use axum::Router;
use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse, Redirect};
use axum::routing::get;
use tower_http::set_header::SetResponseHeaderLayer;

use crate::service::Service;

/// What the pages may load: what comes from here, and nothing else. No text ever becomes markup or a script.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; \
    base-uri 'none'; form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'";

/// The files: path, content type, content.
macro_rules! files {
    ($($path:literal, $kind:literal, $file:literal;)+) => {
        &[$(($path, $kind, include_str!(concat!("../../dashboard/", $file)))),+]
    };
}

const FILES: &[(&str, &str, &str)] = files! {
    "/dashboard/", "text/html; charset=utf-8", "index.html";
    "/dashboard/memory", "text/html; charset=utf-8", "memory.html";
    "/dashboard/icon.svg", "image/svg+xml", "icon.svg";
    "/dashboard/style.css", "text/css; charset=utf-8", "style.css";
    "/dashboard/analytics.js", "text/javascript; charset=utf-8", "analytics.js";
    "/dashboard/memory.js", "text/javascript; charset=utf-8", "memory.js";
    "/dashboard/theme.js", "text/javascript; charset=utf-8", "theme.js";
    "/dashboard/page.js", "text/javascript; charset=utf-8", "page.js";
    "/dashboard/charts.js", "text/javascript; charset=utf-8", "charts.js";
    "/dashboard/chart.umd.min.js", "text/javascript; charset=utf-8", "vendor/chart.umd.min.js";
    "/dashboard/LICENSE-chart.js.md", "text/plain; charset=utf-8", "vendor/LICENSE-chart.js.md";
};

pub(super) fn router() -> Router<Service> {
    let router = FILES.iter().fold(Router::new(), |router, (path, kind, content)| {
        router.route(path, get(move || async move { ([(header::CONTENT_TYPE, *kind)], *content).into_response() }))
    });
    let to_dashboard = || async { Redirect::temporary("/dashboard/") };
    router
        .route("/", get(to_dashboard))
        .route("/dashboard", get(to_dashboard))
        .layer(SetResponseHeaderLayer::overriding(header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(POLICY)))
}
