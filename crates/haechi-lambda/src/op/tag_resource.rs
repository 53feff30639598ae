//! `TagResource`.

use haechi_core::{Batch, Cx, Facts, Handle};
use haechi_lambda_model::Error;
use haechi_lambda_model::ops::TagResource;
use haechi_lambda_model::shapes::TagResourceRequest;
use std::collections::BTreeMap;

use haechi_wire::shape::Unit;

use crate::Lambda;
use crate::function::{Function, Named};
use crate::reference::Reference;
use crate::words::{invalid, no_function};

impl Handle<TagResource> for Lambda {
    async fn handle(&self, cx: &Cx, input: TagResourceRequest) -> Result<Unit, Error> {
        let facts = Facts::putting(&input.tags);
        if let Some(found) = self.tagged_mapping(cx, &input.resource, facts).await? {
            let mut mapping = found.value.clone();
            put_tags(&mut mapping.tags, input.tags)?;
            let mut batch = Batch::new();
            batch.replace(&found, &mapping);
            self.database.commit(batch).await?;
            return Ok(Unit);
        }
        let mut function = self.tagged(cx, &input.resource, Facts::putting(&input.tags)).await?;
        put_tags(&mut function.record.tags, input.tags)?;
        let mut batch = Batch::new();
        function.save(&mut batch);
        self.database.commit(batch).await?;
        Ok(Unit)
    }
}

/// Tags of a function, at most.
const TAGS_MAX: usize = 50;

/// Adds tags; without any there is nothing to do, which is refused (recorded).
fn put_tags(
    tags: &mut BTreeMap<String, String>,
    given: BTreeMap<String, String>,
) -> Result<(), Error> {
    if given.is_empty() {
        return Err(not_processed());
    }
    tags.extend(given);
    check_tags(tags)
}

fn not_processed() -> Error {
    invalid("An error occurred and the request cannot be processed.")
}

/// Whether a function may have these tags.
pub(super) fn check_tags(tags: &BTreeMap<String, String>) -> Result<(), Error> {
    if tags.len() > TAGS_MAX {
        return Err(invalid("Number of tags exceeds resource tag limit."));
    }
    let plain = |(key, value): (&String, &String)| {
        !key.is_empty()
            && key.chars().count() <= 128
            && value.chars().count() <= 256
            && !key.starts_with("aws:")
    };
    if tags.iter().all(plain) {
        return Ok(());
    }
    Err(not_processed())
}

impl Lambda {
    /// The function whose tags a request is about.
    pub(super) async fn tagged(
        &self,
        cx: &Cx,
        arn: &str,
        facts: Facts<'_>,
    ) -> Result<Function, Error> {
        let reference = Reference::parse(arn);
        let reference = reference
            .ok_or_else(|| Error::from(cx.unsupported_parameter(&format!("Resource={arn}"))))?;
        if reference.qualifier.is_some() {
            return Err(invalid(
                "Tags on function aliases and versions are not supported. Please specify a \
                 function ARN.",
            ));
        }
        if reference.region != cx.region.as_str() {
            return Err(no_function(arn));
        }
        self.function_knowing(cx, Named::Whole(arn), facts).await
    }
}
