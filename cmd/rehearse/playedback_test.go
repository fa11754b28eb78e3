package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// playedBack is a scenario in which a recording is fed to a server that claims to be the system that answered.
const playedBack = `scenario: Played back
integration: calls
recording: recording
target:
  system: %[1]s
  url: {base: "%[2]s"}
egress: {writes: allow}
`

// listening is how a mock says where it listens.
var listening = regexp.MustCompile(`on (http://127\.0\.0\.1:\d+); stop`)

// TestRealSetsArePlayedBack scrubs real traffic of many sessions under its suggested policy, serves it by a mock with the key
// and feeds it to that mock as to a live system: nothing may differ, although calls that are the same in several sessions
// were answered differently and the mock is not told whose call it gets.
func TestRealSetsArePlayedBack(t *testing.T) {
	root := os.Getenv("REHEARSE_REAL_DATA")
	if root == "" {
		t.Skip("REHEARSE_REAL_DATA is not set: it names the folder of real traffic")
	}
	for _, set := range []string{"octokit-rb", "linodego", "easypost-node-har"} {
		t.Run(set, func(t *testing.T) {
			dir := t.TempDir()
			in := func(name string) string { return filepath.Join(dir, name) }
			key := []string{"--policy", in("policy.yaml"), "--key", keyOfSets(t, dir)}
			must := func(args ...string) {
				t.Helper()
				if code, out := rehearsed(t, nil, args...); code != 0 {
					t.Fatalf("%v: exit %d: %s", args[:2], code, out)
				}
			}
			source := filepath.Join(root, "traffic", set)
			must("init", dir)
			must("scrub", "suggest", source, "--out", in("policy.yaml"))
			must(append([]string{"import", source, "--from", "client", "--out", in("recording")}, key...)...)
			system := answeringMost(t, in("recording"))
			base := served(t, append([]string{"mock", in("recording"), "--system", system}, key...)...)
			for name, text := range map[string]string{
				"catalog/systems.yaml":      fmt.Sprintf("- {system: client, title: The client}\n- {system: %s, title: The vendor}\n", system),
				"catalog/integrations.yaml": "- {integration: calls, title: Calls, purpose: Test, owner: owner, steward: steward, systems: [client, " + system + "]}\n",
				"scenarios/back.yaml":       fmt.Sprintf(playedBack, system, base),
			} {
				if err := os.WriteFile(in(name), []byte(text), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			code, out := rehearsed(t, nil, append([]string{"run", in("scenarios/back.yaml")}, key...)...)
			if code != 0 || !strings.Contains(out, "\nSAME ") {
				t.Errorf("exit %d: %s", code, out)
			}
		})
	}
}

// answeringMost is the system to which most exchanges of a recording go.
func answeringMost(t *testing.T, recording string) string {
	t.Helper()
	lines, err := os.ReadFile(filepath.Join(recording, "exchanges.jsonl"))
	if err != nil {
		t.Fatal(err)
	}
	counts, most := map[string]int{}, ""
	for line := range strings.Lines(string(lines)) {
		var x struct{ To string }
		if err := json.Unmarshal([]byte(line), &x); err != nil {
			t.Fatal(err)
		}
		if counts[x.To]++; counts[x.To] > counts[most] {
			most = x.To
		}
	}
	return most
}

// served starts a mock until the end of the test and returns its base URL.
func served(t *testing.T, args ...string) string {
	t.Helper()
	lines := bufio.NewScanner(begun(t, itself(nil, args...)))
	for lines.Scan() {
		if found := listening.FindStringSubmatch(lines.Text()); found != nil {
			return found[1]
		}
	}
	t.Fatalf("%v does not listen", args[:2])
	return ""
}
