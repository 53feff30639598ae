//! Sessions of roles and users, with the real IAM behind.

use std::sync::Arc;

use haechi_core::{Ask, Caller, Credential, Handle, Identities, NoContext, Operation};
use haechi_iam::Iam;
use haechi_iam_model::ops::{
    AttachRolePolicy, CreatePolicy, CreateRole, CreateUser, DeleteRole, DeleteRolePolicy,
    DeleteUser, PutRolePermissionsBoundary, PutRolePolicy, PutUserPolicy,
};
use haechi_iam_model::shapes as iam;
use haechi_policy::{Principal, ResourceRule};
use haechi_sts::Sts;
use haechi_sts_model::ops::{AssumeRole, GetCallerIdentity, GetFederationToken, GetSessionToken};
use haechi_sts_model::shapes::*;
use haechi_testkit::Kit;
use haechi_wire::{Problem, Protocol};

const ACCOUNT: &str = "123456789012";
const OTHER: &str = "210987654321";
const ROLE: &str = "arn:aws:iam::123456789012:role/r";
const ALLOW_ALL: &str =
    r#"{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"*","Resource":"*"}}"#;
const LIST_KEYS: &str = r#"{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"kms:ListKeys","Resource":"*"}}"#;

struct Stage {
    kit: Kit,
    iam: Arc<Iam>,
    sts: Sts,
}

fn trust(principal: &str, condition: &str) -> String {
    format!(
        r#"{{"Version":"2012-10-17","Statement":{{"Effect":"Allow","Principal":{{"AWS":"{principal}"}},"Action":["sts:AssumeRole","sts:TagSession","sts:SetSourceIdentity"]{condition}}}}}"#
    )
}

fn assume(session_name: &str) -> AssumeRoleRequest {
    AssumeRoleRequest {
        role_arn: ROLE.to_owned(),
        role_session_name: session_name.to_owned(),
        ..Default::default()
    }
}

fn tag(key: &str, value: &str) -> Tag {
    Tag { key: key.to_owned(), value: value.to_owned() }
}

impl Stage {
    /// A role `r`, trusting whom `trust` names, that may do everything.
    async fn new(trust: &str) -> Stage {
        let kit = Kit::new().await;
        let iam = Arc::new(Iam::new(kit.database.clone(), kit.env.clone()));
        let sts = Sts::new(kit.database.clone(), iam.clone());
        let stage = Stage { kit, iam, sts };
        stage.role("r", trust).await;
        stage
    }

    async fn iam<Op: Operation>(&self, input: Op::Input) -> Op::Output
    where
        Iam: Handle<Op>,
    {
        self.kit.call::<Op, _>(&*self.iam, &self.kit.root(ACCOUNT), input).await.unwrap()
    }

    async fn role(&self, name: &str, trust: &str) -> iam::Role {
        let request = iam::CreateRoleRequest {
            role_name: name.to_owned(),
            assume_role_policy_document: trust.to_owned(),
            max_session_duration: Some(7200),
            tags: Some(vec![iam::Tag { key: "Team".to_owned(), value: "role".to_owned() }]),
            ..Default::default()
        };
        let role = self.iam::<CreateRole>(request).await.role;
        let put = iam::PutRolePolicyRequest {
            role_name: name.to_owned(),
            policy_name: "all".to_owned(),
            policy_document: ALLOW_ALL.to_owned(),
        };
        self.iam::<PutRolePolicy>(put).await;
        role
    }

    async fn sts<Op: Operation>(
        &self,
        caller: &Arc<Caller>,
        input: Op::Input,
    ) -> Result<Op::Output, Problem>
    where
        Sts: Handle<Op>,
    {
        self.kit.call::<Op, _>(&self.sts, caller, input).await
    }

    async fn refused<Op: Operation>(
        &self,
        caller: &Arc<Caller>,
        input: Op::Input,
    ) -> (String, String)
    where
        Sts: Handle<Op>,
    {
        let problem = self.sts::<Op>(caller, input).await.err().expect("a refusal");
        (problem.code(Protocol::Query).to_owned(), problem.message())
    }

