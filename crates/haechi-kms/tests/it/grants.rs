//! Grants: who gets what by them, and how they end.

mod constraints;
mod many;

use std::sync::Arc;

use haechi_core::Caller;
use haechi_kms_model::ops;
use haechi_kms_model::shapes::*;
use haechi_wire::Problem;

use crate::world::*;

const NOBODY: &[&str] = &[];

fn user(name: &str) -> String {
    format!("arn:aws:iam::{ACCOUNT}:user/{name}")
}

/// A request for a grant.
fn grant(key_id: &str, grantee: &str, operations: &[GrantOperation]) -> CreateGrantRequest {
    CreateGrantRequest {
        key_id: key_id.to_owned(),
        grantee_principal: Some(grantee.to_owned()),
        operations: operations.to_vec(),
        ..Default::default()
    }
}

fn subset(pairs: &[(&str, &str)]) -> Option<GrantConstraints> {
    let encryption_context_subset = context(pairs);
    Some(GrantConstraints { encryption_context_subset, ..Default::default() })
}

fn equals(pairs: &[(&str, &str)]) -> Option<GrantConstraints> {
    let encryption_context_equals = context(pairs);
    Some(GrantConstraints { encryption_context_equals, ..Default::default() })
}

impl World {
    async fn grant(&self, input: CreateGrantRequest) -> CreateGrantResponse {
        self.call::<ops::CreateGrant>(&self.root, input).await.unwrap()
    }

    async fn grants(&self, input: ListGrantsRequest) -> ListGrantsResponse {
        self.call::<ops::ListGrants>(&self.root, input).await.unwrap()
    }

    async fn revoke(&self, caller: &Arc<Caller>, key: &str, id: &str) -> Result<(), Problem> {
        let (key_id, grant_id) = (key.to_owned(), id.to_owned());
        let input = RevokeGrantRequest { key_id, grant_id, ..Default::default() };
        self.call::<ops::RevokeGrant>(caller, input).await.map(|_| ())
    }

    async fn retire(&self, caller: &Arc<Caller>, token: &str) -> Result<(), Problem> {
        let grant_token = Some(token.to_owned());
        let input = RetireGrantRequest { grant_token, ..Default::default() };
        self.call::<ops::RetireGrant>(caller, input).await.map(|_| ())
    }

    async fn encrypt_in(
        &self,
        caller: &Arc<Caller>,
        key_id: &str,
        pairs: &[(&str, &str)],
    ) -> Result<(), Problem> {
        let input = EncryptRequest { encryption_context: context(pairs), ..plain(key_id) };
        self.call::<ops::Encrypt>(caller, input).await.map(|_| ())
    }
}

fn denied<T>(outcome: Result<T, Problem>) -> bool {
    outcome.is_err_and(|problem| haechi_testkit::told(&problem).0 == "AccessDeniedException")
}

#[tokio::test]
async fn a_grantee_may_do_what_the_grant_lists_and_nothing_else_until_it_is_revoked() {
    let world = World::new().await;
    let key = world.key().await.key_id;
    let alice = world.kit.user(ACCOUNT, "alice", NOBODY);
    assert!(denied(world.encrypt(&alice, &key).await));
    let made = world.grant(grant(&key, &user("alice"), &[GrantOperation::Encrypt])).await;
    let blob = world.encrypt(&alice, &key).await.unwrap();
    assert!(denied(world.decrypt(&alice, &blob).await));
    let bob = world.kit.user(ACCOUNT, "bob", NOBODY);
    assert!(denied(world.encrypt(&bob, &key).await));

    world.revoke(&world.root, &key, &made.grant_id.unwrap()).await.unwrap();
    assert!(denied(world.encrypt(&alice, &key).await));
}

