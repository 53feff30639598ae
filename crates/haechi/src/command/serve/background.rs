//! Duties beside the serving.

use std::sync::Arc;
use std::time::Duration;

use crate::installation::Installation;
use crate::keeper::{self, Keeper};
use crate::stack::Stack;

/// How often the domain key's age is looked at.
const KEYRING_CHECK: Duration = Duration::from_secs(3600);

/// How often the use of access keys and of KMS keys is written down.
const LAST_USED_FLUSH: Duration = Duration::from_secs(60);

/// How often the rows of calls whose records are on disk are removed.
const INTENTS_FLUSH: Duration = Duration::from_secs(1);

/// Records what the audit log refused, and removes what told of changes that are recorded by now.
async fn flush_intents(stack: &Stack) {
    let Some(intents) = &stack.intents else { return };
    match intents.make_good(&*stack.audit).await {
        Ok(0) => {}
        Ok(count) => tracing::warn!(count, "calls were recorded that the audit log had refused"),
        Err(fault) => tracing::warn!(error = ?fault, "the audit log still lacks records"),
    }
    if let Err(fault) = intents.flush().await {
        tracing::warn!(error = ?fault, "rows of calls that are recorded could not be removed");
    }
}

/// Writes down what was used, and when.
pub async fn flush(stack: &Stack) {
    flush_intents(stack).await;
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
    let intents = async {
        loop {
            tokio::time::sleep(INTENTS_FLUSH).await;
            flush_intents(&open.stack).await;
        }
    };
    let rotations = open.stack.secrets.rotate_forever();
    let calls = open.stack.cloudtrail.announce_calls(Arc::clone(&open.stack.events) as _);
    let functions = open.stack.lambda.tidy_forever();
    let among_others = async {
        if let Some(cluster) = &open.cluster {
            let served_alone = open.keeper.as_ref().is_some_and(Keeper::served_alone);
            let database = &open.stack.database;
            tokio::join!(
                cluster.run(),
                open.stack.cloudtrail.follow_trails(served_alone),
                keeper::follow_changes(database, cluster.id())
            );
        }
    };
    let duties = open.stack.jobs.run_forever();
    tokio::join!(
        duties,
        rotations,
        calls,
        functions,
        flushes,
        intents,
        rotate_keyring(&open),
        among_others
    );
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
