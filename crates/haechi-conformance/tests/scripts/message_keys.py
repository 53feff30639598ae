"""Queues and topics under KMS keys, and secrets with replicas in other accounts, with --dev; by
boto3."""

import json
import urllib.request

from harness import ACCOUNT, ENDPOINT, client, client_of, equal, main, new_user, policy, refused, unique

OTHER = "444455556666"
sqs, sns, kms, events, trail = (
    client("sqs"), client("sns"), client("kms"), client("events"), client("cloudtrail")
)
secrets = client("secretsmanager")


def advance(seconds):
    body = json.dumps({"advance_seconds": seconds}).encode()
    urllib.request.urlopen(f"{ENDPOINT}/_haechi/clock", data=body).read()


def as_root_of(account, service):
    return client(service, aws_access_key_id=account, aws_secret_access_key="any")


def allow(actions, **more):
    return {"Effect": "Allow", "Action": actions, "Resource": "*", **more}


def new_key(*statements, of=kms, account=ACCOUNT):
    owner = allow("kms:*", Principal={"AWS": f"arn:aws:iam::{account}:root"})
    return of.create_key(Policy=policy(owner, *statements))["KeyMetadata"]


def service_key(*services):
    return new_key(*(
        allow(["kms:GenerateDataKey", "kms:Decrypt"], Principal={"Service": f"{service}.amazonaws.com"})
        for service in services
    ))["KeyId"]


def new_queue(**attributes):
    """A queue that services may send to."""
    name = unique("queue")
    statement = allow("sqs:SendMessage", Principal={"Service": ["sns.amazonaws.com", "events.amazonaws.com"]})
    attributes = {"Policy": policy(statement), **attributes}
    url = sqs.create_queue(QueueName=name, Attributes=attributes)["QueueUrl"]
    return url, f"arn:aws:sqs:us-east-1:{ACCOUNT}:{name}"


def receive(url, of=sqs, seconds=10):
    found = of.receive_message(QueueUrl=url, WaitTimeSeconds=seconds).get("Messages", [])
    for message in found:
        sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
    return [message["Body"] for message in found]


def test_a_queue_under_a_key_needs_it_of_senders_and_receivers():
    url, _ = new_queue(KmsMasterKeyId=new_key()["KeyId"], KmsDataKeyReusePeriodSeconds="60")
    sqs.send_message(QueueUrl=url, MessageBody="a")
    _, without = new_user(allow("sqs:*"))
    # As it was called in the time of query, which SDKs still show.
    refused("KMS.AccessDeniedException", client_of(without, "sqs").send_message,
            QueueUrl=url, MessageBody="b", contains="kms:GenerateDataKey")
    refused("KMS.AccessDeniedException", client_of(without, "sqs").receive_message,
            QueueUrl=url, contains="kms:Decrypt")
    _, reader = new_user(allow(["sqs:ReceiveMessage", "kms:Decrypt"]))
    equal(receive(url, client_of(reader, "sqs")), ["a"])


def test_a_key_that_is_disabled_stops_the_queue():
    key = new_key()["KeyId"]
    url, _ = new_queue(KmsMasterKeyId=key, KmsDataKeyReusePeriodSeconds="60")
    sqs.send_message(QueueUrl=url, MessageBody="a")
    kms.disable_key(KeyId=key)
    advance(61)
    refused("KMS.DisabledException", sqs.send_message, QueueUrl=url, MessageBody="b")
    refused("KMS.DisabledException", sqs.receive_message, QueueUrl=url)
    url, _ = new_queue(KmsMasterKeyId="alias/none")
    refused("KMS.NotFoundException", sqs.send_message, QueueUrl=url, MessageBody="b")


def test_from_rule_to_topic_to_queue_each_under_a_key():
    url, queue = new_queue(KmsMasterKeyId=service_key("sns"))
    topic = sns.create_topic(
        Name=unique("topic"), Attributes={"KmsMasterKeyId": service_key("events")}
    )["TopicArn"]
    statement = allow("sns:Publish", Principal={"Service": "events.amazonaws.com"})
    owner = allow(["sns:Publish", "sns:Subscribe"], Principal={"AWS": f"arn:aws:iam::{ACCOUNT}:root"})
    sns.set_topic_attributes(TopicArn=topic, AttributeName="Policy",
                             AttributeValue=policy({**statement, "Resource": topic}, {**owner, "Resource": topic}))
    sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=queue,
                  Attributes={"RawMessageDelivery": "true"})
    sns.publish(TopicArn=topic, Message="by hand")
    equal(receive(url), ["by hand"])
    rule, source = unique("rule"), unique("own.source")
    events.put_rule(Name=rule, EventPattern=json.dumps({"source": [source]}))
    events.put_targets(Rule=rule, Targets=[{"Id": "t", "Arn": topic}])
    events.put_events(Entries=[{"Source": source, "DetailType": "d", "Detail": '{"n": 1}'}])
    equal(json.loads(receive(url)[0])["detail"], {"n": 1})
    # A publisher who may not use the key publishes nothing.
    _, without = new_user(allow("sns:*"))
    refused("KMSAccessDenied", client_of(without, "sns").publish, TopicArn=topic, Message="a")


