"""Organizations with the real client: the tree, accounts, policies that bind calls of other services,
invitations, delegation. Callers in member accounts are the --dev roots of their ids; the tests run in
order, and the second makes the organization."""

import json
import time

from harness import ACCOUNT, client, equal, main, new_user, client_of, policy, refused, unique

organizations = client("organizations")
OTHER = "222222222222"
DENY_KEYS = policy({"Effect": "Deny", "Action": "kms:CreateKey", "Resource": "*"})


def root_of(account, service):
    return client(service, aws_access_key_id=account, aws_secret_access_key="any")


def the_root():
    return organizations.list_roots()["Roots"][0]["Id"]


def new_account(name):
    asked = organizations.create_account(
        Email=f"{unique(name)}@example.com", AccountName=name
    )["CreateAccountStatus"]
    assert asked["State"] in ("IN_PROGRESS", "SUCCEEDED"), asked
    for _ in range(200):
        status = organizations.describe_create_account_status(
            CreateAccountRequestId=asked["Id"]
        )["CreateAccountStatus"]
        if status["State"] != "IN_PROGRESS":
            break
        time.sleep(0.05)
    equal(status["State"], "SUCCEEDED")
    return status["AccountId"]


def new_policy(content, kind="SERVICE_CONTROL_POLICY"):
    made = organizations.create_policy(
        Content=content, Description="of a test", Name=unique("policy"), Type=kind
    )
    return made["Policy"]["PolicySummary"]["Id"]


def test_an_account_without_an_organization_is_told_so():
    refused(
        "AWSOrganizationsNotInUseException",
        organizations.describe_organization,
        message="Your account is not a member of an organization.",
    )


def test_an_organization_is_made_once():
    made = organizations.create_organization(FeatureSet="ALL")["Organization"]
    equal(made["MasterAccountId"], ACCOUNT)
    equal(organizations.describe_organization()["Organization"]["Id"], made["Id"])
    refused("AlreadyInOrganizationException", organizations.create_organization)
    root = organizations.list_roots()["Roots"][0]
    equal(root["Name"], "Root")
    enabled = organizations.enable_policy_type(
        RootId=root["Id"], PolicyType="SERVICE_CONTROL_POLICY"
    )["Root"]["PolicyTypes"]
    equal(enabled, [{"Type": "SERVICE_CONTROL_POLICY", "Status": "ENABLED"}])


def test_a_new_account_has_the_role_that_lets_the_management_account_in():
    account = new_account("entered")
    iam = root_of(account, "iam")
    role = iam.get_role(RoleName="OrganizationAccountAccessRole")["Role"]
    equal(role["Arn"], f"arn:aws:iam::{account}:role/OrganizationAccountAccessRole")
    trust = role["AssumeRolePolicyDocument"]["Statement"][0]
    equal(trust["Principal"], {"AWS": f"arn:aws:iam::{ACCOUNT}:root"})
    allowed = iam.get_role_policy(
        RoleName="OrganizationAccountAccessRole", PolicyName="AdministratorAccess"
    )["PolicyDocument"]["Statement"][0]
    equal(allowed, {"Effect": "Allow", "Action": "*", "Resource": "*"})


def test_units_and_accounts_form_a_tree():
    root = the_root()
    unit = organizations.create_organizational_unit(ParentId=root, Name=unique("unit"))
    unit = unit["OrganizationalUnit"]["Id"]
    account = new_account("tree")
    organizations.move_account(
        AccountId=account, SourceParentId=root, DestinationParentId=unit
    )
    equal(organizations.list_parents(ChildId=account)["Parents"][0]["Id"], unit)
    children = organizations.list_children(ParentId=unit, ChildType="ACCOUNT")["Children"]
    equal(children, [{"Id": account, "Type": "ACCOUNT"}])
    refused(
        "OrganizationalUnitNotEmptyException",
        organizations.delete_organizational_unit,
        OrganizationalUnitId=unit,
    )
    paginator = organizations.get_paginator("list_accounts")
    listed = paginator.paginate(PaginationConfig={"PageSize": 1}).build_full_result()["Accounts"]
    assert {ACCOUNT, account} <= {entry["Id"] for entry in listed}, listed


def test_a_denial_binds_the_next_call_of_a_member_and_not_the_management_account():
    account = new_account("guarded")
    member = root_of(account, "kms")
    member.create_key()
    denial = new_policy(DENY_KEYS)
    organizations.attach_policy(PolicyId=denial, TargetId=the_root())
    refused(
        "AccessDeniedException",
        member.create_key,
        contains="with an explicit deny in a service control policy",
    )
    client("kms").create_key()
    organizations.detach_policy(PolicyId=denial, TargetId=the_root())
    member.create_key()


