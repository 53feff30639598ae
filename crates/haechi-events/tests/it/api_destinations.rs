//! Connections, and events on their way to API destinations.

use haechi_events::Unreached;
use haechi_events_model::ops::*;
use haechi_events_model::shapes::*;
use haechi_testkit::told;
use haechi_wire::SecretString;

use super::{ACCOUNT, DEAD, Fixture};

const INVOKE: &str = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow",
    "Action":"events:InvokeApiDestination","Resource":"*"}]}"#;

fn secret(text: &str) -> SecretString {
    SecretString(text.to_owned())
}

fn role() -> String {
    format!("arn:aws:iam::{ACCOUNT}:role/invoke")
}

fn api_key() -> CreateConnectionRequest {
    let key = CreateConnectionApiKeyAuthRequestParameters {
        api_key_name: "X-Key".to_owned(),
        api_key_value: secret("hunter2"),
    };
    let added = ConnectionHttpParameters {
        header_parameters: Some(vec![
            ConnectionHeaderParameter {
                key: Some("X-Secret".to_owned()),
                value: Some(secret("hidden")),
                is_value_secret: Some(true),
            },
            ConnectionHeaderParameter {
                key: Some("X-Open".to_owned()),
                value: Some(secret("shown")),
                is_value_secret: Some(false),
            },
        ]),
        ..Default::default()
    };
    CreateConnectionRequest {
        name: "c".to_owned(),
        authorization_type: ConnectionAuthorizationType::ApiKey,
        auth_parameters: CreateConnectionAuthRequestParameters {
            api_key_auth_parameters: Some(key),
            invocation_http_parameters: Some(added),
            ..Default::default()
        },
        ..Default::default()
    }
}

fn oauth() -> CreateConnectionRequest {
    let client = CreateConnectionOAuthClientRequestParameters {
        client_id: "id".to_owned(),
        client_secret: secret("s"),
    };
    let oauth = CreateConnectionOAuthRequestParameters {
        client_parameters: client,
        authorization_endpoint: "https://tokens.example/".to_owned(),
        http_method: ConnectionOAuthHttpMethod::Post,
        o_auth_http_parameters: None,
    };
    CreateConnectionRequest {
        name: "c".to_owned(),
        authorization_type: ConnectionAuthorizationType::OauthClientCredentials,
        auth_parameters: CreateConnectionAuthRequestParameters {
            o_auth_parameters: Some(oauth),
            ..Default::default()
        },
        ..Default::default()
    }
}

impl Fixture {
    async fn connect(&self, input: CreateConnectionRequest) -> CreateConnectionResponse {
        self.kit.call::<CreateConnection, _>(&*self.events, &self.root, input).await.unwrap()
    }

    async fn connection(&self) -> DescribeConnectionResponse {
        let input = DescribeConnectionRequest { name: "c".to_owned() };
        self.kit.call::<DescribeConnection, _>(&*self.events, &self.root, input).await.unwrap()
    }

    /// A destination of the connection, a role that may invoke it, and a rule with it as target.
    async fn destination(&self, connection: CreateConnectionResponse, rate: Option<i32>) -> String {
        let input = CreateApiDestinationRequest {
            name: "d".to_owned(),
            connection_arn: connection.connection_arn.unwrap(),
            invocation_endpoint: "https://hooks.example/*".to_owned(),
            http_method: ApiDestinationHttpMethod::Post,
            invocation_rate_limit_per_second: rate,
            ..Default::default()
        };
        let made = self.kit.call::<CreateApiDestination, _>(&*self.events, &self.root, input).await;
        let arn = made.unwrap().api_destination_arn.unwrap();
        let may = self.kit.user(ACCOUNT, "invoke", &[INVOKE]);
        self.roles.0.lock().unwrap().insert(role(), may);
        self.rule("rule", vec![target(&arn)]).await;
        arn
    }

    async fn pass(&self, seconds: i64) {
        for _ in 0..seconds {
            self.kit.clock.advance(1);
            self.kit.jobs.run_due().await.unwrap();
        }
    }
}

fn target(arn: &str) -> Target {
    Target {
        id: "t".to_owned(),
        arn: arn.to_owned(),
        role_arn: Some(role()),
        dead_letter_config: Some(DeadLetterConfig { arn: Some(DEAD.to_owned()) }),
        http_parameters: Some(HttpParameters {
            path_parameter_values: Some(vec!["$.detail.id".to_owned()]),
            ..Default::default()
        }),
        ..Default::default()
    }
}

