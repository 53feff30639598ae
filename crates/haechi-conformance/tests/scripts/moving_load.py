"""Writes parameters and reads them, while the records move; then whether all that was acknowledged
is there. FOLDER has `acknowledged` (a line for each write) and `stop` (made by the test)."""

import os
import threading
import time

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

FOLDER = os.environ["FOLDER"]
# Whoever started this; a test that was killed makes no `stop`.
PARENT = os.getppid()
QUICK = Config(retries={"total_max_attempts": 1}, connect_timeout=1, read_timeout=5)
PATIENT = Config(retries={"total_max_attempts": 12, "mode": "standard"}, read_timeout=30)

told = open(os.path.join(FOLDER, "acknowledged"), "a", buffering=1)
acknowledged, kinds, gaps = [], {}, [0.0]
stop = threading.Event()
lock = threading.Lock()
last = [time.monotonic()]


def write(thread):
    ssm = boto3.client("ssm", config=QUICK)
    count = 0
    while not stop.is_set():
        name = f"/load/{thread}/{count}"
        count += 1
        try:
            ssm.put_parameter(Name=name, Value=name, Type="String")
        except (ClientError, BotoCoreError) as error:
            kind = str(error)[:70] if isinstance(error, ClientError) else type(error).__name__
            with lock:
                kinds[kind] = kinds.get(kind, 0) + 1
            time.sleep(0.02)
            continue
        with lock:
            now = time.monotonic()
            gaps[0] = max(gaps[0], now - last[0])
            last[0] = now
            acknowledged.append(name)
            told.write(name + "\n")


threads = [threading.Thread(target=write, args=(number,)) for number in range(4)]
for thread in threads:
    thread.start()
while not os.path.exists(os.path.join(FOLDER, "stop")) and os.getppid() == PARENT:
    time.sleep(0.05)
stop.set()
for thread in threads:
    thread.join()

ssm = boto3.client("ssm", config=PATIENT)
missing = []
for start in range(0, len(acknowledged), 10):
    names = acknowledged[start : start + 10]
    found = ssm.get_parameters(Names=names)
    missing += found["InvalidParameters"]
print(f"{len(acknowledged)} acknowledged, longest pause {gaps[0]:.2f} s, refusals {kinds}")
assert not missing, missing
