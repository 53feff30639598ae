//! How long credentials may live, and who may have its own made temporary.

use haechi_core::{AssumableRole, Cx};
use haechi_policy::Principal;
use haechi_sts_model::Error;
use haechi_wire::Fault;

/// Where the caller names no duration, in seconds.
const SECONDS_DEFAULT: i32 = 43_200;

/// The longest for the root user.
const ROOT_SECONDS_MAX: i32 = 3600;

/// Refuses callers whose credentials are temporary themselves.
pub(crate) fn check_long_term(cx: &Cx) -> Result<(), Error> {
    if cx.caller.session.is_none() {
        return Ok(());
    }
    let operation = cx.operation.name;
    Err(Fault::AccessDenied(format!("Cannot call {operation} with session credentials")).into())
}

/// Refuses what is longer than the role allows.
pub(crate) fn check_role_seconds(role: &AssumableRole, seconds: i32) -> Result<(), Error> {
    if seconds <= role.session_seconds_max {
        return Ok(());
    }
    let message = "The requested DurationSeconds exceeds the MaxSessionDuration set for this role.";
    Err(Fault::Validation(message.to_owned()).into())
}

/// How long the new credentials live. What the root user asks beyond an hour is cut to one.
pub(crate) fn seconds(cx: &Cx, wished: Option<i32>) -> i32 {
    let wished = wished.unwrap_or(SECONDS_DEFAULT);
    match &cx.caller.principal {
        Principal::Root { .. } => wished.min(ROOT_SECONDS_MAX),
        _ => wished,
    }
}
