use haechi_kms_model::ops;
use haechi_kms_model::shapes::*;

use crate::world::*;

fn create(name: &str, target: &str) -> CreateAliasRequest {
    CreateAliasRequest { alias_name: name.to_owned(), target_key_id: target.to_owned() }
}

fn update(name: &str, target: &str) -> UpdateAliasRequest {
    UpdateAliasRequest { alias_name: name.to_owned(), target_key_id: target.to_owned() }
}

fn delete(name: &str) -> DeleteAliasRequest {
    DeleteAliasRequest { alias_name: name.to_owned() }
}

async fn list(world: &World, input: ListAliasesRequest) -> ListAliasesResponse {
    world.call::<ops::ListAliases>(&world.root, input).await.unwrap()
}

fn names(response: &ListAliasesResponse) -> Vec<String> {
    let aliases = response.aliases.as_ref().unwrap();
    aliases.iter().map(|alias| alias.alias_name.clone().unwrap()).collect()
}

#[tokio::test]
async fn a_name_must_start_with_the_prefix() {
    let world = World::new().await;
    let key = world.key().await;
    assert_refused(
        world.call::<ops::CreateAlias>(&world.root, create("app", &key.key_id)).await,
        "ValidationException",
        "Alias must start with the prefix \"alias/\". Please see \
         https://docs.aws.amazon.com/kms/latest/developerguide/kms-alias.html",
    );
}

#[tokio::test]
async fn the_names_of_aws_are_reserved() {
    let world = World::new().await;
    let key = world.key().await;
    let outcome =
        world.call::<ops::CreateAlias>(&world.root, create("alias/aws/s3", &key.key_id)).await;
    assert_eq!(refused(outcome).0, "NotAuthorizedException");
}

#[tokio::test]
async fn a_colon_or_nothing_is_no_name() {
    let world = World::new().await;
    let key = world.key().await;
    for name in ["alias/a:b", "alias/"] {
        assert_refused(
            world.call::<ops::CreateAlias>(&world.root, create(name, &key.key_id)).await,
            "ValidationException",
            &format!("{name} contains invalid characters for an alias"),
        );
    }
}

#[tokio::test]
async fn a_name_exists_once() {
    let world = World::new().await;
    let key = world.key().await;
    world.alias("alias/app", &key.key_id).await;
    assert_refused(
        world.call::<ops::CreateAlias>(&world.root, create("alias/app", &key.key_id)).await,
        "AlreadyExistsException",
        "An alias with the name arn:aws:kms:us-east-1:111111111111:alias/app already exists",
    );
}

#[tokio::test]
async fn an_alias_of_an_alias_is_refused() {
    let world = World::new().await;
    world.alias("alias/app", &world.key().await.key_id).await;
    for target in ["alias/app", "arn:aws:kms:us-east-1:111111111111:alias/app"] {
        assert_refused(
            world.call::<ops::CreateAlias>(&world.root, create("alias/two", target)).await,
            "ValidationException",
            "Aliases must refer to keys. Not aliases",
        );
    }
}

#[tokio::test]
async fn an_alias_moves_to_another_key_and_old_ciphertexts_still_open() {
    let world = World::new().await;
    let (old, new) = (world.key().await, world.key().await);
    world.alias("alias/app", &old.key_id).await;
    let blob = world.encrypt(&world.root, "alias/app").await.unwrap();
    world.kit.clock.advance(60);
    world.call::<ops::UpdateAlias>(&world.root, update("alias/app", &new.key_id)).await.unwrap();
    assert_eq!(world.describe("alias/app").await.unwrap().key_id, new.key_id);
    assert_eq!(world.decrypt(&world.root, &blob).await.unwrap(), PLAINTEXT);
    let of = |key: &KeyMetadata| ListAliasesRequest {
        key_id: Some(key.key_id.clone()),
        ..Default::default()
    };
    assert!(names(&list(&world, of(&old)).await).is_empty());
    let moved = list(&world, of(&new)).await;
    assert_eq!(names(&moved), ["alias/app"]);
    let entry = &moved.aliases.as_ref().unwrap()[0];
    assert_eq!(entry.target_key_id.as_ref(), Some(&new.key_id));
    let arn = "arn:aws:kms:us-east-1:111111111111:alias/app";
    assert_eq!(entry.alias_arn.as_deref(), Some(arn));
    assert!(entry.last_updated_date > entry.creation_date);
}

