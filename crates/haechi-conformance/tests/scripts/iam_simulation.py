"""Simulations with the real client: the examples of the AWS CLI's reference, answered as they are there."""

from harness import ACCOUNT, REGION, client, equal, main, new_user, policy, refused

iam = client("iam")
DYNAMODB = (
    '{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"dynamodb:*","Resource":"*",'
    '"Condition":{"DateGreaterThan":{"aws:CurrentTime":"2018-08-16T12:00:00Z"}}}}'
)


def at(time):
    return {
        "ContextKeyName": "aws:CurrentTime",
        "ContextKeyValues": [time],
        "ContextKeyType": "date",
    }


def simulated(**request):
    results = iam.simulate_custom_policy(**request)["EvaluationResults"]
    equal(len(results), 1)
    return results[0]


def test_the_examples_of_the_clis_reference():
    shown = simulated(
        PolicyInputList=[DYNAMODB],
        ActionNames=["dynamodb:CreateBackup"],
        ContextEntries=[at("2019-04-25T11:00:00Z")],
    )
    matched = shown["MatchedStatements"][0]
    matched.pop("SourcePolicyType")
    expected = {
        "EvalActionName": "dynamodb:CreateBackup",
        "EvalResourceName": "*",
        "EvalDecision": "allowed",
        "MatchedStatements": [
            {
                "SourcePolicyId": "PolicyInputList.1",
                "StartPosition": {"Line": 1, "Column": 38},
                "EndPosition": {"Line": 1, "Column": 167},
            }
        ],
        "MissingContextValues": [],
    }
    equal(shown, expected)
    shown = simulated(
        PolicyInputList=[DYNAMODB],
        ActionNames=["dynamodb:CreateBackup"],
        ContextEntries=[at("2014-04-25T11:00:00Z")],
    )
    equal((shown["EvalDecision"], shown["MatchedStatements"]), ("implicitDeny", []))


def test_a_key_that_nobody_gave_is_missing():
    shown = simulated(PolicyInputList=[DYNAMODB], ActionNames=["dynamodb:CreateBackup"])
    equal(shown["EvalDecision"], "implicitDeny")
    equal(shown["MissingContextValues"], ["aws:CurrentTime"])


def test_a_users_inline_policy_is_named_and_each_resource_is_decided():
    keys = [f"arn:aws:kms:{REGION}:{ACCOUNT}:key/{name}" for name in ("a", "b")]
    name, _ = new_user({"Effect": "Allow", "Action": "kms:*", "Resource": keys[0]})
    arn = f"arn:aws:iam::{ACCOUNT}:user/{name}"
    results = iam.simulate_principal_policy(
        PolicySourceArn=arn, ActionNames=["kms:Encrypt"], ResourceArns=keys
    )["EvaluationResults"]
    specific = results[0]["ResourceSpecificResults"]
    decisions = [(one["EvalResourceName"], one["EvalResourceDecision"]) for one in specific]
    equal(decisions, [(keys[0], "allowed"), (keys[1], "implicitDeny")])
    source = specific[0]["MatchedStatements"][0]["SourcePolicyId"]
    equal(source, f"user_{name}_inline")


def test_a_resource_policy_needs_a_caller_and_a_scenario_must_be_one():
    trust = policy(
        {
            "Effect": "Deny",
            "Principal": {"AWS": f"arn:aws:iam::{ACCOUNT}:user/bob"},
            "Action": "kms:*",
            "Resource": "*",
        }
    )
    everything = policy({"Effect": "Allow", "Action": "*", "Resource": "*"})
    request = {"PolicyInputList": [everything], "ActionNames": ["kms:Encrypt"]}
    refused("InvalidInput", iam.simulate_custom_policy, ResourcePolicy=trust, **request)
    caller = f"arn:aws:iam::{ACCOUNT}:user/bob"
    shown = simulated(ResourcePolicy=trust, CallerArn=caller, **request)
    equal(shown["EvalDecision"], "explicitDeny")
    # The statement that denies is told alone.
    sources = [one["SourcePolicyId"] for one in shown["MatchedStatements"]]
    equal(sources, ["ResourcePolicy"])
    refused(
        "InvalidInput", iam.simulate_custom_policy, ResourceHandlingOption="EC2-Other", **request
    )


def test_what_no_simulation_can_take_is_invalid_input():
    everything = policy({"Effect": "Allow", "Action": "*", "Resource": "*"})
    good = {"PolicyInputList": [everything], "ActionNames": ["s3:GetObject"]}
    for wrong, message in (
        ({"ResourceArns": ["foo"]}, "ResourceNames are not in a valid ARN format: foo."),
        ({"ActionNames": ["GetObject"]}, "The action is invalid since it is missing names"),
        ({"PolicyInputList": ["{"]}, "Policy input list item 1 has invalid content"),
        (
            {"ResourceOwner": "222222222222"},
            "'222222222222' is not a valid as a Resource Owner.",
        ),
        (
            {"PermissionsBoundaryPolicyInputList": [everything, everything]},
            "The list of Permissions Boundary policies cannot exceed 1 items.",
        ),
    ):
        refused(
            "InvalidInput", iam.simulate_custom_policy, message=message, status=400, **{**good, **wrong}
        )
    for arn in (f"arn:aws:sts::{ACCOUNT}:assumed-role/r/s", f"arn:aws:iam::{ACCOUNT}:root"):
        refused(
            "InvalidInput",
            iam.simulate_principal_policy,
            PolicySourceArn=arn,
            ActionNames=["s3:GetObject"],
            message=f"Invalid Entity Arn: {arn} does not clearly define entity type and name.",
            status=400,
        )


def test_details_are_told_across_accounts_and_empty_within_one():
    everything = policy({"Effect": "Allow", "Action": "*", "Resource": "*"})
    request = {
        "PolicyInputList": [everything],
        "ActionNames": ["sqs:SendMessage"],
        "CallerArn": f"arn:aws:iam::{ACCOUNT}:user/bob",
    }
    own = simulated(ResourceArns=[f"arn:aws:sqs:{REGION}:{ACCOUNT}:q"], **request)
    equal((own["EvalDecision"], own["EvalDecisionDetails"]), ("allowed", {}))
    abroad = simulated(ResourceArns=[f"arn:aws:sqs:{REGION}:999999999999:q"], **request)
    equal(abroad["EvalDecision"], "implicitDeny")
    details = {"IAM Policy": "allowed", "Resource Policy": "implicitDeny"}
    equal(abroad["EvalDecisionDetails"], details)
    assert "EvalDecisionDetails" not in simulated(**request)


def test_a_variable_that_nobody_gave_is_missing():
    keys = policy(
        {"Effect": "Allow", "Action": "s3:*", "Resource": "arn:aws:s3:::b/${aws:username}"}
    )
    request = {"ActionNames": ["s3:GetObject"], "ResourceArns": ["arn:aws:s3:::b/a"]}
    shown = simulated(PolicyInputList=[keys], **request)
    equal((shown["EvalDecision"], shown["MissingContextValues"]), ("implicitDeny", ["aws:username"]))


main()
