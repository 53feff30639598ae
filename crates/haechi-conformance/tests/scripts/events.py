"""Events: what changes is told, by rules, to queues."""

import json
import time

from harness import ACCOUNT, REGION, client, equal, main, refused, unique

events, sqs, ssm = client("events"), client("sqs"), client("ssm")
cloudtrail, kms = client("cloudtrail"), client("kms")


def new_queue(*sources):
    """A queue whose policy lets EventBridge in, for rules with these ARNs."""
    url = sqs.create_queue(QueueName=unique("events"))["QueueUrl"]
    names = ["QueueArn"]
    arn = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=names)["Attributes"]["QueueArn"]
    statement = {
        "Effect": "Allow",
        "Principal": {"Service": "events.amazonaws.com"},
        "Action": "sqs:SendMessage",
        "Resource": arn,
        "Condition": {"ArnEquals": {"aws:SourceArn": list(sources)}},
    }
    document = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    if sources:
        sqs.set_queue_attributes(QueueUrl=url, Attributes={"Policy": document})
    return url, arn


def new_rule(pattern, bus="default", **target):
    """A rule with a queue of its own as target; answers the rule's name and the queue's URL."""
    name = unique("rule")
    arn = events.put_rule(Name=name, EventBusName=bus, EventPattern=json.dumps(pattern))["RuleArn"]
    queue, queue_arn = new_queue(arn)
    target = {"Id": "queue", "Arn": queue_arn, **target}
    answer = events.put_targets(Rule=name, EventBusName=bus, Targets=[target])
    equal((answer["FailedEntryCount"], answer["FailedEntries"]), (0, []))
    return name, queue


def received(queue, seconds=10):
    answer = sqs.receive_message(QueueUrl=queue, WaitTimeSeconds=seconds)
    return [message["Body"] for message in answer.get("Messages", [])]


def put(bus="default", **entry):
    entry = {"Source": "my.app", "DetailType": "order", "Detail": "{}", "EventBusName": bus, **entry}
    return events.put_events(Entries=[entry])


def test_an_event_reaches_the_queue_of_a_rule_that_matches():
    pattern = {"source": ["my.app"], "detail": {"total": [{"numeric": [">", 100]}]}}
    _, queue = new_rule(pattern)
    put(Detail='{"total": 99}')
    answer = put(Detail='{"total": 101}', Resources=["arn:aws:s3:::b"])
    equal(answer["FailedEntryCount"], 0)
    (body,) = received(queue)
    event = json.loads(body)
    assert abs(time.time() - time.mktime(time.strptime(event.pop("time"), "%Y-%m-%dT%H:%M:%SZ")) + time.timezone) < 60
    expected = {
        "version": "0",
        "id": answer["Entries"][0]["EventId"],
        "detail-type": "order",
        "source": "my.app",
        "account": ACCOUNT,
        "region": REGION,
        "resources": ["arn:aws:s3:::b"],
        "detail": {"total": 101},
    }
    equal(event, expected)
    equal(received(queue, 1), [])


def test_a_parameter_that_changes_is_told():
    name = "/" + unique("parameter")
    pattern = {"source": ["aws.ssm"], "detail": {"name": [name], "operation": ["Create", "Delete"]}}
    _, queue = new_rule(pattern)
    ssm.put_parameter(Name=name, Value="v", Type="String")
    (body,) = received(queue)
    event = json.loads(body)
    equal(event["detail-type"], "Parameter Store Change")
    equal((event["detail"]["operation"], event["detail"]["type"]), ("Create", "String"))
    equal(event["resources"], [f"arn:aws:ssm:{REGION}:{ACCOUNT}:parameter{name}"])
    ssm.delete_parameter(Name=name)
    (body,) = received(queue)
    equal(json.loads(body)["detail"]["operation"], "Delete")


def test_a_queue_that_does_not_let_eventbridge_in_gets_nothing():
    name = unique("rule")
    events.put_rule(Name=name, EventPattern=json.dumps({"source": [name]}))
    queue, arn = new_queue()
    dead, dead_arn = new_queue(f"arn:aws:events:{REGION}:{ACCOUNT}:rule/{name}")
    target = {"Id": "1", "Arn": arn, "DeadLetterConfig": {"Arn": dead_arn}}
    events.put_targets(Rule=name, Targets=[target])
    put(Source=name)
    (letter,) = received(dead)
    equal(json.loads(letter)["source"], name)
    equal(received(queue, 1), [])


