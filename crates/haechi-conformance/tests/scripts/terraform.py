"""What Terraform's AWS provider calls, in its order: create, read back, plan again, update, destroy.

The provider itself cannot be had everywhere. This replays the requests that version 5.100.0 was seen to
send (`tests/it/terraform.rs` runs it), reads back what it reads, and compares what it compares:
policies for equivalence, everything else for equality. A plan without changes is one whose
configuration and state, as read, are the same."""

import json

from botocore.exceptions import ClientError
from harness import ACCOUNT, REGION, client, equal, main, policy, unique

iam, kms, sts = client("iam"), client("kms"), client("sts")
NOT_FOUND = {"NoSuchEntity", "NotFoundException"}


def found(call, **parameters):
    """The answer, or None where the thing is not there: the provider then drops it from its state."""
    try:
        return call(**parameters)
    except ClientError as error:
        if error.response["Error"]["Code"] in NOT_FOUND:
            return None
        raise


def pages(operation, member, **parameters):
    """All items of a paged list."""
    paged = operation[0].get_paginator(operation[1]).paginate(**parameters)
    return [item for page in paged for item in page[member]]


def canonical(document):
    """A policy as the provider compares it: lists without order, one item as a list, an account as the
    ARN of its root."""
    if isinstance(document, str):
        document = json.loads(document)
    if isinstance(document, dict):
        return {name: listed(name, value) for name, value in sorted(document.items())}
    return document


def listed(name, value):
    if isinstance(value, dict) and name != "Statement":
        return canonical(value)
    if name in ("Version", "Id", "Sid", "Effect") or value == "*":
        return value
    items = value if isinstance(value, list) else [value]
    items = [canonical(item) if isinstance(item, dict) else str(item) for item in items]
    root = f"arn:aws:iam::{ACCOUNT}:root"
    items = [root if name == "AWS" and item == ACCOUNT else item for item in items]
    return sorted(items, key=lambda item: json.dumps(item, sort_keys=True))


def tags_of(tags, key="Key", value="Value"):
    return {tag[key]: tag[value] for tag in tags or []}


def tag_list(tags, key="Key", value="Value"):
    return [{key: name, value: tags[name]} for name in sorted(tags)]


def retag(have, want, untag, tag, key="Key", value="Value"):
    """Before all other changes: takes away what is gone, sets what is new or another."""
    gone = sorted(set(have["tags"]) - set(want["tags"]))
    if gone:
        untag(gone)
    new = {name: text for name, text in want["tags"].items() if have["tags"].get(name) != text}
    if new:
        tag(tag_list(new, key, value))


def given(**parameters):
    """Without what a configuration leaves empty: the provider sends no empty text."""
    return {name: value for name, value in parameters.items() if value not in ("", None)}


class User:
    def create(self, want):
        made = iam.create_user(UserName=want["name"], Path=want["path"], Tags=tag_list(want["tags"]))
        return made["User"]["UserName"]

    def read(self, name):
        answer = found(iam.get_user, UserName=name)
        if answer is None:
            return None
        user = answer["User"]
        assert user["Arn"].endswith(f":user{user['Path']}{name}") and user["UserId"], user
        boundary = user.get("PermissionsBoundary", {}).get("PermissionsBoundaryArn")
        tags = tags_of(user.get("Tags"))
        return {"name": user["UserName"], "path": user["Path"], "boundary": boundary, "tags": tags}

    def update(self, name, have, want):
        retag(
            have,
            want,
            lambda keys: iam.untag_user(UserName=name, TagKeys=keys),
            lambda tags: iam.tag_user(UserName=name, Tags=tags),
        )
        if (have["name"], have["path"]) != (want["name"], want["path"]):
            iam.update_user(UserName=name, NewUserName=want["name"], NewPath=want["path"])
        if have["boundary"] != want["boundary"]:
            if want["boundary"]:
                iam.put_user_permissions_boundary(
                    UserName=want["name"], PermissionsBoundary=want["boundary"]
                )
            else:
                iam.delete_user_permissions_boundary(UserName=want["name"])
        return want["name"]

    def delete(self, name):
        for group in pages((iam, "list_groups_for_user"), "Groups", UserName=name):
            iam.remove_user_from_group(UserName=name, GroupName=group["GroupName"])
        # With `force_destroy`: whatever is left of the user's.
        for policy_name in pages((iam, "list_user_policies"), "PolicyNames", UserName=name):
            iam.delete_user_policy(UserName=name, PolicyName=policy_name)
        for one in pages((iam, "list_attached_user_policies"), "AttachedPolicies", UserName=name):
            iam.detach_user_policy(UserName=name, PolicyArn=one["PolicyArn"])
        for key in pages((iam, "list_access_keys"), "AccessKeyMetadata", UserName=name):
            iam.delete_access_key(UserName=name, AccessKeyId=key["AccessKeyId"])
        equal(pages((iam, "list_ssh_public_keys"), "SSHPublicKeys", UserName=name), [])
        iam.list_virtual_mfa_devices(AssignmentStatus="Assigned")
        equal(pages((iam, "list_mfa_devices"), "MFADevices", UserName=name), [])
        equal(found(iam.delete_login_profile, UserName=name), None)
        equal(pages((iam, "list_signing_certificates"), "Certificates", UserName=name), [])
        listed = iam.list_service_specific_credentials(UserName=name)
        equal(listed["ServiceSpecificCredentials"], [])
        iam.delete_user(UserName=name)


