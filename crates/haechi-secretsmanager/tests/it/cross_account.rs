//! Replicas in other accounts.

use std::collections::HashMap;
use std::sync::Arc;

use async_trait::async_trait;
use haechi_core::guardrails::Membership;
use haechi_core::{Caller, GuardrailSource, Guardrails};
use haechi_kms_model::ops as kms;
use haechi_kms_model::shapes::{CreateKeyRequest, DisableKeyRequest, EnableKeyRequest};
use haechi_secretsmanager_model::ops;
use haechi_secretsmanager_model::shapes::*;
use haechi_wire::{Fault, Problem};

use crate::world::*;

/// Both accounts in one organization.
struct Together;

#[async_trait]
impl GuardrailSource for Together {
    async fn guardrails(&self) -> Result<Arc<Guardrails>, Fault> {
        let member = || Membership { organization_id: "o-1".to_owned(), ..Membership::default() };
        let members = [ACCOUNT, OTHER].map(|account| (account.to_owned(), member()));
        Ok(Arc::new(Guardrails::new(HashMap::from(members))))
    }
}

struct Pair {
    world: World,
    /// The root user of [`OTHER`].
    other: Arc<Caller>,
    /// The replica's key.
    key: String,
    primary: String,
    replica: String,
}

impl Pair {
    async fn new() -> Pair {
        let world = World::new().await;
        let other = world.kit.root(OTHER);
        let policy = format!(
            r#"{{"Version":"2012-10-17","Statement":[
                {{"Effect":"Allow","Principal":{{"AWS":"arn:aws:iam::{OTHER}:root"}},
                  "Action":"kms:*","Resource":"*"}},
                {{"Effect":"Allow","Principal":{{"AWS":"arn:aws:iam::{ACCOUNT}:root"}},
                  "Action":"kms:Encrypt","Resource":"*","Condition":{{"StringEquals":{{
                    "kms:ViaService":"secretsmanager.us-east-1.amazonaws.com"}}}}}}]}}"#
        );
        let input = CreateKeyRequest { policy: Some(policy), ..Default::default() };
        let made = world.kit.call::<kms::CreateKey, _>(&*world.kms, &other, input).await.unwrap();
        let key = made.key_metadata.unwrap().arn.unwrap();
        let primary = world.create("s", "1").await.arn.unwrap();
        let input = replica_of(&primary, Some(&key));
        let made = world.call::<ops::CreateSecret>(&other, input).await.unwrap();
        Pair { world, other, key, primary, replica: made.arn.unwrap() }
    }

    async fn associate(
        &self,
        restriction: Option<ReplicaRestrictionType>,
    ) -> Result<AssociateCrossAccountReplicaResponse, Problem> {
        self.associate_as(&self.world.root, restriction).await
    }

    async fn associate_as(
        &self,
        caller: &Arc<Caller>,
        restriction: Option<ReplicaRestrictionType>,
    ) -> Result<AssociateCrossAccountReplicaResponse, Problem> {
        let input = AssociateCrossAccountReplicaRequest {
            secret_id: self.primary.clone(),
            cross_account_replica_arn: self.replica.clone(),
            replica_restriction: restriction,
            ..Default::default()
        };
        self.world.call::<ops::AssociateCrossAccountReplica>(caller, input).await
    }

    async fn there(&self) -> Result<String, Problem> {
        let answer = self.world.get_as(&self.other, &self.replica).await?;
        Ok(answer.secret_string.unwrap().0.clone())
    }

    /// How the replica says that it stands, and how its primary does.
    async fn links(&self) -> (Option<StatusType>, Option<StatusType>) {
        let input = DescribeSecretRequest { secret_id: self.replica.clone() };
        let told = self.world.call::<ops::DescribeSecret>(&self.other, input).await.unwrap();
        let here = self.world.describe(&self.primary).await.cross_account_replicas;
        let here = here.and_then(|replicas| replicas[0].replication_status);
        (told.cross_account_primary.and_then(|primary| primary.replication_status), here)
    }
}

