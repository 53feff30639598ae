//! SSH keys and signing certificates that users upload, and server certificates.

use haechi_iam_model::ops::{
    DeleteUser, GetSSHPublicKey, ListSigningCertificates, TagServerCertificate,
    UntagServerCertificate, UpdateSSHPublicKey, UpdateSigningCertificate, UploadSSHPublicKey,
    UploadServerCertificate, UploadSigningCertificate,
};
use haechi_iam_model::shapes::{
    DeleteUserRequest, EncodingType, GetSSHPublicKeyRequest, ListSigningCertificatesRequest,
    StatusType, TagServerCertificateRequest, UntagServerCertificateRequest,
    UpdateSSHPublicKeyRequest, UpdateSigningCertificateRequest, UploadSSHPublicKeyRequest,
    UploadServerCertificateRequest, UploadSigningCertificateRequest,
};
use haechi_wire::SecretString;

use crate::cast::{Stage, told};
use crate::providers::CERTIFICATE;

const SSH: &str = concat!(
    "ssh-rsa ",
    "AAAAB3NzaC1yc2EAAAADAQABAAABAQDQY7GMndItdGAzJ+JGQOAsHZwWOwQzAj0OXrRQc/3BYDax",
    "esaJAOGsUiD9bdtoYfORk3Iw0siOdwkCiqlUiJ/WgEcCoBkhIr4mljvXG3dHzaEpt9Itom+kdsw8",
    "IDQWRJrWzVnBHyCzv+OEnQ1HdfF9O7nENUt5wm2sCpTaFzIO0pGJTRP7g78A6T7KEe0wo3nANFlP",
    "0Vi8ukZpGs4l0SyZsS9P3BUcO/3KQQlewKzu+CnwC8Mc1ub7vtj8NGJEzschpF09UsGuujQnlzP/",
    "U5pstZIsAOkA/lBQ2GSCJ1+xaTzRUeW77mEL4C2lL6riaABpbYRrK9ToLn7OuRe3WpRZ",
);

/// Of 1024 bits.
const WEAK: &str = concat!(
    "ssh-rsa ",
    "AAAAB3NzaC1yc2EAAAADAQABAAAAgQDvCCDvbl7s/Jji5VAsVA11Y7jDXSZOqNNPF76lAzi0zmK3ZdeQ",
    "3Btskuwa48IB9dEgpEsDbsAO+7hm2WQzJAaje35T4Hx5UanNLn60zwZRsHa3CUuTU7wF6da/7dh9XwT2",
    "hYd8uFWxYLnhmi/cl0d++RV0XRvdK+lvUmr1PCLenQ==",
);

/// Made for these tests, as is its key.
const SERVER_CERTIFICATE: &str = concat!(
    "MIIBhzCCAS2gAwIBAgIUEABAWs0EZN+zGlyJzc7FDzWR7DIwCgYIKoZIzj0EAwIwGDEWMBQGA1UEAwwN",
    "YS5leGFtcGxlLmNvbTAgFw0yNjEyMDEwMTQ4NTlaGA8yMTI2MTEwNzAxNDg1OVowGDEWMBQGA1UEAwwN",
    "YS5leGFtcGxlLmNvbTBZMBMGByqGSM49AgEGCCqGSM49AwEHA0IABL0X1kI8d9iVqv0RRkOYYL10aOzf",
    "ZzbfhgCrYvfyFPdAPClHlvVKMm0f8gHi1wjXzQdcna7dVTRMkZdnjzitR/WjUzBRMB0GA1UdDgQWBBRC",
    "iRbG/eFCUBaNw/MkZc/gja40wjAfBgNVHSMEGDAWgBRCiRbG/eFCUBaNw/MkZc/gja40wjAPBgNVHRMB",
    "Af8EBTADAQH/MAoGCCqGSM49BAMCA0gAMEUCIQCrXxzb6peq3sq8tzB7jasAR/GOf5L9RM3hfsdx9i6t",
    "KgIgRl+atfYcb20r6mCaZ3T+olneC8fOCyN/Y1Lg/S5WluU=",
);
const SERVER_KEY: &str = concat!(
    "MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgGTOPiL0nRrrE7JyxgyfZ1jUt8ZPz03Nv",
    "g2EP9CtcP9OhRANCAAS9F9ZCPHfYlar9EUZDmGC9dGjs32c234YAq2L38hT3QDwpR5b1SjJtH/IB4tcI",
    "180HXJ2u3VU0TJGXZ484rUf1",
);

/// In PEM, whatever it is.
fn pem(label: &str, encoded: &str) -> String {
    let lines = encoded.as_bytes().chunks(64).map(|line| std::str::from_utf8(line).unwrap());
    let body = lines.collect::<Vec<_>>().join("\n");
    format!("-----BEGIN {label}-----\n{body}\n-----END {label}-----\n")
}

fn ssh(body: &str) -> UploadSSHPublicKeyRequest {
    UploadSSHPublicKeyRequest {
        user_name: "alice".to_owned(),
        ssh_public_key_body: body.to_owned(),
    }
}

fn certificate(user: &str) -> UploadSigningCertificateRequest {
    let certificate_body = pem("CERTIFICATE", CERTIFICATE);
    UploadSigningCertificateRequest { user_name: Some(user.to_owned()), certificate_body }
}

async fn two_users() -> Stage {
    let stage = Stage::new().await;
    stage.create_user("alice").await;
    stage.create_user("bob").await;
    stage
}