class AccessKey:
    def create(self, want):
        key = iam.create_access_key(UserName=want["user"])["AccessKey"]
        assert key["SecretAccessKey"] and key["CreateDate"], key
        if want["status"] != key["Status"]:
            self.set(key["AccessKeyId"], want)
        return f"{want['user']}/{key['AccessKeyId']}"

    def set(self, key, want):
        iam.update_access_key(UserName=want["user"], AccessKeyId=key, Status=want["status"])

    def read(self, identifier):
        user, key = identifier.split("/")
        try:
            keys = pages((iam, "list_access_keys"), "AccessKeyMetadata", UserName=user)
        except iam.exceptions.NoSuchEntityException:
            return None
        mine = [one for one in keys if one["AccessKeyId"] == key]
        return {"user": mine[0]["UserName"], "status": mine[0]["Status"]} if mine else None

    def update(self, identifier, have, want):
        self.set(identifier.split("/")[1], want)
        return identifier

    def delete(self, identifier):
        user, key = identifier.split("/")
        iam.delete_access_key(UserName=user, AccessKeyId=key)


class UserPolicy:
    def create(self, want):
        names = {"UserName": want["user"], "PolicyName": want["name"]}
        iam.put_user_policy(PolicyDocument=want["policy"], **names)
        return f"{want['user']}:{want['name']}"

    def read(self, identifier):
        user, name = identifier.split(":")
        answer = found(iam.get_user_policy, UserName=user, PolicyName=name)
        if answer is None:
            return None
        shown = {"user": answer["UserName"], "name": answer["PolicyName"]}
        return {**shown, "policy": canonical(answer["PolicyDocument"])}

    def update(self, identifier, have, want):
        return self.create(want)

    def delete(self, identifier):
        user, name = identifier.split(":")
        iam.delete_user_policy(UserName=user, PolicyName=name)


class Policy:
    def create(self, want):
        made = iam.create_policy(
            PolicyName=want["name"],
            Path=want["path"],
            Description=want["description"],
            PolicyDocument=want["policy"],
            Tags=tag_list(want["tags"]),
        )
        return made["Policy"]["Arn"]

    def read(self, arn):
        answer = found(iam.get_policy, PolicyArn=arn)
        if answer is None:
            return None
        shown = answer["Policy"]
        assert shown["PolicyId"] and shown["AttachmentCount"] >= 0, shown
        default = shown["DefaultVersionId"]
        version = iam.get_policy_version(PolicyArn=arn, VersionId=default)["PolicyVersion"]
        assert version["IsDefaultVersion"], version
        return {
            "name": shown["PolicyName"],
            "path": shown["Path"],
            "description": shown.get("Description", ""),
            "policy": canonical(version["Document"]),
            "tags": tags_of(shown.get("Tags")),
        }

    def update(self, arn, have, want):
        retag(
            have,
            want,
            lambda keys: iam.untag_policy(PolicyArn=arn, TagKeys=keys),
            lambda tags: iam.tag_policy(PolicyArn=arn, Tags=tags),
        )
        if have["policy"] != canonical(want["policy"]):
            versions = pages((iam, "list_policy_versions"), "Versions", PolicyArn=arn)
            if len(versions) >= 5:
                old = [one for one in versions if not one["IsDefaultVersion"]]
                oldest = min(old, key=lambda one: one["CreateDate"])["VersionId"]
                iam.delete_policy_version(PolicyArn=arn, VersionId=oldest)
            iam.create_policy_version(
                PolicyArn=arn, PolicyDocument=want["policy"], SetAsDefault=True
            )
        return arn

    def delete(self, arn):
        for version in pages((iam, "list_policy_versions"), "Versions", PolicyArn=arn):
            if not version["IsDefaultVersion"]:
                iam.delete_policy_version(PolicyArn=arn, VersionId=version["VersionId"])
        iam.delete_policy(PolicyArn=arn)


