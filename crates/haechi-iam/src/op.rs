//! One file for each operation.

mod create_access_key;
mod create_user;
mod delete_access_key;
mod delete_user;
mod delete_user_policy;
mod get_access_key_last_used;
mod get_user;
mod get_user_policy;
mod list_access_keys;
mod list_user_policies;
mod list_user_tags;
mod list_users;
mod put_user_policy;
mod tag_user;
mod untag_user;
mod update_access_key;
mod update_user;
