"""Whom policies of resources name: users and roles that exist, and nobody who is made later under the
name of one that was deleted."""

import json

from harness import ACCOUNT, REGION, client, client_of, equal, main, new_user, policy, refused, unique

iam = client("iam")
MISSING = f"arn:aws:iam::{ACCOUNT}:role/nobody-has-this-name"


def delete_user(name):
    for key in iam.list_access_keys(UserName=name)["AccessKeyMetadata"]:
        iam.delete_access_key(UserName=name, AccessKeyId=key["AccessKeyId"])
    iam.delete_user(UserName=name)


def made_anew(name):
    """A user under the name of a deleted one; answers an access key."""
    delete_user(name)
    iam.create_user(UserName=name)
    return iam.create_access_key(UserName=name)["AccessKey"]


def follows_the_user(service, put, use, denied, missing, show=None):
    """`put` puts a policy that lets an ARN do what `use` does with a client of it. `denied` is the
    code of a refusal, `missing` code and message where nobody has the ARN."""
    code, message = missing
    refused(code, put, MISSING, message=message)
    name, key = new_user()
    arn = f"arn:aws:iam::{ACCOUNT}:user/{name}"
    put(arn)
    use(client_of(key, service))
    key = made_anew(name)
    refused(denied, use, client_of(key, service))
    if show:
        assert arn in show(), show()
    put(arn)
    use(client_of(key, service))
    delete_user(name)
    refused(code, put, arn, message=message)


def allow(arn, action, resource="*"):
    return policy({"Sid": "s", "Effect": "Allow", "Principal": {"AWS": arn}, "Action": action, "Resource": resource})


def test_secrets():
    secrets = client("secretsmanager")
    name = unique("secret")
    secrets.create_secret(Name=name, SecretString="s")
    words = "This resource policy contains an unsupported principal."
    follows_the_user(
        "secretsmanager",
        lambda arn: secrets.put_resource_policy(
            SecretId=name, ResourcePolicy=allow(arn, "secretsmanager:DescribeSecret")),
        lambda hers: hers.describe_secret(SecretId=name),
        "AccessDeniedException", ("MalformedPolicyDocumentException", words),
        show=lambda: secrets.get_resource_policy(SecretId=name)["ResourcePolicy"],
    )
    refused("MalformedPolicyDocumentException", secrets.validate_resource_policy,
            ResourcePolicy=allow(MISSING, "secretsmanager:*"), message=words)


def test_parameters():
    ssm = client("ssm")
    name = "/" + unique("parameter")
    ssm.put_parameter(Name=name, Value="v", Type="String", Tier="Advanced")
    arn_of = f"arn:aws:ssm:{REGION}:{ACCOUNT}:parameter{name}"

    def put(arn):
        found = ssm.get_resource_policies(ResourceArn=arn_of)["Policies"]
        state = {key: found[0][key] for key in ("PolicyId", "PolicyHash")} if found else {}
        ssm.put_resource_policy(ResourceArn=arn_of, Policy=allow(arn, "ssm:GetParameter", arn_of), **state)

    follows_the_user(
        "ssm", put, lambda hers: hers.get_parameter(Name=arn_of),
        "AccessDeniedException", ("MalformedResourcePolicyDocumentException", None),
        show=lambda: ssm.get_resource_policies(ResourceArn=arn_of)["Policies"][0]["Policy"],
    )


def test_queues():
    sqs = client("sqs")
    queue = sqs.create_queue(QueueName=unique("queue"))["QueueUrl"]
    words = "Invalid value for the parameter Policy."
    follows_the_user(
        "sqs",
        lambda arn: sqs.set_queue_attributes(QueueUrl=queue, Attributes={"Policy": allow(arn, "sqs:SendMessage")}),
        lambda hers: hers.send_message(QueueUrl=queue, MessageBody="m"),
        "AccessDenied", ("InvalidAttributeValue", words),
        show=lambda: sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["Policy"])["Attributes"]["Policy"],
    )
    refused("InvalidAttributeValue", sqs.create_queue, QueueName=unique("queue"),
            Attributes={"Policy": allow(MISSING, "sqs:SendMessage")}, message=words)


