//! A function that exists, and whether the caller may do what he asks with it.

use std::sync::Arc;

use haechi_core::{Ask, Batch, Cx, Facts, Loaded, Unchecked};
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

/// A function as the input of an operation names it. What is decided on, its ARN and its policy,
/// follows from this: so that nothing in a name gets around a decision about what is acted on.
#[derive(Clone, Copy)]
pub(crate) enum Named<'a> {
    /// Of an operation without a qualifier: it acts on the whole function, whatever qualifier the
    /// name carries.
    Whole(&'a str),
    /// Of an operation that has a qualifier, in the name or beside it: it acts on that.
    Qualified(&'a str, Option<&'a str>),
}

impl Named<'_> {
    /// What is named, and what is decided on.
    fn references(self, cx: &Cx) -> Result<(Reference, Reference), Error> {
        let named = match self {
            Named::Whole(given) => Reference::of(cx, given, None)?,
            Named::Qualified(given, qualifier) => Reference::of(cx, given, qualifier)?,
        };
        let decided_on = match self {
            Named::Whole(_) => named.whole(),
            Named::Qualified(..) => named.clone(),
        };
        Ok((named, decided_on))
    }
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
            self.record.revise(revision);
        }
    }

    /// Writes what has been changed.
    pub(crate) fn save(&self, batch: &mut Batch) {
        batch.replace(&self.loaded, &self.record);
    }
}

impl Lambda {
    /// The function that the caller names, if he may call this operation on it.
    pub(crate) async fn function(&self, cx: &Cx, named: Named<'_>) -> Result<Function, Error> {
        self.function_knowing(cx, named, Facts::default()).await
    }

    /// The same, where conditions see more of the call.
    pub(crate) async fn function_knowing(
        &self,
        cx: &Cx,
        named: Named<'_>,
        facts: Facts<'_>,
    ) -> Result<Function, Error> {
        let references = named.references(cx)?;
        let found = self.decided(cx, &references, cx.operation.action, facts).await?;
        found.ok_or_else(|| no_function(&references.0.arn()))
    }

    /// The function that the caller names, or what `missing` says where there is none.
    pub(crate) async fn function_or(
        &self,
        cx: &Cx,
        named: Named<'_>,
        missing: impl FnOnce(&Reference) -> Error,
    ) -> Result<Function, Error> {
        let references = named.references(cx)?;
        let found = self.decided(cx, &references, cx.operation.action, Facts::default()).await?;
        found.ok_or_else(|| missing(&references.0))
    }

    /// What is qualified, if the caller may do this with it.
    pub(crate) async fn qualified(
        &self,
        cx: &Cx,
        reference: Reference,
        action: &str,
    ) -> Result<Function, Error> {
        let references = (reference.clone(), reference);
        let found = self.decided(cx, &references, action, Facts::default()).await?;
        found.ok_or_else(|| no_function(&references.0.arn()))
    }

    /// What there is, for a caller who may: a stranger learns nothing of what exists in an account
    /// that is not his.
    async fn decided(
        &self,
        cx: &Cx,
        (named, decided_on): &(Reference, Reference),
        action: &str,
        mut facts: Facts<'_>,
    ) -> Result<Option<Function>, Error> {
        let found = self.load(named).await?;
        let tags = found.as_ref().map(|function| function.record.tags.clone());
        facts.of_resource = tags.as_ref();
        let policy = match &found {
            Some(function) => policy_of(&function.record, decided_on)?,
            None => None,
        };
        let policy = policy.filter(|_| policy::counts(cx, &decided_on.account, action));
        let (action, arn) = (action.to_owned(), decided_on.arn());
        let account = decided_on.account.clone();
        let subject = Subject { action, arn, account, policy, facts };
        let unchecked = Unchecked::new((found, subject));
        let ((found, _), _) = unchecked.authorize(cx, |(_, subject)| Ask {
            action: &subject.action,
            resource: &subject.arn,
            resource_account: &subject.account,
            policy: subject.policy.as_ref(),
            rule: ResourceRule::Union,
            context: &subject.facts,
        })?;
        Ok(found)
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

/// Why the caller may not see the tags of a function, if so: they are the whole function's.
pub(crate) fn tags_denial(cx: &Cx, function: &Function) -> Result<Option<String>, Fault> {
    let whole = function.reference.whole();
    let policy = policy_of(&function.record, &whole)?;
    let decided = cx.authorize(&Ask {
        action: "lambda:ListTags",
        resource: &whole.arn(),
        resource_account: &whole.account,
        policy: policy.as_ref(),
        rule: ResourceRule::Union,
        context: &Facts::of(&function.record.tags),
    });
    Ok(decided.err().map(|denied| denied.to_string()))
}

fn policy_of(record: &FunctionRecord, of: &Reference) -> Result<Option<Arc<Document>>, Fault> {
    let key = policy::key(of.qualifier.as_deref());
    let Some(found) = record.policies.get(key) else { return Ok(None) };
    Ok(Some(Arc::new(policy::compiled(found)?)))
}
