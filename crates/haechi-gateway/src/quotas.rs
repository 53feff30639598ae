//! Request quotas: a token bucket per account, Region and group of operations.
//!
//! A bucket holds what one second gives (one request at least) and is full at first, so that a
//! pause is worth a short burst and no more. An operation that no quota names is not counted. The
//! operator's own rules stand before AWS's defaults, the first that fits before the others.

use std::collections::HashMap;
use std::hash::{BuildHasher, RandomState};
use std::sync::{Mutex, PoisonError};

use haechi_core::quota::{KindQuota, Refusal, RequestMeter, RequestQuota, Spending};
use haechi_wire::{Fault, Problem, Timestamp};

/// Parts of the table, each with a lock of its own; a power of two.
const SHARDS: usize = 16;

/// Buckets in one part, at most, before those that are full again are dropped.
const BUCKETS_MAX: usize = 4096;

#[derive(Debug, Clone, Copy)]
struct Bucket {
    tokens: f64,
    per_second: f64,
    filled_ms: i64,
}

impl Bucket {
    fn capacity(&self) -> f64 {
        self.per_second.max(1.0)
    }

    fn fill(&mut self, now_ms: i64) {
        // A clock that was set back fills nothing.
        let passed_ms = i32::try_from((now_ms - self.filled_ms).max(0)).unwrap_or(i32::MAX);
        let tokens = self.tokens + f64::from(passed_ms) / 1000.0 * self.per_second;
        self.tokens = tokens.min(self.capacity());
        self.filled_ms = now_ms;
    }
}

/// A quota that the operator sets, in place of the default of the operations that it names.
#[derive(Debug, Clone, PartialEq)]
pub struct QuotaRule {
    /// The service, as in credential scopes.
    pub service: String,
    /// The operations that share it; empty for all of the service.
    pub operations: Vec<String>,
    /// The account that it is for; each account, if it is `None`.
    pub account: Option<String>,
    /// The Region that it is for; each Region, if it is `None`.
    pub region: Option<String>,
    /// Requests per second.
    pub per_second: f64,
}

impl QuotaRule {
    fn fits(&self, service: &str, operation: &str, account: &str, region: &str) -> bool {
        let named = |list: &[String]| list.is_empty() || list.iter().any(|one| one == operation);
        let is = |wanted: &Option<String>, own: &str| wanted.as_ref().is_none_or(|one| one == own);
        self.service == service
            && named(&self.operations)
            && is(&self.account, account)
            && is(&self.region, region)
    }
}

/// The request quotas of all services, and how much of each is left.
#[derive(Default)]
pub struct Quotas {
    rules: Vec<QuotaRule>,
    quotas: Vec<RequestQuota>,
    kinds: Vec<KindQuota>,
    refusals: Vec<Refusal>,
    /// From service and operation to the place of its quota.
    places: HashMap<(&'static str, &'static str), usize>,
    shards: [Mutex<HashMap<u64, Bucket>>; SHARDS],
    hasher: RandomState,
}

impl Quotas {
    /// Nothing is bounded.
    pub fn none() -> Quotas {
        Quotas::default()
    }

    /// These bound the operations that they name.
    pub fn new(quotas: impl IntoIterator<Item = RequestQuota>) -> Quotas {
        let quotas: Vec<RequestQuota> = quotas.into_iter().collect();
        let mut places = HashMap::new();
        for (place, quota) in quotas.iter().enumerate() {
            for operation in quota.operations {
                places.insert((quota.service, *operation), place);
            }
        }
        Quotas { quotas, places, ..Quotas::default() }
    }

    /// With these, which handlers take from.
    #[must_use]
    pub fn with_kinds(self, kinds: Vec<KindQuota>) -> Quotas {
        Quotas { kinds, ..self }
    }

    /// With these words of services that have their own.
    #[must_use]
    pub fn with_refusals(self, refusals: Vec<Refusal>) -> Quotas {
        Quotas { refusals, ..self }
    }

    /// With the operator's rules before them.
    #[must_use]
    pub fn with_rules(self, rules: Vec<QuotaRule>) -> Quotas {
        Quotas { rules, ..self }
    }

    /// The quota that binds a request: its place among all, and its requests per second.
    fn binding(
        &self,
        service: &'static str,
        operation: &'static str,
        account: &str,
        region: &str,
    ) -> Option<(usize, f64)> {
        let mut rules = self.rules.iter().enumerate();
        if let Some((at, rule)) =
            rules.find(|(_, rule)| rule.fits(service, operation, account, region))
        {
            return Some((self.quotas.len() + at, rule.per_second));
        }
        let place = *self.places.get(&(service, operation))?;
        self.quotas.get(place).map(|quota| (place, quota.in_region(region)))
    }

