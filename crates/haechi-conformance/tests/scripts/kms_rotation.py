"""EnableKeyRotation, DisableKeyRotation, GetKeyRotationStatus, RotateKeyOnDemand, ListKeyRotations;
with `--dev`, whose clock can be moved."""

import json
import urllib.request

from harness import ENDPOINT, client, equal, main, refused

kms = client("kms")


def pass_days(days):
    body = json.dumps({"advance_seconds": days * 86_400}).encode()
    urllib.request.urlopen(urllib.request.Request(f"{ENDPOINT}/_haechi/clock", body)).read()


def current(key_id):
    return kms.describe_key(KeyId=key_id)["KeyMetadata"]["CurrentKeyMaterialId"]


def test_a_key_rotates_at_its_dates_and_opens_all_that_it_sealed():
    key_id = kms.create_key()["KeyMetadata"]["KeyId"]
    status = kms.get_key_rotation_status(KeyId=key_id)
    equal(status["KeyRotationEnabled"], False)
    kms.enable_key_rotation(KeyId=key_id, RotationPeriodInDays=90)
    status = kms.get_key_rotation_status(KeyId=key_id)
    equal((status["KeyRotationEnabled"], status["RotationPeriodInDays"]), (True, 90))
    blobs = {current(key_id): kms.encrypt(KeyId=key_id, Plaintext=b"x")["CiphertextBlob"]}
    for _ in range(3):
        pass_days(90)
        blobs[current(key_id)] = kms.encrypt(KeyId=key_id, Plaintext=b"x")["CiphertextBlob"]
    equal(len(blobs), 4)
    for material, blob in blobs.items():
        opened = kms.decrypt(CiphertextBlob=blob)
        equal((opened["Plaintext"], opened["KeyMaterialId"]), (b"x", material))
    rotations = kms.list_key_rotations(KeyId=key_id)["Rotations"]
    equal([one["RotationType"] for one in rotations], ["AUTOMATIC"] * 3)
    kms.disable_key_rotation(KeyId=key_id)
    pass_days(90)
    equal(len(kms.list_key_rotations(KeyId=key_id)["Rotations"]), 3)


def test_on_demand():
    key_id = kms.create_key()["KeyMetadata"]["KeyId"]
    blob = kms.encrypt(KeyId=key_id, Plaintext=b"x")["CiphertextBlob"]
    for _ in range(25):
        kms.rotate_key_on_demand(KeyId=key_id)
    refused("LimitExceededException", kms.rotate_key_on_demand, KeyId=key_id)
    equal(kms.decrypt(CiphertextBlob=blob)["Plaintext"], b"x")
    pages = kms.get_paginator("list_key_rotations").paginate(
        KeyId=key_id, IncludeKeyMaterial="ALL_KEY_MATERIAL", PaginationConfig={"PageSize": 10}
    )
    entries = [one for page in pages for one in page["Rotations"]]
    equal(len(entries), 26)
    equal(entries[-1]["KeyMaterialState"], "CURRENT")
    equal(entries[-1]["KeyMaterialId"], current(key_id))


def test_what_does_not_rotate():
    pair = kms.create_key(KeySpec="ECC_NIST_P256", KeyUsage="SIGN_VERIFY")["KeyMetadata"]
    refused("UnsupportedOperationException", kms.enable_key_rotation, KeyId=pair["KeyId"])
    refused("UnsupportedOperationException", kms.rotate_key_on_demand, KeyId=pair["KeyId"])


main()
