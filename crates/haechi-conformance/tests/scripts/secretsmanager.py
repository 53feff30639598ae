"""Secrets Manager with boto3 and AWS's caching client."""

import json

from aws_secretsmanager_caching import InjectKeywordedSecretString, SecretCache
from functions import PYTHON, archive, arn_of, lambda_, new_role
from harness import ACCOUNT, REGION, client, client_of, equal, new_user, policy, refused, unique

secrets = client("secretsmanager")


def test_a_secret_and_its_versions():
    name = unique("app/db")
    made = secrets.create_secret(Name=name, SecretString="one", Tags=[{"Key": "a", "Value": "b"}])
    arn = f"arn:aws:secretsmanager:{REGION}:{ACCOUNT}:secret:{name}-"
    assert made["ARN"].startswith(arn) and len(made["ARN"]) == len(arn) + 6, made["ARN"]
    put = secrets.put_secret_value(SecretId=name, SecretBinary=b"\x00\xff")
    equal(put["VersionStages"], ["AWSCURRENT"])
    read = secrets.get_secret_value(SecretId=made["ARN"])
    equal((read["SecretBinary"], read["VersionId"]), (b"\x00\xff", put["VersionId"]))
    before = secrets.get_secret_value(SecretId=name, VersionStage="AWSPREVIOUS")
    equal((before["SecretString"], before["VersionId"]), ("one", made["VersionId"]))
    told = secrets.describe_secret(SecretId=name)
    equal(told["Tags"], [{"Key": "a", "Value": "b"}])
    stages = {made["VersionId"]: ["AWSPREVIOUS"], put["VersionId"]: ["AWSCURRENT"]}
    equal(told["VersionIdsToStages"], stages)
    for absent in ("Description", "KmsKeyId", "RotationEnabled", "DeletedDate"):
        assert absent not in told, absent
    listed = secrets.list_secret_version_ids(SecretId=name)["Versions"]
    equal({one["KmsKeyIds"][0] for one in listed}, {"DefaultEncryptionKey"})
    secrets.update_secret_version_stage(
        SecretId=name,
        VersionStage="AWSCURRENT",
        RemoveFromVersionId=put["VersionId"],
        MoveToVersionId=made["VersionId"],
    )
    equal(secrets.get_secret_value(SecretId=name)["SecretString"], "one")


def test_errors_have_the_codes_that_clients_catch():
    name = unique("s")
    missing = "Secrets Manager can't find the specified secret."
    refused("ResourceNotFoundException", secrets.get_secret_value, SecretId=name, message=missing)
    assert issubclass(secrets.exceptions.ResourceNotFoundException, Exception)
    secrets.create_secret(Name=name, SecretString="x")
    refused("ResourceExistsException", secrets.create_secret, Name=name, SecretString="x")
    refused("ValidationException", secrets.create_secret, Name="a b", SecretString="x")
    refused("InvalidParameterException", secrets.delete_secret, SecretId=name, RecoveryWindowInDays=6)
    refused("InvalidRequestException", secrets.rotate_secret, SecretId=name)


def test_a_function_may_make_the_first_value():
    name = unique("s")
    lambda_.create_function(
        FunctionName=name, Runtime=PYTHON, Role=new_role(), Handler="f.handler",
        Code={"ZipFile": archive(f__py="def handler(event, context): pass")},
    )
    lambda_.add_permission(
        FunctionName=name, StatementId="rotate", Action="lambda:InvokeFunction",
        Principal="secretsmanager.amazonaws.com",
    )
    secrets.create_secret(Name=name)
    begun = secrets.rotate_secret(SecretId=name, RotationLambdaARN=arn_of(name))
    told = secrets.describe_secret(SecretId=name)
    equal((told["RotationEnabled"], told.get("RotationRules")), (True, None))
    equal(told["VersionIdsToStages"], {begun["VersionId"]: ["AWSPENDING"]})
    secrets.cancel_rotate_secret(SecretId=name)


