"""Grants as boto3 sees them: given, used, listed, retired, revoked."""

from harness import ACCOUNT, client, client_of, equal, main, refused, unique
from harness import new_user as new_harness_user

kms = client("kms")
iam = client("iam")


def new_key():
    return kms.create_key()["KeyMetadata"]


def new_user():
    """A user without any permission: its ARN, and KMS as the user calls it."""
    name = unique("user")
    arn = iam.create_user(UserName=name)["User"]["Arn"]
    access_key = iam.create_access_key(UserName=name)["AccessKey"]
    return arn, client_of(access_key, "kms")


def test_a_grant_gives_and_revoking_takes():
    key, (arn, user) = new_key(), new_user()
    key_id = key["KeyId"]
    refused("AccessDeniedException", user.encrypt, KeyId=key_id, Plaintext=b"x")
    made = kms.create_grant(KeyId=key_id, GranteePrincipal=arn, Operations=["Encrypt", "Decrypt"])
    equal(len(made["GrantId"]), 64)
    blob = user.encrypt(KeyId=key_id, Plaintext=b"x", GrantTokens=[made["GrantToken"]])
    equal(user.decrypt(CiphertextBlob=blob["CiphertextBlob"])["Plaintext"], b"x")
    refused("AccessDeniedException", user.generate_data_key, KeyId=key_id, KeySpec="AES_256")
    listed = kms.list_grants(KeyId=key_id)["Grants"]
    equal([grant["GrantId"] for grant in listed], [made["GrantId"]])
    equal(listed[0]["GranteePrincipal"], arn)
    equal(listed[0]["IssuingAccount"], f"arn:aws:iam::{ACCOUNT}:root")
    equal(listed[0]["KeyId"], key["Arn"])
    kms.revoke_grant(KeyId=key_id, GrantId=made["GrantId"])
    refused("AccessDeniedException", user.encrypt, KeyId=key_id, Plaintext=b"x")
    refused("NotFoundException", kms.revoke_grant, KeyId=key_id, GrantId=made["GrantId"])


def test_constraints_bind_the_encryption_context():
    key_id, (arn, user) = new_key()["KeyId"], new_user()
    kms.create_grant(
        KeyId=key_id,
        GranteePrincipal=arn,
        Operations=["Encrypt"],
        Constraints={"EncryptionContextSubset": {"Department": "IT"}},
    )
    context = {"Department": "IT", "Purpose": "Test"}
    user.encrypt(KeyId=key_id, Plaintext=b"x", EncryptionContext=context)
    refused("AccessDeniedException", user.encrypt, KeyId=key_id, Plaintext=b"x")


def test_the_retiring_principal_finds_and_retires():
    key_id, (grantee, user), (retirer, other) = new_key()["KeyId"], new_user(), new_user()
    made = kms.create_grant(
        KeyId=key_id, GranteePrincipal=grantee, RetiringPrincipal=retirer, Operations=["Encrypt"]
    )
    found = kms.list_retirable_grants(RetiringPrincipal=retirer)["Grants"]
    equal([grant["GrantId"] for grant in found], [made["GrantId"]])
    refused("AccessDeniedException", user.retire_grant, GrantToken=made["GrantToken"])
    refused(
        "DryRunOperationException", other.retire_grant, GrantToken=made["GrantToken"], DryRun=True
    )
    other.retire_grant(GrantToken=made["GrantToken"])
    refused("AccessDeniedException", user.encrypt, KeyId=key_id, Plaintext=b"x")


def test_a_denial_by_what_the_key_or_the_grant_is_binds_who_retires():
    key = kms.create_key(Tags=[{"TagKey": "Stage", "TagValue": "prod"}])["KeyMetadata"]["KeyId"]
    name = f"alias/{unique('retired')}"
    kms.create_alias(AliasName=name, TargetKeyId=key)
    for condition in (
        {"StringEquals": {"aws:ResourceTag/Stage": "prod"}},
        {"StringEquals": {"kms:KeySpec": "SYMMETRIC_DEFAULT"}},
        {"ForAnyValue:StringEquals": {"kms:ResourceAliases": name}},
        {"StringEquals": {"kms:GrantConstraintType": "EncryptionContextEquals"}},
        {"StringEquals": {"kms:EncryptionContext:team": "blue"}},
    ):
        allow = {"Effect": "Allow", "Action": "kms:*", "Resource": "*"}
        user, access_key = new_harness_user(allow, {**allow, "Effect": "Deny", "Condition": condition})
        theirs = client_of(access_key, "kms")
        arn = iam.get_user(UserName=user)["User"]["Arn"]
        grant = kms.create_grant(
            KeyId=key, GranteePrincipal=arn, RetiringPrincipal=arn, Operations=["Encrypt"],
            Constraints={"EncryptionContextEquals": {"team": "blue"}},
        )
        refused("AccessDeniedException", theirs.retire_grant, GrantToken=grant["GrantToken"],
                contains="with an explicit deny in an identity-based policy")
        kms.retire_grant(GrantToken=grant["GrantToken"])


def test_pages_and_filters():
    key_id, (first, _), (second, _) = new_key()["KeyId"], new_user(), new_user()
    for arn in (first, first, second):
        kms.create_grant(KeyId=key_id, GranteePrincipal=arn, Operations=["Decrypt"])
    pages = kms.get_paginator("list_grants")
    found = pages.paginate(KeyId=key_id, PaginationConfig={"PageSize": 1})
    equal(sum(len(page["Grants"]) for page in found), 3)
    equal(len(kms.list_grants(KeyId=key_id, GranteePrincipal=first)["Grants"]), 2)


def test_what_is_refused():
    key_id, (arn, _) = new_key()["KeyId"], new_user()
    asked = {"KeyId": key_id, "GranteePrincipal": arn}
    refused("ValidationException", kms.create_grant, Operations=["Sign"], **asked)
    refused(
        "InvalidArnException",
        kms.create_grant,
        KeyId=key_id,
        GranteePrincipal="nobody",
        Operations=["Decrypt"],
    )
    refused(
        "InvalidGrantTokenException",
        kms.encrypt,
        KeyId=key_id,
        Plaintext=b"x",
        GrantTokens=["invalid"],
    )
    refused("InvalidGrantIdException", kms.revoke_grant, KeyId=key_id, GrantId="short")


def test_the_last_use_of_a_key_is_known():
    key_id = new_key()["KeyId"]
    equal(kms.get_key_last_usage(KeyId=key_id)["KeyLastUsage"], {})
    answer = kms.generate_data_key(KeyId=key_id, KeySpec="AES_256")
    usage = kms.get_key_last_usage(KeyId=key_id)["KeyLastUsage"]
    equal(usage["Operation"], "GenerateDataKey")
    equal(usage["KmsRequestId"], answer["ResponseMetadata"]["RequestId"])


main()
