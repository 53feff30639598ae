"""ScheduleKeyDeletion and CancelKeyDeletion: a key pending deletion does nothing and comes back
disabled. That it goes at last is shown with `--dev`'s clock (tests/it/dev.rs)."""

import datetime

from harness import client, equal, main, refused

kms = client("kms")


def test_a_key_pending_deletion_refuses_everything():
    key = kms.create_key()["KeyMetadata"]
    key_id, arn = key["KeyId"], key["Arn"]
    blob = kms.encrypt(KeyId=key_id, Plaintext=b"x")["CiphertextBlob"]
    planned = kms.schedule_key_deletion(KeyId=key_id, PendingWindowInDays=7)
    equal(
        (planned["KeyId"], planned["KeyState"], planned["PendingWindowInDays"]),
        (arn, "PendingDeletion", 7),
    )
    in_days = (planned["DeletionDate"] - datetime.datetime.now(datetime.timezone.utc)).days
    assert in_days in (6, 7), in_days
    described = kms.describe_key(KeyId=key_id)["KeyMetadata"]
    equal((described["KeyState"], described["Enabled"]), ("PendingDeletion", False))
    equal(described["DeletionDate"], planned["DeletionDate"])
    message = f"{arn} is pending deletion."
    for call, parameters in (
        (kms.encrypt, {"KeyId": key_id, "Plaintext": b"x"}),
        (kms.decrypt, {"CiphertextBlob": blob}),
        (kms.generate_data_key, {"KeyId": key_id, "KeySpec": "AES_256"}),
        (kms.enable_key, {"KeyId": key_id}),
        (kms.disable_key, {"KeyId": key_id}),
        (kms.schedule_key_deletion, {"KeyId": key_id}),
        (kms.create_alias, {"AliasName": "alias/late", "TargetKeyId": key_id}),
        (kms.tag_resource, {"KeyId": key_id, "Tags": [{"TagKey": "a", "TagValue": "b"}]}),
    ):
        refused("KMSInvalidStateException", call, message=message, status=400, **parameters)


def test_a_cancelled_deletion_leaves_the_key_disabled():
    key = kms.create_key()["KeyMetadata"]
    key_id = key["KeyId"]
    blob = kms.encrypt(KeyId=key_id, Plaintext=b"x")["CiphertextBlob"]
    kms.schedule_key_deletion(KeyId=key_id)
    equal(kms.cancel_key_deletion(KeyId=key_id)["KeyId"], key["Arn"])
    described = kms.describe_key(KeyId=key_id)["KeyMetadata"]
    equal(described["KeyState"], "Disabled")
    assert "DeletionDate" not in described
    refused("DisabledException", kms.decrypt, CiphertextBlob=blob)
    kms.enable_key(KeyId=key_id)
    equal(kms.decrypt(CiphertextBlob=blob)["Plaintext"], b"x")


def test_only_a_pending_deletion_can_be_cancelled():
    key_id = kms.create_key()["KeyMetadata"]["KeyId"]
    refused("KMSInvalidStateException", kms.cancel_key_deletion, KeyId=key_id)


def test_the_window_is_7_to_30_days_and_30_by_default():
    key_id = kms.create_key()["KeyMetadata"]["KeyId"]
    for days in (6, 31):
        refused(
            "ValidationException",
            kms.schedule_key_deletion,
            KeyId=key_id,
            PendingWindowInDays=days,
        )
    equal(kms.schedule_key_deletion(KeyId=key_id)["PendingWindowInDays"], 30)


main()
