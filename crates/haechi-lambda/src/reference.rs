//! What a caller may name a function by: a name, part of an ARN, an ARN, each with a qualifier.

use haechi_core::{Cx, Region};
use haechi_lambda_model::Error;

use crate::store::Place;
use crate::words::{no_function, not_found, qualifier_mismatch};

/// The qualifier of what is not published.
pub(crate) const LATEST: &str = "$LATEST";

/// A function as it is named.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Reference {
    pub(crate) partition: String,
    pub(crate) account: String,
    pub(crate) region: String,
    pub(crate) name: String,
    pub(crate) qualifier: Option<String>,
}

impl Reference {
    /// Of a call: a name, with a qualifier of its own or beside it.
    pub(crate) fn of(cx: &Cx, given: &str, beside: Option<&str>) -> Result<Reference, Error> {
        let mut reference = Reference {
            partition: cx.region.partition().to_owned(),
            account: cx.account().to_string(),
            region: cx.region.to_string(),
            name: String::new(),
            qualifier: None,
        };
        let parts: Vec<&str> = given.split(':').collect();
        let (name, own) = match parts.as_slice() {
            ["arn", partition, "lambda", region, account, "function", name, own @ ..] => {
                if *region != reference.region {
                    return Err(not_found(format!(
                        "Functions from '{region}' are not reachable in this region ('{}')",
                        reference.region
                    )));
                }
                // Policies decide on the ARN, and a function has but one.
                if *partition != reference.partition {
                    return Err(no_function(given));
                }
                (*account).clone_into(&mut reference.account);
                (*name, own)
            }
            [account, "function", name, own @ ..] => {
                (*account).clone_into(&mut reference.account);
                (*name, own)
            }
            [name, own @ ..] => (*name, own),
            [] => ("", [].as_slice()),
        };
        name.clone_into(&mut reference.name);
        reference.qualifier = match (own.first(), beside) {
            (Some(own), Some(beside)) if *own != beside => return Err(qualifier_mismatch()),
            (own, beside) => beside.or(own.copied()).map(str::to_owned),
        };
        Ok(reference)
    }

    /// From an ARN, whoever names it.
    pub(crate) fn parse(arn: &str) -> Option<Reference> {
        let parts: Vec<&str> = arn.split(':').collect();
        let ["arn", partition, "lambda", region, account, "function", name, own @ ..] =
            parts.as_slice()
        else {
            return None;
        };
        if Region::parse(region)?.partition() != *partition {
            return None;
        }
        Some(Reference {
            partition: (*partition).to_owned(),
            account: (*account).to_owned(),
            region: (*region).to_owned(),
            name: (*name).to_owned(),
            qualifier: own.first().map(|own| (*own).to_owned()),
        })
    }

    pub(crate) fn place(&self) -> Place {
        Place { account: self.account.clone(), region: self.region.clone() }
    }

    /// The function as a whole, whatever qualifier it is named with.
    pub(crate) fn whole(&self) -> Reference {
        Reference { qualifier: None, ..self.clone() }
    }

    /// Its ARN, without a qualifier.
    pub(crate) fn function_arn(&self) -> String {
        let Reference { partition, region, account, name, .. } = self;
        format!("arn:{partition}:lambda:{region}:{account}:function:{name}")
    }

    /// Its ARN as it is named.
    pub(crate) fn arn(&self) -> String {
        match &self.qualifier {
            Some(qualifier) => format!("{}:{qualifier}", self.function_arn()),
            None => self.function_arn(),
        }
    }

    /// Its ARN with a qualifier, whether it is named with one or not.
    pub(crate) fn qualified_arn(&self) -> String {
        self.version_arn(self.qualifier.as_deref().unwrap_or(LATEST))
    }

    /// The ARN of a version.
    pub(crate) fn version_arn(&self, version: &str) -> String {
        format!("{}:{version}", self.function_arn())
    }
}

#[cfg(test)]
mod tests {
    use super::Reference;

    #[test]
    fn lambda_acts_for_a_function_by_its_arn_without_a_qualifier() {
        let function = "arn:aws:lambda:eu-west-1:111122223333:function:rotate";
        for named in [function.to_owned(), format!("{function}:live")] {
            assert_eq!(Reference::parse(&named).unwrap().source().unwrap().arn, function);
        }
    }

    #[test]
    fn an_arn_is_taken_apart_and_put_together() {
        for arn in [
            "arn:aws:lambda:eu-west-1:111122223333:function:rotate",
            "arn:aws:lambda:eu-west-1:111122223333:function:rotate:live",
        ] {
            assert_eq!(Reference::parse(arn).unwrap().arn(), arn);
        }
        assert_eq!(Reference::parse("arn:aws:sqs:eu-west-1:111122223333:function:x"), None);
        assert_eq!(Reference::parse("arn:aws-cn:lambda:eu-west-1:111122223333:function:x"), None);
    }
}
