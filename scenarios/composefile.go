package scenarios

import (
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"github.com/goccy/go-yaml/ast"

	"github.com/rehearse-dev/rehearse/harness"
)

// The part of a Compose file that is understood, by the Compose specification. A key that is not here is a problem, unless
// it says nothing about a run.

// service is one service of a Compose file.
type service struct {
	Image       string        `yaml:"image,omitempty"`
	Build       *composeBuild `yaml:"build,omitempty"`
	Command     shellWords    `yaml:"command,omitempty"`
	Entrypoint  shellWords    `yaml:"entrypoint,omitempty"`
	Environment variables     `yaml:"environment,omitempty"`
	EnvFile     envFiles      `yaml:"env_file,omitempty"`
	Ports       ports         `yaml:"ports,omitempty"`
	Expose      ports         `yaml:"expose,omitempty"`
	Volumes     []volume      `yaml:"volumes,omitempty"`
	DependsOn   dependencies  `yaml:"depends_on,omitempty"`
	Healthcheck *healthcheck  `yaml:"healthcheck,omitempty"`
	Networks    networkNames  `yaml:"networks,omitempty"`
	User        string        `yaml:"user,omitempty"`
	WorkingDir  string        `yaml:"working_dir,omitempty"`
	Hostname    string        `yaml:"hostname,omitempty"`
	Container   string        `yaml:"container_name,omitempty"` // a further host name
}

// composeKeys are the keys beside services at the top of a Compose file, and what to do about those that are refused.
var composeKeys = map[string]string{
	"version": "", "name": "", "volumes": "", "networks": "",
	"secrets": "drop it, and name the secrets under secrets: in the scenario's container",
	"configs": "drop it, and bind the files read-only under volumes:",
	"include": "drop it, and write the services into this file",
}

// aboutNoRun are the keys of a service that say nothing about a run, in which nothing is started again or published.
var aboutNoRun = []string{"restart", "labels", "logging", "profiles", "stop_grace_period"}

// notInARun are the keys of a service that a run refuses, with what to do.
var notInARun = func() map[string]string {
	keys := map[string]string{
		"extra_hosts": "drop it: hosts: in the scenario's container says which names lead to watched systems",
		"dns":         "drop it: only the names of the run exist in a run",
		"links":       "write depends_on:, and the other name under networks: {default: {aliases: […]}} of that service",
		"secrets":     "drop it, and name the secrets under secrets: in the scenario's container",
		"configs":     "drop it, and bind the files read-only under volumes:",
		"extends":     "write the keys out",
		"deploy":      "drop it: one container of each service is started; memory: and cpus: of the scenario's container limit it",
		"develop":     "drop it",
		"tmpfs":       "write the folder under volumes: without a source",
	}
	for _, key := range []string{
		"privileged", "cap_add", "devices", "device_cgroup_rules", "gpus", "security_opt", "pid", "ipc", "uts", "cgroup", "cgroup_parent", "userns_mode",
		"network_mode", "volumes_from", "external_links", "use_api_socket",
	} {
		keys[key] = "drop it: a container of a run has no way to this machine or out of its network"
	}
	return keys
}()

// decodeCompose reads a Compose file and returns its services, unread: those that are not started need not be understood.
func decodeCompose(shown string, src []byte, lookup func(string) (string, bool)) (*decoder, []entry) {
	d := newDecoder(shown, "Compose file", lookup)
	d.bare = true
	root, problems := parseFile(shown, src)
	d.problems = problems
	if len(problems) > 0 {
		return d, nil
	}
	d.places[""] = place{1, 1}
	var services []entry
	if !isNull(root) {
		top, _ := d.entries(root, "")
		for _, e := range top {
			d.places[e.name] = e.at
			if e.name == "services" {
				services, _ = d.entries(e.node, e.name)
				continue
			}
			d.top(e)
		}
	}
	if len(services) == 0 && len(d.problems) == 0 {
		d.problem("services", "the Compose file has no services")
	}
	for _, e := range services {
		d.places[below("services", e.name)] = e.at
	}
	return d, services
}

// top looks at a key beside services.
func (d *decoder) top(e entry) {
	advice, known := composeKeys[e.name]
	switch {
	case strings.HasPrefix(e.name, "x-"):
	case !known:
		d.problem(e.name, "key %s is not understood in a Compose file; drop it", quoted(e.name))
	case advice != "":
		d.problem(e.name, "key %s is not understood in a Compose file; %s", quoted(e.name), advice)
	case e.name == "volumes" || e.name == "networks":
		d.declared(e)
	}
}

