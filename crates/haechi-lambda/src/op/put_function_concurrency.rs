//! `PutFunctionConcurrency`.

use crate::Lambda;
use crate::function::Named;
use crate::reference::Reference;
use crate::words::{invalid, no_function};
use haechi_core::{Batch, Cx, Handle};
use haechi_lambda_model::Error;
use haechi_lambda_model::ops::PutFunctionConcurrency;
use haechi_lambda_model::shapes::{Concurrency, PutFunctionConcurrencyRequest};

impl Handle<PutFunctionConcurrency> for Lambda {
    async fn handle(
        &self,
        cx: &Cx,
        input: PutFunctionConcurrencyRequest,
    ) -> Result<Concurrency, Error> {
        // As recorded.
        let missing = |reference: &Reference| no_function(&reference.qualified_arn());
        let mut function =
            self.function_or(cx, Named::Whole(&input.function_name), missing).await?;
        if function.reference.qualifier.is_some() {
            return Err(invalid(
                "This operation is permitted on Lambda functions only. Aliases and versions do not \
                 support this operation. Please specify either a function name or an unqualified \
                 function ARN.",
            ));
        }
        let wanted = input.reserved_concurrent_executions;
        let others = self.all_functions(cx).await?;
        let others = others.iter().filter(|other| other.name != function.record.name);
        let reserved: i32 = others.filter_map(|other| other.reserved).sum();
        let left = self.concurrency() - reserved;
        if wanted > left {
            return Err(Error::InvalidParameterValueException(
                format!(
                    "Specified ConcurrentExecutions for function is greater than account's unreserved concurrency [{left}]."
                ),
                String::new(),
            ));
        }
        function.record.reserved = Some(wanted);
        let mut batch = Batch::new();
        function.save(&mut batch);
        self.database.commit(batch).await?;
        Ok(Concurrency { reserved_concurrent_executions: Some(wanted) })
    }
}
