"""A runtime in a few lines: evaluates the Python that the event carries, and answers its value."""
import http.client, json, os, sys, time, traceback

api = http.client.HTTPConnection(os.environ["AWS_LAMBDA_RUNTIME_API"])
base = "/2018-06-01/runtime/"


def post(path, value):
    api.request("POST", base + path, json.dumps(value))
    api.getresponse().read()


if os.environ.get("FAIL_AT_START"):
    post("init/error", {"errorMessage": "not today", "errorType": "Runtime.Bad"})
    sys.exit(1)
state = {}
while True:
    api.request("GET", base + "invocation/next")
    answer = api.getresponse()
    event = json.loads(answer.read())
    id = answer.headers["Lambda-Runtime-Aws-Request-Id"]
    try:
        scope = {"state": state, "os": os, "time": time, "sys": sys, "result": None}
        exec(event, scope)
        post(f"invocation/{id}/response", scope["result"])
    except Exception as error:
        post(f"invocation/{id}/error", {"errorMessage": str(error), "errorType": type(error).__name__})
