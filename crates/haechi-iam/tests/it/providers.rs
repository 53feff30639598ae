//! OpenID Connect and SAML providers, and what STS learns of them.

use haechi_core::{Evidence, OidcProvider};
use haechi_iam_model::ops::{
    AddClientIDToOpenIDConnectProvider, CreateOpenIDConnectProvider, CreateSAMLProvider,
    DeleteOpenIDConnectProvider, DeleteSAMLProvider, GetOpenIDConnectProvider, GetSAMLProvider,
    ListOpenIDConnectProviders, ListSAMLProviders, RemoveClientIDFromOpenIDConnectProvider,
    TagSAMLProvider, UpdateOpenIDConnectProviderThumbprint, UpdateSAMLProvider,
};
use haechi_iam_model::shapes::{
    AddClientIDToOpenIDConnectProviderRequest, AssertionEncryptionModeType,
    CreateOpenIDConnectProviderRequest, CreateSAMLProviderRequest,
    DeleteOpenIDConnectProviderRequest, DeleteSAMLProviderRequest, GetOpenIDConnectProviderRequest,
    GetSAMLProviderRequest, ListOpenIDConnectProvidersRequest, ListSAMLProvidersRequest,
    RemoveClientIDFromOpenIDConnectProviderRequest, TagSAMLProviderRequest,
    UpdateOpenIDConnectProviderThumbprintRequest, UpdateSAMLProviderRequest,
};
use haechi_wire::Timestamp;

use crate::cast::{ACCOUNT, OTHER_ACCOUNT, Stage, account, tag, told};

const OIDC: &str = "arn:aws:iam::123456789012:oidc-provider/token.actions.githubusercontent.com";
const SAML: &str = "arn:aws:iam::123456789012:saml-provider/corporate";

/// Self-signed, of `idp.example.com`, in base64.
pub const CERTIFICATE: &str = "MIIBizCCATGgAwIBAgIURv/u4tAGvTMyH1QBkJJoA3Ut8PwwCgYIKoZIzj0EAwIwGjEYMBYGA1UEAwwPaWRwLmV4YW1wbGUuY29tMCAXDTI2MTEyMjAxNDQwNVoYDzIxMjYxMDI5MDE0NDA1WjAaMRgwFgYDVQQDDA9pZHAuZXhhbXBsZS5jb20wWTATBgcqhkjOPQIBBggqhkjOPQMBBwNCAAR4rmwCs16T7K7lXXxB3MXS7aCAm9oCPM44Tic6QKcHHAvsovgUoINdSo53vWB5FSYi6CfyFceIYHOf2chqfr6Ho1MwUTAdBgNVHQ4EFgQUL7jU88OYqv5+3COPo8fxhf9tPVwwHwYDVR0jBBgwFoAUL7jU88OYqv5+3COPo8fxhf9tPVwwDwYDVR0TAQH/BAUwAwEB/zAKBggqhkjOPQQDAgNIADBFAiEAtYSADphGWHFpZb4MGVnNCZui3E5zX2lr5KVCJK7s4SwCIFyNB2yB8f5anjBp5wGN342CchLYNlqvtwBepeY2IGun";

fn oidc(url: &str) -> CreateOpenIDConnectProviderRequest {
    CreateOpenIDConnectProviderRequest {
        url: url.to_owned(),
        client_id_list: Some(vec!["sts.amazonaws.com".to_owned()]),
        thumbprint_list: Some(vec!["6938FD4D98BAB03FAADB97B34396831E3780AEA1".to_owned()]),
        tags: None,
    }
}

fn shown(arn: &str) -> GetOpenIDConnectProviderRequest {
    GetOpenIDConnectProviderRequest { open_id_connect_provider_arn: arn.to_owned() }
}

/// Metadata of an identity provider; `attributes` go to the outermost element.
fn metadata(attributes: &str, certificate: &str) -> String {
    format!(
        r#"<?xml version="1.0"?>
<md:EntityDescriptor xmlns:md="urn:oasis:names:tc:SAML:2.0:metadata" entityID="https://idp.example.com/saml" {attributes}>
  <md:IDPSSODescriptor protocolSupportEnumeration="urn:oasis:names:tc:SAML:2.0:protocol">
    <md:KeyDescriptor use="signing"><ds:KeyInfo xmlns:ds="http://www.w3.org/2000/09/xmldsig#">
      <ds:X509Data><ds:X509Certificate>
        {certificate}
      </ds:X509Certificate></ds:X509Data></ds:KeyInfo></md:KeyDescriptor>
    <md:KeyDescriptor use="encryption"><ds:KeyInfo xmlns:ds="http://www.w3.org/2000/09/xmldsig#">
      <ds:X509Data><ds:X509Certificate>not read</ds:X509Certificate></ds:X509Data></ds:KeyInfo></md:KeyDescriptor>
    <md:SingleSignOnService Binding="urn:oasis:names:tc:SAML:2.0:bindings:HTTP-POST" Location="https://idp.example.com/sso"/>
  </md:IDPSSODescriptor>
</md:EntityDescriptor>"#
    )
}

