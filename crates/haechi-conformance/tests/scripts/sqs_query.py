"""Queues by SQS's protocol of before 2023: forms in, XML out, at / and at queues' URLs."""

import os
import xml.etree.ElementTree as ElementTree
from urllib.parse import urlencode

import boto3
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.httpsession import URLLib3Session

from harness import ACCOUNT, ENDPOINT, REGION, client, equal, main, unique

NAMESPACE = "{http://queue.amazonaws.com/doc/2012-11-05/}"

sqs = client("sqs")
session = URLLib3Session(verify=os.environ.get("AWS_CA_BUNDLE", True))


def new_queue(name=None, **attributes):
    return sqs.create_queue(QueueName=name or unique("queue"), Attributes=attributes)["QueueUrl"]


def call(url, method="GET", **parameters):
    """Status, text and root element of an answer; names with two underscores have a dot there."""
    form = urlencode({name.replace("__", "."): value for name, value in parameters.items()})
    if method == "POST":
        headers = {"Content-Type": "application/x-www-form-urlencoded"}
        request = AWSRequest(method, url, headers=headers, data=form)
    else:
        request = AWSRequest(method, f"{url}?{form}" if form else url)
    credentials = boto3.Session().get_credentials()
    SigV4Auth(credentials, "sqs", REGION).add_auth(request)
    answer = session.send(request.prepare())
    return answer.status_code, answer.text, ElementTree.fromstring(answer.text)


def refused(code, message, url, status=400, **parameters):
    told = call(url, **parameters)
    equal(told[0], status)
    equal(told[2].findtext(f".//{NAMESPACE}Type"), "Sender")
    equal(told[2].findtext(f".//{NAMESPACE}Code"), code)
    equal(told[2].findtext(f".//{NAMESPACE}Message"), message)


def test_a_message_goes_through_a_queues_url():
    queue = new_queue()
    sent = call(
        queue,
        "POST",
        Action="SendMessage",
        Version="2012-11-05",
        MessageBody="<pears> & apples",
        MessageAttribute__1__Name="kind",
        MessageAttribute__1__Value__DataType="String",
        MessageAttribute__1__Value__StringValue="fruit",
    )
    equal((sent[0], sent[2].tag), (200, NAMESPACE + "SendMessageResponse"))
    received = call(queue, Action="ReceiveMessage", MessageAttributeName__1="All")
    message = received[2].find(f"{NAMESPACE}ReceiveMessageResult/{NAMESPACE}Message")
    equal(message.findtext(NAMESPACE + "Body"), "<pears> & apples")
    attribute = message.find(NAMESPACE + "MessageAttribute")
    equal(attribute.findtext(NAMESPACE + "Name"), "kind")
    equal(attribute.findtext(f"{NAMESPACE}Value/{NAMESPACE}StringValue"), "fruit")
    handle = message.findtext(NAMESPACE + "ReceiptHandle")
    equal(call(queue, Action="DeleteMessage", ReceiptHandle=handle)[0], 200)
    assert "<ReceiveMessageResult/>" in call(queue, Action="ReceiveMessage")[1]


def test_lists_and_maps_have_no_element_around_them():
    name = unique("queue")
    made = call(
        ENDPOINT,
        "POST",
        Action="CreateQueue",
        Version="2012-11-05",
        QueueName=name,
        Attribute__1__Name="VisibilityTimeout",
        Attribute__1__Value="45",
        Tag__1__Key="team",
        Tag__1__Value="blue",
    )
    queue = made[2].findtext(f".//{NAMESPACE}QueueUrl")
    assert queue.endswith(f"/{ACCOUNT}/{name}"), queue
    shown = call(queue, Action="GetQueueAttributes", AttributeName__1="VisibilityTimeout")[1]
    assert "<Attribute><Name>VisibilityTimeout</Name><Value>45</Value></Attribute>" in shown, shown
    assert "QueueArn" not in shown
    tags = call(queue, Action="ListQueueTags")[1]
    assert "<Tag><Key>team</Key><Value>blue</Value></Tag>" in tags, tags
    entries = {
        f"SendMessageBatchRequestEntry__{number}__{part}": value
        for number in (1, 2)
        for part, value in (("Id", f"n{number}"), ("MessageBody", f"body {number}"))
    }
    sent = call(queue, "POST", Action="SendMessageBatch", **entries)
    ids = [entry.text for entry in sent[2].iter(NAMESPACE + "Id")]
    equal(ids, ["n1", "n2"])
    listed = call(ENDPOINT, Action="ListQueues", Version="2012-11-05", QueueNamePrefix=name)
    equal([url.text for url in listed[2].iter(NAMESPACE + "QueueUrl")], [queue])


def test_refusals_have_the_codes_of_old():
    queue = new_queue()
    told = "The action FooBar is not valid for this endpoint."
    refused("InvalidAction", told, queue, Action="FooBar", Version="2012-11-05")
    told = "The action ListQueues is not valid for this endpoint."
    refused("InvalidAction", told, queue, Action="ListQueues")
    told = "The request must contain the parameter MessageBody."
    refused("MissingParameter", told, queue, Action="SendMessage")
    names = {"Action": "GetQueueAttributes", "AttributeName__1": "Foobar"}
    refused("InvalidAttributeName", "Unknown Attribute Foobar.", queue, **names)
    status, text, _ = call(queue)
    equal(status, 404)
    assert "<UnknownOperationException" in text, text
    sqs.delete_queue(QueueUrl=queue)
    told = "The specified queue does not exist for this wsdl version."
    code = "AWS.SimpleQueueService.NonExistentQueue"
    refused(code, told, queue, Action="GetQueueAttributes", AttributeName__1="QueueArn")


def test_another_queue_can_be_named_at_a_queues_url():
    one, other = new_queue(), new_queue()
    ask = {"Action": "GetQueueAttributes", "AttributeName__1": "QueueArn"}
    shown = call(one, QueueUrl=other, **ask)[1]
    assert other.rsplit("/", 1)[1] in shown and one.rsplit("/", 1)[1] not in shown, shown


main()
