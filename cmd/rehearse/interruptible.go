package main

import (
	"context"
	"io/fs"
)

// interruptible is a file system that reads nothing any more when its context has ended, so that whoever goes over
// millions of files stops with the error of the context.
type interruptible struct {
	fs.FS
	ctx context.Context
}

// Open opens a file whose reading ends with the context, too.
func (i interruptible) Open(name string) (fs.File, error) {
	if err := i.ctx.Err(); err != nil {
		return nil, err
	}
	f, err := i.FS.Open(name)
	if err != nil {
		return nil, err
	}
	if dir, ok := f.(fs.ReadDirFile); ok {
		return interruptibleDir{dir, i.ctx}, nil
	}
	return interruptibleFile{f, i.ctx}, nil
}

type interruptibleFile struct {
	fs.File
	ctx context.Context
}

func (f interruptibleFile) Read(p []byte) (int, error) {
	if err := f.ctx.Err(); err != nil {
		return 0, err
	}
	return f.File.Read(p)
}

// interruptibleDir is also what files of the operating system are.
type interruptibleDir struct {
	fs.ReadDirFile
	ctx context.Context
}

func (d interruptibleDir) Read(p []byte) (int, error) {
	return interruptibleFile{d.ReadDirFile, d.ctx}.Read(p)
}
