//! Virtual MFA devices: a seed that an authenticator app and IAM share (RFC 6238), and the rules by
//! which its codes count.
//!
//! * A device counts once two consecutive codes have shown that the app has the seed.
//! * A code is accepted in its own time step (30 seconds) and the ones beside it, and only if it is
//!   newer than every code that was accepted before: none counts twice.
//! * A device whose clock is wrong is set right by two consecutive codes; the difference is kept.
//! * After ten wrong codes nothing is accepted until five minutes have passed since the first, so
//!   that guessing does not pay.
//!
//! What was accepted lies apart from the account, since a write there makes stale what is cached.

use async_trait::async_trait;
use haechi_core::database::Unknown;
use haechi_core::{AccountId, Batch, Cx, Evidence, Loaded, MfaError, OidcProvider, SamlProvider};
use haechi_crypto::totp::{TotpSeed, step};
use haechi_iam_model::Error;
use haechi_iam_model::shapes::{MFADevice, VirtualMFADevice};
use haechi_policy::Principal;
use haechi_wire::{Fault, Timestamp};

use crate::Iam;
use crate::by_arn::ByArn;
use crate::store::{MfaRecord, MfaUsedRecord, UserRecord, mfa_used_path, user_path};

/// Devices of one user, at most (AWS's fixed quota).
pub(crate) const DEVICES_MAX: usize = 8;

/// Time steps before and after the present in which a code counts.
const TOLERANCE: i64 = 1;

/// Time steps, either way, in which two consecutive codes are looked for: ten minutes.
const SEARCHED: i64 = 20;

/// A smaller difference than this is no wrong clock but the time that typing takes.
const DRIFT_MIN: i64 = 3;

/// Wrong codes after which none is accepted for a while.
const FAILURES_MAX: u32 = 10;

/// How long wrong codes are remembered.
const FAILURES_MS: i64 = 5 * 60 * 1000;

impl ByArn for MfaRecord {
    const KIND: &'static str = "mfa";
    const AUDIT_TYPE: &'static str = "AWS::IAM::VirtualMFADevice";

    fn rest(&self) -> String {
        rest(&self.path, &self.name)
    }
    fn tags(&self) -> &[(String, String)] {
        &self.tags
    }
    fn tags_mut(&mut self) -> &mut Vec<(String, String)> {
        &mut self.tags
    }
    fn not_found(arn: &str) -> Error {
        let message = format!("MFA Device with serial number {arn} does not exist.");
        Error::NoSuchEntityException(message)
    }
}

/// What stands behind `mfa/` in the serial number.
pub(crate) fn rest(path: &str, name: &str) -> String {
    format!("{}{name}", path.strip_prefix('/').unwrap_or(path))
}

/// The error for a device that is not the user's.
pub(crate) fn not_the_users() -> Error {
    Error::NoSuchEntityException("MFA Device invalid for user.".to_owned())
}

/// The error for codes that do not count.
pub(crate) fn invalid_codes() -> Error {
    let message = "Authentication code for device is not valid.";
    Error::InvalidAuthenticationCodeException(message.to_owned())
}

/// Refuses to let users who have a device change their own devices without having shown a code:
/// stolen keys must neither add a device nor take one away.
pub(crate) fn check_shown(cx: &Cx, user: &UserRecord) -> Result<(), Error> {
    let is_own = matches!(
        &cx.caller.principal,
        Principal::User { unique_id, .. } if *unique_id == user.id
    );
    if !is_own || user.mfa_serials.is_empty() || cx.mfa().is_some() {
        return Ok(());
    }
    let message = "To complete this action, please ensure that you are authenticated with an MFA \
        device that is enabled for this user.";
    Err(Fault::AccessDenied(message.to_owned()).into())
}

impl MfaRecord {
    pub(crate) fn seed(&self) -> Result<TotpSeed, Fault> {
        let seed = TotpSeed::from_base32(&self.seed.0.0);
        seed.ok_or_else(|| Fault::internal("the seed of an MFA device is damaged"))
    }

    /// As a user's listing shows it; `None` while it is nobody's.
    pub(crate) fn enabled(&self, account: &AccountId) -> Option<MFADevice> {
        Some(MFADevice {
            user_name: self.user.as_ref()?.name.clone(),
            serial_number: self.arn(account),
            enable_date: Timestamp::from_millis(self.enabled_ms?),
        })
    }

    /// As the account's listing shows it, without its user.
    pub(crate) fn listed(&self, account: &AccountId) -> VirtualMFADevice {
        VirtualMFADevice {
            serial_number: self.arn(account),
            enable_date: self.enabled_ms.map(Timestamp::from_millis),
            ..VirtualMFADevice::default()
        }
    }
}

