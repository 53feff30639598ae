"""Topics: who subscribes gets what is published, if his filter wants it and his policy lets SNS in."""

import json
import time
import urllib.error

from harness import ACCOUNT, ENDPOINT, REGION, client, client_of, equal, main, new_user, policy, refused, unique
from sns_messages import fetch, verifies

sns = client("sns")
sqs = client("sqs")
MISSING = f"arn:aws:sns:{REGION}:{ACCOUNT}:no-such-topic"


def new_topic(name=None, tags=(), **attributes):
    name = name or unique("topic")
    return sns.create_topic(Name=name, Attributes=attributes, Tags=list(tags))["TopicArn"]


def new_fifo(**attributes):
    return new_topic(unique("topic") + ".fifo", FifoTopic="true", **attributes)


def new_queue(topic=None, fifo=False, statement=None):
    name = unique("queue") + (".fifo" if fifo else "")
    attributes = {"FifoQueue": "true"} if fifo else {}
    queue = sqs.create_queue(QueueName=name, Attributes=attributes)["QueueUrl"]
    arn = f"arn:aws:sqs:{REGION}:{ACCOUNT}:{name}"
    if topic:
        statement = {
            "Effect": "Allow",
            "Principal": {"Service": "sns.amazonaws.com"},
            "Action": "sqs:SendMessage",
            "Resource": arn,
            "Condition": {"ArnEquals": {"aws:SourceArn": topic}},
        }
        sqs.set_queue_attributes(QueueUrl=queue, Attributes={"Policy": policy(statement)})
    return queue, arn


def subscribe(topic, fifo=False, **attributes):
    queue, arn = new_queue(topic, fifo)
    answer = sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn, Attributes=attributes)
    return queue, answer["SubscriptionArn"]


def received(queue, count=1, seconds=10):
    """Messages of a queue, deleted: as many as `count`, or those that come within the time."""
    messages, until = [], time.time() + seconds
    while len(messages) < count and time.time() < until:
        got = sqs.receive_message(
            QueueUrl=queue,
            WaitTimeSeconds=1,
            MaxNumberOfMessages=10,
            MessageAttributeNames=["All"],
            MessageSystemAttributeNames=["All"],
        )
        for message in got.get("Messages", []):
            sqs.delete_message(QueueUrl=queue, ReceiptHandle=message["ReceiptHandle"])
            messages.append(message)
    return messages


def attribute(value, kind="String"):
    field = "BinaryValue" if kind == "Binary" else "StringValue"
    return {"DataType": kind, field: value}


def test_a_topic_is_made_once_and_shows_its_attributes():
    name = unique("topic")
    arn = new_topic(name, DisplayName="Value1")
    equal(arn, f"arn:aws:sns:{REGION}:{ACCOUNT}:{name}")
    equal(new_topic(name), arn)
    equal(new_topic(name, DisplayName="Value1"), arn)
    message = "Invalid parameter: Attributes Reason: Topic already exists with different attributes"
    refused("InvalidParameter", new_topic, name, DisplayName="Value2", message=message, status=400)
    shown = sns.get_topic_attributes(TopicArn=arn)["Attributes"]
    equal(json.loads(shown.pop("Policy")), {
        "Version": "2008-10-17",
        "Id": "__default_policy_ID",
        "Statement": [{
            "Sid": "__default_statement_ID",
            "Effect": "Allow",
            "Principal": {"AWS": "*"},
            "Action": [f"SNS:{action}" for action in (
                "GetTopicAttributes", "SetTopicAttributes", "AddPermission", "RemovePermission",
                "DeleteTopic", "Subscribe", "ListSubscriptionsByTopic", "Publish")],
            "Resource": arn,
            "Condition": {"StringEquals": {"AWS:SourceOwner": ACCOUNT}},
        }],
    })
    equal(json.loads(shown.pop("EffectiveDeliveryPolicy")), {"http": {
        "defaultHealthyRetryPolicy": {
            "minDelayTarget": 20, "maxDelayTarget": 20, "numRetries": 3, "numMaxDelayRetries": 0,
            "numNoDelayRetries": 0, "numMinDelayRetries": 0, "backoffFunction": "linear"},
        "disableSubscriptionOverrides": False,
        "defaultRequestPolicy": {"headerContentType": "text/plain; charset=UTF-8"},
    }})
    equal(shown, {
        "TopicArn": arn, "Owner": ACCOUNT, "DisplayName": "Value1", "SubscriptionsConfirmed": "0",
        "SubscriptionsPending": "0", "SubscriptionsDeleted": "0"})
    assert arn in [topic["TopicArn"] for page in sns.get_paginator("list_topics").paginate() for topic in page["Topics"]]
    sns.delete_topic(TopicArn=arn)
    sns.delete_topic(TopicArn=arn)
    refused("NotFound", sns.get_topic_attributes, TopicArn=arn, message="Topic does not exist", status=404)


