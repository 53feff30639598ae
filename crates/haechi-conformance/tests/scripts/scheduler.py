"""EventBridge Scheduler, with --dev: time passes."""

import datetime
import json
import urllib.request

from harness import ACCOUNT, ENDPOINT, REGION, client, client_of, equal, main, new_user, policy, refused, unique

scheduler, sqs, iam, events = client("scheduler"), client("sqs"), client("iam"), client("events")

OFF = {"Mode": "OFF"}


def advance(seconds):
    body = json.dumps({"advance_seconds": seconds}).encode()
    answer = urllib.request.urlopen(f"{ENDPOINT}/_haechi/clock", data=body).read()
    return datetime.datetime.fromisoformat(json.loads(answer)["now"].replace("Z", "+00:00"))


def new_queue(**attributes):
    name = unique("scheduler") + (".fifo" if attributes else "")
    url = sqs.create_queue(QueueName=name, Attributes=attributes)["QueueUrl"]
    return url, f"arn:aws:sqs:{REGION}:{ACCOUNT}:{name}"


def received(queue, seconds=10):
    answer = sqs.receive_message(
        QueueUrl=queue, WaitTimeSeconds=seconds, MessageAttributeNames=["All"]
    )
    messages = answer.get("Messages", [])
    for message in messages:
        # Else it is there again once time has passed.
        sqs.delete_message(QueueUrl=queue, ReceiptHandle=message["ReceiptHandle"])
    return messages


def new_role(*statements):
    """A role that the scheduler may assume, for schedules of this account."""
    trust = {
        "Effect": "Allow",
        "Principal": {"Service": "scheduler.amazonaws.com"},
        "Action": "sts:AssumeRole",
        "Condition": {"StringEquals": {"aws:SourceAccount": ACCOUNT}},
    }
    name = unique("caller")
    role = iam.create_role(RoleName=name, AssumeRolePolicyDocument=policy(trust))["Role"]
    if statements:
        iam.put_role_policy(RoleName=name, PolicyName="p", PolicyDocument=policy(*statements))
    return role["Arn"]


def sender(*arns):
    return new_role({"Effect": "Allow", "Action": "sqs:SendMessage", "Resource": list(arns)})


def test_a_schedule_sends_to_its_queue_again_and_again():
    queue, arn = new_queue()
    name = unique("often")
    target = {"Arn": arn, "RoleArn": sender(arn), "Input": '{"hello": "<aws.scheduler.schedule-arn>"}'}
    made = scheduler.create_schedule(
        Name=name, ScheduleExpression="rate(5 minutes)", FlexibleTimeWindow=OFF, Target=target
    )
    schedule_arn = f"arn:aws:scheduler:{REGION}:{ACCOUNT}:schedule/default/{name}"
    equal(made["ScheduleArn"], schedule_arn)
    for _ in range(3):
        (message,) = received(queue)
        equal(json.loads(message["Body"]), {"hello": schedule_arn})
        equal(received(queue, 0), [])
        advance(300)
    (message,) = received(queue)
    scheduler.delete_schedule(Name=name)
    advance(3600)
    equal(received(queue, 1), [])
    message = f"Schedule {name} does not exist."
    refused("ResourceNotFoundException", scheduler.get_schedule, Name=name, message=message)


def test_once_by_the_clock_of_a_time_zone_and_then_no_more():
    queue, arn = new_queue()
    name = unique("once")
    zone = datetime.timezone(datetime.timedelta(hours=9))
    then = (advance(0) + datetime.timedelta(hours=2)).astimezone(zone)
    scheduler.create_schedule(
        Name=name,
        ScheduleExpression=f"at({then:%Y-%m-%dT%H:%M:%S})",
        ScheduleExpressionTimezone="Asia/Tokyo",
        ActionAfterCompletion="DELETE",
        FlexibleTimeWindow=OFF,
        Target={"Arn": arn, "RoleArn": sender(arn)},
    )
    advance(7100)
    equal(received(queue, 0), [])
    advance(200)
    (message,) = received(queue)
    event = json.loads(message["Body"])
    equal((event["source"], event["detail-type"]), ("aws.scheduler", "Scheduled Event"))
    equal(event["time"], f"{then.astimezone(datetime.timezone.utc):%Y-%m-%dT%H:%M:%SZ}")
    refused("ResourceNotFoundException", scheduler.get_schedule, Name=name)


