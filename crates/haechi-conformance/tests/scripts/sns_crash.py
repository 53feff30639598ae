"""Topics that are published to while the server is killed. `prepare` makes them; `publish FILE`
publishes until the server is gone and notes what was acknowledged; `check FILE` reads the queues:
all of it is there, and of the FIFO topic in its order."""

import json
import sys
import threading
import time

from botocore.exceptions import ConnectionError, HTTPClientError

from harness import ACCOUNT, REGION, client, policy

sns, sqs = client("sns"), client("sqs")
PLAIN, FIFO = "crash", "crash.fifo"


def arn(service, name):
    return f"arn:aws:{service}:{REGION}:{ACCOUNT}:{name}"


def prepare():
    for name in (PLAIN, FIFO):
        fifo = name.endswith(".fifo")
        sns.create_topic(Name=name, Attributes={"FifoTopic": "true"} if fifo else {})
        statement = {
            "Effect": "Allow",
            "Principal": {"Service": "sns.amazonaws.com"},
            "Action": "sqs:SendMessage",
            "Resource": arn("sqs", name),
            "Condition": {"ArnEquals": {"aws:SourceArn": arn("sns", name)}},
        }
        attributes = {"Policy": policy(statement), **({"FifoQueue": "true"} if fifo else {})}
        sqs.create_queue(QueueName=name, Attributes=attributes)
        sns.subscribe(TopicArn=arn("sns", name), Protocol="sqs", Endpoint=arn("sqs", name),
                      Attributes={"RawMessageDelivery": "true"})


def publish(path):
    lock = threading.Lock()
    with open(path, "a") as file:

        def work(name, worker):
            number = 0
            while True:
                number += 1
                text = f"{time.time_ns()}-{worker}-{number}"
                more = {"MessageGroupId": worker, "MessageDeduplicationId": text} if name == FIFO else {}
                try:
                    sns.publish(TopicArn=arn("sns", name), Message=text, **more)
                except (ConnectionError, HTTPClientError):
                    return
                with lock:
                    file.write(json.dumps([name, worker, text]) + "\n")
                    file.flush()

        workers = [threading.Thread(target=work, args=(name, f"w{n}")) for name in (PLAIN, FIFO) for n in range(4)]
        for worker in workers:
            worker.start()
        for worker in workers:
            worker.join()


def drain(name):
    """All that is in a queue, deleted, in the order in which it came; until nothing has come for a
    while."""
    url = sqs.get_queue_url(QueueName=name)["QueueUrl"]
    got, last = [], time.time()
    while time.time() < last + 5:
        answer = sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10, WaitTimeSeconds=1)
        for message in answer.get("Messages", []):
            got.append(message["Body"])
            sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
            last = time.time()
    return got


def check(path):
    acknowledged = [json.loads(line) for line in open(path)]
    for name in (PLAIN, FIFO):
        wanted = [(worker, text) for topic, worker, text in acknowledged if topic == name]
        got = drain(name)
        lost = {text for _, text in wanted} - set(got)
        assert not lost, f"{name}: {len(lost)} of {len(wanted)} are lost, such as {sorted(lost)[:3]}"
        if name == FIFO:
            assert len(got) == len(set(got)), "a message came twice"
            for worker in {worker for worker, _ in wanted}:
                mine = [text for text in got if text.split("-")[1] == worker]
                assert mine == sorted(mine), f"{worker}: out of order"
        print(f"{name}: {len(wanted)} acknowledged, {len(got)} came")


{"prepare": prepare, "publish": publish, "check": check}[sys.argv[1]](*sys.argv[2:])
