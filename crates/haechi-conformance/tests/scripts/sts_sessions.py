"""Sessions with the real client: the trust policy decides, tokens bear themselves out."""

import json

import boto3
from harness import ACCOUNT, ONCE, client, client_of, equal, main, new_user, policy, refused, unique

iam = client("iam")
EVERYTHING = {"Effect": "Allow", "Action": "*", "Resource": "*"}
READ = {"Effect": "Allow", "Action": "kms:ListKeys", "Resource": "*"}


def session(credentials, service):
    """A boto3 client with temporary credentials."""
    return boto3.client(
        service,
        config=ONCE,
        aws_access_key_id=credentials["AccessKeyId"],
        aws_secret_access_key=credentials["SecretAccessKey"],
        aws_session_token=credentials["SessionToken"],
    )


def new_role(principal, **condition):
    trust = {
        "Effect": "Allow",
        "Action": ["sts:AssumeRole", "sts:TagSession"],
        "Principal": {"AWS": principal},
        **condition,
    }
    name = unique("role")
    made = iam.create_role(RoleName=name, AssumeRolePolicyDocument=policy(trust))["Role"]
    iam.put_role_policy(RoleName=name, PolicyName="p", PolicyDocument=policy(EVERYTHING))
    return name, made["Arn"]


def test_a_session_acts_as_its_role_until_the_role_is_gone():
    _, key = new_user(EVERYTHING)
    name, arn = new_role(ACCOUNT)
    answer = client_of(key, "sts").assume_role(RoleArn=arn, RoleSessionName="work")
    mine = f"arn:aws:sts::{ACCOUNT}:assumed-role/{name}/work"
    equal(answer["AssumedRoleUser"]["Arn"], mine)
    equal(session(answer["Credentials"], "sts").get_caller_identity()["Arn"], mine)
    kms = session(answer["Credentials"], "kms")
    kms.list_keys()
    iam.delete_role_policy(RoleName=name, PolicyName="p")
    refused("AccessDeniedException", kms.list_keys, contains=mine)
    iam.delete_role(RoleName=name)
    refused("UnrecognizedClientException", kms.list_keys)


def test_trust_and_external_id_decide():
    _, key = new_user(EVERYTHING)
    sts = client_of(key, "sts")
    _, arn = new_role(ACCOUNT, Condition={"StringEquals": {"sts:ExternalId": "right"}})
    ask = {"RoleArn": arn, "RoleSessionName": "work"}
    sts.assume_role(**ask, ExternalId="right")
    refused("AccessDenied", sts.assume_role, **ask, ExternalId="wrong", status=403)
    refused("AccessDenied", sts.assume_role, **ask, status=403)
    _, poor = new_user()
    _, open_arn = new_role(ACCOUNT)
    refused("AccessDenied", client_of(poor, "sts").assume_role, RoleArn=open_arn, RoleSessionName="ss")


def test_a_session_policy_narrows():
    _, key = new_user(EVERYTHING)
    _, arn = new_role(ACCOUNT)
    narrow = client_of(key, "sts").assume_role(
        RoleArn=arn, RoleSessionName="work", Policy=policy(READ)
    )["Credentials"]
    kms = session(narrow, "kms")
    kms.list_keys()
    refused("AccessDeniedException", kms.create_key, contains="no session policy allows")


def test_a_key_policy_names_a_role_and_means_this_one():
    _, key = new_user(EVERYTHING)
    name, arn = new_role(ACCOUNT)
    iam.delete_role_policy(RoleName=name, PolicyName="p")
    root = {"Effect": "Allow", "Principal": {"AWS": f"arn:aws:iam::{ACCOUNT}:root"},
            "Action": "kms:*", "Resource": "*"}
    role = {"Effect": "Allow", "Principal": {"AWS": arn}, "Action": "kms:DescribeKey", "Resource": "*"}
    key_id = client("kms").create_key(Policy=policy(root, role))["KeyMetadata"]["KeyId"]
    sts = client_of(key, "sts")
    mine = sts.assume_role(RoleArn=arn, RoleSessionName="ss")["Credentials"]
    session(mine, "kms").describe_key(KeyId=key_id)
    iam.delete_role(RoleName=name)
    trust = json.loads(policy({"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"AWS": ACCOUNT}}))
    iam.create_role(RoleName=name, AssumeRolePolicyDocument=json.dumps(trust))
    anew = sts.assume_role(RoleArn=arn, RoleSessionName="ss")["Credentials"]
    refused("AccessDeniedException", session(anew, "kms").describe_key, KeyId=key_id)


def test_users_and_guests_have_sessions_of_their_own():
    name, key = new_user(READ, {"Effect": "Allow", "Action": "sts:*", "Resource": "*"})
    sts = client_of(key, "sts")
    own = sts.get_session_token()["Credentials"]
    equal(session(own, "sts").get_caller_identity()["Arn"], f"arn:aws:iam::{ACCOUNT}:user/{name}")
    session(own, "kms").list_keys()
    refused("AccessDenied", session(own, "sts").get_session_token)
    guest = sts.get_federation_token(Name="guest", Policy=policy(EVERYTHING))
    equal(guest["FederatedUser"]["Arn"], f"arn:aws:sts::{ACCOUNT}:federated-user/guest")
    kms = session(guest["Credentials"], "kms")
    kms.list_keys()
    refused("AccessDeniedException", kms.create_key)


def test_sessions_without_a_second_factor_call_neither_iam_nor_most_of_sts():
    name, key = new_user(EVERYTHING)
    sts = client_of(key, "sts")
    own = sts.get_session_token()["Credentials"]
    guest = sts.get_federation_token(Name="guest", Policy=policy(EVERYTHING))["Credentials"]
    words = "The security token included in the request is invalid"
    for one in (own, guest):
        refused("InvalidClientTokenId", session(one, "iam").list_users, status=403, message=words)
        calls = session(one, "sts")
        calls.get_caller_identity()
        for operation, call, parameters in [
            ("GetSessionToken", calls.get_session_token, {}),
            ("GetFederationToken", calls.get_federation_token, {"Name": "other"}),
            ("GetAccessKeyInfo", calls.get_access_key_info, {"AccessKeyId": key["AccessKeyId"]}),
        ]:
            words_of_sts = f"Cannot call {operation} with session credentials"
            refused("AccessDenied", call, status=403, message=words_of_sts, **parameters)
    trust = policy({"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"AWS": ACCOUNT}})
    role = iam.create_role(RoleName=unique("role"), AssumeRolePolicyDocument=trust)["Role"]["Arn"]
    session(own, "sts").assume_role(RoleArn=role, RoleSessionName="ss")
    refused(
        "AccessDenied", session(guest, "sts").assume_role, RoleArn=role, RoleSessionName="ss", status=403
    )


def test_a_damaged_token_is_refused():
    _, key = new_user(EVERYTHING)
    own = client_of(key, "sts").get_session_token()["Credentials"]
    own["SessionToken"] = own["SessionToken"][:-8] + "AAAAAAA="
    refused("UnrecognizedClientException", session(own, "kms").list_keys)
    refused("InvalidClientTokenId", session(own, "sts").get_caller_identity, status=403)


main()
