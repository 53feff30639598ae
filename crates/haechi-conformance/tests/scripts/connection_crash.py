"""Connections that are made, changed and deleted while the server is killed. `put FILE` does so until
the server is gone, and notes what was acknowledged; `check FILE` compares, and prints how many
connections there are."""

import sys
import uuid

from botocore.exceptions import ClientError, ConnectionError, HTTPClientError

from harness import client

events, secrets = client("events"), client("secretsmanager")


def key(value):
    return {"ApiKeyAuthParameters": {"ApiKeyName": "x-key", "ApiKeyValue": value}}


def prepare():
    pass


def put(path):
    with open(path, "a") as file:
        try:
            while True:
                name = f"c-{uuid.uuid4().hex}"
                print(f"begun {name}", file=file, flush=True)
                events.create_connection(Name=name, AuthorizationType="API_KEY", AuthParameters=key("1"))
                print(f"made {name}", file=file, flush=True)
                print(f"changing {name}", file=file, flush=True)
                events.update_connection(Name=name, AuthParameters=key("2"))
                print(f"changed {name}", file=file, flush=True)
                if int(name[-1], 16) < 8:
                    print(f"deleting {name}", file=file, flush=True)
                    events.delete_connection(Name=name)
                    print(f"deleted {name}", file=file, flush=True)
        except (ClientError, ConnectionError, HTTPClientError):
            pass


def pages(call, key, **arguments):
    while True:
        answer = call(**arguments)
        yield from answer[key]
        if not answer.get("NextToken"):
            return
        arguments["NextToken"] = answer["NextToken"]


def check(path):
    notes = [line.split() for line in open(path)]
    said = {what: {name for one, name in notes if one == what} for what, _ in notes}
    there = {one["Name"]: one for one in pages(events.list_connections, "Connections")}
    made, gone = said["made"], said.get("deleted", set())
    leaving = said.get("deleting", set())
    assert not made - leaving - there.keys(), "an acknowledged connection is lost"
    assert not gone & there.keys(), "a deleted connection is back"
    assert not there.keys() - said["begun"], "a connection was invented"
    needed = set()
    for name in there:
        arn = events.describe_connection(Name=name).get("SecretArn")
        if arn is None:
            assert name in leaving, f"{name} has no secret"
            continue
        needed.add(arn)
        try:
            text = secrets.get_secret_value(SecretId=arn)["SecretString"]
        except secrets.exceptions.ResourceNotFoundException:
            # It was being deleted: its secret goes first.
            assert name in leaving, f"the secret of {name} is gone"
            continue
        if name in said["changed"]:
            assert '"2"' in text, "an acknowledged change is lost"
    # What a killed call left behind goes by itself, in ten minutes.
    filters = [{"Key": "name", "Values": ["events!connection/"]}]
    kept = {one["ARN"] for one in pages(secrets.list_secrets, "SecretList", Filters=filters)}
    crashes = len(said["begun"] - said["made"])
    assert len(kept - needed) <= crashes, f"{len(kept - needed)} secrets, {crashes} crashes"
    print(len(made))


{"prepare": prepare, "put": put, "check": check}[sys.argv[1]](*sys.argv[2:])
