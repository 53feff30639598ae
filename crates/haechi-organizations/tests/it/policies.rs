//! Policies: what is one, where it is attached, how many.

use haechi_organizations_model::ops;
use haechi_organizations_model::shapes::*;

use crate::world::{ADMIN, World, code, deny, reason};

async fn attached(world: &World, target: &str, filter: PolicyType) -> Vec<String> {
    let target_id = target.to_owned();
    let input = ListPoliciesForTargetRequest { target_id, filter, ..Default::default() };
    let found = world.boss::<ops::ListPoliciesForTarget>(input).await.unwrap().policies.unwrap();
    found.into_iter().filter_map(|policy| policy.name).collect()
}

#[tokio::test]
async fn enabling_a_type_attaches_awss_own_policy_to_everything_also_to_what_comes_later() {
    let world = World::new().await;
    let root = world.root().await;
    let account = world.account("one").await;
    let kind = PolicyType::ServiceControlPolicy;
    assert!(attached(&world, &account, kind).await.is_empty());
    let shown = world.enable(kind).await.unwrap();
    assert_eq!(shown.policy_types.unwrap()[0].status, Some(PolicyTypeStatus::Enabled));
    let unit = world.unit(&root, "later").await;
    for target in [&root, &account, &unit] {
        assert_eq!(attached(&world, target, kind).await, ["FullAWSAccess"]);
    }
    assert_eq!(code(world.enable(kind).await), "PolicyTypeAlreadyEnabledException");
    world.enable(PolicyType::ResourceControlPolicy).await.unwrap();
    let resource = PolicyType::ResourceControlPolicy;
    assert_eq!(attached(&world, &unit, resource).await, ["RCPFullAWSAccess"]);
}

#[tokio::test]
async fn a_policy_is_attached_once_and_only_while_its_type_is_enabled() {
    let world = World::new().await;
    let root = world.root().await;
    let policy = world.policy("one", ADMIN).await;
    assert_eq!(code(world.attach(&policy, &root).await), "PolicyTypeNotEnabledException");
    world.enable(PolicyType::ServiceControlPolicy).await.unwrap();
    assert_eq!(code(world.detach(&policy, &root).await), "PolicyNotAttachedException");
    world.attach(&policy, &root).await.unwrap();
    assert_eq!(code(world.attach(&policy, &root).await), "DuplicatePolicyAttachmentException");
    assert_eq!(code(world.attach(&policy, "ou-none-aaaaaaaa").await), "TargetNotFoundException");
    assert_eq!(code(world.attach("p-aaaaaaaa", &root).await), "PolicyNotFoundException");
    let input = ListTargetsForPolicyRequest { policy_id: policy.clone(), ..Default::default() };
    let targets = world.boss::<ops::ListTargetsForPolicy>(input).await.unwrap().targets.unwrap();
    assert_eq!(targets[0].target_id.as_deref(), Some(root.as_str()));
    let delete = DeletePolicyRequest { policy_id: policy.clone() };
    let refused = world.boss::<ops::DeletePolicy>(delete.clone()).await;
    assert_eq!(code(refused), "PolicyInUseException");
    world.detach(&policy, &root).await.unwrap();
    world.boss::<ops::DeletePolicy>(delete).await.unwrap();
}

#[tokio::test]
async fn a_target_has_ten_service_control_policies_at_most_and_one_at_least() {
    let world = World::new().await;
    let root = world.root().await;
    world.enable(PolicyType::ServiceControlPolicy).await.unwrap();
    assert_eq!(
        reason(world.detach("p-FullAWSAccess", &root).await),
        "MIN_POLICY_TYPE_ATTACHMENT_LIMIT_EXCEEDED"
    );
    for number in 0..9 {
        let policy = world.policy(&number.to_string(), ADMIN).await;
        world.attach(&policy, &root).await.unwrap();
    }
    let eleventh = world.policy("eleventh", ADMIN).await;
    let refused = world.attach(&eleventh, &root).await;
    assert_eq!(reason(refused), "MAX_POLICY_TYPE_ATTACHMENT_LIMIT_EXCEEDED");
    world.detach("p-FullAWSAccess", &root).await.unwrap();
    world.attach(&eleventh, &root).await.unwrap();
}

