"""Endpoints outside: they confirm, get messages, fail for a while, and leave."""

import email
import email.policy
import http.server
import json
import os
import queue
import re
import socket
import socketserver
import ssl
import sys
import threading
import urllib.error

from harness import ACCOUNT, REGION, client, equal, main, policy, refused, unique
from sns_messages import fetch, verifies

sns = client("sns")
sqs = client("sqs")


class Receiver:
    """An HTTP endpoint that keeps what it gets and answers as it is told."""

    def __init__(self, tls=False):
        self.requests, self.statuses, receiver = queue.Queue(), [], self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers["content-length"]))
                status = receiver.statuses.pop(0) if receiver.statuses else 200
                receiver.requests.put((dict(self.headers.items()), body.decode(), self.path))
                self.send_response(status)
                self.send_header("content-length", "0")
                self.end_headers()

            def log_message(self, *_):
                pass

        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        if tls:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(os.environ["HAECHI_RECEIVER"])
            server.socket = context.wrap_socket(server.socket, server_side=True)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        scheme, host = ("https", "localhost") if tls else ("http", "127.0.0.1")
        self.protocol, self.url = scheme, f"{scheme}://{host}:{server.server_address[1]}/hook?a=b"

    def next(self, seconds=15):
        headers, body, path = self.requests.get(timeout=seconds)
        equal(path, "/hook?a=b")
        return {name.lower(): value for name, value in headers.items()}, body

    def nothing(self, seconds=1):
        try:
            raise AssertionError(f"it got {self.requests.get(timeout=seconds)}")
        except queue.Empty:
            pass

    def subscribe(self, topic, **attributes):
        return sns.subscribe(TopicArn=topic, Protocol=self.protocol, Endpoint=self.url,
                             Attributes=attributes, ReturnSubscriptionArn=True)["SubscriptionArn"]

    def subscribed(self, topic, **attributes):
        subscription = self.subscribe(topic, **attributes)
        message = json.loads(self.next()[1])
        sns.confirm_subscription(TopicArn=topic, Token=message["Token"])
        return subscription


class Mailboxes(socketserver.StreamRequestHandler):
    """A relay that keeps the mail it gets."""

    got = queue.Queue()

    def handle(self):
        def say(text):
            self.wfile.write(f"{text}\r\n".encode())

        say("220 relay")
        while line := self.rfile.readline().decode().strip():
            word = line.split(":")[0].split()[0].upper()
            if word == "DATA":
                say("354 go on")
                lines = []
                while (data := self.rfile.readline()) not in (b".\r\n", b""):
                    lines.append(data.removeprefix(b"."))
                message = email.message_from_bytes(b"".join(lines), policy=email.policy.default)
                self.got.put(message)
                say("250 kept")
            elif word == "QUIT":
                say("221 bye")
                return
            elif word == "RCPT" and "refused@" in line:
                say("550 no such mailbox")
            else:
                say("250 relay" if word != "EHLO" else "250 8BITMIME")


# Its listener is this script's standard input.
relay = socketserver.ThreadingTCPServer(None, Mailboxes, bind_and_activate=False)
relay.socket.close()
relay.socket = socket.socket(fileno=sys.stdin.fileno())
threading.Thread(target=relay.serve_forever, daemon=True).start()


def new_topic(**attributes):
    return sns.create_topic(Name=unique("topic"), Attributes=attributes)["TopicArn"]


def new_queue(topic):
    name = unique("queue")
    url = sqs.create_queue(QueueName=name)["QueueUrl"]
    arn = f"arn:aws:sqs:{REGION}:{ACCOUNT}:{name}"
    statement = {"Effect": "Allow", "Principal": {"Service": "sns.amazonaws.com"}, "Action": "sqs:SendMessage",
                 "Resource": arn, "Condition": {"ArnEquals": {"aws:SourceArn": topic}}}
    sqs.set_queue_attributes(QueueUrl=url, Attributes={"Policy": policy(statement)})
    return url, arn


def attributes_of(subscription):
    return sns.get_subscription_attributes(SubscriptionArn=subscription)["Attributes"]


