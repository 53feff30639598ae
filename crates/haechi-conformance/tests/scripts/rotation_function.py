"""Rotates the password of a user of PostgreSQL, in the manner of AWS's templates: four steps, each of
which may be called again; with `masterarn` in the secret two users take turns. Runs as a function."""

import json
import os

import boto3
import pgdb

secrets = boto3.client("secretsmanager", endpoint_url=os.environ["SECRETS_MANAGER_ENDPOINT"])


def handler(event, context):
    arn, token, step = event["SecretId"], event["ClientRequestToken"], event["Step"]
    told = secrets.describe_secret(SecretId=arn)
    if not told.get("RotationEnabled"):
        raise ValueError(f"Secret {arn} is not enabled for rotation")
    stages = told["VersionIdsToStages"].get(token)
    if stages is None:
        raise ValueError(f"Secret version {token} has no stage for rotation of secret {arn}.")
    if "AWSCURRENT" in stages:
        return
    if "AWSPENDING" not in stages:
        raise ValueError(f"Secret version {token} not set as AWSPENDING for rotation of {arn}.")
    steps = {
        "createSecret": create, "setSecret": set_password, "testSecret": test, "finishSecret": finish,
    }
    print(f"{step} of {arn}")
    steps[step](arn, token)


def value(arn, stage, token=None):
    more = {"VersionId": token} if token else {}
    told = secrets.get_secret_value(SecretId=arn, VersionStage=stage, **more)
    return json.loads(told["SecretString"])


def connect(login):
    try:
        return pgdb.connect(
            host=f"{login['host']}:{login['port']}", user=login["username"],
            password=login["password"], database=login.get("dbname", "postgres"),
        )
    except pgdb.InternalError:
        return None


def create(arn, token):
    current = value(arn, "AWSCURRENT")
    try:
        value(arn, "AWSPENDING", token)
    except secrets.exceptions.ResourceNotFoundException:
        if "masterarn" in current:
            name = current["username"]
            current["username"] = name.removesuffix("_clone") if name.endswith("_clone") else name + "_clone"
        drawn = secrets.get_random_password(ExcludeCharacters="/@\"'\\:")
        current["password"] = drawn["RandomPassword"]
        secrets.put_secret_value(
            SecretId=arn, ClientRequestToken=token, SecretString=json.dumps(current),
            VersionStages=["AWSPENDING"],
        )


def set_password(arn, token):
    pending = value(arn, "AWSPENDING", token)
    if connect(pending):
        return
    current = value(arn, "AWSCURRENT")
    login = value(current["masterarn"], "AWSCURRENT") if "masterarn" in current else current
    database = connect(login)
    if database is None and "masterarn" not in current:
        # A try before may have set another password, which the version before still says.
        database = connect(value(arn, "AWSPREVIOUS"))
    if database is None:
        raise ValueError(f"Unable to log into database with secrets of {arn}")
    cursor = database.cursor()
    cursor.execute("SELECT quote_ident(%s)", (pending["username"],))
    name = cursor.fetchone()[0]
    cursor.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", (pending["username"],))
    change = f"ALTER ROLE {name} WITH PASSWORD" if cursor.fetchone() else f"CREATE ROLE {name} WITH LOGIN PASSWORD"
    cursor.execute(f"{change} %s", (pending["password"],))
    database.commit()


def test(arn, token):
    database = connect(value(arn, "AWSPENDING", token))
    if database is None:
        raise ValueError(f"Unable to log into database with pending secret of {arn}")
    database.cursor().execute("SELECT NOW()")


def finish(arn, token):
    told = secrets.describe_secret(SecretId=arn)
    current = next(
        version for version, stages in told["VersionIdsToStages"].items() if "AWSCURRENT" in stages
    )
    if current != token:
        secrets.update_secret_version_stage(
            SecretId=arn, VersionStage="AWSCURRENT", MoveToVersionId=token,
            RemoveFromVersionId=current,
        )
