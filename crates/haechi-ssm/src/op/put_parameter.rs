//! `PutParameter`.

use std::collections::BTreeMap;
use std::sync::Arc;

use haechi_core::database::Unknown;
use haechi_core::{Batch, Cx, Handle, Loaded};
use haechi_ssm_model::Error;
use haechi_ssm_model::ops::PutParameter;
use haechi_ssm_model::shapes::{PutParameterRequest, PutParameterResult};
use haechi_wire::Fault;
use zeroize::Zeroizing;

use crate::authz::Wanted;
use crate::count::Counts;
use crate::draft::{Draft, draft};
use crate::error::invalid;
use crate::events::Happening;
use crate::name::{self, Name, arn};
use crate::read::{note, place};
use crate::store::{ParameterRecord, PolicyRecord, VersionRecord};
use crate::tier::{Question, Tier, check_length};
use crate::{Ssm, data_type, policies, tags};

/// Versions that are kept of a parameter.
const VERSIONS_MAX: i64 = 100;

impl Handle<PutParameter> for Ssm {
    async fn handle(
        &self,
        cx: &Cx,
        input: PutParameterRequest,
    ) -> Result<PutParameterResult, Error> {
        let (name, text) = name::writable(cx, &input.name)?;
        let loaded = self.load(place(cx), &name).await?;
        let old = loaded.as_ref().map(|loaded| &loaded.value);
        let arn = arn(cx, cx.account().as_str(), &name);
        authorize(cx, &arn, &input, old)?;
        note(cx, &arn, cx.account().as_str());
        let draft = draft(&input, old)?;
        let policies = self.policies(cx, &input, old)?;
        let counts = match old {
            None => Some(self.counts(place(cx)).await?),
            Some(_) => None,
        };
        let old_tier = old.map(|old| Tier::of(&old.current.tier));
        let needs_advanced = !policies.is_empty()
            || data_type::needs_advanced(&draft.data_type)
            || input.value.0.len() > crate::tier::STANDARD_BYTES_MAX;
        let question = Question {
            asked: input.tier,
            default: self.default_tier(place(cx)).await?,
            old: old_tier,
            needs_advanced,
            standard: counts.as_ref().map_or(0, Counts::standard),
        };
        let tier = question.answer()?;
        check_tier(tier, &draft, &policies, input.value.0.len())?;
        // Where nothing changes in number, nothing is counted.
        let counts = match counts {
            None if old_tier != Some(tier) => Some(self.counts(place(cx)).await?),
            counts => counts,
        };
        if let Some(counts) = &counts {
            counts.check_room(tier)?;
        }
        let mut tags = BTreeMap::new();
        tags::lay_over(&mut tags, input.tags.as_deref().unwrap_or_default())?;
        check_oldest(&text, old)?;
        let version = self.sealed(cx, &arn, &input.value.0, draft, tier).await?;
        let version = VersionRecord { policies, ..version };
        let next = Next { name: &name, text, tags, version };
        let number = self.save(cx, next, loaded, counts.as_ref()).await?;
        Ok(PutParameterResult { version: Some(number), tier: Some(tier.shown()) })
    }
}

/// What is to be written.
struct Next<'a> {
    name: &'a Name,
    text: String,
    tags: BTreeMap<String, String>,
    version: VersionRecord,
}

fn authorize(
    cx: &Cx,
    arn: &str,
    input: &PutParameterRequest,
    old: Option<&ParameterRecord>,
) -> Result<(), Error> {
    let tags = input.tags.as_deref().unwrap_or_default();
    let flags = [
        ("ssm:overwrite", input.overwrite == Some(true)),
        ("ssm:policies", input.policies.is_some()),
    ];
    let mut wanted = Wanted::on(arn, cx.account().as_str(), old);
    (wanted.tags, wanted.flags) = (tags, &flags);
    wanted.allow(cx)?;
    if !tags.is_empty() {
        wanted.allow_action(cx, "ssm:AddTagsToResource")?;
    }
    Ok(())
}

/// Checks that a tier has what a request wants.
fn check_tier(
    tier: Tier,
    draft: &Draft,
    policies: &[PolicyRecord],
    bytes: usize,
) -> Result<(), Error> {
    if tier == Tier::Standard {
        if !policies.is_empty() {
            return Err(invalid(
                "Standard tier parameters don't support parameter policies. To assign policies, \
                 upgrade the parameter to use the advanced-parameter tier.",
            ));
        }
        if data_type::needs_advanced(&draft.data_type) {
            return Err(invalid(format!(
                "Standard tier parameters don't support the data type {}. To use it, upgrade the \
                 parameter to use the advanced-parameter tier.",
                draft.data_type
            )));
        }
    }
    check_length(tier, bytes)
}

