//! One-time passwords that come with a call.

use haechi_core::MfaError;
use haechi_core::{Cx, Evidence};
use haechi_policy::Principal;
use haechi_sts_model::Error;
use haechi_wire::Fault;

use crate::Sts;

/// How often a check is begun anew because something else was written in its midst.
const ATTEMPTS: usize = 4;

fn failed(why: &str) -> Error {
    Fault::AccessDenied(format!("MultiFactorAuthentication failed, {why}")).into()
}

fn unknown_device() -> Error {
    failed(
        "unable to validate MFA code.  Please verify your MFA serial number is valid and \
         associated with this user.",
    )
}

impl Sts {
    /// Refuses a one-time password that is not the caller's; one that is counts for this call from
    /// now on (`aws:MultiFactorAuthPresent`) and never again.
    pub(crate) async fn check_mfa(
        &self,
        cx: &Cx,
        serial_number: Option<&str>,
        code: Option<&str>,
    ) -> Result<(), Error> {
        let (serial_number, code) = match (serial_number, code) {
            (None, None) => return Ok(()),
            (Some(serial_number), Some(code)) => (serial_number, code),
            _ => return Err(failed("must provide both MFA serial number and one time pass code.")),
        };
        // Devices belong to users with keys of their own, or sessions of `GetSessionToken`.
        let Principal::User { unique_id, .. } = &cx.caller.principal else {
            return Err(unknown_device());
        };
        let evidence = self.evidence.as_deref().ok_or_else(unknown_device)?;
        match verified(cx, evidence, unique_id, serial_number, code).await {
            Ok(()) => {
                cx.prove_mfa();
                Ok(())
            }
            Err(MfaError::UnknownDevice) => Err(unknown_device()),
            Err(MfaError::InvalidCode) => Err(Fault::AccessDenied(
                "MultiFactorAuthentication failed with invalid MFA one time pass code. ".to_owned(),
            )
            .into()),
            Err(MfaError::Fault(fault)) => Err(fault.into()),
        }
    }
}

async fn verified(
    cx: &Cx,
    evidence: &dyn Evidence,
    user_id: &str,
    serial_number: &str,
    code: &str,
) -> Result<(), MfaError> {
    let (account, now) = (cx.account(), cx.now());
    for _ in 1..ATTEMPTS {
        match evidence.verify_mfa(account, user_id, serial_number, code, now).await {
            Err(MfaError::Fault(Fault::Conflict)) => {}
            decided => return decided,
        }
    }
    evidence.verify_mfa(account, user_id, serial_number, code, now).await
}