def test_each_level_must_allow():
    root, account = the_root(), new_account("levels")
    unit = organizations.create_organizational_unit(ParentId=root, Name=unique("unit"))
    unit = unit["OrganizationalUnit"]["Id"]
    organizations.move_account(
        AccountId=account, SourceParentId=root, DestinationParentId=unit
    )
    only_iam = new_policy(policy({"Effect": "Allow", "Action": "iam:*", "Resource": "*"}))
    organizations.attach_policy(PolicyId=only_iam, TargetId=unit)
    member = root_of(account, "kms")
    member.create_key()
    organizations.detach_policy(PolicyId="p-FullAWSAccess", TargetId=unit)
    refused(
        "AccessDeniedException",
        member.create_key,
        contains="because no service control policy allows the kms:CreateKey action",
    )
    refused(
        "ConstraintViolationException",
        organizations.detach_policy,
        PolicyId=only_iam,
        TargetId=unit,
    )


def test_an_error_carries_its_reason():
    answer = refused(
        "InvalidInputException",
        organizations.delete_policy,
        PolicyId="p-FullAWSAccess",
    )
    equal(answer["Reason"], "IMMUTABLE_POLICY")


def test_a_resource_control_policy_keeps_outsiders_out():
    account = new_account("resources")
    kind = "RESOURCE_CONTROL_POLICY"
    organizations.enable_policy_type(RootId=the_root(), PolicyType=kind)
    everyone = policy(
        {
            "Effect": "Allow",
            "Principal": {"AWS": f"arn:aws:iam::{account}:root"},
            "Action": "kms:*",
            "Resource": "*",
        },
        {"Effect": "Allow", "Principal": "*", "Action": "kms:DescribeKey", "Resource": "*"},
    )
    key = root_of(account, "kms").create_key(Policy=everyone)["KeyMetadata"]["Arn"]
    outsider = root_of("333333333333", "kms")
    outsider.describe_key(KeyId=key)
    organization = organizations.describe_organization()["Organization"]["Id"]
    insiders = new_policy(
        policy(
            {
                "Effect": "Deny",
                "Principal": "*",
                "Action": "kms:*",
                "Resource": "*",
                "Condition": {"StringNotEqualsIfExists": {"aws:PrincipalOrgID": organization}},
            }
        ),
        kind,
    )
    organizations.attach_policy(PolicyId=insiders, TargetId=account)
    refused("AccessDeniedException", outsider.describe_key, KeyId=key)
    root_of(account, "kms").describe_key(KeyId=key)
    organizations.detach_policy(PolicyId=insiders, TargetId=account)
    outsider.describe_key(KeyId=key)


def queue_of(account):
    """A queue that EventBridge may send to, and a rule that does; both clients, and its URL."""
    sqs, events = root_of(account, "sqs"), root_of(account, "events")
    name = unique("queue")
    url = sqs.create_queue(QueueName=name)["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    open_to = policy({
        "Effect": "Allow",
        "Principal": {"Service": "events.amazonaws.com"},
        "Action": "sqs:SendMessage",
        "Resource": arn,
    })
    sqs.set_queue_attributes(QueueUrl=url, Attributes={"Policy": open_to})
    events.put_rule(Name=name, EventPattern=json.dumps({"source": [name]}))
    events.put_targets(Rule=name, Targets=[{"Id": "1", "Arn": arn}])

    def send():
        entry = {"Source": name, "DetailType": "t", "Detail": "{}"}
        events.put_events(Entries=[entry])

    return sqs, url, send


def test_a_resource_control_policy_binds_services_too():
    guarded, free = new_account("guarded"), new_account("free")
    kind = "RESOURCE_CONTROL_POLICY"
    content = {"Effect": "Deny", "Principal": "*", "Action": "sqs:SendMessage", "Resource": "*"}
    denial = new_policy(policy(content), kind)
    sqs, url, send = queue_of(guarded)
    other_sqs, other_url, other_send = queue_of(free)
    send()
    (message,) = sqs.receive_message(QueueUrl=url, WaitTimeSeconds=10)["Messages"]
    # Else it is there again after a while.
    sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
    organizations.attach_policy(PolicyId=denial, TargetId=guarded)
    send()
    # What is sent later to another account has come: this one would have, too.
    other_send()
    assert other_sqs.receive_message(QueueUrl=other_url, WaitTimeSeconds=10)["Messages"]
    url_of_all = {"QueueUrl": url, "AttributeNames": ["ApproximateNumberOfMessages"]}
    counted = sqs.get_queue_attributes(**url_of_all)["Attributes"]
    equal(counted["ApproximateNumberOfMessages"], "0")