fn saml(document: String) -> CreateSAMLProviderRequest {
    CreateSAMLProviderRequest {
        saml_metadata_document: document,
        name: "corporate".to_owned(),
        ..Default::default()
    }
}

#[tokio::test]
async fn an_oidc_provider_is_shown_as_it_was_created_and_sts_finds_it_by_its_url() {
    let stage = Stage::new().await;
    let mut request = oidc("https://token.actions.githubusercontent.com");
    request.tags = Some(vec![tag("Team", "Blue")]);
    let made = stage.ok::<CreateOpenIDConnectProvider>(request).await;
    assert_eq!(made.open_id_connect_provider_arn.as_deref(), Some(OIDC));
    assert_eq!(made.tags.unwrap().len(), 1);
    let got = stage.ok::<GetOpenIDConnectProvider>(shown(OIDC)).await;
    assert_eq!(got.url.as_deref(), Some("token.actions.githubusercontent.com"));
    assert_eq!(got.client_id_list.unwrap(), ["sts.amazonaws.com"]);
    let thumbprint = "6938fd4d98bab03faadb97b34396831e3780aea1";
    assert_eq!(got.thumbprint_list.unwrap(), [thumbprint]);
    let wanted = Some(OidcProvider {
        arn: OIDC.to_owned(),
        url: "token.actions.githubusercontent.com".to_owned(),
        client_ids: vec!["sts.amazonaws.com".to_owned()],
        thumbprints: vec![thumbprint.to_owned()],
    });
    for url in
        ["https://token.actions.githubusercontent.com", "token.actions.githubusercontent.com"]
    {
        assert_eq!(stage.iam.oidc_provider(&account(ACCOUNT), url).await.unwrap(), wanted);
    }
    let other = account(OTHER_ACCOUNT);
    assert_eq!(stage.iam.oidc_provider(&other, &got.url.unwrap()).await.unwrap(), None);
}

#[tokio::test]
async fn an_issuer_is_trusted_once_in_an_account() {
    let stage = Stage::new().await;
    stage.ok::<CreateOpenIDConnectProvider>(oidc("https://id.example.com/a")).await;
    stage.ok::<CreateOpenIDConnectProvider>(oidc("https://id.example.com/b")).await;
    let refused =
        stage.refused::<CreateOpenIDConnectProvider>(oidc("https://id.example.com/a")).await;
    let message = "Provider with url https://id.example.com/a already exists.";
    assert_eq!(refused, told("EntityAlreadyExists", message));
    let request = ListOpenIDConnectProvidersRequest {};
    let listed = stage.ok::<ListOpenIDConnectProviders>(request).await;
    assert_eq!(listed.open_id_connect_provider_list.unwrap().len(), 2);
}

#[tokio::test]
async fn the_port_of_https_is_no_part_of_an_issuer() {
    let stage = Stage::new().await;
    for (url, rest) in [("a.example.com:443/x:443", "a.example.com/x:443"), ("b:444", "b:444")] {
        let made = stage.ok::<CreateOpenIDConnectProvider>(oidc(&format!("https://{url}"))).await;
        let arn = format!("arn:aws:iam::{ACCOUNT}:oidc-provider/{rest}");
        assert_eq!(made.open_id_connect_provider_arn.as_ref(), Some(&arn));
        let got = stage.ok::<GetOpenIDConnectProvider>(shown(&arn)).await;
        assert_eq!(got.url.as_deref(), Some(rest));
    }
}

#[tokio::test]
async fn urls_that_are_no_issuers_are_refused() {
    let stage = Stage::new().await;
    let invalid = told("ValidationError", "Invalid Open ID Connect Provider URL");
    for url in [
        "http://id.example.com",
        "id.example.com",
        "https://",
        "https:///path",
        "https://id.example.com?tenant=1",
        "https://id.example.com#x",
        "https://user@id.example.com",
        "https://id example.com",
    ] {
        assert_eq!(stage.refused::<CreateOpenIDConnectProvider>(oidc(url)).await, invalid, "{url}");
    }
}

