//! Login profiles and the account's password policy.

use haechi_core::Caller;
use haechi_iam_model::ops::{
    ChangePassword, CreateLoginProfile, DeleteAccountPasswordPolicy, DeleteLoginProfile,
    DeleteUser, GetAccountPasswordPolicy, GetLoginProfile, UpdateAccountPasswordPolicy,
    UpdateLoginProfile,
};
use haechi_iam_model::shapes::{
    ChangePasswordRequest, CreateLoginProfileRequest, DeleteLoginProfileRequest, DeleteUserRequest,
    GetLoginProfileRequest, UpdateAccountPasswordPolicyRequest, UpdateLoginProfileRequest,
};
use haechi_wire::SecretString;
use haechi_wire::shape::Unit;
use std::sync::Arc;

use crate::cast::{ACCOUNT, Stage, put, told};

const FIRST: &str = "Correct-Horse-1";

fn secret(text: &str) -> SecretString {
    SecretString(text.to_owned())
}

fn login(user: &str, password: &str) -> CreateLoginProfileRequest {
    CreateLoginProfileRequest {
        user_name: Some(user.to_owned()),
        password: Some(secret(password)),
        password_reset_required: Some(true),
    }
}

fn change(old: &str, new: &str) -> ChangePasswordRequest {
    ChangePasswordRequest { old_password: secret(old), new_password: secret(new) }
}

fn update(password: &str) -> UpdateLoginProfileRequest {
    UpdateLoginProfileRequest {
        user_name: "alice".to_owned(),
        password: Some(secret(password)),
        password_reset_required: None,
    }
}

fn get(user: &str) -> GetLoginProfileRequest {
    GetLoginProfileRequest { user_name: Some(user.to_owned()) }
}

/// Alice with a password, as a caller with these policies.
async fn alice(stage: &Stage, policies: &[&str]) -> Arc<Caller> {
    stage.create_user("alice").await;
    stage.ok::<CreateLoginProfile>(login("alice", FIRST)).await;
    for (number, policy) in policies.iter().enumerate() {
        stage.put_policy("alice", &format!("policy-{number}"), policy).await;
    }
    let key = stage.create_key("alice").await;
    Arc::clone(&stage.credential(&key.access_key_id).await.unwrap().caller)
}

const MAY_CHANGE: &str = r#"{"Version":"2012-10-17","Statement":{"Effect":"Allow",
    "Action":"iam:ChangePassword","Resource":"arn:aws:iam::*:user/${aws:username}"}}"#;

#[tokio::test]
async fn a_login_profile_from_birth_to_death() {
    let stage = Stage::new().await;
    stage.create_user("alice").await;
    let missing = told("NoSuchEntity", "Login Profile for User alice cannot be found.");
    assert_eq!(stage.refused::<GetLoginProfile>(get("alice")).await, missing);
    let made = stage.ok::<CreateLoginProfile>(login("alice", FIRST)).await.login_profile;
    assert_eq!((made.user_name.as_str(), made.password_reset_required), ("alice", Some(true)));
    let taken = told("EntityAlreadyExists", "Login Profile for user alice already exists.");
    assert_eq!(stage.refused::<CreateLoginProfile>(login("alice", FIRST)).await, taken);
    let request = UpdateLoginProfileRequest {
        user_name: "alice".to_owned(),
        password: None,
        password_reset_required: Some(false),
    };
    stage.ok::<UpdateLoginProfile>(request).await;
    let shown = stage.ok::<GetLoginProfile>(get("alice")).await.login_profile;
    assert_eq!(shown.password_reset_required, Some(false));
    assert_eq!(shown.create_date, stage.kit.env.now());
    let user = DeleteUserRequest { user_name: "alice".to_owned() };
    let conflict = told("DeleteConflict", "Cannot delete entity, must delete login profile first.");
    assert_eq!(stage.refused::<DeleteUser>(user.clone()).await, conflict);
    let request = DeleteLoginProfileRequest { user_name: Some("alice".to_owned()) };
    stage.ok::<DeleteLoginProfile>(request.clone()).await;
    assert_eq!(stage.refused::<DeleteLoginProfile>(request).await, missing);
    stage.ok::<DeleteUser>(user).await;
}

