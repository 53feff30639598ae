//! `ResetServiceSetting`.

use haechi_core::{Batch, Cx, Handle};
use haechi_ssm_model::Error;
use haechi_ssm_model::ops::ResetServiceSetting;
use haechi_ssm_model::shapes::{ResetServiceSettingRequest, ResetServiceSettingResult};

use crate::Ssm;
use crate::settings::Setting;

impl Handle<ResetServiceSetting> for Ssm {
    async fn handle(
        &self,
        cx: &Cx,
        input: ResetServiceSettingRequest,
    ) -> Result<ResetServiceSettingResult, Error> {
        let setting = Setting::allowed(cx, &input.setting_id)?;
        let (path, loaded) = self.setting(cx, setting).await?;
        if loaded.is_some() {
            let mut batch = Batch::new();
            batch.delete(path);
            self.database.commit(batch).await?;
        }
        Ok(ResetServiceSettingResult { service_setting: Some(setting.shown(cx, None)) })
    }
}
