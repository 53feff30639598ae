"""GetParametersForImport, ImportKeyMaterial, DeleteImportedKeyMaterial, with material that openssl
makes and wraps."""

import datetime
import os

import importing
from harness import client, equal, main, refused
from openssl import Scratch

kms = client("kms")


def wrapped(*words):
    return importing.wrapped(kms, *words)


def external(**parameters):
    return kms.create_key(Origin="EXTERNAL", **parameters)["KeyMetadata"]


def test_the_life_of_imported_material():
    key = external()
    key_id, message = key["KeyId"], f"{key['Arn']} is pending import."
    equal((key["KeyState"], key["Enabled"]), ("PendingImport", False))
    refused(
        "KMSInvalidStateException", kms.encrypt, KeyId=key_id, Plaintext=b"x", message=message
    )
    material = os.urandom(32)
    for algorithm in (
        "RSAES_OAEP_SHA_1",
        "RSAES_OAEP_SHA_256",
        "RSA_AES_KEY_WRAP_SHA_1",
        "RSA_AES_KEY_WRAP_SHA_256",
    ):
        kms.import_key_material(**wrapped(key_id, material, algorithm))
    blob = kms.encrypt(KeyId=key_id, Plaintext=b"x")["CiphertextBlob"]
    described = kms.describe_key(KeyId=key_id)["KeyMetadata"]
    equal(
        (described["KeyState"], described["ExpirationModel"]),
        ("Enabled", "KEY_MATERIAL_DOES_NOT_EXPIRE"),
    )
    kms.delete_imported_key_material(KeyId=key_id)
    refused("KMSInvalidStateException", kms.decrypt, CiphertextBlob=blob, message=message)
    refused(
        "IncorrectKeyMaterialException",
        kms.import_key_material,
        **wrapped(key_id, os.urandom(32)),
    )
    kms.import_key_material(**wrapped(key_id, material))
    equal(kms.decrypt(CiphertextBlob=blob)["Plaintext"], b"x")


def test_private_keys_are_imported_and_openssl_verifies_with_their_public_half():
    with Scratch() as scratch:
        for spec, words in (
            ("RSA_2048", "-algorithm RSA -pkeyopt rsa_keygen_bits:2048"),
            ("ECC_NIST_P256", "-algorithm EC -pkeyopt ec_paramgen_curve:P-256"),
        ):
            scratch.must(f"genpkey {words} -out private")
            material = scratch.must("pkcs8 -topk8 -nocrypt -in private -outform DER")
            public = scratch.must("pkey -in private -pubout -outform DER")
            key_id = external(KeySpec=spec, KeyUsage="SIGN_VERIFY")["KeyId"]
            kms.import_key_material(**wrapped(key_id, material, "RSA_AES_KEY_WRAP_SHA_256"))
            equal(kms.get_public_key(KeyId=key_id)["PublicKey"], public)


def test_new_material_is_made_current_by_a_rotation():
    key_id = external()["KeyId"]
    first = kms.import_key_material(**wrapped(key_id, os.urandom(32)))["KeyMaterialId"]
    call = wrapped(key_id, os.urandom(32))
    second = kms.import_key_material(**call, ImportType="NEW_KEY_MATERIAL")["KeyMaterialId"]
    assert first != second
    listed = kms.list_key_rotations(KeyId=key_id, IncludeKeyMaterial="ALL_KEY_MATERIAL")
    states = [one["KeyMaterialState"] for one in listed["Rotations"]]
    equal(states, ["CURRENT", "PENDING_ROTATION"])
    kms.rotate_key_on_demand(KeyId=key_id)
    equal(kms.describe_key(KeyId=key_id)["KeyMetadata"]["CurrentKeyMaterialId"], second)


def test_tokens_and_dates():
    key_id = external()["KeyId"]
    call = wrapped(key_id, os.urandom(32))
    kms.import_key_material(**call)
    refused("InvalidImportTokenException", kms.import_key_material, **call)
    call = wrapped(key_id, os.urandom(32))
    call["ExpirationModel"] = "KEY_MATERIAL_EXPIRES"
    refused(
        "ValidationException",
        kms.import_key_material,
        message="A validTo date must be set if the ExpirationModel is KEY_MATERIAL_EXPIRES",
        **call,
    )
    past = datetime.datetime.now(datetime.timezone.utc) - datetime.timedelta(hours=1)
    refused("ValidationException", kms.import_key_material, ValidTo=past, **call)


def test_what_is_not_imported():
    key = kms.create_key()["KeyMetadata"]
    call = {"WrappingAlgorithm": "RSAES_OAEP_SHA_256", "WrappingKeySpec": "RSA_2048"}
    refused(
        "UnsupportedOperationException",
        kms.get_parameters_for_import,
        KeyId=key["KeyId"],
        message=f"{key['Arn']} origin is AWS_KMS which is not valid for this operation.",
        **call,
    )
    key_id = external()["KeyId"]
    call = {"WrappingAlgorithm": "SM2PKE", "WrappingKeySpec": "SM2"}
    refused("UnsupportedOperationException", kms.get_parameters_for_import, KeyId=key_id, **call)


main()