    /// Takes one request of an account from its quota.
    ///
    /// # Errors
    /// If nothing is left: as the service refuses it.
    pub fn take(
        &self,
        service: &'static str,
        operation: &'static str,
        account: &str,
        region: &str,
        now: Timestamp,
    ) -> Result<(), Problem> {
        let Some((place, per_second)) = self.binding(service, operation, account, region) else {
            return Ok(());
        };
        let taken = self.take_from((account, region, place, ""), per_second, now);
        taken.map_err(|fault| self.refused(service, fault))
    }

    fn refused(&self, service: &str, fault: Fault) -> Problem {
        match self.refusals.iter().find(|own| own.service == service) {
            Some(own) => Problem::modelled(own.code, own.status, own.message.to_owned()),
            None => fault.into(),
        }
    }

    /// Takes one request from a bucket: of an account, in a Region, of a quota, of one thing.
    fn take_from(
        &self,
        bucket: (&str, &str, usize, &str),
        per_second: f64,
        now: Timestamp,
    ) -> Result<(), Fault> {
        // Two buckets on one keyed hash of 64 bits are not to be expected, nor to be contrived.
        let hash = self.hasher.hash_one(bucket);
        let shard = usize::try_from(hash % 16).unwrap_or_default();
        let Some(shard) = self.shards.get(shard) else { return Ok(()) };
        let mut buckets = shard.lock().unwrap_or_else(PoisonError::into_inner);
        let now_ms = now.millis();
        if buckets.len() >= BUCKETS_MAX && !buckets.contains_key(&hash) {
            buckets.retain(|_, bucket| {
                bucket.fill(now_ms);
                bucket.tokens < bucket.capacity()
            });
        }
        let bucket = buckets.entry(hash).or_insert_with(|| Bucket {
            tokens: per_second.max(1.0),
            per_second,
            filled_ms: now_ms,
        });
        bucket.fill(now_ms);
        if bucket.tokens < 1.0 {
            return Err(Fault::Throttled);
        }
        bucket.tokens -= 1.0;
        Ok(())
    }
}