    async fn assumed(&self, caller: &Arc<Caller>, input: AssumeRoleRequest) -> Credentials {
        self.sts::<AssumeRole>(caller, input).await.unwrap().credentials.unwrap()
    }

    async fn credential(&self, credentials: &Credentials) -> Option<Arc<Credential>> {
        let (id, token) = (&credentials.access_key_id, &credentials.session_token);
        self.iam.credential(id, Some(token)).await.unwrap()
    }

    async fn caller(&self, credentials: &Credentials) -> Arc<Caller> {
        self.credential(credentials).await.unwrap().caller.clone()
    }

    async fn may(&self, credentials: &Credentials, action: &str) -> bool {
        let cx = self.kit.cx::<GetCallerIdentity>(&self.caller(credentials).await);
        let (resource, resource_account) = ("*", ACCOUNT);
        let (policy, rule) = (None, ResourceRule::Union);
        let ask = Ask { action, resource, resource_account, policy, rule, context: &NoContext };
        cx.authorize(&ask).is_ok()
    }

    fn alice(&self) -> Arc<Caller> {
        self.kit.user(ACCOUNT, "alice", &[ALLOW_ALL])
    }
}

#[tokio::test]
async fn a_session_has_the_policies_and_the_name_of_its_role() {
    let stage = Stage::new(&trust(ACCOUNT, "")).await;
    let answer = stage.sts::<AssumeRole>(&stage.alice(), assume("work")).await.unwrap();
    let user = answer.assumed_role_user.unwrap();
    assert_eq!(user.arn, "arn:aws:sts::123456789012:assumed-role/r/work");
    assert!(answer.packed_policy_size.is_none());
    let credentials = answer.credentials.unwrap();
    assert!(credentials.access_key_id.starts_with("ASIA"));
    let credential = stage.credential(&credentials).await.unwrap();
    assert!(credential.secret.as_ref().unwrap().0 == credentials.secret_access_key.0);
    assert_eq!(credential.caller.arn(), user.arn);
    assert_eq!(credential.caller.user_id, user.assumed_role_id);
    assert!(stage.may(&credentials, "kms:CreateKey").await);
    let gone =
        iam::DeleteRolePolicyRequest { role_name: "r".to_owned(), policy_name: "all".to_owned() };
    stage.iam::<DeleteRolePolicy>(gone).await;
    assert!(!stage.may(&credentials, "kms:CreateKey").await);
}

#[tokio::test]
async fn the_trust_policy_decides_and_delegates_to_the_account_where_it_names_the_account() {
    let stage = Stage::new(&trust(ACCOUNT, "")).await;
    let denied = |who: &str| {
        let message =
            format!("User: {who} is not authorized to perform: sts:AssumeRole on resource: {ROLE}");
        ("AccessDenied".to_owned(), message)
    };
    let poor = stage.kit.user(ACCOUNT, "poor", &[]);
    assert_eq!(stage.refused::<AssumeRole>(&poor, assume("ss")).await, denied(poor.arn()));
    let stranger = stage.kit.user(OTHER, "eve", &[ALLOW_ALL]);
    assert_eq!(stage.refused::<AssumeRole>(&stranger, assume("ss")).await, denied(stranger.arn()));
    let missing = AssumeRoleRequest { role_arn: format!("{ROLE}-none"), ..assume("ss") };
    assert_eq!(stage.refused::<AssumeRole>(&stage.alice(), missing).await.0, "AccessDenied");
    let root = stage.kit.root(ACCOUNT);
    let refused = stage.refused::<AssumeRole>(&root, assume("ss")).await;
    assert_eq!(refused.1, "Roles may not be assumed by root accounts.");
}

#[tokio::test]
async fn another_account_that_is_trusted_still_needs_its_own_permission() {
    let stage = Stage::new(&trust(OTHER, "")).await;
    let eve = stage.kit.user(OTHER, "eve", &[ALLOW_ALL]);
    let credentials = stage.assumed(&eve, assume("ss")).await;
    assert_eq!(stage.caller(&credentials).await.account.as_str(), ACCOUNT);
    let poor = stage.kit.user(OTHER, "poor", &[]);
    assert_eq!(stage.refused::<AssumeRole>(&poor, assume("ss")).await.0, "AccessDenied");
}

