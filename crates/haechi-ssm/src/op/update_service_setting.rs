//! `UpdateServiceSetting`.

use haechi_core::database::Unknown;
use haechi_core::{Batch, Cx, Handle};
use haechi_ssm_model::Error;
use haechi_ssm_model::ops::UpdateServiceSetting;
use haechi_ssm_model::shapes::{UpdateServiceSettingRequest, UpdateServiceSettingResult};

use crate::Ssm;
use crate::settings::Setting;
use crate::store::SettingRecord;

impl Handle<UpdateServiceSetting> for Ssm {
    async fn handle(
        &self,
        cx: &Cx,
        input: UpdateServiceSettingRequest,
    ) -> Result<UpdateServiceSettingResult, Error> {
        let setting = Setting::allowed(cx, &input.setting_id)?;
        setting.check(&input.setting_value)?;
        let (path, _) = self.setting(cx, setting).await?;
        let record = SettingRecord {
            value: input.setting_value,
            modified_ms: cx.now().millis(),
            modified_by: cx.caller.principal.name().to_owned(),
            unknown: Unknown::new(),
        };
        let mut batch = Batch::new();
        batch.put(path, &record);
        self.database.commit(batch).await?;
        Ok(UpdateServiceSettingResult {})
    }
}
