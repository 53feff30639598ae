//! Gives a user a password.

use haechi_core::database::Unknown;
use haechi_core::{Batch, Cx, Handle};
use haechi_iam_model::Error;
use haechi_iam_model::ops::CreateLoginProfile;
use haechi_iam_model::shapes::{CreateLoginProfileRequest, CreateLoginProfileResponse};
use haechi_wire::Fault;

use crate::Iam;
use crate::access_key::Owner;
use crate::store::{LoginRecord, UserRecord, login_path};

impl Handle<CreateLoginProfile> for Iam {
    async fn handle(
        &self,
        cx: &Cx,
        input: CreateLoginProfileRequest,
    ) -> Result<CreateLoginProfileResponse, Error> {
        let owner = self.owner(cx, input.user_name.as_deref()).await?;
        // The root user's is made in AWS's console, which is not here.
        let (Owner::User(user), Some(password)) = (owner, input.password) else {
            let message = "Must specify userName and password";
            return Err(Fault::Validation(message.to_owned()).into());
        };
        let name = &user.value.name;
        if user.value.has_login {
            let message = format!("Login Profile for user {name} already exists.");
            return Err(Error::EntityAlreadyExistsException(message));
        }
        let now = cx.now().millis();
        let record = LoginRecord {
            created_ms: now,
            changed_ms: now,
            hash: self.first_password(cx, &password).await?,
            previous: Vec::new(),
            is_reset_required: input.password_reset_required.unwrap_or_default(),
            unknown: Unknown::new(),
        };
        let mut batch = Batch::new();
        batch.create(login_path(cx.account(), &user.value.id), &record);
        batch.replace(&user, &UserRecord { has_login: true, ..user.value.clone() });
        self.database.commit(batch).await?;
        Ok(CreateLoginProfileResponse { login_profile: record.shown(name) })
    }
}
