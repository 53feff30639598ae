//! `AddPermission`.

use crate::configuration::revision;
use crate::function::{Function, Named};
use crate::reference::LATEST;
use crate::words::{conflict, invalid, no_function, not_found};
use crate::{Lambda, policy, words};
use haechi_core::{Batch, Cx, Facts, Handle};
use haechi_lambda_model::Error;
use haechi_lambda_model::ops::AddPermission;
use haechi_lambda_model::shapes::{AddPermissionRequest, AddPermissionResponse};

impl Handle<AddPermission> for Lambda {
    async fn handle(
        &self,
        cx: &Cx,
        input: AddPermissionRequest,
    ) -> Result<AddPermissionResponse, Error> {
        let url = input.function_url_auth_type.map(|kind| kind.as_str().to_owned());
        let facts = Facts::default()
            .with("lambda:principal", [input.principal.clone()])
            .with("lambda:functionurlauthtype", url);
        let named = Named::Qualified(&input.function_name, input.qualifier.as_deref());
        let mut function = self.function_knowing(cx, named, facts).await?;
        self.takes_policy(&function).await?;
        let statement = policy::statement(&function.reference, &input)?;
        let principals = policy::principals(&self.env, &statement).await?;
        let revision = revision(cx)?;
        let key = policy::key(function.reference.qualifier.as_deref()).to_owned();
        if let Some(given) = &input.revision_id {
            self.check_policy_revision(&function, given).await?;
        }
        let policy = function.record.policies.entry(key).or_default();
        let id = Some(input.statement_id.as_str());
        if policy.statements.iter().any(|one| policy::sid(one).as_deref() == id) {
            return Err(conflict(format!(
                "The statement id ({}) provided already exists. Please provide a new statement id, \
                 or remove the existing statement.",
                input.statement_id
            )));
        }
        policy.statements.push(statement.clone());
        policy.principals.insert(input.statement_id, principals);
        policy.revision = revision.clone();
        if policy::document(&policy.statements).len() > policy::POLICY_MAX {
            return Err(Error::PolicyLengthExceededException(
                format!("The final policy size is bigger than the limit ({}).", policy::POLICY_MAX),
                "User".to_owned(),
            ));
        }
        function.policy_changed(revision);
        let mut batch = Batch::new();
        function.save(&mut batch);
        self.database.commit(batch).await?;
        Ok(AddPermissionResponse { statement: Some(statement) })
    }
}

impl Lambda {
    /// Whether what is named can have a policy: the function, a version or an alias that exists.
    pub(crate) async fn takes_policy(&self, function: &Function) -> Result<(), Error> {
        let Some(qualifier) = function.reference.qualifier.as_deref() else { return Ok(()) };
        if qualifier == LATEST {
            return Err(invalid("We currently do not support adding policies for $LATEST."));
        }
        let arn = function.reference.arn();
        if qualifier.bytes().all(|byte| byte.is_ascii_digit()) {
            let found = self.version_numbered(function, qualifier).await?;
            return found.map(|_| ()).ok_or_else(|| no_function(&arn));
        }
        match self.alias(function, qualifier).await? {
            Some(_) => Ok(()),
            // As recorded: a name that cannot be an alias's is looked for as a version.
            None if qualifier.contains('$') => Err(no_function(&arn)),
            None => Err(not_found(format!("Cannot find alias arn: {arn}"))),
        }
    }

    /// Whether a revision is that of what is named: of its policy, its version or its alias.
    pub(crate) async fn check_policy_revision(
        &self,
        function: &Function,
        given: &str,
    ) -> Result<(), Error> {
        let qualifier = function.reference.qualifier.as_deref();
        let policy = function.record.policies.get(policy::key(qualifier));
        if policy.is_some_and(|policy| policy.revision == given) {
            return Ok(());
        }
        let (own, call) = match qualifier {
            None => (Some(function.record.latest.revision.clone()), "GetFunction/GetAlias"),
            Some(qualifier) => match self.alias(function, qualifier).await? {
                Some(alias) => (Some(alias.value.revision), "GetPolicy"),
                None => (
                    self.version_numbered(function, qualifier).await?.map(|one| one.revision),
                    "GetFunction/GetAlias",
                ),
            },
        };
        if own.as_deref() == Some(given) { Ok(()) } else { Err(words::revision(call)) }
    }
}