#[tokio::test]
async fn a_wrong_or_missing_external_id_is_refused() {
    let condition = r#","Condition":{"StringEquals":{"sts:ExternalId":"secret"}}"#;
    let stage = Stage::new(&trust(ACCOUNT, condition)).await;
    let with =
        |id: Option<&str>| AssumeRoleRequest { external_id: id.map(str::to_owned), ..assume("ss") };
    stage.assumed(&stage.alice(), with(Some("secret"))).await;
    for id in [None, Some("guess")] {
        assert_eq!(stage.refused::<AssumeRole>(&stage.alice(), with(id)).await.0, "AccessDenied");
    }
}

#[tokio::test]
async fn session_policies_and_boundaries_narrow_what_the_role_may_do() {
    let stage = Stage::new(&trust(ACCOUNT, "")).await;
    let narrow = AssumeRoleRequest { policy: Some(LIST_KEYS.to_owned()), ..assume("ss") };
    let narrow = stage.sts::<AssumeRole>(&stage.alice(), narrow).await.unwrap();
    assert!(narrow.packed_policy_size.is_some());
    let narrow = narrow.credentials.unwrap();
    assert!(stage.may(&narrow, "kms:ListKeys").await);
    assert!(!stage.may(&narrow, "kms:CreateKey").await);
    let create = iam::CreatePolicyRequest {
        policy_name: "p".to_owned(),
        policy_document: LIST_KEYS.to_owned(),
        ..Default::default()
    };
    let arn = stage.iam::<CreatePolicy>(create).await.policy.unwrap().arn.unwrap();
    let by_arn = AssumeRoleRequest {
        policy_arns: Some(vec![PolicyDescriptorType { arn: Some(arn.clone()) }]),
        ..assume("ss")
    };
    let by_arn = stage.assumed(&stage.alice(), by_arn).await;
    assert!(stage.may(&by_arn, "kms:ListKeys").await);
    assert!(!stage.may(&by_arn, "kms:CreateKey").await);
    let wide = stage.assumed(&stage.alice(), assume("ss")).await;
    assert!(stage.may(&wide, "kms:CreateKey").await);
    let limit = iam::PutRolePermissionsBoundaryRequest {
        role_name: "r".to_owned(),
        permissions_boundary: arn,
    };
    stage.iam::<PutRolePermissionsBoundary>(limit).await;
    assert!(!stage.may(&wide, "kms:CreateKey").await);
    assert!(stage.may(&wide, "kms:ListKeys").await);
    let broken = AssumeRoleRequest { policy: Some("{}".to_owned()), ..assume("ss") };
    let refused = stage.refused::<AssumeRole>(&stage.alice(), broken).await;
    assert_eq!(refused.0, "MalformedPolicyDocument");
}

#[tokio::test]
async fn policies_that_are_too_many_are_told_in_the_message() {
    let stage = Stage::new(&trust(ACCOUNT, "")).await;
    let arn = "arn:aws:iam::aws:policy/ReadOnlyAccess";
    let many = vec![PolicyDescriptorType { arn: Some(arn.to_owned()) }; 11];
    let many = AssumeRoleRequest { policy_arns: Some(many), ..assume("ss") };
    let refused = stage.refused::<AssumeRole>(&stage.alice(), many).await;
    let shown = vec![format!("PolicyDescriptorType(arn={arn})"); 11].join(", ");
    let message = format!(
        "1 validation error detected: Value '[{shown}]' at 'policyArns' failed to satisfy \
         constraint: Member must have length less than or equal to 10"
    );
    assert_eq!(refused, ("ValidationError".to_owned(), message));
}

