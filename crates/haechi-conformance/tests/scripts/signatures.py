"""Signature Version 4: what is refused and how, in the JSON and in the query protocol; presigning."""

import datetime
import json
import os
import ssl
import urllib.error
import urllib.request
from unittest import mock

import botocore.auth
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from harness import ACCOUNT, ENDPOINT, REGION, client, equal, main, refused

ID, SECRET = os.environ["AWS_ACCESS_KEY_ID"], os.environ["AWS_SECRET_ACCESS_KEY"]
WRONG = (
    "The request signature we calculated does not match the signature you provided. Check your "
    "AWS Secret Access Key and signing method. Consult the service documentation for details."
)
INVALID_TOKEN = "The security token included in the request is invalid."


def http(method, path, headers=None, body=None):
    """One request without an AWS client; answers (status, text)."""
    context = ssl.create_default_context(cafile=os.environ["AWS_CA_BUNDLE"])
    url = ENDPOINT + path
    request = urllib.request.Request(url, method=method, data=body, headers=headers or {})
    try:
        with urllib.request.urlopen(request, context=context) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()


def json_error(text):
    """(code, message) of a JSON error."""
    told = json.loads(text)
    return told["__type"].split("#")[-1], told.get("message", told.get("Message"))


KMS_HEADERS = {
    "Content-Type": "application/x-amz-json-1.1",
    "X-Amz-Target": "TrentService.ListKeys",
}


def signed(headers=None, body=b"{}", credentials=None, service="kms", at=None):
    """The headers of a signed request to KMS ListKeys; `at` moves the signer's clock."""
    request = AWSRequest("POST", ENDPOINT + "/", {**KMS_HEADERS, **(headers or {})}, body)
    signer = SigV4Auth(credentials or Credentials(ID, SECRET), service, REGION)
    moment = at or datetime.datetime.now(datetime.timezone.utc)
    with mock.patch.object(botocore.auth, "get_current_datetime", lambda *_, **__: moment):
        signer.add_auth(request)
    return dict(request.headers.items())


def test_a_request_signed_by_hand_is_answered():
    status, text = http("POST", "/", signed(), b"{}")
    equal(status, 200)
    assert "Keys" in json.loads(text)


def test_a_wrong_secret():
    wrong = {"aws_access_key_id": ID, "aws_secret_access_key": "x" * 40}
    refused(
        "InvalidSignatureException",
        client("kms", **wrong).list_keys,
        contains=WRONG,
        status=400,
    )
    refused(
        "SignatureDoesNotMatch",
        client("sts", **wrong).get_caller_identity,
        contains=WRONG,
        status=403,
    )
    refused("SignatureDoesNotMatch", client("iam", **wrong).list_users, status=403)


def test_an_unknown_access_key():
    unknown = {"aws_access_key_id": "AKIAIOSFODNN7EXAMPLE", "aws_secret_access_key": "x" * 40}
    refused(
        "UnrecognizedClientException",
        client("kms", **unknown).list_keys,
        message=INVALID_TOKEN,
        status=400,
    )
    for call in (client("sts", **unknown).get_caller_identity, client("iam", **unknown).list_users):
        refused("InvalidClientTokenId", call, message=INVALID_TOKEN, status=403)


def test_a_session_token_that_nobody_issued():
    made_up = {"aws_access_key_id": ID, "aws_secret_access_key": SECRET}
    kms = client("kms", **made_up, aws_session_token="made up")
    told = INVALID_TOKEN.removesuffix(".")
    refused("UnrecognizedClientException", kms.list_keys, contains=told)


def test_a_body_changed_on_the_way():
    status, text = http("POST", "/", signed(body=b"{}"), b'{"Limit": 1}')
    equal((status, json_error(text)[0]), (400, "InvalidSignatureException"))


def test_a_header_changed_on_the_way():
    headers = signed()
    headers["X-Amz-Target"] = "TrentService.CreateKey"
    status, text = http("POST", "/", headers, b"{}")
    equal((status, json_error(text)[0]), (400, "InvalidSignatureException"))


def test_a_signature_of_another_service_or_region():
    status, text = http("POST", "/", signed(service="iam"), b"{}")
    assert status in (400, 403, 404), (status, text)
    headers = signed()
    headers["Authorization"] = headers["Authorization"].replace(REGION, "eu-west-3")
    status, text = http("POST", "/", headers, b"{}")
    equal((status, json_error(text)[0]), (400, "InvalidSignatureException"))


