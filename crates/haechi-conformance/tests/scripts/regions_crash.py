"""Multi-Region keys of two deployments: `create N` makes some at home and prints their ids; `check
ID…` tells what has become of them. SIDES is a JSON list of the two: endpoint, Region, CA, access key.
One process for many calls: those of a CLI would be most of the test's time."""

import json
import os
import sys
import time

import boto3
from botocore.config import Config

QUICK = Config(retries={"total_max_attempts": 5, "mode": "standard"}, read_timeout=20)


def client(side):
    return boto3.client(
        "kms",
        endpoint_url=side["endpoint"],
        region_name=side["region"],
        verify=side["ca"],
        aws_access_key_id=side["access_key_id"],
        aws_secret_access_key=side["secret_access_key"],
        config=QUICK,
    )


home, away = (client(side) for side in json.loads(os.environ["SIDES"]))


def known(side, key):
    try:
        return side.describe_key(KeyId=key)["KeyMetadata"]
    except side.exceptions.NotFoundException:
        return None


def read_each_other(key):
    for one, other in ((home, away), (away, home)):
        blob = one.encrypt(KeyId=key, Plaintext=b"hello")["CiphertextBlob"]
        assert other.decrypt(CiphertextBlob=blob)["Plaintext"] == b"hello", key


def check(keys):
    there = 0
    for key in keys:
        # Acknowledged or not: what the primary says is what comes to be.
        if not known(home, key)["MultiRegionConfiguration"]["ReplicaKeys"]:
            assert known(away, key) is None, key
            continue
        deadline = time.monotonic() + 60
        while known(away, key) is None:
            assert time.monotonic() < deadline, f"the replica of {key} is not there"
            time.sleep(0.1)
        read_each_other(key)
        there += 1
    assert there, "no replication was ever asked for in time"
    print(there)


if sys.argv[1] == "create":
    for _ in range(int(sys.argv[2])):
        print(home.create_key(MultiRegion=True)["KeyMetadata"]["KeyId"])
else:
    check(sys.argv[2:])
