//! IAM through the test kit.
