//! Bodies under data keys of KMS, of queues that have a KMS key.
//!
//! A message keeps the key that it was sealed under wherever it goes: a dead letter of an encrypted
//! queue is opened with that queue's key, whatever holds for the dead-letter queue.

use haechi_core::{AccountId, Cx};
use haechi_sqs_model::Error;
use haechi_sse::{DataKey, Refused, Under};
use haechi_wire::Fault;

use crate::Sqs;
use crate::queue::Queue;
use crate::store::MessageRecord;

/// KMS's refusals in SQS's words.
fn refused(refused: Refused) -> Error {
    match refused {
        Refused::AccessDenied(message) => Error::KmsAccessDenied(message),
        Refused::Disabled(message) => Error::KmsDisabled(message),
        Refused::InvalidState(message) => Error::KmsInvalidState(message),
        Refused::NotFound(message) => Error::KmsNotFound(message),
        Refused::InvalidKeyUsage(message) => Error::KmsInvalidKeyUsage(message),
        Refused::Throttled(message) => Error::KmsThrottled(message),
        Refused::Fault(fault) => Error::Fault(fault),
    }
}

impl Sqs {
    /// The key that a message of the caller is sealed with, if the queue has one.
    pub(crate) async fn sending_key(
        &self,
        cx: &Cx,
        queue: &Queue,
    ) -> Result<Option<DataKey>, Error> {
        let attributes = queue.attributes();
        let Some(kms_key_id) = attributes.kms_key() else { return Ok(None) };
        let account = AccountId::parse(&queue.place.account)
            .ok_or_else(|| Fault::internal("a queue of no account"))?;
        let under = Under {
            kms_key_id,
            account: &account,
            resource_arn: &queue.arn,
            reuse_seconds: attributes.reuse_seconds(),
        };
        self.envelope.data_key(cx, &under).await.map(Some).map_err(refused)
    }

    /// The key that opens a message for the caller, if it is sealed.
    pub(crate) async fn reading_key(
        &self,
        cx: &Cx,
        queue: &Queue,
        message: &MessageRecord,
    ) -> Result<Option<DataKey>, Error> {
        let Some(sealed) = &message.sealed else { return Ok(None) };
        let seconds = queue.attributes().reuse_seconds();
        self.envelope.key_for(cx, sealed, seconds).await.map(Some).map_err(refused)
    }
}
