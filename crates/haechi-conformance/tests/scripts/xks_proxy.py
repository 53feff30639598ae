"""haechi as an external key store proxy, asked by curl: the cases of AWS's published test client
(aws-kms-xksproxy-test-client 1.0.5), its keys for one direction only, and what the specification
says beside them."""

import base64
import hashlib
import json
import os
import subprocess
import uuid

from harness import client, equal, main

HOST = os.environ["XKS_HOST"]
PREFIX = os.environ["XKS_PREFIX"]
KEY = os.environ["XKS_KEY"]
KEYS = {name: os.environ[f"XKS_KEY_{name}"] for name in ("ENCRYPT", "DECRYPT", "IMPOTENT", "DISABLED")}

with open(os.environ["XKS_CREDENTIAL"]) as file:
    CONFIGURATION = json.load(file)
ID = CONFIGURATION["XksProxyAuthenticationCredential"]["AccessKeyId"]
SECRET = CONFIGURATION["XksProxyAuthenticationCredential"]["RawSecretAccessKey"]

ALICE = "arn:aws:iam::123456789012:user/Alice"
KMS_KEY = "arn:aws:kms:us-east-2:123456789012:/key/1234abcd-12ab-34cd-56ef-1234567890ab"
PLAINTEXT = "cGxhaW50ZXh0Cg=="
HELLO = "SGVsbG8gV29ybGQh"
AAD = "cHJvamVjdD1uaWxlLGRlcGFydG1lbnQ9bWFya2V0aW5n"
OTHER_AAD = "cHJvamVjdD1ibHVlLGRlcGFydG1lbnQ9ZmluYW5jZQ=="

STATUS = {
    "ValidationException": 400,
    "InvalidStateException": 400,
    "InvalidCiphertextException": 400,
    "InvalidKeyUsageException": 400,
    "AuthenticationFailedException": 401,
    "KeyNotFoundException": 404,
    "InvalidUriPathException": 404,
    "UnsupportedOperationException": 501,
}


def curl(*arguments, body=b""):
    """Status and body of what curl got."""
    command = ["curl", "--silent", "--show-error", "--cacert", os.environ["AWS_CA_BUNDLE"]]
    command += ["--write-out", "\n%{http_code}", *arguments]
    done = subprocess.run(command, input=body, capture_output=True, check=True)
    text, _, status = done.stdout.rpartition(b"\n")
    return int(status), text


def post(path, body, prefix=PREFIX, access_key_id=ID, secret=SECRET, options=()):
    """Posts as AWS KMS does; answers status and JSON."""
    url = f"https://{HOST}/{prefix}/kms/xks/v1/{path}"
    sign = ["--aws-sigv4", "aws:amz:us-east-1:kms-xks-proxy", "--user", f"{access_key_id}:{secret}"]
    text = body if isinstance(body, bytes) else json.dumps(body).encode()
    status, answer = curl(
        url, *sign, "-H", "Content-Type:application/json", "--data-binary", "@-", *options, body=text
    )
    return status, json.loads(answer)


def metadata(operation):
    return {
        "awsPrincipalArn": ALICE,
        "kmsKeyArn": KMS_KEY,
        "kmsOperation": operation,
        "kmsRequestId": str(uuid.uuid4()),
        "kmsViaService": "ebs",
    }


def encrypting(plaintext=None, aad=None, cdiv=False):
    body = {"requestMetadata": metadata("Encrypt"), "encryptionAlgorithm": "AES_GCM"}
    if plaintext is not None:
        body["plaintext"] = plaintext
    if aad is not None:
        body["additionalAuthenticatedData"] = aad
    if cdiv:
        body["ciphertextDataIntegrityValueAlgorithm"] = "SHA_256"
    return body


def decrypting(sealed, aad=None):
    body = {"requestMetadata": metadata("Decrypt"), "encryptionAlgorithm": "AES_GCM"}
    fields = ["ciphertext", "initializationVector", "authenticationTag", "ciphertextMetadata"]
    body |= {field: sealed[field] for field in fields if field in sealed}
    if aad is not None:
        body["additionalAuthenticatedData"] = aad
    return body


def answered(path, body, **how):
    status, answer = post(path, body, **how)
    equal(status, 200)
    return answer


def refused(name, path, body, **how):
    status, answer = post(path, body, **how)
    equal((answer.get("errorName"), status), (name, STATUS[name]))
    assert len(answer["errorMessage"]) < 512 and answer["errorMessage"].isascii(), answer


def unsigned_wrongly(path, body):
    """Credentials and paths that nobody made."""
    refused("AuthenticationFailedException", path, body, access_key_id=f"Invalid{ID}")
    refused("AuthenticationFailedException", path, body, secret=f"Invalid{SECRET}")
    refused("InvalidUriPathException", path, body, prefix=f"{PREFIX}/invalid")


