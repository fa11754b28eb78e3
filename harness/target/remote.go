package target

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/url"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/rehearse-dev/rehearse/harness"
	"github.com/rehearse-dev/rehearse/harness/internal/started"
	"github.com/rehearse-dev/rehearse/harness/payload"
	"github.com/rehearse-dev/rehearse/harness/replay"
)

// Defaults of a remote job.
const (
	remoteTimeout = 10 * time.Minute // for one job, with its outputs
	remoteEvery   = 2 * time.Second  // between two questions
	maxStatus     = 1 << 20          // bytes of an answer that is no output
)

// remote is a job on another system's test runtime: what is fed is sent to it, a request triggers it, questions follow until it
// is done, and its outputs are fetched.
type remote struct {
	system string
	spec   harness.RemoteSpec
	base   *url.URL
}

// words of a recipe in braces.
var word = regexp.MustCompile(`\{([a-z]+(?:\.[A-Za-z0-9_-]+)?)\}`)

func newRemote(spec harness.TargetSpec) (harness.Target, error) {
	s := *spec.Remote
	base, err := url.Parse(s.Base)
	if err != nil || base.Scheme != "http" && base.Scheme != "https" || base.Host == "" || base.User != nil {
		return nil, harness.Usage(fmt.Errorf("base %q is not the URL of a server", s.Base), "write it like https://ipaas-test.example/api, and credentials as secrets")
	}
	if s.To == "" {
		return nil, harness.Usage(errors.New("to is empty"), "write to: the system that receives the outputs")
	}
	if s.Trigger.Path == "" || len(s.Fetch) == 0 {
		return nil, harness.Usage(errors.New("the recipe has no trigger, or nothing to fetch"), "write trigger: and fetch:")
	}
	if (s.Poll.Path == "") != (len(s.Poll.Done) == 0) {
		return nil, harness.Usage(errors.New("poll needs a path and the values that say done"), "write poll: {path: /jobs/{id}, at: response.body.status, done: [succeeded], failed: [failed]}")
	}
	if s.Send != nil && s.Send.Path == "" {
		return nil, harness.Usage(errors.New("send has no path"), "write send: {path: \"/files/{name}\"}")
	}
	known := map[string]bool{"id": true, "name": true, "now": true, "each": true, "session": true}
	for _, text := range texts(s) {
		for _, found := range word.FindAllStringSubmatch(text, -1) {
			name, isSecret := strings.CutPrefix(found[1], "secret.")
			if _, there := s.Secrets[name]; isSecret && !there || !isSecret && !known[found[1]] {
				return nil, harness.Usage(fmt.Errorf("{%s} stands for nothing", found[1]), "words are {id}, {name}, {each}, {session}, {now} and {secret.NAME} with NAME under secrets")
			}
		}
	}
	return remote{spec.System, s, base}, nil
}

// texts are all texts of a recipe in which words in braces may stand.
func texts(s harness.RemoteSpec) []string {
	list := []string{s.Trigger.Path, s.Trigger.Body, s.Poll.Path}
	heads := []map[string]string{s.Head, s.Trigger.Head, s.Poll.Head}
	if s.Send != nil {
		list, heads = append(list, s.Send.Path, s.Send.Body), append(heads, s.Send.Head)
	}
	for _, f := range s.Fetch {
		list, heads = append(list, f.Path, f.Output), append(heads, f.Head)
	}
	for _, head := range heads {
		list = slices.AppendSeq(list, maps.Values(head))
	}
	return list
}

func describeRemote(spec harness.TargetSpec) string { return "remote job " + spec.Remote.Base }

// Start reads the secrets. Nothing is asked before something is fed.
func (r remote) Start(ctx context.Context, env harness.StageEnv) (harness.Stage, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	dial := env.Dial
	if dial == nil {
		dial = replay.NewGuard(replay.GuardOptions{}).DialContext
	}
	s := &remoteStage{remote: r, env: env, client: replay.NewSender(dial), words: map[string]string{}}
	if !env.Now.IsZero() {
		s.words["now"] = env.Now.UTC().Format(time.RFC3339)
	}
	for _, name := range slices.Sorted(maps.Keys(r.spec.Secrets)) {
		secret, err := harness.ReadSecret(r.spec.Secrets[name], os.Getenv, "write env:NAME, or a file that only you can read")
		if err != nil {
			return nil, fmt.Errorf("read secret %s: %w", name, err)
		}
		s.words["secret."+name] = strings.TrimRight(string(secret), "\r\n")
	}
	return s, nil
}

