"""Writes identities until the server is killed (`write`), or looks whether everything that was
acknowledged is there (`check`). Between the two stands a file: a line for each answer that came.

`write` changes users, roles, policies and keys, one at a time, and deletes every second user with
its key. What it asked for last when the server ended may be there or not; nothing else may differ.
"""

import json
import sys

from botocore.exceptions import BotoCoreError, ClientError

from harness import client, client_of, policy, unique

iam = client("iam")
ALLOW = policy({"Effect": "Allow", "Action": "sts:*", "Resource": "*"})
TRUST = policy({
    "Effect": "Allow",
    "Action": "sts:AssumeRole",
    "Principal": {"Service": "lambda.amazonaws.com"},
})


def changes(tell):
    """One round of changes; each is told once it is acknowledged, also what it will undo first."""
    user, role, name = unique("user"), unique("role"), unique("policy")
    iam.create_user(UserName=user)
    tell("user", user)
    key = iam.create_access_key(UserName=user)["AccessKey"]
    tell("key", user, key["AccessKeyId"], key["SecretAccessKey"])
    iam.put_user_policy(UserName=user, PolicyName="p", PolicyDocument=ALLOW)
    tell("inline", user)
    iam.create_role(RoleName=role, AssumeRolePolicyDocument=TRUST)
    tell("role", role)
    arn = iam.create_policy(PolicyName=name, PolicyDocument=ALLOW)["Policy"]["Arn"]
    tell("policy", arn)
    iam.attach_role_policy(RoleName=role, PolicyArn=arn)
    tell("attached", role, arn)
    doomed = unique("doomed")
    iam.create_user(UserName=doomed)
    key = iam.create_access_key(UserName=doomed)["AccessKey"]
    iam.delete_access_key(UserName=doomed, AccessKeyId=key["AccessKeyId"])
    tell("no key", key["AccessKeyId"], key["SecretAccessKey"])
    iam.delete_user(UserName=doomed)
    tell("no user", doomed)


def write(path):
    with open(path, "a", encoding="utf-8") as told:

        def tell(*facts):
            print(json.dumps(facts), file=told, flush=True)

        try:
            while True:
                changes(tell)
        except (BotoCoreError, ClientError) as error:
            print(f"the server ended: {type(error).__name__}")


def is_there(call, **parameters):
    try:
        call(**parameters)
        return True
    except iam.exceptions.NoSuchEntityException:
        return False


def works(key_id, secret):
    """Whether a key signs and its owner's policy counts."""
    try:
        hers = client_of({"AccessKeyId": key_id, "SecretAccessKey": secret}, "sts")
        hers.get_session_token()
        return True
    except ClientError:
        return False


def holds(kind, *names):
    """Whether a fact is still true."""
    match kind:
        case "user":
            return is_there(iam.get_user, UserName=names[0])
        case "no user":
            return not is_there(iam.get_user, UserName=names[0])
        case "key":
            return works(*names[1:])
        case "no key":
            return not works(*names)
        case "inline":
            return is_there(iam.get_user_policy, UserName=names[0], PolicyName="p")
        case "role":
            return is_there(iam.get_role, RoleName=names[0])
        case "policy":
            return is_there(iam.get_policy, PolicyArn=names[0])
        case "attached":
            attached = iam.list_attached_role_policies(RoleName=names[0])["AttachedPolicies"]
            return [one["PolicyArn"] for one in attached] == [names[1]]
    raise AssertionError(kind)


def check(path, skip):
    facts = [json.loads(line) for line in open(path, encoding="utf-8")][skip:]
    lost = [fact for fact in facts if not holds(*fact)]
    assert not lost, lost
    print(skip + len(facts))


if sys.argv[1] == "write":
    write(sys.argv[2])
else:
    check(sys.argv[2], int(sys.argv[3]))