def test_names_and_arns_are_checked_as_aws_does():
    message = "Invalid parameter: Topic Name"
    for name in ["", "a" * 257, "a!", "a.fifo", "topic with space"]:
        refused(("InvalidParameter", "ValidationError"), new_topic, name or "%", message=message)
    refused("InvalidParameter", new_topic, "no-fifo", FifoTopic="true", message=message)
    for arn, reason in [
        ("x", "TopicArn Reason: An ARN must have at least 6 elements, not 1"),
        (f"arn:aws:sns:eu-west-3:{ACCOUNT}:t", "TopicArn"),
    ]:
        refused("InvalidParameter", sns.publish, TopicArn=arn, Message="m", message=f"Invalid parameter: {reason}")
    refused("NotFound", sns.publish, TopicArn=MISSING, Message="m", message="Topic does not exist", status=404)
    refused("NotFound", sns.subscribe, TopicArn=MISSING, Protocol="sqs", Endpoint=f"arn:aws:sqs:{REGION}:{ACCOUNT}:q")
    for arn, reason in [
        ("randomstring", "SubscriptionArn Reason: An ARN must have at least 6 elements, not 1"),
        ("arn:aws:sns:us-east-1:random", "SubscriptionArn Reason: An ARN must have at least 6 elements, not 5"),
        (f"arn:aws:sns:{REGION}:{ACCOUNT}:topic", "SubscriptionId"),
        ("", "SubscriptionArn Reason: no value for required parameter"),
    ]:
        refused("InvalidParameter", sns.unsubscribe, SubscriptionArn=arn, message=f"Invalid parameter: {reason}")


def test_a_queue_gets_what_is_published_signed():
    for version in ("1", "2"):
        topic = new_topic(SignatureVersion=version)
        queue, subscription = subscribe(topic)
        published = sns.publish(TopicArn=topic, Message='ö§a1"_!?,. £$-\n', Subject="About", MessageAttributes={
            "attr1": attribute("99.12", "Number"), "bin": attribute(b"\x02\x03\x04", "Binary")})
        (message,) = received(queue)
        envelope = json.loads(message["Body"])
        assert verifies(envelope), "the signature does not verify"
        assert message["Body"].startswith('{\n  "Type" : "Notification",\n  "MessageId" : "'), message["Body"]
        equal(list(envelope), ["Type", "MessageId", "TopicArn", "Subject", "Message", "Timestamp", "SignatureVersion",
                               "Signature", "SigningCertURL", "UnsubscribeURL", "MessageAttributes"])
        equal(envelope["MessageId"], published["MessageId"])
        equal((envelope["Message"], envelope["Subject"]), ('ö§a1"_!?,. £$-\n', "About"))
        equal(envelope["MessageAttributes"], {
            "attr1": {"Type": "Number", "Value": "99.12"}, "bin": {"Type": "Binary", "Value": "AgME"}})
        equal(envelope["SignatureVersion"], version)
        assert envelope["UnsubscribeURL"].endswith(f"/?Action=Unsubscribe&SubscriptionArn={subscription}")
        assert not verifies({**envelope, "Message": "other"}), "another message verifies"