#[tokio::test]
async fn a_grant_counts_even_where_the_key_policy_does_not_leave_the_decision_to_iam() {
    let world = World::new().await;
    let policy = policy("Allow", &root_arn(ACCOUNT), "kms:CreateGrant");
    let key = world.key_under(&policy).await.key_id;
    let alice = world.kit.user(ACCOUNT, "alice", NOBODY);
    world.grant(grant(&key, &user("alice"), &[GrantOperation::Encrypt])).await;
    assert!(world.encrypt(&alice, &key).await.is_ok());
}

#[tokio::test]
async fn a_grant_lifts_no_explicit_denial() {
    let world = World::new().await;
    let allow = statement("Allow", &root_arn(ACCOUNT), "kms:*", "{}");
    let deny = statement("Deny", &user("alice"), "kms:Encrypt", "{}");
    let policy = format!(r#"{{"Version":"2012-10-17","Statement":[{allow},{deny}]}}"#);
    let key = world.key_under(&policy).await.key_id;
    let operations = [GrantOperation::Encrypt];
    world.grant(grant(&key, &user("alice"), &operations)).await;
    let alice = world.kit.user(ACCOUNT, "alice", NOBODY);
    assert!(denied(world.encrypt(&alice, &key).await));

    let key = world.key().await.key_id;
    world.grant(grant(&key, &user("carol"), &operations)).await;
    let no = r#"{"Version":"2012-10-17","Statement":[
        {"Effect":"Deny","Action":"kms:*","Resource":"*"}]}"#;
    let carol = world.kit.user(ACCOUNT, "carol", &[no]);
    assert!(denied(world.encrypt(&carol, &key).await));
}

#[tokio::test]
async fn a_grant_to_an_account_leaves_it_to_the_policies_of_the_account() {
    let world = World::new().await;
    let key = world.key().await.arn.unwrap();
    world.grant(grant(&key, &root_arn(OTHER), &[GrantOperation::Encrypt])).await;
    let allowed = world.kit.user(OTHER, "allowed", &[ALL_KMS]);
    let nobody = world.kit.user(OTHER, "nobody", NOBODY);
    assert!(world.encrypt(&allowed, &key).await.is_ok());
    assert!(denied(world.encrypt(&nobody, &key).await));
    assert!(world.encrypt(&world.kit.root(OTHER), &key).await.is_ok());
}

#[tokio::test]
async fn a_user_of_another_account_needs_its_own_account_behind_the_grant() {
    let world = World::new().await;
    let key = world.key().await.arn.unwrap();
    let dora = format!("arn:aws:iam::{OTHER}:user/dora");
    world.grant(grant(&key, &dora, &[GrantOperation::Encrypt])).await;
    let without = world.kit.user(OTHER, "dora", NOBODY);
    let with = world.kit.user(OTHER, "dora", &[ALL_KMS]);
    assert!(denied(world.encrypt(&without, &key).await));
    assert!(world.encrypt(&with, &key).await.is_ok());

    // Its own account makes the grant: that is what lets service roles use keys of others.
    world
        .grant(grant(
            &key,
            &root_arn(OTHER),
            &[GrantOperation::CreateGrant, GrantOperation::Decrypt],
        ))
        .await;
    let by_other = world.kit.root(OTHER);
    let input = grant(&key, &dora, &[GrantOperation::Decrypt]);
    world.call::<ops::CreateGrant>(&by_other, input).await.unwrap();
    let blob = world.encrypt(&world.root, &key).await.unwrap();
    assert_eq!(world.decrypt(&without, &blob).await.unwrap(), PLAINTEXT);
}

