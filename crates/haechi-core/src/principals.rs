//! Whom resource policies name: users and roles that exist when the policy is put, and nobody who
//! is made later under the name of one that was deleted.
//!
//! Source: IAM User Guide, "AWS JSON policy elements: Principal": AWS keeps the unique id in place
//! of the ARN.

use std::collections::BTreeMap;
use std::sync::Arc;

use async_trait::async_trait;
use haechi_policy::{AwsPrincipal, Document, Kind};
use haechi_wire::Fault;
use serde::{Deserialize, Serialize};

use crate::Env;

/// Who exists, which is IAM's to say.
#[async_trait]
pub trait Principals: Send + Sync + 'static {
    /// The unique id of the user or role with this ARN; `None` if there is none.
    ///
    /// # Errors
    /// If the store fails.
    async fn unique_id(&self, arn: &str) -> Result<Option<String>, Fault>;
}

/// The unique ids of the users and roles that a policy names, by ARN, as they were when it was put.
/// It is stored beside the policy's text. A record from before has none: its policy goes by ARN.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct PrincipalIds(BTreeMap<String, String>);

impl PrincipalIds {
    /// The ids of those whom a policy names; all must exist.
    ///
    /// # Errors
    /// What `missing` makes of the first ARN that nobody has; if the store fails.
    pub async fn of_all<E: From<Fault>>(
        principals: &dyn Principals,
        document: &Document,
        missing: impl Fn(&str) -> E + Send,
    ) -> Result<PrincipalIds, E> {
        let mut ids = PrincipalIds::default();
        for arn in entities(document) {
            let found = principals.unique_id(&arn).await?.ok_or_else(|| missing(&arn))?;
            ids.0.insert(arn, found);
        }
        Ok(ids)
    }

    /// The ids of those whom a policy names and who exist, for one that was accepted elsewhere.
    ///
    /// # Errors
    /// If the store fails.
    pub async fn of_some(
        principals: &dyn Principals,
        document: &Document,
    ) -> Result<PrincipalIds, Fault> {
        let mut ids = PrincipalIds::default();
        for arn in entities(document) {
            if let Some(found) = principals.unique_id(&arn).await? {
                ids.0.insert(arn, found);
            }
        }
        Ok(ids)
    }

    /// Ties a policy to those who were meant.
    pub fn bind(&self, document: &mut Document) {
        document.bind_principals(|arn| self.0.get(arn).cloned());
    }

    /// A stored resource policy, compiled, and tied to those who were meant.
    ///
    /// # Errors
    /// If the text is no policy: the record is damaged.
    pub fn compile(&self, text: &str) -> Result<Arc<Document>, Fault> {
        let mut document = Document::parse(text, Kind::Resource).map_err(Fault::internal)?;
        self.bind(&mut document);
        Ok(Arc::new(document))
    }

    /// The unique id that an ARN is tied to.
    pub fn get(&self, arn: &str) -> Option<&str> {
        self.0.get(arn).map(String::as_str)
    }

    /// ARNs and unique ids.
    pub fn iter(&self) -> impl Iterator<Item = (&String, &String)> {
        self.0.iter()
    }

    /// Whether the policy names no user or role.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// The ARNs of users and roles that a policy names. Accounts, sessions and services have no name
/// that another could take over.
fn entities(document: &Document) -> Vec<String> {
    let named = document.aws_principals().filter_map(|principal| match principal {
        AwsPrincipal::User(arn) | AwsPrincipal::Role(arn) => Some(arn.to_owned()),
        _ => None,
    });
    named.collect()
}

impl Env {
    /// As [`PrincipalIds::of_all`], of this installation. Where nobody says who exists, every name
    /// is taken, by ARN.
    ///
    /// # Errors
    /// As [`PrincipalIds::of_all`].
    pub async fn principal_ids<E: From<Fault>>(
        &self,
        document: &Document,
        missing: impl Fn(&str) -> E + Send,
    ) -> Result<PrincipalIds, E> {
        match self.principals() {
            Some(principals) => PrincipalIds::of_all(&**principals, document, missing).await,
            None => Ok(PrincipalIds::default()),
        }
    }

