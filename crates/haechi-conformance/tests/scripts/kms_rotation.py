"""EnableKeyRotation, DisableKeyRotation, GetKeyRotationStatus, RotateKeyOnDemand, ListKeyRotations;
and what else KMS does by itself; with `--dev`, whose clock can be moved."""

import json
import urllib.request
from datetime import timedelta

from harness import ACCOUNT, ENDPOINT, REGION, client, equal, main, policy, refused, unique

kms = client("kms")
sqs, events, cloudtrail = client("sqs"), client("events"), client("cloudtrail")


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


def test_a_rotation_missed_while_disabled_is_made_up_for_once_and_at_once():
    key_id = kms.create_key()["KeyMetadata"]["KeyId"]
    kms.enable_key_rotation(KeyId=key_id, RotationPeriodInDays=90)
    kms.disable_key(KeyId=key_id)
    pass_days(905)
    enabled = kms.describe_key(KeyId=key_id)["KeyMetadata"]["CreationDate"] + timedelta(days=905)
    kms.enable_key(KeyId=key_id)
    pass_days(0)
    (rotation,) = kms.list_key_rotations(KeyId=key_id)["Rotations"]
    assert rotation["RotationDate"] >= enabled, rotation
    following = kms.get_key_rotation_status(KeyId=key_id)["NextRotationDate"]
    equal(following, rotation["RotationDate"] + timedelta(days=90))


def test_what_kms_does_by_itself_is_recorded_and_told():
    keep = {"MessageRetentionPeriod": "1209600"}
    queue = sqs.create_queue(QueueName=unique("told"), Attributes=keep)["QueueUrl"]
    arn = f"arn:aws:sqs:{REGION}:{ACCOUNT}:{queue.rsplit('/')[-1]}"
    sqs.set_queue_attributes(QueueUrl=queue, Attributes={"Policy": policy({
        "Effect": "Allow", "Principal": {"Service": "events.amazonaws.com"},
        "Action": "sqs:SendMessage", "Resource": arn,
    })})
    rule, key = unique("rule"), kms.create_key()["KeyMetadata"]
    key_id = key["KeyId"]
    events.put_rule(
        Name=rule, EventPattern=json.dumps({"source": ["aws.kms"], "resources": [key["Arn"]]})
    )
    events.put_targets(Rule=rule, Targets=[{"Id": "queue", "Arn": arn}])
    kms.enable_key_rotation(KeyId=key_id, RotationPeriodInDays=90)
    pass_days(90)
    kms.disable_key_rotation(KeyId=key_id)
    kms.rotate_key_on_demand(KeyId=key_id)
    kms.schedule_key_deletion(KeyId=key_id, PendingWindowInDays=7)
    pass_days(8)
    told = {}
    while sum(told.values()) < 3:
        for message in sqs.receive_message(QueueUrl=queue, WaitTimeSeconds=20)["Messages"]:
            event = json.loads(message["Body"])
            equal(event["detail"], {"key-id": key_id})
            told[event["detail-type"]] = told.get(event["detail-type"], 0) + 1
            sqs.delete_message(QueueUrl=queue, ReceiptHandle=message["ReceiptHandle"])
    equal(told, {"KMS CMK Rotation": 2, "KMS CMK Deletion": 1})
    attributes = [{"AttributeKey": "ResourceName", "AttributeValue": key["Arn"]}]
    records = [
        json.loads(one["CloudTrailEvent"])
        for one in cloudtrail.lookup_events(LookupAttributes=attributes)["Events"]
    ]
    own = [one for one in records if one["eventType"] == "AwsServiceEvent"]
    equal(sorted(one["eventName"] for one in own), ["DeleteKey", "RotateKey", "RotateKey"])
    kinds = {one["serviceEventDetails"].get("rotationType") for one in own}
    equal(kinds, {None, "AUTOMATIC", "ON_DEMAND"})


def test_from_its_date_on_a_key_is_gone_and_nobody_calls_that_off():
    for _ in range(5):
        key = kms.create_key()["KeyMetadata"]
        key_id, message = key["KeyId"], f"Key '{key['Arn']}' does not exist"
        blob = kms.encrypt(KeyId=key_id, Plaintext=b"x")["CiphertextBlob"]
        kms.schedule_key_deletion(KeyId=key_id, PendingWindowInDays=7)
        pass_days(8)
        refused("NotFoundException", kms.cancel_key_deletion, KeyId=key_id, message=message)
        refused("NotFoundException", kms.describe_key, KeyId=key_id, message=message)
        refused("InvalidCiphertextException", kms.decrypt, CiphertextBlob=blob)


def test_what_does_not_rotate():
    pair = kms.create_key(KeySpec="ECC_NIST_P256", KeyUsage="SIGN_VERIFY")["KeyMetadata"]
    refused("UnsupportedOperationException", kms.enable_key_rotation, KeyId=pair["KeyId"])
    refused("UnsupportedOperationException", kms.rotate_key_on_demand, KeyId=pair["KeyId"])


main()
