"""Messages of SNS as their receivers see them: fetches what they link to, verifies signatures."""

import base64
import os
import ssl
import urllib.request

from harness import equal
from openssl import Scratch

CA = os.environ.get("AWS_CA_BUNDLE")


def fetch(url):
    context = ssl.create_default_context(cafile=CA) if url.startswith("https") else None
    return urllib.request.urlopen(url, context=context).read()


def verifies(envelope):
    """Verifies a signature as AWS documents it, with openssl, and the certificate by the local CA."""
    names = ["Message", "MessageId", "Subject", "Timestamp", "TopicArn", "Type"]
    if envelope["Type"] != "Notification":
        names = ["Message", "MessageId", "SubscribeURL", "Timestamp", "Token", "TopicArn", "Type"]
    text = "".join(f"{name}\n{envelope[name]}\n" for name in names if name in envelope)
    with Scratch() as scratch:
        scratch.write("certificate.pem", fetch(envelope["SigningCertURL"]))
        if CA:
            scratch.must(f"verify -CAfile {CA} certificate.pem")
        subject = scratch.must("x509 -in certificate.pem -noout -subject")
        equal(subject.decode().strip().replace(" ", ""), "subject=CN=sns.amazonaws.com")
        scratch.must("x509 -in certificate.pem -noout -pubkey -out key.pem")
        scratch.write("text", text.encode())
        scratch.write("signature", base64.b64decode(envelope["Signature"]))
        digest = {"1": "sha1", "2": "sha256"}[envelope["SignatureVersion"]]
        return scratch.can(f"dgst -{digest} -verify key.pem -signature signature text")