const HOOK: &str = "POST https://hooks.example/7";
const TOKENS: &str = "POST https://tokens.example/";

#[tokio::test]
async fn a_connection_shows_parameters_of_invocations_only_where_some_were_given() {
    let fixture = Fixture::new().await;
    let mut input = api_key();
    input.auth_parameters.invocation_http_parameters = None;
    fixture.connect(input).await;
    let shown = fixture.connection().await.auth_parameters.unwrap();
    assert!(shown.invocation_http_parameters.is_none());
    let mut input = api_key();
    input.name = "empty".to_owned();
    input.auth_parameters.invocation_http_parameters = Some(ConnectionHttpParameters::default());
    fixture.connect(input).await;
    let request = DescribeConnectionRequest { name: "empty".to_owned() };
    let call = fixture.kit.call::<DescribeConnection, _>(&*fixture.events, &fixture.root, request);
    let shown = call.await.unwrap().auth_parameters.unwrap();
    assert!(shown.invocation_http_parameters.is_some());
}

#[tokio::test]
async fn what_a_connection_authorises_with_is_in_its_secret_and_not_shown() {
    let fixture = Fixture::new().await;
    let made = fixture.connect(api_key()).await;
    assert_eq!(made.connection_state, Some(ConnectionState::Authorized));
    let text = fixture.vault.only();
    assert!(text.contains("hunter2") && text.contains("hidden"), "{text}");
    let shown = fixture.connection().await;
    let secret_arn = shown.secret_arn.unwrap();
    assert!(secret_arn.contains(":secret:events!connection/c/"), "{secret_arn}");
    let shown = shown.auth_parameters.unwrap();
    let key = shown.api_key_auth_parameters.unwrap().api_key_name;
    assert_eq!(key.as_deref(), Some("X-Key"));
    let headers = shown.invocation_http_parameters.unwrap().header_parameters.unwrap();
    let values: Vec<Option<&str>> =
        headers.iter().map(|header| header.value.as_ref().map(|value| value.0.as_str())).collect();
    assert_eq!(values, [None, Some("shown")]);
    // Nor is it in the records, however they are sealed.
    let again = fixture.kit.call::<CreateConnection, _>(&*fixture.events, &fixture.root, api_key());
    let (code, message) = told(&again.await.err().unwrap());
    assert_eq!(
        (code, &*message),
        ("ResourceAlreadyExistsException", "Connection c already exists.")
    );
    assert!(!fixture.vault.only().is_empty(), "one secret still");
}