// remoteStage is fed by one goroutine.
type remoteStage struct {
	remote
	env    harness.StageEnv
	client *replay.Sender
	words  map[string]string // what the words in braces stand for in all requests
}

// SentAgain is how many requests were sent a second time, see [replay.Sender].
func (s *remoteStage) SentAgain() int { return s.client.SentAgain() }

// Close drops the connections.
func (s *remoteStage) Close() error {
	s.client.CloseIdleConnections()
	return nil
}

// Feed runs one job for the session when what is fed is sent before, else one for each exchange, which is the body of its
// trigger. A server that is not there, a job that fails and one that is never done end the run: there is no outcome that
// could be compared.
func (s *remoteStage) Feed(ctx context.Context, session []harness.Exchange, sink harness.Sink) error {
	if err := ctx.Err(); err != nil || len(session) == 0 {
		return err
	}
	for i := range session {
		x := &session[i]
		if err := sink.Put(asFed(*x, clock(s.env, x))); err != nil {
			return err
		}
		body, err := plainInput(x)
		if err != nil {
			return err
		}
		job := s.newJob(x)
		if s.spec.Send == nil {
			if err := job.run(ctx, body, sink); err != nil {
				return err
			}
			continue
		}
		if _, err := job.ask(ctx, "send "+x.Operation(), *s.spec.Send, cmp.Or(s.spec.Send.Method, http.MethodPut), body); err != nil {
			return err
		}
	}
	if s.spec.Send == nil {
		return nil
	}
	return s.newJob(&session[0]).run(ctx, nil, sink)
}

func (s *remoteStage) newJob(x *harness.Exchange) *remoteJob {
	words := maps.Clone(s.words)
	words["name"], words["session"] = x.Request.Head.Get(harness.FieldName), x.Session
	return &remoteJob{remoteStage: s, x: x, words: words}
}

// remoteJob is one run of the job.
type remoteJob struct {
	*remoteStage
	x     *harness.Exchange
	words map[string]string
	asked int
}

// run triggers the job, waits until it is done and puts its outputs.
func (j *remoteJob) run(ctx context.Context, body []byte, sink harness.Sink) error {
	timeout := j.spec.Timeout.Or(remoteTimeout)
	timed, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	err := j.perform(timed, body, sink)
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if timed.Err() != nil {
		return harness.CannotRun(fmt.Errorf("run job %s for %s: it was not done within %s, after %d requests", j.base, j.x.Operation(), timeout, j.asked),
			"raise timeout, or look at the job where it runs; the log of the report has every request")
	}
	return err
}

func (j *remoteJob) perform(ctx context.Context, body []byte, sink harness.Sink) error {
	answer, err := j.ask(ctx, "trigger job", harness.RemoteRequest{Path: j.spec.Trigger.Path, Head: j.spec.Trigger.Head, Body: j.spec.Trigger.Body}, cmp.Or(j.spec.Trigger.Method, http.MethodPost), body)
	if err != nil {
		return err
	}
	if id := j.spec.Trigger.ID; id.String() != "" {
		if j.words["id"], err = answer.one(id); err != nil {
			return harness.CannotRun(fmt.Errorf("read id of the job: %w", err), "correct trigger.id: the place in the answer, such as response.body.id or response.head.Location")
		}
	}
	if j.spec.Poll.Path != "" {
		if answer, err = j.wait(ctx); err != nil {
			return err
		}
	}
	for _, f := range j.spec.Fetch {
		if err := j.fetch(ctx, f, answer, sink); err != nil {
			return err
		}
	}
	return nil
}

