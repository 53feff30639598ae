//! `GetServiceSetting`.

use haechi_core::{Cx, Handle};
use haechi_ssm_model::Error;
use haechi_ssm_model::ops::GetServiceSetting;
use haechi_ssm_model::shapes::{GetServiceSettingRequest, GetServiceSettingResult};

use crate::Ssm;
use crate::settings::Setting;

impl Handle<GetServiceSetting> for Ssm {
    async fn handle(
        &self,
        cx: &Cx,
        input: GetServiceSettingRequest,
    ) -> Result<GetServiceSettingResult, Error> {
        let setting = Setting::allowed(cx, &input.setting_id)?;
        let (_, loaded) = self.setting(cx, setting).await?;
        let shown = setting.shown(cx, loaded.as_ref().map(|loaded| &loaded.value));
        Ok(GetServiceSettingResult { service_setting: Some(shown) })
    }
}