#[tokio::test]
async fn thumbprints_and_client_ids_are_limited() {
    let stage = Stage::new().await;
    let mut request = oidc("https://id.example.com");
    request.thumbprint_list = Some(vec!["a".repeat(40); 6]);
    assert_eq!(stage.refused::<CreateOpenIDConnectProvider>(request).await.0, "InvalidInput");
    let mut request = oidc("https://id.example.com");
    request.thumbprint_list = Some(vec!["x".repeat(40)]);
    assert_eq!(stage.refused::<CreateOpenIDConnectProvider>(request).await.0, "InvalidInput");
    let mut request = oidc("https://id.example.com");
    request.client_id_list = Some((0..101).map(|number| format!("client-{number}")).collect());
    let message = "Cannot exceed quota for ClientIdsPerOpenIdConnectProvider: 100";
    let refused = stage.refused::<CreateOpenIDConnectProvider>(request).await;
    assert_eq!(refused, told("LimitExceeded", message));
}

#[tokio::test]
async fn audiences_and_thumbprints_change() {
    let stage = Stage::new().await;
    stage
        .ok::<CreateOpenIDConnectProvider>(oidc("https://token.actions.githubusercontent.com"))
        .await;
    let arn = || OIDC.to_owned();
    for client_id in ["other", "other"] {
        let request = AddClientIDToOpenIDConnectProviderRequest {
            open_id_connect_provider_arn: arn(),
            client_id: client_id.to_owned(),
        };
        stage.ok::<AddClientIDToOpenIDConnectProvider>(request).await;
    }
    let request = RemoveClientIDFromOpenIDConnectProviderRequest {
        open_id_connect_provider_arn: arn(),
        client_id: "sts.amazonaws.com".to_owned(),
    };
    stage.ok::<RemoveClientIDFromOpenIDConnectProvider>(request).await;
    let thumbprints = |thumbprint_list| UpdateOpenIDConnectProviderThumbprintRequest {
        open_id_connect_provider_arn: arn(),
        thumbprint_list,
    };
    let request = thumbprints(vec!["b".repeat(40)]);
    stage.ok::<UpdateOpenIDConnectProviderThumbprint>(request).await;
    let none = told("InvalidInput", "Thumbprint list must contain at least one entry.");
    let refused = stage.refused::<UpdateOpenIDConnectProviderThumbprint>(thumbprints(vec![])).await;
    assert_eq!(refused, none);
    let got = stage.ok::<GetOpenIDConnectProvider>(shown(OIDC)).await;
    assert_eq!(got.client_id_list.unwrap(), ["other"]);
    assert_eq!(got.thumbprint_list.unwrap(), ["b".repeat(40)]);
}

#[tokio::test]
async fn a_deleted_oidc_provider_is_gone_at_once() {
    let stage = Stage::new().await;
    stage
        .ok::<CreateOpenIDConnectProvider>(oidc("https://token.actions.githubusercontent.com"))
        .await;
    let delete =
        || DeleteOpenIDConnectProviderRequest { open_id_connect_provider_arn: OIDC.to_owned() };
    stage.ok::<DeleteOpenIDConnectProvider>(delete()).await;
    let url = "https://token.actions.githubusercontent.com";
    assert_eq!(stage.iam.oidc_provider(&account(ACCOUNT), url).await.unwrap(), None);
    let refused = stage.refused::<GetOpenIDConnectProvider>(shown(OIDC)).await;
    let message = format!("OpenIDConnect Provider not found for arn {OIDC}");
    assert_eq!(refused, told("NoSuchEntity", &message));
    let refused = stage.refused::<DeleteOpenIDConnectProvider>(delete()).await;
    let message = format!("OpenId connect Provider {OIDC} cannot be found.");
    assert_eq!(refused, told("NoSuchEntity", &message));
}

