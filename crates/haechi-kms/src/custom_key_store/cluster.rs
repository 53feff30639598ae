//! Asking the token that stands for a CloudHSM cluster. Tokens block, so they are asked on the
//! threads for slow work.

use std::sync::Arc;

use haechi_crypto::SecretVec;
use haechi_crypto::token_keys::{TokenError, TokenKeys};
use haechi_wire::Fault;

use super::{CloudHsm, CustomKeyStore, Kind};
use crate::Kms;

impl Kms {
    /// Logs in to the token of a store and stays logged in. `None`: the operator has configured no
    /// such cluster.
    pub(crate) async fn log_in(
        &self,
        store_id: &str,
        hsm: &CloudHsm,
    ) -> Result<Option<Result<Arc<TokenKeys>, TokenError>>, Fault> {
        let Some(cluster) = self.surroundings().clusters.get(&hsm.cluster_id).cloned() else {
            return Ok(None);
        };
        let pin = SecretVec::copy_from(hsm.key_store_password.as_bytes());
        let log_in = move || TokenKeys::log_in(&cluster.module, &cluster.token, &pin);
        let login = self.workers.work(log_in).await?;
        match &login {
            Ok(login) => self.surroundings().keep_login(store_id, login),
            Err(error) => tracing::warn!(cluster = hsm.cluster_id, %error, "a token failed"),
        }
        Ok(Some(login))
    }

    /// Does `work` with the token of a store that is connected; logs in first, after a restart.
    pub(super) async fn with_token<T: Send + 'static>(
        &self,
        store: &CustomKeyStore,
        work: impl FnOnce(&TokenKeys) -> Result<T, TokenError> + Send + 'static,
    ) -> Result<Result<T, TokenError>, Fault> {
        let Kind::CloudHsm(hsm) = &store.kind else {
            return Err(Fault::internal("a key store without a token"));
        };
        let login = match self.surroundings().login(&store.id) {
            Some(login) => login,
            None => match self.log_in(&store.id, hsm).await? {
                Some(Ok(login)) => login,
                Some(Err(error)) => return Ok(Err(error)),
                None => {
                    let label = hsm.cluster_id.clone();
                    return Ok(Err(TokenError::NoToken { label, found: 0 }));
                }
            },
        };
        let done = self.workers.work(move || work(&login)).await?;
        if let Err(error @ (TokenError::Failed { .. } | TokenError::NoKey { .. })) = &done {
            tracing::warn!(store = store.id, %error, "a token failed");
            // The session may be dead: the next use logs in anew.
            self.surroundings().log_out(&store.id);
        }
        Ok(done)
    }
}