def test_a_queue_gets_messages_raw_if_it_wants():
    topic = new_topic()
    queue, subscription = subscribe(topic, RawMessageDelivery="true")
    sns.publish(TopicArn=topic, Message="text", MessageAttributes={"attr1": attribute("99.12", "Number"), "b": attribute(b"\x02", "Binary")})
    (message,) = received(queue)
    equal(message["Body"], "text")
    equal(message["MessageAttributes"]["attr1"], {"DataType": "Number", "StringValue": "99.12"})
    equal(message["MessageAttributes"]["b"]["BinaryValue"], b"\x02")
    sns.set_subscription_attributes(SubscriptionArn=subscription, AttributeName="RawMessageDelivery", AttributeValue="false")
    sns.publish(TopicArn=topic, Message="text")
    (message,) = received(queue)
    equal(json.loads(message["Body"])["Message"], "text")


def test_a_subscription_is_made_once_and_shows_its_attributes():
    topic = new_topic()
    _, arn = new_queue(topic)
    new = lambda **attributes: sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn, Attributes=attributes)["SubscriptionArn"]
    subscription = new(RawMessageDelivery="true")
    equal([new(), new(RawMessageDelivery="true")], [subscription, subscription])
    message = "Invalid parameter: Attributes Reason: Subscription already exists with different attributes"
    refused("InvalidParameter", new, RawMessageDelivery="false", message=message)
    shown = sns.get_subscription_attributes(SubscriptionArn=subscription)["Attributes"]
    equal(shown, {
        "ConfirmationWasAuthenticated": "true", "Endpoint": arn, "Owner": ACCOUNT, "PendingConfirmation": "false",
        "Protocol": "sqs", "RawMessageDelivery": "true", "SubscriptionArn": subscription,
        "SubscriptionPrincipal": f"arn:aws:iam::{ACCOUNT}:root", "TopicArn": topic})
    row = {"SubscriptionArn": subscription, "Owner": ACCOUNT, "Protocol": "sqs", "Endpoint": arn, "TopicArn": topic}
    equal(sns.list_subscriptions_by_topic(TopicArn=topic)["Subscriptions"], [row])
    assert row in [row for page in sns.get_paginator("list_subscriptions").paginate() for row in page["Subscriptions"]]
    equal(sns.get_topic_attributes(TopicArn=topic)["Attributes"]["SubscriptionsConfirmed"], "1")
    sns.unsubscribe(SubscriptionArn=subscription)
    sns.unsubscribe(SubscriptionArn=subscription)
    equal(sns.list_subscriptions_by_topic(TopicArn=topic)["Subscriptions"], [])
    refused("NotFound", sns.get_subscription_attributes, SubscriptionArn=subscription, message="Subscription does not exist", status=404)
    assert new() != subscription


def test_what_cannot_be_subscribed_is_refused():
    topic = new_topic()
    try_ = lambda protocol, endpoint, **more: sns.subscribe(TopicArn=topic, Protocol=protocol, Endpoint=endpoint, **more)
    refused("InvalidParameter", try_, "sqs", "http://localhost/q", message="Invalid parameter: SQS endpoint ARN")
    refused("InvalidParameter", try_, "carrier-pigeon", "x", contains="does not support this protocol string")
    refused("UnsupportedOperation", try_, "sms", "+15551234567", status=501)
    fifo = f"arn:aws:sqs:{REGION}:{ACCOUNT}:q.fifo"
    refused("InvalidParameter", try_, "sqs", fifo, contains="FIFO SQS Queues can not be subscribed to standard SNS topics")
    arn = f"arn:aws:sqs:{REGION}:{ACCOUNT}:q"
    for attributes, message in [
        ({"FilterPolicyScope": "RandomValue"}, "FilterPolicyScope: Invalid value [RandomValue]. Please use either MessageBody or MessageAttributes"),
        ({"RawMessageDelivery": "wrong"}, "RawMessageDelivery: Invalid value [wrong]. Must be true or false."),
        ({"FilterPolicy": json.dumps({f"k{n}": ["v"] for n in range(6)})}, "FilterPolicy: Filter policy can not have more than 5 keys"),
        ({"FilterPolicy": '{"key": []}'}, "FilterPolicy: Empty arrays are not allowed"),
        ({"RedrivePolicy": "x"}, "RedrivePolicy: failed to parse JSON."),
        ({"RedrivePolicy": '{"deadLetterTargetArn": "x"}'}, "RedrivePolicy: deadLetterTargetArn is an invalid arn"),
        ({"Other": "x"}, "AttributeName"),
    ]:
        refused("InvalidParameter", try_, "sqs", arn, Attributes=attributes, message=f"Invalid parameter: Attributes Reason: {message}")


