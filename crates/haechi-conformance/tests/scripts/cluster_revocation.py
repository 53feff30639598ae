"""What is taken back on one node is refused there at once, and on the others within a second.

NODES is a JSON list of endpoints; the environment is the first one's."""

import json
import os
import time
import uuid

import boto3
from botocore.exceptions import ClientError

from harness import ACCOUNT, ONCE, main

NODES = json.loads(os.environ["NODES"])
BOUND = 1.0
REFUSED = {
    "AccessDenied",
    "AccessDeniedException",
    "InvalidClientTokenId",
    "UnrecognizedClientException",
    "DisabledException",
    "NotFoundException",
    "ExpiredToken",
}


def at(node, service, key=None):
    """A client of one node."""
    extra = {}
    if key is not None:
        extra = {
            "aws_access_key_id": key["AccessKeyId"],
            "aws_secret_access_key": key["SecretAccessKey"],
            "aws_session_token": key.get("SessionToken"),
        }
    return boto3.client(service, endpoint_url=NODES[node], config=ONCE, **extra)


def allowed(call):
    try:
        call()
        return True
    except ClientError as error:
        assert error.response["Error"]["Code"] in REFUSED, error.response
        return False


def eventually(call):
    until = time.monotonic() + 20
    while not allowed(call):
        assert time.monotonic() < until, "it never came to be allowed"
        time.sleep(0.02)


def taken_back(what, calls, take):
    """`calls`, one per node, are allowed; after `take` on the first node none is."""
    for call in calls:
        eventually(call)
        for _ in range(3):
            assert allowed(call)
    take()
    done = time.monotonic()
    assert not allowed(calls[0]), f"{what}: still allowed where it was taken back"
    for node, call in enumerate(calls[1:], 1):
        while True:
            begun = time.monotonic()
            if not allowed(call):
                break
            late = begun - done
            assert late <= BOUND, f"{what}: still allowed on node {node} after {late:.3f} s"
        print(f"{what}: refused on node {node} after {begun - done:.3f} s")


def user(iam):
    name = f"u-{uuid.uuid4().hex[:12]}"
    iam.create_user(UserName=name)
    return name, iam.create_access_key(UserName=name)["AccessKey"]


def statement(action):
    return json.dumps(
        {
            "Version": "2012-10-17",
            "Statement": [{"Effect": "Allow", "Action": action, "Resource": "*"}],
        }
    )


def test_an_access_key():
    iam = at(0, "iam")
    name, key = user(iam)
    calls = [at(node, "sts", key).get_caller_identity for node in range(len(NODES))]
    taken_back(
        "deleted access key",
        calls,
        lambda: iam.delete_access_key(UserName=name, AccessKeyId=key["AccessKeyId"]),
    )


def test_a_policy():
    iam = at(0, "iam")
    name, key = user(iam)
    iam.put_user_policy(UserName=name, PolicyName="p", PolicyDocument=statement("kms:ListKeys"))
    calls = [at(node, "kms", key).list_keys for node in range(len(NODES))]
    taken_back(
        "deleted policy", calls, lambda: iam.delete_user_policy(UserName=name, PolicyName="p")
    )


def test_a_role():
    iam = at(0, "iam")
    role = f"r-{uuid.uuid4().hex[:12]}"
    name, key = user(iam)
    iam.put_user_policy(UserName=name, PolicyName="p", PolicyDocument=statement("sts:AssumeRole"))
    trust = {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Effect": "Allow",
                "Action": "sts:AssumeRole",
                "Principal": {"AWS": f"arn:aws:iam::{ACCOUNT}:root"},
            }
        ],
    }
    iam.create_role(RoleName=role, AssumeRolePolicyDocument=json.dumps(trust))
    iam.put_role_policy(RoleName=role, PolicyName="p", PolicyDocument=statement("kms:ListKeys"))
    arn = f"arn:aws:iam::{ACCOUNT}:role/{role}"
    session = None
    until = time.monotonic() + 20
    while session is None:
        try:
            answer = at(0, "sts", key).assume_role(RoleArn=arn, RoleSessionName="session")
            session = answer["Credentials"]
        except ClientError:
            assert time.monotonic() < until
    calls = [at(node, "kms", session).list_keys for node in range(len(NODES))]

    def take():
        iam.delete_role_policy(RoleName=role, PolicyName="p")
        iam.delete_role(RoleName=role)

    taken_back("deleted role", calls, take)


def test_a_key():
    kms = at(0, "kms")
    key = kms.create_key()["KeyMetadata"]["KeyId"]

    def encrypt(node):
        client = at(node, "kms")
        return lambda: client.encrypt(KeyId=key, Plaintext=b"x")

    calls = [encrypt(node) for node in range(len(NODES))]
    taken_back("disabled key", calls, lambda: kms.disable_key(KeyId=key))


if __name__ == "__main__":
    main()
