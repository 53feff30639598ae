"""A tiny S3 over the folder that haechi's trails deliver to: what `aws cloudtrail validate-logs`
asks for (GetBucketLocation, ListObjects, GetObject with metadata), and nothing else.

    python3 s3_standin.py FOLDER PORT-FILE
"""

import http.server
import os
import sys
import urllib.parse
from xml.sax.saxutils import escape

ROOT, PORT_FILE = sys.argv[1:]
XML = '<?xml version="1.0" encoding="UTF-8"?>\n'
NAMESPACE = 'xmlns="http://s3.amazonaws.com/doc/2006-03-01/"'
# Small, so that listings have several pages.
PAGE = 2


def keys(bucket):
    """All keys of a bucket, in order."""
    root = os.path.join(ROOT, bucket)
    found = []
    for folder, _, files in os.walk(root):
        names = (os.path.relpath(os.path.join(folder, name), root) for name in files)
        found.extend(name for name in names if name.endswith(".json.gz"))
    return sorted(found)


class Handler(http.server.BaseHTTPRequestHandler):
    def answer(self, status, body, headers=()):
        self.send_response(status)
        for name, value in headers:
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def xml(self, status, text):
        self.answer(status, (XML + text).encode(), [("Content-Type", "application/xml")])

    def do_GET(self):
        url = urllib.parse.urlsplit(self.path)
        query = dict(urllib.parse.parse_qsl(url.query, keep_blank_values=True))
        bucket, _, key = urllib.parse.unquote(url.path).lstrip("/").partition("/")
        if "location" in query:
            self.xml(200, f"<LocationConstraint {NAMESPACE}></LocationConstraint>")
        elif not key:
            self.list(bucket, query.get("prefix", ""), query.get("marker", ""))
        else:
            self.object(os.path.join(ROOT, bucket, key))

    def list(self, bucket, prefix, marker):
        found = [key for key in keys(bucket) if key.startswith(prefix) and key > marker]
        contents = "".join(
            f"<Contents><Key>{escape(key)}</Key><Size>1</Size></Contents>" for key in found[:PAGE]
        )
        truncated = "true" if len(found) > PAGE else "false"
        self.xml(
            200,
            f"<ListBucketResult {NAMESPACE}><Name>{bucket}</Name><Prefix>{escape(prefix)}</Prefix>"
            f"<Marker>{escape(marker)}</Marker><IsTruncated>{truncated}</IsTruncated>{contents}"
            "</ListBucketResult>",
        )

    def object(self, path):
        if not os.path.isfile(path):
            self.xml(404, "<Error><Code>NoSuchKey</Code><Message>no such key</Message></Error>")
            return
        headers = []
        if os.path.isfile(path + ".metadata"):
            with open(path + ".metadata", encoding="ascii") as lines:
                pairs = (line.rstrip("\n").split(": ", 1) for line in lines)
                headers = [(f"x-amz-meta-{name}", value) for name, value in pairs]
        with open(path, "rb") as file:
            self.answer(200, file.read(), headers)

    def log_message(self, *_):
        pass


server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
with open(PORT_FILE + ".new", "w", encoding="ascii") as out:
    out.write(str(server.server_port))
os.rename(PORT_FILE + ".new", PORT_FILE)
server.serve_forever()