// wait asks until the job is done. Answers that say that the server is busy or broken are asked again.
func (j *remoteJob) wait(ctx context.Context) (*remoteAnswer, error) {
	p := j.spec.Poll
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-timer.C:
		}
		answer, err := j.ask(ctx, "poll job", harness.RemoteRequest{Path: p.Path, Head: p.Head}, cmp.Or(p.Method, http.MethodGet), nil)
		if answer == nil || err != nil && !answer.again() {
			return nil, err
		}
		if err == nil {
			state, err := answer.one(p.At)
			switch {
			case err != nil:
				return nil, harness.CannotRun(fmt.Errorf("read state of the job: %w", err), "correct poll.at: the place in the answer, such as response.body.status")
			case slices.Contains(p.Done, state):
				return answer, nil
			case slices.Contains(p.Failed, state):
				return nil, harness.CannotRun(fmt.Errorf("run job %s for %s: it ended as %q%s", j.base, j.x.Operation(), state, answer.reason(p.Reason)), "look at the job where it runs; the log of the report has every request")
			}
		}
		timer.Reset(p.Every.Or(remoteEvery))
	}
}

// fetch puts one output, or one for each value at a place of the last answer.
func (j *remoteJob) fetch(ctx context.Context, f harness.RemoteFetch, last *remoteAnswer, sink harness.Sink) error {
	each := []string{""}
	if f.Each.String() != "" {
		if each = last.values(f.Each); len(each) == 0 {
			return harness.CannotRun(fmt.Errorf("fetch outputs: the last answer has nothing at %s", f.Each), "correct fetch.each: the places in the answer, such as response.body.files[*].href")
		}
	}
	for _, value := range each {
		j.words["each"] = value
		answer, err := j.ask(ctx, "fetch output", harness.RemoteRequest{Path: f.Path, Head: f.Head}, cmp.Or(f.Method, http.MethodGet), nil)
		if err != nil {
			return err
		}
		name := f.Output
		if name == "" || strings.Contains(name, "{") {
			name = path.Base(cmp.Or(j.replace(name), value))
		}
		if !filepath.IsLocal(name) {
			return harness.CannotRun(fmt.Errorf("fetch output: %q is not the name of a file", name), "write output: the name that the receiver gets")
		}
		at := clock(j.env, j.x)
		if err := sink.Put(fileOutput(j.x, j.system, cmp.Or(f.To, j.spec.To), name, at, harness.BytesBody(answer.body))); err != nil {
			return err
		}
	}
	return nil
}

// replace puts values into the words in braces; words without a value are left alone.
func (j *remoteJob) replace(text string) string {
	return word.ReplaceAllStringFunc(text, func(match string) string {
		if value, known := j.words[match[1:len(match)-1]]; known {
			return value
		}
		return match
	})
}

// escaped is replace for a path: a value is one segment of it, unless it is the whole path.
func (j *remoteJob) escaped(text string) string {
	if strings.HasPrefix(text, "{") {
		return j.replace(text)
	}
	return word.ReplaceAllStringFunc(text, func(match string) string {
		if value, known := j.words[match[1:len(match)-1]]; known {
			return url.PathEscape(value)
		}
		return match
	})
}

// ask makes one request. Every one is in the log. The error is a Problem of ClassCannotRun with what the server answered; the
// answer comes with it when there is one.
func (j *remoteJob) ask(ctx context.Context, doing string, r harness.RemoteRequest, method string, body []byte) (*remoteAnswer, error) {
	target, err := j.url(r.Path)
	if err != nil {
		return nil, err
	}
	if r.Body != "" {
		body = []byte(j.replace(r.Body))
	}
	request, err := http.NewRequestWithContext(ctx, method, target.String(), bytes.NewReader(body))
	if err != nil {
		return nil, harness.Usage(fmt.Errorf("%s: %w", doing, err), "")
	}
	if len(body) > 0 {
		request.Header.Set("Content-Type", cmp.Or(j.x.Request.Media, "application/json"))
	}
	for name, value := range j.spec.Head {
		request.Header.Set(name, j.replace(value))
	}
	for name, value := range r.Head {
		request.Header.Set(name, j.replace(value))
	}
	j.asked++
	answer, err := j.exchange(request, doing == "fetch output")
	said := "no answer"
	if err == nil {
		said = answer.status()
	}
	if j.env.Log != nil {
		fmt.Fprintf(j.env.Log, "%s: %s %s: %s\n", doing, method, target.Redacted(), started.Printable(said)) //nolint:errcheck // a log
	}
	switch {
	case ctx.Err() != nil:
		return nil, ctx.Err()
	case harness.ClassOf(err) == harness.ClassRefused:
		return nil, err
	case err != nil:
		return nil, harness.CannotRun(fmt.Errorf("%s at %s: %w", doing, j.base, err), "start the server, or correct target.remote.base")
	case answer.code < 200 || answer.code > 299:
		hint := "correct the recipe, or look at the server"
		if answer.code == http.StatusUnauthorized || answer.code == http.StatusForbidden {
			hint = "check the secrets that the recipe names, and what their account may do"
		}
		return answer, harness.CannotRun(fmt.Errorf("%s: %s %s answered %s", doing, method, target.EscapedPath(), answer.status()), hint)
	}
	return answer, nil
}

