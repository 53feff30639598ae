"""Parameters that change while the server is killed. `write FILE` changes them until the server is
gone and notes what it is about to do and what was acknowledged; `check FILE N` replays the notes,
compares, and prints how many there are.

One change may have been on its way at each kill: it happened whole or not at all, and the check
notes which."""

import json
import random
import sys

from botocore.exceptions import ClientError, ConnectionError, HTTPClientError

from harness import client, equal

ssm = client("ssm")
ROOT = "/crash"
NAMES = [f"{ROOT}/{level}/{number}" for level in ("a", "b") for number in range(3)]


def note(file, **what):
    file.write(json.dumps(what) + "\n")
    file.flush()


def replay(path):
    """What is there by the notes: name to its values, oldest first; and the change that is open."""
    there, pending, count = {}, None, 0
    try:
        lines = open(path).read().splitlines()
    except FileNotFoundError:
        lines = []
    for line in lines:
        what = json.loads(line)
        count += 1
        if what["is"] == "begun":
            pending = what
        elif what["is"] == "undone":
            pending = None
        else:
            apply(there, pending)
            pending = None
    return there, pending, count


def apply(there, change):
    if change["do"] == "delete":
        del there[change["name"]]
    else:
        there.setdefault(change["name"], []).append(change["value"])


def write(path):
    there, pending, _ = replay(path)
    assert pending is None
    with open(path, "a") as file:
        while True:
            name = random.choice(NAMES)
            delete = name in there and random.random() < 0.15
            value = f"v{random.getrandbits(64):x}"
            change = {"do": "delete" if delete else "put", "name": name, "value": value}
            note(file, **{"is": "begun"}, **change)
            try:
                if delete:
                    ssm.delete_parameter(Name=name)
                else:
                    secure = name.endswith("0")
                    answer = ssm.put_parameter(
                        Name=name,
                        Value=value,
                        Type="SecureString" if secure else "String",
                        Overwrite=True,
                    )
                    equal(answer["Version"], len(there.get(name, [])) + 1)
            except (ConnectionError, HTTPClientError):
                return
            apply(there, change)
            note(file, **{"is": "done"})


def values(name):
    """The values of a parameter's versions that are kept, with the number of the first."""
    pages = ssm.get_paginator("get_parameter_history").paginate(Name=name, WithDecryption=True)
    try:
        history = [one for page in pages for one in page["Parameters"]]
    except ClientError as error:
        equal(error.response["Error"]["Code"], "ParameterNotFound")
        return None
    first = history[0]["Version"]
    equal([one["Version"] for one in history], list(range(first, first + len(history))))
    newest = ssm.get_parameter(Name=name, WithDecryption=True)["Parameter"]
    equal((newest["Version"], newest["Value"]), (history[-1]["Version"], history[-1]["Value"]))
    return first, [one["Value"] for one in history]


def same(found, expected):
    if found is None or expected is None:
        return found is None and expected is None
    first, shown = found
    return first == max(1, len(expected) - 99) and shown == expected[-100:]


def check(path, _):
    there, pending, count = replay(path)
    if pending is not None:
        after = {name: list(versions) for name, versions in there.items()}
        apply(after, pending)
        name = pending["name"]
        happened = same(values(name), after.get(name))
        with open(path, "a") as file:
            note(file, **{"is": "done" if happened else "undone"})
        there, count = (after if happened else there), count + 1
    for name in NAMES:
        found = values(name)
        assert same(found, there.get(name)), f"{name}: {found}, not {there.get(name)}"
    listed = ssm.get_paginator("get_parameters_by_path").paginate(Path=ROOT, Recursive=True)
    equal(sorted(one["Name"] for page in listed for one in page["Parameters"]), sorted(there))
    print(count)


{"write": write, "check": check}[sys.argv[1]](*sys.argv[2:])
