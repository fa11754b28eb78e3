"""Runs a mapping in Python for Rehearse: command with mode jsonl. Needs Python 3.8 and nothing else.

    import rehearse

    def mapping(msg):
        return [{"id": row["ID"]} for row in msg.json]

    rehearse.serve(mapping)

What the mapping returns is the output: bytes and str as they are, None hands nothing over, anything else is
written as JSON. Numbers with a point are decimal.Decimal and keep their digits. Over HTTP, Answer(output, status = 502,
content_type = "text/plain") answers with another status than the recorded one. What it prints goes to the log of the
run; an exception is a fault of the exchange, and the next one is mapped all the same.
"""
import base64
import decimal
import json
import sys
import traceback


class Message:
    """One payload: body (bytes), text, json, name of the file, content_type and now, the frozen clock (RFC 3339).

    Over HTTP there are method and path, with its query, in place of the name.
    """

    def __init__(self, request):
        given = request["input"]
        self.method = given.get("method", "")
        self.name, self.path = ("", given.get("path", "")) if self.method else (given.get("path", ""), "")
        self.content_type = given.get("contentType", "")
        self.now = request.get("vars", {}).get("now", "")
        body = given.get("body")
        self.body = base64.b64decode(given.get("b64", "")) if body is None else body.encode("utf-8")

    @property
    def text(self):
        return self.body.decode("utf-8")

    @property
    def json(self):
        return json.loads(self.text, parse_float=decimal.Decimal)


class Answer:
    """An output with the status and content type of an answer over HTTP."""

    def __init__(self, output, status=0, content_type=""):
        self.output, self.status, self.content_type = output, status, content_type


def write(value):
    """JSON with decimals as they are."""
    if isinstance(value, decimal.Decimal):
        if not value.is_finite():
            raise ValueError("%s is no number of JSON" % value)
        return str(value)
    if isinstance(value, dict):
        return "{" + ",".join(json.dumps(str(k)) + ":" + write(v) for k, v in value.items()) + "}"
    if isinstance(value, (list, tuple)):
        return "[" + ",".join(write(v) for v in value) + "]"
    return json.dumps(value, ensure_ascii=False, allow_nan=False)


def told(output):
    if isinstance(output, Answer):
        return dict(told(output.output), status=output.status, contentType=output.content_type)
    if output is None:
        return {"output": None}
    if isinstance(output, (bytes, bytearray)):
        return {"outputB64": base64.b64encode(output).decode("ascii")}
    return {"output": output if isinstance(output, str) else write(output)}


def reply(mapping, request):
    try:
        return told(mapping(Message(request)))
    except Exception as error:
        traceback.print_exc(file=sys.stderr)
        frames = [f for f in traceback.extract_tb(error.__traceback__) if f.filename != __file__]
        place = "%s:%d: " % (frames[-1].filename, frames[-1].lineno) if frames else ""
        return {"error": "%s%s: %s" % (place, type(error).__name__, error)}


def serve(mapping):
    """Maps one line after the other until the input ends."""
    out, sys.stdout = sys.stdout.buffer, sys.stderr
    for line in sys.stdin.buffer:
        request = json.loads(line)
        answer = dict(reply(mapping, request), id=request["id"])
        out.write(json.dumps(answer).encode("ascii") + b"\n")
        out.flush()