/// The time step of the second of two consecutive codes, where they are ones near `now`.
pub(crate) fn consecutive(seed: &TotpSeed, codes: (&str, &str), now: Timestamp) -> Option<i64> {
    let now = step(now.millis());
    let both = |at: &i64| seed.matches(at - 1, codes.0) && seed.matches(*at, codes.1);
    // The nearest first: six digits may match twice.
    let offsets = (0..=SEARCHED).flat_map(|offset| [offset, -offset]);
    offsets.map(|offset| now + offset).find(both)
}

/// How far a device's clock is off, in time steps, if its newest code is of `accepted`.
pub(crate) fn drift(accepted: i64, now: Timestamp) -> i64 {
    let offset = accepted - step(now.millis());
    if offset.abs() < DRIFT_MIN { 0 } else { offset }
}

/// Judges a code: what is to be kept of it, and whether it counts.
fn judge(
    device: &MfaRecord,
    seed: &TotpSeed,
    used: Option<&MfaUsedRecord>,
    code: &str,
    now: Timestamp,
) -> (MfaUsedRecord, bool) {
    let mut next = used.cloned().unwrap_or_default();
    if now.millis() - next.failures_since_ms >= FAILURES_MS {
        (next.failures, next.failures_since_ms) = (0, now.millis());
    }
    let present = step(now.millis()) + device.drift_steps;
    let mut steps = present - TOLERANCE..=present + TOLERANCE;
    let accepted = steps.find(|at| *at > next.step && seed.matches(*at, code));
    match accepted.filter(|_| next.failures < FAILURES_MAX) {
        Some(accepted) => {
            (next.step, next.failures) = (accepted, 0);
            (next, true)
        }
        None => {
            next.failures = next.failures.saturating_add(1);
            (next, false)
        }
    }
}

impl MfaUsedRecord {
    /// That a code of this time step was accepted.
    pub(crate) fn accepted(step: i64) -> MfaUsedRecord {
        MfaUsedRecord { step, failures: 0, failures_since_ms: 0, unknown: Unknown::new() }
    }
}

impl Iam {
    /// The device of a user; the caller was authorised on the user.
    pub(crate) async fn device_of(
        &self,
        account: &AccountId,
        user: &UserRecord,
        serial: &str,
    ) -> Result<Loaded<MfaRecord>, Error> {
        let found = self.find_by_arn::<MfaRecord>(account, serial).await?;
        let is_own =
            |device: &MfaRecord| device.user.as_ref().is_some_and(|owner| owner.id == user.id);
        let found = found.ok_or_else(|| MfaRecord::not_found(serial))?;
        Some(found).filter(|device| is_own(&device.value)).ok_or_else(not_the_users)
    }

    /// A device with its user, as the account's listing shows it.
    pub(crate) async fn listed_device(
        &self,
        account: &AccountId,
        device: &MfaRecord,
    ) -> Result<VirtualMFADevice, Fault> {
        let user = match &device.user {
            Some(user) => self.database.load::<UserRecord>(&user_path(account, &user.name)).await?,
            None => None,
        };
        let user = user.map(|user| user.value.listed(account));
        Ok(VirtualMFADevice { user, ..device.listed(account) })
    }
}

#[async_trait]
impl Evidence for Iam {
    async fn verify_mfa(
        &self,
        account: &AccountId,
        user_id: &str,
        serial_number: &str,
        code: &str,
        now: Timestamp,
    ) -> Result<(), MfaError> {
        let found = self.find_by_arn::<MfaRecord>(account, serial_number).await?;
        let is_own =
            |device: &MfaRecord| device.user.as_ref().is_some_and(|user| user.id == user_id);
        let device = found.filter(|device| is_own(&device.value));
        let device = device.ok_or(MfaError::UnknownDevice)?;
        let path = mfa_used_path(account, &device.value.rest());
        let used = self.database.load::<MfaUsedRecord>(&path).await?;
        let seed = device.value.seed()?;
        let (next, is_valid) =
            judge(&device.value, &seed, used.as_ref().map(|used| &used.value), code, now);
        let mut batch = Batch::new();
        batch.unchanged(&device);
        match &used {
            Some(used) => batch.replace(used, &next),
            None => batch.create(path, &next),
        }
        self.database.commit(batch).await?;
        if is_valid { Ok(()) } else { Err(MfaError::InvalidCode) }
    }

    async fn oidc_provider(
        &self,
        account: &AccountId,
        url: &str,
    ) -> Result<Option<OidcProvider>, Fault> {
        self.trusted_oidc_provider(account, url).await
    }

    async fn saml_provider(
        &self,
        account: &AccountId,
        arn: &str,
    ) -> Result<Option<SamlProvider>, Fault> {
        self.trusted_saml_provider(account, arn).await
    }
}
