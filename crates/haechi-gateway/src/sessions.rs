//! What credentials of `GetSessionToken` and `GetFederationToken` cannot call, whatever policies
//! say: IAM, but for a user who has shown a one-time password, and most of STS ("Compare AWS STS
//! credentials").

use haechi_core::{Caller, SessionHolder};
use haechi_sigv4::AuthError;
use haechi_wire::{Fault, Protocol};

use crate::authenticate::told;

/// Refuses a call that the caller's kind of credentials cannot make.
pub(crate) fn check(
    service: &str,
    operation: &str,
    protocol: Protocol,
    caller: &Caller,
) -> Result<(), Fault> {
    let Some(session) = &caller.session else { return Ok(()) };
    let (has_iam, of_sts): (bool, &[&str]) = match &session.holder {
        SessionHolder::Role { .. } => return Ok(()),
        SessionHolder::User { .. } | SessionHolder::Root => {
            (session.mfa.is_some(), &["AssumeRole", "GetCallerIdentity"])
        }
        SessionHolder::Federated { .. } => (false, &["GetCallerIdentity"]),
    };
    match service {
        "iam" if !has_iam => Err(told(&AuthError::InvalidToken, protocol)),
        "sts" if !of_sts.contains(&operation) => {
            let message = format!("Cannot call {operation} with session credentials");
            Err(Fault::AccessDenied(message))
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use haechi_core::Session;
    use haechi_wire::Timestamp;

    use super::*;

    fn caller(holder: SessionHolder, mfa: Option<Timestamp>) -> Caller {
        let session = Session {
            holder,
            transitive_tags: Vec::new(),
            source_identity: None,
            mfa,
            federated_provider: None,
            source_function: None,
        };
        Caller { session: Some(session), ..Caller::anonymous() }
    }

    fn may(caller: &Caller, service: &str, operation: &str) -> bool {
        check(service, operation, Protocol::Query, caller).is_ok()
    }

    #[test]
    fn a_users_session_calls_iam_only_with_a_one_time_password() {
        let user = || SessionHolder::User { name: "u".to_owned(), id: "AIDA".to_owned() };
        let (plain, shown) =
            (caller(user(), None), caller(user(), Some(Timestamp::from_seconds(0))));
        assert!(may(&shown, "iam", "ListUsers"));
        let refused = check("iam", "ListUsers", Protocol::Query, &plain).unwrap_err();
        assert_eq!(refused.code(Protocol::Query), "InvalidClientTokenId");
        assert_eq!(refused.status(Protocol::Query), 403);
        assert_eq!(refused.to_string(), "The security token included in the request is invalid");
        assert!(may(&plain, "sts", "AssumeRole") && may(&plain, "sts", "GetCallerIdentity"));
        assert!(!may(&shown, "sts", "GetSessionToken") && !may(&plain, "sts", "GetAccessKeyInfo"));
        assert!(may(&plain, "kms", "ListKeys"));
    }

    #[test]
    fn a_federated_user_calls_neither_iam_nor_most_of_sts() {
        let name = "f".to_owned();
        let federated = caller(SessionHolder::Federated { name, user: None }, None);
        assert!(!may(&federated, "iam", "ListUsers") && !may(&federated, "sts", "AssumeRole"));
        assert!(may(&federated, "sts", "GetCallerIdentity") && may(&federated, "kms", "ListKeys"));
    }

    #[test]
    fn long_term_keys_and_sessions_of_roles_are_not_limited() {
        let (name, id, session_name) = ("r".to_owned(), "AROA".to_owned(), "s".to_owned());
        let role = caller(SessionHolder::Role { name, id, session_name }, None);
        for caller in [role, Caller::anonymous()] {
            assert!(may(&caller, "iam", "ListUsers") && may(&caller, "sts", "GetSessionToken"));
        }
    }
}
