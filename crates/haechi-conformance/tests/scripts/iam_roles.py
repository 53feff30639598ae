"""Roles, trust policies, instance profiles, service-linked roles."""

import json

from harness import ACCOUNT, client, equal, main, policy, refused, unique

iam = client("iam")
TRUST = {
    "Effect": "Allow",
    "Action": "sts:AssumeRole",
    "Principal": {"Service": "lambda.amazonaws.com"},
}


def test_a_role_is_read_back_as_it_was_written():
    name, trust = unique("role"), policy(TRUST)
    made = iam.create_role(
        RoleName=name,
        Path="/a/",
        AssumeRolePolicyDocument=trust,
        MaxSessionDuration=7200,
        Tags=[{"Key": "Team", "Value": "x"}],
    )["Role"]
    equal(made["Arn"], f"arn:aws:iam::{ACCOUNT}:role/a/{name}")
    equal(made["AssumeRolePolicyDocument"], json.loads(trust))
    shown = iam.get_role(RoleName=name)["Role"]
    equal((shown["MaxSessionDuration"], shown["RoleLastUsed"]), (7200, {}))
    equal(shown["Tags"], [{"Key": "Team", "Value": "x"}])
    # What is not given stays (recorded).
    iam.update_role(RoleName=name, Description="new")
    shown = iam.get_role(RoleName=name)["Role"]
    equal((shown["MaxSessionDuration"], shown["Description"]), (7200, "new"))
    listed = iam.list_roles(PathPrefix="/a/")["Roles"]
    assert name in [role["RoleName"] for role in listed]
    iam.delete_role(RoleName=name)
    message = f"The role with name {name} cannot be found."
    refused("NoSuchEntity", iam.get_role, RoleName=name, message=message, status=404)


def test_a_trust_policy_is_checked():
    refused(
        "MalformedPolicyDocument",
        iam.create_role,
        RoleName=unique("role"),
        AssumeRolePolicyDocument="{",
        message="This policy contains invalid Json",
        status=400,
    )
    nobody = f"arn:aws:iam::{ACCOUNT}:user/{unique('nobody')}"
    refused(
        "MalformedPolicyDocument",
        iam.create_role,
        RoleName=unique("role"),
        AssumeRolePolicyDocument=policy({**TRUST, "Principal": {"AWS": nobody}}),
        message=f'Invalid principal in policy: "AWS":"{nobody}"',
        status=400,
    )
    for service in ("foo.example.com", "lamda.amazonaws.com", "lambda"):
        refused(
            "MalformedPolicyDocument",
            iam.create_role,
            RoleName=unique("role"),
            AssumeRolePolicyDocument=policy({**TRUST, "Principal": {"Service": service}}),
            message=f'Invalid principal in policy: "SERVICE":"{service}"',
            status=400,
        )


def test_identity_providers_are_domains_or_arns():
    name = unique("role")
    by_web = {**TRUST, "Action": "sts:AssumeRoleWithWebIdentity"}
    for provider in ("foo", "https://accounts.google.com", f"arn:aws:iam::{ACCOUNT}:role/r"):
        refused(
            "MalformedPolicyDocument",
            iam.create_role,
            RoleName=name,
            AssumeRolePolicyDocument=policy({**by_web, "Principal": {"Federated": provider}}),
            message="Federated principals must be valid domain names or SAML metadata ARNs",
            status=400,
        )
    providers = [
        "accounts.google.com",
        f"arn:aws:iam::{ACCOUNT}:oidc-provider/idp.example",
        f"arn:aws:iam::{ACCOUNT}:saml-provider/p",
    ]
    trust = policy({**by_web, "Principal": {"Federated": providers}})
    iam.create_role(RoleName=name, AssumeRolePolicyDocument=trust)
    iam.delete_role(RoleName=name)


def test_a_trust_policy_may_name_every_service_in_each_form_of_its_name():
    services = [
        "ecs-tasks.amazonaws.com",
        "edgelambda.amazonaws.com",
        "logs.eu-west-1.amazonaws.com",
        "delivery.logs.amazonaws.com",
        "replicator.lambda.amazonaws.com",
        "spotfleet.amazonaws.com",
        "ec2.amazonaws.com.cn",
    ]
    role = unique("role")
    trust = policy({**TRUST, "Principal": {"Service": services}})
    iam.create_role(RoleName=role, AssumeRolePolicyDocument=trust)
    iam.update_assume_role_policy(RoleName=role, PolicyDocument=trust)
    iam.delete_role(RoleName=role)


def test_an_instance_profile_holds_one_role():
    role, profile = unique("role"), unique("profile")
    iam.create_role(RoleName=role, AssumeRolePolicyDocument=policy(TRUST))
    iam.create_instance_profile(InstanceProfileName=profile)
    iam.add_role_to_instance_profile(InstanceProfileName=profile, RoleName=role)
    shown = iam.get_instance_profile(InstanceProfileName=profile)["InstanceProfile"]
    equal([one["RoleName"] for one in shown["Roles"]], [role])
    refused("DeleteConflict", iam.delete_role, RoleName=role, status=409)
    iam.remove_role_from_instance_profile(InstanceProfileName=profile, RoleName=role)
    iam.delete_instance_profile(InstanceProfileName=profile)
    iam.delete_role(RoleName=role)


def test_a_service_linked_role_can_only_be_deleted_as_one():
    made = iam.create_service_linked_role(AWSServiceName="acm.amazonaws.com")["Role"]
    name = made["RoleName"]
    equal((name, made["Path"]), (
        "AWSServiceRoleForCertificateManager",
        "/aws-service-role/acm.amazonaws.com/",
    ))
    refused("UnmodifiableEntity", iam.delete_role, RoleName=name, status=400)
    task = iam.delete_service_linked_role(RoleName=name)["DeletionTaskId"]
    status = iam.get_service_linked_role_deletion_status(DeletionTaskId=task)
    equal(status["Status"], "SUCCEEDED")


def test_services_outside_the_family_have_service_linked_roles_too():
    made = iam.create_service_linked_role(AWSServiceName="ecs.amazonaws.com")["Role"]
    equal(made["Arn"].split(":")[-1], "role/aws-service-role/ecs.amazonaws.com/AWSServiceRoleForECS")
    attached = iam.list_attached_role_policies(RoleName=made["RoleName"])["AttachedPolicies"]
    equal([one["PolicyName"] for one in attached], ["AmazonECSServiceRolePolicy"])
    iam.delete_service_linked_role(RoleName=made["RoleName"])
    suffixed = iam.create_service_linked_role(
        AWSServiceName="autoscaling.amazonaws.com", CustomSuffix="blue"
    )["Role"]["RoleName"]
    equal(suffixed, "AWSServiceRoleForAutoScaling_blue")
    iam.delete_service_linked_role(RoleName=suffixed)
    for service in ("nosuch.amazonaws.com", "secretsmanager.amazonaws.com"):
        refused("InvalidInput", iam.create_service_linked_role, AWSServiceName=service, status=400)


main()
