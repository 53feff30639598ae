//! Roles, instance profiles, service-linked roles.

use haechi_core::Principals as _;
use haechi_iam_model::ops::*;
use haechi_iam_model::shapes::*;

use crate::cast::{ACCOUNT, ALLOW_ALL, Stage, TRUST, create_policy, create_role, tag, told};

fn of(name: &str) -> GetRoleRequest {
    GetRoleRequest { role_name: name.to_owned() }
}

fn trusting(principal: &str) -> String {
    TRUST.replace(r#"{"Service":"lambda.amazonaws.com"}"#, &format!(r#"{{"AWS":"{principal}"}}"#))
}

fn role(name: &str, trust: &str) -> CreateRoleRequest {
    CreateRoleRequest {
        role_name: name.to_owned(),
        assume_role_policy_document: trust.to_owned(),
        ..Default::default()
    }
}

#[tokio::test]
async fn a_role_is_created_shown_listed_and_deleted_as_recorded_from_aws() {
    let stage = Stage::new().await;
    let request = CreateRoleRequest { path: Some("/a/b/".to_owned()), ..role("r", TRUST) };
    let created = stage.ok::<CreateRole>(request).await.role;
    assert_eq!(created.arn, "arn:aws:iam::123456789012:role/a/b/r");
    assert!(created.role_id.starts_with("AROA"));
    assert!(created.max_session_duration.is_none() && created.role_last_used.is_none());
    assert!(created.assume_role_policy_document.unwrap().starts_with("%7B%22Version%22"));
    let shown = stage.ok::<GetRole>(of("r")).await.role;
    assert_eq!(shown.max_session_duration, Some(3600));
    assert!(shown.role_last_used.is_some());
    let list = ListRolesRequest { path_prefix: Some("/a/".to_owned()), ..Default::default() };
    let listed = stage.ok::<ListRoles>(list).await.roles;
    assert_eq!((listed.len(), listed[0].max_session_duration), (1, Some(3600)));
    assert!(listed[0].role_last_used.is_none());
    stage.ok::<DeleteRole>(DeleteRoleRequest { role_name: "r".to_owned() }).await;
    let gone = told("NoSuchEntity", "The role with name r cannot be found.");
    assert_eq!(stage.refused::<GetRole>(of("r")).await, gone);
}

#[tokio::test]
async fn a_trust_policy_must_be_one_and_name_principals_that_exist() {
    let stage = Stage::new().await;
    stage.create_user("alice").await;
    let refused = stage.refused::<CreateRole>(role("r", "not json")).await;
    assert_eq!(refused, told("MalformedPolicyDocument", "This policy contains invalid Json"));
    let missing = trusting("arn:aws:iam::123456789012:user/nobody");
    let message = "Invalid principal in policy: \"AWS\":\"arn:aws:iam::123456789012:user/nobody\"";
    let refused = stage.refused::<CreateRole>(role("r", &missing)).await;
    assert_eq!(refused, told("MalformedPolicyDocument", message));
    stage.ok::<CreateRole>(role("r", &trusting("arn:aws:iam::123456789012:user/alice"))).await;
    let refused = stage
        .refused::<UpdateAssumeRolePolicy>(UpdateAssumeRolePolicyRequest {
            role_name: "r".to_owned(),
            policy_document: missing,
        })
        .await;
    assert_eq!(refused, told("MalformedPolicyDocument", message));
}

#[tokio::test]
async fn a_trust_policy_names_identity_providers_by_domain_or_arn() {
    let stage = Stage::new().await;
    let trusting = |provider: &str| {
        let principal = format!(r#"{{"Federated":"{provider}"}}"#);
        TRUST.replace(r#"{"Service":"lambda.amazonaws.com"}"#, &principal)
    };
    let update = |provider: &str| UpdateAssumeRolePolicyRequest {
        role_name: "r".to_owned(),
        policy_document: trusting(provider),
    };
    stage.ok::<CreateRole>(role("r", &trusting("accounts.google.com"))).await;
    stage.ok::<UpdateAssumeRolePolicy>(update("cognito-identity.amazonaws.com")).await;
    let message = "Federated principals must be valid domain names or SAML metadata ARNs";
    let refusal = told("MalformedPolicyDocument", message);
    for bad in ["foo", "*", "arn:aws:iam::123456789012:role/r"] {
        assert_eq!(stage.refused::<UpdateAssumeRolePolicy>(update(bad)).await, refusal, "{bad}");
        let request = role("other", &trusting(bad));
        assert_eq!(stage.refused::<CreateRole>(request).await, refusal, "{bad}");
    }
}

#[tokio::test]
async fn the_unique_id_of_an_arn_is_told_only_while_the_entity_has_that_arn() {
    let stage = Stage::new().await;
    let user = stage.create_user("alice").await;
    let role = create_role(&stage, "r").await;
    let id = async |arn: &str| stage.iam.unique_id(arn).await.unwrap();
    assert_eq!(id(&user.arn).await, Some(user.user_id));
    assert_eq!(id(&role.arn).await, Some(role.role_id));
    assert_eq!(id("arn:aws:iam::123456789012:role/elsewhere/r").await, None);
    assert_eq!(id("arn:aws:iam::210987654321:role/r").await, None);
    stage.ok::<DeleteUser>(DeleteUserRequest { user_name: "alice".to_owned() }).await;
    assert_eq!(id(&user.arn).await, None);
}

#[tokio::test]
async fn description_duration_trust_and_tags_change() {
    let stage = Stage::new().await;
    create_role(&stage, "r").await;
    let update = UpdateRoleRequest {
        role_name: "r".to_owned(),
        description: Some("d".to_owned()),
        max_session_duration: Some(7200),
    };
    stage.ok::<UpdateRole>(update).await;
    let tags = vec![tag("Team", "x")];
    stage.ok::<TagRole>(TagRoleRequest { role_name: "r".to_owned(), tags: tags.clone() }).await;
    // What is not given stays (LocalStack's `test_update_role`).
    let nothing = UpdateRoleRequest { role_name: "r".to_owned(), ..Default::default() };
    stage.ok::<UpdateRole>(nothing).await;
    let shown = stage.ok::<GetRole>(of("r")).await.role;
    assert_eq!(shown.description.as_deref(), Some("d"));
    assert_eq!(shown.max_session_duration, Some(7200));
    assert_eq!(shown.tags.map(|tags| tags.len()), Some(1));
    let untag = UntagRoleRequest { role_name: "r".to_owned(), tag_keys: vec!["TEAM".to_owned()] };
    stage.ok::<UntagRole>(untag).await;
    assert!(stage.ok::<GetRole>(of("r")).await.role.tags.is_none());
}

/// LocalStack's `test_role_permissions_boundary_lifecycle` and `test_update_role`.
#[tokio::test]
async fn the_answer_to_a_change_shows_less_than_the_role_alone() {
    let stage = Stage::new().await;
    let boundary = create_policy(&stage, "b", ALLOW_ALL).await;
    let request = CreateRoleRequest {
        description: Some("d".to_owned()),
        permissions_boundary: Some(boundary),
        ..role("r", TRUST)
    };
    let created = stage.ok::<CreateRole>(request).await.role;
    assert!(created.description.is_none());
    let kind = created.permissions_boundary.unwrap().permissions_boundary_type;
    assert_eq!(kind.as_deref(), Some("Policy"));
    let tags = vec![tag("Team", "x")];
    stage.ok::<TagRole>(TagRoleRequest { role_name: "r".to_owned(), tags }).await;
    let longer = UpdateRoleRequest {
        role_name: "r".to_owned(),
        max_session_duration: Some(7200),
        ..Default::default()
    };
    stage.ok::<UpdateRole>(longer).await;
    let update =
        UpdateRoleDescriptionRequest { role_name: "r".to_owned(), description: "e".to_owned() };
    let changed = stage.ok::<UpdateRoleDescription>(update).await.role.unwrap();
    assert_eq!(changed.description.as_deref(), Some("e"));
    assert!(changed.max_session_duration.is_none() && changed.role_last_used.is_none());
    assert!(changed.tags.is_none() && changed.permissions_boundary.is_none());
    let shown = stage.ok::<GetRole>(of("r")).await.role;
    assert!(shown.tags.is_some() && shown.permissions_boundary.is_some());
    assert_eq!(shown.max_session_duration, Some(7200));
}

#[tokio::test]
async fn a_boundary_must_be_a_policy_that_is_there() {
    let stage = Stage::new().await;
    create_role(&stage, "r").await;
    let put = |arn: &str| PutRolePermissionsBoundaryRequest {
        role_name: "r".to_owned(),
        permissions_boundary: arn.to_owned(),
    };
    let wrong = "arn:aws:iam::123456789012:not_a_policy/invalid";
    let refused = stage.refused::<PutRolePermissionsBoundary>(put(wrong)).await;
    assert_eq!(refused, told("InvalidInput", &format!("ARN {wrong} is not valid.")));
    let missing = "arn:aws:iam::123456789012:policy/missing";
    let refused = stage.refused::<PutRolePermissionsBoundary>(put(missing)).await;
    let message = format!("Scope ARN: {missing} does not exist or is not attachable.");
    assert_eq!(refused, told("NoSuchEntity", &message));
    let new =
        CreateRoleRequest { permissions_boundary: Some(missing.to_owned()), ..role("s", TRUST) };
    assert_eq!(stage.refused::<CreateRole>(new).await, told("NoSuchEntity", &message));
}

#[tokio::test]
async fn a_role_that_something_hangs_on_cannot_be_deleted() {
    let stage = Stage::new().await;
    create_role(&stage, "r").await;
    let delete = || DeleteRoleRequest { role_name: "r".to_owned() };
    let put = PutRolePolicyRequest {
        role_name: "r".to_owned(),
        policy_name: "p".to_owned(),
        policy_document: ALLOW_ALL.to_owned(),
    };
    stage.ok::<PutRolePolicy>(put).await;
    let message = "Cannot delete entity, must delete policies first.";
    assert_eq!(stage.refused::<DeleteRole>(delete()).await, told("DeleteConflict", message));
    let gone = DeleteRolePolicyRequest { role_name: "r".to_owned(), policy_name: "p".to_owned() };
    stage.ok::<DeleteRolePolicy>(gone.clone()).await;
    let missing = told("NoSuchEntity", "The role policy with name p cannot be found.");
    assert_eq!(stage.refused::<DeleteRolePolicy>(gone).await, missing);
    let profile = CreateInstanceProfileRequest {
        instance_profile_name: "i".to_owned(),
        ..Default::default()
    };
    stage.ok::<CreateInstanceProfile>(profile).await;
    let (instance_profile_name, role_name) = ("i".to_owned(), "r".to_owned());
    let add = AddRoleToInstanceProfileRequest {
        instance_profile_name: instance_profile_name.clone(),
        role_name: role_name.clone(),
    };
    stage.ok::<AddRoleToInstanceProfile>(add.clone()).await;
    let full =
        told("LimitExceeded", "Cannot exceed quota for InstanceSessionsPerInstanceProfile: 1");
    assert_eq!(stage.refused::<AddRoleToInstanceProfile>(add).await, full);
    create_role(&stage, "other").await;
    let other = RemoveRoleFromInstanceProfileRequest {
        instance_profile_name: instance_profile_name.clone(),
        role_name: "other".to_owned(),
    };
    let absent = told("NoSuchEntity", "Role other in Instance Profile i cannot be found.");
    assert_eq!(stage.refused::<RemoveRoleFromInstanceProfile>(other).await, absent);
    let message = "Cannot delete entity, must remove roles from instance profile first.";
    assert_eq!(stage.refused::<DeleteRole>(delete()).await, told("DeleteConflict", message));
    let of_role =
        ListInstanceProfilesForRoleRequest { role_name: role_name.clone(), ..Default::default() };
    let held = stage.ok::<ListInstanceProfilesForRole>(of_role).await.instance_profiles;
    assert_eq!((held.len(), held[0].roles.len()), (1, 1));
    let remove = RemoveRoleFromInstanceProfileRequest { instance_profile_name, role_name };
    stage.ok::<RemoveRoleFromInstanceProfile>(remove).await;
    stage.ok::<DeleteRole>(delete()).await;
    let delete = DeleteInstanceProfileRequest { instance_profile_name: "i".to_owned() };
    stage.ok::<DeleteInstanceProfile>(delete).await;
}

#[tokio::test]
async fn a_role_of_an_instance_profile_is_passed_to_ec2() {
    let stage = Stage::new().await;
    stage.create_user("alice").await;
    create_role(&stage, "r").await;
    for name in ["i", "j"] {
        let instance_profile_name = name.to_owned();
        let profile = CreateInstanceProfileRequest { instance_profile_name, ..Default::default() };
        stage.ok::<CreateInstanceProfile>(profile).await;
    }
    let key = stage.create_key("alice").await;
    let passing = |service: &str, resource: &str| {
        format!(
            r#"{{"Version":"2012-10-17","Statement":[
            {{"Effect":"Allow","Action":"iam:AddRoleToInstanceProfile","Resource":"*"}},
            {{"Effect":"Allow","Action":"iam:PassRole","Resource":"*","Condition":{{
              "StringEquals":{{"iam:PassedToService":"{service}.amazonaws.com"}},
              "ArnLike":{{"iam:AssociatedResourceArn":"{resource}"}}}}}}]}}"#
        )
    };
    let add = |profile: &str| AddRoleToInstanceProfileRequest {
        instance_profile_name: profile.to_owned(),
        role_name: "r".to_owned(),
    };
    for (service, resource) in
        [("lambda", "arn:aws:ec2:*:*:instance/*"), ("ec2", "arn:aws:ec2:*:*:volume/*")]
    {
        stage.put_policy("alice", "p", &passing(service, resource)).await;
        let caller = stage.credential(&key.access_key_id).await.unwrap();
        let refused = stage.refused_to::<AddRoleToInstanceProfile>(&caller.caller, add("i")).await;
        assert_eq!(refused.0, "AccessDenied");
        assert!(refused.1.contains("iam:PassRole"), "{}", refused.1);
    }
    stage.put_policy("alice", "p", &passing("ec2", "arn:aws:ec2:*:*:instance/*")).await;
    let caller = stage.credential(&key.access_key_id).await.unwrap();
    assert!(stage.call::<AddRoleToInstanceProfile>(&caller.caller, add("j")).await.is_ok());
}

