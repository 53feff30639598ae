"""IAM's first cut: users, access keys, inline user policies; STS GetCallerIdentity."""

import json
import re

from harness import ACCOUNT, client, client_of, equal, main, new_user, policy, refused, unique

iam = client("iam")
READ = {"Effect": "Allow", "Action": "kms:ListKeys", "Resource": "*"}


def missing(name):
    return f"The user with name {name} cannot be found."


def test_a_user_from_birth_to_death():
    name = unique("alice")
    created = iam.create_user(UserName=name, Path="/staff/")["User"]
    equal(created["Arn"], f"arn:aws:iam::{ACCOUNT}:user/staff/{name}")
    equal((created["Path"], created["UserName"]), ("/staff/", name))
    assert re.fullmatch(r"AIDA[A-Z2-7]{17}", created["UserId"]), created["UserId"]
    equal(iam.get_user(UserName=name)["User"]["UserId"], created["UserId"])
    iam.delete_user(UserName=name)
    refused("NoSuchEntity", iam.get_user, UserName=name, message=missing(name), status=404)
    refused("NoSuchEntity", iam.delete_user, UserName=name, message=missing(name), status=404)


def test_a_name_is_taken_once_whatever_its_case():
    name = unique("Alice")
    iam.create_user(UserName=name)
    refused(
        "EntityAlreadyExists",
        iam.create_user,
        UserName=name,
        message=f"User with name {name} already exists.",
        status=409,
    )
    refused("EntityAlreadyExists", iam.create_user, UserName=name.upper(), status=409)


def test_names_that_aws_refuses():
    refused("ValidationError", iam.create_user, UserName="with space", status=400)
    refused("ValidationError", iam.create_user, UserName="x" * 65, status=400)


def test_users_are_listed_page_by_page_and_by_path():
    path = f"/{unique('team')}/"
    names = sorted(unique("user") for _ in range(5))
    for name in names:
        iam.create_user(UserName=name, Path=path)
    paginator = iam.get_paginator("list_users")
    pages = list(paginator.paginate(PathPrefix=path, PaginationConfig={"PageSize": 2}))
    equal([len(page["Users"]) for page in pages], [2, 2, 1])
    equal(sorted(user["UserName"] for page in pages for user in page["Users"]), names)
    equal(pages[-1]["IsTruncated"], False)


def test_an_access_key_works_until_it_is_inactive_or_gone():
    name, key = new_user(READ)
    assert re.fullmatch(r"AKIA[A-Z2-7]{16}", key["AccessKeyId"]), key["AccessKeyId"]
    equal((len(key["SecretAccessKey"]), key["Status"]), (40, "Active"))
    hers = client_of(key, "kms")
    hers.list_keys()
    call = {"UserName": name, "AccessKeyId": key["AccessKeyId"]}
    iam.update_access_key(**call, Status="Inactive")
    listed = iam.list_access_keys(UserName=name)["AccessKeyMetadata"]
    equal([(entry["AccessKeyId"], entry["Status"]) for entry in listed], [
        (key["AccessKeyId"], "Inactive")
    ])
    assert "SecretAccessKey" not in listed[0]
    refused("UnrecognizedClientException", hers.list_keys)
    iam.update_access_key(**call, Status="Active")
    hers.list_keys()
    iam.delete_access_key(**call)
    refused("UnrecognizedClientException", hers.list_keys)
    refused("NoSuchEntity", iam.delete_access_key, **call, status=404)


def test_a_user_has_at_most_two_access_keys():
    name, _ = new_user()
    iam.create_access_key(UserName=name)
    refused(
        "LimitExceeded",
        iam.create_access_key,
        UserName=name,
        message="Cannot exceed quota for AccessKeysPerUser: 2",
        status=409,
    )


def test_inline_policies():
    name, _ = new_user()
    text = policy(READ)
    iam.put_user_policy(UserName=name, PolicyName="read", PolicyDocument=text)
    iam.put_user_policy(UserName=name, PolicyName="again", PolicyDocument=text)
    equal(sorted(iam.list_user_policies(UserName=name)["PolicyNames"]), ["again", "read"])
    answer = iam.get_user_policy(UserName=name, PolicyName="read")
    equal((answer["UserName"], answer["PolicyName"]), (name, "read"))
    # botocore undoes the URL encoding that IAM puts around documents.
    equal(answer["PolicyDocument"], json.loads(text))
    iam.delete_user_policy(UserName=name, PolicyName="again")
    equal(iam.list_user_policies(UserName=name)["PolicyNames"], ["read"])
    gone = {"UserName": name, "PolicyName": "again"}
    message = "The user policy with name again cannot be found."
    refused("NoSuchEntity", iam.get_user_policy, **gone, message=message, status=404)
    refused("NoSuchEntity", iam.delete_user_policy, **gone, message=message, status=404)
    refused("NoSuchEntity", iam.list_user_policies, UserName="nobody", message=missing("nobody"))


def test_documents_that_are_no_policy():
    name, _ = new_user()
    put = {"UserName": name, "PolicyName": "bad"}
    for text in ("{", policy({**READ, "Effect": "Perhaps"}), policy({"Effect": "Allow"})):
        refused(
            "MalformedPolicyDocument", iam.put_user_policy, **put, PolicyDocument=text, status=400
        )
    with_principal = policy({**READ, "Principal": "*"})
    refused("MalformedPolicyDocument", iam.put_user_policy, **put, PolicyDocument=with_principal)
    # 2,048 characters in all inline policies of a user, white space not counted.
    long = policy({**READ, "Sid": "x" * 2048})
    refused("LimitExceeded", iam.put_user_policy, **put, PolicyDocument=long, status=409)


def test_a_user_that_still_owns_something_is_not_deleted():
    name, _ = new_user(READ)
    refused("DeleteConflict", iam.delete_user, UserName=name, status=409)


def test_a_policy_with_a_condition_decides():
    here = {"Condition": {"IpAddress": {"aws:SourceIp": "127.0.0.0/8"}}}
    elsewhere = {"Condition": {"IpAddress": {"aws:SourceIp": "192.0.2.0/24"}}}
    _, near = new_user({**READ, **here})
    _, far = new_user({**READ, **elsewhere})
    client_of(near, "kms").list_keys()
    refused("AccessDeniedException", client_of(far, "kms").list_keys)


def test_who_am_i():
    root = client("sts").get_caller_identity()
    equal((root["Account"], root["Arn"]), (ACCOUNT, f"arn:aws:iam::{ACCOUNT}:root"))
    equal(root["UserId"], ACCOUNT)
    name, key = new_user()
    # No permission is needed to ask.
    who = client_of(key, "sts").get_caller_identity()
    equal((who["Account"], who["Arn"]), (ACCOUNT, f"arn:aws:iam::{ACCOUNT}:user/{name}"))
    equal(who["UserId"], iam.get_user(UserName=name)["User"]["UserId"])


def test_a_user_without_permission_is_told_so_in_the_words_of_iam():
    name, key = new_user()
    arn = f"arn:aws:iam::{ACCOUNT}:user/{name}"
    refused(
        "AccessDenied",
        client_of(key, "iam").create_user,
        UserName="mallory",
        message=f"User: {arn} is not authorized to perform: iam:CreateUser on resource: "
        f"arn:aws:iam::{ACCOUNT}:user/mallory because no identity-based policy allows the "
        "iam:CreateUser action",
        status=403,
    )


main()
