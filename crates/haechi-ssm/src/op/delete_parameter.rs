//! `DeleteParameter`.

use haechi_core::{Batch, Cx, Handle, Loaded};
use haechi_ssm_model::Error;
use haechi_ssm_model::ops::DeleteParameter;
use haechi_ssm_model::shapes::{DeleteParameterRequest, DeleteParameterResult};
use haechi_wire::Fault;

use crate::Ssm;
use crate::count::Counting;
use crate::error::not_found;
use crate::events::Happening;
use crate::jobs::remove;
use crate::read::place;
use crate::store::ParameterRecord;

impl Handle<DeleteParameter> for Ssm {
    async fn handle(
        &self,
        cx: &Cx,
        input: DeleteParameterRequest,
    ) -> Result<DeleteParameterResult, Error> {
        let (_, loaded) = self.own(cx, &input.name).await?;
        self.delete(cx, &loaded.ok_or_else(not_found)?).await?;
        Ok(DeleteParameterResult {})
    }
}

impl Ssm {
    /// Deletes a parameter with its versions. Jobs of its policies find nothing to do.
    pub(crate) async fn delete(
        &self,
        cx: &Cx,
        loaded: &Loaded<ParameterRecord>,
    ) -> Result<(), Fault> {
        let (env, account, region) = (&self.env, cx.account(), &cx.region);
        let happening = Happening { env, account, region, time: cx.now() };
        let counting = Counting::load(&self.database, &self.rows, place(cx)).await?;
        let mut batch = Batch::new();
        batch.emit(&happening.change("Delete", &loaded.value)?)?;
        remove(&mut batch, place(cx), loaded, &counting, cx.now())?;
        self.database.commit(batch).await?;
        self.jobs.wake();
        Ok(())
    }
}
