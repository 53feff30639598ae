"""API destinations: events reach endpoints of others over HTTPS, authorised by connections."""

import base64
import http.server
import json
import os
import queue
import ssl
import threading
import time
import urllib.parse

from harness import ACCOUNT, REGION, client, client_of, equal, main, new_user, policy, refused, unique

events = client("events")
secrets = client("secretsmanager")
sqs = client("sqs")
iam = client("iam")


class Endpoint:
    """An HTTPS endpoint that keeps what it gets and answers as it is told."""

    def __init__(self):
        self.requests, self.answers, endpoint = queue.Queue(), [], self

        class Handler(http.server.BaseHTTPRequestHandler):
            def handle_any(self):
                length = int(self.headers.get("content-length", 0))
                body = self.rfile.read(length).decode()
                headers = {name.lower(): value for name, value in self.headers.items()}
                endpoint.requests.put((self.command, self.path, headers, body))
                status, more, answer = endpoint.answers.pop(0) if endpoint.answers else (200, {}, "{}")
                self.send_response(status)
                for name, value in {**more, "content-length": str(len(answer))}.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(answer.encode())

            do_POST = do_PUT = do_GET = handle_any

            def log_message(self, *_):
                pass

        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(os.environ["HAECHI_RECEIVER"])
        server.socket = context.wrap_socket(server.socket, server_side=True)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        self.url = f"https://localhost:{server.server_address[1]}"

    def next(self):
        return self.requests.get(timeout=60)

    def nothing(self):
        assert self.requests.empty(), self.requests.get()


def invoking_role(*actions):
    name = unique("role")
    trust = policy({"Effect": "Allow", "Principal": {"Service": "events.amazonaws.com"}, "Action": "sts:AssumeRole"})
    arn = iam.create_role(RoleName=name, AssumeRolePolicyDocument=trust)["Role"]["Arn"]
    statement = {"Effect": "Allow", "Action": list(actions) or ["events:InvokeApiDestination"],
                 "Resource": f"arn:aws:events:{REGION}:{ACCOUNT}:api-destination/*"}
    iam.put_role_policy(RoleName=name, PolicyName="invoke", PolicyDocument=policy(statement))
    return arn


def dead_letters(rule_arn):
    name = unique("dead")
    url = sqs.create_queue(QueueName=name)["QueueUrl"]
    arn = f"arn:aws:sqs:{REGION}:{ACCOUNT}:{name}"
    statement = {"Effect": "Allow", "Principal": {"Service": "events.amazonaws.com"}, "Action": "sqs:SendMessage",
                 "Resource": arn, "Condition": {"ArnEquals": {"aws:SourceArn": rule_arn}}}
    sqs.set_queue_attributes(QueueUrl=url, Attributes={"Policy": policy(statement)})
    return url, arn


def connect(kind, parameters):
    name = unique("connection")
    return name, events.create_connection(Name=name, AuthorizationType=kind, AuthParameters=parameters)


API_KEY = {"ApiKeyAuthParameters": {"ApiKeyName": "X-Api-Key", "ApiKeyValue": "hunter2"}}
BASIC = {"BasicAuthParameters": {"Username": "user", "Password": "pass-word"}}


def state(name):
    return events.describe_connection(Name=name)["ConnectionState"]


def reached(endpoint, connection, path="/hook", role=None, rate=None, **target):
    """A rule whose target is a new destination; answers what puts an event on it, and the dead letters."""
    source, name = unique("source"), unique("destination")
    limit = {"InvocationRateLimitPerSecond": rate} if rate else {}
    destination = events.create_api_destination(
        Name=name, ConnectionArn=connection["ConnectionArn"], InvocationEndpoint=endpoint.url + path,
        HttpMethod="POST", **limit)["ApiDestinationArn"]
    rule = unique("rule")
    rule_arn = events.put_rule(Name=rule, EventPattern=json.dumps({"source": [source]}))["RuleArn"]
    letters, dead = dead_letters(rule_arn)
    put = events.put_targets(Rule=rule, Targets=[{
        "Id": "t", "Arn": destination, "RoleArn": role or invoking_role(),
        "DeadLetterConfig": {"Arn": dead}, **target}])
    equal(put["FailedEntryCount"], 0)

    def send(**detail):
        entry = {"Source": source, "DetailType": "Order", "Detail": json.dumps(detail)}
        equal(events.put_events(Entries=[entry])["FailedEntryCount"], 0)

    return send, letters


def letter(url):
    for _ in range(6):
        found = sqs.receive_message(QueueUrl=url, WaitTimeSeconds=10, MessageAttributeNames=["All"])
        if found.get("Messages"):
            attributes = found["Messages"][0]["MessageAttributes"]
            return {name: value["StringValue"] for name, value in attributes.items()}
    raise AssertionError("no dead letter")


