"""Reads a secret and logs in with it, again and again, from several clients, until standard input
ends; then says how often, and how often a login failed. With `retry`, a client that was not let in
pauses and reads the secret again, with ever longer pauses: as AWS advises for one user."""

import json
import os
import subprocess
import sys
import threading
import time

from harness import client

SECRET, ENGINE, RETRY = sys.argv[1], sys.argv[2], "retry" in sys.argv[3:]
CLIENTS = 4
PAUSES = [0.1, 0.2, 0.4, 0.8, 1.6]
done = threading.Event()
counts = {"logins": 0, "failures": 0}
lock = threading.Lock()


def command(value):
    if ENGINE == "postgres":
        where = f"host={value['host']} port={value['port']} user={value['username']} dbname=postgres"
        return ["psql", "--no-psqlrc", "--quiet", "--command", "SELECT 1", where]
    address = [f"--host={value['host']}", f"--port={value['port']}", f"--user={value['username']}"]
    return ["mariadb", "--no-defaults", *address, "--execute=SELECT 1"]


def log_in(secrets):
    value = json.loads(secrets.get_secret_value(SecretId=SECRET)["SecretString"])
    secret = {"PGPASSWORD": value["password"], "MYSQL_PWD": value["password"]}
    run = subprocess.run(command(value), env={**os.environ, **secret}, capture_output=True)
    return run.returncode == 0


def work():
    secrets = client("secretsmanager")
    while not done.is_set():
        right = log_in(secrets)
        for pause in PAUSES if RETRY else []:
            if right:
                break
            time.sleep(pause)
            right = log_in(secrets)
        with lock:
            counts["logins"] += 1
            counts["failures"] += 0 if right else 1
        # Many a moment of a rotation is tried; a machine with nothing left would try fewer.
        time.sleep(0.02)


threads = [threading.Thread(target=work) for _ in range(CLIENTS)]
for thread in threads:
    thread.start()
sys.stdin.read()
done.set()
for thread in threads:
    thread.join()
print(json.dumps(counts))
