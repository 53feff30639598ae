//! The credential report: a line of CSV for each user, with the columns of AWS's ("Generate
//! credential reports for your AWS account").
//!
//! A report is made at once and kept for four hours, whatever changes meanwhile, as AWS's is.

use std::io::{Read, Write};

use flate2::Compression;
use flate2::read::DeflateDecoder;
use flate2::write::DeflateEncoder;
use haechi_core::database::Unknown;
use haechi_core::{AccountId, Cx};
use haechi_iam_model::Error;
use haechi_wire::{Fault, Timestamp};

use crate::Iam;
use crate::entity::Entity;
use crate::store::{
    AccessKeyRecord, AccountRecord, LoginRecord, PublicKeysRecord, ROOT_ID, ReportRecord,
    UserRecord, key_path, login_path, public_keys_path, users_path,
};
use crate::user;

/// How long a report counts.
pub(crate) const VALID_MS: i64 = 4 * 60 * 60 * 1000;

/// Bytes of a report that a record can hold once they are compressed.
const COMPRESSED_MAX: usize = 900_000;

/// Bytes of a report, so that a damaged record cannot fill the memory.
const PLAIN_MAX: u64 = 64 * 1024 * 1024;

const HEADER: &str = "user,arn,user_creation_time,password_enabled,password_last_used,\
    password_last_changed,password_next_rotation,mfa_active,access_key_1_active,\
    access_key_1_last_rotated,access_key_1_last_used_date,access_key_1_last_used_region,\
    access_key_1_last_used_service,access_key_2_active,access_key_2_last_rotated,\
    access_key_2_last_used_date,access_key_2_last_used_region,access_key_2_last_used_service,\
    cert_1_active,cert_1_last_rotated,cert_2_active,cert_2_last_rotated";

const NOT_APPLICABLE: &str = "N/A";

/// Where a password was never used. (There is no console to use it in.)
const NO_INFORMATION: &str = "no_information";

/// What the root user's row says of passwords.
const NOT_SUPPORTED: &str = "not_supported";

const DAY_MS: i64 = 24 * 60 * 60 * 1000;

/// Access keys of a user in the report.
const KEYS: usize = 2;

/// Signing certificates of a user in the report.
const CERTIFICATES: usize = 2;

impl ReportRecord {
    /// Whether it still counts.
    pub(crate) fn is_valid(&self, now: Timestamp) -> bool {
        now.millis() - self.generated_ms <= VALID_MS
    }

    /// The CSV.
    pub(crate) fn csv(&self) -> Result<Vec<u8>, Fault> {
        let mut csv = Vec::new();
        let decoder = DeflateDecoder::new(self.content.as_slice());
        decoder.take(PLAIN_MAX).read_to_end(&mut csv).map_err(Fault::internal)?;
        Ok(csv)
    }
}

/// A field of CSV (RFC 4180).
fn field(text: &str) -> String {
    if text.contains([',', '"', '\n', '\r']) {
        return format!("\"{}\"", text.replace('"', "\"\""));
    }
    text.to_owned()
}

fn date(unix_ms: i64) -> String {
    Timestamp::from_millis(unix_ms).iso8601()
}

fn yes_or_no(is_true: bool) -> String {
    is_true.to_string()
}

/// The four columns of a user's password.
fn password(login: Option<&LoginRecord>, age_days_max: Option<i32>) -> [String; 4] {
    let Some(login) = login else {
        return ["false", NOT_APPLICABLE, NOT_APPLICABLE, NOT_APPLICABLE].map(str::to_owned);
    };
    let next = age_days_max.map(|days| date(login.changed_ms + i64::from(days) * DAY_MS));
    let next = next.unwrap_or_else(|| NOT_APPLICABLE.to_owned());
    ["true".to_owned(), NO_INFORMATION.to_owned(), date(login.changed_ms), next]
}

