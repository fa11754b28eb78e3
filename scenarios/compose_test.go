package scenarios

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/rehearse-dev/rehearse/harness"
)

// composed reads a scenario whose target is a service of the Compose file, in a workspace with these files. An empty scenario
// is one that feeds the service web.
func composed(t *testing.T, files map[string]string, container string) (harness.Scenario, error) {
	t.Helper()
	dir := t.TempDir()
	if err := os.CopyFS(dir, os.DirFS("testdata/world")); err != nil {
		t.Fatal(err)
	}
	if container == "" {
		container = "{compose: stack/compose.yaml, service: web}"
	}
	all := map[string]string{"scenario.yaml": "scenario: stack\nintegration: sis-lms-nightly\nrecording: fixtures/nightly\ntarget:\n  system: hubline\n  container: " + container + "\nmocks: [sis]\n"}
	for name, text := range files {
		all[name] = text
	}
	for name, text := range all {
		file := filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return openWorld(t, dir).Scenario(filepath.Join(dir, "scenario.yaml"))
}

const stack = `name: shop
x-owner: hub team
services:
  grafana:            # nobody depends on it: it is not started, and need not be understood
    image: grafana/grafana
    privileged: true
  web:
    build:
      context: web
      args: {RELEASE: "${SET}", HOME_OF: }
      target: run
    image: shop/web:dev
    command: serve --title 'The Hub' {now}
    env_file: [web.env, {path: local.env, required: false}]
    environment:
      SIS_URL: http://sis.harrow-lake.example
      PRICE: $$5
      PORT: 8080
      TOKEN:
      FROM_FILE:
      UNIT: ${UNIT:-${UNTIL}}
    ports: ["127.0.0.1:80:8080/tcp", {target: 9999, protocol: udp}]
    volumes:
      - ./rules.csv:/etc/hub/rules.csv:ro
      - {type: bind, source: conf, target: /etc/hub/conf.d, read_only: true}
      - cache:/var/cache/hub
      - /scratch
    depends_on:
      db: {condition: service_healthy}
      migrate: {condition: service_completed_successfully}
    user: "1000:1000"
    working_dir: /srv
    hostname: web-1
    restart: unless-stopped
  db:
    image: postgres:16
    entrypoint: [docker-entrypoint.sh, "--set=a b"]
    container_name: shop-db
    expose: [5432]
    healthcheck: {test: pg_isready -U hub, interval: 1s, timeout: 2s, retries: 30, start_period: 5s}
    networks:
      back: {aliases: [database, db]}
  migrate:
    image: shop/migrate
    command: [up]
    environment: [URL=postgres://db/hub, TOKEN]
    depends_on: [db]
volumes: {cache: }
networks: {back: {internal: true}}
`

func TestComposeServiceBecomesAContainerAndItsCompanions(t *testing.T) {
	files := map[string]string{
		"stack/compose.yaml": strings.Replace(stack, "${UNIT:-${UNTIL}}", "${UNIT:-hours}", 1),
		"stack/.env":         "# beside the Compose file\nUNIT=\"days\\n\"\nFROM_FILE='{url.sis} $x' # as it is\n",
		"stack/web.env":      "export LEVEL = info # not debug\nPORT=1\nUNTIL_DAY=${UNTIL}\nTOKEN=dev\n",
		"stack/rules.csv":    "RE,active\n", "stack/conf/a": "", "stack/web/Dockerfile": "FROM scratch AS run\n",
	}
	s, err := composed(t, files, `{compose: stack/compose.yaml, service: web, env: {SIS_URL: "{url.sis}"}, secrets: {KEY: env:KEY}, hosts: {api.sis.example: sis}, ready: {path: /up}, memory: 64m}`)
	if err != nil {
		t.Fatal(err)
	}
	want := &harness.ContainerSpec{
		Compose: "stack/compose.yaml", Service: "web", Name: "web", Hostname: "web-1",
		Build:   &harness.BuildSpec{Context: "stack/web", Target: "run", Args: map[string]string{"RELEASE": "yes"}},
		Command: []string{"serve", "--title", "The Hub", "{{now}}"},
		Env: map[string]string{
			"SIS_URL": "{url.sis}", "PRICE": "$5", "PORT": "8080", "FROM_FILE": "{{url.sis}} $x", "UNIT": "days\n", "LEVEL": "info", "UNTIL_DAY": "2026-12-31",
		},
		Secrets: map[string]string{"TOKEN": "env:TOKEN", "KEY": "env:KEY"},
		Files:   []harness.FileCopy{{From: "stack/rules.csv", To: "/etc/hub/rules.csv"}},
		Mounts:  []harness.MountSpec{{From: "stack/conf", To: "/etc/hub/conf.d"}},
		Volumes: []string{"/var/cache/hub", "/scratch"},
		Folder:  "/srv", User: "1000:1000", Memory: "64m", Port: 8080, Ready: &harness.ReadySpec{Path: "/up"},
		Hosts: map[string]string{"api.sis.example": "sis"},
		Also: []harness.ContainerSpec{
			{
				Name: "db", Aliases: []string{"database", "shop-db"}, Image: "postgres:16", Entrypoint: []string{"docker-entrypoint.sh", "--set=a b"},
				Env: map[string]string{}, Secrets: map[string]string{}, Ready: &harness.ReadySpec{Start: true, Health: true},
				Health: &harness.HealthSpec{
					Test: []string{"CMD-SHELL", "pg_isready -U hub"}, Interval: harness.Duration(time.Second), Timeout: harness.Duration(2 * time.Second),
					Retries: 30, Start: harness.Duration(5 * time.Second),
				},
			},
			{
				Name: "migrate", Image: "shop/migrate", Command: []string{"up"}, Env: map[string]string{"URL": "postgres://db/hub"},
				Secrets: map[string]string{"TOKEN": "env:TOKEN"}, Ready: &harness.ReadySpec{Start: true, Exit: true},
			},
		},
	}
	if d := cmp.Diff(want, s.Target.Container); d != "" {
		t.Error(d)
	}
}

func TestServicesThatTheRunAnswersForAreNotStarted(t *testing.T) {
	const file = "services: {web: {image: hub, depends_on: [sis, crm, db]}, sis: {privileged: true}, crm: {image: crm-stub}, db: {image: pg}}"
	s, err := composed(t, map[string]string{"stack/compose.yaml": file}, `{compose: stack/compose.yaml, service: web, hosts: {"crm:8080": sis}}`)
	if err != nil {
		t.Fatal(err)
	}
	if also := s.Target.Container.Also; len(also) != 1 || also[0].Name != "db" {
		t.Errorf("companions %+v", also)
	}
}

func TestComposeFilesThatAreRefused(t *testing.T) {
	image := "services:\n  web:\n    image: hub\n    "
	for _, tt := range []struct {
		why, compose, container string
		want                    []string
	}{
		{"an unknown key", image + "sysctl: {a: b}", "", []string{`stack/compose.yaml:4:5: unknown key "sysctl" in services.web; known: image, build`}},
		{"a misspelt key", image + "enviroment: {A: b}", "", []string{`4:5: unknown key "enviroment" in services.web; did you mean "environment"?`}},
		{"more rights", image + "privileged: true\n    cap_add: [ALL]", "", []string{`4:5: key "privileged" in services.web is refused`, `5:5: key "cap_add" in services.web is refused`}},
		{"the network of the host", image + "network_mode: host", "", []string{`4:5: key "network_mode" in services.web is refused`}},
		{"the socket of docker", image + "volumes:\n      - /var/run/docker.sock:/var/run/docker.sock:ro", "", []string{"5:9: services.web.volumes[0]: the socket of Docker is refused"}},
		{"a folder of the machine", image + "volumes: [/etc:/host:ro, '~/.ssh:/ssh:ro', ../../x:/x:ro]", "", []string{`"/etc" is outside of the workspace`, `"~/.ssh" is outside`, `"../x" leaves the workspace`}},
		{"what is not there", image + "volumes: [./gone:/x:ro]", "", []string{`no "stack/gone" in the workspace`}},
		{"a bind that writes", image + "volumes: [./here:/x]", "", []string{`the container could change "./here"`}},
		{"an option of a volume", image + "volumes: [data:/x:nocopy]", "", []string{`option "nocopy" is not understood`}},
		{"a path that is not whole", image + "volumes: [data:x]", "", []string{`"x" is no path from the root`}},
		{"a volume of two", image + "depends_on: [db]\n    volumes: [data:/x]\n  db:\n    image: pg\n    volumes: [data:/y]", "", []string{`volume "data" is that of services.db.volumes[0], too`}},
		{"a type of a volume", image + "volumes: [{type: tmpfs, target: /x}]", "", []string{`type "tmpfs" is not understood`}},
		{"neither image nor build", "services:\n  web:\n    command: [a]", "", []string{"2:3: services.web has neither image nor build"}},
		{"a build without a folder", "services:\n  web:\n    build: nowhere", "", []string{`3:12: services.web.build: no "stack/nowhere" in the workspace`}},
		{"a build elsewhere", "services:\n  web:\n    build: https://example.com/hub.git", "", []string{`services.web.build: no "stack/https:/example.com/hub.git"`}},
		{"a build by a key", "services:\n  web:\n    build: {context: ., ssh: [default]}", "", []string{`3:25: unknown key "ssh" in services.web.build`}},
		{"a service that says nothing", "services:\n  web:", "", []string{"2:3: services.web is something else, want keys with values"}},
		{"a build that says nothing", "services:\n  web:\n    build:", "", []string{"3:5: services.web.build has no value"}},
		{"nothing in a list", image + "ports: [8080, ]\n    expose: [~]", "", []string{"services.web.expose[0] is something else"}},
		{"a dependency without its condition", image + "depends_on:\n      db:\n  db: {image: pg}", "", []string{"services.web.depends_on.db has no value"}},
		{"no services", "version: '3'", "", []string{"1:1: the Compose file has no services"}},
		{"a list of services", "services: [web]", "", []string{"services is a list, want keys with values"}},
		{"not YAML", "services:\n\t- web", "", []string{"stack/compose.yaml:2:1: not YAML"}},
		{"an anchor", "services:\n  web: &a {image: hub}", "", []string{"2:8: anchors (&) are not supported"}},
		{"an include", "include: [b.yaml]\nservices: {web: {image: hub}}", "", []string{`1:1: key "include" is not understood in a Compose file; drop it, and write`}},
		{"a network of others", image + "user: a\nnetworks: {front: {external: true}}", "", []string{`5:20: key "external" in networks.front is not understood; drop it`}},
		{"a fixed address", image + "networks: {front: {ipv4_address: 10.0.0.2}}", "", []string{`unknown key "ipv4_address" in services.web.networks.front`}},
		{"a circle", image + "depends_on: [db]\n  db:\n    image: pg\n    depends_on: [web]", "", []string{"7:18: services.db.depends_on[0]: a circle", "web → db → web"}},
		{"itself", image + "depends_on: [web]", "", []string{"web → web"}},
		{"a dependency that is not there", image + "depends_on: {bd: {condition: service_started}}\n  db: {image: pg}", "", []string{`4:22: services.web.depends_on.bd: no service "bd"; did you mean "db"?`}},
		{"a condition", image + "depends_on: {db: {condition: service_up}}\n  db: {image: pg}", "", []string{`services.web.depends_on.db.condition: "service_up" is not known; known: service_completed_successfully, service_healthy, service_started`}},
		{"a health check", image + "healthcheck: {test: [curl, x]}", "", []string{"services.web.healthcheck.test begins with CMD"}},
		{"a port", image + "ports: ['8000-8010']", "", []string{`services.web.ports[0]: "8000-8010" is no port`}},
		{"several ports", image + "ports: [80, 443]", "", []string{"scenario.yaml:6:", "service web has several ports; write port"}},
		{"an empty command", image + "command: []", "", []string{"services.web.command is empty"}},
		{"an open quote", image + "command: say 'hello", "", []string{"4:14: services.web.command: a quote", "is not closed"}},
		{"a variable that is not set", image + "user: ${NOBODY}", "", []string{"4:11: services.web.user: variable NOBODY is not set"}},
		{"a variable with a message", image + "user: '${NOBODY:?say who}'", "", []string{"services.web.user: variable NOBODY is not set: say who"}},
		{"a variable without braces", image + "user: $SET", "", []string{"write ${SET} for the variable, or $$SET for the text itself"}},
		{"a form of a variable", image + "user: ${SET+x}", "", []string{`"SET+x" is not the name of a variable`}},
		{"a missing file of variables", image + "env_file: no.env", "", []string{`4:15: services.web.env_file: no "stack/no.env" in the workspace`}},
		{"a file of variables", image + "env_file: bad.env", "", []string{"stack/bad.env:2:1: ", "stack/bad.env:3:1: a quote is not closed"}},
		{"no service", image + "user: a", "{compose: stack/compose.yaml}", []string{"scenario.yaml:6:14: target.container: service is missing", "has web"}},
		{"another service", image + "user: a", "{compose: stack/compose.yaml, service: wbe}", []string{`target.container.service: no service "wbe" in stack/compose.yaml; did you mean "web"?`}},
		{"no such file", image + "user: a", "{compose: compose.yml, service: web}", []string{`target.container.compose: no "compose.yml" in the workspace`}},
		{"a file elsewhere", image + "user: a", "{compose: ../compose.yml, service: web}", []string{`leaves the workspace`}},
		{"two words for one thing", image + "user: a", "{compose: stack/compose.yaml, service: web, user: b}", []string{"target.container.user: the Compose file says that"}},
		{"a service of nothing", image + "user: a", "{image: hub, service: web}", []string{"target.container.service is for compose"}},
		{"an image beside it", image + "user: a", "{image: hub, compose: stack/compose.yaml, service: web}", []string{"must have exactly one of image, build, compose"}},
		{"a companion", image + "user: a", "{image: hub, also: [{name: a, compose: stack/compose.yaml, service: web}]}", []string{"also[0].compose: a companion is one container"}},
	} {
		_, err := composed(t, map[string]string{"stack/compose.yaml": tt.compose, "stack/here": "x", "stack/bad.env": "A=1\nB-C=2\nD=\"x\n"}, tt.container)
		if err == nil {
			t.Errorf("%s: it is accepted", tt.why)
			continue
		}
		checkProblem(t, err)
		for _, want := range tt.want {
			if !strings.Contains(err.Error(), want) {
				t.Errorf("%s: got\n%v\nwant %s", tt.why, err, want)
			}
		}
	}
}

func TestWordsAreSplitAsAShellDoes(t *testing.T) {
	for line, want := range map[string][]string{
		`a  b`: {"a", "b"}, `a 'b c' "d \"e"`: {"a", "b c", `d "e`}, `a\ b ''`: {"a b", ""}, `'a\b'c`: {`a\bc`}, " \n": nil,
	} {
		if got, err := splitWords(line); err != nil || cmp.Diff(want, got) != "" {
			t.Errorf("%q: %q, %v", line, got, err)
		}
	}
}

func FuzzComposeFile(f *testing.F) {
	f.Add(stack)
	f.Add("services: {web: {command: 'a \"', env_file: [{path: a}], ports: [{target: 1}], depends_on: [web], build: {args: [A]}}}")
	f.Fuzz(func(t *testing.T, src string) {
		d, services := decodeCompose("compose.yaml", []byte(src), func(string) (string, bool) { return "x", true })
		for _, e := range services {
			d.service(e)
		}
		var v variables
		d.dotenv(&v, []byte(src))
		for _, p := range d.problems {
			if strings.ContainsAny(p.Error(), "\n\x1b") {
				t.Errorf("a problem steers the terminal: %q", p.Error())
			}
		}
	})
}
