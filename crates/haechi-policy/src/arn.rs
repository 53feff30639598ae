//! Amazon Resource Names in policies: the `Resource` element and the ARN condition operators.

use crate::Context;
use crate::pattern::{Piece, Resolved, Syntax, Template, glob};

/// The parts of an ARN: `arn:partition:service:region:account:resource`.
const PARTS: usize = 6;

/// One entry of `Resource` or `NotResource`.
#[derive(Clone, Debug)]
pub(crate) struct ResourcePattern {
    template: Template,
    source: Box<str>,
}

impl ResourcePattern {
    /// Variables stand only behind the fifth colon (IAM policy elements: Variables and tags).
    pub(crate) fn compile(text: &str, variables: bool) -> Self {
        let resource_from = fifth_colon(text);
        let syntax = Syntax {
            wildcards: true,
            variables_from: resource_from.filter(|_| variables),
            segments_until: resource_from.unwrap_or(text.len()),
        };
        let template = Template::compile(text, syntax);
        Self { template, source: text.into() }
    }

    pub(crate) fn source(&self) -> &str {
        &self.source
    }

    pub(crate) fn matches(&self, resource: &str, context: &dyn Context) -> bool {
        self.template.matches(resource, context)
    }
}

/// The byte after the fifth colon.
fn fifth_colon(text: &str) -> Option<usize> {
    text.match_indices(':').nth(PARTS - 2).map(|(at, _)| at + 1)
}

/// An operand of `ArnEquals` and `ArnLike`, which are the same: each of the six parts is matched
/// by itself, so that a wildcard does not reach over a colon, except in the last part.
#[derive(Clone, Debug)]
pub(crate) struct ArnPattern {
    shape: Shape,
}

#[derive(Clone, Debug)]
enum Shape {
    /// `*` alone.
    Any,
    Parts(Box<[Template; PARTS]>),
    /// Split into parts only when its variables have their values, which may hold colons.
    Variable(Template),
    /// Fewer than six parts: no ARN is like it.
    Nothing,
}

impl ArnPattern {
    pub(crate) fn compile(text: &str, variables: bool) -> Self {
        if text == "*" {
            return Self { shape: Shape::Any };
        }
        if variables && text.contains("${") {
            let syntax = Syntax { wildcards: true, variables_from: Some(0), segments_until: 0 };
            return Self { shape: Shape::Variable(Template::compile(text, syntax)) };
        }
        let syntax = Syntax { wildcards: true, variables_from: None, segments_until: 0 };
        let shape = match split(text) {
            Some(parts) => {
                Shape::Parts(Box::new(parts.map(|part| Template::compile(part, syntax))))
            }
            None => Shape::Nothing,
        };
        Self { shape }
    }

    pub(crate) fn matches(&self, arn: &str, context: &dyn Context) -> bool {
        match &self.shape {
            Shape::Any => true,
            Shape::Nothing => false,
            Shape::Parts(templates) => split(arn).is_some_and(|parts| {
                templates.iter().zip(parts).all(|(template, part)| template.matches_plain(part))
            }),
            Shape::Variable(template) => {
                let Some(parts) = split(arn) else { return false };
                let Some(pieces) = template.resolve(context) else { return false };
                split_pieces(&pieces).is_some_and(|patterns| {
                    patterns.iter().zip(parts).all(|(pieces, part)| {
                        let piece = |at: usize| pieces.get(at).copied().unwrap_or(Piece::Many);
                        glob(pieces.len(), piece, part)
                    })
                })
            }
        }
    }
}

fn split(arn: &str) -> Option<[&str; PARTS]> {
    let mut parts = [""; PARTS];
    let mut from = arn.splitn(PARTS, ':');
    for part in &mut parts {
        *part = from.next()?;
    }
    Some(parts)
}

