"""KMS keys whose external key lies in another haechi: made, used and broken, from both sides. The
server under test is the KMS; XKS_OWNER_… leads to the one that has the external keys."""

import json
import os

import boto3
from harness import ONCE, client, equal, main, refused

HERE = client("kms")
OWNER = boto3.client(
    "kms",
    endpoint_url=os.environ["XKS_OWNER_ENDPOINT"],
    verify=os.environ["XKS_OWNER_CA"],
    aws_access_key_id=os.environ["XKS_OWNER_ACCESS_KEY_ID"],
    aws_secret_access_key=os.environ["XKS_OWNER_SECRET_ACCESS_KEY"],
    config=ONCE,
)
KEY = os.environ["XKS_KEY"]
SECOND_KEY = os.environ["XKS_SECOND_KEY"]

with open(os.environ["XKS_CREDENTIAL"]) as file:
    CONFIGURATION = json.load(file)
CREDENTIAL = CONFIGURATION["XksProxyAuthenticationCredential"]
WRONG = CREDENTIAL | {"RawSecretAccessKey": "x" * 43}
CONTEXT = {"project": "nile"}


def wanted(name, **changes):
    return {
        "CustomKeyStoreName": name,
        "CustomKeyStoreType": "EXTERNAL_KEY_STORE",
        "XksProxyConnectivity": "PUBLIC_ENDPOINT",
        "XksProxyUriEndpoint": "https://localhost",
        "XksProxyUriPath": CONFIGURATION["XksProxyUriPath"],
        "XksProxyAuthenticationCredential": CREDENTIAL,
    } | changes


def connection(store):
    found = HERE.describe_custom_key_stores(CustomKeyStoreId=store)["CustomKeyStores"][0]
    return found["ConnectionState"], found.get("ConnectionErrorCode")


def test_a_proxy_that_does_not_serve_makes_no_store():
    unreachable = "XksProxyUriUnreachableException"
    for endpoint, contains in (
        ("https://down.example.com", "AWS KMS cannot communicate with the external key store proxy."),
        ("https://slow.example.com", "did not respond in time"),
        ("https://other-name.example.com", "AWS KMS cannot establish a TLS connection"),
        # Without an address from the operator only public ones are called.
        ("https://127.0.0.1", "AWS KMS cannot communicate with the external key store proxy."),
    ):
        request = wanted("broken", XksProxyUriEndpoint=endpoint)
        refused(unreachable, HERE.create_custom_key_store, **request, contains=contains)
    request = wanted("broken", XksProxyAuthenticationCredential=WRONG)
    refused("XksProxyIncorrectAuthenticationCredentialException", HERE.create_custom_key_store, **request)
    request = wanted("broken", XksProxyUriPath="/elsewhere/kms/xks/v1")
    refused("XksProxyInvalidConfigurationException", HERE.create_custom_key_store, **request)


def test_a_key_whose_external_key_lies_in_another_haechi():
    store = HERE.create_custom_key_store(**wanted("partner"))["CustomKeyStoreId"]
    equal(connection(store), ("DISCONNECTED", None))
    place = {"Origin": "EXTERNAL_KEY_STORE", "CustomKeyStoreId": store}
    refused("CustomKeyStoreInvalidStateException", HERE.create_key, **place, XksKeyId=KEY)
    HERE.connect_custom_key_store(CustomKeyStoreId=store)
    equal(connection(store), ("CONNECTED", None))
    refused("XksKeyNotFoundException", HERE.create_key, **place, XksKeyId="nothing")
    made = HERE.create_key(**place, XksKeyId=KEY)["KeyMetadata"]
    equal((made["XksKeyConfiguration"], made["CustomKeyStoreId"]), ({"Id": KEY}, store))
    refused("XksKeyAlreadyInUseException", HERE.create_key, **place, XksKeyId=KEY)
    key = made["KeyId"]

    blob = HERE.encrypt(KeyId=key, Plaintext=b"secret", EncryptionContext=CONTEXT)["CiphertextBlob"]
    opened = lambda: HERE.decrypt(CiphertextBlob=blob, EncryptionContext=CONTEXT)["Plaintext"]
    equal(opened(), b"secret")
    invalid = "KMSInvalidStateException"
    refused(invalid, HERE.decrypt, CiphertextBlob=blob, contains="encryption context is corrupted")
    data_key = HERE.generate_data_key(KeyId=key, KeySpec="AES_256")
    equal(HERE.decrypt(CiphertextBlob=data_key["CiphertextBlob"])["Plaintext"], data_key["Plaintext"])

    # The owner rotates the external key: what was encrypted before still opens.
    OWNER.rotate_key_on_demand(KeyId=KEY)
    equal(opened(), b"secret")
    later = HERE.encrypt(KeyId=key, Plaintext=b"later")["CiphertextBlob"]
    equal(HERE.decrypt(CiphertextBlob=later)["Plaintext"], b"later")

    # The owner takes the key back, and gives it again.
    OWNER.disable_key(KeyId=KEY)
    refused(invalid, opened, contains="is not enabled in the external key manager")
    refused(invalid, HERE.encrypt, KeyId=key, Plaintext=b"x", contains="is not enabled")
    OWNER.enable_key(KeyId=KEY)
    equal(opened(), b"secret")
    denied = json.dumps({
        "Version": "2012-10-17",
        "Statement": [
            {"Effect": "Allow", "Principal": "*", "Action": "kms:*", "Resource": "*"},
            {"Effect": "Deny", "Principal": "*", "Action": "kms:Decrypt", "Resource": "*"},
        ],
    })
    before = OWNER.get_key_policy(KeyId=KEY, PolicyName="default")["Policy"]
    OWNER.put_key_policy(KeyId=KEY, Policy=denied)
    refused(invalid, opened, contains="denied access to the operation")
    OWNER.put_key_policy(KeyId=KEY, Policy=before)
    equal(opened(), b"secret")

    # A key for encrypting only is no external key.
    refused("XksKeyInvalidConfigurationException", HERE.create_key, **place, XksKeyId=SECOND_KEY)

    HERE.disconnect_custom_key_store(CustomKeyStoreId=store)
    equal(HERE.describe_key(KeyId=key)["KeyMetadata"]["KeyState"], "Unavailable")
    refused(invalid, opened, contains="is not connected")
    elsewhere = {"XksProxyUriEndpoint": "https://down.example.com"}
    refused("XksProxyUriUnreachableException", HERE.update_custom_key_store, CustomKeyStoreId=store, **elsewhere)
    HERE.connect_custom_key_store(CustomKeyStoreId=store)
    equal(opened(), b"secret")
    credential = {"XksProxyAuthenticationCredential": WRONG}
    refused("XksProxyIncorrectAuthenticationCredentialException", HERE.update_custom_key_store, CustomKeyStoreId=store, **credential)
    refused("CustomKeyStoreHasCMKsException", disconnected_and_deleted, store)


def disconnected_and_deleted(store):
    HERE.disconnect_custom_key_store(CustomKeyStoreId=store)
    HERE.delete_custom_key_store(CustomKeyStoreId=store)


def test_no_credential_is_in_the_events():
    told = json.dumps(client("cloudtrail").lookup_events(MaxResults=50)["Events"], default=str)
    assert "CreateCustomKeyStore" in told
    assert CREDENTIAL["RawSecretAccessKey"] not in told and CREDENTIAL["AccessKeyId"] not in told


main()
