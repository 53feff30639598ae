//! The IAM policy language: parse, compile, evaluate, explain.
//!
//! Every call that haechi serves is decided here, so that the decision is AWS's decision and can
//! be explained. The crate is pure: no input or output, no clock, no randomness; everything that
//! a policy may ask about comes in through [`Context`].
//!
//! * [`Document::parse`] reads one policy and compiles it: wildcards, ARN patterns, condition
//!   operands and policy variables are understood once, when the policy is saved.
//! * [`evaluate`] decides a [`Request`] under all the [`Policies`] that apply to it, in the order
//!   of "Policy evaluation logic" in the IAM User Guide. The common path allocates nothing.
//! * [`explain`] takes the same arguments and returns every statement that was considered, and
//!   why it did or did not apply; a [`RecordedRequest`] can be explained later.
//! * [`compact`] writes a policy in one line, as some services show it.
//! * [`reference`] knows which actions there are, and their resources and condition keys.
//!
//! The language is the one of "IAM JSON policy reference" in the IAM User Guide; where a comment
//! names a page, it is a page of that guide unless said otherwise.

mod action;
mod arn;
mod compact;
mod condition;
mod context;
mod decision;
mod document;
mod error;
mod evaluate;
mod explain;
mod json;
mod parse;
mod pattern;
mod position;
mod principal;
mod recording;
pub mod reference;
mod statement;

pub use compact::compact;
pub use context::{Context, ContextMap, Values};
pub use decision::{Allowed, Decision, Denial};
pub use document::{Document, Kind, POLICY_BYTES_MAX, Version};
pub use error::ParseError;
pub use evaluate::{Granted, Policies, Request, ResourceRule, evaluate, evaluate_granted};
pub use explain::{
    ConditionExplanation, ElementExplanation, Explanation, LayerExplanation, PolicyExplanation,
    Says, StatementExplanation, explain, explain_granted,
};
pub use position::{Position, statement_positions};
pub use principal::{AwsPrincipal, Principal};
pub use recording::RecordedRequest;
pub use statement::Effect;