#[tokio::test]
async fn who_may_grant_by_a_grant_grants_nothing_wider() {
    use GrantOperation::{CreateGrant, Decrypt, Encrypt, Sign};
    let world = World::new().await;
    let key = world.key().await.key_id;
    let alice = world.kit.user(ACCOUNT, "alice", NOBODY);
    let constraints = subset(&[("Department", "IT")]);
    let parent = grant(&key, &user("alice"), &[CreateGrant, Encrypt]);
    world.grant(CreateGrantRequest { constraints, ..parent }).await;
    let child = |operations: &[GrantOperation], constraints| CreateGrantRequest {
        constraints,
        ..grant(&key, &user("bob"), operations)
    };
    let it = || subset(&[("Department", "IT")]);
    for wider in [
        child(&[Encrypt], None),
        child(&[Decrypt], it()),
        child(&[Encrypt, Sign], it()),
        child(&[Encrypt], subset(&[("Department", "HR")])),
        child(&[Encrypt], equals(&[])),
    ] {
        assert!(denied(world.call::<ops::CreateGrant>(&alice, wider).await));
    }
    let narrower = [
        child(&[Encrypt], it()),
        child(&[Encrypt, CreateGrant], subset(&[("Department", "IT"), ("Floor", "3")])),
        child(&[Encrypt], equals(&[("Department", "IT"), ("Floor", "3")])),
    ];
    for narrower in narrower {
        world.call::<ops::CreateGrant>(&alice, narrower).await.unwrap();
    }
    let bob = world.kit.user(ACCOUNT, "bob", NOBODY);
    assert!(world.encrypt_in(&bob, &key, &[("Department", "IT")]).await.is_ok());
}

#[tokio::test]
async fn a_name_makes_a_retry_find_the_first_grant() {
    let world = World::new().await;
    let key = world.key().await.key_id;
    let named = |name: Option<&str>, operations: &[GrantOperation]| CreateGrantRequest {
        name: name.map(str::to_owned),
        ..grant(&key, &user("alice"), operations)
    };
    let (encrypt, decrypt) = ([GrantOperation::Encrypt], [GrantOperation::Decrypt]);
    let first = world.grant(named(Some("one"), &encrypt)).await;
    let again = world.grant(named(Some("one"), &encrypt)).await;
    assert_eq!(first.grant_id, again.grant_id);
    assert_ne!(first.grant_token, again.grant_token);
    for other in [named(Some("one"), &decrypt), named(Some("two"), &encrypt), named(None, &encrypt)]
    {
        assert_ne!(world.grant(other).await.grant_id, first.grant_id);
    }
    world.revoke(&world.root, &key, first.grant_id.as_ref().unwrap()).await.unwrap();
    let anew = world.grant(named(Some("one"), &encrypt)).await;
    assert_ne!(anew.grant_id, first.grant_id);
}

#[tokio::test]
async fn grants_are_listed_page_by_page_and_filtered() {
    let world = World::new().await;
    let key = world.key().await;
    let mut ids = Vec::new();
    for number in 0..5 {
        let name = if number % 2 == 0 { "alice" } else { "bob" };
        let made = world.grant(grant(&key.key_id, &user(name), &[GrantOperation::Encrypt])).await;
        ids.push(made.grant_id.unwrap());
    }
    let list = |grantee: Option<&str>, grant_id: Option<&str>, marker| ListGrantsRequest {
        key_id: key.key_id.clone(),
        grantee_principal: grantee.map(user),
        grant_id: grant_id.map(str::to_owned),
        limit: Some(2),
        marker,
        ..Default::default()
    };
    for (grantee, count) in [(None, 5), (Some("alice"), 3), (Some("bob"), 2), (Some("carol"), 0)] {
        let (mut found, mut marker) = (Vec::new(), None);
        loop {
            let page = world.grants(list(grantee, None, marker)).await;
            found.extend(page.grants.unwrap());
            marker = page.next_marker;
            assert_eq!(page.truncated, Some(marker.is_some()));
            if marker.is_none() {
                break;
            }
        }
        assert_eq!(found.len(), count);
    }
    let one = world.grants(list(None, Some(&ids[3]), None)).await.grants.unwrap();
    assert_eq!(one.len(), 1);
    let entry = &one[0];
    assert_eq!(entry.key_id, key.arn);
    assert_eq!(entry.grantee_principal, Some(user("bob")));
    assert_eq!(entry.issuing_account, Some(root_arn(ACCOUNT)));
    assert_eq!(entry.name.as_deref(), Some(""));
    assert!(entry.constraints.is_none());
}

