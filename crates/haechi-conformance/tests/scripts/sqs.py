"""Queues: what is sent is received, hidden while somebody works on it, and gone once deleted."""

import json
import threading
import time

from harness import ACCOUNT, REGION, client, client_of, equal, main, new_user, refused, unique

sqs = client("sqs")


def new_queue(name=None, **attributes):
    name = name or unique("queue")
    return sqs.create_queue(QueueName=name, Attributes=attributes)["QueueUrl"]


def new_fifo(**attributes):
    return new_queue(unique("queue") + ".fifo", FifoQueue="true", **attributes)


def receive(queue, **parameters):
    return sqs.receive_message(QueueUrl=queue, **parameters).get("Messages", [])


def bodies(queue, **parameters):
    return [message["Body"] for message in receive(queue, **parameters)]


def arn_of(queue):
    names = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["QueueArn"])
    return names["Attributes"]["QueueArn"]


def test_a_queue_is_made_once_and_shows_its_attributes():
    name = unique("queue")
    queue = new_queue(name, VisibilityTimeout="20")
    equal(new_queue(name, VisibilityTimeout="20"), queue)
    equal(sqs.get_queue_url(QueueName=name)["QueueUrl"], queue)
    message = "A queue already exists with the same name and a different value for attribute VisibilityTimeout"
    refused("QueueAlreadyExists", new_queue, name, VisibilityTimeout="21", message=message)
    shown = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["All"])["Attributes"]
    for moment in ("CreatedTimestamp", "LastModifiedTimestamp"):
        assert abs(int(shown.pop(moment)) - time.time()) < 60
    equal(
        shown,
        {
            "ApproximateNumberOfMessages": "0",
            "ApproximateNumberOfMessagesDelayed": "0",
            "ApproximateNumberOfMessagesNotVisible": "0",
            "DelaySeconds": "0",
            "MaximumMessageSize": "1048576",
            "MessageRetentionPeriod": "345600",
            "QueueArn": f"arn:aws:sqs:{REGION}:{ACCOUNT}:{name}",
            "ReceiveMessageWaitTimeSeconds": "0",
            "SqsManagedSseEnabled": "true",
            "VisibilityTimeout": "20",
        },
    )


def test_a_queue_that_does_not_exist_is_told_as_aws_tells_it():
    error = refused(
        "AWS.SimpleQueueService.NonExistentQueue",
        sqs.get_queue_url,
        QueueName=unique("none"),
        message="The specified queue does not exist.",
        status=400,
    )
    equal(error["Error"]["QueryErrorCode"], "QueueDoesNotExist")
    try:
        sqs.send_message(QueueUrl=f"http://localhost/{ACCOUNT}/none", MessageBody="a")
        raise AssertionError("it was sent")
    except sqs.exceptions.QueueDoesNotExist:
        pass


def test_a_message_is_received_hidden_and_deleted():
    queue = new_queue()
    sent = sqs.send_message(
        QueueUrl=queue,
        MessageBody="hello",
        MessageAttributes={
            "Text": {"DataType": "String", "StringValue": "a"},
            "Bytes": {"DataType": "Binary", "BinaryValue": b"\x00\x01"},
        },
    )
    wanted = {"MessageAttributeNames": ["All"], "MessageSystemAttributeNames": ["All"]}
    (message,) = receive(queue, **wanted)
    equal((message["MessageId"], message["Body"]), (sent["MessageId"], "hello"))
    equal(message["MD5OfMessageAttributes"], sent["MD5OfMessageAttributes"])
    equal(message["MessageAttributes"]["Bytes"]["BinaryValue"], b"\x00\x01")
    equal(message["Attributes"]["ApproximateReceiveCount"], "1")
    equal(receive(queue), [])
    sqs.change_message_visibility(
        QueueUrl=queue, ReceiptHandle=message["ReceiptHandle"], VisibilityTimeout=0
    )
    (message,) = receive(queue, **wanted)
    equal(message["Attributes"]["ApproximateReceiveCount"], "2")
    sqs.delete_message(QueueUrl=queue, ReceiptHandle=message["ReceiptHandle"])
    sqs.delete_message(QueueUrl=queue, ReceiptHandle=message["ReceiptHandle"])
    counts = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["All"])["Attributes"]
    equal(counts["ApproximateNumberOfMessagesNotVisible"], "0")
    refused("ReceiptHandleIsInvalid", sqs.delete_message, QueueUrl=queue, ReceiptHandle="garbage")