const ANY: Option<ReplicaRestrictionType> = Some(ReplicaRestrictionType::NoRestriction);

fn replica_of(primary: &str, key: Option<&str>) -> CreateSecretRequest {
    CreateSecretRequest {
        cross_account_primary_arn: Some(primary.to_owned()),
        kms_key_id: key.map(str::to_owned),
        ..new("copy", None)
    }
}

#[tokio::test]
async fn a_replica_in_another_account_says_what_its_primary_says() {
    let pair = Pair::new().await;
    assert_eq!(pair.links().await, (Some(StatusType::Pending), None));
    assert_eq!(refused(pair.there().await).0, "ResourceNotFoundException");
    let made = pair.associate(ANY).await.unwrap();
    assert_eq!(made.replication_status, Some(StatusType::InSync));
    assert_eq!(pair.links().await, (Some(StatusType::InSync), Some(StatusType::InSync)));
    assert_eq!(pair.there().await.unwrap(), "1");
    pair.world.put("s", "2").await;
    assert_eq!(pair.there().await.unwrap(), "2");
    // Labels move as well, and associating again changes nothing.
    pair.associate(ANY).await.unwrap();
    assert_eq!(pair.there().await.unwrap(), "2");
    let input = value_of(&pair.replica, "3");
    let put = pair.world.call::<ops::PutSecretValue>(&pair.other, input).await;
    assert_eq!(refused(put).0, "InvalidRequestException");
}

#[tokio::test]
async fn by_default_the_replica_must_be_in_the_same_organization() {
    let pair = Pair::new().await;
    assert_eq!(refused(pair.associate(None).await).0, "InvalidRequestException");
    pair.world.kit.guard(Arc::new(Together));
    pair.associate(None).await.unwrap();
}

#[tokio::test]
async fn only_whoever_may_read_the_primary_and_use_both_keys_associates_a_replica() {
    let pair = Pair::new().await;
    let allow = |actions: &str| {
        format!(
            r#"{{"Version":"2012-10-17","Statement":[{{"Effect":"Allow","Action":[{actions}],"Resource":"*"}}]}}"#
        )
    };
    let all = [
        "secretsmanager:AssociateCrossAccountReplica",
        "secretsmanager:GetSecretValue",
        "secretsmanager:AcceptCrossAccountReplication",
        "kms:Encrypt",
    ];
    for missing in all {
        let rest: Vec<String> =
            all.iter().filter(|one| **one != missing).map(|one| format!("{one:?}")).collect();
        let user = pair.world.kit.user(ACCOUNT, "u", &[&allow(&rest.join(","))]);
        let outcome = pair.associate_as(&user, ANY).await;
        assert_eq!(refused(outcome).0, "AccessDeniedException", "{missing}");
        assert_eq!(pair.links().await, (Some(StatusType::Pending), None), "{missing}");
    }
    let names = all.map(|one| format!("{one:?}")).join(",");
    let user = pair.world.kit.user(ACCOUNT, "u", &[&allow(&names)]);
    pair.associate_as(&user, ANY).await.unwrap();
}

#[tokio::test]
async fn a_secret_that_names_another_primary_is_no_replica_of_this_one() {
    let pair = Pair::new().await;
    let other = pair.world.create("t", "1").await.arn.unwrap();
    let input = AssociateCrossAccountReplicaRequest {
        secret_id: other,
        cross_account_replica_arn: pair.replica.clone(),
        replica_restriction: ANY,
        ..Default::default()
    };
    let outcome =
        pair.world.call::<ops::AssociateCrossAccountReplica>(&pair.world.root, input).await;
    assert_eq!(refused(outcome).0, "InvalidRequestException");
}

