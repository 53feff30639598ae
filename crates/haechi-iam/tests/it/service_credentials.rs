//! Service-specific credentials: kept, told, and nothing that anybody signs in with.

use haechi_iam_model::ops::{
    CreateServiceSpecificCredential, DeleteServiceSpecificCredential, DeleteUser,
    ListServiceSpecificCredentials, ResetServiceSpecificCredential,
    UpdateServiceSpecificCredential, UpdateUser,
};
use haechi_iam_model::shapes::{
    CreateServiceSpecificCredentialRequest, DeleteServiceSpecificCredentialRequest,
    DeleteUserRequest, ListServiceSpecificCredentialsRequest,
    ResetServiceSpecificCredentialRequest, ServiceSpecificCredential,
    ServiceSpecificCredentialMetadata, StatusType, UpdateServiceSpecificCredentialRequest,
    UpdateUserRequest,
};

use crate::cast::{ACCOUNT, Stage, told};

const COMMIT: &str = "codecommit.amazonaws.com";

fn of(service: &str) -> CreateServiceSpecificCredentialRequest {
    CreateServiceSpecificCredentialRequest {
        user_name: "alice".to_owned(),
        service_name: service.to_owned(),
        credential_age_days: None,
    }
}

async fn create(stage: &Stage) -> ServiceSpecificCredential {
    let created = stage.ok::<CreateServiceSpecificCredential>(of(COMMIT)).await;
    created.service_specific_credential.unwrap()
}

fn list(user: Option<&str>) -> ListServiceSpecificCredentialsRequest {
    ListServiceSpecificCredentialsRequest {
        user_name: user.map(str::to_owned),
        all_users: user.is_none().then_some(true),
        ..Default::default()
    }
}

async fn listed(stage: &Stage, user: Option<&str>) -> Vec<ServiceSpecificCredentialMetadata> {
    let answer = stage.ok::<ListServiceSpecificCredentials>(list(user)).await;
    answer.service_specific_credentials.unwrap()
}

fn reset(id: &str) -> ResetServiceSpecificCredentialRequest {
    ResetServiceSpecificCredentialRequest {
        user_name: Some("alice".to_owned()),
        service_specific_credential_id: id.to_owned(),
    }
}

#[tokio::test]
async fn a_credential_is_made_listed_switched_off_reset_and_deleted() {
    let stage = Stage::new().await;
    stage.create_user("alice").await;
    let made = create(&stage).await;
    assert!(made.service_specific_credential_id.starts_with("ACCA"));
    assert_eq!(made.service_user_name.as_deref(), Some("alice-at-123456789012"));
    let password = made.service_password.unwrap().0.clone();
    assert!(password.len() == 60 && password.ends_with('='));
    let id = made.service_specific_credential_id;
    let update = UpdateServiceSpecificCredentialRequest {
        user_name: Some("alice".to_owned()),
        service_specific_credential_id: id.clone(),
        status: StatusType::Inactive,
    };
    stage.ok::<UpdateServiceSpecificCredential>(update).await;
    let shown = listed(&stage, Some("alice")).await;
    assert_eq!((shown.len(), shown[0].status), (1, StatusType::Inactive));
    assert_eq!(listed(&stage, None).await.len(), 1);
    let renewed = stage.ok::<ResetServiceSpecificCredential>(reset(&id)).await;
    let renewed = renewed.service_specific_credential.unwrap();
    assert_ne!(renewed.service_password.unwrap().0, password);
    assert_eq!(
        (renewed.status, renewed.service_specific_credential_id),
        (StatusType::Inactive, id.clone())
    );
    let user = DeleteUserRequest { user_name: "alice".to_owned() };
    let held = "Cannot delete entity, must remove referenced objects first.";
    assert_eq!(stage.refused::<DeleteUser>(user.clone()).await, told("DeleteConflict", held));
    let delete = DeleteServiceSpecificCredentialRequest {
        user_name: Some("alice".to_owned()),
        service_specific_credential_id: id.clone(),
    };
    stage.ok::<DeleteServiceSpecificCredential>(delete.clone()).await;
    let gone = told("NoSuchEntity", &format!("No such credential {id} exists"));
    assert_eq!(stage.refused::<DeleteServiceSpecificCredential>(delete).await, gone);
    assert_eq!(stage.refused::<ResetServiceSpecificCredential>(reset(&id)).await, gone);
    stage.ok::<DeleteUser>(user).await;
}

#[tokio::test]
async fn its_name_stays_when_the_user_is_renamed() {
    let stage = Stage::new().await;
    stage.create_user("alice").await;
    create(&stage).await;
    let rename = UpdateUserRequest {
        user_name: "alice".to_owned(),
        new_user_name: Some("bob".to_owned()),
        new_path: None,
    };
    stage.ok::<UpdateUser>(rename).await;
    let shown = listed(&stage, Some("bob")).await;
    assert_eq!(shown[0].user_name, "bob");
    assert_eq!(shown[0].service_user_name.as_deref(), Some("alice-at-123456789012"));
}

