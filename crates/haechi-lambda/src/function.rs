//! A function that exists, and whether the caller may do what he asks with it.

use std::sync::Arc;

use haechi_core::{Ask, Batch, Cx, Facts, Loaded, Permit, Unchecked};
use haechi_lambda_model::Error;
use haechi_policy::{Document, ResourceRule};
use haechi_wire::Fault;

use crate::reference::{LATEST, Reference};
use crate::store::{AliasRecord, FunctionRecord, Version, VersionRecord};
use crate::words::no_function;
use crate::{Lambda, policy};

/// A function, as it was named.
pub(crate) struct Function {
    pub(crate) reference: Reference,
    pub(crate) loaded: Loaded<FunctionRecord>,
    pub(crate) record: FunctionRecord,
}

/// What a decision about a function goes by.
struct Subject<'a> {
    action: String,
    arn: String,
    account: String,
    policy: Option<Arc<Document>>,
    facts: Facts<'a>,
}

impl Function {
    /// A change of the function's own policy is one of the function: both have the new revision
    /// (recorded).
    pub(crate) fn policy_changed(&mut self, revision: String) {
        if self.reference.qualifier.is_none() {
            self.record.latest.revision = revision;
        }
    }

    /// Writes what has been changed.
    pub(crate) fn save(&self, batch: &mut Batch) {
        batch.replace(&self.loaded, &self.record);
    }
}

impl Lambda {
    /// The function that the caller names, if he may call this operation on it.
    pub(crate) async fn function(
        &self,
        cx: &Cx,
        given: &str,
        qualifier: Option<&str>,
    ) -> Result<(Function, Permit), Error> {
        self.function_knowing(cx, (given, qualifier), Facts::default()).await
    }

    /// The same, where conditions see more of the call.
    pub(crate) async fn function_knowing(
        &self,
        cx: &Cx,
        (given, qualifier): (&str, Option<&str>),
        facts: Facts<'_>,
    ) -> Result<(Function, Permit), Error> {
        let reference = Reference::of(cx, given, qualifier)?;
        let (found, permit) = self.decided(cx, &reference, cx.operation.action, facts).await?;
        let function = found.ok_or_else(|| no_function(&reference.arn()))?;
        Ok((function, permit))
    }

    /// The function that the caller names, or what `missing` says where there is none.
    pub(crate) async fn function_or(
        &self,
        cx: &Cx,
        (given, qualifier): (&str, Option<&str>),
        missing: impl FnOnce(&Reference) -> Error,
    ) -> Result<Function, Error> {
        let reference = Reference::of(cx, given, qualifier)?;
        let action = cx.operation.action;
        let (found, _) = self.decided(cx, &reference, action, Facts::default()).await?;
        found.ok_or_else(|| missing(&reference))
    }

    /// A function, if the caller may do this with it.
    pub(crate) async fn function_of(
        &self,
        cx: &Cx,
        reference: Reference,
        action: &str,
    ) -> Result<(Function, Permit), Error> {
        let (found, permit) = self.decided(cx, &reference, action, Facts::default()).await?;
        let function = found.ok_or_else(|| no_function(&reference.arn()))?;
        Ok((function, permit))
    }

    /// What there is, for a caller who may: a stranger learns nothing of what exists in an account
    /// that is not his.
    async fn decided(
        &self,
        cx: &Cx,
        reference: &Reference,
        action: &str,
        mut facts: Facts<'_>,
    ) -> Result<(Option<Function>, Permit), Error> {
        let found = self.load(reference).await?;
        let tags = found.as_ref().map(|function| function.record.tags.clone());
        facts.of_resource = tags.as_ref();
        let policy = match &found {
            Some(function) => policy_of(function)?,
            None => None,
        };
        let (action, arn) = (action.to_owned(), reference.arn());
        let account = reference.account.clone();
        let subject = Subject { action, arn, account, policy, facts };
        let unchecked = Unchecked::new((found, subject));
        let ((found, _), permit) = unchecked.authorize(cx, |(_, subject)| Ask {
            action: &subject.action,
            resource: &subject.arn,
            resource_account: &subject.account,
            policy: subject.policy.as_ref(),
            rule: ResourceRule::Union,
            context: &subject.facts,
        })?;
        Ok((found, permit))
    }

    /// A function, whoever asks.
    pub(crate) async fn load(&self, reference: &Reference) -> Result<Option<Function>, Fault> {
        let path = reference.place().function(&reference.name);
        let Some(loaded) = self.database.load::<FunctionRecord>(&path).await? else {
            return Ok(None);
        };
        let (record, reference) = (loaded.value.clone(), reference.clone());
        Ok(Some(Function { reference, loaded, record }))
    }

    /// The version that a qualifier names; of an alias with two, the one that it is of.
    pub(crate) async fn version(&self, function: &Function) -> Result<Version, Error> {
        self.named(function, |alias| Ok(alias.version.clone())).await
    }

    /// The version that is invoked; of an alias with two, one by their weights.
    pub(crate) async fn drawn(&self, function: &Function) -> Result<Version, Error> {
        self.named(function, |alias| self.choose(alias)).await
    }

    async fn named(
        &self,
        function: &Function,
        of_alias: impl FnOnce(&AliasRecord) -> Result<String, Fault>,
    ) -> Result<Version, Error> {
        let missing = || no_function(&function.reference.arn());
        let qualifier = match function.reference.qualifier.as_deref() {
            None | Some(LATEST) => return Ok(function.record.latest.clone()),
            Some(qualifier) => qualifier,
        };
        let number = if qualifier.bytes().all(|byte| byte.is_ascii_digit()) {
            qualifier.to_owned()
        } else {
            let alias = self.alias(function, qualifier).await?.ok_or_else(missing)?;
            of_alias(&alias.value)?
        };
        self.version_numbered(function, &number).await?.ok_or_else(missing)
    }

    /// A version by its number, or `$LATEST`.
    pub(crate) async fn version_numbered(
        &self,
        function: &Function,
        number: &str,
    ) -> Result<Option<Version>, Fault> {
        if number == LATEST {
            return Ok(Some(function.record.latest.clone()));
        }
        let Ok(number) = number.parse() else { return Ok(None) };
        let path = function.reference.place().version(&function.record.id, number);
        let found = self.database.load::<VersionRecord>(&path).await?;
        Ok(found.map(|loaded| loaded.value.0))
    }

    /// An alias by its name.
    pub(crate) async fn alias(
        &self,
        function: &Function,
        name: &str,
    ) -> Result<Option<Loaded<AliasRecord>>, Fault> {
        let path = function.reference.place().alias(&function.record.id, name);
        self.database.load(&path).await
    }

    fn choose(&self, alias: &AliasRecord) -> Result<String, Fault> {
        let Some((other, weight)) = alias.weights.iter().next() else {
            return Ok(alias.version.clone());
        };
        let mut drawn = [0; 4];
        self.env.random.fill(&mut drawn).map_err(Fault::internal)?;
        let share = f64::from(u32::from_be_bytes(drawn)) / f64::from(u32::MAX);
        Ok(if share < *weight { other.clone() } else { alias.version.clone() })
    }
}

fn policy_of(function: &Function) -> Result<Option<Arc<Document>>, Fault> {
    let qualifier = function.reference.qualifier.as_deref();
    let Some(found) = function.record.policies.get(policy::key(qualifier)) else { return Ok(None) };
    Ok(Some(Arc::new(policy::compiled(found)?)))
}
