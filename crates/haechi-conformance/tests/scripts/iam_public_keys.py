"""SSH keys, signing and server certificates: kept, told, changed, and in the way of a deletion."""

import subprocess
import tempfile

from harness import client, equal, main, refused, unique

iam = client("iam")


def run(*command):
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def key_and_certificate():
    with tempfile.TemporaryDirectory() as folder:
        key, certificate = f"{folder}/key", f"{folder}/certificate"
        run("openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=test",
            "-keyout", key, "-out", certificate, "-days", "30")
        public = run("openssl", "rsa", "-in", key, "-pubout")
        return open(key).read(), open(certificate).read(), public


KEY, CERTIFICATE, PUBLIC = key_and_certificate()


def test_an_ssh_key_is_shown_in_both_encodings_and_keeps_its_user():
    user = unique("user")
    iam.create_user(UserName=user)
    made = iam.upload_ssh_public_key(UserName=user, SSHPublicKeyBody=PUBLIC)["SSHPublicKey"]
    key = made["SSHPublicKeyId"]
    equal(made["Status"], "Active")
    line = iam.get_ssh_public_key(UserName=user, SSHPublicKeyId=key, Encoding="SSH")
    line = line["SSHPublicKey"]["SSHPublicKeyBody"]
    assert line.startswith("ssh-rsa "), line
    same = iam.get_ssh_public_key(UserName=user, SSHPublicKeyId=key, Encoding="PEM")
    equal(same["SSHPublicKey"]["SSHPublicKeyBody"].split(), PUBLIC.split())
    refused("DuplicateSSHPublicKey", iam.upload_ssh_public_key, UserName=user, SSHPublicKeyBody=line)
    refused(
        "UnrecognizedPublicKeyEncoding",
        iam.upload_ssh_public_key,
        UserName=user,
        SSHPublicKeyBody="nonsense",
    )
    iam.update_ssh_public_key(UserName=user, SSHPublicKeyId=key, Status="Inactive")
    listed = iam.list_ssh_public_keys(UserName=user)["SSHPublicKeys"]
    equal([(one["SSHPublicKeyId"], one["Status"]) for one in listed], [(key, "Inactive")])
    refused("DeleteConflict", iam.delete_user, UserName=user, status=409)
    iam.delete_ssh_public_key(UserName=user, SSHPublicKeyId=key)
    refused("NoSuchEntity", iam.delete_ssh_public_key, UserName=user, SSHPublicKeyId=key, status=404)
    iam.delete_user(UserName=user)


def test_signing_certificates_are_two_at_most_and_keep_their_user():
    user = unique("user")
    iam.create_user(UserName=user)
    made = iam.upload_signing_certificate(UserName=user, CertificateBody=CERTIFICATE)["Certificate"]
    again = iam.upload_signing_certificate(UserName=user, CertificateBody=CERTIFICATE)["Certificate"]
    equal(again["CertificateId"], made["CertificateId"])
    refused(
        "MalformedCertificate",
        iam.upload_signing_certificate,
        UserName=user,
        CertificateBody="nonsense",
        message="Certificate nonsense is malformed.",
        status=400,
    )
    iam.upload_signing_certificate(UserName=user, CertificateBody=key_and_certificate()[1])
    refused(
        "LimitExceeded",
        iam.upload_signing_certificate,
        UserName=user,
        CertificateBody=key_and_certificate()[1],
    )
    certificate = made["CertificateId"]
    iam.update_signing_certificate(UserName=user, CertificateId=certificate, Status="Inactive")
    listed = iam.list_signing_certificates(UserName=user)["Certificates"]
    equal({one["CertificateId"]: one["Status"] for one in listed}[certificate], "Inactive")
    refused("DeleteConflict", iam.delete_user, UserName=user, status=409)
    for one in listed:
        iam.delete_signing_certificate(UserName=user, CertificateId=one["CertificateId"])
    iam.delete_user(UserName=user)


def test_a_server_certificate_has_its_own_key_and_never_shows_it():
    name = unique("certificate")
    made = iam.upload_server_certificate(
        ServerCertificateName=name,
        Path="/cloudfront/",
        CertificateBody=CERTIFICATE,
        PrivateKey=KEY,
        Tags=[{"Key": "team", "Value": "web"}],
    )["ServerCertificateMetadata"]
    assert made["Arn"].endswith(f":server-certificate/cloudfront/{name}"), made
    refused(
        "EntityAlreadyExists",
        iam.upload_server_certificate,
        ServerCertificateName=name,
        CertificateBody=CERTIFICATE,
        PrivateKey=KEY,
    )
    refused(
        "KeyPairMismatch",
        iam.upload_server_certificate,
        ServerCertificateName=unique("certificate"),
        CertificateBody=CERTIFICATE,
        PrivateKey=key_and_certificate()[0],
    )
    shown = iam.get_server_certificate(ServerCertificateName=name)["ServerCertificate"]
    # Without the line end of a file: Terraform compares the text.
    equal(shown["CertificateBody"], CERTIFICATE.strip())
    assert "PRIVATE" not in str(shown)
    renamed = unique("renamed")
    iam.update_server_certificate(ServerCertificateName=name, NewServerCertificateName=renamed)
    refused("NoSuchEntity", iam.get_server_certificate, ServerCertificateName=name, status=404)
    iam.untag_server_certificate(ServerCertificateName=renamed, TagKeys=["team"])
    equal(iam.list_server_certificate_tags(ServerCertificateName=renamed)["Tags"], [])
    listed = iam.list_server_certificates(PathPrefix="/cloudfront/")
    names = [one["ServerCertificateName"] for one in listed["ServerCertificateMetadataList"]]
    equal(names, [renamed])
    iam.delete_server_certificate(ServerCertificateName=renamed)


def test_credentials_for_one_service_are_kept_and_told():
    user = unique("user")
    iam.create_user(UserName=user)
    refused(
        "NoSuchEntity",
        iam.create_service_specific_credential,
        UserName=user,
        ServiceName="lambda.amazonaws.com",
        message="No such service lambda.amazonaws.com is supported for Service Specific Credentials",
    )
    made = iam.create_service_specific_credential(
        UserName=user, ServiceName="codecommit.amazonaws.com"
    )["ServiceSpecificCredential"]
    equal(len(made["ServicePassword"]), 60)
    listed = iam.list_service_specific_credentials(UserName=user)
    equal(listed["IsTruncated"], False)
    [one] = listed["ServiceSpecificCredentials"]
    equal("ServicePassword" in one, False)
    iam.delete_service_specific_credential(
        UserName=user, ServiceSpecificCredentialId=made["ServiceSpecificCredentialId"]
    )
    iam.delete_user(UserName=user)


def test_the_kind_of_tokens_that_an_account_wants_is_told():
    iam.set_security_token_service_preferences(GlobalEndpointTokenVersion="v2Token")
    equal(iam.get_account_summary()["SummaryMap"]["GlobalEndpointTokenVersion"], 2)
    iam.set_security_token_service_preferences(GlobalEndpointTokenVersion="v1Token")


main()
