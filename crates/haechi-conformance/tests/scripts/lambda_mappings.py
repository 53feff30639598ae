"""Event source mappings of queues; where records of events go; links to code; by boto3."""

import hashlib
import base64
import json
import os
import ssl
import urllib.error
import urllib.request

from functions import allow, arn_of, invoke, lambda_, new_function, new_role, until
from harness import ACCOUNT, REGION, client, equal, main, refused, unique

sqs, sns, events = client("sqs"), client("sns"), client("events")
READS = allow("sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes", "sqs:SendMessage")
# Tells what it gets; fails at messages that were not received often enough.
TELL = """
import boto3, json, os
def handler(event, context):
    failed = []
    for one in event["Records"]:
        body = json.loads(one["body"])
        if int(one["attributes"]["ApproximateReceiveCount"]) <= body.get("fails", 0):
            failed.append({"itemIdentifier": one["messageId"]})
    boto3.client("sqs").send_message(QueueUrl=os.environ["QUEUE"], MessageBody=json.dumps(event))
    return {"batchItemFailures": failed}
"""
FAIL = "def handler(event, context):\n    raise Exception('intentional failure')\n"


def new_queue(suffix="", **attributes):
    url = sqs.create_queue(QueueName=unique("queue") + suffix, Attributes=attributes)["QueueUrl"]
    names = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])
    return url, names["Attributes"]["QueueArn"]


def taken(url):
    """The next message, which is then gone."""
    def one():
        return sqs.receive_message(QueueUrl=url, WaitTimeSeconds=2).get("Messages")

    message = until(one)[0]
    sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
    return json.loads(message["Body"])


def is_empty(url):
    names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
    told = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=names)["Attributes"]
    return all(count == "0" for count in told.values())


def new_teller(told):
    role = new_role(READS)
    environment = {"Variables": {"QUEUE": told}}
    return new_function(TELL, role=role, Environment=environment, Timeout=10)["FunctionName"]


def test_messages_reach_the_function_and_are_gone():
    (source, source_arn), (told, _) = new_queue(), new_queue()
    name = new_teller(told)
    made = lambda_.create_event_source_mapping(FunctionName=name, EventSourceArn=source_arn)
    equal(made.pop("ResponseMetadata")["HTTPStatusCode"], 202)
    made.pop("LastModified")
    id = made["UUID"]
    arn = f"arn:aws:lambda:{REGION}:{ACCOUNT}:event-source-mapping:{id}"
    equal(made, {
        "UUID": id, "EventSourceMappingArn": arn, "BatchSize": 10,
        "MaximumBatchingWindowInSeconds": 0, "EventSourceArn": source_arn,
        "FunctionArn": arn_of(name), "FunctionResponseTypes": [], "State": "Creating",
        "StateTransitionReason": "USER_INITIATED",
    })
    equal(lambda_.get_event_source_mapping(UUID=id)["State"], "Enabled")
    sqs.send_message(
        QueueUrl=source, MessageBody='{"n": 1}',
        MessageAttributes={"Title": {"DataType": "String", "StringValue": "t"}},
    )
    record = taken(told)["Records"][0]
    equal(sorted(record.pop("attributes")), ["ApproximateFirstReceiveTimestamp",
          "ApproximateReceiveCount", "SenderId", "SentTimestamp"])
    del record["messageId"], record["receiptHandle"], record["md5OfMessageAttributes"]
    equal(record, {
        "body": '{"n": 1}', "md5OfBody": hashlib.md5(b'{"n": 1}').hexdigest(),
        "messageAttributes": {"Title": {"stringValue": "t", "stringListValues": [],
                                        "binaryListValues": [], "dataType": "String"}},
        "eventSource": "aws:sqs", "eventSourceARN": source_arn, "awsRegion": REGION,
    })
    until(lambda: is_empty(source))
    refused("ResourceConflictException", lambda_.create_event_source_mapping,
            FunctionName=name, EventSourceArn=source_arn,
            message=f'An event source mapping with SQS arn (" {source_arn} ") and function '
                    f'(" {name} ") already exists. Please update or delete the existing mapping '
                    f"with UUID {id}")
    listed = lambda_.list_event_source_mappings(FunctionName=name)["EventSourceMappings"]
    equal([one["UUID"] for one in listed], [id])
    equal(lambda_.delete_event_source_mapping(UUID=id)["State"], "Deleting")
    refused("ResourceNotFoundException", lambda_.get_event_source_mapping, UUID=id,
            message="The resource you requested does not exist.")


