"""Parameter Store with boto3, the AWS CLI and Powertools: parameters, paths, versions, labels,
SecureString, tiers, tags, settings, sharing, secrets read as parameters."""

import base64
import json
import subprocess

from harness import ACCOUNT, REGION, client, client_of, equal, main, new_user, refused, unique

ssm = client("ssm")
kms = client("kms")


def root():
    return f"/{unique('app')}"


def put(name, value, **further):
    further.setdefault("Type", "String")
    return ssm.put_parameter(Name=name, Value=value, **further)


def value(name, service=ssm, **further):
    return service.get_parameter(Name=name, WithDecryption=True, **further)["Parameter"]["Value"]


def arn(name):
    return f"arn:aws:ssm:{REGION}:{ACCOUNT}:parameter{name}"


def cli(*arguments):
    run = subprocess.run(["aws", "ssm", *arguments], capture_output=True, text=True)
    assert run.returncode == 0, run.stderr
    return json.loads(run.stdout) if run.stdout.strip() else None


def test_a_parameter_as_aws_answers_it():
    name = root() + "/db/host"
    answer = put(name, "123")
    equal((answer["Tier"], answer["Version"]), ("Standard", 1))
    for called in (name, arn(name)):
        parameter = ssm.get_parameter(Name=called)["Parameter"]
        parameter.pop("LastModifiedDate")
        expected = {
            "ARN": arn(name),
            "DataType": "text",
            "Name": name,
            "Type": "String",
            "Value": "123",
            "Version": 1,
        }
        equal(parameter, expected)
    several = ssm.get_parameters(Names=[name, "/nowhere"])
    equal([one["Name"] for one in several["Parameters"]], [name])
    equal(several["InvalidParameters"], ["/nowhere"])
    refused("ParameterNotFound", ssm.get_parameter, Name="/nowhere", message="")
    ssm.delete_parameter(Name=name)
    refused("ParameterNotFound", ssm.delete_parameter, Name=name)


def test_the_cli_writes_reads_and_deletes():
    name = root()
    cli("put-parameter", "--name", name + "/a", "--value", "1", "--type", "String")
    cli("put-parameter", "--name", name + "/b/c", "--value", "x,y", "--type", "StringList")
    cli("put-parameter", "--name", name + "/a", "--value", "2", "--overwrite")
    equal(cli("get-parameter", "--name", name + "/a")["Parameter"]["Value"], "2")
    found = cli("get-parameters-by-path", "--path", name, "--recursive")["Parameters"]
    equal(sorted(one["Name"] for one in found), [name + "/a", name + "/b/c"])
    history = cli("get-parameter-history", "--name", name + "/a")["Parameters"]
    equal([one["Value"] for one in history], ["1", "2"])
    gone = cli("delete-parameters", "--names", name + "/a", name + "/b/c")
    equal(len(gone["DeletedParameters"]), 2)


def test_pages_of_a_path_meet_each_parameter_once():
    path = root()
    names = {f"{path}/{level}/{number}" for level in ("x", "y") for number in range(13)}
    for name in names:
        put(name, "v")
    pages = list(ssm.get_paginator("get_parameters_by_path").paginate(Path=path, Recursive=True))
    assert all(len(page["Parameters"]) <= 10 for page in pages)
    found = [one["Name"] for page in pages for one in page["Parameters"]]
    equal(sorted(found), sorted(names))
    equal(ssm.get_parameters_by_path(Path=path)["Parameters"], [])
    one_level = ssm.get_parameters_by_path(Path=path + "/x")["Parameters"]
    equal(len(one_level), 10)
    described = ssm.get_paginator("describe_parameters").paginate(
        ParameterFilters=[{"Key": "Path", "Option": "Recursive", "Values": [path]}]
    )
    equal(sum(len(page["Parameters"]) for page in described), 26)


def test_a_secure_string_is_encrypted_for_its_arn():
    name, key_id = root(), kms.create_key()["KeyMetadata"]["KeyId"]
    secret = "hunter2" * 500
    put(name, secret, Type="SecureString", KeyId=key_id)
    equal(value(name), secret)
    sealed = ssm.get_parameter(Name=name)["Parameter"]["Value"]
    assert secret not in sealed
    opened = kms.decrypt(
        CiphertextBlob=base64.b64decode(sealed), EncryptionContext={"PARAMETER_ARN": arn(name)}
    )
    equal(opened["Plaintext"].decode(), secret)
    kms.disable_key(KeyId=key_id)
    refused("InvalidKeyId", ssm.get_parameter, Name=name, WithDecryption=True)
    default = root()
    put(default, "x" * 8192, Type="SecureString", Tier="Advanced")
    equal(value(default), "x" * 8192)
    described = ssm.describe_parameters(
        ParameterFilters=[{"Key": "Name", "Values": [default]}]
    )["Parameters"][0]
    equal(described["KeyId"], "alias/aws/ssm")