def test_a_target_gets_what_the_transformer_makes():
    transformer = {
        "InputPathsMap": {"id": "$.detail.id", "all": "$.detail"},
        "InputTemplate": '{"path": "users/<id>", "body": <all>}',
    }
    source = unique("app")
    _, queue = new_rule({"source": [source]}, InputTransformer=transformer)
    put(Source=source, Detail='{"id": "7"}')
    (body,) = received(queue)
    equal(json.loads(body), {"path": "users/7", "body": {"id": "7"}})


def test_events_pass_from_bus_to_bus():
    bus = unique("bus")
    arn = events.create_event_bus(Name=bus)["EventBusArn"]
    equal(arn, f"arn:aws:events:{REGION}:{ACCOUNT}:event-bus/{bus}")
    refused("ResourceAlreadyExistsException", events.create_event_bus, Name=bus)
    source = unique("app")
    first = unique("rule")
    events.put_rule(Name=first, EventPattern=json.dumps({"source": [source]}))
    events.put_targets(Rule=first, Targets=[{"Id": "bus", "Arn": arn}])
    _, queue = new_rule({"source": [source]}, bus)
    entry = put(Source=source)["Entries"][0]
    (body,) = received(queue)
    # On each bus it is an event of its own.
    assert json.loads(body)["id"] != entry["EventId"], body
    assert bus in [known["Name"] for known in events.list_event_buses()["EventBuses"]]
    events.delete_event_bus(Name=bus)
    message = f"Event bus {bus} does not exist."
    refused("ResourceNotFoundException", events.describe_event_bus, Name=bus, message=message)


def test_rules_are_shown_turned_off_tagged_and_deleted():
    source = unique("app")
    name, queue = new_rule({"source": [source]})
    rule = events.describe_rule(Name=name)
    arn = f"arn:aws:events:{REGION}:{ACCOUNT}:rule/{name}"
    equal((rule["Arn"], rule["State"], rule["EventBusName"]), (arn, "ENABLED", "default"))
    equal(json.loads(rule["EventPattern"]), {"source": [source]})
    (target,) = events.list_targets_by_rule(Rule=name)["Targets"]
    equal(events.list_rule_names_by_target(TargetArn=target["Arn"])["RuleNames"], [name])
    events.disable_rule(Name=name)
    put(Source=source)
    equal(received(queue, 1), [])
    events.enable_rule(Name=name)
    put(Source=source)
    equal(len(received(queue)), 1)
    events.tag_resource(ResourceARN=arn, Tags=[{"Key": "Team", "Value": "blue"}])
    equal(events.list_tags_for_resource(ResourceARN=arn)["Tags"], [{"Key": "Team", "Value": "blue"}])
    equal([known["Name"] for known in events.list_rules(NamePrefix=name)["Rules"]], [name])
    message = "Rule can't be deleted since it has targets."
    refused("ValidationException", events.delete_rule, Name=name, message=message)
    events.remove_targets(Rule=name, Ids=["queue"])
    events.delete_rule(Name=name)
    events.delete_rule(Name=name)
    message = f"Rule {name} does not exist on EventBus default."
    refused("ResourceNotFoundException", events.describe_rule, Name=name, message=message)


def test_a_bus_lets_others_in_and_shuts_them_out():
    bus = unique("bus")
    arn = events.create_event_bus(Name=bus, Description="ours")["EventBusArn"]
    events.put_permission(
        EventBusName=bus, Action="events:PutEvents", Principal="444455556666", StatementId="other"
    )
    described = events.describe_event_bus(Name=bus)
    statement = {
        "Sid": "other",
        "Effect": "Allow",
        "Principal": {"AWS": "arn:aws:iam::444455556666:root"},
        "Action": "events:PutEvents",
        "Resource": arn,
    }
    equal(json.loads(described["Policy"]), {"Version": "2012-10-17", "Statement": [statement]})
    equal(described["Description"], "ours")
    message = "Statement with the provided id does not exist."
    remove = events.remove_permission
    refused("ResourceNotFoundException", remove, EventBusName=bus, StatementId="no", message=message)
    remove(EventBusName=bus, StatementId="other")
    assert "Policy" not in events.describe_event_bus(Name=bus)
    events.update_event_bus(Name=bus, Description="theirs")
    equal(events.describe_event_bus(Name=bus)["Description"], "theirs")
    events.delete_event_bus(Name=bus)
    message = f"Event bus {bus} does not exist."
    refused("ResourceNotFoundException", events.delete_event_bus, Name=bus, message=message)
    refused("ResourceNotFoundException", remove, EventBusName=bus, StatementId="o", message=message)