#[tokio::test]
async fn an_ssh_key_is_shown_without_the_comment_that_it_was_uploaded_with() {
    let stage = two_users().await;
    let body = format!("{SSH} alice@host\n");
    let made = stage.ok::<UploadSSHPublicKey>(ssh(&body)).await.ssh_public_key.unwrap();
    assert_eq!(made.ssh_public_key_body, body);
    let get = |user: &str, id: &str| GetSSHPublicKeyRequest {
        user_name: user.to_owned(),
        ssh_public_key_id: id.to_owned(),
        encoding: EncodingType::Ssh,
    };
    let id = made.ssh_public_key_id;
    let shown = stage.ok::<GetSSHPublicKey>(get("alice", &id)).await.ssh_public_key.unwrap();
    assert_eq!(shown.ssh_public_key_body, SSH);
    let refused = stage.refused::<GetSSHPublicKey>(get("bob", &id)).await;
    assert_eq!(refused, told("NoSuchEntity", &format!("User has no Public Key with id {id}.")));
    let refused = stage.refused::<GetSSHPublicKey>(get("bob", "APKAXXXXXXXXXXXXXXXXX")).await;
    let message = "The Public Key with id APKAXXXXXXXXXXXXXXXXX cannot be found.";
    assert_eq!(refused, told("NoSuchEntity", message));
    let expired = UpdateSSHPublicKeyRequest {
        user_name: "alice".to_owned(),
        ssh_public_key_id: id,
        status: StatusType::Expired,
    };
    let refused = stage.refused::<UpdateSSHPublicKey>(expired).await;
    assert_eq!(refused, told("InvalidInput", "Operation does not support status Expired"));
}

#[tokio::test]
async fn ssh_keys_that_are_weak_broken_or_there_already_are_refused() {
    let stage = two_users().await;
    stage.ok::<UploadSSHPublicKey>(ssh(SSH)).await;
    for (body, code, message) in [
        (SSH, "DuplicateSSHPublicKey", "Duplicate SSH public key uploaded."),
        (WEAK, "InvalidPublicKey", "Invalid body for public key"),
        ("ssh-rsa AAAA", "InvalidPublicKey", "Invalid public key uploaded."),
    ] {
        assert_eq!(stage.refused::<UploadSSHPublicKey>(ssh(body)).await, told(code, message));
    }
}

#[tokio::test]
async fn a_certificate_has_its_id_by_what_it_is_and_one_user() {
    let stage = two_users().await;
    let made = stage.ok::<UploadSigningCertificate>(certificate("alice")).await.certificate;
    // SHA-1 in base32, as other tools compute it.
    assert_eq!(made.certificate_id, "FGRKD4PEKMIB4227SHG3DNEMG4VXJ6SU");
    let off = UpdateSigningCertificateRequest {
        user_name: Some("alice".to_owned()),
        certificate_id: made.certificate_id.clone(),
        status: StatusType::Inactive,
    };
    stage.ok::<UpdateSigningCertificate>(off).await;
    stage.kit.clock.advance(60);
    let again = stage.ok::<UploadSigningCertificate>(certificate("alice")).await.certificate;
    assert_eq!((again.certificate_id, again.upload_date), (made.certificate_id, made.upload_date));
    assert_eq!(again.status, StatusType::Active);
    let list = ListSigningCertificatesRequest {
        user_name: Some("alice".to_owned()),
        ..Default::default()
    };
    let listed = stage.ok::<ListSigningCertificates>(list).await.certificates;
    assert_eq!((listed.len(), listed[0].status), (1, StatusType::Inactive));
    let refused = stage.refused::<UploadSigningCertificate>(certificate("bob")).await;
    assert_eq!(refused, told("DuplicateCertificate", "Duplicate certificate uploaded."));
    let delete = DeleteUserRequest { user_name: "alice".to_owned() };
    let held = told("DeleteConflict", "Cannot delete entity, must delete certificates first.");
    assert_eq!(stage.refused::<DeleteUser>(delete).await, held);
}

#[tokio::test]
async fn a_server_certificate_has_its_own_key_and_takes_no_empty_lists_of_tags() {
    let stage = Stage::new().await;
    let upload = |body: &str| UploadServerCertificateRequest {
        server_certificate_name: "web".to_owned(),
        certificate_body: pem("CERTIFICATE", body),
        private_key: SecretString(pem("PRIVATE KEY", SERVER_KEY)),
        ..Default::default()
    };
    let message = "The private key did not match the public key provided. Please verify the key \
        material and try again.";
    let refused = stage.refused::<UploadServerCertificate>(upload(CERTIFICATE)).await;
    assert_eq!(refused, told("KeyPairMismatch", message));
    stage.ok::<UploadServerCertificate>(upload(SERVER_CERTIFICATE)).await;
    let name = || "web".to_owned();
    let tag = TagServerCertificateRequest { server_certificate_name: name(), tags: Vec::new() };
    let refused = stage.refused::<TagServerCertificate>(tag).await;
    assert_eq!(refused, told("InvalidInput", "The provided tag map must not be null/empty."));
    let untag = UntagServerCertificateRequest { server_certificate_name: name(), tag_keys: vec![] };
    let refused = stage.refused::<UntagServerCertificate>(untag).await;
    assert_eq!(refused, told("InvalidInput", "The provided tag keys must not be null/empty."));
}