#[tokio::test]
async fn a_session_ends_in_time_and_with_its_role() {
    let stage = Stage::new(&trust(ACCOUNT, "")).await;
    let credentials = stage.assumed(&stage.alice(), assume("ss")).await;
    stage.kit.clock.advance(3599);
    assert!(!stage.credential(&credentials).await.unwrap().is_expired);
    stage.kit.clock.advance(1);
    assert!(stage.credential(&credentials).await.unwrap().is_expired);
    let credentials = stage.assumed(&stage.alice(), assume("ss")).await;
    assert!(stage.credential(&credentials).await.is_some());
    let policy =
        iam::DeleteRolePolicyRequest { role_name: "r".to_owned(), policy_name: "all".to_owned() };
    stage.iam::<DeleteRolePolicy>(policy).await;
    stage.iam::<DeleteRole>(iam::DeleteRoleRequest { role_name: "r".to_owned() }).await;
    assert!(stage.credential(&credentials).await.is_none());
    // One that is made anew under the same name is another.
    stage.role("r", &trust(ACCOUNT, "")).await;
    assert!(stage.credential(&credentials).await.is_none());
}

#[tokio::test]
async fn a_token_is_worth_nothing_when_changed_or_beside_another_key() {
    let stage = Stage::new(&trust(ACCOUNT, "")).await;
    let one = stage.assumed(&stage.alice(), assume("ss")).await;
    let two = stage.assumed(&stage.alice(), assume("ss")).await;
    assert!(stage.credential(&one).await.is_some());
    let id = &one.access_key_id;
    assert!(stage.iam.credential(id, Some(&two.session_token)).await.unwrap().is_none());
    assert!(stage.iam.credential(id, None).await.unwrap().is_none());
    let mut changed = one.session_token.clone();
    changed.replace_range(40..41, if &changed[40..41] == "A" { "B" } else { "A" });
    assert!(stage.iam.credential(id, Some(&changed)).await.unwrap().is_none());
    assert!(
        stage.iam.credential(&two.access_key_id, Some(&one.session_token)).await.unwrap().is_none()
    );
}

#[tokio::test]
async fn durations_are_bound_by_the_role_and_by_an_hour_in_a_chain() {
    let stage = Stage::new(&trust(ACCOUNT, "")).await;
    let lasting = |seconds| AssumeRoleRequest { duration_seconds: Some(seconds), ..assume("ss") };
    let refused = stage.refused::<AssumeRole>(&stage.alice(), lasting(7201)).await;
    let message = "The requested DurationSeconds exceeds the MaxSessionDuration set for this role.";
    assert_eq!(refused, ("ValidationError".to_owned(), message.to_owned()));
    let first = stage.assumed(&stage.alice(), lasting(7200)).await;
    let first = stage.caller(&first).await;
    let refused = stage.refused::<AssumeRole>(&first, lasting(3601)).await;
    let message = "The requested DurationSeconds exceeds the 1 hour session limit for roles assumed by role chaining.";
    assert_eq!(refused, ("ValidationError".to_owned(), message.to_owned()));
    stage.assumed(&first, lasting(3600)).await;
}

#[tokio::test]
async fn transitive_tags_stay_in_a_chain_and_cannot_be_overridden() {
    let stage = Stage::new(&trust(ACCOUNT, "")).await;
    let tagged = AssumeRoleRequest {
        tags: Some(vec![tag("Cost", "1"), tag("team", "session")]),
        transitive_tag_keys: Some(vec!["cost".to_owned()]),
        ..assume("ss")
    };
    let first = stage.assumed(&stage.alice(), tagged).await;
    let first = stage.caller(&first).await;
    let value = |caller: &Caller, wanted: &str| {
        let mut tags = caller.tags.iter().filter(|(key, _)| key.eq_ignore_ascii_case(wanted));
        tags.next().map(|(_, value)| value.clone())
    };
    assert_eq!(value(&first, "Team").as_deref(), Some("session"), "over the role's own");
    let message = "One of the specified transitive tag keys can't be set because it conflicts with a transitive tag key from the calling session.";
    for key in ["Cost", "COST"] {
        let again = AssumeRoleRequest {
            tags: Some(vec![tag(key, "2")]),
            transitive_tag_keys: Some(vec![key.to_owned()]),
            ..assume("ss")
        };
        let refused = stage.refused::<AssumeRole>(&first, again).await;
        assert_eq!(refused, ("InvalidParameterValue".to_owned(), message.to_owned()));
    }
    let second = stage.assumed(&first, assume("ss")).await;
    let second = stage.caller(&second).await;
    assert_eq!(value(&second, "cost").as_deref(), Some("1"));
    assert_eq!(value(&second, "team").as_deref(), Some("role"));
}

