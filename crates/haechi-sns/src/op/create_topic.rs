//! `CreateTopic`.

use std::collections::BTreeMap;

use haechi_core::database::Unknown;
use haechi_core::{Batch, Cx, Facts, Handle};
use haechi_sns_model::Error;
use haechi_sns_model::ops::CreateTopic;
use haechi_sns_model::shapes::{CreateTopicInput, CreateTopicResponse};
use haechi_wire::Fault;

use crate::arn::TopicArn;
use crate::error::{invalid, invalid_because};
use crate::store::TopicRecord;
use crate::topic;
use crate::{Sns, sweep, tags, topic_attributes};

impl Handle<CreateTopic> for Sns {
    async fn handle(&self, cx: &Cx, input: CreateTopicInput) -> Result<CreateTopicResponse, Error> {
        let arn = TopicArn::new(cx, cx.account().clone(), &input.name);
        let added = input.tags.unwrap_or_default();
        let facts = Facts::putting(added.iter().map(|tag| (&tag.key, &tag.value)));
        topic::allow(cx, cx.operation.action, &arn, None, facts.clone())?;
        if input.data_protection_policy.is_some() {
            return Err(cx.unsupported_parameter("DataProtectionPolicy").into());
        }
        let wanted = input.attributes.unwrap_or_default();
        let is_fifo = wanted.get("FifoTopic").is_some_and(|value| value == "true");
        check_name(&input.name, is_fifo)?;
        let answer = CreateTopicResponse { topic_arn: Some(arn.arn.clone()) };
        let mut tags = BTreeMap::new();
        tags::merge(&mut tags, &added)?;
        let mut set = BTreeMap::new();
        let settable = wanted.iter().filter(|(name, _)| *name != "FifoTopic");
        for (name, value) in settable {
            topic_attributes::set(cx, &arn, &mut set, (name, value))?;
        }
        let path = arn.place.topic(&arn.name);
        if let Some(found) = self.database.load::<TopicRecord>(&path).await? {
            same(&arn, &found.value, &wanted, &tags)?;
            return Ok(answer);
        }
        if !added.is_empty() {
            topic::allow(cx, "sns:TagResource", &arn, None, facts)?;
        }
        let record = TopicRecord {
            name: arn.name.clone(),
            id: cx.env.uuid().map_err(Fault::internal)?.to_string(),
            policy_principals: topic_attributes::principals(&self.env, &set).await?,
            attributes: set,
            tags,
            created_ms: cx.now().millis(),
            unknown: Unknown::new(),
        };
        let mut batch = Batch::new();
        batch.create(path, &record);
        if is_fifo {
            batch.schedule(&sweep::job(&arn.arn, &record.id, cx.now(), false));
        }
        self.database.commit(batch).await?;
        Ok(answer)
    }
}

fn check_name(name: &str, is_fifo: bool) -> Result<(), Error> {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
    let stem = if is_fifo { name.strip_suffix(".fifo").unwrap_or_default() } else { name };
    if !stem.is_empty() && name.len() <= 256 && stem.bytes().all(plain) {
        return Ok(());
    }
    Err(invalid("Topic Name"))
}

/// Creating a topic again is no failure, if it would be the same.
fn same(
    arn: &TopicArn,
    topic: &TopicRecord,
    wanted: &BTreeMap<String, String>,
    tags: &BTreeMap<String, String>,
) -> Result<(), Error> {
    let has = topic_attributes::show(arn, &topic.attributes, &topic_attributes::Counts::default())?;
    let mut wanted = wanted.iter().map(|(name, value)| (name, topic_attributes::kept(name, value)));
    if wanted.any(|(name, value)| has.get(name) != Some(&value)) {
        let told = "Topic already exists with different attributes";
        return Err(invalid_because("Attributes", told));
    }
    if !tags.is_empty() && *tags != topic.tags {
        return Err(invalid_because("Tags", "Topic already exists with different tags"));
    }
    Ok(())
}
