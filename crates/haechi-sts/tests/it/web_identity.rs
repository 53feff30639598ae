//! Tokens of identity providers open roles that trust them, and no others.

use std::collections::HashMap;
use std::sync::Arc;

use haechi_core::{Caller, Cx, Handle, Identities};
use haechi_iam::Iam;
use haechi_iam_model::ops::CreateRole;
use haechi_iam_model::shapes as iam;
use haechi_policy::Principal;
use haechi_sts::{FetchError, KeySets, Sts, WebIdentity};
use haechi_sts_model::ops::AssumeRoleWithWebIdentity;
use haechi_sts_model::shapes::*;
use haechi_testkit::Kit;
use haechi_wire::{Problem, Protocol, SecretString, Timestamp};
use serde_json::{Value, json};

use crate::issuer::{ISSUER, Key, Known, PROVIDER, Web};

const ROLE: &str = "arn:aws:iam::123456789012:role/r";
const SUBJECT: &str = "system:serviceaccount:shop:web";
const NO_KEY: &str = "Couldn't retrieve verification key from your identity provider,  please \
    reference AssumeRoleWithWebIdentity documentation for requirements";

struct Stage {
    kit: Kit,
    iam: Arc<Iam>,
    sts: Sts,
    key: Key,
    web: Arc<Web>,
    known: Arc<Known>,
    key_sets: Arc<KeySets>,
}

fn trust(actions: &str, condition: &str) -> String {
    format!(
        r#"{{"Version":"2012-10-17","Statement":{{"Effect":"Allow","Principal":{{"Federated":"{PROVIDER}"}},"Action":{actions},"Condition":{condition}}}}}"#
    )
}

