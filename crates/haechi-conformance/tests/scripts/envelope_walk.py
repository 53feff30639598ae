"""The main job with boto3: a data key encrypts a file locally; only its encrypted form is kept."""

import os
import subprocess
import tempfile

from harness import ACCOUNT, client, client_of, equal, main, new_user, refused

kms = client("kms")


def aes(direction, key, source, target):
    command = ["openssl", "enc", "-aes-256-ctr", direction, "-K", key.hex(), "-iv", "00" * 16]
    subprocess.run([*command, "-in", source, "-out", target], check=True)


def test_a_file_goes_out_and_comes_back():
    key_id = kms.create_key()["KeyMetadata"]["KeyId"]
    kms.create_alias(AliasName="alias/walk", TargetKeyId=key_id)
    context = {"file": "walk"}
    data_key = kms.generate_data_key(
        KeyId="alias/walk", KeySpec="AES_256", EncryptionContext=context
    )
    with tempfile.TemporaryDirectory() as folder:
        plain, sealed, opened = (os.path.join(folder, name) for name in ("a", "b", "c"))
        with open(plain, "wb") as file:
            file.write(os.urandom(8 * 1024 * 1024))
        aes("-e", data_key["Plaintext"], plain, sealed)
        kept = data_key["CiphertextBlob"]
        again = kms.decrypt(CiphertextBlob=kept, EncryptionContext=context)
        equal(again["KeyId"], data_key["KeyId"])
        aes("-d", again["Plaintext"], sealed, opened)
        with open(plain, "rb") as before, open(opened, "rb") as after:
            assert before.read() == after.read()
    wrong = {"file": "another"}
    refused("InvalidCiphertextException", kms.decrypt, CiphertextBlob=kept, EncryptionContext=wrong)
    refused("InvalidCiphertextException", kms.decrypt, CiphertextBlob=kept)
    for position in range(len(kept)):
        changed = bytearray(kept)
        changed[position] ^= 0x40
        refused(
            "InvalidCiphertextException",
            kms.decrypt,
            CiphertextBlob=bytes(changed),
            EncryptionContext=context,
        )
    kms.disable_key(KeyId=key_id)
    refused(
        "DisabledException",
        kms.decrypt,
        CiphertextBlob=kept,
        EncryptionContext=context,
        message=f"{data_key['KeyId']} is disabled.",
    )


def test_a_caller_without_permission_is_told_so_in_the_words_of_aws():
    key = kms.create_key()["KeyMetadata"]
    name, access_key = new_user()
    refused(
        "AccessDeniedException",
        client_of(access_key, "kms").generate_data_key,
        KeyId=key["KeyId"],
        KeySpec="AES_256",
        message=f"User: arn:aws:iam::{ACCOUNT}:user/{name} is not authorized to perform: "
        f"kms:GenerateDataKey on resource: {key['Arn']} because no identity-based policy "
        "allows the kms:GenerateDataKey action",
        status=400,
    )


main()