def test_filters_choose_by_attributes_and_by_body():
    topic = new_topic()
    by_attribute, _ = subscribe(topic, RawMessageDelivery="true", FilterPolicy=json.dumps(
        {"store": ["a", {"prefix": "b"}], "price": [{"numeric": [">", 0, "<=", 100]}]}))
    by_body, subscription = subscribe(topic, RawMessageDelivery="true", FilterPolicyScope="MessageBody",
                                      FilterPolicy=json.dumps({"object": {"key": [{"prefix": "auto-"}]}}))
    wanted = {"store": attribute("bee"), "price": attribute("99.5", "Number")}
    sns.publish(TopicArn=topic, Message="yes", MessageAttributes=wanted)
    sns.publish(TopicArn=topic, Message="no", MessageAttributes={**wanted, "price": attribute("101", "Number")})
    sns.publish(TopicArn=topic, Message="no")
    body = json.dumps({"object": {"key": "auto-test"}})
    sns.publish(TopicArn=topic, Message=body)
    sns.publish(TopicArn=topic, Message=json.dumps({"object": {"key": "other"}}))
    equal([m["Body"] for m in received(by_attribute, 1)], ["yes"])
    equal([m["Body"] for m in received(by_body, 1)], [body])
    shown = sns.get_subscription_attributes(SubscriptionArn=subscription)["Attributes"]
    equal(shown["FilterPolicyScope"], "MessageBody")
    sns.set_subscription_attributes(SubscriptionArn=subscription, AttributeName="FilterPolicy", AttributeValue="{}")
    assert "FilterPolicyScope" not in sns.get_subscription_attributes(SubscriptionArn=subscription)["Attributes"]
    sns.publish(TopicArn=topic, Message="last")
    equal([m["Body"] for m in received(by_body, 1)], ["last"])
    equal(received(by_attribute, 1, 1), [])


def test_a_message_may_say_something_else_to_each_protocol():
    topic = new_topic()
    queue, _ = subscribe(topic, RawMessageDelivery="true")
    publish = lambda message: sns.publish(TopicArn=topic, Message=message, MessageStructure="json")
    publish('{"default": "default field", "sqs": "{\\"field\\": \\"value\\"}"}')
    publish('{"default": "default field"}')
    equal(sorted(m["Body"] for m in received(queue, 2)), ["default field", '{"field": "value"}'])
    prefix = "Invalid parameter: Message Structure - "
    refused("InvalidParameter", publish, '{"a":', message=prefix + "JSON message body failed to parse")
    refused("InvalidParameter", publish, '{"sqs": "a"}', message=prefix + "No default entry in JSON message body")
    refused("InvalidParameter", publish, '{"default": {"a": 1}}', message=prefix + "No default entry in JSON message body")


