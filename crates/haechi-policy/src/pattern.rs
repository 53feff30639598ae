//! Text with wildcards and policy variables, understood when the policy is parsed.
//!
//! `*` stands for any characters and `?` for exactly one, in resources and in the operators that
//! say "like"; a variable `${key}` stands for a value of the request and is never itself read as
//! a wildcard. `${*}`, `${?}` and `${$}` are those characters themselves. (IAM policy elements:
//! Variables and tags.)

use std::borrow::Cow;

use crate::Context;

/// What one place of a pattern takes.
#[derive(Clone, Copy)]
pub(crate) enum Piece<'a> {
    /// Exactly this text.
    Text(&'a str),
    /// Any one character.
    One,
    /// Any characters, or none.
    Many,
    /// Any one character but a colon.
    OneInSegment,
    /// Any characters but colons, or none.
    ManyInSegment,
}

/// Whether a text is taken by a pattern of `count` pieces, none of them bound to a segment.
///
/// Only the last `Many` is ever tried again: what an earlier one could take instead, the last one
/// can take too. So the cost is at most pattern times text.
pub(crate) fn glob<'a>(count: usize, piece: impl Fn(usize) -> Piece<'a>, text: &str) -> bool {
    let (mut place, mut rest) = (0, text);
    let mut retry: Option<(usize, &str)> = None;
    loop {
        let step = if place == count {
            if rest.is_empty() {
                return true;
            }
            None
        } else {
            match piece(place) {
                Piece::Many if place + 1 == count => return true,
                Piece::Many | Piece::ManyInSegment => {
                    retry = Some((place + 1, rest));
                    Some(rest)
                }
                Piece::One | Piece::OneInSegment => after_one(rest),
                Piece::Text(wanted) => rest.strip_prefix(wanted),
            }
        };
        if let Some(next) = step {
            rest = next;
            place += 1;
            continue;
        }
        let Some((after_many, from)) = retry else { return false };
        let Some(shorter) = after_one(from) else { return false };
        retry = Some((after_many, shorter));
        place = after_many;
        rest = shorter;
    }
}

/// As [`glob`], with pieces bound to a segment: where each piece can end, over all places at once.
fn glob_segments(pieces: &[Resolved<'_>], text: &str) -> bool {
    let mut ends = vec![false; text.len() + 1];
    if let Some(start) = ends.first_mut() {
        *start = true;
    }
    for piece in pieces {
        let mut next = vec![false; text.len() + 1];
        let mut mark = |at: usize| {
            if let Some(end) = next.get_mut(at) {
                *end = true;
            }
        };
        let piece = piece.piece();
        let mut running = false;
        for (at, is_end) in ends.iter().enumerate() {
            let Some(rest) = text.get(at..) else { continue };
            match piece {
                Piece::Text(wanted) if *is_end && rest.starts_with(wanted) => {
                    mark(at + wanted.len());
                }
                Piece::One | Piece::OneInSegment if *is_end => {
                    let bound = matches!(piece, Piece::OneInSegment);
                    if let Some(character) = rest.chars().next().filter(|c| !bound || *c != ':') {
                        mark(at + character.len_utf8());
                    }
                }
                Piece::Many | Piece::ManyInSegment => {
                    running |= is_end;
                    if running {
                        mark(at);
                    }
                    let bound = matches!(piece, Piece::ManyInSegment);
                    running &= !(bound && rest.starts_with(':'));
                }
                _ => {}
            }
        }
        ends = next;
    }
    ends.last().copied().unwrap_or(false)
}

fn after_one(text: &str) -> Option<&str> {
    let mut characters = text.chars();
    characters.next().map(|_| characters.as_str())
}

#[derive(Clone, Debug)]
enum Token {
    Text(Box<str>),
    One,
    Many,
    OneInSegment,
    ManyInSegment,
    Variable(Variable),
}

/// `${key}` or `${key, 'default'}`; the key in lower case.
#[derive(Clone, Debug)]
struct Variable {
    key: Box<str>,
    default: Option<Box<str>>,
}

/// A place of a pattern whose variables have been given their values.
pub(crate) enum Resolved<'a> {
    Text(Cow<'a, str>),
    One,
    Many,
    OneInSegment,
    ManyInSegment,
}

impl Resolved<'_> {
    pub(crate) fn piece(&self) -> Piece<'_> {
        match self {
            Resolved::Text(text) => Piece::Text(text),
            Resolved::One => Piece::One,
            Resolved::Many => Piece::Many,
            Resolved::OneInSegment => Piece::OneInSegment,
            Resolved::ManyInSegment => Piece::ManyInSegment,
        }
    }

    fn is_bound(&self) -> bool {
        matches!(self, Resolved::OneInSegment | Resolved::ManyInSegment)
    }
}

