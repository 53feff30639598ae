"""Keys of every spec: Sign, Verify, GenerateMac, VerifyMac, GetPublicKey, Encrypt and Decrypt with
RSA, GenerateDataKeyPair, DeriveSharedSecret, Encapsulate, Decapsulate; openssl checks what it can."""

import hashlib
import hmac

from harness import client, equal, main, refused
from openssl import Scratch

kms = client("kms")


def new_key(spec, usage):
    return kms.create_key(KeySpec=spec, KeyUsage=usage)["KeyMetadata"]


def test_every_signing_spec_signs_with_all_its_algorithms():
    for spec in (
        "RSA_2048 RSA_3072 ECC_NIST_P256 ECC_NIST_P384 ECC_NIST_P521 ECC_SECG_P256K1 "
        "ECC_NIST_EDWARDS25519 ML_DSA_44 ML_DSA_65 ML_DSA_87"
    ).split():
        key = new_key(spec, "SIGN_VERIFY")
        for algorithm in key["SigningAlgorithms"]:
            call = {"KeyId": key["KeyId"], "SigningAlgorithm": algorithm, "Message": b"m" * 64}
            if algorithm == "ED25519_PH_SHA_512":
                call["MessageType"] = "DIGEST"
            signed = kms.sign(**call)
            equal((signed["KeyId"], signed["SigningAlgorithm"]), (key["Arn"], algorithm))
            verified = kms.verify(**call, Signature=signed["Signature"])
            equal(verified["SignatureValid"], True)
            call["Message"] = b"n" * 64
            refused(
                "KMSInvalidSignatureException", kms.verify, **call, Signature=signed["Signature"]
            )


def test_openssl_verifies_our_signatures():
    pss = "-sigopt rsa_padding_mode:pss -sigopt rsa_pss_saltlen:digest"
    with Scratch() as scratch:
        scratch.write("message", b"message")
        for spec, algorithm, digest, options in (
            ("RSA_2048", "RSASSA_PKCS1_V1_5_SHA_256", "sha256", ""),
            ("RSA_2048", "RSASSA_PSS_SHA_512", "sha512", pss),
            ("ECC_NIST_P256", "ECDSA_SHA_256", "sha256", ""),
            ("ECC_NIST_P521", "ECDSA_SHA_512", "sha512", ""),
        ):
            key_id = new_key(spec, "SIGN_VERIFY")["KeyId"]
            public = kms.get_public_key(KeyId=key_id)
            equal((public["KeySpec"], public["KeyUsage"]), (spec, "SIGN_VERIFY"))
            scratch.write("public", public["PublicKey"])
            signed = kms.sign(KeyId=key_id, SigningAlgorithm=algorithm, Message=b"message")
            scratch.write("signature", signed["Signature"])
            scratch.must(
                f"dgst -{digest} {options} -keyform DER -verify public -signature signature message"
            )


def test_an_external_mu_is_as_good_as_the_message():
    for spec, public_bytes in (("ML_DSA_44", 1312), ("ML_DSA_65", 1952), ("ML_DSA_87", 2592)):
        key_id = new_key(spec, "SIGN_VERIFY")["KeyId"]
        # FIPS 204: mu = SHAKE256(SHAKE256(public key) || 0 || length of the context: 0 || message)
        public = kms.get_public_key(KeyId=key_id)["PublicKey"][-public_bytes:]
        hashed = hashlib.shake_256(public).digest(64)
        mu = hashlib.shake_256(hashed + b"\0\0" + b"message").digest(64)
        raw = {"KeyId": key_id, "SigningAlgorithm": "ML_DSA_SHAKE_256", "Message": b"message"}
        external = {**raw, "Message": mu, "MessageType": "EXTERNAL_MU"}
        for signer, verifier in ((raw, external), (external, raw)):
            signature = kms.sign(**signer)["Signature"]
            equal(kms.verify(**verifier, Signature=signature)["SignatureValid"], True)
        refused("ValidationException", kms.sign, **{**external, "Message": mu[:63]})


def test_macs_are_those_that_python_makes_and_bad_ones_are_refused():
    key_id = new_key("HMAC_256", "GENERATE_VERIFY_MAC")["KeyId"]
    call = {"KeyId": key_id, "MacAlgorithm": "HMAC_SHA_256"}
    mac = kms.generate_mac(Message=b"some important message", **call)["Mac"]
    equal(len(mac), 32)
    checked = kms.verify_mac(Message=b"some important message", Mac=mac, **call)
    equal(checked["MacValid"], True)
    refused(
        "KMSInvalidMacException",
        kms.verify_mac,
        Message=b"some different important message",
        Mac=mac,
        message="",
        **call,
    )
    refused(
        "InvalidKeyUsageException",
        kms.verify_mac,
        KeyId=key_id,
        MacAlgorithm="HMAC_SHA_512",
        Message=b"some important message",
        Mac=mac,
        message="Algorithm HMAC_SHA_512 is incompatible with key spec HMAC_256.",
    )
    # Nobody guesses the key: another one gives another tag.
    assert mac != hmac.new(b"", b"some important message", hashlib.sha256).digest()