def test_an_endpoint_confirms_by_the_link_gets_messages_and_leaves_by_the_link():
    for tls in (False, True):
        topic, receiver = new_topic(SignatureVersion="2" if tls else "1"), Receiver(tls)
        pending = sns.subscribe(TopicArn=topic, Protocol=receiver.protocol, Endpoint=receiver.url)
        equal(pending["SubscriptionArn"], "pending confirmation")
        headers, body = receiver.next()
        message = json.loads(body)
        equal({name: headers[name] for name in headers if name.startswith("x-amz") or name in ("user-agent", "content-type")}, {
            "user-agent": "Amazon Simple Notification Service Agent",
            "content-type": "text/plain; charset=UTF-8",
            "x-amz-sns-message-id": message["MessageId"],
            "x-amz-sns-message-type": "SubscriptionConfirmation",
            "x-amz-sns-topic-arn": topic,
        })
        equal(list(message), ["Type", "MessageId", "Token", "TopicArn", "Message", "SubscribeURL", "Timestamp",
                              "SignatureVersion", "Signature", "SigningCertURL"])
        equal(message["Message"], f"You have chosen to subscribe to the topic {topic}.\nTo confirm the subscription, visit the SubscribeURL included in this message.")
        assert verifies(message), "the confirmation's signature does not verify"
        sns.publish(TopicArn=topic, Message="too early")
        (row,) = sns.list_subscriptions_by_topic(TopicArn=topic)["Subscriptions"]
        equal(row["SubscriptionArn"], "PendingConfirmation")
        answer = fetch(message["SubscribeURL"]).decode()
        subscription = re.search("<SubscriptionArn>(.*)</SubscriptionArn>", answer)[1]
        assert "<ConfirmSubscriptionResponse" in answer, answer
        # Visiting it again is no failure.
        fetch(message["SubscribeURL"])
        equal(attributes_of(subscription)["ConfirmationWasAuthenticated"], "false")
        sns.publish(TopicArn=topic, Message="hello", Subject="About")
        headers, body = receiver.next()
        message = json.loads(body)
        equal((message["Message"], message["Subject"]), ("hello", "About"))
        equal(headers["x-amz-sns-subscription-arn"], subscription)
        equal(headers["x-amz-sns-message-type"], "Notification")
        assert verifies(message), "the notification's signature does not verify"
        assert "<UnsubscribeResponse" in fetch(message["UnsubscribeURL"]).decode()
        headers, body = receiver.next()
        message = json.loads(body)
        equal((message["Type"], headers["x-amz-sns-message-type"]), ("UnsubscribeConfirmation",) * 2)
        equal(message["Message"], f"You have chosen to deactivate subscription {subscription}.\nTo cancel this operation and restore the subscription, visit the SubscribeURL included in this message.")
        assert verifies(message), "the end's signature does not verify"
        equal(sns.list_subscriptions_by_topic(TopicArn=topic)["Subscriptions"], [])
        sns.publish(TopicArn=topic, Message="unheard")
        receiver.nothing()
        fetch(message["SubscribeURL"])
        sns.publish(TopicArn=topic, Message="back")
        equal(json.loads(receiver.next()[1])["Message"], "back")


def test_whoever_confirms_with_his_name_can_rule_out_links():
    topic, receiver = new_topic(), Receiver()
    subscription = receiver.subscribe(topic)
    equal(attributes_of(subscription)["PendingConfirmation"], "true")
    token = json.loads(receiver.next()[1])["Token"]
    answer = sns.confirm_subscription(TopicArn=topic, Token=token, AuthenticateOnUnsubscribe="true")
    equal(answer["SubscriptionArn"], subscription)
    equal(attributes_of(subscription)["ConfirmationWasAuthenticated"], "true")
    sns.publish(TopicArn=topic, Message="m")
    url = json.loads(receiver.next()[1])["UnsubscribeURL"]
    try:
        fetch(url)
        raise AssertionError("anybody may end it")
    except urllib.error.HTTPError as error:
        equal(error.code, 403)
        assert b"AuthorizationError" in error.read()
    sns.unsubscribe(SubscriptionArn=subscription)


def test_raw_messages_come_as_they_are():
    topic, receiver = new_topic(), Receiver()
    receiver.subscribed(topic, RawMessageDelivery="true", DeliveryPolicy=json.dumps(
        {"requestPolicy": {"headerContentType": "application/json"}}))
    sns.publish(TopicArn=topic, Message='{"a": 1}')
    headers, body = receiver.next()
    equal((body, headers["x-amz-sns-rawdelivery"], headers["content-type"]), ('{"a": 1}', "true", "application/json"))


