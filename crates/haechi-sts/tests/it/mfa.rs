//! One-time passwords: they count for the call and for the session that it makes, and not beyond.

use std::collections::HashMap;
use std::sync::Arc;

use haechi_core::{Ask, Caller, Identities, NoContext};
use haechi_iam::Iam;
use haechi_iam_model::ops::{CreateRole, CreateUser, PutUserPolicy};
use haechi_iam_model::shapes as iam;
use haechi_policy::{Principal, ResourceRule};
use haechi_sts::{KeySets, Sts, WebIdentity};
use haechi_sts_model::ops::{AssumeRole, GetCallerIdentity, GetSessionToken};
use haechi_sts_model::shapes::*;
use haechi_testkit::Kit;
use haechi_wire::{Problem, Protocol};

use crate::issuer::{Key, Known, Web};

const ACCOUNT: &str = "123456789012";
const SERIAL: &str = "arn:aws:iam::123456789012:mfa/alice";
const CODE: &str = "123456";
const RECENT: &str = r#"{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"*","Resource":"*",
    "Condition":{"Bool":{"aws:MultiFactorAuthPresent":"true"},
                 "NumericLessThan":{"aws:MultiFactorAuthAge":"300"}}}}"#;
const TRUST: &str = r#"{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"sts:AssumeRole",
    "Principal":{"AWS":"arn:aws:iam::123456789012:user/alice"},
    "Condition":{"Bool":{"aws:MultiFactorAuthPresent":"true"}}}}"#;

struct Stage {
    kit: Kit,
    iam: Arc<Iam>,
    sts: Sts,
    alice: Arc<Caller>,
}

impl Stage {
    /// Alice, who may do everything with a fresh one-time password, and a role that asks for one.
    async fn new() -> Stage {
        let kit = Kit::new().await;
        let iam = Arc::new(Iam::new(kit.database.clone(), kit.env.clone()));
        let key_sets = Arc::new(KeySets::new(Web::of(&Key::new("k")), HashMap::new()));
        let web_identity = WebIdentity { key_sets, wall: kit.env.clock.clone() };
        let known = Known::for_user("");
        let root = kit.root(ACCOUNT);
        let user_name = "alice".to_owned();
        let request = iam::CreateUserRequest { user_name: user_name.clone(), ..Default::default() };
        let user = kit.call::<CreateUser, _>(&*iam, &root, request).await.unwrap().user.unwrap();
        *known.user_id.lock().unwrap() = user.user_id.clone();
        let put = iam::PutUserPolicyRequest {
            user_name,
            policy_name: "mfa".to_owned(),
            policy_document: RECENT.to_owned(),
        };
        kit.call::<PutUserPolicy, _>(&*iam, &root, put).await.unwrap();
        let role = iam::CreateRoleRequest {
            role_name: "r".to_owned(),
            assume_role_policy_document: TRUST.to_owned(),
            ..Default::default()
        };
        kit.call::<CreateRole, _>(&*iam, &root, role).await.unwrap();
        let mut alice = Caller::anonymous();
        let arn = user.arn;
        alice.principal =
            Principal::User { arn, unique_id: user.user_id.clone(), account: ACCOUNT.to_owned() };
        (alice.account, alice.user_id) = (ACCOUNT.parse().unwrap(), user.user_id);
        alice.user_name = Some("alice".to_owned());
        let sts = Sts::new(kit.database.clone(), iam.clone()).with_evidence(known, web_identity);
        Stage { kit, iam, sts, alice: Arc::new(alice) }
    }

    async fn session(
        &self,
        serial: Option<&str>,
        code: Option<&str>,
    ) -> Result<Arc<Caller>, Problem> {
        let request = GetSessionTokenRequest {
            serial_number: serial.map(str::to_owned),
            token_code: code.map(str::to_owned),
            ..Default::default()
        };
        let answer = self.kit.call::<GetSessionToken, _>(&self.sts, &self.alice, request).await?;
        Ok(self.caller(&answer.credentials.unwrap()).await)
    }

