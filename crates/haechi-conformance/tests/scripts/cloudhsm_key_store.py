"""KMS keys in a PKCS#11 token (SoftHSM2) that stands for a CloudHSM cluster."""

import os

from harness import client, equal, main, refused

KMS = client("kms")
CLUSTER = "cluster-2a23b4cdefg"
PIN = os.environ["HSM_PIN"]
with open(os.environ["HSM_TRUST_ANCHOR"]) as file:
    ANCHOR = file.read()
WRONG_ANCHOR = "-----BEGIN CERTIFICATE-----\nMAMCAQE=\n-----END CERTIFICATE-----\n"


def wanted(name="hsm", **changes):
    return {
        "CustomKeyStoreName": name,
        "CloudHsmClusterId": CLUSTER,
        "KeyStorePassword": PIN,
        "TrustAnchorCertificate": ANCHOR,
    } | changes


def connection(store):
    found = KMS.describe_custom_key_stores(CustomKeyStoreId=store)["CustomKeyStores"][0]
    return found["ConnectionState"], found.get("ConnectionErrorCode")


def test_clusters_that_are_not_there_and_wrong_certificates_make_no_store():
    create = KMS.create_custom_key_store
    refused("CloudHsmClusterNotFoundException", create, **wanted(CloudHsmClusterId="cluster-22222222222"))
    refused("CloudHsmClusterNotActiveException", create, **wanted(CloudHsmClusterId="cluster-33333333333"))
    refused("IncorrectTrustAnchorException", create, **wanted(TrustAnchorCertificate=WRONG_ANCHOR))
    refused("ValidationException", create, CustomKeyStoreName="hsm", CloudHsmClusterId=CLUSTER)


def test_a_key_in_a_token():
    store = KMS.create_custom_key_store(**wanted(KeyStorePassword="wrong-pin"))["CustomKeyStoreId"]
    refused("CloudHsmClusterInUseException", KMS.create_custom_key_store, **wanted("second"))
    KMS.connect_custom_key_store(CustomKeyStoreId=store)
    equal(connection(store), ("FAILED", "INVALID_CREDENTIALS"))
    refused("CustomKeyStoreInvalidStateException", KMS.connect_custom_key_store, CustomKeyStoreId=store)
    refused("CustomKeyStoreInvalidStateException", KMS.update_custom_key_store, CustomKeyStoreId=store, KeyStorePassword=PIN)
    KMS.disconnect_custom_key_store(CustomKeyStoreId=store)
    KMS.update_custom_key_store(CustomKeyStoreId=store, KeyStorePassword=PIN)
    KMS.connect_custom_key_store(CustomKeyStoreId=store)
    equal(connection(store), ("CONNECTED", None))

    made = KMS.create_key(Origin="AWS_CLOUDHSM", CustomKeyStoreId=store)["KeyMetadata"]
    equal((made["Origin"], made["CloudHsmClusterId"], made["KeyState"]), ("AWS_CLOUDHSM", CLUSTER, "Enabled"))
    key = made["KeyId"]
    context = {"a": "b"}
    blob = KMS.encrypt(KeyId=key, Plaintext=b"secret", EncryptionContext=context)["CiphertextBlob"]
    equal(KMS.decrypt(CiphertextBlob=blob, EncryptionContext=context)["Plaintext"], b"secret")
    refused("InvalidCiphertextException", KMS.decrypt, CiphertextBlob=blob)
    data_key = KMS.generate_data_key(KeyId=key, KeySpec="AES_256")
    equal(KMS.decrypt(CiphertextBlob=data_key["CiphertextBlob"])["Plaintext"], data_key["Plaintext"])
    drawn = {KMS.generate_random(NumberOfBytes=32, CustomKeyStoreId=store)["Plaintext"] for _ in range(3)}
    equal({len(bytes) for bytes in drawn}, {32})
    equal(len(drawn), 3)
    refused("UnsupportedOperationException", KMS.enable_key_rotation, KeyId=key)
    refused("UnsupportedOperationException", KMS.create_key, Origin="AWS_CLOUDHSM", CustomKeyStoreId=store, MultiRegion=True)

    KMS.disconnect_custom_key_store(CustomKeyStoreId=store)
    equal(KMS.describe_key(KeyId=key)["KeyMetadata"]["KeyState"], "Unavailable")
    refused("KMSInvalidStateException", KMS.encrypt, KeyId=key, Plaintext=b"x", contains="is unavailable.")
    refused("CustomKeyStoreInvalidStateException", KMS.generate_random, NumberOfBytes=1, CustomKeyStoreId=store)
    KMS.connect_custom_key_store(CustomKeyStoreId=store)
    equal(KMS.decrypt(CiphertextBlob=blob, EncryptionContext=context)["Plaintext"], b"secret")
    with open(os.environ["HSM_LEFT"], "wb") as file:
        file.write(key.encode() + b"\n" + KMS.encrypt(KeyId=key, Plaintext=b"left")["CiphertextBlob"])


def test_no_password_is_in_the_events():
    told = str(client("cloudtrail").lookup_events(MaxResults=50)["Events"])
    assert "CreateCustomKeyStore" in told and PIN not in told and "wrong-pin" not in told


main()
