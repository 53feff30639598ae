"""Makes the function that rotates, a secret of it, and says their ARNs; the rest is done in Rust."""

import json
import os
import sys

from functions import allow, archive, arn_of, lambda_, new_role, PYTHON

from harness import ACCOUNT, client, equal, refused

secrets = client("secretsmanager")
port, master = int(sys.argv[1]), sys.argv[2:4]
text = open(os.path.join(os.path.dirname(__file__), "rotation_function.py")).read()
role = new_role(allow("secretsmanager:*"))
lambda_.create_function(
    FunctionName="rotate", Runtime=PYTHON, Role=role, Handler="rotation_function.handler",
    Code={"ZipFile": archive(rotation_function__py=text)}, Timeout=30, MemorySize=256,
)
lambda_.get_waiter("function_active_v2").wait(FunctionName="rotate")
value = {"engine": "postgres", "host": "127.0.0.1", "port": port, "username": "app", "password": "first"}
if master:
    admin = {**value, "username": master[0], "password": master[1]}
    value["masterarn"] = secrets.create_secret(Name="shop/admin", SecretString=json.dumps(admin))["ARN"]
secret = secrets.create_secret(Name="shop/db", SecretString=json.dumps(value))["ARN"]
rotate = dict(SecretId=secret, RotationLambdaARN=arn_of("rotate"),
              RotationRules={"AutomaticallyAfterDays": 30})
# Without a permission for Secrets Manager, or with one for another secret, nothing is rotated.
text = ("Secrets Manager cannot invoke the specified Lambda function. Ensure that the function policy "
        "grants access to the principal secretsmanager.amazonaws.com.")
refused("AccessDeniedException", secrets.rotate_secret, message=text, **rotate)
permit = dict(FunctionName="rotate", Action="lambda:InvokeFunction",
              Principal="secretsmanager.amazonaws.com")
lambda_.add_permission(StatementId="other", SourceArn=secret[:-6] + "xxxxxx", **permit)
refused("AccessDeniedException", secrets.rotate_secret, message=text, **rotate)
lambda_.add_permission(StatementId="own", SourceArn=secret, SourceAccount=ACCOUNT, **permit)
secrets.rotate_secret(**rotate)