    async fn caller(&self, credentials: &Credentials) -> Arc<Caller> {
        let token = Some(credentials.session_token.as_str());
        let found = self.iam.credential(&credentials.access_key_id, token).await.unwrap();
        Arc::clone(&found.unwrap().caller)
    }

    async fn assume(
        &self,
        caller: &Arc<Caller>,
        code: Option<&str>,
    ) -> Result<AssumeRoleResponse, Problem> {
        let request = AssumeRoleRequest {
            role_arn: "arn:aws:iam::123456789012:role/r".to_owned(),
            role_session_name: "work".to_owned(),
            serial_number: code.map(|_| SERIAL.to_owned()),
            token_code: code.map(str::to_owned),
            ..Default::default()
        };
        self.kit.call::<AssumeRole, _>(&self.sts, caller, request).await
    }

    fn may(&self, caller: &Arc<Caller>) -> bool {
        let cx = self.kit.cx::<GetCallerIdentity>(caller);
        let (action, resource, resource_account) = ("kms:ListKeys", "*", ACCOUNT);
        let (policy, rule) = (None, ResourceRule::Union);
        let ask = Ask { action, resource, resource_account, policy, rule, context: &NoContext };
        cx.authorize(&ask).is_ok()
    }
}

#[tokio::test]
async fn a_session_with_a_code_may_what_needs_one_until_the_code_is_too_old() {
    let stage = Stage::new().await;
    let plain = stage.session(None, None).await.unwrap();
    assert!(!stage.may(&plain));
    assert_eq!(plain.session.as_ref().unwrap().mfa, None);
    let strong = stage.session(Some(SERIAL), Some(CODE)).await.unwrap();
    assert_eq!(strong.session.as_ref().unwrap().mfa, Some(stage.kit.env.now()));
    assert!(stage.may(&strong));
    stage.kit.clock.advance(299);
    assert!(stage.may(&strong));
    stage.kit.clock.advance(1);
    assert!(!stage.may(&strong));
}

#[tokio::test]
async fn a_wrong_code_or_device_and_half_of_both_are_refused_in_the_words_of_aws() {
    let stage = Stage::new().await;
    let told = async |serial: Option<&str>, code: Option<&str>| {
        let problem = stage.session(serial, code).await.err().expect("a refusal");
        assert_eq!(problem.code(Protocol::Query), "AccessDenied");
        problem.message()
    };
    let wrong = told(Some(SERIAL), Some("000000")).await;
    assert_eq!(wrong, "MultiFactorAuthentication failed with invalid MFA one time pass code. ");
    let device = told(Some("arn:aws:iam::123456789012:mfa/bob"), Some(CODE)).await;
    assert!(device.contains("unable to validate MFA code."), "{device}");
    for half in [told(Some(SERIAL), None).await, told(None, Some(CODE)).await] {
        assert!(half.contains("must provide both MFA serial number and one time pass code."));
    }
}

#[tokio::test]
async fn a_role_that_asks_for_a_code_takes_it_with_the_call_or_from_the_session() {
    let stage = Stage::new().await;
    let refused = stage.assume(&stage.alice, None).await.err().unwrap();
    assert!(refused.message().contains("is not authorized to perform: sts:AssumeRole"));
    let answer = stage.assume(&stage.alice, Some(CODE)).await.unwrap();
    // As documented: a session of AssumeRole tells nothing of the code that opened it.
    let session = stage.caller(&answer.credentials.unwrap()).await;
    assert_eq!(session.session.as_ref().unwrap().mfa, None);
    let plain = stage.session(None, None).await.unwrap();
    assert!(stage.assume(&plain, None).await.is_err());
    assert!(stage.assume(&plain, Some(CODE)).await.is_ok());
    let strong = stage.session(Some(SERIAL), Some(CODE)).await.unwrap();
    assert!(stage.assume(&strong, None).await.is_ok());
}
