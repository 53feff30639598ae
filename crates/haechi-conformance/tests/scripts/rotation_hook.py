"""A hook as docs/operating.md has it, for a service with one password, which lies in a file.

    rotation_hook.py <folder>

The folder holds `hook.key`, `receiver.pem` and `password`; the port is written to `port`."""

import hashlib
import hmac
import http.server
import json
import os
import pathlib
import ssl
import sys
import threading
import time

folder = pathlib.Path(sys.argv[1])
KEY = (folder / "hook.key").read_text().strip().encode()
lock = threading.Lock()


def password():
    return (folder / "password").read_text()


def set_password(asked):
    """Makes the service take the new password; whoever asks for that knows the one before."""
    with lock:
        if password() not in (asked["current"]["password"], asked["pending"]["password"]):
            return False
        (folder / "new").write_text(asked["pending"]["password"])
        os.replace(folder / "new", folder / "password")
        return True


def let_in(asked):
    return password() == asked["pending"]["password"]


class Hook(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        at = self.headers["X-Haechi-Timestamp"]
        mine = "v1=" + hmac.new(KEY, at.encode() + b"." + body, hashlib.sha256).hexdigest()
        known = hmac.compare_digest(mine, self.headers["X-Haechi-Signature"])
        done = known and abs(time.time() - int(at)) < 300
        if done:
            asked = json.loads(body)
            assert "hook_key" not in asked["pending"]
            done = (set_password if asked["step"] == "setSecret" else let_in)(asked)
        self.send_response(204 if done else 403)
        self.end_headers()

    def log_message(self, *_):
        pass


server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Hook)
context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain(folder / "receiver.pem")
server.socket = context.wrap_socket(server.socket, server_side=True)
(folder / "port.new").write_text(str(server.server_address[1]))
os.replace(folder / "port.new", folder / "port")
server.serve_forever()