/// What characters mean in one element of a policy.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Syntax {
    /// `*` and `?` are wildcards.
    pub wildcards: bool,
    /// `${…}` is a variable, from this byte on; `None` where or when variables do not exist.
    pub variables_from: Option<usize>,
    /// Up to this byte, `?` takes no colon, nor does `*` unless it ends its segment: the parts of
    /// an ARN before the resource (IAM JSON policy elements: Resource).
    pub segments_until: usize,
}

impl Syntax {
    /// Every character stands for itself.
    #[cfg(test)]
    pub(crate) const LITERAL: Self =
        Self { wildcards: false, variables_from: None, segments_until: 0 };
}

#[derive(Clone, Debug)]
enum Shape {
    /// `*` alone.
    Any,
    Exact(Box<str>),
    /// Text and then `*`.
    Prefix(Box<str>),
    Glob(Box<[Token]>),
    /// With variables, or with wildcards bound to a segment.
    Resolve(Box<[Token]>),
}

/// A compiled pattern.
#[derive(Clone, Debug)]
pub(crate) struct Template {
    shape: Shape,
}

impl Template {
    pub(crate) fn compile(text: &str, syntax: Syntax) -> Self {
        let tokens = tokens(text, syntax);
        let shape = match tokens.as_slice() {
            [] => Shape::Exact("".into()),
            [Token::Text(text)] => Shape::Exact(text.clone()),
            [Token::Many] => Shape::Any,
            [Token::Text(text), Token::Many] => Shape::Prefix(text.clone()),
            list if list.iter().any(Token::needs_resolving) => Shape::Resolve(tokens.into()),
            _ => Shape::Glob(tokens.into()),
        };
        Self { shape }
    }

    /// The text that every match begins with.
    pub(crate) fn literal_prefix(&self) -> &str {
        match &self.shape {
            Shape::Any => "",
            Shape::Exact(text) | Shape::Prefix(text) => text,
            Shape::Glob(tokens) | Shape::Resolve(tokens) => match tokens.first() {
                Some(Token::Text(text)) => text,
                _ => "",
            },
        }
    }

    /// Whether the pattern takes a text; a variable without a value takes nothing.
    pub(crate) fn matches(&self, text: &str, context: &dyn Context) -> bool {
        match &self.shape {
            Shape::Any => true,
            Shape::Exact(wanted) => **wanted == *text,
            Shape::Prefix(prefix) => text.starts_with(&**prefix),
            Shape::Glob(tokens) => glob_tokens(tokens, text),
            Shape::Resolve(_) => self.resolve(context).is_some_and(|pieces| {
                if pieces.iter().any(Resolved::is_bound) {
                    return glob_segments(&pieces, text);
                }
                glob(pieces.len(), |at| pieces.get(at).map_or(Piece::Many, Resolved::piece), text)
            }),
        }
    }

    /// As [`Template::matches`] for patterns without variables and segments.
    pub(crate) fn matches_plain(&self, text: &str) -> bool {
        match &self.shape {
            Shape::Any => true,
            Shape::Exact(wanted) => **wanted == *text,
            Shape::Prefix(prefix) => text.starts_with(&**prefix),
            Shape::Glob(tokens) => glob_tokens(tokens, text),
            Shape::Resolve(_) => false,
        }
    }

    /// Equality without regard to case; for patterns compiled without wildcards.
    pub(crate) fn equals_ignoring_case(&self, text: &str, context: &dyn Context) -> bool {
        if let Shape::Exact(wanted) = &self.shape {
            return same_ignoring_case(wanted, text);
        }
        let Some(pieces) = self.resolve(context) else { return false };
        let mut wanted = String::new();
        for piece in &pieces {
            if let Resolved::Text(text) = piece {
                wanted.push_str(text);
            }
        }
        same_ignoring_case(&wanted, text)
    }

    /// The pieces with variables replaced; `None` if a variable has no value and no default.
    pub(crate) fn resolve<'a>(&'a self, context: &'a dyn Context) -> Option<Vec<Resolved<'a>>> {
        match &self.shape {
            Shape::Any => Some(vec![Resolved::Many]),
            Shape::Exact(text) => Some(vec![Resolved::Text(Cow::Borrowed(text))]),
            Shape::Prefix(text) => Some(vec![Resolved::Text(Cow::Borrowed(text)), Resolved::Many]),
            Shape::Glob(tokens) | Shape::Resolve(tokens) => {
                tokens.iter().map(|token| token.resolve(context)).collect()
            }
        }
    }
}

impl Token {
    fn piece(&self) -> Piece<'_> {
        match self {
            Token::Text(text) => Piece::Text(text),
            Token::One => Piece::One,
            Token::Many | Token::Variable(_) => Piece::Many,
            Token::OneInSegment => Piece::OneInSegment,
            Token::ManyInSegment => Piece::ManyInSegment,
        }
    }

    fn needs_resolving(&self) -> bool {
        matches!(self, Token::Variable(_) | Token::OneInSegment | Token::ManyInSegment)
    }

    fn resolve<'a>(&'a self, context: &'a dyn Context) -> Option<Resolved<'a>> {
        Some(match self {
            Token::Text(text) => Resolved::Text(Cow::Borrowed(text)),
            Token::One => Resolved::One,
            Token::Many => Resolved::Many,
            Token::OneInSegment => Resolved::OneInSegment,
            Token::ManyInSegment => Resolved::ManyInSegment,
            Token::Variable(variable) => Resolved::Text(variable.value(context)?),
        })
    }
}

