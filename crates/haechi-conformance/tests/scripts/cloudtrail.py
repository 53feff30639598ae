"""LookupEvents, and trails as clients manage them."""

import datetime
import json

from harness import ACCOUNT, REGION, client, client_of, equal, main, new_user, policy, refused, unique

cloudtrail = client("cloudtrail")
kms = client("kms")


def lookup(key, value, reader=cloudtrail, **parameters):
    attributes = [{"AttributeKey": key, "AttributeValue": value}]
    pages = reader.get_paginator("lookup_events").paginate(
        LookupAttributes=attributes, **parameters
    )
    return [event for page in pages for event in page["Events"]]


def arn(name):
    return f"arn:aws:cloudtrail:{REGION}:{ACCOUNT}:trail/{name}"


def new_trail(**parameters):
    name = unique("trail")
    cloudtrail.create_trail(Name=name, S3BucketName="logs-bucket", **parameters)
    return name


def test_a_call_is_found_by_each_of_its_attributes():
    key_arn = kms.create_key()["KeyMetadata"]["Arn"]
    (event,) = lookup("ResourceName", key_arn, MaxResults=50)
    equal(event["EventName"], "CreateKey")
    equal(event["EventSource"], "kms.amazonaws.com")
    equal(event["ReadOnly"], "false")
    equal(event["Username"], "root")
    equal(event["Resources"], [{"ResourceType": "AWS::KMS::Key", "ResourceName": key_arn}])
    record = json.loads(event["CloudTrailEvent"])
    equal(record["eventID"], event["EventId"])
    equal(record["recipientAccountId"], ACCOUNT)
    for key, value in {
        "EventId": event["EventId"],
        "EventName": "CreateKey",
        "EventSource": "kms.amazonaws.com",
        "ReadOnly": "false",
        "Username": "root",
        "AccessKeyId": event["AccessKeyId"],
        "ResourceType": "AWS::KMS::Key",
        "ResourceName": key_arn.split("/")[-1],
    }.items():
        found = [other["EventId"] for other in lookup(key, value)]
        assert event["EventId"] in found, f"not found by {key}={value}"
    equal(lookup("EventId", "nothing"), [])


def test_a_denied_call_is_found_too():
    name, access_key = new_user()
    refused("AccessDeniedException", client_of(access_key, "kms").list_keys)
    (event,) = lookup("AccessKeyId", access_key["AccessKeyId"])
    equal((event["EventName"], event["Username"]), ("ListKeys", name))
    equal(json.loads(event["CloudTrailEvent"])["errorCode"], "AccessDenied")


def test_sts_reads_and_writes_as_cloudtrail_has_it():
    every = {"Effect": "Allow", "Action": "*", "Resource": "*"}
    _, access_key = new_user(every)
    iam, sts = client("iam"), client_of(access_key, "sts")
    trust = {"Effect": "Allow", "Action": ["sts:AssumeRole", "sts:TagSession"], "Principal": {"AWS": ACCOUNT}}
    name = unique("role")
    role = iam.create_role(RoleName=name, AssumeRolePolicyDocument=policy(trust))["Role"]["Arn"]
    iam.put_role_policy(RoleName=name, PolicyName="p", PolicyDocument=policy(every))
    sts.get_caller_identity()
    sts.get_session_token()
    sts.get_federation_token(Name="guest")
    first = sts.assume_role(
        RoleArn=role, RoleSessionName="ss", Tags=[{"Key": "team", "Value": "red"}], TransitiveTagKeys=["team"]
    )["Credentials"]
    events = lookup("AccessKeyId", access_key["AccessKeyId"])
    equal(
        {event["EventName"]: event["ReadOnly"] for event in events},
        {
            "AssumeRole": "true",
            "GetCallerIdentity": "true",
            "GetFederationToken": "false",
            "GetSessionToken": "true",
        },
    )
    (assumed,) = [event for event in events if event["EventName"] == "AssumeRole"]
    answer = json.loads(assumed["CloudTrailEvent"])["responseElements"]
    equal(answer["credentials"]["accessKeyId"], first["AccessKeyId"])
    chained = client_of(first, "sts", aws_session_token=first["SessionToken"])
    chained.assume_role(RoleArn=role, RoleSessionName="tt")
    (event,) = lookup("AccessKeyId", first["AccessKeyId"])
    parameters = json.loads(event["CloudTrailEvent"])["requestParameters"]
    equal(parameters["incomingTransitiveTags"], {"team": "red"})
    equal(parameters["roleArn"], role)