#[tokio::test]
async fn the_retiring_principal_retires_without_a_permission_and_a_stranger_not_with_one() {
    let world = World::new().await;
    let key = world.key().await.key_id;
    let retirable = || CreateGrantRequest {
        retiring_principal: Some(user("rita")),
        ..grant(&key, &user("alice"), &[GrantOperation::Encrypt])
    };
    let rita = world.kit.user(ACCOUNT, "rita", NOBODY);
    let alice = world.kit.user(ACCOUNT, "alice", NOBODY);
    let stranger = world.kit.user(OTHER, "stranger", &[ALL_KMS]);
    let made = world.grant(retirable()).await;
    let token = made.grant_token.unwrap();
    assert!(denied(world.retire(&alice, &token).await), "a grantee without RetireGrant");
    assert!(denied(world.retire(&stranger, &token).await));
    world.retire(&rita, &token).await.unwrap();
    assert!(denied(world.encrypt(&alice, &key).await));
    let (code, _) = refused(world.retire(&rita, &token).await);
    assert_eq!(code, "NotFoundException");

    // The account itself, and whom it lets.
    let delegate = world.kit.user(ACCOUNT, "delegate", &[ALL_KMS]);
    for caller in [&world.root, &delegate] {
        let token = world.grant(retirable()).await.grant_token.unwrap();
        world.retire(caller, &token).await.unwrap();
    }
    let no = r#"{"Version":"2012-10-17","Statement":[
        {"Effect":"Deny","Action":"kms:RetireGrant","Resource":"*"}]}"#;
    let forbidden = world.kit.user(ACCOUNT, "rita", &[no]);
    let token = world.grant(retirable()).await.grant_token.unwrap();
    assert!(denied(world.retire(&forbidden, &token).await));
}

#[tokio::test]
async fn a_grantee_with_the_operation_retires_by_key_and_id() {
    let world = World::new().await;
    let key = world.key().await;
    let operations = [GrantOperation::RetireGrant, GrantOperation::Encrypt];
    let made = world.grant(grant(&key.key_id, &user("alice"), &operations)).await;
    let alice = world.kit.user(ACCOUNT, "alice", NOBODY);
    let input = |dry_run| RetireGrantRequest {
        key_id: key.arn.clone(),
        grant_id: made.grant_id.clone(),
        dry_run,
        ..Default::default()
    };
    let dry = world.call::<ops::RetireGrant>(&alice, input(Some(true))).await;
    assert_eq!(refused(dry).0, "DryRunOperationException");
    world.call::<ops::RetireGrant>(&alice, input(None)).await.unwrap();
    assert!(denied(world.encrypt(&alice, &key.key_id).await));
}

#[tokio::test]
async fn a_principal_finds_what_it_may_retire_in_all_accounts() {
    let world = World::new().await;
    let key = world.key().await.key_id;
    let retirer = format!("arn:aws:iam::{OTHER}:user/rita");
    for _ in 0..3 {
        world
            .grant(CreateGrantRequest {
                retiring_principal: Some(retirer.clone()),
                ..grant(&key, &user("alice"), &[GrantOperation::Encrypt])
            })
            .await;
    }
    let list = |marker| ListRetirableGrantsRequest {
        retiring_principal: Some(retirer.clone()),
        limit: Some(2),
        marker,
        ..Default::default()
    };
    let other = world.kit.root(OTHER);
    let page = world.call::<ops::ListRetirableGrants>(&other, list(None)).await.unwrap();
    assert_eq!((page.grants.unwrap().len(), page.truncated), (2, Some(true)));
    let page =
        world.call::<ops::ListRetirableGrants>(&other, list(page.next_marker)).await.unwrap();
    assert_eq!((page.grants.unwrap().len(), page.truncated), (1, Some(false)));
    assert!(denied(world.call::<ops::ListRetirableGrants>(&world.root, list(None)).await));
}

