//! What a custom key store may be made of, beside what the model says. Pure.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use haechi_kms_model::Error;

use super::{CustomKeyStores, External, Kind};
use crate::request;

/// Custom key stores of an account in a Region, at most.
pub(crate) const STORES_MAX: usize = 10;

/// `XksProxyConnectivity` over a VPC endpoint service.
pub(crate) const VPC_ENDPOINT_SERVICE: &str = "VPC_ENDPOINT_SERVICE";

/// A parameter that the type of the store needs.
pub(crate) fn required<T>(value: Option<T>, parameter: &str, kind: &str) -> Result<T, Error> {
    value.ok_or_else(|| {
        request::invalid(format!("{parameter} is required for custom key stores of type {kind}."))
    })
}

/// A parameter that the type of the store does not have.
pub(crate) fn absent<T>(value: Option<&T>, parameter: &str, kind: &str) -> Result<(), Error> {
    let message = format!("{parameter} is not valid for custom key stores of type {kind}.");
    value.map_or(Ok(()), |_| Err(request::invalid(message)))
}

/// Refuses a name that another store has.
pub(crate) fn name(stores: &CustomKeyStores, own_id: &str, name: &str) -> Result<(), Error> {
    if stores.stores.iter().any(|store| store.id != own_id && store.name == name) {
        let message = format!("The custom key store name '{name}' is already in use.");
        return Err(Error::CustomKeyStoreNameInUseException(message));
    }
    Ok(())
}

/// Whether another store is for this cluster.
pub(crate) fn cluster_in_use(stores: &CustomKeyStores, own_id: &str, cluster_id: &str) -> bool {
    stores.stores.iter().any(|store| {
        let same = matches!(&store.kind, Kind::CloudHsm(hsm) if hsm.cluster_id == cluster_id);
        same && store.id != own_id
    })
}

/// Refuses a proxy that another store has, in whole or in the parts that must differ.
pub(crate) fn proxy(
    stores: &CustomKeyStores,
    own_id: &str,
    wanted: &External,
) -> Result<(), Error> {
    let others = stores.stores.iter().filter(|store| store.id != own_id);
    for store in others {
        let Kind::External(other) = &store.kind else { continue };
        let same_endpoint = other.uri_endpoint == wanted.uri_endpoint;
        if same_endpoint && other.uri_path == wanted.uri_path {
            return Err(Error::XksProxyUriInUseException(format!(
                "The XksProxyUriEndpoint and XksProxyUriPath {}{} are already associated with \
                 another external key store.",
                wanted.uri_endpoint, wanted.uri_path
            )));
        }
        let over_vpc =
            [other, wanted].iter().any(|store| store.connectivity == VPC_ENDPOINT_SERVICE);
        if same_endpoint && over_vpc {
            return Err(Error::XksProxyUriEndpointInUseException(format!(
                "The XksProxyUriEndpoint {} is already associated with another external key store \
                 whose connectivity does not let it be shared.",
                wanted.uri_endpoint
            )));
        }
        let service = wanted.vpc_endpoint_service_name.as_ref();
        if service.is_some() && other.vpc_endpoint_service_name.as_ref() == service {
            return Err(Error::XksProxyVpcEndpointServiceInUseException(format!(
                "The VPC endpoint service {} is already associated with another external key store.",
                service.map_or("", String::as_str)
            )));
        }
    }
    Ok(())
}

/// The path must be that of version 1, the only one there is; the model takes any number.
pub(crate) fn uri_path(path: &str) -> Result<(), Error> {
    if path.ends_with("/kms/xks/v1") && !path.contains("//") {
        return Ok(());
    }
    let message = "XksProxyUriPath must end with /kms/xks/v1 and have no empty part.";
    Err(Error::XksProxyInvalidConfigurationException(message.to_owned()))
}

/// The DER of a certificate in PEM; `None` if it is none.
pub(crate) fn certificate(pem: &str) -> Option<Vec<u8>> {
    let (_, rest) = pem.split_once("-----BEGIN CERTIFICATE-----")?;
    let (body, _) = rest.split_once("-----END CERTIFICATE-----")?;
    let text: String = body.chars().filter(|c| !c.is_whitespace()).collect();
    STANDARD.decode(text).ok().filter(|der| der.first() == Some(&0x30))
}

/// Refuses a trust anchor that is no certificate, or not the cluster's.
pub(crate) fn trust_anchor(given: &str, own: Option<&str>) -> Result<(), Error> {
    let read = certificate(given);
    let right = read.is_some() && own.is_none_or(|own| certificate(own) == read);
    if right {
        return Ok(());
    }
    let message = "The trust anchor certificate is not that of the specified CloudHSM cluster.";
    Err(Error::IncorrectTrustAnchorException(message.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pem(body: &str) -> String {
        format!("-----BEGIN CERTIFICATE-----\n{body}\n-----END CERTIFICATE-----\n")
    }

    #[test]
    fn a_trust_anchor_is_the_same_certificate_however_it_is_broken_into_lines() {
        let own = pem("MAMC\nAQE=");
        assert!(trust_anchor(&pem("MAMCAQE="), Some(&own)).is_ok());
        assert!(trust_anchor(&pem("MAMCAQE="), None).is_ok());
        assert!(trust_anchor(&pem("MAMCAQI="), Some(&own)).is_err());
        for bad in ["", "MAMCAQE=", &pem(""), &pem("AAAA"), &pem("M?"), &own[..40]] {
            assert!(trust_anchor(bad, None).is_err(), "{bad}");
        }
    }

    #[test]
    fn only_paths_of_version_1_are_taken() {
        assert!(uri_path("/kms/xks/v1").is_ok());
        assert!(uri_path("/a/b/kms/xks/v1").is_ok());
        for bad in ["/kms/xks/v2", "/kms/xks/v11", "/a//b/kms/xks/v1"] {
            assert!(uri_path(bad).is_err(), "{bad}");
        }
    }
}
