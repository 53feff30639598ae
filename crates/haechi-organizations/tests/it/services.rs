//! What resource control policies do to the calls that services make for themselves.

use haechi_core::{AccountId, Ask, Cx, NoContext, Operation as _, Source};
use haechi_organizations_model::ops;
use haechi_organizations_model::shapes::PolicyType;
use haechi_policy::{Context, Document, Kind, ResourceRule, Values};
use haechi_wire::Problem;

use crate::world::{STRANGER, World, refusal};

/// `EventBridge` sends to a queue of `owner` for a rule of `source`, under this queue policy.
async fn send(world: &World, owner: &str, source: &str, policy: &str) -> Result<(), Problem> {
    let account = AccountId::parse(source).unwrap();
    let source = Source { arn: format!("arn:aws:events:us-east-1:{source}:rule/r"), account };
    let region = world.kit.region.clone();
    let schema = ops::DescribeOrganization::SCHEMA;
    let cx = Cx::by_service(&world.kit.env, region, "events", source, schema).await?;
    let policy = Document::parse(policy, Kind::Resource).unwrap().into();
    cx.authorize(&Ask {
        action: "sqs:SendMessage",
        resource: &format!("arn:aws:sqs:us-east-1:{owner}:q"),
        resource_account: owner,
        policy: Some(&policy),
        rule: ResourceRule::Union,
        context: &NoContext,
    })?;
    Ok(())
}

/// A policy of a queue by which `EventBridge` may send where conditions hold.
fn open(conditions: &str) -> String {
    format!(
        r#"{{"Version":"2012-10-17","Statement":[{{"Effect":"Allow","Action":"sqs:SendMessage",
            "Principal":{{"Service":"events.amazonaws.com"}},"Resource":"*",
            "Condition":{{{conditions}}}}}]}}"#
    )
}

/// A resource control policy that forbids sending where conditions hold.
fn forbid(conditions: &str) -> String {
    format!(
        r#"{{"Version":"2012-10-17","Statement":[{{"Effect":"Deny","Principal":"*",
            "Action":"sqs:*","Resource":"*","Condition":{{{conditions}}}}}]}}"#
    )
}

async fn controlled(world: &World, account: &str, content: &str) {
    let kind = PolicyType::ResourceControlPolicy;
    world.enable(kind).await.unwrap();
    let policy = world.policy_of(kind, "control", content).await.unwrap();
    world.attach(&policy, account).await.unwrap();
}

#[tokio::test]
async fn resource_control_binds_a_service_that_acts_for_itself() {
    let world = World::new().await;
    let account = world.account("one").await;
    send(&world, &account, &account, &open("")).await.unwrap();
    controlled(&world, &account, &forbid("")).await;
    let (_, message) = refusal(send(&world, &account, &account, &open("")).await);
    assert!(message.contains("explicit deny in a resource control policy"), "{message}");
    // The queue's account counts, and not the one that the service acts for.
    send(&world, STRANGER, &account, &open("")).await.unwrap();
}

#[tokio::test]
async fn only_sources_of_the_organization_reach_its_resources_through_a_service() {
    let world = World::new().await;
    let account = world.account("one").await;
    let organization = world.boss::<ops::DescribeOrganization>(haechi_wire::shape::Unit).await;
    let id = organization.unwrap().organization.unwrap().id.unwrap();
    // As in "Resource control policy examples" against confused deputies.
    let perimeter = format!(
        r#""StringNotEqualsIfExists":{{"aws:SourceOrgID":"{id}"}},
           "Null":{{"aws:SourceAccount":"false"}},"Bool":{{"aws:PrincipalIsAWSService":"true"}}"#
    );
    controlled(&world, &account, &forbid(&perimeter)).await;
    send(&world, &account, &account, &open("")).await.unwrap();
    let (_, message) = refusal(send(&world, &account, STRANGER, &open("")).await);
    assert!(message.contains("resource control policy"), "{message}");

    let root = world.root().await;
    let path = format!(r#""ForAnyValue:StringLike":{{"aws:SourceOrgPaths":"{id}/{root}/*"}}"#);
    send(&world, &account, &account, &open(&path)).await.unwrap();
    refusal(send(&world, STRANGER, STRANGER, &open(&path)).await);
}

#[tokio::test]
async fn a_service_that_acts_for_itself_is_of_no_account_and_has_no_arn() {
    let world = World::new().await;
    let account = world.account("one").await;
    for key in ["PrincipalAccount", "PrincipalArn", "PrincipalOrgID", "PrincipalOrgPaths"] {
        let absent = open(&format!(r#""Null":{{"aws:{key}":"true"}}"#));
        send(&world, &account, &account, &absent).await.unwrap();
        let present = open(&format!(r#""Null":{{"aws:{key}":"false"}}"#));
        refusal(send(&world, &account, &account, &present).await);
    }
    let service = open(r#""StringEquals":{"aws:PrincipalServiceName":"events.amazonaws.com"}"#);
    send(&world, &account, &account, &service).await.unwrap();
}

/// A resource that a service keeps for an account.
struct OfService;

impl Context for OfService {
    fn values(&self, _: &str) -> Option<Values<'_>> {
        None
    }

    fn is_of_service(&self) -> bool {
        true
    }
}

#[tokio::test]
async fn resource_control_leaves_keys_of_services_and_the_end_of_grants_alone() {
    let world = World::new().await;
    let account = world.account("one").await;
    let all = forbid("").replace("sqs:*", "kms:*");
    controlled(&world, &account, &all).await;
    let admin = world.admin(&account);
    let cx = world.kit.cx::<ops::DescribeOrganization>(&admin);
    cx.guard(world.kit.env.guardrails().await.unwrap().unwrap());
    let ask = |action, context| {
        cx.authorize(&Ask {
            action,
            resource: "*",
            resource_account: &account,
            policy: None,
            rule: ResourceRule::Union,
            context,
        })
    };
    ask("kms:Decrypt", &NoContext).unwrap_err();
    ask("kms:Decrypt", &OfService).unwrap();
    ask("kms:RetireGrant", &NoContext).unwrap();
    ask("kms:RevokeGrant", &NoContext).unwrap_err();
}
