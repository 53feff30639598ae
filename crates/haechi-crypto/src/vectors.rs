//! Wycheproof's vectors for everything that a key spec does: known answers, and the attacks of
//! thirty years. Its verdict `acceptable` binds nobody; `valid` and `invalid` bind here.

mod secrets;
mod signatures;

use wycheproof::TestResult;

/// Asserts the verdict, and counts the vectors that were really run.
struct Tally {
    valid: usize,
    invalid: usize,
}

impl Tally {
    fn new() -> Self {
        Self { valid: 0, invalid: 0 }
    }

    fn check(&mut self, result: TestResult, accepted: bool, name: &dyn std::fmt::Debug) {
        match result {
            TestResult::Valid => {
                assert!(accepted, "valid, but refused: {name:?}");
                self.valid += 1;
            }
            TestResult::Invalid => {
                assert!(!accepted, "invalid, but accepted: {name:?}");
                self.invalid += 1;
            }
            TestResult::Acceptable => {}
        }
    }

    /// Guards against a set that is empty or filtered away.
    fn finish(self, valid_min: usize, invalid_min: usize) {
        assert!(self.valid >= valid_min, "only {} valid vectors ran", self.valid);
        assert!(self.invalid >= invalid_min, "only {} invalid vectors ran", self.invalid);
    }
}

/// The verdict on a vector with parameters that KMS does not have: what is valid with them is
/// invalid here, what is invalid with them may be valid with ours.
fn foreign_unless(ours: bool, result: TestResult) -> TestResult {
    match (ours, result) {
        (true, result) => result,
        (false, TestResult::Valid) => TestResult::Invalid,
        (false, _) => TestResult::Acceptable,
    }
}