    /// As [`PrincipalIds::of_some`], of this installation.
    ///
    /// # Errors
    /// If the store fails.
    pub async fn principal_ids_here(&self, document: &Document) -> Result<PrincipalIds, Fault> {
        match self.principals() {
            Some(principals) => PrincipalIds::of_some(&**principals, document).await,
            None => Ok(PrincipalIds::default()),
        }
    }
}

#[cfg(test)]
mod tests {
    use haechi_policy::{ContextMap, Policies, Principal, Request, evaluate};

    use super::*;

    struct Bob;

    #[async_trait]
    impl Principals for Bob {
        async fn unique_id(&self, arn: &str) -> Result<Option<String>, Fault> {
            Ok(arn.ends_with("/bob").then(|| "AIDAOFBOB".to_owned()))
        }
    }

    fn policy(principal: &str) -> Document {
        let text = format!(
            r#"{{"Version":"2012-10-17","Statement":{{"Effect":"Allow","Action":"*",
            "Resource":"*",{principal}}}}}"#
        );
        Document::parse(&text, Kind::Resource).unwrap()
    }

    const BOB: &str = r#""Principal":{"AWS":"arn:aws:iam::111122223333:user/bob"}"#;

    fn admits(document: &Document, unique_id: &str) -> bool {
        let principal = Principal::User {
            arn: "arn:aws:iam::111122223333:user/bob".to_owned(),
            unique_id: unique_id.to_owned(),
            account: "111122223333".to_owned(),
        };
        let context = ContextMap::default();
        let request = Request {
            principal: &principal,
            action: "sqs:SendMessage",
            resource: "arn:aws:sqs:us-east-1:111122223333:q",
            resource_account: "111122223333",
            context: &context,
        };
        let policies = Policies { resource: Some(document), ..Policies::default() };
        evaluate(&policies, &request).is_allowed()
    }

    #[tokio::test]
    async fn a_policy_means_the_one_who_had_the_name_when_it_was_put() {
        let mut document = policy(BOB);
        let missing = |arn: &str| Fault::Validation(arn.to_owned());
        let ids = PrincipalIds::of_all(&Bob, &document, missing).await.unwrap();
        assert!(admits(&document, "AIDAOFANOTHER"), "by ARN");
        ids.bind(&mut document);
        assert!(admits(&document, "AIDAOFBOB"));
        assert!(!admits(&document, "AIDAOFANOTHER"));
        assert_eq!(ids.get("arn:aws:iam::111122223333:user/bob"), Some("AIDAOFBOB"));
    }

    #[tokio::test]
    async fn a_name_that_nobody_has_is_told_of_and_accounts_and_sessions_are_not_asked_for() {
        let missing = |arn: &str| Fault::Validation(arn.to_owned());
        for principal in [
            r#""Principal":{"AWS":["arn:aws:iam::111122223333:user/bob","arn:aws:iam::111122223333:role/x"]}"#,
            r#""NotPrincipal":{"AWS":"arn:aws:iam::111122223333:role/x"}"#,
        ] {
            let document = policy(principal);
            let outcome = PrincipalIds::of_all(&Bob, &document, missing).await;
            let Err(Fault::Validation(arn)) = outcome else { panic!("{outcome:?}") };
            assert_eq!(arn, "arn:aws:iam::111122223333:role/x");
        }
        let others = policy(
            r#""Principal":{"AWS":["*","444455556666","arn:aws:iam::444455556666:root",
            "arn:aws:sts::444455556666:assumed-role/r/s"],"Service":"sns.amazonaws.com"}"#,
        );
        let ids = PrincipalIds::of_all(&Bob, &others, missing).await.unwrap();
        assert!(ids.is_empty());
    }

    #[tokio::test]
    async fn of_a_policy_from_elsewhere_those_count_who_exist() {
        let document = policy(
            r#""Principal":{"AWS":["arn:aws:iam::111122223333:user/bob","arn:aws:iam::111122223333:role/x"]}"#,
        );
        let ids = PrincipalIds::of_some(&Bob, &document).await.unwrap();
        assert_eq!(ids.iter().count(), 1);
    }
}