def test_messages_are_checked_as_aws_does():
    topic = new_topic()
    publish = lambda **more: sns.publish(TopicArn=topic, **{"Message": "m", **more})
    invalid = lambda message, **more: refused("InvalidParameter", publish, message=f"Invalid parameter: {message}", **more)
    invalid("Empty message", Message="")
    invalid("Subject", Subject="")
    invalid("Subject", Subject="a" * 101)
    publish(Message="a" * 262144)
    invalid("Message too long", Message="a" * 262145)
    invalid("Message too long", Message="a" * 262140, MessageAttributes={"k": attribute("value")})
    invalid("MessageDeduplicationId Reason: The request includes MessageDeduplicationId parameter that is not valid for this topic type", MessageDeduplicationId="x")
    for name, value, message in [
        ("", attribute("v"), "The message attribute name must not be empty."),
        ("a^b", attribute("v"), "Invalid non-alphanumeric character '#x5E' was found in the message attribute name. Can only include alphanumeric characters, hyphens, underscores, or dots."),
        (".a", attribute("v"), "Invalid message attribute name starting with character '.' was found."),
        ("a.", attribute("v"), "Invalid message attribute name ending with character '.' was found."),
        ("a..b", attribute("v"), "Message attribute name can not have successive '.' character."),
        ("a" * 257, attribute("v"), "Length of message attribute name must be less than 256 bytes."),
        ("attr1", {"DataType": "String", "StringValue": ""}, "The message attribute 'attr1' must contain non-empty message attribute value for message attribute type 'String'."),
        ("attr1", {"DataType": "String"}, "The message attribute 'attr1' must contain non-empty message attribute value for message attribute type 'String'."),
        ("attr1", {"DataType": "String", "BinaryValue": b"x"}, "The message attribute 'attr1' with type 'String' must use field 'String'."),
        ("attr1", {"DataType": "Binary", "StringValue": "x"}, "The message attribute 'attr1' with type 'Binary' must use field 'Binary'."),
        ("attr1", {"DataType": "Other", "StringValue": "x"}, "The message attribute 'attr1' has an invalid message attribute type, the set of supported type prefixes is Binary, Number, and String."),
    ]:
        refused("ParameterValueInvalid", publish, MessageAttributes={name: value}, message=message)
        entry = {"Id": "1", "Message": "m", "MessageAttributes": {name: value}}
        refused("ParameterValueInvalid", sns.publish_batch, TopicArn=topic, PublishBatchRequestEntries=[entry], message=message)
    refused("UnsupportedOperation", sns.publish, PhoneNumber="+15551234567", Message="m", status=501)


def test_a_batch_tells_the_outcome_of_each():
    topic = new_topic()
    queue, _ = subscribe(topic, RawMessageDelivery="true")
    batch = lambda *entries: sns.publish_batch(TopicArn=topic, PublishBatchRequestEntries=list(entries))
    answer = batch({"Id": "1", "Message": "one"}, {"Id": "2", "Message": ""}, {"Id": "3", "Message": "three"})
    equal([entry["Id"] for entry in answer["Successful"]], ["1", "3"])
    (failed,) = answer["Failed"]
    equal((failed["Id"], failed["Code"], failed["SenderFault"]), ("2", "InvalidParameter", True))
    equal(sorted(m["Body"] for m in received(queue, 2)), ["one", "three"])
    refused("BatchEntryIdsNotDistinct", batch, {"Id": "1", "Message": "m"}, {"Id": "1", "Message": "m"})
    refused("TooManyEntriesInBatchRequest", batch, *({"Id": str(n), "Message": "m"} for n in range(11)))
    refused("InvalidBatchEntryId", batch, {"Id": "a b", "Message": "m"})
    refused("NotFound", sns.publish_batch, TopicArn=MISSING, PublishBatchRequestEntries=[{"Id": "1", "Message": "m"}])


