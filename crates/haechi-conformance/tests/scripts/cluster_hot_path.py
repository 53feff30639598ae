"""KMS calls are answered from memory on every node: etcd's own count of requests hardly moves.

NODES is a JSON list of endpoints, ETCD the address of the one member. Nodes ask etcd some six times a
second whether they are up to date, whatever is called, which is not counted; on a busy machine one may
be behind for a moment and read for each call, so the least of several batches counts."""

import json
import os
import re
import time
import urllib.request

import boto3

NODES = json.loads(os.environ["NODES"])
METRICS = os.environ["ETCD"] + "/metrics"
CALLS = 300
STARTED = re.compile(r'^grpc_server_started_total\{.*grpc_service="etcdserverpb\.KV".*\} (\S+)$', re.M)


def requests():
    text = urllib.request.urlopen(METRICS, timeout=10).read().decode()
    counts = STARTED.findall(text)
    assert counts, "etcd does not count its requests"
    return sum(float(count) for count in counts)


def uncalled():
    """Requests to etcd a second while nobody calls."""
    before, begun = requests(), time.monotonic()
    time.sleep(3)
    return (requests() - before) / (time.monotonic() - begun)


def least(kms, key):
    """The fewest requests to etcd that a batch of calls adds."""
    found, until = [], time.monotonic() + 60
    while time.monotonic() < until and (len(found) < 3 or min(found) >= CALLS / 4):
        rate = uncalled()
        before, begun = requests(), time.monotonic()
        for _ in range(CALLS):
            kms.encrypt(KeyId=key, Plaintext=b"x")
        found.append(requests() - before - rate * (time.monotonic() - begun))
    return min(found)


def main():
    key = boto3.client("kms", endpoint_url=NODES[0]).create_key()["KeyMetadata"]["KeyId"]
    for node, endpoint in enumerate(NODES):
        count = least(boto3.client("kms", endpoint_url=endpoint), key)
        print(f"node {node}: {CALLS} Encrypts, {count:.0f} requests to etcd more than without")
        assert count < CALLS / 2, "a call asks the store"


main()