#[tokio::test]
async fn a_user_has_two_for_a_service_under_two_names_and_none_for_others() {
    let stage = Stage::new().await;
    let nobody = told("NoSuchEntity", "The user with name alice cannot be found.");
    let refused = stage.refused::<CreateServiceSpecificCredential>(of("x")).await;
    assert_eq!(refused, nobody);
    stage.create_user("alice").await;
    create(&stage).await;
    let second = create(&stage).await;
    assert_eq!(second.service_user_name.as_deref(), Some("alice+1-at-123456789012"));
    let third = stage.refused::<CreateServiceSpecificCredential>(of(COMMIT)).await;
    let full = "Cannot exceed quota for ContextSpecificCredentialsPerUserPerContext: 2";
    assert_eq!(third, told("LimitExceeded", full));
    let unknown = told(
        "NoSuchEntity",
        "No such service lambda.amazonaws.com is supported for Service Specific Credentials",
    );
    let refused =
        stage.refused::<CreateServiceSpecificCredential>(of("lambda.amazonaws.com")).await;
    assert_eq!(refused, unknown);
}

#[tokio::test]
async fn services_have_their_names_in_any_case_and_lists_say_whether_there_is_more() {
    let stage = Stage::new().await;
    stage.create_user("alice").await;
    let made = stage.ok::<CreateServiceSpecificCredential>(of("CodeCommit.amazonaws.com")).await;
    assert_eq!(made.service_specific_credential.unwrap().service_name, COMMIT);
    for (service, count) in
        [("CODECOMMIT.amazonaws.com", 1), ("", 1), ("cassandra.amazonaws.com", 0)]
    {
        let service_name = Some(service.to_owned());
        let request = ListServiceSpecificCredentialsRequest { service_name, ..list(Some("alice")) };
        let found = stage.ok::<ListServiceSpecificCredentials>(request).await;
        assert_eq!(found.service_specific_credentials.unwrap().len(), count, "{service}");
        assert_eq!(found.is_truncated, Some(false));
    }
    let both =
        ListServiceSpecificCredentialsRequest { all_users: Some(true), ..list(Some("alice")) };
    let message = "Cannot list credentials for all users if a username is given";
    let refused = stage.refused::<ListServiceSpecificCredentials>(both).await;
    assert_eq!(refused, told("InvalidInput", message));
}

#[tokio::test]
async fn anothers_credential_is_not_the_users() {
    let stage = Stage::new().await;
    stage.create_user("alice").await;
    stage.create_user("bob").await;
    let id = create(&stage).await.service_specific_credential_id;
    let request =
        ResetServiceSpecificCredentialRequest { user_name: Some("bob".to_owned()), ..reset(&id) };
    let message = format!("User bob does not have a service specific credential with id {id}");
    let refused = stage.refused::<ResetServiceSpecificCredential>(request).await;
    assert_eq!(refused, told("ValidationError", &message));
}

#[tokio::test]
async fn policies_decide_by_the_service_and_age_of_a_credential() {
    let deny = |key: &str, test: &str, value: &str| {
        format!(
            r#"{{"Version":"2012-10-17","Statement":[
                {{"Effect":"Allow","Action":"*","Resource":"*"}},
                {{"Effect":"Deny","Action":"*","Resource":"*",
                  "Condition":{{"{test}":{{"iam:ServiceSpecificCredential{key}":"{value}"}}}}}}]}}"#
        )
    };
    let stage = Stage::new().await;
    stage.create_user("alice").await;
    let id = create(&stage).await.service_specific_credential_id;
    let carol = stage.kit.user(ACCOUNT, "carol", &[&deny("ServiceName", "StringEquals", COMMIT)]);
    let denied = async |service: &str| {
        let refused = stage.call::<CreateServiceSpecificCredential>(&carol, of(service)).await;
        refused.err().is_some_and(|problem| problem.message().contains("explicit deny"))
    };
    assert!(denied(COMMIT).await && denied("CodeCommit.amazonaws.com").await);
    assert!(!denied("cassandra.amazonaws.com").await);
    let user_name = Some("alice".to_owned());
    let refused = stage.refused_to::<ResetServiceSpecificCredential>(&carol, reset(&id)).await;
    assert_eq!(refused.0, "AccessDenied");
    let update = UpdateServiceSpecificCredentialRequest {
        user_name: user_name.clone(),
        service_specific_credential_id: id.clone(),
        status: StatusType::Inactive,
    };
    let refused = stage.refused_to::<UpdateServiceSpecificCredential>(&carol, update).await;
    assert_eq!(refused.0, "AccessDenied");
    let delete =
        DeleteServiceSpecificCredentialRequest { user_name, service_specific_credential_id: id };
    let refused = stage.refused_to::<DeleteServiceSpecificCredential>(&carol, delete).await;
    assert_eq!(refused.0, "AccessDenied");
    let dave = stage.kit.user(ACCOUNT, "dave", &[&deny("AgeDays", "NumericGreaterThan", "90")]);
    let long =
        CreateServiceSpecificCredentialRequest { credential_age_days: Some(91), ..of(COMMIT) };
    let refused = stage.refused_to::<CreateServiceSpecificCredential>(&dave, long).await;
    assert_eq!(refused.0, "AccessDenied");
}
