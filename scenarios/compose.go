package scenarios

import (
	"cmp"
	"fmt"
	"maps"
	"path"
	"reflect"
	"slices"
	"strings"

	"github.com/rehearse-dev/rehearse/harness"
)

// besideCompose are the keys of a container that may stand beside compose and service; they win over those of the service.
var besideCompose = []string{
	"compose", "service", "env", "secrets", "files", "mounts", "hosts", "port", "ready", "wait", "memory", "cpus", "processes", "also",
}

// composition is a Compose file, of which some services become containers.
type composition struct {
	*checker
	dir      string  // of the file, below the workspace
	services []entry // in the order of the file
	started  []*started
	volumes  map[string]string // name → where it stands
	answered map[string]bool   // host names that lead to watched systems: a service of that name is not started

	environ func(string) (string, bool) // the environment
	beside  map[string]string           // the file .env beside the Compose file
}

// started is a service that becomes a container.
type started struct {
	name  string
	ready harness.ReadySpec // all that somebody waits for
	ports []int
	spec  harness.ContainerSpec
}

// compose replaces a container that is a service of a Compose file by what that says: the services that it depends on
// become its companions.
func (c *checker) compose(label string, own *harness.ContainerSpec) {
	v := reflect.ValueOf(own).Elem()
	for _, k := range keysOf(v.Type()) {
		if !slices.Contains(besideCompose, k.name) && !isEmpty(v.Field(k.field)) {
			c.problem(below(label, k.name), "%s.%s: the Compose file says that; drop one of the two", label, k.name)
		}
	}
	f := &composition{dir: path.Dir(own.Compose), volumes: map[string]string{}, environ: c.lookup}
	f.beside = c.dotenvIn(label+".compose", f.dir)
	if own == c.s.Target.Container {
		f.answered = c.answered()
	}
	d, services, ok := listIn(c, label+".compose", own.Compose, func(shown string, src []byte, _ func(string) (string, bool)) (*decoder, []entry) {
		return decodeCompose(shown, src, f.variable)
	})
	if !ok {
		return
	}
	f.checker, f.services = &checker{decoder: d, w: c.w, root: c.root}, services
	switch {
	case len(d.problems) > 0:
	case own.Service == "":
		c.problem(label, "%s: service is missing: the one that is fed; %s has %s", label, own.Compose, strings.Join(f.names(), ", "))
	case f.find(own.Service) < 0:
		c.problem(label+".service", "%s.service: no service %s in %s%s", label, quoted(own.Service), own.Compose, orList(own.Service, f.names()))
	default:
		f.start(own.Service, "", harness.ReadySpec{}, nil)
	}
	c.problems = append(c.problems, d.problems...)
	if len(c.problems) > 0 || len(f.started) == 0 {
		return
	}
	fed := f.started[len(f.started)-1]
	if own.Port == 0 && len(fed.ports) > 1 {
		c.problem(label, "%s: service %s has several ports; write port: the one that is fed", label, own.Service)
	}
	*own = f.over(*own)
}

// answered is the host names that lead to watched systems.
func (c *checker) answered() map[string]bool {
	names := map[string]bool{}
	for _, system := range c.s.Mocks {
		names[system] = true
	}
	for system := range c.s.Upstreams {
		names[system] = true
	}
	for host := range c.s.Target.Container.Hosts {
		name, _, _ := strings.Cut(host, ":")
		names[name] = true
	}
	return names
}

// dotenvIn is the variables of the file .env beside the Compose file, when there is one.
func (c *checker) dotenvIn(label, dir string) map[string]string {
	file := path.Join(dir, ".env")
	if checkLocal(file) != "" || c.isMissing(file) {
		return nil
	}
	src, ok := c.read(label, file)
	if !ok {
		return nil
	}
	d := newDecoder(file, "variables", c.lookup)
	d.bare = true
	var v variables
	d.dotenv(&v, src)
	c.problems = append(c.problems, d.problems...)
	return v.values
}

// variable looks a variable up in the environment, and then in the file .env.
func (f *composition) variable(name string) (string, bool) {
	if value, set := f.fromEnvironment(name); set {
		return value, true
	}
	value, set := f.beside[name]
	return value, set
}