#[tokio::test]
async fn a_deleted_alias_is_gone_and_its_key_is_not() {
    let world = World::new().await;
    let key = world.key().await;
    world.alias("alias/app", &key.key_id).await;
    world.call::<ops::DeleteAlias>(&world.root, delete("alias/app")).await.unwrap();
    let message = "Alias arn:aws:kms:us-east-1:111111111111:alias/app is not found.";
    assert_refused(world.describe("alias/app").await, "NotFoundException", message);
    let again = world.call::<ops::DeleteAlias>(&world.root, delete("alias/app")).await;
    assert_refused(again, "NotFoundException", message);
    let moved = world.call::<ops::UpdateAlias>(&world.root, update("alias/app", &key.key_id)).await;
    assert_refused(moved, "NotFoundException", message);
    assert!(world.describe(&key.key_id).await.is_ok());
}

#[tokio::test]
async fn both_the_alias_and_the_key_must_be_allowed() {
    let world = World::new().await;
    let key = world.key().await;
    let only = |resource: &str| {
        format!(
            r#"{{"Version":"2012-10-17","Statement":[
                {{"Effect":"Allow","Action":"kms:*","Resource":"{resource}"}}]}}"#
        )
    };
    let alias_arn = format!("arn:aws:kms:us-east-1:{ACCOUNT}:alias/app");
    let key_arn = key.arn.clone().unwrap();
    for (allowed, missing) in [(&alias_arn, &key_arn), (&key_arn, &alias_arn)] {
        let user = world.kit.user(ACCOUNT, "half", &[&only(allowed)]);
        let outcome = world.call::<ops::CreateAlias>(&user, create("alias/app", &key.key_id)).await;
        assert_refused(
            outcome,
            "AccessDeniedException",
            &format!(
                "User: arn:aws:iam::111111111111:user/half is not authorized to perform: \
                 kms:CreateAlias on resource: {missing} because no identity-based policy allows \
                 the kms:CreateAlias action"
            ),
        );
    }
    let both = world.kit.user(ACCOUNT, "both", &[&only(&alias_arn), &only(&key_arn)]);
    let outcome = world.call::<ops::CreateAlias>(&both, create("alias/app", &key.key_id)).await;
    assert!(outcome.is_ok());
}

#[tokio::test]
async fn a_key_has_fifty_aliases_at_the_most() {
    let world = World::new().await;
    let key = world.key().await;
    for number in 0..50 {
        world.alias(&format!("alias/n{number}"), &key.key_id).await;
    }
    let outcome =
        world.call::<ops::CreateAlias>(&world.root, create("alias/n50", &key.key_id)).await;
    assert_eq!(refused(outcome).0, "LimitExceededException");
}

#[tokio::test]
async fn listing_goes_page_by_page_and_misses_nothing() {
    let world = World::new().await;
    let (key, other) = (world.key().await, world.key().await);
    for number in 0..5 {
        world.alias(&format!("alias/n{number}"), &key.key_id).await;
    }
    world.alias("alias/other", &other.key_id).await;
    // In the account, besides its own, those of AWS's services.
    for (key_id, count) in [(None, 6 + 11), (Some(key.key_id.clone()), 5)] {
        let mut seen = Vec::new();
        let mut marker = None;
        loop {
            let input = ListAliasesRequest { key_id: key_id.clone(), limit: Some(2), marker };
            let page = list(&world, input).await;
            assert!(names(&page).len() <= 2);
            assert_eq!(page.truncated, Some(page.next_marker.is_some()));
            seen.extend(names(&page));
            marker = page.next_marker;
            if marker.is_none() {
                break;
            }
        }
        seen.sort();
        seen.dedup();
        assert_eq!(seen.len(), count);
    }
}

#[tokio::test]
async fn a_marker_that_was_never_handed_out_is_refused() {
    let world = World::new().await;
    let key = world.key().await;
    for key_id in [None, Some(key.key_id)] {
        let input = ListAliasesRequest { key_id, marker: Some("?".to_owned()), limit: None };
        let outcome = world.call::<ops::ListAliases>(&world.root, input).await;
        assert_eq!(refused(outcome).0, "InvalidMarkerException");
    }
}

#[tokio::test]
async fn an_alias_leaves_a_key_that_is_to_be_deleted_but_does_not_go_to_one() {
    let world = World::new().await;
    let (doomed, safe) = (world.key().await, world.key().await);
    for name in ["alias/leaves", "alias/goes"] {
        world.alias(name, &doomed.key_id).await;
    }
    world.alias("alias/stays", &safe.key_id).await;
    world.schedule_deletion(&doomed.key_id, 7).await;
    let into = world.call::<ops::UpdateAlias>(&world.root, update("alias/stays", &doomed.key_id));
    let message = format!("{} is pending deletion.", doomed.arn.as_ref().unwrap());
    assert_refused(into.await, "KMSInvalidStateException", &message);
    let out = world.call::<ops::UpdateAlias>(&world.root, update("alias/leaves", &safe.key_id));
    assert!(out.await.is_ok());
    assert!(world.call::<ops::DeleteAlias>(&world.root, delete("alias/goes")).await.is_ok());
    world.pass_days(7).await;
    for name in ["alias/leaves", "alias/stays"] {
        assert_eq!(world.describe(name).await.unwrap().key_id, safe.key_id, "{name}");
    }
}

