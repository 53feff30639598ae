//! One file for each operation.

mod get_access_key_info;
mod get_caller_identity;