class Role:
    def create(self, want):
        made = iam.create_role(
            RoleName=want["name"],
            Path=want["path"],
            MaxSessionDuration=want["duration"],
            AssumeRolePolicyDocument=want["trust"],
            Tags=tag_list(want["tags"]),
            **given(Description=want["description"]),
        )
        name = made["Role"]["RoleName"]
        for policy_name, document in want["inline"].items():
            iam.put_role_policy(RoleName=name, PolicyName=policy_name, PolicyDocument=document)
        return name

    def read(self, name):
        answer = found(iam.get_role, RoleName=name)
        if answer is None:
            return None
        role = answer["Role"]
        # The provider waits while the ARN is a unique id, and formats the date.
        assert role["Arn"].startswith(f"arn:aws:iam::{ACCOUNT}:role/") and role["CreateDate"], role
        inline = {}
        for policy_name in pages((iam, "list_role_policies"), "PolicyNames", RoleName=name):
            shown = iam.get_role_policy(RoleName=name, PolicyName=policy_name)
            inline[policy_name] = canonical(shown["PolicyDocument"])
        attached = pages((iam, "list_attached_role_policies"), "AttachedPolicies", RoleName=name)
        return {
            "name": role["RoleName"],
            "path": role["Path"],
            "description": role.get("Description", ""),
            "duration": role["MaxSessionDuration"],
            "trust": canonical(role["AssumeRolePolicyDocument"]),
            "inline": inline,
            "managed": sorted(one["PolicyArn"] for one in attached),
            "tags": tags_of(role.get("Tags")),
        }

    def update(self, name, have, want):
        retag(
            have,
            want,
            lambda keys: iam.untag_role(RoleName=name, TagKeys=keys),
            lambda tags: iam.tag_role(RoleName=name, Tags=tags),
        )
        if have["trust"] != canonical(want["trust"]):
            iam.update_assume_role_policy(RoleName=name, PolicyDocument=want["trust"])
        if have["description"] != want["description"]:
            iam.update_role_description(RoleName=name, Description=want["description"])
        if have["duration"] != want["duration"]:
            # Without a description, which must stay.
            iam.update_role(RoleName=name, MaxSessionDuration=want["duration"])
        for policy_name in sorted(set(have["inline"]) - set(want["inline"])):
            iam.delete_role_policy(RoleName=name, PolicyName=policy_name)
        for policy_name, document in want["inline"].items():
            if have["inline"].get(policy_name) != canonical(document):
                iam.put_role_policy(RoleName=name, PolicyName=policy_name, PolicyDocument=document)
        return name

    def delete(self, name):
        profiles = pages((iam, "list_instance_profiles_for_role"), "InstanceProfiles", RoleName=name)
        for profile in profiles:
            profile_name = profile["InstanceProfileName"]
            iam.remove_role_from_instance_profile(InstanceProfileName=profile_name, RoleName=name)
        for one in pages((iam, "list_attached_role_policies"), "AttachedPolicies", RoleName=name):
            iam.detach_role_policy(RoleName=name, PolicyArn=one["PolicyArn"])
        for policy_name in pages((iam, "list_role_policies"), "PolicyNames", RoleName=name):
            iam.delete_role_policy(RoleName=name, PolicyName=policy_name)
        iam.delete_role(RoleName=name)


