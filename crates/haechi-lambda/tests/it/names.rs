//! What a function may be named by.

use haechi_lambda_model::ops::Invoke;
use haechi_lambda_model::shapes::InvocationRequest;
use haechi_testkit::told;

use crate::fixture::{ACCOUNT, Fixture, arn_of};

#[tokio::test]
async fn no_other_name_of_a_function_gets_around_a_denial() {
    let fixture = Fixture::new("prod").await;
    let policy = format!(
        r#"{{"Version": "2012-10-17", "Statement": [
            {{"Effect": "Allow", "Action": "lambda:*", "Resource": "*"}},
            {{"Effect": "Deny", "Action": "lambda:*", "Resource": "{}*"}}]}}"#,
        arn_of("prod")
    );
    let user = fixture.kit.user(ACCOUNT, "eve", &[&policy]);
    for name in [
        "prod".to_owned(),
        "prod:$LATEST".to_owned(),
        format!("{ACCOUNT}:function:prod"),
        arn_of("prod"),
        arn_of("prod").replace("arn:aws:", "arn:aws-cn:"),
        arn_of("prod").replace("arn:aws:", "arn::"),
    ] {
        let input = InvocationRequest { function_name: name.clone(), ..Default::default() };
        let outcome = fixture.kit.call::<Invoke, _>(&*fixture.lambda, &user, input).await;
        let problem = outcome.map(|_| ()).unwrap_err();
        let expected = match name.starts_with("arn:") && !name.starts_with("arn:aws:") {
            true => "ResourceNotFoundException",
            false => "AccessDeniedException",
        };
        assert_eq!(told(&problem).0, expected, "{name}");
    }
}