def test_a_service_that_the_key_does_not_name_delivers_nothing():
    url, queue = new_queue(KmsMasterKeyId=service_key("events"))
    dead, dead_arn = new_queue()
    topic = sns.create_topic(Name=unique("topic"))["TopicArn"]
    sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=queue, Attributes={
        "RawMessageDelivery": "true",
        "RedrivePolicy": json.dumps({"deadLetterTargetArn": dead_arn}),
    })
    sns.publish(TopicArn=topic, Message="a")
    equal(receive(dead), ["a"])
    equal(receive(url, seconds=0), [])


def test_the_aws_managed_keys_serve_without_further_ado():
    url, _ = new_queue(KmsMasterKeyId="alias/aws/sqs")
    _, user = new_user(allow(["sqs:*", "sns:*"]))
    client_of(user, "sqs").send_message(QueueUrl=url, MessageBody="a")
    equal(receive(url, client_of(user, "sqs")), ["a"])
    plain, queue = new_queue()
    topic = sns.create_topic(Name=unique("t"), Attributes={"KmsMasterKeyId": "alias/aws/sns"})["TopicArn"]
    equal(sns.get_topic_attributes(TopicArn=topic)["Attributes"]["KmsMasterKeyId"], "alias/aws/sns")
    sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=queue,
                  Attributes={"RawMessageDelivery": "true"})
    client_of(user, "sns").publish(TopicArn=topic, Message="b")
    equal(receive(plain), ["b"])
    aliases = [alias["AliasName"] for alias in kms.list_aliases()["Aliases"] if "TargetKeyId" in alias]
    assert {"alias/aws/sqs", "alias/aws/sns"} <= set(aliases), aliases


def test_calls_of_kms_are_recorded_with_who_asked_for_them():
    key = new_key()["KeyId"]
    url, queue = new_queue(KmsMasterKeyId=key)
    sqs.send_message(QueueUrl=url, MessageBody="a")
    found = trail.lookup_events(
        LookupAttributes=[{"AttributeKey": "EventName", "AttributeValue": "GenerateDataKey"}]
    )["Events"]
    record = json.loads(found[0]["CloudTrailEvent"])
    equal(record["requestParameters"]["encryptionContext"], {"aws:sqs:arn": queue})
    equal(record["userIdentity"]["invokedBy"], "sqs.amazonaws.com")


def test_a_secret_has_a_replica_in_another_account():
    theirs = as_root_of(OTHER, "secretsmanager")
    use = allow("kms:Encrypt", Principal={"AWS": f"arn:aws:iam::{ACCOUNT}:root"})
    key = new_key(use, of=as_root_of(OTHER, "kms"), account=OTHER)["Arn"]
    primary = secrets.create_secret(Name=unique("s"), SecretString="1")["ARN"]
    replica = theirs.create_secret(Name=unique("copy"), KmsKeyId=key, CrossAccountPrimaryARN=primary)["ARN"]
    names = [one["PolicyName"] for one in theirs.list_resource_policies(SecretId=replica)["ResourcePolicies"]]
    equal(names, ["cross-account-replication"])
    refused("InvalidRequestException", secrets.associate_cross_account_replica,
            SecretId=primary, CrossAccountReplicaARN=replica)
    told = secrets.associate_cross_account_replica(
        SecretId=primary, CrossAccountReplicaARN=replica, ReplicaRestriction="NoRestriction"
    )
    equal(told["ReplicationStatus"], "InSync")
    secrets.put_secret_value(SecretId=primary, SecretString="2")
    equal(theirs.get_secret_value(SecretId=replica)["SecretString"], "2")
    equal(theirs.describe_secret(SecretId=replica)["CrossAccountPrimary"]["PrimarySecretARN"], primary)
    secrets.disassociate_cross_account_replica(SecretId=primary, CrossAccountReplicaARN=replica)
    equal(theirs.describe_secret(SecretId=replica)["CrossAccountPrimary"]["ReplicationStatus"], "Detached")
    theirs.stop_replication_to_replica(SecretId=replica)
    theirs.put_secret_value(SecretId=replica, SecretString="own")
    found = trail.lookup_events(
        LookupAttributes=[{"AttributeKey": "EventName", "AttributeValue": "AssociateCrossAccountReplica"}]
    )["Events"]
    arns = [one["ARN"] for one in json.loads(found[0]["CloudTrailEvent"])["resources"]]
    equal(sorted(arns), sorted([primary, replica]))


main()