def test_a_connection_shows_no_secret_and_keeps_it_in_secrets_manager():
    name, made = connect("API_KEY", {**API_KEY, "InvocationHttpParameters": {
        "HeaderParameters": [{"Key": "X-Hidden", "Value": "hidden", "IsValueSecret": True},
                             {"Key": "X-Open", "Value": "open", "IsValueSecret": False}]}})
    equal(made["ConnectionState"], "AUTHORIZED")
    assert f":connection/{name}/" in made["ConnectionArn"]
    shown = events.describe_connection(Name=name)
    assert "hunter2" not in str(shown) and "hidden" not in str(shown), shown
    equal(shown["AuthParameters"]["ApiKeyAuthParameters"], {"ApiKeyName": "X-Api-Key"})
    assert f":secret:events!connection/{name}/" in shown["SecretArn"]
    secret = secrets.describe_secret(SecretId=shown["SecretArn"])
    equal(secret["OwningService"], "events")
    equal(secret["Tags"], [{"Key": "aws:secretsmanager:owningService", "Value": "events"}])
    value = json.loads(secrets.get_secret_value(SecretId=shown["SecretArn"])["SecretString"])
    equal((value["api_key_name"], value["api_key_value"]), ("X-Api-Key", "hunter2"))
    refused("InvalidRequestException", secrets.delete_secret, SecretId=shown["SecretArn"],
            ForceDeleteWithoutRecovery=True, contains="managed by another service")
    refused("ResourceAlreadyExistsException", events.create_connection, Name=name,
            AuthorizationType="API_KEY", AuthParameters=API_KEY)
    equal([one["Name"] for one in events.list_connections(NamePrefix=name)["Connections"]], [name])
    events.deauthorize_connection(Name=name)
    equal(state(name), "DEAUTHORIZED")
    refused("ResourceNotFoundException", secrets.describe_secret, SecretId=shown["SecretArn"])
    events.update_connection(Name=name, AuthorizationType="BASIC", AuthParameters=BASIC)
    equal(state(name), "AUTHORIZED")
    equal(events.delete_connection(Name=name)["ConnectionState"], "DELETING")
    refused("ResourceNotFoundException", events.describe_connection, Name=name,
            message=f"Failed to describe the connection(s). Connection '{name}' does not exist.")


def test_the_trail_does_not_tell_what_a_connection_authorises_with():
    name, _ = connect("BASIC", BASIC)
    trail = client("cloudtrail")
    found = trail.lookup_events(LookupAttributes=[
        {"AttributeKey": "EventName", "AttributeValue": "CreateConnection"}])["Events"]
    record = next(one["CloudTrailEvent"] for one in found if name in one["CloudTrailEvent"])
    assert "pass-word" not in record and "HIDDEN_DUE_TO_SECURITY_REASONS" in record, record
    made = trail.lookup_events(LookupAttributes=[
        {"AttributeKey": "EventName", "AttributeValue": "CreateSecret"}])["Events"]
    record = next(one["CloudTrailEvent"] for one in made if name in one["CloudTrailEvent"])
    assert "pass-word" not in record, record
    equal(json.loads(record)["userIdentity"].get("invokedBy"), "events.amazonaws.com")


def test_who_may_make_no_secrets_makes_no_connections():
    _, key = new_user({"Effect": "Allow", "Action": "events:*", "Resource": "*"})
    refused("AccessDeniedException", client_of(key, "events").create_connection, Name=unique("c"),
            AuthorizationType="BASIC", AuthParameters=BASIC, contains="secretsmanager:CreateSecret")


def test_a_destination_is_made_changed_and_deleted():
    _, connection = connect("BASIC", BASIC)
    name = unique("destination")
    fields = {"ConnectionArn": connection["ConnectionArn"], "HttpMethod": "POST"}
    refused("ValidationException", events.create_api_destination, Name=name,
            InvocationEndpoint="http://example.com/api", **fields)
    made = events.create_api_destination(Name=name, InvocationEndpoint="https://example.com/api", **fields)
    equal(made["ApiDestinationState"], "ACTIVE")
    events.update_api_destination(Name=name, HttpMethod="PUT", Description="new")
    shown = events.describe_api_destination(Name=name)
    equal((shown["HttpMethod"], shown["Description"], shown["InvocationRateLimitPerSecond"]), ("PUT", "new", 300))
    listed = events.list_api_destinations(ConnectionArn=connection["ConnectionArn"])["ApiDestinations"]
    equal([one["Name"] for one in listed], [name])
    events.delete_api_destination(Name=name)
    refused("ResourceNotFoundException", events.describe_api_destination, Name=name,
            message=f"Failed to describe the api-destination(s). An api-destination '{name}' does not exist.")
    refused("ResourceNotFoundException", events.create_api_destination, Name=name, HttpMethod="POST",
            InvocationEndpoint="https://example.com/", ConnectionArn=connection["ConnectionArn"][:-4] + "0000")


