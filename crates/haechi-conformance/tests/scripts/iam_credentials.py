"""Passwords, MFA devices, identity providers and the reports that tell of them."""

import base64
import csv
import hashlib
import hmac
import io
import struct
import subprocess
import tempfile
import time
from pathlib import Path

from harness import ACCOUNT, client, client_of, equal, main, new_user, policy, refused, unique

iam = client("iam")
PASSWORD = "Correct-Horse-1"


def code(seed, steps=0):
    """The one-time code of RFC 6238, some steps of 30 seconds from now."""
    key = base64.b32decode(seed)
    step = int(time.time()) // 30 + steps
    digest = hmac.new(key, struct.pack(">q", step), hashlib.sha1).digest()
    at = digest[-1] & 15
    return f"{(struct.unpack('>I', digest[at:at + 4])[0] & 0x7FFFFFFF) % 10**6:06}"


def phone_of(user):
    """A new device that is enabled for a user; answers its serial number and seed."""
    device = iam.create_virtual_mfa_device(VirtualMFADeviceName=unique("phone"))
    device = device["VirtualMFADevice"]
    serial, seed = device["SerialNumber"], device["Base32StringSeed"].decode()
    for _ in range(3):
        codes = {"AuthenticationCode1": code(seed, -1), "AuthenticationCode2": code(seed)}
        try:
            iam.enable_mfa_device(UserName=user, SerialNumber=serial, **codes)
            return serial, seed
        except iam.exceptions.InvalidAuthenticationCodeException:
            pass  # A step began between the two codes.
    raise AssertionError("the device was not enabled")


def test_a_login_profile_follows_the_password_policy():
    name, key = new_user({"Effect": "Allow", "Action": "iam:ChangePassword", "Resource": "*"})
    call = {"UserName": name}
    missing = f"Login Profile for User {name} cannot be found."
    refused("NoSuchEntity", iam.get_login_profile, **call, message=missing, status=404)
    weak = "Password does not conform to the account password policy."
    refused("PasswordPolicyViolation", iam.create_login_profile, **call, Password="weak", message=weak)
    made = iam.create_login_profile(**call, Password=PASSWORD, PasswordResetRequired=True)
    equal(made["LoginProfile"]["PasswordResetRequired"], True)
    refused("EntityAlreadyExists", iam.create_login_profile, **call, Password=PASSWORD, status=409)
    hers = client_of(key, "iam")
    change = {"OldPassword": PASSWORD, "NewPassword": "Another-Horse-2"}
    hers.change_password(**change)
    refused("AccessDenied", hers.change_password, **change, status=403)
    equal(iam.get_login_profile(**call)["LoginProfile"]["PasswordResetRequired"], False)
    refused("InvalidUserType", iam.change_password, **change, status=400)
    iam.update_login_profile(**call, Password="Third-Horse-3")
    iam.delete_login_profile(**call)
    refused("NoSuchEntity", iam.delete_login_profile, **call, message=missing, status=404)


def test_the_password_policy_comes_back_as_it_was_set():
    iam.update_account_password_policy(
        MinimumPasswordLength=12, RequireNumbers=True, MaxPasswordAge=90, PasswordReusePrevention=3
    )
    got = iam.get_account_password_policy()["PasswordPolicy"]
    equal(got["MinimumPasswordLength"], 12)
    equal((got["RequireNumbers"], got["RequireSymbols"]), (True, False))
    equal((got["ExpirePasswords"], got["MaxPasswordAge"]), (True, 90))
    equal(got["PasswordReusePrevention"], 3)
    iam.delete_account_password_policy()
    message = f"The Password Policy with domain name {ACCOUNT} cannot be found."
    refused("NoSuchEntity", iam.get_account_password_policy, message=message, status=404)