def test_a_caller_waits_for_a_message():
    queue = new_queue()
    threading.Timer(0.5, sqs.send_message, kwargs={"QueueUrl": queue, "MessageBody": "late"}).start()
    equal(bodies(queue, WaitTimeSeconds=10), ["late"])


def test_a_delayed_message_comes_later():
    queue = new_queue()
    sqs.send_message(QueueUrl=queue, MessageBody="later", DelaySeconds=1)
    equal(bodies(queue), [])
    equal(bodies(queue, WaitTimeSeconds=5), ["later"])


def test_a_batch_tells_the_outcome_of_each():
    queue = new_queue(MaximumMessageSize="1024")
    entries = [{"Id": "big", "MessageBody": "a" * 1025}, {"Id": "fits", "MessageBody": "b"}]
    answer = sqs.send_message_batch(QueueUrl=queue, Entries=entries)
    equal([entry["Id"] for entry in answer["Successful"]], ["fits"])
    message = "One or more parameters cannot be validated. Reason: Message must be shorter than 1024 bytes."
    equal(
        answer["Failed"],
        [{"Id": "big", "SenderFault": True, "Code": "InvalidParameterValue", "Message": message}],
    )
    twice = [{"Id": "a", "MessageBody": "a"}, {"Id": "a", "MessageBody": "b"}]
    code = "AWS.SimpleQueueService.BatchEntryIdsNotDistinct"
    refused(code, sqs.send_message_batch, QueueUrl=queue, Entries=twice)
    (message,) = receive(queue)
    entries = [{"Id": "1", "ReceiptHandle": message["ReceiptHandle"]}]
    equal(sqs.delete_message_batch(QueueUrl=queue, Entries=entries)["Successful"], [{"Id": "1"}])


def test_a_fifo_queue_keeps_the_order_of_each_group():
    queue = new_fifo(ContentBasedDeduplication="true")
    for group, body in (("a", "1"), ("a", "2"), ("b", "3"), ("a", "4")):
        sqs.send_message(QueueUrl=queue, MessageBody=body, MessageGroupId=group)
    sqs.send_message(QueueUrl=queue, MessageBody="1", MessageGroupId="a")
    (first,) = receive(queue)
    equal(first["Body"], "1")
    equal(bodies(queue, MaxNumberOfMessages=10), ["3"])
    sqs.delete_message(QueueUrl=queue, ReceiptHandle=first["ReceiptHandle"])
    equal(bodies(queue, MaxNumberOfMessages=10), ["2", "4"])
    code = "MissingParameter"
    message = "The request must contain the parameter MessageGroupId."
    refused(code, sqs.send_message, QueueUrl=queue, MessageBody="5", message=message)


def test_a_message_that_nobody_can_deal_with_becomes_a_dead_letter():
    dead = new_queue()
    redrive = json.dumps({"deadLetterTargetArn": arn_of(dead), "maxReceiveCount": 1})
    queue = new_queue(RedrivePolicy=redrive, VisibilityTimeout="0")
    equal(sqs.list_dead_letter_source_queues(QueueUrl=dead)["queueUrls"], [queue])
    sqs.send_message(QueueUrl=queue, MessageBody="poison")
    equal(bodies(queue), ["poison"])
    equal(bodies(queue), [])
    (letter,) = receive(dead, MessageSystemAttributeNames=["All"])
    equal(letter["Attributes"]["DeadLetterQueueSourceArn"], arn_of(queue))
    equal(letter["Attributes"]["ApproximateReceiveCount"], "2")


def test_queues_are_listed_tagged_purged_and_deleted():
    prefix = unique("list")
    queues = [new_queue(f"{prefix}-{number}") for number in range(3)]
    equal(sqs.list_queues(QueueNamePrefix=prefix)["QueueUrls"], queues)
    pages = sqs.get_paginator("list_queues").paginate(
        QueueNamePrefix=prefix, PaginationConfig={"PageSize": 2}
    )
    equal([url for page in pages for url in page["QueueUrls"]], queues)
    queue = queues[0]
    sqs.tag_queue(QueueUrl=queue, Tags={"Team": "blue", "Stage": "test"})
    sqs.untag_queue(QueueUrl=queue, TagKeys=["Stage"])
    equal(sqs.list_queue_tags(QueueUrl=queue)["Tags"], {"Team": "blue"})
    sqs.send_message(QueueUrl=queue, MessageBody="a")
    sqs.purge_queue(QueueUrl=queue)
    equal(bodies(queue), [])
    name = queue.rsplit("/")[-1]
    refused("AWS.SimpleQueueService.PurgeQueueInProgress", sqs.purge_queue, QueueUrl=queue,
            message=f"Only one PurgeQueue operation on {name} is allowed every 60 seconds.")
    sqs.delete_queue(QueueUrl=queue)
    refused("AWS.SimpleQueueService.NonExistentQueue", sqs.send_message, QueueUrl=queue, MessageBody="a")
    assert queue not in sqs.list_queues(QueueNamePrefix=prefix)["QueueUrls"]


