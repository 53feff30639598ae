//! Lists the service-specific credentials of a user, of the caller itself, or of all users.

use haechi_core::{Cx, Handle};
use haechi_iam_model::Error;
use haechi_iam_model::ops::ListServiceSpecificCredentials;
use haechi_iam_model::shapes::{
    ListServiceSpecificCredentialsRequest, ListServiceSpecificCredentialsResponse,
    ServiceSpecificCredentialMetadata,
};
use haechi_wire::Fault;

use crate::Iam;
use crate::authz::{Conditions, authorize};
use crate::listing::page;
use crate::service_credential::service;
use crate::store::{PublicKeysRecord, UserRecord, public_keys_path, users_path};

impl Handle<ListServiceSpecificCredentials> for Iam {
    async fn handle(
        &self,
        cx: &Cx,
        input: ListServiceSpecificCredentialsRequest,
    ) -> Result<ListServiceSpecificCredentialsResponse, Error> {
        let mut all = if input.all_users == Some(true) {
            if input.user_name.is_some() {
                let message = "Cannot list credentials for all users if a username is given";
                return Err(Error::InvalidInputException(message.to_owned()));
            }
            authorize(cx, "*", &Conditions::default())?;
            self.all_service_credentials(cx).await?
        } else {
            let keys = self.public_keys(cx, input.user_name.as_deref()).await?;
            let owner = keys.owner_name();
            keys.record.service_credentials.iter().map(|one| one.listed(&owner)).collect()
        };
        if let Some(name) = input.service_name.filter(|name| !name.is_empty()) {
            let service = service(&name)?;
            all.retain(|one| one.service_name == service);
        }
        all.sort_by_cached_key(order);
        let found = page(all.into_iter(), order, input.marker.as_deref(), input.max_items)?;
        Ok(ListServiceSpecificCredentialsResponse {
            service_specific_credentials: Some(found.items),
            is_truncated: Some(found.marker.is_some()),
            marker: found.marker,
        })
    }
}

fn order(one: &ServiceSpecificCredentialMetadata) -> String {
    one.service_specific_credential_id.clone()
}

impl Iam {
    async fn all_service_credentials(
        &self,
        cx: &Cx,
    ) -> Result<Vec<ServiceSpecificCredentialMetadata>, Fault> {
        let account = cx.account();
        let users = self.database.list_all::<UserRecord>(&users_path(account)).await?;
        let mut all = Vec::new();
        for user in
            users.into_iter().map(|row| row.value).filter(|user| user.has_service_credentials)
        {
            let path = public_keys_path(account, &user.id);
            if let Some(keys) = self.database.load::<PublicKeysRecord>(&path).await? {
                let own = &keys.value.service_credentials;
                all.extend(own.iter().map(|one| one.listed(&user.name)));
            }
        }
        Ok(all)
    }
}
