//! Paging.

use haechi_iam_model::ops::{CreateUser, ListUsers};
use haechi_iam_model::shapes::{CreateUserRequest, ListUsersRequest};

use crate::cast::{ACCOUNT, Stage, told};

fn from(marker: Option<String>, items: Option<i32>, prefix: &str) -> ListUsersRequest {
    ListUsersRequest { path_prefix: Some(prefix.to_owned()), marker, max_items: items }
}

async fn all(stage: &Stage, items: Option<i32>, prefix: &str) -> (Vec<String>, usize) {
    let (mut names, mut pages, mut marker) = (Vec::new(), 0, None);
    loop {
        let page = stage.ok::<ListUsers>(from(marker, items, prefix)).await;
        names.extend(page.users.into_iter().map(|user| user.user_name));
        pages += 1;
        assert_eq!(page.is_truncated, Some(page.marker.is_some()));
        marker = page.marker;
        if marker.is_none() {
            return (names, pages);
        }
    }
}

#[tokio::test]
async fn two_hundred_and_fifty_users_come_in_pages_in_order_each_once() {
    let stage = Stage::new().await;
    let mut expected = Vec::new();
    for number in 0..250 {
        let team = if number % 2 == 0 { "/even/" } else { "/odd/" };
        // Scattered, so that the order of creation is not that of names.
        let name = format!("{}-{}", if number % 3 == 0 { "B" } else { "a" }, number * 37 % 250);
        let path = Some(team.to_owned());
        let request = CreateUserRequest { path, user_name: name.clone(), ..Default::default() };
        stage.ok::<CreateUser>(request).await;
        expected.push(name);
    }
    expected.sort_by_key(|name| name.to_lowercase());
    assert_eq!(all(&stage, None, "/").await, (expected.clone(), 3), "100 items by default");
    assert_eq!(all(&stage, Some(125), "/").await, (expected.clone(), 2));
    assert_eq!(all(&stage, Some(1000), "/").await, (expected, 1));
    let (even, pages) = all(&stage, Some(50), "/even/").await;
    assert_eq!((even.len(), pages), (125, 3));
    assert_eq!(all(&stage, None, "/neither/").await.0, Vec::<String>::new());
}

#[tokio::test]
async fn a_page_goes_on_where_it_stopped_though_users_came_and_went() {
    let stage = Stage::new().await;
    for name in ["a", "c", "e"] {
        stage.create_user(name).await;
    }
    let first = stage.ok::<ListUsers>(from(None, Some(2), "/")).await;
    stage.create_user("b").await;
    stage.create_user("d").await;
    let rest = stage.ok::<ListUsers>(from(first.marker, None, "/")).await;
    let names: Vec<&str> = rest.users.iter().map(|user| user.user_name.as_str()).collect();
    assert_eq!(names, ["d", "e"]);
}

#[tokio::test]
async fn a_marker_that_was_never_handed_out_is_refused() {
    let stage = Stage::new().await;
    let request = from(Some("not a marker".to_owned()), None, "/");
    let refused = stage.refused::<ListUsers>(request).await;
    assert_eq!(refused, told("ValidationError", "Invalid Marker."));
}

#[tokio::test]
async fn listing_is_decided_on_the_path_asked_for() {
    let stage = Stage::new().await;
    let alice = stage.kit.user(ACCOUNT, "alice", &[]);
    let refused = stage.refused_to::<ListUsers>(&alice, ListUsersRequest::default()).await;
    let expected = "User: arn:aws:iam::123456789012:user/alice is not authorized to perform: \
        iam:ListUsers on resource: arn:aws:iam::123456789012:user/ because no identity-based \
        policy allows the iam:ListUsers action";
    assert_eq!(refused, told("AccessDenied", expected));
}
