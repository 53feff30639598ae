"""CreateAlias, UpdateAlias, DeleteAlias, ListAliases, and keys called by alias."""

import uuid

from harness import (
    ACCOUNT, REGION, client, client_of, equal, main, new_user, refused, unique,
)

kms = client("kms")


def new_key():
    return kms.create_key()["KeyMetadata"]["KeyId"]


def alias():
    return f"alias/{unique('name')}"


def arn(name):
    return f"arn:aws:kms:{REGION}:{ACCOUNT}:{name}"


def test_an_alias_stands_for_its_key():
    key_id, name = new_key(), alias()
    kms.create_alias(AliasName=name, TargetKeyId=key_id)
    for called in (name, arn(name)):
        equal(kms.describe_key(KeyId=called)["KeyMetadata"]["KeyId"], key_id)
    sealed = kms.encrypt(KeyId=name, Plaintext=b"hello")
    equal(kms.decrypt(CiphertextBlob=sealed["CiphertextBlob"])["Plaintext"], b"hello")
    equal(
        kms.decrypt(CiphertextBlob=sealed["CiphertextBlob"], KeyId=name)["Plaintext"], b"hello"
    )


def test_an_alias_moves_to_another_key_and_old_blobs_still_open():
    first, second, name = new_key(), new_key(), alias()
    kms.create_alias(AliasName=name, TargetKeyId=first)
    old = kms.encrypt(KeyId=name, Plaintext=b"old")["CiphertextBlob"]
    kms.update_alias(AliasName=name, TargetKeyId=second)
    equal(kms.describe_key(KeyId=name)["KeyMetadata"]["KeyId"], second)
    equal(kms.decrypt(CiphertextBlob=old)["Plaintext"], b"old")
    refused("IncorrectKeyException", kms.decrypt, CiphertextBlob=old, KeyId=name)


def test_an_alias_stays_with_keys_of_one_type_and_usage():
    name = alias()
    kms.create_alias(AliasName=name, TargetKeyId=new_key())
    message = (
        "The current and the new key must be of the same type (both symmetric, both asymmetric or "
        "both HMAC), and must have the same key usage."
    )
    for spec, usage in (("RSA_2048", "ENCRYPT_DECRYPT"), ("HMAC_256", "GENERATE_VERIFY_MAC")):
        other = kms.create_key(KeySpec=spec, KeyUsage=usage)["KeyMetadata"]["KeyId"]
        refused("ValidationException", kms.update_alias, AliasName=name, TargetKeyId=other,
                message=message)


def test_conditions_know_the_account_that_calls():
    condition = {"StringEquals": {"kms:CallerAccount": ACCOUNT}}
    allow = {"Effect": "Allow", "Action": "kms:*", "Resource": "*", "Condition": condition}
    _, key = new_user(allow)
    theirs, name = client_of(key, "kms"), alias()
    theirs.create_alias(AliasName=name, TargetKeyId=new_key())
    theirs.delete_alias(AliasName=name)
    theirs.list_aliases()
    theirs.describe_custom_key_stores()
    _, key = new_user({**allow, "Condition": {}}, {**allow, "Effect": "Deny"})
    theirs = client_of(key, "kms")
    refused("AccessDeniedException", theirs.describe_custom_key_stores)
    refused("AccessDeniedException", theirs.create_alias, AliasName=name, TargetKeyId=new_key())


def test_a_name_is_taken_once():
    name = alias()
    kms.create_alias(AliasName=name, TargetKeyId=new_key())
    refused(
        "AlreadyExistsException",
        kms.create_alias,
        AliasName=name,
        TargetKeyId=new_key(),
        message=f"An alias with the name {arn(name)} already exists",
    )


def test_names_that_aws_refuses():
    key_id = new_key()
    refused(
        "ValidationException",
        kms.create_alias,
        AliasName="no-prefix",
        TargetKeyId=key_id,
        message='Alias must start with the prefix "alias/". Please see '
        "https://docs.aws.amazon.com/kms/latest/developerguide/kms-alias.html",
    )
    reserved = ("NotAuthorizedException", "ValidationException", "InvalidAliasNameException")
    refused(reserved, kms.create_alias, AliasName="alias/aws/mine", TargetKeyId=key_id)
    refused(
        ("ValidationException", "InvalidAliasNameException"),
        kms.create_alias,
        AliasName="alias/with space",
        TargetKeyId=key_id,
    )
    refused("NotFoundException", kms.create_alias, AliasName=alias(), TargetKeyId=str(uuid.uuid4()))


def test_a_deleted_alias_is_gone_and_its_key_stays():
    key_id, name = new_key(), alias()
    kms.create_alias(AliasName=name, TargetKeyId=key_id)
    kms.delete_alias(AliasName=name)
    message = f"Alias {arn(name)} is not found."
    refused("NotFoundException", kms.describe_key, KeyId=name, message=message)
    refused("NotFoundException", kms.delete_alias, AliasName=name, message=message)
    update = {"AliasName": name, "TargetKeyId": key_id}
    refused("NotFoundException", kms.update_alias, **update, message=message)
    kms.describe_key(KeyId=key_id)


def test_aliases_are_listed_page_by_page_and_by_key():
    key_id, names = new_key(), sorted(alias() for _ in range(5))
    for name in names:
        kms.create_alias(AliasName=name, TargetKeyId=key_id)
    pages = list(
        kms.get_paginator("list_aliases").paginate(KeyId=key_id, PaginationConfig={"PageSize": 2})
    )
    listed = [entry for page in pages for entry in page["Aliases"]]
    equal(sorted(entry["AliasName"] for entry in listed), names)
    for entry in listed:
        equal(entry["TargetKeyId"], key_id)
        equal(entry["AliasArn"], arn(entry["AliasName"]))
        assert entry["CreationDate"] and entry["LastUpdatedDate"]
    everything = kms.get_paginator("list_aliases").paginate().build_full_result()["Aliases"]
    assert set(names) <= {entry["AliasName"] for entry in everything}
    refused("InvalidMarkerException", kms.list_aliases, Marker="no-such-marker")


def test_predefined_aliases_are_there_before_their_keys():
    def predefined():
        everything = kms.get_paginator("list_aliases").paginate().build_full_result()["Aliases"]
        return {entry["AliasName"]: entry for entry in everything}["alias/aws/sqs"]

    equal(predefined(), {"AliasName": "alias/aws/sqs", "AliasArn": arn("alias/aws/sqs")})
    made = kms.describe_key(KeyId="alias/aws/sqs")["KeyMetadata"]
    equal(made["KeyManager"], "AWS")
    equal(predefined()["TargetKeyId"], made["KeyId"])


main()