def test_what_changes_a_key_is_told_with_its_arn_and_no_token_of_a_grant():
    name, access_key = new_user({"Effect": "Allow", "Action": "kms:*", "Resource": "*"})
    mine = client_of(access_key, "kms")
    key = mine.create_key()["KeyMetadata"]
    mine.enable_key_rotation(KeyId=key["KeyId"])
    alias = f"alias/{name}"
    mine.create_alias(AliasName=alias, TargetKeyId=key["KeyId"])
    grantee = f"arn:aws:iam::{ACCOUNT}:root"
    made = mine.create_grant(KeyId=key["KeyId"], GranteePrincipal=grantee, Operations=["Encrypt"])
    mine.retire_grant(GrantToken=made["GrantToken"])
    events = lookup("AccessKeyId", access_key["AccessKeyId"])
    records = {event["EventName"]: json.loads(event["CloudTrailEvent"]) for event in events}
    for name in ("EnableKeyRotation", "CreateAlias", "CreateGrant", "RetireGrant"):
        equal(records[name]["responseElements"]["keyId"], key["Arn"])
    equal(records["CreateGrant"]["responseElements"]["grantId"], made["GrantId"])
    equal(records["RetireGrant"]["additionalEventData"], {"grantId": made["GrantId"]})
    assert made["GrantToken"] not in json.dumps(records)


def test_who_may_not_look_up_is_refused():
    _, access_key = new_user()
    refused("AccessDeniedException", client_of(access_key, "cloudtrail").lookup_events)


def test_global_events_are_in_us_east_1():
    name, _ = new_user()
    here = client("cloudtrail", region_name="us-east-1")
    names = {
        event["EventName"]
        for event in lookup("EventSource", "iam.amazonaws.com", here)
        if name in event["CloudTrailEvent"]
    }
    assert {"CreateUser", "CreateAccessKey"} <= names, names
    elsewhere = client("cloudtrail", region_name="eu-west-3")
    equal(lookup("EventSource", "iam.amazonaws.com", elsewhere), [])


def test_events_come_newest_first_page_by_page():
    for _ in range(5):
        kms.list_aliases()
    pages = cloudtrail.get_paginator("lookup_events").paginate(
        LookupAttributes=[{"AttributeKey": "EventName", "AttributeValue": "ListAliases"}],
        PaginationConfig={"PageSize": 2},
    )
    events = [event for page in pages for event in page["Events"]]
    assert len(events) >= 5
    equal(len({event["EventId"] for event in events}), len(events))
    times = [event["EventTime"] for event in events]
    equal(times, sorted(times, reverse=True))


def test_times_bound_what_is_found():
    kms.list_aliases()
    hour = datetime.timedelta(hours=1)
    now = datetime.datetime.now(datetime.timezone.utc)
    assert lookup("EventName", "ListAliases", StartTime=now - hour, EndTime=now + hour)
    equal(lookup("EventName", "ListAliases", StartTime=now - 2 * hour, EndTime=now - hour), [])
    refused(
        "InvalidTimeRangeException", cloudtrail.lookup_events, StartTime=now, EndTime=now - hour
    )


def test_lookups_that_aws_refuses():
    pair = [{"AttributeKey": "EventName", "AttributeValue": "x"}] * 2
    refused("InvalidLookupAttributesException", cloudtrail.lookup_events, LookupAttributes=pair)
    refused("InvalidNextTokenException", cloudtrail.lookup_events, NextToken="nonsense")


def test_a_trail_is_made_shown_changed_and_deleted():
    name = unique("trail")
    made = cloudtrail.create_trail(
        Name=name,
        S3BucketName="logs-bucket",
        S3KeyPrefix="some/prefix",
        IsMultiRegionTrail=True,
        EnableLogFileValidation=True,
        TagsList=[{"Key": "team", "Value": "red"}],
    )
    equal(made["TrailARN"], arn(name))
    trail = cloudtrail.get_trail(Name=name)["Trail"]
    equal(trail["HomeRegion"], REGION)
    equal(trail["S3KeyPrefix"], "some/prefix")
    assert trail["LogFileValidationEnabled"] and trail["IsMultiRegionTrail"]
    shadows = client("cloudtrail", region_name="eu-west-3").describe_trails()["trailList"]
    assert arn(name) in [shadow["TrailARN"] for shadow in shadows]
    listed = cloudtrail.get_paginator("list_trails").paginate().build_full_result()["Trails"]
    assert arn(name) in [info["TrailARN"] for info in listed]
    changed = cloudtrail.update_trail(Name=arn(name), S3BucketName="other-bucket", S3KeyPrefix="")
    equal(changed["S3BucketName"], "other-bucket")
    assert "S3KeyPrefix" not in changed
    equal(
        cloudtrail.list_tags(ResourceIdList=[arn(name)])["ResourceTagList"],
        [{"ResourceId": arn(name), "TagsList": [{"Key": "team", "Value": "red"}]}],
    )
    cloudtrail.add_tags(ResourceId=arn(name), TagsList=[{"Key": "cost", "Value": "1"}])
    cloudtrail.remove_tags(ResourceId=arn(name), TagsList=[{"Key": "team"}])
    (tags,) = cloudtrail.list_tags(ResourceIdList=[arn(name)])["ResourceTagList"]
    equal(tags["TagsList"], [{"Key": "cost", "Value": "1"}])
    cloudtrail.delete_trail(Name=name)
    refused(
        "TrailNotFoundException",
        cloudtrail.get_trail,
        Name=name,
        message=f"Unknown trail: {arn(name)} for the user: {ACCOUNT}",
    )


