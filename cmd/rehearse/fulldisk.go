package main

import (
	"context"
	"errors"
	"fmt"
	"syscall"

	"github.com/rehearse-dev/rehearse/harness"
)

// isDiskFull reports whether an error is one of room on a disk, or of a user's share of it.
func isDiskFull(err error) bool {
	return errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT)
}

// explainFullDisk says of an error of a full disk how much room a recording takes, which is counted in its source. While
// it is written it is there twice, as journal and in its form.
func explainFullDisk(ctx context.Context, err error, out string, source harness.Recorder) error {
	if !isDiskFull(err) {
		return err
	}
	room := "room"
	var needed sizing
	if source.Record(ctx, &needed) == nil {
		room = "about " + sizeText(2*int64(needed))
	}
	return harness.CannotRun(fmt.Errorf("write recording %s: the disk is full: %w", out, err),
		"free "+room+" there, or name a folder on another disk with --out, and start again; nothing of the recording was kept, and nothing raw is on the disk")
}

// sizing is a sink that counts the bytes which a recording takes.
type sizing int64

func (*sizing) Drop(string)     {}
func (*sizing) LeaveOut(string) {}

func (s *sizing) Put(x harness.Exchange) error {
	const aside = 256 // bytes of a line beside its head
	*s += aside
	for _, m := range []harness.Message{x.Request, x.Response} {
		for _, f := range m.Head {
			*s += sizing(len(f.Name) + len(f.Value))
		}
		*s += sizing(m.Body.Size())
	}
	return nil
}

// sizeText is a number of bytes for people, rounded up.
func sizeText(n int64) string {
	const mebi = 1 << 20
	if n < mebi {
		return fmt.Sprintf("%d KiB", n>>10+1)
	}
	return fmt.Sprintf("%d MiB", n/mebi+1)
}
