// Runs a mapping in JavaScript for Rehearse: command with mode jsonl. Needs Node 18 and nothing else.
//
//     const { serve } = require("./rehearse.js");
//     serve((msg) => msg.json.map((row) => ({ id: row.ID })));
//
// What the mapping returns, or the promise of it, is the output: Buffer and string as they are, undefined and null hand
// nothing over, anything else is written as JSON. JavaScript has no exact decimals: in msg.json 3.50 is 3.5. In msg.exact
// (Node 22 and later) a number that would change keeps its digits through JSON.stringify. Over HTTP, new Answer(output,
// { status: 502, contentType: "text/plain" }) answers with another status than the recorded one. What the mapping logs goes
// to the log of the run; an exception is a fault of the exchange, and the next one is mapped all the same.
"use strict";
const readline = require("node:readline");

class Message {
  constructor(request) {
    const { method = "", path = "", contentType = "", body, b64 = "" } = request.input;
    this.method = method; // over HTTP
    this.path = method ? path : ""; // over HTTP, with its query
    this.name = method ? "" : path; // of the file
    this.contentType = contentType;
    this.now = request.vars.now; // the frozen clock, RFC 3339
    this.body = body === undefined ? Buffer.from(b64, "base64") : Buffer.from(body, "utf8");
  }
  get text() {
    return this.body.toString("utf8");
  }
  get json() {
    return JSON.parse(this.text);
  }
  get exact() {
    return JSON.parse(this.text, (_, value, context) =>
      typeof value === "number" && String(value) !== context.source ? JSON.rawJSON(context.source) : value);
  }
}

class Answer {
  constructor(output, { status = 0, contentType = "" } = {}) {
    Object.assign(this, { output, status, contentType });
  }
}

function told(output) {
  if (output instanceof Answer) return { ...told(output.output), status: output.status, contentType: output.contentType };
  if (output === undefined || output === null) return { output: null };
  if (Buffer.isBuffer(output)) return { outputB64: output.toString("base64") };
  return { output: typeof output === "string" ? output : JSON.stringify(output) };
}

async function reply(mapping, request) {
  try {
    return told(await mapping(new Message(request)));
  } catch (error) {
    console.error(error);
    const frame = String(error && error.stack).split("\n").find((line) => /:\d+:\d+\)?$/.test(line) && !line.includes(__filename)) || "";
    const place = frame.match(/\(?([^\s(]+:\d+:\d+)\)?$/);
    return { error: (place ? place[1] + ": " : "") + String(error) };
  }
}

exports.Answer = Answer;
exports.serve = async function serve(mapping) {
  console.log = console.info = console.debug = console.error;
  for await (const line of readline.createInterface({ input: process.stdin, crlfDelay: Infinity })) {
    const request = JSON.parse(line);
    process.stdout.write(JSON.stringify({ ...(await reply(mapping, request)), id: request.id }) + "\n");
  }
};
