package main

import (
	"context"
	"errors"
	"io/fs"
	"testing"
	"testing/fstest"
)

func TestFilesAreNotReadBehindAnInterrupt(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	files := interruptible{fstest.MapFS{"a/b.txt": {Data: []byte("text")}}, ctx}
	if err := fstest.TestFS(files, "a/b.txt"); err != nil {
		t.Error(err)
	}
	open, err := files.Open("a/b.txt")
	if err != nil {
		t.Fatal(err)
	}
	cancel()
	if _, err := open.Read(make([]byte, 1)); !errors.Is(err, context.Canceled) {
		t.Errorf("read: %v", err)
	}
	if _, err := fs.ReadFile(files, "a/b.txt"); !errors.Is(err, context.Canceled) {
		t.Errorf("open: %v", err)
	}
	if err := fs.WalkDir(files, ".", func(_ string, _ fs.DirEntry, err error) error { return err }); !errors.Is(err, context.Canceled) {
		t.Errorf("walk: %v", err)
	}
}
