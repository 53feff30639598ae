//! Answers the newest credential report.

use haechi_core::{Cx, Handle};
use haechi_iam_model::Error;
use haechi_iam_model::ops::GetCredentialReport;
use haechi_iam_model::shapes::{GetCredentialReportResponse, ReportFormatType};
use haechi_wire::Timestamp;
use haechi_wire::shape::{Blob, Unit};

use crate::Iam;
use crate::store::{ReportRecord, report_path};

impl Handle<GetCredentialReport> for Iam {
    async fn handle(&self, cx: &Cx, _: Unit) -> Result<GetCredentialReportResponse, Error> {
        cx.authorize_any()?;
        // AWS has no message for either (LocalStack's
        // `test_get_credential_report_before_generated`).
        let unknown = String::new;
        let newest = self.database.load::<ReportRecord>(&report_path(cx.account())).await?;
        let newest = newest.map(|newest| newest.value);
        let newest = newest.ok_or_else(|| Error::CredentialReportNotPresentException(unknown()))?;
        if !newest.is_valid(cx.now()) {
            return Err(Error::CredentialReportExpiredException(unknown()));
        }
        Ok(GetCredentialReportResponse {
            content: Some(Blob(newest.csv()?)),
            report_format: Some(ReportFormatType::TextCsv),
            generated_time: Some(Timestamp::from_millis(newest.generated_ms)),
        })
    }
}