#[tokio::test]
async fn a_target_has_five_resource_control_policies_at_most() {
    let world = World::new().await;
    let (root, kind) = (world.root().await, PolicyType::ResourceControlPolicy);
    world.enable(kind).await.unwrap();
    let content = deny("kms:*").replace(r#""Effect""#, r#""Principal":"*","Effect""#);
    for number in 0..4 {
        let policy = world.policy_of(kind, &number.to_string(), &content).await.unwrap();
        world.attach(&policy, &root).await.unwrap();
    }
    let sixth = world.policy_of(kind, "sixth", &content).await.unwrap();
    let refused = world.attach(&sixth, &root).await;
    assert_eq!(reason(refused), "MAX_POLICY_TYPE_ATTACHMENT_LIMIT_EXCEEDED");
}

#[tokio::test]
async fn ten_stay_the_limit_when_many_attach_at_the_same_time() {
    let world = World::new().await;
    let root = world.root().await;
    world.enable(PolicyType::ServiceControlPolicy).await.unwrap();
    for number in 0..4 {
        let policy = world.policy(&format!("before {number}"), ADMIN).await;
        world.attach(&policy, &root).await.unwrap();
    }
    // With AWS's own, five are there.
    let mut policies = Vec::new();
    for number in 0..6 {
        policies.push(world.policy(&number.to_string(), ADMIN).await);
    }
    let [one, two, three, four, five, six] = policies.as_slice() else { panic!("six were made") };
    let _ = tokio::join!(
        world.attach(one, &root),
        world.attach(two, &root),
        world.attach(three, &root),
        world.attach(four, &root),
        world.attach(five, &root),
        world.attach(six, &root),
    );
    assert_eq!(attached(&world, &root, PolicyType::ServiceControlPolicy).await.len(), 10);
}

#[tokio::test]
async fn awss_own_policies_are_listed_and_cannot_be_changed() {
    let world = World::new().await;
    world.enable(PolicyType::ResourceControlPolicy).await.unwrap();
    let list = |filter| ListPoliciesRequest { filter, ..Default::default() };
    let input = list(PolicyType::ServiceControlPolicy);
    let found = world.boss::<ops::ListPolicies>(input).await.unwrap().policies.unwrap();
    assert_eq!(found[0].id.as_deref(), Some("p-FullAWSAccess"));
    assert_eq!(found[0].aws_managed, Some(true));
    let arn = "arn:aws:organizations::aws:policy/service_control_policy/p-FullAWSAccess";
    assert_eq!(found[0].arn.as_deref(), Some(arn));
    let policy_id = "p-FullAWSAccess".to_owned();
    let update = UpdatePolicyRequest { policy_id, ..Default::default() };
    assert_eq!(reason(world.boss::<ops::UpdatePolicy>(update).await), "IMMUTABLE_POLICY");
    let detached = world.detach("p-RCPFullAWSAccess", &world.root().await).await;
    assert_eq!(reason(detached), "NON_DETACHABLE_POLICY");
}

#[tokio::test]
async fn what_is_no_policy_of_its_type_is_refused() {
    let world = World::new().await;
    let principal = ADMIN.replace(r#""Effect""#, r#""Principal":"*","Effect""#);
    let scp = PolicyType::ServiceControlPolicy;
    let rcp = PolicyType::ResourceControlPolicy;
    let denies = deny("kms:*").replace(r#""Effect""#, r#""Principal":"*","Effect""#);
    for (kind, content) in [
        (scp, "{}"),
        (scp, "no JSON"),
        (scp, &principal),
        // Customers' resource control policies may only deny, and only what they name.
        (rcp, &principal),
        (rcp, &deny("kms:*")),
        (rcp, &denies.replace("kms:*", "*")),
        (PolicyType::TagPolicy, ADMIN),
    ] {
        let refused = world.policy_of(kind, "wrong", content).await;
        assert_eq!(code(refused), "MalformedPolicyDocumentException", "{kind:?} {content}");
    }
    world.policy_of(rcp, "right", &denies).await.unwrap();
    assert_eq!(code(world.policy_of(rcp, "right", &denies).await), "DuplicatePolicyException");
}

#[tokio::test]
async fn a_service_control_policy_has_10240_characters_at_most_and_one_of_resources_5120() {
    let world = World::new().await;
    let denies = deny("kms:*").replace(r#""Effect""#, r#""Principal":"*","Effect""#);
    for (kind, content, most) in [
        (PolicyType::ServiceControlPolicy, ADMIN, 10_240),
        (PolicyType::ResourceControlPolicy, &denies, 5120),
    ] {
        let filled = |length: usize| format!("{content}{}", " ".repeat(length - content.len()));
        world.policy_of(kind, "fits", &filled(most)).await.unwrap();
        let refused = world.policy_of(kind, "does not", &filled(most + 1)).await;
        assert_eq!(reason(refused), "POLICY_CONTENT_LIMIT_EXCEEDED");
    }
}

#[tokio::test]
async fn types_that_are_not_done_say_so() {
    let world = World::new().await;
    let chatbot = world.policy_of(PolicyType::ChatbotPolicy, "bot", "{}").await;
    assert_eq!(code(chatbot), "UnsupportedOperation");
    let enforced = r#"{"tags":{"a":{"enforced_for":{"@@assign":["ec2:instance"]}}}}"#;
    let enforced = world.policy_of(PolicyType::TagPolicy, "enforced", enforced).await;
    assert_eq!(code(enforced), "UnsupportedOperation");
}
