"""What scripts about functions share: roles, archives, waiting."""

import io
import json
import time
import zipfile

from harness import ACCOUNT, client, unique

lambda_ = client("lambda")
iam = client("iam")
PYTHON, NODE = "python3.11", "nodejs20.x"


def archive(**files):
    """A zip of texts; `__` in a name stands for the dot before its ending."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as zip:
        for name, text in files.items():
            zip.writestr(name.replace("__", "."), text)
    return out.getvalue()


def new_role(*statements, service="lambda.amazonaws.com"):
    name = unique("role")
    trust = {
        "Version": "2012-10-17",
        "Statement": [
            {"Effect": "Allow", "Principal": {"Service": service}, "Action": "sts:AssumeRole"}
        ],
    }
    role = iam.create_role(RoleName=name, AssumeRolePolicyDocument=json.dumps(trust))
    if statements:
        policy = {"Version": "2012-10-17", "Statement": list(statements)}
        iam.put_role_policy(RoleName=name, PolicyName="own", PolicyDocument=json.dumps(policy))
    return role["Role"]["Arn"]


def allow(*actions, resource="*"):
    return {"Effect": "Allow", "Action": list(actions), "Resource": resource}


def new_function(source, role=None, name=None, runtime=PYTHON, **settings):
    name = name or unique("function")
    file = "index__py" if runtime == PYTHON else "index__js"
    made = lambda_.create_function(
        FunctionName=name,
        Runtime=runtime,
        Role=role or new_role(),
        Handler="index.handler",
        Code={"ZipFile": archive(**{file: source})},
        Timeout=settings.pop("Timeout", 30),
        **settings,
    )
    lambda_.get_waiter("function_active_v2").wait(FunctionName=name)
    return made


def invoke(name, event=None, **settings):
    """The answer's payload, and the whole answer."""
    answer = lambda_.invoke(FunctionName=name, Payload=json.dumps(event), **settings)
    text = answer["Payload"].read()
    return (json.loads(text) if text else None), answer


def until(what, seconds=60):
    """Waits for something to be true, and answers it."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        found = what()
        if found:
            return found
        time.sleep(0.1)
    raise AssertionError("it does not come to that")


def arn_of(name):
    return lambda_.get_function(FunctionName=name)["Configuration"]["FunctionArn"]