def test_rules_hear_of_calls_while_a_trail_logs():
    pattern = {
        "source": ["aws.kms"],
        "detail-type": ["AWS API Call via CloudTrail"],
        "detail": {"eventSource": ["kms.amazonaws.com"], "eventName": ["TagResource", "GetKeyPolicy"]},
    }
    _, queue = new_rule(pattern)
    all_name, all_queue = new_rule(pattern)
    events.put_rule(
        Name=all_name,
        EventPattern=json.dumps(pattern),
        State="ENABLED_WITH_ALL_CLOUDTRAIL_MANAGEMENT_EVENTS",
    )
    state = events.describe_rule(Name=all_name)["State"]
    equal(state, "ENABLED_WITH_ALL_CLOUDTRAIL_MANAGEMENT_EVENTS")
    trail = unique("trail")
    cloudtrail.create_trail(Name=trail, S3BucketName="calls-of-trails")
    cloudtrail.start_logging(Name=trail)
    key = kms.create_key()["KeyMetadata"]["KeyId"]
    # Reading is told to who asks for it.
    kms.get_key_policy(KeyId=key, PolicyName="default")
    kms.tag_resource(KeyId=key, Tags=[{"TagKey": "team", "TagValue": "blue"}])
    (body,) = received(queue, seconds=20)
    event = json.loads(body)
    equal((event["account"], event["region"], event["resources"]), (ACCOUNT, REGION, []))
    detail = event["detail"]
    equal((detail["eventName"], detail["eventType"]), ("TagResource", "AwsApiCall"))
    equal(detail["requestParameters"]["keyId"], key)
    told = []
    for _ in range(4):
        told += [json.loads(body)["detail"]["eventName"] for body in received(all_queue, seconds=5)]
        if len(told) >= 2:
            break
    equal(sorted(told), ["GetKeyPolicy", "TagResource"])
    cloudtrail.stop_logging(Name=trail)
    cloudtrail.delete_trail(Name=trail)


def test_mistakes_are_told_as_aws_tells_them():
    pattern = '{"source": "a"}'
    message = (
        'Event pattern is not valid. Reason: "source" must be an object or an array\n'
        f' at [Source: (String)"{pattern}"; line: 1, column: 13]'
    )
    refused("InvalidEventPatternException", events.put_rule, Name="r", EventPattern=pattern, message=message)
    entry = {"Source": "s", "DetailType": "d", "Detail": "{}"}
    shown = (
        "PutEventsRequestEntry(time=null, source=s, resources=null, detailType=d, detail={}, "
        "eventBusName=null, traceHeader=null, kmsKeyIdentifier=null, internalMetadata=null)"
    )
    message = (
        f"1 validation error detected: Value '[{', '.join([shown] * 11)}]' at 'entries' failed to "
        "satisfy constraint: Member must have length less than or equal to 10"
    )
    refused("ValidationException", events.put_events, Entries=[entry] * 11, message=message)
    message = (
        "1 validation error detected: Value 'NONE' at 'authorizationType' failed to satisfy constraint: "
        "Member must satisfy enum value set: [BASIC, OAUTH_CLIENT_CREDENTIALS, API_KEY]"
    )
    connection = {"Name": "c", "AuthorizationType": "NONE", "AuthParameters": {}}
    refused("ValidationException", events.create_connection, **connection, message=message)
    answer = events.put_events(
        Entries=[
            {"Source": "aws.mine", "DetailType": "a", "Detail": "{}"},
            {"Source": "mine", "DetailType": "a", "Detail": "[]"},
            {"DetailType": "a", "Detail": "{}"},
        ]
    )
    codes = [entry["ErrorCode"] for entry in answer["Entries"]]
    equal(codes, ["NotAuthorizedForSourceException", "MalformedDetail", "InvalidArgument"])
    event = json.dumps(
        {"id": "1", "account": ACCOUNT, "source": "a", "time": "t", "region": REGION, "detail-type": "d"}
    )
    tested = events.test_event_pattern(EventPattern='{"source": ["a"]}', Event=event)
    equal(tested["Result"], True)
    message = "Parameter Event is not valid."
    refused("ValidationException", events.test_event_pattern, EventPattern='{"source": ["a"]}', Event="[]", message=message)
    message = "Cannot delete event bus default."
    refused("ValidationException", events.delete_event_bus, Name="default", message=message)
    name, _ = new_rule({"source": ["a"]})
    transformer = {"InputPathsMap": {"known": "$.id"}, "InputTemplate": '"<unknown>"'}
    target = {"Id": "t", "Arn": new_queue()[1], "InputTransformer": transformer}
    message = "InputTemplate for target t contains invalid placeholder unknown."
    refused("ValidationException", events.put_targets, Rule=name, Targets=[target], message=message)


main()
