"""Managed policies, groups and boundaries: what Terraform writes it reads back, and each change
counts on the next call."""

import json

from harness import ACCOUNT, client, client_of, equal, main, new_user, policy, refused, unique

iam = client("iam")
READ = {"Effect": "Allow", "Action": "kms:ListKeys", "Resource": "*"}
EVERYTHING = {"Effect": "Allow", "Action": "*", "Resource": "*"}


def new_policy(*statements):
    return iam.create_policy(PolicyName=unique("policy"), PolicyDocument=policy(*statements))[
        "Policy"
    ]["Arn"]


def test_a_policy_is_read_back_as_it_was_written():
    name, document = unique("policy"), json.dumps(json.loads(policy(READ)), indent=3)
    made = iam.create_policy(
        PolicyName=name,
        Path="/team/",
        PolicyDocument=document,
        Description="what it is for",
        Tags=[{"Key": "Team", "Value": "a b"}],
    )["Policy"]
    arn = f"arn:aws:iam::{ACCOUNT}:policy/team/{name}"
    equal((made["Arn"], made["DefaultVersionId"], made["AttachmentCount"]), (arn, "v1", 0))
    shown = iam.get_policy(PolicyArn=arn)["Policy"]
    equal((shown["Description"], shown["Tags"]), ("what it is for", [{"Key": "Team", "Value": "a b"}]))
    version = iam.get_policy_version(PolicyArn=arn, VersionId="v1")["PolicyVersion"]
    equal((version["Document"], version["IsDefaultVersion"]), (json.loads(document), True))
    iam.delete_policy(PolicyArn=arn)
    message = f"Policy {arn} was not found."
    refused("NoSuchEntity", iam.delete_policy, PolicyArn=arn, message=message, status=404)


def test_attaching_counts_on_the_next_call():
    name, key = new_user()
    hers, arn = client_of(key, "kms"), new_policy(READ)
    refused("AccessDeniedException", hers.list_keys)
    iam.attach_user_policy(UserName=name, PolicyArn=arn)
    hers.list_keys()
    refused("DeleteConflict", iam.delete_policy, PolicyArn=arn, status=409)
    iam.detach_user_policy(UserName=name, PolicyArn=arn)
    refused("AccessDeniedException", hers.list_keys)


def test_a_group_lends_its_policies_to_its_members():
    group, (name, key) = unique("group"), new_user()
    iam.create_group(GroupName=group)
    iam.attach_group_policy(GroupName=group, PolicyArn="arn:aws:iam::aws:policy/AdministratorAccess")
    hers = client_of(key, "kms")
    refused("AccessDeniedException", hers.list_keys)
    iam.add_user_to_group(GroupName=group, UserName=name)
    hers.list_keys()
    equal([user["UserName"] for user in iam.get_group(GroupName=group)["Users"]], [name])
    refused("DeleteConflict", iam.delete_group, GroupName=group, status=409)
    iam.remove_user_from_group(GroupName=group, UserName=name)
    refused("AccessDeniedException", hers.list_keys)


def test_a_boundary_limits():
    name, key = new_user(EVERYTHING)
    hers, arn = client_of(key, "kms"), new_policy(READ)
    iam.put_user_permissions_boundary(UserName=name, PermissionsBoundary=arn)
    hers.list_keys()
    refused("AccessDeniedException", hers.create_key, contains="no permissions boundary allows")
    shown = iam.get_user(UserName=name)["User"]["PermissionsBoundary"]
    equal(shown["PermissionsBoundaryArn"], arn)
    iam.delete_user_permissions_boundary(UserName=name)
    hers.create_key()


def test_policies_are_listed_by_scope_and_use():
    arn = new_policy(READ)
    local = iam.get_paginator("list_policies").paginate(Scope="Local", PaginationConfig={"PageSize": 1})
    found = [one["Arn"] for page in local for one in page["Policies"]]
    assert arn in found, found
    aws = iam.list_policies(Scope="AWS", MaxItems=1000)["Policies"]
    assert all(one["Arn"].startswith("arn:aws:iam::aws:policy/") for one in aws)
    used = iam.list_policies(Scope="Local", OnlyAttached=True)["Policies"]
    assert arn not in [one["Arn"] for one in used]


main()
