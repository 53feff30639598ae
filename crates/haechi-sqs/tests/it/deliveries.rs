//! Messages of other services.

use std::collections::BTreeMap;

use haechi_core::{AccountId, Source};
use haechi_sqs::Delivery;
use haechi_sqs_model::ops::SetQueueAttributes;
use haechi_sqs_model::shapes::SetQueueAttributesRequest;
use haechi_testkit::told;

use super::{ACCOUNT, Fixture};

const POLICY: &str = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Resource":"*",
    "Principal":{"Service":"sns.amazonaws.com"},"Action":"sqs:SendMessage"}]}"#;

#[tokio::test]
async fn a_queue_is_delivered_to_by_its_own_arn_alone() {
    let fixture = Fixture::new("q", &[]).await;
    let attributes = BTreeMap::from([("Policy".to_owned(), POLICY.to_owned())]);
    let input = SetQueueAttributesRequest { queue_url: fixture.queue.clone(), attributes };
    let (kit, sqs) = (&fixture.kit, &fixture.sqs);
    kit.call::<SetQueueAttributes, _>(sqs, &fixture.root, input).await.unwrap();
    let deliver = async |queue_arn: String| {
        let source = Source {
            arn: format!("arn:aws:sns:us-east-1:{ACCOUNT}:t"),
            account: AccountId::parse(ACCOUNT).unwrap(),
        };
        let delivery = Delivery {
            body: queue_arn.clone(),
            queue_arn,
            group_id: None,
            deduplication_id: "1".to_owned(),
            attributes: BTreeMap::new(),
            trace: None,
        };
        sqs.deliver(&kit.env, "sns", source, delivery).await
    };
    for other in ["arn:aws-cn:sqs", "arn:x:sqs", "arn::sqs", "x:aws:sqs", "arn:aws:x", "::"] {
        let refused = deliver(format!("{other}:us-east-1:{ACCOUNT}:q")).await.err().unwrap();
        assert_eq!(told(&refused.into()).0, "QueueDoesNotExist", "{other}");
    }
    let own = format!("arn:aws:sqs:us-east-1:{ACCOUNT}:q");
    deliver(own.clone()).await.unwrap();
    assert_eq!(fixture.bodies().await, [own]);
}