def test_a_fifo_topic_keeps_the_order_and_forgets_what_comes_twice():
    topic = new_fifo(ContentBasedDeduplication="true")
    queue, _ = subscribe(topic, fifo=True, RawMessageDelivery="true")
    publish = lambda message, group="g", **more: sns.publish(TopicArn=topic, Message=message, MessageGroupId=group, **more)
    answers = [publish(f"{number:02}") for number in range(30)]
    assert [a["SequenceNumber"] for a in answers] == sorted(a["SequenceNumber"] for a in answers)
    again = publish("00")
    equal((again["MessageId"], again["SequenceNumber"]), (answers[0]["MessageId"], answers[0]["SequenceNumber"]))
    messages = received(queue, 30)
    equal([m["Body"] for m in messages], [f"{number:02}" for number in range(30)])
    equal({m["Attributes"]["MessageGroupId"] for m in messages}, {"g"})
    refused("InvalidParameter", sns.publish, TopicArn=topic, Message="m", message="Invalid parameter: The MessageGroupId parameter is required for FIFO topics")
    plain = new_fifo()
    refused("InvalidParameter", sns.publish, TopicArn=plain, Message="m", MessageGroupId="g", message="Invalid parameter: The topic should either have ContentBasedDeduplication enabled or MessageDeduplicationId provided explicitly")
    shown = sns.get_topic_attributes(TopicArn=topic)["Attributes"]
    equal((shown["FifoTopic"], shown["ContentBasedDeduplication"]), ("true", "true"))
    queue, _ = subscribe(topic, fifo=True)
    publish("Test")
    (message,) = received(queue)
    equal(message["Attributes"]["MessageDeduplicationId"], "532eaabd9574880dbf76b9b8cc00832c20a6ec113d682299550d7a6e0f345e25")
    envelope = json.loads(message["Body"])
    equal(list(envelope), ["Type", "MessageId", "SequenceNumber", "TopicArn", "Message", "Timestamp", "UnsubscribeURL"])


def test_a_queue_that_does_not_let_the_topic_in_gets_nothing():
    topic, other = new_topic(), new_topic()
    dead, dead_arn = new_queue(topic)
    _, arn = new_queue(other)
    sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn, Attributes={"RedrivePolicy": json.dumps({"deadLetterTargetArn": dead_arn})})
    sns.publish(TopicArn=topic, Message="lost", MessageAttributes={"attr1": attribute("1", "Number")})
    (letter,) = received(dead)
    envelope = json.loads(letter["Body"])
    equal((envelope["Message"], envelope["MessageAttributes"]), ("lost", {"attr1": {"Type": "Number", "Value": "1"}}))


def test_policies_say_who_may_publish_and_subscribe():
    topic = new_topic()
    _, key = new_user()
    user = client_of(key, "sns")
    error = refused("AuthorizationError", user.publish, TopicArn=topic, Message="m", status=403)
    assert f"is not authorized to perform: SNS:Publish on resource: {topic}" in error["Error"]["Message"], error
    _, key = new_user({"Effect": "Allow", "Action": "sns:Publish", "Resource": topic})
    client_of(key, "sns").publish(TopicArn=topic, Message="m")
    name, key = new_user()
    statement = {"Sid": "s", "Effect": "Allow", "Principal": {"AWS": f"arn:aws:iam::{ACCOUNT}:user/{name}"},
                 "Action": "SNS:Subscribe", "Resource": topic, "Condition": {"StringEquals": {"sns:Protocol": "sqs"}, "StringLike": {"sns:Endpoint": "*:allowed"}}}
    sns.set_topic_attributes(TopicArn=topic, AttributeName="Policy", AttributeValue=policy(statement))
    user = client_of(key, "sns")
    try_ = lambda queue: user.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=f"arn:aws:sqs:{REGION}:{ACCOUNT}:{queue}")
    try_("allowed")
    refused("AuthorizationError", try_, "other")
    wrong = policy({"Effect": "Allow", "Principal": "*", "Action": "s3:GetObject", "Resource": topic})
    refused("InvalidParameter", sns.set_topic_attributes, TopicArn=topic, AttributeName="Policy", AttributeValue=wrong, message="Invalid parameter: Policy statement action out of service scope!")