// url is the address of a path below the base. A server that names addresses of its own is followed within its own host only:
// credentials go with the request.
func (j *remoteJob) url(text string) (*url.URL, error) {
	text = j.escaped(text)
	u, err := url.Parse(text)
	if err != nil {
		return nil, harness.CannotRun(fmt.Errorf("read path %q: %w", text, err), "")
	}
	if u.Host != "" && (u.Host != j.base.Host || u.Scheme != j.base.Scheme) {
		return nil, harness.Refused(fmt.Errorf("the job names an output on another host, %s", u.Host), "secrets are sent to the host of target.remote.base only")
	}
	if u.Host == "" {
		at := *j.base
		at.Path, at.RawPath, at.RawQuery = "", "", u.RawQuery
		return url.Parse(strings.TrimSuffix(at.Scheme+"://"+at.Host+j.base.EscapedPath(), "/") + "/" + strings.TrimPrefix(text, "/"))
	}
	return u, nil
}

// exchange sends one request and reads the whole answer.
func (j *remoteJob) exchange(request *http.Request, output bool) (*remoteAnswer, error) {
	response, err := j.client.RoundTrip(request)
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	most := int64(maxStatus)
	if output {
		most = maxOutput
	}
	body, err := io.ReadAll(io.LimitReader(response.Body, most+1))
	if err == nil && int64(len(body)) > most {
		err = fmt.Errorf("the answer is larger than %d bytes", most)
	}
	return &remoteAnswer{response.StatusCode, response.Header, body}, err
}

// remoteAnswer is what the server said.
type remoteAnswer struct {
	code   int
	header http.Header
	body   []byte
}

func (a *remoteAnswer) status() string {
	return fmt.Sprintf("%d %s", a.code, http.StatusText(a.code))
}

// again reports whether the server may answer otherwise soon.
func (a *remoteAnswer) again() bool {
	return a.code == http.StatusTooManyRequests || a.code == http.StatusBadGateway || a.code == http.StatusServiceUnavailable || a.code == http.StatusGatewayTimeout
}

// one is the text at a place of the answer.
func (a *remoteAnswer) one(at harness.Path) (string, error) {
	values := a.values(at)
	if len(values) != 1 || values[0] == "" {
		return "", fmt.Errorf("the answer %s has %d values at %s", a.status(), len(values), at)
	}
	return values[0], nil
}

// reason is what the answer says about a failed job.
func (a *remoteAnswer) reason(at harness.Path) string {
	if at.String() == "" {
		return ""
	}
	if text, err := a.one(at); err == nil {
		return ": " + started.Printable(text)
	}
	return ""
}

// values are the texts at the places of the answer that a pattern covers: response.body… or response.head.NAME. A name in the
// head gives the last part of its path, such as the id in a Location.
func (a *remoteAnswer) values(at harness.Path) []string {
	text := at.String()
	if name, isHead := strings.CutPrefix(text, "response.head."); isHead {
		value := a.header.Get(name)
		if u, err := url.Parse(value); err == nil && u.Path != "" {
			value = path.Base(u.Path)
		}
		return []string{value}
	}
	var list []string
	doc, err := payload.ParseJSON(a.body)
	if err != nil {
		return nil
	}
	for place, leaf := range doc.Root().Leaves() {
		full := append(harness.PathOf(harness.Name("response"), harness.Name("body")), place...)
		if at.Match(full) && leaf.IsScalar() {
			list = append(list, leaf.Text())
		}
	}
	return list
}
