use haechi_secretsmanager_model::ops;
use haechi_secretsmanager_model::shapes::*;

use crate::world::*;

async fn password(input: GetRandomPasswordRequest) -> Result<String, haechi_wire::Problem> {
    let world = World::new().await;
    let answer = world.call::<ops::GetRandomPassword>(&world.root, input).await?;
    Ok(answer.random_password.unwrap().0.clone())
}

#[tokio::test]
async fn by_itself_it_has_thirty_two_characters_of_four_kinds() {
    for _ in 0..20 {
        let text = password(GetRandomPasswordRequest::default()).await.unwrap();
        assert_eq!(text.len(), 32);
        assert!(text.bytes().any(|byte| byte.is_ascii_lowercase()));
        assert!(text.bytes().any(|byte| byte.is_ascii_uppercase()));
        assert!(text.bytes().any(|byte| byte.is_ascii_digit()));
        assert!(text.bytes().any(|byte| byte.is_ascii_punctuation()));
        assert!(!text.contains(' '));
    }
}

#[tokio::test]
async fn what_is_excluded_does_not_occur() {
    let input = GetRandomPasswordRequest {
        password_length: Some(4096),
        exclude_characters: Some("abc123".to_owned()),
        exclude_punctuation: Some(true),
        exclude_uppercase: Some(true),
        include_space: Some(true),
        ..Default::default()
    };
    let text = password(input).await.unwrap();
    assert_eq!(text.len(), 4096);
    assert!(text.contains(' '));
    let fits = |c: char| "defghijklmnopqrstuvwxyz0456789 ".contains(c);
    assert!(text.chars().all(fits));
}

#[tokio::test]
async fn what_cannot_be_is_refused() {
    let short = GetRandomPasswordRequest { password_length: Some(3), ..Default::default() };
    assert_refused(
        password(short.clone()).await,
        "InvalidParameterException",
        "Password length is too short based on the required types.",
    );
    let any = GetRandomPasswordRequest { require_each_included_type: Some(false), ..short };
    assert_eq!(password(any).await.unwrap().len(), 3);
    let nothing = GetRandomPasswordRequest {
        exclude_lowercase: Some(true),
        exclude_uppercase: Some(true),
        exclude_numbers: Some(true),
        exclude_punctuation: Some(true),
        ..Default::default()
    };
    assert_refused(
        password(nothing).await,
        "InvalidParameterException",
        "All characters have been excluded from selection.",
    );
    // A kind that is to be there must have a character left.
    let digits = Some("0123456789".to_owned());
    let emptied = GetRandomPasswordRequest { exclude_characters: digits, ..Default::default() };
    assert_refused(
        password(emptied.clone()).await,
        "InvalidParameterException",
        "All characters of the desired type have been excluded.",
    );
    let any = GetRandomPasswordRequest { require_each_included_type: Some(false), ..emptied };
    assert_eq!(password(any).await.unwrap().len(), 32);
}