impl RequestMeter for Quotas {
    fn spend(&self, spending: &Spending<'_>) -> Result<(), Fault> {
        let Spending { service, operation, kind, one, account, region, now } = *spending;
        // A rule of the operator stands in place of all defaults; it has let the request in.
        if self.rules.iter().any(|rule| rule.fits(service, operation, account, region)) {
            return Ok(());
        }
        let mut kinds = self.kinds.iter().enumerate();
        let found = kinds.find(|(_, quota)| quota.service == service && quota.kind == kind);
        let Some((at, quota)) = found else { return Ok(()) };
        let place = self.quotas.len() + self.rules.len() + at;
        self.take_from((account, region, place, one), quota.per_second, now)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TABLE: [RequestQuota; 2] = [
        RequestQuota {
            service: "kms",
            operations: &["Encrypt", "Decrypt"],
            per_second: 3.0,
            regions: &[("us-east-1", 5.0)],
        },
        RequestQuota {
            service: "kms",
            operations: &["GetParametersForImport"],
            per_second: 0.25,
            regions: &[],
        },
    ];

    fn taken(
        quotas: &Quotas,
        operation: &'static str,
        account: &str,
        region: &str,
        ms: i64,
    ) -> usize {
        let now = Timestamp::from_millis(ms);
        let take = |_: &usize| quotas.take("kms", operation, account, region, now).is_ok();
        (0..100).filter(take).count()
    }

    #[test]
    fn a_quota_is_shared_by_its_operations_and_by_nobody_else() {
        let quotas = Quotas::new(TABLE);
        assert_eq!(taken(&quotas, "Encrypt", "1", "eu-west-3", 0), 3);
        assert_eq!(taken(&quotas, "Decrypt", "1", "eu-west-3", 0), 0);
        assert_eq!(taken(&quotas, "Decrypt", "2", "eu-west-3", 0), 3);
        assert_eq!(taken(&quotas, "Decrypt", "1", "us-east-1", 0), 5);
        assert_eq!(taken(&quotas, "GetParametersForImport", "1", "eu-west-3", 0), 1);
        assert_eq!(taken(&quotas, "ListKeys", "1", "eu-west-3", 0), 100);
    }

    #[test]
    fn time_fills_a_bucket_up_to_one_second_and_a_clock_set_back_does_not() {
        let quotas = Quotas::new(TABLE);
        assert_eq!(taken(&quotas, "Encrypt", "1", "eu-west-3", 10_000), 3);
        assert_eq!(taken(&quotas, "Encrypt", "1", "eu-west-3", 10_334), 1);
        assert_eq!(taken(&quotas, "Encrypt", "1", "eu-west-3", 60_000), 3);
        assert_eq!(taken(&quotas, "Encrypt", "1", "eu-west-3", 5_000), 0);
        assert_eq!(taken(&quotas, "Encrypt", "1", "eu-west-3", 6_000), 3);
    }

    #[test]
    fn a_rule_of_the_operator_takes_the_place_of_the_default_where_it_fits() {
        let rule =
            |operations: &[&str], account: Option<&str>, region: Option<&str>, per_second| {
                QuotaRule {
                    service: "kms".to_owned(),
                    operations: operations.iter().map(|&name| name.to_owned()).collect(),
                    account: account.map(str::to_owned),
                    region: region.map(str::to_owned),
                    per_second,
                }
            };
        let quotas = Quotas::new(TABLE).with_rules(vec![
            rule(&["Encrypt"], Some("1"), Some("eu-west-3"), 7.0),
            rule(&[], Some("2"), None, 2.0),
        ]);
        assert_eq!(taken(&quotas, "Encrypt", "1", "eu-west-3", 0), 7);
        // The default of the operations that no rule names is not spent.
        assert_eq!(taken(&quotas, "Decrypt", "1", "eu-west-3", 0), 3);
        assert_eq!(taken(&quotas, "Encrypt", "1", "us-east-1", 0), 5);
        // All operations of a service together, also those without a default.
        assert_eq!(taken(&quotas, "Encrypt", "2", "eu-west-3", 0), 2);
        assert_eq!(taken(&quotas, "ListKeys", "2", "eu-west-3", 0), 0);
        assert_eq!(taken(&quotas, "ListKeys", "2", "us-east-1", 0), 2);
        assert_eq!(taken(&quotas, "ListKeys", "3", "us-east-1", 0), 100);
    }

    #[test]
    fn a_kind_of_key_has_a_quota_of_its_own_unless_the_operator_has_set_one() {
        let kind = |kind, per_second| KindQuota { service: "kms", kind, per_second };
        let rule = QuotaRule {
            service: "kms".to_owned(),
            operations: vec!["Encrypt".to_owned()],
            account: Some("2".to_owned()),
            region: None,
            per_second: 50.0,
        };
        let quotas = Quotas::new(TABLE).with_kinds(vec![kind("RSA", 2.0), kind("STORE", 1.0)]);
        let quotas = quotas.with_rules(vec![rule]);
        let spent = |kind, one, account| {
            let (service, operation, region) = ("kms", "Encrypt", "x");
            let now = Timestamp::from_millis(0);
            let spending = Spending { service, operation, kind, one, account, region, now };
            (0..100).filter(|_| quotas.spend(&spending).is_ok()).count()
        };
        assert_eq!((spent("RSA", "", "1"), spent("RSA", "", "1")), (2, 0));
        assert_eq!((spent("STORE", "a", "1"), spent("STORE", "b", "1")), (1, 1));
        assert_eq!(spent("RSA", "", "2"), 100);
        assert_eq!(spent("UNKNOWN", "", "1"), 100);
    }

    #[test]
    fn less_than_one_a_second_is_one_in_some_seconds() {
        let quotas = Quotas::new(TABLE);
        let times = [0, 1000, 3000, 4000, 4100, 8000];
        let taken = times.map(|ms| taken(&quotas, "GetParametersForImport", "1", "x", ms));
        assert_eq!(taken, [1, 0, 0, 1, 0, 1]);
    }

    #[test]
    fn a_service_refuses_in_its_own_words() {
        let service = "kms";
        let refusal = Refusal { service, code: "TooMany", status: 400, message: "Later." };
        let quotas = Quotas::new(TABLE).with_refusals(vec![refusal]);
        let take = |quotas: &Quotas| {
            let now = Timestamp::from_millis(0);
            quotas.take("kms", "GetParametersForImport", "1", "x", now)
        };
        assert!(take(&quotas).is_ok());
        let refused = take(&quotas).unwrap_err();
        assert_eq!(refused.code(haechi_wire::Protocol::Json11), "TooMany");
        assert_eq!(refused.message(), "Later.");
        let others = Quotas::new(TABLE);
        assert!(take(&others).is_ok());
        let refused = take(&others).unwrap_err();
        assert_eq!(refused.code(haechi_wire::Protocol::Json11), "ThrottlingException");
        assert_eq!(refused.code(haechi_wire::Protocol::Query), "Throttling");
    }

    #[test]
    fn buckets_that_are_full_again_are_forgotten() {
        let quotas = Quotas::new(TABLE);
        for account in 0..100_000 {
            let now = Timestamp::from_millis(account);
            quotas.take("kms", "Encrypt", &account.to_string(), "eu-west-3", now).unwrap();
        }
        let kept: usize = quotas.shards.iter().map(|shard| shard.lock().unwrap().len()).sum();
        assert!(kept <= SHARDS * (BUCKETS_MAX + 1), "{kept}");
    }
}
