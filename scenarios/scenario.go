package scenarios

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strconv"

	"github.com/rehearse-dev/rehearse/harness"
)

// expectFile is the content of a file of expectations.
type expectFile struct {
	Expect []harness.Expectation `yaml:"expect"`
}

// ruleFile is the content of a file of rules.
type ruleFile struct {
	Rules []harness.Rule `yaml:"rules"`
}

// Scenario reads and checks one scenario with its expect files and the scenario that it extends. A relative name is
// looked for in the current folder and then in the workspace. Every error is one of usage; what is wrong in files is
// Problems in its chain.
func (w *Workspace) Scenario(file string) (harness.Scenario, error) {
	abs, src, err := w.readNamed(file)
	if err != nil {
		return harness.Scenario{}, harness.Usage(fmt.Errorf("read scenario: %w", err), "name a scenario file of the workspace")
	}
	return w.scenario(abs, src, nil)
}

// scenario reads a scenario that the files before it extend to, outermost first.
func (w *Workspace) scenario(abs string, src []byte, before []string) (s harness.Scenario, err error) {
	d := newDecoder(w.shown(abs), "scenario", w.Env)
	d.decodeFile(src, &s)
	s.File, s.Root = d.file, w.root
	if len(d.places) == 0 { // not YAML at all: nothing to check
		return harness.Scenario{}, d.problems.err()
	}
	c := &checker{decoder: d, w: w, s: &s}
	if c.root, err = os.OpenRoot(w.root); err != nil {
		return harness.Scenario{}, harness.Usage(fmt.Errorf("open workspace: %w", err), "")
	}
	defer c.root.Close()
	c.check()
	if s.Extends != "" && c.checkChain(abs, before) {
		if err := c.extend(append(before, abs)); err != nil {
			return harness.Scenario{}, err
		}
	}
	if err := d.problems.err(); err != nil {
		return harness.Scenario{}, err
	}
	return s, nil
}

func (w *Workspace) readNamed(file string) (abs string, src []byte, err error) {
	if abs, err = filepath.Abs(file); err != nil {
		return "", nil, err
	}
	src, err = readWhole(abs)
	if errors.Is(err, fs.ErrNotExist) && !filepath.IsAbs(file) {
		below := filepath.Join(w.root, file)
		if src, errBelow := readWhole(below); errBelow == nil {
			return below, src, nil
		}
	}
	return abs, src, err
}

// checker looks at what a scenario means: that what it names exists and fits together.
type checker struct {
	*decoder
	w    *Workspace
	s    *harness.Scenario
	root *os.Root
}

func (c *checker) check() {
	s, known := c.s, c.w.catalogue
	if s.Integration != "" {
		checkKnown(c.decoder, "integration", "integration", s.Integration, known.Integrations)
	}
	if c.checkFolder("recording", s.Recording); c.faulty["recording"] {
		c.problems[len(c.problems)-1].Missing = c.isMissing(s.Recording)
	}
	c.checkFolder("candidate", s.Candidate)
	c.checkTarget()
	for _, system := range slices.Sorted(maps.Keys(s.Upstreams)) {
		label := "upstreams." + system
		checkKnown(c.decoder, label, "system", system, known.Systems)
		if at := slices.Index(s.Mocks, system); at >= 0 {
			c.problem(label, "%s is answered by a mock and by a live instance; drop one of the two", quoted(system))
		}
		c.checkURL(label, s.Upstreams[system].URL)
		if p := s.Upstreams[system].Process; p != nil {
			c.checkPlaceholders(label+".process", p.Run, p.Env)
		}
		c.checkContainer(label+".container", s.Upstreams[system].Container)
	}
	c.checkContainerNames()
	for i, system := range s.Mocks {
		label := fmt.Sprintf("mocks[%d]", i)
		checkKnown(c.decoder, label, "system", system, known.Systems)
		if system == s.Target.System && system != "" {
			c.problem(label, "%s is the target and cannot be mocked", quoted(system))
		}
	}
	for i, rule := range s.Rules {
		c.checkRule(fmt.Sprintf("rules[%d]", i), rule)
	}
	for i, p := range s.Preconditions {
		c.checkPrecondition(fmt.Sprintf("preconditions[%d]", i), p)
	}
	c.checkReplay(s.Replay)
	c.checkAccess(s.Access)
	c.checkCorrelate(s.Correlate)
	checkSeverity(c.decoder, "severity", s.Severity, known)
	c.checkInvariants(c.decoder, "", s.Invariants)
	c.checkIntegrationInvariants()
	checkExpectations(c.decoder, s.Expect)
	c.checkCauses(s.Expect)
	for i, file := range s.ExpectFiles {
		if d, list, ok := listIn(c, fmt.Sprintf("expect-files[%d]", i), file, decodeExpect); ok {
			(&checker{decoder: d, w: c.w}).checkCauses(list)
			c.problems = append(c.problems, d.problems...)
			s.Expect = append(s.Expect, list...)
		}
	}
	for i, file := range s.RuleFiles {
		if d, list, ok := listIn(c, fmt.Sprintf("rule-files[%d]", i), file, decodeRules); ok {
			for n, rule := range list {
				(&checker{decoder: d, w: c.w}).checkRule(fmt.Sprintf("rules[%d]", n), rule)
			}
			c.problems = append(c.problems, d.problems...)
			s.Rules = append(s.Rules, list...)
		}
	}
}