fn split_pieces<'a>(pieces: &'a [Resolved<'a>]) -> Option<Vec<Vec<Piece<'a>>>> {
    let mut parts: Vec<Vec<Piece<'a>>> = Vec::with_capacity(PARTS);
    let mut part = Vec::new();
    for piece in pieces {
        let Piece::Text(mut text) = piece.piece() else {
            part.push(piece.piece());
            continue;
        };
        while parts.len() < PARTS - 1
            && let Some((before, after)) = text.split_once(':')
        {
            part.push(Piece::Text(before));
            parts.push(std::mem::take(&mut part));
            text = after;
        }
        part.push(Piece::Text(text));
    }
    parts.push(part);
    (parts.len() == PARTS).then_some(parts)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ContextMap;

    #[test]
    fn a_wildcard_in_an_arn_operand_does_not_reach_over_a_colon() {
        let pattern = "arn:aws:someservice:*:111122223333:finance/*";
        let arn = "arn:aws:someservice:us-east-2:999999999999:store/abc:111122223333:finance/d.txt";
        let context = ContextMap::new();
        assert!(!ArnPattern::compile(pattern, true).matches(arn, &context));
        let arn = "arn:aws:someservice:us-east-2:111122223333:finance/a:b";
        assert!(ArnPattern::compile(pattern, true).matches(arn, &context));
    }

    #[test]
    fn a_variable_in_an_arn_operand_may_be_the_whole_arn_or_a_part() {
        let arn = "arn:aws:iam::123456789012:user/al";
        let context = ContextMap::new().with("aws:principalarn", arn).with("aws:username", "al");
        assert!(ArnPattern::compile("${aws:PrincipalArn}", true).matches(arn, &context));
        let pattern = ArnPattern::compile("arn:aws:iam::*:user/${aws:username}", true);
        assert!(pattern.matches(arn, &context));
        assert!(!pattern.matches("arn:aws:iam::1:user/bo", &context));
        assert!(!ArnPattern::compile("${aws:username}", true).matches(arn, &context));
    }

    #[test]
    fn variables_stand_only_behind_the_fifth_colon_of_a_resource() {
        let context = ContextMap::new().with("aws:username", "al");
        let pattern = ResourcePattern::compile("arn:aws:s3:::b/${aws:username}", true);
        assert!(pattern.matches("arn:aws:s3:::b/al", &context));
        let pattern = ResourcePattern::compile("arn:aws:${aws:username}:::b", true);
        assert!(!pattern.matches("arn:aws:al:::b", &context));
    }

    #[test]
    fn a_wildcard_of_a_resource_reaches_over_a_colon_only_at_the_end_of_its_segment() {
        let context = ContextMap::new().with("aws:username", "al");
        for (pattern, resource, expected) in [
            ("arn:aws:sqs:us-*-2:1:q", "arn:aws:sqs:us-east-2:1:q", true),
            ("arn:aws:sqs:us-*-2:1:q", "arn:aws:sqs:us-east-1:x-2:1:q", false),
            ("arn:aws:sqs:us-east-?:1:q", "arn:aws:sqs:us-east-2:1:q", true),
            ("arn:aws:sqs:?:1:q", "arn:aws:sqs:::1:q", false),
            ("arn:aws:sqs:*:1:q", "arn:aws:sqs:a:b:1:q", true),
            ("arn:aws:sqs:us-*", "arn:aws:sqs:us-east-2:1:q", true),
            ("arn:aws:s3:::b/a*c?d", "arn:aws:s3:::b/a:b:c:d", true),
            ("arn:aws:sqs:u*-2:1:${aws:username}*", "arn:aws:sqs:us-2:1:alice", true),
            ("arn:aws:sqs:u*-2:1:${aws:username}*", "arn:aws:sqs:us-2:1:bob", false),
            ("arn:aws:sqs:u*-2:1:é?", "arn:aws:sqs:us-2:1:éé", true),
        ] {
            let compiled = ResourcePattern::compile(pattern, true);
            assert_eq!(compiled.matches(resource, &context), expected, "{pattern} {resource}");
        }
    }
}