/// Checks that the oldest version may go, if it must.
fn check_oldest(name: &str, old: Option<&ParameterRecord>) -> Result<(), Error> {
    let Some(old) = old.filter(|old| old.is_full()) else { return Ok(()) };
    if old.labels_of(old.oldest).is_empty() {
        return Ok(());
    }
    Err(Error::ParameterMaxVersionLimitExceeded(format!(
        "You attempted to create a new version of {name} by calling the PutParameter API with the \
         overwrite flag. Version {}, the oldest version, can't be deleted because it has a label \
         associated with it. Move the label to another version of the parameter, and try again.",
        old.oldest
    )))
}

impl ParameterRecord {
    /// Whether it has as many versions as are kept.
    fn is_full(&self) -> bool {
        self.current.version - self.oldest + 1 >= VERSIONS_MAX
    }
}

impl Ssm {
    /// The policies of the next version: those that are sent, else those that are there.
    fn policies(
        &self,
        cx: &Cx,
        input: &PutParameterRequest,
        old: Option<&ParameterRecord>,
    ) -> Result<Vec<PolicyRecord>, Error> {
        match &input.policies {
            Some(text) => policies::parse(&self.env, text, cx.now()),
            None => Ok(old.map(|old| policies::carried(&old.current.policies)).unwrap_or_default()),
        }
    }

    /// The next version, its value as it is stored; its number comes later.
    async fn sealed(
        &self,
        cx: &Cx,
        arn: &str,
        value: &str,
        draft: Draft,
        tier: Tier,
    ) -> Result<VersionRecord, Error> {
        let value = match &draft.key_id {
            Some(key_id) => self.seal(cx, arn, key_id, tier == Tier::Advanced, value).await?,
            None => Zeroizing::new(value.to_owned()),
        };
        Ok(VersionRecord {
            version: 1,
            kind: draft.kind.as_str().to_owned(),
            value,
            key_id: draft.key_id,
            description: draft.description,
            allowed_pattern: draft.allowed_pattern,
            data_type: draft.data_type,
            tier: tier.name().to_owned(),
            policies: Vec::new(),
            modified_ms: cx.now().millis(),
            modified_by: cx.caller.principal.name().to_owned(),
            unknown: Unknown::new(),
        })
    }

    /// Writes the next version; answers its number.
    async fn save(
        &self,
        cx: &Cx,
        next: Next<'_>,
        loaded: Option<Loaded<ParameterRecord>>,
        counts: Option<&Counts>,
    ) -> Result<i64, Fault> {
        let (place, mut batch, mut version) = (place(cx), Batch::new(), next.version);
        let tier = Tier::of(&version.tier);
        let happening =
            Happening { env: &self.env, account: cx.account(), region: &cx.region, time: cx.now() };
        let old_tier = loaded.as_ref().map(|loaded| Tier::of(&loaded.value.current.tier));
        if let Some(counts) = counts {
            counts.counting.moved(&mut batch, place, old_tier, Some(tier));
        }
        let number;
        match loaded {
            None => {
                number = version.version;
                policies::schedule(&mut batch, place, &next.text, &version)?;
                let parameter = ParameterRecord {
                    id: self.env.uuid().map_err(Fault::internal)?.to_string(),
                    name: next.text,
                    created_ms: cx.now().millis(),
                    current: Arc::new(version),
                    oldest: number,
                    labels: BTreeMap::new(),
                    tags: next.tags,
                    resource_policy: None,
                    unknown: Unknown::new(),
                };
                batch.emit(&happening.change("Create", &parameter)?)?;
                batch.create(place.parameter(next.name), &parameter);
            }
            Some(loaded) => {
                let old = &loaded.value;
                number = old.current.version + 1;
                version.version = number;
                policies::schedule(&mut batch, place, &old.name, &version)?;
                batch.create(place.version(&old.id, old.current.version), &*old.current);
                let mut parameter = old.clone();
                if old.is_full() {
                    batch.delete(place.version(&old.id, old.oldest));
                    parameter.oldest += 1;
                }
                parameter.current = Arc::new(version);
                batch.emit(&happening.change("Update", &parameter)?)?;
                batch.replace(&loaded, &parameter);
            }
        }
        self.database.commit(batch).await?;
        self.jobs.wake();
        Ok(number)
    }
}
