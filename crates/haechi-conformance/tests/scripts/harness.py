"""What every script here begins with: clients that take everything from the environment (as `haechi
exec` sets it), `refused` to state an error, and `main` to run every function named test_*."""

import json
import os
import re
import sys
import traceback
import uuid

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

ACCOUNT = os.environ["HAECHI_ACCOUNT"]
REGION = os.environ["AWS_REGION"]
ENDPOINT = os.environ["AWS_ENDPOINT_URL"]

# One attempt: a retry would hide an answer that AWS does not give.
ONCE = Config(retries={"total_max_attempts": 1})


def client(service, **settings):
    """A boto3 client; `settings` as for boto3.client."""
    return boto3.client(service, config=ONCE, **settings)


def client_of(access_key, service, **settings):
    """A boto3 client with an access key as CreateAccessKey answers it."""
    return client(
        service,
        aws_access_key_id=access_key["AccessKeyId"],
        aws_secret_access_key=access_key["SecretAccessKey"],
        **settings,
    )


def refused(code, call, *arguments, message=None, contains=None, status=None, **parameters):
    """Calls and expects an error with this code (one or several that are right); with `message` its
    exact text, with `contains` a part of it. Answers the whole error."""
    try:
        answer = call(*arguments, **parameters)
    except ClientError as error:
        told = error.response["Error"]
        codes = (code,) if isinstance(code, str) else code
        assert told["Code"] in codes, f"{told['Code']} ({told['Message']}), not {code}"
        if message is not None:
            assert told["Message"] == message, f"said {told['Message']!r}, not {message!r}"
        if contains is not None:
            assert contains in told["Message"], f"no {contains!r} in {told['Message']!r}"
        if status is not None:
            assert error.response["ResponseMetadata"]["HTTPStatusCode"] == status, error.response
        return error.response
    raise AssertionError(f"{code} expected, but it was done: {answer}")


def equal(left, right):
    """Asserts equality and says both sides."""
    assert left == right, f"{left!r} is not {right!r}"


def unique(prefix):
    """A name that nothing has yet."""
    return f"{prefix}-{uuid.uuid4().hex[:8]}"


def policy(*statements):
    """A policy document of these statements."""
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


def new_user(*statements):
    """A new IAM user with an inline policy of these statements; answers (name, access key)."""
    iam = client("iam")
    name = unique("user")
    iam.create_user(UserName=name)
    if statements:
        iam.put_user_policy(UserName=name, PolicyName="inline", PolicyDocument=policy(*statements))
    return name, iam.create_access_key(UserName=name)["AccessKey"]


def main():
    """Runs every test_* function of the calling script; exits with 1 if one fails."""
    tests = vars(sys.modules["__main__"])
    failed = 0
    for name, test in list(tests.items()):
        if not re.match(r"test_", name):
            continue
        try:
            test()
            print(f"ok     {name}")
        except Exception:
            failed += 1
            print(f"FAILED {name}")
            traceback.print_exc(file=sys.stdout)
    sys.exit(1 if failed else 0)
