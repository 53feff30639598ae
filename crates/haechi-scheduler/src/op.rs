//! One file for each operation.

mod create_schedule;
mod create_schedule_group;
mod delete_schedule;
mod delete_schedule_group;
mod get_schedule;
mod get_schedule_group;
mod list_schedule_groups;
mod list_schedules;
mod list_tags_for_resource;
mod tag_resource;
mod untag_resource;
mod update_schedule;
