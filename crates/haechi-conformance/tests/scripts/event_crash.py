"""Events that are put while the server is killed. `prepare` makes a rule and its queue; `put FILE`
puts events until the server is gone, and notes which are put and which were acknowledged; `check
FILE` receives what arrives, compares, and prints how many were acknowledged."""

import json
import sys
import uuid

from botocore.exceptions import ClientError, ConnectionError, HTTPClientError

from harness import ACCOUNT, REGION, client, policy

events, sqs = client("events"), client("sqs")
NAME = "crash"


def prepare():
    url = sqs.create_queue(QueueName=NAME)["QueueUrl"]
    arn = f"arn:aws:sqs:{REGION}:{ACCOUNT}:{NAME}"
    statement = {
        "Effect": "Allow",
        "Principal": {"Service": "events.amazonaws.com"},
        "Action": "sqs:SendMessage",
        "Resource": arn,
    }
    sqs.set_queue_attributes(QueueUrl=url, Attributes={"Policy": policy(statement)})
    events.put_rule(Name=NAME, EventPattern='{"source": ["crash"]}')
    events.put_targets(Rule=NAME, Targets=[{"Id": "1", "Arn": arn}])


def put(path):
    with open(path, "a") as file:
        while True:
            number = uuid.uuid4().hex
            print(f"begun {number}", file=file, flush=True)
            entry = {"Source": "crash", "DetailType": "t", "Detail": json.dumps({"n": number})}
            try:
                answer = events.put_events(Entries=[entry])
            except (ClientError, ConnectionError, HTTPClientError):
                return
            assert answer["FailedEntryCount"] == 0, answer
            print(f"done {number}", file=file, flush=True)


def check(path):
    notes = [line.split() for line in open(path)]
    begun = {number for what, number in notes if what == "begun"}
    done = {number for what, number in notes if what == "done"}
    url, arrived = sqs.get_queue_url(QueueName=NAME)["QueueUrl"], set()
    while True:
        # What is acknowledged is on its way until it is there.
        wait = 1 if done <= arrived else 20
        messages = sqs.receive_message(QueueUrl=url, WaitTimeSeconds=wait, MaxNumberOfMessages=10)
        messages = messages.get("Messages", [])
        if not messages:
            break
        arrived |= {json.loads(message["Body"])["detail"]["n"] for message in messages}
        entries = [
            {"Id": str(index), "ReceiptHandle": message["ReceiptHandle"]}
            for index, message in enumerate(messages)
        ]
        sqs.delete_message_batch(QueueUrl=url, Entries=entries)
    assert not done - arrived, f"lost: {done - arrived}"
    assert not arrived - begun, f"invented: {arrived - begun}"
    print(len(done))


{"prepare": prepare, "put": put, "check": check}[sys.argv[1]](*sys.argv[2:])
