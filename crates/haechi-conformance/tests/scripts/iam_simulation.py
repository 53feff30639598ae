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
    sources = [one["SourcePolicyId"] for one in shown["MatchedStatements"]]
    equal(sources, ["ResourcePolicy", "PolicyInputList.1"])
    refused(
        "InvalidInput", iam.simulate_custom_policy, ResourceHandlingOption="EC2-Other", **request
    )


main()