#[tokio::test]
async fn a_saml_provider_is_shown_as_it_was_created_and_sts_learns_whose_signatures_count() {
    let stage = Stage::new().await;
    let document = metadata("", CERTIFICATE);
    let made = stage.ok::<CreateSAMLProvider>(saml(document.clone())).await;
    assert_eq!(made.saml_provider_arn.as_deref(), Some(SAML));
    let request = GetSAMLProviderRequest { saml_provider_arn: SAML.to_owned() };
    let got = stage.ok::<GetSAMLProvider>(request).await;
    assert_eq!(got.saml_metadata_document.as_deref(), Some(&*document));
    assert_eq!(got.assertion_encryption_mode, Some(AssertionEncryptionModeType::Allowed));
    assert!(got.private_key_list.unwrap().is_empty());
    assert!(got.saml_provider_uuid.unwrap().starts_with("SAMLSP"));
    assert!(got.valid_until.unwrap() > stage.kit.env.now().plus_seconds(90 * 365 * 86_400));
    let found = stage.iam.saml_provider(&account(ACCOUNT), SAML).await.unwrap().unwrap();
    assert_eq!(found.entity_id, "https://idp.example.com/saml");
    assert_eq!((found.name.as_str(), found.signing_certificates.len()), ("corporate", 1));
    assert_eq!(found.valid_until, None);
    let listed = stage.ok::<ListSAMLProviders>(ListSAMLProvidersRequest {}).await;
    assert_eq!(listed.saml_provider_list.unwrap()[0].arn.as_deref(), Some(SAML));
    let taken = told("EntityAlreadyExists", "Provider with name corporate already exists.");
    assert_eq!(stage.refused::<CreateSAMLProvider>(saml(document)).await, taken);
}

#[tokio::test]
async fn metadata_that_say_how_long_they_count_are_believed() {
    let stage = Stage::new().await;
    let document = metadata(r#"validUntil="2030-01-02T03:04:05Z""#, CERTIFICATE);
    stage.ok::<CreateSAMLProvider>(saml(document)).await;
    let request = GetSAMLProviderRequest { saml_provider_arn: SAML.to_owned() };
    let until = stage.ok::<GetSAMLProvider>(request).await.valid_until;
    assert_eq!(until, Timestamp::parse("2030-01-02T03:04:05Z"));
}

#[tokio::test]
async fn what_are_no_metadata_of_an_identity_provider_is_refused() {
    let stage = Stage::new().await;
    let good = metadata("", CERTIFICATE);
    let invalid = told("InvalidInput", "Could not parse metadata");
    for bad in [
        good.replace("</md:EntityDescriptor>", ""),
        good.replace("EntityDescriptor", "Entity"),
        good.replace("IDPSSODescriptor", "SPSSODescriptor"),
        good.replace("entityID=", "id="),
        good.replace("use=\"signing\"", "use=\"encryption\""),
        good.replace("SAML:2.0:protocol", "SAML:1.1:protocol"),
        good.replace("SAML:2.0:metadata", "SAML:1.1:metadata"),
        metadata("validUntil=\"tomorrow\"", CERTIFICATE),
        metadata("", "bm90IGEgY2VydGlmaWNhdGU="),
        metadata("", ""),
        good.replace(
            "<?xml version=\"1.0\"?>",
            "<?xml version=\"1.0\"?><!DOCTYPE x [<!ENTITY a SYSTEM \"file:///etc/passwd\">]>",
        ),
    ] {
        assert_eq!(stage.refused::<CreateSAMLProvider>(saml(bad.clone())).await, invalid, "{bad}");
    }
}

#[tokio::test]
async fn metadata_of_a_saml_provider_are_replaced_and_the_provider_deleted() {
    let stage = Stage::new().await;
    stage.ok::<CreateSAMLProvider>(saml(metadata("", CERTIFICATE))).await;
    let tags = vec![tag("Team", "Blue")];
    let request = TagSAMLProviderRequest { saml_provider_arn: SAML.to_owned(), tags };
    stage.ok::<TagSAMLProvider>(request).await;
    let next = metadata("", CERTIFICATE).replace("idp.example.com/saml", "idp.example.org/saml");
    let request = UpdateSAMLProviderRequest {
        saml_metadata_document: Some(next),
        saml_provider_arn: SAML.to_owned(),
        ..Default::default()
    };
    stage.ok::<UpdateSAMLProvider>(request).await;
    let nothing =
        UpdateSAMLProviderRequest { saml_provider_arn: SAML.to_owned(), ..Default::default() };
    let message = "Unable to update identity provider. No updates are defined for metadata or \
        encryption assertion.";
    let refused = stage.refused::<UpdateSAMLProvider>(nothing).await;
    assert_eq!(refused, told("ValidationError", message));
    let found = stage.iam.saml_provider(&account(ACCOUNT), SAML).await.unwrap().unwrap();
    assert_eq!(found.entity_id, "https://idp.example.org/saml");
    let request = DeleteSAMLProviderRequest { saml_provider_arn: SAML.to_owned() };
    stage.ok::<DeleteSAMLProvider>(request.clone()).await;
    assert!(stage.iam.saml_provider(&account(ACCOUNT), SAML).await.unwrap().is_none());
    let missing = told("NoSuchEntity", &format!("Manifest not found for arn {SAML}"));
    assert_eq!(stage.refused::<DeleteSAMLProvider>(request).await, missing);
}