class RoleAttachment:
    def create(self, want):
        iam.attach_role_policy(RoleName=want["role"], PolicyArn=want["policy_arn"])
        return f"{want['role']} {want['policy_arn']}"

    def read(self, identifier):
        role, arn = identifier.split(" ")
        try:
            attached = pages((iam, "list_attached_role_policies"), "AttachedPolicies", RoleName=role)
        except iam.exceptions.NoSuchEntityException:
            return None
        there = arn in [one["PolicyArn"] for one in attached]
        return {"role": role, "policy_arn": arn} if there else None

    def delete(self, identifier):
        role, arn = identifier.split(" ")
        iam.detach_role_policy(RoleName=role, PolicyArn=arn)


class UserAttachment:
    def create(self, want):
        iam.attach_user_policy(UserName=want["user"], PolicyArn=want["policy_arn"])
        return f"{want['user']} {want['policy_arn']}"

    def read(self, identifier):
        user, arn = identifier.split(" ")
        try:
            attached = pages((iam, "list_attached_user_policies"), "AttachedPolicies", UserName=user)
        except iam.exceptions.NoSuchEntityException:
            return None
        there = arn in [one["PolicyArn"] for one in attached]
        return {"user": user, "policy_arn": arn} if there else None

    def delete(self, identifier):
        user, arn = identifier.split(" ")
        iam.detach_user_policy(UserName=user, PolicyArn=arn)


class InstanceProfile:
    def create(self, want):
        name = want["name"]
        iam.create_instance_profile(
            InstanceProfileName=name, Path=want["path"], Tags=tag_list(want["tags"])
        )
        iam.get_waiter("instance_profile_exists").wait(InstanceProfileName=name)
        iam.add_role_to_instance_profile(InstanceProfileName=name, RoleName=want["role"])
        return name

    def read(self, name):
        answer = found(iam.get_instance_profile, InstanceProfileName=name)
        if answer is None:
            return None
        profile = answer["InstanceProfile"]
        assert profile["CreateDate"] and profile["InstanceProfileId"], profile
        roles = [role["RoleName"] for role in profile["Roles"]]
        # The provider looks whether the role is still there.
        assert all(found(iam.get_role, RoleName=role) for role in roles)
        return {
            "name": profile["InstanceProfileName"],
            "path": profile["Path"],
            "role": roles[0] if roles else "",
            "tags": tags_of(profile.get("Tags")),
        }

    def delete(self, name):
        role = self.read(name)["role"]
        if role:
            iam.remove_role_from_instance_profile(InstanceProfileName=name, RoleName=role)
        iam.delete_instance_profile(InstanceProfileName=name)


class Key:
    def create(self, want):
        made = kms.create_key(
            Description=want["description"],
            CustomerMasterKeySpec="SYMMETRIC_DEFAULT",
            KeyUsage="ENCRYPT_DECRYPT",
            Policy=want["policy"],
            Tags=tag_list(want["tags"], "TagKey", "TagValue"),
        )
        key = made["KeyMetadata"]["KeyId"]
        if want["rotation"]:
            kms.enable_key_rotation(KeyId=key, RotationPeriodInDays=want["rotation"])
        if not want["enabled"]:
            kms.disable_key(KeyId=key)
        return key

    def read(self, key):
        answer = found(kms.describe_key, KeyId=key)
        if answer is None or answer["KeyMetadata"]["KeyState"] == "PendingDeletion":
            return None
        shown = answer["KeyMetadata"]
        equal((shown["Origin"], shown["MultiRegion"]), ("AWS_KMS", False))
        text = kms.get_key_policy(KeyId=key, PolicyName="default")["Policy"]
        rotation = kms.get_key_rotation_status(KeyId=key)
        tags = pages((kms, "list_resource_tags"), "Tags", KeyId=key)
        period = rotation.get("RotationPeriodInDays") if rotation["KeyRotationEnabled"] else None
        return {
            "description": shown["Description"],
            "enabled": shown["Enabled"],
            "policy": canonical(text),
            "rotation": period,
            "tags": tags_of(tags, "TagKey", "TagValue"),
        }

    def update(self, key, have, want):
        retag(
            have,
            want,
            lambda keys: kms.untag_resource(KeyId=key, TagKeys=keys),
            lambda tags: kms.tag_resource(KeyId=key, Tags=tags),
            "TagKey",
            "TagValue",
        )
        if want["enabled"] and not have["enabled"]:
            kms.enable_key(KeyId=key)
        if have["rotation"] != want["rotation"]:
            if want["rotation"]:
                kms.enable_key_rotation(KeyId=key, RotationPeriodInDays=want["rotation"])
            else:
                kms.disable_key_rotation(KeyId=key)
        if have["description"] != want["description"]:
            kms.update_key_description(KeyId=key, Description=want["description"])
        if have["policy"] != canonical(want["policy"]):
            kms.put_key_policy(KeyId=key, PolicyName="default", Policy=want["policy"])
        if have["enabled"] and not want["enabled"]:
            kms.disable_key(KeyId=key)
        return key

    def delete(self, key):
        kms.schedule_key_deletion(KeyId=key, PendingWindowInDays=7)
        equal(kms.describe_key(KeyId=key)["KeyMetadata"]["KeyState"], "PendingDeletion")


