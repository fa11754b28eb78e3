package target

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/rehearse-dev/rehearse/harness"
)

// filesTimeout is how long a batch job may take.
const filesTimeout = 5 * time.Minute

// inlineFile is the largest output that is held in memory, in bytes; larger ones stay in the scratch folder.
const inlineFile = 1 << 20

// files is a batch job.
type files struct {
	system string
	spec   harness.FilesSpec
}

func newFiles(spec harness.TargetSpec) (harness.Target, error) {
	f := *spec.Files
	if f.In == "" {
		f.In = "in"
	}
	if f.Out == "" {
		f.Out = "out"
	}
	for _, dir := range []string{f.In, f.Out} {
		if !filepath.IsLocal(filepath.FromSlash(dir)) || path.Clean(dir) == "." {
			return nil, harness.Usage(fmt.Errorf("folder %q does not lie below the scratch folder", dir), "write a relative folder such as in or data/out")
		}
	}
	if path.Clean(f.In) == path.Clean(f.Out) {
		return nil, harness.Usage(fmt.Errorf("in and out are the same folder %q", f.In), "outputs could not be told from inputs")
	}
	if f.To == "" {
		return nil, harness.Usage(errors.New("to is empty"), "write to: the system that receives the files")
	}
	if err := checkRun(f.Run); err != nil {
		return nil, err
	}
	return files{spec.System, f}, nil
}

func describeFiles(spec harness.TargetSpec) string {
	return "batch job " + strings.Join(spec.Files.Run, " ")
}

// Start finds the program; it runs once for each session.
func (t files) Start(ctx context.Context, env harness.StageEnv) (harness.Stage, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if env.Dir == "" {
		return nil, harness.CannotRun(errors.New("start batch job: the run has no scratch folder"), "")
	}
	set, err := newSettings(env, "")
	if err != nil {
		return nil, err
	}
	if _, err := set.command(t.spec.Run, t.spec.Env, env.Dir); err != nil {
		return nil, err
	}
	return &filesStage{t, set}, nil
}

// filesStage runs the job in a new scratch folder for each session, below the scratch folder of the run, where large
// outputs stay until the run removes it.
type filesStage struct {
	files
	set settings
}

// Feed lays out the files of the session, runs the job and puts what lies in its folder of outputs, sorted by name, as
// files of the frozen clock. A job that fails or exceeds its time is a Problem of ClassCannotRun: the whole session
// has no outcome that could be compared.
func (s *filesStage) Feed(ctx context.Context, session []harness.Exchange, sink harness.Sink) error {
	if len(session) == 0 {
		return nil
	}
	dir, err := os.MkdirTemp(s.set.env.Dir, "files-")
	if err != nil {
		return harness.CannotRun(fmt.Errorf("make scratch folder: %w", err), "check the free space and the rights of "+s.set.env.Dir)
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		return harness.CannotRun(fmt.Errorf("open scratch folder: %w", err), "")
	}
	defer root.Close()
	if err := s.layOut(root, session, sink); err != nil {
		return err
	}
	if err := s.run(ctx, dir); err != nil {
		return err
	}
	return s.collect(root, dir, &session[0], sink)
}

// Close has nothing to end: a job ends within Feed.
func (*filesStage) Close() error { return nil }

// layOut writes the fed files below In and puts them.
func (s *filesStage) layOut(root *os.Root, session []harness.Exchange, sink harness.Sink) error {
	for _, folder := range []string{s.spec.In, s.spec.Out} {
		if err := root.MkdirAll(filepath.FromSlash(folder), 0o700); err != nil {
			return fmt.Errorf("make folder %s: %w", folder, err)
		}
	}
	for _, x := range session {
		if x.Channel != harness.ChannelFile {
			return harness.Usage(fmt.Errorf("feed exchange %s (%s) to a batch job: a %s exchange is not a file", x.ID, x.Operation(), x.Channel), "use a url, process or command target for requests")
		}
		name := x.Request.Head.Get(harness.FieldName)
		if !filepath.IsLocal(filepath.FromSlash(name)) || strings.ContainsAny(name, "\\\x00") {
			return harness.Usage(fmt.Errorf("lay out exchange %s: the file name %q does not stay below the folder", x.ID, name), "correct the recording")
		}
		if err := layOutFile(root, filepath.FromSlash(path.Join(s.spec.In, name)), &x); err != nil {
			return fmt.Errorf("lay out exchange %s as %q: %w", x.ID, name, err)
		}
		if err := sink.Put(asFed(x, clock(s.set.env, &x))); err != nil {
			return err
		}
	}
	return nil
}

