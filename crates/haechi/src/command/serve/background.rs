//! Duties beside the serving.

use std::sync::Arc;
use std::time::Duration;

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
    let functions = open.stack.lambda.runner().tidy_forever();
    let duties = open.stack.jobs.run_forever();
    tokio::join!(duties, rotations, functions, flushes, rotate_keyring(&open));
}

async fn rotate_keyring(open: &Installation) {
    let Some(keeper) = &open.keeper else { return };
    loop {
        match keeper.rotate_if_due(&open.stack.database, &open.env).await {
            Ok(None) => {}
            Ok(Some(id)) => tracing::info!(id, "a new domain key seals from now on"),
            Err(error) => tracing::error!(%error, "the domain key could not be rotated"),
        }
        tokio::time::sleep(KEYRING_CHECK).await;
    }
}
