"""Encrypt, Decrypt, ReEncrypt, GenerateDataKey, GenerateDataKeyWithoutPlaintext, GenerateRandom."""

from harness import client, client_of, equal, main, new_user, refused

kms = client("kms")


def new_key():
    return kms.create_key()["KeyMetadata"]


def test_what_goes_in_comes_out():
    key = new_key()
    for plaintext in (b"x", bytes(range(256)), b"\0" * 4096):
        sealed = kms.encrypt(KeyId=key["KeyId"], Plaintext=plaintext)
        equal(sealed["KeyId"], key["Arn"])
        equal(sealed["EncryptionAlgorithm"], "SYMMETRIC_DEFAULT")
        # AWS's own blobs are 152 bytes longer; clients that size their columns by that must fit.
        assert len(sealed["CiphertextBlob"]) <= 152 + len(plaintext)
        opened = kms.decrypt(CiphertextBlob=sealed["CiphertextBlob"])
        equal(opened["Plaintext"], plaintext)
        equal(opened["KeyId"], key["Arn"])
        equal(opened["EncryptionAlgorithm"], "SYMMETRIC_DEFAULT")
        equal(opened["KeyMaterialId"], key["CurrentKeyMaterialId"])


def test_the_same_plaintext_never_gives_the_same_blob():
    key_id = new_key()["KeyId"]
    blobs = {kms.encrypt(KeyId=key_id, Plaintext=b"same")["CiphertextBlob"] for _ in range(10)}
    equal(len(blobs), 10)


def test_the_encryption_context_is_part_of_the_seal():
    key_id = new_key()["KeyId"]
    context = {"b": "2", "a": "1", "ü": "ß"}
    blob = kms.encrypt(KeyId=key_id, Plaintext=b"x", EncryptionContext=context)["CiphertextBlob"]
    again = dict(reversed(context.items()))
    equal(kms.decrypt(CiphertextBlob=blob, EncryptionContext=again)["Plaintext"], b"x")
    others = [{}, {"a": "1"}, {**context, "c": "3"}, {**context, "a": "2"}, {**context, "A": "1"}]
    others.append({"b": "21", "a": "", "ü": "ß"})
    for other in others:
        refused(
            "InvalidCiphertextException",
            kms.decrypt,
            CiphertextBlob=blob,
            EncryptionContext=other,
            message="",
        )


def test_what_is_no_blob_is_refused_without_a_word():
    for blob in (b"x", b"\0" * 184, bytes(range(200))):
        refused("InvalidCiphertextException", kms.decrypt, CiphertextBlob=blob, message="")


def test_decrypt_with_the_wrong_key_named():
    right, wrong = new_key()["KeyId"], new_key()["KeyId"]
    blob = kms.encrypt(KeyId=right, Plaintext=b"x")["CiphertextBlob"]
    equal(kms.decrypt(CiphertextBlob=blob, KeyId=right)["Plaintext"], b"x")
    refused(
        "IncorrectKeyException",
        kms.decrypt,
        CiphertextBlob=blob,
        KeyId=wrong,
        message="The key ID in the request does not identify a CMK that can perform this "
        "operation.",
    )


def test_reencrypt_between_keys_and_contexts():
    first, second = new_key(), new_key()
    before = {"stage": "one"}
    after = {"stage": "two"}
    blob = kms.encrypt(KeyId=first["KeyId"], Plaintext=b"x", EncryptionContext=before)
    moved = kms.re_encrypt(
        CiphertextBlob=blob["CiphertextBlob"],
        SourceEncryptionContext=before,
        DestinationKeyId=second["KeyId"],
        DestinationEncryptionContext=after,
    )
    equal((moved["SourceKeyId"], moved["KeyId"]), (first["Arn"], second["Arn"]))
    equal(moved["SourceEncryptionAlgorithm"], "SYMMETRIC_DEFAULT")
    equal(moved["DestinationEncryptionAlgorithm"], "SYMMETRIC_DEFAULT")
    opened = kms.decrypt(CiphertextBlob=moved["CiphertextBlob"], EncryptionContext=after)
    equal((opened["Plaintext"], opened["KeyId"]), (b"x", second["Arn"]))
    refused(
        "IncorrectKeyException",
        kms.re_encrypt,
        CiphertextBlob=blob["CiphertextBlob"],
        SourceEncryptionContext=before,
        SourceKeyId=second["KeyId"],
        DestinationKeyId=second["KeyId"],
        message="The key ID in the request does not identify a CMK that can perform this "
        "operation.",
    )
    refused(
        "InvalidCiphertextException",
        kms.re_encrypt,
        CiphertextBlob=blob["CiphertextBlob"],
        DestinationKeyId=second["KeyId"],
    )


