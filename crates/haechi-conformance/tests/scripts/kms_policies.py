"""Key policies: what they allow beside IAM, what they deny, and that nobody locks himself out."""

import json

from harness import ACCOUNT, client, client_of, equal, main, new_user, policy, refused

kms = client("kms")
ROOT = f"arn:aws:iam::{ACCOUNT}:root"
EVERYTHING_FOR_THE_ACCOUNT = {
    "Sid": "Enable IAM User Permissions",
    "Effect": "Allow",
    "Principal": {"AWS": ROOT},
    "Action": "kms:*",
    "Resource": "*",
}


def user_arn(name):
    return f"arn:aws:iam::{ACCOUNT}:user/{name}"


def allow(name, *actions, **more):
    statement = {"Effect": "Allow", "Principal": {"AWS": user_arn(name)}, "Resource": "*"}
    return {**statement, "Action": list(actions), **more}


def test_the_default_policy_gives_the_key_to_the_account():
    key_id = kms.create_key()["KeyMetadata"]["KeyId"]
    answer = kms.get_key_policy(KeyId=key_id, PolicyName="default")
    document = json.loads(answer["Policy"])
    equal(document["Statement"], [EVERYTHING_FOR_THE_ACCOUNT])
    equal(document["Version"], "2012-10-17")
    equal(kms.list_key_policies(KeyId=key_id)["PolicyNames"], ["default"])


def test_a_policy_is_kept_as_it_was_written():
    name, _ = new_user()
    text = policy(EVERYTHING_FOR_THE_ACCOUNT, allow(name, "kms:Encrypt"))
    key_id = kms.create_key(Policy=text)["KeyMetadata"]["KeyId"]
    equal(json.loads(kms.get_key_policy(KeyId=key_id)["Policy"]), json.loads(text))
    other = policy(EVERYTHING_FOR_THE_ACCOUNT)
    kms.put_key_policy(KeyId=key_id, PolicyName="default", Policy=other)
    equal(json.loads(kms.get_key_policy(KeyId=key_id)["Policy"]), json.loads(other))


def test_a_key_policy_alone_lets_a_user_in():
    key_id = kms.create_key()["KeyMetadata"]["KeyId"]
    name, access_key = new_user()
    hers = client_of(access_key, "kms")
    refused("AccessDeniedException", hers.encrypt, KeyId=key_id, Plaintext=b"x")
    text = policy(EVERYTHING_FOR_THE_ACCOUNT, allow(name, "kms:Encrypt"))
    kms.put_key_policy(KeyId=key_id, Policy=text)
    blob = hers.encrypt(KeyId=key_id, Plaintext=b"x")["CiphertextBlob"]
    refused("AccessDeniedException", hers.decrypt, CiphertextBlob=blob)


def test_a_deny_in_the_key_policy_beats_iam():
    name, access_key = new_user({"Effect": "Allow", "Action": "kms:*", "Resource": "*"})
    key = kms.create_key()["KeyMetadata"]
    hers = client_of(access_key, "kms")
    hers.encrypt(KeyId=key["KeyId"], Plaintext=b"x")
    deny = {**allow(name, "kms:Encrypt"), "Effect": "Deny"}
    kms.put_key_policy(KeyId=key["KeyId"], Policy=policy(EVERYTHING_FOR_THE_ACCOUNT, deny))
    refused(
        "AccessDeniedException",
        hers.encrypt,
        KeyId=key["KeyId"],
        Plaintext=b"x",
        message=f"User: {user_arn(name)} is not authorized to perform: kms:Encrypt on resource: "
        f"{key['Arn']} with an explicit deny in a resource-based policy",
    )


def test_without_the_account_in_the_key_policy_iam_gives_nothing():
    owner, owner_key = new_user({"Effect": "Allow", "Action": "kms:*", "Resource": "*"})
    _, other_key = new_user({"Effect": "Allow", "Action": "kms:*", "Resource": "*"})
    owners = client_of(owner_key, "kms")
    key = owners.create_key(Policy=policy(allow(owner, "kms:*")))["KeyMetadata"]
    owners.encrypt(KeyId=key["KeyId"], Plaintext=b"x")
    refused(
        "AccessDeniedException",
        client_of(other_key, "kms").encrypt,
        KeyId=key["KeyId"],
        Plaintext=b"x",
        contains="because no resource-based policy allows the kms:Encrypt action",
    )


def test_the_encryption_context_can_be_a_condition():
    name, access_key = new_user()
    condition = {"StringEquals": {"kms:EncryptionContext:project": "one"}}
    text = policy(EVERYTHING_FOR_THE_ACCOUNT, allow(name, "kms:Encrypt", Condition=condition))
    key_id = kms.create_key(Policy=text)["KeyMetadata"]["KeyId"]
    hers = client_of(access_key, "kms")
    call = {"KeyId": key_id, "Plaintext": b"x"}
    hers.encrypt(**call, EncryptionContext={"project": "one", "more": "yes"})
    refused("AccessDeniedException", hers.encrypt, **call, EncryptionContext={"project": "two"})
    refused("AccessDeniedException", hers.encrypt, **call)


def test_nobody_locks_himself_out():
    name, _ = new_user()
    key_id = kms.create_key()["KeyMetadata"]["KeyId"]
    locked = policy(allow(name, "kms:Encrypt"))
    refused(
        "MalformedPolicyDocumentException",
        kms.put_key_policy,
        KeyId=key_id,
        PolicyName="default",
        Policy=locked,
        message="The new key policy will not allow you to update the key policy in the future.",
    )
    refused("MalformedPolicyDocumentException", kms.create_key, Policy=locked)
    kms.put_key_policy(KeyId=key_id, Policy=locked, BypassPolicyLockoutSafetyCheck=True)


def test_what_is_no_policy_is_refused():
    key_id = kms.create_key()["KeyMetadata"]["KeyId"]
    nobody = allow("x", "kms:*")
    nobody["Principal"] = {"AWS": "arn:aws:iam::1234:user/too-short"}
    for text in (
        "{",
        "[]",
        '"text"',
        '{"Version":"2012-10-17"}',
        policy({"Effect": "Perhaps", "Principal": "*", "Action": "kms:*", "Resource": "*"}),
        policy({"Effect": "Allow", "Principal": "*", "Resource": "*"}),
        policy(EVERYTHING_FOR_THE_ACCOUNT, nobody),
        policy({**EVERYTHING_FOR_THE_ACCOUNT, "Condition": {"NoSuchOperator": {"a": "b"}}}),
    ):
        refused("MalformedPolicyDocumentException", kms.put_key_policy, KeyId=key_id, Policy=text)


def test_a_policy_has_at_most_32_kib():
    key_id = kms.create_key()["KeyMetadata"]["KeyId"]
    text = policy(EVERYTHING_FOR_THE_ACCOUNT)
    kms.put_key_policy(KeyId=key_id, Policy=text + " " * (32 * 1024 - len(text)))
    too_long = text + " " * (32 * 1024 + 1 - len(text))
    refused(
        ("LimitExceededException", "MalformedPolicyDocumentException", "ValidationException"),
        kms.put_key_policy,
        KeyId=key_id,
        Policy=too_long,
    )


def test_only_the_policy_named_default_exists():
    key_id = kms.create_key()["KeyMetadata"]["KeyId"]
    refused("NotFoundException", kms.get_key_policy, KeyId=key_id, PolicyName="other")


main()
