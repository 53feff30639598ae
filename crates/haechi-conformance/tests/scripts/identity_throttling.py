"""Request quotas of IAM and Organizations: refused as each service refuses, and not for long."""

import threading
import time

from harness import client, equal, main
from botocore.exceptions import ClientError

iam = client("iam")
organizations = client("organizations")


def storm(call, times):
    """Calls from eight threads: how many were served, and what the others were told."""
    served, told = [], set()

    def some():
        for _ in range(times // 8):
            try:
                call()
                served.append(1)
            except ClientError as error:
                about = error.response
                status = about["ResponseMetadata"]["HTTPStatusCode"]
                told.add((about["Error"]["Code"], about["Error"]["Message"], status))

    threads = [threading.Thread(target=some) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return len(served), told


def test_who_asks_iam_too_often_is_told_so():
    names = iter(range(10_000))
    served, told = storm(lambda: iam.create_group(GroupName=f"g{next(names)}"), 240)
    equal(told, {("Throttling", "Rate exceeded", 400)})
    assert served >= 30, served
    iam.list_users()
    time.sleep(1)
    iam.create_group(GroupName="later")


def test_who_asks_organizations_too_often_is_told_so_in_its_words():
    organizations.create_organization()
    served, told = storm(organizations.list_roots, 240)
    message = (
        "You have sent too many requests in too short a period of time. Try again later."
    )
    equal(told, {("TooManyRequestsException", message, 400)})
    assert served >= 10, served
    organizations.describe_organization()


main()