def test_what_fails_for_a_while_is_tried_again_and_then_given_up():
    topic, receiver = new_topic(), Receiver()
    dead, dead_arn = new_queue(topic)
    retry = {"minDelayTarget": 1, "maxDelayTarget": 1, "numRetries": 3, "numNoDelayRetries": 2}
    receiver.subscribed(topic, DeliveryPolicy=json.dumps({"healthyRetryPolicy": retry}),
                        RedrivePolicy=json.dumps({"deadLetterTargetArn": dead_arn}))
    receiver.statuses = [500, 503, 429]
    sns.publish(TopicArn=topic, Message="in the end")
    messages = [json.loads(receiver.next()[1]) for _ in range(4)]
    equal(messages, [messages[0]] * 4)
    receiver.nothing()
    for statuses, tries in [([500] * 4, 4), ([404], 1)]:
        receiver.statuses = statuses
        message = f"lost after {tries}"
        sns.publish(TopicArn=topic, Message=message)
        for _ in range(tries):
            receiver.next()
        (letter,) = sqs.receive_message(QueueUrl=dead, WaitTimeSeconds=10)["Messages"]
        sqs.delete_message(QueueUrl=dead, ReceiptHandle=letter["ReceiptHandle"])
        equal(json.loads(letter["Body"])["Message"], message)
        receiver.nothing()


def test_an_endpoint_that_fails_holds_up_no_other():
    topic, failing = new_topic(), Receiver()
    failing.subscribed(topic)
    url, arn = new_queue(topic)
    sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn, Attributes={"RawMessageDelivery": "true"})
    failing.statuses = [500]
    sns.publish(TopicArn=topic, Message="m")
    failing.next()
    (message,) = sqs.receive_message(QueueUrl=url, WaitTimeSeconds=15)["Messages"]
    equal(message["Body"], "m")


def test_addresses_of_metadata_and_hosts_that_are_not_listed_get_nothing():
    topic = new_topic()
    for url in ["http://169.254.169.254/latest/meta-data", "http://10.0.0.1/", "https://192.168.0.1/"]:
        answer = sns.subscribe(TopicArn=topic, Protocol=url.split(":")[0], Endpoint=url)
        equal(answer["SubscriptionArn"], "pending confirmation")
    refused("InvalidParameter", sns.subscribe, TopicArn=topic, Protocol="https", Endpoint="http://a.example/", message="Invalid parameter: Endpoint must match the specified protocol")


def test_a_mailbox_confirms_and_gets_mail():
    topic = new_topic(DisplayName="The Alarm")
    answer = sns.subscribe(TopicArn=topic, Protocol="email", Endpoint="someone@example.com")
    equal(answer["SubscriptionArn"], "pending confirmation")
    mail = Mailboxes.got.get(timeout=15)
    equal((str(mail["To"]), str(mail["From"])), ("someone@example.com", "The Alarm <no-reply@example.com>"))
    link = re.search(r"https?://\S+Action=ConfirmSubscription\S+", mail.get_content())[0]
    fetch(link)
    sns.publish(TopicArn=topic, Message="It is on fire: ö\n.\nReally.", Subject="Fire")
    mail = Mailboxes.got.get(timeout=15)
    equal(str(mail["Subject"]), "Fire")
    text = mail.get_content()
    assert text.replace("\r\n", "\n").startswith("It is on fire: ö\n.\nReally.\n"), text
    link = re.search(r"https?://\S+Action=Unsubscribe\S+", text)[0]
    equal(str(mail["List-Unsubscribe"]), f"<{link}>")
    fetch(link)
    equal(sns.list_subscriptions_by_topic(TopicArn=topic)["Subscriptions"], [])
    Mailboxes.got.get(timeout=15)


def test_a_mailbox_may_want_json_and_one_that_refuses_gets_a_dead_letter():
    topic = new_topic()
    dead, dead_arn = new_queue(topic)
    redrive = {"RedrivePolicy": json.dumps({"deadLetterTargetArn": dead_arn})}
    sns.subscribe(TopicArn=topic, Protocol="email-json", Endpoint="json@example.com", Attributes=redrive)
    message = json.loads(Mailboxes.got.get(timeout=15).get_content())
    assert verifies(message), "the signature in the mail does not verify"
    sns.confirm_subscription(TopicArn=topic, Token=message["Token"])
    sns.publish(TopicArn=topic, Message="m")
    message = json.loads(Mailboxes.got.get(timeout=15).get_content())
    equal((message["Type"], message["Message"]), ("Notification", "m"))
    sns.subscribe(TopicArn=topic, Protocol="email", Endpoint="refused@example.com")
    refused("InvalidParameter", sns.subscribe, TopicArn=topic, Protocol="email", Endpoint="nobody", message="Invalid parameter: Email address")


main()