#[tokio::test]
async fn tokens_are_checked_wherever_they_come() {
    let world = World::new().await;
    let key = world.key().await.key_id;
    let alice = world.kit.user(ACCOUNT, "alice", NOBODY);
    let made = world.grant(grant(&key, &user("alice"), &[GrantOperation::Encrypt])).await;
    let with =
        |token: &str| EncryptRequest { grant_tokens: Some(vec![token.to_owned()]), ..plain(&key) };
    let token = made.grant_token.unwrap();
    world.call::<ops::Encrypt>(&alice, with(&token)).await.unwrap();
    let forged = format!("{}AAAA", &token[..token.len() - 4]);
    for invalid in ["x", "AAAA", &forged] {
        let (code, _) = refused(world.call::<ops::Encrypt>(&world.root, with(invalid)).await);
        assert_eq!(code, "InvalidGrantTokenException");
    }
}

#[tokio::test]
async fn a_grant_that_makes_no_sense_is_refused() {
    let world = World::new().await;
    let key = world.key().await.key_id;
    let fine = grant(&key, &user("alice"), &[GrantOperation::Encrypt]);
    let validation = [
        CreateGrantRequest { operations: vec![GrantOperation::Sign], ..fine.clone() },
        CreateGrantRequest { operations: Vec::new(), ..fine.clone() },
        CreateGrantRequest { operations: vec![GrantOperation::CreateGrant], ..fine.clone() },
        CreateGrantRequest {
            constraints: Some(GrantConstraints {
                encryption_context_equals: context(&[("a", "b")]),
                encryption_context_subset: context(&[("a", "b")]),
                ..Default::default()
            }),
            ..fine.clone()
        },
        CreateGrantRequest { grantee_principal: None, ..fine.clone() },
        CreateGrantRequest {
            grantee_service_principal: Some("s3.amazonaws.com".to_owned()),
            ..fine.clone()
        },
        CreateGrantRequest { constraints: subset(&[("k", &"v".repeat(384))]), ..fine.clone() },
    ];
    for input in validation {
        let (code, _) = refused(world.call::<ops::CreateGrant>(&world.root, input).await);
        assert_eq!(code, "ValidationException");
    }
    let of_service = ListGrantsRequest {
        key_id: key.clone(),
        grantee_service_principal: Some("s3.amazonaws.com".to_owned()),
        ..Default::default()
    };
    let listed = world.call::<ops::ListGrants>(&world.root, of_service).await;
    assert_eq!(refused(listed).0, "ValidationException", "for services only");
    for grantee in ["alice", "sns.amazonaws.com", "arn:aws:iam::111111111111:group/g"] {
        let input = grant(&key, grantee, &[GrantOperation::Encrypt]);
        assert_refused(
            world.call::<ops::CreateGrant>(&world.root, input).await,
            "InvalidArnException",
            &format!("ARN does not refer to a valid principal: {grantee}"),
        );
    }
    world.alias("alias/a", &key).await;
    let input = CreateGrantRequest { key_id: "alias/a".to_owned(), ..fine.clone() };
    assert_refused(
        world.call::<ops::CreateGrant>(&world.root, input).await,
        "InvalidArnException",
        "Key Aliases are not supported for this operation.",
    );
    let dry = CreateGrantRequest { dry_run: Some(true), ..fine.clone() };
    let (code, _) = refused(world.call::<ops::CreateGrant>(&world.root, dry).await);
    assert_eq!(code, "DryRunOperationException");
    world.disable(&key).await;
    let (code, _) = refused(world.call::<ops::CreateGrant>(&world.root, fine).await);
    assert_eq!(code, "DisabledException");
    let listed =
        world.grants(ListGrantsRequest { key_id: key.clone(), ..Default::default() }).await;
    assert!(listed.grants.unwrap().is_empty());
}

