"""ML-DSA and ML-KEM against the openssl inside of Python's `cryptography`, which is newer than that of
most machines: each key is made there and imported, so that both sides hold it."""

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.backends.openssl import backend
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import mldsa, mlkem
from harness import client, equal, main, refused
from importing import imported

kms = client("kms")

SIGNING = {
    "ML_DSA_44": mldsa.MLDSA44PrivateKey,
    "ML_DSA_65": mldsa.MLDSA65PrivateKey,
    "ML_DSA_87": mldsa.MLDSA87PrivateKey,
}
# The package has no ML-KEM-512.
ENCAPSULATING = {"ML_KEM_768": mlkem.MLKEM768PrivateKey, "ML_KEM_1024": mlkem.MLKEM1024PrivateKey}
MESSAGE = b"what both sides sign"


def shared_key(private, spec, usage):
    """The id of the key in haechi."""
    material = private.private_bytes(
        serialization.Encoding.DER,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    public = private.public_key().public_bytes(
        serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    key_id = imported(kms, material, spec, usage)
    equal(kms.get_public_key(KeyId=key_id)["PublicKey"], public)
    return key_id


def test_ml_dsa_signatures_of_messages_and_of_an_external_mu():
    for spec, kind in SIGNING.items():
        private = kind.generate()
        public = private.public_key()
        call = {
            "KeyId": shared_key(private, spec, "SIGN_VERIFY"),
            "SigningAlgorithm": "ML_DSA_SHAKE_256",
        }
        hasher = mldsa.MLDSAMuHasher(public)
        hasher.update(MESSAGE)
        mu = {"Message": hasher.finalize(), "MessageType": "EXTERNAL_MU"}
        for message in ({"Message": MESSAGE}, mu):
            public.verify(kms.sign(**call, **message)["Signature"], MESSAGE)
            theirs = private.sign(MESSAGE)
            equal(kms.verify(**call, **message, Signature=theirs)["SignatureValid"], True)
        other = {**call, "Message": MESSAGE[::-1], "Signature": theirs}
        refused("KMSInvalidSignatureException", kms.verify, **other)
        try:
            public.verify(kms.sign(**call, Message=MESSAGE[::-1])["Signature"], MESSAGE)
        except InvalidSignature:
            continue
        raise AssertionError("the signature of another message holds")


def test_ml_kem_secrets():
    for spec, kind in ENCAPSULATING.items():
        private = kind.generate()
        call = {
            "KeyId": shared_key(private, spec, "ENCAPSULATE_DECAPSULATE"),
            "EncapsulationAlgorithm": "ML_KEM",
        }
        ours = kms.encapsulate(**call)
        equal(private.decapsulate(ours["SharedSecretCiphertextBlob"]), ours["SharedSecret"])
        secret, sealed = private.public_key().encapsulate()
        found = kms.decapsulate(**call, SharedSecretCiphertextBlob=sealed)
        equal(found["SharedSecret"], secret)


print(f"       {backend.openssl_version_text()}")
main()
