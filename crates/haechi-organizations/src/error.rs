//! Errors that several operations answer, in AWS's words where they are known.

use haechi_organizations_model::Error;

/// A limit, or a rule of the organization's state. `reason` is one of AWS's.
pub(crate) fn constraint(reason: &str, message: &str) -> Error {
    Error::ConstraintViolationException(message.to_owned(), reason.to_owned())
}

/// A value that cannot be taken.
pub(crate) fn invalid(reason: &str, message: &str) -> Error {
    Error::InvalidInputException(message.to_owned(), reason.to_owned())
}

/// A limit, or a rule of an invitation.
pub(crate) fn handshake_constraint(reason: &str, message: &str) -> Error {
    Error::HandshakeConstraintViolationException(message.to_owned(), reason.to_owned())
}

macro_rules! words {
    ($($name:ident = $variant:ident($text:literal);)*) => {$(
        pub(crate) fn $name() -> Error {
            Error::$variant($text.to_owned())
        }
    )*};
}

words! {
    not_in_use = AWSOrganizationsNotInUseException("Your account is not a member of an organization.");
    already_in = AlreadyInOrganizationException("The provided account is already a member of an organization.");
    no_access = AccessDeniedException("You don't have permissions to access this resource.");
    no_account = AccountNotFoundException("You specified an account that doesn't exist.");
    already_closed = AccountAlreadyClosedException("The provided account is already closed.");
    registered = AccountAlreadyRegisteredException("The provided account is already a delegated administrator for your organization.");
    not_registered = AccountNotRegisteredException("The provided account is not a registered delegated administrator for your organization.");
    no_unit = OrganizationalUnitNotFoundException("You specified an organizational unit that doesn't exist.");
    unit_exists = DuplicateOrganizationalUnitException("An OU with the same name already exists.");
    unit_not_empty = OrganizationalUnitNotEmptyException("The specified organizational unit is not empty.");
    no_parent = ParentNotFoundException("You specified parent that doesn't exist.");
    no_source = SourceParentNotFoundException("You specified a source parent that doesn't exist.");
    no_destination = DestinationParentNotFoundException("You specified a destination parent that doesn't exist.");
    already_there = DuplicateAccountException("The account is already present in the specified destination.");
    no_child = ChildNotFoundException("You specified a child that doesn't exist.");
    no_root = RootNotFoundException("You specified a root that doesn't exist.");
    no_target = TargetNotFoundException("You specified a target that doesn't exist.");
    no_policy = PolicyNotFoundException("You specified a policy that doesn't exist.");
    policy_exists = DuplicatePolicyException("A policy with the same name already exists.");
    policy_in_use = PolicyInUseException("The policy is attached to one or more entities. You must detach it from all roots, OUs, and accounts before performing this operation.");
    attached = DuplicatePolicyAttachmentException("The selected policy is already attached to the specified target.");
    not_attached = PolicyNotAttachedException("The policy isn't attached to the specified target.");
    malformed_policy = MalformedPolicyDocumentException("The provided policy document does not meet the requirements of the specified policy type.");
    type_enabled = PolicyTypeAlreadyEnabledException("The specified policy type is already enabled.");
    type_not_enabled = PolicyTypeNotEnabledException("This operation can be performed only for enabled policy types.");
    type_not_available = PolicyTypeNotAvailableForOrganizationException("You can't use the specified policy type with the feature set currently enabled for this organization.");
    no_effective_policy = EffectivePolicyNotFoundException("No effective policy found for the specified policy type and target.");
    no_resource_policy = ResourcePolicyNotFoundException("No resource policy found.");
    no_creation = CreateAccountStatusNotFoundException("You specified a create account request that doesn't exist.");
    not_empty = OrganizationNotEmptyException("To delete an organization you must first remove all member accounts (except the master).");
    master_stays = MasterCannotLeaveOrganizationException("You can't remove the management account from an organization.");
    no_handshake = HandshakeNotFoundException("You specified a handshake that doesn't exist.");
    handshake_exists = DuplicateHandshakeException("A handshake with the same action and target already exists.");
    handshake_in_state = HandshakeAlreadyInStateException("The specified handshake is already in the requested state.");
    handshake_ended = InvalidHandshakeTransitionException("You can't perform the operation on the handshake in its current state.");
}
