package target

import (
	"bytes"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/rehearse-dev/rehearse/harness"
)

// shimPrograms are the same mapping in each language: the name of the file chooses what it does.
var shimPrograms = map[string]struct{ run, file, source, failed, numbers string }{
	"python": {"python3", "map.py", `
import rehearse
def mapping(msg):
    print("mapping", msg.name)
    if msg.name == "fail.json":
        raise KeyError("term")
    if msg.name == "none.json":
        return None
    if msg.method:
        return rehearse.Answer({"at": msg.method + msg.path + msg.name}, status = 502, content_type = "application/json")
    if msg.name == "bytes.dat":
        return msg.body[::-1]
    if msg.name == "text.txt":
        return msg.text.upper() + msg.content_type + msg.now
    return {"x": msg.json["a"], "more": [True, None, "é\n"]}
rehearse.serve(mapping)
`, `map.py:6: KeyError: 'term'`, `{"x":3.50,"more":[true,null,"é\n"]}`},
	"node": {"node", "map.js", `
const { serve, Answer } = require("./rehearse.js");
serve(async (msg) => {
  console.log("mapping", msg.name);
  if (msg.method) return new Answer({ at: msg.method + msg.path + msg.name }, { status: 502, contentType: "application/json" });
  switch (msg.name) {
  case "fail.json": throw new Error("term");
  case "none.json": return undefined;
  case "bytes.dat": return Buffer.from(msg.body).reverse();
  case "text.txt": return msg.text.toUpperCase() + msg.contentType + msg.now;
  }
  return { x: msg.json.a, more: [true, null, "é\n"] };
});
`, `map.js:7:27: Error: term`, `{"x":3.5,"more":[true,null,"é\n"]}`},
	"perl": {"perl", "map.pl", `
use strict; use warnings; use utf8; use FindBin; use lib $FindBin::Bin; use Rehearse;
Rehearse::serve(sub {
    my $msg = shift;
    print "mapping ", $msg->name, "\n";
    return Rehearse::answer({ at => $msg->method . $msg->path . $msg->name }, status => 502, content_type => 'application/json') if $msg->method;
    die "term" if $msg->name eq 'fail.json';
    return undef if $msg->name eq 'none.json';
    return scalar reverse $msg->body if $msg->name eq 'bytes.dat';
    return uc($msg->text) . $msg->content_type . $msg->now if $msg->name eq 'text.txt';
    return { x => $msg->json->{a}, more => [JSON::PP::true, undef, "é\n"] };
});
`, "term at map.pl line 7", `{"more":[true,null,"é\n"],"x":3.5}`},
}

func TestShims(t *testing.T) {
	for _, shim := range Shims {
		t.Run(shim.Name, func(t *testing.T) {
			program := shimPrograms[shim.Name]
			if _, err := exec.LookPath(program.run); err != nil {
				t.Fatalf("%s is not installed", program.run)
			}
			source, err := shim.Source()
			if err != nil {
				t.Fatal(err)
			}
			var log bytes.Buffer
			env := testEnv(t)
			env.Log = &log
			write(t, env, map[string]string{"m/" + shim.File: string(source), "m/" + program.file: program.source})
			stage := start(t, harness.TargetSpec{Command: &harness.CommandSpec{
				Run: []string{program.run, "{root}/m/" + program.file}, Mode: "jsonl", To: "lms", Output: "out",
			}}, env)
			quiet := env
			quiet.Log = nil // one log is for one target
			answers := start(t, harness.TargetSpec{Command: &harness.CommandSpec{Run: []string{program.run, "{root}/m/" + program.file}, Mode: "jsonl"}}, quiet)
			refused := feed(t, answers, request("PUT", "/a?b", "{}"))[0]
			if got := refused.Response.Head.Get("Content-Type") + " " + text(t, refused.Response); refused.Status() != 502 || got != `application/json {"at":"PUT/a?b"}` {
				t.Errorf("answered %d %s", refused.Status(), got)
			}
			got := map[string]string{}
			for _, x := range feed(t, stage,
				drop("numbers.json", `{"a":3.50}`), drop("fail.json", "{}"), drop("none.json", "{}"), drop("bytes.dat", "\x00\xff\n"), drop("text.txt", "nuñez ")) {
				switch name := x.Request.Head.Get(harness.FieldName); {
				case name != "out":
					got["last"] = name
				case x.Fault != nil:
					got[got["last"]] = x.Fault.Kind + ": " + strings.ReplaceAll(x.Fault.Detail, filepath.Join(env.Root, "m")+"/", "")
				default:
					got[got["last"]] = text(t, x.Request)
				}
			}
			if f := got["fail.json"]; !strings.HasPrefix(f, "failed: "+program.run+": ") || !strings.Contains(f, program.failed) {
				t.Errorf("the fault says %q, want %q", f, program.failed)
			}
			delete(got, "fail.json")
			delete(got, "last")
			want := map[string]string{"numbers.json": program.numbers, "bytes.dat": "\n\xff\x00", "text.txt": "NUÑEZ text/plain2026-10-05T14:00:00Z"}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Error(diff)
			}
			if err := stage.Close(); err != nil {
				t.Fatal(err)
			}
			if strings.Count(log.String(), "mapping ") < 5 {
				t.Errorf("the log: %s", log.String())
			}
		})
	}
	if _, err := ShimOf("cobol"); err == nil || harness.HintOf(err) == "" {
		t.Errorf("%v", err)
	}
}
