"""Functions: created, invoked, versioned, permitted; by boto3."""

import base64
import hashlib
import json
import os
import re

from functions import (
    NODE, PYTHON, allow, archive, arn_of, iam, invoke, lambda_, new_function, new_role, until,
)
from harness import ACCOUNT, REGION, client, client_of, equal, main, new_user, refused, unique

ECHO = "def handler(event, context):\n    return event\n"


def test_a_function_is_made_shown_changed_and_deleted():
    name, role = unique("function"), new_role()
    code = archive(index__py=ECHO)
    made = lambda_.create_function(
        FunctionName=name, Runtime=PYTHON, Role=role, Handler="index.handler",
        Code={"ZipFile": code}, Environment={"Variables": {"AA": "a"}}, Timeout=5,
    )
    equal((made["State"], made["StateReasonCode"]), ("Pending", "Creating"))
    equal(made["Version"], "$LATEST")
    equal(made["CodeSize"], len(code))
    equal(made["CodeSha256"], base64.b64encode(hashlib.sha256(code).digest()).decode())
    equal(made["FunctionArn"], f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:{name}")
    found = lambda_.get_function(FunctionName=name)
    equal(found["Configuration"]["State"], "Active")
    equal(found["Configuration"]["LastUpdateStatus"], "Successful")
    changed = lambda_.update_function_configuration(
        FunctionName=name, Timeout=10, MemorySize=256, Environment={"Variables": {"BB": "b"}},
    )
    equal((changed["Timeout"], changed["MemorySize"]), (10, 256))
    equal(changed["LastUpdateStatus"], "InProgress")
    lambda_.get_waiter("function_updated_v2").wait(FunctionName=name)
    other = "def handler(event, context):\n    return 'other'\n"
    lambda_.update_function_code(FunctionName=name, ZipFile=archive(index__py=other))
    equal(invoke(name)[0], "other")
    names = [one["FunctionName"] for one in lambda_.list_functions()["Functions"]]
    assert name in names
    lambda_.delete_function(FunctionName=name)
    arn = made["FunctionArn"]
    gone = f"Function not found: {arn}"
    told = refused("ResourceNotFoundException", lambda_.get_function, FunctionName=name, message=gone)
    equal(told["ResponseMetadata"]["HTTPStatusCode"], 404)


def test_an_invocation_answers_and_tells_its_log():
    name = new_function(
        "def handler(event, context):\n"
        "    print('hello', event['who'])\n"
        "    return {'who': event['who'], 'id': context.aws_request_id,\n"
        "            'left': context.get_remaining_time_in_millis(),\n"
        "            'arn': context.invoked_function_arn}\n"
    )["FunctionName"]
    told, answer = invoke(name, {"who": "you"}, LogType="Tail")
    equal(answer["StatusCode"], 200)
    equal(answer["ExecutedVersion"], "$LATEST")
    assert "FunctionError" not in answer
    equal(told["who"], "you")
    assert 0 < told["left"] <= 30_000, told
    log = base64.b64decode(answer["LogResult"]).decode()
    id = told["id"]
    equal(id, answer["ResponseMetadata"]["RequestId"])
    assert f"START RequestId: {id} Version: $LATEST\n" in log, log
    assert "hello you\n" in log, log
    assert f"END RequestId: {id}\nREPORT RequestId: {id}\tDuration: " in log, log
    assert re.search(r"Init Duration: [0-9.]+ ms", log), log
    equal(told["arn"], arn_of(name))


def test_code_and_events_of_several_megabytes_are_taken():
    noise = base64.b64encode(os.urandom(6_000_000)).decode()
    source = "def handler(event, context):\n    return len(event)\n"
    made = lambda_.create_function(
        FunctionName=unique("large"),
        Runtime=PYTHON,
        Role=new_role(),
        Handler="index.handler",
        Code={"ZipFile": archive(index__py=source, noise__txt=noise)},
        Timeout=60,
        MemorySize=512,
    )
    assert made["CodeSize"] > 5_000_000, made["CodeSize"]
    name = made["FunctionName"]
    equal(invoke(name, "x" * 5_000_000)[0], 5_000_000)
    too_large = {"FunctionName": name, "Payload": json.dumps("x" * 6_291_456)}
    refused("RequestTooLargeException", lambda_.invoke, **too_large)
    config = lambda_.get_function_code_signing_config(FunctionName=name)
    equal((config["FunctionName"], config["CodeSigningConfigArn"]), (name, ""))
    equal(lambda_.get_function(FunctionName=name)["Code"]["RepositoryType"], "S3")


def test_node_js_runs_too():
    source = "exports.handler = async (event) => ({ twice: event.n * 2, node: process.version })"
    name = new_function(source, runtime=NODE)["FunctionName"]
    told, _ = invoke(name, {"n": 21})
    equal(told["twice"], 42)
    bad = "exports.handler = async () => { throw new TypeError('no') }"
    told, answer = invoke(new_function(bad, runtime=NODE)["FunctionName"])
    equal(answer["FunctionError"], "Unhandled")
    equal((told["errorType"], told["errorMessage"]), ("TypeError", "no"))


def test_an_executable_of_its_own_runs_too():
    import io
    import zipfile

    bootstrap = """#!/usr/bin/python3
import http.client, json, os
api = http.client.HTTPConnection(os.environ["AWS_LAMBDA_RUNTIME_API"])
while True:
    api.request("GET", "/2018-06-01/runtime/invocation/next")
    answer = api.getresponse()
    event, id = answer.read(), answer.headers["Lambda-Runtime-Aws-Request-Id"]
    api.request("POST", f"/2018-06-01/runtime/invocation/{id}/response", event)
    api.getresponse().read()
"""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as zip:
        entry = zipfile.ZipInfo("bootstrap")
        entry.external_attr = 0o755 << 16
        zip.writestr(entry, bootstrap)
    name = unique("function")
    lambda_.create_function(
        FunctionName=name, Runtime="provided.al2023", Role=new_role(), Handler="x",
        Code={"ZipFile": out.getvalue()},
    )
    equal(invoke(name, {"a": [1]})[0], {"a": [1]})


def test_a_warm_instance_keeps_its_state_and_a_change_begins_anew():
    source = "count = 0\ndef handler(event, context):\n    global count\n    count += 1\n    return count\n"
    name = new_function(source)["FunctionName"]
    equal([invoke(name)[0] for _ in range(3)], [1, 2, 3])
    lambda_.update_function_configuration(FunctionName=name, Description="changed")
    equal(invoke(name)[0], 1)


def test_failures_are_told_as_aws_tells_them():
    def fails(source, **settings):
        told, answer = invoke(new_function(source, **settings)["FunctionName"], LogType="Tail")
        equal((answer["StatusCode"], answer["FunctionError"]), (200, "Unhandled"))
        return told, base64.b64decode(answer["LogResult"]).decode()

    told, log = fails("def handler(event, context):\n    raise Exception('Handler fails')\n")
    equal((told["errorMessage"], told["errorType"]), ("Handler fails", "Exception"))
    assert "/var/task/index.py" in told["stackTrace"][0], told
    assert "[ERROR] Exception: Handler fails" in log, log
    told, _ = fails("import sys\ndef handler(event, context):\n    sys.exit(0)\n")
    equal(told["errorType"], "Runtime.ExitError")
    assert told["errorMessage"].endswith("Error: Runtime exited without providing a reason"), told
    told, _ = fails("import os\ndef handler(event, context):\n    os._exit(3)\n")
    assert told["errorMessage"].endswith("Runtime exited with error: exit status 3"), told
    told, _ = fails("import nothing_of_this_name\n")
    equal(told["errorType"], "Runtime.ImportModuleError")
    told, log = fails("import time\ndef handler(event, context):\n    time.sleep(60)\n", Timeout=1)
    assert re.fullmatch(
        r"\S+Z [0-9a-f-]{36} Task timed out after 1\.00 seconds", told["errorMessage"]
    ), told
    equal(set(told), {"errorMessage"})
    told, _ = fails("def handler(event, context):\n    return 'x' * 6_300_000\n")
    equal(told["errorType"], "Function.ResponseSizeTooLarge")


def test_dry_runs_and_events_that_are_no_json():
    name = new_function(ECHO)["FunctionName"]
    equal(invoke(name, InvocationType="DryRun")[1]["StatusCode"], 204)
    equal(invoke(name, InvocationType="Event")[1]["StatusCode"], 202)
    for payload in [b"\x99\xeb", b"{", b"nope"]:
        refused("InvalidRequestContentException", lambda_.invoke, FunctionName=name, Payload=payload,
                contains="Could not parse request body into json")
    refused("RequestTooLargeException", lambda_.invoke, FunctionName=name, InvocationType="Event",
            Payload=json.dumps("x" * 262_143), status=413)
    missing = f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:doesnotexist"
    refused("ResourceNotFoundException", lambda_.invoke, FunctionName="doesnotexist",
            message=f"Function not found: {missing}")


def test_versions_and_aliases():
    one = "def handler(event, context):\n    return context.function_version\n"
    name = new_function(one)["FunctionName"]
    first = lambda_.publish_version(FunctionName=name, Description="first")
    equal((first["Version"], first["FunctionArn"]), ("1", arn_of(name) + ":1"))
    # Nothing has changed: it is the same version again.
    equal(lambda_.publish_version(FunctionName=name)["Version"], "1")
    lambda_.update_function_configuration(FunctionName=name, Timeout=31)
    equal(lambda_.publish_version(FunctionName=name)["Version"], "2")
    alias = lambda_.create_alias(FunctionName=name, Name="live", FunctionVersion="1")
    equal(alias["AliasArn"], arn_of(name) + ":live")
    equal(invoke(f"{name}:live")[0], "1")
    equal(invoke(name, Qualifier="2")[1]["ExecutedVersion"], "2")
    refused("ResourceConflictException", lambda_.create_alias, FunctionName=name, Name="live",
            FunctionVersion="1", message=f"Alias already exists: {alias['AliasArn']}")
    lambda_.update_alias(FunctionName=name, Name="live", RoutingConfig={
        "AdditionalVersionWeights": {"2": 1.0}})
    equal(invoke(f"{name}:live")[0], "2")
    versions = lambda_.list_versions_by_function(FunctionName=name)["Versions"]
    equal([one["Version"] for one in versions], ["$LATEST", "1", "2"])
    equal(len(lambda_.list_aliases(FunctionName=name)["Aliases"]), 1)
    refused("ResourceConflictException", lambda_.delete_function, FunctionName=name, Qualifier="1")
    lambda_.delete_alias(FunctionName=name, Name="live")
    lambda_.delete_function(FunctionName=name, Qualifier="1")
    arn = arn_of(name)
    refused("ResourceNotFoundException", lambda_.get_function, FunctionName=name, Qualifier="1",
            message=f"Function not found: {arn}:1")
    refused("PreconditionFailedException", lambda_.publish_version, FunctionName=name,
            RevisionId="wrong", status=412)


def test_permissions():
    name = new_function(ECHO)["FunctionName"]
    arn = arn_of(name)
    refused("ResourceNotFoundException", lambda_.get_policy, FunctionName=name,
            message="The resource you requested does not exist.")
    told = lambda_.add_permission(
        FunctionName=name, StatementId="s3", Action="lambda:InvokeFunction",
        Principal="s3.amazonaws.com", SourceArn="arn:aws:s3:::bucket", SourceAccount=ACCOUNT,
    )
    equal(json.loads(told["Statement"]), {
        "Sid": "s3", "Effect": "Allow", "Principal": {"Service": "s3.amazonaws.com"},
        "Action": "lambda:InvokeFunction", "Resource": arn,
        "Condition": {"StringEquals": {"AWS:SourceAccount": ACCOUNT},
                      "ArnLike": {"AWS:SourceArn": "arn:aws:s3:::bucket"}},
    })
    refused("ResourceConflictException", lambda_.add_permission, FunctionName=name,
            StatementId="s3", Action="lambda:InvokeFunction", Principal="s3.amazonaws.com",
            contains="The statement id (s3) provided already exists")
    refused("InvalidParameterValueException", lambda_.add_permission, FunctionName=name,
            StatementId="x", Action="lambda:InvokeFunction", Principal="nobody")
    policy = lambda_.get_policy(FunctionName=name)
    equal(json.loads(policy["Policy"])["Id"], "default")
    lambda_.remove_permission(FunctionName=name, StatementId="s3")
    refused("ResourceNotFoundException", lambda_.get_policy, FunctionName=name)


def test_who_may_invoke():
    name = new_function(ECHO)["FunctionName"]
    user, key = new_user()
    theirs = client_of(key, "lambda")
    refused("AccessDeniedException", theirs.invoke, FunctionName=name,
            contains="is not authorized to perform: lambda:InvokeFunction on resource: " + arn_of(name))
    lambda_.add_permission(FunctionName=name, StatementId="user", Action="lambda:InvokeFunction",
                           Principal=iam.get_user(UserName=user)["User"]["Arn"])
    equal(json.loads(theirs.invoke(FunctionName=name, Payload="1")["Payload"].read()), 1)
    # Nobody has this name, and one who is made anew under a name is another.
    add = {"FunctionName": name, "Action": "lambda:InvokeFunction"}
    refused("InvalidParameterValueException", lambda_.add_permission, **add, StatementId="nobody",
            Principal=f"arn:aws:iam::{ACCOUNT}:role/nobody-has-this-name",
            message="The provided principal was invalid. Please check the principal and try again.")
    iam.delete_access_key(UserName=user, AccessKeyId=key["AccessKeyId"])
    iam.delete_user(UserName=user)
    arn = iam.create_user(UserName=user)["User"]["Arn"]
    theirs = client_of(iam.create_access_key(UserName=user)["AccessKey"], "lambda")
    refused("AccessDeniedException", theirs.invoke, FunctionName=name)
    lambda_.add_permission(**add, StatementId="anew", Principal=arn)
    theirs.invoke(FunctionName=name)
    # Who makes a function must be let to pass its role.
    iam.put_user_policy(UserName=user, PolicyName="p", PolicyDocument=json.dumps({
        "Version": "2012-10-17", "Statement": [allow("lambda:CreateFunction")]}))
    refused("AccessDeniedException", theirs.create_function, FunctionName=unique("function"),
            Runtime=PYTHON, Role=new_role(), Handler="index.handler",
            Code={"ZipFile": archive(index__py=ECHO)}, contains="iam:PassRole")


def test_a_role_must_trust_lambda():
    role = new_role(service="events.amazonaws.com")
    refused("InvalidParameterValueException", new_function, ECHO, role=role,
            message="The role defined for the function cannot be assumed by Lambda.")


def test_a_function_calls_haechi_as_its_role():
    source = """
import boto3
def handler(event, context):
    who = boto3.client("sts").get_caller_identity()["Arn"]
    try:
        boto3.client("secretsmanager").list_secrets()
        return [who, None]
    except Exception as error:
        return [who, type(error).__name__]
"""
    role = new_role()
    name = new_function(source, role=role)["FunctionName"]
    who, error = invoke(name)[0]
    equal(who, f"arn:aws:sts::{ACCOUNT}:assumed-role/{role.split('/')[-1]}/{name}")
    equal(error, "ClientError")
    may = new_role(allow("secretsmanager:ListSecrets"))
    equal(invoke(new_function(source, role=may)["FunctionName"])[0][1], None)


def test_what_is_wrong_is_refused():
    def wrong(message, **settings):
        refused("InvalidParameterValueException", new_function, ECHO, contains=message, **settings)

    wrong("exceeded the 4KB limit", Environment={"Variables": {"AA": "x" * 4096}})
    wrong("reserved keys", Environment={"Variables": {"AWS_REGION": "x"}})
    for broken in [b"no zip", archive(index__py=ECHO)[:-8]]:
        refused("InvalidParameterValueException", lambda_.create_function,
                FunctionName=unique("function"), Runtime=PYTHON, Role=new_role(),
                Handler="index.handler", Code={"ZipFile": broken},
                message="Could not unzip uploaded file. Please check your file, then try to upload again.")
    wrong("or be a valid ARN", runtime="non-existent-runtime")
    wrong("The runtime parameter of nodejs12.x is no longer supported", runtime="nodejs12.x")
    wrong("Member must have length less than or equal to 64", name="a" * 65)
    # Kept as with AWS, and not run.
    java = new_function(ECHO, runtime="java21")["FunctionName"]
    refused("InvalidRuntimeException", lambda_.invoke, FunctionName=java,
            contains="no interpreter here for the runtime java21", status=502)
    name = new_function(ECHO)["FunctionName"]
    refused("ResourceConflictException", new_function, ECHO, name=name,
            message=f"Function already exist: {name}")


def test_a_dead_letter_queue_goes_by_an_empty_arn_alone():
    queue = f"arn:aws:sqs:{REGION}:{ACCOUNT}:letters"
    name = new_function(ECHO, DeadLetterConfig={"TargetArn": queue})["FunctionName"]
    # As recorded: an empty object says nothing.
    kept = lambda_.update_function_configuration(FunctionName=name, DeadLetterConfig={})
    equal(kept["DeadLetterConfig"], {"TargetArn": queue})
    gone = lambda_.update_function_configuration(
        FunctionName=name, DeadLetterConfig={"TargetArn": ""})
    assert "DeadLetterConfig" not in gone, gone


def test_logs_are_json_where_the_function_wants_it():
    source = "def handler(event, context):\n    return 1\n"
    text = new_function(source)
    group = f"/aws/lambda/{text['FunctionName']}"
    equal(text["LoggingConfig"], {"LogFormat": "Text", "LogGroup": group})
    name = text["FunctionName"]
    changed = lambda_.update_function_configuration(
        FunctionName=name, LoggingConfig={"LogFormat": "JSON", "SystemLogLevel": "DEBUG"})
    equal(changed["LoggingConfig"], {"LogFormat": "JSON", "ApplicationLogLevel": "INFO",
                                     "SystemLogLevel": "DEBUG", "LogGroup": group})
    told = base64.b64decode(invoke(name, 1, LogType="Tail")[1]["LogResult"]).decode()
    lines = [json.loads(line) for line in told.splitlines()]
    kinds = [line["type"] for line in lines if line.get("type", "").startswith("platform.")]
    equal(kinds, ["platform.start", "platform.runtimeDone", "platform.report"])
    lambda_.update_function_configuration(
        FunctionName=name, LoggingConfig={"LogFormat": "Text"})
    told = base64.b64decode(invoke(name, 1, LogType="Tail")[1]["LogResult"]).decode()
    assert told.startswith("START RequestId: "), told


def test_what_no_function_has_here_is_told():
    name = new_function(ECHO)["FunctionName"]
    version = lambda_.publish_version(FunctionName=name)["Version"]
    arn = arn_of(name)
    refused("ProvisionedConcurrencyConfigNotFoundException",
            lambda_.get_provisioned_concurrency_config, FunctionName=name, Qualifier=version,
            message="No Provisioned Concurrency Config found for this function")
    for call in [lambda_.get_provisioned_concurrency_config,
                 lambda_.delete_provisioned_concurrency_config]:
        refused("ResourceNotFoundException", call, FunctionName=name, Qualifier="noalias",
                message=f"Cannot find alias arn: {arn}:noalias")
        refused("ResourceNotFoundException", call, FunctionName=name, Qualifier="10",
                message=f"Function not found: {arn}:10")
        refused("InvalidParameterValueException", call, FunctionName=name, Qualifier="$LATEST",
                message="The function resource provided must be an alias or a published version.")
    lambda_.delete_provisioned_concurrency_config(FunctionName=name, Qualifier=version)
    listed = lambda_.list_provisioned_concurrency_configs(FunctionName=name)
    equal(listed["ProvisionedConcurrencyConfigs"], [])
    equal(lambda_.list_function_url_configs(FunctionName=name)["FunctionUrlConfigs"], [])
    refused("ResourceNotFoundException", lambda_.list_function_url_configs,
            FunctionName="doesnotexist", message="Function does not exist")
    for call in [lambda_.get_function_url_config, lambda_.delete_function_url_config]:
        refused("ResourceNotFoundException", call, FunctionName=name,
                message="The resource you requested does not exist.")
        refused("ValidationException", call, FunctionName=name, Qualifier="1", contains="'qualifier'")
    equal(lambda_.list_layers()["Layers"], [])
    equal(lambda_.list_layer_versions(LayerName="doesnotexist")["LayerVersions"], [])
    refused("ValidationException", lambda_.list_layers, CompatibleRuntime="doesnotexist",
            contains="'compatibleRuntime'")
    equal(lambda_.list_code_signing_configs()["CodeSigningConfigs"], [])
    lambda_.delete_function_code_signing_config(FunctionName=name)


def test_a_permission_changes_the_functions_revision():
    name = new_function(ECHO)["FunctionName"]
    revision = lambda: lambda_.get_function_configuration(FunctionName=name)["RevisionId"]
    first = revision()
    lambda_.add_permission(FunctionName=name, StatementId="s3", Action="lambda:InvokeFunction",
                           Principal="s3.amazonaws.com", RevisionId=first)
    second = revision()
    assert first != second
    equal(lambda_.get_policy(FunctionName=name)["RevisionId"], second)
    lambda_.remove_permission(FunctionName=name, StatementId="s3", RevisionId=second)
    assert revision() != second


def test_tags_and_reserved_concurrency():
    name = new_function(ECHO, Tags={"a": "b"})["FunctionName"]
    arn = arn_of(name)
    lambda_.tag_resource(Resource=arn, Tags={"c": "d"})
    lambda_.untag_resource(Resource=arn, TagKeys=["a"])
    equal(lambda_.list_tags(Resource=arn)["Tags"], {"c": "d"})
    lambda_.put_function_concurrency(FunctionName=name, ReservedConcurrentExecutions=0)
    told = refused("TooManyRequestsException", lambda_.invoke, FunctionName=name,
                   message="Rate Exceeded.", status=429)
    equal(told["Reason"], "ReservedFunctionConcurrentInvocationLimitExceeded")
    lambda_.delete_function_concurrency(FunctionName=name)
    equal(invoke(name, 1)[0], 1)
    limits = lambda_.get_account_settings()["AccountLimit"]
    equal(limits["CodeSizeZipped"], 52_428_800)


def test_what_haechi_lacks_says_so():
    refused("UnsupportedOperation", lambda_.publish_layer_version, LayerName="x",
            Content={"ZipFile": archive(index__py=ECHO)})
    refused("UnsupportedOperation", new_function, ECHO, Layers=[
        f"arn:aws:lambda:{REGION}:{ACCOUNT}:layer:x:1"])


main()