def test_topics():
    sns = client("sns")
    topic = sns.create_topic(Name=unique("topic"))["TopicArn"]
    words = "Invalid parameter: Policy Error: PrincipalNotFound"
    follows_the_user(
        "sns",
        lambda arn: sns.set_topic_attributes(
            TopicArn=topic, AttributeName="Policy", AttributeValue=allow(arn, "sns:Publish", topic)),
        lambda hers: hers.publish(TopicArn=topic, Message="m"),
        "AuthorizationError", ("InvalidParameter", words),
        show=lambda: sns.get_topic_attributes(TopicArn=topic)["Attributes"]["Policy"],
    )


def test_buses():
    events = client("events")
    bus = events.create_event_bus(Name=unique("bus"))["EventBusArn"]
    entry = {"Source": "app", "DetailType": "test", "Detail": "{}", "EventBusName": bus}
    words = 'Parameter Policy is not valid. Reason: Invalid principal in policy: "AWS":"{}"'
    name, key = new_user()
    put = lambda arn: events.put_permission(
        EventBusName=bus.split("/")[1], Policy=allow(arn, "events:PutEvents", bus))
    use = lambda key: client_of(key, "events").put_events(Entries=[entry])
    refused("ValidationException", put, MISSING, message=words.format(MISSING))
    arn = f"arn:aws:iam::{ACCOUNT}:user/{name}"
    put(arn)
    equal(use(key)["FailedEntryCount"], 0)
    key = made_anew(name)
    refused("AccessDeniedException", use, key)
    put(arn)
    equal(use(key)["FailedEntryCount"], 0)


def test_a_role_that_is_made_anew_is_another_but_for_conditions():
    sqs = client("sqs")
    queue = sqs.create_queue(QueueName=unique("queue"))["QueueUrl"]
    trust = policy({"Effect": "Allow", "Principal": {"AWS": f"arn:aws:iam::{ACCOUNT}:root"}, "Action": "sts:AssumeRole"})
    name = unique("role")
    _, key = new_user({"Effect": "Allow", "Action": "sts:AssumeRole", "Resource": "*"})

    def make():
        role = iam.create_role(RoleName=name, AssumeRolePolicyDocument=trust)["Role"]["Arn"]
        session = client_of(key, "sts").assume_role(RoleArn=role, RoleSessionName="session")["Credentials"]
        hers = client("sqs", aws_access_key_id=session["AccessKeyId"], aws_session_token=session["SessionToken"],
                      aws_secret_access_key=session["SecretAccessKey"])
        return role, hers

    role, hers = make()
    document = {"QueueUrl": queue, "Attributes": {"Policy": allow(role, "sqs:SendMessage")}}
    sqs.set_queue_attributes(**document)
    hers.send_message(QueueUrl=queue, MessageBody="m")
    iam.delete_role(RoleName=name)
    role, hers = make()
    refused("AccessDenied", hers.send_message, QueueUrl=queue, MessageBody="m")
    # Conditions go by ARN: whoever has it is meant.
    statement = {"Effect": "Allow", "Principal": "*", "Action": "sqs:SendMessage", "Resource": "*",
                 "Condition": {"ArnEquals": {"aws:PrincipalArn": role}}}
    both = json.loads(allow(role, "sqs:ReceiveMessage"))
    both["Statement"].append(statement)
    sqs.set_queue_attributes(QueueUrl=queue, Attributes={"Policy": json.dumps(both)})
    hers.send_message(QueueUrl=queue, MessageBody="m")
    hers.receive_message(QueueUrl=queue)
    iam.delete_role(RoleName=name)
    role, hers = make()
    hers.send_message(QueueUrl=queue, MessageBody="m")
    refused("AccessDenied", hers.receive_message, QueueUrl=queue)


main()