def test_what_is_shown_is_what_was_given():
    _, arn = new_queue()
    name, role = unique("shown"), sender(arn)
    end = advance(0).replace(microsecond=0) + datetime.timedelta(days=30)
    scheduler.create_schedule(
        Name=name,
        Description="nightly",
        ScheduleExpression="cron(0 3 * * ? *)",
        ScheduleExpressionTimezone="Europe/Berlin",
        EndDate=end,
        State="DISABLED",
        FlexibleTimeWindow={"Mode": "FLEXIBLE", "MaximumWindowInMinutes": 15},
        Target={"Arn": arn, "RoleArn": role, "Input": "x"},
    )
    shown = scheduler.get_schedule(Name=name)
    retry = {"MaximumEventAgeInSeconds": 86400, "MaximumRetryAttempts": 185}
    equal(shown["Target"], {"Arn": arn, "RoleArn": role, "Input": "x", "RetryPolicy": retry})
    equal(shown["FlexibleTimeWindow"], {"Mode": "FLEXIBLE", "MaximumWindowInMinutes": 15})
    equal((shown["State"], shown["GroupName"]), ("DISABLED", "default"))
    equal((shown["EndDate"], shown["ActionAfterCompletion"]), (end, "NONE"))
    equal(shown["ScheduleExpressionTimezone"], "Europe/Berlin")
    (listed,) = scheduler.list_schedules(NamePrefix=name)["Schedules"]
    equal((listed["Name"], listed["Target"]), (name, {"Arn": arn}))
    scheduler.update_schedule(
        Name=name,
        ScheduleExpression="rate(1 day)",
        FlexibleTimeWindow=OFF,
        Target={"Arn": arn, "RoleArn": role},
    )
    shown = scheduler.get_schedule(Name=name)
    equal((shown["State"], shown["ScheduleExpressionTimezone"]), ("ENABLED", "UTC"))
    assert "Description" not in shown and "EndDate" not in shown
    scheduler.delete_schedule(Name=name)


def test_groups_have_tags_and_take_their_schedules_with_them():
    group = unique("group")
    arn = scheduler.create_schedule_group(Name=group, Tags=[{"Key": "a", "Value": "1"}])["ScheduleGroupArn"]
    equal(arn, f"arn:aws:scheduler:{REGION}:{ACCOUNT}:schedule-group/{group}")
    scheduler.tag_resource(ResourceArn=arn, Tags=[{"Key": "TagKey", "Value": "TagValue"}])
    tags = scheduler.list_tags_for_resource(ResourceArn=arn)["Tags"]
    equal(tags, [{"Key": "TagKey", "Value": "TagValue"}, {"Key": "a", "Value": "1"}])
    scheduler.untag_resource(ResourceArn=arn, TagKeys=["TagKey", "a"])
    equal(scheduler.list_tags_for_resource(ResourceArn=arn)["Tags"], [])
    queue, queue_arn = new_queue()
    scheduler.create_schedule(
        Name="s",
        GroupName=group,
        ScheduleExpression="rate(1 hour)",
        FlexibleTimeWindow=OFF,
        Target={"Arn": queue_arn, "RoleArn": sender(queue_arn)},
    )
    equal(len(received(queue)), 1)
    equal([one["Name"] for one in scheduler.list_schedules(GroupName=group)["Schedules"]], ["s"])
    equal(scheduler.get_schedule_group(Name=group)["State"], "ACTIVE")
    names = [one["Name"] for one in scheduler.list_schedule_groups()["ScheduleGroups"]]
    assert group in names and "default" in names, names
    scheduler.delete_schedule_group(Name=group)
    advance(7200)
    equal(received(queue, 1), [])
    refused("ResourceNotFoundException", scheduler.get_schedule, Name="s", GroupName=group)


def test_the_policy_of_the_role_decides_and_a_dead_letter_says_so():
    queue, arn = new_queue()
    dead, dead_arn = new_queue()
    scheduler.create_schedule(
        Name=unique("weak"),
        ScheduleExpression="rate(1 day)",
        FlexibleTimeWindow=OFF,
        Target={
            "Arn": arn,
            "RoleArn": sender(dead_arn),
            "Input": "lost",
            "DeadLetterConfig": {"Arn": dead_arn},
        },
    )
    (letter,) = received(dead)
    told = {key: value["StringValue"] for key, value in letter["MessageAttributes"].items()}
    equal((letter["Body"], told["TARGET_ARN"]), ("lost", arn))
    assert "sqs:sendmessage" in told["ERROR_MESSAGE"], told
    equal(received(queue, 0), [])


def test_events_and_any_operation_are_targets_too():
    queue, arn = new_queue()
    rule = unique("rule")
    events.put_rule(Name=rule, EventPattern=json.dumps({"source": [rule]}))
    rule_arn = f"arn:aws:events:{REGION}:{ACCOUNT}:rule/{rule}"
    let_in = {
        "Effect": "Allow",
        "Principal": {"Service": "events.amazonaws.com"},
        "Action": "sqs:SendMessage",
        "Resource": arn,
        "Condition": {"ArnEquals": {"aws:SourceArn": rule_arn}},
    }
    sqs.set_queue_attributes(QueueUrl=queue, Attributes={"Policy": policy(let_in)})
    events.put_targets(Rule=rule, Targets=[{"Id": "1", "Arn": arn}])
    bus = f"arn:aws:events:{REGION}:{ACCOUNT}:event-bus/default"
    may = new_role(
        {"Effect": "Allow", "Action": "events:PutEvents", "Resource": bus},
        {"Effect": "Allow", "Action": "ssm:PutParameter", "Resource": "*"},
    )
    target = {
        "Arn": bus,
        "RoleArn": may,
        "Input": '{"a": 1}',
        "EventBridgeParameters": {"DetailType": "tick", "Source": rule},
    }
    scheduler.create_schedule(
        Name=unique("event"), ScheduleExpression="rate(1 day)", FlexibleTimeWindow=OFF, Target=target
    )
    (message,) = received(queue)
    equal(json.loads(message["Body"])["detail"], {"a": 1})
    parameter = unique("parameter")
    given = {"Name": parameter, "Type": "String", "Value": "<aws.scheduler.attempt-number>"}
    target = {
        "Arn": "arn:aws:scheduler:::aws-sdk:ssm:putParameter",
        "RoleArn": may,
        "Input": json.dumps(given),
    }
    scheduler.create_schedule(
        Name=unique("any"), ScheduleExpression="rate(1 day)", FlexibleTimeWindow=OFF, Target=target
    )
    advance(1)
    equal(client("ssm").get_parameter(Name=parameter)["Parameter"]["Value"], "1")


