//! Sets a user's password, or whether the user must change it.

use haechi_core::{Batch, Cx, Handle};
use haechi_iam_model::Error;
use haechi_iam_model::ops::UpdateLoginProfile;
use haechi_iam_model::shapes::UpdateLoginProfileRequest;
use haechi_wire::shape::Unit;

use crate::Iam;

impl Handle<UpdateLoginProfile> for Iam {
    async fn handle(&self, cx: &Cx, input: UpdateLoginProfileRequest) -> Result<Unit, Error> {
        let user = self.user(cx, &input.user_name).await?;
        let login = self.login(cx.account(), &user.value).await?;
        let mut changed = match &input.password {
            Some(password) => self.next_password(cx, &login.value, password).await?,
            None => login.value.clone(),
        };
        if let Some(is_required) = input.password_reset_required {
            changed.is_reset_required = is_required;
        }
        let mut batch = Batch::new();
        batch.replace(&login, &changed);
        self.database.commit(batch).await?;
        Ok(Unit)
    }
}