#[tokio::test]
async fn a_service_linked_role_is_its_services_alone() {
    let stage = Stage::new().await;
    let create = || CreateServiceLinkedRoleRequest {
        aws_service_name: "cks.kms.amazonaws.com".to_owned(),
        ..Default::default()
    };
    let made = stage.ok::<CreateServiceLinkedRole>(create()).await.role.unwrap();
    let name = "AWSServiceRoleForKeyManagementServiceCustomKeyStores";
    assert_eq!(
        (made.role_name.as_str(), made.path.as_str()),
        (name, "/aws-service-role/cks.kms.amazonaws.com/")
    );
    assert_eq!(stage.refused::<CreateServiceLinkedRole>(create()).await.0, "InvalidInput");
    // Lists of one, here alone.
    let list = "%22Action%22%3A%5B%22sts%3AAssumeRole%22%5D";
    assert!(made.assume_role_policy_document.unwrap().contains(list));
    let shown = stage.ok::<GetRole>(of(name)).await.role.assume_role_policy_document.unwrap();
    assert!(shown.contains("%22Action%22%3A%22sts%3AAssumeRole%22"), "{shown}");
    let attached =
        ListAttachedRolePoliciesRequest { role_name: name.to_owned(), ..Default::default() };
    let attached = stage.ok::<ListAttachedRolePolicies>(attached).await.attached_policies;
    assert_eq!(attached.unwrap().len(), 1);
    let refused =
        stage.refused::<DeleteRole>(DeleteRoleRequest { role_name: name.to_owned() }).await;
    assert_eq!(refused.0, "UnmodifiableEntity");
    let update = |description: Option<&str>, max_session_duration| UpdateRoleRequest {
        role_name: name.to_owned(),
        description: description.map(str::to_owned),
        max_session_duration,
    };
    let refused = stage.refused::<UpdateRole>(update(None, Some(7200))).await;
    let message = "is an AWS service linked role, max session duration cannot be changed.";
    assert_eq!(refused, told("UnmodifiableEntity", &format!("{name} {message}")));
    let machine = || "machine".to_owned();
    let profile =
        CreateInstanceProfileRequest { instance_profile_name: machine(), ..Default::default() };
    stage.ok::<CreateInstanceProfile>(profile).await;
    let remove = RemoveRoleFromInstanceProfileRequest {
        instance_profile_name: machine(),
        role_name: name.to_owned(),
    };
    let refused = stage.refused::<RemoveRoleFromInstanceProfile>(remove).await;
    assert_eq!(refused.0, "UnmodifiableEntity");
    // The account may describe and tag it.
    stage.ok::<UpdateRole>(update(Some("ours"), None)).await;
    let tag = Tag { key: "Team".to_owned(), value: "a".to_owned() };
    let tags = TagRoleRequest { role_name: name.to_owned(), tags: vec![tag] };
    stage.ok::<TagRole>(tags).await;
    let get = GetRoleRequest { role_name: name.to_owned() };
    let shown = stage.ok::<GetRole>(get).await.role;
    assert_eq!(
        (shown.description.as_deref(), shown.tags.map(|tags| tags.len())),
        (Some("ours"), Some(1))
    );
}