def test_what_failed_comes_again_and_ends_as_a_dead_letter():
    letters, letters_arn = new_queue(".fifo", FifoQueue="true")
    redrive = json.dumps({"deadLetterTargetArn": letters_arn, "maxReceiveCount": 2})
    source, source_arn = new_queue(
        ".fifo", FifoQueue="true", VisibilityTimeout="10", RedrivePolicy=redrive)
    told, _ = new_queue()
    name = new_teller(told)
    for number, fails in enumerate([0, 1, 2]):
        sqs.send_message(QueueUrl=source, MessageBody=json.dumps({"n": number, "fails": fails}),
                         MessageGroupId="g", MessageDeduplicationId=str(number))
    made = lambda_.create_event_source_mapping(
        FunctionName=name, EventSourceArn=source_arn,
        FunctionResponseTypes=["ReportBatchItemFailures"])
    numbers = lambda event: [json.loads(one["body"])["n"] for one in event["Records"]]
    equal(numbers(taken(told)), [0, 1, 2])
    equal(numbers(taken(told)), [1, 2])
    equal(taken(letters)["n"], 2)
    lambda_.delete_event_source_mapping(UUID=made["UUID"])


def test_a_mapping_is_turned_off_and_on_and_filters():
    (source, source_arn), (told, _) = new_queue(), new_queue()
    name = new_teller(told)
    made = lambda_.create_event_source_mapping(
        FunctionName=name, EventSourceArn=source_arn, Enabled=False, Tags={"a": "b"})
    equal(made["State"], "Disabled")
    id, arn = made["UUID"], made["EventSourceMappingArn"]
    lambda_.tag_resource(Resource=arn, Tags={"c": "d"})
    lambda_.untag_resource(Resource=arn, TagKeys=["a"])
    equal(lambda_.list_tags(Resource=arn)["Tags"], {"c": "d"})
    for body in [{"kind": "other"}, {"kind": "order"}]:
        sqs.send_message(QueueUrl=source, MessageBody=json.dumps(body))
    filters = {"Filters": [{"Pattern": json.dumps({"body": {"kind": ["order"]}})}]}
    changed = lambda_.update_event_source_mapping(
        UUID=id, Enabled=True, FilterCriteria=filters, MaximumBatchingWindowInSeconds=1)
    equal((changed["State"], changed["FilterCriteria"]), ("Enabling", filters))
    found = taken(told)["Records"]
    equal([json.loads(one["body"])["kind"] for one in found], ["order"])
    # As recorded: where messages are gathered, that there is no digest is told.
    equal(found[0]["md5OfMessageAttributes"], None)
    until(lambda: is_empty(source))
    equal(lambda_.update_event_source_mapping(UUID=id, Enabled=False)["State"], "Disabling")
    equal(lambda_.get_event_source_mapping(UUID=id)["State"], "Disabled")
    lambda_.delete_event_source_mapping(UUID=id)


def test_mappings_that_cannot_be_are_refused():
    _, source_arn = new_queue()
    name = new_function(TELL, role=new_role(READS))["FunctionName"]
    wrong = "InvalidParameterValueException"

    def no_mapping(message, code=wrong, FunctionName=name, EventSourceArn=source_arn, **settings):
        refused(code, lambda_.create_event_source_mapping, FunctionName=FunctionName,
                EventSourceArn=EventSourceArn, message=message, **settings)

    no_mapping("Maximum batch window in seconds must be greater than 0 if maximum batch size is "
               "greater than 10", BatchSize=11)
    no_mapping("StartingPosition is not valid for SQS event sources.", StartingPosition="LATEST")
    no_mapping("1 validation error detected: Value '0' at 'startingPosition' failed to satisfy "
               "constraint: Member must satisfy enum value set: [LATEST, AT_TIMESTAMP, "
               "TRIM_HORIZON]", code="ValidationException", StartingPosition="0")
    for pattern in ["null", "simple string", '{"eventSource": "aws:sqs"}', '{"eventSource": []}']:
        no_mapping("Invalid filter pattern definition.",
                   FilterCriteria={"Filters": [{"Pattern": pattern}]})
    no_mapping("Function does not exist", FunctionName="doesnotexist")
    no_mapping("Error occurred while ReceiveMessage. SQS Error Code: "
               "AWS.SimpleQueueService.NonExistentQueue. SQS Error Message: The specified queue "
               "does not exist.", EventSourceArn=source_arn + "x")
    streams = f"arn:aws:kinesis:{REGION}:{ACCOUNT}:stream/s"
    no_mapping("1 validation error detected: Value null at 'startingPosition' failed to satisfy "
               "constraint: Member must not be null.", EventSourceArn=streams)
    slow = new_function(TELL, role=new_role(READS), Timeout=60)["FunctionName"]
    no_mapping("Queue visibility timeout: 30 seconds is less than Function timeout: 60 seconds",
               FunctionName=slow)
    stranger = new_function(TELL, role=new_role())["FunctionName"]
    no_mapping("The provided execution role does not have permissions to call ReceiveMessage on "
               "SQS", FunctionName=stranger)


