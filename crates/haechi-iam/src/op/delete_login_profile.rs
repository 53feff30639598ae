//! Takes a user's password away. Access keys go on to work.

use haechi_core::{Batch, Cx, Handle};
use haechi_iam_model::Error;
use haechi_iam_model::ops::DeleteLoginProfile;
use haechi_iam_model::shapes::DeleteLoginProfileRequest;
use haechi_wire::shape::Unit;

use crate::Iam;
use crate::access_key::Owner;
use crate::password::login_not_found;
use crate::store::UserRecord;

impl Handle<DeleteLoginProfile> for Iam {
    async fn handle(&self, cx: &Cx, input: DeleteLoginProfileRequest) -> Result<Unit, Error> {
        let owner = self.owner(cx, input.user_name.as_deref()).await?;
        let Owner::User(user) = owner else { return Err(login_not_found("root")) };
        let login = self.login(cx.account(), &user.value).await?;
        let mut batch = Batch::new();
        batch.remove(&login);
        batch.replace(&user, &UserRecord { has_login: false, ..user.value.clone() });
        self.database.commit(batch).await?;
        Ok(Unit)
    }
}
