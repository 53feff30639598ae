"""The constraints of AWS's model, with AWS's own messages, before anything else is decided."""

import boto3
from botocore.config import Config

from harness import client, main, refused

# boto3 checks some constraints itself; without that the server's own checks are seen.
kms = boto3.client(
    "kms", config=Config(parameter_validation=False, retries={"total_max_attempts": 1})
)
ONE = "1 validation error detected: "


def test_numbers_out_of_range():
    refused(
        "ValidationException",
        kms.generate_random,
        NumberOfBytes=0,
        message=ONE + "Value '0' at 'numberOfBytes' failed to satisfy constraint: Member must "
        "have value greater than or equal to 1",
        status=400,
    )
    refused(
        "ValidationException",
        kms.generate_random,
        NumberOfBytes=1025,
        message=ONE + "Value '1025' at 'numberOfBytes' failed to satisfy constraint: Member must "
        "have value less than or equal to 1024",
    )


def test_what_is_required():
    refused(
        "ValidationException",
        kms.describe_key,
        message=ONE + "Value null at 'keyId' failed to satisfy constraint: Member must not be null",
    )


def test_what_is_too_short_or_too_long():
    refused(
        "ValidationException",
        kms.describe_key,
        KeyId="",
        message=ONE + "Value '' at 'keyId' failed to satisfy constraint: Member must have length "
        "greater than or equal to 1",
    )
    refused(
        "ValidationException",
        kms.describe_key,
        KeyId="k" * 2049,
        contains="at 'keyId' failed to satisfy constraint: Member must have length less than or "
        "equal to 2048",
    )


def test_what_is_not_in_the_list():
    refused(
        "ValidationException",
        kms.create_key,
        KeyUsage="EVERYTHING",
        contains=ONE + "Value 'EVERYTHING' at 'keyUsage' failed to satisfy constraint: Member must "
        "satisfy enum value set: [",
    )


def test_several_errors_come_together():
    refused(
        "ValidationException",
        kms.create_alias,
        contains="2 validation errors detected: ",
    )


def test_blobs_and_plaintexts_have_their_limits():
    key_id = client("kms").create_key()["KeyMetadata"]["KeyId"]
    constraint = "failed to satisfy constraint: Member must have length less than or equal to "
    refused(
        "ValidationException",
        kms.encrypt,
        KeyId=key_id,
        Plaintext=b"x" * 4097,
        contains=constraint + "4096",
    )
    refused(
        "ValidationException",
        kms.decrypt,
        CiphertextBlob=b"x" * 6145,
        contains=constraint + "6144",
    )
    refused(
        "ValidationException",
        kms.encrypt,
        KeyId=key_id,
        Plaintext=b"",
        contains="Member must have length greater than or equal to 1",
    )


def test_a_secret_is_never_repeated_in_a_message():
    secret = b"do not repeat this " * 300
    error = refused("ValidationException", kms.encrypt, KeyId="x", Plaintext=secret)
    assert "repeat" not in error["Error"]["Message"], error


main()