def test_an_endpoint_gets_path_query_headers_and_a_transformed_body():
    endpoint = Endpoint()
    _, connection = connect("API_KEY", {**API_KEY, "InvocationHttpParameters": {
        "QueryStringParameters": [{"Key": "tenant", "Value": "t 1", "IsValueSecret": True}],
        "BodyParameters": [{"Key": "added", "Value": "yes", "IsValueSecret": False}]}})
    send, _ = reached(
        endpoint, connection, "/orders/*/lines",
        HttpParameters={"PathParameterValues": ["$.detail.id"], "QueryStringParameters": {"kind": "$.detail-type"},
                        "HeaderParameters": {"X-Source": "rule"}},
        InputTransformer={"InputPathsMap": {"id": "$.detail.id"}, "InputTemplate": '{"order": "<id>"}'})
    send(id="a/7")
    method, path, headers, body = endpoint.next()
    equal((method, json.loads(body)), ("POST", {"order": "a/7", "added": "yes"}))
    path, query = path.split("?")
    equal(path, "/orders/a%2F7/lines")
    equal(urllib.parse.parse_qs(query), {"kind": ["Order"], "tenant": ["t 1"]})
    equal((headers["x-api-key"], headers["x-source"]), ("hunter2", "rule"))
    equal(headers["user-agent"], "Amazon/EventBridge/ApiDestinations")


def test_basic_credentials_and_tries_until_it_is_taken():
    endpoint = Endpoint()
    _, connection = connect("BASIC", BASIC)
    send, _ = reached(endpoint, connection)
    endpoint.answers = [(503, {}, ""), (429, {"retry-after": "1"}, "")]
    send(n=1)
    first = endpoint.next()
    equal(first[2]["authorization"], "Basic " + base64.b64encode(b"user:pass-word").decode())
    # That it waits for as long as it is asked to is tested where time is the test's own.
    equal([endpoint.next()[3] for _ in range(2)], [first[3], first[3]])


def test_what_it_refuses_for_good_becomes_a_dead_letter():
    endpoint = Endpoint()
    _, connection = connect("BASIC", BASIC)
    send, letters = reached(endpoint, connection)
    endpoint.answers = [(400, {}, "")]
    send(n=1)
    told = letter(letters)
    equal((told["ERROR_CODE"], told["RETRY_ATTEMPTS"]), ("ERROR_FROM_TARGET", "0"))
    assert "400" in told["ERROR_MESSAGE"], told


def test_tries_come_to_an_end():
    endpoint = Endpoint()
    _, connection = connect("BASIC", BASIC)
    send, letters = reached(endpoint, connection, RetryPolicy={"MaximumRetryAttempts": 1})
    endpoint.answers = [(500, {}, ""), (500, {}, "")]
    send(n=1)
    told = letter(letters)
    equal(told["EXHAUSTED_RETRY_CONDITION"], "MaximumRetryAttempts")
    equal(endpoint.requests.qsize(), 2)


def test_a_role_that_may_not_invoke_it_is_refused():
    endpoint = Endpoint()
    _, connection = connect("BASIC", BASIC)
    send, letters = reached(endpoint, connection, role=invoking_role("events:PutEvents"))
    send(n=1)
    told = letter(letters)
    equal(told["ERROR_CODE"], "NO_PERMISSIONS")
    assert "events:InvokeApiDestination" in told["ERROR_MESSAGE"], told
    endpoint.nothing()


def oauth(tokens):
    return {"OAuthParameters": {
        "ClientParameters": {"ClientID": "me", "ClientSecret": "s3cret"}, "HttpMethod": "POST",
        "AuthorizationEndpoint": tokens.url + "/token",
        "OAuthHttpParameters": {"BodyParameters": [{"Key": "scope", "Value": "hooks", "IsValueSecret": False}]}}}


def authorised(name):
    until = time.monotonic() + 120
    while (seen := state(name)) == "AUTHORIZING":
        assert time.monotonic() < until, "still authorizing"
        time.sleep(0.1)
    return seen


def token(text):
    return 200, {}, json.dumps({"access_token": text, "token_type": "Bearer", "expires_in": 3600})


def test_tokens_are_fetched_kept_and_fetched_again_when_refused():
    tokens, endpoint = Endpoint(), Endpoint()
    tokens.answers = [token("one"), token("two")]
    name, connection = connect("OAUTH_CLIENT_CREDENTIALS", oauth(tokens))
    equal(authorised(name), "AUTHORIZED")
    form = urllib.parse.parse_qs(tokens.next()[3])
    equal(form, {"grant_type": ["client_credentials"], "client_id": ["me"], "client_secret": ["s3cret"],
                 "scope": ["hooks"]})
    send, _ = reached(endpoint, connection)
    send(n=1)
    equal(endpoint.next()[2]["authorization"], "Bearer one")
    endpoint.answers = [(401, {}, "")]
    send(n=2)
    equal(endpoint.next()[2]["authorization"], "Bearer one")
    equal(endpoint.next()[2]["authorization"], "Bearer two")
    tokens.next()
    tokens.nothing()


def test_who_gets_no_token_is_not_authorised():
    tokens = Endpoint()
    tokens.answers = [(403, {}, "")]
    name, connection = connect("OAUTH_CLIENT_CREDENTIALS", oauth(tokens))
    equal(authorised(name), "DEAUTHORIZED")
    assert "403" in events.describe_connection(Name=name)["StateReason"]
    made = events.create_api_destination(Name=unique("d"), ConnectionArn=connection["ConnectionArn"],
                                         InvocationEndpoint="https://example.com/", HttpMethod="POST")
    equal(made["ApiDestinationState"], "INACTIVE")


main()