def test_rsa_encrypts_up_to_its_limit():
    key = new_key("RSA_2048", "ENCRYPT_DECRYPT")
    for algorithm, longest in (("RSAES_OAEP_SHA_1", 214), ("RSAES_OAEP_SHA_256", 190)):
        call = {"KeyId": key["KeyId"], "EncryptionAlgorithm": algorithm}
        blob = kms.encrypt(Plaintext=b"x" * longest, **call)["CiphertextBlob"]
        equal(kms.decrypt(CiphertextBlob=blob, **call)["Plaintext"], b"x" * longest)
        refused(
            "ValidationException",
            kms.encrypt,
            Plaintext=b"x" * (longest + 1),
            message=f"Algorithm {algorithm} and key spec RSA_2048 cannot encrypt data larger than "
            f"{longest} bytes.",
            **call,
        )
    with Scratch() as scratch:
        scratch.write("public", kms.get_public_key(KeyId=key["KeyId"])["PublicKey"])
        scratch.write("plaintext", b"from openssl")
        scratch.must(
            "pkeyutl -encrypt -pubin -keyform DER -inkey public -in plaintext -out sealed "
            "-pkeyopt rsa_padding_mode:oaep -pkeyopt rsa_oaep_md:sha256"
        )
        opened = kms.decrypt(
            KeyId=key["KeyId"],
            CiphertextBlob=scratch.read("sealed"),
            EncryptionAlgorithm="RSAES_OAEP_SHA_256",
        )
        equal(opened["Plaintext"], b"from openssl")


def test_data_key_pairs_fit_together():
    key = kms.create_key()["KeyMetadata"]
    with Scratch() as scratch:
        for spec in "RSA_2048 ECC_NIST_P256 ECC_SECG_P256K1 ECC_NIST_EDWARDS25519".split():
            made = kms.generate_data_key_pair(KeyId=key["KeyId"], KeyPairSpec=spec)
            equal((made["KeyPairSpec"], made["KeyId"]), (spec, key["Arn"]))
            opened = kms.decrypt(CiphertextBlob=made["PrivateKeyCiphertextBlob"])
            equal(opened["Plaintext"], made["PrivateKeyPlaintext"])
            scratch.write("private", made["PrivateKeyPlaintext"])
            public = scratch.must("pkey -inform DER -in private -pubout -outform DER")
            equal(public, made["PublicKey"])
            quiet = kms.generate_data_key_pair_without_plaintext(
                KeyId=key["KeyId"], KeyPairSpec=spec
            )
            assert "PrivateKeyPlaintext" not in quiet


def test_shared_secrets():
    key_id = new_key("ECC_NIST_P384", "KEY_AGREEMENT")["KeyId"]
    with Scratch() as scratch:
        scratch.must("genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-384 -out mine")
        peer = scratch.must("pkey -in mine -pubout -outform DER")
        scratch.write("theirs", kms.get_public_key(KeyId=key_id)["PublicKey"])
        scratch.must("pkey -pubin -inform DER -in theirs -out theirs.pem")
        derived = kms.derive_shared_secret(
            KeyId=key_id, KeyAgreementAlgorithm="ECDH", PublicKey=peer
        )
        secret = scratch.must("pkeyutl -derive -inkey mine -peerkey theirs.pem")
        equal((derived["SharedSecret"], derived["KeyOrigin"]), (secret, "AWS_KMS"))
    key_id = new_key("ML_KEM_768", "ENCAPSULATE_DECAPSULATE")["KeyId"]
    call = {"KeyId": key_id, "EncapsulationAlgorithm": "ML_KEM"}
    made = kms.encapsulate(**call)
    found = kms.decapsulate(
        SharedSecretCiphertextBlob=made["SharedSecretCiphertextBlob"], **call
    )
    equal(found["SharedSecret"], made["SharedSecret"])


def test_what_does_not_fit_is_refused():
    refused("UnsupportedOperationException", kms.create_key, KeySpec="SM2", KeyUsage="SIGN_VERIFY")
    refused("ValidationException", kms.create_key, KeySpec="RSA_2048")
    refused(
        "ValidationException", kms.create_key, KeySpec="HMAC_256", KeyUsage="ENCRYPT_DECRYPT"
    )
    symmetric = kms.create_key()["KeyMetadata"]["KeyId"]
    refused("UnsupportedOperationException", kms.get_public_key, KeyId=symmetric)
    signing = new_key("ECC_NIST_P256", "SIGN_VERIFY")["KeyId"]
    refused("InvalidKeyUsageException", kms.encrypt, KeyId=signing, Plaintext=b"x")


main()