#[tokio::test]
async fn a_change_keeps_what_it_does_not_name() {
    let fixture = Fixture::new().await;
    fixture.connect(api_key()).await;
    let key = UpdateConnectionApiKeyAuthRequestParameters {
        api_key_value: Some(secret("new")),
        ..Default::default()
    };
    let input = UpdateConnectionRequest {
        name: "c".to_owned(),
        auth_parameters: Some(UpdateConnectionAuthRequestParameters {
            api_key_auth_parameters: Some(key),
            ..Default::default()
        }),
        ..Default::default()
    };
    let (kit, root) = (&fixture.kit, &fixture.root);
    kit.call::<UpdateConnection, _>(&*fixture.events, root, input).await.unwrap();
    let text = fixture.vault.only();
    assert!(text.contains(r#""api_key_name":"X-Key","api_key_value":"new""#), "{text}");
    assert!(text.contains("hidden"), "{text}");
    let other = UpdateConnectionRequest {
        name: "c".to_owned(),
        authorization_type: Some(ConnectionAuthorizationType::Basic),
        ..Default::default()
    };
    let refused = kit.call::<UpdateConnection, _>(&*fixture.events, root, other).await;
    assert_eq!(told(&refused.err().unwrap()).0, "ValidationException");
    let input = DeauthorizeConnectionRequest { name: "c".to_owned() };
    kit.call::<DeauthorizeConnection, _>(&*fixture.events, root, input).await.unwrap();
    assert!(fixture.vault.kept.lock().unwrap().is_empty());
    let shown = fixture.connection().await;
    assert_eq!(shown.connection_state, Some(ConnectionState::Deauthorized));
    assert!(shown.secret_arn.is_none() && shown.auth_parameters.is_none());
}

#[tokio::test]
async fn a_caller_who_may_make_no_secret_makes_no_connection() {
    let fixture = Fixture::new().await;
    *fixture.vault.is_closed.lock().unwrap() = true;
    let made = fixture.kit.call::<CreateConnection, _>(&*fixture.events, &fixture.root, api_key());
    assert_eq!(told(&made.await.err().unwrap()).0, "AccessDeniedException");
    let input = DescribeConnectionRequest { name: "c".to_owned() };
    let found = fixture.kit.call::<DescribeConnection, _>(&*fixture.events, &fixture.root, input);
    assert_eq!(told(&found.await.err().unwrap()).0, "ResourceNotFoundException");
}

#[tokio::test]
async fn the_secret_of_a_connection_that_never_came_to_be_is_removed_and_no_other() {
    let fixture = Fixture::new().await;
    *fixture.vault.is_deadly.lock().unwrap() = true;
    let made = fixture.kit.call::<CreateConnection, _>(&*fixture.events, &fixture.root, api_key());
    let crashed = tokio::time::timeout(std::time::Duration::from_millis(50), made).await;
    assert!(crashed.is_err());
    let orphan = fixture.vault.kept.lock().unwrap().keys().next().unwrap().clone();
    *fixture.vault.is_deadly.lock().unwrap() = false;
    // Made anew, under the same name.
    fixture.connect(api_key()).await;
    assert_eq!(fixture.vault.kept.lock().unwrap().len(), 2);
    fixture.kit.clock.advance(599);
    fixture.kit.jobs.run_due().await.unwrap();
    assert!(fixture.vault.kept.lock().unwrap().contains_key(&orphan));
    fixture.kit.clock.advance(3600);
    fixture.kit.jobs.run_due().await.unwrap();
    let left: Vec<String> = fixture.vault.kept.lock().unwrap().keys().cloned().collect();
    assert_eq!(left.len(), 1);
    assert_eq!(fixture.connection().await.secret_arn.as_ref(), left.first());
    assert_ne!(left.first(), Some(&orphan));
}

#[tokio::test]
async fn an_endpoint_gets_an_event_with_the_connection_s_key() {
    let fixture = Fixture::new().await;
    let connection = fixture.connect(api_key()).await;
    fixture.destination(connection, None).await;
    fixture.put(r#"{"id": 7}"#).await;
    {
        let got = fixture.web.got.lock().unwrap();
        let sent = &got[0];
        assert!(sent.headers.iter().any(|(name, value)| name == "X-Key" && **value == "hunter2"));
        assert!(sent.body.contains(r#""detail":{"id":7}"#), "{}", *sent.body);
    }
    assert_eq!(fixture.web.sent(), [HOOK]);
}

#[tokio::test]
async fn a_role_that_may_not_invoke_it_makes_a_dead_letter() {
    let fixture = Fixture::new().await;
    let connection = fixture.connect(api_key()).await;
    fixture.destination(connection, None).await;
    let nobody = fixture.kit.user(ACCOUNT, "nobody", &[]);
    fixture.roles.0.lock().unwrap().insert(role(), nobody);
    fixture.put(r#"{"id": 7}"#).await;
    assert!(fixture.web.sent().is_empty());
    let got = std::mem::take(&mut *fixture.queues.got.lock().unwrap());
    let letter = &got[0].2.attributes;
    assert_eq!(letter["ERROR_CODE"], "NO_PERMISSIONS");
    assert!(letter["ERROR_MESSAGE"].contains("events:InvokeApiDestination"), "{letter:?}");
}

#[tokio::test]
async fn what_may_pass_is_tried_again_when_the_endpoint_says_and_the_rest_is_given_up() {
    let fixture = Fixture::new().await;
    let connection = fixture.connect(api_key()).await;
    fixture.destination(connection, None).await;
    fixture.web.answer(503, Some(20));
    fixture.web.answers.lock().unwrap().push_back(Err(Unreached::TimeOut));
    fixture.put(r#"{"id": 7}"#).await;
    assert_eq!(fixture.web.sent(), [HOOK]);
    fixture.pass(19).await;
    assert!(fixture.web.sent().is_empty(), "not before it wants to be asked");
    fixture.pass(1).await;
    assert_eq!(fixture.web.sent(), [HOOK]);
    fixture.pass(10).await;
    assert_eq!(fixture.web.sent(), [HOOK], "and after the time-out");
    fixture.web.answer(404, None);
    fixture.put(r#"{"id": 7}"#).await;
    let got = std::mem::take(&mut *fixture.queues.got.lock().unwrap());
    let letter = &got[0].2.attributes;
    assert_eq!(letter["ERROR_CODE"], "ERROR_FROM_TARGET");
    assert_eq!(letter["RETRY_ATTEMPTS"], "0");
}

#[tokio::test]
async fn an_endpoint_is_not_asked_more_often_than_it_is_to_be() {
    let fixture = Fixture::new().await;
    let connection = fixture.connect(api_key()).await;
    fixture.destination(connection, Some(2)).await;
    for _ in 0..5 {
        fixture.put(r#"{"id": 7}"#).await;
    }
    assert_eq!(fixture.web.sent().len(), 2);
    fixture.pass(1).await;
    assert_eq!(fixture.web.sent().len(), 2);
    fixture.pass(2).await;
    assert_eq!(fixture.web.sent().len(), 1, "and none is lost");
}

#[tokio::test]
async fn a_token_is_fetched_once_and_again_when_it_is_refused() {
    let fixture = Fixture::new().await;
    let connection = fixture.connect(oauth()).await;
    assert_eq!(connection.connection_state, Some(ConnectionState::Authorizing));
    // Recorded: it is there before the token has come.
    assert!(fixture.connection().await.last_authorized_time.is_some());
    fixture.kit.jobs.run_due().await.unwrap();
    assert_eq!(fixture.connection().await.connection_state, Some(ConnectionState::Authorized));
    assert_eq!(fixture.web.sent(), [TOKENS]);
    fixture.destination(connection, None).await;
    fixture.put(r#"{"id": 7}"#).await;
    fixture.put(r#"{"id": 7}"#).await;
    assert_eq!(fixture.web.sent(), [HOOK, HOOK]);
    fixture.web.answer(401, None);
    fixture.put(r#"{"id": 7}"#).await;
    fixture.pass(5).await;
    assert_eq!(fixture.web.sent(), [HOOK, TOKENS, HOOK]);
}

#[tokio::test]
async fn a_connection_that_gets_no_token_is_not_authorised_and_says_why() {
    let fixture = Fixture::new().await;
    fixture.web.answer(403, None);
    let connection = fixture.connect(oauth()).await;
    fixture.kit.jobs.run_due().await.unwrap();
    let shown = fixture.connection().await;
    assert_eq!(shown.connection_state, Some(ConnectionState::Deauthorized));
    assert_eq!(shown.state_reason.as_deref(), Some("The authorization endpoint answered 403."));
    fixture.destination(connection, None).await;
    let input = DescribeApiDestinationRequest { name: "d".to_owned() };
    let shown =
        fixture.kit.call::<DescribeApiDestination, _>(&*fixture.events, &fixture.root, input);
    let state = shown.await.unwrap().api_destination_state;
    assert_eq!(state, Some(ApiDestinationState::Inactive));
    let input = UpdateConnectionRequest { name: "c".to_owned(), ..Default::default() };
    fixture.kit.call::<UpdateConnection, _>(&*fixture.events, &fixture.root, input).await.unwrap();
    fixture.kit.jobs.run_due().await.unwrap();
    assert_eq!(fixture.connection().await.connection_state, Some(ConnectionState::Authorized));
}

#[tokio::test]
async fn a_target_needs_a_role_and_an_endpoint_https() {
    let fixture = Fixture::new().await;
    let connection = fixture.connect(api_key()).await;
    let arn = fixture.destination(connection.clone(), None).await;
    let without = Target { role_arn: None, ..target(&arn) };
    let targets = vec![without];
    let input = PutTargetsRequest { rule: "rule".to_owned(), targets, ..Default::default() };
    let refused = fixture.kit.call::<PutTargets, _>(&*fixture.events, &fixture.root, input).await;
    let (code, message) = told(&refused.err().unwrap());
    assert_eq!(code, "ValidationException");
    assert_eq!(message, format!("RoleArn is required for target {arn}."));
    let input = CreateApiDestinationRequest {
        name: "plain".to_owned(),
        connection_arn: connection.connection_arn.unwrap(),
        invocation_endpoint: "http://hooks.example/".to_owned(),
        ..Default::default()
    };
    let made = fixture.kit.call::<CreateApiDestination, _>(&*fixture.events, &fixture.root, input);
    assert_eq!(told(&made.await.err().unwrap()).0, "ValidationException");
}