def test_a_queues_policy_lets_others_in():
    queue = new_queue()
    name, key = new_user()
    hers = client_of(key, "sqs")
    refused("AccessDenied", hers.send_message, QueueUrl=queue, MessageBody="a", contains="sqs:sendmessage")
    statement = {
        "Effect": "Allow",
        "Principal": {"AWS": f"arn:aws:iam::{ACCOUNT}:user/{name}"},
        "Action": "sqs:SendMessage",
        "Resource": arn_of(queue),
    }
    document = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    sqs.set_queue_attributes(QueueUrl=queue, Attributes={"Policy": document})
    hers.send_message(QueueUrl=queue, MessageBody="a")
    refused("AccessDenied", hers.receive_message, QueueUrl=queue)


def test_limits_are_refused_in_awss_words():
    queue = new_queue()
    message = "Value 11 for parameter MaxNumberOfMessages is invalid. Reason: Must be between 1 and 10, if provided."
    refused("InvalidParameterValue", receive, queue, MaxNumberOfMessages=11, message=message)
    message = "One or more parameters are invalid. Reason: Message must be shorter than 1048576 bytes."
    big = "a" * 1_048_577
    refused("InvalidParameterValue", sqs.send_message, QueueUrl=queue, MessageBody=big, message=message)
    message = "Unknown Attribute FifoQueue."
    refused("InvalidAttributeName", new_queue, unique("queue"), FifoQueue="false", message=message)
    fifo = new_fifo()
    message = "The queue should either have ContentBasedDeduplication enabled or MessageDeduplicationId provided explicitly"
    send = {"QueueUrl": fifo, "MessageBody": "a", "MessageGroupId": "g"}
    refused("InvalidParameterValue", sqs.send_message, **send, message=message)
    message = "Unknown Attribute Colour."
    ask = {"QueueUrl": queue, "AttributeNames": ["QueueArn", "Colour"]}
    refused("InvalidAttributeName", sqs.get_queue_attributes, **ask, message=message)


def test_the_older_name_of_a_parameter_and_a_queues_name_do_as_well():
    name = unique("queue")
    queue = new_queue(name)
    sqs.send_message(QueueUrl=name, MessageBody="a")
    names = ["SentTimestamp", "ApproximateReceiveCount"]
    (message,) = receive(queue, AttributeNames=names)
    equal(sorted(message["Attributes"]), sorted(names))


def test_a_dead_letter_queue_must_be_there():
    gone = json.dumps({"deadLetterTargetArn": arn_of(new_queue()) + "-gone", "maxReceiveCount": 2})
    told = f"Value {gone} for parameter RedrivePolicy is invalid. Reason: Dead letter target does not exist."
    refused("InvalidParameterValue", new_queue, RedrivePolicy=gone, message=told)
    dead = arn_of(new_queue())
    queue = new_queue(RedrivePolicy=json.dumps({"deadLetterTargetArn": dead, "maxReceiveCount": "2"}))
    shown = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["RedrivePolicy"])["Attributes"]
    equal(json.loads(shown["RedrivePolicy"]), {"deadLetterTargetArn": dead, "maxReceiveCount": 2})


def test_permissions_are_added_and_removed_by_label():
    queue = new_queue()
    arn = arn_of(queue)
    policy_of = lambda: sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["Policy"]).get("Attributes")
    add = lambda label, action="ReceiveMessage": sqs.add_permission(
        QueueUrl=queue, Label=label, AWSAccountIds=["444455556666"], Actions=[action])
    add("one")
    statement = {
        "Sid": "one",
        "Effect": "Allow",
        "Principal": {"AWS": "arn:aws:iam::444455556666:root"},
        "Action": "SQS:ReceiveMessage",
        "Resource": arn,
    }
    expected = {"Version": "2008-10-17", "Id": f"{arn}/SQSDefaultPolicy", "Statement": [statement]}
    equal(json.loads(policy_of()["Policy"]), expected)
    message = "Value one for parameter Label is invalid. Reason: Already exists."
    refused("InvalidParameterValue", add, "one", message=message)
    message = "Value SQS:CreateQueue for parameter ActionName is invalid. Reason: Only the queue owner is allowed to invoke this action."
    refused("InvalidParameterValue", add, "two", "CreateQueue", message=message)
    remove = lambda label: sqs.remove_permission(QueueUrl=queue, Label=label)
    remove("one")
    equal(policy_of(), None)
    message = "Value one for parameter Label is invalid. Reason: can't find label."
    refused("InvalidParameterValue", remove, "one", message=message)