// declared looks at the volumes or networks of a Compose file. A run makes its own, so that only what would tie it to
// others matters.
func (d *decoder) declared(e entry) {
	if isNull(e.node) {
		return
	}
	list, _ := d.entries(e.node, e.name)
	for _, one := range list {
		label := below(e.name, one.name)
		if d.places[label] = one.at; isNull(one.node) {
			continue
		}
		keys, _ := d.entries(one.node, label)
		for _, k := range keys {
			if !slices.Contains([]string{"name", "internal", "labels"}, k.name) {
				d.problems.add(d.file, k.at, "key %s in %s is not understood; drop it: a run makes networks and volumes of its own", quoted(k.name), label)
			}
		}
	}
}

// service reads a service.
func (d *decoder) service(e entry) (s service) {
	label := below("services", e.name)
	all, _ := d.entries(e.node, label)
	var known []entry
	for _, k := range all {
		advice, refused := notInARun[k.name]
		switch {
		case refused:
			d.problems.add(d.file, k.at, "key %s in %s is refused; %s", quoted(k.name), label, advice)
		case !slices.Contains(aboutNoRun, k.name) && !strings.HasPrefix(k.name, "x-"):
			known = append(known, k)
		}
	}
	d.fields(reflect.ValueOf(&s).Elem(), label, known)
	if s.Image == "" && s.Build == nil && !d.faulty[label] {
		d.problem(label, "%s has neither image nor build", label)
	}
	return s
}

// each calls f for each element of a list, or for the node itself.
func (d *decoder) each(node ast.Node, label string, f func(node ast.Node, label string)) {
	list, ok := node.(*ast.SequenceNode)
	if !ok {
		f(node, label)
		return
	}
	for i, element := range list.Values {
		at := fmt.Sprintf("%s[%d]", label, i)
		d.places[at] = nodePlace(element)
		f(element, at)
	}
}

func isMapping(node ast.Node) bool { return sort(node) == "a mapping" }

// composeBuild is a folder, or more about it.
type composeBuild struct {
	Context    string
	Dockerfile string
	Args       variables
	Target     string
}

func (b *composeBuild) read(d *decoder, node ast.Node, label string) {
	if !isMapping(node) {
		b.Context, _ = d.words(node, label, "a folder")
		return
	}
	var long struct {
		Context    string    `yaml:"context,omitempty"`
		Dockerfile string    `yaml:"dockerfile,omitempty"`
		Args       variables `yaml:"args,omitempty"`
		Target     string    `yaml:"target,omitempty"`
	}
	d.value(node, reflect.ValueOf(&long).Elem(), label)
	*b = composeBuild(long)
}

// shellWords is a list of words, or a line in which they are quoted as a shell would have them.
type shellWords []string

func (w *shellWords) read(d *decoder, node ast.Node, label string) {
	if _, list := node.(*ast.SequenceNode); list {
		d.list(node, reflect.ValueOf((*[]string)(w)).Elem(), label)
	} else if line, ok := d.words(node, label, "text or a list"); ok {
		words, err := splitWords(line)
		if err != nil {
			d.problem(label, "%s: %v", label, err)
		}
		*w = words
	}
	if len(*w) == 0 && !d.faulty[label] {
		d.problem(label, "%s is empty; drop it for that of the image, or write a program", label)
	}
}

// splitWords splits a line into words by the quoting of a shell. Nothing is expanded.
func splitWords(line string) (words []string, err error) {
	var word strings.Builder
	quote, open := rune(0), false
	escaped := false
	for _, r := range line {
		switch {
		case escaped:
			word.WriteRune(r)
			escaped = false
		case r == '\\' && quote != '\'':
			escaped, open = true, true
		case quote != 0 && r == quote:
			quote = 0
		case quote == 0 && (r == '\'' || r == '"'):
			quote, open = r, true
		case quote == 0 && strings.ContainsRune(" \t\r\n", r):
			if open {
				words = append(words, word.String())
				word.Reset()
			}
			open = false
		default:
			word.WriteRune(r)
			open = true
		}
	}
	if quote != 0 || escaped {
		return nil, fmt.Errorf("a quote in %s is not closed; write a list of words", quoted(line))
	}
	if open {
		words = append(words, word.String())
	}
	return words, nil
}

