"""openssl as a second opinion on every asymmetric operation, in both directions: each key is made by
openssl and imported, so that both sides hold it and can do what the other did."""

import os

from harness import client, equal, main, refused
from importing import imported
from openssl import Scratch

kms = client("kms")

CURVES = {
    "ECC_NIST_P256": "P-256",
    "ECC_NIST_P384": "P-384",
    "ECC_NIST_P521": "P-521",
    "ECC_SECG_P256K1": "secp256k1",
}
RSA = {"RSA_2048": 2048, "RSA_3072": 3072, "RSA_4096": 4096}
MESSAGE = b"what both sides sign"


def words_for(spec):
    """How openssl makes a key of a spec."""
    if spec in RSA:
        return f"-algorithm RSA -pkeyopt rsa_keygen_bits:{RSA[spec]}"
    if spec in CURVES:
        return f"-algorithm EC -pkeyopt ec_paramgen_curve:{CURVES[spec]}"
    return "-algorithm ED25519"


def shared_key(scratch, spec, usage):
    """A key that openssl has as the files `private` and `public`, and haechi by the id returned."""
    scratch.must(f"genpkey {words_for(spec)} -out private")
    scratch.must("pkey -in private -pubout -out public")
    material = scratch.must("pkcs8 -topk8 -nocrypt -in private -outform DER")
    key_id = imported(kms, material, spec, usage)
    public = scratch.must("pkey -in private -pubout -outform DER")
    equal(kms.get_public_key(KeyId=key_id)["PublicKey"], public)
    return key_id


def digest_and_options(algorithm):
    """What openssl calls a signing algorithm of RSA or ECDSA."""
    digest = "sha" + algorithm.rsplit("_", 1)[1]
    pss = f"-pkeyopt rsa_padding_mode:pss -pkeyopt rsa_pss_saltlen:digest -pkeyopt rsa_mgf1_md:{digest}"
    return digest, pss if "PSS" in algorithm else ""


def both_sign(scratch, key_id, algorithm, how):
    """haechi's signature holds for openssl, and openssl's for haechi; of another message, neither."""
    call = {"KeyId": key_id, "SigningAlgorithm": algorithm}
    scratch.write("message", MESSAGE)
    scratch.write("other", MESSAGE[::-1])
    scratch.write("signature", kms.sign(**call, Message=MESSAGE)["Signature"])
    verify = f"pkeyutl -verify -rawin {how} -pubin -inkey public -sigfile signature -in"
    scratch.must(f"{verify} message")
    assert not scratch.can(f"{verify} other"), algorithm

    theirs = scratch.must(f"pkeyutl -sign -rawin {how} -inkey private -in message")
    equal(kms.verify(**call, Message=MESSAGE, Signature=theirs)["SignatureValid"], True)
    other = {**call, "Message": MESSAGE[::-1], "Signature": theirs}
    refused("KMSInvalidSignatureException", kms.verify, **other)


def test_rsa_and_ecdsa_signatures_of_all_specs_and_algorithms():
    for spec in (*RSA, *CURVES):
        with Scratch() as scratch:
            key_id = shared_key(scratch, spec, "SIGN_VERIFY")
            algorithms = kms.get_public_key(KeyId=key_id)["SigningAlgorithms"]
            assert algorithms
            for algorithm in algorithms:
                digest, options = digest_and_options(algorithm)
                both_sign(scratch, key_id, algorithm, f"-digest {digest} {options}")


