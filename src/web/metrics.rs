//! What `/metrics` tells of requests: how many by method, route and status, and how long they took by route.
//!
//! Routes are patterns (`/documents/{number}`), never addresses, so that the number of series is bounded.

use prometheus_client::encoding::{EncodeLabelSet, text::encode};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::Registry;

use crate::error::{Error, Result};

/// Upper bounds of the duration classes, in seconds.
const BOUNDS: [f64; 13] = [0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0];

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Answered {
    method: String,
    route: String,
    status: u16,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Route {
    route: String,
}

/// The counters of requests; others join through [`Metrics::new`].
#[derive(Debug)]
pub struct Metrics {
    registry: Registry,
    answered: Family<Answered, Counter>,
    seconds: Family<Route, Histogram, fn() -> Histogram>,
}

impl Metrics {
    /// The counters of requests, and what `further` registers (the lane's depth, the ledger's head).
    pub fn new(further: impl FnOnce(&mut Registry)) -> Self {
        let mut registry = Registry::with_prefix("sopledger");
        let answered = Family::default();
        let seconds = Family::new_with_constructor((|| Histogram::new(BOUNDS)) as fn() -> Histogram);
        registry.register("http_requests", "Requests answered", answered.clone());
        registry.register("http_request_seconds", "Time to the answer, in seconds", seconds.clone());
        further(&mut registry);
        Self { registry, answered, seconds }
    }

    /// Counts one answer. `route` is the matched pattern, `None` where nothing matched.
    pub fn count(&self, method: &str, route: Option<&str>, status: u16, seconds: f64) {
        let route = route.unwrap_or("unmatched");
        let answered = Answered { method: known_method(method).to_owned(), route: route.to_owned(), status };
        self.answered.get_or_create(&answered).inc();
        self.seconds.get_or_create(&Route { route: route.to_owned() }).observe(seconds);
    }

    /// The OpenMetrics text, for `/metrics`.
    pub fn render(&self) -> Result<String> {
        let mut text = String::new();
        encode(&mut text, &self.registry).map_err(Error::internal)?;
        Ok(text)
    }
}

/// A stranger may invent methods; the label does not follow.
fn known_method(method: &str) -> &str {
    match method {
        "GET" | "HEAD" | "POST" | "PUT" | "PATCH" | "DELETE" | "OPTIONS" => method,
        _ => "other",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_are_counted_by_route_and_status() {
        let metrics = Metrics::new(|_| ());
        metrics.count("GET", Some("/documents/{number}"), 200, 0.003);
        metrics.count("BREW", None, 404, 0.001);
        let text = metrics.render().unwrap();
        let counted =
            r#"sopledger_http_requests_total{method="GET",route="/documents/{number}",status="200"} 1"#;
        assert!(text.contains(counted), "{text}");
        assert!(text.contains(r#"{method="other",route="unmatched",status="404"} 1"#), "{text}");
        assert!(text.contains("sopledger_http_request_seconds_bucket"), "{text}");
    }
}
