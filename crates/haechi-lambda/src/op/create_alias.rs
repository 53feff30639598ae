//! `CreateAlias`.

use haechi_core::database::Unknown;
use haechi_core::{Batch, Cx, Handle};
use haechi_lambda_model::Error;
use haechi_lambda_model::ops::CreateAlias;
use haechi_lambda_model::shapes::{
    AliasConfiguration, AliasRoutingConfiguration, CreateAliasRequest,
};
use std::collections::BTreeMap;

use haechi_wire::Fault;

use crate::Lambda;
use crate::configuration::revision;
use crate::function::{Function, Named};
use crate::reference::{LATEST, Reference};
use crate::store::AliasRecord;
use crate::words::{conflict, invalid, no_function};

impl Handle<CreateAlias> for Lambda {
    async fn handle(
        &self,
        cx: &Cx,
        input: CreateAliasRequest,
    ) -> Result<AliasConfiguration, Error> {
        check_shares(input.routing_config.as_ref())?;
        let version = &input.function_version;
        let missing = |reference: &Reference| no_function(&reference.version_arn(version));
        let function = self.function_or(cx, Named::Whole(&input.function_name), missing).await?;
        let weights =
            self.weights(&function, &input.function_version, input.routing_config).await?;
        let place = function.reference.place();
        let arn = function.reference.version_arn(&input.name);
        if self.alias(&function, &input.name).await?.is_some() {
            return Err(conflict(format!("Alias already exists: {arn}")));
        }
        let record = AliasRecord {
            name: input.name,
            version: input.function_version,
            description: input.description.unwrap_or_default(),
            weights,
            revision: revision(cx)?,
            unknown: Unknown::new(),
        };
        let mut batch = Batch::new();
        batch.unchanged(&function.loaded);
        batch.create(place.alias(&function.record.id, &record.name), &record);
        self.database.commit(batch).await?;
        Ok(show_alias(&function, record))
    }
}

impl Lambda {
    /// Checks the versions that an alias is to have; answers the other one with its share.
    pub(super) async fn weights(
        &self,
        function: &Function,
        version: &str,
        routing: Option<AliasRoutingConfiguration>,
    ) -> Result<BTreeMap<String, f64>, Error> {
        let weights = routing.and_then(|routing| routing.additional_version_weights);
        let weights = weights.unwrap_or_default();
        if weights.len() > 1 {
            return Err(invalid(
                "Number of items in AdditionalVersionWeights cannot be greater than 1",
            ));
        }
        if version == LATEST && !weights.is_empty() {
            return Err(Error::InvalidParameterValueException(
                "$LATEST is not supported for an alias pointing to more than 1 version".to_owned(),
                String::new(),
            ));
        }
        if weights.contains_key(version) {
            return Err(invalid(format!(
                "Invalid function version {version}. Function version {version} is already \
                 included in routing configuration."
            )));
        }
        for version in weights.keys().map(String::as_str).chain([version]) {
            if self.version_numbered(function, version).await?.is_none() {
                return Err(no_function(&function.reference.version_arn(version)));
            }
        }
        Ok(weights)
    }
}

/// Refuses shares that are none.
pub(super) fn check_shares(routing: Option<&AliasRoutingConfiguration>) -> Result<(), Error> {
    let weights = routing.and_then(|routing| routing.additional_version_weights.as_ref());
    let Some(weights) = weights else { return Ok(()) };
    if weights.values().all(|weight| (0.0..=1.0).contains(weight)) {
        return Ok(());
    }
    let shown: Vec<String> =
        weights.iter().map(|(version, weight)| format!("{version}={weight:?}")).collect();
    Err(Fault::Validation(format!(
        "1 validation error detected: Value '{{{}}}' at 'routingConfig.additionalVersionWeights' \
         failed to satisfy constraint: Map value must satisfy constraint: [Member must have value \
         less than or equal to 1.0, Member must have value greater than or equal to 0.0, Member \
         must not be null]",
        shown.join(", ")
    ))
    .into())
}

/// An alias as AWS shows it.
pub(super) fn show_alias(function: &Function, record: AliasRecord) -> AliasConfiguration {
    let weights = Some(record.weights).filter(|weights| !weights.is_empty());
    AliasConfiguration {
        alias_arn: Some(function.reference.version_arn(&record.name)),
        name: Some(record.name),
        function_version: Some(record.version),
        description: Some(record.description),
        routing_config: weights
            .map(|weights| AliasRoutingConfiguration { additional_version_weights: Some(weights) }),
        revision_id: Some(record.revision),
    }
}
