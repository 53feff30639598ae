//! Makes a credential report, unless the newest is younger than four hours.

use haechi_core::{Batch, Cx, Handle};
use haechi_iam_model::Error;
use haechi_iam_model::ops::GenerateCredentialReport;
use haechi_iam_model::shapes::{GenerateCredentialReportResponse, ReportStateType};
use haechi_wire::shape::Unit;

use crate::Iam;
use crate::store::{ReportRecord, report_path};

impl Handle<GenerateCredentialReport> for Iam {
    async fn handle(&self, cx: &Cx, _: Unit) -> Result<GenerateCredentialReportResponse, Error> {
        cx.authorize_any()?;
        let path = report_path(cx.account());
        let newest = self.database.load::<ReportRecord>(&path).await?;
        if newest.as_ref().is_some_and(|newest| newest.value.is_valid(cx.now())) {
            let state = Some(ReportStateType::Complete);
            return Ok(GenerateCredentialReportResponse { state, description: None });
        }
        let report = self.credential_report(cx).await?;
        let mut batch = Batch::new();
        batch.put(path, &report);
        self.database.commit(batch).await?;
        let description = "No report exists. Starting a new report generation task";
        Ok(GenerateCredentialReportResponse {
            // It is there already; clients ask until they hear so.
            state: Some(ReportStateType::Started),
            description: Some(description.to_owned()),
        })
    }
}
