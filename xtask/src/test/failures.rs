//! Keeps what Rust's test harness says of each failed test, to be shown again at the end: between a
//! failure and the summary lie a quarter of an hour of other checks.

/// Lines of a failure that are shown: its beginning and its end say what it is.
const FIRST: usize = 20;
const LAST: usize = 25;

/// What was said of the tests that failed.
#[derive(Debug, Default)]
pub struct Failures {
    /// Each failure: its heading, and then what the test said.
    said: Vec<Vec<String>>,
    inside: bool,
}

impl Failures {
    /// Takes a line of a test run's output.
    pub fn add_line(&mut self, line: &str) {
        if line.starts_with("---- ") && line.ends_with(" stdout ----") {
            self.said.push(vec![line.to_owned()]);
            self.inside = true;
        } else if line == "failures:" || line == "stack backtrace:" {
            self.inside = false;
        } else if let (true, Some(failure)) = (self.inside, self.said.last_mut()) {
            failure.push(line.to_owned());
        }
    }

    /// What to show: nothing if nothing has failed.
    pub fn shown(&self) -> Vec<String> {
        let mut shown = Vec::new();
        for failure in &self.said {
            let left_out = failure.len().saturating_sub(FIRST + LAST);
            shown.extend(failure.iter().take(FIRST).cloned());
            if left_out > 0 {
                shown.push(format!("[{left_out} lines]"));
            }
            shown.extend(failure.iter().skip(FIRST + left_out).cloned());
        }
        shown
    }
}

#[cfg(test)]
mod tests {
    use super::Failures;

    fn shown(text: &str) -> Vec<String> {
        let mut failures = Failures::default();
        text.lines().for_each(|line| failures.add_line(line));
        failures.shown()
    }

    #[test]
    fn what_failed_tests_said_is_kept_without_backtraces_and_listings() {
        let text = "running 2 tests\ntest a ... FAILED\n\nfailures:\n\n---- a stdout ----\nwhy\n\
                    stack backtrace:\n   0: rust_begin_unwind\n\n---- b stdout ----\nbecause\n\n\
                    failures:\n    a\n    b\ntest result: FAILED. 0 passed; 2 failed";
        assert_eq!(shown(text), ["---- a stdout ----", "why", "---- b stdout ----", "because", ""]);
        assert!(shown("running 1 test\ntest a ... ok").is_empty());
    }

    #[test]
    fn of_a_long_failure_the_beginning_and_the_end_are_shown() {
        let said: Vec<String> = (0..100).map(|line| line.to_string()).collect();
        let text = format!("---- a stdout ----\n{}", said.join("\n"));
        let shown = shown(&text);
        assert_eq!(shown.len(), 46);
        assert_eq!(shown.get(19..22).unwrap(), ["18", "[56 lines]", "75"]);
        assert_eq!(shown.last().unwrap(), "99");
    }
}
