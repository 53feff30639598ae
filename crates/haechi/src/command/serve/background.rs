//! Duties beside the serving.

use std::sync::Arc;
use std::time::Duration;

use haechi_core::{Database, Env};
use haechi_crypto::SealConfig;

use crate::data::DataDirectory;
use crate::installation::Installation;
use crate::stack::Stack;

/// How often the domain key's age is looked at.
const KEYRING_CHECK: Duration = Duration::from_secs(3600);

/// How often the use of access keys and of KMS keys is written down.
const LAST_USED_FLUSH: Duration = Duration::from_secs(60);

/// Writes down what was used, and when.
pub async fn flush(stack: &Stack) {
    if let Err(fault) = stack.iam.flush_last_used().await {
        tracing::warn!(error = ?fault, "the last use of access keys could not be written");
    }
    if let Err(fault) = stack.kms.flush_usage().await {
        tracing::warn!(error = ?fault, "the use of KMS keys could not be written");
    }
}

pub async fn background(open: Arc<Installation>) {
    let flushes = async {
        loop {
            tokio::time::sleep(LAST_USED_FLUSH).await;
            flush(&open.stack).await;
        }
    };
    let rotations = open.stack.secrets.rotate_forever();
    tokio::join!(open.stack.jobs.run_forever(), rotations, flushes);
}

pub async fn rotate_keyring(
    database: Arc<Database>,
    mut seal: SealConfig,
    data: DataDirectory,
    env: Env,
) {
    loop {
        match database.rotate_if_due(env.now()).await {
            Ok(None) => {}
            Ok(Some(id)) => {
                let advanced = seal
                    .advance_epoch(database.root(), id, &*env.random)
                    .and_then(|()| seal.save(data.path()));
                match advanced {
                    Ok(()) => tracing::info!(id, "a new domain key seals from now on"),
                    Err(error) => tracing::error!(%error, "seal.json could not be updated"),
                }
            }
            Err(fault) => tracing::error!(error = ?fault, "the domain key could not be rotated"),
        }
        tokio::time::sleep(KEYRING_CHECK).await;
    }
}