func (c *checker) checkTarget() {
	t := c.s.Target
	if t.System != "" {
		checkKnown(c.decoder, "target.system", "system", t.System, c.w.catalogue.Systems)
	}
	c.checkURL("target", t.URL)
	c.checkMappings("target.jq", t.JQ)
	c.checkMappings("target.starlark", t.Starlark)
	c.checkMappings("target.template", t.Template)
	for i, s := range t.Crosswalk {
		label := fmt.Sprintf("target.crosswalk[%d]", i)
		c.checkFile(label+".table", s.Table)
		c.checkReceiver(label+".to", s.To)
	}
	for _, name := range slices.Sorted(maps.Keys(t.Crosswalks)) {
		c.checkFile("target.crosswalks."+name, t.Crosswalks[name])
	}
	if t.Process != nil {
		c.checkPlaceholders("target.process", t.Process.Run, t.Process.Env)
	}
	c.checkContainer("target.container", t.Container)
	for i := range t.Containers {
		c.checkContainer(fmt.Sprintf("target.containers[%d]", i), &t.Containers[i])
	}
	if t.Container != nil && len(t.Containers) > 0 {
		c.problem("target.containers", "target.containers: what stands beside a target in a container belongs under target.container.also")
	}
	if t.Command != nil {
		c.checkReceiver("target.command.to", t.Command.To)
		c.checkPlaceholders("target.command", t.Command.Run, t.Command.Env)
	}
	c.checkSQL(t.SQL)
	c.checkRemote(t.Remote)
	for i, w := range t.Watch {
		label := fmt.Sprintf("target.watch[%d]", i)
		c.checkReceiver(label+".system", w.System)
		if w.Table != nil && len(w.Table.Tables) == 0 && !c.faulty[label+".table.tables"] && !c.faulty[label+".table"] {
			c.problem(label+".table", "%s: name the tables", label)
		}
	}
	if t.Files != nil {
		c.checkPlaceholders("target.files", t.Files.Run, t.Files.Env)
		c.checkLocal("target.files.in", t.Files.In)
		c.checkLocal("target.files.out", t.Files.Out)
		c.checkReceiver("target.files.to", t.Files.To)
	}
}

func (c *checker) checkSQL(s *harness.SQLSpec) {
	if s == nil {
		return
	}
	for i, file := range s.Setup {
		c.checkFile(fmt.Sprintf("target.sql.setup[%d]", i), file)
	}
	for i, file := range s.Run {
		c.checkFile(fmt.Sprintf("target.sql.run[%d]", i), file)
	}
	for i, d := range s.Dump {
		c.checkReceiver(fmt.Sprintf("target.sql.dump[%d].to", i), d.To)
	}
	c.checkReceiver("target.sql.to", s.To)
}