def test_deletion_and_restoration():
    name = unique("s")
    secrets.create_secret(Name=name, SecretString="x")
    secrets.delete_secret(SecretId=name, RecoveryWindowInDays=7)
    refused("InvalidRequestException", secrets.get_secret_value, SecretId=name)
    refused("InvalidRequestException", secrets.create_secret, Name=name, SecretString="y")
    secrets.restore_secret(SecretId=name)
    equal(secrets.get_secret_value(SecretId=name)["SecretString"], "x")
    secrets.delete_secret(SecretId=name, ForceDeleteWithoutRecovery=True)
    refused("ResourceNotFoundException", secrets.get_secret_value, SecretId=name)


def test_lists_and_batches_page_by_page():
    prefix = unique("many")
    for number in range(25):
        secrets.create_secret(Name=f"{prefix}/{number:02}", SecretString=str(number))
    filters = [{"Key": "name", "Values": [prefix]}]
    pages = secrets.get_paginator("list_secrets").paginate(
        Filters=filters, PaginationConfig={"PageSize": 10}
    )
    names = [one["Name"] for page in pages for one in page["SecretList"]]
    equal(sorted(names), [f"{prefix}/{number:02}" for number in range(25)])
    first = secrets.batch_get_secret_value(Filters=filters, MaxResults=20)
    last = secrets.batch_get_secret_value(Filters=filters, NextToken=first["NextToken"])
    assert "NextToken" not in last, last["NextToken"]
    values = [one["SecretString"] for page in (first, last) for one in page["SecretValues"]]
    equal(sorted(values, key=int), [str(number) for number in range(25)])


def test_a_user_reads_only_what_its_policy_and_the_secrets_allow():
    name = unique("team/red")
    arn = secrets.create_secret(Name=name, SecretString="x")["ARN"]
    resource = f"arn:aws:secretsmanager:{REGION}:{ACCOUNT}:secret:team/red*"
    allow = {"Effect": "Allow", "Action": "secretsmanager:GetSecretValue", "Resource": resource}
    _, key = new_user(allow)
    user = client_of(key, "secretsmanager")
    equal(user.get_secret_value(SecretId=name)["SecretString"], "x")
    refused("AccessDeniedException", user.put_secret_value, SecretId=name, SecretString="y")
    deny = {
        "Effect": "Deny",
        "Principal": "*",
        "Action": "secretsmanager:GetSecretValue",
        "Resource": "*",
    }
    secrets.put_resource_policy(SecretId=arn, ResourcePolicy=policy(deny), BlockPublicPolicy=True)
    contains = "with an explicit deny in a resource-based policy"
    refused("AccessDeniedException", user.get_secret_value, SecretId=name, contains=contains)
    public = policy({**deny, "Effect": "Allow"})
    answer = secrets.validate_resource_policy(ResourcePolicy=public)
    equal(answer["PolicyValidationPassed"], False)
    refused(
        "PublicPolicyException",
        secrets.put_resource_policy,
        SecretId=arn,
        ResourcePolicy=public,
        BlockPublicPolicy=True,
    )


def test_a_customer_managed_key_decides_too():
    kms = client("kms")
    key = kms.create_key()["KeyMetadata"]
    name = unique("s")
    secrets.create_secret(Name=name, SecretString="x", KmsKeyId=key["Arn"])
    everything = {"Effect": "Allow", "Action": "secretsmanager:*", "Resource": "*"}
    _, access_key = new_user(everything)
    user = client_of(access_key, "secretsmanager")
    told = "Access to KMS is not allowed"
    refused("AccessDeniedException", user.get_secret_value, SecretId=name, message=told)
    equal(secrets.get_secret_value(SecretId=name)["SecretString"], "x")
    kms.disable_key(KeyId=key["KeyId"])
    refused("DecryptionFailure", secrets.get_secret_value, SecretId=name)


