//! How much there is of everything in an account, and how much there may be.

use std::collections::{BTreeMap, HashSet};

use haechi_core::{AccountId, Path, Record};
use haechi_wire::Fault;

use crate::Iam;
use crate::by_arn::ByArn;
use crate::quotas;
use crate::store::{
    AccountRecord, GroupRecord, MfaRecord, OidcProviderRecord, PolicyRecord, ProfileRecord,
    RoleRecord, SamlProviderRecord, ServerCertificateRecord, UseRecord, UserRecord, all_uses_path,
    groups_path, policies_path, profiles_path, roles_path, server_certificates_path, users_path,
};

fn number(count: usize) -> i32 {
    i32::try_from(count).unwrap_or(i32::MAX)
}

impl Iam {
    async fn count<T: Record>(&self, prefix: &Path) -> Result<i32, Fault> {
        Ok(number(self.database.list_all::<T>(prefix).await?.len()))
    }

    /// `SummaryMap`.
    pub(crate) async fn summary(
        &self,
        account: &AccountId,
        owner: &AccountRecord,
    ) -> Result<BTreeMap<String, i32>, Fault> {
        let devices = self.database.list_all::<MfaRecord>(&MfaRecord::prefix(account)).await?;
        let in_use = devices.iter().filter(|device| device.value.user.is_some()).count();
        let uses = self.database.list_all::<UseRecord>(&all_uses_path(account)).await?;
        // Of each policy that is used, AWS's too, one version is in use.
        let used: HashSet<&str> = uses.iter().map(|row| row.value.policy_arn.as_str()).collect();
        let oidc = self.count::<OidcProviderRecord>(&OidcProviderRecord::prefix(account)).await?;
        let saml = self.count::<SamlProviderRecord>(&SamlProviderRecord::prefix(account)).await?;
        let certificates = server_certificates_path(account);
        let certificates = self.count::<ServerCertificateRecord>(&certificates).await?;
        let counts = [
            ("Users", self.count::<UserRecord>(&users_path(account)).await?),
            ("Groups", self.count::<GroupRecord>(&groups_path(account)).await?),
            ("Roles", self.count::<RoleRecord>(&roles_path(account)).await?),
            ("InstanceProfiles", self.count::<ProfileRecord>(&profiles_path(account)).await?),
            ("Policies", self.count::<PolicyRecord>(&policies_path(account)).await?),
            ("PolicyVersionsInUse", number(used.len())),
            ("Providers", oidc + saml),
            ("ServerCertificates", certificates),
            ("MFADevices", number(devices.len())),
            ("MFADevicesInUse", number(in_use)),
            // The root user has neither device nor password nor certificate here.
            ("AccountMFAEnabled", 0),
            ("AccountPasswordPresent", 0),
            ("AccountSigningCertificatesPresent", 0),
            ("AccountAccessKeysPresent", i32::from(!owner.root_access_key_ids.is_empty())),
            ("GlobalEndpointTokenVersion", if owner.has_v2_tokens { 2 } else { 1 }),
        ];
        let all = counts.into_iter().chain(quotas::SUMMARY.iter().copied());
        Ok(all.map(|(name, count)| (name.to_owned(), count)).collect())
    }
}