def test_versions_and_labels():
    name = root()
    put(name, "1")
    put(name, "2", Overwrite=True)
    answer = ssm.label_parameter_version(Name=name, ParameterVersion=1, Labels=["live", "1st"])
    equal((answer["InvalidLabels"], answer["ParameterVersion"]), (["1st"], 1))
    live = ssm.get_parameter(Name=name + ":live")["Parameter"]
    equal((live["Value"], live["Version"], live["Selector"]), ("1", 1, ":live"))
    equal(value(name + ":2"), "2")
    refused("ParameterVersionNotFound", ssm.get_parameter, Name=name + ":3")
    removed = ssm.unlabel_parameter_version(Name=name, ParameterVersion=1, Labels=["live"])
    equal(removed["RemovedLabels"], ["live"])


def test_refusals_in_aws_words():
    name = root()
    put(name, "v")
    refused(
        "ParameterAlreadyExists",
        put,
        name,
        "v",
        message="The parameter already exists. To overwrite this value, set the overwrite option "
        "in the request to true.",
    )
    refused("ValidationException", put, name + "/x", "x" * 4097, contains="4096 characters")
    refused("AccessDeniedException", put, "/aws/x/y", "v", contains="reserved parameter name")
    refused("HierarchyLevelLimitExceededException", put, "/l" * 16, "v")
    refused("ParameterPatternMismatchException", put, name + "/p", "a", AllowedPattern=r"^\d+$")
    refused("ValidationException", put, name + "/d", "v", DataType="Text")
    refused("InvalidFilterKey", ssm.get_parameters_by_path, Path=name, ParameterFilters=[
        {"Key": "Tier", "Values": ["Standard"]}
    ])
    refused("ValidationException", ssm.describe_parameters, ParameterFilters=[
        {"Key": "Name", "Values": [name + " x"]}
    ])
    refused("InvalidPolicyTypeException", put, name + "/q", "v", Tier="Advanced",
            Policies=json.dumps([{"Type": "None", "Version": "1.0", "Attributes": {}}]))


def test_tags_settings_and_tiers():
    name = root()
    put(name, "v", Tags=[{"Key": "team", "Value": "blue"}])
    ssm.add_tags_to_resource(
        ResourceType="Parameter", ResourceId=name, Tags=[{"Key": "stage", "Value": "prod"}]
    )
    tags = ssm.list_tags_for_resource(ResourceType="Parameter", ResourceId=name)["TagList"]
    equal({tag["Key"]: tag["Value"] for tag in tags}, {"team": "blue", "stage": "prod"})
    equal(put(name, "x" * 5000, Overwrite=True, Tier="Intelligent-Tiering")["Tier"], "Advanced")
    setting = "/ssm/parameter-store/default-parameter-tier"
    ssm.update_service_setting(SettingId=setting, SettingValue="Advanced")
    equal(put(root(), "v")["Tier"], "Advanced")
    reset = ssm.reset_service_setting(SettingId=setting)["ServiceSetting"]
    equal((reset["SettingValue"], reset["Status"]), ("Standard", "Default"))


def test_iam_binds_by_path():
    path = root()
    put(path + "/dev/db", "dev")
    put(path + "/prod/db", "prod")
    _, key = new_user(
        {"Effect": "Allow", "Action": "ssm:GetParameter*", "Resource": arn(path + "/dev*")}
    )
    user = client_of(key, "ssm")
    equal(value(path + "/dev/db", user), "dev")
    equal(len(user.get_parameters_by_path(Path=path + "/dev")["Parameters"]), 1)
    refused(
        "AccessDeniedException",
        user.get_parameter,
        Name=path + "/prod/db",
        contains="is not authorized to perform: ssm:GetParameter on resource: "
        + arn(path + "/prod/db"),
    )
    refused("AccessDeniedException", user.get_parameters_by_path, Path=path)
    refused("AccessDeniedException", user.describe_parameters, contains=f"{ACCOUNT}:*")


def test_a_secret_is_read_as_a_parameter():
    name = unique("secret")
    client("secretsmanager").create_secret(Name=name, SecretString="s3cr3t")
    parameter = ssm.get_parameter(
        Name=f"/aws/reference/secretsmanager/{name}", WithDecryption=True
    )["Parameter"]
    equal((parameter["Value"], parameter["Type"]), ("s3cr3t", "SecureString"))
    equal(json.loads(parameter["SourceResult"])["name"], name)
    refused(
        "ValidationException",
        ssm.get_parameter,
        Name=f"/aws/reference/secretsmanager/{name}",
        contains="WithDecryption flag must be True",
    )


def test_powertools_reads_values_and_paths():
    from aws_lambda_powertools.utilities import parameters

    path = root()
    put(path + "/plain", "one")
    put(path + "/json", json.dumps({"a": 1}))
    put(path + "/secret", "two", Type="SecureString")
    equal(parameters.get_parameter(path + "/plain", max_age=0), "one")
    equal(parameters.get_parameter(path + "/json", transform="json", max_age=0), {"a": 1})
    found = parameters.get_parameters(path, decrypt=True, max_age=0)
    equal(found, {"plain": "one", "json": '{"a": 1}', "secret": "two"})
    by_name = {path + "/plain": {}, path + "/secret": {"decrypt": True}}
    equal(
        parameters.get_parameters_by_name(by_name, max_age=0),
        {path + "/plain": "one", path + "/secret": "two"},
    )
    parameters.set_parameter(path + "/plain", "three", overwrite=True)
    equal(parameters.get_parameter(path + "/plain", force_fetch=True), "three")


main()