def test_logging_is_started_and_stopped():
    name = new_trail()
    assert not cloudtrail.get_trail_status(Name=name)["IsLogging"]
    cloudtrail.start_logging(Name=name)
    status = cloudtrail.get_trail_status(Name=name)
    assert status["IsLogging"] and status["StartLoggingTime"]
    cloudtrail.stop_logging(Name=name)
    status = cloudtrail.get_trail_status(Name=name)
    assert not status["IsLogging"] and status["StopLoggingTime"]
    cloudtrail.delete_trail(Name=name)


def test_selectors_are_kept_as_they_were_put():
    name = new_trail()
    (default,) = cloudtrail.get_event_selectors(TrailName=name)["EventSelectors"]
    equal(default["ReadWriteType"], "All")
    assert default["IncludeManagementEvents"]
    advanced = [
        {
            "Name": "writes",
            "FieldSelectors": [
                {"Field": "eventCategory", "Equals": ["Management"]},
                {"Field": "readOnly", "Equals": ["false"]},
            ],
        }
    ]
    cloudtrail.put_event_selectors(TrailName=name, AdvancedEventSelectors=advanced)
    kept = cloudtrail.get_event_selectors(TrailName=name)
    equal(kept["AdvancedEventSelectors"], advanced)
    assert "EventSelectors" not in kept
    assert cloudtrail.get_trail(Name=name)["Trail"]["HasCustomEventSelectors"]
    refused(
        "InvalidEventSelectorsException", cloudtrail.put_event_selectors, TrailName=name
    )
    for resource in (
        {"Type": "AWS::S3::Bucket", "Values": ["arn:aws:s3"]},
        {"Type": "AWS::S3::Object", "Values": ["bucket"]},
        {"Type": "AWS::S3::Object", "Values": [f"arn:aws:s3:::b{number}/" for number in range(251)]},
    ):
        refused(
            "InvalidEventSelectorsException",
            cloudtrail.put_event_selectors,
            TrailName=name,
            EventSelectors=[{"DataResources": [resource]}],
        )
    for fields in (
        {"eventCategory": "Other"},
        {"eventCategory": "Data"},
        {"eventCategory": "Management", "resources.type": "AWS::S3::Object"},
        {"eventCategory": "Management", "readOnly": "maybe"},
    ):
        selectors = [{"Field": field, "Equals": [value]} for field, value in fields.items()]
        refused(
            "InvalidEventSelectorsException",
            cloudtrail.put_event_selectors,
            TrailName=name,
            AdvancedEventSelectors=[{"FieldSelectors": selectors}],
        )
    equal(cloudtrail.get_event_selectors(TrailName=name)["AdvancedEventSelectors"], advanced)
    refused("ValidationException", cloudtrail.list_tags, ResourceIdList=[arn(name)] * 21)
    cloudtrail.delete_trail(Name=name)


def test_names_that_aws_refuses():
    refused(
        "InvalidTrailNameException",
        cloudtrail.create_trail,
        Name="ab",
        S3BucketName="logs-bucket",
        message="Trail name too short. Minimum allowed length: 3 characters. "
        "Specified name length: 2 characters.",
    )
    name = new_trail()
    refused(
        "TrailAlreadyExistsException",
        cloudtrail.create_trail,
        Name=name,
        S3BucketName="logs-bucket",
        message=f"Trail {name} already exists for customer: {ACCOUNT}",
    )
    refused(
        "InvalidS3BucketNameException",
        cloudtrail.create_trail,
        Name=unique("trail"),
        S3BucketName="../../etc",
    )
    refused(
        "InvalidS3PrefixException",
        cloudtrail.create_trail,
        Name=unique("trail"),
        S3BucketName="logs-bucket",
        S3KeyPrefix="../up",
    )
    cloudtrail.delete_trail(Name=name)