def test_a_schedule_puts_a_secrets_value_without_a_token():
    secrets, name = client("secretsmanager"), unique("scheduled")
    secrets.create_secret(Name=name, SecretString="one")
    target = {
        "Arn": "arn:aws:scheduler:::aws-sdk:secretsmanager:putSecretValue",
        "RoleArn": new_role({"Effect": "Allow", "Action": ["secretsmanager:*", "kms:*"], "Resource": "*"}),
        "Input": json.dumps({"SecretId": name, "SecretString": "two"}),
    }
    scheduler.create_schedule(
        Name=name, ScheduleExpression="rate(1 day)", FlexibleTimeWindow=OFF, Target=target
    )
    advance(1)
    equal(secrets.get_secret_value(SecretId=name)["SecretString"], "two")


def test_what_a_schedule_does_is_on_record():
    name, ssm = unique("recorded"), client("ssm")
    given = {"Name": name, "Type": "SecureString", "Value": "not-for-the-record"}
    target = {
        "Arn": "arn:aws:scheduler:::aws-sdk:ssm:putParameter",
        "RoleArn": new_role({"Effect": "Allow", "Action": ["ssm:PutParameter", "kms:*"], "Resource": "*"}),
        "Input": json.dumps(given),
    }
    scheduler.create_schedule(
        Name=name, ScheduleExpression="rate(1 day)", FlexibleTimeWindow=OFF, Target=target
    )
    advance(1)
    look_up = client("cloudtrail").lookup_events
    attribute = {"AttributeKey": "EventName", "AttributeValue": "PutParameter"}
    texts = [event["CloudTrailEvent"] for event in look_up(LookupAttributes=[attribute])["Events"]]
    (text,) = [text for text in texts if name in text]
    assert "not-for-the-record" not in text, text
    record = json.loads(text)
    identity = record["userIdentity"]
    equal((identity["type"], identity["invokedBy"]), ("AssumedRole", "scheduler.amazonaws.com"))
    attribute = {"AttributeKey": "EventName", "AttributeValue": "AssumeRole"}
    events = look_up(LookupAttributes=[attribute])["Events"]
    records = [json.loads(event["CloudTrailEvent"]) for event in events]
    (assumed,) = {
        record["userIdentity"]["invokedBy"]
        for record in records
        if record["requestParameters"]["roleArn"] == target["RoleArn"]
    }
    equal(assumed, "scheduler.amazonaws.com")


def test_whoever_makes_a_schedule_must_be_allowed_to_pass_its_role():
    _, arn = new_queue()
    role = sender(arn)
    _, key = new_user({"Effect": "Allow", "Action": "scheduler:*", "Resource": "*"})
    theirs = client_of(key, "scheduler")
    parameters = {
        "Name": unique("passed"),
        "ScheduleExpression": "rate(1 day)",
        "FlexibleTimeWindow": OFF,
        "Target": {"Arn": arn, "RoleArn": role},
    }
    refused("AccessDeniedException", theirs.create_schedule, contains="iam:PassRole", **parameters)
    theirs.list_schedules()


def test_mistakes_are_told():
    _, arn = new_queue()
    target = {"Arn": arn, "RoleArn": sender(arn)}
    create = scheduler.create_schedule
    given = {"Name": "s", "FlexibleTimeWindow": OFF, "Target": target}
    for expression in ("rate(10 seconds)", "cron(0 1 * * * *)", "at(2030-01-01)", "tomorrow"):
        message = f"Invalid Schedule Expression {expression}."
        refused("ValidationException", create, ScheduleExpression=expression, message=message, **given)
    untrusting = iam.create_role(
        RoleName=unique("other"),
        AssumeRolePolicyDocument=policy(
            {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}
        ),
    )["Role"]["Arn"]
    given["Target"] = {"Arn": arn, "RoleArn": untrusting}
    message = "The execution role you provide must allow AWS EventBridge Scheduler to assume the role."
    refused("ValidationException", create, ScheduleExpression="rate(1 day)", message=message, **given)
    group = unique("none")
    message = f"Schedule group {group} does not exist."
    call = scheduler.get_schedule_group
    refused("ResourceNotFoundException", call, Name=group, message=message, status=404)


main()