def test_the_file_with_the_credential_is_as_aws_reads_it():
    equal(CONFIGURATION["XksProxyUriPath"], f"/{PREFIX}/kms/xks/v1")
    assert 20 <= len(ID) <= 30 and set(ID) <= set("ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"), ID
    assert 43 <= len(SECRET) <= 64, len(SECRET)
    equal(os.stat(os.environ["XKS_CREDENTIAL"]).st_mode & 0o777, 0o600)


def test_health():
    short = {"kmsOperation": "KmsHealthCheck", "kmsRequestId": str(uuid.uuid4())}
    body = {"requestMetadata": short}
    health = answered("health", body)
    equal(health["ekmFleetDetails"][0]["healthStatus"], "ACTIVE")
    equal(sorted(health), ["ekmFleetDetails", "ekmVendor", "xksProxyFleetSize", "xksProxyModel", "xksProxyVendor"])
    refused("ValidationException", "health", {})
    refused("ValidationException", "health", {"requestMetadata": {}})
    unsigned_wrongly("health", body)


def test_key_metadata():
    path = f"keys/{KEY}/metadata"
    for operation in ("DescribeKey", "CreateKey"):
        found = answered(path, {"requestMetadata": metadata(operation)})
        equal(found, {"keySpec": "AES_256", "keyUsage": ["ENCRYPT", "DECRYPT"], "keyStatus": "ENABLED"})
    refused("ValidationException", path, {})
    refused("ValidationException", path, {"requestMetadata": {}})
    body = {"requestMetadata": metadata("DescribeKey")}
    refused("KeyNotFoundException", "keys/non_existing_key/metadata", body)
    unsigned_wrongly(path, body)
    equal(answered(f"keys/{KEYS['ENCRYPT']}/metadata", body)["keyUsage"], ["ENCRYPT"])
    equal(answered(f"keys/{KEYS['DECRYPT']}/metadata", body)["keyUsage"], ["DECRYPT"])
    equal(answered(f"keys/{KEYS['IMPOTENT']}/metadata", body)["keySpec"], "HMAC_256")
    equal(answered(f"keys/{KEYS['DISABLED']}/metadata", body)["keyStatus"], "DISABLED")


def test_what_is_wrong_with_an_encryption_is_told():
    path = f"keys/{KEY}/encrypt"
    refused("KeyNotFoundException", "keys/non_existing_key/encrypt", encrypting(PLAINTEXT))
    refused("ValidationException", path, encrypting())
    refused("ValidationException", path, encrypting("not base64"))
    refused("ValidationException", path, b"{")
    unsigned_wrongly(path, encrypting(PLAINTEXT))
    refused("InvalidStateException", f"keys/{KEYS['DISABLED']}/encrypt", encrypting(PLAINTEXT))


def test_what_was_encrypted_decrypts_with_the_same_additional_data_only():
    encrypt, decrypt = f"keys/{KEY}/encrypt", f"keys/{KEY}/decrypt"
    sealed = answered(encrypt, encrypting(PLAINTEXT, AAD))
    refused("InvalidCiphertextException", decrypt, decrypting(sealed))
    refused("InvalidCiphertextException", decrypt, decrypting(sealed, OTHER_AAD))
    equal(answered(decrypt, decrypting(sealed, AAD)), {"plaintext": PLAINTEXT})
    bare = answered(encrypt, encrypting(HELLO))
    equal(answered(decrypt, decrypting(bare)), {"plaintext": HELLO})
    other = f"keys/{KEYS['DECRYPT']}/decrypt"
    refused("InvalidCiphertextException", other, decrypting(bare))


def test_every_changed_part_is_found_out():
    sealed = answered(f"keys/{KEY}/encrypt", encrypting(HELLO, AAD))
    for field in ("ciphertext", "initializationVector", "authenticationTag", "ciphertextMetadata"):
        changed = bytearray(base64.b64decode(sealed[field]))
        changed[-1] ^= 1
        body = decrypting(sealed | {field: base64.b64encode(changed).decode()}, AAD)
        refused("InvalidCiphertextException", f"keys/{KEY}/decrypt", body)
    # Metadata that is passed off as additional data.
    joined = base64.b64encode(base64.b64decode(AAD) + base64.b64decode(sealed["ciphertextMetadata"]))
    short = {field: value for field, value in sealed.items() if field != "ciphertextMetadata"}
    refused("InvalidCiphertextException", f"keys/{KEY}/decrypt", decrypting(short, joined.decode()))


