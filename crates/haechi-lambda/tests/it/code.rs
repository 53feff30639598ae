//! Code that a function cannot have.

use haechi_lambda_model::ops::{CreateFunction, UpdateFunctionCode};
use haechi_lambda_model::shapes::{CreateFunctionRequest, FunctionCode, UpdateFunctionCodeRequest};

use crate::fixture::{ACCOUNT, Fixture, archive, new_function};

/// Refused when the function is made, and when it is changed.
async fn refused(fixture: &Fixture, code: FunctionCode, message: &str) {
    let told = ("InvalidParameterValueException", message.to_owned());
    let input = CreateFunctionRequest { code: code.clone(), ..new_function(ACCOUNT, "g") };
    assert_eq!(fixture.refused::<CreateFunction>(input).await, told);
    let input = UpdateFunctionCodeRequest {
        function_name: "f".to_owned(),
        zip_file: code.zip_file,
        s3_bucket: code.s3_bucket,
        s3_key: code.s3_key,
        ..Default::default()
    };
    assert_eq!(fixture.refused::<UpdateFunctionCode>(input).await, told);
}

#[tokio::test]
async fn an_archive_that_no_disk_takes_is_refused() {
    let fixture = Fixture::new("f").await;
    let unreadable =
        "Could not unzip uploaded file. Please check your file, then try to upload again.";
    let (long, deep) = ("n".repeat(300), "folder/".repeat(500));
    for names in [["a", "a/b"], ["a/b/c", "a/b"], ["a", &long], ["a", &deep], ["a/", "./a"]] {
        refused(&fixture, archive(&names), unreadable).await;
    }
    let most = "n".repeat(255);
    for (number, names) in
        [["a/", "a/b"], ["a/b", "a.b"], ["a", "./a"], ["a", &most]].iter().enumerate()
    {
        let made = new_function(ACCOUNT, &format!("fits-{number}"));
        let input = CreateFunctionRequest { code: archive(names), ..made };
        fixture.done::<CreateFunction>(input).await;
    }
}

#[tokio::test]
async fn code_is_exactly_one_archive_with_something_in_it() {
    let fixture = Fixture::new("f").await;
    let none = FunctionCode::default();
    refused(&fixture, none, "Please provide a source for function code.").await;
    let message = "Please do not provide other FunctionCode parameters when providing a ZipFile.";
    let bucket = FunctionCode { s3_bucket: Some("bucket".to_owned()), ..archive(&["a"]) };
    let key = FunctionCode { s3_key: Some("key".to_owned()), ..archive(&["a"]) };
    for both in [bucket, key] {
        refused(&fixture, both, message).await;
    }
    refused(&fixture, archive(&[]), "Uploaded file must be a non-empty zip").await;
}
