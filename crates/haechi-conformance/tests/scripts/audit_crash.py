"""Keys that are made while the server is killed: `write` makes them until the server is gone, `list`
prints the ids of those that are there."""

import sys
from concurrent.futures import ThreadPoolExecutor

from botocore.exceptions import ConnectionError, HTTPClientError

from harness import client

kms = client("kms")


def make(_):
    while True:
        try:
            kms.create_key()
        except (ConnectionError, HTTPClientError):
            return


def write():
    with ThreadPoolExecutor(8) as threads:
        list(threads.map(make, range(8)))


def show():
    for page in kms.get_paginator("list_keys").paginate():
        for key in page["Keys"]:
            print(key["KeyId"])


{"write": write, "list": show}[sys.argv[1]]()
