"""Brings key material that openssl made into haechi, wrapped by openssl."""

import os

from openssl import Scratch


def wrapped(kms, key_id, material, algorithm="RSAES_OAEP_SHA_256", spec="RSA_2048"):
    """What ImportKeyMaterial needs for this material."""
    made = kms.get_parameters_for_import(
        KeyId=key_id, WrappingAlgorithm=algorithm, WrappingKeySpec=spec
    )
    digest = "sha1" if algorithm.endswith("SHA_1") else "sha256"
    with Scratch() as scratch:
        scratch.write("public", made["PublicKey"])
        oaep = (
            "pkeyutl -encrypt -pubin -keyform DER -inkey public "
            f"-pkeyopt rsa_padding_mode:oaep -pkeyopt rsa_oaep_md:{digest}"
        )
        scratch.write("material", material)
        if algorithm.startswith("RSAES"):
            sealed = scratch.must(f"{oaep} -in material")
        else:
            aes = os.urandom(32)
            scratch.write("aes", aes)
            inner = scratch.must(
                f"enc -id-aes256-wrap-pad -K {aes.hex()} -iv A65959A6 -in material"
            )
            sealed = scratch.must(f"{oaep} -in aes") + inner
    return {
        "KeyId": key_id,
        "ImportToken": made["ImportToken"],
        "EncryptedKeyMaterial": sealed,
        "ExpirationModel": "KEY_MATERIAL_DOES_NOT_EXPIRE",
    }


def imported(kms, material, spec, usage):
    """The id of a new key of this spec whose material is `material`: a private key as PKCS #8 in DER,
    or the bytes of a symmetric one."""
    made = kms.create_key(Origin="EXTERNAL", KeySpec=spec, KeyUsage=usage)
    key_id = made["KeyMetadata"]["KeyId"]
    kms.import_key_material(**wrapped(kms, key_id, material, "RSA_AES_KEY_WRAP_SHA_256"))
    return key_id