def test_what_is_not_done_says_so():
    refused("UnsupportedOperation", cloudtrail.list_event_data_stores, status=501)
    refused("UnsupportedOperation", cloudtrail.list_channels, status=501)
    refused("UnsupportedOperation", cloudtrail.get_insight_selectors, TrailName="abc", status=501)
    refused(
        "UnsupportedOperation",
        cloudtrail.create_trail,
        Name=unique("trail"),
        S3BucketName="logs-bucket",
        KmsKeyId="alias/logs",
        contains="KmsKeyId of cloudtrail:CreateTrail",
        status=501,
    )


def test_a_call_that_a_service_makes_tells_who_made_it():
    secrets = client("secretsmanager")
    secret = secrets.create_secret(Name=unique("secret"), SecretString="x")["ARN"]
    secrets.get_secret_value(SecretId=secret)
    made = {}
    for event in lookup("EventSource", "kms.amazonaws.com"):
        record = json.loads(event["CloudTrailEvent"])
        context = (record["requestParameters"] or {}).get("encryptionContext") or {}
        if context.get("SecretARN") == secret:
            made[record["eventName"]] = record
    equal(sorted(made), ["Decrypt", "GenerateDataKey"])
    for record in made.values():
        service = "secretsmanager.amazonaws.com"
        equal(record["userIdentity"]["invokedBy"], service)
        equal(record["sourceIPAddress"], service)
        equal(record["userIdentity"]["type"], "Root")


def test_records_of_kms_tell_which_key_material_was_used():
    kms = client("kms")
    key, other = (kms.create_key()["KeyMetadata"]["KeyId"] for _ in range(2))
    context = {"test": unique("context")}
    first = kms.generate_data_key(KeyId=key, KeySpec="AES_256", EncryptionContext=context)
    material = first["KeyMaterialId"]
    blob = kms.encrypt(KeyId=key, Plaintext=b"x", EncryptionContext=context)["CiphertextBlob"]
    kms.decrypt(CiphertextBlob=blob, EncryptionContext=context)
    kms.generate_data_key_without_plaintext(
        KeyId=key, KeySpec="AES_256", EncryptionContext=context
    )
    kms.generate_data_key_pair(KeyId=key, KeyPairSpec="ECC_NIST_P256", EncryptionContext=context)
    kms.generate_data_key_pair_without_plaintext(
        KeyId=key, KeyPairSpec="ECC_NIST_P256", EncryptionContext=context
    )
    moved = kms.re_encrypt(
        CiphertextBlob=blob,
        DestinationKeyId=other,
        SourceEncryptionContext=context,
        DestinationEncryptionContext=context,
    )
    told = {}
    for event in lookup("EventSource", "kms.amazonaws.com"):
        record = json.loads(event["CloudTrailEvent"])
        if context["test"] in json.dumps(record["requestParameters"]):
            told[record["eventName"]] = record.get("additionalEventData")
    both = {
        "destinationKeyMaterialId": moved["DestinationKeyMaterialId"],
        "sourceKeyMaterialId": material,
    }
    equal(told.pop("ReEncrypt"), both)
    equal(len(told), 6)
    for name, details in told.items():
        equal((name, details), (name, {"keyMaterialId": material}))


def test_what_is_done_to_a_key_of_several_regions_is_on_record_in_both():
    away = "eu-west-1"
    key = kms.create_key(MultiRegion=True)["KeyMetadata"]
    kms.replicate_key(KeyId=key["KeyId"], ReplicaRegion=away)
    kms.update_primary_region(KeyId=key["KeyId"], PrimaryRegion=away)
    at_home = lookup("ResourceName", key["Arn"])
    equal(
        sorted(event["EventName"] for event in at_home),
        ["CreateKey", "ReplicateKey", "UpdatePrimaryRegion"],
    )
    replica = key["Arn"].replace(REGION, away)
    there = lookup("ResourceName", replica, reader=client("cloudtrail", region_name=away))
    records = {event["EventName"]: json.loads(event["CloudTrailEvent"]) for event in there}
    equal(sorted(records), ["CreateKey", "UpdatePrimaryRegion"])
    for record in records.values():
        equal(record["awsRegion"], away)
        equal(record["userIdentity"]["invokedBy"], "kms.amazonaws.com")
        equal(record["userIdentity"]["type"], "Root")
    equal(records["CreateKey"]["requestParameters"]["multiRegion"], True)
    equal(records["CreateKey"]["responseElements"]["keyMetadata"]["arn"], replica)


main()