// variables is a mapping, or a list of NAME=value. A name without a value gets that of the environment.
type variables struct {
	values map[string]string
	passed []string
}

func (v *variables) read(d *decoder, node ast.Node, label string) {
	if !isMapping(node) {
		d.each(node, label, func(node ast.Node, label string) {
			if text, ok := d.words(node, label, "NAME=value"); ok {
				name, value, given := strings.Cut(text, "=")
				v.set(name, value, given)
			}
		})
		return
	}
	entries, _ := d.entries(node, label)
	for _, e := range entries {
		at := below(label, e.name)
		if d.places[at] = e.at; isNull(e.node) {
			v.set(e.name, "", false)
		} else if text, ok := d.words(e.node, at, "text"); ok {
			v.set(e.name, text, true)
		}
	}
}

// set sets a variable, to a value that is given or to that of the environment. The last one holds.
func (v *variables) set(name, value string, given bool) {
	v.passed = slices.DeleteFunc(v.passed, func(other string) bool { return other == name })
	delete(v.values, name)
	if v.values == nil {
		v.values = map[string]string{}
	}
	if given {
		v.values[name] = value
	} else {
		v.passed = append(v.passed, name)
	}
}

// envFiles is a file with variables, or a list of them.
type envFiles []envFile

type envFile struct {
	path     string
	optional bool
	label    string
}

func (f *envFiles) read(d *decoder, node ast.Node, label string) {
	d.each(node, label, func(node ast.Node, label string) {
		file := envFile{label: label}
		if isMapping(node) {
			long := struct {
				Path     string `yaml:"path"`
				Required bool   `yaml:"required,omitempty"`
			}{Required: true}
			d.value(node, reflect.ValueOf(&long).Elem(), label)
			file.path, file.optional = long.Path, !long.Required
		} else {
			file.path, _ = d.words(node, label, "a file")
		}
		*f = append(*f, file)
	})
}

// ports are those in the container. Nothing is published on this machine.
type ports []int

func (p *ports) read(d *decoder, node ast.Node, label string) {
	d.each(node, label, func(node ast.Node, label string) {
		text, protocol := "", ""
		if isMapping(node) {
			var long struct {
				Target    string `yaml:"target"`
				Protocol  string `yaml:"protocol,omitempty"`
				Published string `yaml:"published,omitempty"`
				HostIP    string `yaml:"host_ip,omitempty"`
				Mode      string `yaml:"mode,omitempty"`
				Name      string `yaml:"name,omitempty"`
				App       string `yaml:"app_protocol,omitempty"`
			}
			d.value(node, reflect.ValueOf(&long).Elem(), label)
			text, protocol = long.Target, long.Protocol
		} else {
			words, _ := d.words(node, label, "a port")
			text, protocol, _ = strings.Cut(words, "/")
			text = text[strings.LastIndexByte(text, ':')+1:]
		}
		port, err := strconv.ParseUint(text, 10, 16)
		switch {
		case d.faulty[label]:
		case err != nil || port == 0:
			d.problem(label, "%s: %s is no port of the container; write it like 8080 or \"80:8080\"", label, quoted(text))
		case protocol != "udp" && !slices.Contains(*p, int(port)):
			*p = append(*p, int(port))
		}
	})
}

// volume is what a container sees at a path.
type volume struct {
	from, to string // from is a file or folder of this machine, or the name of a volume; empty: a volume without a name
	bind     bool
	reads    bool // it is read-only
}

func (v *volume) read(d *decoder, node ast.Node, label string) {
	if isMapping(node) {
		v.readLong(d, node, label)
		return
	}
	text, ok := d.words(node, label, "a volume")
	if !ok {
		return
	}
	parts := strings.Split(text, ":")
	switch len(parts) {
	case 1:
		v.to = parts[0]
		return
	case 2, 3:
		v.from, v.to = parts[0], parts[1]
	default:
		d.problem(label, "%s: %s is no volume such as ./rules.csv:/etc/hub/rules.csv:ro", label, quoted(text))
		return
	}
	v.bind = strings.ContainsAny(v.from[:min(1, len(v.from))], "./~")
	for _, option := range strings.Split(strings.Join(parts[2:], ","), ",") {
		switch option {
		case "ro":
			v.reads = true
		case "", "rw", "z", "Z":
		default:
			d.problem(label, "%s: option %s is not understood; drop it", label, quoted(option))
		}
	}
}