def test_permissions_are_added_and_removed_by_label():
    topic = new_topic()
    before = json.loads(sns.get_topic_attributes(TopicArn=topic)["Attributes"]["Policy"])
    add = lambda label, arn=topic, action="Publish": sns.add_permission(TopicArn=arn, Label=label, AWSAccountId=["444455556666"], ActionName=[action])
    add("label")
    statements = json.loads(sns.get_topic_attributes(TopicArn=topic)["Attributes"]["Policy"])["Statement"]
    equal(statements[1], {"Sid": "label", "Effect": "Allow", "Principal": {"AWS": "arn:aws:iam::444455556666:root"}, "Action": "SNS:Publish", "Resource": topic})
    refused("InvalidParameter", add, "label", message="Invalid parameter: Statement already exists")
    refused("InvalidParameter", add, "other", action="Invalid", message="Invalid parameter: Policy statement action out of service scope!")
    refused("NotFound", add, "other", arn=MISSING, message="Topic does not exist")
    sns.remove_permission(TopicArn=topic, Label="label")
    equal(json.loads(sns.get_topic_attributes(TopicArn=topic)["Attributes"]["Policy"]), before)
    refused("NotFound", sns.remove_permission, TopicArn=MISSING, Label="label")


def test_topics_are_tagged():
    tags = [{"Key": "team", "Value": "blue"}]
    topic = new_topic(tags=tags)
    equal(sns.list_tags_for_resource(ResourceArn=topic)["Tags"], tags)
    sns.tag_resource(ResourceArn=topic, Tags=[{"Key": "env", "Value": "prod"}])
    sns.untag_resource(ResourceArn=topic, TagKeys=["team"])
    equal(sns.list_tags_for_resource(ResourceArn=topic)["Tags"], [{"Key": "env", "Value": "prod"}])
    message = "Invalid parameter: Tags Reason: Topic already exists with different tags"
    refused("InvalidParameter", new_topic, topic.split(":")[-1], tags=tags, message=message)
    refused("ResourceNotFound", sns.list_tags_for_resource, ResourceArn=MISSING, message="Resource does not exist", status=404)


def test_a_token_that_is_none_confirms_nothing():
    topic = new_topic()
    confirm = lambda token, arn=topic: sns.confirm_subscription(TopicArn=arn, Token=token)
    refused("InvalidParameter", confirm, "randomtoken", message="Invalid token")
    refused("InvalidParameter", confirm, "51b2ff3edb475b7d" * 15, message="Invalid parameter: Token")
    refused("InvalidParameter", confirm, "51b2ff3edb475b7d" * 15, MISSING, message="Invalid parameter: Token")


def test_a_rule_publishes_if_the_topic_lets_it():
    events = client("events")
    topic, rule = new_topic(), unique("rule")
    queue, _ = subscribe(topic, RawMessageDelivery="true")
    arn = events.put_rule(Name=rule, EventPattern=json.dumps({"source": [rule]}))["RuleArn"]
    events.put_targets(Rule=rule, Targets=[{"Id": "topic", "Arn": topic}])
    put = lambda n: events.put_events(Entries=[{"Source": rule, "DetailType": "d", "Detail": json.dumps({"n": n})}])
    # The default policy does not let EventBridge in.
    put(1)
    equal(received(queue, 1, 2), [])
    statement = {"Effect": "Allow", "Principal": {"Service": "events.amazonaws.com"}, "Action": "sns:Publish",
                 "Resource": topic, "Condition": {"ArnEquals": {"aws:SourceArn": arn}}}
    sns.set_topic_attributes(TopicArn=topic, AttributeName="Policy", AttributeValue=policy(statement))
    put(2)
    (message,) = received(queue)
    equal(json.loads(message["Body"])["detail"], {"n": 2})


def test_many_subscriptions_get_each_message():
    topic = new_topic()
    queues = [subscribe(topic, RawMessageDelivery="true")[0] for _ in range(25)]
    long = "m" * 200_000
    sns.publish(TopicArn=topic, Message=long)
    for queue in queues:
        (message,) = received(queue)
        assert message["Body"] == long


def test_the_certificate_is_the_only_file_that_anybody_may_fetch():
    for path in ["/SimpleNotificationService-0.pem", "/SimpleNotificationService-"]:
        try:
            fetch(ENDPOINT + path)
            raise AssertionError("there is a file")
        except urllib.error.HTTPError as error:
            assert error.code in (400, 404), error.code


main()