#[tokio::test]
async fn conditions_see_what_a_grant_would_give() {
    let world = World::new().await;
    let key = world.key().await.key_id;
    let only = |condition: &str| {
        format!(
            r#"{{"Version":"2012-10-17","Statement":[{{"Effect":"Allow","Action":"kms:*",
               "Resource":"*","Condition":{condition}}}]}}"#
        )
    };
    let retiring = || CreateGrantRequest {
        retiring_principal: Some(user("rita")),
        constraints: subset(&[("Department", "IT")]),
        ..grant(&key, &user("alice"), &[GrantOperation::Encrypt])
    };
    let plain = grant(&key, &user("bob"), &[GrantOperation::Encrypt, GrantOperation::Decrypt]);
    for condition in [
        r#"{"ForAllValues:StringEquals":{"kms:GrantOperations":["Encrypt"]}}"#,
        r#"{"StringEquals":{"kms:GrantConstraintType":"EncryptionContextSubset"}}"#,
        r#"{"StringEquals":{"kms:GranteePrincipal":"arn:aws:iam::111111111111:user/alice"}}"#,
        r#"{"StringLike":{"kms:RetiringPrincipal":"*:user/rita"}}"#,
        r#"{"StringEquals":{"kms:EncryptionContext:Department":"IT"}}"#,
    ] {
        let admin = world.kit.user(ACCOUNT, "admin", &[&only(condition)]);
        let made = world.call::<ops::CreateGrant>(&admin, retiring()).await;
        assert!(made.is_ok(), "{condition}");
        let made = world.call::<ops::CreateGrant>(&admin, plain.clone()).await;
        assert!(denied(made), "{condition}");
    }
    let to_service = CreateGrantRequest {
        grantee_principal: None,
        grantee_service_principal: Some("events.amazonaws.com".to_owned()),
        retiring_service_principal: Some("sqs.amazonaws.com".to_owned()),
        constraints: Some(GrantConstraints {
            source_arn: Some(format!("arn:aws:events:us-east-1:{ACCOUNT}:event-bus/orders")),
            ..Default::default()
        }),
        ..plain.clone()
    };
    for (condition, allowed) in [
        (r#"{"StringEquals":{"kms:GranteeServicePrincipal":"events.amazonaws.com"}}"#, true),
        (r#"{"StringEquals":{"kms:RetiringServicePrincipal":"sqs.amazonaws.com"}}"#, true),
        (r#"{"Null":{"kms:GranteePrincipal":"true","kms:RetiringPrincipal":"true"}}"#, true),
        (r#"{"StringEquals":{"kms:GranteePrincipal":"events.amazonaws.com"}}"#, false),
    ] {
        let admin = world.kit.user(ACCOUNT, "admin", &[&only(condition)]);
        let made = world.call::<ops::CreateGrant>(&admin, to_service.clone()).await;
        assert_eq!(made.is_ok(), allowed, "{condition}");
    }
    for (condition, allowed) in [
        (r#"{"Bool":{"kms:GrantIsForAWSResource":"true"}}"#, false),
        (r#"{"Bool":{"kms:GrantIsForAWSResource":"false"}}"#, true),
        (r#"{"StringLike":{"kms:ViaService":"*"}}"#, false),
    ] {
        let admin = world.kit.user(ACCOUNT, "admin", &[&only(condition)]);
        let made = world.call::<ops::CreateGrant>(&admin, plain.clone()).await;
        assert_eq!(made.is_ok(), allowed, "{condition}");
    }
}

#[tokio::test]
async fn grants_go_with_their_key() {
    let world = World::new().await;
    let key = world.key().await.key_id;
    for _ in 0..35 {
        world
            .grant(CreateGrantRequest {
                retiring_principal: Some(user("rita")),
                ..grant(&key, &user("alice"), &[GrantOperation::Encrypt])
            })
            .await;
    }
    world.schedule_deletion(&key, 7).await;
    world.pass_days(8).await;
    let input =
        ListRetirableGrantsRequest { retiring_principal: Some(user("rita")), ..Default::default() };
    let left = world.call::<ops::ListRetirableGrants>(&world.root, input).await.unwrap();
    assert!(left.grants.unwrap().is_empty());
    assert!(world.describe(&key).await.is_err());
}
