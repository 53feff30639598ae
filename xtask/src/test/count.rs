//! Adds up the results that Rust's test harness prints.

/// Checks that passed and failed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Count {
    /// Checks that held.
    pub passed: u64,
    /// Checks that did not.
    pub failed: u64,
}

impl Count {
    /// Adds another count.
    pub fn add(&mut self, other: Count) {
        self.passed = self.passed.saturating_add(other.passed);
        self.failed = self.failed.saturating_add(other.failed);
    }

    /// Adds a line of the form `test result: ok. 5 passed; 0 failed; …`; other lines add nothing.
    pub fn add_line(&mut self, line: &str) {
        let Some(result) = line.strip_prefix("test result: ") else { return };
        let number = |word: &str| {
            let before = result.split(word).next()?;
            before.split_whitespace().last()?.parse().ok()
        };
        self.add(Count {
            passed: number(" passed").unwrap_or_default(),
            failed: number(" failed").unwrap_or_default(),
        });
    }
}

#[cfg(test)]
mod tests {
    use super::Count;

    #[test]
    fn results_of_several_binaries_add_up() {
        let mut count = Count::default();
        count.add_line("running 5 tests");
        count
            .add_line("test result: ok. 5 passed; 0 failed; 1 ignored; 0 measured; 0 filtered out");
        count.add_line("test result: FAILED. 12 passed; 3 failed; 0 ignored; 0 measured");
        assert_eq!(count, Count { passed: 17, failed: 3 });
    }
}