#[tokio::test]
async fn a_password_that_the_policy_does_not_accept_is_refused_everywhere() {
    let stage = Stage::new().await;
    let caller = alice(&stage, &[MAY_CHANGE]).await;
    let message = "Password does not conform to the account password policy.";
    let refusal = told("PasswordPolicyViolation", message);
    stage.create_user("bob").await;
    assert_eq!(stage.refused::<CreateLoginProfile>(login("bob", "short1A")).await, refusal);
    assert_eq!(stage.refused::<UpdateLoginProfile>(update("short1A")).await, refusal);
    let request = change(FIRST, "short1A");
    assert_eq!(stage.refused_to::<ChangePassword>(&caller, request).await, refusal);
    assert_eq!(stage.refused::<GetLoginProfile>(get("bob")).await.0, "NoSuchEntity");
}

#[tokio::test]
async fn a_user_changes_its_password_by_the_old_one() {
    let stage = Stage::new().await;
    let caller = alice(&stage, &[MAY_CHANGE]).await;
    let wrong = told("AccessDenied", "The old password was incorrect.");
    let request = change("Wrong-Horse-1", "Another-Horse-2");
    assert_eq!(stage.refused_to::<ChangePassword>(&caller, request).await, wrong);
    assert_eq!(stage.refused_to::<ChangePassword>(&caller, change(FIRST, FIRST)).await.0, wrong.0);
    let request = change(FIRST, "Another-Horse-2");
    stage.call::<ChangePassword>(&caller, request.clone()).await.unwrap();
    // The old one is old now.
    assert_eq!(stage.refused_to::<ChangePassword>(&caller, request).await, wrong);
    let shown = stage.ok::<GetLoginProfile>(get("alice")).await.login_profile;
    assert_eq!(shown.password_reset_required, Some(false));
}

#[tokio::test]
async fn only_users_change_their_own_password() {
    let stage = Stage::new().await;
    let refusal = told("InvalidUserType", "Only IAM Users can change their own password");
    let request = change(FIRST, "Another-Horse-2");
    assert_eq!(stage.refused::<ChangePassword>(request).await, refusal);
}

#[tokio::test]
async fn the_account_may_let_users_change_their_passwords_without_a_policy_but_not_against_one() {
    let stage = Stage::new().await;
    let caller = alice(&stage, &[]).await;
    let request = change(FIRST, "Another-Horse-2");
    let denied = stage.refused_to::<ChangePassword>(&caller, request.clone()).await;
    assert_eq!(denied.0, "AccessDenied");
    assert!(denied.1.contains("iam:ChangePassword"), "{}", denied.1);
    let policy = UpdateAccountPasswordPolicyRequest {
        allow_users_to_change_password: Some(true),
        ..Default::default()
    };
    stage.ok::<UpdateAccountPasswordPolicy>(policy).await;
    stage.call::<ChangePassword>(&caller, request).await.unwrap();
    let deny = MAY_CHANGE.replace("Allow", "Deny");
    stage.ok::<haechi_iam_model::ops::PutUserPolicy>(put("alice", "deny", &deny)).await;
    let key = stage.create_key("alice").await;
    let caller = Arc::clone(&stage.credential(&key.access_key_id).await.unwrap().caller);
    let request = change("Another-Horse-2", "Third-Horse-3");
    let denied = stage.refused_to::<ChangePassword>(&caller, request).await;
    assert!(denied.1.contains("explicit deny"), "{}", denied.1);
}

#[tokio::test]
async fn users_who_may_change_their_passwords_may_see_what_is_asked_of_them() {
    let stage = Stage::new().await;
    let caller = alice(&stage, &[]).await;
    let policy = |lets: bool| UpdateAccountPasswordPolicyRequest {
        allow_users_to_change_password: Some(lets),
        ..Default::default()
    };
    stage.ok::<UpdateAccountPasswordPolicy>(policy(false)).await;
    let denied = stage.refused_to::<GetAccountPasswordPolicy>(&caller, Unit).await;
    assert_eq!(denied.0, "AccessDenied");
    stage.ok::<UpdateAccountPasswordPolicy>(policy(true)).await;
    let shown = stage.call::<GetAccountPasswordPolicy>(&caller, Unit).await.unwrap();
    assert_eq!(shown.password_policy.allow_users_to_change_password, Some(true));
    let deny = MAY_CHANGE.replace("Allow", "Deny").replace("ChangePassword", "Get*");
    let deny = deny.replace("arn:aws:iam::*:user/${aws:username}", "*");
    stage.put_policy("alice", "deny", &deny).await;
    let key = stage.create_key("alice").await;
    let caller = Arc::clone(&stage.credential(&key.access_key_id).await.unwrap().caller);
    let denied = stage.refused_to::<GetAccountPasswordPolicy>(&caller, Unit).await;
    assert!(denied.1.contains("explicit deny"), "{}", denied.1);
}