impl Variable {
    /// A key with several values cannot be a variable (Single-valued vs. multivalued context
    /// keys), so it has none here.
    fn value<'a>(&'a self, context: &'a dyn Context) -> Option<Cow<'a, str>> {
        let values = context.values(&self.key);
        if let Some(values) = values
            && values.len() == 1
            && let Some(value) = values.at(0)
        {
            return Some(Cow::Owned(value.to_owned()));
        }
        self.default.as_deref().map(Cow::Borrowed)
    }
}

fn glob_tokens(tokens: &[Token], text: &str) -> bool {
    glob(tokens.len(), |at| tokens.get(at).map_or(Piece::Many, Token::piece), text)
}

/// Equality in which `A` and `a` are the same letter, in any script.
fn same_ignoring_case(one: &str, other: &str) -> bool {
    one.eq_ignore_ascii_case(other)
        || one.chars().flat_map(char::to_lowercase).eq(other.chars().flat_map(char::to_lowercase))
}

fn tokens(text: &str, syntax: Syntax) -> Vec<Token> {
    let mut tokens = Vec::new();
    let mut literal = String::new();
    let mut rest = text;
    while let Some(character) = rest.chars().next() {
        let offset = text.len() - rest.len();
        let variables = syntax.variables_from.is_some_and(|from| offset >= from);
        if variables && let Some((found, after)) = variable(rest) {
            match found {
                Found::Character(character) => literal.push(character),
                Found::Variable(variable) => {
                    flush(&mut literal, &mut tokens);
                    tokens.push(Token::Variable(variable));
                }
            }
            rest = after;
            continue;
        }
        match character {
            '*' if syntax.wildcards => {
                flush(&mut literal, &mut tokens);
                let next = rest.as_bytes().get(1);
                let bound = offset < syntax.segments_until && !matches!(next, None | Some(b':'));
                if bound {
                    tokens.push(Token::ManyInSegment);
                } else if !matches!(tokens.last(), Some(Token::Many)) {
                    tokens.push(Token::Many);
                }
            }
            '?' if syntax.wildcards => {
                flush(&mut literal, &mut tokens);
                let bound = offset < syntax.segments_until;
                tokens.push(if bound { Token::OneInSegment } else { Token::One });
            }
            _ => literal.push(character),
        }
        rest = rest.get(character.len_utf8()..).unwrap_or_default();
    }
    flush(&mut literal, &mut tokens);
    tokens
}

fn flush(literal: &mut String, tokens: &mut Vec<Token>) {
    if !literal.is_empty() {
        tokens.push(Token::Text(std::mem::take(literal).into()));
    }
}

/// The condition keys, in small letters, that the policy variables of a text ask for.
pub(crate) fn variable_names(text: &str) -> Vec<String> {
    let mut names = Vec::new();
    let mut rest = text;
    while let Some(at) = rest.find("${") {
        rest = rest.get(at..).unwrap_or_default();
        rest = match variable(rest) {
            Some((Found::Variable(variable), after)) => {
                names.push(variable.key.to_string());
                after
            }
            Some((Found::Character(_), after)) => after,
            None => rest.get(2..).unwrap_or_default(),
        };
    }
    names
}

enum Found {
    Character(char),
    Variable(Variable),
}

/// A variable at the start of a text, and what follows it. Text that only looks like one stands
/// for itself, as variables do in the language before 2012-10-17.
fn variable(text: &str) -> Option<(Found, &str)> {
    let inside = text.strip_prefix("${")?;
    for (special, character) in [("*}", '*'), ("?}", '?'), ("$}", '$')] {
        if let Some(after) = inside.strip_prefix(special) {
            return Some((Found::Character(character), after));
        }
    }
    let key_end = inside.find(['}', ',', '$', '{', '\''])?;
    let (key, rest) = inside.split_at_checked(key_end)?;
    let key = key.trim();
    if key.is_empty() {
        return None;
    }
    let key = key.to_lowercase().into();
    if let Some(after) = rest.strip_prefix('}') {
        return Some((Found::Variable(Variable { key, default: None }), after));
    }
    let quoted = rest.strip_prefix(',')?.trim_start().strip_prefix('\'')?;
    let (default, after) = quoted.split_once('\'')?;
    let after = after.trim_start().strip_prefix('}')?;
    Some((Found::Variable(Variable { key, default: Some(default.into()) }), after))
}

#[cfg(test)]
mod tests;
