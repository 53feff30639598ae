//! `LabelParameterVersion`.

use haechi_core::{Batch, Cx, Handle};
use haechi_ssm_model::Error;
use haechi_ssm_model::ops::LabelParameterVersion;
use haechi_ssm_model::shapes::{LabelParameterVersionRequest, LabelParameterVersionResult};

use crate::Ssm;
use crate::error::{not_found, version_not_found};
use crate::events::Happening;

/// Labels of one version, at most.
const LABELS_MAX: usize = 10;

/// Characters of a label; the model has checked them.
fn is_label(text: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'_');
    let begins =
        |prefix: &str| text.get(..3).is_some_and(|start| start.eq_ignore_ascii_case(prefix));
    text.bytes().all(plain)
        && !text.starts_with(|first: char| first.is_ascii_digit())
        && !begins("aws")
        && !begins("ssm")
}

impl Handle<LabelParameterVersion> for Ssm {
    async fn handle(
        &self,
        cx: &Cx,
        input: LabelParameterVersionRequest,
    ) -> Result<LabelParameterVersionResult, Error> {
        let (_, loaded) = self.own(cx, &input.name).await?;
        let loaded = loaded.ok_or_else(not_found)?;
        let mut parameter = loaded.value.clone();
        let number = input.parameter_version.unwrap_or(parameter.current.version);
        if number < parameter.oldest || number > parameter.current.version {
            return Err(version_not_found(&number.to_string(), &parameter.name));
        }
        let (labels, refused): (Vec<String>, Vec<String>) =
            input.labels.into_iter().partition(|label| is_label(label));
        for label in labels {
            // A label that is on another version moves.
            parameter.labels.insert(label, number);
        }
        if parameter.labels_of(number).len() > LABELS_MAX {
            return Err(Error::ParameterVersionLabelLimitExceeded(
                "A parameter version can have maximum 10 labels.Move one or more labels to another \
                 version and try again."
                    .to_owned(),
            ));
        }
        if parameter.labels != loaded.value.labels {
            let (env, account, region) = (&self.env, cx.account(), &cx.region);
            let happening = Happening { env, account, region, time: cx.now() };
            let mut batch = Batch::new();
            batch.emit(&happening.change("LabelParameterVersion", &parameter)?)?;
            batch.replace(&loaded, &parameter);
            self.database.commit(batch).await?;
            self.jobs.wake();
        }
        Ok(LabelParameterVersionResult {
            invalid_labels: Some(refused),
            parameter_version: Some(number),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::is_label;

    #[test]
    fn labels_begin_with_no_digit_and_with_no_name_of_aws() {
        for text in ["production", "v1.0-rc_2", "_x", "-x", "a"] {
            assert!(is_label(text), "{text}");
        }
        for text in ["1st", "AWSlive", "ssm", "a b", "é", "a/b"] {
            assert!(!is_label(text), "{text}");
        }
    }
}
