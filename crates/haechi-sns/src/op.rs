//! One file for each operation.

mod add_permission;
mod confirm_subscription;
mod create_topic;
mod delete_topic;
mod get_subscription_attributes;
mod get_topic_attributes;
mod list_subscriptions;
mod list_subscriptions_by_topic;
mod list_tags_for_resource;
mod list_topics;
mod publish;
mod publish_batch;
mod remove_permission;
mod set_subscription_attributes;
mod set_topic_attributes;
mod subscribe;
mod tag_resource;
mod unsubscribe;
mod untag_resource;

use haechi_core::Cx;
use haechi_core::paging::Cursor;
use haechi_sns_model::Error;

use crate::error::invalid;
use crate::store::Place;

/// Items in a page.
const PAGE: u32 = 100;

/// The caller's account in the call's Region.
fn place(cx: &Cx) -> Place {
    Place { account: cx.account().to_string(), region: cx.region.to_string() }
}

/// Where a page begins.
fn cursor(token: Option<&str>) -> Result<Option<Cursor>, Error> {
    token.map(|token| Cursor::decode(token).ok_or_else(|| invalid("NextToken"))).transpose()
}