#[tokio::test]
async fn passwords_of_before_are_refused_as_far_back_as_the_policy_says() {
    let stage = Stage::new().await;
    alice(&stage, &[]).await;
    stage.ok::<UpdateLoginProfile>(update("Second-Horse-2")).await;
    stage.ok::<UpdateLoginProfile>(update("Third-Horse-3")).await;
    let policy = UpdateAccountPasswordPolicyRequest {
        password_reuse_prevention: Some(2),
        ..Default::default()
    };
    stage.ok::<UpdateAccountPasswordPolicy>(policy).await;
    for known in ["Third-Horse-3", "Second-Horse-2"] {
        let refused = stage.refused::<UpdateLoginProfile>(update(known)).await;
        assert_eq!(refused.0, "PasswordPolicyViolation", "{known}");
        assert!(refused.1.contains("reuse prevention"), "{}", refused.1);
    }
    stage.ok::<UpdateLoginProfile>(update(FIRST)).await;
}

#[tokio::test]
async fn the_password_policy_is_shown_as_it_was_set_and_defaults_come_back() {
    let stage = Stage::new().await;
    let message = "The Password Policy with domain name 123456789012 cannot be found.";
    let missing = told("NoSuchEntity", message);
    assert_eq!(stage.refused::<GetAccountPasswordPolicy>(Unit).await, missing);
    let request = UpdateAccountPasswordPolicyRequest {
        minimum_password_length: Some(14),
        require_symbols: Some(true),
        max_password_age: Some(90),
        ..Default::default()
    };
    stage.ok::<UpdateAccountPasswordPolicy>(request).await;
    let shown = stage.ok::<GetAccountPasswordPolicy>(Unit).await.password_policy;
    assert_eq!(shown.minimum_password_length, Some(14));
    assert_eq!((shown.require_symbols, shown.require_numbers), (Some(true), Some(false)));
    assert_eq!((shown.expire_passwords, shown.max_password_age), (Some(true), Some(90)));
    assert_eq!(shown.password_reuse_prevention, None);
    // What the next request leaves out is not kept.
    stage.ok::<UpdateAccountPasswordPolicy>(Default::default()).await;
    let shown = stage.ok::<GetAccountPasswordPolicy>(Unit).await.password_policy;
    assert_eq!((shown.minimum_password_length, shown.expire_passwords), (Some(6), Some(false)));
    stage.ok::<DeleteAccountPasswordPolicy>(Unit).await;
    let gone = "The account policy with name PasswordPolicy cannot be found.";
    let refused = stage.refused::<DeleteAccountPasswordPolicy>(Unit).await;
    assert_eq!(refused, told("NoSuchEntity", gone));
}

#[tokio::test]
async fn nobody_sets_passwords_without_permission() {
    let stage = Stage::new().await;
    stage.create_user("alice").await;
    let mallory = stage.kit.user(ACCOUNT, "mallory", &[]);
    let refused = stage.refused_to::<CreateLoginProfile>(&mallory, login("alice", FIRST)).await;
    assert_eq!(refused.0, "AccessDenied");
    let request = UpdateAccountPasswordPolicyRequest::default();
    let refused = stage.refused_to::<UpdateAccountPasswordPolicy>(&mallory, request).await;
    assert_eq!(refused.0, "AccessDenied");
}

/// Also in what is stored: not the password, not in any encoding that a search would find.
#[tokio::test]
async fn a_password_is_nowhere_in_the_store() {
    let stage = Stage::new().await;
    alice(&stage, &[]).await;
    let all = haechi_store::Range::prefix("/");
    let rows = stage.kit.database.store().range(all, 0, None).await.unwrap().kvs;
    assert!(rows.len() > 4);
    for row in rows {
        let bytes = row.value.as_bytes();
        assert!(!bytes.windows(FIRST.len()).any(|window| window == FIRST.as_bytes()));
    }
}