func (f *composition) fromEnvironment(name string) (string, bool) {
	if f.environ == nil {
		return "", false
	}
	return f.environ(name)
}

func (f *composition) names() []string {
	list := make([]string, len(f.services))
	for i, e := range f.services {
		list[i] = e.name
	}
	return list
}

func (f *composition) find(name string) int {
	return slices.IndexFunc(f.services, func(e entry) bool { return e.name == name })
}

// start adds a service after those that it depends on. The label is where it is named, the trail are the services that
// wait for it.
func (f *composition) start(name, label string, ready harness.ReadySpec, trail []string) {
	if i := slices.Index(trail, name); i >= 0 {
		f.problem(label, "%s: a circle: %s waits for itself; drop one of these: %s", label, name, strings.Join(append(slices.Clone(trail[i:]), name), " → "))
		return
	}
	if f.answered[name] && len(trail) > 0 {
		return
	}
	if i := slices.IndexFunc(f.started, func(s *started) bool { return s.name == name }); i >= 0 {
		f.started[i].awaited(ready)
		return
	}
	at := f.find(name)
	if at < 0 {
		f.problem(label, "%s: no service %s%s", label, quoted(name), orList(name, f.names()))
		return
	}
	s := f.service(f.services[at])
	trail = append(slices.Clip(trail), name)
	for _, d := range s.DependsOn {
		f.start(d.name, d.label, d.ready, trail)
	}
	one := &started{name: name, ports: s.Ports, spec: f.container(name, s)}
	if len(one.ports) == 0 {
		one.ports = s.Expose
	}
	one.awaited(ready)
	f.started = append(f.started, one)
}

// awaited adds what somebody waits for.
func (s *started) awaited(ready harness.ReadySpec) {
	s.ready.Start = ready.Start
	s.ready.Health = s.ready.Health || ready.Health
	s.ready.Exit = s.ready.Exit || ready.Exit
}

// container is a service in the words of a scenario. Nothing in a Compose file is a placeholder.
func (f *composition) container(name string, s service) harness.ContainerSpec {
	label := below("services", name)
	c := harness.ContainerSpec{
		Name: name, Image: s.Image, Entrypoint: literal(s.Entrypoint), Command: literal(s.Command),
		User: s.User, Folder: s.WorkingDir, Hostname: s.Hostname,
	}
	for _, alias := range append(s.Networks, s.Container) {
		if alias != "" && alias != name && !slices.Contains(c.Aliases, alias) {
			c.Aliases = append(c.Aliases, alias)
		}
	}
	if s.Build != nil {
		c.Image, c.Build = "", f.build(label+".build", *s.Build)
	}
	c.Env, c.Secrets = f.environment(s)
	for i, v := range s.Volumes {
		f.volume(fmt.Sprintf("%s.volumes[%d]", label, i), v, &c)
	}
	if h := s.Healthcheck; h != nil {
		c.Health = &harness.HealthSpec{Test: h.Test, Interval: h.Interval, Timeout: h.Timeout, Retries: h.Retries, Start: h.StartPeriod, Every: h.StartInterval}
		if h.Disable {
			c.Health.Test = []string{"NONE"}
		}
	}
	return c
}

// literal is texts in which nothing is a placeholder.
func literal(texts []string) []string {
	var list []string
	for _, text := range texts {
		list = append(list, harness.EscapePlaceholders(text))
	}
	return list
}

func (f *composition) build(label string, b composeBuild) *harness.BuildSpec {
	spec := &harness.BuildSpec{Context: path.Join(f.dir, b.Context), Dockerfile: b.Dockerfile, Target: b.Target, Args: map[string]string{}}
	maps.Copy(spec.Args, b.Args.values)
	f.checkFolder(label, spec.Context)
	if !f.faulty[label] {
		f.checkFile(label, path.Join(spec.Context, cmp.Or(b.Dockerfile, "Dockerfile")))
	}
	for _, name := range b.Args.passed {
		if value, set := f.variable(name); set {
			spec.Args[name] = value
		}
	}
	return spec
}

