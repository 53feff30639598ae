//! Linearizability of one register, by the algorithm of Wing and Gong with Lowe's memory of what was
//! tried: take the calls one after the other in some order that their times allow, go back where the
//! register could not have answered so, and never try the same calls with the same value twice.

use std::collections::HashSet;

/// What a client asked of the register, and what it was told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// It read this; `None` is absent.
    Read(Option<u64>),
    /// It wrote this.
    Write(Option<u64>),
    /// It replaced the first by the second.
    Swap(Option<u64>, Option<u64>),
    /// It was told that the register does not hold this.
    Differs(Option<u64>),
}

/// A call and when it was made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Call {
    /// Before it was sent.
    pub begun: u64,
    /// After the answer came; `None` if none came, so that it may have been done at any time since,
    /// or never.
    pub ended: Option<u64>,
    /// What it was.
    pub action: Action,
}

/// What is wrong with a history.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Some order explains it.
    Possible,
    /// None does. The most calls that could be ordered, and the answered calls that could not follow
    /// them.
    Impossible {
        /// How many calls were ordered at most.
        ordered: usize,
        /// What could not be placed then.
        stuck: Vec<Call>,
    },
}

/// Whether a register that held `initial` can have answered `calls` so.
#[must_use]
pub fn linearizable(initial: Option<u64>, calls: &[Call]) -> Verdict {
    Search::new(initial, calls).run()
}

/// The end of the list of marks.
const END: usize = usize::MAX;

/// A call's beginning or end, in the order of time.
#[derive(Clone, Copy)]
struct Mark {
    call: usize,
    is_end: bool,
    before: usize,
    after: usize,
}

struct Search<'a> {
    calls: &'a [Call],
    /// A list through its indices; the first is a head that is no mark.
    marks: Vec<Mark>,
    /// Where each call's beginning and end are in the list.
    places: Vec<(usize, Option<usize>)>,
    value: Option<u64>,
    ordered: Vec<u64>,
    tried: HashSet<(Vec<u64>, Option<u64>)>,
    /// The calls taken so far, and the value before each.
    taken: Vec<(usize, Option<u64>)>,
    best: (usize, Vec<Call>),
}

impl<'a> Search<'a> {
    fn new(initial: Option<u64>, calls: &'a [Call]) -> Self {
        let mut times: Vec<(u64, usize, bool)> = Vec::new();
        for (index, call) in calls.iter().enumerate() {
            times.push((call.begun, index, false));
            times.extend(call.ended.map(|ended| (ended, index, true)));
        }
        times.sort_unstable();
        let head = Mark { call: END, is_end: false, before: END, after: END };
        let mut marks = vec![head];
        let mut places = vec![(0, None); calls.len()];
        for (_, call, is_end) in times {
            let index = marks.len();
            let place = &mut places[call];
            if is_end {
                place.1 = Some(index);
            } else {
                place.0 = index;
            }
            marks[index - 1].after = index;
            marks.push(Mark { call, is_end, before: index - 1, after: END });
        }
        let ordered = vec![0; calls.len().div_ceil(64)];
        Self {
            calls,
            marks,
            places,
            value: initial,
            ordered,
            tried: HashSet::new(),
            taken: Vec::new(),
            best: (0, Vec::new()),
        }
    }

    fn run(mut self) -> Verdict {
        let mut at = self.marks[0].after;
        loop {
            // Whatever is left was never answered, and need not have been done.
            if at == END {
                return Verdict::Possible;
            }
            let Mark { call, is_end, after, .. } = self.marks[at];
            if !is_end {
                at = if self.take(call) { self.marks[0].after } else { after };
                continue;
            }
            // This call has been answered, and cannot be taken before its end.
            if self.taken.len() >= self.best.0 {
                self.best = (self.taken.len(), self.open(at));
            }
            let Some(last) = self.give_back() else {
                let (ordered, stuck) = self.best;
                return Verdict::Impossible { ordered, stuck };
            };
            at = self.marks[self.places[last].0].after;
        }
    }

    /// Takes a call as the next, if the register can have answered so and this is new.
    fn take(&mut self, call: usize) -> bool {
        let Some(value) = applied(self.value, self.calls[call].action) else { return false };
        self.ordered[call / 64] |= 1 << (call % 64);
        if !self.tried.insert((self.ordered.clone(), value)) {
            self.ordered[call / 64] &= !(1 << (call % 64));
            return false;
        }
        self.taken.push((call, self.value));
        self.value = value;
        let (begin, end) = self.places[call];
        self.unlink(begin);
        if let Some(end) = end {
            self.unlink(end);
        }
        true
    }

    fn give_back(&mut self) -> Option<usize> {
        let (call, value) = self.taken.pop()?;
        self.value = value;
        self.ordered[call / 64] &= !(1 << (call % 64));
        let (begin, end) = self.places[call];
        if let Some(end) = end {
            self.link(end);
        }
        self.link(begin);
        Some(call)
    }

    fn unlink(&mut self, mark: usize) {
        let Mark { before, after, .. } = self.marks[mark];
        self.marks[before].after = after;
        if after != END {
            self.marks[after].before = before;
        }
    }

    fn link(&mut self, mark: usize) {
        let Mark { before, after, .. } = self.marks[mark];
        self.marks[before].after = mark;
        if after != END {
            self.marks[after].before = mark;
        }
    }

    /// The calls that have begun before the mark `end` and were not taken.
    fn open(&self, end: usize) -> Vec<Call> {
        let (mut open, mut at) = (Vec::new(), self.marks[0].after);
        while at != end && at != END {
            let mark = self.marks[at];
            if !mark.is_end {
                open.push(self.calls[mark.call]);
            }
            at = mark.after;
        }
        open
    }
}

/// The value after `action`, if the register can have answered so.
fn applied(value: Option<u64>, action: Action) -> Option<Option<u64>> {
    match action {
        Action::Read(seen) => (seen == value).then_some(value),
        Action::Write(new) => Some(new),
        Action::Swap(old, new) => (old == value).then_some(new),
        Action::Differs(asked) => (asked != value).then_some(value),
    }
}

#[cfg(test)]
mod tests;
