"""Multi-Region keys: ReplicateKey, UpdatePrimaryRegion, and ciphertexts that travel."""

from harness import REGION, client, client_of, equal, main, new_user, refused

AWAY = "eu-west-1" if REGION != "eu-west-1" else "us-east-1"
home = client("kms")
away = client("kms", region_name=AWAY)


def new_key():
    return home.create_key(MultiRegion=True)["KeyMetadata"]


def test_a_ciphertext_is_decrypted_in_another_region():
    key = new_key()
    assert key["KeyId"].startswith("mrk-")
    equal(key["MultiRegionConfiguration"]["MultiRegionKeyType"], "PRIMARY")
    blob = home.encrypt(KeyId=key["KeyId"], Plaintext=b"x")["CiphertextBlob"]
    replica = home.replicate_key(KeyId=key["KeyId"], ReplicaRegion=AWAY)["ReplicaKeyMetadata"]
    equal(replica["Arn"], key["Arn"].replace(REGION, AWAY))
    equal(replica["MultiRegionConfiguration"]["MultiRegionKeyType"], "REPLICA")
    opened = away.decrypt(CiphertextBlob=blob)
    equal((opened["Plaintext"], opened["KeyId"]), (b"x", replica["Arn"]))
    home.rotate_key_on_demand(KeyId=key["KeyId"])
    blob = home.encrypt(KeyId=key["KeyId"], Plaintext=b"y")["CiphertextBlob"]
    equal(away.decrypt(CiphertextBlob=blob)["Plaintext"], b"y")
    message = f"{replica['Arn']} is not a multi-region primary key."
    refused(
        "UnsupportedOperationException",
        away.replicate_key,
        KeyId=key["KeyId"],
        ReplicaRegion="ap-southeast-1",
        message=message,
    )


def test_what_is_done_in_another_region_is_decided_there():
    deny = {
        "Effect": "Deny", "Action": "*", "Resource": "*",
        "Condition": {"StringNotEquals": {"aws:RequestedRegion": REGION}},
    }
    _, key = new_user({"Effect": "Allow", "Action": "kms:*", "Resource": "*"}, deny)
    stays = client_of(key, "kms")
    arn = new_key()["Arn"]
    refused("AccessDeniedException", stays.replicate_key, KeyId=arn, ReplicaRegion=AWAY,
            contains="kms:CreateKey")
    home.replicate_key(KeyId=arn, ReplicaRegion=AWAY)
    refused("AccessDeniedException", stays.update_primary_region, KeyId=arn, PrimaryRegion=AWAY,
            contains="kms:UpdatePrimaryRegion")


def test_the_primary_moves():
    key = new_key()
    home.replicate_key(KeyId=key["KeyId"], ReplicaRegion=AWAY)
    home.update_primary_region(KeyId=key["KeyId"], PrimaryRegion=AWAY)
    for kms, kind in ((home, "REPLICA"), (away, "PRIMARY")):
        at = kms.describe_key(KeyId=key["KeyId"])["KeyMetadata"]["MultiRegionConfiguration"]
        equal((at["MultiRegionKeyType"], at["PrimaryKey"]["Region"]), (kind, AWAY))
    away.rotate_key_on_demand(KeyId=key["KeyId"])
    refused("UnsupportedOperationException", home.rotate_key_on_demand, KeyId=key["KeyId"])


def test_a_primary_waits_for_its_replicas():
    key = new_key()
    home.replicate_key(KeyId=key["KeyId"], ReplicaRegion=AWAY)
    planned = home.schedule_key_deletion(KeyId=key["KeyId"], PendingWindowInDays=7)
    equal(planned["KeyState"], "PendingReplicaDeletion")
    assert "DeletionDate" not in planned
    home.cancel_key_deletion(KeyId=key["KeyId"])
    equal(home.describe_key(KeyId=key["KeyId"])["KeyMetadata"]["KeyState"], "Disabled")


main()