#[tokio::test]
async fn the_deletion_of_a_service_linked_role_is_told_by_its_task() {
    let stage = Stage::new().await;
    let create = || CreateServiceLinkedRoleRequest {
        aws_service_name: "cks.kms.amazonaws.com".to_owned(),
        ..Default::default()
    };
    let made = stage.ok::<CreateServiceLinkedRole>(create()).await.role.unwrap();
    let name = &*made.role_name;
    create_role(&stage, "r").await;
    let delete = |name: &str| DeleteServiceLinkedRoleRequest { role_name: name.to_owned() };
    let ordinary = stage.refused::<DeleteServiceLinkedRole>(delete("r")).await;
    assert_eq!(ordinary.1, "r exists but is not a service role.");
    let task = stage.ok::<DeleteServiceLinkedRole>(delete(name)).await.deletion_task_id;
    let of =
        |id: &str| GetServiceLinkedRoleDeletionStatusRequest { deletion_task_id: id.to_owned() };
    let status = stage.ok::<GetServiceLinkedRoleDeletionStatus>(of(&task)).await.status;
    assert_eq!(status, DeletionTaskStatusType::Succeeded);
    let unknown = told("NoSuchEntity", "Cannot find deletion status for given id.");
    let refused =
        stage.refused::<GetServiceLinkedRoleDeletionStatus>(of(&format!("{task}x"))).await;
    assert_eq!(refused, unknown);
    let refused = stage.refused::<GetServiceLinkedRoleDeletionStatus>(of("task/x")).await;
    assert_eq!(refused, told("InvalidInput", "Invalid task id"));
    stage.ok::<CreateServiceLinkedRole>(create()).await;
}