def test_the_integrity_value_is_the_hash_of_all_parts():
    for aad in (AAD, None):
        sealed = answered(f"keys/{KEY}/encrypt", encrypting(HELLO, aad, cdiv=True))
        parts = [sealed[field] for field in ("ciphertextMetadata", "initializationVector", "ciphertext", "authenticationTag")]
        whole = b"".join(base64.b64decode(part) for part in [aad or "", *parts])
        value = base64.b64encode(hashlib.sha256(whole).digest()).decode()
        equal(sealed["ciphertextDataIntegrityValue"], value)
        equal(answered(f"keys/{KEY}/decrypt", decrypting(sealed, aad)), {"plaintext": HELLO})


def test_large_texts_and_large_additional_data():
    text = base64.b64encode(os.urandom(4300)).decode()
    aad = base64.b64encode(os.urandom(8192)).decode()
    sealed = answered(f"keys/{KEY}/encrypt", encrypting(text, aad))
    lengths = [len(base64.b64decode(sealed[field])) for field in ("ciphertext", "authenticationTag")]
    equal(lengths, [4300, 16])
    assert len(base64.b64decode(sealed["ciphertextMetadata"])) <= 20
    equal(answered(f"keys/{KEY}/decrypt", decrypting(sealed, aad)), {"plaintext": text})
    too_long = base64.b64encode(os.urandom(8193)).decode()
    refused("UnsupportedOperationException", f"keys/{KEY}/encrypt", encrypting(PLAINTEXT, too_long))
    refused("UnsupportedOperationException", f"keys/{KEY}/encrypt", b"[" * 100_000)


def test_keys_for_one_direction_and_keys_for_none():
    usage = "InvalidKeyUsageException"
    path = f"keys/{KEYS['ENCRYPT']}"
    for aad in (AAD, None):
        sealed = answered(f"{path}/encrypt", encrypting(PLAINTEXT, aad))
        refused(usage, f"{path}/decrypt", decrypting(sealed, aad))
        refused(usage, f"{path}/encrypt", encrypting(PLAINTEXT, aad, cdiv=True))
    for name in ("DECRYPT", "IMPOTENT"):
        for aad in (AAD, None):
            for cdiv in (False, True):
                refused(usage, f"keys/{KEYS[name]}/encrypt", encrypting(PLAINTEXT, aad, cdiv))


def test_only_post_and_only_a_fresh_signature_in_the_header():
    url = f"https://{HOST}/{PREFIX}/kms/xks/v1/health"
    equal(curl(url)[0], 405)
    equal(curl("-X", "PUT", url)[0], 405)
    equal(curl(f"https://{HOST}/ping")[0], 200)
    status, body = curl("-X", "POST", url, "--data-binary", "@-", body=b"{}")
    equal((status, json.loads(body)["errorName"]), (401, "AuthenticationFailedException"))
    old = ["-H", "X-Amz-Date: 20221110T000000Z"]
    body = {"requestMetadata": {"kmsOperation": "KmsHealthCheck", "kmsRequestId": "1"}}
    refused("AuthenticationFailedException", "health", body, options=old)
    sign = ["--aws-sigv4", "aws:amz:us-east-1:kms", "--user", f"{ID}:{SECRET}"]
    status, answer = curl(url, *sign, "--data-binary", "@-", body=json.dumps(body).encode())
    equal((status, json.loads(answer)["errorName"]), (401, "AuthenticationFailedException"))


def test_both_versions_of_http_are_spoken():
    body = {"requestMetadata": {"kmsOperation": "KmsHealthCheck", "kmsRequestId": "1"}}
    for version in ("--http1.1", "--http2"):
        equal(post("health", body, options=[version])[0], 200)


def test_requests_are_in_the_events_without_their_texts():
    body = encrypting(PLAINTEXT)
    answered(f"keys/{KEY}/encrypt", body)
    source = {"AttributeKey": "EventSource", "AttributeValue": "kms-xks-proxy.amazonaws.com"}
    events = client("cloudtrail").lookup_events(LookupAttributes=[source])["Events"]
    found = [json.loads(event["CloudTrailEvent"]) for event in events]
    own = [event for event in found if event["requestID"] == body["requestMetadata"]["kmsRequestId"]]
    equal(len(own), 1)
    event = own[0]
    equal((event["eventName"], event["requestParameters"]["externalKeyId"]), ("Encrypt", KEY))
    equal(event["requestParameters"]["requestMetadata"]["awsPrincipalArn"], ALICE)
    assert event["resources"][0]["ARN"].endswith(f":key/{KEY}"), event
    assert PLAINTEXT not in json.dumps(found)
    assert "AuthenticationFailedException" in [event.get("errorCode") for event in found]


main()
