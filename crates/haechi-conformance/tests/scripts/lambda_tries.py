"""Asynchronous invocations that fail, and rotation that is tried first, with --dev: time passes."""

import json
import time
import urllib.request

from functions import PYTHON, allow, archive, arn_of, invoke, lambda_, new_function, new_role, until
from harness import ACCOUNT, ENDPOINT, client, equal, main, unique

sqs, secrets, events = client("sqs"), client("secretsmanager"), client("events")
# Says how often it ran, and fails.
FAIL = """
import boto3, json, os
def handler(event, context):
    boto3.client("sqs").send_message(QueueUrl=os.environ["TRIES"], MessageBody="try")
    raise Exception("intentional failure")
"""


def advance(seconds):
    body = json.dumps({"advance_seconds": seconds}).encode()
    urllib.request.urlopen(f"{ENDPOINT}/_haechi/clock", data=body).read()


def new_queue(**attributes):
    url = sqs.create_queue(QueueName=unique("queue"), Attributes=attributes)["QueueUrl"]
    names = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])
    return url, names["Attributes"]["QueueArn"]


def receive(url, wait=20):
    told = sqs.receive_message(QueueUrl=url, WaitTimeSeconds=wait)
    found = told.get("Messages", [])
    for message in found:
        sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
    return [message["Body"] for message in found]


def failing(config=None):
    (tries, _), (letters, letters_arn), (records, records_arn) = new_queue(), new_queue(), new_queue()
    name = new_function(
        FAIL, role=new_role(allow("sqs:SendMessage")), DeadLetterConfig={"TargetArn": letters_arn},
        Environment={"Variables": {"TRIES": tries}},
    )["FunctionName"]
    lambda_.put_function_event_invoke_config(
        FunctionName=name, DestinationConfig={"OnFailure": {"Destination": records_arn}},
        **(config or {}),
    )
    equal(invoke(name, {"n": 1}, InvocationType="Event")[1]["StatusCode"], 202)
    return tries, letters, records


def until_next_try(tries):
    """Time passes until it is tried again: the clock may be moved before the try before has ended."""
    def tried():
        advance(30)
        return receive(tries, wait=1)
    equal(until(tried), ["try"])


def test_an_event_that_fails_is_tried_twice_more():
    tries, letters, records = failing()
    equal(receive(tries), ["try"])
    until_next_try(tries)
    until_next_try(tries)
    record = json.loads(until(lambda: receive(records))[0])
    equal(record["requestContext"]["condition"], "RetriesExhausted")
    equal(record["requestContext"]["approximateInvokeCount"], 3)
    equal(json.loads(until(lambda: receive(letters))[0]), {"n": 1})
    advance(3600)
    equal(receive(tries, wait=1), [])


def test_an_event_that_grows_too_old_is_given_up():
    tries, letters, records = failing({"MaximumEventAgeInSeconds": 60})
    equal(receive(tries), ["try"])

    def given_up():
        advance(61)
        return receive(records, wait=1)

    record = json.loads(until(given_up)[0])
    equal(record["requestContext"]["condition"], "EventAgeExceeded")
    equal(record["requestContext"]["approximateInvokeCount"], 1)
    # As recorded: it is given up when it fails, with what it then said.
    equal(record["responsePayload"]["errorMessage"], "intentional failure")
    letter = until(lambda: receive(letters))
    equal(json.loads(letter[0]), {"n": 1})
    equal(receive(tries, wait=1), [])


STEPS = """
import json
def handler(event, context):
    print(event["Step"])
    if event["Step"] != "testSecret" or FAILS:
        raise Exception("not asked for")
"""


def probe(fails):
    """What comes of RotateImmediately=false: the name of its event."""
    url, queue = new_queue()
    statement = {"Effect": "Allow", "Principal": {"Service": "events.amazonaws.com"},
                 "Action": "sqs:SendMessage", "Resource": queue}
    document = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    sqs.set_queue_attributes(QueueUrl=url, Attributes={"Policy": document})
    name = new_function(STEPS.replace("FAILS", str(fails)))["FunctionName"]
    lambda_.add_permission(FunctionName=name, StatementId="s", Action="lambda:InvokeFunction",
                           Principal="secretsmanager.amazonaws.com")
    secret = secrets.create_secret(Name=unique("s"), SecretString="{}")["ARN"]
    rule = unique("rule")
    events.put_rule(Name=rule, EventPattern=json.dumps({
        "source": ["aws.secretsmanager"],
        "detail": {"eventName": ["TestRotationSucceeded", "TestRotationFailed", "RotationStarted"]},
    }))
    events.put_targets(Rule=rule, Targets=[{"Id": "q", "Arn": queue}])
    before = secrets.describe_secret(SecretId=secret)["VersionIdsToStages"]
    secrets.rotate_secret(SecretId=secret, RotationLambdaARN=arn_of(name), RotateImmediately=False,
                          RotationRules={"AutomaticallyAfterDays": 10})
    told = json.loads(until(lambda: receive(url))[0])["detail"]["eventName"]

    def settled():
        return secrets.describe_secret(SecretId=secret)["VersionIdsToStages"] == before
    # Nothing is rotated; the version that was made for the test loses its label again.
    until(settled)
    events.remove_targets(Rule=rule, Ids=["q"])
    events.delete_rule(Name=rule)
    return told


def test_a_function_is_tried_before_its_first_rotation():
    equal(probe(False), "TestRotationSucceeded")
    equal(probe(True), "TestRotationFailed")


main()