#[tokio::test]
async fn an_account_has_one_alias_that_no_other_has() {
    let stage = Stage::new().await;
    let alias = |name: &str| CreateAccountAliasRequest { account_alias: name.to_owned() };
    stage.ok::<CreateAccountAlias>(alias("one")).await;
    stage.ok::<CreateAccountAlias>(alias("two")).await;
    let list = || ListAccountAliasesRequest::default();
    assert_eq!(stage.ok::<ListAccountAliases>(list()).await.account_aliases, ["two"]);
    let other = stage.kit.root(crate::cast::OTHER_ACCOUNT);
    let taken = stage.refused_to::<CreateAccountAlias>(&other, alias("two")).await;
    assert_eq!(taken, told("EntityAlreadyExists", "The account alias two already exists."));
    let delete = || DeleteAccountAliasRequest { account_alias: "two".to_owned() };
    stage.ok::<DeleteAccountAlias>(delete()).await;
    assert_eq!(stage.refused::<DeleteAccountAlias>(delete()).await.0, "NoSuchEntity");
}

/// As quoted in aws-cdk's issue 27067 and others.
#[tokio::test]
async fn denials_name_what_is_asked_about_in_the_words_of_iam() {
    let stage = Stage::new().await;
    create_role(&stage, "r1").await;
    let policy_arn = create_policy(&stage, "p", ALLOW_ALL).await;
    let mallory = stage.kit.user(ACCOUNT, "mallory", &[]);
    let denied = |action: &str, name: &str| {
        let message = format!(
            "User: arn:aws:iam::123456789012:user/mallory is not authorized to perform: \
             iam:{action} on resource: {name} because no identity-based policy allows the \
             iam:{action} action"
        );
        told("AccessDenied", &message)
    };
    for name in ["r1", "none"] {
        let refused = stage.refused_to::<GetRole>(&mallory, of(name)).await;
        assert_eq!(refused, denied("GetRole", &format!("role {name}")));
    }
    let refused = stage.refused_to::<CreateRole>(&mallory, role("new", TRUST)).await;
    assert_eq!(refused, denied("CreateRole", "arn:aws:iam::123456789012:role/new"));
    let group = DeleteGroupRequest { group_name: "g".to_owned() };
    let refused = stage.refused_to::<DeleteGroup>(&mallory, group).await;
    assert_eq!(refused, denied("DeleteGroup", "group g"));
    let profile = GetInstanceProfileRequest { instance_profile_name: "i".to_owned() };
    let refused = stage.refused_to::<GetInstanceProfile>(&mallory, profile).await;
    assert_eq!(refused, denied("GetInstanceProfile", "instance profile i"));
    let get = GetPolicyRequest { policy_arn: policy_arn.clone() };
    let refused = stage.refused_to::<GetPolicy>(&mallory, get).await;
    assert_eq!(refused, denied("GetPolicy", &format!("policy {policy_arn}")));
    let create = CreatePolicyRequest {
        policy_name: "q".to_owned(),
        policy_document: ALLOW_ALL.to_owned(),
        ..Default::default()
    };
    let refused = stage.refused_to::<CreatePolicy>(&mallory, create).await;
    assert_eq!(refused, denied("CreatePolicy", "policy q"));
}
