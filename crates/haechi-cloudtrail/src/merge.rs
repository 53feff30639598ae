//! `LookupEvents` among several nodes, each of which has the records of its own calls.
//!
//! The node that is called asks all others for their newest records of what is looked for, each from
//! where the page before ended on it, and takes the newest of all until the page is full. If one has
//! looked through so many records that it stopped early, the page ends there: what it has not shown
//! may be newer than what others have.

use std::collections::BTreeMap;
use std::ops::ControlFlow;

use async_trait::async_trait;
use haechi_core::{AuditPosition, AuditReader};
use haechi_wire::Fault;
use serde::{Deserialize, Serialize};

use crate::event::Event;
use crate::lookup::Query;

/// Records that one node reads for one call at most. A page may be short, or empty, and have a
/// token: then there is more to read.
const SCANNED_MAX: u32 = 100_000;

/// Events on a page at most, whoever asks.
const PAGE_MAX: usize = 50;

/// Who asks the other nodes.
#[async_trait]
pub trait OtherNodes: Send + Sync + 'static {
    /// The id of this node.
    fn own(&self) -> String;

    /// Asks all that serve; answers what each said, by its id.
    ///
    /// # Errors
    /// If one of them does not answer: a list that lacks its events would look complete.
    async fn ask(&self, ask: Vec<u8>) -> Result<Vec<(String, Vec<u8>)>, Fault>;
}

/// Where a page ended, of each node that it looked at.
pub(crate) type Places = BTreeMap<String, (u64, u32)>;

/// What is asked of a node.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Ask {
    pub(crate) account: String,
    pub(crate) region: String,
    pub(crate) since_ms: i64,
    pub(crate) until_ms: i64,
    pub(crate) attribute: Option<(String, String)>,
    pub(crate) limit: usize,
    pub(crate) before: Places,
}

/// What a node has.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(crate) struct Part {
    /// From the newest on.
    found: Vec<Found>,
    /// How far it looked, if not to its oldest record.
    end: Option<(u64, u32)>,
}

#[derive(Debug, Serialize, Deserialize)]
struct Found {
    place: (u64, u32),
    record: String,
}

fn position((frame, index): (u64, u32)) -> AuditPosition {
    AuditPosition { frame, index }
}

/// What this node has of what is looked for. Blocks.
pub(crate) fn part(
    audit: &dyn AuditReader,
    query: &Query,
    before: Option<(u64, u32)>,
    limit: usize,
) -> Result<Part, Fault> {
    let (mut part, mut scanned, mut last) = (Part::default(), 0, None);
    let limit = limit.min(PAGE_MAX);
    audit
        .newest_first(before.map(position), query.window(), &mut |at, record| {
            if part.found.len() >= limit || scanned >= SCANNED_MAX {
                part.end = last;
                return ControlFlow::Break(());
            }
            scanned += 1;
            let place = (at.frame, at.index);
            last = Some(place);
            if Event::parse(record).is_some_and(|event| query.wants(&event)) {
                let record = String::from_utf8_lossy(record).into_owned();
                part.found.push(Found { place, record });
            }
            ControlFlow::Continue(())
        })
        .map_err(Fault::internal)?;
    Ok(part)
}

/// A node's records while pages are made of them.
struct Left {
    node: String,
    found: std::iter::Peekable<std::vec::IntoIter<Found>>,
    end: Option<(u64, u32)>,
    /// What was taken last; before that, where the page before ended.
    place: Option<(u64, u32)>,
}

impl Left {
    /// When its newest record came.
    fn time(&mut self) -> Option<i64> {
        let found = self.found.peek()?;
        Some(Event::parse(found.record.as_bytes()).map_or(0, |event| event.time().millis()))
    }
}

/// The newest records of all nodes, and where the next page begins; none if this is the last.
pub(crate) fn merged(
    parts: Vec<(String, Part)>,
    before: &Places,
    limit: usize,
) -> (Vec<String>, Option<Places>) {
    let left = parts.into_iter().map(|(node, part)| Left {
        place: before.get(&node).copied(),
        found: part.found.into_iter().peekable(),
        end: part.end,
        node,
    });
    let mut left: Vec<Left> = left.collect();
    let mut records = Vec::new();
    while records.len() < limit {
        if left.iter_mut().any(|node| node.found.peek().is_none() && node.end.is_some()) {
            break;
        }
        let newest = left.iter_mut().filter_map(|node| node.time().map(|time| (time, node)));
        let Some((_, node)) = newest.max_by_key(|(time, _)| *time) else { break };
        let Some(found) = node.found.next() else { break };
        node.place = Some(found.place);
        records.push(found.record);
    }
    let more = left.iter_mut().any(|node| node.found.peek().is_some() || node.end.is_some());
    let mut places = before.clone();
    places.extend(left.into_iter().filter_map(|mut node| {
        let all = node.found.peek().is_none();
        let place = node.end.filter(|_| all).or(node.place)?;
        Some((node.node, place))
    }));
    (records, more.then_some(places))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::tests::record;

    fn found(place: u64, minute: u32) -> Found {
        let time = format!("2026-01-01T00:{minute:02}:00Z");
        let record = record("111122223333", "eu-west-1", "CreateKey", &time);
        Found { place: (place, 0), record: String::from_utf8(record).unwrap() }
    }

    fn node(name: &str, found: Vec<Found>, end: Option<u64>) -> (String, Part) {
        (name.to_owned(), Part { found, end: end.map(|frame| (frame, 0)) })
    }

    fn minutes(records: &[String]) -> Vec<u32> {
        let minute = |record: &String| {
            let at = record.find("2026-01-01T00:").unwrap() + "2026-01-01T00:".len();
            record[at..at + 2].parse().unwrap()
        };
        records.iter().map(minute).collect()
    }

    #[test]
    fn the_newest_of_all_nodes_come_first_and_the_next_page_goes_on_with_each() {
        let parts = || {
            vec![
                node("a", vec![found(9, 50), found(7, 20), found(6, 10)], None),
                node("b", vec![found(40, 40), found(30, 30)], None),
            ]
        };
        let (page, next) = merged(parts(), &Places::new(), 3);
        assert_eq!(minutes(&page), [50, 40, 30]);
        let next = next.unwrap();
        assert_eq!(next, Places::from([("a".into(), (9, 0)), ("b".into(), (30, 0))]));
        let (page, next) = merged(
            vec![node("a", vec![found(7, 20), found(6, 10)], None), node("b", vec![], None)],
            &next,
            3,
        );
        assert_eq!((minutes(&page), next), (vec![20, 10], None));
    }

    #[test]
    fn a_node_that_stopped_early_ends_the_page_where_it_stopped() {
        let parts = vec![
            node("a", vec![found(9, 50)], Some(3)),
            node("b", vec![found(40, 55), found(30, 30)], None),
        ];
        let (page, next) = merged(parts, &Places::new(), 50);
        assert_eq!(minutes(&page), [55, 50], "a may have others that are newer than 30");
        assert_eq!(next.unwrap(), Places::from([("a".into(), (3, 0)), ("b".into(), (40, 0))]));
    }

    #[test]
    fn a_node_of_which_nothing_was_taken_yet_begins_at_its_newest() {
        let parts =
            vec![node("a", vec![found(9, 50)], None), node("b", vec![found(4, 10)], Some(4))];
        let (page, next) = merged(parts, &Places::new(), 1);
        assert_eq!(minutes(&page), [50]);
        assert_eq!(next.unwrap(), Places::from([("a".into(), (9, 0))]));
    }
}
