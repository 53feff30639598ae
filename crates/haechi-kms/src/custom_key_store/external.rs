//! Asking an external key store proxy: who asks, which proxy, by which address.

use haechi_core::Cx;
use haechi_policy::Principal;
use haechi_xks::{Failure, Place, Proxy, RequestMetadata};
use zeroize::Zeroizing;

use super::External;
use crate::Kms;
use crate::store::KeyRecord;

/// Who calls KMS, for what: as proxies log it and may decide by it.
pub(super) fn request_metadata(cx: &Cx, key: Option<&KeyRecord>) -> RequestMetadata {
    let principal = match &cx.caller.principal {
        Principal::AssumedRole { role_arn, .. } => role_arn,
        other => other.name(),
    };
    let via = cx.via().last();
    RequestMetadata {
        aws_principal_arn: Some(principal.to_owned()),
        kms_key_arn: key.map(|key| key.arn.clone()),
        kms_via_service: via.map(|service| format!("{service}.{}.amazonaws.com", cx.region)),
        ..health_metadata(cx)
    }
}

fn health_metadata(cx: &Cx) -> RequestMetadata {
    RequestMetadata {
        kms_operation: Some(cx.operation.name.to_owned()),
        kms_request_id: Some(cx.request.id.clone()),
        ..RequestMetadata::default()
    }
}

impl Kms {
    /// The proxy of a store.
    pub(super) fn proxy(&self, cx: &Cx, external: &External) -> Proxy {
        let host = external.uri_endpoint.trim_start_matches("https://").to_owned();
        let known = self.surroundings();
        let address = match &external.vpc_endpoint_service_name {
            Some(service) => known.vpc_endpoint_services.get(service).copied(),
            None => known.endpoints.get(&host).copied(),
        };
        Proxy {
            place: Place { host, address },
            uri_path: external.uri_path.clone(),
            access_key_id: external.access_key_id.clone(),
            secret_access_key: Zeroizing::new(external.secret_access_key.to_string()),
            region: cx.region.as_str().to_owned(),
        }
    }

    /// Whether a proxy is there, knows the credential and has a key manager at work.
    pub(crate) async fn check_proxy(&self, cx: &Cx, external: &External) -> Result<(), Failure> {
        let (proxy, metadata) = (self.proxy(cx, external), health_metadata(cx));
        let now_seconds = self.wall_seconds();
        let asked = self.surroundings().client.health(&proxy, &metadata, now_seconds).await;
        if let Err(failure) = &asked {
            tracing::warn!(proxy = proxy.place.host, %failure, "an external key store proxy failed");
        }
        asked.map(|_| ())
    }

    pub(super) fn wall_seconds(&self) -> i64 {
        self.surroundings().clock.now().seconds()
    }
}