#[tokio::test]
async fn of_many_who_create_one_name_at_once_one_succeeds() {
    let world = World::new().await;
    let (one, two) = (world.key().await, world.key().await);
    let attempt = |key: &KeyMetadata| {
        world.call::<ops::CreateAlias>(&world.root, create("alias/race", &key.key_id))
    };
    let (a, b, c, d) = tokio::join!(attempt(&one), attempt(&two), attempt(&one), attempt(&two));
    let outcomes = [a, b, c, d];
    assert_eq!(outcomes.iter().filter(|outcome| outcome.is_ok()).count(), 1);
    for refusal in outcomes.into_iter().filter(Result::is_err) {
        assert_eq!(refused(refusal).0, "AlreadyExistsException");
    }
    let response = list(&world, ListAliasesRequest::default()).await;
    let target = response.aliases.unwrap().remove(0).target_key_id.unwrap();
    let mut counts = Vec::new();
    for key in [&one, &two] {
        let of = ListAliasesRequest { key_id: Some(key.key_id.clone()), ..Default::default() };
        counts.push((key.key_id == target, names(&list(&world, of).await).len()));
    }
    assert!(counts.contains(&(true, 1)) && counts.contains(&(false, 0)));
}

#[tokio::test]
async fn the_audit_learns_of_the_alias_and_the_key() {
    use haechi_core::Handle;
    let world = World::new().await;
    let key = world.key().await;
    let cx = world.kit.cx::<ops::CreateAlias>(&world.root);
    let input = create("alias/app", &key.key_id);
    Handle::<ops::CreateAlias>::handle(&world.kms, &cx, input).await.unwrap();
    let noted: Vec<_> = cx.noted().into_iter().map(|noted| (noted.kind, noted.arn)).collect();
    let alias_arn = "arn:aws:kms:us-east-1:111111111111:alias/app".to_owned();
    let expected = [("AWS::KMS::Alias", alias_arn), ("AWS::KMS::Key", key.arn.unwrap())];
    assert_eq!(noted, expected);
}

#[tokio::test]
async fn predefined_aliases_are_listed_once_with_and_without_a_key_at_any_page_size() {
    let world = World::new().await;
    let key = world.key().await;
    world.alias("alias/app", &key.key_id).await;
    let described = world.describe("alias/aws/ssm").await.unwrap();
    assert!(described.key_manager == Some(KeyManagerType::Aws), "made when it is described");
    for limit in 1..=13 {
        let (mut seen, mut marker) = (Vec::new(), None);
        loop {
            let input = ListAliasesRequest { limit: Some(limit), marker, ..Default::default() };
            let page = list(&world, input).await;
            assert!(names(&page).len() <= usize::try_from(limit).unwrap());
            seen.extend(page.aliases.unwrap());
            marker = page.next_marker;
            if marker.is_none() {
                break;
            }
        }
        let of = |name: &str| {
            let mut entries = seen.iter().filter(|entry| entry.alias_name.as_deref() == Some(name));
            let first = entries.next().unwrap();
            assert!(entries.next().is_none(), "{name} twice");
            first.clone()
        };
        assert_eq!(seen.len(), 12, "{limit}");
        assert_eq!(of("alias/app").target_key_id, Some(key.key_id.clone()));
        assert_eq!(of("alias/aws/ssm").target_key_id, Some(described.key_id.clone()));
        let waiting = of("alias/aws/s3");
        assert_eq!(waiting.target_key_id, None);
        let arn = format!("arn:aws:kms:us-east-1:{ACCOUNT}:alias/aws/s3");
        assert_eq!(waiting.alias_arn, Some(arn));
    }
}

#[tokio::test]
async fn describing_a_predefined_alias_makes_no_key_for_who_may_not_describe_keys() {
    let world = World::new().await;
    let nobody = world.kit.user(ACCOUNT, "nobody", &[]);
    let input = || DescribeKeyRequest { key_id: "alias/aws/s3".to_owned(), ..Default::default() };
    assert!(world.call::<ops::DescribeKey>(&nobody, input()).await.is_err());
    let keys = world.call::<ops::ListKeys>(&world.root, ListKeysRequest::default()).await.unwrap();
    assert_eq!(keys.keys.unwrap().len(), 0);
    assert!(world.call::<ops::DescribeKey>(&world.root, input()).await.is_ok());
}