#[tokio::test]
async fn tags_that_a_chain_hands_on_need_the_permission_to_tag() {
    let only_assume = r#"{"Version":"2012-10-17","Statement":[
        {"Effect":"Allow","Principal":{"AWS":"123456789012"},"Action":["sts:AssumeRole","sts:TagSession"]},
        {"Effect":"Deny","Principal":"*","Action":"sts:TagSession",
         "Condition":{"ArnLike":{"aws:PrincipalArn":"arn:aws:iam::*:role/*"}}}]}"#;
    let stage = Stage::new(&only_assume.replace("123456789012", ACCOUNT)).await;
    let tagged = |keys: Option<Vec<String>>| AssumeRoleRequest {
        tags: Some(vec![tag("Cost", "1")]),
        transitive_tag_keys: keys,
        ..assume("ss")
    };
    let first = stage.assumed(&stage.alice(), tagged(None)).await;
    stage.assumed(&stage.caller(&first).await, assume("ss")).await;
    let first = stage.assumed(&stage.alice(), tagged(Some(vec!["Cost".to_owned()]))).await;
    let refused = stage.refused::<AssumeRole>(&stage.caller(&first).await, assume("ss")).await;
    assert_eq!(refused.0, "AccessDenied");
    assert!(refused.1.contains("sts:TagSession"), "{}", refused.1);
}

#[tokio::test]
async fn a_source_identity_stays_through_a_chain() {
    let stage = Stage::new(&trust(ACCOUNT, "")).await;
    let with =
        |who: &str| AssumeRoleRequest { source_identity: Some(who.to_owned()), ..assume("ss") };
    let first = stage.assumed(&stage.alice(), with("alice")).await;
    let first = stage.caller(&first).await;
    let second = stage.sts::<AssumeRole>(&first, assume("ss")).await.unwrap();
    assert_eq!(second.source_identity.as_deref(), Some("alice"));
    assert_eq!(stage.refused::<AssumeRole>(&first, with("eve")).await.0, "AccessDenied");
}

#[tokio::test]
async fn a_trusted_user_who_is_made_anew_is_not_trusted() {
    let stage = Stage::new(&trust(OTHER, "")).await;
    let name = || "bob".to_owned();
    let create = || iam::CreateUserRequest { user_name: name(), ..Default::default() };
    let made = stage.iam::<CreateUser>(create()).await.user.unwrap();
    let arn = made.arn.clone();
    stage.role("q", &trust(&arn, "")).await;
    let as_bob = |id: String| {
        let known = stage.kit.user(ACCOUNT, "bob", &[]);
        let principal =
            Principal::User { arn: arn.clone(), unique_id: id, account: ACCOUNT.to_owned() };
        Arc::new(Caller {
            principal,
            account: known.account.clone(),
            access_key_id: known.access_key_id.clone(),
            user_id: known.user_id.clone(),
            user_name: known.user_name.clone(),
            tags: Vec::new(),
            policies: Default::default(),
            issued: None,
            session: None,
        })
    };
    let q = || AssumeRoleRequest { role_arn: ROLE.replace("/r", "/q"), ..assume("ss") };
    stage.assumed(&as_bob(made.user_id), q()).await;
    stage.iam::<DeleteUser>(iam::DeleteUserRequest { user_name: name() }).await;
    let anew = stage.iam::<CreateUser>(create()).await.user.unwrap();
    assert_eq!(stage.refused::<AssumeRole>(&as_bob(anew.user_id), q()).await.0, "AccessDenied");
}

#[tokio::test]
async fn what_is_no_arn_is_refused_as_recorded_from_aws() {
    let stage = Stage::new(&trust(ACCOUNT, "")).await;
    for arn in [
        "nothing-valid-in-here",
        "arn:a:::something/test-role",
        "arn:a::::something/test-role",
        "arn::b:::something/test-role",
        "arn:a:a::aaaaaaaaaa:",
    ] {
        let request = AssumeRoleRequest { role_arn: arn.to_owned(), ..assume("ss") };
        let refused = stage.refused::<AssumeRole>(&stage.alice(), request).await;
        assert_eq!(refused, ("ValidationError".to_owned(), format!("{arn} is invalid")));
    }
}