def dead_letters(count, **attributes):
    """A queue, and its dead-letter queue with messages in it."""
    dead = new_queue()
    redrive = {"deadLetterTargetArn": arn_of(dead), "maxReceiveCount": 1}
    queue = new_queue(VisibilityTimeout="0", RedrivePolicy=json.dumps(redrive), **attributes)
    for number in range(count):
        sqs.send_message(QueueUrl=queue, MessageBody=str(number))
    until = time.time() + 20
    while time.time() < until and waiting(dead) < count:
        receive(queue, MaxNumberOfMessages=10)
    equal(waiting(dead), count)
    sqs.set_queue_attributes(QueueUrl=queue, Attributes={"VisibilityTimeout": "30"})
    return queue, dead


def waiting(queue):
    name = "ApproximateNumberOfMessages"
    return int(sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=[name])["Attributes"][name])


def tasks(arn, **more):
    return sqs.list_message_move_tasks(SourceArn=arn, **more)["Results"]


def ended(arn):
    """The newest task, once it does not run any more."""
    until = time.time() + 20
    while (task := tasks(arn)[0])["Status"] == "RUNNING" and time.time() < until:
        time.sleep(0.1)
    return task


def test_dead_letters_go_back_to_where_they_came_from():
    queue, dead = dead_letters(45)
    source = arn_of(dead)
    sqs.start_message_move_task(SourceArn=source)
    task = ended(source)
    assert abs(task.pop("StartedTimestamp") / 1000 - time.time()) < 60
    equal(task, {
        "Status": "COMPLETED",
        "SourceArn": source,
        "ApproximateNumberOfMessagesMoved": 45,
        "ApproximateNumberOfMessagesToMove": 45,
    })
    equal((waiting(dead), waiting(queue)), (0, 45))
    back = []
    while got := receive(queue, MaxNumberOfMessages=10, MessageSystemAttributeNames=["All"]):
        back += got
    equal(sorted(int(message["Body"]) for message in back), list(range(45)))
    equal({message["Attributes"]["ApproximateReceiveCount"] for message in back}, {"1"})


def test_a_move_task_may_be_slow_lead_elsewhere_and_be_cancelled():
    queue, dead = dead_letters(6)
    source, elsewhere = arn_of(dead), new_queue()
    start = lambda arn=source, **more: sqs.start_message_move_task(SourceArn=arn, **more)
    handle = start(DestinationArn=arn_of(elsewhere), MaxNumberOfMessagesPerSecond=1)["TaskHandle"]
    message = "There is already a task running. Only one active task is allowed for a source queue arn at a given time."
    refused("InvalidParameterValue", start, message=message)
    until = time.time() + 20
    while waiting(elsewhere) < 2 and time.time() < until:
        time.sleep(0.1)
    (task,) = tasks(source)
    equal((task["Status"], task["TaskHandle"], task["MaxNumberOfMessagesPerSecond"]), ("RUNNING", handle, 1))
    equal(task["DestinationArn"], arn_of(elsewhere))
    cancelled = sqs.cancel_message_move_task(TaskHandle=handle)
    assert 2 <= cancelled["ApproximateNumberOfMessagesMoved"] < 6, cancelled
    equal(ended(source)["Status"], "CANCELLED")
    moved = waiting(elsewhere)
    equal(moved + waiting(dead), 6)
    refused("ResourceNotFoundException", sqs.cancel_message_move_task, TaskHandle=handle)
    start()
    equal(ended(source)["ApproximateNumberOfMessagesMoved"], 6 - moved)
    equal([task["Status"] for task in tasks(source, MaxResults=10)], ["COMPLETED", "CANCELLED"])
    message = "Value for parameter TaskHandle is invalid."
    refused("InvalidParameterValue", sqs.cancel_message_move_task, TaskHandle="foobar", message=message)
    message = "The resource that you specified for the DestinationArn parameter doesn't exist."
    refused("ResourceNotFoundException", start, DestinationArn=source + "-none", message=message)
    message = "Source queue must be configured as a Dead Letter Queue."
    refused("InvalidParameterValue", start, arn_of(queue), message=message)


main()