def test_signatures_of_a_digest():
    for spec, algorithm in (
        ("RSA_2048", "RSASSA_PSS_SHA_256"),
        ("RSA_2048", "RSASSA_PKCS1_V1_5_SHA_384"),
        ("ECC_NIST_P521", "ECDSA_SHA_512"),
        ("ECC_SECG_P256K1", "ECDSA_SHA_256"),
    ):
        with Scratch() as scratch:
            key_id = shared_key(scratch, spec, "SIGN_VERIFY")
            digest, options = digest_and_options(algorithm)
            scratch.write("message", MESSAGE)
            hashed = scratch.must(f"dgst -{digest} -binary message")
            call = {"KeyId": key_id, "SigningAlgorithm": algorithm, "MessageType": "DIGEST"}
            scratch.write("signature", kms.sign(**call, Message=hashed)["Signature"])
            scratch.write("digest", hashed)
            how = f"{options} -pkeyopt digest:{digest}"
            scratch.must(f"pkeyutl -verify {how} -pubin -inkey public -sigfile signature -in digest")
            theirs = scratch.must(f"pkeyutl -sign {how} -inkey private -in digest")
            equal(kms.verify(**call, Message=hashed, Signature=theirs)["SignatureValid"], True)


def test_ed25519():
    with Scratch() as scratch:
        key_id = shared_key(scratch, "ECC_NIST_EDWARDS25519", "SIGN_VERIFY")
        both_sign(scratch, key_id, "ED25519_SHA_512", "")
        # Deterministic: both make the same bytes.
        signed = kms.sign(KeyId=key_id, SigningAlgorithm="ED25519_SHA_512", Message=MESSAGE)
        theirs = scratch.must("pkeyutl -sign -rawin -inkey private -in message")
        equal(signed["Signature"], theirs)


def test_rsa_encryption():
    for spec in RSA:
        with Scratch() as scratch:
            key_id = shared_key(scratch, spec, "ENCRYPT_DECRYPT")
            for algorithm, digest in (("RSAES_OAEP_SHA_1", "sha1"), ("RSAES_OAEP_SHA_256", "sha256")):
                call = {"KeyId": key_id, "EncryptionAlgorithm": algorithm}
                oaep = f"-pkeyopt rsa_padding_mode:oaep -pkeyopt rsa_oaep_md:{digest}"
                scratch.write("sealed", kms.encrypt(**call, Plaintext=MESSAGE)["CiphertextBlob"])
                opened = scratch.must(f"pkeyutl -decrypt {oaep} -inkey private -in sealed")
                equal(opened, MESSAGE)
                scratch.write("message", MESSAGE)
                sealed = scratch.must(f"pkeyutl -encrypt {oaep} -pubin -inkey public -in message")
                equal(kms.decrypt(**call, CiphertextBlob=sealed)["Plaintext"], MESSAGE)


def test_key_agreement():
    for spec in ("ECC_NIST_P256", "ECC_NIST_P384", "ECC_NIST_P521"):
        with Scratch() as scratch:
            key_id = shared_key(scratch, spec, "KEY_AGREEMENT")
            scratch.must(f"genpkey {words_for(spec)} -out peer")
            scratch.must("pkey -in peer -pubout -out peer-public")
            derived = kms.derive_shared_secret(
                KeyId=key_id,
                KeyAgreementAlgorithm="ECDH",
                PublicKey=scratch.must("pkey -in peer -pubout -outform DER"),
            )["SharedSecret"]
            equal(derived, scratch.must("pkeyutl -derive -inkey private -peerkey peer-public"))
            equal(derived, scratch.must("pkeyutl -derive -inkey peer -peerkey public"))


def test_macs():
    for bits in (224, 256, 384, 512):
        with Scratch() as scratch:
            material = os.urandom(bits // 8)
            key_id = imported(kms, material, f"HMAC_{bits}", "GENERATE_VERIFY_MAC")
            call = {"KeyId": key_id, "MacAlgorithm": f"HMAC_SHA_{bits}", "Message": MESSAGE}
            scratch.write("message", MESSAGE)
            hexkey = f"-macopt hexkey:{material.hex()}"
            theirs = scratch.must(f"mac -digest SHA{bits} {hexkey} -in message -binary HMAC")
            equal(kms.generate_mac(**call)["Mac"], theirs)
            equal(kms.verify_mac(**call, Mac=theirs)["MacValid"], True)
            refused("KMSInvalidMacException", kms.verify_mac, **call, Mac=theirs[::-1])


main()
