//! `UpdateEventSourceMapping`.

use haechi_core::{Batch, Cx, Facts, Handle};
use haechi_lambda_model::Error;
use haechi_lambda_model::ops::UpdateEventSourceMapping;
use haechi_lambda_model::shapes::{
    EventSourceMappingConfiguration, UpdateEventSourceMappingRequest,
};
use haechi_wire::Fault;

use crate::Lambda;
use crate::mapping::{Phase, Wishes, about, arn, no_mapping, show};
use crate::op::create_event_source_mapping::refuse_what_queues_have_not;
use crate::reference::Reference;

impl Handle<UpdateEventSourceMapping> for Lambda {
    async fn handle(
        &self,
        cx: &Cx,
        input: UpdateEventSourceMappingRequest,
    ) -> Result<EventSourceMappingConfiguration, Error> {
        let found = self.mapping_of(cx, &input.uuid, Facts::default()).await?;
        let found = found.ok_or_else(no_mapping)?;
        refuse_what_queues_have_not!(cx, &input);
        let mut mapping = found.value.clone();
        let mut batch = Batch::new();
        if let Some(name) = &input.function_name {
            let reference = Reference::of(cx, name, None)?;
            // What is allowed of the function that it had says nothing of the one it gets.
            let mut facts = about(&reference);
            facts.of_resource = Some(&found.value.tags);
            cx.authorize_knowing(&arn(&mapping), &facts)?;
            let (function, version) = self.mapped(&mapping.account, &reference).await?;
            self.check_queue((&function, &version), &mapping.queue_arn).await?;
            batch.unchanged(&function.loaded);
            mapping.function_arn = reference.arn();
        }
        let wishes = Wishes {
            enabled: input.enabled,
            batch_size: input.batch_size,
            window_seconds: input.maximum_batching_window_in_seconds,
            filters: input.filter_criteria,
            responses: input.function_response_types,
            scaling: input.scaling_config,
        };
        wishes.apply(&mut mapping)?;
        mapping.modified_ms = cx.now().millis();
        mapping.generation = cx.env.uuid().map_err(Fault::internal)?.to_string();
        let phase = match (found.value.enabled, mapping.enabled) {
            (false, true) => Phase::Enabling,
            (true, false) => Phase::Disabling,
            _ => Phase::Updating,
        };
        batch.replace(&found, &mapping);
        mapping.poll_in(&mut batch, cx.now())?;
        self.database.commit(batch).await?;
        Ok(show(mapping, phase))
    }
}
