"""CreateKey, DescribeKey, ListKeys, EnableKey, DisableKey, tags."""

import datetime
import re
import uuid

from harness import ACCOUNT, REGION, client, equal, main, refused

kms = client("kms")
NOWHERE = str(uuid.uuid4())


def test_a_new_key_is_described_as_aws_describes_it():
    created = kms.create_key(Description="test - description")["KeyMetadata"]
    key_id = created["KeyId"]
    assert re.fullmatch(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", key_id), key_id
    assert re.fullmatch(r"[0-9a-f]{64}", created.pop("CurrentKeyMaterialId"))
    age = datetime.datetime.now(datetime.timezone.utc) - created.pop("CreationDate")
    assert abs(age) < datetime.timedelta(minutes=5), age
    equal(
        created,
        {
            "AWSAccountId": ACCOUNT,
            "Arn": f"arn:aws:kms:{REGION}:{ACCOUNT}:key/{key_id}",
            "CustomerMasterKeySpec": "SYMMETRIC_DEFAULT",
            "Description": "test - description",
            "Enabled": True,
            "EncryptionAlgorithms": ["SYMMETRIC_DEFAULT"],
            "KeyId": key_id,
            "KeyManager": "CUSTOMER",
            "KeySpec": "SYMMETRIC_DEFAULT",
            "KeyState": "Enabled",
            "KeyUsage": "ENCRYPT_DECRYPT",
            "MultiRegion": False,
            "Origin": "AWS_KMS",
        },
    )


def test_a_key_is_found_by_id_and_by_arn():
    created = kms.create_key()["KeyMetadata"]
    for name in (created["KeyId"], created["Arn"]):
        equal(kms.describe_key(KeyId=name)["KeyMetadata"], created)


def test_a_key_that_does_not_exist_is_named_by_its_arn():
    arn = f"arn:aws:kms:{REGION}:{ACCOUNT}:key/{NOWHERE}"
    message = f"Key '{arn}' does not exist"
    for name in (NOWHERE, arn):
        refused("NotFoundException", kms.describe_key, KeyId=name, message=message, status=400)
    refused("NotFoundException", kms.enable_key, KeyId=NOWHERE, message=message)
    refused("NotFoundException", kms.disable_key, KeyId=NOWHERE, message=message)
    refused("NotFoundException", kms.encrypt, KeyId=NOWHERE, Plaintext=b"x", message=message)


def test_what_is_no_key_id_is_said_to_be_invalid():
    for name in ("fake-key-id", "134f2428cec14b25a1ae9048164dba47", "mrk-fake-key-id"):
        message = f"Invalid keyId '{name}'"
        refused("NotFoundException", kms.describe_key, KeyId=name, message=message)


def test_regions_are_separate():
    other_region = "eu-central-1" if REGION != "eu-central-1" else "us-east-1"
    other = client("kms", region_name=other_region)
    key = kms.create_key()["KeyMetadata"]
    arn_there = f"arn:aws:kms:{other_region}:{ACCOUNT}:key/{key['KeyId']}"
    refused(
        "NotFoundException",
        other.describe_key,
        KeyId=key["KeyId"],
        message=f"Key '{arn_there}' does not exist",
    )
    refused(
        "NotFoundException",
        other.describe_key,
        KeyId=key["Arn"],
        message=f"Invalid arn {REGION}",
    )
    there = other.create_key()["KeyMetadata"]
    assert f":{other_region}:" in there["Arn"], there["Arn"]


def test_disabling_and_enabling():
    key_id = kms.create_key()["KeyMetadata"]["KeyId"]
    kms.disable_key(KeyId=key_id)
    described = kms.describe_key(KeyId=key_id)["KeyMetadata"]
    equal((described["KeyState"], described["Enabled"]), ("Disabled", False))
    kms.disable_key(KeyId=key_id)
    refused("DisabledException", kms.encrypt, KeyId=key_id, Plaintext=b"x")
    kms.enable_key(KeyId=key_id)
    described = kms.describe_key(KeyId=key_id)["KeyMetadata"]
    equal((described["KeyState"], described["Enabled"]), ("Enabled", True))
    kms.encrypt(KeyId=key_id, Plaintext=b"x")


def test_keys_are_listed_page_by_page():
    made = {kms.create_key()["KeyMetadata"]["KeyId"] for _ in range(7)}
    pages = list(kms.get_paginator("list_keys").paginate(PaginationConfig={"PageSize": 3}))
    keys = [key for page in pages for key in page["Keys"]]
    assert all(len(page["Keys"]) <= 3 for page in pages)
    assert len(pages) >= 3
    equal(len(keys), len({key["KeyId"] for key in keys}))
    assert made <= {key["KeyId"] for key in keys}
    for key in keys:
        equal(key["KeyArn"], f"arn:aws:kms:{REGION}:{ACCOUNT}:key/{key['KeyId']}")
    equal(pages[-1]["Truncated"], False)
    assert all(page["Truncated"] and page["NextMarker"] for page in pages[:-1])
    refused("InvalidMarkerException", kms.list_keys, Marker="no-such-marker")


def test_tags():
    key_id = kms.create_key(Tags=[{"TagKey": "team", "TagValue": "one"}])["KeyMetadata"]["KeyId"]

    def tags():
        listed = kms.list_resource_tags(KeyId=key_id)["Tags"]
        return {tag["TagKey"]: tag["TagValue"] for tag in listed}

    equal(tags(), {"team": "one"})
    new = [{"TagKey": "team", "TagValue": "two"}, {"TagKey": "cost", "TagValue": ""}]
    kms.tag_resource(KeyId=key_id, Tags=new)
    equal(tags(), {"team": "two", "cost": ""})
    kms.untag_resource(KeyId=key_id, TagKeys=["team", "never-there"])
    equal(tags(), {"cost": ""})
    page = kms.list_resource_tags(KeyId=key_id, Limit=1)
    equal((len(page["Tags"]), page["Truncated"]), (1, False))
    aws = [{"TagKey": "aws:mine", "TagValue": "x"}]
    refused("TagException", kms.tag_resource, KeyId=key_id, Tags=aws)
    twice = [{"TagKey": "a", "TagValue": "1"}, {"TagKey": "a", "TagValue": "2"}]
    refused("TagException", kms.tag_resource, KeyId=key_id, Tags=twice)
    many = [{"TagKey": f"key-{number}", "TagValue": ""} for number in range(51)]
    refused(("LimitExceededException", "TagException"), kms.tag_resource, KeyId=key_id, Tags=many)
    refused("NotFoundException", kms.list_resource_tags, KeyId=NOWHERE)


main()
