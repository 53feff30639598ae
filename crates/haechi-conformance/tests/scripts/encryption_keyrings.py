"""What builds on KMS in Python: the Encryption SDK's keyrings of RSA keys and of key agreement, and the
S3 Encryption Client."""

import http.server
import logging
import threading

import aws_encryption_sdk
import boto3
from aws_cryptographic_material_providers.mpl import AwsCryptographicMaterialProviders
from aws_cryptographic_material_providers.mpl.config import MaterialProvidersConfig
from aws_cryptographic_material_providers.mpl.models import (
    CreateAwsKmsEcdhKeyringInput,
    CreateAwsKmsRsaKeyringInput,
    KmsEcdhStaticConfigurationsKmsPrivateKeyToStaticPublicKey,
    KmsPrivateKeyToStaticPublicKeyInput,
)
from aws_encryption_sdk.exceptions import AWSEncryptionSDKClientError
from aws_encryption_sdk.identifiers import AlgorithmSuite
from cryptography.hazmat.primitives import serialization
from harness import client, equal, main
from s3_encryption import S3EncryptionClient, S3EncryptionClientConfig
from s3_encryption.materials.kms_keyring import KmsKeyring

kms = client("kms")
providers = AwsCryptographicMaterialProviders(config=MaterialProvidersConfig())
sdk = aws_encryption_sdk.EncryptionSDKClient()


def context():
    """The encryption context; a new one each time, because the clients add to what they are given."""
    return {"purpose": "conformance"}


def opened(message, keyring):
    """The plaintext of a message."""
    plaintext, _ = sdk.decrypt(source=message, keyring=keyring, encryption_context=context())
    return plaintext


def is_closed(message, keyring):
    """Whether the SDK refuses to open the message."""
    # The client logs the whole way of its error.
    logging.disable(logging.CRITICAL)
    try:
        opened(message, keyring)
    except AWSEncryptionSDKClientError:
        return True
    finally:
        logging.disable(logging.NOTSET)
    return False


def test_an_rsa_key_wraps_offline_and_unwraps_in_kms():
    key = kms.create_key(KeySpec="RSA_2048", KeyUsage="ENCRYPT_DECRYPT")["KeyMetadata"]["Arn"]
    keyring = providers.create_aws_kms_rsa_keyring(
        CreateAwsKmsRsaKeyringInput(
            kms_key_id=key,
            encryption_algorithm="RSAES_OAEP_SHA_256",
            public_key=public_pem(key),
            kms_client=kms,
        )
    )
    message, _ = sdk.encrypt(
        source=b"hello",
        keyring=keyring,
        encryption_context=context(),
        # One without a signature: the keyring takes no other.
        algorithm=AlgorithmSuite.AES_256_GCM_HKDF_SHA512_COMMIT_KEY,
    )
    equal(opened(message, keyring), b"hello")
    kms.disable_key(KeyId=key)
    assert is_closed(message, keyring)


def test_key_agreement_makes_the_wrapping_key_on_both_sides():
    def new_key():
        created = kms.create_key(KeySpec="ECC_NIST_P384", KeyUsage="KEY_AGREEMENT")
        return created["KeyMetadata"]["Arn"]

    def keyring(own, peer):
        pair = KmsPrivateKeyToStaticPublicKeyInput(
            sender_kms_identifier=own,
            sender_public_key=kms.get_public_key(KeyId=own)["PublicKey"],
            recipient_public_key=kms.get_public_key(KeyId=peer)["PublicKey"],
        )
        return providers.create_aws_kms_ecdh_keyring(
            CreateAwsKmsEcdhKeyringInput(
                key_agreement_scheme=KmsEcdhStaticConfigurationsKmsPrivateKeyToStaticPublicKey(pair),
                curve_spec="ECC_NIST_P384",
                kms_client=kms,
            )
        )

    sender, recipient = new_key(), new_key()
    message, _ = sdk.encrypt(
        source=b"hello", keyring=keyring(sender, recipient), encryption_context=context()
    )
    receiving = keyring(recipient, sender)
    equal(opened(message, receiving), b"hello")
    kms.disable_key(KeyId=recipient)
    assert is_closed(message, receiving)


def public_pem(key_id):
    """A public key as the RSA keyring wants it."""
    public = serialization.load_der_public_key(kms.get_public_key(KeyId=key_id)["PublicKey"])
    return public.public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )


class Shelf(http.server.BaseHTTPRequestHandler):
    """Keeps objects and their metadata: all of S3 that the encryption client needs here."""

    # Of 1.0 the client would wait for a "100 Continue" that does not come.
    protocol_version = "HTTP/1.1"
    objects = {}

    def do_PUT(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        kept = [(name, value) for name, value in self.headers.items() if "x-amz-meta" in name]
        self.objects[self.path] = (body, kept)
        self.answer(b"", [])

    def do_GET(self):
        self.answer(*self.objects[self.path])

    def answer(self, body, headers):
        self.send_response(200)
        ending = [("Content-Length", str(len(body))), ("Connection", "close")]
        for name, value in [*headers, *ending]:
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


def test_s3_objects_are_sealed_under_data_keys_of_kms():
    shelf = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Shelf)
    threading.Thread(target=shelf.serve_forever, daemon=True).start()

    def encrypting(key):
        # Each has an S3 client of its own, because it changes what that client does.
        s3 = boto3.client("s3", endpoint_url=f"http://127.0.0.1:{shelf.server_port}")
        return S3EncryptionClient(s3, S3EncryptionClientConfig(keyring=KmsKeyring(kms, key)))

    key = kms.create_key()["KeyMetadata"]["Arn"]
    secret = b"what nobody but us may read" * 1000
    name = {"Bucket": "bucket", "Key": "object"}
    encrypting(key).put_object(**name, Body=secret, EncryptionContext=context())
    (stored, metadata) = Shelf.objects["/bucket/object"]
    assert secret[:16] not in stored and metadata, metadata
    got = encrypting(key).get_object(**name, EncryptionContext=context())
    equal(got["Body"].read(), secret)
    kms.disable_key(KeyId=key)
    try:
        encrypting(key).get_object(**name, EncryptionContext=context())["Body"].read()
    except Exception as error:
        assert "disabled" in str(error) or "disabled" in str(error.__cause__), repr(error)
    else:
        raise AssertionError("a disabled key opened an object")


main()
