"""LookupEvents, asked of any node, tells of the calls that all of them handled, each once, from the
newest on, in pages of any size. NODES is a JSON list of endpoints."""

import json
import os
import time
import uuid

import boto3

from harness import ONCE, main

NODES = json.loads(os.environ["NODES"])


def at(node, service):
    return boto3.client(service, endpoint_url=NODES[node], config=ONCE)


def looked_up(node, name, page):
    # AWS lets an account ask twice a second; quotas are off here.
    found, token = [], {}
    while True:
        attributes = [{"AttributeKey": "EventName", "AttributeValue": name}]
        answer = at(node, "cloudtrail").lookup_events(
            LookupAttributes=attributes, MaxResults=page, **token
        )
        assert len(answer["Events"]) <= page
        found += answer["Events"]
        if "NextToken" not in answer:
            return found
        token = {"NextToken": answer["NextToken"]}


def test_calls_of_all_nodes_are_told_by_each_in_order_and_once():
    names = []
    for turn in range(7):
        for node in range(len(NODES)):
            name = f"/lookup/{turn}/{node}/{uuid.uuid4()}"
            at(node, "ssm").put_parameter(Name=name, Value="1", Type="String")
            names.append((node, name))
        time.sleep(0.4)
    nodes = set()
    for node in range(len(NODES)):
        for page in (2, 5, 50):
            events = looked_up(node, "PutParameter", page)
            told = [json.loads(event["CloudTrailEvent"]) for event in events]
            seen = [record["requestParameters"]["name"] for record in told]
            assert sorted(seen) == sorted(name for _, name in names), (node, page, len(seen))
            times = [event["EventTime"] for event in events]
            assert times == sorted(times, reverse=True), (node, page, times)
            nodes |= {record["additionalEventData"]["haechiNode"] for record in told}
    assert len(nodes) == len(NODES), nodes


def test_one_event_is_found_by_its_id_from_any_node():
    event = looked_up(0, "PutParameter", 50)[0]
    for node in range(len(NODES)):
        attribute = {"AttributeKey": "EventId", "AttributeValue": event["EventId"]}
        found = at(node, "cloudtrail").lookup_events(LookupAttributes=[attribute])["Events"]
        assert [one["EventId"] for one in found] == [event["EventId"]], (node, found)


def test_what_strangers_ask_is_nobodys():
    import urllib.request
    import urllib.error
    import ssl

    context = ssl._create_unverified_context()
    for path in ("", "AAAA", "x" * 200):
        try:
            urllib.request.urlopen(f"{NODES[0]}/.haechi/node/{path}", context=context)
            raise AssertionError("it was answered")
        except urllib.error.HTTPError as error:
            assert error.code >= 400, error.code


if __name__ == "__main__":
    main()
