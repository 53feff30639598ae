//! Who looks events up finds its own, page by page, and nobody else's.

use haechi_cloudtrail_model::ops::LookupEvents;
use haechi_cloudtrail_model::shapes::{LookupAttribute, LookupAttributeKey, LookupEventsRequest};
use haechi_testkit::told;

use crate::world::World;

fn by_name(name: &str) -> LookupEventsRequest {
    let attribute = LookupAttribute {
        attribute_key: LookupAttributeKey::EventName,
        attribute_value: name.to_owned(),
    };
    LookupEventsRequest {
        lookup_attributes: Some(vec![attribute]),
        ..LookupEventsRequest::default()
    }
}

#[tokio::test]
async fn pages_together_show_every_event_once_newest_first() {
    let world = World::new().await;
    for index in 0..7 {
        world.event(&format!("Call{index}"));
        world.kit.clock.advance(1);
    }
    let (mut names, mut token) = (Vec::new(), None);
    loop {
        let input = LookupEventsRequest {
            max_results: Some(3),
            next_token: token,
            ..LookupEventsRequest::default()
        };
        let page = world.call::<LookupEvents>(input).await.unwrap();
        let events = page.events.unwrap();
        assert!(events.len() <= 3);
        names.extend(events.into_iter().map(|event| event.event_name.unwrap()));
        token = page.next_token;
        if token.is_none() {
            break;
        }
    }
    assert_eq!(names, ["Call6", "Call5", "Call4", "Call3", "Call2", "Call1", "Call0"]);
}

#[tokio::test]
async fn other_accounts_and_regions_are_not_shown() {
    let world = World::new().await;
    world.record("444455556666", "us-east-1", "Foreign");
    world.record(crate::world::ACCOUNT, "eu-west-1", "Elsewhere");
    world.event("Own");
    let page = world.call::<LookupEvents>(LookupEventsRequest::default()).await.unwrap();
    let events = page.events.unwrap();
    let names: Vec<_> = events.iter().filter_map(|event| event.event_name.as_deref()).collect();
    assert_eq!(names, ["Own"]);
    assert_eq!(events[0].username.as_deref(), Some("eve"));
    assert_eq!(events[0].access_key_id.as_deref(), Some("AKIAEVE"));
}

#[tokio::test]
async fn events_older_than_90_days_are_gone() {
    let world = World::new().await;
    world.event("Old");
    world.kit.clock.advance(90 * 86_400 + 1);
    world.event("New");
    let page = world.call::<LookupEvents>(LookupEventsRequest::default()).await.unwrap();
    assert_eq!(page.events.unwrap().len(), 1);
}

#[tokio::test]
async fn a_token_of_another_lookup_is_refused() {
    let world = World::new().await;
    world.event("Call");
    world.event("Call");
    let one = LookupEventsRequest { max_results: Some(1), ..by_name("Call") };
    let token = world.call::<LookupEvents>(one).await.unwrap().next_token;
    assert!(token.is_some());
    let other = LookupEventsRequest { next_token: token, ..by_name("Other") };
    let problem = world.call::<LookupEvents>(other).await.err().unwrap();
    assert_eq!(told(&problem).0, "InvalidNextTokenException");
}

#[tokio::test]
async fn without_leave_nothing_is_shown() {
    let world = World::new().await;
    let eve = world.kit.user(crate::world::ACCOUNT, "eve", &[]);
    let input = LookupEventsRequest::default();
    let problem =
        world.kit.call::<LookupEvents, _>(&world.cloudtrail, &eve, input).await.err().unwrap();
    let (code, message) = told(&problem);
    assert_eq!(code, "AccessDeniedException");
    assert!(message.contains("cloudtrail:LookupEvents"), "{message}");
}