def test_reencrypt_needs_both_permissions():
    first, second = new_key(), new_key()
    blob = kms.encrypt(KeyId=first["KeyId"], Plaintext=b"x")["CiphertextBlob"]
    call = {"CiphertextBlob": blob, "DestinationKeyId": second["KeyId"]}
    from_first = {"Effect": "Allow", "Action": "kms:ReEncryptFrom", "Resource": first["Arn"]}
    to_second = {"Effect": "Allow", "Action": "kms:ReEncryptTo", "Resource": second["Arn"]}
    _, only_from = new_user(from_first)
    _, only_to = new_user(to_second)
    _, both = new_user(from_first, to_second)
    to = "is not authorized to perform: kms:ReEncryptTo"
    refused(
        "AccessDeniedException", client_of(only_from, "kms").re_encrypt, **call, contains=to
    )
    out = "is not authorized to perform: kms:ReEncryptFrom"
    refused("AccessDeniedException", client_of(only_to, "kms").re_encrypt, **call, contains=out)
    client_of(both, "kms").re_encrypt(**call)


def test_data_keys():
    key = new_key()
    for asked, length in (
        ({"KeySpec": "AES_256"}, 32),
        ({"KeySpec": "AES_128"}, 16),
        ({"NumberOfBytes": 1}, 1),
        ({"NumberOfBytes": 1024}, 1024),
    ):
        made = kms.generate_data_key(KeyId=key["KeyId"], **asked)
        equal((len(made["Plaintext"]), made["KeyId"]), (length, key["Arn"]))
        equal(made["KeyMaterialId"], key["CurrentKeyMaterialId"])
        equal(kms.decrypt(CiphertextBlob=made["CiphertextBlob"])["Plaintext"], made["Plaintext"])
        quiet = kms.generate_data_key_without_plaintext(KeyId=key["KeyId"], **asked)
        assert "Plaintext" not in quiet
        equal(len(kms.decrypt(CiphertextBlob=quiet["CiphertextBlob"])["Plaintext"]), length)


def test_data_keys_need_exactly_one_length():
    key_id = new_key()["KeyId"]
    for call in (kms.generate_data_key, kms.generate_data_key_without_plaintext):
        refused("ValidationException", call, KeyId=key_id)
        refused("ValidationException", call, KeyId=key_id, KeySpec="AES_256", NumberOfBytes=32)


def test_random_bytes():
    first = kms.generate_random(NumberOfBytes=32)["Plaintext"]
    second = kms.generate_random(NumberOfBytes=32)["Plaintext"]
    equal((len(first), len(second)), (32, 32))
    assert first != second
    equal(len(kms.generate_random(NumberOfBytes=1024)["Plaintext"]), 1024)
    message = "NumberOfBytes is required."
    refused("ValidationException", kms.generate_random, message=message)


def test_a_dry_run_does_nothing_and_says_what_it_would_have_done():
    key_id = new_key()["KeyId"]
    message = "The request would have succeeded, but the DryRun option is set."
    call = {"KeyId": key_id, "DryRun": True, "message": message}
    refused("DryRunOperationException", kms.encrypt, Plaintext=b"x", **call)
    refused("DryRunOperationException", kms.generate_data_key, KeySpec="AES_256", **call)


def test_a_dry_run_may_leave_the_ciphertext_out():
    key_id = kms.create_key()["KeyMetadata"]["KeyId"]
    call = {"DryRun": True, "DryRunModifiers": ["IGNORE_CIPHERTEXT"]}
    refused("DryRunOperationException", kms.decrypt, KeyId=key_id, **call)
    refused("ValidationException", kms.decrypt, **call)
    move = {"SourceKeyId": key_id, "DestinationKeyId": key_id}
    refused("DryRunOperationException", kms.re_encrypt, **move, **call)


def test_nothing_is_answered_for_an_enclave():
    key_id = kms.create_key()["KeyMetadata"]["KeyId"]
    recipient = {
        "KeyEncryptionAlgorithm": "RSAES_OAEP_SHA_256",
        "AttestationDocument": b"no document",
    }
    for call in (
        lambda: kms.generate_data_key(KeyId=key_id, KeySpec="AES_256", Recipient=recipient),
        lambda: kms.generate_random(NumberOfBytes=32, Recipient=recipient),
    ):
        refused("ValidationException", call, contains="The attestation document is not valid")


main()