#[tokio::test]
async fn a_replica_whose_key_cannot_be_used_falls_behind_until_it_is_associated_again() {
    let pair = Pair::new().await;
    pair.associate(ANY).await.unwrap();
    let (kit, kms) = (&pair.world.kit, &*pair.world.kms);
    let input = DisableKeyRequest { key_id: pair.key.clone() };
    kit.call::<kms::DisableKey, _>(kms, &pair.other, input).await.unwrap();
    pair.world.put("s", "2").await;
    assert_eq!(pair.links().await, (Some(StatusType::Failed), Some(StatusType::Failed)));
    let input = EnableKeyRequest { key_id: pair.key.clone() };
    kit.call::<kms::EnableKey, _>(kms, &pair.other, input).await.unwrap();
    assert_eq!(pair.there().await.unwrap(), "1");
    pair.associate(ANY).await.unwrap();
    assert_eq!(pair.there().await.unwrap(), "2");
}

#[tokio::test]
async fn a_replica_that_is_associated_again_has_all_versions_under_its_present_key() {
    let pair = Pair::new().await;
    let world = &pair.world;
    world.put("s", "2").await;
    world.put("s", "3").await;
    pair.associate(ANY).await.unwrap();
    let policy = format!(
        r#"{{"Version":"2012-10-17","Statement":[
            {{"Effect":"Allow","Principal":{{"AWS":"{OTHER}"}},"Action":"kms:*","Resource":"*"}},
            {{"Effect":"Allow","Principal":{{"AWS":"{ACCOUNT}"}},
              "Action":"kms:Encrypt","Resource":"*"}}]}}"#
    );
    let input = CreateKeyRequest { policy: Some(policy), ..Default::default() };
    let made = world.kit.call::<kms::CreateKey, _>(&*world.kms, &pair.other, input).await.unwrap();
    let key = made.key_metadata.unwrap().arn.unwrap();
    let input = UpdateSecretRequest {
        secret_id: pair.replica.clone(),
        kms_key_id: Some(key.clone()),
        ..Default::default()
    };
    world.call::<ops::UpdateSecret>(&pair.other, input).await.unwrap();
    let keys = async || {
        let input = ListSecretVersionIdsRequest {
            secret_id: pair.replica.clone(),
            include_deprecated: Some(true),
            ..Default::default()
        };
        let listed = world.call::<ops::ListSecretVersionIds>(&pair.other, input).await.unwrap();
        let of_all = listed.versions.unwrap().into_iter();
        of_all.flat_map(|version| version.kms_key_ids.unwrap()).collect::<Vec<_>>()
    };
    let count = |keys: Vec<String>| keys.iter().filter(|one| **one == key).count();
    assert_eq!(count(keys().await), 2, "the one without a label stays");
    pair.associate(ANY).await.unwrap();
    assert_eq!(count(keys().await), 3);
    assert_eq!(pair.there().await.unwrap(), "3");
}

#[tokio::test]
async fn a_replica_that_its_primary_lets_go_is_detached_and_keeps_what_it_has() {
    let pair = Pair::new().await;
    pair.associate(ANY).await.unwrap();
    let delete = |id: &str| DeleteSecretRequest { secret_id: id.to_owned(), ..Default::default() };
    let outcome = pair.world.call::<ops::DeleteSecret>(&pair.world.root, delete("s")).await;
    assert_eq!(refused(outcome).0, "InvalidParameterException");
    let input = DisassociateCrossAccountReplicaRequest {
        secret_id: "s".to_owned(),
        cross_account_replica_arn: pair.replica.clone(),
    };
    let root = &pair.world.root;
    pair.world.call::<ops::DisassociateCrossAccountReplica>(root, input).await.unwrap();
    assert_eq!(pair.links().await, (Some(StatusType::Detached), None));
    pair.world.put("s", "2").await;
    assert_eq!(pair.there().await.unwrap(), "1");
    pair.world.call::<ops::DeleteSecret>(root, delete("s")).await.unwrap();
    let outcome = pair.world.call::<ops::DeleteSecret>(&pair.other, delete("copy")).await;
    assert_eq!(refused(outcome).0, "InvalidRequestException");
}