// environment is the variables of a service. One that is passed on is a secret: only its name is known here, unless the file
// .env has its value.
func (f *composition) environment(s service) (env, secrets map[string]string) {
	var all variables
	for _, file := range s.EnvFile {
		name := path.Join(f.dir, file.path)
		if file.optional && f.isMissing(name) {
			continue
		}
		src, ok := f.read(file.label, name)
		if !ok {
			continue
		}
		d := newDecoder(name, "variables", f.lookup)
		d.bare = true
		d.dotenv(&all, src)
		f.problems = append(f.problems, d.problems...)
	}
	for name, value := range s.Environment.values {
		all.set(name, value, true)
	}
	for _, name := range s.Environment.passed {
		all.set(name, "", false)
	}
	env, secrets = map[string]string{}, map[string]string{}
	for name, value := range all.values {
		env[name] = harness.EscapePlaceholders(value)
	}
	for _, name := range all.passed {
		value, here := f.beside[name]
		if _, set := f.fromEnvironment(name); here && !set {
			env[name] = harness.EscapePlaceholders(value)
			continue
		}
		secrets[name] = "env:" + name
	}
	return env, secrets
}

// volume adds what a service sees at a path: a copy of a file, a folder that cannot be changed, or a folder with a life as
// long as the container's.
func (f *composition) volume(label string, v volume, c *harness.ContainerSpec) {
	if f.checkAbsolute(label, v.to); f.faulty[label] {
		return
	}
	from := path.Join(f.dir, v.from)
	switch {
	case !v.bind:
		if v.from != "" && f.shared(v.from, label) {
			return
		}
		c.Volumes = append(c.Volumes, v.to)
		return
	case path.Base(v.from) == "docker.sock":
		f.problem(label, "%s: the socket of Docker is refused: what has it can do everything on this machine; drop it", label)
		return
	case path.IsAbs(v.from) || strings.HasPrefix(v.from, "~"):
		f.problem(label, "%s: %s is outside of the workspace; copy what is needed below it", label, quoted(v.from))
		return
	}
	info := f.stat(label, from)
	switch {
	case info == nil:
	case !v.reads:
		f.problem(label, "%s: the container could change %s; make it read-only (:ro, read_only: true), or drop the source for a folder of its own", label, quoted(v.from))
	case info.IsDir():
		c.Mounts = append(c.Mounts, harness.MountSpec{From: from, To: v.to})
	case info.Mode().IsRegular():
		file := harness.FileCopy{From: from, To: v.to}
		if info.Mode()&0o111 != 0 {
			file.Mode = "0755"
		}
		c.Files = append(c.Files, file)
	default:
		f.problem(label, "%s: %s is neither a file nor a folder", label, quoted(v.from))
	}
}

// shared reports, as a problem, a volume that another service has, too.
func (f *composition) shared(name, label string) bool {
	if before, taken := f.volumes[name]; taken {
		f.problem(label, "%s: volume %s is that of %s, too; a run has no volumes that containers share", label, quoted(name), before)
		return true
	}
	f.volumes[name] = label
	return false
}

// over is the container that the scenario writes, with what the Compose file says about it and about what it depends on.
func (f *composition) over(own harness.ContainerSpec) harness.ContainerSpec {
	last := len(f.started) - 1
	for _, s := range f.started[:last] {
		s.spec.Ready = &s.ready
		own.Also = append(own.Also, s.spec)
	}
	fed := f.started[last]
	c := fed.spec
	for name := range own.Env {
		delete(c.Secrets, name)
	}
	maps.Copy(c.Env, own.Env)
	maps.Copy(c.Secrets, own.Secrets)
	c.Files, c.Mounts = append(c.Files, own.Files...), append(c.Mounts, own.Mounts...)
	c.Compose, c.Service, c.Hosts, c.Also, c.Ready, c.Wait = own.Compose, own.Service, own.Hosts, own.Also, own.Ready, own.Wait
	c.Memory, c.CPUs, c.Processes = own.Memory, own.CPUs, own.Processes
	if c.Port = own.Port; c.Port == 0 && len(fed.ports) == 1 {
		c.Port = fed.ports[0]
	}
	return c
}
