//! SAML 2.0 providers: what their metadata say (OASIS, "Metadata for SAML V2.0").
//!
//! A metadata document is kept as it was written, and read each time that somebody asks what it
//! says. The reader knows no entities of its own and refuses document type declarations, so a
//! document can neither grow nor reach for files.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use haechi_core::{AccountId, SamlProvider};
use haechi_iam_model::Error;
use haechi_wire::{Fault, Timestamp};
use roxmltree::{Document, Node, ParsingOptions};
use x509_parser::prelude::{FromDer, X509Certificate};

use crate::Iam;
use crate::by_arn::ByArn;
use crate::store::SamlProviderRecord;

/// Providers in one account, at most (AWS's default quota).
pub(crate) const PROVIDERS_MAX: usize = 100;

/// Characters of a metadata document that a record can hold. AWS takes more.
const DOCUMENT_MAX: usize = 500_000;

/// How long a provider counts whose metadata do not say: 100 years.
const VALID_MS: i64 = 100 * 365 * 24 * 60 * 60 * 1000;

const METADATA: &str = "urn:oasis:names:tc:SAML:2.0:metadata";
const SIGNATURE: &str = "http://www.w3.org/2000/09/xmldsig#";
const PROTOCOL: &str = "urn:oasis:names:tc:SAML:2.0:protocol";

impl ByArn for SamlProviderRecord {
    const KIND: &'static str = "saml-provider";
    const AUDIT_TYPE: &'static str = "AWS::IAM::SAMLProvider";

    fn rest(&self) -> String {
        self.name.clone()
    }
    fn tags(&self) -> &[(String, String)] {
        &self.tags
    }
    fn tags_mut(&mut self) -> &mut Vec<(String, String)> {
        &mut self.tags
    }
    fn not_found(arn: &str) -> Error {
        Error::NoSuchEntityException(format!("Manifest not found for arn {arn}"))
    }
}

/// What counts of a metadata document.
pub(crate) struct Metadata {
    pub(crate) entity_id: String,
    pub(crate) valid_until: Option<Timestamp>,
    /// In DER.
    pub(crate) signing_certificates: Vec<Vec<u8>>,
}

impl Metadata {
    /// Reads a document; `None` if it does not describe one identity provider that signs.
    pub(crate) fn read(text: &str) -> Option<Metadata> {
        let options = ParsingOptions { allow_dtd: false, ..ParsingOptions::default() };
        let document = Document::parse_with_options(text, options).ok()?;
        let entity = document.root_element();
        if !entity.has_tag_name((METADATA, "EntityDescriptor")) {
            return None;
        }
        let entity_id = entity.attribute("entityID").filter(|id| !id.is_empty())?.to_owned();
        let valid_until = match entity.attribute("validUntil") {
            Some(text) => Some(Timestamp::parse(text)?),
            None => None,
        };
        let role = children(entity, METADATA, "IDPSSODescriptor")
            .find(|role| speaks(role.attribute("protocolSupportEnumeration")))?;
        let mut signing_certificates = Vec::new();
        for key in children(role, METADATA, "KeyDescriptor") {
            if matches!(key.attribute("use"), None | Some("signing")) {
                let named = |node: &Node<'_, '_>| node.has_tag_name((SIGNATURE, "X509Certificate"));
                for certificate in key.descendants().filter(named) {
                    signing_certificates.push(der(certificate.text()?)?);
                }
            }
        }
        let is_complete = !signing_certificates.is_empty();
        is_complete.then_some(Metadata { entity_id, valid_until, signing_certificates })
    }
}

/// Whether a list of protocols names SAML 2.0.
fn speaks(protocols: Option<&str>) -> bool {
    protocols.is_some_and(|list| list.split_ascii_whitespace().any(|one| one == PROTOCOL))
}

fn children<'a, 'input>(
    node: Node<'a, 'input>,
    namespace: &'static str,
    name: &'static str,
) -> impl Iterator<Item = Node<'a, 'input>> {
    node.children().filter(move |child| child.has_tag_name((namespace, name)))
}

/// A certificate as it stands in XML: base64 with white space.
fn der(text: &str) -> Option<Vec<u8>> {
    let compact: String = text.split_ascii_whitespace().collect();
    let der = STANDARD.decode(compact).ok()?;
    let (rest, _) = X509Certificate::from_der(&der).ok()?;
    rest.is_empty().then_some(der)
}

/// Refuses a document that cannot be used.
pub(crate) fn check_document(text: &str) -> Result<(), Error> {
    if text.len() > DOCUMENT_MAX {
        let message = format!("The metadata document is longer than {DOCUMENT_MAX} bytes.");
        return Err(Error::LimitExceededException(message));
    }
    if Metadata::read(text).is_some() {
        return Ok(());
    }
    Err(Error::InvalidInputException("Could not parse metadata".to_owned()))
}

impl SamlProviderRecord {
    /// When it ends to count.
    pub(crate) fn valid_until(&self) -> Timestamp {
        let told = Metadata::read(&self.metadata).and_then(|metadata| metadata.valid_until);
        told.unwrap_or(Timestamp::from_millis(self.created_ms.saturating_add(VALID_MS)))
    }
}

impl Iam {
    pub(crate) async fn trusted_saml_provider(
        &self,
        account: &AccountId,
        arn: &str,
    ) -> Result<Option<SamlProvider>, Fault> {
        let Some(found) = self.find_by_arn::<SamlProviderRecord>(account, arn).await? else {
            return Ok(None);
        };
        let damaged = || Fault::internal("the metadata of a SAML provider are damaged");
        let metadata = Metadata::read(&found.value.metadata).ok_or_else(damaged)?;
        Ok(Some(SamlProvider {
            arn: arn.to_owned(),
            name: found.value.name,
            entity_id: metadata.entity_id,
            signing_certificates: metadata.signing_certificates,
            valid_until: metadata.valid_until,
        }))
    }
}