def test_a_virtual_mfa_device_from_birth_to_death():
    name, _ = new_user()
    device = iam.create_virtual_mfa_device(VirtualMFADeviceName=unique("phone"), Path="/staff/")
    device = device["VirtualMFADevice"]
    serial, seed = device["SerialNumber"], device["Base32StringSeed"].decode()
    assert serial.startswith(f"arn:aws:iam::{ACCOUNT}:mfa/staff/phone-"), serial
    equal(len(base64.b32decode(seed)), 40)
    assert device["QRCodePNG"].startswith(b"\x89PNG"), device["QRCodePNG"][:8]
    call = {"UserName": name, "SerialNumber": serial}
    wrong = {"AuthenticationCode1": code(seed), "AuthenticationCode2": code(seed, -1)}
    invalid = "Authentication code for device is not valid."
    code_error = "InvalidAuthenticationCode"
    refused(code_error, iam.enable_mfa_device, **call, **wrong, message=invalid, status=403)
    iam.delete_virtual_mfa_device(SerialNumber=serial)
    serial, seed = phone_of(name)
    call = {"UserName": name, "SerialNumber": serial}
    equal([one["SerialNumber"] for one in iam.list_mfa_devices(UserName=name)["MFADevices"]], [serial])
    refused("ValidationError", iam.get_mfa_device, **call, contains="only hardware FIDO", status=400)
    assigned = iam.get_paginator("list_virtual_mfa_devices").paginate(AssignmentStatus="Assigned")
    users = {one["SerialNumber"]: one["User"]["UserName"] for page in assigned for one in page["VirtualMFADevices"]}
    equal(users[serial], name)
    iam.tag_mfa_device(SerialNumber=serial, Tags=[{"Key": "Team", "Value": "Blue"}])
    equal(iam.list_mfa_device_tags(SerialNumber=serial)["Tags"], [{"Key": "Team", "Value": "Blue"}])
    refused("DeleteConflict", iam.delete_virtual_mfa_device, SerialNumber=serial, status=409)
    codes = {"AuthenticationCode1": code(seed, 1), "AuthenticationCode2": code(seed, 2)}
    iam.resync_mfa_device(**call, **codes)
    iam.deactivate_mfa_device(**call)
    refused("NoSuchEntity", iam.deactivate_mfa_device, **call, message="MFA Device invalid for user.")
    iam.delete_virtual_mfa_device(SerialNumber=serial)


def test_a_session_with_a_code_does_what_asks_for_a_second_factor():
    name, key = new_user({
        "Effect": "Allow",
        "Action": "kms:ListKeys",
        "Resource": "*",
        "Condition": {"Bool": {"aws:MultiFactorAuthPresent": "true"}},
    })
    serial, seed = phone_of(name)
    refused("AccessDeniedException", client_of(key, "kms").list_keys)
    sts = client_of(key, "sts")
    # The next code: those of the enabling are used up.
    call = {"SerialNumber": serial, "TokenCode": code(seed, 1)}
    session = sts.get_session_token(**call)["Credentials"]
    client_of(session, "kms", aws_session_token=session["SessionToken"]).list_keys()
    refused("AccessDenied", sts.get_session_token, **call, status=403)
    # IAM takes such a session, and asks its policies.
    calls = client_of(session, "iam", aws_session_token=session["SessionToken"])
    refused("AccessDenied", calls.list_users, contains="iam:ListUsers")


def test_an_openid_connect_provider_comes_back_as_it_was_made():
    url = f"https://{unique('id')}.example.com/tenant"
    thumbprint = "ab" * 20
    made = iam.create_open_id_connect_provider(
        Url=url, ClientIDList=["sts.amazonaws.com"], ThumbprintList=[thumbprint]
    )
    arn = made["OpenIDConnectProviderArn"]
    equal(arn, f"arn:aws:iam::{ACCOUNT}:oidc-provider/{url.removeprefix('https://')}")
    call = {"OpenIDConnectProviderArn": arn}
    message = f"Provider with url {url} already exists."
    refused("EntityAlreadyExists", iam.create_open_id_connect_provider, Url=url, message=message, status=409)
    iam.add_client_id_to_open_id_connect_provider(**call, ClientID="other")
    iam.remove_client_id_from_open_id_connect_provider(**call, ClientID="sts.amazonaws.com")
    iam.update_open_id_connect_provider_thumbprint(**call, ThumbprintList=["cd" * 20])
    iam.tag_open_id_connect_provider(**call, Tags=[{"Key": "Team", "Value": "Blue"}])
    got = iam.get_open_id_connect_provider(**call)
    equal((got["Url"], got["ClientIDList"]), (url.removeprefix("https://"), ["other"]))
    equal((got["ThumbprintList"], got["Tags"][0]["Value"]), (["cd" * 20], "Blue"))
    assert {"Arn": arn} in iam.list_open_id_connect_providers()["OpenIDConnectProviderList"]
    iam.delete_open_id_connect_provider(**call)
    refused("NoSuchEntity", iam.get_open_id_connect_provider, **call, status=404)


def certificate():
    """A self-signed certificate in PEM."""
    with tempfile.TemporaryDirectory() as folder:
        key, pem = Path(folder, "key.pem"), Path(folder, "certificate.pem")
        command = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "30"]
        command += ["-subj", "/CN=idp.example.com", "-keyout", str(key), "-out", str(pem)]
        subprocess.run(command, check=True, capture_output=True)
        return pem.read_text()


