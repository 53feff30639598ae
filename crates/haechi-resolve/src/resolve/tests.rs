use std::sync::Mutex;

use proptest::prelude::*;

use super::*;

/// A source that answers what it was asked, and remembers it.
#[derive(Default)]
struct Echo(Mutex<Vec<String>>);

#[async_trait]
impl Source for Echo {
    async fn parameter(
        &self,
        name: &str,
        version: Option<u64>,
        secure: bool,
    ) -> Result<Zeroizing<String>, Box<dyn Error + Send + Sync>> {
        if name == "missing" {
            return Err("ParameterNotFound".into());
        }
        let asked = format!("<{name} {version:?} {secure}>");
        self.0.lock().unwrap().push(asked.clone());
        Ok(Zeroizing::new(asked))
    }

    async fn secret(
        &self,
        secret_id: &str,
        version_stage: Option<&str>,
        version_id: Option<&str>,
    ) -> Result<Zeroizing<String>, Box<dyn Error + Send + Sync>> {
        let asked = format!("{secret_id} {version_stage:?} {version_id:?}");
        self.0.lock().unwrap().push(asked);
        Ok(Zeroizing::new(r#"{"user":"app","port":5432,"nested":{}}"#.to_owned()))
    }
}

async fn resolved(text: &str) -> Result<String, ResolveError> {
    Ok((*resolve(text, &Echo::default()).await?).clone())
}

#[tokio::test]
async fn each_reference_is_replaced_and_the_rest_stays() {
    let text = "a={{resolve:ssm:/a:2}} {{other}} b={{resolve:ssm-secure:b}}\n";
    let expected = "a=</a Some(2) false> {{other}} b=<b None true>\n";
    assert_eq!(resolved(text).await.unwrap(), expected);
    assert_eq!(resolved("").await.unwrap(), "");
    let key = "{{resolve:secretsmanager:db:SecretString:user}}:{{resolve:secretsmanager:db:SecretString:port}}";
    assert_eq!(resolved(key).await.unwrap(), "app:5432");
}

#[tokio::test]
async fn a_reference_that_stands_twice_is_asked_for_once() {
    let source = Echo::default();
    resolve("{{resolve:ssm:a}}{{resolve:ssm:a}}{{resolve:ssm:a:1}}", &source).await.unwrap();
    assert_eq!(source.0.lock().unwrap().len(), 2);
}

#[tokio::test]
async fn nothing_is_asked_for_a_text_that_is_not_right() {
    let source = Echo::default();
    for text in ["{{resolve:ssm:a}} {{resolve:ssm:b", "{{resolve:ssm:a}} {{resolve:s3:b}}"] {
        assert!(matches!(resolve(text, &source).await, Err(ResolveError::Invalid(_))), "{text}");
    }
    assert!(source.0.lock().unwrap().is_empty());
}

#[tokio::test]
async fn what_fails_is_named_and_holds_no_value() {
    let missing = resolved("{{resolve:ssm:missing}}").await.unwrap_err();
    assert_eq!(missing.to_string(), "missing cannot be read: ParameterNotFound");
    for key in ["none", "nested"] {
        let text = format!("{{{{resolve:secretsmanager:db:SecretString:{key}}}}}");
        let told = resolved(&text).await.unwrap_err().to_string();
        assert!(told.contains(key) && !told.contains("5432"), "{told}");
    }
}

#[test]
fn a_reference_without_an_end_is_told_by_its_place() {
    let open = references("ab {{resolve:ssm:a").unwrap_err();
    assert_eq!(open, InvalidReference::Open(3));
}

proptest! {
    #[test]
    fn text_without_references_is_left_as_it_is(text in "[^{]{0,60}") {
        prop_assert_eq!(references(&text), Ok(Vec::new()));
    }

    #[test]
    fn any_text_is_taken_apart_or_refused(text in "(\\{\\{resolve:|ssm:|a|:|\\}\\}|.){0,12}") {
        let _ = references(&text);
    }
}
