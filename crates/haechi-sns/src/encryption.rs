//! What messages say, under data keys of KMS, of topics that have a KMS key.
//!
//! Publishing asks KMS in the publisher's name. For the period of a data key SNS has it in memory,
//! to deliver what was published with it; for what is left after that, or after a restart, it asks
//! KMS as its own role of the topic's account.

use haechi_core::{Cx, Operation as _, Region, ServiceLinkedRole};
use haechi_sns_model::Error;
use haechi_sns_model::ops::Publish;
use haechi_sse::{DataKey, Refused, Under};
use haechi_wire::Fault;

use crate::Sns;
use crate::arn::{self, TopicArn};
use crate::message::Published;
use crate::topic::TopicState;

/// How long a data key serves.
const REUSE_SECONDS: i64 = 300;

/// Who opens what was published, once the data key is not in memory any more.
const ROLE: ServiceLinkedRole = ServiceLinkedRole {
    service: "sns",
    linked_to: "sns",
    name: "AWSServiceRoleForSNS",
    session: "haechi",
    policy: r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow",
        "Action":"kms:Decrypt","Resource":"*"}]}"#,
};

/// KMS's refusals in SNS's words.
fn refused(refused: Refused) -> Error {
    match refused {
        Refused::AccessDenied(message) => Error::KMSAccessDeniedException(message),
        Refused::Disabled(message) => Error::KMSDisabledException(message),
        Refused::InvalidState(message) | Refused::InvalidKeyUsage(message) => {
            Error::KMSInvalidStateException(message)
        }
        Refused::NotFound(message) => Error::KMSNotFoundException(message),
        Refused::Throttled(message) => Error::KMSThrottlingException(message),
        Refused::Fault(fault) => Error::Fault(fault),
    }
}

/// The same where no caller is told of it.
fn fault(refused: Refused) -> Fault {
    match refused {
        Refused::AccessDenied(message)
        | Refused::Disabled(message)
        | Refused::InvalidState(message)
        | Refused::InvalidKeyUsage(message)
        | Refused::NotFound(message) => Fault::AccessDenied(message),
        Refused::Throttled(_) => Fault::Throttled,
        Refused::Fault(fault) => fault,
    }
}

impl Sns {
    /// The key that a message of the caller is sealed with, if the topic has one.
    pub(crate) async fn sending_key(
        &self,
        cx: &Cx,
        arn: &TopicArn,
        topic: &TopicState,
    ) -> Result<Option<DataKey>, Error> {
        let Some(kms_key_id) = topic.record.attributes.get("KmsMasterKeyId") else {
            return Ok(None);
        };
        let under = Under {
            kms_key_id,
            account: &arn.account,
            resource_arn: &arn.arn,
            reuse_seconds: REUSE_SECONDS,
        };
        self.envelope.data_key(cx, &under).await.map(Some).map_err(refused)
    }

    /// The key that opens a message on its way, if it is sealed.
    pub(crate) async fn delivering_key(
        &self,
        topic_arn: &str,
        message: &Published,
    ) -> Result<Option<DataKey>, Fault> {
        let Some(sealed) = &message.sealed else { return Ok(None) };
        let (_, account) = arn::own(topic_arn)?;
        let region = topic_arn.split(':').nth(3).and_then(Region::parse);
        let region = region.ok_or_else(|| Fault::internal("a topic of no Region"))?;
        let place = (&account, &region);
        let cx = Cx::by_service_linked_role(&self.env, &ROLE, place, Publish::SCHEMA).await?;
        let key = self.envelope.key_for_service(&cx, sealed, REUSE_SECONDS).await;
        self.envelope.keys().record(&cx).await?;
        key.map(Some).map_err(fault)
    }

    /// A message on its way, as it was published.
    pub(crate) async fn opened(
        &self,
        topic_arn: &str,
        message: &Published,
    ) -> Result<Published, Fault> {
        match self.delivering_key(topic_arn, message).await? {
            Some(key) => message.opened(&key),
            None => Ok(message.clone()),
        }
    }

    /// A message as it is stored.
    pub(crate) fn sealed(
        &self,
        message: Published,
        key: Option<&DataKey>,
    ) -> Result<Published, Fault> {
        match key {
            Some(key) => message.sealed(&self.env, key),
            None => Ok(message),
        }
    }
}