def test_a_saml_provider_comes_back_as_it_was_made():
    lines = [line for line in certificate().splitlines() if "CERTIFICATE" not in line]
    metadata = f"""<EntityDescriptor xmlns="urn:oasis:names:tc:SAML:2.0:metadata"
        entityID="https://idp.example.com/saml" validUntil="2040-01-01T00:00:00Z">
      <IDPSSODescriptor protocolSupportEnumeration="urn:oasis:names:tc:SAML:2.0:protocol">
        <KeyDescriptor use="signing"><KeyInfo xmlns="http://www.w3.org/2000/09/xmldsig#"><X509Data>
          <X509Certificate>{"".join(lines)}</X509Certificate></X509Data></KeyInfo></KeyDescriptor>
        <SingleSignOnService Binding="urn:oasis:names:tc:SAML:2.0:bindings:HTTP-POST"
          Location="https://idp.example.com/sso"/>
      </IDPSSODescriptor></EntityDescriptor>"""
    name = unique("corporate")
    create = {"Name": name, "SAMLMetadataDocument": metadata}
    arn = iam.create_saml_provider(**create)["SAMLProviderArn"]
    equal(arn, f"arn:aws:iam::{ACCOUNT}:saml-provider/{name}")
    refused("EntityAlreadyExists", iam.create_saml_provider, **create, status=409)
    got = iam.get_saml_provider(SAMLProviderArn=arn)
    equal((got["SAMLMetadataDocument"], got["ValidUntil"].year), (metadata, 2040))
    broken = {"Name": unique("broken"), "SAMLMetadataDocument": metadata.replace("IDPSSO", "SPSSO")}
    refused("InvalidInput", iam.create_saml_provider, **broken, message="Could not parse metadata")
    iam.delete_saml_provider(SAMLProviderArn=arn)
    message = f"Manifest not found for arn {arn}"
    refused("NoSuchEntity", iam.get_saml_provider, SAMLProviderArn=arn, message=message, status=404)


def test_the_credential_report_tells_who_has_what():
    name, key = new_user()
    client_of(key, "sts").get_caller_identity()
    iam.create_login_profile(UserName=name, Password=PASSWORD)
    phone_of(name)
    iam.upload_signing_certificate(UserName=name, CertificateBody=certificate())
    while iam.generate_credential_report()["State"] != "COMPLETE":
        time.sleep(0.1)
    got = iam.get_credential_report()
    equal(got["ReportFormat"], "text/csv")
    rows = {row["user"]: row for row in csv.DictReader(io.StringIO(got["Content"].decode()))}
    equal(rows["<root_account>"]["arn"], f"arn:aws:iam::{ACCOUNT}:root")
    row = rows[name]
    equal((row["password_enabled"], row["mfa_active"], row["access_key_1_active"]), ("true",) * 3)
    equal((row["access_key_1_last_used_service"], row["access_key_2_active"]), ("sts", "false"))
    equal((row["cert_1_active"], row["cert_2_active"]), ("true", "false"))
    assert row["cert_1_last_rotated"].endswith("Z"), row
    equal(row["cert_2_last_rotated"], "N/A")
    equal(len(row), 22)


def test_the_account_is_told_as_a_whole():
    name, _ = new_user({"Effect": "Allow", "Action": "kms:ListKeys", "Resource": "*"})
    summary = iam.get_account_summary()["SummaryMap"]
    assert summary["Users"] >= 1 and summary["UsersQuota"] == 5000, summary
    pages = iam.get_paginator("get_account_authorization_details").paginate(
        Filter=["User"], PaginationConfig={"PageSize": 2}
    )
    users = {one["UserName"]: one for page in pages for one in page["UserDetailList"]}
    equal(users[name]["UserPolicyList"][0]["PolicyDocument"]["Statement"][0]["Action"], "kms:ListKeys")
    keys = iam.get_context_keys_for_custom_policy(
        PolicyInputList=[
            policy({
                "Effect": "Allow",
                "Action": "*",
                "Resource": "*",
                "Condition": {"Bool": {"aws:MultiFactorAuthPresent": "true"}},
            })
        ]
    )
    equal(keys["ContextKeyNames"], ["aws:MultiFactorAuthPresent"])


def test_no_record_tells_a_password_a_seed_or_a_code():
    name, _ = new_user()
    iam.create_login_profile(UserName=name, Password="Unheard-of-Horse-9")
    serial, seed = phone_of(name)
    trail = client("cloudtrail")
    told = ""
    for event in ("CreateLoginProfile", "CreateVirtualMFADevice", "EnableMFADevice"):
        found = trail.lookup_events(
            LookupAttributes=[{"AttributeKey": "EventName", "AttributeValue": event}]
        )
        assert found["Events"], f"no {event}"
        told += "".join(one["CloudTrailEvent"] for one in found["Events"])
    assert name in told and serial in told
    for secret in ("Unheard-of-Horse-9", seed, base64.b64encode(seed.encode()).decode()):
        assert secret not in told, secret
    assert "uthenticationCode1" not in told and "uthenticationCode2" not in told


main()
