"""The AWS Encryption SDK for Python as a command: messages for others to open, and others' messages.

    message.py seal KEY FILE              prints nothing; writes the message
    message.py open KEY FILE              prints the plaintext; KEY may be a replica
    message.py discover REGION FILE       the same with whatever key the message names, in REGION

The plaintext of `seal` comes from standard input. The keyrings are those for multi-Region keys.
"""

import pathlib
import sys

import aws_encryption_sdk
import boto3
from aws_cryptographic_material_providers.mpl import AwsCryptographicMaterialProviders
from aws_cryptographic_material_providers.mpl.config import MaterialProvidersConfig
from aws_cryptographic_material_providers.mpl.models import (
    CreateAwsKmsMrkDiscoveryKeyringInput,
    CreateAwsKmsMrkKeyringInput,
)

# Both sides must name the same one.
CONTEXT = {"purpose": "conformance", "ключ": "значение"}

providers = AwsCryptographicMaterialProviders(config=MaterialProvidersConfig())
sdk = aws_encryption_sdk.EncryptionSDKClient()


def strict(key):
    """The keyring of one key, in the key's own Region."""
    region = key.split(":")[3]
    return providers.create_aws_kms_mrk_keyring(
        CreateAwsKmsMrkKeyringInput(
            kms_key_id=key, kms_client=boto3.client("kms", region_name=region)
        )
    )


def discovery(region):
    """The keyring of every key that a message may name, used in `region`."""
    return providers.create_aws_kms_mrk_discovery_keyring(
        CreateAwsKmsMrkDiscoveryKeyringInput(
            kms_client=boto3.client("kms", region_name=region), region=region
        )
    )


verb, name, file = sys.argv[1:]
path = pathlib.Path(file)
if verb == "seal":
    message, _ = sdk.encrypt(
        source=sys.stdin.buffer.read(), keyring=strict(name), encryption_context=CONTEXT
    )
    path.write_bytes(message)
else:
    keyring = {"open": strict, "discover": discovery}[verb](name)
    plaintext, _ = sdk.decrypt(
        source=path.read_bytes(), keyring=keyring, encryption_context=CONTEXT
    )
    sys.stdout.buffer.write(plaintext)