func (c *checker) checkRemote(s *harness.RemoteSpec) {
	if s == nil {
		return
	}
	for i, f := range s.Fetch {
		c.checkReceiver(fmt.Sprintf("target.remote.fetch[%d].to", i), f.To)
	}
	c.checkReceiver("target.remote.to", s.To)
}

func (c *checker) checkMappings(kind string, list []harness.MappingSpec) {
	for i, s := range list {
		label := fmt.Sprintf("%s[%d]", kind, i)
		c.checkFile(label+".program", s.Program)
		for _, name := range slices.Sorted(maps.Keys(s.Crosswalks)) {
			c.checkFile(label+".crosswalks."+name, s.Crosswalks[name])
		}
		c.checkReceiver(label+".to", s.To)
	}
}

// checkPlaceholders reports words in braces that stand for nothing.
func (c *checker) checkPlaceholders(label string, run []string, env map[string]string) {
	check := func(label, text string) {
		_, err := harness.ReplacePlaceholders(text, func(name string) (string, error) {
			if !harness.IsPlaceholder(name) {
				return "", harness.UnknownPlaceholder(name)
			}
			return "", nil
		})
		if err != nil {
			c.problem(label, "%s: %v; %s", label, err, harness.HintOf(err))
		}
	}
	for i, text := range run {
		check(fmt.Sprintf("%s.run[%d]", label, i), text)
	}
	for _, name := range slices.Sorted(maps.Keys(env)) {
		check(label+".env."+name, env[name])
	}
}

func (c *checker) checkReceiver(label, system string) {
	if system != "" {
		checkKnown(c.decoder, label, "system", system, c.w.catalogue.Systems)
	}
}

func (c *checker) checkURL(label string, spec *harness.URLSpec) {
	if spec == nil || spec.Base == "" {
		return
	}
	u, err := url.Parse(spec.Base)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" {
		c.problem(label+".url.base", "%s is not a base such as http://127.0.0.1:8080/api", quoted(spec.Base))
		return
	}
	if _, err := strconv.ParseUint(u.Port(), 10, 16); u.Port() != "" && err != nil {
		c.problem(label+".url.base", "%s: ports end at 65535", quoted(spec.Base))
	}
}

func (c *checker) checkRule(label string, rule harness.Rule) {
	if rule.Compare == "" || c.w.CheckRule == nil {
		return
	}
	if err := c.w.CheckRule(rule); err != nil {
		c.problem(label+".compare", "%s: %v", label, err)
	}
}

func (c *checker) checkInvariants(d *decoder, within string, list []harness.Invariant) {
	for i, in := range list {
		label := below(within, fmt.Sprintf("invariants[%d]", i))
		if d.faulty[label] || in.Check == "" && in.Use == "" || c.w.CheckInvariant == nil {
			continue
		}
		if err := c.w.CheckInvariant(in); err != nil {
			key := ".check"
			if in.Use != "" {
				key = ".use"
			}
			d.problem(label+key, "%s: %v", d.called(label), err)
		}
	}
}

// checkIntegrationInvariants looks at those of the catalogue; its file is read once more for their places.
func (c *checker) checkIntegrationInvariants() {
	if len(c.w.catalogue.Integrations[c.s.Integration].Invariants) == 0 || c.w.CheckInvariant == nil {
		return
	}
	r := &catalogueReader{w: c.w}
	again := readEntries(r, "integrations", "integration", map[string]harness.Integration{}, func(i harness.Integration) string { return i.Name })
	for i, integration := range again.list {
		if integration.Name == c.s.Integration {
			c.checkInvariants(again.decoder, fmt.Sprintf("[%d]", i), integration.Invariants)
		}
	}
	c.problems = append(c.problems, again.problems...)
}