class Alias:
    def create(self, want):
        kms.create_alias(AliasName=want["name"], TargetKeyId=want["key"])
        return want["name"]

    def read(self, name):
        # The provider has no call for one alias: it reads them all.
        aliases = [one for one in pages((kms, "list_aliases"), "Aliases") if one["AliasName"] == name]
        if not aliases:
            return None
        equal(aliases[0]["AliasArn"], f"arn:aws:kms:{REGION}:{ACCOUNT}:{name}")
        return {"name": name, "key": aliases[0]["TargetKeyId"]}

    def update(self, name, have, want):
        kms.update_alias(AliasName=name, TargetKeyId=want["key"])
        return name

    def delete(self, name):
        kms.delete_alias(AliasName=name)


class Grant:
    def create(self, want):
        made = kms.create_grant(
            KeyId=want["key"],
            Name=want["name"],
            GranteePrincipal=want["grantee"],
            Operations=want["operations"],
            Constraints=want["constraints"],
        )
        assert made["GrantToken"], made
        return f"{want['key']}:{made['GrantId']}"

    def read(self, identifier):
        key, grant = identifier.split(":")
        try:
            paged = {"KeyId": key, "PaginationConfig": {"PageSize": 100}}
            grants = pages((kms, "list_grants"), "Grants", **paged)
        except kms.exceptions.NotFoundException:
            return None
        mine = [one for one in grants if one["GrantId"] == grant]
        if not mine:
            return None
        return {
            "key": key,
            "name": mine[0]["Name"],
            "grantee": mine[0]["GranteePrincipal"],
            "operations": sorted(mine[0]["Operations"]),
            "constraints": mine[0].get("Constraints", {}),
        }

    def delete(self, identifier):
        key, grant = identifier.split(":")
        kms.revoke_grant(KeyId=key, GrantId=grant)
        assert self.read(identifier) is None


POLICIES = {"policy", "trust"}


def expected(want):
    """The configuration as it is compared with what is read."""
    told = {}
    for name, value in want.items():
        if name in POLICIES:
            value = canonical(value)
        if name == "inline":
            value = {one: canonical(document) for one, document in value.items()}
        told[name] = value
    return told


class Stack:
    """A configuration: named resources in the order of their dependencies, and the state of what was
    applied."""

    def __init__(self):
        self.resources, self.state = [], {}

    def add(self, name, kind, /, **want):
        """Creates a resource; its identifier is what those after it refer to."""
        identifier = kind.create(want)
        self.resources.append((name, kind, want))
        self.state[name] = identifier
        equal(kind.read(identifier), expected({**want, **self.computed(kind, identifier)}))
        return identifier

    def computed(self, kind, identifier):
        """What others change: policies that are attached by resources of their own."""
        return {"managed": kind.read(identifier)["managed"]} if isinstance(kind, Role) else {}

    def plan(self):
        """What would change: the names of resources whose state is not as configured."""
        changed = []
        for name, kind, want in self.resources:
            have = kind.read(self.state[name])
            computed = self.computed(kind, self.state[name])
            if have is None or have != expected({**want, **computed}):
                changed.append((name, have, want))
        return changed

    def change(self, name, /, **changes):
        at = [one for one, (other, _, _) in enumerate(self.resources) if other == name][0]
        name, kind, want = self.resources[at]
        wanted = {**want, **changes}
        have = kind.read(self.state[name])
        self.resources[at] = (name, kind, wanted)
        self.state[name] = kind.update(self.state[name], have, wanted)

    def destroy(self):
        for name, kind, _ in reversed(self.resources):
            kind.delete(self.state[name])
        for name, kind, _ in self.resources:
            equal((name, kind.read(self.state[name])), (name, None))