fn plain() -> String {
    let condition = format!(
        r#"{{"StringEquals":{{"idp.example/realm:aud":"sts.amazonaws.com","idp.example/realm:sub":"{SUBJECT}"}}}}"#
    );
    trust(r#""sts:AssumeRoleWithWebIdentity""#, &condition)
}

impl Stage {
    async fn new(trust: &str) -> Stage {
        let kit = Kit::new().await;
        let iam = Arc::new(Iam::new(kit.database.clone(), kit.env.clone()));
        let (key, known) = (Key::new("one"), Known::new());
        let web = Web::of(&key);
        let key_sets = KeySets::new(web.clone(), HashMap::new());
        let key_sets = Arc::new(key_sets);
        let web_identity = WebIdentity { key_sets: key_sets.clone(), wall: kit.env.clock.clone() };
        let sts = Sts::new(kit.database.clone(), iam.clone());
        let sts = sts.with_evidence(known.clone(), web_identity);
        let request = iam::CreateRoleRequest {
            role_name: "r".to_owned(),
            assume_role_policy_document: trust.to_owned(),
            ..Default::default()
        };
        kit.call::<CreateRole, _>(&*iam, &kit.root("123456789012"), request).await.unwrap();
        Stage { kit, iam, sts, key, web, known, key_sets }
    }

    fn now(&self) -> i64 {
        self.kit.env.now().seconds()
    }

    fn claims(&self) -> Value {
        let now = self.now();
        json!({"iss": ISSUER, "sub": SUBJECT, "aud": ["sts.amazonaws.com"], "iat": now,
               "exp": now + 600, "repository": "org/shop", "kubernetes.io": {"namespace": "shop"}})
    }

    fn with(&self, name: &str, value: Value) -> String {
        let mut claims = self.claims();
        claims[name] = value;
        self.key.sign(&claims)
    }

    async fn outcome(
        &self,
        token: &str,
    ) -> (Cx, Result<AssumeRoleWithWebIdentityResponse, Problem>) {
        let input = AssumeRoleWithWebIdentityRequest {
            role_arn: ROLE.to_owned(),
            role_session_name: "pod".to_owned(),
            web_identity_token: SecretString(token.to_owned()),
            ..Default::default()
        };
        let cx = self.kit.cx::<AssumeRoleWithWebIdentity>(&Arc::new(Caller::anonymous()));
        let outcome = Handle::<AssumeRoleWithWebIdentity>::handle(&self.sts, &cx, input).await;
        (cx, outcome.map_err(Into::into))
    }

    async fn assumed(&self, token: &str) -> AssumeRoleWithWebIdentityResponse {
        self.outcome(token).await.1.unwrap()
    }

    async fn refused(&self, token: &str) -> (&'static str, String) {
        let problem = self.outcome(token).await.1.err().expect("a refusal");
        (problem.code(Protocol::Query), problem.message())
    }
}

fn denied(action: &str) -> (&'static str, String) {
    ("AccessDenied", format!("Not authorized to perform {action}"))
}

fn invalid(message: &str) -> (&'static str, String) {
    ("InvalidIdentityToken", message.to_owned())
}

#[tokio::test]
async fn a_token_that_the_role_trusts_opens_it() {
    let stage = Stage::new(&plain()).await;
    let (cx, answer) = stage.outcome(&stage.key.sign(&stage.claims())).await;
    let answer = answer.unwrap();
    assert_eq!(answer.subject_from_web_identity_token.as_deref(), Some(SUBJECT));
    assert_eq!(answer.audience.as_deref(), Some("sts.amazonaws.com"));
    assert_eq!(answer.provider.as_deref(), Some(PROVIDER));
    let user = answer.assumed_role_user.unwrap();
    assert_eq!(user.arn, "arn:aws:sts::123456789012:assumed-role/r/pod");
    let credentials = answer.credentials.unwrap();
    let token = Some(credentials.session_token.as_str());
    let session = stage.iam.credential(&credentials.access_key_id, token).await.unwrap().unwrap();
    assert_eq!(session.caller.arn(), user.arn);
    let federated = session.caller.session.as_ref().unwrap().federated_provider.as_deref();
    assert_eq!(federated, Some(PROVIDER));
    let recorded = cx.recorded_caller();
    assert_eq!(recorded.user_id, format!("{PROVIDER}:sts.amazonaws.com:{SUBJECT}"));
    assert_eq!(recorded.principal, Principal::Federated { provider: PROVIDER.to_owned() });
    assert_eq!(recorded.account.as_str(), "123456789012");
}

#[tokio::test]
async fn another_subject_or_audience_than_the_role_trusts_is_denied_without_a_reason() {
    let stage = Stage::new(&plain()).await;
    let denied = denied("sts:AssumeRoleWithWebIdentity");
    let subject = stage.with("sub", json!("system:serviceaccount:shop:db"));
    assert_eq!(stage.refused(&subject).await, denied);
    // The provider may vouch for it, the role does not trust it.
    assert_eq!(stage.refused(&stage.with("aud", json!("other"))).await, denied);
    let (cx, _) = stage.outcome(&subject).await;
    assert_eq!(cx.recorded_caller().user_name.as_deref(), Some("system:serviceaccount:shop:db"));
    assert_eq!(cx.noted()[0].arn, ROLE);
}

#[tokio::test]
async fn other_claims_are_condition_keys_too() {
    let condition = r#"{"StringLike":{"idp.example/realm:repository":"org/*"}}"#;
    let stage = Stage::new(&trust(r#""sts:AssumeRoleWithWebIdentity""#, condition)).await;
    stage.assumed(&stage.key.sign(&stage.claims())).await;
    let other = stage.with("repository", json!("evil/shop"));
    assert_eq!(stage.refused(&other).await.0, "AccessDenied");
    let mut claims = stage.claims();
    claims.as_object_mut().unwrap().remove("repository");
    claims["REPOSITORY"] = json!("evil/org");
    assert_eq!(stage.refused(&stage.key.sign(&claims)).await.0, "AccessDenied");
}

#[tokio::test]
async fn an_authorized_party_is_the_audience_where_there_is_one() {
    let stage = Stage::new(&plain()).await;
    let mut claims = stage.claims();
    (claims["azp"], claims["aud"]) = (json!("sts.amazonaws.com"), json!("account"));
    stage.assumed(&stage.key.sign(&claims)).await;
    let party = stage.with("azp", json!("stranger"));
    assert_eq!(stage.refused(&party).await, invalid("Incorrect token audience"));
}

#[tokio::test]
async fn what_is_wrong_with_a_token_is_told_in_the_words_of_aws() {
    let stage = Stage::new(&plain()).await;
    let now = stage.now();
    let told = stage.refused(&stage.with("exp", json!(now))).await;
    let words = format!(
        "Token expired: current date/time {now} must be before the expiration date/time {now}"
    );
    assert_eq!(told, ("ExpiredTokenException", words));
    let wrong = stage.with("aud", json!("kubernetes.default.svc"));
    assert_eq!(stage.refused(&wrong).await, invalid("Incorrect token audience"));
    assert_eq!(stage.refused(&stage.with("nbf", json!(now + 301))).await.0, "IDPRejectedClaim");
    let elsewhere = stage.with("iss", json!("https://idp.example"));
    let words = "No OpenIDConnect provider found in your account for https://idp.example";
    assert_eq!(stage.refused(&elsewhere).await, invalid(words));
    let plain = stage.with("iss", json!("idp.example/realm"));
    assert_eq!(stage.refused(&plain).await.0, "InvalidIdentityToken");
    for claim in ["iss", "sub", "aud", "exp"] {
        let mut claims = stage.claims();
        claims.as_object_mut().unwrap().remove(claim);
        let words = format!("Missing a required claim: {claim}");
        assert_eq!(stage.refused(&stage.key.sign(&claims)).await, invalid(&words));
    }
    let told = stage.refused("not.a.token").await;
    assert!(told.1.contains("is not a valid JWT"), "{told:?}");
}

#[tokio::test]
async fn a_token_signed_by_another_key_is_refused() {
    let stage = Stage::new(&plain()).await;
    let forged = Key::new("one").sign(&stage.claims());
    assert_eq!(stage.refused(&forged).await, invalid("The signature of the token is not valid"));
    let unknown = Key::new("two").sign(&stage.claims());
    assert_eq!(stage.refused(&unknown).await, invalid(NO_KEY));
}

#[tokio::test]
async fn tags_and_source_identity_of_a_token_need_to_be_allowed() {
    let tags = json!({"principal_tags": {"Team": ["shop"]}, "transitive_tag_keys": ["Team"]});
    let stage = Stage::new(&plain()).await;
    let token = stage.with("https://aws.amazon.com/tags", tags.clone());
    assert_eq!(stage.refused(&token).await, denied("sts:TagSession"));
    let named = stage.with("https://aws.amazon.com/source_identity", json!("alice"));
    assert_eq!(stage.refused(&named).await, denied("sts:SetSourceIdentity"));
    let malformed = stage.with("https://aws.amazon.com/tags", json!({"principal_tags": "x"}));
    assert_eq!(stage.refused(&malformed).await.0, "IDPRejectedClaim");

    let condition = r#"{"StringEquals":{"aws:RequestTag/Team":"shop"}}"#;
    let stage = Stage::new(&trust(r#""sts:*""#, condition)).await;
    let mut claims = stage.claims();
    claims["https://aws.amazon.com/tags"] = tags;
    claims["https://aws.amazon.com/source_identity"] = json!("alice");
    let answer = stage.assumed(&stage.key.sign(&claims)).await;
    assert_eq!(answer.source_identity.as_deref(), Some("alice"));
    let credentials = answer.credentials.unwrap();
    let token = Some(credentials.session_token.as_str());
    let session = stage.iam.credential(&credentials.access_key_id, token).await.unwrap().unwrap();
    assert_eq!(session.caller.tags, [("Team".to_owned(), "shop".to_owned())]);
    assert_eq!(session.caller.session.as_ref().unwrap().transitive_tags.len(), 1);
}

#[tokio::test]
async fn a_role_that_does_not_exist_and_one_that_does_not_trust_are_told_alike() {
    let stage = Stage::new(&plain().replace("sub", "amr")).await;
    let token = stage.key.sign(&stage.claims());
    let untrusted = stage.refused(&token).await;
    assert_eq!(untrusted, denied("sts:AssumeRoleWithWebIdentity"));
    let cx = stage.kit.cx::<AssumeRoleWithWebIdentity>(&Arc::new(Caller::anonymous()));
    let input = AssumeRoleWithWebIdentityRequest {
        role_arn: "arn:aws:iam::123456789012:role/none".to_owned(),
        role_session_name: "pod".to_owned(),
        web_identity_token: SecretString(token),
        ..Default::default()
    };
    let missing = Handle::<AssumeRoleWithWebIdentity>::handle(&stage.sts, &cx, input).await;
    let missing: Problem = missing.err().unwrap().into();
    assert_eq!((missing.code(Protocol::Query), missing.message()), untrusted);
}

#[tokio::test]
async fn keys_are_fetched_once_and_anew_for_a_key_id_that_is_new() {
    let stage = Stage::new(&plain()).await;
    for _ in 0..3 {
        stage.assumed(&stage.key.sign(&stage.claims())).await;
    }
    assert_eq!(stage.web.times(), 1);
    let next = Key::new("two");
    stage.web.keys.lock().unwrap().push(next.jwk());
    // Anybody can invent key ids: within half a minute nobody is asked again.
    stage.kit.clock.advance(29);
    assert_eq!(stage.refused(&next.sign(&stage.claims())).await, invalid(NO_KEY));
    assert_eq!(stage.web.times(), 1);
    stage.kit.clock.advance(1);
    stage.assumed(&next.sign(&stage.claims())).await;
    assert_eq!(stage.web.times(), 2);
    // A key that was withdrawn counts no more once the set is old.
    stage.web.keys.lock().unwrap().remove(0);
    stage.kit.clock.advance(15 * 60);
    assert_eq!(stage.refused(&stage.key.sign(&stage.claims())).await, invalid(NO_KEY));
    assert_eq!(stage.web.times(), 3);
}

#[tokio::test]
async fn a_provider_that_is_down_is_told_and_its_keys_count_for_an_hour() {
    let stage = Stage::new(&plain()).await;
    stage.web.fail(Some(FetchError::Unreachable("down".to_owned())));
    let told = stage.refused(&stage.key.sign(&stage.claims())).await;
    assert_eq!(told.0, "IDPCommunicationError");
    // A moment later nobody is asked: strangers cannot make callers wait for it.
    stage.web.fail(Some(FetchError::Untrusted));
    let told = stage.refused(&stage.key.sign(&stage.claims())).await;
    assert_eq!(told.0, "IDPCommunicationError");
    stage.kit.clock.advance(10);
    let told = stage.refused(&stage.key.sign(&stage.claims())).await;
    let words = "OpenIDConnect provider's HTTPS certificate doesn't match configured thumbprint";
    assert_eq!(told, invalid(words));
    stage.web.fail(None);
    stage.kit.clock.advance(10);
    stage.assumed(&stage.key.sign(&stage.claims())).await;
    stage.web.fail(Some(FetchError::Unreachable("down".to_owned())));
    stage.kit.clock.advance(59 * 60);
    stage.assumed(&stage.key.sign(&stage.claims())).await;
    stage.kit.clock.advance(60);
    let told = stage.refused(&stage.key.sign(&stage.claims())).await;
    assert_eq!(told.0, "IDPCommunicationError");
}

#[tokio::test]
async fn a_discovery_document_of_another_issuer_is_refused() {
    let stage = Stage::new(&plain()).await;
    stage.web.discovery.lock().unwrap()["issuer"] = json!("https://evil.example");
    assert_eq!(stage.refused(&stage.key.sign(&stage.claims())).await, invalid(NO_KEY));
}

#[tokio::test]
async fn keys_under_other_thumbprints_are_fetched_on_their_own() {
    let stage = Stage::new(&plain()).await;
    stage.assumed(&stage.key.sign(&stage.claims())).await;
    stage.known.provider.lock().unwrap().thumbprints = vec!["00".repeat(20)];
    stage.assumed(&stage.key.sign(&stage.claims())).await;
    assert_eq!(stage.web.times(), 2);
}

#[tokio::test]
async fn keys_that_are_forgotten_are_fetched_anew() {
    let stage = Stage::new(&plain()).await;
    stage.assumed(&stage.key.sign(&stage.claims())).await;
    // Another key under the same id: what is kept decides, until it is forgotten.
    let other = Key::new("one");
    *stage.web.keys.lock().unwrap() = vec![other.jwk()];
    stage.refused(&other.sign(&stage.claims())).await;
    stage.key_sets.forget();
    stage.assumed(&other.sign(&stage.claims())).await;
    assert_eq!(stage.web.times(), 2);
}

#[tokio::test]
async fn keys_given_by_the_operator_need_no_network() {
    let stage = Stage::new(&plain()).await;
    let set = json!({"keys": [stage.key.jwk()]}).to_string();
    let given =
        HashMap::from([(ISSUER.to_owned(), haechi_sts::KeySet::parse(set.as_bytes()).unwrap())]);
    stage.web.fail(Some(FetchError::Unreachable("no network".to_owned())));
    let wall: Arc<dyn haechi_core::Clock> = Arc::new(Timestamp::from_seconds(stage.now()));
    let key_sets = Arc::new(KeySets::new(stage.web.clone(), given));
    let web_identity = WebIdentity { key_sets, wall };
    let sts = Sts::new(stage.kit.database.clone(), stage.iam.clone());
    let sts = sts.with_evidence(stage.known.clone(), web_identity);
    let stage = Stage { sts, ..stage };
    stage.assumed(&stage.key.sign(&stage.claims())).await;
    let unknown = Key::new("two").sign(&stage.claims());
    assert_eq!(stage.refused(&unknown).await, invalid(NO_KEY));
}