func layOutFile(root *os.Root, name string, x *harness.Exchange) (err error) {
	if err := root.MkdirAll(filepath.Dir(name), 0o700); err != nil {
		return err
	}
	body, err := x.Request.Body.Open()
	if err != nil {
		return err
	}
	defer body.Close()
	f, err := root.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	_, err = io.Copy(f, body)
	if closeErr := f.Close(); err == nil {
		err = closeErr
	}
	modified, parseErr := time.Parse(time.RFC3339Nano, x.Request.Head.Get(harness.FieldModified))
	if err == nil && parseErr == nil {
		err = root.Chtimes(name, modified, modified)
	}
	return err
}

// run runs the job to its end.
func (s *filesStage) run(ctx context.Context, dir string) error {
	cmd, err := s.set.command(s.spec.Run, s.spec.Env, dir)
	if err != nil {
		return err
	}
	c, err := startChild(s.spec.Run[0], cmd, s.set.env.Log)
	if err != nil {
		return err
	}
	timeout := s.spec.Timeout.Or(filesTimeout)
	timer := time.NewTimer(timeout)
	defer timer.Stop()
	defer c.kill()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-timer.C:
		return harness.CannotRun(fmt.Errorf("run %s: it did not end within %s", s.spec.Run[0], timeout), "raise timeout, or make the job faster")
	case <-c.done:
	}
	if !c.succeeded() {
		return c.problem("run")
	}
	return nil
}

// collect puts the outputs. Links and devices are refused: they could stand for anything on this machine.
func (s *filesStage) collect(root *os.Root, dir string, first *harness.Exchange, sink harness.Sink) error {
	out, err := root.OpenRoot(filepath.FromSlash(s.spec.Out))
	if err != nil {
		return harness.CannotRun(fmt.Errorf("open folder of outputs: %w", err), "the job must leave the folder "+s.spec.Out)
	}
	defer out.Close()
	var names []string
	err = fs.WalkDir(out.FS(), ".", func(name string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		if !entry.Type().IsRegular() {
			return fmt.Errorf("%q is not a regular file", name)
		}
		names = append(names, name)
		return nil
	})
	if err != nil {
		return harness.CannotRun(fmt.Errorf("collect outputs: %w", err), "the job must leave regular files only")
	}
	slices.Sort(names)
	for _, name := range names {
		body, err := outputBody(out, filepath.Join(dir, filepath.FromSlash(s.spec.Out)), filepath.FromSlash(name))
		if err != nil {
			return fmt.Errorf("collect output %q: %w", name, err)
		}
		if err := sink.Put(fileOutput(first, s.system, s.spec.To, name, clock(s.set.env, first), body)); err != nil {
			return err
		}
	}
	return nil
}

// outputBody holds a small file and refers to a large one where it lies.
func outputBody(out *os.Root, dir, name string) (harness.Body, error) {
	f, err := out.Open(name)
	if err != nil {
		return harness.Body{}, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return harness.Body{}, err
	}
	if info.Size() <= inlineFile {
		b, err := io.ReadAll(f)
		return harness.BytesBody(b), err
	}
	sum := sha256.New()
	size, err := io.Copy(sum, f)
	if err != nil {
		return harness.Body{}, err
	}
	open := func() (io.ReadCloser, error) { return os.OpenInRoot(dir, name) }
	return harness.StoredBody(size, "sha256:"+hex.EncodeToString(sum.Sum(nil)), open), nil
}