impl Iam {
    /// A new report of the caller's account.
    pub(crate) async fn credential_report(&self, cx: &Cx) -> Result<ReportRecord, Error> {
        let account = cx.account();
        let owner = self.account_record(cx).await?.value;
        let mut lines = vec![HEADER.to_owned(), self.root_line(account, &owner).await?];
        let rows = self.database.list_all::<UserRecord>(&users_path(account)).await?;
        let mut users: Vec<UserRecord> = rows.into_iter().map(|row| row.value).collect();
        users.sort_by_cached_key(|user| user.name.to_lowercase());
        let age = owner.password_policy.and_then(|policy| policy.age_days_max);
        for user in &users {
            lines.push(self.user_line(account, user, age).await?);
        }
        let mut encoder = DeflateEncoder::new(Vec::new(), Compression::default());
        encoder.write_all(lines.join("\n").as_bytes()).map_err(Fault::internal)?;
        let content = encoder.finish().map_err(Fault::internal)?;
        if content.len() > COMPRESSED_MAX {
            let message = "The account has too many users for a credential report.";
            return Err(Error::LimitExceededException(message.to_owned()));
        }
        let generated_ms = cx.now().millis();
        Ok(ReportRecord { generated_ms, content, unknown: Unknown::new() })
    }

    async fn root_line(&self, account: &AccountId, owner: &AccountRecord) -> Result<String, Fault> {
        let mut fields = vec![
            "<root_account>".to_owned(),
            user::root_arn(account),
            date(owner.created_ms),
            NOT_SUPPORTED.to_owned(),
            NO_INFORMATION.to_owned(),
            NOT_SUPPORTED.to_owned(),
            NOT_SUPPORTED.to_owned(),
            yes_or_no(false),
        ];
        fields.extend(self.key_fields(account, &owner.root_access_key_ids).await?);
        fields.extend(self.certificate_fields(account, ROOT_ID).await?);
        Ok(line(&fields))
    }

    async fn user_line(
        &self,
        account: &AccountId,
        user: &UserRecord,
        age_days_max: Option<i32>,
    ) -> Result<String, Fault> {
        let login = match user.has_login {
            true => self.database.load::<LoginRecord>(&login_path(account, &user.id)).await?,
            false => None,
        };
        let mut fields = vec![user.name.clone(), user.arn(account), date(user.created_ms)];
        fields.extend(password(login.as_ref().map(|login| &login.value), age_days_max));
        fields.push(yes_or_no(!user.mfa_serials.is_empty()));
        fields.extend(self.key_fields(account, &user.access_key_ids).await?);
        fields.extend(self.certificate_fields(account, &user.id).await?);
        Ok(line(&fields))
    }

    /// The columns of access keys, in the order of their ids.
    async fn key_fields(&self, account: &AccountId, ids: &[String]) -> Result<Vec<String>, Fault> {
        let mut ids = ids.to_vec();
        ids.sort_unstable();
        let mut fields = Vec::with_capacity(KEYS * 5);
        for at in 0..KEYS {
            let key = match ids.get(at) {
                Some(id) => self.database.load::<AccessKeyRecord>(&key_path(account, id)).await?,
                None => None,
            };
            let Some(key) = key.map(|key| key.value) else {
                fields.push(yes_or_no(false));
                fields.extend(std::iter::repeat_n(NOT_APPLICABLE.to_owned(), 4));
                continue;
            };
            fields.extend([yes_or_no(key.active), date(key.created_ms)]);
            let last = self.last_use(&key.id).await?;
            let told = last.map(|last| [date(last.time.millis()), last.region, last.service]);
            fields.extend(told.unwrap_or_else(|| [(); 3].map(|()| NOT_APPLICABLE.to_owned())));
        }
        Ok(fields)
    }

    /// The columns of signing certificates, in the order of their upload.
    async fn certificate_fields(
        &self,
        account: &AccountId,
        owner: &str,
    ) -> Result<Vec<String>, Fault> {
        let path = public_keys_path(account, owner);
        let keys = self.database.load::<PublicKeysRecord>(&path).await?;
        let certificates = keys.map(|keys| keys.value.certificates).unwrap_or_default();
        let fields = (0..CERTIFICATES).flat_map(|at| match certificates.get(at) {
            Some(one) => [yes_or_no(one.active), date(one.uploaded_ms)],
            None => [yes_or_no(false), NOT_APPLICABLE.to_owned()],
        });
        Ok(fields.collect())
    }
}

/// A line of these fields.
fn line(fields: &[String]) -> String {
    fields.iter().map(|one| field(one)).collect::<Vec<_>>().join(",")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_line_has_the_columns_of_the_header() {
        assert_eq!(HEADER.split(',').count(), 22);
        assert!(!HEADER.contains(' '));
    }

    #[test]
    fn fields_with_commas_and_quotes_are_quoted() {
        assert_eq!(field("a,b"), "\"a,b\"");
        assert_eq!(field("a\"b"), "\"a\"\"b\"");
        assert_eq!(field("plain"), "plain");
    }
}
