"""Tokens of a real identity provider: an HTTPS server here publishes its keys, and roles trust what
it signs, as with Kubernetes service accounts and GitHub's workflows. One-time passwords too."""

import base64
import hashlib
import hmac
import http.server
import json
import ssl
import threading
import time

import boto3
import rsa
from botocore import UNSIGNED
from botocore.config import Config
from harness import ACCOUNT, ONCE, client, client_of, equal, main, new_user, policy, refused, unique
from openssl import Scratch

iam = client("iam")
# The SDK signs nothing here, as inside a pod that has no key.
sts = boto3.client("sts", config=Config(signature_version=UNSIGNED).merge(ONCE))
EVERYTHING = {"Effect": "Allow", "Action": "*", "Resource": "*"}
SUBJECT = "system:serviceaccount:shop:web"


def b64(data):
    """base64url without padding."""
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def number(value):
    """A number as keys show it."""
    return b64(value.to_bytes((value.bit_length() + 7) // 8, "big"))


class Key:
    """An RSA key of the issuer."""

    def __init__(self, name):
        self.name = name
        self.public, self.private = rsa.newkeys(2048)

    def jwk(self):
        n, e = number(self.public.n), number(self.public.e)
        return {"kty": "RSA", "use": "sig", "alg": "RS256", "kid": self.name, "n": n, "e": e}

    def sign(self, claims, **header):
        header = {"alg": "RS256", "kid": self.name, "typ": "JWT", **header}
        parts = [b64(json.dumps(part).encode()) for part in (header, claims)]
        signed = ".".join(parts)
        return f"{signed}.{b64(rsa.sign(signed.encode(), self.private, 'SHA-256'))}"


class Issuer:
    """An identity provider at https://localhost:PORT, with a certificate of its own authority."""

    def __init__(self):
        self.key = Key("first")
        self.keys = [self.key.jwk()]
        with Scratch() as scratch:
            scratch.must("req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=Authority "
                         "-keyout ca.key -out ca.pem")
            scratch.must("req -newkey rsa:2048 -nodes -subj /CN=localhost -keyout key -out csr")
            scratch.write("names", b"subjectAltName=DNS:localhost\n")
            scratch.must("x509 -req -in csr -CA ca.pem -CAkey ca.key -CAcreateserial -days 2 "
                         "-extfile names -out own.pem")
            scratch.must("x509 -in ca.pem -outform DER -out ca.der")
            self.thumbprint = hashlib.sha1(scratch.read("ca.der")).hexdigest()
            scratch.write("chain.pem", scratch.read("own.pem") + scratch.read("ca.pem"))
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(scratch.path("chain.pem"), scratch.path("key"))
        issuer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                document = issuer.document(self.path)
                body = json.dumps(document or {}).encode()
                self.send_response(200 if document else 404)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_):
                pass

        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        server.socket = context.wrap_socket(server.socket, server_side=True)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        self.host = f"localhost:{server.server_address[1]}"
        self.url = f"https://{self.host}"

    def document(self, path):
        if path == "/.well-known/openid-configuration":
            return {"issuer": self.url, "jwks_uri": f"{self.url}/openid/v1/jwks"}
        return {"keys": self.keys} if path == "/openid/v1/jwks" else None

    def claims(self, **changed):
        """Those of a Kubernetes service account."""
        now = int(time.time())
        return {
            "iss": self.url,
            "sub": SUBJECT,
            "aud": ["sts.amazonaws.com"],
            "iat": now,
            "nbf": now,
            "exp": now + 600,
            "kubernetes.io": {"namespace": "shop", "serviceaccount": {"name": "web"}},
            **changed,
        }


issuer = Issuer()
provider = iam.create_open_id_connect_provider(
    Url=issuer.url, ClientIDList=["sts.amazonaws.com"], ThumbprintList=[issuer.thumbprint]
)["OpenIDConnectProviderArn"]


def new_role(**conditions):
    trust = {
        "Effect": "Allow",
        "Action": "sts:AssumeRoleWithWebIdentity",
        "Principal": {"Federated": provider},
        "Condition": conditions,
    }
    name = unique("role")
    made = iam.create_role(RoleName=name, AssumeRolePolicyDocument=policy(trust))["Role"]
    iam.put_role_policy(RoleName=name, PolicyName="p", PolicyDocument=policy(EVERYTHING))
    return made["Arn"]


def ask(role, token):
    return {"RoleArn": role, "RoleSessionName": "pod", "WebIdentityToken": token}


def pod_role():
    keys = {f"{issuer.host}:aud": "sts.amazonaws.com", f"{issuer.host}:sub": SUBJECT}
    return new_role(StringEquals=keys)


def session(credentials, service):
    return boto3.client(
        service,
        config=ONCE,
        aws_access_key_id=credentials["AccessKeyId"],
        aws_secret_access_key=credentials["SecretAccessKey"],
        aws_session_token=credentials["SessionToken"],
    )


def test_a_pod_gets_credentials_of_its_role_and_uses_them():
    role = pod_role()
    answer = sts.assume_role_with_web_identity(**ask(role, issuer.key.sign(issuer.claims())))
    equal(answer["SubjectFromWebIdentityToken"], SUBJECT)
    equal(answer["Audience"], "sts.amazonaws.com")
    equal(answer["Provider"], provider)
    arn = answer["AssumedRoleUser"]["Arn"]
    equal(session(answer["Credentials"], "sts").get_caller_identity()["Arn"], arn)
    session(answer["Credentials"], "kms").list_keys()


def test_another_service_account_gets_none():
    role = pod_role()
    token = issuer.key.sign(issuer.claims(sub="system:serviceaccount:shop:db"))
    message = "Not authorized to perform sts:AssumeRoleWithWebIdentity"
    call = sts.assume_role_with_web_identity
    refused("AccessDenied", call, **ask(role, token), message=message, status=403)


def test_a_workflow_of_a_repository_gets_the_role_for_its_branch():
    subject = f"{issuer.host}:sub"
    role = new_role(StringLike={subject: "repo:org/shop:ref:refs/heads/*"})
    branch = issuer.claims(sub="repo:org/shop:ref:refs/heads/main", repository="org/shop")
    call = sts.assume_role_with_web_identity
    call(**ask(role, issuer.key.sign(branch)))
    pull = issuer.key.sign({**branch, "sub": "repo:org/shop:pull_request"})
    refused("AccessDenied", call, **ask(role, pull))


def test_tokens_that_are_not_what_they_should_be_are_refused():
    role = pod_role()
    call = sts.assume_role_with_web_identity

    def no(code, token, **told):
        refused(code, call, **ask(role, token), **told)

    sign, claims = issuer.key.sign, issuer.claims
    no("InvalidIdentityToken", sign(claims(aud="other")), message="Incorrect token audience")
    old = int(time.time()) - 5
    no("ExpiredTokenException", sign(claims(exp=old)), contains="Token expired: current date/time")
    no("IDPRejectedClaim", sign(claims(nbf=int(time.time()) + 3600)), status=403)
    no("InvalidIdentityToken", Key("first").sign(claims()), contains="signature")
    no("InvalidIdentityToken", Key("unknown").sign(claims()), contains="verification key")
    elsewhere = "No OpenIDConnect provider found in your account for https://evil.example"
    no("InvalidIdentityToken", sign(claims(iss="https://evil.example")), message=elsewhere)
    not_one = "is not a valid JWT"
    no("InvalidIdentityToken", "not-a-token", contains=not_one)
    # Changed after it was signed.
    head, _, tail = sign(claims()).split(".")
    forged = b64(json.dumps(claims(sub="admin")).encode())
    no("InvalidIdentityToken", f"{head}.{forged}.{tail}", contains="signature")
    # No signature at all, and the public key taken for a secret.
    body = b64(json.dumps(claims()).encode())
    none = b64(json.dumps({"alg": "none", "kid": "first"}).encode())
    no("InvalidIdentityToken", f"{none}.{body}.", contains=not_one)
    signed = f"{b64(json.dumps({'alg': 'HS256', 'kid': 'first'}).encode())}.{body}"
    for secret in (issuer.key.public.save_pkcs1(), number(issuer.key.public.n).encode()):
        mac = hmac.new(secret, signed.encode(), hashlib.sha256).digest()
        no("InvalidIdentityToken", f"{signed}.{b64(mac)}", contains=not_one)
    # An own key in the header.
    own = Key("first")
    no("InvalidIdentityToken", own.sign(claims(), jwk=own.jwk()), contains="signature")


def test_a_certificate_that_nobody_speaks_for_is_refused():
    other = Issuer()
    arn = iam.create_open_id_connect_provider(
        Url=other.url, ClientIDList=["sts.amazonaws.com"], ThumbprintList=["0" * 40]
    )["OpenIDConnectProviderArn"]
    role = pod_role()
    token = other.key.sign(other.claims())
    call = sts.assume_role_with_web_identity
    told = "OpenIDConnect provider's HTTPS certificate doesn't match configured thumbprint"
    refused("InvalidIdentityToken", call, **ask(role, token), message=told)
    # Trusted now, the provider still is not the one that the role names.
    iam.update_open_id_connect_provider_thumbprint(
        OpenIDConnectProviderArn=arn, ThumbprintList=[other.thumbprint]
    )
    refused("AccessDenied", call, **ask(role, token))


def test_a_provider_that_is_deleted_vouches_for_nobody():
    other = Issuer()
    arn = iam.create_open_id_connect_provider(
        Url=other.url, ClientIDList=["sts.amazonaws.com"], ThumbprintList=[other.thumbprint]
    )["OpenIDConnectProviderArn"]
    iam.delete_open_id_connect_provider(OpenIDConnectProviderArn=arn)
    token = other.key.sign(other.claims())
    call = sts.assume_role_with_web_identity
    refused("InvalidIdentityToken", call, **ask(pod_role(), token), contains="No OpenIDConnect")


def test_the_trail_tells_whom_the_provider_vouched_for():
    role = pod_role()
    sts.assume_role_with_web_identity(**ask(role, issuer.key.sign(issuer.claims())))
    trail = client("cloudtrail", region_name="us-east-1")
    found = trail.lookup_events(
        LookupAttributes=[{"AttributeKey": "ResourceName", "AttributeValue": role}]
    )["Events"]
    events = [json.loads(event["CloudTrailEvent"]) for event in found]
    event = next(one for one in events if one["eventName"] == "AssumeRoleWithWebIdentity")
    identity = event["userIdentity"]
    equal(identity["type"], "WebIdentityUser")
    equal(identity["userName"], SUBJECT)
    equal(identity["identityProvider"], provider)
    equal(identity["principalId"], f"{provider}:sts.amazonaws.com:{SUBJECT}")
    equal(event["recipientAccountId"], ACCOUNT)
    equal(sorted(event["requestParameters"]), ["roleArn", "roleSessionName"])
    assert "accountId" not in identity, identity


def code(seed, step):
    """A one-time password (RFC 6238) of six digits."""
    mac = hmac.new(base64.b32decode(seed), step.to_bytes(8, "big"), hashlib.sha1).digest()
    at = mac[-1] & 15
    return f"{(int.from_bytes(mac[at:at + 4], 'big') & 0x7FFFFFFF) % 1_000_000:06}"


def test_what_needs_a_one_time_password_is_done_with_one():
    _, root = new_user(EVERYTHING)
    strong = {**EVERYTHING, "Condition": {"Bool": {"aws:MultiFactorAuthPresent": "true"}}}
    name, key = new_user(strong)
    owner = client_of(root, "iam")
    device = owner.create_virtual_mfa_device(VirtualMFADeviceName=name)["VirtualMFADevice"]
    seed, serial = device["Base32StringSeed"], device["SerialNumber"]
    # Far enough from the end of a step to use the next one's code, which is accepted early.
    while time.time() % 30 > 20:
        time.sleep(1)
    step = int(time.time()) // 30
    owner.enable_mfa_device(
        UserName=name,
        SerialNumber=serial,
        AuthenticationCode1=code(seed, step - 1),
        AuthenticationCode2=code(seed, step),
    )
    calls = client_of(key, "sts")
    refused("AccessDenied", calls.get_session_token, SerialNumber=serial, TokenCode="000000",
            contains="MultiFactorAuthentication failed with invalid MFA one time pass code.")
    plain = calls.get_session_token()["Credentials"]
    refused("AccessDeniedException", session(plain, "kms").list_keys)
    fresh = code(seed, step + 1)
    credentials = calls.get_session_token(SerialNumber=serial, TokenCode=fresh)["Credentials"]
    session(credentials, "kms").list_keys()
    # A code counts once.
    refused("AccessDenied", calls.get_session_token, SerialNumber=serial, TokenCode=fresh)
    trail = client("cloudtrail")
    found = trail.lookup_events(
        LookupAttributes=[
            {"AttributeKey": "AccessKeyId", "AttributeValue": credentials["AccessKeyId"]}
        ]
    )["Events"]
    event = json.loads(found[0]["CloudTrailEvent"])
    equal(event["userIdentity"]["sessionContext"]["attributes"]["mfaAuthenticated"], "true")


main()
