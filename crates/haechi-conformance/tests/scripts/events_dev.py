"""Events with --dev: time passes, and other accounts are there for the asking."""

import json
import urllib.request

from harness import ACCOUNT, ENDPOINT, REGION, client, equal, main, policy, refused, unique

OTHER = "444455556666"

events, sqs, iam = client("events"), client("sqs"), client("iam")


def as_root_of(account, service, region=REGION):
    return client(
        service, aws_access_key_id=account, aws_secret_access_key="any", region_name=region
    )


def advance(seconds):
    body = json.dumps({"advance_seconds": seconds}).encode()
    urllib.request.urlopen(f"{ENDPOINT}/_haechi/clock", data=body).read()


def new_queue(sqs=sqs, account=ACCOUNT, region=REGION):
    """A queue that EventBridge may send to for any rule."""
    name = unique("events")
    url = sqs.create_queue(QueueName=name)["QueueUrl"]
    arn = f"arn:aws:sqs:{region}:{account}:{name}"
    statement = {
        "Effect": "Allow",
        "Principal": {"Service": "events.amazonaws.com"},
        "Action": "sqs:SendMessage",
        "Resource": arn,
    }
    sqs.set_queue_attributes(QueueUrl=url, Attributes={"Policy": policy(statement)})
    return url, arn


def received(queue, seconds=10, sqs=sqs):
    answer = sqs.receive_message(
        QueueUrl=queue, WaitTimeSeconds=seconds, MessageAttributeNames=["All"]
    )
    messages = answer.get("Messages", [])
    for message in messages:
        # Else it is there again once time has passed.
        sqs.delete_message(QueueUrl=queue, ReceiptHandle=message["ReceiptHandle"])
    return messages


def test_a_rule_with_a_schedule_tells_its_targets():
    name = unique("nightly")
    rule = events.put_rule(Name=name, ScheduleExpression="rate(5 minutes)")["RuleArn"]
    queue, arn = new_queue()
    events.put_targets(Rule=name, Targets=[{"Id": "1", "Arn": arn}])
    equal(events.describe_rule(Name=name)["ScheduleExpression"], "rate(5 minutes)")
    equal(received(queue, 0), [])
    for _ in range(3):
        advance(300)
        (message,) = received(queue)
        event = json.loads(message["Body"])
        equal((event["source"], event["detail-type"]), ("aws.events", "Scheduled Event"))
        equal((event["resources"], event["detail"]), ([rule], {}))
        equal(received(queue, 0), [])
    events.disable_rule(Name=name)
    advance(3600)
    equal(received(queue, 1), [])
    events.remove_targets(Rule=name, Ids=["1"])
    events.delete_rule(Name=name)


def test_what_is_no_schedule_is_refused():
    for expression in ("rate(1 minutes)", "rate(5 minute)", "rate(10 seconds)", "cron(0 1 * * * *)"):
        refused(
            "ValidationException",
            events.put_rule,
            Name="r",
            ScheduleExpression=expression,
            message="Parameter ScheduleExpression is not valid.",
        )


def test_another_account_passes_its_events_on():
    theirs, queues = as_root_of(OTHER, "events"), as_root_of(OTHER, "sqs")
    bus = unique("central")
    arn = theirs.create_event_bus(Name=bus)["EventBusArn"]
    queue, queue_arn = new_queue(queues, OTHER)
    theirs.put_rule(Name="all", EventBusName=bus, EventPattern='{"source": [{"prefix": ""}]}')
    theirs.put_targets(Rule="all", EventBusName=bus, Targets=[{"Id": "1", "Arn": queue_arn}])
    name, (dead, dead_arn) = unique("rule"), new_queue()
    events.put_rule(Name=name, EventPattern=json.dumps({"source": [name]}))
    target = {"Id": "bus", "Arn": arn, "DeadLetterConfig": {"Arn": dead_arn}}
    events.put_targets(Rule=name, Targets=[target])
    entry = {"Source": name, "DetailType": "order", "Detail": '{"a": 1}'}
    events.put_events(Entries=[entry])
    (letter,) = received(dead)
    told = {key: value["StringValue"] for key, value in letter["MessageAttributes"].items()}
    equal((told["ERROR_CODE"], told["TARGET_ARN"]), ("NO_PERMISSIONS", arn))
    refused("AccessDeniedException", events.put_events, Entries=[{**entry, "EventBusName": arn}])
    theirs.put_permission(
        EventBusName=bus, Action="events:PutEvents", Principal=ACCOUNT, StatementId="ours"
    )
    events.put_events(Entries=[entry])
    (message,) = received(queue, sqs=queues)
    equal(json.loads(message["Body"])["account"], ACCOUNT)
    events.put_events(Entries=[{**entry, "EventBusName": arn}])
    (message,) = received(queue, sqs=queues)
    equal(json.loads(message["Body"])["account"], ACCOUNT)


def test_another_region_gets_events_by_a_role():
    there, queues = as_root_of(ACCOUNT, "events", "eu-west-3"), as_root_of(ACCOUNT, "sqs", "eu-west-3")
    queue, queue_arn = new_queue(queues, region="eu-west-3")
    name = unique("rule")
    pattern = json.dumps({"source": [name]})
    there.put_rule(Name=name, EventPattern=pattern)
    there.put_targets(Rule=name, Targets=[{"Id": "1", "Arn": queue_arn}])
    events.put_rule(Name=name, EventPattern=pattern)
    arn = f"arn:aws:events:eu-west-3:{ACCOUNT}:event-bus/default"
    target = {"Id": "bus", "Arn": arn}
    message = f"RoleArn is required for target {arn}."
    refused("ValidationException", events.put_targets, Rule=name, Targets=[target], message=message)
    role = unique("sender")
    trust = {
        "Effect": "Allow",
        "Principal": {"Service": "events.amazonaws.com"},
        "Action": "sts:AssumeRole",
        "Condition": {"StringEquals": {"aws:SourceAccount": ACCOUNT}},
    }
    role_arn = iam.create_role(RoleName=role, AssumeRolePolicyDocument=policy(trust))["Role"]["Arn"]
    dead, dead_arn = new_queue()
    target = {**target, "RoleArn": role_arn, "DeadLetterConfig": {"Arn": dead_arn}}
    events.put_targets(Rule=name, Targets=[target])
    entry = {"Source": name, "DetailType": "order", "Detail": "{}"}
    events.put_events(Entries=[entry])
    equal(len(received(dead)), 1)
    allowed = {"Effect": "Allow", "Action": "events:PutEvents", "Resource": arn}
    iam.put_role_policy(RoleName=role, PolicyName="p", PolicyDocument=policy(allowed))
    events.put_events(Entries=[entry])
    (message,) = received(queue, sqs=queues)
    equal(json.loads(message["Body"])["region"], REGION)


main()
