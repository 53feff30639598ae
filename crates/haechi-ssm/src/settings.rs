//! Service settings of Parameter Store.
//!
//! Source: API Reference, UpdateServiceSetting.

use haechi_core::{Cx, Loaded};
use haechi_ssm_model::Error;
use haechi_ssm_model::shapes::{ParameterTier, ServiceSetting};
use haechi_wire::{Fault, Timestamp};

use crate::Ssm;
use crate::authz::Wanted;
use crate::error::invalid;
use crate::read::place;
use crate::store::{Place, SettingRecord};

/// A setting that haechi has.
pub(crate) struct Setting {
    id: &'static str,
    /// In its storage key.
    stored: &'static str,
    values: &'static [&'static str],
    default: &'static str,
}

const DEFAULT_TIER: Setting = Setting {
    id: "/ssm/parameter-store/default-parameter-tier",
    stored: "default-parameter-tier",
    values: &["Standard", "Advanced", "Intelligent-Tiering"],
    default: "Standard",
};

const HIGH_THROUGHPUT: Setting = Setting {
    id: "/ssm/parameter-store/high-throughput-enabled",
    stored: "high-throughput-enabled",
    values: &["true", "false"],
    default: "false",
};

/// Settings of other parts of Systems Manager.
const ELSEWHERE: &[&str] = &[
    "/ssm/appmanager/appmanager-enabled",
    "/ssm/automation/customer-script-log-destination",
    "/ssm/automation/customer-script-log-group-name",
    "/ssm/automation/enable-adaptive-concurrency",
    "/ssm/documents/console/public-sharing-permission",
    "/ssm/managed-instance/activation-tier",
    "/ssm/managed-instance/default-ec2-instance-management-role",
    "/ssm/opsinsights/opscenter",
];

fn arn(cx: &Cx, id: &str) -> String {
    cx.arn("ssm", &format!("servicesetting{id}"))
}

impl Setting {
    /// The setting that an id or an ARN names, once the caller is allowed the operation on it.
    pub(crate) fn allowed(cx: &Cx, named: &str) -> Result<&'static Setting, Error> {
        let own = arn(cx, "");
        let id = named.strip_prefix(&own).unwrap_or(named);
        Wanted::on(&arn(cx, id), cx.account().as_str(), None).allow(cx)?;
        if let Some(setting) = [&DEFAULT_TIER, &HIGH_THROUGHPUT].into_iter().find(|s| s.id == id) {
            return Ok(setting);
        }
        if ELSEWHERE.contains(&id) {
            return Err(cx.unsupported_parameter("SettingId").into());
        }
        Err(Error::ServiceSettingNotFound(format!("The service setting {named} was not found.")))
    }

    /// Checks a value.
    pub(crate) fn check(&self, value: &str) -> Result<(), Error> {
        if self.values.contains(&value) {
            return Ok(());
        }
        let valid = self.values.join(", ");
        Err(invalid(format!(
            "The value {value} is not valid for the setting {}. Valid values include: [{valid}].",
            self.id
        )))
    }

    /// As answers show it.
    pub(crate) fn shown(&self, cx: &Cx, record: Option<&SettingRecord>) -> ServiceSetting {
        let (value, status) = match record {
            Some(record) => (record.value.as_str(), "Customized"),
            None => (self.default, "Default"),
        };
        ServiceSetting {
            setting_id: Some(self.id.to_owned()),
            setting_value: Some(value.to_owned()),
            last_modified_date: Some(Timestamp::from_millis(
                record.map_or(0, |record| record.modified_ms),
            )),
            last_modified_user: Some(
                record.map_or("System", |record| record.modified_by.as_str()).to_owned(),
            ),
            arn: Some(arn(cx, self.id)),
            status: Some(status.to_owned()),
        }
    }
}

impl Ssm {
    /// Where a setting of the caller's account is kept, and what is there.
    pub(crate) async fn setting(
        &self,
        cx: &Cx,
        setting: &Setting,
    ) -> Result<(haechi_core::Path, Option<Loaded<SettingRecord>>), Fault> {
        let path = place(cx).setting(setting.stored);
        let loaded = self.database.load(&path).await?;
        Ok((path, loaded))
    }

    /// The tier of parameters that name none.
    pub(crate) async fn default_tier(&self, place: Place<'_>) -> Result<ParameterTier, Fault> {
        let path = place.setting(DEFAULT_TIER.stored);
        let value = |record: SettingRecord| Ok(ParameterTier::parse(&record.value));
        let found = self.database.cached(&path, value).await?;
        Ok(found.and_then(|tier| *tier).unwrap_or(ParameterTier::Standard))
    }
}
