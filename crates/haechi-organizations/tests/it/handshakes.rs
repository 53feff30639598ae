//! Invitations.

use haechi_organizations_model::ops;
use haechi_organizations_model::shapes::*;
use haechi_testkit::told;
use haechi_wire::{Problem, SecretString};

use crate::world::{MANAGEMENT, STRANGER, World, code, reason};

const FIFTEEN_DAYS: i64 = 15 * 24 * 60 * 60;
const THIRTY_DAYS: i64 = 2 * FIFTEEN_DAYS;

async fn invite(world: &World, account: &str) -> Result<Handshake, Problem> {
    let id = SecretString(account.to_owned());
    let target = HandshakeParty { id, r#type: HandshakePartyType::Account };
    let input = InviteAccountToOrganizationRequest { target, notes: None, tags: None };
    Ok(world.boss::<ops::InviteAccountToOrganization>(input).await?.handshake.unwrap())
}

async fn accept(world: &World, id: &str) -> Result<Handshake, Problem> {
    let input = AcceptHandshakeRequest { handshake_id: id.to_owned() };
    let accepted = world.call::<ops::AcceptHandshake>(&world.admin(STRANGER), input).await?;
    Ok(accepted.handshake.unwrap())
}

#[tokio::test]
async fn an_account_that_accepts_is_a_member_at_once() {
    let world = World::new().await;
    let sent = invite(&world, STRANGER).await.unwrap();
    assert_eq!(sent.state, Some(HandshakeState::Open));
    let id = sent.id.unwrap();
    assert!(sent.arn.unwrap().ends_with(&format!("/invite/{id}")));
    assert_eq!(accept(&world, &id).await.unwrap().state, Some(HandshakeState::Accepted));
    let input = DescribeAccountRequest { account_id: STRANGER.to_owned() };
    let member = world.boss::<ops::DescribeAccount>(input).await.unwrap().account.unwrap();
    assert_eq!(member.joined_method, Some(AccountJoinedMethod::Invited));
    assert_eq!(code(accept(&world, &id).await), "HandshakeAlreadyInStateException");
}

#[tokio::test]
async fn both_parties_see_it_and_nobody_else() {
    let world = World::new().await;
    let other = world.account("one").await;
    let id = invite(&world, STRANGER).await.unwrap().id.unwrap();
    for (account, seen) in [(MANAGEMENT, true), (STRANGER, true), (other.as_str(), false)] {
        let input = DescribeHandshakeRequest { handshake_id: id.clone() };
        let answer = world.call::<ops::DescribeHandshake>(&world.admin(account), input).await;
        match answer {
            Ok(_) => assert!(seen, "{account}"),
            refused => assert_eq!((code(refused), seen), ("HandshakeNotFoundException", false)),
        }
    }
    let caller = world.admin(STRANGER);
    let received = world.call::<ops::ListHandshakesForAccount>(&caller, Default::default()).await;
    assert_eq!(received.unwrap().handshakes.unwrap().len(), 1);
    let sent = world.boss::<ops::ListHandshakesForOrganization>(Default::default()).await;
    assert_eq!(sent.unwrap().handshakes.unwrap().len(), 1);
}

#[tokio::test]
async fn declined_cancelled_and_expired_ones_cannot_be_accepted() {
    let world = World::new().await;
    let id = invite(&world, STRANGER).await.unwrap().id.unwrap();
    let input = DeclineHandshakeRequest { handshake_id: id.clone() };
    world.call::<ops::DeclineHandshake>(&world.admin(STRANGER), input).await.unwrap();
    assert_eq!(code(accept(&world, &id).await), "InvalidHandshakeTransitionException");

    let id = invite(&world, STRANGER).await.unwrap().id.unwrap();
    let input = CancelHandshakeRequest { handshake_id: id.clone() };
    world.boss::<ops::CancelHandshake>(input).await.unwrap();
    assert_eq!(code(accept(&world, &id).await), "InvalidHandshakeTransitionException");

    let id = invite(&world, STRANGER).await.unwrap().id.unwrap();
    world.kit.clock.advance(FIFTEEN_DAYS);
    assert_eq!(code(accept(&world, &id).await), "InvalidHandshakeTransitionException");
    invite(&world, STRANGER).await.unwrap();
}

#[tokio::test]
async fn an_account_is_invited_once_and_only_if_it_is_free_and_there() {
    let world = World::new().await;
    invite(&world, STRANGER).await.unwrap();
    assert_eq!(code(invite(&world, STRANGER).await), "DuplicateHandshakeException");
    assert_eq!(reason(invite(&world, MANAGEMENT).await), "ALREADY_IN_AN_ORGANIZATION");
    assert_eq!(reason(invite(&world, "123123123123").await), "TARGET_NOT_SUPPORTED");
    assert_eq!(reason(invite(&world, "12").await), "INVALID_PATTERN_TARGET_ID");
}

/// Who sees it: by its id as either party, and in the lists of both.
async fn seen(world: &World, id: &str) -> [bool; 4] {
    let invited = world.admin(STRANGER);
    let describe = || DescribeHandshakeRequest { handshake_id: id.to_owned() };
    let by_boss = world.boss::<ops::DescribeHandshake>(describe()).await;
    let by_invited = world.call::<ops::DescribeHandshake>(&invited, describe()).await;
    for refused in [&by_boss, &by_invited].into_iter().filter_map(|answer| answer.as_ref().err()) {
        assert_eq!(told(refused).0, "HandshakeNotFoundException");
    }
    let sent = world.boss::<ops::ListHandshakesForOrganization>(Default::default()).await;
    let received = world.call::<ops::ListHandshakesForAccount>(&invited, Default::default()).await;
    let among = |list: Option<Vec<Handshake>>| {
        list.unwrap().iter().any(|handshake| handshake.id.as_deref() == Some(id))
    };
    let (sent, received) = (sent.unwrap().handshakes, received.unwrap().handshakes);
    [by_boss.is_ok(), by_invited.is_ok(), among(sent), among(received)]
}

#[tokio::test]
async fn one_that_ended_is_seen_for_thirty_days_from_its_end() {
    for end in [HandshakeState::Canceled, HandshakeState::Declined, HandshakeState::Accepted] {
        let world = World::new().await;
        let handshake_id = invite(&world, STRANGER).await.unwrap().id.unwrap();
        let id = handshake_id.clone();
        world.kit.clock.advance(24 * 60 * 60);
        match end {
            HandshakeState::Canceled => {
                let input = CancelHandshakeRequest { handshake_id };
                world.boss::<ops::CancelHandshake>(input).await.unwrap();
            }
            HandshakeState::Declined => {
                let input = DeclineHandshakeRequest { handshake_id };
                world.call::<ops::DeclineHandshake>(&world.admin(STRANGER), input).await.unwrap();
            }
            _ => {
                accept(&world, &id).await.unwrap();
            }
        }
        world.kit.clock.advance(THIRTY_DAYS - 1);
        assert_eq!(seen(&world, &id).await, [true; 4], "{end:?}");
        world.kit.clock.advance(1);
        assert_eq!(seen(&world, &id).await, [false; 4], "{end:?}");
    }
}

#[tokio::test]
async fn one_that_expired_is_seen_for_thirty_days_from_then() {
    let world = World::new().await;
    let id = invite(&world, STRANGER).await.unwrap().id.unwrap();
    world.kit.clock.advance(FIFTEEN_DAYS + THIRTY_DAYS - 1);
    assert_eq!(seen(&world, &id).await, [true; 4]);
    world.kit.clock.advance(1);
    assert_eq!(seen(&world, &id).await, [false; 4]);
}