func (v *volume) readLong(d *decoder, node ast.Node, label string) {
	var long struct {
		Type     string `yaml:"type"`
		Source   string `yaml:"source,omitempty"`
		Target   string `yaml:"target"`
		ReadOnly bool   `yaml:"read_only,omitempty"`
	}
	d.value(node, reflect.ValueOf(&long).Elem(), label)
	if long.Type != "bind" && long.Type != "volume" && !d.faulty[label] {
		d.problem(label, "%s: type %s is not understood; write bind or volume", label, quoted(long.Type))
	}
	*v = volume{long.Source, long.Target, long.Type == "bind", long.ReadOnly}
}

// conditions of a dependency, and what they wait for. None waits for a port: nothing but other containers talks to it.
var conditions = map[string]harness.ReadySpec{
	"service_started":                {Start: true},
	"service_healthy":                {Start: true, Health: true},
	"service_completed_successfully": {Start: true, Exit: true},
}

// dependencies are services that come first: a list, or a mapping with conditions.
type dependencies []dependency

type dependency struct {
	name, label string
	ready       harness.ReadySpec
}

func (list *dependencies) read(d *decoder, node ast.Node, label string) {
	if !isMapping(node) {
		d.each(node, label, func(node ast.Node, label string) {
			if name, ok := d.words(node, label, "a service"); ok {
				*list = append(*list, dependency{name, label, conditions["service_started"]})
			}
		})
		return
	}
	entries, _ := d.entries(node, label)
	for _, e := range entries {
		at := below(label, e.name)
		d.places[at] = e.at
		var long struct {
			Condition string `yaml:"condition"`
			Restart   bool   `yaml:"restart,omitempty"`
		}
		d.value(e.node, reflect.ValueOf(&long).Elem(), at)
		ready, known := conditions[long.Condition]
		if !known && !d.faulty[at] {
			d.problem(below(at, "condition"), "%s.condition: %s is not known%s", at, quoted(long.Condition),
				orList(long.Condition, slices.Sorted(maps.Keys(conditions))))
		}
		*list = append(*list, dependency{e.name, at, ready})
	}
}

// healthcheck is the health check of a service.
type healthcheck struct {
	Test          healthTest       `yaml:"test,omitempty"`
	Interval      harness.Duration `yaml:"interval,omitempty"`
	Timeout       harness.Duration `yaml:"timeout,omitempty"`
	Retries       int              `yaml:"retries,omitempty"`
	StartPeriod   harness.Duration `yaml:"start_period,omitempty"`
	StartInterval harness.Duration `yaml:"start_interval,omitempty"`
	Disable       bool             `yaml:"disable,omitempty"`
}

// healthTest is a line for the shell, or a list that says in its first word what the others are.
type healthTest []string

func (h *healthTest) read(d *decoder, node ast.Node, label string) {
	if _, list := node.(*ast.SequenceNode); !list {
		if line, ok := d.words(node, label, "text or a list"); ok {
			*h = healthTest{"CMD-SHELL", line}
		}
		return
	}
	d.list(node, reflect.ValueOf((*[]string)(h)).Elem(), label)
	if t := *h; len(t) == 0 || !slices.Contains([]string{"NONE", "CMD", "CMD-SHELL"}, t[0]) || len(t) == 1 && t[0] != "NONE" {
		d.problem(label, "%s begins with CMD and a program, CMD-SHELL and a line, or is NONE", label)
	}
}

// networkNames are the further host names in the networks of a service, which are one in a run.
type networkNames []string

func (names *networkNames) read(d *decoder, node ast.Node, label string) {
	if !isMapping(node) {
		d.each(node, label, func(node ast.Node, label string) { d.words(node, label, "a network") })
		return
	}
	entries, _ := d.entries(node, label)
	for _, e := range entries {
		at := below(label, e.name)
		d.places[at] = e.at
		var long struct {
			Aliases []string `yaml:"aliases,omitempty"`
		}
		if !isNull(e.node) {
			d.value(e.node, reflect.ValueOf(&long).Elem(), at)
		}
		*names = append(*names, long.Aliases...)
	}
}