DELEGATE = {
    "Sid": "Enable IAM policies",
    "Effect": "Allow",
    "Principal": {"AWS": f"arn:aws:iam::{ACCOUNT}:root"},
    "Action": "kms:*",
    "Resource": "*",
}
READ = {"Effect": "Allow", "Action": ["kms:Decrypt", "kms:DescribeKey"], "Resource": "*"}
TRUST = {
    "Effect": "Allow",
    "Principal": {"Service": "ec2.amazonaws.com"},
    "Action": "sts:AssumeRole",
}


def applied():
    """All resources, created and read back."""
    # The provider's first call: whose credentials it has.
    equal(sts.get_caller_identity()["Account"], ACCOUNT)
    stack, tags = Stack(), {"Environment": "test", "Owner": "terraform"}
    reader = stack.add(
        "reader",
        Policy(),
        name=unique("reader"),
        path="/app/",
        description="What the application reads",
        policy=policy(READ),
        tags=tags,
    )
    user = stack.add("user", User(), name=unique("user"), path="/app/", boundary=None, tags=tags)
    stack.add("access key", AccessKey(), user=user, status="Active")
    stack.add("user policy", UserPolicy(), user=user, name="inline", policy=policy(READ))
    stack.add("user attachment", UserAttachment(), user=user, policy_arn=reader)
    role = stack.add(
        "role",
        Role(),
        name=unique("role"),
        path="/app/",
        description="",
        duration=3600,
        trust=policy(TRUST),
        inline={"read": policy(READ)},
        tags=tags,
    )
    stack.add("role attachment", RoleAttachment(), role=role, policy_arn=reader)
    stack.add(
        "profile", InstanceProfile(), name=unique("profile"), path="/", role=role, tags=tags
    )
    key = stack.add(
        "key",
        Key(),
        description="Data of the application",
        enabled=True,
        policy=policy(DELEGATE),
        rotation=180,
        tags=tags,
    )
    stack.add("alias", Alias(), name=f"alias/{unique('data')}", key=key)
    grantee = iam.get_role(RoleName=role)["Role"]["Arn"]
    stack.add(
        "grant",
        Grant(),
        key=key,
        name="application",
        grantee=grantee,
        operations=["Decrypt", "Encrypt"],
        constraints={"EncryptionContextEquals": {"app": "one"}},
    )
    return stack


def test_a_second_plan_after_apply_changes_nothing():
    stack = applied()
    equal(stack.plan(), [])
    stack.destroy()


def test_changes_are_applied_in_place_and_the_plan_after_them_is_empty():
    stack = applied()
    tags = {"Environment": "production", "Team": "x"}
    narrow = policy({**READ, "Condition": {"Bool": {"aws:SecureTransport": "true"}}})
    for _ in range(6):
        # A policy has five versions at most: the provider deletes the oldest.
        stack.change("reader", policy=policy(READ))
        stack.change("reader", policy=narrow, tags=tags)
    reader = stack.state["reader"]
    stack.change("user", path="/other/", boundary=reader, tags=tags)
    stack.change("user", boundary=None)
    stack.change("access key", status="Inactive")
    stack.change("user policy", policy=narrow)
    stack.change(
        "role",
        description="Changed",
        duration=7200,
        trust=policy({**TRUST, "Principal": {"AWS": ACCOUNT}}),
        inline={"other": narrow},
        tags=tags,
    )
    stack.change("key", enabled=False, description="Changed", rotation=365, tags=tags)
    equal(stack.plan(), [])
    stack.change("key", enabled=True, rotation=None, policy=policy(DELEGATE, {**DELEGATE, "Sid": "2"}))
    other = kms.create_key(Description="other")["KeyMetadata"]["KeyId"]
    stack.change("alias", key=other)
    equal(stack.plan(), [])
    stack.destroy()


def test_what_was_changed_or_deleted_behind_its_back_is_in_the_next_plan():
    stack = applied()
    iam.tag_role(RoleName=stack.state["role"], Tags=[{"Key": "Drift", "Value": "yes"}])
    kms.delete_alias(AliasName=stack.state["alias"])
    equal([name for name, _, _ in stack.plan()], ["role", "alias"])
    stack.change("role")
    want = [want for name, _, want in stack.resources if name == "alias"][0]
    Alias().create(want)
    equal(stack.plan(), [])
    stack.destroy()


main()