def test_no_path_of_a_role_escapes_a_service_control_policy():
    account = new_account("escape")
    iam, sts = root_of(account, "iam"), root_of(account, "sts")
    denial = new_policy(DENY_KEYS)
    organizations.attach_policy(PolicyId=denial, TargetId=account)
    allowed = policy({"Effect": "Allow", "Action": "*", "Resource": "*"})
    user = iam.create_user(UserName="user")["User"]["UserName"]
    iam.put_user_policy(UserName=user, PolicyName="p", PolicyDocument=allowed)
    key = iam.create_access_key(UserName=user)["AccessKey"]
    trust = policy({"Effect": "Allow", "Principal": {"AWS": account}, "Action": "sts:AssumeRole"})
    for number, path in enumerate(["/x:role/aws-service-role/y/", "/x/", "/x/role/aws-service-role/y/"]):
        name = f"evil{number}"
        role = iam.create_role(RoleName=name, Path=path, AssumeRolePolicyDocument=trust)["Role"]
        iam.put_role_policy(RoleName=name, PolicyName="p", PolicyDocument=allowed)
        made = client_of(key, "sts").assume_role(RoleArn=role["Arn"], RoleSessionName="ss")
        session = client_of(
            made["Credentials"], "kms", aws_session_token=made["Credentials"]["SessionToken"]
        )
        session.list_keys()
        refused(
            "AccessDeniedException", session.create_key, contains="service control policy"
        )


def test_malformed_ids_are_refused_with_their_reason():
    answer = refused(
        "InvalidInputException",
        organizations.describe_organizational_unit,
        OrganizationalUnitId="nonsense",
        message="You provided a value that does not match the required pattern.",
    )
    equal(answer["Reason"], "INVALID_PATTERN")
    answer = refused(
        "InvalidInputException",
        organizations.list_policies,
        Filter="NONSENSE",
        message="You specified an invalid value.",
    )
    equal(answer["Reason"], "INVALID_ENUM")


def test_a_member_reads_only_once_it_is_delegated():
    account, service = new_account("delegated"), "config.amazonaws.com"
    member = root_of(account, "organizations")
    member.describe_organization()
    refused(
        "AccessDeniedException",
        member.list_accounts,
        message="You don't have permissions to access this resource.",
    )
    organizations.enable_aws_service_access(ServicePrincipal=service)
    organizations.register_delegated_administrator(AccountId=account, ServicePrincipal=service)
    member.list_accounts()
    administrators = organizations.list_delegated_administrators()["DelegatedAdministrators"]
    equal([entry["Id"] for entry in administrators], [account])
    organizations.deregister_delegated_administrator(AccountId=account, ServicePrincipal=service)
    refused("AccessDeniedException", member.list_accounts)


def test_a_user_of_the_management_account_needs_a_policy():
    _, key = new_user()
    refused(
        "AccessDeniedException",
        client_of(key, "organizations").list_roots,
        contains="is not authorized to perform: organizations:ListRoots on resource: *",
    )


def test_an_account_that_left_is_invited_again_and_accepts():
    account = new_account("guest")
    organizations.remove_account_from_organization(AccountId=account)
    member = root_of(account, "organizations")
    refused("AWSOrganizationsNotInUseException", member.describe_organization)
    sent = organizations.invite_account_to_organization(
        Target={"Id": account, "Type": "ACCOUNT"}, Notes="welcome"
    )["Handshake"]
    equal(sent["State"], "OPEN")
    received = member.list_handshakes_for_account()["Handshakes"]
    equal([entry["Id"] for entry in received], [sent["Id"]])
    equal(member.accept_handshake(HandshakeId=sent["Id"])["Handshake"]["State"], "ACCEPTED")
    equal(
        organizations.describe_account(AccountId=account)["Account"]["JoinedMethod"], "INVITED"
    )


def test_a_trail_of_the_organization_is_seen_by_its_members():
    cloudtrail = client("cloudtrail")
    wish = {"Name": unique("trail"), "S3BucketName": "logs", "IsOrganizationTrail": True}
    trusted = "cloudtrail.amazonaws.com"
    organizations.disable_aws_service_access(ServicePrincipal=trusted)
    refused("CloudTrailAccessNotEnabledException", cloudtrail.create_trail, **wish)
    organizations.enable_aws_service_access(ServicePrincipal=trusted)
    trail = cloudtrail.create_trail(**wish)
    equal(trail["IsOrganizationTrail"], True)
    member = root_of(new_account("member"), "cloudtrail")
    seen = [one["TrailARN"] for one in member.describe_trails()["trailList"]]
    assert trail["TrailARN"] in seen, seen
    equal(member.describe_trails(includeShadowTrails=False)["trailList"], [])
    refused(
        "NotOrganizationMasterAccountException",
        member.delete_trail,
        Name=trail["TrailARN"],
    )
    refused("NotOrganizationMasterAccountException", member.create_trail, **wish)
    cloudtrail.delete_trail(Name=trail["TrailARN"])
    equal(member.describe_trails()["trailList"], [])


main()
