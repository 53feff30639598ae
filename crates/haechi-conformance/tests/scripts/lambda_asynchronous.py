"""Asynchronous invocations, destinations, events of EventBridge, messages of SNS; by boto3."""

import json

from functions import allow, arn_of, invoke, lambda_, new_function, new_role, until
from harness import ACCOUNT, client, equal, main, refused, unique

sqs, sns, events = client("sqs"), client("sns"), client("events")
NOTE = """
import boto3, json, os
def handler(event, context):
    boto3.client("sqs").send_message(QueueUrl=os.environ["QUEUE"], MessageBody=json.dumps(event))
"""
FAIL = "def handler(event, context):\n    raise Exception('intentional failure')\n"


def new_queue():
    url = sqs.create_queue(QueueName=unique("queue"))["QueueUrl"]
    names = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])
    return url, names["Attributes"]["QueueArn"]


def receive(url):
    def one():
        told = sqs.receive_message(QueueUrl=url, WaitTimeSeconds=2, MessageAttributeNames=["All"])
        return told.get("Messages")

    return until(one)[0]


def test_an_event_is_taken_later():
    url, _ = new_queue()
    role = new_role(allow("sqs:SendMessage"))
    name = new_function(NOTE, role=role, Environment={"Variables": {"QUEUE": url}})["FunctionName"]
    equal(invoke(name, {"n": 1}, InvocationType="Event")[1]["StatusCode"], 202)
    equal(json.loads(receive(url)["Body"]), {"n": 1})


def test_failures_reach_the_dead_letter_queue_and_the_destination():
    (letters, letters_arn), (records, records_arn) = new_queue(), new_queue()
    role = new_role(allow("sqs:SendMessage"))
    name = new_function(FAIL, role=role, DeadLetterConfig={"TargetArn": letters_arn})["FunctionName"]
    config = lambda_.put_function_event_invoke_config(
        FunctionName=name, MaximumRetryAttempts=0,
        DestinationConfig={"OnFailure": {"Destination": records_arn}},
    )
    equal(config["FunctionArn"], arn_of(name) + ":$LATEST")
    id = invoke(name, {"n": 2}, InvocationType="Event")[1]["ResponseMetadata"]["RequestId"]
    letter = receive(letters)
    equal(json.loads(letter["Body"]), {"n": 2})
    attributes = {key: one["StringValue"] for key, one in letter["MessageAttributes"].items()}
    equal(attributes, {"RequestID": id, "ErrorCode": "200", "ErrorMessage": "intentional failure"})
    record = json.loads(receive(records)["Body"])
    equal(record["requestContext"], {
        "requestId": id, "functionArn": arn_of(name) + ":$LATEST",
        "condition": "RetriesExhausted", "approximateInvokeCount": 1,
    })
    equal(record["requestPayload"], {"n": 2})
    equal(record["responseContext"],
          {"statusCode": 200, "executedVersion": "$LATEST", "functionError": "Unhandled"})
    equal(record["responsePayload"]["errorMessage"], "intentional failure")
    refused("ResourceNotFoundException", lambda_.get_function_event_invoke_config,
            FunctionName=name, Qualifier="7",
            message=f"The function {arn_of(name)}:7 doesn't have an EventInvokeConfig")


def test_eventbridge_invokes_whom_the_policy_lets_it():
    url, _ = new_queue()
    role = new_role(allow("sqs:SendMessage"))
    name = new_function(NOTE, role=role, Environment={"Variables": {"QUEUE": url}})["FunctionName"]
    source = unique("own.source")
    rule = unique("rule")
    rule_arn = events.put_rule(Name=rule, EventPattern=json.dumps({"source": [source]}))["RuleArn"]
    events.put_targets(Rule=rule, Targets=[{"Id": "f", "Arn": arn_of(name)}])
    lambda_.add_permission(FunctionName=name, StatementId="rule", Action="lambda:InvokeFunction",
                           Principal="events.amazonaws.com", SourceArn=rule_arn)
    entry = {"Source": source, "DetailType": "test", "Detail": json.dumps({"n": 3})}
    events.put_events(Entries=[entry])
    equal(json.loads(receive(url)["Body"])["detail"], {"n": 3})


def test_sns_invokes_the_functions_that_subscribe():
    url, _ = new_queue()
    role = new_role(allow("sqs:SendMessage"))
    name = new_function(NOTE, role=role, Environment={"Variables": {"QUEUE": url}})["FunctionName"]
    topic = sns.create_topic(Name=unique("topic"))["TopicArn"]
    # Without a permission the function takes nothing, and nobody is told.
    subscription = sns.subscribe(TopicArn=topic, Protocol="lambda", Endpoint=arn_of(name),
                                 ReturnSubscriptionArn=True)["SubscriptionArn"]
    lambda_.add_permission(FunctionName=name, StatementId="topic", Action="lambda:InvokeFunction",
                           Principal="sns.amazonaws.com", SourceArn=topic)
    attribute = {"DataType": "String", "StringValue": "red"}
    id = sns.publish(TopicArn=topic, Message="hello", Subject="of it",
                     MessageAttributes={"colour": attribute})["MessageId"]
    record, = json.loads(receive(url)["Body"])["Records"]
    equal((record["EventSource"], record["EventVersion"], record["EventSubscriptionArn"]),
          ("aws:sns", "1.0", subscription))
    told = record["Sns"]
    equal((told["Type"], told["MessageId"], told["TopicArn"], told["Subject"], told["Message"]),
          ("Notification", id, topic, "of it", "hello"))
    equal(told["MessageAttributes"], {"colour": {"Type": "String", "Value": "red"}})
    assert told["Signature"] and told["SigningCertUrl"] and told["UnsubscribeUrl"], told


main()
