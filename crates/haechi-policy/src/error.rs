//! Why a policy document is refused, in AWS's words where they are known.

use thiserror::Error;

/// Why a text is not a policy of the wanted kind.
///
/// The display text is what IAM and KMS put in the message of `MalformedPolicyDocument` and
/// `MalformedPolicyDocumentException`. The variants carry what a log or a test wants to know.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum ParseError {
    /// The text is not JSON, or nests deeper than JSON may here (128 levels).
    #[error("Syntax errors in policy.")]
    InvalidJson {
        /// Where and why, from the JSON reader.
        detail: String,
    },
    /// As `InvalidJson`, in a trust policy, for which IAM has words of its own.
    #[error("This policy contains invalid Json")]
    InvalidTrustJson {
        /// Where and why, from the JSON reader.
        detail: String,
    },
    /// The text is longer than any policy of AWS may be ([`crate::POLICY_BYTES_MAX`]).
    #[error("Syntax errors in policy.")]
    TooLong {
        /// Bytes received.
        bytes: usize,
    },
    /// The JSON does not follow the grammar of the policy language.
    #[error("Syntax errors in policy.")]
    Syntax {
        /// What is wrong and where.
        detail: String,
    },
    /// An element appears twice in one object.
    #[error("Syntax errors in policy.")]
    DuplicateKey {
        /// The name of the element.
        key: String,
    },
    /// A managed policy must be written in the current version of the language.
    #[error("Policy document must be version 2012-10-17 or greater.")]
    VersionTooOld,
    /// A value that only IAM's second ("legacy") parser looks at: the case of `Effect`, dates,
    /// numbers, addresses.
    #[error("The policy failed legacy parsing")]
    LegacyParsing {
        /// What is wrong and where.
        detail: String,
    },
    /// Two statements have the same `Sid`.
    #[error("Statement IDs (SID) in a single policy must be unique.")]
    DuplicateSid {
        /// The `Sid` found twice.
        sid: String,
    },
    /// A `Sid` of a policy of IAM has other characters than letters and digits.
    #[error(
        "Statement IDs (SID) must be alpha-numeric. Check that your input satisfies the regular \
         expression [0-9A-Za-z]*"
    )]
    InvalidSid {
        /// The `Sid` as written.
        sid: String,
    },
    /// A statement has neither `Action` nor `NotAction`, or an empty list.
    #[error("Policy statement must contain actions.")]
    MissingAction,
    /// A statement has neither `Resource` nor `NotResource`, or an empty list.
    #[error("Policy statement must contain resources.")]
    MissingResource,
    /// An action has no service prefix.
    #[error("Actions/Conditions must be prefaced by a vendor, e.g., iam, sdb, ec2, etc.")]
    MissingVendor {
        /// The action.
        text: String,
    },
    /// An action has more than one colon.
    #[error("Actions/Condition can contain only one colon.")]
    TooManyColons {
        /// The action.
        text: String,
    },
    /// The service prefix of an action has characters that no service has.
    #[error("Vendor {vendor} is not valid")]
    InvalidVendor {
        /// The prefix.
        vendor: String,
    },
    /// A resource is neither `*` nor an ARN.
    #[error("Resource {resource} must be in ARN format or \"*\".")]
    ResourceNotArn {
        /// The resource as written.
        resource: String,
    },
    /// The second part of a resource's ARN is no partition of AWS.
    #[error("Partition \"{partition}\" is not valid for resource \"{resource}\".")]
    InvalidPartition {
        /// The partition as written.
        partition: String,
        /// The resource, its missing parts shown as `*`.
        resource: String,
    },
    /// A resource of S3 names a Region.
    #[error("Resource {resource} can not contain region information.")]
    ResourceRegion {
        /// The resource as written.
        resource: String,
    },
    /// A resource of IAM names a Region.
    #[error("IAM resource {resource} cannot contain region information.")]
    IamResourceRegion {
        /// The resource as written.
        resource: String,
    },
    /// The last part of the ARN of a resource of IAM is none that IAM has.
    #[error("IAM resource path must either be \"*\", root, or start with {known}.")]
    IamResourcePath {
        /// What it may start with.
        known: String,
    },
    /// A resource's ARN stops before, or has a wildcard in, the service part.
    #[error("Resource vendor must be fully qualified and cannot contain regexes.")]
    ResourceVendor {
        /// The resource as written.
        resource: String,
    },
    /// An identity-based policy names a principal.
    #[error("Policy document should not specify a principal.")]
    PrincipalNotAllowed,
    /// A trust policy has an element that it may not have.
    #[error("Has prohibited field {field}")]
    ProhibitedField {
        /// The name of the element.
        field: &'static str,
    },
    /// A resource-based policy lacks an element that it must have.
    #[error("Missing required field {field}")]
    MissingField {
        /// The name of the element.
        field: &'static str,
    },
    /// A principal is not written as any principal of AWS is.
    #[error("Invalid principal in policy: \"{kind}\":\"{value}\"")]
    InvalidPrincipal {
        /// `AWS`, `SERVICE`, `FEDERATED` or `CANONICALUSER`.
        kind: String,
        /// The principal as written.
        value: String,
    },
    /// A trust policy names under `Federated` what is no identity provider's name.
    #[error("Federated principals must be valid domain names or SAML metadata ARNs")]
    InvalidFederated {
        /// The principal as written.
        value: String,
    },
    /// A trust policy has an action other than those by which a role is assumed.
    #[error("AssumeRole policy may only specify STS AssumeRole actions.")]
    NotAssumeRole {
        /// The action as written.
        action: String,
    },
}

impl ParseError {
    pub(crate) fn syntax(detail: impl Into<String>) -> Self {
        Self::Syntax { detail: detail.into() }
    }

    pub(crate) fn legacy(detail: impl Into<String>) -> Self {
        Self::LegacyParsing { detail: detail.into() }
    }
}
