//! What is counted, for Prometheus.

use std::sync::atomic::AtomicU64;
use std::time::Duration;

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::Registry;

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Call {
    service: &'static str,
    operation: &'static str,
    /// The error code, or `OK`.
    code: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Timed {
    service: &'static str,
    operation: &'static str,
}

/// Buckets of the latency histogram, in seconds.
const BUCKETS: [f64; 10] = [0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.05, 0.25, 1.0];

fn buckets() -> Histogram {
    Histogram::new(BUCKETS)
}

/// The counters of one gateway.
pub struct Metrics {
    registry: Registry,
    calls: Family<Call, Counter>,
    seconds: Family<Timed, Histogram, fn() -> Histogram>,
    watch_lag_seconds: Gauge<f64, AtomicU64>,
    shards_owned: Gauge,
    /// Connections open now.
    pub connections: Gauge,
    /// Requests that named no operation of any service.
    pub unidentified: Counter,
}

impl Default for Metrics {
    fn default() -> Self {
        let mut registry = Registry::with_prefix("haechi");
        let calls = Family::<Call, Counter>::default();
        let seconds = Family::<Timed, Histogram, fn() -> Histogram>::new_with_constructor(buckets);
        let (connections, unidentified) = (Gauge::default(), Counter::default());
        registry.register("calls", "API calls by service, operation and code", calls.clone());
        registry.register("call_seconds", "Time to the answer, audit included", seconds.clone());
        registry.register("connections", "Open connections", connections.clone());
        registry.register(
            "unidentified",
            "Requests that named no operation of any service",
            unidentified.clone(),
        );
        Metrics {
            registry,
            calls,
            seconds,
            watch_lag_seconds: Gauge::default(),
            shards_owned: Gauge::default(),
            connections,
            unidentified,
        }
    }
}

impl Metrics {
    /// Of a node among others.
    #[must_use]
    pub fn with_cluster(mut self) -> Metrics {
        let (lag, shards) = (self.watch_lag_seconds.clone(), self.shards_owned.clone());
        let registry = &mut self.registry;
        registry.register("watch_lag_seconds", "How old what is cached may be", lag);
        registry.register("shards_owned", "Shards of duties that this node has", shards);
        self
    }

    /// How this node stands among others.
    pub(crate) fn stands(&self, lag_seconds: f64, shards: usize) {
        self.watch_lag_seconds.set(lag_seconds);
        self.shards_owned.set(i64::try_from(shards).unwrap_or(i64::MAX));
    }

    /// Counts a call. Names come from models, so that a client cannot make up labels.
    pub(crate) fn called(
        &self,
        service: &'static str,
        operation: &'static str,
        code: &'static str,
        took: Duration,
    ) {
        self.calls.get_or_create(&Call { service, operation, code }).inc();
        self.seconds.get_or_create(&Timed { service, operation }).observe(took.as_secs_f64());
    }

    /// In Prometheus's text format.
    ///
    /// # Errors
    /// If formatting fails.
    pub fn text(&self) -> Result<String, std::fmt::Error> {
        let mut out = String::new();
        encode(&mut out, &self.registry)?;
        Ok(out)
    }
}
