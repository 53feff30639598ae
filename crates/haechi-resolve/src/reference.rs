//! One reference (pure).

/// What stands between `{{resolve:` and `}}`, understood.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Reference {
    /// `ssm:` or `ssm-secure:`.
    Parameter {
        /// Its name, as `GetParameter` takes it.
        name: String,
        /// Its version; the newest without it.
        version: Option<u64>,
        /// Whether it must be a `SecureString`, else it must not.
        secure: bool,
    },
    /// `secretsmanager:`.
    Secret {
        /// Its name or ARN.
        secret_id: String,
        /// The member of its JSON to take; the whole text without it.
        json_key: Option<String>,
        /// A staging label.
        version_stage: Option<String>,
        /// A version's id; there is no label then.
        version_id: Option<String>,
    },
}

/// Text that is no reference.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidReference {
    /// Another service.
    #[error(
        "{{{{resolve:{0}}}}} names no service: ssm, ssm-secure and secretsmanager can be resolved"
    )]
    Service(String),
    /// A parameter's name or version.
    #[error("{{{{resolve:{0}}}}} names no parameter: write ssm:name or ssm:name:version")]
    Parameter(String),
    /// A secret, or which part of it.
    #[error(
        "{{{{resolve:{0}}}}} names no secret: write secretsmanager:id, with \
         :SecretString:json-key:version-stage:version-id as far as needed (a stage or an id)"
    )]
    Secret(String),
    /// No end.
    #[error("{{{{resolve:… at byte {0} has no }}}}")]
    Open(usize),
}

impl Reference {
    /// Reads what stands after `resolve:`.
    ///
    /// # Errors
    /// If it is none; the text that is shown holds names, and no value.
    pub fn parse(text: &str) -> Result<Reference, InvalidReference> {
        let (service, rest) = text.split_once(':').unwrap_or((text, ""));
        match service {
            "ssm" => parameter(rest, false),
            "ssm-secure" => parameter(rest, true),
            "secretsmanager" => {
                return secret(rest).ok_or_else(|| InvalidReference::Secret(text.to_owned()));
            }
            _ => return Err(InvalidReference::Service(text.to_owned())),
        }
        .ok_or_else(|| InvalidReference::Parameter(text.to_owned()))
    }
}

fn parameter(text: &str, secure: bool) -> Option<Reference> {
    let (name, version) = match text.split_once(':') {
        Some((name, version)) => (name, Some(version)),
        None => (text, None),
    };
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"_.-/".contains(&byte);
    if name.is_empty() || !name.bytes().all(plain) {
        return None;
    }
    let digits = |text: &&str| text.bytes().all(|byte| byte.is_ascii_digit());
    let version = match version {
        Some(text) => Some(Some(text).filter(digits)?.parse().ok()?),
        None => None,
    };
    Some(Reference::Parameter { name: name.to_owned(), version, secure })
}

/// Parts of an ARN of a secret: `arn:aws:secretsmanager:region:account:secret:name`.
const ARN_PARTS: usize = 7;

fn secret(text: &str) -> Option<Reference> {
    let parts: Vec<&str> = text.split(':').collect();
    let id_parts = if text.starts_with("arn:") { ARN_PARTS } else { 1 };
    let secret_id = parts.get(..id_parts)?.join(":");
    let mut rest = parts.get(id_parts..)?.iter().copied();
    let mut next = || rest.next().filter(|part| !part.is_empty()).map(str::to_owned);
    let form = next();
    let (json_key, version_stage, version_id) = (next(), next(), next());
    let known = form.is_none_or(|form| form == "SecretString");
    let one = version_stage.is_none() || version_id.is_none();
    if secret_id.is_empty() || !known || !one || parts.len() > id_parts + 4 {
        return None;
    }
    Some(Reference::Secret { secret_id, json_key, version_stage, version_id })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(text: &str) -> Option<String> {
        Some(text.to_owned())
    }

    #[test]
    fn parameters_are_named_with_or_without_a_version() {
        let read = |reference| Reference::parse(reference);
        let (name, version) = ("/app/db.host".to_owned(), Some(3));
        let expected = Reference::Parameter { name, version, secure: false };
        assert_eq!(read("ssm:/app/db.host:3"), Ok(expected));
        let (name, version) = ("password".to_owned(), None);
        assert_eq!(
            read("ssm-secure:password"),
            Ok(Reference::Parameter { name, version, secure: true })
        );
        for wrong in ["ssm", "ssm:", "ssm:a b", "ssm:a:x", "ssm:a:", "ssm:a:1:2", "ssm:a:-1"] {
            assert!(matches!(read(wrong), Err(InvalidReference::Parameter(_))), "{wrong}");
        }
        assert!(matches!(read("dynamodb:x"), Err(InvalidReference::Service(_))));
    }

    #[test]
    fn secrets_are_named_by_name_or_arn_with_a_key_and_a_version() {
        let plain = Reference::Secret {
            secret_id: "db".to_owned(),
            json_key: None,
            version_stage: None,
            version_id: None,
        };
        for same in ["db", "db:SecretString", "db::::", "db:SecretString:::"] {
            assert_eq!(Reference::parse(&format!("secretsmanager:{same}")), Ok(plain.clone()));
        }
        let arn = "arn:aws:secretsmanager:us-east-1:111111111111:secret:db-AbCdEf";
        let whole =
            Reference::parse(&format!("secretsmanager:{arn}:SecretString:password:AWSPREVIOUS"));
        let expected = Reference::Secret {
            secret_id: arn.to_owned(),
            json_key: text("password"),
            version_stage: text("AWSPREVIOUS"),
            version_id: None,
        };
        assert_eq!(whole, Ok(expected));
        for wrong in [
            "",
            ":SecretString",
            "db:SecretBinary",
            "db:SecretString:k:s:i",
            "db:SecretString:k:s::x",
            "arn:aws:x",
        ] {
            let read = Reference::parse(&format!("secretsmanager:{wrong}"));
            assert!(matches!(read, Err(InvalidReference::Secret(_))), "{wrong}");
        }
    }
}
