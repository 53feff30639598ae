"""Load on all nodes while faults befall them; then whether everything acknowledged is everywhere.

NODES is a JSON list of endpoints. FOLDER has `progress.json` (written here: acknowledged writes by
node), `faults` (written by the test: a line `<time> <name>` each) and `stop` (made by the test).
Every write to Parameter Store is an event, which a rule takes to a queue: jobs on some node.
Beside that, three registers are read and written on all nodes; `history` tells each call and when."""

import collections
import itertools
import json
import os
import threading
import time

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from harness import ACCOUNT, REGION

NODES = json.loads(os.environ["NODES"])
FOLDER = os.environ["FOLDER"]
# Whoever started this; a test that was killed makes no `stop`.
PARENT = os.getppid()
QUICK = Config(
    retries={"total_max_attempts": 1}, connect_timeout=1, read_timeout=5, max_pool_connections=4
)
PATIENT = Config(retries={"total_max_attempts": 12, "mode": "standard"}, read_timeout=30)

# Between two rounds of a writer, in seconds: faults need calls in flight, not a busy machine.
PAUSE = 0.2

acknowledged = [[] for _ in NODES]
stop = threading.Event()


def write(node):
    ssm = boto3.client("ssm", endpoint_url=NODES[node], config=QUICK)
    kms = boto3.client("kms", endpoint_url=NODES[node], config=QUICK)
    count = 0
    while not stop.is_set():
        name = f"/load/{node}/{count}"
        count += 1
        try:
            ssm.put_parameter(Name=name, Value=name, Type="String")
            acknowledged[node].append((time.time(), name))
            blob = kms.encrypt(KeyId="alias/load", Plaintext=name.encode())["CiphertextBlob"]
            plain = kms.decrypt(CiphertextBlob=blob)["Plaintext"]
            assert plain == name.encode()
            time.sleep(PAUSE)
        except (ClientError, BotoCoreError) as error:
            print(f"- node {node}: {name}: {str(error)[:160]}", flush=True)
            time.sleep(0.05)


REGISTERS = 3
# Calls of each register, so that a history says something: on a busy machine they take longer. And
# how long that may be, in seconds.
ENOUGH, PATIENCE = 120, 120
history = []
numbers = itertools.count(1)


def register(node):
    """Reads and writes registers; an error of a write may mean that it is done later, or never."""
    ssm = boto3.client("ssm", endpoint_url=NODES[node], config=QUICK)
    count = node
    while not stop.is_set():
        count += 1
        which, write = count % REGISTERS, count // REGISTERS % 2 == 0
        name, begun, ended, value = f"/register/{which}", time.monotonic_ns(), None, next(numbers)
        try:
            if write:
                ssm.put_parameter(Name=name, Value=str(value), Type="String", Overwrite=True)
            else:
                found = ssm.get_parameters(Names=[name])["Parameters"]
                value = int(found[0]["Value"]) if found else None
            ended = time.monotonic_ns()
        except (ClientError, BotoCoreError):
            time.sleep(0.2)
            if not write:
                continue
        action = "write" if write else "read"
        history.append(
            {"register": which, "begun": begun, "ended": ended, "action": action, "value": value}
        )
        time.sleep(PAUSE / 2)


def tells_something():
    counts = collections.Counter(call["register"] for call in list(history))
    return all(counts[which] >= ENOUGH for which in range(REGISTERS))


def tell_history():
    """A write without an answer whose value nobody ever read is left out: with it or without it,
    the history is possible or not."""
    read = {call["value"] for call in history if call["action"] == "read"}
    with open(f"{FOLDER}/history", "w") as file:
        for call in history:
            if call["ended"] is not None or call["value"] in read:
                file.write(json.dumps(call) + "\n")


def prepare():
    sqs = boto3.client("sqs", endpoint_url=NODES[0], config=PATIENT)
    url = sqs.create_queue(QueueName="changes")["QueueUrl"]
    policy = {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Effect": "Allow",
                "Principal": {"Service": "events.amazonaws.com"},
                "Action": "sqs:SendMessage",
                "Resource": "*",
            }
        ],
    }
    sqs.set_queue_attributes(QueueUrl=url, Attributes={"Policy": json.dumps(policy)})
    events = boto3.client("events", endpoint_url=NODES[0], config=PATIENT)
    events.put_rule(Name="changes", EventPattern=json.dumps({"source": ["aws.ssm"]}))
    arn = f"arn:aws:sqs:{REGION}:{ACCOUNT}:changes"
    events.put_targets(Rule="changes", Targets=[{"Id": "queue", "Arn": arn}])
    kms = boto3.client("kms", endpoint_url=NODES[0], config=PATIENT)
    key = kms.create_key()["KeyMetadata"]["KeyId"]
    kms.create_alias(AliasName="alias/load", TargetKeyId=key)
    return url


def load():
    threads = [
        threading.Thread(target=work, args=(node,))
        for node in range(len(NODES))
        for work in (write, register)
    ]
    for thread in threads:
        thread.start()
    last = None
    while os.getppid() == PARENT:
        if os.path.exists(f"{FOLDER}/stop"):
            last = last or time.monotonic() + PATIENCE
            if tells_something() or time.monotonic() > last:
                break
        partial = f"{FOLDER}/progress.new"
        with open(partial, "w") as file:
            json.dump([len(one) for one in acknowledged], file)
        os.rename(partial, f"{FOLDER}/progress.json")
        time.sleep(0.05)
    stop.set()
    for thread in threads:
        thread.join()


def everything_is_everywhere(names):
    for node, endpoint in enumerate(NODES):
        ssm = boto3.client("ssm", endpoint_url=endpoint, config=PATIENT)
        lost = []
        for start in range(0, len(names), 10):
            part = names[start : start + 10]
            lost += ssm.get_parameters(Names=part)["InvalidParameters"]
        assert not lost, f"acknowledged, and not on node {node}: {lost[:10]} ({len(lost)})"
    print(f"{len(names)} acknowledged writes are on all {len(NODES)} nodes")


def every_event_has_come(url, names):
    sqs = boto3.client("sqs", endpoint_url=NODES[0], config=PATIENT)
    seen, missing = collections.Counter(), set(names)
    until = time.monotonic() + 240
    while missing:
        assert time.monotonic() < until, f"no event of {sorted(missing)[:10]} ({len(missing)})"
        answer = sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10, WaitTimeSeconds=1)
        messages = answer.get("Messages", [])
        for message in messages:
            name = json.loads(message["Body"])["detail"]["name"]
            if name.startswith("/register/"):
                continue
            seen[name] += 1
            missing.discard(name)
        if messages:
            entries = [
                {"Id": str(place), "ReceiptHandle": message["ReceiptHandle"]}
                for place, message in enumerate(messages)
            ]
            sqs.delete_message_batch(QueueUrl=url, Entries=entries)
    twice = sum(1 for count in seen.values() if count > 1)
    print(f"events of all {len(names)} have come, {twice} of them more than once")


def tell_faults():
    with open(f"{FOLDER}/faults") as file:
        faults = [line.split(" ", 1) for line in file.read().splitlines()]
    for when, name in faults:
        when = float(when)
        firsts = []
        for node, writes in enumerate(acknowledged):
            first = next((at for at, _ in writes if at > when), None)
            firsts.append("-" if first is None else f"{first - when:.2f}")
        print(f"{name}: first success after, by node: {', '.join(firsts)} s")


def main():
    url = prepare()
    load()
    tell_history()
    tell_faults()
    names = [name for writes in acknowledged for _, name in writes]
    everything_is_everywhere(names)
    every_event_has_come(url, names)


main()