def test_replicas_follow_and_can_be_promoted():
    name, region = unique("s"), "eu-central-1"
    there = client("secretsmanager", region_name=region)
    made = secrets.create_secret(
        Name=name, SecretString="one", AddReplicaRegions=[{"Region": region}]
    )
    equal(made["ReplicationStatus"][0]["Status"], "InSync")
    secrets.put_secret_value(SecretId=name, SecretString="two")
    equal(there.get_secret_value(SecretId=name)["SecretString"], "two")
    refused("InvalidParameterException", there.put_secret_value, SecretId=name, SecretString="three")
    there.stop_replication_to_replica(SecretId=name)
    there.put_secret_value(SecretId=name, SecretString="three")
    equal(secrets.get_secret_value(SecretId=name)["SecretString"], "two")


def test_random_passwords():
    password = secrets.get_random_password(PasswordLength=40, ExcludeCharacters="/@\"'\\")
    equal(len(password["RandomPassword"]), 40)


def test_no_record_of_a_call_holds_a_value():
    name = unique("recorded")
    secrets.create_secret(Name=name, SecretString="hunter2")
    secrets.put_secret_value(SecretId=name, SecretString="hunter3")
    secrets.get_secret_value(SecretId=name)
    events = client("cloudtrail").lookup_events(
        LookupAttributes=[{"AttributeKey": "EventSource", "AttributeValue": "secretsmanager.amazonaws.com"}]
    )["Events"]
    mine = [one["CloudTrailEvent"] for one in events if name in one["CloudTrailEvent"]]
    equal({json.loads(one)["eventName"] for one in mine}, {"CreateSecret", "PutSecretValue", "GetSecretValue"})
    assert not any("hunter" in one for one in mine), mine


def test_a_batch_is_recorded_secret_by_secret():
    name = unique("batch")
    secrets.create_secret(Name=name, SecretString="x")
    answer = secrets.batch_get_secret_value(SecretIdList=[name, f"{name}-none"])
    equal([one["SecretId"] for one in answer["Errors"]], [f"{name}-none"])
    events = client("cloudtrail").lookup_events(
        LookupAttributes=[{"AttributeKey": "EventName", "AttributeValue": "GetSecretValue"}]
    )["Events"]
    mine = [json.loads(one["CloudTrailEvent"]) for one in events if name in one["CloudTrailEvent"]]
    told = {one["requestParameters"]["secretId"]: one.get("errorCode") for one in mine}
    equal(told, {name: None, f"{name}-none": "ResourceNotFoundException"})


def test_nobody_takes_his_own_permissions_away_by_tags():
    name = unique("team")
    secrets.create_secret(Name=name, SecretString="x", Tags=[{"Key": "team", "Value": "red"}])
    red = {"StringEquals": {"aws:ResourceTag/team": "red"}}
    _, key = new_user(
        {"Effect": "Allow", "Action": "secretsmanager:*", "Resource": "*", "Condition": red}
    )
    user = client_of(key, "secretsmanager")
    blue = [{"Key": "team", "Value": "blue"}]
    refused("AccessDeniedException", user.tag_resource, SecretId=name, Tags=blue)
    refused("AccessDeniedException", user.untag_resource, SecretId=name, TagKeys=["team"])
    equal(user.get_secret_value(SecretId=name)["SecretString"], "x")


def test_aws_caching_client_works_unchanged():
    name = unique("cached")
    secrets.create_secret(Name=name, SecretString=json.dumps({"user": "u", "password": "p"}))
    cache = SecretCache(client=secrets)
    equal(json.loads(cache.get_secret_string(name)), {"user": "u", "password": "p"})
    secrets.put_secret_value(SecretId=name, SecretString="new")
    equal(json.loads(cache.get_secret_string(name))["password"], "p")

    @InjectKeywordedSecretString(secret_id=name, cache=cache, who="user")
    def inject(who):
        return who

    equal(inject(), "u")


if __name__ == "__main__":
    from harness import main

    main()