// checkExpectations looks at what the types of the expectations in a scenario or in an expect file cannot say.
func checkExpectations(d *decoder, list []harness.Expectation) {
	for i, e := range list {
		if e.Count < 0 {
			label := fmt.Sprintf("expect[%d].count", i)
			d.problem(label, "%s: %d places cannot be; 0 is any number", label, e.Count)
		}
		if e.Rule != nil && (e.From != nil || e.To != nil || e.Count != 0) {
			label := fmt.Sprintf("expect[%d].rule", i)
			d.problem(label, "%s: a rule says what becomes of every value; drop from, to and count", label)
		}
	}
}

// checkCauses looks at the rules of accepted changes.
func (c *checker) checkCauses(list []harness.Expectation) {
	for i, e := range list {
		if e.Rule == nil || e.Rule.Family == "" || c.w.CheckCause == nil {
			continue
		}
		if err := c.w.CheckCause(*e.Rule); err != nil {
			label := fmt.Sprintf("expect[%d].rule", i)
			c.problem(label, "%s: %v", label, err)
		}
	}
}

// listIn reads a file that the scenario names; its problems are reported in that file.
func listIn[T any](c *checker, label, file string, decode func(string, []byte, func(string) (string, bool)) (*decoder, []T)) (d *decoder, list []T, ok bool) {
	src, ok := c.read(label, file)
	if !ok {
		return nil, nil, false
	}
	d, list = decode(filepath.ToSlash(filepath.Clean(file)), src, c.lookup)
	return d, list, true
}

// read reads a file of the workspace; that it cannot be read is a problem at the label.
func (c *checker) read(label, file string) ([]byte, bool) {
	if !c.checkFile(label, file) {
		return nil, false
	}
	f, err := c.root.Open(filepath.FromSlash(file))
	if err != nil {
		c.problem(label, "%v", err)
		return nil, false
	}
	src, err := readLimited(f)
	if err != nil {
		c.problem(label, "%v", err)
		return nil, false
	}
	return src, true
}

func decodeRules(shown string, src []byte, lookup func(string) (string, bool)) (*decoder, []harness.Rule) {
	d := newDecoder(shown, "rule file", lookup)
	var content ruleFile
	d.decodeFile(src, &content)
	return d, content.Rules
}

func decodeExpect(shown string, src []byte, lookup func(string) (string, bool)) (*decoder, []harness.Expectation) {
	d := newDecoder(shown, "expect file", lookup)
	var content expectFile
	d.decodeFile(src, &content)
	checkExpectations(d, content.Expect)
	return d, content.Expect
}

// checkLocal reports a path that leaves the workspace; an empty one is none.
func (c *checker) checkLocal(label, path string) bool {
	if path == "" {
		return false
	}
	if problem := checkLocal(path); problem != "" {
		c.problem(label, "%s: %s", label, problem)
		return false
	}
	return true
}

func (c *checker) checkFile(label, path string) bool {
	info := c.stat(label, path)
	if info != nil && !info.Mode().IsRegular() {
		c.problem(label, "%s: %s is not a file", label, quoted(path))
		return false
	}
	return info != nil
}

func (c *checker) checkFolder(label, path string) {
	if info := c.stat(label, path); info != nil && !info.IsDir() {
		c.problem(label, "%s: %s is not a folder", label, quoted(path))
	}
}

// isMissing reports whether nothing stands at a path of the workspace.
func (c *checker) isMissing(path string) bool {
	_, err := c.root.Stat(filepath.FromSlash(path))
	return checkLocal(path) == "" && errors.Is(err, fs.ErrNotExist)
}

// stat looks below the workspace only, also where a symbolic link would lead out of it.
func (c *checker) stat(label, path string) fs.FileInfo {
	if !c.checkLocal(label, path) {
		return nil
	}
	info, err := c.root.Stat(filepath.FromSlash(path))
	switch {
	case errors.Is(err, fs.ErrNotExist):
		c.problem(label, "%s: no %s in the workspace", label, quoted(path))
		return nil
	case err != nil:
		if cause, ok := errors.AsType[*fs.PathError](err); ok {
			err = cause.Err
		}
		c.problem(label, "%s: %s: %v", label, quoted(path), err)
		return nil
	}
	return info
}