#[tokio::test]
async fn a_replica_that_leaves_is_a_secret_of_its_own() {
    let pair = Pair::new().await;
    pair.associate(ANY).await.unwrap();
    let input = StopReplicationToReplicaRequest { secret_id: pair.replica.clone() };
    pair.world.call::<ops::StopReplicationToReplica>(&pair.other, input).await.unwrap();
    assert_eq!(pair.links().await, (None, Some(StatusType::Detached)));
    let input = value_of(&pair.replica, "own");
    pair.world.call::<ops::PutSecretValue>(&pair.other, input).await.unwrap();
    pair.world.put("s", "2").await;
    assert_eq!(pair.there().await.unwrap(), "own");
    assert_eq!(refused(pair.associate(ANY).await).0, "AccessDeniedException");
}

#[tokio::test]
async fn a_replica_needs_a_key_of_its_own_and_nothing_else() {
    let pair = Pair::new().await;
    for key in [None, Some("alias/aws/secretsmanager")] {
        let input = replica_of(&pair.primary, key);
        let outcome = pair.world.call::<ops::CreateSecret>(&pair.other, input).await;
        assert_eq!(refused(outcome).0, "InvalidParameterException", "{key:?}");
    }
    let input = CreateSecretRequest {
        description: Some("d".to_owned()),
        ..replica_of(&pair.primary, Some(&pair.key))
    };
    let outcome = pair.world.call::<ops::CreateSecret>(&pair.other, input).await;
    assert_eq!(refused(outcome).0, "InvalidParameterException");
    // A primary of the same account is none.
    let input = replica_of(&pair.primary, Some(&pair.key));
    let outcome = pair.world.call::<ops::CreateSecret>(&pair.world.root, input).await;
    assert_eq!(refused(outcome).0, "InvalidParameterException");
}

#[tokio::test]
async fn policies_are_listed_by_name_the_default_one_first() {
    let pair = Pair::new().await;
    let list = async |limit: Option<i32>, token: Option<String>| {
        let input = ListResourcePoliciesRequest {
            secret_id: pair.replica.clone(),
            max_results: limit,
            next_token: token,
        };
        let page = pair.world.call::<ops::ListResourcePolicies>(&pair.other, input).await.unwrap();
        let names = page.resource_policies.into_iter().filter_map(|policy| policy.policy_name);
        (names.collect::<Vec<_>>(), page.next_token)
    };
    assert_eq!(list(None, None).await.0, ["cross-account-replication"]);
    let policy = format!(
        r#"{{"Version":"2012-10-17","Statement":{{"Effect":"Deny","Principal":{{
            "AWS":"arn:aws:iam::{ACCOUNT}:root"}},"Action":"*","Resource":"*"}}}}"#
    );
    let input = PutResourcePolicyRequest {
        secret_id: pair.replica.clone(),
        resource_policy: policy,
        ..Default::default()
    };
    pair.world.call::<ops::PutResourcePolicy>(&pair.other, input).await.unwrap();
    let (first, token) = list(Some(1), None).await;
    assert_eq!((first, token.is_some()), (vec!["default".to_owned()], true));
    assert_eq!(list(Some(1), token).await, (vec!["cross-account-replication".to_owned()], None));
    let input = GetResourcePolicyRequest {
        secret_id: pair.replica.clone(),
        policy_name: Some("cross-account-replication".to_owned()),
    };
    let shown = pair.world.call::<ops::GetResourcePolicy>(&pair.other, input).await.unwrap();
    assert!(shown.resource_policy.unwrap().contains(ACCOUNT));
    // What the owner denies is denied, whatever the other policy says.
    assert_eq!(refused(pair.associate(ANY).await).0, "AccessDeniedException");
}