#[tokio::test]
async fn a_users_own_session_may_what_the_user_may_and_makes_no_further_ones() {
    let stage = Stage::new(&trust(ACCOUNT, "")).await;
    let create = iam::CreateUserRequest { user_name: "bob".to_owned(), ..Default::default() };
    let bob = stage.iam::<CreateUser>(create).await.user.unwrap();
    let put = iam::PutUserPolicyRequest {
        user_name: "bob".to_owned(),
        policy_name: "p".to_owned(),
        policy_document: LIST_KEYS.to_owned(),
    };
    stage.iam::<PutUserPolicy>(put).await;
    let known = stage.kit.user(ACCOUNT, "bob", &[]);
    let caller = Arc::new(Caller {
        principal: Principal::User {
            arn: bob.arn.clone(),
            unique_id: bob.user_id,
            account: ACCOUNT.to_owned(),
        },
        account: known.account.clone(),
        access_key_id: known.access_key_id.clone(),
        user_id: known.user_id.clone(),
        user_name: Some("bob".to_owned()),
        tags: Vec::new(),
        policies: Default::default(),
        issued: None,
        session: None,
    });
    let request = GetSessionTokenRequest::default();
    let answer = stage.sts::<GetSessionToken>(&caller, request.clone()).await.unwrap();
    let credentials = answer.credentials.unwrap();
    assert!(stage.may(&credentials, "kms:ListKeys").await);
    assert!(!stage.may(&credentials, "kms:CreateKey").await);
    let session = stage.caller(&credentials).await;
    assert_eq!(session.arn(), bob.arn);
    let refused = stage.refused::<GetSessionToken>(&session, request).await;
    assert_eq!(refused.1, "Cannot call GetSessionToken with session credentials");
    stage
        .iam::<haechi_iam_model::ops::DeleteUserPolicy>(iam::DeleteUserPolicyRequest {
            user_name: "bob".to_owned(),
            policy_name: "p".to_owned(),
        })
        .await;
    stage.iam::<DeleteUser>(iam::DeleteUserRequest { user_name: "bob".to_owned() }).await;
    assert!(stage.credential(&credentials).await.is_none());
}

#[tokio::test]
async fn a_federated_user_may_only_what_its_session_policy_allows() {
    let stage = Stage::new(&trust(ACCOUNT, "")).await;
    let request = |policy: Option<&str>| GetFederationTokenRequest {
        name: "guest".to_owned(),
        policy: policy.map(str::to_owned),
        ..Default::default()
    };
    let root = stage.kit.root(ACCOUNT);
    let answer = stage.sts::<GetFederationToken>(&root, request(Some(LIST_KEYS))).await.unwrap();
    let user = answer.federated_user.unwrap();
    assert_eq!(user.arn, "arn:aws:sts::123456789012:federated-user/guest");
    assert_eq!(user.federated_user_id, "123456789012:guest");
    assert!((1..100).contains(&answer.packed_policy_size.unwrap()));
    let credentials = answer.credentials.unwrap();
    assert!(stage.may(&credentials, "kms:ListKeys").await);
    assert!(!stage.may(&credentials, "kms:CreateKey").await);
    let bare = stage.sts::<GetFederationToken>(&root, request(None)).await.unwrap();
    assert_eq!(bare.packed_policy_size, Some(0));
    assert!(!stage.may(&bare.credentials.unwrap(), "kms:ListKeys").await);
}

#[tokio::test]
async fn a_managed_policy_of_aws_counts_for_sessions_of_the_role_it_is_attached_to() {
    let stage = Stage::new(&trust(ACCOUNT, "")).await;
    let credentials = stage.assumed(&stage.alice(), assume("ss")).await;
    assert!(stage.may(&credentials, "kms:CreateKey").await);
    let attach = iam::AttachRolePolicyRequest {
        role_name: "r".to_owned(),
        policy_arn: "arn:aws:iam::aws:policy/AWSDenyAll".to_owned(),
    };
    stage.iam::<AttachRolePolicy>(attach).await;
    assert!(!stage.may(&credentials, "kms:CreateKey").await);
}
