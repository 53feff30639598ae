//! The tree of units, and accounts in it.

use haechi_organizations_model::ops;
use haechi_organizations_model::shapes::*;

use crate::world::{World, code, reason};

fn made_below(parent: &str, name: &str) -> CreateOrganizationalUnitRequest {
    let (parent_id, name) = (parent.to_owned(), name.to_owned());
    CreateOrganizationalUnitRequest { parent_id, name, tags: None }
}

#[tokio::test]
async fn a_name_is_taken_once_below_a_parent() {
    let world = World::new().await;
    let root = world.root().await;
    let (one, two) = (world.unit(&root, "one").await, world.unit(&root, "two").await);
    world.unit(&one, "two").await;
    let again = world.boss::<ops::CreateOrganizationalUnit>(made_below(&root, "one")).await;
    assert_eq!(code(again), "DuplicateOrganizationalUnitException");
    let name = Some("one".to_owned());
    let rename = UpdateOrganizationalUnitRequest { organizational_unit_id: two, name };
    let renamed = world.boss::<ops::UpdateOrganizationalUnit>(rename).await;
    assert_eq!(code(renamed), "DuplicateOrganizationalUnitException");
}

#[tokio::test]
async fn units_lie_five_deep_at_most() {
    let world = World::new().await;
    let mut parent = world.root().await;
    for depth in 1..=5 {
        parent = world.unit(&parent, &depth.to_string()).await;
    }
    let sixth = world.boss::<ops::CreateOrganizationalUnit>(made_below(&parent, "6")).await;
    assert_eq!(reason(sixth), "OU_DEPTH_LIMIT_EXCEEDED");
}

#[tokio::test]
async fn a_unit_goes_only_when_it_is_empty() {
    let world = World::new().await;
    let root = world.root().await;
    let unit = world.unit(&root, "unit").await;
    let account = world.account("one").await;
    world.move_account(&account, &root, &unit).await;
    let delete = DeleteOrganizationalUnitRequest { organizational_unit_id: unit.clone() };
    let refused = world.boss::<ops::DeleteOrganizationalUnit>(delete.clone()).await;
    assert_eq!(code(refused), "OrganizationalUnitNotEmptyException");
    world.move_account(&account, &unit, &root).await;
    world.boss::<ops::DeleteOrganizationalUnit>(delete.clone()).await.unwrap();
    let gone = world.boss::<ops::DeleteOrganizationalUnit>(delete).await;
    assert_eq!(code(gone), "OrganizationalUnitNotFoundException");
}

#[tokio::test]
async fn children_and_parents_tell_the_same_tree() {
    let world = World::new().await;
    let root = world.root().await;
    let unit = world.unit(&root, "unit").await;
    let account = world.account("one").await;
    world.move_account(&account, &root, &unit).await;
    let list = |parent: &str, child_type| ListChildrenRequest {
        parent_id: parent.to_owned(),
        child_type,
        ..Default::default()
    };
    let children = async |parent: &str, kind| {
        let found = world.boss::<ops::ListChildren>(list(parent, kind)).await.unwrap();
        found.children.unwrap().into_iter().filter_map(|child| child.id).collect::<Vec<_>>()
    };
    assert_eq!(children(&root, ChildType::OrganizationalUnit).await, std::slice::from_ref(&unit));
    assert_eq!(children(&unit, ChildType::Account).await, std::slice::from_ref(&account));
    for (child, parent, kind) in
        [(&account, &unit, ParentType::OrganizationalUnit), (&unit, &root, ParentType::Root)]
    {
        let input = ListParentsRequest { child_id: child.clone(), ..Default::default() };
        let found = world.boss::<ops::ListParents>(input).await.unwrap().parents.unwrap();
        assert_eq!((found[0].id.as_ref(), found[0].r#type), (Some(parent), Some(kind)));
    }
}

#[tokio::test]
async fn an_account_moves_only_from_where_it_is_to_where_something_is() {
    let world = World::new().await;
    let root = world.root().await;
    let unit = world.unit(&root, "unit").await;
    let account = world.account("one").await;
    let attempt = |from: &str, to: &str| {
        let input = MoveAccountRequest {
            account_id: account.clone(),
            source_parent_id: from.to_owned(),
            destination_parent_id: to.to_owned(),
        };
        world.boss::<ops::MoveAccount>(input)
    };
    assert_eq!(code(attempt(&unit, &root).await), "DuplicateAccountException");
    assert_eq!(
        code(attempt(&root, "ou-none-aaaaaaaa").await),
        "DestinationParentNotFoundException"
    );
    assert_eq!(code(attempt("ou-none-aaaaaaaa", &unit).await), "SourceParentNotFoundException");
    attempt(&root, &unit).await.unwrap();
}

#[tokio::test]
async fn pages_show_each_unit_once() {
    let world = World::new().await;
    let root = world.root().await;
    for number in 0..7 {
        world.unit(&root, &number.to_string()).await;
    }
    let mut names = Vec::new();
    let mut next_token = None;
    loop {
        let input = ListOrganizationalUnitsForParentRequest {
            parent_id: root.clone(),
            max_results: Some(3),
            next_token,
        };
        let page = world.boss::<ops::ListOrganizationalUnitsForParent>(input).await.unwrap();
        names.extend(page.organizational_units.unwrap().into_iter().filter_map(|unit| unit.name));
        next_token = page.next_token;
        if next_token.is_none() {
            break;
        }
    }
    names.sort();
    assert_eq!(names, ["0", "1", "2", "3", "4", "5", "6"]);
    let wrong = ListAccountsRequest { next_token: Some("?".to_owned()), max_results: None };
    assert_eq!(reason(world.boss::<ops::ListAccounts>(wrong).await), "INVALID_NEXT_TOKEN");
}
