//! `GetRandomPassword`.

use haechi_core::{Cx, Handle};
use haechi_secretsmanager_model::Error;
use haechi_secretsmanager_model::ops::GetRandomPassword;
use haechi_secretsmanager_model::shapes::{GetRandomPasswordRequest, GetRandomPasswordResponse};
use haechi_wire::Fault;

use crate::SecretsManager;
use crate::password::{Recipe, generate};

/// Characters, if the request does not say.
const LENGTH: i64 = 32;

impl Handle<GetRandomPassword> for SecretsManager {
    async fn handle(
        &self,
        cx: &Cx,
        input: GetRandomPasswordRequest,
    ) -> Result<GetRandomPasswordResponse, Error> {
        cx.authorize_any()?;
        let length = input.password_length.unwrap_or(LENGTH);
        let recipe = Recipe {
            length: usize::try_from(length).map_err(Fault::internal)?,
            exclude: input.exclude_characters.unwrap_or_default(),
            lowercase: input.exclude_lowercase != Some(true),
            uppercase: input.exclude_uppercase != Some(true),
            numbers: input.exclude_numbers != Some(true),
            punctuation: input.exclude_punctuation != Some(true),
            space: input.include_space == Some(true),
            require_each: input.require_each_included_type != Some(false),
        };
        let random_password = Some(generate(cx, &recipe)?);
        Ok(GetRandomPasswordResponse { random_password })
    }
}