def test_clocks_may_differ_by_less_than_five_minutes():
    now = datetime.datetime.now(datetime.timezone.utc)
    for minutes in (-4, 4):
        at = now + datetime.timedelta(minutes=minutes)
        equal(http("POST", "/", signed(at=at), b"{}")[0], 200)
    status, text = http("POST", "/", signed(at=now - datetime.timedelta(minutes=6)), b"{}")
    code, message = json_error(text)
    equal((status, code), (400, "InvalidSignatureException"))
    assert message.startswith("Signature expired: "), message
    status, text = http("POST", "/", signed(at=now + datetime.timedelta(minutes=6)), b"{}")
    code, message = json_error(text)
    equal((status, code), (400, "InvalidSignatureException"))
    assert message.startswith("Signature not yet current: "), message


def test_no_signature_at_all():
    status, text = http("POST", "/", KMS_HEADERS, b"{}")
    equal((status, json_error(text)[0]), (400, "MissingAuthenticationTokenException"))
    status, text = http(
        "POST",
        "/",
        {"Content-Type": "application/x-www-form-urlencoded"},
        b"Action=GetCallerIdentity&Version=2011-06-15",
    )
    equal(status, 403)
    assert "<Code>MissingAuthenticationToken</Code>" in text, text
    assert "<Message>Request is missing Authentication Token</Message>" in text, text


def test_half_a_signature():
    whole = signed()
    headers = {**whole, "Authorization": whole["Authorization"].split(", Signature=")[0]}
    status, text = http("POST", "/", headers, b"{}")
    incomplete = ("IncompleteSignature", "IncompleteSignatureException")
    assert status == 400 and json_error(text)[0] in incomplete, (status, text)
    headers = {**whole, "Authorization": "AWS4-HMAC-SHA256 Credential=nonsense"}
    status, text = http("POST", "/", headers, b"{}")
    assert status == 400 and json_error(text)[0] in incomplete, (status, text)


def test_a_presigned_identity_works_without_credentials_until_it_is_touched_or_expires():
    sts = client("sts")
    # A presigned URL is for POST unless told, as the model says.
    presign = {"ClientMethod": "get_caller_identity", "ExpiresIn": 60, "HttpMethod": "GET"}
    url = sts.generate_presigned_url(**presign)
    path = url.removeprefix(ENDPOINT)
    status, text = http("GET", path)
    equal((status, text[:300] if status != 200 else ""), (200, ""))
    assert f"<Arn>arn:aws:iam::{ACCOUNT}:root</Arn>" in text, text
    status, text = http("GET", path.replace("X-Amz-Expires=60", "X-Amz-Expires=61"))
    equal(status, 403)
    assert "<Code>SignatureDoesNotMatch</Code>" in text, text
    # STS gives it a quarter of an hour whatever X-Amz-Expires says: Amazon EKS's tokens live by it.
    for minutes, expected in ((14, 200), (16, 403)):
        past = datetime.datetime.now(datetime.timezone.utc) - datetime.timedelta(minutes=minutes)
        with mock.patch.object(botocore.auth, "get_current_datetime", lambda *_, **__: past):
            url = sts.generate_presigned_url(**presign)
        status, text = http("GET", url.removeprefix(ENDPOINT))
        equal(status, expected)
    assert "expired" in text.lower(), text


def test_a_presigned_identity_is_told_in_json_to_whoever_accepts_that_alone():
    # So ask those who let callers prove themselves by it, as authenticators of Kubernetes do.
    url = client("sts").generate_presigned_url("get_caller_identity", HttpMethod="GET")
    path, accept = url.removeprefix(ENDPOINT), {"Accept": "application/json"}
    status, text = http("GET", path, accept)
    equal(status, 200)
    answer = json.loads(text)["GetCallerIdentityResponse"]
    assert answer["ResponseMetadata"]["RequestId"], text
    told = answer["GetCallerIdentityResult"]
    equal((told["Account"], told["Arn"]), (ACCOUNT, f"arn:aws:iam::{ACCOUNT}:root"))
    status, text = http("GET", path.replace("Expires=3600", "Expires=3601"), accept)
    error = json.loads(text)["Error"]
    equal((status, error["Code"], error["Type"]), (403, "SignatureDoesNotMatch", "Sender"))


def test_every_answer_has_a_request_id():
    context = ssl.create_default_context(cafile=os.environ["AWS_CA_BUNDLE"])
    request = urllib.request.Request(ENDPOINT + "/", data=b"{}", headers=signed())
    with urllib.request.urlopen(request, context=context) as answer:
        assert answer.headers["x-amzn-RequestId"]
    error = refused("NotFoundException", client("kms").describe_key, KeyId="nothing")
    assert error["ResponseMetadata"]["RequestId"]


main()