def test_records_go_to_topics_functions_and_buses():
    told, told_arn = new_queue()
    topic = sns.create_topic(Name=unique("topic"))["TopicArn"]
    allows = json.dumps({"Version": "2012-10-17", "Statement": [
        {"Effect": "Allow", "Principal": "*", "Action": "sqs:SendMessage", "Resource": told_arn}]})
    sqs.set_queue_attributes(QueueUrl=told, Attributes={"Policy": allows})
    sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=told_arn,
                  Attributes={"RawMessageDelivery": "true"})
    bus = events.create_event_bus(Name=unique("bus"))["EventBusArn"]
    rule = unique("rule")
    events.put_rule(Name=rule, EventBusName=bus, EventPattern=json.dumps({"source": ["lambda"]}))
    events.put_targets(Rule=rule, EventBusName=bus, Targets=[{"Id": "q", "Arn": told_arn}])
    source = ("import boto3, json, os\ndef handler(event, context):\n"
              "    boto3.client('sqs').send_message(QueueUrl=os.environ['QUEUE'], "
              "MessageBody=json.dumps(event))\n")
    other = new_function(source, role=new_role(allow("sqs:SendMessage")),
                         Environment={"Variables": {"QUEUE": told}})["FunctionName"]
    may = allow("sns:Publish", "lambda:InvokeFunction", "events:PutEvents")
    name = new_function(FAIL, role=new_role(may), DeadLetterConfig={"TargetArn": topic})["FunctionName"]
    for destination in [arn_of(other), bus]:
        lambda_.put_function_event_invoke_config(
            FunctionName=name, MaximumRetryAttempts=0,
            DestinationConfig={"OnFailure": {"Destination": destination}})
        invoke(name, {"to": destination}, InvocationType="Event")
        found = [taken(told), taken(told)]
        # The dead letter is the event itself.
        assert {"to": destination} in found, found
        found.remove({"to": destination})
        record = found[0]
        if destination == bus:
            equal(record["detail-type"], "Lambda Function Invocation Result - Failure")
            equal(record["resources"], [bus, arn_of(name) + ":$LATEST"])
            record = record["detail"]
        equal(record["requestContext"]["condition"], "RetriesExhausted")
        equal(record["requestPayload"], {"to": destination})
    wrong = arn_of(name).replace(":lambda:", ":iam:")
    refused("InvalidParameterValueException", lambda_.put_function_event_invoke_config,
            FunctionName=name, DestinationConfig={"OnSuccess": {"Destination": wrong}},
            message="The provided destination config DestinationConfig(onSuccess=OnSuccess("
                    f"destination={wrong}), onFailure=null) is invalid.")
    gone = arn_of(other) + "-gone"
    refused("InvalidParameterValueException", lambda_.put_function_event_invoke_config,
            FunctionName=name, DestinationConfig={"OnSuccess": {"Destination": gone}},
            message=f"The destination ARN {gone} is invalid.")


def test_code_is_fetched_by_its_link_alone():
    name = new_function(TELL)["FunctionName"]
    found = lambda_.get_function(FunctionName=name)
    link = found["Code"]["Location"]
    trust = ssl.create_default_context(cafile=os.environ.get("AWS_CA_BUNDLE"))
    body = urllib.request.urlopen(link, context=trust).read()
    digest = base64.b64encode(hashlib.sha256(body).digest()).decode()
    equal(digest, found["Configuration"]["CodeSha256"])
    for wrong in [link[:-1] + ("0" if link[-1] != "0" else "1"), link.replace("$LATEST", "1")]:
        try:
            urllib.request.urlopen(wrong, context=trust)
            raise AssertionError(f"{wrong} is answered")
        except urllib.error.HTTPError as error:
            assert error.code >= 400, error



main()
